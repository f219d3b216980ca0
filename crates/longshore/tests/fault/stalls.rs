//! Calls with a thread of their own whose connection falls silent. The clock is a real one, since a paused one stands
//! still while a thread waits.

use std::time::{Duration, Instant};

use longshore::{Deadlines, ErrorKind, Result};
use longshore_testkit::{Fault, FaultCount, Transcript, alive_tasks};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::featured::{is_threaded, transcripts};

/// How long a silence may last.
const SILENCE: Duration = Duration::from_millis(50);

/// How long anything may take on a busy machine. It is a hang then.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many calls are made at a time.
const AT_ONCE: usize = 100;

/// From one position to the next: a tar has many bytes.
const STEP: usize = 11;

/// Where a connection falls silent.
#[derive(Clone, Copy, Debug)]
enum Place {
    Answer { exchange: usize, position: usize },
    Request { position: usize },
}

#[test]
fn answers_stalled_anywhere() {
    try_all(|transcript| {
        let exchanges = transcript.exchanges().iter().enumerate();
        let places = exchanges.flat_map(|(exchange, one)| {
            let positions = (0..one.answer().len()).step_by(STEP);
            positions.map(move |position| Place::Answer { exchange, position })
        });
        places.collect()
    });
}

#[test]
fn requests_stalled_anywhere() {
    try_all(|transcript| {
        let whole = runtime().block_on(sent(transcript));
        (0..whole).step_by(STEP).map(|position| Place::Request { position }).collect()
    });
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// The most bytes that the call sends on one connection.
async fn sent(transcript: &Transcript) -> usize {
    let engine = transcript.engine();
    let outcome = transcript.call(transcript.docker(&engine, Deadlines::default())).await;
    transcript.assert_outcome(&outcome, "in one piece");
    (0..engine.opened()).map(|connection| engine.taken(connection)).max().unwrap_or_default()
}

/// Tries these places of every call that has a thread, many at a time, in a runtime that has to end afterwards.
fn try_all(places: impl Fn(&Transcript) -> Vec<Place>) {
    let threaded = transcripts().into_iter().filter(is_threaded);
    let cases = threaded.flat_map(|transcript| {
        let places = places(&transcript);
        places.into_iter().map(move |place| (transcript.clone(), place))
    });
    let cases = cases.collect::<Vec<_>>();
    let runtime = runtime();
    runtime.block_on(async {
        let (mut counted, mut running) = (FaultCount::default(), JoinSet::new());
        for (transcript, place) in cases {
            if running.len() == AT_ONCE {
                counted.fault(&running.join_next().await.unwrap().unwrap());
            }
            running.spawn(check(transcript, place));
        }
        running.join_all().await.iter().for_each(|outcome| counted.fault(outcome));
        counted.tally();
        assert_eq!(alive_tasks().await, 0, "a task was left behind");
    });
    let start = Instant::now();
    runtime.shutdown_timeout(PATIENCE);
    assert!(start.elapsed() < PATIENCE, "a thread was left behind");
}

async fn check(transcript: Transcript, place: Place) -> Result<String> {
    let circumstance = format!("{}, stalled: {place:?}", transcript.name);
    let engine = match place {
        Place::Answer { exchange, position } => transcript.engine_failing(exchange, position, Fault::Stall),
        Place::Request { .. } => transcript.engine(),
    };
    if let Place::Request { position } = place {
        engine.requests_fail_after(position, Fault::Stall);
    }
    let deadlines = Deadlines::default().head(SILENCE).idle(SILENCE).total(2 * SILENCE);
    let docker = transcript.docker(&engine, deadlines);
    let calling = tokio::time::timeout(PATIENCE, transcript.call(docker.clone()));
    let outcome = calling.await.unwrap_or_else(|_| panic!("{circumstance}: it hangs"));
    let error = outcome.as_ref().expect_err(&circumstance);
    assert_eq!(error.kind(), ErrorKind::Timeout, "{circumstance}: {error:?}");
    assert!(!error.operation().is_empty(), "{circumstance}: {error:?}");

    engine.requests_succeed();
    let good = Transcript::good_call(&docker.with_deadlines(Deadlines::default())).await;
    assert!(good.is_ok(), "{circumstance}, afterwards: {good:?}");
    docker.close();
    assert_eq!((engine.alive(), engine.problems()), (0, vec![]), "{circumstance}");
    outcome
}
