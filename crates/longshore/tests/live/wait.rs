//! Waiting for containers to end.

use std::time::Duration;

use longshore::{Container, Deadlines, Docker, ErrorKind, Result, Until};
use longshore_testkit::live::Live;

use crate::harness::{Outcome, Test, test, test_within};
use crate::support::{at_once, forced, refused};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test(what_has_ended_is_told_at_once),
        test(the_next_end_is_told),
        test(removal_is_told),
        test(many_can_wait),
        test(a_wait_can_be_polled_on_after_something_else),
        test(a_wait_ends_at_its_deadline),
        test(a_dropped_wait_ends_nothing),
        test_within(Duration::from_secs(150), two_hundred_that_end_at_once_are_not_missed),
    ]
}

async fn what_has_ended_is_told_at_once(live: Live) -> Outcome {
    let container = live.create(live.spec("sh -c 'exit 3'")).await?;
    let never_ran = container.wait(Until::NotRunning).await?.await?;
    // Podman 4 says mostly -1, and 0 now and then.
    assert!(never_ran.code() == 0 || (live.engine().is_podman() && never_ran.code() == -1), "{never_ran:?}");
    container.start().await?;
    assert_eq!(container.wait(Until::NotRunning).await?.await?.code(), 3);
    assert_eq!(container.wait(Until::NotRunning).await?.await?.code(), 3);
    Ok(())
}

async fn the_next_end_is_told(live: Live) -> Outcome {
    let container = live.create(live.spec(["sh", "-c", "test -f /again && exit 5; touch /again; exit 4"])).await?;
    for code in [4, 5] {
        let exit = container.wait(Until::NextExit).await?;
        container.start().await?;
        assert_eq!(exit.await?.code(), code);
    }
    Ok(())
}

async fn removal_is_told(live: Live) -> Outcome {
    let container = live.start(live.spec("sh -c 'read line; exit 6'").stdin_once()).await?;
    let removed = container.wait(Until::Removed).await?;
    let mut session = container.attach().stdin().await?;
    session.write_all(b"go\n").await?;
    assert_eq!(container.wait(Until::NotRunning).await?.await?.code(), 6);
    container.remove_with(&forced()).await?;
    let status = removed.await?;
    // Podman forgets how it ended.
    assert_eq!(status.code(), if live.engine().is_podman() { 0 } else { 6 });
    Ok(())
}

async fn many_can_wait(live: Live) -> Outcome {
    let container = live.create(live.spec(["sh", "-c", "sleep 0.2; exit 7"])).await?;
    let mut waits = Vec::new();
    for _ in 0..5 {
        waits.push(tokio::spawn(container.wait(Until::NextExit).await?));
    }
    container.start().await?;
    for wait in waits {
        assert_eq!(wait.await??.code(), 7);
    }
    Ok(())
}

async fn a_wait_can_be_polled_on_after_something_else(live: Live) -> Outcome {
    let container = live.start(live.spec("sleep 1000")).await?;
    let mut exit = container.wait(Until::NextExit).await?;
    assert!(tokio::time::timeout(Duration::from_millis(50), &mut exit).await.is_err());
    container.stop_with(&at_once()).await?;
    assert_eq!(exit.await?.code(), 137);
    Ok(())
}

async fn a_wait_ends_at_its_deadline(live: Live) -> Outcome {
    let container = live.start(live.spec("sleep 1000")).await?;
    let hasty = live.with_deadlines(Deadlines::default().total(Duration::from_millis(300)));
    let outcome = async { hasty.container(container.id()).wait(Until::NextExit).await?.await }.await;
    let error = refused(outcome, &[ErrorKind::Timeout]);
    assert_eq!(error.operation(), "wait for container");
    assert!(container.inspect().await?.state.running);
    Ok(())
}

async fn a_dropped_wait_ends_nothing(live: Live) -> Outcome {
    let container = live.start(live.spec("sleep 1000")).await?;
    drop(container.wait(Until::NextExit).await?);
    assert!(container.inspect().await?.state.running);
    Ok(())
}

/// How many end at once, and how many of them at a time.
const COUNT: usize = 200;
const AT_A_TIME: usize = 10;

async fn two_hundred_that_end_at_once_are_not_missed(live: Live) -> Outcome {
    // Each container is started several times: making and removing it costs the engine more than running it.
    let runs = COUNT / AT_A_TIME;
    let mut tasks = Vec::new();
    for number in 0..AT_A_TIME {
        let live = live.clone();
        tasks.push(tokio::spawn(async move { ends_at_once(&live, number, runs).await }));
    }
    let mut told = 0;
    for task in tasks {
        told += task.await??;
    }
    assert_eq!(told, COUNT);
    Ok(())
}

/// Starts a container that may just have ended. Podman 4 clears up after a container some time after its end, and a start
/// at that moment finds its filesystem gone.
async fn start_again(live: &Live, container: &Container) -> Result<()> {
    for _ in 0..50 {
        match container.start().await {
            Err(error) if live.engine().is_podman() && error.message().starts_with("mounting storage") => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            outcome => return outcome.map(drop),
        }
    }
    container.start().await.map(drop)
}

/// Starts a container so many times that ends with `code` at once; tells how often that was heard of.
async fn ends_at_once(live: &Live, code: usize, runs: usize) -> Result<usize> {
    let docker: &Docker = live;
    // Without logs, a container costs the engine least.
    let spec = live.spec(["sh", "-c", &format!("exit {code}")]);
    let container = docker.containers().create(&spec.set("HostConfig.LogConfig.Type", "none")).await?;
    let mut told = 0;
    for run in 0..runs {
        let exit = container.wait(Until::NextExit).await?;
        start_again(live, &container).await?;
        let heard = tokio::time::timeout(Duration::from_secs(20), exit).await;
        let Ok(status) = heard else { panic!("run {run} that ends with {code}: nothing was heard for 20 s") };
        told += usize::from(status?.code() == i64::try_from(code).unwrap_or_default());
    }
    Ok(told)
}
