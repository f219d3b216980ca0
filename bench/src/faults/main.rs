//! The same faults for longshore and its peer: every answer is cut, reset and stalled at its bytes, and what comes of the
//! call is counted. Started by `cargo xtask reliability`.

mod clients;
mod engine;
mod recorded;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use longshore_testkit::tally;
use tokio::task::JoinSet;

use bench::Result;
use clients::Peer;
use engine::{Fault, FaultyEngine};
use recorded::Call;

/// How many calls are under way at a time.
const AT_A_TIME: usize = 64;

/// Of so many bytes one is a place of a stall, since each takes as long as a deadline.
const STALLED: usize = 32;

/// When a call counts as hanging: it has a deadline of a second, and longshore then says of an exec within ten seconds more
/// that its output may be cut.
const PATIENCE: Duration = Duration::from_secs(15);

/// What came of a call whose answer had a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// What the whole answer gives.
    Right,
    Error,
    /// Something else than the whole answer gives, as if it were all.
    Wrong,
    /// Nothing, after a time in which its deadline had long passed.
    Hang,
    Panic,
}

impl Outcome {
    const ALL: [Outcome; 5] = [Outcome::Right, Outcome::Error, Outcome::Wrong, Outcome::Hang, Outcome::Panic];

    fn name(self) -> &'static str {
        match self {
            Outcome::Right => "right value",
            Outcome::Error => "error",
            Outcome::Wrong => "wrong value, no error",
            Outcome::Hang => "hang",
            Outcome::Panic => "panic",
        }
    }
}

fn main() -> ExitCode {
    // A panic of a client is counted, and would be told thousands of times.
    std::panic::set_hook(Box::new(|_| ()));
    let outcome = tokio::runtime::Runtime::new().map_err(Into::into).and_then(|runtime| runtime.block_on(run()));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<()> {
    for peer in Peer::ALL {
        for call in Call::ALL {
            for fault in Fault::ALL {
                let counts = count(peer, call, fault).await?;
                let told: Vec<String> =
                    counts.iter().map(|(outcome, count)| format!("{} {count}", outcome.name())).collect();
                println!("{:10} {:8} {:6} {}", peer.name(), call.name(), fault.name(), told.join(", "));
                for outcome in Outcome::ALL {
                    let count = counts.get(&outcome).copied().unwrap_or_default();
                    tally("beside bollard", &format!("{} {} {}", peer.name(), call.name(), outcome.name()), count);
                }
            }
        }
    }
    Ok(())
}

/// Makes the call with the fault at one byte after another.
async fn count(peer: Peer, call: Call, fault: Fault) -> Result<BTreeMap<Outcome, u64>> {
    let whole = FaultyEngine::start(call.exchanges(), None).await?;
    let expected = Arc::new(
        clients::call(peer, call, whole.host())
            .await
            .map_err(|error| format!("{} can't do {} without a fault: {error}", peer.name(), call.name()))?,
    );
    let every = if fault == Fault::Stall { STALLED } else { 1 };
    let mut positions = (0..call.length()).step_by(every);
    let (mut running, mut counts) = (JoinSet::new(), BTreeMap::new());
    loop {
        while running.len() < AT_A_TIME
            && let Some(position) = positions.next()
        {
            running.spawn(try_at(peer, call, fault, position, expected.clone()));
        }
        let Some(ended) = running.join_next().await else { return Ok(counts) };
        let outcome = match ended {
            Ok(outcome) => outcome?,
            Err(_) => Outcome::Panic,
        };
        *counts.entry(outcome).or_default() += 1;
    }
}

async fn try_at(peer: Peer, call: Call, fault: Fault, position: usize, expected: Arc<String>) -> Result<Outcome> {
    let engine = FaultyEngine::start(call.exchanges(), Some((fault, position))).await?;
    Ok(match tokio::time::timeout(PATIENCE, clients::call(peer, call, engine.host())).await {
        Ok(Ok(value)) if value == *expected => Outcome::Right,
        Ok(Ok(_)) => Outcome::Wrong,
        Ok(Err(_)) => Outcome::Error,
        Err(_) => Outcome::Hang,
    })
}
