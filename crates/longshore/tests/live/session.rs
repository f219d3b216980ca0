//! Being connected to further processes in running containers.

use longshore::{ExecSession, Size, Source};
use longshore_testkit::live::Live;

use crate::harness::{Outcome, Test, test};
use crate::support::{text_of, until};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test(input_reaches_the_process_and_its_end_too),
        test(a_terminal_is_resized_while_it_runs),
        test(the_status_comes_after_the_output),
        test(wait_ends_the_input),
        test(the_exec_can_be_waited_for_while_its_output_is_read),
        test(detach_keys_end_the_session),
        test(a_dropped_session_leaves_the_process_running),
        test(many_at_a_time_stay_apart),
    ]
}

async fn input_reaches_the_process_and_its_end_too(live: Live) -> Outcome {
    let mut session = live.shared().await?.exec("sort").stdin().start().await?;
    session.write_all(b"c\na\n").await?;
    session.write_all(b"b\n").await?;
    session.close_stdin().await?;
    let exec = session.exec().clone();
    let output = session.into_output().collect().await?;
    assert!(output.stdout == "a\nb\nc\n" && output.stderr.is_empty(), "{output:?}");
    assert!(exec.wait().await?.success());
    Ok(())
}

/// Reads until `end` has come.
async fn read(session: &mut ExecSession, end: &str) -> longshore::Result<String> {
    let mut text = String::new();
    while !text.contains(end) {
        let Some(chunk) = session.next().await else { panic!("it ended before {end:?} came: {text:?}") };
        text.push_str(&String::from_utf8_lossy(&chunk?.bytes));
    }
    Ok(text)
}

async fn a_terminal_is_resized_while_it_runs(live: Live) -> Outcome {
    let script = "printf '> '; read line; stty size; tty; exit 7";
    let mut session = live.shared().await?.exec(["sh", "-c", script]).tty().stdin().start().await?;
    assert_eq!(read(&mut session, "> ").await?, "> ");
    session.resize(Size { rows: 40, columns: 120 }).await?;
    session.write_all(b"go\n").await?;
    let exec = session.exec().clone();
    let mut text = String::new();
    while let Some(chunk) = session.next().await {
        let chunk = chunk?;
        assert_eq!(chunk.source, Source::Terminal);
        text.push_str(&String::from_utf8_lossy(&chunk.bytes));
    }
    assert!(text.contains("40 120\r\n/dev/pts/"), "{text:?}");
    assert_eq!(exec.wait().await?.code(), 7);
    Ok(())
}

async fn the_status_comes_after_the_output(live: Live) -> Outcome {
    let mut session = live.shared().await?.exec(["sh", "-c", "echo a; sleep 0.2; echo b >&2; exit 9"]).start().await?;
    let exec = session.exec().clone();
    let mut seen = Vec::new();
    while let Some(chunk) = session.next().await {
        let chunk = chunk?;
        seen.push((chunk.source, String::from_utf8_lossy(&chunk.bytes).into_owned()));
    }
    seen.sort();
    assert_eq!(seen, [(Source::Stdout, "a\n".to_owned()), (Source::Stderr, "b\n".to_owned())]);
    assert_eq!(exec.wait().await?.code(), 9);
    Ok(())
}

async fn wait_ends_the_input(live: Live) -> Outcome {
    let mut session = live.shared().await?.exec(["sh", "-c", "wc -l >/dev/null; exit 5"]).stdin().start().await?;
    session.write_all(b"a\nb\n").await?;
    assert_eq!(session.wait().await?.code(), 5);
    Ok(())
}

async fn the_exec_can_be_waited_for_while_its_output_is_read(live: Live) -> Outcome {
    let session = live.shared().await?.exec(["sh", "-c", "seq 1 1000; exit 8"]).start().await?;
    let exec = session.exec().clone();
    let output = session.into_output();
    let (status, output) = tokio::join!(exec.wait(), output.collect());
    assert_eq!(status?.code(), 8);
    assert_eq!(output?.stdout.text().lines().count(), 1000);
    Ok(())
}

async fn detach_keys_end_the_session(live: Live) -> Outcome {
    let container = live.start(live.spec("sleep 1000")).await?;
    let exec = container.exec(["sh", "-c", "echo ready; cat"]).tty().stdin().detach_keys("ctrl-a,x");
    let mut session = exec.start().await?;
    read(&mut session, "ready\r\n").await?;
    let inspect = session.exec().inspect().await?;
    assert!(inspect.running && !inspect.detach_keys.is_empty(), "{inspect:?}");
    if live.engine().is_podman() {
        // Podman takes the keys and does not heed them.
        return Ok(());
    }
    session.write_all(b"\x01x").await?;
    read(&mut session, "escape sequence\r\n").await?;
    assert!(session.next().await.is_none());
    Ok(())
}

async fn a_dropped_session_leaves_the_process_running(live: Live) -> Outcome {
    let container = live.start(live.spec("sleep 1000")).await?;
    let script = "echo ready; sleep 0.3; echo done >/file; exit 6";
    let mut session = container.exec(["sh", "-c", script]).start().await?;
    read(&mut session, "ready").await?;
    let exec = session.exec().clone();
    drop(session);
    assert!(exec.inspect().await?.running);
    until("the end of the process", || async { Ok(text_of(&container, "cat /file").await? == "done\n") }).await?;
    assert_eq!(exec.wait().await?.code(), 6);
    Ok(())
}

async fn many_at_a_time_stay_apart(live: Live) -> Outcome {
    let shared = live.shared().await?;
    let tasks: Vec<_> = (0..8)
        .map(|number| {
            let script = format!("for i in $(seq 1 200); do echo {number} $i; done; exit {number}");
            tokio::spawn(shared.exec(["sh".to_owned(), "-c".to_owned(), script]).output())
        })
        .collect();
    for (number, task) in tasks.into_iter().enumerate() {
        let out = task.await??;
        let expected: String = (1..=200).map(|line| format!("{number} {line}\n")).collect();
        assert!(out.stdout == expected.as_str() && out.stderr.is_empty(), "{number}: {out:?}");
        assert_eq!(out.status.code(), i64::try_from(number)?);
    }
    Ok(())
}
