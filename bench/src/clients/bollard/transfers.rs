//! Large amounts of bytes into and out of containers.

use bollard::body_stream;
use bollard::container::LogOutput;
use bollard::exec::{CreateExecOptions, StartExecOptions, StartExecResults};
use bollard::query_parameters::{DownloadFromContainerOptionsBuilder, UploadToContainerOptionsBuilder};
use bollard::{Docker, exec};
use bytes::Bytes;
use futures_util::stream;
use tokio::io::AsyncWriteExt;

use bench::Result;
use bench::meter::{Meter, Sample};
use bench::task::{Found, LARGE_FILE, Task, tar_head};
use bench::work::PIECE;

use crate::{connect, next};

/// Starts a command with its streams attached.
async fn start(docker: &Docker, task: &Task, command: Vec<String>, with_input: bool) -> Result<StartExecResults> {
    let options = CreateExecOptions {
        attach_stdin: Some(with_input),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        cmd: Some(command),
        ..CreateExecOptions::default()
    };
    let exec::CreateExecResults { id, .. } = docker.create_exec(&task.container, options).await?;
    Ok(docker.start_exec(&id, None::<StartExecOptions>).await?)
}

/// Reads the output of a command.
pub(crate) async fn exec(task: &Task) -> Result<Sample> {
    let docker = connect(task).await?;
    let meter = Meter::start()?;
    let started = start(&docker, task, task.output_command(), false).await?;
    let StartExecResults::Attached { mut output, .. } = started else { return Err("nothing is attached".into()) };
    let mut found = Found::default();
    while let Some(chunk) = next(&mut output).await {
        match chunk? {
            LogOutput::StdOut { message } => found.stdout += message.len(),
            other => found.others += other.into_bytes().len(),
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
    let started = start(&docker, task, Task::input_command(), true).await?;
    let StartExecResults::Attached { mut output, mut input } = started else {
        return Err("nothing is attached".into());
    };
    for _ in 0..task.pieces() {
        input.write_all(&piece).await?;
    }
    input.shutdown().await?;
    if let Some(chunk) = next(&mut output).await {
        return Err(format!("this was not to say anything: {}", chunk?).into());
    }
    meter.finish()
}

/// Reads an archive.
pub(crate) async fn download(task: &Task) -> Result<Sample> {
    let docker = connect(task).await?;
    let meter = Meter::start()?;
    let options = DownloadFromContainerOptionsBuilder::default().path(&format!("/{LARGE_FILE}")).build();
    let mut archive = Box::pin(docker.download_from_container(&task.container, Some(options)));
    let mut found = 0;
    while let Some(bytes) = next(&mut archive).await {
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
    let options = UploadToContainerOptionsBuilder::default().path("/").build();
    docker.upload_to_container(&task.container, Some(options), body_stream(stream::iter(pieces))).await?;
    meter.finish()
}
