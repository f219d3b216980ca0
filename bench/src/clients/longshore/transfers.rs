//! Large amounts of bytes into and out of containers.

use bytes::Bytes;
use futures_util::stream;
use longshore::{Payload, Source};

use bench::Result;
use bench::meter::{Meter, Sample};
use bench::task::{Found, LARGE_FILE, Task, tar_head};
use bench::work::PIECE;

use crate::connect;

/// Reads the output of a command.
pub(crate) async fn exec(task: &Task) -> Result<Sample> {
    let docker = connect(task).await?;
    let meter = Meter::start()?;
    let mut session = docker.container(&task.container).exec(task.output_command()).start().await?;
    let mut found = Found::default();
    while let Some(chunk) = session.next().await {
        let chunk = chunk?;
        match chunk.source {
            Source::Stdout => found.stdout += chunk.bytes.len(),
            _ => found.others += chunk.bytes.len(),
        }
    }
    let sample = meter.finish()?;
    found.check(task)?;
    Ok(sample)
}

/// Writes to the input of a command, and waits for its end.
pub(crate) async fn stdin(task: &Task) -> Result<Sample> {
    let docker = connect(task).await?;
    let piece = vec![b'.'; PIECE];
    let meter = Meter::start()?;
    let mut session = docker.container(&task.container).exec(Task::input_command()).stdin().start().await?;
    for _ in 0..task.pieces() {
        session.write_all(&piece).await?;
    }
    session.close_stdin().await?;
    if let Some(chunk) = session.next().await {
        return Err(format!("this was not to say anything: {:?}", chunk?).into());
    }
    meter.finish()
}

/// Reads an archive.
pub(crate) async fn download(task: &Task) -> Result<Sample> {
    let docker = connect(task).await?;
    let meter = Meter::start()?;
    let mut archive = docker.container(&task.container).archive(&format!("/{LARGE_FILE}")).await?;
    let mut found = 0;
    while let Some(bytes) = archive.next().await {
        found += bytes?.len();
    }
    let sample = meter.finish()?;
    task.check_bytes(found)?;
    Ok(sample)
}

/// Sends an archive.
pub(crate) async fn upload(task: &Task) -> Result<Sample> {
    let docker = connect(task).await?;
    let (head, piece) = (Bytes::from(tar_head(task.amount)?), Bytes::from(vec![0; PIECE]));
    let meter = Meter::start()?;
    // A piece more: zeros end an archive.
    let pieces = std::iter::once(head).chain(std::iter::repeat_n(piece, task.pieces() + 1));
    let tar = Payload::stream(stream::iter(pieces.map(Ok)));
    docker.container(&task.container).put_archive("/", tar).await?;
    meter.finish()
}
