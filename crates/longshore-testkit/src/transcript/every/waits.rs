//! Waits for containers: what they follow comes over several connections at once.

use longshore::condition::{Condition, exited, healthy, log_line, port, removed, running};
use longshore::{Container, Docker, ErrorKind, Ready, Until, Wait, WaitUntil};

use super::executions::MULTIPLEXED;
use super::{Transcript, awaited, brief, calls, shown};
use crate::transcript::Calling;
use crate::transcript::wire::{chunked, frame, json};

const JSON: &str = "application/json";
const EVENTS: &str = "GET /v1.44/events?filters=%7B%22container%22%3A%5B%22web%22%5D%7D";
const INSPECT: &str = "GET /v1.44/containers/web/json";
const FOLLOWED: &str = "GET /v1.44/containers/web/logs?stdout=1&stderr=1&follow=1";
const READ_AGAIN: &str = "GET /v1.44/containers/web/logs?stdout=1&stderr=1";
const TAIL: &str = "GET /v1.44/containers/web/logs?stdout=1&stderr=1&tail=10";

const RUNS: &str = r#"{"Id":"web","State":{"Status":"running","Running":true}}"#;
const ENDED: &str = r#"{"Id":"web","State":{"Status":"exited","FinishedAt":"2024-03-05T10:00:00.5Z"}}"#;

pub(super) fn all() -> Vec<Transcript> {
    [simple(), states(), lines(), combined(), given_up(), ends_of_what_is_followed()].concat()
}

fn simple() -> Vec<Transcript> {
    let armed = Transcript::new("a wait for what is so already", |docker| {
        Box::pin(async move {
            let ready: Ready = WaitUntil::arm(docker.container("web").wait_until(running())).await?;
            ready.await?;
            shown(&[&awaited::<WaitUntil, _>(docker.container("web").wait_until(running())).await?])
        })
    });
    let end = |docker: Docker| -> Calling {
        Box::pin(async move {
            let wait: Wait = Container::wait(&docker.container("web"), Until::NotRunning).await?;
            shown(&[&awaited::<Wait, _>(wait).await?.to_string()])
        })
    };
    let ended = ("POST /containers/web/wait?condition=not-running", r#"{"StatusCode":4}"#);
    vec![
        armed
            .exchange(EVENTS, events(&[]))
            .exchange(INSPECT, brief(RUNS))
            .exchange(EVENTS, events(&[]))
            .exchange(INSPECT, brief(RUNS))
            .gives("()"),
        calls("a wait for an end", &[ended], r#""exit code 4""#, end),
    ]
}

/// A wait for this condition, with what the events tell and how the container is found, at first and after each of them.
fn wait(name: &'static str, told: &[&str], found: &[&str], call: fn(Docker) -> Calling) -> Transcript {
    let transcript = Transcript::new(name, call).exchange(EVENTS, events(told)).gives("met");
    found.iter().fold(transcript, |transcript, found| {
        let found = match found.strip_prefix("404 ") {
            Some(refusal) => json("404 Not Found", refusal),
            None => brief(found),
        };
        transcript.exchange(INSPECT, found)
    })
}

const GONE: &str = r#"404 {"message":"No such container: web"}"#;

fn until(docker: Docker, condition: Condition) -> Calling {
    Box::pin(async move { docker.container("web").wait_until(condition).await.map(|()| "met".to_owned()) })
}

/// Events without an end: the first of them in two chunks, the others in one.
fn events(told: &[&str]) -> Vec<u8> {
    let event =
        |action: &&str| format!("{{\"Type\":\"container\",\"Action\":\"{action}\",\"Actor\":{{\"ID\":\"web\"}}}}\n");
    let all = told.iter().map(event).collect::<Vec<_>>();
    let chunks = match all.split_first() {
        Some((first, [])) => vec![first[..20].to_owned(), first[20..].to_owned()],
        Some((first, others)) => vec![first[..20].to_owned(), first[20..].to_owned(), others.concat()],
        None => Vec::new(),
    };
    endless(in_chunks(JSON, &chunks))
}

/// A chunked answer with no more fields than it needs.
fn in_chunks<C: AsRef<[u8]>>(content_type: &str, chunks: &[C]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nTransfer-Encoding: chunked\r\n\r\n");
    [head.as_bytes(), &chunked(chunks)].concat()
}

/// A chunked answer without the end of its body.
fn endless(mut answer: Vec<u8>) -> Vec<u8> {
    answer.truncate(answer.len() - b"0\r\n\r\n".len());
    answer
}

/// What a container has written, in pieces that need not be lines.
fn logs(pieces: &[&str]) -> Vec<u8> {
    in_chunks(MULTIPLEXED, &pieces.iter().map(|piece| frame(1, piece)).collect::<Vec<_>>())
}

fn states() -> Vec<Transcript> {
    let with_health = |health: &str| RUNS.replace("true}", &format!("true,\"Health\":{{\"Status\":\"{health}\"}}}}"));
    let (starting, well) = (with_health("starting"), with_health("healthy"));
    vec![
        wait("a wait for health", &["health_status: healthy"], &[&starting, &well], |docker| until(docker, healthy())),
        // What is executed in it changes nothing about the container.
        wait("a wait for one that runs", &["exec_die", "die"], &[RUNS, ENDED], |docker| until(docker, exited())),
        wait("a wait for a start", &["start"], &[ENDED, RUNS], |docker| until(docker, running())),
        wait("a wait for a removal", &["die", "destroy"], &[RUNS, ENDED, GONE], |docker| until(docker, removed())),
    ]
}

fn lines() -> Vec<Transcript> {
    let listening = || logs(&["starting\nlis", "tening\n"]);
    let next_start = "GET /v1.44/containers/web/logs?stdout=1&stderr=1&follow=1&since=1709632800.500000000";
    vec![
        wait("a wait for a line", &[], &[RUNS], |docker| until(docker, log_line("listening")))
            .exchange(FOLLOWED, endless(listening())),
        wait("a wait for a line of the next start", &["start"], &[ENDED, RUNS], |docker| {
            until(docker, log_line("listening"))
        })
        .exchange(next_start, endless(listening())),
        // Some engines end the logs that are followed before their last lines.
        wait("a wait for the last line", &[], &[RUNS], |docker| until(docker, log_line("listening")))
            .exchange(FOLLOWED, logs(&["starting\n"]))
            .exchange(READ_AGAIN, logs(&["starting\n", "listening\n"])),
    ]
}

fn combined() -> Vec<Transcript> {
    let well = RUNS.replace("true}", "true,\"Health\":{\"Status\":\"healthy\"}}");
    vec![
        wait("a wait for any", &[], &[RUNS], |docker| until(docker, healthy().or(port(80)).or(log_line("listening"))))
            .exchange(FOLLOWED, endless(logs(&["listening\n"]))),
        wait("a wait for all", &["health_status: healthy"], &[RUNS, &well], |docker| {
            until(docker, healthy().and(running()).and(log_line("listening")).and(log_line("ready")))
        })
        .exchange(FOLLOWED, endless(logs(&["ready\n", "listening\n"]))),
        wait("a wait for what is not", &["die"], &[RUNS, ENDED], |docker| until(docker, !running())),
        wait("a wait for an end without a line", &["die"], &[RUNS, ENDED], |docker| {
            until(docker, exited().and(!log_line("bye")))
        })
        .exchange(FOLLOWED, logs(&["out of luck\n"]))
        .exchange(READ_AGAIN, logs(&["out of luck\n"])),
    ]
}

fn given_up() -> Vec<Transcript> {
    let last_lines = "it is exited; its last lines:\n    starting\n    out of luck";
    let written = || logs(&["starting\nout ", "of luck\n"]);
    let ill = ENDED.replace("\"FinishedAt", "\"Health\":{\"Status\":\"unhealthy\"},\"FinishedAt");
    let never_healthy = "it was to be healthy, and it can't be any more: it is exited (unhealthy)";
    vec![
        wait("a wait for a line that never came", &["die"], &[RUNS, ENDED], |docker| until(docker, log_line("ready")))
            .exchange(FOLLOWED, written())
            .exchange(READ_AGAIN, written())
            .fails(
                ErrorKind::Conflict,
                format!("it was to be a line with `ready`, and it can't be any more: {last_lines}"),
            ),
        wait("a wait for any that never came", &["die"], &[RUNS, ENDED], |docker| {
            until(docker, healthy().or(port(80)).or(log_line("ready")))
        })
        .exchange(FOLLOWED, written())
        .exchange(READ_AGAIN, written())
        .fails(
            ErrorKind::Conflict,
            format!(
                "it was to be (healthy or port 80/tcp or a line with `ready`), and it can't be any more: {last_lines}"
            ),
        ),
        wait("a wait for an end without a line that came", &["die"], &[RUNS, ENDED], |docker| {
            until(docker, exited().and(!log_line("luck")))
        })
        .exchange(FOLLOWED, written())
        .exchange(READ_AGAIN, written())
        .fails(
            ErrorKind::Conflict,
            format!("it was to be (exited and not a line with `luck`), and it can't be any more: {last_lines}"),
        ),
        wait("a wait for health that never came", &["die"], &[RUNS, &ill], |docker| until(docker, healthy()))
            .exchange(TAIL, logs(&["out of luck\n"]))
            .fails(ErrorKind::Conflict, format!("{never_healthy}; its last lines:\n    out of luck"))
            .does_without(3, ErrorKind::Conflict, never_healthy),
    ]
}

fn ends_of_what_is_followed() -> Vec<Transcript> {
    let gone = || json("404 Not Found", r#"{"message":"No such container: web"}"#);
    let going = "can not get logs from container which is dead or marked for removal";
    let going = json("409 Conflict", &format!("{{\"message\":\"{going}\"}}"));
    vec![
        wait("a wait for what was removed", &["destroy"], &[RUNS, GONE], |docker| until(docker, healthy()))
            .fails(ErrorKind::Conflict, "it was to be healthy, and it can't be any more: it was removed"),
        wait("a wait for what was removed with its logs", &["destroy"], &[RUNS, GONE], |docker| {
            until(docker, removed().and(!log_line("bye")))
        })
        .exchange(FOLLOWED, logs(&["starting\n"]))
        .exchange(READ_AGAIN, gone()),
        wait("a wait for what is being removed", &["destroy"], &[RUNS, GONE], |docker| {
            until(docker, removed().and(!log_line("bye")))
        })
        .exchange(FOLLOWED, logs(&["starting\n"]))
        .exchange(READ_AGAIN, going),
        Transcript::new("a wait whose events end", |docker| until(docker, healthy()))
            .exchange(EVENTS, in_chunks::<&str>(JSON, &[]))
            .exchange(INSPECT, brief(RUNS))
            .fails(ErrorKind::Truncated, "the engine has ended the events that the wait listens to"),
        Transcript::new("a wait for what is not there", |docker| until(docker, running()))
            .exchange(EVENTS, events(&[]))
            .exchange(INSPECT, gone())
            .fails(ErrorKind::NotFound, "inspect container: No such container: web"),
    ]
}
