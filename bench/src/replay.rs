use std::io::{BufRead, BufReader, Read, Write, stdin};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use bench::Result;
use bench::task::raise_limit_of_files;
use bench::work::{LINE, LINE_ON_WIRE, Work};

/// The container whose log comes as fast as it is read.
pub(crate) const LINES: &str = "lines";

/// The container whose log has a new line now and then.
pub(crate) const SLOW_LINES: &str = "slow-lines";

/// What an engine told of its containers.
const CONTAINERS: &str = include_str!("../../crates/longshore-models/fixtures/docker-26.1/container_list.json");

/// The pause between two lines of [`SLOW_LINES`].
const PAUSE: Duration = Duration::from_millis(150);

/// A replay of recorded answers.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The folder to make the socket in, and to remove in the end
    folder: PathBuf,
    /// How many lines the log has
    lines: usize,
    /// How many containers the list has
    containers: usize,
}

/// A replay in a process of its own; it ends when this is dropped, and when this process ends.
pub(crate) struct Replay {
    process: Child,
    pub(crate) socket: PathBuf,
}

impl Replay {
    /// Starts a replay and waits until it listens.
    pub(crate) fn start(quick: bool) -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("longshore-bench-{}", std::process::id()));
        let mut process = Command::new(std::env::current_exe()?)
            .arg("replay")
            .arg(&folder)
            .arg(Work::ReplayLogs.amount(quick).to_string())
            .arg(Work::ReplayList.amount(quick).to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // It ends with this process, not with what the terminal sends to both.
            .process_group(0)
            .spawn()?;
        let mut said = String::new();
        if let Some(stdout) = process.stdout.take() {
            BufReader::new(stdout).read_line(&mut said)?;
        }
        match said.as_str() {
            "listening\n" => Ok(Replay { process, socket: folder.join("engine.sock") }),
            _ => Err("the replay did not start".into()),
        }
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// Serves recorded answers until standard input ends.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    raise_limit_of_files()?;
    let log = record(arguments.lines);
    let recording = Arc::new(Recording { log, list: list(arguments.containers)? });
    std::fs::DirBuilder::new().mode(0o700).create(&arguments.folder)?;
    let outcome = listen(&arguments.folder.join("engine.sock"), recording);
    std::fs::remove_dir_all(&arguments.folder)?;
    outcome
}

/// What is replayed.
struct Recording {
    log: Vec<u8>,
    list: String,
}

fn listen(socket: &Path, recording: Arc<Recording>) -> Result<()> {
    let listener = UnixListener::bind(socket)?;
    println!("listening");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let recording = recording.clone();
            // A client that has read enough closes its connection; there is nothing to be done about it.
            let serve = move || drop(serve(stream, &recording));
            if let Err(error) = thread::Builder::new().stack_size(64 * 1024).spawn(serve) {
                eprintln!("a connection is not served: {error}");
            }
        }
    });
    stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// A log as an engine sends it: for each line a chunk with a frame of stdout.
fn record(lines: usize) -> Vec<u8> {
    let mut recording = Vec::with_capacity(lines * LINE_ON_WIRE);
    for number in 0..lines {
        recording.extend_from_slice(format!("{:x}\r\n", 8 + LINE).as_bytes());
        recording.extend_from_slice(&[1, 0, 0, 0, 0, 0, 0, LINE as u8]);
        let line = format!("line {number:07} ");
        recording.extend_from_slice(line.as_bytes());
        recording.resize(recording.len() + LINE - line.len() - 1, b'.');
        recording.extend_from_slice(b"\n\r\n");
    }
    recording
}

/// A list of containers: those that an engine told of, again and again, each with an id of its own.
fn list(length: usize) -> Result<String> {
    let recorded: Vec<Value> = serde_json::from_str(CONTAINERS)?;
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

const LOG_HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nApi-Version: 1.45\r\n\
    Content-Type: application/vnd.docker.multiplexed-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

/// Answers one request after another.
fn serve(mut stream: UnixStream, recording: &Recording) -> Result<()> {
    let mut requests = BufReader::new(stream.try_clone()?);
    while let Some(request) = read_request(&mut requests)? {
        if request.target.contains(&format!("/containers/{LINES}/logs")) {
            stream.write_all(LOG_HEAD)?;
            stream.write_all(&recording.log)?;
            stream.write_all(b"0\r\n\r\n")?;
        } else if request.target.contains(&format!("/containers/{SLOW_LINES}/logs")) {
            stream.write_all(LOG_HEAD)?;
            for line in recording.log.chunks(LINE_ON_WIRE).cycle() {
                stream.write_all(line)?;
                thread::sleep(PAUSE);
            }
        } else if request.target.contains("/containers/json") {
            answer(&mut stream, "200 OK", &recording.list, request.is_head)?;
        } else if request.target.ends_with("/version") {
            answer(&mut stream, "200 OK", r#"{"Version":"26.1.5","ApiVersion":"1.45"}"#, request.is_head)?;
        } else if request.target.ends_with("/_ping") {
            answer(&mut stream, "200 OK", r#""OK""#, request.is_head)?;
        } else {
            answer(&mut stream, "404 Not Found", r#"{"message":"no such recording"}"#, request.is_head)?;
        }
        if request.closes {
            break;
        }
    }
    Ok(())
}

struct Request {
    target: String,
    is_head: bool,
    closes: bool,
}

/// Reads the head of a request; none of them has a body.
fn read_request(from: &mut impl BufRead) -> Result<Option<Request>> {
    let mut line = String::new();
    if from.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let is_head = words.next() == Some("HEAD");
    let target = words.next().unwrap_or_default().to_owned();
    let mut request = Request { target, is_head, closes: false };
    loop {
        let mut field = String::new();
        match from.read_line(&mut field)? {
            0 => return Ok(None),
            _ if field.trim().is_empty() => return Ok(Some(request)),
            _ => request.closes |= field.trim().eq_ignore_ascii_case("connection: close"),
        }
    }
}

fn answer(stream: &mut UnixStream, status: &str, body: &str, is_head: bool) -> Result<()> {
    let length = body.len();
    let fields = format!("Api-Version: 1.45\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n");
    let body = if is_head { "" } else { body };
    Ok(stream.write_all(format!("HTTP/1.1 {status}\r\n{fields}\r\n{body}").as_bytes())?)
}
