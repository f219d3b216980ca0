//! `cargo xtask demo`: the main job of the library on a real engine, told step by step.
//!
//! `host` finds the engine, or brings up a private one. `tour` makes an image without a registry and takes the steps,
//! each with the Rust that does it; what they guard goes with them. `cleanup` removes whatever else carries the run's label
//! and checks that nothing is left: after the last step, after a failure or a panic, and after Ctrl-C (`interrupt`). `stage` is what all of them print
//! with.

mod cleanup;
mod host;
mod interrupt;
mod stage;
mod tour;

use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use longshore::guard::Signal;

use crate::error::{Context, Error, Result};
use host::Host;
use interrupt::Interrupts;
use stage::Stage;

/// The key of the label that everything carries that a demo makes; the value is the id of the run.
const LABEL: &str = "longshore.demo";

/// How long a step may go on after Ctrl-C. A call that is under way is better awaited than cut: the engine would carry
/// it out all the same, unseen.
const LAST_CALL: Duration = Duration::from_secs(5);

/// `cargo xtask demo`
#[derive(Args)]
pub(crate) struct Arguments {}

/// Runs the demo, and tells how it ended.
pub(crate) fn run(_: &Arguments) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = runtime.context(|| "start the runtime".to_owned()).and_then(|runtime| runtime.block_on(demo()));
    match outcome {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(signal)) => ExitCode::from(signal.exit_code()),
        Err(error) => {
            let lines = stage::wrapped(&format!("error: {error}"), stage::WIDTH);
            // The terminal may be gone; the exit code tells it all the same.
            let _ = writeln!(std::io::stderr(), "{}", lines.join("\n"));
            ExitCode::FAILURE
        }
    }
}

/// What a run is known by: eight digits, random, so that several may use the same engine at once.
#[derive(Clone, Debug)]
struct RunId(String);

impl RunId {
    fn new() -> Self {
        Self(format!("{:08x}", RandomState::new().hash_one(0) as u32))
    }

    /// The label of all that the run makes, as `key=value`.
    fn label(&self) -> String {
        format!("{LABEL}={}", self.0)
    }
}

/// The whole run; tells the signal that interrupted it, if one did.
async fn demo() -> Result<Option<Signal>> {
    let begun = Instant::now();
    let run = RunId::new();
    let interrupts = Interrupts::listen(&run)?;
    let stage = Arc::new(Stage::new(interrupts.clone()));
    let host = match (Host::find(&stage).await, interrupts.happened()) {
        (Ok(host), _) => host,
        (Err(_), Some(signal)) => return Ok(Some(signal)),
        (Err(error), None) => return Err(error),
    };
    let shown = show(&host, &stage, &interrupts, &run).await;
    stage.curtain();
    let cleaned = cleanup::clean(&host.docker, &stage, &run).await;
    let released = host.release(&stage).await;
    if let Some(signal) = interrupts.happened() {
        return cleaned.and(released).map(|()| Some(signal));
    }
    all(shown, cleaned, released)?;
    stage.note("total", &format!("{:.1} s", begun.elapsed().as_secs_f64()));
    Ok(None)
}

/// Introduces the engine, and takes the tour to its end, its failure, its panic, or its interruption.
async fn show(host: &Host, stage: &Arc<Stage>, interrupts: &Interrupts, run: &RunId) -> Result<()> {
    host.introduce(stage).await?;
    let mut tour = tokio::spawn(tour::run(host.docker.clone(), stage.clone(), run.clone()));
    let outcome = tokio::select! {
        outcome = &mut tour => outcome,
        () = interrupts.wait() => match tokio::time::timeout(LAST_CALL, &mut tour).await {
            Ok(outcome) => outcome,
            Err(_) => {
                tour.abort();
                let outcome = tour.await;
                // Time for the engine to finish what it was doing, so that the cleanup sees it.
                tokio::time::sleep(Duration::from_secs(1)).await;
                outcome
            }
        },
    };
    outcome.unwrap_or_else(|error| {
        let panic = error.is_panic();
        Err(Error::new(if panic { "a step of the demo has panicked" } else { "the demo was interrupted" }))
    })
}

/// All that went wrong, as one error.
fn all(shown: Result<()>, cleaned: Result<()>, released: Result<()>) -> Result<()> {
    let failures: Vec<String> =
        [shown, cleaned, released].into_iter().filter_map(|outcome| Some(outcome.err()?.to_string())).collect();
    if failures.is_empty() { Ok(()) } else { Err(Error::new(failures.join("\nerror: "))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_tell_each_other_apart() {
        let (one, other) = (RunId::new(), RunId::new());
        assert_ne!(one.label(), other.label());
        assert_eq!(one.0.len(), 8);
        assert_eq!(one.label(), format!("longshore.demo={}", one.0));
    }

    #[test]
    fn every_failure_is_told() {
        let failed = |text: &str| Err(Error::new(text));
        let error = all(failed("step 1"), Ok(()), failed("stop")).unwrap_err();
        assert_eq!(error.to_string(), "step 1\nerror: stop");
        assert!(all(Ok(()), Ok(()), Ok(())).is_ok());
    }
}
