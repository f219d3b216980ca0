//! `cargo xtask instructions`: what a processor does for the library's hot paths.
//!
//! Unlike times, the number of instructions is the same on a busy machine and on an idle one, so that it can be checked
//! with every run of the tests. Each path is gone twice and three times; the difference is that of the path alone, without
//! the start of a program and what is only done once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Args;
use serde::Deserialize;

use crate::error::{Context, Error, Result};
use crate::workspace;

/// `cargo xtask instructions`
#[derive(Args, Default)]
pub(crate) struct Arguments {
    /// Write down what is counted, as what the paths may take from now on
    #[arg(long)]
    write: bool,
}

/// The paths, with how many items each is gone for.
const PATHS: [(&str, u64); 9] = [
    ("log-line", 4_000),
    ("large-frame", 100),
    ("terminal-chunk", 200),
    ("stats-sample", 100),
    ("event", 400),
    ("progress-message", 1_000),
    ("listed-container", 1_000),
    ("inspect", 50),
    ("ping", 200),
];

/// By how much a path may exceed what is written down.
const TOLERANCE: f64 = 1.05;

/// What is written down.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Counts {
    /// The compiler, whose version decides as much as the code.
    compiler: String,
    /// Instructions by path, for one item.
    paths: BTreeMap<String, u64>,
}

/// Counts, and compares with what is written down.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    if !is_installed() {
        eprintln!("WARNING: NO INSTRUCTIONS ARE COUNTED: valgrind is not installed; on Debian: apt install valgrind");
        return Ok(());
    }
    let program = build()?;
    let mut counts = Counts { compiler: compiler()?, paths: BTreeMap::new() };
    for (path, items) in PATHS {
        let once = count(&program, path, items, 3)?.saturating_sub(count(&program, path, items, 2)?);
        counts.paths.insert(path.to_owned(), once / items);
    }
    if arguments.write {
        return write(&counts);
    }
    let text = std::fs::read_to_string(file()).context(|| format!("read {}", file().display()))?;
    let allowed: Counts = toml::from_str(&text).context(|| format!("read {}", file().display()))?;
    compare(&counts, &allowed)
}

fn file() -> PathBuf {
    workspace::root().join("recordings/instructions.toml")
}

fn is_installed() -> bool {
    let status = Command::new("valgrind").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// Builds what goes the paths, as users build.
fn build() -> Result<PathBuf> {
    let arguments = ["build", "--release", "--package", "recordings", "--message-format", "json"];
    let messages = workspace::cargo_output(&arguments)?;
    #[derive(Deserialize)]
    struct Message {
        executable: Option<PathBuf>,
    }
    let mut executables = messages.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok()?.executable);
    executables.next_back().ok_or_else(|| Error::new("cargo has built no program that goes the paths"))
}

fn compiler() -> Result<String> {
    let output = Command::new("rustc").arg("--version").output().context(|| "run `rustc --version`".to_owned())?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The instructions of a whole run of the program.
fn count(program: &Path, path: &str, items: u64, times: u64) -> Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args([path, &items.to_string(), &times.to_string()])
        .output()
        .context(|| "run valgrind".to_owned())?;
    let said = String::from_utf8_lossy(&output.stderr);
    let collected = said.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    match collected {
        Some(collected) if output.status.success() => Ok(collected),
        _ => Err(Error::new(format!("{path} could not be gone {times} times with {items} items:\n{said}"))),
    }
}

fn write(counts: &Counts) -> Result<()> {
    let mut text =
        "# What a processor does for one item of each path, written by `cargo xtask instructions --write`.\n\
        # `cargo xtask test` fails when a path takes a twentieth more.\n\n"
            .to_owned();
    text += &format!("compiler = \"{}\"\n\n[paths]\n", counts.compiler);
    for (path, count) in &counts.paths {
        text += &format!("{path} = {count}\n");
    }
    std::fs::write(file(), text).context(|| format!("write {}", file().display()))?;
    println!("written to recordings/instructions.toml");
    Ok(())
}

fn compare(counts: &Counts, allowed: &Counts) -> Result<()> {
    if counts.compiler != allowed.compiler {
        let (used, written) = (&counts.compiler, &allowed.compiler);
        eprintln!("WARNING: NO INSTRUCTIONS ARE COMPARED: {used} is used, and what is written down is of {written}");
        return Ok(());
    }
    let problems = problems(counts, allowed);
    for (path, count) in &counts.paths {
        println!("instructions: {count:>7} {path}");
    }
    match problems.is_empty() {
        true => Ok(()),
        false => {
            Err(Error::new(format!("{}\nif that is worth it: cargo xtask instructions --write", problems.join("\n"))))
        }
    }
}

/// The paths that take more than they may, or that are written down and not gone, or the other way round.
fn problems(counts: &Counts, allowed: &Counts) -> Vec<String> {
    let mut problems = Vec::new();
    for (path, count) in &counts.paths {
        match allowed.paths.get(path) {
            None => problems.push(format!("{path} is not written down; it takes {count} instructions")),
            Some(allowed) if *count as f64 > *allowed as f64 * TOLERANCE => {
                problems.push(format!("{path} takes {count} instructions instead of {allowed}"));
            }
            Some(_) => {}
        }
    }
    let forgotten = allowed.paths.keys().filter(|path| !counts.paths.contains_key(*path));
    problems.extend(forgotten.map(|path| format!("{path} is written down, and there is no such path")));
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(paths: &[(&str, u64)]) -> Counts {
        let paths = paths.iter().map(|(path, count)| ((*path).to_owned(), *count)).collect();
        Counts { compiler: "rustc".to_owned(), paths }
    }

    #[test]
    fn a_path_may_take_a_twentieth_more() {
        let allowed = counts(&[("a", 100)]);
        assert!(problems(&counts(&[("a", 105)]), &allowed).is_empty());
        assert!(problems(&counts(&[("a", 50)]), &allowed).is_empty());
        assert_eq!(problems(&counts(&[("a", 106)]), &allowed), ["a takes 106 instructions instead of 100"]);
    }

    #[test]
    fn no_path_is_forgotten() {
        assert_eq!(problems(&counts(&[("a", 1)]), &counts(&[])), ["a is not written down; it takes 1 instructions"]);
        assert_eq!(problems(&counts(&[]), &counts(&[("a", 1)])), ["a is written down, and there is no such path"]);
        let written: Counts = toml::from_str(&std::fs::read_to_string(file()).unwrap()).unwrap();
        let paths: Vec<&str> = written.paths.keys().map(String::as_str).collect();
        let mut known = PATHS.map(|(path, _)| path);
        known.sort_unstable();
        assert_eq!(paths, known);
    }
}
