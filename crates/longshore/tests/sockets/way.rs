//! What is tried on each way to an engine.

use std::time::{Duration, Instant};

use longshore::{ConnectOptions, Deadlines, Docker, Environment, ErrorKind, Result};
use longshore_testkit::{Direction, Expected, FaultCount, FaultProxy, Faults, ScriptedEngine, Transcript, descriptors};

use crate::featured::transcripts;
use crate::served::Served;

/// How many positions of an exchange are tried.
const POSITIONS: u64 = 5;

/// How long a silence may last where one is made.
const SILENCE: Duration = Duration::from_millis(60);

/// How long anything may take. It is a hang then.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long what was closed may take to be gone.
const SETTLING: Duration = Duration::from_secs(10);

/// A way to an engine, with a proxy on it.
pub(crate) struct Way<'a> {
    served: &'a Served,
    proxy: &'a FaultProxy,
    options: ConnectOptions,
}

impl<'a> Way<'a> {
    pub(crate) fn new(served: &'a Served, proxy: &'a FaultProxy) -> Self {
        let options = ConnectOptions::default().host(proxy.host()).environment(Environment::default());
        Way { served, proxy, options }
    }

    #[cfg(feature = "tls")]
    pub(crate) fn with(mut self, options: impl FnOnce(ConnectOptions) -> ConnectOptions) -> Self {
        self.options = options(self.options);
        self
    }

    fn docker(&self, transcript: &Transcript, deadlines: Deadlines) -> Docker {
        Docker::connect_with(&transcript.options(self.options.clone()).deadlines(deadlines)).unwrap()
    }

    /// Makes the call with these faults on the way; the client works afterwards.
    async fn run(&self, transcript: &Transcript, to_client: Direction, deadlines: Deadlines) -> Result<String> {
        let circumstance = format!("{}, {to_client:?}", transcript.name);
        let engine = transcript.engine_with(|_, answer| answer.pace(Duration::ZERO));
        // What only reads is asked for once more where a kept connection was closed. What it finds then is as new.
        transcript.exchanges().iter().rev().for_each(|exchange| engine.expect(exchange.clone().repeats()));
        self.served.play(engine);
        self.proxy.set(Faults { to_client, ..Faults::default() });
        let docker = self.docker(transcript, deadlines);
        let calling = tokio::time::timeout(PATIENCE, transcript.call(docker.clone()));
        let outcome = calling.await.unwrap_or_else(|_| panic!("{circumstance}: it hangs"));

        self.proxy.set(Faults::default());
        self.served.play(transcript.engine());
        // A kept connection may be one that is cut later.
        docker.close();
        let good = Transcript::good_call(&docker.with_deadlines(Deadlines::default())).await;
        assert!(good.is_ok(), "{circumstance}, afterwards: {good:?}");
        drop(docker);
        self.served.play(ScriptedEngine::default());
        self.proxy.cut_all();
        outcome
    }

    /// Lets a connection fail in some places, and checks that every outcome is the right value or a documented error.
    async fn fail(&self, transcript: &Transcript, length: u64, counted: &mut FaultCount) {
        for position in (0..POSITIONS).map(|part| length * part / POSITIONS) {
            let cut = Direction { cut_after: Some(position), ..Direction::default() };
            let reset = Direction { reset_after: Some(position), ..Direction::default() };
            for (fault, is_reset) in [(cut, false), (reset, self.proxy.has_resets())] {
                let outcome = self.run(transcript, fault, Deadlines::default()).await;
                let is_short = !transcript.is_expected(&outcome) && transcript.may_end_somewhere_with(&outcome);
                if !is_reset && is_short {
                    counted.untold();
                    continue;
                }
                counted.fault(&outcome);
                let documented = [ErrorKind::Closed, ErrorKind::Truncated, ErrorKind::Connect];
                check(transcript, &outcome, &documented, &format!("{fault:?}"));
            }
        }
        counted.bytes(POSITIONS as usize);
    }

    /// Lets a connection fall silent in some places.
    async fn stall(&self, transcript: &Transcript, length: u64, counted: &mut FaultCount) {
        let deadlines = Deadlines::default().connect(SILENCE).head(SILENCE).idle(SILENCE).total(4 * SILENCE);
        for position in [0, length / 3, length - 1] {
            let fault = Direction { stall_after: Some(position), ..Direction::default() };
            let outcome = self.run(transcript, fault, deadlines).await;
            counted.fault(&outcome);
            check(transcript, &outcome, &[ErrorKind::Timeout], &format!("{fault:?}"));
        }
    }
}

fn check(transcript: &Transcript, outcome: &Result<String>, documented: &[ErrorKind], fault: &str) {
    let name = transcript.name;
    if transcript.is_expected(outcome) {
        return;
    }
    let error = outcome.as_ref().expect_err(&format!("{name}, {fault}: a short success"));
    let refused = matches!(&transcript.expected, Expected::Error(kind, _) if *kind == error.kind());
    assert!(refused || documented.contains(&error.kind()), "{name}, {fault}: {error:?} instead of {documented:?}");
}

/// Tries all transcripts: in pieces of any size, with faults of every kind; then nothing is left.
pub(crate) async fn try_all(way: &Way<'_>) {
    let mut counted = FaultCount::default();
    let metrics = tokio::runtime::Handle::current().metrics();
    // What is opened once is opened before it is counted.
    let all = transcripts();
    way.run(&all[0], Direction::default(), Deadlines::default()).await.unwrap();
    settled(|| way.proxy.alive() == 0).await;
    let before = (descriptors::open().unwrap(), metrics.num_alive_tasks());
    for (number, transcript) in all.iter().enumerate() {
        way.proxy.longest();
        let outcome = way.run(transcript, Direction::default(), Deadlines::default()).await;
        transcript.assert_outcome(&outcome, "in pieces as they come");
        let length = way.proxy.longest();
        for piece in [1, 2, 7, 64] {
            let split = Direction { piece: Some(piece), ..Direction::default() };
            let outcome = way.run(transcript, split, Deadlines::default()).await;
            counted.fault(&outcome.as_ref().map_err(Clone::clone).map(drop));
            transcript.assert_outcome(&outcome, &format!("in pieces of {piece}"));
        }
        if length > 0 {
            counted.exchange(0);
            way.fail(transcript, length, &mut counted).await;
        }
        // Each takes as long as a silence does.
        if length > 0 && number % 6 == 0 {
            way.stall(transcript, length, &mut counted).await;
        }
    }
    settled(|| (descriptors::open().unwrap(), metrics.num_alive_tasks()) == before).await;
    assert_eq!((descriptors::open().unwrap(), metrics.num_alive_tasks()), before, "something was left behind");
    assert_eq!(crate::children(), Vec::<String>::new(), "a process was left behind");
    counted.tally();
}

/// Waits until it is so, for a while.
async fn settled(is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() && start.elapsed() < SETTLING {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
