//! Requests that the caller makes up, and connections that are handed over whole.

use std::time::Duration;

use bytes::Bytes;
use longshore::{Deadlines, Docker, ErrorKind, Method, RawConnection, SessionOptions};
use longshore_testkit::transcript::wire::{answer, chunked, chunked_json, head_length, json, upgraded};
use longshore_testkit::{Answer, Exchange, Fault, ScriptedEngine, drain, never_hangs};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const NEW: &str = "/something/new";

fn engine(expected: &str, answer: impl Into<Answer>) -> (ScriptedEngine, Docker) {
    let engine = ScriptedEngine::new([Exchange::new(expected, answer)]);
    let docker = engine.docker();
    (engine, docker)
}

/// The answer in one piece, split at every byte, and byte by byte.
fn in_all_pieces(answer: &Answer) -> Vec<Answer> {
    let splits = (1..answer.len()).map(|split| answer.clone().split_at([split]));
    splits.chain([answer.clone(), answer.clone().pieces(1)]).collect()
}

#[tokio::test(start_paused = true)]
async fn a_request_goes_out_as_it_was_made_up() {
    let exchange = Exchange::new("POST /v1.44/something/new?x=1&x=a%26b", json("200 OK", "{\"A\":null}"));
    let engine = ScriptedEngine::new([exchange.body("{\"b\":[1]}")]);
    let docker = engine.docker();
    let request = docker.request(Method::Post, NEW).query("x", 1).query("x", "a&b").header("X-One", "two");
    let value: Value = request.json_body(&json!({"b": [1]})).json().await.unwrap();
    assert_eq!(value, json!({"A": null}));
    engine.assert_finished();
    let received = &engine.received()[0];
    assert_eq!((received.header("x-one"), received.header("content-type")), (Some("two"), Some("application/json")));

    engine.expect(Exchange::new("DELETE /v1.30/old", answer("204 No Content", &["X-Told: this"], "")));
    let response = docker.request(Method::Delete, "/v1.30/old").unversioned().send().await.unwrap();
    assert_eq!((response.status(), response.header("x-TOLD"), response.header("X-Other")), (204, Some("this"), None));
    assert!(response.bytes().await.unwrap().is_empty());
    assert_eq!((engine.opened(), engine.problems()), (1, vec![]));
}

#[tokio::test(start_paused = true)]
async fn answers_may_come_in_any_pieces() {
    const GET: &str = "GET /v1.44/something/new";
    for answer in in_all_pieces(&Answer::new(chunked_json(&["{\"a\"", ":1}{\"a\":2}", "\n", "{\"a\":3}"]))) {
        let (_engine, docker) = engine(GET, answer.clone());
        let values = docker.request(Method::Get, NEW).json_stream::<Value>().await.unwrap();
        assert_eq!(drain(values).await.items, [json!({"a": 1}), json!({"a": 2}), json!({"a": 3})]);

        let (_engine, docker) = engine(GET, answer);
        let mut bytes = Vec::new();
        let mut stream = docker.request(Method::Get, NEW).byte_stream().await.unwrap();
        stream.copy_to(&mut bytes).await.unwrap();
        assert_eq!(bytes, b"{\"a\":1}{\"a\":2}\n{\"a\":3}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_value_is_the_same_on_a_line_of_its_own_and_elsewhere() {
    let too_deep = [vec![b'['; 128], vec![b']'; 128], b"\n1\n".to_vec()].concat();
    let texts: [(&[u8], usize, Option<ErrorKind>); 11] = [
        (b"{\"a\":1}\n{\"a\":2}\r\n", 2, None),
        (b" \r\n\x1e{\"a\":1} \n\x1e[2]\n", 2, None),
        (b"{\"a\":\n1}\n{\n\"a\":2\n}\n3\n", 3, None),
        (b"{\"a\":1}{\"a\":2}\n{\"a\":3} 4\n{\"a\":5}", 5, None),
        (b"12\n13 true\n\"x\"\nnull\n", 5, None),
        (b"{\"a\":1}x\n{\"a\":2}\n", 1, Some(ErrorKind::Decode)),
        (b"1\n{\"a\":\"x\ny\"}\n2\n", 1, Some(ErrorKind::Decode)),
        (b"1\n{\"a\":\"\xff\"}\n", 1, Some(ErrorKind::Decode)),
        (b"1\n{\"a\":\n", 1, Some(ErrorKind::Truncated)),
        (b"1\n}\n2\n", 1, Some(ErrorKind::Decode)),
        (&too_deep, 0, Some(ErrorKind::Protocol)),
    ];
    for (text, items, error) in texts {
        let mut all = Vec::new();
        for length in [1, 5, text.len()] {
            let chunks: Vec<&[u8]> = text.chunks(length).collect();
            let answer = answer("200 OK", &["Transfer-Encoding: chunked"], chunked(&chunks));
            let (_engine, docker) = engine("GET /v1.44/something/new", answer);
            let drained = drain(docker.request(Method::Get, NEW).json_stream::<Value>().await.unwrap()).await;
            assert_eq!(drained.error.as_ref().map(|error| error.kind()), error, "{text:?}");
            all.push((drained.items, drained.error.map(|error| error.to_string())));
        }
        assert_eq!(all[0].0.len(), items, "{text:?}");
        assert!(all.iter().all(|one| one == &all[0]), "{text:?}: {all:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cut_answer_is_an_error() {
    let whole = Answer::new(answer("200 OK", &["Transfer-Encoding: chunked"], chunked(&["{\"a\":1}", "{\"a\":2}"])));
    for cut in head_length(&whole.bytes())..whole.len() {
        let answer = whole.clone().fails_after(cut, Fault::Cut);
        let (_engine, docker) = engine("GET /v1.44/something/new", answer.clone());
        let error = docker.request(Method::Get, NEW).bytes().await.unwrap_err();
        assert_eq!((error.kind(), error.target()), (ErrorKind::Truncated, Some("GET /something/new")), "{cut}");
        let (_engine, docker) = engine("GET /v1.44/something/new", answer);
        let values = drain(docker.request(Method::Get, NEW).json_stream::<Value>().await.unwrap()).await;
        assert_eq!(values.error.unwrap().kind(), ErrorKind::Truncated, "{cut}");
    }
}

#[tokio::test(start_paused = true)]
async fn refusals_have_the_words_of_the_engine() {
    let (_engine, docker) = engine("PUT /v1.44/something/new", json("409 Conflict", "{\"message\":\"in use\"}"));
    let error = docker.request(Method::Put, NEW).body("text/plain", "a").send().await.unwrap_err();
    assert_eq!(error.to_string(), "request `PUT /something/new`: in use (409)");
    let (engine, docker) = engine("GET /v1.44/something/new", json("200 OK", "{}"));
    let error = docker.request(Method::Get, NEW).connection("tcp").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert_eq!(engine.received()[0].header("upgrade"), Some("tcp"));
    docker.close();
    assert_eq!(engine.alive(), 0);
}

#[tokio::test(start_paused = true)]
async fn only_a_request_without_bound_outlives_the_deadline_for_heads() {
    let late = || Answer::new(json("200 OK", "1")).split_at([1]).pace(Duration::from_secs(60));
    let deadlines = Deadlines::default().head(Duration::from_secs(5));
    let (_engine, docker) = engine("GET /v1.44/something/new", late());
    let error = docker.with_deadlines(deadlines).request(Method::Get, NEW).bytes().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let (_engine, docker) = engine("GET /v1.44/something/new", late());
    let answer = docker.with_deadlines(deadlines).request(Method::Get, NEW).unbounded().send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

async fn read_all(connection: &mut RawConnection) -> String {
    let mut text = String::new();
    never_hangs(connection.read_to_string(&mut text), "a connection").await.unwrap();
    text
}

#[tokio::test(start_paused = true)]
async fn a_connection_begins_right_behind_the_head() {
    let dialogue = Answer::new(upgraded("application/vnd.docker.raw-stream")).then("hello ");
    let dialogue = dialogue.after_input(4).then("pong").after_end_of_input().then(" bye").then_close();
    for answer in in_all_pieces(&dialogue) {
        let (engine, docker) = engine("POST /v1.44/something/new", answer);
        let mut connection = docker.request(Method::Post, NEW).connection("new/1").await.unwrap();
        assert_eq!(engine.received()[0].header("upgrade"), Some("new/1"));
        assert_eq!(connection.content_type(), Some("application/vnd.docker.raw-stream"));
        let mut greeting = [0; 6];
        connection.read_exact(&mut greeting).await.unwrap();
        assert_eq!(&greeting, b"hello ");
        connection.write_all(b"ping").await.unwrap();
        let mut reply = [0; 4];
        connection.read_exact(&mut reply).await.unwrap();
        assert_eq!(&reply, b"pong");
        connection.shutdown().await.unwrap();
        assert!(engine.input_ended(0));
        assert_eq!(read_all(&mut connection).await, " bye");
        assert!(connection.next().await.is_none());
        drop((connection, docker));
        assert_eq!((engine.alive(), engine.problems()), (0, vec![]));
    }
}

#[tokio::test(start_paused = true)]
async fn reading_and_taking_can_be_mixed() {
    let (_engine, docker) = engine("POST /v1.44/session", Answer::new(upgraded("a/b")).then("abcdef").then_close());
    let mut session = docker.session(&SessionOptions::default().id("0a")).await.unwrap();
    let mut two = [0; 2];
    session.read_exact(&mut two).await.unwrap();
    let mut rest = Vec::new();
    while let Some(piece) = session.next().await {
        rest.extend_from_slice(&piece.unwrap());
    }
    assert_eq!((&two, Bytes::from(rest)), (b"ab", Bytes::from_static(b"cdef")));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_fails_is_an_error_and_its_silence_has_a_deadline() {
    let head = upgraded("a/b");
    let reset = Answer::new(head.clone()).then("ab").fails_after(head.len() + 1, Fault::Reset);
    let (_engine, docker) = engine("POST /v1.44/grpc", reset);
    let mut connection = docker.grpc().await.unwrap();
    assert_eq!(connection.next().await.unwrap().unwrap(), "a");
    let error = connection.next().await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Truncated, "open gRPC connection"));

    let (_engine, docker) = engine("POST /v1.44/grpc", Answer::new(head));
    let docker = docker.with_deadlines(Deadlines::default().idle(Duration::from_secs(5)));
    let mut connection = docker.grpc().await.unwrap();
    let error = never_hangs(connection.read_u8(), "a silent connection").await.unwrap_err();
    let cause = error.into_inner().unwrap().downcast::<longshore::Error>().unwrap();
    assert!(cause.is_timeout(), "{cause}");
}
