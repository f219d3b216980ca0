//! Logs that go on where their connection was lost.

use std::io;
use std::time::Duration;

use longshore::{Container, ErrorKind, Line, Lines, Missed, Result, Resumed, Resuming, ResumingLines, Timestamp};
use longshore_testkit::transcript::wire::{answer, chunked, frame, json};
use longshore_testkit::{Answer, Dialing, Exchange, Fault, ScriptedEngine, drain, never_hangs, poll_n, tally};

/// A full id, so that no other container can have it later.
const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

const FAULTS: [Fault; 3] = [Fault::Cut, Fault::Reset, Fault::Stall];

/// A message of the log: 1 is stdout, 2 stderr, 0 a terminal; nanoseconds since the log began, and what was written.
type Entry = (u8, i64, &'static str);

const BEGUN: i64 = 1_709_632_790_000_000_000;

/// How far before the last message the logs are read again, in nanoseconds.
const OVERLAP: i64 = 50_000_000;

/// What may be confused: equal lines of the same time, of both sources, out of order, in pieces, and without an end.
const LOG: &[Entry] = &[
    (1, 1, "one\n"),
    (2, 1, "one\n"),
    (1, 1, "one\n"),
    (1, 1, "one\n"),
    (2, 900_000_000, "late\n"),
    (1, 880_000_000, "early\n"),
    (1, 2_000_000_000, "a long "),
    (2, 2_000_000_000, "\n"),
    (1, 2_000_000_000, "a long "),
    (1, 2_000_000_000, "line\r\n"),
    (2, 2_000_000_001, "2024-03-05T10:00:00.000000000Z x\n"),
    (1, 7_000_000_000, "unfinished"),
];

const TERMINAL: &[Entry] = &[
    (0, 1, "$ ls\r\n"),
    (0, 1, "$ ls\r\n"),
    (0, 5, "a  b\r\n"),
    (0, 3_000_000_000, "a long "),
    (0, 3_000_000_000, "a long "),
    (0, 3_000_000_000, "line\r\n"),
    (0, 4_000_000_000, "$ "),
    (0, 5_000_000_000, "$ again\r\n"),
    (0, 5_000_000_000, "$ "),
];

fn time(nanoseconds: i64) -> String {
    Timestamp::from_unix_nanos(BEGUN + nanoseconds).to_string()
}

/// An engine with this log, which gives all that is not before `since` for every time that may be asked for.
struct Script {
    log: &'static [Entry],
    follow: bool,
}

impl Script {
    fn target(&self, follow: bool, rest: &str) -> String {
        let follow = if follow { "&follow=1" } else { "" };
        format!("GET /v1.44/containers/{ID}/logs?stdout=1&stderr=1{follow}&timestamps=1{rest}")
    }

    fn first(&self) -> String {
        self.target(self.follow, "")
    }

    fn answer(&self, messages: &[Entry]) -> Answer {
        logs(messages.iter().map(|(source, at, text)| (*source, format!("{} {text}", time(*at)))))
    }

    /// All that may be asked for, without faults.
    fn exchanges(&self) -> Vec<Exchange> {
        let mut exchanges = vec![Exchange::new(self.first(), self.answer(self.log)).repeats()];
        let mut times: Vec<i64> = self.log.iter().map(|(_, at, _)| *at).collect();
        times.dedup();
        for at in times {
            for halvings in 0..3 {
                let since = at - (OVERLAP >> halvings);
                let messages: Vec<Entry> = self.log.iter().filter(|(_, at, _)| *at >= since).copied().collect();
                for (tail, follow) in [("", false), ("", true), ("&tail=256", false), ("&tail=256", true)] {
                    let target = self.target(follow, &format!("{tail}&since={}", seconds(since)));
                    exchanges.push(Exchange::new(target, self.answer(&messages)).repeats());
                }
            }
        }
        let stopped = r#"{"Id":"0a","State":{"Running":false},"Config":{}}"#;
        exchanges.push(Exchange::new(format!("GET /v1.44/containers/{ID}/json"), json("200 OK", stopped)).repeats());
        exchanges
    }

    fn call(&self, engine: &ScriptedEngine) -> longshore::ResumeLogs {
        let logs = engine.docker().container(ID).logs();
        let logs = if self.follow { logs.follow() } else { logs };
        logs.resuming().idle(Duration::from_secs(30))
    }

    /// The lines as they are without timestamps and without faults.
    async fn expected(&self) -> Vec<Line> {
        let answer = logs(self.log.iter().map(|(source, _, text)| (*source, (*text).to_owned())));
        let engine =
            ScriptedEngine::new([Exchange::new(format!("GET /v1.44/containers/{ID}/logs?stdout=1&stderr=1"), answer)]);
        let lines: Lines = engine.docker().container(ID).logs().await.unwrap().lines();
        drain(lines).await.items
    }
}

fn seconds(at: i64) -> String {
    let at = BEGUN + at;
    format!("{}.{:09}", at.div_euclid(1_000_000_000), at.rem_euclid(1_000_000_000))
}

/// Logs with each of these writes in a chunk of its own.
fn logs(writes: impl Iterator<Item = (u8, String)>) -> Answer {
    let mut is_terminal = false;
    let mut chunks = Vec::new();
    for (source, text) in writes {
        is_terminal = source == 0;
        chunks.push(if is_terminal { text.into_bytes() } else { frame(source, text) });
    }
    let kind = if is_terminal { "raw" } else { "multiplexed" };
    let kind = format!("Content-Type: application/vnd.docker.{kind}-stream");
    Answer::new(answer("200 OK", &[&kind, "Transfer-Encoding: chunked"], chunked(&chunks)))
}

fn apart(items: Vec<Resuming<Line>>) -> (Vec<Line>, Vec<Resumed>) {
    let (mut lines, mut resumed) = (Vec::new(), Vec::new());
    for item in items {
        match item {
            Resuming::Item(line) => lines.push(line),
            Resuming::Resumed(told) => resumed.push(told),
        }
    }
    (lines, resumed)
}

async fn all(lines: ResumingLines, circumstance: &str) -> (Vec<Line>, Vec<Resumed>) {
    let drained = never_hangs(drain(lines), circumstance).await;
    assert_eq!(drained.error.map(|error| error.to_string()), None, "{circumstance}");
    apart(drained.items)
}

/// Cuts, resets and stalls the connection at every byte; a second one too at some of them.
async fn survives_at_every_byte(script: Script) {
    let expected = script.expected().await;
    let whole = script.answer(script.log);
    let exchanges = script.exchanges();
    let mut faults = 0;
    for fault in FAULTS {
        for at in 0..whole.len() {
            let circumstance = format!("{fault:?} at {at}");
            let first = Exchange::new(script.first(), whole.clone().fails_after(at, fault));
            let engine = ScriptedEngine::new([first].into_iter().chain(exchanges.iter().cloned()));
            let lines = never_hangs(script.call(&engine).lines(), &circumstance).await.unwrap();
            let (lines, resumed) = all(lines, &circumstance).await;
            assert_eq!(lines, expected, "{circumstance}");
            assert!(resumed.iter().all(|told| told.missed == Missed::Nothing), "{circumstance}: {resumed:?}");
            // A stall is told only where something must have been missing.
            let told = if fault == Fault::Stall { 0..=1 } else { 1..=1 };
            assert!(told.contains(&resumed.len()), "{circumstance}: {resumed:?}");
            assert_eq!(engine.problems(), Vec::<String>::new(), "{circumstance}");
            assert_eq!(engine.alive(), 0, "{circumstance}");
            faults += 1;
        }
    }
    tally("resuming", "connections lost", faults);
    tally("resuming", "lines expected", faults * expected.len() as u64);
    tally("resuming", "lines lost", 0);
    tally("resuming", "lines duplicated", 0);
}

#[tokio::test(start_paused = true)]
async fn logs_survive_a_fault_at_every_byte() {
    survives_at_every_byte(Script { log: LOG, follow: false }).await;
}

#[tokio::test(start_paused = true)]
async fn followed_logs_survive_a_fault_at_every_byte() {
    survives_at_every_byte(Script { log: LOG, follow: true }).await;
}

#[tokio::test(start_paused = true)]
async fn logs_of_a_terminal_survive_a_fault_at_every_byte() {
    survives_at_every_byte(Script { log: TERMINAL, follow: true }).await;
}

#[tokio::test(start_paused = true)]
async fn logs_survive_one_fault_after_another() {
    let script = Script { log: LOG, follow: true };
    let expected = script.expected().await;
    let whole = script.answer(script.log);
    let exchanges = script.exchanges();
    for at in (0..whole.len()).step_by(3) {
        for fault in [Fault::Cut, Fault::Reset] {
            // The second connection is lost as well, wherever it begins.
            let engine = ScriptedEngine::default();
            let firsts = LOG.iter().map(|(_, at, _)| format!("&since={}", seconds(at - OVERLAP)));
            for target in firsts.map(|since| script.target(true, &since)).chain([script.first()]) {
                let exchange = exchanges.iter().find(|exchange| exchange.request() == target).unwrap();
                let answer = exchange.answer().clone().fails_after(at + 31, fault);
                engine.expect(Exchange::new(target, answer));
            }
            exchanges.iter().for_each(|exchange| engine.expect(exchange.clone()));
            let circumstance = format!("{fault:?} after {at}");
            let lines = script.call(&engine).lines().await.unwrap();
            let (lines, resumed) = all(lines, &circumstance).await;
            assert_eq!(lines, expected, "{circumstance}");
            assert!(resumed.iter().all(|told| told.missed == Missed::Nothing), "{circumstance}: {resumed:?}");
            assert_eq!(engine.problems(), Vec::<String>::new(), "{circumstance}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_may_be_cancelled_at_every_poll() {
    let script = Script { log: LOG, follow: true };
    let expected = script.expected().await;
    let whole = script.answer(script.log);
    let exchanges = script.exchanges();
    let engine = |at, fault| {
        let first = Exchange::new(script.first(), whole.clone().pieces(11).fails_after(at, fault));
        let rest = exchanges.iter().map(|exchange| exchange.clone().map(|answer| answer.pieces(13)));
        ScriptedEngine::new([first].into_iter().chain(rest))
    };
    for at in (0..whole.len()).step_by(29) {
        for fault in FAULTS {
            let engine = engine(at, fault);
            let mut lines = script.call(&engine).lines().await.unwrap();
            let mut items = Vec::new();
            // Each future is dropped after one poll.
            loop {
                match poll_n(lines.next(), 1).await {
                    Some(Some(item)) => items.push(item.unwrap()),
                    Some(None) => break,
                    None => tokio::time::sleep(Duration::from_millis(10)).await,
                }
            }
            assert_eq!(apart(items).0, expected, "{fault:?} at {at}");
        }
    }
    // One that is dropped while it begins leaves nothing behind.
    for fault in FAULTS {
        for polls in 0.. {
            let engine = engine(20, fault);
            let begun = poll_n(script.call(&engine).lines(), polls).await;
            let is_begun = begun.is_some();
            drop(begun);
            assert_eq!(engine.alive(), 0, "after {polls} polls");
            if is_begun {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// An engine that gives this, then loses the connection; and logs of it that are followed.
fn lost_after(messages: &[Entry], rest: impl IntoIterator<Item = Exchange>) -> (ScriptedEngine, longshore::ResumeLogs) {
    let script = Script { log: &[], follow: true };
    let answer = script.answer(messages);
    let cut = answer.len() - 5;
    let first = Exchange::new(script.first(), answer.fails_after(cut, Fault::Cut));
    let engine = ScriptedEngine::new([first].into_iter().chain(rest));
    let call = script.call(&engine);
    (engine, call)
}

const ONE: &[Entry] = &[(1, 0, "one\n")];

/// The request that follows the loss of a connection after [`ONE`].
fn after_one(query: &str) -> String {
    Script { log: &[], follow: true }.target(true, &format!("{query}&since={}", seconds(-OVERLAP)))
}

async fn lost(call: longshore::ResumeLogs) -> (Vec<Resuming<Line>>, longshore::Error) {
    let drained = never_hangs(drain(call.lines().await.unwrap()), "the engine is lost").await;
    (drained.items, drained.error.expect("an error"))
}

#[tokio::test(start_paused = true)]
async fn attempts_are_bounded_by_number_and_by_time() {
    for (dialing, kind) in
        [(Dialing::Refuse(io::ErrorKind::ConnectionRefused), ErrorKind::Connect), (Dialing::Hang, ErrorKind::Timeout)]
    {
        let (engine, call) = lost_after(ONE, []);
        let begun = tokio::time::Instant::now();
        let mut lines = call.attempts(4).lines().await.unwrap();
        engine.dialing(dialing);
        assert!(lines.next().await.unwrap().is_ok());
        let error = lines.next().await.unwrap().unwrap_err();
        assert_eq!((error.kind(), error.operation()), (kind, "resume logs of container"));
        assert!(error.to_string().contains("given up after 4 attempts"), "{error}");
        assert!(lines.next().await.is_none());
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());

        let (engine, call) = lost_after(ONE, []);
        let mut lines = call.attempts(u32::MAX).within(Duration::from_secs(5)).lines().await.unwrap();
        engine.dialing(dialing);
        assert!(lines.next().await.unwrap().is_ok());
        let begun = tokio::time::Instant::now();
        let error = lines.next().await.unwrap().unwrap_err();
        assert_eq!(error.operation(), "resume logs of container", "{error}");
        assert!(begun.elapsed() <= Duration::from_secs(5) && begun.elapsed() > Duration::from_secs(1), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_loses_every_connection_is_given_up() {
    // It gives nothing new, and then hangs up.
    let answer = Script { log: &[], follow: true }.answer(ONE);
    let cut = answer.len() - 5;
    let again = |halvings: u32| {
        let since = seconds(-(OVERLAP >> halvings));
        let target = Script { log: &[], follow: true }.target(true, &format!("&since={since}"));
        Exchange::new(target, answer.clone().fails_after(cut, Fault::Cut)).repeats()
    };
    let (_, call) = lost_after(ONE, (0..20).map(again));
    let (items, error) = lost(call.attempts(6)).await;
    assert_eq!(apart(items).0.len(), 1);
    assert_eq!(error.kind(), ErrorKind::Truncated);
    assert!(error.to_string().contains("given up after 6 attempts"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_is_not_there_is_told_at_once() {
    let (engine, call) = lost_after(ONE, []);
    engine.dialing(Dialing::Refuse(io::ErrorKind::ConnectionRefused));
    assert_eq!(call.lines().await.unwrap_err().kind(), ErrorKind::Connect);
}

#[tokio::test(start_paused = true)]
async fn what_the_engine_refuses_is_not_tried_again() {
    let refused = |status: &str| Exchange::new(after_one(""), json(status, r#"{"message":"no"}"#));
    for (status, kind) in [
        ("404 Not Found", ErrorKind::NotFound),
        ("401 Unauthorized", ErrorKind::Unauthorized),
        ("500 Internal Server Error", ErrorKind::Server),
    ] {
        let (engine, call) = lost_after(ONE, [refused(status)]);
        let (items, error) = lost(call).await;
        assert_eq!((items.len(), error.kind()), (1, kind));
        assert_eq!(engine.opened(), 2);
    }
    // A proxy that has no engine yet says 503; an error that the engine tells in the stream is final.
    let script = Script { log: &[], follow: true };
    let target = script.target(true, &format!("&since={}", seconds(-OVERLAP / 2)));
    let in_stream = Exchange::new(target, script.answer(&[(1, 0, "one\n"), (3, 0, "out of cheese")]));
    let (engine, call) = lost_after(ONE, [refused("503 Service Unavailable"), in_stream]);
    let (items, error) = lost(call).await;
    assert_eq!(apart(items).1[0].attempts, 2);
    assert_eq!(error.kind(), ErrorKind::InStream, "{error}");
    engine.assert_finished();
}

#[tokio::test(start_paused = true)]
async fn what_the_engine_does_not_have_any_more_is_told() {
    let script = Script { log: &[], follow: true };
    let stopped = || Exchange::new(format!("GET /v1.44/containers/{ID}/json"), json("200 OK", r#"{"Id":"0a"}"#));
    let last_read = |messages| {
        let target = script.target(false, &format!("&tail=256&since={}", seconds(9_000_000_000 - OVERLAP)));
        Exchange::new(target, script.answer(messages))
    };
    // The files were rotated meanwhile; or something else stands where the last line stood.
    for log in [&[(1, 9_000_000_000, "nine\n")][..], &[(1, 0, "another\n"), (1, 9_000_000_000, "nine\n")]] {
        let again = Exchange::new(after_one(""), script.answer(log));
        let (engine, call) = lost_after(ONE, [again, stopped(), last_read(&log[log.len() - 1..])]);
        let (lines, resumed) = all(call.lines().await.unwrap(), "rotated").await;
        assert_eq!(lines.iter().map(|line| line.text().into_owned()).collect::<Vec<_>>(), ["one", "nine"]);
        assert_eq!(resumed.iter().map(|told| told.missed).collect::<Vec<_>>(), [Missed::Unknown]);
        engine.assert_finished();
    }
    // Nothing is left at all.
    let script = Script { log: &[], follow: false };
    let first = script.answer(ONE);
    let cut = first.len() - 5;
    let again = script.target(false, &format!("&since={}", seconds(-OVERLAP)));
    let engine = ScriptedEngine::new([
        Exchange::new(script.first(), first.fails_after(cut, Fault::Cut)),
        Exchange::new(again, script.answer(&[])),
    ]);
    let (lines, resumed) = all(script.call(&engine).lines().await.unwrap(), "emptied").await;
    assert_eq!((lines.len(), resumed[0].missed), (1, Missed::Unknown));
    engine.assert_finished();
}

#[tokio::test(start_paused = true)]
async fn a_removed_container_ends_followed_logs_and_breaks_interrupted_ones() {
    let gone = |target: String| Exchange::new(target, json("404 Not Found", r#"{"message":"No such container"}"#));
    let (_, call) = lost_after(ONE, [gone(after_one(""))]);
    assert!(lost(call).await.1.is_not_found());

    let script = Script { log: &[], follow: true };
    let inspect = format!("GET /v1.44/containers/{ID}/json");
    let last_read = script.target(false, &format!("&tail=256&since={}", seconds(-OVERLAP)));
    let stopped = || Exchange::new(inspect.clone(), json("200 OK", r#"{"Id":"0a"}"#));
    for rest in [vec![gone(inspect.clone())], vec![stopped(), gone(last_read)]] {
        let first = Exchange::new(script.first(), script.answer(ONE));
        let engine = ScriptedEngine::new([first].into_iter().chain(rest));
        let (lines, resumed) = all(script.call(&engine).lines().await.unwrap(), "removed").await;
        assert_eq!((lines.len(), resumed.len()), (1, 0));
        engine.assert_finished();
    }
}

#[tokio::test(start_paused = true)]
async fn a_container_that_runs_again_is_followed_on() {
    let script = Script { log: &[], follow: true };
    let inspect = |state: &str| {
        let body = format!(r#"{{"Id":"0a","State":{state}}}"#);
        Exchange::new(format!("GET /v1.44/containers/{ID}/json"), json("200 OK", &body))
    };
    let near = |follow, since, messages| {
        let target = script.target(follow, &format!("&tail=256&since={}", seconds(since)));
        Exchange::new(target, script.answer(messages))
    };
    let log: &[Entry] = &[(1, 0, "one\n"), (1, 5_000_000_000, "two\n"), (1, 5_000_000_000, "three\n")];
    let engine = ScriptedEngine::new([
        Exchange::new(script.first(), script.answer(ONE)),
        inspect(r#"{"Restarting":true}"#),
        near(true, -OVERLAP, &log[..2]),
        inspect(r#"{"Running":true}"#),
        near(true, 5_000_000_000 - OVERLAP, &log[1..2]),
        inspect("{}"),
        // What was written last may come only now.
        near(false, 5_000_000_000 - OVERLAP, &log[1..]),
    ]);
    let (lines, resumed) = all(script.call(&engine).lines().await.unwrap(), "restarting").await;
    assert_eq!(lines.iter().map(|line| line.text().into_owned()).collect::<Vec<_>>(), ["one", "two", "three"]);
    assert_eq!(resumed, []);
    engine.assert_finished();
}

#[tokio::test(start_paused = true)]
async fn a_silent_connection_is_made_anew() {
    let script = Script { log: &[], follow: true };
    let quiet = |target: String, messages: &[Entry]| {
        let answer = script.answer(messages);
        // All but the end.
        let length = answer.len() - 5;
        Exchange::new(target, answer.fails_after(length, Fault::Stall))
    };
    let later: &[Entry] = &[(1, 6_000_000_000, "two\n")];
    let both: &[Entry] = &[ONE[0], later[0]];
    let near = |since| script.target(true, &format!("&tail=256&since={}", seconds(since)));
    let engine = ScriptedEngine::new([
        quiet(script.first(), ONE),
        quiet(near(-OVERLAP), ONE),
        // More has been written than is looked at first.
        quiet(near(-OVERLAP), later),
        quiet(after_one(""), both),
        Exchange::new(near(6_000_000_000 - OVERLAP), json("404 Not Found", r#"{"message":"No such container"}"#)),
    ]);
    let (items, error) = lost(script.call(&engine)).await;
    let (lines, resumed) = apart(items);
    assert_eq!(lines.iter().map(|line| line.text().into_owned()).collect::<Vec<_>>(), ["one", "two"]);
    assert_eq!((resumed.len(), error.kind()), (0, ErrorKind::NotFound));
    engine.assert_finished();
}

fn tailed(engine: &ScriptedEngine, lines: u64) -> longshore::ResumeLogs {
    engine.docker().container(ID).logs().follow().tail(lines).resuming()
}

#[tokio::test(start_paused = true)]
async fn a_tail_is_asked_for_once() {
    let script = Script { log: &[], follow: true };
    let gone = |target| Exchange::new(target, json("404 Not Found", r#"{"message":"No such container"}"#));
    let cut = |target, messages: &[Entry]| {
        let answer = script.answer(messages);
        let length = answer.len() - 5;
        Exchange::new(target, answer.fails_after(length, Fault::Cut))
    };
    let tail = |lines| format!("GET /v1.44/containers/{ID}/logs?stdout=1&stderr=1&follow=1&timestamps=1&tail={lines}");
    // Of lines with the same time, the last ones were given: the place is where these are.
    let log: &[Entry] = &[(1, 0, "a\n"), (1, 0, "b\n"), (1, 0, "a\n"), (1, 0, "c\n"), (1, 0, "d\n")];
    let engine = ScriptedEngine::new([cut(tail(2), &log[2..4]), cut(after_one(""), log), gone(after_one(""))]);
    let (items, error) = lost(tailed(&engine, 2)).await;
    let (lines, resumed) = apart(items);
    assert_eq!(lines.iter().map(|line| line.text().into_owned()).collect::<Vec<_>>(), ["a", "c", "d"]);
    assert_eq!((resumed[0].missed, error.kind()), (Missed::Nothing, ErrorKind::NotFound));
    engine.assert_finished();

    // Of none, the last line is asked for and not given, unless it is new.
    let new: &[Entry] = &[(1, 11_000_000_000, "new\n")];
    let after_new = script.target(true, &format!("&since={}", seconds(11_000_000_000 - OVERLAP)));
    for (first, then, again, expected) in
        [(ONE, after_one(""), &[ONE[0], new[0]][..], 1), (new, after_new.clone(), new, 1)]
    {
        let engine = ScriptedEngine::new([cut(tail(1), first), cut(then, again), gone(after_new.clone())]);
        let (items, _) = lost(tailed(&engine, 0)).await;
        let (lines, resumed) = apart(items);
        assert_eq!(lines.len(), expected, "{lines:?}");
        assert_eq!(lines[0].text(), "new");
        assert_eq!(resumed[0].missed, Missed::Nothing);
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_tail_begins_when_the_engine_answered() {
    let tail = format!("GET /v1.44/containers/{ID}/logs?stdout=1&stderr=1&follow=1&timestamps=1&tail=3");
    let script = Script { log: &[], follow: true };
    let silent = Answer::new(answer(
        "200 OK",
        &["Content-Type: application/vnd.docker.multiplexed-stream", "Transfer-Encoding: chunked"],
        "",
    ));
    // The date of the answer.
    let since = script.target(true, "&since=1709632800.000000000");
    let log: &[Entry] = &[(1, 10_000_000_000, "new\n")];
    for (lasts, target, missed) in
        [(Duration::from_secs(9), since, Missed::Nothing), (Duration::from_millis(9), tail.clone(), Missed::Unknown)]
    {
        let length = silent.len();
        let first = silent.clone().then("1").split_at([length]).pace(lasts).fails_after(length + 1, Fault::Cut);
        let gone = Exchange::new(
            script.target(true, &format!("&since={}", seconds(10_000_000_000 - OVERLAP))),
            json("404 Not Found", r#"{"message":"No such container"}"#),
        );
        let again = script.answer(log);
        let cut = again.len() - 5;
        let again = again.fails_after(cut, Fault::Cut);
        let engine = ScriptedEngine::new([Exchange::new(tail.clone(), first), Exchange::new(target, again), gone]);
        let (items, error) = lost(tailed(&engine, 3)).await;
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error} {:?}", engine.received());
        let (lines, resumed) = apart(items);
        assert_eq!((lines.len(), resumed[0].missed), (1, missed));
        engine.assert_finished();
    }
}

#[tokio::test(start_paused = true)]
async fn lines_have_their_time_and_their_limit() {
    let script = Script { log: LOG, follow: false };
    let engine = ScriptedEngine::new(script.exchanges());
    let logs = engine.docker().container(ID).logs();
    let (lines, _) = all(logs.clone().timestamps().resuming().lines().await.unwrap(), "timestamps").await;
    let plain = script.expected().await;
    let expected = [1, 1, 1, 1, 900_000_000, 880_000_000, 2_000_000_000, 2_000_000_000, 2_000_000_001, 7_000_000_000];
    assert_eq!(lines.len(), expected.len());
    for ((mut line, plain), at) in lines.into_iter().zip(plain).zip(expected) {
        assert_eq!(line.take_timestamp().unwrap().as_str(), time(at));
        assert_eq!(line, plain);
    }
    // In one piece or in several.
    for (limit, count) in [(31, 8), (17, 7), (3, 4)] {
        let drained = drain(logs.clone().resuming().limit(limit).lines().await.unwrap()).await;
        assert_eq!(drained.error.map(|error| error.kind()), Some(ErrorKind::TooLarge), "{limit}");
        assert_eq!(drained.items.len(), count, "{limit}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_is_followed_to_the_container_that_has_it_now() {
    let script = Script { log: &[], follow: false };
    let engine = ScriptedEngine::new([
        Exchange::new("GET /v1.44/containers/web/json", json("200 OK", &format!(r#"{{"Id":"{ID}"}}"#))),
        Exchange::new(script.first(), script.answer(ONE)),
    ]);
    let container: Container = engine.docker().container("web");
    let lines: Result<ResumingLines> = container.logs().resuming().lines().await;
    assert_eq!(all(lines.unwrap(), "by name").await.0.len(), 1);
    engine.assert_finished();
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_set_back_hides_nothing() {
    let script = Script { log: &[], follow: true };
    // The engine answers 10 s after the log has begun, by its clock, and the last line is from later.
    let log: &[Entry] = &[(1, 60_000_000_000, "one\n"), (1, 9_000_000_000, "two\n")];
    let first = script.answer(&log[..1]);
    let cut = first.len() - 5;
    let again = |since, messages: &[Entry]| {
        Exchange::new(script.target(true, &format!("&since={}", seconds(since))), script.answer(messages))
    };
    let gone = script.target(false, &format!("&tail=256&since={}", seconds(9_000_000_000 - OVERLAP)));
    let engine = ScriptedEngine::new([
        Exchange::new(script.first(), first.fails_after(cut, Fault::Cut)),
        // Engines that leave out all that is older have nothing to give.
        again(60_000_000_000 - OVERLAP, &log[..1]),
        again(8_000_000_000, log),
        Exchange::new(format!("GET /v1.44/containers/{ID}/json"), json("200 OK", r#"{"Id":"0a"}"#)),
        Exchange::new(gone, script.answer(&log[1..])),
    ]);
    let (lines, resumed) = all(script.call(&engine).lines().await.unwrap(), "set back").await;
    assert_eq!(lines.iter().map(|line| line.text().into_owned()).collect::<Vec<_>>(), ["one", "two"]);
    assert_eq!(resumed.iter().map(|told| told.missed).collect::<Vec<_>>(), [Missed::Nothing]);
    engine.assert_finished();
}
