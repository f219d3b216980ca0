//! Much output through exec and attach, at reads of every size.

use longshore::{Docker, Finished, OutputStream, Sanitizer, Source};
use longshore_testkit::transcript::wire::{frame, json, upgraded};
use longshore_testkit::{Answer, Exchange, ScriptedEngine, drain};

const SIZES: [usize; 9] = [1, 2, 3, 7, 8, 9, 64, 4096, 65536];
const MULTIPLEXED: &str = "application/vnd.docker.multiplexed-stream";

/// 1 MiB of two streams, interleaved in frames of all sizes up to 32 KiB.
struct Output {
    wire: Vec<u8>,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

fn output() -> Output {
    let mut output = Output { wire: Vec::new(), stdout: Vec::new(), stderr: Vec::new() };
    let mut random = 42_u64;
    let mut next = || {
        // Knuth's generator: the same bytes at every run.
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        random >> 33
    };
    while output.wire.len() < 1024 * 1024 {
        let length = match next() % 4 {
            0 => next() % 20,
            1 => next() % 300,
            2 => next() % 4096,
            _ => next() % (32 * 1024),
        };
        let payload = (0..length).map(|_| next() as u8).collect::<Vec<_>>();
        let stream = 1 + (next() % 2) as u8;
        output.wire.extend(frame(stream, &payload));
        if stream == 1 { &mut output.stdout } else { &mut output.stderr }.extend(payload);
    }
    output
}

impl Output {
    fn session(&self, request: &str) -> Exchange {
        Exchange::new(request, Answer::new([upgraded(MULTIPLEXED), self.wire.clone()].concat()).then_close())
    }

    fn check(&self, size: usize, stdout: &[u8], stderr: &[u8]) {
        // Not `assert_eq`, which would print megabytes.
        assert!(stdout == self.stdout, "stdout differs at reads of {size}");
        assert!(stderr == self.stderr, "stderr differs at reads of {size}");
    }
}

async fn attach(docker: &Docker) -> OutputStream {
    docker.container("web").attach().await.unwrap().into_output()
}

#[tokio::test(start_paused = true)]
async fn attached_output_arrives_whole_at_every_read_size() {
    let output = output();
    for size in SIZES {
        let request = "POST /v1.44/containers/web/attach?stream=1&stdin=0&stdout=1&stderr=1";
        let engine = ScriptedEngine::new([output.session(request)]);
        engine.read_limit(size);
        let drained = drain(attach(&engine.docker()).await).await;
        assert!(drained.error.is_none() && drained.items.iter().all(|chunk| !chunk.bytes.is_empty()));
        let of = |source| {
            let chunks = drained.items.iter().filter(|chunk| chunk.source == source);
            chunks.flat_map(|chunk| chunk.bytes.iter().copied()).collect::<Vec<_>>()
        };
        output.check(size, &of(Source::Stdout), &of(Source::Stderr));
        assert_eq!(engine.alive(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn the_output_of_an_execution_arrives_whole_at_every_read_size() {
    let output = output();
    for size in SIZES {
        let engine = ScriptedEngine::new([
            Exchange::new("POST /v1.44/containers/web/exec", json("201 Created", "{\"Id\":\"e1\"}")),
            output.session("POST /v1.44/exec/e1/start"),
            Exchange::new("GET /v1.44/exec/e1/json", json("200 OK", "{\"Running\":false,\"ExitCode\":0}")),
        ]);
        engine.read_limit(size);
        let Finished { status, stdout, stderr, .. } =
            engine.docker().container("web").exec("cat big").output().await.unwrap();
        assert!(status.success());
        output.check(size, &stdout, &stderr);
        engine.assert_finished();
    }
}

#[tokio::test(start_paused = true)]
async fn output_can_be_copied_to_writers() {
    let output = output();
    let request = "POST /v1.44/containers/web/attach?stream=1&stdin=0&stdout=1&stderr=1";
    let engine = ScriptedEngine::new([output.session(request)]);
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    attach(&engine.docker()).await.copy_to(&mut stdout, &mut stderr).await.unwrap();
    output.check(usize::MAX, &stdout, &stderr);
}

/// What a hostile container writes, and what is left of it for a terminal, source by source.
#[tokio::test(start_paused = true)]
async fn hostile_output_is_harmless_at_every_split() {
    let wire = [
        frame(1, "50 %\r\x1b"),
        frame(2, "\x1b[1;3"),
        frame(1, "]0;title\x07\r"),
        frame(2, "1mred\nnot \u{202e}red\x1b[2J"),
        frame(1, "\n\u{9b}2J \x1b[8mhidden\x1b["),
    ]
    .concat();
    let plain = ["50 %␍␛]0;title␇\n\u{fffd}2J hidden␛[", "red\nnot \u{fffd}red␛[2J"];
    let coloured = [plain[0], "\x1b[1;31mred\x1b[0m\nnot \u{fffd}red␛[2J"];
    let lines = ["50 %␍␛]0;title␇", "red", "\u{fffd}2J hidden␛[", "not \u{fffd}red␛[2J"];
    let head = upgraded(MULTIPLEXED);
    let bytes = [head.clone(), wire].concat();
    let request = "POST /v1.44/containers/web/attach?stream=1&stdin=0&stdout=1&stderr=1";
    for split in head.len()..bytes.len() {
        let answer = Answer::new(bytes.clone()).split_at([split]).then_close();
        let engine = ScriptedEngine::new([Exchange::new(request, answer).repeats()]);
        let docker = engine.docker();
        let keep = Sanitizer::new().keep_colours();
        let texts = [attach(&docker).await.text().sanitized(), attach(&docker).await.text().sanitized_with(&keep)];
        for (text, expected) in texts.into_iter().zip([plain, coloured]) {
            let drained = drain(text).await;
            assert!(drained.error.is_none());
            let of = |source| drained.items.iter().filter(move |piece| piece.source == source);
            let found = [Source::Stdout, Source::Stderr]
                .map(|source| of(source).map(|piece| piece.text.as_str()).collect::<String>());
            assert_eq!(found, expected, "split at {split}");
        }
        let mut found = drain(attach(&docker).await.lines()).await.items;
        found.sort_by_key(|line| lines.iter().position(|expected| *expected == line.sanitized()));
        assert_eq!(found.iter().map(|line| line.sanitized()).collect::<Vec<_>>(), lines, "split at {split}");
    }
}
