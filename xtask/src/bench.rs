//! `cargo xtask bench`: longshore beside its peers, in one run.
//!
//! Measuring is the work of the package `bench`; this builds it as users build, in release, and finds it an engine.

use clap::Args;

use crate::engine::{self, Engine};
use crate::error::{Error, Result};
use crate::workspace;

/// `cargo xtask bench`
#[derive(Args)]
pub(crate) struct Arguments {
    /// A tenth of the work in 3 rounds, to see that it runs
    #[arg(long)]
    quick: bool,
    /// How many rounds are measured; 7 unless told, and more of what is short
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pairs: Option<u32>,
    /// Fail if a figure is below its floor in bench/floors.toml, or well below what it is missed at there
    #[arg(long, conflicts_with = "quick")]
    check: bool,
    /// What to measure, such as `replay-logs` or `live-ping`; everything if nothing is named
    works: Vec<String>,
}

/// Names the engines that live tests use, as a list of `name=host`.
const ENGINES: &str = "LONGSHORE_TEST_ENGINES";

/// The engine that is measured: the oldest, since its answers cost a client most.
const ENGINE: Engine = Engine::Docker20;

/// Builds the benchmarks, and runs them with an engine if any work needs one.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    finish(workspace::cargo(&["build", "--release", "--package", "bench"]))?;
    if !arguments.needs_engine() {
        return measure(arguments, None);
    }
    if let Some(host) = named_engine() {
        return measure(arguments, Some(&host));
    }
    let was_running = engine::running().iter().any(|running| running.name == ENGINE.name());
    let engines = engine::up(&[ENGINE])?;
    let outcome = measure(arguments, engines.first().map(|engine| engine.host.as_str()));
    let stopped = if was_running { Ok(()) } else { engine::down(&[ENGINE]) };
    outcome.and(stopped)
}

impl Arguments {
    /// Whether anything is to be measured on a real engine; the names tell.
    fn needs_engine(&self) -> bool {
        self.works.is_empty() || self.works.iter().any(|work| work.starts_with("live-"))
    }
}

/// The engine that the environment names.
fn named_engine() -> Option<String> {
    let engines = std::env::var(ENGINES).unwrap_or_default();
    let engines = engines.split(',').filter_map(|engine| engine.split_once('='));
    let of_choice = engines.clone().find(|(name, _)| *name == ENGINE.name());
    let named = of_choice.or_else(|| engines.clone().next()).map(|(_, host)| host.to_owned());
    named.or_else(|| std::env::var("DOCKER_HOST").ok()).filter(|host| !host.is_empty())
}

fn measure(arguments: &Arguments, host: Option<&str>) -> Result<()> {
    let mut command = workspace::cargo(&["run", "--release", "--quiet", "--package", "bench", "--", "run"]);
    if let Some(host) = host {
        command.args(["--engine", host]);
    }
    if arguments.quick {
        command.arg("--quick");
    }
    if arguments.check {
        command.arg("--check");
    }
    if let Some(pairs) = arguments.pairs {
        command.args(["--pairs", &pairs.to_string()]);
    }
    command.args(&arguments.works);
    finish(command)
}

fn finish(mut command: std::process::Command) -> Result<()> {
    match command.status()? {
        status if status.success() => Ok(()),
        _ => Err(Error::new("the benchmarks failed")),
    }
}
