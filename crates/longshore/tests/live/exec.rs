//! Further processes in running containers.

use std::time::Duration;

use longshore::{Deadlines, ErrorKind, Size};
use longshore_testkit::live::Live;

use crate::harness::{Outcome, Test, test};
use crate::support::{at_once, refused, text_of, until};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test(output_gives_both_streams_and_the_status),
        test(a_line_is_split_into_words),
        test(the_status_is_that_of_the_process),
        test(what_can_not_be_started_ends_with_126_or_127),
        test(environment_user_and_folder_are_as_told),
        test(one_stream_can_be_left_out),
        test(privileged_is_taken),
        test(inspect_tells_the_process),
        test(a_detached_process_runs_on_its_own),
        test(an_exec_can_be_made_now_and_started_later),
        test(an_exec_starts_only_once),
        test(a_terminal_may_have_its_size_from_the_start),
        test(what_does_not_run_is_a_conflict),
        test(an_unknown_exec_is_not_found),
    ]
}

const BOTH: [&str; 3] = ["sh", "-c", "echo out; echo err >&2; exit 3"];

async fn output_gives_both_streams_and_the_status(live: Live) -> Outcome {
    let out = live.shared().await?.exec(BOTH).output().await?;
    assert_eq!(out.status.code(), 3);
    assert!(out.stdout == "out\n" && out.stderr == "err\n", "{out:?}");
    Ok(())
}

async fn a_line_is_split_into_words(live: Live) -> Outcome {
    let shared = live.shared().await?;
    let out = shared.exec(r#"printf '%s|' "a b" c\ d ''"#).output().await?;
    assert!(out.stdout == "a b|c d||", "{out:?}");
    refused(shared.exec("echo 'a").output().await, &[ErrorKind::Invalid]);
    Ok(())
}

async fn the_status_is_that_of_the_process(live: Live) -> Outcome {
    let shared = live.shared().await?;
    for (script, code) in [("exit 0", 0), ("exit 3", 3), ("exit 255", 255), ("kill -9 $$", 137), ("kill -15 $$", 143)] {
        assert_eq!(shared.exec(["sh", "-c", script]).output().await?.status.code(), code, "{script}");
    }
    Ok(())
}

async fn what_can_not_be_started_ends_with_126_or_127(live: Live) -> Outcome {
    let shared = live.shared().await?;
    for command in ["/no/such/command", "/etc"] {
        let out = shared.exec([command]).output().await?;
        // Docker told both by 126 until version 26.
        assert!(matches!(out.status.code(), 126 | 127), "{out:?}");
        let told = if live.engine().is_podman() { &out.stderr } else { &out.stdout };
        assert!(told.text().contains("exec"), "{out:?}");
    }
    Ok(())
}

async fn environment_user_and_folder_are_as_told(live: Live) -> Outcome {
    let script = "echo $A $B; id -u; id -g; pwd";
    let exec = live.shared().await?.exec(["sh", "-c", script]).env("A", "1 2").env("B", "x=y");
    let out = exec.user("1000:100").working_dir("/var").output().await?;
    assert!(out.stdout == "1 2 x=y\n1000\n100\n/var\n", "{out:?}");
    Ok(())
}

async fn one_stream_can_be_left_out(live: Live) -> Outcome {
    let shared = live.shared().await?;
    let out = shared.exec(BOTH).stdout_only().output().await?;
    assert!(out.stdout == "out\n" && out.stderr.is_empty() && out.status.code() == 3, "{out:?}");
    let out = shared.exec(BOTH).stderr_only().output().await?;
    assert!(out.stdout.is_empty() && out.stderr == "err\n" && out.status.code() == 3, "{out:?}");
    Ok(())
}

async fn privileged_is_taken(live: Live) -> Outcome {
    let exec = live.shared().await?.exec("true").privileged().create().await?;
    let inspect = exec.inspect().await?;
    assert!(inspect.process_config.privileged, "{inspect:?}");
    Ok(())
}

async fn inspect_tells_the_process(live: Live) -> Outcome {
    let shared = live.shared().await?;
    let session = shared.exec("sleep 1000").stdin().user("1000").start().await?;
    let exec = session.exec();
    until("the process", || async { Ok(exec.inspect().await?.pid > 0) }).await?;
    let inspect = exec.inspect().await?;
    assert_eq!((inspect.id.as_str(), inspect.container_id.as_str()), (exec.id(), shared.id()));
    assert!(inspect.running && inspect.pid > 0 && inspect.open_stdin && inspect.open_stdout, "{inspect:?}");
    let process = &inspect.process_config;
    assert_eq!((process.entrypoint.as_str(), &process.arguments[..]), ("sleep", &["1000".to_owned()][..]));
    assert_eq!((process.user.as_str(), process.tty), ("1000", false));
    text_of(shared, "kill -9 $(ps -o pid,user,args | awk '/sleep 1000$/ && !/awk/ { print $1 }')").await?;
    let status = exec.wait().await?;
    assert_eq!(status.code(), 137);
    let inspect = exec.inspect().await?;
    assert_eq!((inspect.running, inspect.exit_code), (false, Some(137)));
    Ok(())
}

async fn a_detached_process_runs_on_its_own(live: Live) -> Outcome {
    let container = live.start(live.spec("sleep 1000")).await?;
    let exec = container.exec(["sh", "-c", "sleep 0.2; echo done >/file; exit 6"]).start_detached().await?;
    until("the file", || async { Ok(text_of(&container, "cat /file").await? == "done\n") }).await?;
    ended(&live, exec.id(), 6).await
}

/// Checks that a detached process has ended with this code.
async fn ended(live: &Live, exec: &str, code: i64) -> Outcome {
    if live.engine().is_podman() {
        // Podman takes note of the end of a detached process only after five minutes.
        let hasty = live.with_deadlines(Deadlines::default().total(Duration::from_secs(1)));
        refused(hasty.exec(exec).wait().await, &[ErrorKind::Timeout]);
        return Ok(());
    }
    assert_eq!(live.exec(exec).wait().await?.code(), code);
    Ok(())
}

async fn an_exec_can_be_made_now_and_started_later(live: Live) -> Outcome {
    let shared = live.shared().await?;
    let id = shared.exec(["sh", "-c", "echo out; exit 4"]).create().await?.id().to_owned();
    let exec = live.exec(&id);
    let inspect = exec.inspect().await?;
    assert!(!inspect.running && inspect.pid == 0, "{inspect:?}");
    let output = exec.start().await?.into_output().collect().await?;
    assert!(output.stdout == "out\n", "{output:?}");
    assert_eq!(exec.wait().await?.code(), 4);
    // A handle that does not know whether there is a terminal asks.
    let id = shared.exec("tty").tty().create().await?.id().to_owned();
    let output = live.exec(&id).start().await?.into_output().collect().await?;
    assert!(output.stdout.text().starts_with("/dev/pts/") || output.stdout == "/dev/console\r\n", "{output:?}");
    let id = shared.exec("true").create().await?.id().to_owned();
    live.exec(&id).start_detached().await?;
    ended(&live, &id, 0).await
}

async fn an_exec_starts_only_once(live: Live) -> Outcome {
    let exec = live.shared().await?.exec("true").create().await?;
    exec.start().await?.into_output().collect().await?;
    exec.wait().await?;
    refused(exec.start_detached().await, &[ErrorKind::Conflict]);
    let again = exec.start().await;
    if live.engine().is_podman() {
        refused(again, &[ErrorKind::Conflict]);
        return Ok(());
    }
    // Docker has taken the connection over by then, and tells it there.
    let output = again?.into_output().collect().await?;
    assert!(output.stdout.text().contains("already run"), "{output:?}");
    Ok(())
}

async fn a_terminal_may_have_its_size_from_the_start(live: Live) -> Outcome {
    let exec = live.shared().await?.exec("stty size").tty().console_size(Size { rows: 33, columns: 99 });
    let out = exec.output().await?;
    assert!(out.stdout == "33 99\r\n", "{out:?}");
    Ok(())
}

async fn what_does_not_run_is_a_conflict(live: Live) -> Outcome {
    let container = live.create(live.spec("sleep 1000")).await?;
    refused(container.exec("true").output().await, &[ErrorKind::Conflict]);
    container.start().await?;
    container.pause().await?;
    let paused = container.exec("true").output().await;
    container.unpause().await?;
    refused(paused, &[ErrorKind::Conflict]);
    let exec = container.exec("true").create().await?;
    container.stop_with(&at_once()).await?;
    refused(exec.start().await, &[ErrorKind::Conflict, ErrorKind::NotFound]);
    Ok(())
}

async fn an_unknown_exec_is_not_found(live: Live) -> Outcome {
    let exec = live.exec("0123456789abcdef");
    refused(exec.inspect().await, &[ErrorKind::NotFound]);
    refused(exec.start().await, &[ErrorKind::NotFound]);
    refused(exec.start_detached().await, &[ErrorKind::NotFound]);
    refused(exec.resize(Size { rows: 1, columns: 1 }).await, &[ErrorKind::NotFound]);
    refused(exec.wait().await, &[ErrorKind::NotFound]);
    refused(live.exec("").inspect().await, &[ErrorKind::Invalid]);
    Ok(())
}
