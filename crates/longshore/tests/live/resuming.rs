//! Logs and events that go on where their connection was lost.

use std::collections::HashMap;
use std::time::Duration;

use longshore::container::{KillOptions, RestartOptions};
use longshore::models::{EventAction, LogConfig};
use longshore::{
    Container, Docker, ErrorKind, EventsOptions, Line, Missed, ResumeLogs, Resumed, Resuming, ResumingLines, Source,
};
use longshore_testkit::gateway::{Forwarding, Gateway};
use longshore_testkit::live::{Ending, Live, Survival};
use longshore_testkit::{Direction, FaultProxy, Faults, tally};
use tokio::sync::watch;

use crate::harness::{Outcome, Test, restart_test, test, test_within};
use crate::support::{at_once, refused};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test_within(Duration::from_secs(180), followed_lines_survive_one_loss_after_another),
        test(lines_of_both_sources_survive),
        test(lines_of_a_terminal_survive),
        test(long_lines_survive),
        test(a_restart_of_the_container_is_followed_on),
        test(rotated_logs_are_told),
        test(a_tail_goes_on),
        test(a_removed_container_is_not_found),
        test(events_survive_one_loss_after_another),
        test(a_proxy_that_ends_what_is_silent_is_outlived),
        restart_test(lines_survive_an_engine_that_is_killed),
        restart_test(lines_survive_an_engine_that_is_asked_to_end),
        restart_test(containers_that_the_next_engine_starts_again_are_followed_on),
        restart_test(events_that_a_killed_engine_forgot_are_told),
    ]
}

/// An engine behind a proxy that loses connections.
async fn lossy(live: &Live) -> Result<(FaultProxy, Docker), Box<dyn std::error::Error + Send + Sync>> {
    let socket = live.engine().socket().ok_or("the engine has no unix socket")?;
    let proxy = FaultProxy::tcp(socket).await?;
    let docker = Docker::connect_to(proxy.host())?;
    Ok((proxy, docker))
}

/// Loses the next connections after so many bytes of what the engine sends, in one way or another.
fn lose_after(proxy: &FaultProxy, bytes: u64) {
    let to_client = match bytes % 2 {
        0 => Direction { cut_after: Some(bytes), ..Direction::default() },
        _ => Direction { reset_after: Some(bytes), ..Direction::default() },
    };
    proxy.set(Faults { to_client, ..Faults::default() });
}

fn resuming(docker: &Docker, container: &Container) -> ResumeLogs {
    let logs = docker.container(container.id()).logs().follow();
    logs.resuming().pauses(Duration::from_millis(5), Duration::from_secs(1))
}

/// Counts what comes against the numbers that are expected, one after another.
#[derive(Default)]
struct Count {
    next: u64,
    lost: u64,
    duplicated: u64,
    resumed: Vec<Resumed>,
}

impl Count {
    fn add(&mut self, line: &Line) {
        let number: u64 = line.text().trim().parse().unwrap_or_else(|_| panic!("no number: {line:?}"));
        if number < self.next {
            self.duplicated += 1;
        } else {
            self.lost += number - self.next;
            self.next = number + 1;
        }
    }

    fn check(&self, expected: u64) {
        tally("resuming", "connections lost", self.resumed.len() as u64);
        tally("resuming", "lines expected", expected);
        tally("resuming", "lines lost", self.lost + expected.saturating_sub(self.next));
        tally("resuming", "lines duplicated", self.duplicated);
        assert_eq!((self.next, self.lost, self.duplicated), (expected, 0, 0), "lines, lost and duplicated ones");
        assert!(self.resumed.iter().all(|told| told.missed == Missed::Nothing), "{:?}", self.resumed);
    }
}

/// Where the first connection is lost: engines whose answers don't tell of terminals are asked to inspect first.
const FIRST: u64 = 9_000;

/// How many lines a container writes: on three engines, more than a million.
const MANY: u64 = 350_000;

/// The same for Podman, which can't be asked for a part of a second, and sends slowly.
const MANY_OF_A_SECOND: u64 = 50_000;

async fn followed_lines_survive_one_loss_after_another(live: Live) -> Outcome {
    let (proxy, docker) = lossy(&live).await?;
    let (many, mut after, step) = match live.engine().is_podman() {
        true => (MANY_OF_A_SECOND, 500_000, 9_500_000),
        false => (MANY, 5_000_000, 9_973),
    };
    let container = live.start(live.spec(["seq", "0", &(many - 1).to_string()])).await?;
    lose_after(&proxy, after);
    let call = match live.engine().is_podman() {
        // Whoever follows many lines, Podman 4 gives some of them, and in another order.
        true => {
            container.wait(longshore::Until::NotRunning).await?.await?;
            docker.container(container.id()).logs().resuming()
        }
        false => resuming(&docker, &container),
    };
    let mut lines = call.lines().await?;
    after += step;
    lose_after(&proxy, after);
    let mut count = Count::default();
    while let Some(item) = lines.next().await {
        match item? {
            Resuming::Item(line) => count.add(&line),
            Resuming::Resumed(resumed) => {
                count.resumed.push(resumed);
                after += step;
                lose_after(&proxy, after);
            }
        }
    }
    println!("{}: {many} lines came over {} lost connections", live.engine().name(), count.resumed.len());
    assert!(!count.resumed.is_empty(), "no connection was lost");
    count.check(many);
    Ok(())
}

/// By how much longer each connection lasts than the one before: on Podman, all lines of a second have to fit.
fn step(live: &Live, bytes: u64) -> u64 {
    if live.engine().is_podman() { 1_000_000 } else { bytes }
}

/// Reads all, and checks that nothing was missed; loses a connection at every so many bytes.
async fn all(proxy: &FaultProxy, call: ResumeLogs, step: u64) -> longshore::Result<Vec<Line>> {
    let mut after = FIRST;
    lose_after(proxy, after);
    let mut lines: ResumingLines = call.lines().await?;
    after += step;
    lose_after(proxy, after);
    let (mut all, mut losses) = (Vec::new(), 0);
    while let Some(item) = lines.next().await {
        match item? {
            Resuming::Item(line) => all.push(line),
            Resuming::Resumed(resumed) => {
                assert_eq!(resumed.missed, Missed::Nothing, "{resumed:?} after {} lines", all.len());
                losses += 1;
                after += step;
                lose_after(proxy, after);
            }
        }
    }
    tally("resuming", "connections lost", losses);
    assert!(losses > 0, "no connection was lost");
    Ok(all)
}

async fn lines_of_both_sources_survive(live: Live) -> Outcome {
    let (proxy, docker) = lossy(&live).await?;
    let script =
        "seq 1 400 & seq 1001 1400 >&2; wait; sleep 1.1; for i in 1 2 3 4 5; do echo again; echo again >&2; done";
    let container = live.start(live.spec(["sh", "-c", script])).await?;
    let lines = all(&proxy, resuming(&docker, &container), step(&live, 2_511)).await?;
    compare(&lines, &read_all(&container).await?);
    assert_eq!(lines.iter().filter(|line| line.source == Source::Stderr).count(), 405);
    // Not followed, it is the same.
    docker.close();
    let logs =
        docker.container(container.id()).logs().resuming().pauses(Duration::from_millis(5), Duration::from_secs(1));
    assert_eq!(all(&proxy, logs, step(&live, 997)).await?, lines);
    Ok(())
}

async fn lines_of_a_terminal_survive(live: Live) -> Outcome {
    let (proxy, docker) = lossy(&live).await?;
    let script = "seq 1 200; head -c 40000 /dev/zero | tr '\\0' x; echo; seq 1 200; printf '$ '";
    let container = live.start(live.spec(["sh", "-c", script]).tty()).await?;
    let lines = all(&proxy, resuming(&docker, &container), step(&live, 5_003)).await?;
    compare(&lines, &read_all(&container).await?);
    assert!(lines.iter().any(|line| line.bytes.len() == 40_000), "no long line");
    Ok(())
}

async fn long_lines_survive(live: Live) -> Outcome {
    let (proxy, docker) = lossy(&live).await?;
    let script = "for i in 1 2 3 4; do head -c 70000 /dev/zero | tr '\\0' x; echo $i; done; printf last";
    let container = live.start(live.spec(["sh", "-c", script])).await?;
    let lines = all(&proxy, resuming(&docker, &container), step(&live, 30_011)).await?;
    compare(&lines, &read_all(&container).await?);
    assert_eq!(lines.iter().map(|line| line.bytes.len()).collect::<Vec<_>>(), [70_001, 70_001, 70_001, 70_001, 4]);
    Ok(())
}

async fn a_restart_of_the_container_is_followed_on(live: Live) -> Outcome {
    let mut spec = live.spec(["sh", "-c", "echo up; sleep 0.3; exit 1"]);
    spec.host_config.restart_policy = longshore::RestartPolicy::on_failure(2);
    let container = live.start(spec).await?;
    let mut lines = container.logs().follow().resuming().lines().await?;
    let mut ups = 0;
    while let Some(item) = lines.next().await {
        ups += usize::from(item?.item().is_some_and(|line| line.text() == "up"));
    }
    match live.engine().is_podman() {
        // Between two runs it says that the container has ended.
        true => assert!((1..=3).contains(&ups), "{ups}"),
        false => assert_eq!(ups, 3),
    }
    Ok(())
}

async fn rotated_logs_are_told(live: Live) -> Outcome {
    let (proxy, docker) = lossy(&live).await?;
    let mut spec = live.spec(["sh", "-c", "echo first; read go; seq 1 60000; sleep 1000"]).stdin();
    spec.host_config.log_config = match live.engine().is_podman() {
        true => LogConfig::new("k8s-file").option("max-size", "100k"),
        false => LogConfig::new("json-file").option("max-size", "100k").option("max-file", "2"),
    };
    let container = live.start(spec).await?;
    let mut lines = resuming(&docker, &container).attempts(u32::MAX).lines().await?;
    let first = lines.next().await.expect("a line")?.item().expect("a line");
    assert_eq!(first.text(), "first");
    let held = proxy.host();
    drop(proxy);
    let mut session = container.attach().stdin().without_output().await?;
    session.write_all(b"go\n").await?;
    crate::support::until("the last line", || async {
        // Podman 4 fails at a line that is just being written.
        let last = async { container.logs().tail(1).await?.collect().await };
        Ok(last.await.is_ok_and(|last| last.stdout.text().contains("60000")))
    })
    .await?;
    // The same address leads to the engine again.
    let listener = std::net::TcpListener::bind(held.trim_start_matches("tcp://"))?;
    let _proxy = FaultProxy::over(listener, live.engine().socket().expect("a socket"))?;
    let Resuming::Resumed(resumed) = lines.next().await.expect("an interruption")? else { panic!("it is not told") };
    assert_eq!(resumed.missed, Missed::Unknown);
    assert!(lines.next().await.expect("a line").is_ok());
    container.stop_with(&at_once()).await?;
    Ok(())
}

async fn a_tail_goes_on(live: Live) -> Outcome {
    let (proxy, docker) = lossy(&live).await?;
    let container = live.start(live.spec(["sh", "-c", "seq 1 9; read go; seq 10 500"]).stdin()).await?;
    crate::support::until("the first lines", || async {
        Ok(container.logs().await?.collect().await?.stdout.text().contains('9'))
    })
    .await?;
    // Where times are told by the second, lines of the tail's first second can't be told apart for certain.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    for (tail, first) in [(3, 7), (0, 10)] {
        lose_after(&proxy, FIRST);
        let logs = docker.container(container.id()).logs().follow().tail(tail);
        let mut lines = logs.resuming().pauses(Duration::from_millis(5), Duration::from_secs(1)).lines().await?;
        lose_after(&proxy, FIRST + step(&live, 1));
        if tail == 0 {
            let mut session = container.attach().stdin().without_output().await?;
            session.write_all(b"go\n").await?;
        }
        let (mut numbers, mut losses) = (Vec::new(), 0_u64);
        while numbers.len() < 3 || tail == 0 {
            let Some(item) = lines.next().await else { break };
            match item? {
                Resuming::Item(line) => numbers.push(line.text().parse::<u64>()?),
                Resuming::Resumed(_) => {
                    losses += 1;
                    lose_after(&proxy, 2_000 + losses * step(&live, 2_003));
                }
            }
        }
        let last = if tail == 0 { 500 } else { 9 };
        assert_eq!(numbers, (first..=last).collect::<Vec<u64>>());
    }
    Ok(())
}

async fn a_removed_container_is_not_found(live: Live) -> Outcome {
    let (proxy, docker) = lossy(&live).await?;
    let container = live.start(live.spec(["sh", "-c", "echo hi; sleep 1000"])).await?;
    let mut lines = resuming(&docker, &container).attempts(u32::MAX).lines().await?;
    assert!(lines.next().await.expect("a line").is_ok());
    let held = proxy.host();
    drop(proxy);
    container.remove_with(&longshore::RemoveOptions::default().force()).await?;
    let listener = std::net::TcpListener::bind(held.trim_start_matches("tcp://"))?;
    let _proxy = FaultProxy::over(listener, live.engine().socket().expect("a socket"))?;
    refused(lines.next().await.expect("an error"), &[ErrorKind::NotFound]);
    assert!(lines.next().await.is_none());
    Ok(())
}

async fn events_survive_one_loss_after_another(live: Live) -> Outcome {
    const STARTS: usize = 8;
    let (proxy, docker) = lossy(&live).await?;
    let container = live.create(live.spec("true")).await?;
    let options = EventsOptions::default().container(container.id());
    let mut after = 900;
    lose_after(&proxy, after);
    let call = docker.events_with(&options).resuming().pauses(Duration::from_millis(5), Duration::from_secs(1));
    let mut events = call.await?;
    let handle = live.container(container.id());
    let starting = tokio::spawn(async move {
        for _ in 0..STARTS {
            handle.start().await?;
            handle.wait(longshore::Until::NotRunning).await?.await?;
            handle.restart_with(&RestartOptions::default().grace(Duration::ZERO)).await?;
            handle.wait(longshore::Until::NotRunning).await?.await?;
        }
        longshore::Result::<()>::Ok(())
    });
    let (mut starts, mut ends, mut losses) = (0, 0, 0_u64);
    while starts < 2 * STARTS || ends < 2 * STARTS {
        let next = tokio::time::timeout(Duration::from_secs(30), events.next()).await;
        let next = next.map_err(|_| format!("{starts} starts and {ends} ends came over {losses} losses"))?;
        match next.expect("no end yet")? {
            Resuming::Item(event) if event.action == EventAction::Start => starts += 1,
            Resuming::Item(event) if event.action == EventAction::Die => ends += 1,
            Resuming::Item(_) => {}
            Resuming::Resumed(_) => {
                losses += 1;
                after += 613;
                lose_after(&proxy, after);
            }
        }
    }
    starting.await??;
    tally("resuming", "connections lost", losses);
    tally("resuming", "events expected", 4 * STARTS as u64);
    let count = |difference: fn(usize) -> usize| (difference(starts) + difference(ends)) as u64;
    tally("resuming", "events lost", count(|came| (2 * STARTS).saturating_sub(came)));
    tally("resuming", "events duplicated", count(|came| came.saturating_sub(2 * STARTS)));
    assert_eq!((starts, ends), (2 * STARTS, 2 * STARTS));
    assert!(losses > 0, "no connection was lost");
    Ok(())
}

/// How long the proxy waits for something to come.
const PATIENCE: Duration = Duration::from_millis(700);

async fn a_proxy_that_ends_what_is_silent_is_outlived(live: Live) -> Outcome {
    let gateway = Gateway::with_patience(live.engine(), Forwarding::Http, PATIENCE).await?;
    let docker = Docker::connect_to(gateway.host())?;
    let pauses = (Duration::from_millis(5), PATIENCE / 2);
    let container = live.create(live.spec(["sh", "-c", "for line in 1 2 3; do sleep 2; echo $line; done"])).await?;
    let options = EventsOptions::default().container(container.id());
    let mut events = docker.events_with(&options).resuming().pauses(pauses.0, pauses.1).await?;
    container.start().await?;
    let logs = docker.container(container.id()).logs().follow();
    let mut lines = logs.resuming().pauses(pauses.0, pauses.1).lines().await?;
    let (mut texts, mut losses) = (String::new(), 0);
    while let Some(item) = lines.next().await {
        match item? {
            Resuming::Item(line) => texts.push_str(&line.text()),
            Resuming::Resumed(resumed) => {
                assert_eq!(resumed.missed, Missed::Nothing, "{resumed:?} after {texts}");
                losses += 1;
            }
        }
    }
    assert!(texts == "123" && losses >= 3, "{texts} came over {losses} losses");
    let (mut actions, mut gaps) = (Vec::new(), 0);
    while actions.last() != Some(&EventAction::Die) {
        match events.next().await.expect("no end")? {
            Resuming::Item(event) => actions.push(event.action),
            // Without an event that came before, an engine can't tell that none is missing.
            Resuming::Resumed(_) => gaps += 1,
        }
    }
    let of = |action| actions.iter().filter(|told| **told == action).count();
    assert!(of(EventAction::Start) == 1 && of(EventAction::Die) == 1 && gaps > 0, "{actions:?} over {gaps} losses");
    tally("resuming", "connections lost", losses + gaps);
    Ok(())
}

/// Waits until the engine answers again.
/// Ends the engine, and waits for the next one.
async fn renew(live: &Live, ending: Ending, survive: Survival) -> Outcome {
    live.engine().end(ending, survive).await?;
    Ok(crate::support::until("the engine", || async { Ok(live.ping().await.is_ok()) }).await?)
}

/// Follows a container while its engine ends, so often; what comes must be what is in its logs.
async fn survives(live: &Live, container: &Container, ending: Ending, survive: Survival, times: u64) -> Outcome {
    let mut lines = container.logs().follow().resuming().lines().await?;
    let (mut all, (bursts, mut came)) = (Vec::new(), watch::channel(0));
    let reading = async {
        while let Some(item) = lines.next().await {
            match item? {
                Resuming::Item(line) => {
                    bursts.send_modify(|bursts| *bursts += u64::from(ends_burst(&line)));
                    all.push(line);
                }
                Resuming::Resumed(resumed) => assert_eq!(resumed.missed, Missed::Nothing),
            }
        }
        longshore::Result::<()>::Ok(())
    };
    let killing = async {
        for number in 1..=times {
            came.wait_for(|bursts| *bursts >= number).await?;
            renew(live, ending, survive).await?;
            // Who did not survive begins anew.
            if survive == Survival::Containers {
                container.kill_with(&KillOptions::default().signal("USR1")).await?;
            }
        }
        // It ends at a signal that its script waits for, and is not started again.
        container.stop().await?;
        Outcome::Ok(())
    };
    let (read, killed) = tokio::join!(reading, killing);
    killed?;
    read?;
    let expected = read_all(container).await?;
    let kind = if ending == Ending::Kill { "engine kills" } else { "engine restarts" };
    tally("resuming", kind, times);
    tally("resuming", &format!("lines expected over {kind}"), expected.len() as u64);
    println!("{}: {} lines came over {times} {kind}", live.engine().name(), all.len());
    assert!(expected.len() as u64 >= times * BURST, "{} lines", expected.len());
    compare(&all, &expected);
    Ok(())
}

/// Counts which lines are missing, and which came more often than they are in the logs.
fn compare(lines: &[Line], expected: &[Line]) {
    let mut left = HashMap::<_, i64>::new();
    for line in expected {
        *left.entry((line.source as u8, &line.bytes)).or_default() += 1;
    }
    for line in lines {
        *left.entry((line.source as u8, &line.bytes)).or_default() -= 1;
    }
    let lost: i64 = left.values().filter(|count| **count > 0).sum();
    let duplicated: i64 = -left.values().filter(|count| **count < 0).sum::<i64>();
    tally("resuming", "lines expected", expected.len() as u64);
    tally("resuming", "lines lost", lost.unsigned_abs());
    tally("resuming", "lines duplicated", duplicated.unsigned_abs());
    assert_eq!((lost, duplicated), (0, 0), "lost and duplicated lines");
    assert_eq!(lines, expected);
}

async fn read_all(container: &Container) -> longshore::Result<Vec<Line>> {
    let (mut lines, mut all) = (container.logs().await?.lines(), Vec::new());
    while let Some(line) = lines.next().await {
        all.push(line?);
    }
    Ok(all)
}

/// How many numbers are written at a time: in seven times, more than a million.
const BURST: u64 = 150_000;

/// Writes a burst of numbers when it starts and whenever it is asked to by a signal. An engine that is killed while it
/// writes may leave half a line in its file, and is not able to read that any more.
fn counting() -> [String; 3] {
    let script = format!(
        "trap exit TERM; trap go=1 USR1; i=0; while true; do seq $i $((i + {BURST} - 1)); i=$((i + {BURST})); \
         while [ -z \"$go\" ]; do sleep 0.1; done; go=; done"
    );
    ["sh".to_owned(), "-c".to_owned(), script]
}

fn ends_burst(line: &Line) -> bool {
    line.text().parse().is_ok_and(|number: u64| (number + 1).is_multiple_of(BURST))
}

async fn lines_survive_an_engine_that_is_killed(live: Live) -> Outcome {
    // The engine that runs now has to end first for the next one to let containers live.
    renew(&live, Ending::Kill, Survival::Containers).await?;
    let container = live.start(live.spec(counting())).await?;
    survives(&live, &container, Ending::Kill, Survival::Containers, 4).await
}

async fn lines_survive_an_engine_that_is_asked_to_end(live: Live) -> Outcome {
    renew(&live, Ending::Kill, Survival::Containers).await?;
    let container = live.start(live.spec(counting())).await?;
    survives(&live, &container, Ending::Request, Survival::Containers, 3).await
}

async fn containers_that_the_next_engine_starts_again_are_followed_on(live: Live) -> Outcome {
    renew(&live, Ending::Kill, Survival::Nothing).await?;
    let spec = live.spec(counting()).restart(longshore::RestartPolicy::always());
    let container = live.start(spec).await?;
    survives(&live, &container, Ending::Kill, Survival::Nothing, 3).await
}

async fn events_that_a_killed_engine_forgot_are_told(live: Live) -> Outcome {
    let container = live.create(live.spec("true")).await?;
    let options = EventsOptions::default().container(container.id());
    let mut events = live.events_with(&options).resuming().await?;
    let handle = live.container(container.id());
    handle.start().await?;
    while let Resuming::Item(event) = events.next().await.expect("an event")? {
        if event.action == EventAction::Die {
            break;
        }
    }
    live.engine().end(Ending::Kill, Survival::Nothing).await?;
    tally("resuming", "engine kills", 1);
    let resumed = loop {
        if let Resuming::Resumed(resumed) = events.next().await.expect("no end")? {
            break resumed;
        }
    };
    assert_eq!(resumed.missed, Missed::Unknown);
    assert!(resumed.attempts > 1 && resumed.after > Duration::from_millis(500), "{resumed}");
    handle.start().await?;
    while let Some(item) = events.next().await {
        if item?.item().is_some_and(|event| event.action == EventAction::Die) {
            return Ok(());
        }
    }
    Err("the events have ended".into())
}
