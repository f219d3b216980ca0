//! `cargo xtask reliability`: runs every test, and writes down what they have counted.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use longshore_testkit::tally;
use serde::Deserialize;

use crate::error::{Context, Error, Result};
use crate::workspace;

/// `cargo xtask reliability`
#[derive(Args)]
pub(crate) struct Arguments {
    /// For how many seconds containers come and go on every engine
    #[arg(long, value_name = "N", default_value_t = 60, conflicts_with = "counts")]
    load_seconds: u64,
    /// Take what tests have counted before, with LONGSHORE_TALLY naming this file, instead of running them
    #[arg(long, value_name = "FILE")]
    counts: Option<PathBuf>,
}

/// Says for how long containers come and go.
const LOAD_SECONDS: &str = "LONGSHORE_LOAD_SECONDS";

/// The page that is written.
const PAGE: &str = "docs/reliability.md";

/// What is counted of faults for longshore and its peer side by side.
const BESIDE: &str = "beside bollard";

const PEERS: [&str; 2] = ["longshore", "bollard"];

/// The topics in the order of the page, and what they are about.
const TOPICS: &[(&str, &str)] = &[
    ("faults", "Answers and requests that are cut, reset or stalled, at every byte of every kind of exchange."),
    ("cancellation", "Every call, dropped after so many polls, for every number until it completes."),
    ("bounds", "Streams whose memory was measured, and answers that would take too much."),
    (
        "resuming",
        "Streams that go on after their connection was lost, and after their engine was killed or asked to end.",
    ),
    ("guards", "Things that are removed when what guards them is dropped, panics, is cancelled or killed."),
    ("demo", "The demo, to which a signal is sent at every step."),
    ("fuzzing", "Inputs made by chance and checked by the ordinary tests, and by `cargo xtask fuzz`."),
    ("load", "Many calls at a time and one after another, on every engine."),
];

/// What was counted: by topic, then by name.
type Counts = BTreeMap<String, BTreeMap<String, u64>>;

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let counts = match &arguments.counts {
        Some(counts) => counts.canonicalize().context(|| format!("find {}", counts.display()))?,
        None => count(arguments.load_seconds)?,
    };
    if !fs::read_to_string(&counts)?.contains(BESIDE) {
        counting(workspace::cargo(&["run", "--package", "bench", "--bin", "bench-faults"]), &counts)?;
    }
    let page = page(&read(&fs::read_to_string(&counts)?)?, &facts(arguments)?)?;
    let path = workspace::root().join(PAGE);
    fs::create_dir_all(path.parent().unwrap_or(&path))?;
    fs::write(&path, page).context(|| format!("write {PAGE}"))?;
    println!("\nwritten: {PAGE}");
    Ok(())
}

/// Runs every test, and tells where the counts are.
fn count(load_seconds: u64) -> Result<PathBuf> {
    let counts = workspace::root().join("target/reliability.tsv");
    if counts.exists() {
        fs::remove_file(&counts)?;
    }
    let mut tests = Command::new(std::env::current_exe()?);
    tests.arg("test").env(LOAD_SECONDS, load_seconds.to_string());
    counting(tests, &counts)?;
    Ok(counts)
}

/// Runs a command that adds what it counts to a file.
fn counting(mut command: Command, counts: &Path) -> Result<()> {
    match command.env(tally::FILE, counts).status()?.success() {
        true => Ok(()),
        false => Err(Error::new(format!("{PAGE} stays as it is, since this failed: {command:?}"))),
    }
}

fn read(text: &str) -> Result<Counts> {
    let mut counts = Counts::new();
    for line in text.lines() {
        let mut fields = line.split('\t');
        let (Some(topic), Some(what), Some(Ok(count))) =
            (fields.next(), fields.next(), fields.next().map(str::parse::<u64>))
        else {
            return Err(Error::new(format!("this is no count: {line:?}")));
        };
        *counts.entry(topic.to_owned()).or_default().entry(what.to_owned()).or_default() += count;
    }
    Ok(counts)
}

/// With what the counts were made.
fn facts(arguments: &Arguments) -> Result<Vec<(&'static str, String)>> {
    let command = match arguments.counts {
        Some(_) => "`cargo xtask test`, and for longer `cargo xtask fuzz`, with `LONGSHORE_TALLY=FILE`; then \
                    `cargo xtask reliability --counts FILE`. Fuzzing and load may have been counted in longer runs before, \
                    on other commits"
            .to_owned(),
        None => format!("`cargo xtask reliability --load-seconds {}`", arguments.load_seconds),
    };
    let output = |program: &str, arguments: &[&str]| -> Result<String> {
        let output = Command::new(program).args(arguments).current_dir(workspace::root()).output()?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let changes = output("git", &["status", "--porcelain", "--untracked-files=no", "--", "crates"])?;
    let commit = output("git", &["rev-parse", "--short", "HEAD"])?;
    Ok(vec![
        ("command", command),
        ("date", output("date", &["-u", "+%Y-%m-%d %H:%M UTC"])?),
        ("longshore", if changes.is_empty() { commit } else { format!("{commit} with changes") }),
        ("compiler", output("rustc", &["--version"])?),
        ("bollard", version_of("bollard")?),
    ])
}

/// The version of a package that the workspace is built with.
fn version_of(package: &str) -> Result<String> {
    #[derive(Deserialize)]
    struct Lock {
        package: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
        version: String,
    }
    let lock: Lock = toml::from_str(&fs::read_to_string(workspace::root().join("Cargo.lock"))?)?;
    let found = lock.package.into_iter().find(|found| found.name == package);
    found.map(|found| found.version).ok_or_else(|| Error::new(format!("Cargo.lock has no {package}")))
}

fn page(counts: &Counts, facts: &[(&str, String)]) -> Result<String> {
    let is_known = |topic: &str| topic == BESIDE || TOPICS.iter().any(|(known, _)| *known == topic);
    if let Some(topic) = counts.keys().find(|topic| !is_known(topic)) {
        return Err(Error::new(format!("the page has no place for what was counted of {topic:?}")));
    }
    let mut page =
        "# Reliability\n\nWhat the tests have counted. Every figure is written by the command below, none by \
        hand; a run in which a test fails writes nothing.\n\n"
            .to_owned();
    for (name, fact) in facts {
        page += &format!("- {name}: {fact}\n");
    }
    for (topic, about) in TOPICS {
        let Some(counted) = counts.get(*topic) else { continue };
        page += &format!("\n## {}\n\n{about}\n\n| what | count |\n| --- | ---: |\n", capital(topic));
        for (what, count) in counted {
            page += &format!("| {what} | {} |\n", grouped(*count));
        }
    }
    if let Some(counted) = counts.get(BESIDE) {
        page += &beside(counted);
    }
    Ok(page)
}

/// What became of the same faults, for each of the peers.
fn beside(counted: &BTreeMap<String, u64>) -> String {
    let mut rows: BTreeMap<&str, [u64; 2]> = BTreeMap::new();
    for (what, count) in counted {
        for (place, peer) in PEERS.iter().enumerate() {
            if let Some(row) = what.strip_prefix(peer) {
                rows.entry(row.trim_start()).or_default()[place] += count;
            }
        }
    }
    let mut text = format!(
        "\n## {}\n\nThe same answers with the same faults for both: cut and reset at every byte, stalled at \
         some of them. Both have the same deadline for the call; one that comes to nothing long after it counts as \
         hanging. What happened to neither is left out.\n\n| call and outcome | longshore | bollard |\n| --- | ---: | ---: |\n",
        capital(BESIDE)
    );
    for (row, [ours, theirs]) in rows.iter().filter(|(_, counts)| counts.iter().any(|count| *count > 0)) {
        text += &format!("| {row} | {} | {} |\n", grouped(*ours), grouped(*theirs));
    }
    text
}

fn capital(text: &str) -> String {
    let (first, rest) = text.split_at(text.len().min(1));
    first.to_uppercase() + rest
}

/// A number with commas between its thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = (0..digits.len().div_ceil(3))
        .rev()
        .map(|group| &digits[digits.len().saturating_sub(3 * group + 3)..digits.len() - 3 * group])
        .collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_the_same_name_add_up() {
        let counts = read("load\trequests\t1000\nload\trequests\t234\nfaults\thangs\t0\n").unwrap();
        assert_eq!((counts["load"]["requests"], counts["faults"]["hangs"]), (1234, 0));
        assert!(read("load\trequests\n").is_err() && read("load\trequests\tmany\n").is_err());
    }

    #[test]
    fn the_page_tells_topics_in_their_order_and_peers_side_by_side() {
        let text = "load\trequests\t1234567\nfaults\thangs\t0\n\
            beside bollard\tlongshore logs error\t7\nbeside bollard\tbollard logs error\t5\n\
            beside bollard\tlongshore logs hang\t0\nbeside bollard\tbollard logs hang\t2\n\
            beside bollard\tlongshore logs panic\t0\nbeside bollard\tbollard logs panic\t0\n";
        let page = page(&read(text).unwrap(), &[("date", "today".to_owned())]).unwrap();
        let (faults, load) = (page.find("| hangs | 0 |"), page.find("| requests | 1,234,567 |"));
        assert!(faults.is_some() && faults < load, "{page}");
        assert!(page.contains("- date: today\n") && page.contains("| logs error | 7 | 5 |"), "{page}");
        assert!(page.contains("| logs hang | 0 | 2 |") && !page.contains("panic"), "{page}");
    }

    #[test]
    fn no_count_is_left_out() {
        let error = page(&read("weather\train\t1\n").unwrap(), &[]).unwrap_err();
        assert!(error.to_string().contains("\"weather\""), "{error}");
    }

    #[test]
    fn the_version_of_the_peer_is_that_of_the_workspace() {
        assert!(version_of("bollard").unwrap().split('.').count() == 3 && version_of("no-such-package").is_err());
    }

    #[test]
    fn thousands_are_grouped() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
