//! What can be made of a container's output: lines, text, memory, many readers.

use std::time::Duration;

use longshore::{Chunk, Delivery, Docker, ErrorKind, FanOut, Line, OutputStream, Source, Subscription};
use longshore_testkit::transcript::wire::{answer, chunked, frame, head_length};
use longshore_testkit::{Answer, Drained, Exchange, Fault, ScriptedEngine, drain, never_hangs, poll_n};

const LOGS: &str = "GET /v1.44/containers/web/logs?stdout=1&stderr=1";
const MULTIPLEXED: &str = "Content-Type: application/vnd.docker.multiplexed-stream";
const TERMINAL: &str = "Content-Type: application/vnd.docker.raw-stream";

/// Logs with each of these writes in a frame and a chunk of its own.
fn logs(writes: &[(u8, &[u8])]) -> Answer {
    let frames = writes.iter().map(|(stream, payload)| frame(*stream, payload)).collect::<Vec<_>>();
    Answer::new(answer("200 OK", &[MULTIPLEXED, "Transfer-Encoding: chunked"], chunked(&frames)))
}

fn engine(answer: Answer) -> (ScriptedEngine, Docker) {
    let engine = ScriptedEngine::new([Exchange::new(LOGS, answer)]);
    let docker = engine.docker();
    (engine, docker)
}

async fn output(answer: Answer) -> OutputStream {
    engine(answer).1.container("web").logs().await.unwrap()
}

/// The answer in one piece, split at every byte of its body, and byte by byte.
fn in_all_pieces(answer: &Answer) -> Vec<Answer> {
    let head = head_length(&answer.bytes());
    let splits = (head..answer.len()).map(|split| answer.clone().split_at([split]));
    splits.chain([answer.clone(), answer.clone().pieces(1)]).collect()
}

fn rendered(line: &Line) -> String {
    format!("{}: {line}", line.source)
}

async fn assert_lines(writes: &[(u8, &[u8])], expected: &[&str]) {
    for answer in in_all_pieces(&logs(writes)) {
        let drained = drain(output(answer).await.lines()).await;
        assert_eq!(drained.items.iter().map(rendered).collect::<Vec<_>>(), expected);
        assert!(drained.error.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn lines_of_both_sources_come_as_they_are_completed() {
    assert_lines(
        &[(1, b"one\ntw"), (2, b"err"), (1, b"o\n"), (2, b"or\nlast"), (1, b"\n"), (1, b"three")],
        &["stdout: one", "stdout: two", "stderr: error", "stdout: ", "stdout: three", "stderr: last"],
    )
    .await;
    assert_lines(&[], &[]).await;
    assert_lines(&[(1, b"\n\n")], &["stdout: ", "stdout: "]).await;
}

#[tokio::test(start_paused = true)]
async fn a_line_may_end_with_a_carriage_return_too() {
    assert_lines(
        &[(1, b"one\r\ntwo\r"), (1, b"\nth\rree\r\r\n"), (2, b"\r\n"), (1, b"four\r")],
        &["stdout: one", "stdout: two", "stdout: th\rree\r", "stderr: ", "stdout: four\r"],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn lines_of_a_terminal_have_one_source() {
    let answer = answer("200 OK", &[TERMINAL, "Transfer-Encoding: chunked"], chunked(&["$ ls\r\na", " b\r\n$ "]));
    for answer in in_all_pieces(&Answer::new(answer)) {
        let drained = drain(output(answer).await.lines()).await;
        let lines = drained.items.iter().map(rendered).collect::<Vec<_>>();
        assert_eq!(lines, ["terminal: $ ls", "terminal: a b", "terminal: $ "]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_line_up_to_the_limit_is_a_line_wherever_it_comes_apart() {
    for writes in [&[(1, &b"12345678\n"[..])], &[(1, &b"12345678\r\n"[..])], &[(1, &b"12345678"[..])]] {
        for answer in in_all_pieces(&logs(writes)) {
            let drained = drain(output(answer.clone()).await.lines().limit(8)).await;
            assert_eq!(drained.error.map(|error| error.to_string()), None, "{answer:?}");
            assert_eq!(drained.items.iter().map(rendered).collect::<Vec<_>>(), ["stdout: 12345678"]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_line_over_the_limit_is_an_error_wherever_it_comes_apart() {
    for long in [&b"123456789\n"[..], b"123456789\r\n", b"123456789", b"12345678\r", b"1234567890123456789\n"] {
        // What another source has begun says nothing about this one.
        for answer in in_all_pieces(&logs(&[(1, b"ok\n"), (2, b"begun"), (1, long)])) {
            let Drained { items, error } = drain(output(answer.clone()).await.lines().limit(8)).await;
            let error = error.unwrap_or_else(|| panic!("{long:?} passes: {items:?} of {answer:?}"));
            assert_eq!((error.kind(), error.operation()), (ErrorKind::TooLarge, "read logs of container"));
            assert_eq!(items.iter().map(rendered).collect::<Vec<_>>(), ["stdout: ok"]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_lines_before_a_cut_come_and_the_one_it_cut_does_not() {
    let answer = logs(&[(1, b"one\ntwo\nthr"), (1, b"ee\n")]);
    let cut = answer.len() - 12;
    let Drained { items, error } = drain(output(answer.fails_after(cut, Fault::Cut)).await.lines()).await;
    assert_eq!(items.iter().map(rendered).collect::<Vec<_>>(), ["stdout: one", "stdout: two"]);
    assert_eq!(error.unwrap().kind(), ErrorKind::Truncated);
}

#[tokio::test(start_paused = true)]
async fn timestamps_can_be_taken_from_lines() {
    let writes: &[(u8, &[u8])] = &[
        (1, b"2024-03-05T10:00:00.000000001Z hello world\n"),
        (1, b"2024-03-05T10:00:00Z \n"),
        (1, b"not a time\n"),
        (1, b"2024-03-05T10:00:00Z"),
    ];
    let mut lines = drain(output(logs(writes)).await.lines()).await.items;
    let taken = lines.iter_mut().map(|line| line.take_timestamp().map(|time| time.to_string())).collect::<Vec<_>>();
    let time = |text: &str| Some(text.to_owned());
    assert_eq!(taken, [time("2024-03-05T10:00:00.000000001Z"), time("2024-03-05T10:00:00Z"), None, None]);
    let rest = lines.iter().map(|line| line.text().into_owned()).collect::<Vec<_>>();
    assert_eq!(rest, ["hello world", "", "not a time", "2024-03-05T10:00:00Z"]);
}

#[tokio::test(start_paused = true)]
async fn text_is_put_together_for_each_source() {
    let writes: &[(u8, &[u8])] =
        &[(1, b"a\xe2\x82"), (2, b"\xf0\x9f\x98"), (1, b"\xacb"), (2, b"\x80 \xff ok"), (1, b"\xc3")];
    for answer in in_all_pieces(&logs(writes)) {
        let drained = drain(output(answer).await.text()).await;
        assert!(drained.error.is_none() && drained.items.iter().all(|chunk| !chunk.text.is_empty()));
        let of = |source| {
            let chunks = drained.items.iter().filter(|chunk| chunk.source == source);
            chunks.map(|chunk| chunk.text.as_str()).collect::<String>()
        };
        assert_eq!((of(Source::Stdout).as_str(), of(Source::Stderr).as_str()), ("a€b\u{fffd}", "😀 \u{fffd} ok"));
    }
    let cut = logs(&[(1, b"a\xe2\x82"), (1, b"\xac")]);
    let end = cut.len() - 3;
    let drained = drain(output(cut.fails_after(end, Fault::Cut)).await.text()).await;
    assert_eq!(drained.error.unwrap().kind(), ErrorKind::Truncated);
}

#[tokio::test(start_paused = true)]
async fn output_can_be_collected_up_to_a_limit() {
    let writes: &[(u8, &[u8])] = &[(1, b"12345"), (2, b"abc"), (1, b"67\n")];
    for answer in in_all_pieces(&logs(writes)) {
        let collected = output(answer.clone()).await.collect_up_to(11).await.unwrap();
        assert!(collected.stdout == "1234567\n" && collected.stderr == "abc");
        let (engine, docker) = engine(answer);
        let error = docker.container("web").logs().await.unwrap().collect_up_to(10).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        docker.close();
        assert_eq!(engine.alive(), 0);
    }
    // What does not end is given up at the limit too.
    let frame = frame(1, [b'x'; 1000]);
    let chunk = [format!("{:x}\r\n", frame.len()).as_bytes(), &frame, b"\r\n"].concat();
    let head = answer("200 OK", &[MULTIPLEXED, "Transfer-Encoding: chunked"], "");
    let firehose = Answer::new(head).then_firehose(chunk, Duration::ZERO);
    let error = never_hangs(output(firehose).await.collect_up_to(1 << 20), "a firehose").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

#[tokio::test(start_paused = true)]
async fn a_writer_that_fails_is_told_apart_from_the_engine() {
    let mut room = [0_u8; 4];
    let mut full = std::io::Cursor::new(&mut room[..]);
    let mut output = output(logs(&[(1, b"12345")])).await;
    let error = output.copy_to(&mut full, &mut Vec::new()).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Io, "read logs of container"));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_lost_when_a_next_is_dropped() {
    let writes: &[(u8, &[u8])] = &[(1, b"one\ntwo\n"), (2, b"\xe2\x82"), (1, b"three\n"), (2, b"\xac\n")];
    let pieces = || logs(writes).pieces(1);

    let mut chunks = output(pieces()).await;
    let mut bytes = Vec::new();
    loop {
        match poll_n(chunks.next(), 1).await {
            None => {}
            Some(Some(chunk)) => bytes.extend_from_slice(&chunk.unwrap().bytes),
            Some(None) => break,
        }
    }
    assert_eq!(bytes, b"one\ntwo\n\xe2\x82three\n\xac\n");

    let mut lines = output(pieces()).await.lines();
    let mut text = String::new();
    loop {
        match poll_n(lines.next(), 1).await {
            None => {}
            Some(Some(line)) => text.push_str(&rendered(&line.unwrap())),
            Some(None) => break,
        }
    }
    assert_eq!(text, "stdout: onestdout: twostdout: threestderr: €");
}

/// A stream of logs that come at a pace, for many readers.
async fn fan_out(writes: &[(u8, &[u8])], capacity: usize) -> (ScriptedEngine, FanOut<Chunk>) {
    let answer = logs(writes);
    let (engine, docker) = engine(answer);
    let fan_out = docker.container("web").logs().await.unwrap().fan_out(capacity);
    docker.close();
    (engine, fan_out)
}

async fn deliveries(mut subscription: Subscription<Chunk>) -> Vec<String> {
    let mut all = Vec::new();
    while let Some(delivery) = never_hangs(subscription.next(), "a delivery").await {
        all.push(match delivery {
            Ok(Delivery::Item(chunk)) => String::from_utf8_lossy(&chunk.bytes).into_owned(),
            Ok(Delivery::Lagged(count)) => format!("{count} lost"),
            Err(error) => format!("{:?}", error.kind()),
        });
    }
    assert!(subscription.next().await.is_none());
    all
}

const FIVE: &[(u8, &[u8])] = &[(1, b"1"), (1, b"2"), (1, b"3"), (1, b"4"), (1, b"5")];

#[tokio::test(start_paused = true)]
async fn many_readers_see_the_same() {
    let (engine, fan_out) = fan_out(FIVE, 8).await;
    let subscriptions = [fan_out.subscribe(), fan_out.subscribe(), fan_out.subscribe()];
    for subscription in subscriptions {
        assert_eq!(deliveries(subscription).await, ["1", "2", "3", "4", "5"]);
    }
    assert_eq!(deliveries(fan_out.subscribe()).await, [""; 0], "the stream has ended");
    assert_eq!((engine.opened(), engine.unused()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_is_told_how_much_it_lost() {
    let (_engine, fan_out) = fan_out(FIVE, 2).await;
    let (slow, mut quick) = (fan_out.subscribe(), fan_out.subscribe());
    while quick.next().await.is_some() {}
    assert_eq!(deliveries(slow).await, ["3 lost", "4", "5"]);
}

#[tokio::test(start_paused = true)]
async fn every_reader_gets_the_error_that_ends_the_stream() {
    let answer = logs(FIVE);
    let cut = answer.len() - 6;
    let (_engine, docker) = engine(answer.fails_after(cut, Fault::Cut));
    let fan_out = docker.container("web").logs().await.unwrap().fan_out(16);
    for subscription in [fan_out.subscribe(), fan_out.subscribe()] {
        let all = deliveries(subscription).await;
        assert_eq!(all.last().map(String::as_str), Some("Truncated"), "{all:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_connection_is_closed_with_the_last_who_cares() {
    let endless = logs(FIVE);
    let cut = endless.len() - 5;
    let (engine, docker) = engine(endless.fails_after(cut, Fault::Stall));
    let fan_out = docker.container("web").logs().await.unwrap().fan_out(16);
    let (mut first, second) = (fan_out.subscribe(), fan_out.subscribe());
    drop(fan_out);
    for expected in 1..=5 {
        let Some(Ok(Delivery::Item(chunk))) = first.next().await else { panic!("{expected} is missing") };
        assert_eq!(chunk.bytes, expected.to_string());
    }
    drop(first);
    settle().await;
    assert_eq!(engine.alive(), 1);
    drop(second);
    settle().await;
    assert_eq!(engine.alive(), 0);
}

/// Lets the tasks run that can.
async fn settle() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}
