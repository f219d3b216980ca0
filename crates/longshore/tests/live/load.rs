//! What many calls at a time and one after another do to a client: each in a process of its own, so that its memory and
//! its open files are its own.
//!
//! `LONGSHORE_LOAD_SECONDS` says for how long containers come and go; a minute unless set.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use longshore::{Container, Docker, Spec, Until};
use longshore_testkit::live::{CASE, IMAGE, LABEL, Live};
use longshore_testkit::{descriptors, memory, tally};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::harness::{Outcome, Test, test_within};
use crate::process::{Work, measure};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test_within(seconds() + Duration::from_secs(120), containers_come_and_go),
        test_within(Duration::from_secs(300), two_thousand_follow_a_log),
        test_within(Duration::from_secs(300), two_hundred_execs_run_at_a_time),
        test_within(Duration::from_secs(120), ten_thousand_requests_of_256_tasks),
    ]
}

/// What is done under load.
pub(crate) const WORK: Work = ("load", |given| Box::pin(work(given)));

type Failure = Box<dyn std::error::Error + Send + Sync>;

const FOLLOWERS: usize = 2000;

/// How many lines each of them is sent once all are there.
const LINES: usize = 10;

/// How many streams are opened at a time, so that the queue of the engine's socket does not overflow.
const OPENED_AT_A_TIME: usize = 64;

const EXECS: usize = 200;

const TASKS: usize = 256;

const REQUESTS: usize = 10_000;

/// How many containers come and go at a time.
const CHURNS: usize = 2;

/// How much the memory may grow between the first third of the work and its last.
const GROWTH: u64 = 2_000_000;

fn seconds() -> Duration {
    let given = std::env::var("LONGSHORE_LOAD_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(given.unwrap_or(60))
}

async fn two_thousand_follow_a_log(live: Live) -> Outcome {
    let script = "echo ready; while read line; do echo $line; done";
    let container = live.start(live.spec(["sh", "-c", script]).stdin_once()).await?;
    let (said, peak) = load(&live, "followers", container.id()).await?;
    let (lines, all) = (said.parse::<usize>()?, FOLLOWERS * (LINES + 1));
    // Podman 4 leaves out lines that are written while many follow, whoever they are.
    assert!(lines == all || (live.engine().is_podman() && lines > FOLLOWERS && lines < all), "{lines} of {all} lines");
    println!("{}: {FOLLOWERS} followers read {lines} lines in {peak} bytes of memory", live.engine().name());
    tally("load", "followers at a time", FOLLOWERS as u64);
    tally("load", "lines that followers read", lines as u64);
    Ok(())
}

async fn two_hundred_execs_run_at_a_time(live: Live) -> Outcome {
    let container = live.start(live.spec("sleep 1000").init()).await?;
    let (said, _) = load(&live, "execs", container.id()).await?;
    assert_eq!(said, format!("{EXECS}"));
    tally("load", "execs in parallel", EXECS as u64);
    Ok(())
}

async fn ten_thousand_requests_of_256_tasks(live: Live) -> Outcome {
    let container = live.create(live.spec("true")).await?;
    let (said, _) = load(&live, "requests", container.id()).await?;
    assert_eq!(said, format!("{REQUESTS}"));
    tally("load", "requests of 256 tasks", REQUESTS as u64);
    Ok(())
}

async fn containers_come_and_go(live: Live) -> Outcome {
    let (said, peak) = load(&live, "churn", &live.label()).await?;
    let count: u64 = said.parse()?;
    assert!(count > 20, "only {count} containers came and went");
    assert!(live.existing().await?.is_empty(), "{:?} were left behind", live.existing().await?);
    println!("{}: {count} containers came and went in {peak} bytes of memory", live.engine().name());
    tally("load", "containers created, started, awaited and removed", count);
    tally("load", "seconds in which they came and went", seconds().as_secs());
    Ok(())
}

async fn load(live: &Live, what: &str, given: &str) -> Result<(String, u64), Failure> {
    measure(WORK, &[live.engine().host(), what, given]).await
}

/// Works, and tells how much was done.
async fn work(given: &[&str]) -> Result<String, Failure> {
    let &[host, what, given] = given else { return Err(format!("{given:?}").into()) };
    descriptors::allow_many()?;
    let docker = Docker::connect_to(host)?;
    docker.ping().await?;
    docker.close();
    let before = descriptors::open()?;
    let said = match what {
        "followers" => follow(&docker.container(given)).await?,
        "execs" => exec(&docker.container(given)).await?,
        "requests" => request(&docker.container(given)).await?,
        "churn" => churn(&docker, given).await?,
        _ => return Err(format!("there is no work {what:?}").into()),
    };
    docker.close();
    match descriptors::open()? {
        after if after == before => Ok(said),
        after => Err(format!("{before} files were open before, {after} are now").into()),
    }
}

/// Opens many streams of one log; tells how many lines they had.
async fn follow(container: &Container) -> Result<String, Failure> {
    let opening = Arc::new(tokio::sync::Semaphore::new(OPENED_AT_A_TIME));
    let all_here = Arc::new(Barrier::new(FOLLOWERS + 1));
    let read = Arc::new(AtomicUsize::new(0));
    let mut followers = JoinSet::new();
    for _ in 0..FOLLOWERS {
        let (container, opening, all_here) = (container.clone(), opening.clone(), all_here.clone());
        let read = read.clone();
        followers.spawn(async move {
            let turn = opening.acquire().await?;
            let mut lines = container.logs().follow().await?.lines();
            let first = lines.next().await.ok_or("it ended early")??;
            assert_eq!(first.text(), "ready");
            drop(turn);
            all_here.wait().await;
            let (mut count, mut expected) = (1, (0..LINES).map(|number| format!("line {number}")));
            while let Some(line) = lines.next().await {
                let line = line?;
                assert!(expected.any(|text| text == line.text()), "{line:?} comes out of turn");
                count += 1;
                read.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<usize, Failure>(count)
        });
    }
    tokio::select! {
        _ = all_here.wait() => {}
        Some(early) = followers.join_next() => return Err(format!("a follower ended early: {early:?}").into()),
    }
    let mut session = container.attach().stdin().without_output().await?;
    for number in 0..LINES {
        session.write_all(format!("line {number}\n").as_bytes()).await?;
    }
    // Docker 20.10 gives up its followers soon after the end of a container, whatever they have not been sent by then.
    let patience = Instant::now() + Duration::from_secs(20);
    while read.load(Ordering::Relaxed) < FOLLOWERS * LINES && Instant::now() < patience {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    session.close_stdin().await?;
    drop(session);
    sum(followers).await
}

/// Runs many commands in a container, all of them begun before the first ends.
async fn exec(container: &Container) -> Result<String, Failure> {
    let mut execs = JoinSet::new();
    for number in 0..EXECS {
        let container = container.clone();
        execs.spawn(async move {
            let script = format!("echo {number}; echo {number} >&2; exit {}", number % 100);
            let output = container.exec(["sh", "-c", &script]).output().await?;
            let text = format!("{number}\n");
            assert!(output.stdout == *text && output.stderr == *text, "{number}: {output:?}");
            assert_eq!(output.status.code(), number as i64 % 100);
            Ok(1)
        });
    }
    sum(execs).await
}

/// Sends many requests, as many at a time as there are tasks.
async fn request(container: &Container) -> Result<String, Failure> {
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let container = container.clone();
        tasks.spawn(async move {
            let share = REQUESTS / TASKS + usize::from(task < REQUESTS % TASKS);
            for _ in 0..share {
                assert_eq!(container.inspect().await?.id, container.id());
            }
            Ok(share)
        });
    }
    sum(tasks).await
}

/// Waits for all, and adds up what they tell; the first error ends them.
async fn sum(mut tasks: JoinSet<Result<usize, Failure>>) -> Result<String, Failure> {
    let mut sum = 0;
    while let Some(ended) = tasks.join_next().await {
        sum += ended??;
    }
    Ok(sum.to_string())
}

/// Creates, starts, awaits and removes containers at full speed; tells how many.
async fn churn(docker: &Docker, label: &str) -> Result<String, Failure> {
    let (_, case) = label.split_once('=').ok_or("no label")?;
    let run = case.split('/').next().unwrap_or_default();
    let spec = Spec::image(IMAGE).cmd("true").network("none").label(LABEL, run).label(CASE, case);
    let end = Instant::now() + seconds();
    let mut tasks = JoinSet::new();
    for _ in 0..CHURNS {
        let (docker, spec) = (docker.clone(), spec.clone());
        tasks.spawn(async move {
            let mut count = 0;
            while Instant::now() < end {
                let container = docker.containers().create(&spec).await?.container;
                let exit = container.wait(Until::NextExit).await?;
                container.start().await?;
                assert_eq!(exit.await?.code(), 0);
                container.remove().await?;
                count += 1;
            }
            Ok::<u64, longshore::Error>(count)
        });
    }
    let (mut samples, mut count) = (Vec::new(), 0);
    while !tasks.is_empty() {
        tokio::select! {
            Some(ended) = tasks.join_next() => count += ended??,
            () = tokio::time::sleep(Duration::from_millis(200)) => {
                samples.push((descriptors::open()?, memory::resident()?));
            }
        }
    }
    check_flat(&samples)?;
    Ok(format!("{count}"))
}

/// Checks that in the last third of the work no more files were open than in the first, and hardly more memory was taken.
fn check_flat(samples: &[(u64, u64)]) -> Result<(), Failure> {
    let third = samples.len() / 3;
    let most = |samples: &[(u64, u64)]| -> Option<(u64, u64)> {
        Some((samples.iter().map(|sample| sample.0).max()?, samples.iter().map(|sample| sample.1).max()?))
    };
    let (first, last) = (most(&samples[..third]).ok_or("too short")?, most(&samples[samples.len() - third..]));
    let last = last.ok_or("too short")?;
    match last.0 <= first.0 && last.1 <= first.1 + GROWTH {
        true => Ok(()),
        false => Err(format!("files and memory were {first:?} in the first third, {last:?} in the last").into()),
    }
}
