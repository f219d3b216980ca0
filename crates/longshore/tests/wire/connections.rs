//! Which connection a call takes, and what becomes of it.

use std::time::Duration;

use longshore::{Docker, ErrorKind, Payload, Transition, Until};
use longshore_testkit::transcript::wire::{answer, chunked_json, json, upgraded};
use longshore_testkit::{Answer, Exchange, ScriptedEngine, never_hangs};

const LIST: &str = "GET /v1.44/containers/json";
const START: &str = "POST /v1.44/containers/web/start";
const UPLOAD: &str = "PUT /v1.44/containers/web/archive?path=%2F";

fn listed(answer: impl Into<Answer>) -> Exchange {
    Exchange::new(LIST, answer)
}

fn empty() -> Vec<u8> {
    json("200 OK", "[]\n")
}

fn started() -> Exchange {
    Exchange::new(START, answer("204 No Content", &[], ""))
}

/// The engine took the connection away without an answer: it had closed it before the request came.
fn closed() -> Answer {
    Answer::default().then_close()
}

async fn list(docker: &Docker) -> usize {
    never_hangs(docker.containers().list(), "a list").await.unwrap().len()
}

/// An engine with one connection that has answered and is idle now.
async fn with_idle(exchanges: impl IntoIterator<Item = Exchange>) -> (ScriptedEngine, Docker) {
    let engine = ScriptedEngine::new([listed(empty())]);
    let docker = engine.docker();
    assert_eq!(list(&docker).await, 0);
    exchanges.into_iter().for_each(|exchange| engine.expect(exchange));
    assert_eq!((engine.opened(), engine.alive()), (1, 1));
    (engine, docker)
}

#[tokio::test(start_paused = true)]
async fn calls_one_after_another_share_a_connection() {
    let bodies = [empty(), chunked_json(&["[", "]"]), json("200 OK", "[{\"Id\":\"1\"}]")];
    let (engine, docker) = with_idle(bodies.map(listed)).await;
    engine.expect(started());
    engine.expect(Exchange::new(START, answer("304 Not Modified", &["Content-Length: 5"], "")));
    engine.expect(Exchange::new(START, json("404 Not Found", "{\"message\":\"no\"}")));
    engine.expect(listed(empty()));
    for _ in 0..3 {
        list(&docker).await;
    }
    assert_eq!(docker.container("web").start().await.unwrap(), Transition::Changed);
    assert_eq!(docker.container("web").start().await.unwrap(), Transition::Unchanged);
    assert!(docker.container("web").start().await.unwrap_err().is_not_found());
    list(&docker.clone()).await;
    assert_eq!((engine.opened(), engine.alive()), (1, 1));
    engine.assert_finished();
    drop(docker);
    assert_eq!(engine.alive(), 0);
}

#[tokio::test(start_paused = true)]
async fn calls_at_the_same_time_have_a_connection_each_and_share_them_later() {
    let engine = ScriptedEngine::new([listed(Answer::new(empty()).pieces(9)).repeats()]);
    let docker = engine.docker();
    let call = |docker: Docker| tokio::spawn(async move { list(&docker).await });
    for task in (0..80).map(|_| call(docker.clone())).collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!((engine.opened(), engine.alive()), (80, 64), "more connections are kept than the limit");
    for task in (0..64).map(|_| call(docker.clone())).collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!((engine.opened(), engine.problems()), (80, vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_the_server_will_close_is_not_kept() {
    let no_length = "HTTP/1.1 200 OK\r\n\r\n[]";
    let old = "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n[]";
    let kept = "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\n[]";
    let more = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]HTTP/1.1 200 OK\r\n";
    let cases = [
        (answer("200 OK", &["Connection: close", "Content-Length: 2"], "[]"), 0),
        (answer("200 OK", &["Connection: Close, Upgrade", "Content-Length: 2"], "[]"), 0),
        (no_length.into(), 0),
        (old.into(), 0),
        (kept.into(), 1),
        (more.into(), 0),
    ];
    for (bytes, alive) in cases {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let bytes = Answer::new(bytes);
        let engine = ScriptedEngine::new([listed(if text == no_length { bytes.then_close() } else { bytes })]);
        let docker = engine.docker();
        list(&docker).await;
        assert_eq!(engine.alive(), alive, "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_that_was_closed_is_passed_over() {
    let (engine, docker) = with_idle([started(), listed(empty())]).await;
    engine.close(0);
    docker.container("web").start().await.unwrap();
    assert_eq!((engine.opened(), engine.alive()), (2, 1));
    engine.close(1);
    list(&docker).await;
    assert_eq!((engine.opened(), engine.alive()), (3, 1));
    assert_eq!(engine.received().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_on_which_something_came_is_passed_over() {
    let (engine, docker) = with_idle([started()]).await;
    // What a proxy says to a connection of which it grows tired would pose as the answer to the next request.
    engine.send_unasked(0, "HTTP/1.1 408 Request Time-out\r\nContent-Length: 0\r\n\r\n");
    docker.container("web").start().await.unwrap();
    assert_eq!((engine.opened(), engine.alive()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_not_used_after_a_minute_of_idleness() {
    let (engine, docker) = with_idle([listed(empty()), listed(empty())]).await;
    tokio::time::advance(Duration::from_secs(59)).await;
    list(&docker).await;
    assert_eq!(engine.opened(), 1);
    tokio::time::advance(Duration::from_secs(61)).await;
    list(&docker).await;
    assert_eq!((engine.opened(), engine.alive()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn what_may_be_repeated_is_sent_again_when_the_connection_had_been_closed() {
    let resets = || Answer::default().fails_after(0, longshore_testkit::Fault::Reset);
    for stale in [closed(), resets()] {
        let (engine, docker) = with_idle([listed(stale.clone()), listed(json("200 OK", "[{\"Id\":\"1\"}]"))]).await;
        assert_eq!(list(&docker).await, 1);
        assert_eq!((engine.opened(), engine.alive(), engine.received().len()), (2, 1, 3));
        engine.assert_finished();

        let unpacked = answer("200 OK", &["Content-Length: 0"], "");
        let again = [Exchange::new(UPLOAD, stale.clone()), Exchange::new(UPLOAD, unpacked).body("tar")];
        let (engine, docker) = with_idle(again).await;
        docker.container("web").put_archive("/", "tar").await.unwrap();
        engine.assert_finished();

        // Once, not for ever.
        let (engine, docker) = with_idle([listed(stale.clone()), listed(stale)]).await;
        let error = never_hangs(docker.containers().list(), "stale").await.unwrap_err();
        assert_eq!((error.kind(), engine.opened(), engine.alive()), (ErrorKind::Closed, 2, 0));
        engine.assert_finished();
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_repeated_is_not_sent_again_once_it_was_written() {
    for stale in [closed(), Answer::default().fails_after(0, longshore_testkit::Fault::Reset)] {
        let (engine, docker) = with_idle([Exchange::new(START, stale.clone()), started()]).await;
        let error = docker.container("web").start().await.unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Closed, "start container"));
        assert_eq!((engine.opened(), engine.alive(), engine.unused()), (1, 0, 1));

        // What was read from a stream is gone.
        let (engine, docker) = with_idle([Exchange::new(UPLOAD, stale)]).await;
        let error = docker.container("web").put_archive("/", Payload::reader(&b"tar"[..])).await.unwrap_err();
        assert_eq!((error.kind(), engine.opened(), engine.alive()), (ErrorKind::Closed, 1, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn anything_is_sent_on_a_fresh_connection_if_nothing_of_it_was_written() {
    let (engine, docker) = with_idle([started()]).await;
    engine.break_writes(0);
    docker.container("web").start().await.unwrap();
    assert_eq!((engine.opened(), engine.alive()), (2, 1));
    engine.assert_finished();
}

#[tokio::test(start_paused = true)]
async fn a_fresh_connection_that_is_closed_is_an_error() {
    let engine = ScriptedEngine::new([listed(closed()), listed(empty())]);
    let docker = engine.docker();
    let error = docker.containers().list().await.unwrap_err();
    assert_eq!((error.kind(), engine.opened(), engine.unused()), (ErrorKind::Closed, 1, 1));
    assert!(!error.is_retryable());
    list(&docker).await;
}

#[tokio::test(start_paused = true)]
async fn a_dropped_stream_closes_exactly_its_connection() {
    let follow = |name: &str| format!("GET /v1.44/containers/{name}/logs?stdout=1&stderr=1&follow=1");
    let fields = ["Content-Type: application/vnd.docker.raw-stream", "Transfer-Encoding: chunked"];
    let begun = || answer("200 OK", &fields, "2\r\na\n\r\n");
    let one = Exchange::new(follow("one"), begun());
    let two = Exchange::new(follow("two"), begun());
    let attach = "POST /v1.44/containers/web/attach?stream=1&stdin=1&stdout=1&stderr=1";
    let attach = Exchange::new(attach, upgraded("application/vnd.docker.raw-stream"));
    let (engine, docker) = with_idle([one, two, attach, started()]).await;

    let mut first = docker.container("one").logs().follow().await.unwrap();
    let mut second = docker.container("two").logs().follow().await.unwrap();
    let session = docker.container("web").attach().stdin().await.unwrap();
    docker.container("web").start().await.unwrap();
    assert_eq!((engine.opened(), engine.alive()), (4, 4));
    assert_eq!(&first.next().await.unwrap().unwrap().bytes[..], b"a\n");

    drop(first);
    assert_eq!((engine.is_alive(0), engine.alive()), (false, 3));
    assert_eq!(&second.next().await.unwrap().unwrap().bytes[..], b"a\n");
    // Both halves of a session hold its connection.
    let (stdin, output) = session.split();
    drop(stdin);
    assert!(engine.is_alive(2));
    drop(output);
    assert!(!engine.is_alive(2));
    drop(second);
    assert_eq!((engine.is_alive(3), engine.alive()), (true, 1));
    docker.close();
    assert_eq!((engine.alive(), engine.problems()), (0, vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_armed_before_it_is_over() {
    let body = chunked_json(&["{\"StatusCode\":0}\n"]);
    let head = longshore_testkit::transcript::wire::head_length(&body);
    // The engine tells how the container ended an hour after it has registered the wait.
    let slow = Answer::new(body).split_at([head]).pace(Duration::from_secs(3600));
    let engine = ScriptedEngine::new([
        Exchange::new("POST /v1.44/containers/web/wait?condition=removed", slow),
        started(),
        listed(empty()),
    ]);
    let docker = engine.docker();
    let begin = tokio::time::Instant::now();
    let exit = docker.container("web").wait(Until::Removed).await.unwrap();
    docker.container("web").start().await.unwrap();
    list(&docker).await;
    assert_eq!((begin.elapsed(), engine.opened()), (Duration::ZERO, 2));
    assert!(never_hangs(exit, "an hour").await.unwrap().success());
    assert_eq!(engine.alive(), 1);
}
