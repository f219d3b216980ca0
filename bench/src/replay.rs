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
use recordings::{CONTAINER, LINE_ON_WIRE, Recording};

use bench::Result;
use bench::task::raise_limit_of_files;
use bench::work::Work;

/// The pause between two lines of a log that is followed.
const PAUSE: Duration = Duration::from_millis(150);

/// A replay of recorded answers.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The folder to make the socket in, and to remove in the end
    folder: PathBuf,
    /// The work that is done with it
    work: Work,
    /// How many times
    amount: usize,
}

/// A replay in a process of its own; it ends when this is dropped, and when this process ends.
pub(crate) struct Replay {
    process: Child,
    pub(crate) socket: PathBuf,
}

impl Replay {
    /// Starts a replay and waits until it listens.
    pub(crate) fn start(work: Work, amount: usize) -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("longshore-bench-{}", std::process::id()));
        let mut process = Command::new(std::env::current_exe()?)
            .arg("replay")
            .arg(&folder)
            .args([work.name(), amount.to_string()])
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
    let recording = Arc::new(recording(arguments.work, arguments.amount)?);
    std::fs::DirBuilder::new().mode(0o700).create(&arguments.folder)?;
    let is_slow = arguments.work == Work::ReplayFollowers;
    let outcome = listen(&arguments.folder.join("engine.sock"), recording, is_slow);
    std::fs::remove_dir_all(&arguments.folder)?;
    outcome
}

/// What is sent for a work that is done so many times.
fn recording(work: Work, amount: usize) -> Result<Recording> {
    match work {
        Work::ReplayLogs => Ok(Recording::log(amount)),
        // They go on for as long as they are read.
        Work::ReplayFollowers => Ok(Recording::log(1_000)),
        Work::ReplayFrames => Ok(Recording::frames(amount)),
        Work::ReplayTty => Ok(Recording::terminal(amount)),
        Work::ReplayStats => Recording::stats(amount),
        Work::ReplayEvents => Recording::events(amount),
        Work::ReplayProgress => Recording::progress(amount),
        Work::ReplayList => Recording::list(amount),
        Work::ReplayInspects => Recording::inspect(),
        _ => Err(format!("nothing is recorded for {}", work.name()).into()),
    }
}

fn listen(socket: &Path, recording: Arc<Recording>, is_slow: bool) -> Result<()> {
    let listener = UnixListener::bind(socket)?;
    println!("listening");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let recording = recording.clone();
            // A client that has read enough closes its connection; there is nothing to be done about it.
            let serve = move || drop(serve(stream, &recording, is_slow));
            if let Err(error) = thread::Builder::new().stack_size(64 * 1024).spawn(serve) {
                eprintln!("a connection is not served: {error}");
            }
        }
    });
    stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// Answers one request after another.
fn serve(mut stream: UnixStream, recording: &Recording, is_slow: bool) -> Result<()> {
    let mut requests = BufReader::new(stream.try_clone()?);
    while let Some(request) = read_request(&mut requests)? {
        let path = request.target.split('?').next().unwrap_or_default();
        if path.ends_with(&recording.path) {
            stream.write_all(recording.head.as_bytes())?;
            if is_slow {
                trickle(&mut stream, &recording.body)?;
            }
            for _ in 0..recording.times {
                stream.write_all(&recording.body)?;
            }
            stream.write_all(recording.end)?;
        } else if path.ends_with("/version") {
            answer(&mut stream, "200 OK", r#"{"Version":"26.1.5","ApiVersion":"1.45"}"#, request.is_head)?;
        } else if path.ends_with("/_ping") {
            answer(&mut stream, "200 OK", r#""OK""#, request.is_head)?;
        } else if path.ends_with(&format!("/containers/{CONTAINER}/json")) {
            // The clients in Python look first if there is a terminal.
            answer(&mut stream, "200 OK", r#"{"Id":"recorded","Config":{"Tty":false}}"#, request.is_head)?;
        } else {
            answer(&mut stream, "404 Not Found", r#"{"message":"no such recording"}"#, request.is_head)?;
        }
        if request.closes {
            break;
        }
    }
    Ok(())
}

/// Sends a line now and then, until nobody reads it any more.
fn trickle(stream: &mut UnixStream, log: &[u8]) -> Result<()> {
    for line in log.chunks(LINE_ON_WIRE).cycle() {
        stream.write_all(line)?;
        thread::sleep(PAUSE);
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum;

    #[test]
    fn there_is_a_recording_for_whatever_is_replayed() {
        for &work in Work::value_variants() {
            assert_eq!(recording(work, 10).is_ok(), work.is_replayed(), "{work:?}");
        }
    }
}
