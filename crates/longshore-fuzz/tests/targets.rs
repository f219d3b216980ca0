//! Every target over its corpus, and for two seconds over what comes of it.
//!
//! A failure shows the input; to keep it, write it into `fuzz/corpus/<target>/`.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Failed, Trial};
use longshore_fuzz::mutation::{Random, mutate};
use longshore_fuzz::{TARGETS, Target};
use longshore_testkit::tally;

/// How long each target is tried.
const LONG: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let mut trials: Vec<Trial> = TARGETS.iter().map(|target| Trial::test(target.name, || run(target))).collect();
    trials.push(Trial::test("every_target_has_a_fuzzer_and_a_corpus", complete));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn run(target: &Target) -> Result<(), Failed> {
    let corpus = corpus(target.name);
    let mut executions = 0;
    let mut run = |input: &[u8]| {
        executions += 1;
        catch_unwind(|| (target.check)(input)).map_err(|_| Failed::from(format!("with b\"{}\"", input.escape_ascii())))
    };
    run(b"")?;
    corpus.iter().try_for_each(|input| run(input))?;
    let (begun, mut random) = (Instant::now(), Random::new(1));
    while begun.elapsed() < LONG {
        run(&mutate(&corpus, &mut random))?;
    }
    tally("fuzzing", &format!("executions: {}", target.name), executions);
    tally("fuzzing", &format!("seconds: {}", target.name), LONG.as_secs());
    Ok(())
}

/// The inputs that are kept of a target, by name.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let mut files: Vec<PathBuf> = list(&folder().join("corpus").join(target));
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

fn complete() -> Result<(), Failed> {
    let stems = |folder: &str| {
        let mut names: Vec<String> = list(&self::folder().join(folder))
            .iter()
            .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    let names = TARGETS.map(|target| target.name);
    assert_eq!(stems("fuzz_targets"), names);
    assert_eq!(stems("corpus"), names);
    let manifest = fs::read_to_string(folder().join("Cargo.toml"))?;
    for name in names {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name} is not in the manifest");
        let count = corpus(name).len();
        assert!((3..100).contains(&count), "{name} has {count} files in its corpus");
    }
    Ok(())
}

/// The folder of the fuzzers.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn list(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect()
}
