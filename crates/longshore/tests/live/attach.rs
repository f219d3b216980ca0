//! Attaching to the main process of containers.

use std::time::Duration;

use longshore::{ErrorKind, Session, Size, Source, Until};
use longshore_testkit::live::Live;

use crate::harness::{Outcome, Test, test};
use crate::support::{refused, text_of, until};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test(nothing_is_missed_when_attached_before_the_start),
        test(input_reaches_the_process_and_its_end_too),
        test(without_stdin_once_the_input_stays_open),
        test(bytes_that_are_no_text_arrive_as_they_are),
        test(one_stream_can_be_left_out),
        test(logs_come_first_on_demand),
        test(logs_alone_end_by_themselves),
        test(a_terminal_is_resized_and_answers_prompts),
        test(detach_keys_end_the_session_and_not_the_container),
        test(input_and_output_go_on_in_different_tasks),
        test(a_dropped_session_leaves_the_container_running),
        test(a_paused_container_is_a_conflict),
        test(resizing_what_does_not_run_is_refused),
    ]
}

async fn nothing_is_missed_when_attached_before_the_start(live: Live) -> Outcome {
    let container = live.create(live.spec(["sh", "-c", "echo out; echo err >&2; exit 3"])).await?;
    let exit = container.wait(Until::NextExit).await?;
    let session = container.attach().await?;
    container.start().await?;
    let output = session.into_output().collect().await?;
    assert!(output.stdout == "out\n" && output.stderr == "err\n", "{output:?}");
    assert_eq!(exit.await?.code(), 3);
    Ok(())
}

async fn input_reaches_the_process_and_its_end_too(live: Live) -> Outcome {
    let container = live.create(live.spec("sort").stdin_once()).await?;
    let exit = container.wait(Until::NextExit).await?;
    let mut session = container.attach().stdin().await?;
    container.start().await?;
    session.write_all(b"c\na\n").await?;
    session.write_all(b"b\n").await?;
    session.close_stdin().await?;
    let output = session.into_output().collect().await?;
    assert!(output.stdout == "a\nb\nc\n", "{output:?}");
    assert!(exit.await?.success());
    Ok(())
}

async fn without_stdin_once_the_input_stays_open(live: Live) -> Outcome {
    let container = live.start(live.spec(["sh", "-c", "while read line; do echo got $line; done"]).stdin()).await?;
    for word in ["one", "two"] {
        let mut session = container.attach().stdin().await?;
        session.write_all(format!("{word}\n").as_bytes()).await?;
        assert_eq!(read(&mut session, "\n").await?, format!("got {word}\n"));
        drop(session);
        if live.engine().is_podman() {
            // Podman ends the input with the session all the same.
            assert!(container.wait(Until::NotRunning).await?.await?.success());
            return Ok(());
        }
    }
    assert!(container.inspect().await?.state.running);
    Ok(())
}

async fn bytes_that_are_no_text_arrive_as_they_are(live: Live) -> Outcome {
    let script = "head -c 100000 /dev/zero | tr '\\0' x; printf '\\000\\377\\376\\n'; printf last";
    let out = live.containers().output(live.spec(["sh", "-c", script])).await?;
    let expected = [&vec![b'x'; 100_000][..], b"\0\xff\xfe\nlast"].concat();
    assert!(*out.stdout == *expected, "{} bytes", out.stdout.len());
    Ok(())
}

/// Reads until `end` has come.
async fn read(session: &mut Session, end: &str) -> longshore::Result<String> {
    let mut text = String::new();
    while !text.contains(end) {
        let Some(chunk) = session.next().await else { panic!("it ended before {end:?} came: {text:?}") };
        text.push_str(&String::from_utf8_lossy(&chunk?.bytes));
    }
    Ok(text)
}

const BOTH: [&str; 3] = ["sh", "-c", "echo out; echo err >&2"];

async fn one_stream_can_be_left_out(live: Live) -> Outcome {
    let container = live.create(live.spec(BOTH)).await?;
    let (stdout, stderr) = (container.attach().stdout_only().await?, container.attach().stderr_only().await?);
    container.start().await?;
    let stdout = stdout.into_output().collect().await?;
    let stderr = stderr.into_output().collect().await?;
    assert!(stdout.stdout == "out\n" && stdout.stderr.is_empty(), "{stdout:?}");
    assert!(stderr.stderr == "err\n" && stderr.stdout.is_empty(), "{stderr:?}");
    Ok(())
}

async fn logs_come_first_on_demand(live: Live) -> Outcome {
    let container = live.start(live.spec(["sh", "-c", "echo before; read line; echo after $line"]).stdin()).await?;
    until("the first line", || async { Ok(container.logs().await?.collect().await?.stdout == "before\n") }).await?;
    let mut session = container.attach().stdin().logs().await?;
    read(&mut session, "before").await?;
    session.write_all(b"all\n").await?;
    let rest = session.into_output().collect().await?;
    assert!(rest.stdout.text().trim_start() == "after all\n", "{rest:?}");
    Ok(())
}

async fn logs_alone_end_by_themselves(live: Live) -> Outcome {
    let container = live.start(live.spec(["sh", "-c", "echo before; sleep 1000"])).await?;
    until("the first line", || async { Ok(container.logs().await?.collect().await?.stdout == "before\n") }).await?;
    let output = container.attach().logs_only().await?.into_output().collect().await?;
    assert!(output.stdout == "before\n", "{output:?}");
    Ok(())
}

async fn a_terminal_is_resized_and_answers_prompts(live: Live) -> Outcome {
    let script = "trap 'stty size' WINCH; printf '> '; while ! read line; do :; done; stty size; echo said $line";
    let container = live.create(live.spec(["sh", "-c", script]).tty().stdin()).await?;
    let mut session = container.attach().stdin().await?;
    container.start().await?;
    assert_eq!(read(&mut session, "> ").await?, "> ");
    session.resize(Size { rows: 41, columns: 123 }).await?;
    session.write_all(b"hi\n").await?;
    let mut text = String::new();
    while let Some(chunk) = session.next().await {
        let chunk = chunk?;
        assert_eq!(chunk.source, Source::Terminal);
        text.push_str(&String::from_utf8_lossy(&chunk.bytes));
    }
    assert!(text.contains("41 123\r\n") && text.ends_with("said hi\r\n"), "{text:?}");
    Ok(())
}

async fn detach_keys_end_the_session_and_not_the_container(live: Live) -> Outcome {
    let container = live.start(live.spec("cat").tty().stdin()).await?;
    let mut session = container.attach().stdin().detach_keys("ctrl-a,x").await?;
    // Podman recognises keys only when they come one by one, as they do from a keyboard.
    session.write_all(b"\x01").await?;
    tokio::time::sleep(Duration::from_millis(50)).await;
    session.write_all(b"x").await?;
    while let Some(chunk) = session.next().await {
        chunk?;
    }
    assert!(container.inspect().await?.state.running);
    Ok(())
}

async fn input_and_output_go_on_in_different_tasks(live: Live) -> Outcome {
    let container = live.create(live.spec("cat").stdin_once()).await?;
    let (mut stdin, output) = container.attach().stdin().await?.split();
    container.start().await?;
    let line = vec![b'x'; 1023];
    let writing = tokio::spawn(async move {
        for _ in 0..1024 {
            stdin.send(&line).await?;
            stdin.send(b"\n").await?;
        }
        stdin.close().await
    });
    let output = output.collect().await?;
    writing.await??;
    assert_eq!(output.stdout.len(), 1 << 20);
    Ok(())
}

async fn a_dropped_session_leaves_the_container_running(live: Live) -> Outcome {
    let container =
        live.start(live.spec(["sh", "-c", "echo $$ >/pid; while true; do echo x; sleep 0.01; done"])).await?;
    let mut session = container.attach().await?;
    session.next().await.expect("output")?;
    drop(session);
    assert_eq!(text_of(&container, "sleep 0.1; cat /pid; kill -0 1 && echo alive").await?, "1\nalive\n");
    Ok(())
}

async fn a_paused_container_is_a_conflict(live: Live) -> Outcome {
    let container = live.start(live.spec("sleep 1000")).await?;
    container.pause().await?;
    let outcome = container.attach().await;
    container.unpause().await?;
    refused(outcome, &[ErrorKind::Conflict]);
    Ok(())
}

async fn resizing_what_does_not_run_is_refused(live: Live) -> Outcome {
    let container = live.create(live.spec("true").tty()).await?;
    let outcome = container.resize(Size { rows: 1, columns: 1 }).await;
    refused(outcome, &[ErrorKind::Conflict, ErrorKind::Server]);
    Ok(())
}
