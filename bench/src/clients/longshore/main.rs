//! This project's library as a client of the benchmarks.

mod transfers;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use longshore::container::ListOptions;
use longshore::{Docker, Source, Spec, Until};
use tokio::sync::{Barrier, Semaphore};
use tokio::task::JoinSet;

use bench::Result;
use bench::meter::{Meter, Sample};
use bench::task::{self, FOLLOWED_LINES, Found, IMAGE, LABEL, OPENED_AT_A_TIME, Task, WARM_UP};
use bench::work::{PARALLEL, Work};

fn main() -> ExitCode {
    task::run(|task| {
        let runtime = task::runtime()?;
        match task.work {
            Work::ReplayLogs => runtime.block_on(logs(task, true)),
            Work::ReplayFrames | Work::ReplayTty | Work::LiveLogs => runtime.block_on(logs(task, false)),
            Work::ReplayStats => runtime.block_on(stats(task)),
            Work::ReplayEvents => runtime.block_on(events(task)),
            Work::ReplayProgress => runtime.block_on(progress(task)),
            Work::ReplayList => runtime.block_on(list(task)),
            Work::ReplayFollowers => runtime.block_on(followers(task)),
            Work::ReplayInspects | Work::LivePing | Work::LiveInspect | Work::LiveList => runtime.block_on(trips(task)),
            Work::LiveParallel => runtime.block_on(parallel(task)),
            Work::LiveConnect => runtime.block_on(clients(task)),
            Work::LiveLifecycle => runtime.block_on(lifecycles(task)),
            Work::LiveExec => runtime.block_on(transfers::exec(task)),
            Work::LiveStdin => runtime.block_on(transfers::stdin(task)),
            Work::LiveDownload => runtime.block_on(transfers::download(task)),
            Work::LiveUpload => runtime.block_on(transfers::upload(task)),
            Work::Build => Err(task.refuse()),
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
    found.check(task)?;
    Ok(sample)
}

async fn stats(task: &Task) -> Result<Sample> {
    let docker = connect(task).await?;
    let meter = Meter::start()?;
    let mut stats = docker.container(&task.container).stats().await?;
    for _ in 0..task.amount {
        stats.next().await.ok_or("the samples ended")??;
    }
    meter.finish()
}

async fn events(task: &Task) -> Result<Sample> {
    let docker = connect(task).await?;
    let meter = Meter::start()?;
    let mut events = docker.events().await?;
    for _ in 0..task.amount {
        events.next().await.ok_or("the events ended")??;
    }
    meter.finish()
}

async fn progress(task: &Task) -> Result<Sample> {
    let docker = connect(task).await?;
    let meter = Meter::start()?;
    let mut progress = docker.images().pull("busybox").await?;
    for _ in 0..task.amount {
        progress.next().await.ok_or("the progress ended")??;
    }
    meter.finish()
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

/// Does what the work is made of once.
async fn trip(docker: &Docker, task: &Task) -> Result<()> {
    match task.work {
        Work::LivePing | Work::LiveConnect => drop(docker.ping().await?),
        Work::LiveList => drop(docker.containers().list_with(&ListOptions::default().all()).await?),
        _ => drop(docker.container(&task.container).inspect().await?),
    }
    Ok(())
}

async fn trips(task: &Task) -> Result<Sample> {
    let docker = connect(task).await?;
    for _ in 0..WARM_UP {
        trip(&docker, task).await?;
    }
    let mut trips = Vec::with_capacity(task.amount);
    let meter = Meter::start()?;
    for _ in 0..task.amount {
        let begun = Instant::now();
        trip(&docker, task).await?;
        trips.push(begun.elapsed());
    }
    meter.finish_trips(trips)
}

async fn parallel(task: &Task) -> Result<Sample> {
    let docker = connect(task).await?;
    let task = Arc::new(task.clone());
    let mut asking = JoinSet::<Result<Vec<Duration>>>::new();
    let meter = Meter::start()?;
    for _ in 0..PARALLEL {
        let (docker, task) = (docker.clone(), task.clone());
        asking.spawn(async move {
            let mut trips = Vec::with_capacity(task.amount / PARALLEL);
            for _ in 0..task.amount / PARALLEL {
                let begun = Instant::now();
                trip(&docker, &task).await?;
                trips.push(begun.elapsed());
            }
            Ok(trips)
        });
    }
    let mut trips = Vec::with_capacity(task.amount);
    while let Some(asked) = asking.join_next().await {
        trips.extend(asked??);
    }
    meter.finish_trips(trips)
}

async fn clients(task: &Task) -> Result<Sample> {
    let mut trips = Vec::with_capacity(task.amount);
    let meter = Meter::start()?;
    for _ in 0..task.amount {
        let begun = Instant::now();
        trip(&new_client(task)?, task).await?;
        trips.push(begun.elapsed());
    }
    meter.finish_trips(trips)
}

async fn lifecycles(task: &Task) -> Result<Sample> {
    let docker = connect(task).await?;
    let spec = Spec::image(IMAGE).cmd("true").label(LABEL, &task.container).set("HostConfig.LogConfig.Type", "none");
    let meter = Meter::start()?;
    for _ in 0..task.amount {
        let container = docker.containers().create(&spec).await?;
        container.start().await?;
        let status = container.wait(Until::NotRunning).await?.await?;
        container.remove().await?;
        if !status.success() {
            return Err(format!("a container ended with {status}").into());
        }
    }
    meter.finish()
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

fn new_client(task: &Task) -> Result<Docker> {
    Ok(Docker::connect_to(format!("unix://{}", task.socket.display()))?)
}

/// A client that has agreed with the engine on a version.
async fn connect(task: &Task) -> Result<Docker> {
    let docker = new_client(task)?;
    docker.api_version().await?;
    Ok(docker)
}
