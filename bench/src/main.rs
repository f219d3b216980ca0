//! longshore beside its peers, in one run; started by `cargo xtask bench`.
//!
//! Every measurement is a process of its own, one of the client programs. What is replayed comes from one more process:
//! this program again, with the subcommand `replay`.

mod build;
mod container;
mod floors;
mod machine;
mod python;
mod replay;
mod report;
mod rounds;
mod run;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure, and print what came out
    Run(run::Arguments),
    /// Serve recorded answers until standard input ends
    #[command(hide = true)]
    Replay(replay::Arguments),
}

fn main() -> ExitCode {
    let outcome = match CommandLine::parse().command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
