//! Calls and streams that are dropped half-way, after every number of polls.

use std::cell::Cell;

use longshore::Deadlines;
use longshore_testkit::{ScriptedEngine, Transcript, alive_tasks, never_hangs, poll_n, tally};

use crate::featured::{is_threaded, transcripts};

#[tokio::test(start_paused = true)]
async fn calls_dropped_while_the_answer_comes() {
    let dropped = Cell::new(0);
    let all = transcripts();
    for transcript in &all {
        let engine = || transcript.engine_with(|_, answer| answer.pieces(5));
        let polls = drop_after_every_poll(transcript, engine, &dropped).await;
        let asks = !transcript.exchanges().is_empty() && !is_threaded(transcript);
        assert!(!asks || polls > 5, "{}: {polls} polls are no test", transcript.name);
    }
    tally("cancellation", "calls", all.len() as u64);
    tell(&dropped);
}

#[tokio::test(start_paused = true)]
async fn calls_dropped_while_the_request_is_sent() {
    let dropped = Cell::new(0);
    for transcript in &transcripts() {
        let engine = || {
            let engine = transcript.engine();
            // A tar has many bytes.
            engine.write_pieces(if is_threaded(transcript) { 200 } else { 5 });
            engine
        };
        let polls = drop_after_every_poll(transcript, engine, &dropped).await;
        let asks = !transcript.exchanges().is_empty() && !is_threaded(transcript);
        assert!(!asks || polls > 5, "{}: {polls} polls are no test", transcript.name);
    }
    tell(&dropped);
}

/// Adds what was counted to that of all tests. A client that can't be used afterwards fails the test.
fn tell(dropped: &Cell<u64>) {
    tally("cancellation", "polls cancelled", dropped.get());
    tally("cancellation", "clients unusable afterwards", 0);
}

/// Drops the call after one poll, after two and so on until it completes; answers how many polls that took.
async fn drop_after_every_poll(
    transcript: &Transcript,
    engine: impl Fn() -> ScriptedEngine,
    dropped: &Cell<u64>,
) -> usize {
    let mut polls = 0;
    loop {
        // Once with the connections that the call leaves for others, once without them.
        let completed = [false, true].map(|close| drop_after(transcript, engine(), polls, close));
        let [kept, closed] = completed;
        let (kept, closed) = (kept.await, closed.await);
        assert!(kept == closed || is_threaded(transcript), "{}: {polls} polls are not always enough", transcript.name);
        dropped.set(dropped.get() + u64::from(!kept) + u64::from(!closed));
        if kept && closed {
            return polls;
        }
        polls += 1;
    }
}

async fn drop_after(transcript: &Transcript, engine: ScriptedEngine, polls: usize, close: bool) -> bool {
    let circumstance = format!("{}, dropped after {polls} polls, closed {close}", transcript.name);
    let docker = transcript.docker(&engine, Deadlines::default());
    let outcome = never_hangs(poll_n(transcript.call(docker.clone()), polls), &circumstance).await;
    if let Some(outcome) = &outcome {
        transcript.assert_outcome(outcome, &circumstance);
    }
    let received = engine.received();
    tokio::task::yield_now().await;
    assert_eq!(engine.received(), received, "{circumstance}: it goes on");
    assert_eq!(alive_tasks().await, 0, "{circumstance}: a task was left behind");
    if close {
        docker.close();
        assert_eq!(engine.alive(), 0, "{circumstance}: a connection was left open");
    }
    let good = Transcript::good_call(&docker).await;
    assert!(good.is_ok(), "{circumstance}, afterwards: {good:?}");
    docker.close();
    assert_eq!((engine.alive(), engine.problems()), (0, vec![]), "{circumstance}");
    outcome.is_some()
}
