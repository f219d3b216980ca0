//! What an engine sends for a piece of work, made from what real engines have sent.

use serde_json::Value;

/// Any failure, for the person at the terminal.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The result of whatever can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// The name of the container that is asked for.
pub const CONTAINER: &str = "recorded";

/// The bytes of a log line, with its line break.
pub const LINE: usize = 97;

/// The bytes that a log line takes on the wire: the line of its chunk, the header of its frame, itself, a line break.
pub const LINE_ON_WIRE: usize = 4 + 8 + LINE + 2;

/// The bytes of output in a large frame.
pub const FRAME: usize = 64 * 1024;

/// The bytes of a chunk of a terminal's output: what an engine copies at a time.
pub const TERMINAL_CHUNK: usize = 32 * 1024;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../crates/longshore-models/fixtures/docker-26.1/", $name, ".json"))
    };
}

/// An answer: a head, and a body that is made of the same bytes again and again.
pub struct Recording {
    /// How the path of the request ends.
    pub path: String,
    /// The head, with the empty line behind it.
    pub head: String,
    /// What the body is made of.
    pub body: Vec<u8>,
    /// How many times it stands there.
    pub times: usize,
    /// What ends the body.
    pub end: &'static [u8],
}

impl Recording {
    /// A log of so many lines of stdout, each in a frame and a chunk of its own.
    pub fn log(lines: usize) -> Self {
        chunked(logs(), MULTIPLEXED, log(lines), 1)
    }

    /// Output in so many large frames, each in a chunk of its own.
    pub fn frames(count: usize) -> Self {
        chunked(logs(), MULTIPLEXED, frame(), count)
    }

    /// So many chunks of a terminal's output.
    pub fn terminal(chunks: usize) -> Self {
        chunked(logs(), "application/vnd.docker.raw-stream", chunk(&terminal()), chunks)
    }

    /// So many samples of what a container uses.
    ///
    /// # Errors
    /// If the fixture is no JSON.
    pub fn stats(samples: usize) -> Result<Self> {
        stream(format!("/containers/{CONTAINER}/stats"), &[fixture!("container_stats")], "\n", samples)
    }

    /// So many events.
    ///
    /// # Errors
    /// If a fixture is no JSON.
    pub fn events(count: usize) -> Result<Self> {
        let events =
            [fixture!("event-start"), fixture!("event-connect"), fixture!("event-volume"), fixture!("event-die")];
        stream("/events".to_owned(), &events, "\n", count)
    }

    /// So many messages of the progress of a pull.
    ///
    /// # Errors
    /// If the fixture is no JSON.
    pub fn progress(messages: usize) -> Result<Self> {
        stream("/images/create".to_owned(), &[fixture!("image_pull")], "\r\n", messages)
    }

    /// A list of so many containers: those that an engine told of, again and again, each with an id of its own.
    ///
    /// # Errors
    /// If the fixture is no JSON.
    pub fn list(length: usize) -> Result<Self> {
        Ok(whole("/containers/json".to_owned(), list(length)?))
    }

    /// All about a container.
    ///
    /// # Errors
    /// If the fixture is no JSON.
    pub fn inspect() -> Result<Self> {
        let container: Value = serde_json::from_str(fixture!("container_inspect"))?;
        Ok(whole(format!("/containers/{CONTAINER}/json"), container.to_string()))
    }

    /// The answer to a ping.
    pub fn ping() -> Self {
        let head = "HTTP/1.1 200 OK\r\nApi-Version: 1.45\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n";
        Recording { path: "/_ping".to_owned(), head: head.to_owned(), body: Vec::new(), times: 0, end: b"" }
    }

    /// All of it.
    pub fn bytes(&self) -> Vec<u8> {
        [self.head.as_bytes(), &self.body.repeat(self.times), self.end].concat()
    }
}

const MULTIPLEXED: &str = "application/vnd.docker.multiplexed-stream";

fn logs() -> String {
    format!("/containers/{CONTAINER}/logs")
}

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

/// Values in turn, each in a chunk of its own, with the line break that the engine writes there. A list stands for its items.
fn stream(path: String, values: &[&str], line_break: &str, count: usize) -> Result<Recording> {
    let mut lines = Vec::new();
    for value in values {
        match serde_json::from_str(value)? {
            Value::Array(items) => lines.extend(items.iter().map(|item| format!("{item}{line_break}"))),
            value => lines.push(format!("{value}{line_break}")),
        }
    }
    let body = lines.iter().cycle().take(count).flat_map(|line| chunk(line.as_bytes())).collect();
    Ok(chunked(path, "application/json", body, 1))
}

fn chunk(content: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", content.len()).as_bytes(), content, b"\r\n"].concat()
}

/// What a terminal shows: lines with its line breaks.
fn terminal() -> Vec<u8> {
    let line = [vec![b'.'; 126], b"\r\n".to_vec()].concat();
    line.into_iter().cycle().take(TERMINAL_CHUNK).collect()
}

/// A frame of stdout in a chunk.
fn frame() -> Vec<u8> {
    let length = u32::try_from(FRAME).unwrap_or(u32::MAX).to_be_bytes();
    chunk(&[[1, 0, 0, 0].as_slice(), &length, &[b'.'; FRAME]].concat())
}

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

    #[test]
    fn lines_are_as_long_as_is_said() {
        assert_eq!(Recording::log(7).body.len(), 7 * LINE_ON_WIRE);
    }

    #[test]
    fn there_are_as_many_values_as_are_asked_for() {
        for recording in [Recording::stats(9), Recording::events(9), Recording::progress(9)] {
            let text = String::from_utf8(recording.unwrap().body).unwrap();
            let values = text.lines().filter(|line| line.starts_with('{'));
            assert!(values.clone().all(|line| serde_json::from_str::<Value>(line).is_ok()));
            assert_eq!(values.count(), 9);
        }
    }
}
