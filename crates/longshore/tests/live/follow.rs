//! Logs that go on: following them, alone and with many subscribers.

use std::time::Duration;

use longshore::{Chunk, Source};
use longshore::{Container, Delivery, Docker, OutputStream, Result, Subscription};
use longshore_testkit::FaultProxy;
use longshore_testkit::live::Live;

use crate::harness::{Outcome, Test, test};
use crate::support::{at_once, until};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test(following_ends_with_the_container),
        test(sources_stay_apart_while_following),
        test(following_begins_with_the_tail),
        test(following_a_terminal_gives_whole_lines),
        test(a_follow_that_is_dropped_closes_its_connection),
        test(two_subscribers_see_the_same),
        test(a_slow_subscriber_is_told_what_it_lost),
        test(the_last_subscriber_closes_the_connection),
    ]
}

/// A container that says `ready`, then echoes what it is told to standard input, the words after `!` to stderr.
async fn echo(live: &Live, tty: bool) -> Result<Container> {
    let script = "echo ready; while read line; do case $line in !*) echo $line >&2;; *) echo $line;; esac; done";
    let spec = live.spec(["sh", "-c", script]).stdin();
    live.start(if tty { spec.tty() } else { spec }).await
}

/// Reads until `text` has come.
async fn read_until(output: &mut OutputStream, text: &str) -> Result<String> {
    let mut all = Vec::new();
    while let Some(chunk) = output.next().await {
        all.extend_from_slice(&chunk?.bytes);
        if String::from_utf8_lossy(&all).contains(text) {
            return Ok(String::from_utf8_lossy(&all).into_owned());
        }
    }
    panic!("it ended before {text:?} came: {:?}", String::from_utf8_lossy(&all));
}

async fn following_ends_with_the_container(live: Live) -> Outcome {
    let spec = live.spec(["sh", "-c", "echo one; sleep 0.3; echo two; echo three >&2; exit 4"]);
    let container = live.start(spec).await?;
    let collected = container.logs().follow().await?.collect().await?;
    assert!(collected.stdout == "one\ntwo\n" && collected.stderr == "three\n", "{collected:?}");
    let again = container.logs().follow().await?.collect().await?;
    assert_eq!(again, collected);
    Ok(())
}

async fn sources_stay_apart_while_following(live: Live) -> Outcome {
    let container = echo(&live, false).await?;
    let mut lines = container.logs().follow().await?.lines();
    let mut session = container.attach().stdin().without_output().await?;
    let next = async |lines: &mut longshore::Lines| lines.next().await.expect("a line");
    assert_eq!(next(&mut lines).await?.text(), "ready");
    for (word, source) in [("a", Source::Stdout), ("!b", Source::Stderr), ("c", Source::Stdout)] {
        session.write_all(format!("{word}\n").as_bytes()).await?;
        let line = next(&mut lines).await?;
        assert_eq!((line.text().as_ref(), line.source), (word, source));
    }
    container.stop_with(&at_once()).await?;
    assert!(lines.next().await.is_none());
    Ok(())
}

async fn following_begins_with_the_tail(live: Live) -> Outcome {
    let container = live.start(live.spec(["sh", "-c", "seq 1 9; sleep 0.5; seq 10 12"])).await?;
    until("the first lines", || async { Ok(container.logs().await?.collect().await?.stdout.text().contains('9')) })
        .await?;
    let collected = container.logs().follow().tail(2).await?.collect().await?;
    assert!(collected.stdout == "8\n9\n10\n11\n12\n", "{collected:?}");
    Ok(())
}

async fn following_a_terminal_gives_whole_lines(live: Live) -> Outcome {
    let script = "printf 'name? '; read name; echo hi $name";
    let container = live.create(live.spec(["sh", "-c", script]).tty().stdin()).await?;
    let mut session = container.attach().stdin().await?;
    container.start().await?;
    // A terminal shows input as soon as it has come, be it before the question.
    let mut asked = Vec::new();
    while !asked.ends_with(b"name? ") {
        asked.extend_from_slice(&session.next().await.expect("a question")?.bytes);
    }
    let mut output = container.logs().follow().await?;
    session.write_all(b"ann\n").await?;
    assert_eq!(read_until(&mut output, "hi ann\r\n").await?, "name? ann\r\nhi ann\r\n");
    assert!(output.next().await.is_none());
    Ok(())
}

/// A client whose connections are counted.
async fn counted(live: &Live) -> Option<(FaultProxy, Docker)> {
    let proxy = FaultProxy::unix(live.engine().socket()?).await.expect("a socket");
    let docker = Docker::connect_to(proxy.host()).expect("an address");
    Some((proxy, docker))
}

async fn a_follow_that_is_dropped_closes_its_connection(live: Live) -> Outcome {
    let Some((proxy, docker)) = counted(&live).await else { return Ok(()) };
    let container = live.start(live.spec(["sh", "-c", "echo ready; sleep 1000"])).await?;
    let mut output = docker.container(container.id()).logs().follow().await?;
    read_until(&mut output, "ready").await?;
    docker.close();
    until("one connection", || async { Ok(proxy.alive() == 1) }).await?;
    drop(output);
    until("no connection", || async { Ok(proxy.alive() == 0) }).await?;
    assert!(container.inspect().await?.state.running);
    Ok(())
}

async fn all_of(mut subscription: Subscription<Chunk>) -> Result<(String, u64)> {
    let (mut text, mut lost) = (String::new(), 0);
    while let Some(delivery) = subscription.next().await {
        match delivery? {
            Delivery::Item(chunk) => text.push_str(&String::from_utf8_lossy(&chunk.bytes)),
            Delivery::Lagged(count) => lost += count,
        }
    }
    Ok((text, lost))
}

async fn two_subscribers_see_the_same(live: Live) -> Outcome {
    let container = echo(&live, false).await?;
    let fan_out = container.logs().follow().await?.fan_out(1024);
    let (first, second) = (fan_out.subscribe(), fan_out.subscribe());
    let (first, second) = (tokio::spawn(all_of(first)), tokio::spawn(all_of(second)));
    let mut session = container.attach().stdin().without_output().await?;
    session.write_all(b"a\nb\nc\n").await?;
    until("the last line", || async { Ok(container.logs().await?.collect().await?.stdout.text().contains('c')) })
        .await?;
    container.stop_with(&at_once()).await?;
    let expected = ("ready\na\nb\nc\n".to_owned(), 0);
    assert_eq!(first.await??, expected);
    assert_eq!(second.await??, expected);
    assert_eq!(all_of(fan_out.subscribe()).await?, (String::new(), 0));
    Ok(())
}

async fn a_slow_subscriber_is_told_what_it_lost(live: Live) -> Outcome {
    let container = live.start(live.spec("seq 1 500")).await?;
    let fan_out = container.logs().follow().await?.fan_out(16);
    let (mut slow, quick) = (fan_out.subscribe(), fan_out.subscribe());
    let (text, lost_by_quick) = all_of(quick).await?;
    assert!(text.ends_with("500\n"), "{text}");
    // It reads nothing until all has come.
    let first = slow.next().await;
    let Some(Ok(Delivery::Lagged(lost))) = first else { panic!("{first:?}") };
    assert!(lost > 0 && lost >= lost_by_quick, "{lost} {lost_by_quick}");
    let (text, lost) = all_of(slow).await?;
    assert!(text.ends_with("500\n") && lost == 0, "{text} {lost}");
    Ok(())
}

async fn the_last_subscriber_closes_the_connection(live: Live) -> Outcome {
    let Some((proxy, docker)) = counted(&live).await else { return Ok(()) };
    let container = live.start(live.spec(["sh", "-c", "echo ready; sleep 1000"])).await?;
    let fan_out = docker.container(container.id()).logs().follow().await?.fan_out(16);
    docker.close();
    let (first, second) = (fan_out.subscribe(), fan_out.subscribe());
    drop((fan_out, first));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(proxy.alive(), 1);
    drop(second);
    until("no connection", || async { Ok(proxy.alive() == 0) }).await?;
    Ok(())
}
