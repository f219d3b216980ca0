//! A connection that fails while the request is being sent, at every byte of it.

use std::time::Duration;

use longshore::{Deadlines, ErrorKind, Result};
use longshore_testkit::{Fault, FaultCount, Transcript, alive_tasks, never_hangs};
use tokio::time::Instant;

use crate::featured::{is_threaded, transcripts};

/// The deadline of a call.
const TOTAL: Duration = Duration::from_secs(600);

#[tokio::test(start_paused = true)]
async fn requests_cut_reset_or_stalled_anywhere() {
    let mut counted = FaultCount::default();
    for transcript in &transcripts() {
        let whole = sent_on_each_connection(transcript).await;
        counted.bytes(whole);
        for position in 0..whole {
            for fault in [Fault::Cut, Fault::Reset, Fault::Stall] {
                if fault != Fault::Stall || !is_threaded(transcript) {
                    counted.fault(&check(transcript, position, fault).await);
                }
            }
        }
    }
    counted.tally();
}

/// The most bytes that the call sends on one connection.
async fn sent_on_each_connection(transcript: &Transcript) -> usize {
    let engine = transcript.engine();
    let outcome = transcript.call(transcript.docker(&engine, Deadlines::default())).await;
    transcript.assert_outcome(&outcome, "in one piece");
    (0..engine.opened()).map(|connection| engine.taken(connection)).max().unwrap_or_default()
}

async fn check(transcript: &Transcript, position: usize, fault: Fault) -> Result<String> {
    let circumstance = format!("{}, request {fault:?} at {position}", transcript.name);
    let engine = transcript.engine();
    engine.requests_fail_after(position, fault);
    let deadlines = Deadlines::default().idle(Duration::from_secs(30)).total(TOTAL);
    let docker = transcript.docker(&engine, deadlines);
    let start = Instant::now();
    let outcome = never_hangs(transcript.call(docker.clone()), &circumstance).await;
    let spent = start.elapsed();
    assert!(spent <= TOTAL + Duration::from_secs(1), "{circumstance}: it took {spent:?}");
    let spared = |exchange| transcript.may_do_without(exchange, &outcome);
    if !transcript.is_expected(&outcome) && !(0..transcript.exchanges().len()).any(spared) {
        let error = outcome.as_ref().expect_err(&circumstance);
        let documented: &[ErrorKind] = match fault {
            Fault::Stall => &[ErrorKind::Timeout],
            Fault::Cut | Fault::Reset => &[ErrorKind::Closed],
        };
        assert!(documented.contains(&error.kind()), "{circumstance}: {error:?} instead of {documented:?}");
        assert!(!error.operation().is_empty(), "{circumstance}: {error:?}");
    }
    for request in engine.received().iter().filter(|request| !request.complete) {
        let same = engine.received().iter().filter(|other| other.line == request.line).count();
        let most = transcript.exchanges().iter().filter(|exchange| exchange.request() == request.line).count();
        assert!(!request.line.starts_with("POST") || same <= most, "{circumstance}: sent again");
    }

    engine.requests_succeed();
    let good = Transcript::good_call(&docker).await;
    assert!(good.is_ok(), "{circumstance}, afterwards: {good:?}");
    docker.close();
    assert_eq!((engine.alive(), engine.problems()), (0, vec![]), "{circumstance}");
    assert_eq!(alive_tasks().await, 0, "{circumstance}: a task was left behind");
    outcome
}
