//! Attaching over a WebSocket.

use longshore::{Docker, ErrorKind, Session, Source, Until};
use longshore_testkit::live::Live;

use crate::harness::{Outcome, Test, test};
use crate::support::{refused, until};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test(input_and_output_pass),
        test(a_terminal_works_too),
        test(logs_come_first_on_demand),
        test(one_stream_can_be_left_out),
        test(an_unknown_container_is_not_found),
    ]
}

/// Reads until `end` has come.
async fn read(session: &mut Session, end: &str) -> longshore::Result<String> {
    let mut text = String::new();
    while !text.contains(end) {
        let Some(chunk) = session.next().await else { panic!("it ended before {end:?} came: {text:?}") };
        let chunk = chunk?;
        assert_eq!(chunk.source, Source::Terminal);
        text.push_str(&String::from_utf8_lossy(&chunk.bytes));
    }
    Ok(text)
}

const ECHO: [&str; 3] = ["sh", "-c", "while read line; do echo got $line; done; exit 3"];

async fn conversation(live: &Live, docker: &Docker) -> Outcome {
    let container = docker.containers().create(&live.spec(ECHO).stdin_once()).await?;
    let exit = container.wait(Until::NextExit).await?;
    let mut session = container.attach_websocket().stdin().await?;
    container.start().await?;
    for word in ["one", "two"] {
        session.write_all(format!("{word}\n").as_bytes()).await?;
        assert_eq!(read(&mut session, "\n").await?, format!("got {word}\n"));
    }
    session.close_stdin().await?;
    assert_eq!(exit.await?.code(), 3);
    while let Some(chunk) = session.next().await {
        chunk?;
    }
    Ok(())
}

async fn input_and_output_pass(live: Live) -> Outcome {
    conversation(&live, &live).await
}

async fn a_terminal_works_too(live: Live) -> Outcome {
    let container =
        live.create(live.spec(["sh", "-c", "printf 'name? '; read name; echo hi $name"]).tty().stdin()).await?;
    let mut session = container.attach_websocket().stdin().await?;
    container.start().await?;
    assert_eq!(read(&mut session, "? ").await?, "name? ");
    session.write_all(b"ann\n").await?;
    assert_eq!(read(&mut session, "hi ann\r\n").await?, "ann\r\nhi ann\r\n");
    while let Some(chunk) = session.next().await {
        chunk?;
    }
    Ok(())
}

async fn logs_come_first_on_demand(live: Live) -> Outcome {
    let container = live.start(live.spec(["sh", "-c", "echo before; read line; echo after $line"]).stdin()).await?;
    until("the first line", || async { Ok(container.logs().await?.collect().await?.stdout == "before\n") }).await?;
    let mut session = container.attach_websocket().stdin().logs().await?;
    assert_eq!(read(&mut session, "\n").await?, "before\n");
    session.write_all(b"all\n").await?;
    assert_eq!(read(&mut session, "\n").await?, "after all\n");
    Ok(())
}

async fn one_stream_can_be_left_out(live: Live) -> Outcome {
    let container = live.create(live.spec(["sh", "-c", "echo err >&2; echo out"])).await?;
    let session = container.attach_websocket().stdout_only().await?;
    container.start().await?;
    let output = session.into_output().collect().await?;
    assert!(output.stdout == "out\n", "{output:?}");
    Ok(())
}

async fn an_unknown_container_is_not_found(live: Live) -> Outcome {
    // On an engine that has no WebSockets, this is the end.
    let container = live.create(live.spec("true")).await?;
    drop(container.attach_websocket().await?);
    let error = refused(live.container(live.name()).attach_websocket().await, &[ErrorKind::NotFound]);
    assert_eq!(error.operation(), "attach over a WebSocket to container");
    assert!(error.message().starts_with("No such container"), "{error}");
    Ok(())
}
