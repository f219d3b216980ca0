//! A container's output, as a client reads it.

use longshore::{Docker, ErrorKind, Line, OutputStream, Source, TextChunk, sanitize};
use longshore_testkit::transcript::wire::answer;
use longshore_testkit::{Answer, Exchange, ScriptedEngine, drain};

use crate::pieces::same_in_pieces;
use crate::runtime::block_on;

const SOURCES: [Source; 4] = [Source::Stdin, Source::Stdout, Source::Stderr, Source::Terminal];

/// What came of the same output in four ways.
#[derive(Debug, PartialEq)]
struct Read {
    bytes: [Vec<u8>; 4],
    lines: Vec<Line>,
    text: [String; 4],
    sanitized: [String; 4],
    /// How each of the four ended.
    ended: [Option<ErrorKind>; 4],
}

/// Reads these bytes as the output of a terminal, and as frames.
pub fn check(bytes: &[u8]) {
    for kind in ["raw", "multiplexed"] {
        let read = same_in_pieces(bytes, |cuts| block_on(read(kind, bytes, cuts)));
        assert_eq!(read.ended, [read.ended[0]; 4]);
        if read.ended[0].is_some() {
            continue;
        }
        for source in SOURCES {
            let bytes = &read.bytes[source as usize];
            let lines = read.lines.iter().filter(|line| line.source == source).map(|line| &line.bytes[..]);
            assert_eq!(lines.collect::<Vec<_>>(), split(bytes), "{source}");
            let text = &read.text[source as usize];
            assert_eq!(text, &String::from_utf8_lossy(bytes), "{source}");
            assert_eq!(read.sanitized[source as usize], sanitize(text), "{source}");
        }
    }
}

async fn read(kind: &str, bytes: &[u8], cuts: &[usize]) -> Read {
    let content_type = format!("Content-Type: application/vnd.docker.{kind}-stream");
    let head = answer("200 OK", &[&content_type, "Connection: close"], "");
    let cuts = cuts.iter().map(|cut| head.len() + cut);
    let answer = Answer::new([&head, bytes].concat()).split_at(cuts).then_close();
    let target = "GET /v1.44/containers/web/logs?stdout=1&stderr=1";
    let engine = ScriptedEngine::new([Exchange::new(target, answer).repeats()]);
    let docker = engine.docker();
    let chunks = drain(logs(&docker).await).await;
    let lines = drain(logs(&docker).await.lines()).await;
    let texts = drain(logs(&docker).await.text()).await;
    let sanitized = drain(logs(&docker).await.text().sanitized()).await;
    let mut bytes: [Vec<u8>; 4] = Default::default();
    for chunk in chunks.items {
        assert!(!chunk.bytes.is_empty(), "a piece of nothing");
        bytes[chunk.source as usize].extend_from_slice(&chunk.bytes);
    }
    assert_eq!((engine.alive(), engine.problems()), (0, vec![]));
    let ended = [chunks.error, lines.error, texts.error, sanitized.error];
    Read {
        bytes,
        lines: lines.items,
        text: joined(texts.items),
        sanitized: joined(sanitized.items),
        ended: ended.map(|error| error.map(|error| error.kind())),
    }
}

/// The text of each source.
fn joined(pieces: Vec<TextChunk>) -> [String; 4] {
    let mut text: [String; 4] = Default::default();
    for piece in pieces {
        assert!(!piece.text.is_empty(), "a piece of nothing");
        text[piece.source as usize].push_str(&piece.text);
    }
    text
}

async fn logs(docker: &Docker) -> OutputStream {
    docker.container("web").logs().await.expect("the head is good")
}

/// Lines in the simplest way.
fn split(bytes: &[u8]) -> Vec<&[u8]> {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
    lines.map(|line| line.strip_suffix(b"\r\n").or(line.strip_suffix(b"\n")).unwrap_or(line)).collect()
}
