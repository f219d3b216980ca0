//! Waiting until a container is ready.

use std::time::{Duration, Instant};

use longshore::condition::{self, exited, healthy, log_line, log_line_where, port, removed, running};
use longshore::container::RemoveOptions;
use longshore::{Container, Docker, ErrorKind, HealthConfig, Source};
use longshore_testkit::live::Live;

use crate::harness::{Outcome, Test, test};
use crate::support::refused;

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test(a_start_and_an_end_are_seen),
        test(what_is_so_already_is_not_waited_for),
        test(a_removal_is_seen),
        test(a_line_of_one_that_ends_at_once_is_not_missed),
        test(lines_since_the_last_start_count),
        test(health_is_waited_for),
        test(a_port_that_accepts_is_told_from_the_engine_s_proxy),
        test(what_can_not_be_any_more_is_given_up),
        test(the_time_may_be_over),
        test(an_unknown_container_is_not_found),
    ]
}

const SECONDS: Duration = Duration::from_secs(20);

async fn a_start_and_an_end_are_seen(live: Live) -> Outcome {
    let created = live.create(live.spec(["sleep", "0.5"])).await?;
    let started = created.wait_until(running()).within(SECONDS).arm().await?;
    let ended = created.wait_until(exited()).within(SECONDS).arm().await?;
    created.start().await?;
    started.await?;
    ended.await?;
    assert!(!created.inspect().await?.state.running);
    Ok(())
}

async fn what_is_so_already_is_not_waited_for(live: Live) -> Outcome {
    let shared = live.shared().await?;
    shared.wait_until(running().and(!exited())).within(SECONDS).await?;
    Ok(())
}

async fn a_removal_is_seen(live: Live) -> Outcome {
    let container = live.start(live.spec(["sleep", "1000"])).await?;
    let gone = container.wait_until(removed()).within(SECONDS).arm().await?;
    container.remove_with(&RemoveOptions::default().force()).await?;
    gone.await?;
    Ok(())
}

async fn a_line_of_one_that_ends_at_once_is_not_missed(live: Live) -> Outcome {
    let created = live.create(live.spec(["sh", "-c", "echo one; echo two >&2"])).await?;
    let of_stderr = log_line_where(|line| line.source == Source::Stderr && line.bytes == "two");
    let ready = created.wait_until(log_line("one").and(of_stderr)).within(SECONDS).arm().await?;
    created.start().await?;
    ready.await?;
    Ok(())
}

async fn lines_since_the_last_start_count(live: Live) -> Outcome {
    let script = "test -e /again && echo again || echo first; touch /again; sleep 1000";
    let container = live.start(live.spec(["sh", "-c", script])).await?;
    container.wait_until(log_line("first")).within(SECONDS).await?;
    container.wait_until(log_line("first")).within(SECONDS).await?;
    let ready = container.wait_until(log_line("again")).within(SECONDS).arm().await?;
    // Engines know starts to the second at worst.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    container.restart_with(&longshore::RestartOptions::default().grace(Duration::ZERO)).await?;
    ready.await?;
    Ok(())
}

async fn health_is_waited_for(live: Live) -> Outcome {
    let check = HealthConfig::shell("test -e /healthy").interval(Duration::from_millis(100)).retries(1000);
    let script = "sleep 0.5; touch /healthy; sleep 1000";
    let created = live.create(live.spec(["sh", "-c", script]).health(check)).await?;
    let ready = created.wait_until(healthy()).within(SECONDS).arm().await?;
    created.start().await?;
    ready.await?;
    Ok(())
}

async fn a_port_that_accepts_is_told_from_the_engine_s_proxy(live: Live) -> Outcome {
    let spec = live.connected_spec(["sh", "-c", "sleep 1; echo listening; exec httpd -f -p 8080"]);
    let created = live.create(spec.publish("127.0.0.1::8080")?).await?;
    let (host, id) = (live.engine().host().to_owned(), created.id().to_owned());
    let waiting = move || -> longshore::Result<Duration> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let container = Docker::connect_to(host)?.container(id);
            let ready = container.wait_until(port(8080)).within(SECONDS).arm().await?;
            container.start().await?;
            let started = Instant::now();
            ready.await?;
            Ok(started.elapsed())
        })
    };
    // The port is published in the network of the engine.
    let engine = live.clone();
    let took = tokio::task::spawn_blocking(move || engine.engine().in_its_network(waiting)).await???;
    assert!(took > Duration::from_millis(800), "{took:?}");
    Ok(())
}

async fn what_can_not_be_any_more_is_given_up(live: Live) -> Outcome {
    let created = live.create(live.spec(["sh", "-c", "echo out of luck; exit 3"])).await?;
    for condition in [healthy(), log_line("ready"), running().and(port(80))] {
        let ready = created.wait_until(condition.clone()).within(SECONDS).arm().await?;
        created.start().await?;
        let error = ready.await.expect_err("it has ended");
        assert_eq!(error.kind(), ErrorKind::Conflict, "{condition}: {error}");
        let text = error.to_string();
        assert!(text.contains(&condition.to_string()) && text.contains("\n    out of luck"), "{text}");
        created.wait(longshore::Until::NotRunning).await?.await?;
    }
    Ok(())
}

async fn the_time_may_be_over(live: Live) -> Outcome {
    let container: Container = live.start(live.spec(["sh", "-c", "echo working; sleep 1000"])).await?;
    container.wait_until(log_line("working")).within(SECONDS).await?;
    let ready: condition::Condition = healthy().or(log_line("done"));
    let error = container.wait_until(ready).within(Duration::from_millis(300)).await;
    let error = error.expect_err("it is never done");
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let text = error.to_string();
    assert!(text.contains("it is running") && text.contains("\n    working"), "{text}");
    Ok(())
}

async fn an_unknown_container_is_not_found(live: Live) -> Outcome {
    let waited = live.container("no-such-container").wait_until(running()).within(SECONDS).await;
    refused(waited, &[ErrorKind::NotFound]);
    Ok(())
}
