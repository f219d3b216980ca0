//! This project's library as a client of the benchmarks.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use longshore::container::ListOptions;
use longshore::{Docker, Source};
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
    let logs = docker.container(&task.container).logs();
    let mut output = if follow { logs.follow() } else { logs }.await?;
    let mut found = Found::default();
    while let Some(chunk) = output.next().await {
        let chunk = chunk?;
        match chunk.source {
            Source::Stdout => found.stdout += chunk.bytes.len(),
            _ => found.others += chunk.bytes.len(),
        }
    }
    let sample = meter.finish()?;
    found.check(task.amount)?;
    Ok(sample)
}

async fn list(task: &Task) -> Result<Sample> {
    let docker = connect(task).await?;
    let meter = Meter::start()?;
    let containers = docker.containers().list_with(&ListOptions::default().all()).await?;
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
        let container = docker.container(&task.container);
        let (opening, all_here) = (opening.clone(), all_here.clone());
        followers.spawn(async move {
            let turn = opening.acquire_owned().await?;
            let mut output = container.logs().follow().await?;
            output.next().await.ok_or("a log ended")??;
            drop(turn);
            all_here.wait().await;
            for _ in 0..FOLLOWED_LINES {
                output.next().await.ok_or("a log ended")??;
            }
            Ok(())
        });
    }
    while let Some(ended) = followers.join_next().await {
        ended??;
    }
    meter.finish()
}

/// A client that has agreed with the engine on a version.
async fn connect(task: &Task) -> Result<Docker> {
    let docker = Docker::connect_to(format!("unix://{}", task.socket.display()))?;
    docker.api_version().await?;
    Ok(docker)
}
