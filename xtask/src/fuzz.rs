//! `cargo xtask fuzz`: the fuzzers, one after another.
//!
//! cargo-fuzz builds and runs them; it is installed into `target/tools` where it is not there. They begin with what is kept
//! in `fuzz/corpus`, and put what they find into `target/fuzz/corpus`, for the next run. What makes a target fail is in
//! `target/fuzz/artifacts`; once the fault is gone it belongs into `fuzz/corpus`, where the ordinary tests run it.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::{env, fs};

use clap::Args;
use longshore_testkit::tally;

use crate::error::{Context, Error, Result};
use crate::workspace;

/// `cargo xtask fuzz`
#[derive(Args)]
pub(crate) struct Arguments {
    /// How long each target is run
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Which targets; all of them if none is named
    targets: Vec<String>,
}

/// How much of what a fuzzer has said is shown when it fails.
const LINES: usize = 60;

/// Runs every target that was asked for, and tells which have failed.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let all = targets()?;
    if let Some(unknown) = arguments.targets.iter().find(|target| !all.contains(target)) {
        return Err(Error::new(format!("there is no target `{unknown}`; there are {}", all.join(", "))));
    }
    let tool = Tool::find()?;
    let chosen = if arguments.targets.is_empty() { all } else { arguments.targets.clone() };
    let mut failed = Vec::new();
    for target in chosen {
        tool.build(&target)?;
        match tool.fuzz(&target, arguments.seconds)? {
            Some(executions) => {
                println!("{target}: {executions} executions in {} s", arguments.seconds);
                tally("fuzzing", &format!("executions: {target}"), executions);
                tally("fuzzing", &format!("seconds: {target}"), arguments.seconds);
            }
            None => failed.push(target),
        }
    }
    match failed.as_slice() {
        [] => Ok(()),
        _ => Err(Error::new(format!("inputs in target/fuzz/artifacts make these fail: {}", failed.join(", ")))),
    }
}

/// The names of all targets.
fn targets() -> Result<Vec<String>> {
    let folder = workspace::root().join("fuzz/fuzz_targets");
    let entries = fs::read_dir(&folder).context(|| format!("read {}", folder.display()))?;
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    let mut names: Vec<String> =
        paths.iter().filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned())).collect();
    names.sort();
    Ok(names)
}

/// cargo-fuzz, and what it builds with.
struct Tool {
    has_nightly: bool,
}

impl Tool {
    fn find() -> Result<Self> {
        let toolchains = Command::new("rustup").args(["toolchain", "list"]).stderr(Stdio::null()).output();
        let has_nightly = toolchains.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("nightly"));
        if !has_nightly {
            eprintln!("WARNING: THERE IS NO NIGHTLY COMPILER, SO NOTHING LOOKS AFTER UNSAFE CODE OF DEPENDENCIES");
        }
        let tool = Tool { has_nightly };
        let there = tool.cargo(&["fuzz", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
        if !there.is_ok_and(|status| status.success()) {
            let root = tools().to_string_lossy().into_owned();
            let install = tool.cargo(&["install", "--locked", "--root", &root, "cargo-fuzz"]).status();
            if !install.context(|| "install cargo-fuzz".to_owned())?.success() {
                return Err(Error::new("cargo-fuzz can't be installed"));
            }
        }
        Ok(tool)
    }

    /// Cargo of the compiler that instruments, with the tools that are installed here.
    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = match self.has_nightly {
            true => Command::new("rustup"),
            false => workspace::cargo(&[]),
        };
        if self.has_nightly {
            command.args(["run", "nightly", "cargo"]).current_dir(workspace::root());
            // What this task was built with is not what the fuzzers are built with.
            command.env_remove("CARGO").env_remove("RUSTC").env_remove("RUSTUP_TOOLCHAIN");
        }
        let path = env::var_os("PATH").unwrap_or_default();
        let paths = [tools().join("bin")].into_iter().chain(env::split_paths(&path));
        if let Ok(paths) = env::join_paths(paths) {
            command.env("PATH", paths);
        }
        command.args(arguments);
        command
    }

    /// How this task calls cargo-fuzz for one of its commands.
    fn cargo_fuzz(&self, command: &str, target: &str) -> Command {
        let sanitizer = if self.has_nightly { "address" } else { "none" };
        let mut command = self.cargo(&["fuzz", command, "--sanitizer", sanitizer, "--target-dir"]);
        command.arg(workspace::root().join("target/fuzz")).arg(target);
        command
    }

    fn build(&self, target: &str) -> Result<()> {
        let built = self.cargo_fuzz("build", target).status().context(|| "run cargo-fuzz".to_owned())?;
        if built.success() { Ok(()) } else { Err(Error::new(format!("the fuzzer of {target} can't be built"))) }
    }

    /// Runs a target, and tells how often it ran; `None` if an input makes it fail.
    fn fuzz(&self, target: &str, seconds: u64) -> Result<Option<u64>> {
        let root = workspace::root();
        let folder = |path: &str| root.join("target/fuzz").join(path).join(target);
        let (found, artifacts) = (folder("corpus"), folder("artifacts"));
        for folder in [&found, &artifacts] {
            fs::create_dir_all(folder).context(|| format!("make {}", folder.display()))?;
        }
        let mut command = self.cargo_fuzz("run", target);
        command.arg(&found).arg(root.join("fuzz/corpus").join(target));
        command.args([
            "--",
            &format!("-max_total_time={seconds}"),
            &format!("-artifact_prefix={}/", artifacts.display()),
            "-max_len=4096",
            "-timeout=20",
            "-print_final_stats=1",
        ]);
        let mut running = command.stderr(Stdio::piped()).spawn().context(|| "run cargo-fuzz".to_owned())?;
        let mut last = Vec::new();
        let mut executions = None;
        for line in running.stderr.take().map(BufReader::new).into_iter().flat_map(BufRead::lines) {
            let line = line.context(|| "read what the fuzzer says".to_owned())?;
            if let Some(count) = line.strip_prefix("stat::number_of_executed_units:") {
                executions = count.trim().parse().ok();
            }
            last.push(line);
            let surplus = last.len().saturating_sub(LINES);
            last.drain(..surplus);
        }
        let status = running.wait().context(|| "run cargo-fuzz".to_owned())?;
        match (status.success(), executions) {
            (true, Some(executions)) => Ok(Some(executions)),
            (true, None) => Err(Error::new(format!("{target}: the fuzzer does not tell how often it ran"))),
            (false, _) => {
                eprintln!("{}\n{target}: failed", last.join("\n"));
                Ok(None)
            }
        }
    }
}

/// Where tools are installed that are not there.
fn tools() -> PathBuf {
    workspace::root().join("target/tools")
}
