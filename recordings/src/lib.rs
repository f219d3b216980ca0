//! What an engine sends for a work, from what real engines have sent.

use serde_json::Value;

use bench::Result;
use bench::work::{FRAME, LINE, LINE_ON_WIRE, TTY_CHUNK, Work};

/// The name of the container that is asked for.
pub(crate) const CONTAINER: &str = "recorded";

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../crates/longshore-models/fixtures/docker-26.1/", $name, ".json"))
    };
}

/// An answer: a head, and a body that is made of the same bytes again and again.
pub(crate) struct Recording {
    /// How the path of the request ends.
    pub(crate) path: String,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    pub(crate) times: usize,
    /// What ends the body.
    pub(crate) end: &'static [u8],
}

impl Recording {
    /// Makes the answer for a work that is done so many times.
    pub(crate) fn of(work: Work, amount: usize) -> Result<Self> {
        let logs = format!("/containers/{CONTAINER}/logs");
        match work {
            Work::ReplayLogs => Ok(chunked(logs, MULTIPLEXED, log(amount), 1)),
            // As many lines as are read, and more than the queue of a socket takes.
            Work::ReplayFollowers => Ok(chunked(logs, MULTIPLEXED, log(1_000), 1)),
            Work::ReplayFrames => Ok(chunked(logs, MULTIPLEXED, frame(), amount)),
            Work::ReplayTty => Ok(chunked(logs, "application/vnd.docker.raw-stream", chunk(&terminal()), amount)),
            Work::ReplayStats => {
                stream(format!("/containers/{CONTAINER}/stats"), &[fixture!("container_stats")], amount)
            }
            Work::ReplayEvents => {
                let events = [
                    fixture!("event-start"),
                    fixture!("event-connect"),
                    fixture!("event-volume"),
                    fixture!("event-die"),
                ];
                stream("/events".to_owned(), &events, amount)
            }
            Work::ReplayProgress => stream("/images/create".to_owned(), &[fixture!("image_pull")], amount),
            Work::ReplayList => Ok(whole("/containers/json".to_owned(), list(amount)?)),
            Work::ReplayInspects => {
                let container: Value = serde_json::from_str(fixture!("container_inspect"))?;
                Ok(whole(format!("/containers/{CONTAINER}/json"), container.to_string()))
            }
            _ => Err(format!("nothing is recorded for {}", work.name()).into()),
        }
    }
}

const MULTIPLEXED: &str = "application/vnd.docker.multiplexed-stream";

fn chunked(path: String, media_type: &str, body: Vec<u8>, times: usize) -> Recording {
    let head = format!(
        "HTTP/1.1 200 OK\r\nApi-Version: 1.45\r\nContent-Type: {media_type}\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    Recording { path, head, body, times, end: b"0\r\n\r\n" }
}

fn whole(path: String, body: String) -> Recording {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nApi-Version: 1.45\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    );
    Recording { path, head, body: body.into(), times: 1, end: b"" }
}

/// Values in turn, each in a line and a chunk of its own. A list stands for its items.
fn stream(path: String, values: &[&str], amount: usize) -> Result<Recording> {
    let mut lines = Vec::new();
    for value in values {
        match serde_json::from_str(value)? {
            Value::Array(items) => lines.extend(items.iter().map(|item| format!("{item}\r\n"))),
            value => lines.push(format!("{value}\r\n")),
        }
    }
    let body = lines.iter().cycle().take(amount).flat_map(|line| chunk(line.as_bytes())).collect();
    Ok(chunked(path, "application/json", body, 1))
}

fn chunk(content: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", content.len()).as_bytes(), content, b"\r\n"].concat()
}

/// What a terminal shows: lines with its line breaks.
fn terminal() -> Vec<u8> {
    let line = [vec![b'.'; 126], b"\r\n".to_vec()].concat();
    line.into_iter().cycle().take(TTY_CHUNK).collect()
}

/// A frame of stdout.
fn frame() -> Vec<u8> {
    let length = u32::try_from(FRAME).unwrap_or(u32::MAX).to_be_bytes();
    chunk(&[[1, 0, 0, 0].as_slice(), &length, &[b'.'; FRAME]].concat())
}

/// A log as an engine sends it: for each line a chunk with a frame of stdout.
fn log(lines: usize) -> Vec<u8> {
    let mut log = Vec::with_capacity(lines * LINE_ON_WIRE);
    for number in 0..lines {
        log.extend_from_slice(format!("{:x}\r\n", 8 + LINE).as_bytes());
        log.extend_from_slice(&[1, 0, 0, 0, 0, 0, 0, LINE as u8]);
        let line = format!("line {number:07} ");
        log.extend_from_slice(line.as_bytes());
        log.resize(log.len() + LINE - line.len() - 1, b'.');
        log.extend_from_slice(b"\n\r\n");
    }
    log
}

/// A list of containers: those that an engine told of, again and again, each with an id of its own.
fn list(length: usize) -> Result<String> {
    let recorded: Vec<Value> = serde_json::from_str(fixture!("container_list"))?;
    let containers: Vec<Value> = recorded
        .into_iter()
        .cycle()
        .take(length)
        .enumerate()
        .map(|(number, mut container)| {
            container["Id"] = format!("{number:064x}").into();
            container["Names"] = serde_json::json!([format!("/container-{number}")]);
            container
        })
        .collect();
    Ok(serde_json::to_string(&containers)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum;

    #[test]
    fn there_is_a_recording_for_whatever_is_replayed() {
        for &work in Work::value_variants() {
            assert_eq!(Recording::of(work, 10).is_ok(), !work.is_live(), "{work:?}");
        }
    }

    #[test]
    fn lines_are_as_long_as_is_said() {
        assert_eq!(log(7).len(), 7 * LINE_ON_WIRE);
        let events = Recording::of(Work::ReplayEvents, 9).unwrap();
        assert_eq!(events.body.iter().filter(|byte| **byte == b'{').count(), 9 + 2 * 9);
    }
}
