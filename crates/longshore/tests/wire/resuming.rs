//! Logs that go on where their connection was lost.

use std::fmt::Write;
use std::io;
use std::time::Duration;

use longshore::{
    ApiVersion, Container, ErrorKind, Line, Lines, Missed, Result, Resumed, Resuming, ResumingLines, Timestamp,
};
use longshore_testkit::transcript::wire::{answer, chunked, frame, head_length, json};
use longshore_testkit::{Answer, Dialing, Exchange, Fault, ScriptedEngine, drain, never_hangs, poll_n, tally};

/// A full id, so that no other container can have it later.
const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

const FAULTS: [Fault; 3] = [Fault::Cut, Fault::Reset, Fault::Stall];

/// A message of the log: 1 is stdout, 2 stderr, 0 a terminal; nanoseconds since the log began, and what was written.
type Entry = (u8, i64, &'static str);

const BEGUN: i64 = 1_709_632_790_000_000_000;

/// What may be confused: equal lines of the same time, of both sources, out of order, in pieces, and without an end.
const LOG: &[Entry] = &[
    (1, 1, "one\n"),
    (2, 1, "one\n"),
    (1, 1, "one\n"),
    (1, 1, "one\n"),
    (2, 900_000_000, "late\n"),
    (1, 800_000_000, "early\n"),
    (1, 2_000_000_000, "a long "),
    (2, 2_000_000_000, "\n"),
    (1, 2_000_000_000, "a long "),
    (1, 2_000_000_000, "line\r\n"),
    (2, 2_000_000_001, "2024-03-05T10:00:00.000000000Z x\n"),
    (1, 7_000_000_000, "unfinished"),
];

const TERMINAL: &[Entry] = &[
    (0, 1, "$ ls\r\n"),
    (0, 1, "$ ls\r\n"),
    (0, 5, "a  b\r\n"),
    (0, 3_000_000_000, "a long "),
    (0, 3_000_000_000, "a long "),
    (0, 3_000_000_000, "line\r\n"),
    (0, 4_000_000_000, "$ "),
    (0, 5_000_000_000, "$ again\r\n"),
    (0, 5_000_000_000, "$ "),
];

fn time(nanoseconds: i64) -> String {
    Timestamp::from_unix_nanos(BEGUN + nanoseconds).to_string()
}

/// An engine with this log, which gives all that is not before `since` for every time that may be asked for.
struct Script {
    log: &'static [Entry],
    follow: bool,
}

impl Script {
    fn target(&self, follow: bool, rest: &str) -> String {
        let follow = if follow { "&follow=1" } else { "" };
        format!("GET /v1.44/containers/{ID}/logs?stdout=1&stderr=1{follow}&timestamps=1{rest}")
    }

    fn first(&self) -> String {
        self.target(self.follow, "")
    }

    fn answer(&self, messages: &[Entry]) -> Answer {
        logs(messages.iter().map(|(source, at, text)| (*source, format!("{} {text}", time(*at)))))
    }

    /// The engine, whose first answers are these.
    fn engine(&self, first: impl IntoIterator<Item = Exchange>) -> ScriptedEngine {
        let engine = ScriptedEngine::new(first);
        engine.expect(Exchange::new(self.first(), self.answer(self.log)).repeats());
        let mut times: Vec<i64> = self.log.iter().map(|(_, at, _)| *at).collect();
        times.dedup();
        for at in times {
            for halvings in 0..3 {
                let since = at - (1_000_000_000 >> halvings);
                let messages: Vec<Entry> = self.log.iter().filter(|(_, at, _)| *at >= since).copied().collect();
                for (tail, follow) in [("", false), ("", true), ("&tail=256", false), ("&tail=256", true)] {
                    let target = self.target(follow, &format!("{tail}&since={}", seconds(since)));
                    engine.expect(Exchange::new(target, self.answer(&messages)).repeats());
                }
            }
        }
        let stopped = r#"{"Id":"0a","State":{"Running":false},"Config":{}}"#;
        engine.expect(Exchange::new(format!("GET /v1.44/containers/{ID}/json"), json("200 OK", stopped)).repeats());
        engine
    }

    fn call(&self, engine: &ScriptedEngine) -> longshore::ResumeLogs {
        let logs = engine.docker().container(ID).logs();
        let logs = if self.follow { logs.follow() } else { logs };
        logs.resuming().idle(Duration::from_secs(30))
    }

    /// The lines as they are without timestamps and without faults.
    async fn expected(&self) -> Vec<Line> {
        let answer = logs(self.log.iter().map(|(source, _, text)| (*source, (*text).to_owned())));
        let engine =
            ScriptedEngine::new([Exchange::new(format!("GET /v1.44/containers/{ID}/logs?stdout=1&stderr=1"), answer)]);
        let lines: Lines = engine.docker().container(ID).logs().await.unwrap().lines();
        drain(lines).await.items
    }
}

fn seconds(at: i64) -> String {
    let at = BEGUN + at;
    format!("{}.{:09}", at.div_euclid(1_000_000_000), at.rem_euclid(1_000_000_000))
}

/// Logs with each of these writes in a chunk of its own.
fn logs(writes: impl Iterator<Item = (u8, String)>) -> Answer {
    let mut is_terminal = false;
    let mut chunks = Vec::new();
    for (source, text) in writes {
        is_terminal = source == 0;
        chunks.push(if is_terminal { text.into_bytes() } else { frame(source, text) });
    }
    let kind = if is_terminal { "raw" } else { "multiplexed" };
    let kind = format!("Content-Type: application/vnd.docker.{kind}-stream");
    Answer::new(answer("200 OK", &[&kind, "Transfer-Encoding: chunked"], chunked(&chunks)))
}

fn apart(items: Vec<Resuming<Line>>) -> (Vec<Line>, Vec<Resumed>) {
    let (mut lines, mut resumed) = (Vec::new(), Vec::new());
    for item in items {
        match item {
            Resuming::Item(line) => lines.push(line),
            Resuming::Resumed(told) => resumed.push(told),
        }
    }
    (lines, resumed)
}

async fn all(lines: ResumingLines, circumstance: &str) -> (Vec<Line>, Vec<Resumed>) {
    let drained = never_hangs(drain(lines), circumstance).await;
    assert_eq!(drained.error.map(|error| error.to_string()), None, "{circumstance}");
    apart(drained.items)
}

/// Cuts, resets and stalls the connection at every byte; a second one too at some of them.
async fn survives_at_every_byte(script: Script) {
    let expected = script.expected().await;
    let whole = script.answer(script.log);
    let mut faults = 0;
    for fault in FAULTS {
        for at in 0..whole.len() {
            let circumstance = format!("{fault:?} at {at}");
            let engine = script.engine([Exchange::new(script.first(), whole.clone().fails_after(at, fault))]);
            let lines = never_hangs(script.call(&engine).lines(), &circumstance).await.unwrap();
            let (lines, resumed) = all(lines, &circumstance).await;
            assert_eq!(lines, expected, "{circumstance}");
            assert!(resumed.iter().all(|told| told.missed == Missed::Nothing), "{circumstance}: {resumed:?}");
            // A stall is told only where something must have been missing.
            let told = if fault == Fault::Stall { 0..=1 } else { 1..=1 };
            assert!(told.contains(&resumed.len()), "{circumstance}: {resumed:?}");
            assert_eq!(engine.problems(), Vec::<String>::new(), "{circumstance}");
            assert_eq!(engine.alive(), 0, "{circumstance}");
            faults += 1;
        }
    }
    tally("resuming", "connections lost", faults);
    tally("resuming", "lines expected", faults * expected.len() as u64);
    tally("resuming", "lines lost", 0);
    tally("resuming", "lines duplicated", 0);
}

#[tokio::test(start_paused = true)]
async fn logs_survive_a_fault_at_every_byte() {
    survives_at_every_byte(Script { log: LOG, follow: false }).await;
}

#[tokio::test(start_paused = true)]
async fn followed_logs_survive_a_fault_at_every_byte() {
    survives_at_every_byte(Script { log: LOG, follow: true }).await;
}

#[tokio::test(start_paused = true)]
async fn logs_of_a_terminal_survive_a_fault_at_every_byte() {
    survives_at_every_byte(Script { log: TERMINAL, follow: true }).await;
}
