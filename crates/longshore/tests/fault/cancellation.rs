//! Calls and streams that are dropped half-way, after every number of polls.

use longshore::Deadlines;
use longshore_testkit::{ScriptedEngine, Transcript, never_hangs, poll_n};

#[tokio::test(start_paused = true)]
async fn calls_dropped_while_the_answer_comes() {
    for transcript in Transcript::all() {
        let pieces = drop_after_every_poll(&transcript, || transcript.engine_with(|_, answer| answer.pieces(5))).await;
        assert!(pieces > 10, "{}: {pieces} polls are no test", transcript.name);
    }
}

#[tokio::test(start_paused = true)]
async fn calls_dropped_while_the_request_is_sent() {
    for transcript in Transcript::all() {
        let engine = || {
            let engine = transcript.engine();
            engine.write_pieces(5);
            engine
        };
        let pieces = drop_after_every_poll(&transcript, engine).await;
        assert!(pieces > 5, "{}: {pieces} polls are no test", transcript.name);
    }
}

/// Drops the call after one poll, after two and so on until it completes; answers how many polls that took.
async fn drop_after_every_poll(transcript: &Transcript, engine: impl Fn() -> ScriptedEngine) -> usize {
    let mut polls = 0;
    loop {
        // Once with the connections that the call leaves for others, once without them.
        let completed = drop_after(transcript, engine(), polls, false).await;
        assert_eq!(drop_after(transcript, engine(), polls, true).await, completed);
        if completed {
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
