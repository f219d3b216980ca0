//! The raw clients: sockets of which nothing is decoded, the limit of what any client can reach.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use bench::Result;
use bench::meter::{Meter, Sample};
use bench::task::{self, Task, WARM_UP};
use bench::work::{Client, LINE_ON_WIRE, Work};

fn main() -> ExitCode {
    task::run(|task| match (task.work, task.client) {
        (Work::ReplayLogs | Work::LiveLogs, Client::Raw64K) => logs(task, 64 * 1024),
        (Work::ReplayLogs | Work::LiveLogs, Client::Raw256K) => logs(task, 256 * 1024),
        (Work::LivePing, Client::RawBlocking) => blocking_pings(task),
        (Work::LivePing, Client::RawTokio) => task::runtime()?.block_on(pings(task)),
        _ => Err(task.refuse()),
    })
}

/// Reads the answer to its end into a buffer of this size, and decodes nothing.
fn logs(task: &Task, size: usize) -> Result<Sample> {
    let mut buffer = vec![0; size];
    let meter = Meter::start()?;
    let mut socket = UnixStream::connect(&task.socket)?;
    let path = format!("/containers/{}/logs?stdout=1&stderr=1", task.container);
    write!(socket, "GET {path} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n")?;
    let mut total = 0;
    loop {
        match socket.read(&mut buffer)? {
            0 => break,
            count => total += count,
        }
    }
    let sample = meter.finish()?;
    let expected = task.amount * LINE_ON_WIRE;
    match total >= expected && total < expected + 4096 {
        true => Ok(sample),
        false => Err(format!("expected {expected} bytes, got {total}").into()),
    }
}

/// The request that longshore makes for a ping; its answer is a head and no more.
const PING: &[u8] = b"HEAD /_ping HTTP/1.1\r\nHost: docker\r\n\r\n";

/// Pings over one socket of tokio.
async fn pings(task: &Task) -> Result<Sample> {
    let mut socket = tokio::net::UnixStream::connect(&task.socket).await?;
    let mut buffer = vec![0; 4096];
    let mut trips = Vec::with_capacity(task.amount);
    let mut meter = Meter::start()?;
    for trip in 0..WARM_UP + task.amount {
        if trip == WARM_UP {
            meter = Meter::start()?;
        }
        let begun = Instant::now();
        socket.write_all(PING).await?;
        let mut filled = 0;
        while !buffer[..filled].ends_with(b"\r\n\r\n") {
            filled += match socket.read(&mut buffer[filled..]).await? {
                0 => return Err("the engine closed the connection".into()),
                count => count,
            };
        }
        if trip >= WARM_UP {
            trips.push(begun.elapsed());
        }
    }
    meter.finish_trips(trips)
}

/// Pings over one socket in blocking mode.
fn blocking_pings(task: &Task) -> Result<Sample> {
    let mut socket = UnixStream::connect(&task.socket)?;
    let mut buffer = vec![0; 4096];
    let mut trips = Vec::with_capacity(task.amount);
    let mut meter = Meter::start()?;
    for trip in 0..WARM_UP + task.amount {
        if trip == WARM_UP {
            meter = Meter::start()?;
        }
        let begun = Instant::now();
        socket.write_all(PING)?;
        let mut filled = 0;
        while !buffer[..filled].ends_with(b"\r\n\r\n") {
            filled += match socket.read(&mut buffer[filled..])? {
                0 => return Err("the engine closed the connection".into()),
                count => count,
            };
        }
        if trip >= WARM_UP {
            trips.push(begun.elapsed());
        }
    }
    meter.finish_trips(trips)
}
