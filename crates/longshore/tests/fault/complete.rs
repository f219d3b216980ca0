//! Every call and every operation has a transcript, so that every one of them is cut, reset, stalled and dropped.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::featured::transcripts;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The sources below a folder, without their tests.
fn sources(folder: &Path) -> Vec<String> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            all.push(text.split("#[cfg(test)]").next().unwrap_or_default().to_owned());
        }
    }
    all
}

/// The type that an `impl` is about, without its parameters.
fn type_of(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("impl")?;
    let rest = if rest.starts_with('<') { rest.split_once("> ")?.1 } else { rest.trim_start() };
    let rest = rest.split_once(" for ").map_or(rest, |(_, rest)| rest);
    rest.split(['<', ' ']).next()
}

/// What a user can await: methods as `Container::start(`, and the types of calls and streams as `Attach`.
fn awaitable(sources: &[String]) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut methods, mut types) = (BTreeSet::new(), BTreeSet::new());
    for line in sources.iter().flat_map(|source| source.lines()) {
        let waits = [" IntoFuture for ", " Stream for ", " Future for "].iter().any(|kind| line.contains(kind));
        if line.starts_with("impl") && waits {
            let whole = line.rsplit(" for ").next().unwrap_or_default();
            types.insert(whole.trim_end_matches(" {").to_owned());
        }
    }
    for source in sources {
        let mut of = "";
        for line in source.lines() {
            of = type_of(line).unwrap_or(of);
            let name = |rest: &str| rest.split(['(', '<']).next().unwrap_or_default().to_owned();
            if let Some(rest) = line.strip_prefix("    pub async fn ") {
                methods.insert(format!("{of}::{}", name(rest)));
            } else if let Some(rest) = line.strip_prefix("pub async fn ") {
                methods.insert(name(rest));
            }
        }
    }
    (methods, types)
}

/// What is dropped by tests of its own, since it goes on by itself after a fault or is about all of the process: its name,
/// the test, and what it says.
const ELSEWHERE: [(&str, &str, &str); 7] = [
    ("remove_all", "guard/remove_all.rs", "poll_n(guard::remove_all(), polls)"),
    ("ResumeLogs::lines", "wire/resuming.rs", "poll_n(script.call(&engine).lines(), polls)"),
    ("ResumingLines::next", "wire/resuming.rs", "poll_n(lines.next(), 1)"),
    ("ResumingEvents::next", "wire/resuming_events.rs", "poll_n(events.next(), 1)"),
    ("ResumingLines", "wire/resuming.rs", "poll_n(lines.next(), 1)"),
    ("ResumingEvents", "wire/resuming_events.rs", "poll_n(events.next(), 1)"),
    ("ResumeEvents", "wire/resuming_events.rs", "poll_n(call(&engine).into_future(), polls)"),
];

fn is_elsewhere(name: &str) -> bool {
    let mut found = ELSEWHERE.iter().filter(|(elsewhere, ..)| *elsewhere == name);
    found.any(|(_, file, words)| {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(file)).unwrap();
        assert!(text.contains(words), "`{words}` is not in {file}");
        true
    })
}

/// What the transcripts call, and the tests of guards, as one text.
fn transcribed() -> String {
    let folder = workspace().join("crates/longshore-testkit/src/transcript");
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let others = ["fault/featured.rs", "guard/every.rs"].map(|file| fs::read_to_string(here.join(file)).unwrap());
    let all = [sources(&folder), others.to_vec()].concat().join("\n");
    all.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_public_async_fn_and_stream_has_a_transcript() {
    let (methods, types) = awaitable(&sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")));
    assert!(methods.len() > 200 && types.len() > 15, "{} methods and {} types", methods.len(), types.len());
    assert!(methods.contains("remove_all"), "functions of no type are not seen");
    let transcribed = transcribed();
    let called = |method: &String| ["(", "::<"].iter().any(|end| transcribed.contains(&format!("{method}{end}")));
    let missing: Vec<_> = methods.iter().filter(|method| !called(method) && !is_elsewhere(method)).collect();
    assert!(missing.is_empty(), "without a transcript that calls them by their full name: {missing:#?}");

    // What only moves bytes between the client and a thread of its own is none of the user's.
    let own = |name: &&String| **name == "Pieces";
    let begins = |name: &str| name.split('<').next().unwrap_or_default().to_owned();
    let used = |name: &String| {
        let exact = name.contains('<') && !name.contains("<T>");
        let name = if exact { name.clone() } else { begins(name) };
        ["awaited::<", "streamed::<", "streamed::<&mut ", ": "].iter().any(|before| {
            transcribed.match_indices(&format!("{before}{name}")).any(|(at, found)| {
                let next = transcribed[at + found.len()..].chars().next();
                next.is_some_and(|next| !next.is_alphanumeric() && next != ':')
            })
        })
    };
    let missing: Vec<_> = types.iter().filter(|name| !own(name) && !used(name) && !is_elsewhere(name)).collect();
    assert!(missing.is_empty(), "without a transcript that awaits or reads them by name: {missing:#?}");
}

#[test]
fn every_operation_of_the_api_has_a_transcript() {
    let table = |name: &str| fs::read_to_string(workspace().join("xtask/api").join(name)).unwrap();
    let (specified, unlisted) = (table("operations.csv"), table("unlisted.csv"));
    let rows = specified.lines().skip(1).chain(unlisted.lines().skip(1).filter(|line| line.ends_with(",,")));
    let operations: Vec<(&str, &str)> = rows.filter_map(|row| row.split_once(',')).collect();
    let operations: Vec<_> =
        operations.iter().map(|(method, rest)| (*method, rest.split(',').next().unwrap())).collect();
    assert!(operations.len() >= 113, "{} operations", operations.len());

    let transcripts = transcripts();
    let asked: BTreeSet<&str> = transcripts.iter().flat_map(|one| one.exchanges()).map(|one| one.request()).collect();
    let found: BTreeSet<_> = asked.iter().filter_map(|line| operation_of(&operations, line)).collect();
    let missing: Vec<_> = operations.iter().filter(|operation| !found.contains(operation)).collect();
    // A ping by GET is asked where that by HEAD is refused, which a transcript of its own has.
    assert!(missing.is_empty(), "operations without a transcript: {missing:#?}");
}

/// The operation that a request belongs to: of those it fits, the one with the fewest names.
fn operation_of<'a>(operations: &[(&'a str, &'a str)], request: &str) -> Option<(&'a str, &'a str)> {
    let (method, target) = request.split_once(' ')?;
    let path = target.split('?').next()?;
    let path = match path.strip_prefix("/v1.") {
        Some(rest) => &rest[rest.find('/')?..],
        None => path,
    };
    let fitting = operations.iter().filter(|(of, template)| *of == method && fits(template, path));
    fitting.min_by_key(|(_, template)| template.matches('{').count()).copied()
}

/// Whether a path fits a template. Names of images and plugins may have slashes.
fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    match template.iter().position(|part| *part == "{name}") {
        Some(name) if path.len() >= template.len() => {
            let behind = template.len() - name - 1;
            template[..name] == path[..name] && template[name + 1..] == path[path.len() - behind..]
        }
        _ => {
            let same = |(part, given): (&&str, &&str)| part.starts_with('{') || part == given;
            template.len() == path.len() && template.iter().zip(&path).all(same)
        }
    }
}
