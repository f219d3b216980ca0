//! An answer that is cut, reset or stalled, at every byte of it.

use std::time::Duration;

use longshore::{Deadlines, ErrorKind, Result};
use longshore_testkit::transcript::wire::head_length;
use longshore_testkit::{Expected, Fault, FaultCount, Transcript, alive_tasks, never_hangs};
use tokio::time::Instant;

use crate::featured::{is_threaded, transcripts};

const IDLE: Duration = Duration::from_secs(30);
const TOTAL: Duration = Duration::from_secs(600);

/// Where an exchange fails, and how.
struct Case<'a> {
    transcript: &'a Transcript,
    exchange: usize,
    position: usize,
    fault: Fault,
    /// Whether the client has a connection already.
    warm: bool,
}

#[tokio::test(start_paused = true)]
async fn answers_cut_anywhere() {
    at_every_byte(Fault::Cut).await;
}

#[tokio::test(start_paused = true)]
async fn answers_reset_anywhere() {
    at_every_byte(Fault::Reset).await;
}

#[tokio::test(start_paused = true)]
async fn answers_stalled_anywhere() {
    at_every_byte(Fault::Stall).await;
}

async fn at_every_byte(fault: Fault) {
    let mut counted = FaultCount::default();
    for transcript in &transcripts() {
        if fault == Fault::Stall && is_threaded(transcript) {
            // They are stalled on a real clock, in `stalls`.
            continue;
        }
        for exchange in 0..transcript.exchanges().len() {
            let length = transcript.exchanges()[exchange].answer().len();
            // A connection that stalls behind an answer is a fault of the next one.
            let positions = if fault == Fault::Stall { 0..length } else { 0..length + 1 };
            // A copy takes long, and has tests of its own with every byte.
            let positions = positions.step_by(if is_threaded(transcript) { 7 } else { 1 });
            if fault == Fault::Cut {
                // The same exchanges are reset and stalled.
                counted.exchange(positions.len());
            }
            for position in positions {
                Case { transcript, exchange, position, fault, warm: false }.run(&mut counted).await;
                // A used connection differs before the first byte; the rest is looked at in samples. The first call of
                // a client without a version would ask for it.
                if position % 16 == 0 && !transcript.asks_for_version() {
                    Case { transcript, exchange, position, fault, warm: true }.run(&mut counted).await;
                }
            }
        }
    }
    counted.tally();
}

impl Case<'_> {
    async fn run(&self, counted: &mut FaultCount) {
        let Case { transcript, exchange, position, fault, .. } = *self;
        let engine = transcript.engine_failing(exchange, position, fault);
        let docker = transcript.docker(&engine, Deadlines::default().idle(IDLE).total(TOTAL));
        if self.warm {
            Transcript::good_call(&docker).await.unwrap();
        }
        let start = Instant::now();
        let outcome = never_hangs(transcript.call(docker.clone()), &self.to_string()).await;
        if self.is_untold(&outcome) {
            counted.untold();
        } else {
            counted.fault(&outcome);
            self.check_outcome(&outcome);
        }
        self.check_time(start.elapsed());

        let requests = engine.received();
        let count = |line: &str| requests.iter().filter(|request| request.line == line).count();
        for expected in transcript.exchanges() {
            let line = expected.request();
            let most = transcript.exchanges().iter().filter(|exchange| exchange.request() == line).count();
            assert!(!line.starts_with("POST") || count(line) <= most, "{self}: `{line}` was sent again");
        }
        let place = requests.iter().position(|request| request.line == transcript.exchanges()[exchange].request());
        let reused = place.is_some_and(|place| {
            requests[..place].iter().any(|request| request.connection == requests[place].connection)
        });
        if reused && position == 0 && fault != Fault::Stall && self.may_be_repeated() {
            assert!(transcript.is_expected(&outcome), "{self}: it was not sent again: {outcome:?}");
        }

        let good = Transcript::good_call(&docker).await;
        assert!(good.is_ok(), "{self}, afterwards: {good:?}");
        docker.close();
        assert_eq!((engine.alive(), engine.problems()), (0, vec![]), "{self}");
        assert_eq!(alive_tasks().await, 0, "{self}: a task was left behind");
    }

    /// Whether the request, met by a connection that was closed meanwhile, may be sent again.
    fn may_be_repeated(&self) -> bool {
        let request = self.transcript.exchanges()[self.exchange].request();
        let streamed = self.transcript.name.contains("refused early") || is_threaded(self.transcript);
        !request.starts_with("POST") && !streamed
    }

    fn in_body(&self) -> bool {
        let answer = self.transcript.exchanges()[self.exchange].answer().bytes();
        let mut head = head_length(&answer);
        while answer[..head].starts_with(b"HTTP/1.1 1") && !answer.starts_with(b"HTTP/1.1 101") {
            match answer[head..].starts_with(b"HTTP/1.1 1") {
                true => head += head_length(&answer[head..]),
                false => return self.position >= head + head_length(&answer[head..]),
            }
        }
        self.position >= head
    }

    /// Whether it is what comes of a cut that nothing tells from the end.
    fn is_untold(&self, outcome: &Result<String>) -> bool {
        let may_end = || self.transcript.may_end_with(self.exchange, self.position, outcome);
        self.fault == Fault::Cut && !self.transcript.is_expected(outcome) && may_end()
    }

    fn check_outcome(&self, outcome: &Result<String>) {
        if self.transcript.is_expected(outcome) || self.transcript.may_do_without(self.exchange, outcome) {
            return;
        }
        let error = match outcome {
            Ok(value) => panic!("{self}: a short success: {value}"),
            Err(error) => error,
        };
        assert!(!error.operation().is_empty() && error.to_string().starts_with(error.operation()), "{self}: {error}");
        let kind = error.kind();
        let refused = matches!(self.transcript.expected, Expected::Error(expected, _) if expected == kind);
        if refused && error.status().is_some() && self.in_body() {
            return;
        }
        let documented: &[ErrorKind] = match (self.fault, self.in_body(), self.position) {
            (Fault::Stall, ..) => &[ErrorKind::Timeout],
            (_, true, _) => &[ErrorKind::Truncated],
            (Fault::Cut, false, 0) => &[ErrorKind::Closed],
            (Fault::Cut, false, _) => &[ErrorKind::Truncated, ErrorKind::Closed],
            (Fault::Reset, false, _) => &[ErrorKind::Closed],
        };
        assert!(documented.contains(&kind), "{self}: {error:?} instead of {documented:?}");
    }

    fn check_time(&self, elapsed: Duration) {
        let limit = match (self.fault, self.in_body()) {
            (Fault::Stall, true) => IDLE + Duration::from_secs(25),
            (Fault::Stall, false) => TOTAL + Duration::from_secs(25),
            _ => Duration::from_secs(25),
        };
        assert!(elapsed <= limit, "{self}: {elapsed:?}");
    }
}

impl std::fmt::Display for Case<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Case { transcript, exchange, position, fault, warm } = self;
        write!(formatter, "{}, answer {exchange}, {fault:?} at {position}, warm {warm}", transcript.name)
    }
}
