//! 64 MiB both ways, byte for byte.

use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use longshore::models::LogConfig;
use longshore::{Container, OutputStream, Payload, Result, Source, Spec, Until};
use longshore_testkit::live::Live;

use crate::harness::{Outcome, Test, test_within};
use crate::support::tar_head;

pub(crate) fn tests() -> Vec<Test> {
    // They are the first to be started, and their engines have much to do then.
    let patience = Duration::from_secs(120);
    vec![
        test_within(patience, an_exec_s_output_arrives_whole_and_apart),
        test_within(patience, an_attached_container_s_output_arrives_whole_and_apart),
        test_within(patience, input_and_output_of_an_exec_pass_each_other),
        test_within(patience, an_archive_goes_in_and_out),
    ]
}

const SIZE: usize = 64 << 20;

/// 64 MiB of which no part is like another.
fn noise() -> Bytes {
    static NOISE: OnceLock<Bytes> = OnceLock::new();
    let make = || {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut bytes = Vec::with_capacity(SIZE);
        while bytes.len() < SIZE {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.extend_from_slice(&state.to_le_bytes());
        }
        bytes.into()
    };
    NOISE.get_or_init(make).clone()
}

/// Compares what comes with what was sent.
struct Comparison {
    rest: Bytes,
    what: &'static str,
}

impl Comparison {
    fn new(what: &'static str, expected: Bytes) -> Self {
        Comparison { rest: expected, what }
    }

    fn take(&mut self, bytes: &[u8]) {
        let left = self.rest.len();
        assert!(self.rest.starts_with(bytes), "{} differs with {left} bytes left", self.what);
        self.rest = self.rest.slice(bytes.len()..);
    }

    fn finish(self) {
        assert_eq!(self.rest.len(), 0, "{} ends too early", self.what);
    }
}

/// Puts the noise into a container: streamed, in pieces whose ends mean nothing.
async fn fill(container: &Container) -> Result<()> {
    let head = Bytes::from(tar_head("noise", SIZE as u64));
    let all = [head, noise(), Bytes::from_static(&[0; 1024])].into_iter();
    let mut pieces = all.flat_map(|mut bytes| {
        std::iter::from_fn(move || {
            let length = bytes.len().min(99_991);
            (length > 0).then(|| bytes.split_to(length))
        })
    });
    let stream = futures_util::stream::poll_fn(move |_| std::task::Poll::Ready(pieces.next().map(Ok)));
    container.put_archive("/", Payload::stream(stream)).await
}

/// A script that writes the noise to stdout and its second half to stderr, both at a time.
const BOTH: [&str; 3] = ["sh", "-c", "cat /noise & tail -c 33554432 /noise >&2; wait"];

/// Reads both to their end.
async fn compare(mut output: OutputStream) -> Result<()> {
    let mut stdout = Comparison::new("stdout", noise());
    let mut stderr = Comparison::new("stderr", noise().slice(SIZE / 2..));
    while let Some(chunk) = output.next().await {
        let chunk = chunk?;
        match chunk.source {
            Source::Stdout => stdout.take(&chunk.bytes),
            Source::Stderr => stderr.take(&chunk.bytes),
            other => panic!("{other:?}"),
        }
    }
    stdout.finish();
    stderr.finish();
    Ok(())
}

/// Without logs, so that the engine need not write them.
fn quiet(mut spec: Spec) -> Spec {
    spec.host_config.log_config = LogConfig::new("none");
    spec
}

async fn an_exec_s_output_arrives_whole_and_apart(live: Live) -> Outcome {
    let container = live.start(quiet(live.spec("sleep 1000"))).await?;
    fill(&container).await?;
    let session = container.exec(BOTH).start().await?;
    let exec = session.exec().clone();
    compare(session.into_output()).await?;
    assert!(exec.wait().await?.success());
    Ok(())
}

async fn an_attached_container_s_output_arrives_whole_and_apart(live: Live) -> Outcome {
    let container = live.create(quiet(live.spec(BOTH))).await?;
    fill(&container).await?;
    let exit = container.wait(Until::NextExit).await?;
    let session = container.attach().await?;
    container.start().await?;
    compare(session.into_output()).await?;
    assert!(exit.await?.success());
    Ok(())
}

async fn input_and_output_of_an_exec_pass_each_other(live: Live) -> Outcome {
    let (mut stdin, mut output) = live.shared().await?.exec("cat").stdin().start().await?.split();
    let writing = tokio::spawn(async move {
        stdin.send(&noise()).await?;
        stdin.close().await
    });
    let mut stdout = Comparison::new("stdout", noise());
    while let Some(chunk) = output.next().await {
        stdout.take(&chunk?.bytes);
    }
    stdout.finish();
    writing.await??;
    Ok(())
}

async fn an_archive_goes_in_and_out(live: Live) -> Outcome {
    let container = live.create(live.spec("true")).await?;
    fill(&container).await?;
    let stat = container.archive_info("/noise").await?;
    assert_eq!(stat.size, SIZE as u64);
    let mut archive = container.archive("/noise").await?;
    let (mut head, mut content) = (512, Comparison::new("the file", noise()));
    while let Some(piece) = archive.next().await {
        let mut piece = piece?;
        let skipped = piece.split_to(piece.len().min(head));
        head -= skipped.len();
        let piece = piece.slice(..piece.len().min(content.rest.len()));
        content.take(&piece);
    }
    content.finish();
    Ok(())
}
