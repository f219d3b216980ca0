//! What an engine answers, byte for byte.

use serde_json::Value;

/// A call that both clients can make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Inspect,
    List,
    Logs,
    Archive,
    Exec,
}

/// A request, known by its method and what its path ends with, and the answer.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) answer: Vec<u8>,
    /// The answer instead of that one, if the fault came before.
    pub(crate) after_fault: Option<Vec<u8>>,
    /// Whether this is the answer with the fault.
    pub(crate) faulty: bool,
}

const INSPECT: &str = include_str!("../../../crates/longshore-models/fixtures/docker-26.1/container_inspect.json");

const LIST: &str = include_str!("../../../crates/longshore-models/fixtures/docker-26.1/container_list.json");

/// What an engine tells of the file whose archive it sends.
const STAT: &str = "eyJuYW1lIjoicGFnZSIsInNpemUiOjUsIm1vZGUiOjQyMCwibXRpbWUiOiIyMDI0LTAzLTA1VDEwOjAwOjAwWiIs\
    ImxpbmtUYXJnZXQiOiIifQ==";

impl Call {
    pub(crate) const ALL: [Call; 5] = [Call::Inspect, Call::List, Call::Logs, Call::Archive, Call::Exec];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Call::Inspect => "inspect",
            Call::List => "list",
            Call::Logs => "logs",
            Call::Archive => "archive",
            Call::Exec => "exec",
        }
    }

    pub(crate) fn exchanges(self) -> Vec<Exchange> {
        match self {
            Call::Inspect => vec![Exchange::faulty("GET", "/containers/web/json", json("200 OK", &compact(INSPECT)))],
            Call::List => vec![Exchange::faulty("GET", "/containers/json", chunked("application/json", "", &list()))],
            Call::Logs => {
                let lines: Vec<Vec<u8>> = (0..20).map(line).collect();
                let answer = chunked("application/vnd.docker.multiplexed-stream", "", &lines);
                vec![Exchange::faulty("GET", "/containers/web/logs", answer)]
            }
            Call::Archive => {
                let stat = format!("X-Docker-Container-Path-Stat: {STAT}\r\n");
                vec![Exchange::faulty(
                    "GET",
                    "/containers/web/archive",
                    chunked("application/x-tar", &stat, &archive()),
                )]
            }
            Call::Exec => exec(),
        }
    }

    /// How many bytes the answer with the fault has.
    pub(crate) fn length(self) -> usize {
        self.exchanges().iter().filter(|exchange| exchange.faulty).map(|exchange| exchange.answer.len()).sum()
    }
}

impl Exchange {
    fn new(method: &'static str, path: &'static str, answer: Vec<u8>) -> Self {
        Exchange { method, path, answer, after_fault: None, faulty: false }
    }

    fn faulty(method: &'static str, path: &'static str, answer: Vec<u8>) -> Self {
        Exchange { faulty: true, ..Exchange::new(method, path, answer) }
    }
}

/// A command that is run in a container; where its output does not come to its end, it still runs.
fn exec() -> Vec<Exchange> {
    let state = |running: bool, code: &str| {
        let state = format!(r#"{{"ID":"e1","Running":{running},"ExitCode":{code},"ContainerID":"c1","Pid":7}}"#);
        json("200 OK", &state)
    };
    let mut output = b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\n\
        Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
        .to_vec();
    output.extend((0..10).flat_map(line));
    vec![
        Exchange::new("POST", "/containers/web/exec", json("201 Created", r#"{"Id":"e1"}"#)),
        Exchange::faulty("POST", "/exec/e1/start", output),
        Exchange { after_fault: Some(state(true, "null")), ..Exchange::new("GET", "/exec/e1/json", state(false, "0")) },
    ]
}

fn json(status: &str, text: &str) -> Vec<u8> {
    let length = text.len();
    format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{text}").into()
}

fn chunked(content_type: &str, fields: &str, chunks: &[Vec<u8>]) -> Vec<u8> {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: ";
    let mut answer = format!("{head}{content_type}\r\n{fields}\r\n").into_bytes();
    for chunk in chunks {
        answer.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        answer.extend_from_slice(chunk);
        answer.extend_from_slice(b"\r\n");
    }
    answer.extend_from_slice(b"0\r\n\r\n");
    answer
}

/// A line of output in its frame, every third one of stderr.
fn line(number: u8) -> Vec<u8> {
    let text = format!("line {number} of what a container says\n");
    let source = if number % 3 == 2 { 2 } else { 1 };
    [&[source, 0, 0, 0, 0, 0, 0, text.len() as u8], text.as_bytes()].concat()
}

fn compact(text: &str) -> String {
    serde_json::from_str::<Value>(text).map(|value| value.to_string()).unwrap_or_default()
}

/// The list of containers in two chunks, as an engine sends what is long.
fn list() -> [Vec<u8>; 2] {
    let text = compact(LIST).into_bytes();
    let (first, second) = text.split_at(text.len() / 2);
    [first.to_vec(), second.to_vec()]
}

/// A tar with a file, in chunks of 512 bytes.
fn archive() -> Vec<Vec<u8>> {
    let mut head = [0; 512];
    let fields: [(usize, &[u8]); 8] = [
        (0, b"page"),
        (100, b"0000644\0"),
        (108, b"0000000\0"),
        (116, b"0000000\0"),
        (124, b"00000000005\0"),
        (136, b"14565743340\0"),
        (148, b"        0"),
        (257, b"ustar\x0000"),
    ];
    for (at, field) in fields {
        head[at..at + field.len()].copy_from_slice(field);
    }
    let sum: u32 = head.iter().map(|byte| u32::from(*byte)).sum();
    head[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut text = b"hello".to_vec();
    text.resize(512, 0);
    vec![head.to_vec(), text, vec![0; 512], vec![0; 512]]
}
