//! The raw clients: sockets of which nothing is decoded, the limit of what any client can reach.

mod answer;
mod trips;

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use bench::Result;
use bench::meter::{Meter, Sample};
use bench::task::{self, LARGE_FILE, Task, tar_head};
use bench::work::{Client, PIECE, Work};

use crate::answer::Answer;

fn main() -> ExitCode {
    task::run(|task| match (task.work, task.client) {
        (Work::ReplayLogs | Work::ReplayFrames | Work::ReplayTty | Work::LiveLogs, _) => {
            read(task, &format!("/containers/{}/logs?stdout=1&stderr=1", task.container))
        }
        (Work::LiveDownload, _) => read(task, &format!("/containers/{}/archive?path=/{LARGE_FILE}", task.container)),
        (Work::LiveExec, _) => exec(task),
        (Work::LiveStdin, _) => stdin(task),
        (Work::LiveUpload, _) => upload(task),
        (Work::LivePing | Work::LiveInspect | Work::LiveList, Client::RawBlocking) => trips::blocking(task),
        (Work::LivePing | Work::LiveInspect | Work::LiveList, Client::RawTokio) => {
            task::runtime()?.block_on(trips::of_tokio(task))
        }
        _ => Err(task.refuse()),
    })
}

/// A buffer of the size that is read at a time.
fn buffer(task: &Task) -> Result<Vec<u8>> {
    match task.client {
        Client::Raw64K => Ok(vec![0; 64 * 1024]),
        Client::Raw256K => Ok(vec![0; 256 * 1024]),
        _ => Err(task.refuse()),
    }
}

/// Reads the answer to its end, and decodes nothing.
fn read(task: &Task, path: &str) -> Result<Sample> {
    let mut buffer = buffer(task)?;
    let meter = Meter::start()?;
    let mut socket = UnixStream::connect(&task.socket)?;
    write!(socket, "GET {path} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n")?;
    let total = read_to_end(&mut socket, &mut buffer)?;
    finish(meter, task, total)
}

fn read_to_end(socket: &mut UnixStream, buffer: &mut [u8]) -> Result<usize> {
    let mut total = 0;
    loop {
        match socket.read(buffer)? {
            0 => return Ok(total),
            count => total += count,
        }
    }
}

/// Finishes after so many bytes, which must be those of the work, and a little for what is around them.
fn finish(meter: Meter, task: &Task, total: usize) -> Result<Sample> {
    let sample = meter.finish()?;
    let expected = task.work.bytes_on_wire(task.amount);
    match total >= expected && total < expected + expected / 50 + 8192 {
        true => Ok(sample),
        false => Err(format!("expected {expected} bytes, got {total}").into()),
    }
}

/// Reads the output of a command.
fn exec(task: &Task) -> Result<Sample> {
    let mut buffer = buffer(task)?;
    let meter = Meter::start()?;
    let mut socket = start(task, &task.output_command(), false)?;
    let total = read_to_end(&mut socket, &mut buffer)?;
    finish(meter, task, total)
}

/// Writes to the input of a command, and waits for its end.
fn stdin(task: &Task) -> Result<Sample> {
    let (mut buffer, piece) = (buffer(task)?, vec![b'.'; PIECE]);
    let meter = Meter::start()?;
    let mut socket = start(task, &Task::input_command(), true)?;
    for _ in 0..task.pieces() {
        socket.write_all(&piece)?;
    }
    socket.shutdown(Shutdown::Write)?;
    read_to_end(&mut socket, &mut buffer)?;
    meter.finish()
}

/// Starts a command with its streams attached.
fn start(task: &Task, command: &[String], with_input: bool) -> Result<UnixStream> {
    let mut socket = UnixStream::connect(&task.socket)?;
    let body = serde_json::json!({
        "AttachStdin": with_input, "AttachStdout": true, "AttachStderr": true, "Cmd": command,
    });
    post(&mut socket, &format!("/containers/{}/exec", task.container), "", &body.to_string())?;
    let created: serde_json::Value = serde_json::from_slice(Answer::read_from(&mut socket)?.body())?;
    let id = created["Id"].as_str().ok_or("an exec without an id")?;
    let upgrade = "Connection: Upgrade\r\nUpgrade: tcp\r\n";
    post(&mut socket, &format!("/exec/{id}/start"), upgrade, r#"{"Detach":false,"Tty":false}"#)?;
    match Answer::head_from(&mut socket)?.starts_with("HTTP/1.1 101") {
        true => Ok(socket),
        false => Err("the engine does not start the command".into()),
    }
}

fn post(socket: &mut UnixStream, path: &str, fields: &str, body: &str) -> Result<()> {
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\n");
    Ok(socket.write_all(format!("{head}Content-Length: {length}\r\n{fields}\r\n{body}").as_bytes())?)
}

/// Sends an archive of one large file.
fn upload(task: &Task) -> Result<Sample> {
    let piece = vec![0; PIECE];
    let head = tar_head(task.amount)?;
    let meter = Meter::start()?;
    let mut socket = UnixStream::connect(&task.socket)?;
    let length = head.len() + (task.pieces() + 1) * PIECE;
    let path = format!("/containers/{}/archive?path=/", task.container);
    write!(socket, "PUT {path} HTTP/1.1\r\nHost: docker\r\nContent-Length: {length}\r\n\r\n")?;
    socket.write_all(&head)?;
    // A piece more: zeros end an archive.
    for _ in 0..=task.pieces() {
        socket.write_all(&piece)?;
    }
    let answer = Answer::read_from(&mut socket)?;
    let sample = meter.finish()?;
    match answer.is_success() {
        true => Ok(sample),
        false => Err(format!("the engine did not take the archive: {answer}").into()),
    }
}
