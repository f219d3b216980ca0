//! Requests with a body, large and small, streamed and not.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use longshore::{ErrorKind, Payload, Result};
use longshore_testkit::transcript::wire::{answer, json};
use longshore_testkit::{Answer, Exchange, Fault, ScriptedEngine, Transcript, Upload, never_hangs};
use tokio::io::{AsyncRead, ReadBuf};

const UPLOAD: &str = "PUT /v1.44/containers/web/archive?path=%2Fsrv";

fn unpacked() -> Vec<u8> {
    answer("200 OK", &["Content-Length: 0"], "")
}

fn refused() -> Vec<u8> {
    json("404 Not Found", "{\"message\":\"No such container: web\"}")
}

async fn upload(engine: &ScriptedEngine, payload: impl Into<Payload>) -> Result<()> {
    let docker = engine.docker();
    let outcome = never_hangs(docker.container("web").put_archive("/srv", payload), "an upload").await;
    docker.close();
    assert_eq!(engine.alive(), 0);
    outcome
}

/// Bytes that differ from their neighbours.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 31 / 7) as u8).collect()
}

/// Gives its pieces one after another, with a pause before each; some are empty.
struct Pieces(Vec<Bytes>, bool);

impl futures_core::Stream for Pieces {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.1 = !self.1;
        if self.1 {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.0.pop().map(Ok))
    }
}

fn pieces(whole: &[u8], size: usize) -> Pieces {
    let mut pieces = vec![Bytes::new()];
    for piece in whole.chunks(size) {
        pieces.extend([Bytes::copy_from_slice(piece), Bytes::new()]);
    }
    pieces.reverse();
    Pieces(pieces, false)
}

#[tokio::test(start_paused = true)]
async fn payloads_arrive_whole_whatever_they_are_made_of() {
    for length in [0, 1, 16 * 1024, 16 * 1024 + 1, 300_000] {
        let whole = pattern(length);
        for taken in [usize::MAX, 1000] {
            let payloads = [
                (Payload::from(whole.clone()), "content-length"),
                (Payload::reader(io::Cursor::new(whole.clone())), "transfer-encoding"),
                (Payload::stream(pieces(&whole, 700)), "transfer-encoding"),
            ];
            for (payload, framing) in payloads {
                let engine = ScriptedEngine::new([Exchange::new(UPLOAD, unpacked()).body(whole.clone())]);
                engine.write_pieces(taken);
                upload(&engine, payload).await.unwrap();
                engine.assert_finished();
                let received = &engine.received()[0];
                assert!(received.complete && received.header(framing).is_some(), "{received:?}");
                assert_eq!(received.header("content-type"), Some("application/x-tar"));
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_while_the_body_is_sent_is_the_answer() {
    for rest in [Upload::Take, Upload::Break, Upload::Stall] {
        for after in [0, 1, 70_000, 200_000] {
            let exchange = |bytes: Vec<u8>| Exchange::new(UPLOAD, Answer::new(bytes).early(after, rest));
            let endless = || Payload::reader(tokio::io::repeat(b'x'));

            let engine = ScriptedEngine::new([exchange(refused())]);
            let error = upload(&engine, endless()).await.unwrap_err();
            assert_eq!((error.kind(), error.message()), (ErrorKind::NotFound, "No such container: web"));
            assert!(!engine.received()[0].complete);

            // The tar had ended before the stream of it did.
            let engine = ScriptedEngine::new([exchange(unpacked())]);
            upload(&engine, endless()).await.unwrap();

            let engine = ScriptedEngine::new([exchange(refused())]);
            let error = upload(&engine, pattern(500_000)).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_early_answer_counts_even_if_the_connection_is_reset_behind_it() {
    let whole = refused();
    let reset = Answer::new(whole.clone()).fails_after(whole.len(), Fault::Reset).early(100, Upload::Break);
    let engine = ScriptedEngine::new([Exchange::new(UPLOAD, reset)]);
    let error = upload(&engine, Payload::reader(tokio::io::repeat(0))).await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::NotFound, "No such container: web"));

    // A reset may take with it what was on its way: then there is no answer.
    let reset = Answer::new(whole).fails_after(0, Fault::Reset).early(100, Upload::Break);
    let engine = ScriptedEngine::new([Exchange::new(UPLOAD, reset)]);
    let error = upload(&engine, Payload::reader(tokio::io::repeat(0))).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Closed, "upload into container"));
}

#[tokio::test(start_paused = true)]
async fn a_connection_with_half_a_request_on_it_is_not_used_again() {
    let engine = ScriptedEngine::new([Exchange::new(UPLOAD, Answer::new(refused()).early(10, Upload::Take))]);
    let good = json("200 OK", "{\"Id\":\"after\"}");
    engine.expect(Exchange::new("GET /v1.44/containers/after/json", good).repeats());
    let docker = engine.docker();
    Transcript::good_call(&docker).await.unwrap();
    docker.container("web").put_archive("/srv", Payload::reader(tokio::io::repeat(b'x'))).await.unwrap_err();
    assert_eq!(engine.alive(), 0);
    Transcript::good_call(&docker).await.unwrap();
    assert_eq!((engine.opened(), engine.problems()), (2, vec![]));
}

const BUILD: &str = "POST /v1.44/build";

fn built() -> Vec<u8> {
    json("200 OK", "{\"stream\":\"Step 1\\n\"}{\"aux\":{\"ID\":\"sha256:0f\"}}")
}

#[tokio::test(start_paused = true)]
async fn a_build_that_begins_before_it_has_everything_gets_the_rest() {
    for after in [0, 1, 70_000, 299_999] {
        let whole = pattern(300_000);
        let answer = Answer::new(built()).early(after, Upload::Take);
        let engine = ScriptedEngine::new([Exchange::new(BUILD, answer)]);
        let docker = engine.docker();
        let tar = Payload::stream(pieces(&whole, 700));
        let build = never_hangs(docker.images().build(tar), "a build").await.unwrap();
        assert_eq!(build.finish().await.unwrap().name(), "sha256:0f");
        assert!(engine.received()[0].complete && engine.received()[0].body == whole, "answered after {after}");
        engine.assert_finished();
    }
}

#[tokio::test(start_paused = true)]
async fn a_build_that_is_refused_or_broken_off_early_is_told_so() {
    let refusal = json("400 Bad Request", "{\"message\":\"the Dockerfile cannot be empty\"}");
    let failure = json("200 OK", "{\"errorDetail\":{\"code\":3,\"message\":\"returned 3\"}}");
    for (answer, rest) in [(refusal, Upload::Stall), (failure, Upload::Break)] {
        let engine = ScriptedEngine::new([Exchange::new(BUILD, Answer::new(answer).early(100, rest))]);
        let docker = engine.docker();
        let endless = Payload::reader(tokio::io::repeat(b'x'));
        let outcome = match never_hangs(docker.images().build(endless), "a build").await {
            Ok(build) => build.finish().await,
            refused => refused.map(|_| docker.image("x")),
        };
        let error = outcome.unwrap_err();
        let expected = match rest {
            Upload::Stall => (ErrorKind::Invalid, "the Dockerfile cannot be empty", None),
            _ => (ErrorKind::InStream, "returned 3", Some(3)),
        };
        assert_eq!((error.kind(), error.message(), error.code()), expected);
        drop(docker);
        assert_eq!(engine.alive(), 0);
    }
}

/// Gives these bytes, and then fails.
struct Failing(&'static [u8]);

impl AsyncRead for Failing {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match std::mem::take(&mut self.0) {
            b"" => Poll::Ready(Err(io::Error::other("no disk"))),
            bytes => {
                buffer.put_slice(bytes);
                Poll::Ready(Ok(()))
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_context_that_can_not_be_read_ends_the_build() {
    let engine = ScriptedEngine::new([Exchange::new(BUILD, Answer::new(built()).early(0, Upload::Take))]);
    let error = engine.docker().images().build(Payload::reader(Failing(b"half"))).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Io, "build image"));
    assert!(error.message().ends_with("no disk"), "{error}");
    assert!(!engine.received()[0].complete);
    assert_eq!(engine.alive(), 0);
}
