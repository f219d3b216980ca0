//! The tasks of the project: `cargo xtask <task>`.
//!
//! Each task is a module that offers clap `Arguments` and a `run` function; this file only dispatches.

mod bench;
mod coverage;
mod demo;
mod deny;
mod engine;
mod error;
mod fuzz;
mod instructions;
mod rehearsal;
mod reliability;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The tasks of longshore's own repository
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct CommandLine {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Start, stop and list the real engines that the demo and the tests talk to
    Engine(engine::Arguments),
    /// Show the main job on a real engine: the one that the environment names, else a private one
    Demo(demo::Arguments),
    /// Interrupt the demo at every step, and see that nothing of it is left
    Rehearse(rehearsal::Arguments),
    /// Prove it all: format, lints, documentation, and every kind of test on every engine
    Test(test::Arguments),
    /// Measure longshore beside its peers, in one run
    Bench(bench::Arguments),
    /// Run every test, and write down what they have counted: docs/reliability.md
    Reliability(reliability::Arguments),
    /// Check what neither the compiler nor clippy does: module order, file lengths, dependencies
    Tidy(tidy::Arguments),
    /// Check licences, sources and versions of all dependencies by deny.toml
    Deny(deny::Arguments),
    /// Run the fuzzers, each for a while
    Fuzz(fuzz::Arguments),
    /// Count the instructions of the library's hot paths, and compare them with what is written down
    Instructions(instructions::Arguments),
    /// Compare what is encoded and modelled with all that the Engine API has
    Coverage(coverage::Arguments),
}

fn main() -> ExitCode {
    end_quietly_when_nobody_reads();
    let outcome = match CommandLine::parse().task {
        Task::Demo(arguments) => return demo::run(&arguments),
        Task::Engine(arguments) => engine::run(&arguments),
        Task::Rehearse(arguments) => rehearsal::run(&arguments),
        Task::Test(arguments) => test::run(&arguments),
        Task::Bench(arguments) => bench::run(&arguments),
        Task::Reliability(arguments) => reliability::run(&arguments),
        Task::Tidy(arguments) => tidy::run(&arguments),
        Task::Deny(arguments) => deny::run(&arguments),
        Task::Fuzz(arguments) => fuzz::run(&arguments),
        Task::Instructions(arguments) => instructions::run(&arguments),
        Task::Coverage(arguments) => coverage::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What closes its end of the pipe, as `head` does, has read enough: that is no reason to panic.
fn end_quietly_when_nobody_reads() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let message = panic.payload().downcast_ref::<String>();
        if message.is_some_and(|text| text.starts_with("failed printing to stdout") && text.contains("Broken pipe")) {
            std::process::exit(0);
        }
        usual(panic);
    }));
}
