//! The same answers, good and bad, read by hyper and by longshore.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod generator;
mod hyper_peer;
mod ours;

use generator::Case;
use longshore::{Deadlines, ErrorKind};
use longshore_testkit::{Answer, Exchange, ScriptedEngine, never_hangs};
use longshore_wire::body::BodyError;
use ours::Refusal;

/// What a client makes of the bytes that come until the connection ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// An answer that is whole.
    Accepted { status: u16, body: Vec<u8> },
    /// None, or one that is cut or broken.
    Rejected,
}

impl Outcome {
    fn accepted(status: u16, body: &str) -> Self {
        Outcome::Accepted { status, body: body.into() }
    }
}

#[tokio::test]
async fn answers_are_read_as_hyper_reads_them() {
    let (mut accepted, mut rejected) = (0, 0);
    for case in generator::cases(30_000) {
        let ours = ours::read(&case);
        let theirs = hyper_peer::read(&case).await;
        match &theirs {
            Outcome::Accepted { .. } => accepted += 1,
            Outcome::Rejected => rejected += 1,
        }
        let same = ours::outcome(&ours) == theirs;
        assert!(same || is_deliberate(&case, &ours), "{case:?}\nours {ours:?}\ntheirs {theirs:?}");
    }
    assert!(accepted > 10_000 && rejected > 10_000, "{accepted} accepted, {rejected} rejected: a poor sample");
}

/// Whether longshore means to differ from hyper here.
fn is_deliberate(case: &Case, ours: &Result<(u16, Vec<u8>), Refusal>) -> bool {
    // hyper reads over a line feed alone among the trailers.
    let bare_line_feed = *ours == Err(Refusal::Body(BodyError::Trailers));
    // hyper reads no encoding out of a field that is not ASCII throughout, and takes what comes for the body.
    let lines = case.bytes.split(|byte| *byte == b'\n');
    let mut encodings = lines.filter(|line| line.to_ascii_lowercase().starts_with(b"transfer-encoding:"));
    bare_line_feed || encodings.any(|line| !line.is_ascii())
}

/// The differences that are meant, one by one: the answer, what longshore makes of it, what hyper does, and why.
#[tokio::test]
async fn longshore_differs_from_hyper_where_it_means_to() {
    let chunked = |body: &str| format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
    let fields = |count: usize| {
        let fields = (0..count).map(|n| format!("X-{n}: {n}\r\n")).collect::<String>();
        format!("HTTP/1.1 200 OK\r\n{fields}\r\nok")
    };
    let long_field = |length: usize| format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\nok", "a".repeat(length));
    let ok = || Outcome::accepted(200, "ok");
    let differences = [
        ("128 fields, since a list of them costs nothing", fields(101), ok(), Outcome::Rejected),
        ("heads of at most 64 KiB", long_field(70_000), Outcome::Rejected, ok()),
        (
            "chunk sizes of at most 16 digits, zeros included: more is an attack",
            chunked("00000000000000002\r\nok\r\n0\r\n\r\n"),
            Outcome::Rejected,
            ok(),
        ),
        (
            "lines of at most 4 KiB before a chunk",
            chunked(&format!("2;{}\r\nok\r\n0\r\n\r\n", "e".repeat(5000))),
            Outcome::Rejected,
            ok(),
        ),
        (
            "no line feed alone among the trailers: a body is framed strictly",
            chunked("2\r\nok\r\n0\r\n\nDigest: a\r\n\r\n"),
            Outcome::Rejected,
            ok(),
        ),
        (
            "the last encoding counts, whatever stands before it",
            chunked("2\r\nok\r\n0\r\n\r\n").replace(": chunked", ": \u{b6}, chunked"),
            ok(),
            Outcome::accepted(200, "2\r\nok\r\n0\r\n\r\n"),
        ),
    ];
    for (reason, bytes, ours, theirs) in differences {
        let case = Case { bytes: bytes.into_bytes(), head: false, pieces: 4096 };
        assert_eq!(ours::outcome(&ours::read(&case)), ours, "{reason}");
        assert_eq!(hyper_peer::read(&case).await, theirs, "{reason}");
    }
}

/// What the decoders say is what a call says.
#[tokio::test(start_paused = true)]
async fn calls_read_answers_as_the_decoders_do() {
    let mut downloaded = 0;
    for case in generator::cases(6_000).filter(|case| !case.head) {
        let expected = ours::read(&case);
        let answer = Answer::new(case.bytes.clone()).pieces(case.pieces).then_close();
        let engine = ScriptedEngine::new([Exchange::new("GET /v1.44/containers/web/export", answer)]);
        let docker = engine.docker().with_deadlines(Deadlines::NONE);
        let outcome = never_hangs(download(&docker), &format!("{case:?}")).await;
        match (&expected, &outcome) {
            (Ok((200..=299 | 304, body)), Ok(bytes)) => {
                assert!(bytes == body, "{case:?}");
                downloaded += 1;
            }
            // A call refuses what the decoders only read: a change of protocol, other statuses.
            (Ok((101, _)), Err(error)) => assert_eq!(error.kind(), ErrorKind::Protocol, "{case:?}"),
            (Ok((status, _)), Err(error)) => assert_eq!(error.status(), Some(*status), "{case:?}"),
            // Of an answer that refuses, as much is told as can be read.
            (Err(_), Err(error)) if error.status().is_some() => {}
            (Err(Refusal::Cut), Err(error)) => {
                assert!(matches!(error.kind(), ErrorKind::Truncated | ErrorKind::Closed), "{case:?}: {error:?}");
            }
            (Err(_), Err(error)) => assert_eq!(error.kind(), ErrorKind::Protocol, "{case:?}"),
            (expected, outcome) => panic!("{case:?}\ndecoders {expected:?}\ncall {outcome:?}"),
        }
        docker.close();
        assert_eq!((engine.alive(), engine.problems()), (0, vec![]), "{case:?}");
    }
    assert!(downloaded > 1000, "{downloaded} downloads are a poor sample");
}

async fn download(docker: &longshore::Docker) -> longshore::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    docker.container("web").export().await?.copy_to(&mut bytes).await?;
    Ok(bytes)
}
