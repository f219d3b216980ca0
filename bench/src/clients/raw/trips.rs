//! Round trips over one kept socket.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use bench::Result;
use bench::meter::{Meter, Sample};
use bench::task::{Task, WARM_UP};
use bench::work::Work;

use crate::answer::Answer;

/// The requests that longshore makes, with the place of what answers them.
fn request(task: &Task) -> (String, Answer) {
    let (method, path, answer) = match task.work {
        Work::LiveInspect => ("GET", format!("/containers/{}/json", task.container), Answer::default()),
        Work::LiveList => ("GET", "/containers/json?all=1".to_owned(), Answer::default()),
        _ => ("HEAD", "/_ping".to_owned(), Answer::to_head()),
    };
    (format!("{method} {path} HTTP/1.1\r\nHost: docker\r\n\r\n"), answer)
}

const CLOSED: &str = "the engine closed the connection";

/// Over a socket of tokio.
pub(crate) async fn of_tokio(task: &Task) -> Result<Sample> {
    let mut socket = tokio::net::UnixStream::connect(&task.socket).await?;
    let (request, mut answer) = request(task);
    let mut buffer = vec![0; 64 * 1024];
    let mut trips = Vec::with_capacity(task.amount);
    let mut meter = Meter::start()?;
    for trip in 0..WARM_UP + task.amount {
        if trip == WARM_UP {
            meter = Meter::start()?;
        }
        let begun = Instant::now();
        answer.clear();
        socket.write_all(request.as_bytes()).await?;
        loop {
            match socket.read(&mut buffer).await? {
                0 => return Err(CLOSED.into()),
                count if answer.push(&buffer[..count]) => break,
                _ => {}
            }
        }
        if trip >= WARM_UP {
            trips.push(begun.elapsed());
        }
    }
    meter.finish_trips(trips)
}

/// Over a socket in blocking mode.
pub(crate) fn blocking(task: &Task) -> Result<Sample> {
    let mut socket = UnixStream::connect(&task.socket)?;
    let (request, mut answer) = request(task);
    let mut buffer = vec![0; 64 * 1024];
    let mut trips = Vec::with_capacity(task.amount);
    let mut meter = Meter::start()?;
    for trip in 0..WARM_UP + task.amount {
        if trip == WARM_UP {
            meter = Meter::start()?;
        }
        let begun = Instant::now();
        answer.clear();
        socket.write_all(request.as_bytes())?;
        loop {
            match socket.read(&mut buffer)? {
                0 => return Err(CLOSED.into()),
                count if answer.push(&buffer[..count]) => break,
                _ => {}
            }
        }
        if trip >= WARM_UP {
            trips.push(begun.elapsed());
        }
    }
    meter.finish_trips(trips)
}
