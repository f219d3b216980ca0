//! Answers that claim or are more than any engine sends: each is refused at the limit that is documented for it.

use std::time::{Duration, Instant};

use bytes::Bytes;
use longshore::{Docker, ErrorKind, Result, Until};
use longshore_testkit::tally;
use longshore_testkit::transcript::wire::{answer, frame, upgraded};

use crate::source::{Script, Source};
use crate::streams::{MULTIPLEXED, chunk, chunked_head};
use crate::{alone, measured};

const FOR_EVER: u64 = u64::MAX;
const MIB: u64 = 1 << 20;

/// How long a refusal may take, on a busy machine and without optimisation.
const PATIENCE: Duration = Duration::from_secs(60);

/// Counts the answers that were refused.
#[derive(Default)]
struct Refusals(u64);

impl Refusals {
    /// Makes a call to an engine that answers so, which must fail like this, and take no more memory than `most`.
    async fn expect<T: std::fmt::Debug>(
        &mut self,
        what: &str,
        script: Script,
        call: impl AsyncFn(Docker) -> Result<T>,
        expected: (ErrorKind, &str),
        most: u64,
    ) {
        // The first call brings pages of the program itself into memory, which are not what is measured.
        let first = Source::of(script.clone());
        let _ = tokio::time::timeout(PATIENCE, call(first.docker())).await;
        let source = Source::of(script);
        let start = Instant::now();
        let calling = tokio::time::timeout(PATIENCE, call(source.docker()));
        let (outcome, taken) = measured(what, calling).await;
        let error = outcome.unwrap_or_else(|_| panic!("{what}: it goes on and on")).unwrap_err();
        assert_eq!(error.kind(), expected.0, "{what}: {error:?}");
        assert!(error.to_string().contains(expected.1), "{what}: `{error}` instead of `{}`", expected.1);
        assert!(taken < most, "{what} took {taken} bytes of memory");
        assert!(start.elapsed() < PATIENCE);
        self.0 += 1;
    }
}

impl Drop for Refusals {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            tally("bounds", "hostile answers refused", self.0);
        }
    }
}

fn endless_x() -> Bytes {
    vec![b'x'; 50_000].into()
}

async fn list(docker: Docker) -> Result<usize> {
    docker.containers().list().await.map(|all| all.len())
}

async fn inspect(docker: Docker) -> Result<String> {
    docker.container("web").inspect().await.map(|web| web.id.clone())
}

async fn start(docker: Docker) -> Result<()> {
    docker.container("web").start().await.map(drop)
}

async fn logs(docker: Docker) -> Result<()> {
    let mut output = docker.container("web").logs().await?;
    while let Some(chunk) = output.next().await {
        chunk?;
    }
    Ok(())
}

async fn stats(docker: Docker) -> Result<()> {
    let mut stats = docker.container("web").stats().await?;
    while let Some(sample) = stats.next().await {
        sample?;
    }
    Ok(())
}

#[tokio::test]
async fn heads_without_end() {
    let _alone = alone().await;
    let mut refused = Refusals::default();
    let too_long = (ErrorKind::Protocol, "longer than 65536 bytes");
    let started = || Script::new("HTTP/1.1 200 OK\r\n");
    let long_line = started().then("X: ").repeated(endless_x(), FOR_EVER);
    refused.expect("a field without end", long_line, list, too_long, 2 * MIB).await;
    let fields = started().repeated("X-Y: z\r\n", FOR_EVER);
    refused.expect("fields without end", fields, list, (ErrorKind::Protocol, "more than 128 fields"), 2 * MIB).await;
    let status = Script::new("HTTP/1.1 200 ").repeated(endless_x(), FOR_EVER);
    refused.expect("a status without end", status, list, too_long, 2 * MIB).await;
    // Also where an answer may take as long as it takes.
    let hints = || Script::new("").repeated("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", FOR_EVER);
    let wait = async |docker: Docker| docker.container("web").wait(Until::NotRunning).await.map(drop);
    refused.expect("informational heads without end", hints(), list, too_long, 2 * MIB).await;
    refused.expect("a wait for a final head", hints(), wait, too_long, 2 * MIB).await;
}

#[tokio::test]
async fn bodies_that_break_their_framing() {
    let _alone = alone().await;
    let mut refused = Refusals::default();
    let chunked = || Script::new(chunked_head("application/json"));
    let after = |begun: &str, piece: &'static str| {
        Script::new([&chunked().head[..], begun.as_bytes()].concat()).repeated(piece, FOR_EVER)
    };
    let line = (ErrorKind::Protocol, "longer than 4096 bytes");
    refused.expect("a chunk's line without end", after("2;", "extension"), list, line, 2 * MIB).await;
    let size = (ErrorKind::Protocol, "chunk");
    refused.expect("a size of chunk of 17 digits", after("1ffffffffffffffff\r\n", "x"), list, size, 2 * MIB).await;
    let digits = after("", "f");
    refused.expect("digits of a size without end", digits, list, size, 2 * MIB).await;
    // With 16 digits it is a size; what comes counts, not what is claimed.
    let whole = (ErrorKind::Protocol, "larger than 268435456 bytes");
    let claimed = after("ffffffffffffffff\r\n\"", "x").repeated(endless_x(), FOR_EVER);
    refused.expect("a size of chunk of 16 digits", claimed, inspect, whole, 600 * MIB).await;
    let cut = Script::new([&chunked().head[..], b"ffffffffffffffff\r\n["].concat());
    refused.expect("a chunk that is cut", cut, list, (ErrorKind::Truncated, "ended"), 2 * MIB).await;
    let trailers = (ErrorKind::Protocol, "longer than 16384 bytes");
    refused.expect("trailers without end", after("2\r\n[]\r\n0\r\n", "A: b\r\n"), list, trailers, 2 * MIB).await;
    refused.expect("a trailer without end", after("2\r\n[]\r\n0\r\nA: ", "bbbbbbbb"), list, trailers, 2 * MIB).await;
}

#[tokio::test]
async fn answers_of_any_length() {
    let _alone = alone().await;
    let mut refused = Refusals::default();
    let whole = (ErrorKind::Protocol, "larger than 268435456 bytes");
    let said = |length: &str| {
        let length = format!("Content-Length: {length}");
        Script::new(answer("200 OK", &["Content-Type: application/json", &length], "{\"Id\":\""))
            .repeated(endless_x(), FOR_EVER)
    };
    // It is not waited for, nor is memory taken for it.
    let gigantic = said("18446744073709551615");
    refused.expect("a gigantic length", gigantic, inspect, whole, 2 * MIB).await;
    refused.expect("a value of 1 GiB, announced", said("1073741824"), inspect, whole, 2 * MIB).await;
    let number = (ErrorKind::Protocol, "content length");
    refused.expect("a length that is no number", said("99999999999999999999"), inspect, number, 2 * MIB).await;
    let chunked = Script::new([chunked_head("application/json"), b"7\r\n{\"Id\":\"\r\n".to_vec()].concat());
    let chunked = chunked.repeated(chunk(endless_x()), FOR_EVER);
    refused.expect("a value of 1 GiB, in chunks", chunked.clone(), inspect, whole, 600 * MIB).await;
    refused.expect("a list of one without end", chunked.clone(), list, whole, 600 * MIB).await;

    // What says that it was done has nothing else to say; why it was not has 1 MiB for it.
    let nothing = (ErrorKind::Protocol, "larger than 1048576 bytes");
    refused.expect("words without end where none are needed", chunked, start, nothing, 4 * MIB).await;
    let refusal = answer("409 Conflict", &["Content-Type: text/plain", "Transfer-Encoding: chunked"], "");
    let refusal = Script::new(refusal).repeated(chunk(endless_x()), FOR_EVER);
    refused.expect("a refusal without end", refusal, start, (ErrorKind::Conflict, "xxx"), 8 * MIB).await;
}

#[tokio::test]
async fn values_and_lines_and_frames_of_any_length() {
    let _alone = alone().await;
    let mut refused = Refusals::default();
    let values = |begun: &str| Script::new([&chunked_head("application/json")[..], &chunk(begun)].concat());
    let large = (ErrorKind::Protocol, "larger than 16777216 bytes");
    let value = values("{\"name\":\"").repeated(chunk(endless_x()), FOR_EVER);
    refused.expect("a value of a stream of 1 GiB", value, stats, large, 64 * MIB).await;
    let deep = (ErrorKind::Protocol, "deeper than 127");
    let nested = values("{\"a\":").repeated(chunk("[".repeat(10_000)), FOR_EVER);
    refused.expect("10,000 arrays, one in another", nested, stats, deep, 4 * MIB).await;
    let nested = format!("[{}{}]", "[".repeat(10_000), "]".repeat(10_000));
    let nested = format!("{{\"Components\":[{{\"Details\":{{\"a\":{nested}}}}}]}}");
    let nested = Script::new(answer("200 OK", &["Content-Type: application/json", "Connection: close"], nested));
    let version = async |docker: Docker| docker.version().await.map(|version| version.version.clone());
    refused.expect("10,000 arrays in an answer", nested, version, (ErrorKind::Decode, "recursion"), 4 * MIB).await;

    let output = |piece: Bytes| Script::new(chunked_head(MULTIPLEXED)).repeated(piece, FOR_EVER);
    let lines = async |docker: Docker| {
        let mut lines = docker.container("web").logs().await?.lines();
        while let Some(line) = lines.next().await {
            line?;
        }
        Ok(())
    };
    let line = (ErrorKind::TooLarge, "1048576 bytes");
    refused.expect("a line without end", output(chunk(frame(1, endless_x()))), lines, line, 8 * MIB).await;
    let all = async |docker: Docker| docker.container("web").logs().await?.collect_up_to(MIB).await.map(drop);
    let endless = output(chunk(frame(1, "line\n".repeat(1000))));
    refused.expect("output without end, collected", endless, all, (ErrorKind::TooLarge, ""), 8 * MIB).await;
    // What a frame says comes as it comes, however much it claims to be.
    let huge = Script::new([&upgraded(MULTIPLEXED)[..], &[1, 0, 0, 0, 255, 255, 255, 255]].concat());
    let huge = huge.repeated(endless_x(), 1000);
    let attach = async |docker: Docker| {
        let mut session = docker.container("web").attach().await?;
        while let Some(chunk) = session.next().await {
            chunk?;
        }
        Ok(())
    };
    refused.expect("a frame of 4 GiB that is cut", huge, attach, (ErrorKind::Truncated, "frame"), 4 * MIB).await;
    let failure = Script::new([&upgraded(MULTIPLEXED)[..], &[3, 0, 0, 0, 255, 255, 255, 255]].concat());
    let failure = failure.repeated(endless_x(), FOR_EVER);
    refused.expect("a failure of 4 GiB", failure, attach, (ErrorKind::InStream, "xxx"), 8 * MIB).await;
    let text = output(chunk("plain text instead of frames"));
    refused.expect("text instead of frames", text, logs, (ErrorKind::Protocol, ""), 4 * MIB).await;
}
