//! Health checks: what an engine finds, and how it tells it.

use std::time::Duration;

use longshore::container::CommitOptions;
use longshore::models::{EventAction, HealthTest};
use longshore::{Container, EventsOptions, HealthConfig, HealthStatus, Result, Spec};
use longshore_testkit::live::Live;

use crate::harness::{Outcome, Test, test};
use crate::support::until;

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test(a_container_becomes_healthy_and_unhealthy),
        test(failures_are_told_with_what_the_check_wrote),
        test(a_check_of_the_image_can_be_switched_off),
    ]
}

fn check(command: &str) -> HealthConfig {
    HealthConfig::shell(command).interval(Duration::from_millis(100)).timeout(Duration::from_secs(10)).retries(2)
}

async fn has(container: &Container, status: HealthStatus) -> Result<()> {
    until(&format!("health {status}"), async || {
        let told = container.inspect().await?.state.health.clone();
        Ok(told.is_some_and(|health| health.status == status))
    })
    .await
}

/// Podman leaves its checks to systemd, which is not there: they stand in the container, and never run.
async fn never_checked(container: &Container) -> Outcome {
    container.start().await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let told = container.inspect().await?;
    assert_eq!(told.config.healthcheck.as_ref().map(|check| check.retries), Some(2));
    assert!(told.state.health.as_ref().is_none_or(|health| health.log.is_empty()), "{:?}", told.state.health);
    Ok(())
}

async fn a_container_becomes_healthy_and_unhealthy(live: Live) -> Outcome {
    let spec = live.spec(["sh", "-c", "touch /well; sleep 1000"]).health(check("test -e /well"));
    let container = live.create(spec).await?;
    if live.engine().is_podman() {
        return never_checked(&container).await;
    }
    let options = EventsOptions::default().container(container.id()).action(EventAction::HealthStatus);
    let mut events = live.events_with(&options).await?;
    container.start().await?;
    has(&container, HealthStatus::Healthy).await?;
    assert_eq!(events.next().await.ok_or("an event")??.action_detail, "healthy");
    let listed = live.containers().list().await?;
    let listed = listed.iter().find(|listed| listed.id == container.id()).ok_or("it runs")?;
    assert!(listed.status.contains("(healthy)"), "{}", listed.status);

    container.exec("rm /well").output().await?;
    has(&container, HealthStatus::Unhealthy).await?;
    assert_eq!(events.next().await.ok_or("an event")??.action_detail, "unhealthy");
    Ok(())
}

async fn failures_are_told_with_what_the_check_wrote(live: Live) -> Outcome {
    let container = live.create(live.spec("sleep 1000").health(check("echo out of cheese; exit 1"))).await?;
    if live.engine().is_podman() {
        return never_checked(&container).await;
    }
    container.start().await?;
    has(&container, HealthStatus::Unhealthy).await?;
    let health = container.inspect().await?.state.health.clone().ok_or("health")?;
    assert!(health.failing_streak >= 2, "{health:?}");
    let last = health.log.last().ok_or("a check")?;
    assert_eq!((last.exit_code, last.output.as_str()), (1, "out of cheese\n"));
    assert!(last.end.to_system_time() >= last.start.to_system_time() && last.start.to_system_time().is_some());
    Ok(())
}

async fn a_check_of_the_image_can_be_switched_off(live: Live) -> Outcome {
    let image = live.image_name();
    let base = live.create(live.spec("sleep 1000")).await?;
    let options = CommitOptions::default().repository(&image).change("HEALTHCHECK CMD false");
    base.container.commit_with(&options).await?;
    let with = |spec: Spec| live.create(live.labelled(spec).cmd("sleep 1000").network("host"));
    let checked = with(Spec::image(&image)).await?.inspect().await?;
    assert_eq!(
        checked.config.healthcheck.as_ref().map(|check| &check.test),
        Some(&HealthTest::Shell("false".to_owned()))
    );
    let unchecked = with(Spec::image(&image).health(HealthConfig::none())).await?;
    unchecked.start().await?;
    let told = unchecked.inspect().await?;
    assert_eq!(told.config.healthcheck.as_ref().map(|check| &check.test), Some(&HealthTest::None));
    assert!(
        told.state.health.as_ref().is_none_or(|health| health.status == HealthStatus::None),
        "{:?}",
        told.state.health
    );
    Ok(())
}
