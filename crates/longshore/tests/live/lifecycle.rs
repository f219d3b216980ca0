//! Starting, stopping, killing, pausing, renaming and removing containers.

use std::time::{Duration, Instant};

use longshore::container::{KillOptions, RemoveOptions, RestartOptions, StartOptions, StopOptions};
use longshore::{Container, ContainerState, ErrorKind, Mount, Result, Spec, Transition, Until};
use longshore_testkit::live::Live;

use crate::harness::{Outcome, Test, test};
use crate::support::{at_once, forced, refused, until};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test(starting_and_stopping_tell_whether_anything_changed),
        test(a_command_that_does_not_exist_can_not_be_started),
        test(stop_asks_before_it_kills),
        test(stop_kills_when_the_grace_is_over),
        test(stop_asks_with_the_signal_that_it_is_told),
        test(restart_stops_and_starts),
        test(restart_takes_a_grace),
        test(restart_takes_a_signal),
        test(kill_kills_or_sends_a_signal),
        test(an_unknown_signal_is_refused),
        test(what_does_not_run_can_not_be_killed),
        test(pausing_twice_is_a_conflict),
        test(renaming_moves_the_name),
        test(removing_what_runs_needs_force),
        test(anonymous_volumes_go_on_demand),
        test(detach_keys_are_taken_at_the_start),
    ]
}

/// A command that ends with `code` when it is sent `signal`.
fn trap(signal: &str, code: u8) -> [String; 3] {
    let script = format!("trap 'exit {code}' {signal}; echo ready; while true; do sleep 0.05; done");
    ["sh".to_owned(), "-c".to_owned(), script]
}

async fn trapping(live: &Live, signal: &str, code: u8) -> Result<Container> {
    ready(live, live.spec(trap(signal, code))).await
}

/// Starts a container and waits until it has set its trap.
async fn ready(live: &Live, spec: Spec) -> Result<Container> {
    let container = live.start(spec).await?;
    until("ready", || async { Ok(container.logs().await?.collect().await?.stdout == "ready\n") }).await?;
    Ok(container)
}

async fn exit_code(container: &Container) -> Result<i64> {
    Ok(container.wait(Until::NotRunning).await?.await?.code())
}

async fn starting_and_stopping_tell_whether_anything_changed(live: Live) -> Outcome {
    let container = live.create(live.spec("sleep 1000")).await?;
    assert_eq!(container.start().await?, Transition::Changed);
    assert_eq!(container.start().await?, Transition::Unchanged);
    assert_eq!(container.stop_with(&at_once()).await?, Transition::Changed);
    assert_eq!(container.stop().await?, Transition::Unchanged);
    assert_eq!(container.start().await?, Transition::Changed);
    Ok(())
}

async fn a_command_that_does_not_exist_can_not_be_started(live: Live) -> Outcome {
    let container = live.create(live.spec("/no/such/command")).await?;
    let error = refused(container.start().await, &[ErrorKind::Invalid, ErrorKind::NotFound, ErrorKind::Server]);
    assert!(error.message().contains("/no/such/command"), "{error}");
    assert!(!container.inspect().await?.state.running);
    Ok(())
}

async fn stop_asks_before_it_kills(live: Live) -> Outcome {
    let container = trapping(&live, "TERM", 7).await?;
    let began = Instant::now();
    assert_eq!(container.stop().await?, Transition::Changed);
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    // Podman grants no time to a container that was made without one.
    assert_eq!(exit_code(&container).await?, if live.engine().is_podman() { 137 } else { 7 });
    let patient = ready(&live, live.spec(trap("TERM", 7)).stop_timeout(Duration::from_secs(30))).await?;
    patient.stop().await?;
    assert_eq!(exit_code(&patient).await?, 7);
    let granted = trapping(&live, "TERM", 7).await?;
    granted.stop_with(&StopOptions::default().grace(Duration::from_secs(30))).await?;
    assert_eq!(exit_code(&granted).await?, 7);
    Ok(())
}

async fn stop_kills_when_the_grace_is_over(live: Live) -> Outcome {
    let container = live.start(live.spec(["sh", "-c", "trap '' TERM; sleep 1000"])).await?;
    let began = Instant::now();
    container.stop_with(&StopOptions::default().grace(Duration::from_millis(600))).await?;
    // Part of a second is granted as a whole one.
    assert!(began.elapsed() >= Duration::from_millis(900), "{:?}", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    assert_eq!(exit_code(&container).await?, 137);
    Ok(())
}

async fn stop_asks_with_the_signal_that_it_is_told(live: Live) -> Outcome {
    let container = trapping(&live, "INT", 9).await?;
    let stopped = container.stop_with(&StopOptions::default().signal("SIGINT")).await?;
    assert_eq!(stopped, Transition::Changed);
    assert_eq!(exit_code(&container).await?, 9);
    Ok(())
}

async fn restart_stops_and_starts(live: Live) -> Outcome {
    let container = trapping(&live, "TERM", 0).await?;
    let before = container.inspect().await?.state.clone();
    container.restart().await?;
    let after = container.inspect().await?.state.clone();
    assert_eq!(after.status, ContainerState::Running);
    assert!(after.pid != before.pid && after.started_at != before.started_at, "{before:?} {after:?}");
    container.stop_with(&at_once()).await?;
    container.restart().await?;
    assert!(container.inspect().await?.state.running);
    Ok(())
}

async fn restart_takes_a_grace(live: Live) -> Outcome {
    let container = live.start(live.spec("sleep 1000")).await?;
    let began = Instant::now();
    container.restart_with(&RestartOptions::default().grace(Duration::ZERO)).await?;
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    Ok(())
}

async fn restart_takes_a_signal(live: Live) -> Outcome {
    let container = trapping(&live, "INT", 9).await?;
    let exit = container.wait(Until::NextExit).await?;
    container.restart_with(&RestartOptions::default().signal("SIGINT")).await?;
    assert_eq!(exit.await?.code(), 9);
    assert!(container.inspect().await?.state.running);
    Ok(())
}

async fn kill_kills_or_sends_a_signal(live: Live) -> Outcome {
    let container = trapping(&live, "HUP", 4).await?;
    assert_eq!(code_after(&container, "SIGHUP").await?, 4);
    let container = live.start(live.spec("sleep 1000")).await?;
    let exit = container.wait(Until::NextExit).await?;
    container.kill().await?;
    assert_eq!(exit.await?.code(), 137);
    let container = trapping(&live, "USR1", 5).await?;
    assert_eq!(code_after(&container, "10").await?, 5);
    Ok(())
}

/// Sends a signal that ends the container, and tells its exit code. On a busy machine the signal may not reach the trap,
/// so a container that runs on is sent it again; but one that has ended must have been heard of.
async fn code_after(container: &Container, signal: &str) -> Result<i64> {
    let mut exit = container.wait(Until::NextExit).await?;
    loop {
        container.kill_with(&KillOptions::default().signal(signal)).await?;
        match tokio::time::timeout(Duration::from_secs(5), &mut exit).await {
            Ok(status) => return Ok(status?.code()),
            Err(_) if container.inspect().await?.state.running => {}
            Err(_) => {
                let status = tokio::time::timeout(Duration::from_secs(5), exit).await;
                return Ok(status.expect("the end of the container is told")?.code());
            }
        }
    }
}

async fn an_unknown_signal_is_refused(live: Live) -> Outcome {
    let shared = live.shared().await?;
    let error = refused(
        shared.kill_with(&KillOptions::default().signal("SIGNOTHING")).await,
        &[ErrorKind::Invalid, ErrorKind::Server],
    );
    assert!(error.message().to_lowercase().contains("signal"), "{error}");
    Ok(())
}

async fn what_does_not_run_can_not_be_killed(live: Live) -> Outcome {
    let container = live.create(live.spec("true")).await?;
    refused(container.kill().await, &[ErrorKind::Conflict]);
    Ok(())
}

async fn pausing_twice_is_a_conflict(live: Live) -> Outcome {
    let container = live.start(live.spec("sleep 1000")).await?;
    refused(container.unpause().await, &[ErrorKind::Conflict, ErrorKind::Server]);
    container.pause().await?;
    let second = container.pause().await;
    container.unpause().await?;
    refused(second, &[ErrorKind::Conflict]);
    assert!(container.inspect().await?.state.running);
    container.stop_with(&at_once()).await?;
    refused(container.pause().await, &[ErrorKind::Conflict]);
    Ok(())
}

async fn renaming_moves_the_name(live: Live) -> Outcome {
    let container = live.create(live.spec("true")).await?;
    let before = container.inspect().await?.name().to_owned();
    let after = live.name();
    container.rename(&after).await?;
    assert_eq!(container.inspect().await?.name(), after);
    assert_eq!(live.container(&after).inspect().await?.id, container.id());
    refused(live.container(&before).inspect().await, &[ErrorKind::NotFound]);
    let other = live.create(live.spec("true")).await?;
    let taken = other.rename(&after).await;
    refused(taken, &[ErrorKind::Conflict]);
    refused(other.rename("no good!").await, &[ErrorKind::Invalid, ErrorKind::Server]);
    Ok(())
}

async fn removing_what_runs_needs_force(live: Live) -> Outcome {
    let container = live.start(live.spec("sleep 1000")).await?;
    refused(container.remove().await, &[ErrorKind::Conflict]);
    assert!(container.inspect().await?.state.running);
    container.remove_with(&forced()).await?;
    refused(container.inspect().await, &[ErrorKind::NotFound]);
    let container = live.create(live.spec("true")).await?;
    container.remove().await?;
    refused(container.remove().await, &[ErrorKind::NotFound]);
    Ok(())
}

async fn anonymous_volumes_go_on_demand(live: Live) -> Outcome {
    let volume_of = async |options: &RemoveOptions| -> Result<String> {
        let container = live.create(live.spec("true").mount(Mount::volume("", "/data"))).await?;
        let inspect = container.inspect().await?;
        let mount = inspect.mounts.iter().find(|mount| mount.destination == "/data").expect("a volume");
        let name = mount.name.clone();
        container.remove_with(options).await?;
        Ok(name)
    };
    let gone = volume_of(&RemoveOptions::default().volumes()).await?;
    assert_eq!(live.engine().call("GET", &format!("/v1.41/volumes/{gone}")).await?.0, 404);
    let kept = volume_of(&RemoveOptions::default()).await?;
    assert_eq!(live.engine().call("GET", &format!("/v1.41/volumes/{kept}")).await?.0, 200);
    assert_eq!(live.engine().call("DELETE", &format!("/v1.41/volumes/{kept}")).await?.0, 204);
    Ok(())
}

async fn detach_keys_are_taken_at_the_start(live: Live) -> Outcome {
    let container = live.create(live.spec("cat").tty().stdin()).await?;
    let started = container.start_with(&StartOptions::default().detach_keys("ctrl-a,x")).await?;
    assert_eq!(started, Transition::Changed);
    Ok(())
}
