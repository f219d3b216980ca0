//! bollard as a client of the benchmarks.

mod transfers;

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bollard::container::LogOutput;
use bollard::models::{ContainerCreateBody, HostConfig, HostConfigLogConfig};
use bollard::query_parameters::{
    CreateContainerOptions, CreateImageOptionsBuilder, EventsOptions, InspectContainerOptions, ListContainersOptions,
    ListContainersOptionsBuilder, LogsOptions, LogsOptionsBuilder, RemoveContainerOptions, StartContainerOptions,
    StatsOptionsBuilder, WaitContainerOptions,
};
use bollard::{API_DEFAULT_VERSION, Docker};
use futures_core::Stream;
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
    let mut output = docker.logs(&task.container, Some(options(follow)));
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

/// Takes as many items as the work has.
async fn take<T>(task: &Task, items: impl Stream<Item = std::result::Result<T, bollard::errors::Error>>) -> Result<()> {
    let mut items = pin!(items);
    for _ in 0..task.amount {
        next(&mut items).await.ok_or("the stream ended")??;
    }
    Ok(())
}

async fn stats(task: &Task) -> Result<Sample> {
    let docker = connect(task).await?;
    let meter = Meter::start()?;
    let options = StatsOptionsBuilder::default().stream(true).build();
    take(task, docker.stats(&task.container, Some(options))).await?;
    meter.finish()
}

async fn events(task: &Task) -> Result<Sample> {
    let docker = connect(task).await?;
    let meter = Meter::start()?;
    take(task, docker.events(None::<EventsOptions>)).await?;
    meter.finish()
}

async fn progress(task: &Task) -> Result<Sample> {
    let docker = connect(task).await?;
    let meter = Meter::start()?;
    let options = CreateImageOptionsBuilder::default().from_image("busybox").tag("latest").build();
    take(task, docker.create_image(Some(options), None, None)).await?;
    meter.finish()
}

async fn list(task: &Task) -> Result<Sample> {
    let docker = connect(task).await?;
    let meter = Meter::start()?;
    let containers = docker.list_containers(Some(all())).await?;
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
        Work::LiveList => drop(docker.list_containers(Some(all())).await?),
        _ => drop(docker.inspect_container(&task.container, None::<InspectContainerOptions>).await?),
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
    let log = HostConfigLogConfig { typ: Some("none".to_owned()), ..HostConfigLogConfig::default() };
    let body = ContainerCreateBody {
        image: Some(IMAGE.to_owned()),
        cmd: Some(vec!["true".to_owned()]),
        labels: Some([(LABEL.to_owned(), task.container.clone())].into()),
        host_config: Some(HostConfig { log_config: Some(log), ..HostConfig::default() }),
        ..ContainerCreateBody::default()
    };
    let meter = Meter::start()?;
    for _ in 0..task.amount {
        let id = docker.create_container(None::<CreateContainerOptions>, body.clone()).await?.id;
        docker.start_container(&id, None::<StartContainerOptions>).await?;
        let ended = {
            let mut ended = pin!(docker.wait_container(&id, None::<WaitContainerOptions>));
            next(&mut ended).await.ok_or("the wait ended without a word")??
        };
        docker.remove_container(&id, None::<RemoveContainerOptions>).await?;
        if ended.status_code != 0 {
            return Err(format!("a container ended with {}", ended.status_code).into());
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

fn all() -> ListContainersOptions {
    ListContainersOptionsBuilder::default().all(true).build()
}

fn new_client(task: &Task) -> Result<Docker> {
    let socket = task.socket.to_str().ok_or("the path of the socket is not UTF-8")?;
    Ok(Docker::connect_with_unix(socket, 120, API_DEFAULT_VERSION)?)
}

/// A client that has agreed with the engine on a version.
async fn connect(task: &Task) -> Result<Docker> {
    Ok(new_client(task)?.negotiate_version().await?)
}

async fn next<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    poll_fn(|context| Pin::new(&mut *stream).poll_next(context)).await
}
