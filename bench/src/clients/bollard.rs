//! bollard as a client of the benchmarks.

use std::future::poll_fn;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use bollard::container::LogOutput;
use bollard::query_parameters::{ListContainersOptionsBuilder, LogsOptions, LogsOptionsBuilder};
use bollard::{API_DEFAULT_VERSION, Docker};
use futures_core::Stream;
use tokio::sync::{Barrier, Semaphore};
use tokio::task::JoinSet;

use bench::Result;
use bench::meter::{Meter, Sample};
use bench::task::{self, FOLLOWED_LINES, Found, OPENED_AT_A_TIME, Task, WARM_UP};
use bench::work::Work;

fn main() -> ExitCode {
    task::run(|task| {
        let runtime = task::runtime()?;
        match task.work {
            Work::ReplayLogs => runtime.block_on(logs(task, true)),
            Work::LiveLogs => runtime.block_on(logs(task, false)),
            Work::LivePing => runtime.block_on(pings(task)),
            Work::ReplayList => runtime.block_on(list(task)),
            Work::ReplayFollowers => runtime.block_on(followers(task)),
        }
    })
}

async fn logs(task: &Task, follow: bool) -> Result<Sample> {
    let docker = connect(task).await?;
    let meter = Meter::start()?;
    let mut output = docker.logs(&task.container, Some(options(follow)));
    let mut found = Found::default();
    while let Some(chunk) = next(&mut output).await {
        match chunk? {
            LogOutput::StdOut { message } => found.stdout += message.len(),
            other => found.others += other.into_bytes().len(),
        }
    }
    let sample = meter.finish()?;
    found.check(task.amount)?;
    Ok(sample)
}

async fn list(task: &Task) -> Result<Sample> {
    let docker = connect(task).await?;
    let meter = Meter::start()?;
    let options = ListContainersOptionsBuilder::default().all(true).build();
    let containers = docker.list_containers(Some(options)).await?;
    let sample = meter.finish()?;
    match containers.len() == task.amount {
        true => Ok(sample),
        false => Err(format!("{} containers came instead of {}", containers.len(), task.amount).into()),
    }
}

async fn pings(task: &Task) -> Result<Sample> {
    let docker = connect(task).await?;
    for _ in 0..WARM_UP {
        docker.ping().await?;
    }
    let mut trips = Vec::with_capacity(task.amount);
    let meter = Meter::start()?;
    for _ in 0..task.amount {
        let begun = Instant::now();
        docker.ping().await?;
        trips.push(begun.elapsed());
    }
    meter.finish_trips(trips)
}

async fn followers(task: &Task) -> Result<Sample> {
    let docker = connect(task).await?;
    let opening = Arc::new(Semaphore::new(OPENED_AT_A_TIME));
    let all_here = Arc::new(Barrier::new(task.amount));
    let meter = Meter::start()?;
    let mut followers = JoinSet::<Result<()>>::new();
    for _ in 0..task.amount {
        let (docker, container) = (docker.clone(), task.container.clone());
        let (opening, all_here) = (opening.clone(), all_here.clone());
        followers.spawn(async move {
            let turn = opening.acquire_owned().await?;
            let mut output = docker.logs(&container, Some(options(true)));
            next(&mut output).await.ok_or("a log ended")??;
            drop(turn);
            all_here.wait().await;
            for _ in 0..FOLLOWED_LINES {
                next(&mut output).await.ok_or("a log ended")??;
            }
            Ok(())
        });
    }
    while let Some(ended) = followers.join_next().await {
        ended??;
    }
    meter.finish()
}

fn options(follow: bool) -> LogsOptions {
    LogsOptionsBuilder::default().follow(follow).stdout(true).stderr(true).build()
}

/// A client that has agreed with the engine on a version.
async fn connect(task: &Task) -> Result<Docker> {
    let socket = task.socket.to_str().ok_or("the path of the socket is not UTF-8")?;
    Ok(Docker::connect_with_unix(socket, 120, API_DEFAULT_VERSION)?.negotiate_version().await?)
}

async fn next<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    poll_fn(|context| Pin::new(&mut *stream).poll_next(context)).await
}
