//! Servers that are no engines or break the rules, and callers that ask for what can't be.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use longshore::{Error, ErrorKind, Payload, Spec};
use longshore_testkit::transcript::wire::{answer, chunked, chunked_json, frame, json, upgraded};
use longshore_testkit::{Answer, Exchange, ScriptedEngine, Transcript, drain, never_hangs};

const LIST: &str = "GET /v1.44/containers/json";
const LOGS: &str = "GET /v1.44/containers/web/logs?stdout=1&stderr=1";
const STATS: &str = "GET /v1.44/containers/web/stats?stream=1";
const ATTACH: &str = "POST /v1.44/containers/web/attach?stream=1&stdin=0&stdout=1&stderr=1";

/// Lists the containers of a server that answers with these bytes, in one piece and in many, and gives the error.
async fn list_of(bytes: impl Into<Answer>) -> Error {
    let whole = bytes.into();
    let mut errors = Vec::new();
    let small = (whole.len() / 100).max(7);
    for answer in [whole.clone(), whole.clone().pieces(1000), whole.pieces(small)] {
        let engine = ScriptedEngine::new([Exchange::new(LIST, answer)]);
        let docker = engine.docker();
        let error = never_hangs(docker.containers().list(), "a bad answer").await.unwrap_err();
        assert_eq!(error.operation(), "list containers");
        let useless = error.kind() == ErrorKind::Protocol;
        assert!(!useless || engine.alive() == 0, "{error}: a connection of no use was kept");
        errors.push(error);
    }
    assert!(errors.iter().all(|error| error.kind() == errors[0].kind()), "{errors:?}");
    errors.remove(0)
}

#[track_caller]
pub(crate) fn assert_error(error: &Error, kind: ErrorKind, words: &str) {
    assert!(error.kind() == kind && error.to_string().contains(words), "{error:?} instead of {kind:?}, {words:?}");
}

#[tokio::test(start_paused = true)]
async fn servers_that_speak_no_http() {
    let servers: [&'static [u8]; 8] = [
        b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n",
        b"\x15\x03\x01\x00\x02\x02\x46",
        b"220 mail.example.com ESMTP\r\n",
        b"-ERR unknown command 'GET'\r\n",
        b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80",
        b"<html><body>hello</body></html>",
        b"HTTP/2 200 OK\r\n\r\n",
        b"ICY 200 OK\r\n\r\n",
    ];
    for server in servers {
        // It is told at once, whether the server goes on waiting or not.
        assert_error(&list_of(Answer::new(server)).await, ErrorKind::Protocol, "is not HTTP");
        assert_error(&list_of(Answer::new(server).then_close()).await, ErrorKind::Protocol, "is not HTTP");
    }
    assert_error(&list_of(Answer::default().then_close()).await, ErrorKind::Closed, "without an answer");
}

#[tokio::test(start_paused = true)]
async fn heads_and_chunks_and_trailers_beyond_the_limits() {
    let field = |length: usize| format!("X-Long: {}", "a".repeat(length));
    let error = list_of(answer("200 OK", &[&field(64 * 1024)], "[]")).await;
    assert_error(&error, ErrorKind::Protocol, "longer than 65536 bytes");
    // Without end it is refused at the limit.
    let endless = Answer::new("HTTP/1.1 200 OK\r\nX: ").then_firehose(vec![b'a'; 1000], std::time::Duration::ZERO);
    let engine = ScriptedEngine::new([Exchange::new(LIST, endless)]);
    let error = never_hangs(engine.docker().containers().list(), "an endless head").await.unwrap_err();
    assert_error(&error, ErrorKind::Protocol, "longer than 65536 bytes");

    let many = (0..129).map(|n| format!("X-{n}: {n}")).collect::<Vec<_>>();
    let many = many.iter().map(String::as_str).collect::<Vec<_>>();
    assert_error(&list_of(answer("200 OK", &many, "[]")).await, ErrorKind::Protocol, "more than 128 fields");

    let in_chunks = |body: String| answer("200 OK", &["Transfer-Encoding: chunked"], body);
    let error = list_of(in_chunks(format!("2;{}\r\n[]\r\n0\r\n\r\n", "e".repeat(4096)))).await;
    assert_error(&error, ErrorKind::Protocol, "longer than 4096 bytes");
    let error = list_of(in_chunks(format!("2\r\n[]\r\n0\r\n{}\r\n\r\n", field(16 * 1024)))).await;
    assert_error(&error, ErrorKind::Protocol, "longer than 16384 bytes");
    let error = list_of(in_chunks(format!("2\r\n[]\r\n0\r\n{}\r\n", "A: b\r\n".repeat(3000)))).await;
    assert_error(&error, ErrorKind::Protocol, "longer than 16384 bytes");
}

#[tokio::test(start_paused = true)]
async fn answers_that_break_the_rules() {
    let lengths = ["Content-Length: 2\r\nContent-Length: 3", "Content-Length: -2", "Content-Length: two"];
    for lengths in lengths {
        assert_error(&list_of(answer("200 OK", &[lengths], "[]")).await, ErrorKind::Protocol, "content length");
    }
    let chunked = |body: &'static str| answer("200 OK", &["Transfer-Encoding: chunked"], body);
    for body in ["[]", "2\n[]\n0\n\n", "2\r\n[]0\r\n\r\n", "-2\r\n[]\r\n", "fffffffffffffffff\r\n", "\r\n"] {
        assert_error(&list_of(chunked(body)).await, ErrorKind::Protocol, "chunk");
    }
    let error = list_of(Answer::new(chunked("ffffffffffffffff\r\n[]")).then_close()).await;
    assert_error(&error, ErrorKind::Truncated, "ended");
    let error =
        list_of(Answer::new(answer("200 OK", &["Content-Length: 18446744073709551615"], "[]")).then_close()).await;
    assert_error(&error, ErrorKind::Truncated, "ended");
    assert_error(&list_of("HTTP/1.1 200 OK\r\nno colon\r\n\r\n").await, ErrorKind::Protocol, "malformed");
    let folded = "HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 2\r\n\r\n[]";
    assert_error(&list_of(folded).await, ErrorKind::Protocol, "malformed");
    // Not followed: an engine never sends any away.
    let error =
        list_of(answer("302 Found", &["Location: /elsewhere", "Content-Length: 0", "Connection: close"], "")).await;
    assert_error(&error, ErrorKind::Protocol, "Found (302)");
}

#[tokio::test(start_paused = true)]
async fn a_change_of_protocol_that_nobody_asked_for() {
    let changed = || upgraded("application/vnd.docker.raw-stream");
    assert_error(&list_of(changed()).await, ErrorKind::Protocol, "101");
    let engine = ScriptedEngine::new([Exchange::new("POST /v1.44/containers/web/start", changed())]);
    let error = engine.docker().container("web").start().await.unwrap_err();
    assert_error(&error, ErrorKind::Protocol, "101");
    assert_eq!(engine.alive(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_page_where_a_session_was_asked_for() {
    let page = "<html>Welcome to the portal!</html>";
    let length = format!("Content-Length: {}", page.len());
    let answers = [
        answer("200 OK", &["Content-Type: text/html", &length], page),
        answer("200 OK", &["Content-Type: text/html", "Transfer-Encoding: chunked"], chunked(&[page])),
        answer("204 No Content", &[], ""),
        answer("304 Not Modified", &[], ""),
    ];
    for answer in answers {
        let engine = ScriptedEngine::new([Exchange::new(ATTACH, answer)]);
        let error = engine.docker().container("web").attach().await.unwrap_err();
        assert_error(&error, ErrorKind::Protocol, "instead of handing the connection over");
        assert_eq!(engine.alive(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn input_for_a_session_whose_upgrade_was_dropped_on_the_way() {
    let head = answer("200 OK", &["Content-Type: application/vnd.docker.multiplexed-stream"], "");
    let answer = Answer::new([head, frame(1, "out")].concat()).then_close();
    let engine = ScriptedEngine::new([Exchange::new(ATTACH.replace("stdin=0", "stdin=1"), answer)]);
    let mut session = engine.docker().container("web").attach().stdin().await.unwrap();
    for error in [session.write_all(b"in").await.unwrap_err(), session.close_stdin().await.unwrap_err()] {
        assert_error(&error, ErrorKind::Unsupported, "an HTTP proxy on the way has dropped the upgrade");
    }
    assert_eq!(session.next().await.unwrap().unwrap().bytes, "out");
    assert!(session.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn values_that_end_before_their_framing_does() {
    let short = |body: &str| json("200 OK", body);
    assert_error(&list_of(short("[{\"Id\":")).await, ErrorKind::Truncated, "ends inside");
    assert_error(&list_of(short("")).await, ErrorKind::Decode, "empty");
    assert_error(&list_of(short("[] []")).await, ErrorKind::Decode, "trailing");
    assert_error(&list_of(short("{}")).await, ErrorKind::Decode, "expected a list");
    assert_error(&list_of(short(&"[".repeat(100_000))).await, ErrorKind::Decode, "invalid type: sequence");
    let deep = format!("{{\"Components\":[{{\"Details\":{{\"a\":{}{}}}}}]}}", "[".repeat(10_000), "]".repeat(10_000));
    let engine = ScriptedEngine::new([Exchange::new("GET /v1.44/version", short(&deep))]);
    assert_error(&engine.docker().version().await.unwrap_err(), ErrorKind::Decode, "recursion limit");

    let logs = |body: &[u8]| {
        let fields = ["Content-Type: application/vnd.docker.multiplexed-stream", "Transfer-Encoding: chunked"];
        ScriptedEngine::new([Exchange::new(LOGS, answer("200 OK", &fields, chunked(&[body])))])
    };
    let whole = [frame(1, "one\n"), frame(2, "two\n")].concat();
    for end in (1..whole.len()).filter(|end| *end != 12) {
        let engine = logs(&whole[..end]);
        let drained = drain(engine.docker().container("web").logs().await.unwrap()).await;
        assert_error(&drained.error.unwrap(), ErrorKind::Truncated, "ended inside a frame");
    }
    let engine = logs(b"plain text instead of frames");
    let drained = drain(engine.docker().container("web").logs().await.unwrap()).await;
    assert_error(&drained.error.unwrap(), ErrorKind::Protocol, "");

    let stats = "{\"name\":\"/web\"}{\"name\":\"/w";
    let engine = ScriptedEngine::new([Exchange::new(STATS, chunked_json(&[stats]))]);
    let drained = drain(engine.docker().container("web").stats().await.unwrap()).await;
    assert_eq!(drained.items.len(), 1);
    assert_error(&drained.error.unwrap(), ErrorKind::Truncated, "ended inside a JSON value");
}

#[tokio::test(start_paused = true)]
async fn values_in_streams_beyond_the_limits() {
    let first = |engine: ScriptedEngine| async move {
        let drained = drain(engine.docker().container("web").stats().await.unwrap()).await;
        assert_eq!(drained.items.len(), 1);
        drained.error.unwrap()
    };
    let stream = |value: &str| {
        let bytes = chunked_json(&["{\"name\":\"/web\"}\n", value]);
        ScriptedEngine::new([Exchange::new(STATS, bytes)])
    };
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    assert_error(&first(stream(&deep)).await, ErrorKind::Protocol, "deeper than 127");
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(16 * 1024 * 1024));
    assert_error(&first(stream(&large)).await, ErrorKind::Protocol, "larger than 16777216 bytes");
    assert_error(&first(stream("{\"memory_stats\":7}")).await, ErrorKind::Decode, "memory_stats");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_a_million_words_is_cut_off() {
    let limit = 1024 * 1024;
    let words = format!("no such thing: {}", "x".repeat(2 * limit));
    let refusal =
        answer("404 Not Found", &["Content-Type: text/plain", "Transfer-Encoding: chunked"], chunked(&[&words]));
    let engine = ScriptedEngine::new([Exchange::new("POST /v1.44/containers/web/stop", refusal)]);
    let docker = engine.docker();
    let error = docker.container("web").stop().await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::NotFound, &words[..limit]));
    assert_eq!(engine.alive(), 0);

    // It need not end.
    let firehose =
        Answer::new(answer("500 Internal Server Error", &[], "")).then_firehose("why? ", std::time::Duration::ZERO);
    engine.expect(Exchange::new("POST /v1.44/containers/web/stop", firehose));
    let error = never_hangs(docker.container("web").stop(), "a refusal without end").await.unwrap_err();
    assert_eq!((error.kind(), error.message().len()), (ErrorKind::Server, limit));
    assert_eq!(engine.alive(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_empty_id_is_refused_before_anything_is_sent() {
    let engine = ScriptedEngine::new([]);
    let docker = engine.docker();
    for bad in ["", "/", ".", "..", "../images"] {
        let container = docker.container(bad);
        let errors = [
            container.inspect().await.map(drop),
            container.start().await.map(drop),
            container.logs().await.map(drop),
            container.attach().await.map(drop),
            container.exec("ls").output().await.map(drop),
            container.wait(longshore::Until::NotRunning).await.map(drop),
            container.stats().await.map(drop),
            container.archive("/").await.map(drop),
            container.put_archive("/", "tar").await,
            container.remove().await,
            docker.exec(bad.trim_start_matches('/')).inspect().await.map(drop),
        ];
        for outcome in errors {
            let error = outcome.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{error:?}");
            assert!(!error.operation().is_empty());
        }
    }
    assert_eq!(engine.opened(), 0);
}

#[tokio::test(start_paused = true)]
async fn odd_ids_arrive_as_they_are() {
    let cases = [
        ("a/b", "a%2Fb"),
        ("a?b=c", "a%3Fb%3Dc"),
        ("a%2Fb", "a%252Fb"),
        ("a b", "a%20b"),
        ("a#b", "a%23b"),
        ("wéb", "w%C3%A9b"),
        ("a\r\nX: y", "a%0D%0AX%3A%20y"),
    ];
    for (id, encoded) in cases {
        let expected = format!("GET /v1.44/containers/{encoded}/json");
        let refusal = json("404 Not Found", "{\"message\":\"no\"}");
        let engine = ScriptedEngine::new([Exchange::new(expected, refusal)]);
        let error = engine.docker().container(id).inspect().await.unwrap_err();
        assert_eq!((error.kind(), error.target()), (ErrorKind::NotFound, Some(id)), "{:?}", engine.problems());
        engine.assert_finished();
    }
}

#[tokio::test(start_paused = true)]
async fn an_invalid_spec_is_refused_in_the_engines_words() {
    let words = "invalid reference format: repository name (library/Alpine) must be lowercase";
    let refusal = json("400 Bad Request", &format!("{{\"message\":{words:?}}}"));
    let engine = ScriptedEngine::new([Exchange::new("POST /v1.44/containers/create?name=web", refusal)]);
    let docker = engine.docker();
    let error = docker.containers().create(&Spec::image("Alpine").name("web")).await.unwrap_err();
    assert_eq!((error.kind(), error.message(), error.status()), (ErrorKind::Invalid, words, Some(400)));
    assert_eq!(error.to_string(), format!("create container `web`: {words} (400)"));
}

/// Gives a few pieces and then fails.
struct Failing(u32);

impl futures_core::Stream for Failing {
    type Item = io::Result<bytes::Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0 = self.0.saturating_sub(1);
        match self.0 {
            0 => Poll::Ready(Some(Err(io::Error::other("the disk is on fire")))),
            2 => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            _ => Poll::Ready(Some(Ok(bytes::Bytes::from_static(b"a piece")))),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_payload_that_fails_half_way() {
    let engine = Transcript::named("an upload").engine();
    let docker = engine.docker();
    let error = docker.container("web").put_archive("/srv", Payload::stream(Failing(4))).await.unwrap_err();
    assert_error(&error, ErrorKind::Io, "the disk is on fire");
    assert!(error.operation().starts_with("upload") && error.target() == Some("web"));
    // Without the last chunk the engine knows that it is not the whole.
    let received = engine.received();
    assert_eq!((received[0].complete, &received[0].body[..]), (false, &b"a piecea piece"[..]));
    assert_eq!(engine.alive(), 0);
    Transcript::good_call(&docker).await.unwrap();
}
