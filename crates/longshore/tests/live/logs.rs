//! Logs that were written, and what is asked of them.

use std::time::{Duration, SystemTime};

use longshore::models::LogConfig;
use longshore::{Container, ErrorKind, Line, OutputStream, Result, Source, Spec};
use longshore_testkit::live::Live;

use crate::harness::{Outcome, Test, test};
use crate::support::refused;

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test(stdout_and_stderr_come_apart),
        test(one_of_both_can_be_had_alone),
        test(a_terminal_has_one_source),
        test(tail_begins_with_the_last_lines),
        test(timestamps_come_before_lines),
        test(since_and_until_are_exact_to_the_nanosecond),
        test(since_and_until_pick_by_time),
        test(details_tell_what_the_driver_was_told_to_keep),
        test(long_lines_arrive_whole),
        test(a_container_that_never_ran_has_no_logs),
        test(the_local_driver_can_be_read),
        test(a_driver_that_keeps_nothing_is_refused),
    ]
}

/// A container that ran this script to its end.
async fn ended(live: &Live, spec: Spec) -> Result<Container> {
    let run = live.containers().run(spec).await?;
    let container = live.container(run.id());
    run.status().await?;
    Ok(container)
}

const SCRIPT: &str = "for i in 1 2 3 4; do echo out $i; sleep 0.02; echo err $i >&2; sleep 0.02; done";

/// A container that has written to both. Which of them comes first in its logs may differ from when it was written.
async fn spoken(live: &Live) -> Result<Container> {
    ended(live, live.spec(["sh", "-c", SCRIPT])).await
}

/// A container that has written the numbers from 1 to 8, one after another.
async fn counted(live: &Live) -> Result<Container> {
    ended(live, live.spec(["sh", "-c", "for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.02; done"])).await
}

async fn lines(output: OutputStream) -> Result<Vec<Line>> {
    let (mut lines, mut all) = (output.lines(), Vec::new());
    while let Some(line) = lines.next().await {
        all.push(line?);
    }
    Ok(all)
}

fn texts(lines: &[Line]) -> Vec<String> {
    lines.iter().map(|line| line.text().into_owned()).collect()
}

async fn stdout_and_stderr_come_apart(live: Live) -> Outcome {
    let container = spoken(&live).await?;
    let lines = lines(container.logs().await?).await?;
    assert_eq!(lines.len(), 8);
    for line in &lines {
        let source = if line.text().starts_with("out") { Source::Stdout } else { Source::Stderr };
        assert_eq!(line.source, source);
    }
    let collected = container.logs().await?.collect().await?;
    assert!(collected.stdout == "out 1\nout 2\nout 3\nout 4\n", "{collected:?}");
    assert!(collected.stderr == "err 1\nerr 2\nerr 3\nerr 4\n", "{collected:?}");
    Ok(())
}

async fn one_of_both_can_be_had_alone(live: Live) -> Outcome {
    let container = ended(&live, live.spec(["sh", "-c", "echo a; echo b; sleep 0.5; echo c >&2"])).await?;
    let stdout = container.logs().stdout_only().await?.collect().await?;
    assert!(stdout.stdout == "a\nb\n" && stdout.stderr.is_empty(), "{stdout:?}");
    let stderr = container.logs().stderr_only().await?.collect().await?;
    assert!(stderr.stderr == "c\n" && stderr.stdout.is_empty(), "{stderr:?}");
    // The tail is counted over both.
    let stdout = container.logs().stdout_only().tail(2).await?.collect().await?;
    assert!(stdout.stdout == "b\n" && stdout.stderr.is_empty(), "{stdout:?}");
    Ok(())
}

async fn a_terminal_has_one_source(live: Live) -> Outcome {
    // It begins with a byte that would begin a frame.
    let script = "printf '\\001\\000\\000\\000\\000\\000\\000\\005'; echo out; echo err >&2";
    let container = ended(&live, live.spec(["sh", "-c", script]).tty()).await?;
    let mut output = container.logs().await?;
    let mut bytes = Vec::new();
    while let Some(chunk) = output.next().await {
        let chunk = chunk?;
        assert_eq!(chunk.source, Source::Terminal);
        bytes.extend_from_slice(&chunk.bytes);
    }
    assert_eq!(bytes, b"\x01\0\0\0\0\0\0\x05out\r\nerr\r\n");
    Ok(())
}

async fn tail_begins_with_the_last_lines(live: Live) -> Outcome {
    let container = counted(&live).await?;
    assert_eq!(texts(&lines(container.logs().tail(3).await?).await?), ["6", "7", "8"]);
    assert_eq!(lines(container.logs().tail(100).await?).await?.len(), 8);
    assert_eq!(lines(container.logs().tail(0).await?).await?, []);
    Ok(())
}

async fn timestamps_come_before_lines(live: Live) -> Outcome {
    let before = SystemTime::now() - Duration::from_secs(5);
    let container = counted(&live).await?;
    let mut lines = lines(container.logs().timestamps().await?).await?;
    let mut last = before;
    for line in &mut lines {
        let time = line.take_timestamp().and_then(|time| time.to_system_time()).expect("a time");
        // Podman tells whole seconds only.
        assert!(if live.engine().is_podman() { time >= last } else { time > last });
        assert!(time < SystemTime::now() + Duration::from_secs(5), "{time:?}");
        last = time;
    }
    assert_eq!(texts(&lines)[..2], ["1", "2"]);
    Ok(())
}

async fn since_and_until_are_exact_to_the_nanosecond(live: Live) -> Outcome {
    let container = counted(&live).await?;
    let mut all = lines(container.logs().timestamps().await?).await?;
    let times: Vec<SystemTime> = all.iter_mut().filter_map(|line| line.take_timestamp()?.to_system_time()).collect();
    assert_eq!(times.len(), 8);
    if live.engine().is_podman() {
        // It does not even tell them; see the next test.
        assert!(all.iter_mut().all(|line| line.take_timestamp().is_none_or(|time| time.subsec_nanos() == 0)));
        return Ok(());
    }
    let nanosecond = Duration::from_nanos(1);
    let since = lines(container.logs().since(times[3]).await?).await?;
    assert_eq!(texts(&since), texts(&all[3..]));
    let since = lines(container.logs().since(times[3] + nanosecond).await?).await?;
    assert_eq!(texts(&since), texts(&all[4..]));
    let until = lines(container.logs().until(times[3]).await?).await?;
    assert_eq!(texts(&until), texts(&all[..4]));
    let until = lines(container.logs().until(times[3] - nanosecond).await?).await?;
    assert_eq!(texts(&until), texts(&all[..3]));
    let both = lines(container.logs().since(times[2]).until(times[5]).await?).await?;
    assert_eq!(texts(&both), texts(&all[2..6]));
    Ok(())
}

async fn since_and_until_pick_by_time(live: Live) -> Outcome {
    let container = ended(&live, live.spec(["sh", "-c", "echo a; sleep 2.1; echo b"])).await?;
    let mut all = lines(container.logs().timestamps().await?).await?;
    let between =
        all[0].take_timestamp().and_then(|time| time.to_system_time()).expect("a time") + Duration::from_secs(1);
    assert_eq!(texts(&lines(container.logs().since(between).await?).await?), ["b"]);
    assert_eq!(texts(&lines(container.logs().until(between).await?).await?), ["a"]);
    Ok(())
}

async fn details_tell_what_the_driver_was_told_to_keep(live: Live) -> Outcome {
    let mut spec = live.spec("echo hi").label("team", "core").env("STAGE", "test");
    spec.host_config.log_config = LogConfig::new("json-file").option("labels", "team").option("env", "STAGE");
    let container = ended(&live, spec).await?;
    let plain = container.logs().await?.collect().await?;
    assert!(plain.stdout == "hi\n", "{plain:?}");
    let detailed = container.logs().details().await?.collect().await?;
    match live.engine().is_podman() {
        true => assert!(detailed.stdout == "hi\n", "{detailed:?}"),
        false => assert!(detailed.stdout == "STAGE=test,team=core hi\n", "{detailed:?}"),
    }
    Ok(())
}

async fn long_lines_arrive_whole(live: Live) -> Outcome {
    let script = "head -c 100000 /dev/zero | tr '\\0' x; printf 'a\\000b\\n'; printf last";
    let container = ended(&live, live.spec(["sh", "-c", script])).await?;
    let collected = container.logs().await?.collect().await?;
    let expected = [&vec![b'x'; 100_000][..], b"a\0b\nlast"].concat();
    assert!(*collected.stdout == *expected, "{} bytes", collected.stdout.len());
    Ok(())
}

async fn a_container_that_never_ran_has_no_logs(live: Live) -> Outcome {
    let container = live.create(live.spec("echo hi")).await?;
    let collected = container.logs().await?.collect().await?;
    assert!(collected.stdout.is_empty() && collected.stderr.is_empty(), "{collected:?}");
    Ok(())
}

async fn the_local_driver_can_be_read(live: Live) -> Outcome {
    let mut spec = live.spec("seq 1 8");
    spec.host_config.log_config = LogConfig::new("local");
    let container = ended(&live, spec).await?;
    let lines = lines(container.logs().tail(2).await?).await?;
    assert_eq!(texts(&lines), ["7", "8"]);
    Ok(())
}

async fn a_driver_that_keeps_nothing_is_refused(live: Live) -> Outcome {
    let mut spec = live.spec("echo hi");
    spec.host_config.log_config = LogConfig::new("none");
    let container = ended(&live, spec).await?;
    let outcome = match container.logs().await {
        Ok(output) => output.collect().await.map(drop),
        Err(error) => Err(error),
    };
    refused(outcome, &[ErrorKind::Unsupported, ErrorKind::Server]);
    Ok(())
}
