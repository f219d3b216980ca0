//! `cargo xtask test`: proves it all.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use clap::Args;
use serde::Deserialize;

use crate::engine::{self, Engine, Program};
use crate::error::{Context, Error, Result};
use crate::{coverage, deny, instructions, rehearsal, tidy, workspace};

/// `cargo xtask test`
#[derive(Args)]
pub(crate) struct Arguments {
    /// Only what needs no engine: formatting, lints, documentation and the tests without live ones
    #[arg(long)]
    offline: bool,
}

/// Names the engines that live tests use, as a list of `name=host`.
const ENGINES: &str = "LONGSHORE_TEST_ENGINES";

/// Names an engine of one's own for the live tests.
const HOST: &str = "LONGSHORE_TEST_HOST";

/// Names the root of the ssh server that live tests reach engines over.
const SSH: &str = "LONGSHORE_TEST_SSH";

/// The test of the library that talks to engines; all others are over wires of their own.
const LIVE: &str = "live";

/// The live tests that keep a whole engine busy.
const LOAD: &str = "load::";

/// The engines on which the demo is interrupted, of those that are started for the tests.
const REHEARSED: [&str; 2] = ["docker-26.1", "podman"];

/// Runs all stages, the quick ones first, and stops at the first that fails.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let begun = Instant::now();
    let mut stages = Stages::default();
    stages.cargo("format", &["fmt", "--all", "--check"])?;
    stages.task("tidy", || tidy::run(&tidy::Arguments {}))?;
    stages.task("dependencies", || deny::run(&deny::Arguments {}))?;
    stages.cargo("lint with default features", &["clippy", "--package", "longshore", "--", "--deny", "warnings"])?;
    let all = ["clippy", "--workspace", "--all-targets", "--all-features", "--", "--deny", "warnings"];
    stages.cargo("lint with all features", &all)?;
    windows(&mut stages)?;
    stages.run("documentation", documentation())?;
    let units = ["test", "--workspace", "--exclude", "bench", "--all-features", "--lib", "--bins"];
    stages.cargo("unit and encode tests", &units)?;
    stages.task("coverage of the API", || coverage::run(&coverage::Arguments::default()))?;
    stages.cargo("decode tests", &["test", "--package", "longshore-models", "--tests"])?;
    stages.cargo("fuzz targets, for seconds", &["test", "--package", "longshore-fuzz", "--tests"])?;
    for test in tests_without_engine()? {
        stages
            .cargo(&format!("{test} tests"), &["test", "--package", "longshore", "--all-features", "--test", &test])?;
    }
    stages.cargo(
        "examples in the documentation",
        &["test", "--workspace", "--exclude", "bench", "--all-features", "--doc"],
    )?;
    stages.task("instructions of the hot paths", || instructions::run(&instructions::Arguments::default()))?;
    if arguments.offline {
        println!("\nlive tests were left out, as --offline says");
    } else {
        live(&mut stages)?;
    }
    println!("\nall {} stages passed in {:.0} s", stages.passed, begun.elapsed().as_secs_f64());
    Ok(())
}

/// The library's tests that talk to no engine, so that none is forgotten.
fn tests_without_engine() -> Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
        targets: Vec<Target>,
    }
    #[derive(Deserialize)]
    struct Target {
        name: String,
        kind: Vec<String>,
    }
    let json = workspace::cargo_output(&["metadata", "--format-version", "1", "--no-deps"])?;
    let metadata: Metadata = serde_json::from_str(&json).context(|| "read cargo's metadata".to_owned())?;
    let library = metadata.packages.into_iter().filter(|package| package.name == "longshore");
    let tests = library.flat_map(|package| package.targets).filter(|target| target.kind == ["test"]);
    let (live, others): (Vec<_>, Vec<_>) = tests.map(|test| test.name).partition(|name| name == LIVE);
    match live.len() {
        1 => Ok(others),
        _ => Err(Error::new("the library has no live tests")),
    }
}

/// Compiles the library for Windows, where the target is installed. TLS is left out: it needs a C compiler for Windows.
fn windows(stages: &mut Stages) -> Result<()> {
    const TARGET: &str = "x86_64-pc-windows-gnu";
    let installed = Command::new("rustup").args(["target", "list", "--installed"]).stderr(Stdio::null()).output();
    if !installed.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(TARGET)) {
        eprintln!("WARNING: NOTHING IS COMPILED FOR WINDOWS; to do so: rustup target add {TARGET}");
        return Ok(());
    }
    let features = "archive,build,ssh,websocket";
    let arguments = ["clippy", "--package", "longshore", "--target", TARGET, "--features", features];
    stages.cargo("lint for Windows", &[&arguments[..], &["--", "--deny", "warnings"]].concat())
}

fn documentation() -> Command {
    let mut command = workspace::cargo(&["doc", "--workspace", "--exclude", "bench", "--no-deps", "--all-features"]);
    command.env("RUSTDOCFLAGS", "--deny warnings");
    command
}

/// Runs the live tests on every engine, and stops those engines that were started for it.
fn live(stages: &mut Stages) -> Result<()> {
    let mut tests = LiveTests::default();
    for program in Program::ALL {
        tests.provide(program.variable(), || engine::program(program));
    }
    tests.provide(SSH, engine::ssh);
    let named = [ENGINES, HOST].into_iter().find_map(|variable| std::env::var(variable).ok());
    if let Some(named) = named {
        tests.run(stages, "the engines that the environment names")?;
        return rehearse(stages, hosts_in(&named));
    }
    let before = engine::running();
    let mut engines = Vec::new();
    stages.task("engines", || {
        engines = engine::up_all()?;
        Ok(())
    })?;
    let list: Vec<String> = engines.iter().map(|engine| format!("{}={}", engine.name, engine.host)).collect();
    tests.variables.push((ENGINES, list.join(",").into()));
    let rehearsed = engines.iter().filter(|engine| REHEARSED.contains(&engine.name.as_str()));
    let rehearsed: Vec<String> = rehearsed.map(|engine| engine.host.clone()).collect();
    let outcome = tests.run(stages, &format!("{} engines", engines.len()));
    let outcome = outcome.and_then(|()| rehearse(stages, rehearsed));
    let started: Vec<Engine> =
        Engine::ALL.into_iter().filter(|engine| !before.iter().any(|running| running.name == engine.name())).collect();
    let stopped = engine::down(&started);
    outcome.and(stopped)
}

fn rehearse(stages: &mut Stages, hosts: Vec<String>) -> Result<()> {
    stages.task("the demo, interrupted at every step", || rehearsal::run(&rehearsal::Arguments { hosts }))
}

/// The hosts in a list of `name=host`, or in a host alone.
fn hosts_in(list: &str) -> Vec<String> {
    list.split(',').map(|engine| engine.split_once('=').map_or(engine, |(_, host)| host).to_owned()).collect()
}

/// The live tests, and what they are told of their surroundings.
#[derive(Default)]
struct LiveTests {
    variables: Vec<(&'static str, OsString)>,
}

impl LiveTests {
    /// Tells the tests where something is, unless the environment does; it is installed first if need be.
    fn provide(&mut self, variable: &'static str, install: impl FnOnce() -> Result<PathBuf>) {
        if std::env::var_os(variable).is_none() {
            match install() {
                Ok(path) => self.variables.push((variable, path.into())),
                Err(error) => eprintln!("WARNING: THE TESTS THAT NEED {variable} WILL FAIL: {error}"),
            }
        }
    }

    /// Runs those that share the engines, then those that load them: nothing else would get its answers in time.
    fn run(&self, stages: &mut Stages, engines: &str) -> Result<()> {
        stages.run(&format!("live tests on {engines}"), self.command(&["--skip", LOAD]))?;
        stages.run(&format!("load on {engines}"), self.command(&[LOAD, "--test-threads", "4"]))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = workspace::cargo(&["test", "--package", "longshore", "--all-features", "--test", LIVE, "--"]);
        command.args(arguments).envs(self.variables.iter().cloned());
        command
    }
}

/// Runs one stage after another and says how each went.
#[derive(Default)]
struct Stages {
    passed: usize,
}

impl Stages {
    fn cargo(&mut self, name: &str, arguments: &[&str]) -> Result<()> {
        self.run(name, workspace::cargo(arguments))
    }

    fn run(&mut self, name: &str, mut command: Command) -> Result<()> {
        self.task(name, || {
            let status = command.status().context(|| "run cargo".to_owned())?;
            match status.success() {
                true => Ok(()),
                false => Err(Error::new(format!("stage failed: {name}"))),
            }
        })
    }

    fn task(&mut self, name: &str, task: impl FnOnce() -> Result<()>) -> Result<()> {
        println!("\n== {name}");
        let begun = Instant::now();
        task()?;
        println!("== {name}: passed in {:.1} s", begun.elapsed().as_secs_f64());
        self.passed += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_are_named_in_a_list_or_alone() {
        assert_eq!(hosts_in("a=unix:///a.sock,b=tcp://b:1"), ["unix:///a.sock", "tcp://b:1"]);
        assert_eq!(hosts_in("unix:///a.sock"), ["unix:///a.sock"]);
    }
}
