//! The same answers, good and bad, read by hyper and by longshore.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod generator;

use longshore_fuzz::answers;
use longshore_fuzz::http::{self, Case, Outcome, hyper_peer, ours};

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
        http::compare(&case, &ours, &theirs);
    }
    assert!(accepted > 10_000 && rejected > 10_000, "{accepted} accepted, {rejected} rejected: a poor sample");
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
        downloaded += usize::from(answers::compare(&case).await);
    }
    assert!(downloaded > 1000, "{downloaded} downloads are a poor sample");
}
