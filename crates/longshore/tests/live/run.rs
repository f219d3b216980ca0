//! Running containers to their end.

use longshore::container::RemoveOptions;
use longshore::{ErrorKind, Spec, Until};
use longshore_testkit::live::Live;

use crate::harness::{Outcome, Test, test};
use crate::support::refused;

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test(output_gives_both_streams_and_the_status),
        test(output_of_a_terminal_is_one_stream),
        test(output_leaves_nothing_behind),
        test(output_works_without_logs),
        test(run_gives_status_or_output_and_keeps_the_container),
        test(a_status_other_than_zero_is_no_error),
        test(a_start_that_fails_tells_the_container),
        test(a_missing_image_that_can_not_be_pulled_is_told_in_one_sentence),
        test(a_container_that_removes_itself_can_be_run),
    ]
}

const BOTH: [&str; 3] = ["sh", "-c", "echo out; echo err >&2; exit 3"];

async fn output_gives_both_streams_and_the_status(live: Live) -> Outcome {
    let out = live.containers().output(live.spec(BOTH)).await?;
    assert_eq!(out.status.code(), 3);
    assert!(out.stdout == "out\n" && out.stderr == "err\n", "{out:?}");
    Ok(())
}

async fn output_of_a_terminal_is_one_stream(live: Live) -> Outcome {
    let out = live.containers().output(live.spec(BOTH).tty()).await?;
    assert_eq!(out.status.code(), 3);
    assert!(out.stdout == "out\r\nerr\r\n" && out.stderr.is_empty(), "{out:?}");
    Ok(())
}

async fn output_leaves_nothing_behind(live: Live) -> Outcome {
    live.containers().output(live.spec("true")).await?;
    live.containers().output(live.spec("true").auto_remove()).await?;
    // On Podman, attaching prepares the container, and finds that its command does not exist.
    let kinds = [ErrorKind::Invalid, ErrorKind::NotFound, ErrorKind::Server, ErrorKind::Conflict];
    refused(live.containers().output(live.spec("/no/such/command")).await, &kinds);
    assert_eq!(live.existing().await?, Vec::<String>::new());
    Ok(())
}

async fn output_works_without_logs(live: Live) -> Outcome {
    let out = live.containers().output(live.spec("echo hi").set("HostConfig.LogConfig.Type", "none")).await?;
    assert!(out.status.success() && out.stdout == "hi\n", "{out:?}");
    Ok(())
}

async fn run_gives_status_or_output_and_keeps_the_container(live: Live) -> Outcome {
    let run = live.containers().run(live.spec(BOTH)).await?;
    let container = live.container(run.id());
    let out = run.output().await?;
    assert_eq!(out.status.code(), 3);
    assert!(out.stdout == "out\n" && out.stderr == "err\n", "{out:?}");
    assert_eq!(container.inspect().await?.state.exit_code, 3);
    let run = live.containers().run(live.spec(BOTH)).await?;
    assert_eq!(run.status().await?.code(), 3);
    Ok(())
}

async fn a_status_other_than_zero_is_no_error(live: Live) -> Outcome {
    for code in [0, 1, 126, 255] {
        let out = live.containers().output(live.spec(["sh", "-c", &format!("exit {code}")])).await?;
        assert_eq!((out.status.code(), out.status.success()), (code, code == 0));
    }
    let killed = live.containers().output(live.spec(["sh", "-c", "kill -9 $$"])).await?;
    // The first process of a container can't kill itself: what follows decides.
    assert_eq!(killed.status.code(), 0);
    Ok(())
}

async fn a_start_that_fails_tells_the_container(live: Live) -> Outcome {
    let outcome = live.containers().run(live.spec("/no/such/command")).await;
    let error = refused(outcome, &[ErrorKind::Invalid, ErrorKind::NotFound, ErrorKind::Server]);
    assert!(error.to_string().starts_with("run container from `busybox:latest`: start container `"), "{error}");
    assert!(error.message().contains("/no/such/command"), "{error}");
    let container = live.container(error.container().expect("the id of the container"));
    assert!(!container.inspect().await?.state.running);
    container.remove_with(&RemoveOptions::default()).await?;
    Ok(())
}

async fn a_missing_image_that_can_not_be_pulled_is_told_in_one_sentence(live: Live) -> Outcome {
    let spec = || live.labelled(Spec::image("127.0.0.1:1/no/such:1"));
    let kinds = [ErrorKind::NotFound, ErrorKind::Server, ErrorKind::InStream];
    for outcome in [live.containers().run(spec()).await.map(drop), live.containers().output(spec()).await.map(drop)] {
        let error = refused(outcome, &kinds);
        let text = error.to_string();
        assert!(text.starts_with("run container from `127.0.0.1:1/no/such:1`: pull image: "), "{text}");
        assert!(text.contains("connection refused"), "{text}");
        assert_eq!(error.container(), None);
    }
    assert_eq!(live.existing().await?, Vec::<String>::new());
    Ok(())
}

async fn a_container_that_removes_itself_can_be_run(live: Live) -> Outcome {
    let run = live.containers().run(live.spec("sh -c 'read line; exit 5'").stdin_once().auto_remove()).await?;
    let container = live.container(run.id());
    let removed = container.wait(Until::Removed).await?;
    let mut session = container.attach().stdin().await?;
    session.write_all(b"go\n").await?;
    assert_eq!(run.status().await?.code(), 5);
    // Podman forgets how it ended.
    assert_eq!(removed.await?.code(), if live.engine().is_podman() { 0 } else { 5 });
    refused(container.inspect().await, &[ErrorKind::NotFound]);
    let run = live.containers().run(live.spec("true").auto_remove()).await?;
    refused(run.output().await, &[ErrorKind::Invalid]);
    Ok(())
}
