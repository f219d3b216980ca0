//! Each deadline ends what it bounds, and nothing else does.

use std::time::Duration;

use longshore::condition::log_line;
use longshore::{ConnectOptions, Deadlines, Docker, ErrorKind, Payload, Result, Spec, Until};
use longshore_testkit::transcript::wire::{answer, chunked_json, frame, head_length, json, upgraded};
use longshore_testkit::{Answer, Dialing, Exchange, ScriptedEngine, Upload, drain, never_hangs};
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);
const LOGS: &str = "GET /v1.44/containers/web/logs?stdout=1&stderr=1&follow=1";
const ATTACH: &str = "POST /v1.44/containers/web/attach?stream=1&stdin=0&stdout=1&stderr=1";
const MULTIPLEXED: &str = "application/vnd.docker.multiplexed-stream";

fn docker(engine: &ScriptedEngine, deadlines: Deadlines) -> Docker {
    engine.docker().with_deadlines(deadlines)
}

/// Checks that a call fails with a timeout after exactly so long, and that nothing is left of it.
async fn times_out<T: std::fmt::Debug>(
    engine: &ScriptedEngine,
    after: Duration,
    call: impl Future<Output = Result<T>>,
) {
    let start = Instant::now();
    let error = never_hangs(call, "a deadline").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
    assert!(!error.operation().is_empty());
    let late = start.elapsed().saturating_sub(after);
    assert!(start.elapsed() >= after && late <= Duration::from_millis(50), "{:?}: {error}", start.elapsed());
    assert_eq!(engine.alive(), 0, "{error}");
}

/// An answer in chunks whose end never comes.
fn endless_logs() -> Vec<u8> {
    let content_type = format!("Content-Type: {MULTIPLEXED}");
    answer("200 OK", &[&content_type, "Transfer-Encoding: chunked"], "")
}

fn chunk(payload: &[u8]) -> Vec<u8> {
    let frame = frame(1, payload);
    [format!("{:x}\r\n", frame.len()).as_bytes(), &frame, b"\r\n"].concat()
}

#[tokio::test(start_paused = true)]
async fn a_command_that_runs_on_after_its_output_has_not_ended_well() {
    let engine = || {
        let running = Exchange::new("GET /v1.44/exec/e1/json", json("200 OK", r#"{"ID":"e1","Running":true}"#));
        let output = [upgraded(MULTIPLEXED), frame(1, "one\n")].concat();
        ScriptedEngine::new([
            Exchange::new("POST /v1.44/containers/web/exec", json("201 Created", r#"{"Id":"e1"}"#)),
            Exchange::new("POST /v1.44/exec/e1/start", Answer::new(output).then_close()),
            running.repeats(),
        ])
    };
    let (start, engine_of_total) = (Instant::now(), engine());
    let docker = docker(&engine_of_total, Deadlines::default().total(3 * SECOND));
    let error = never_hangs(docker.container("web").exec("ls").output(), "a deadline").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
    assert!(start.elapsed() <= 3 * SECOND, "{:?}", start.elapsed());
    let (start, engine) = (Instant::now(), engine());
    let error = never_hangs(engine.docker().container("web").exec("ls").output(), "a cut").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Truncated, "{error:?}");
    assert!((9 * SECOND..11 * SECOND).contains(&start.elapsed()), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_log_tells_of_a_container_that_runs_on_after_its_output() {
    let output = [upgraded(MULTIPLEXED), frame(1, "one\n")].concat();
    let content_type = format!("Content-Type: {MULTIPLEXED}");
    let log = [frame(1, "one\n"), frame(1, "two\n")].concat();
    let length = format!("Content-Length: {}", log.len());
    let exit = json("200 OK", r#"{"StatusCode":3}"#);
    let exit = Answer::new(exit.clone()).split_at([head_length(&exit)]).pace(60 * SECOND);
    let engine = ScriptedEngine::new([
        Exchange::new("POST /v1.44/containers/create", json("201 Created", r#"{"Id":"c1"}"#)),
        Exchange::new(
            "POST /v1.44/containers/c1/attach?stream=1&stdin=0&stdout=1&stderr=1",
            Answer::new(output).then_close(),
        ),
        Exchange::new("POST /v1.44/containers/c1/wait?condition=next-exit", exit),
        Exchange::new("POST /v1.44/containers/c1/start", answer("204 No Content", &[], "")),
        Exchange::new(
            "GET /v1.44/containers/c1/logs?stdout=1&stderr=1",
            answer("200 OK", &[&content_type, &length], log),
        ),
        Exchange::new("DELETE /v1.44/containers/c1?force=1&v=1", answer("204 No Content", &[], "")),
    ]);
    let finished = engine.docker().containers().output(Spec::image("busybox")).await.unwrap();
    assert_eq!((finished.status.code(), finished.stdout.text().as_ref()), (3, "one\ntwo\n"));
    engine.assert_finished();
}

#[tokio::test(start_paused = true)]
async fn connecting_is_bounded() {
    let engine = ScriptedEngine::default();
    engine.dialing(Dialing::Hang);
    times_out(&engine, 10 * SECOND, engine.docker().containers().list()).await;
    let docker = docker(&engine, Deadlines::default().connect(3 * SECOND));
    times_out(&engine, 3 * SECOND, docker.containers().list()).await;
    // Waiting has no deadline, connecting for it has.
    times_out(&engine, 3 * SECOND, docker.container("web").wait(Until::NotRunning)).await;
    times_out(&engine, 2 * SECOND, docker.with_deadlines(Deadlines::NONE.total(2 * SECOND)).containers().list()).await;
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_never_answers_is_given_up() {
    let silent = |request: &str| ScriptedEngine::new([Exchange::new(request, Answer::default())]);
    let engine = silent("GET /v1.44/containers/json");
    times_out(&engine, 120 * SECOND, engine.docker().containers().list()).await;

    let engine = silent("GET /v1.44/containers/json");
    times_out(&engine, 5 * SECOND, docker(&engine, Deadlines::default().head(5 * SECOND)).containers().list()).await;

    let engine = silent("HEAD /_ping");
    let asking = engine.docker_with(&ConnectOptions::default().deadlines(Deadlines::default().head(5 * SECOND)));
    times_out(&engine, 5 * SECOND, asking.containers().list()).await;
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_answers_informational_heads_for_ever_is_given_up() {
    let more = "HTTP/1.1 102 Processing\r\n\r\n";
    let firehose = || Exchange::new("GET /v1.44/containers/json", Answer::default().then_firehose(more, SECOND));
    let engine = ScriptedEngine::new([firehose()]);
    let error = never_hangs(engine.docker().containers().list(), "102 for ever").await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Protocol), "{error:?}");
    assert_eq!(engine.alive(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_takes_as_long_as_it_takes_has_only_the_deadline_of_the_whole_call() {
    let stopped = Exchange::new("POST /v1.44/containers/web/stop", {
        // The first byte comes at once, the rest an hour later.
        Answer::new("HTTP/1.1 204 No Content\r\n\r\n").split_at([1]).pace(3600 * SECOND)
    });
    let engine = ScriptedEngine::new([stopped.clone()]);
    let hasty = Deadlines::default().head(SECOND);
    never_hangs(docker(&engine, hasty).container("web").stop(), "an hour").await.unwrap();

    let engine = ScriptedEngine::new([stopped]);
    let stop = docker(&engine, hasty.total(60 * SECOND));
    times_out(&engine, 60 * SECOND, stop.container("web").stop()).await;
}

#[tokio::test(start_paused = true)]
async fn the_silence_inside_a_stream_is_bounded_if_that_is_wanted() {
    let trickle = || {
        let bytes = [endless_logs(), chunk(b"a\n"), chunk(b"b\n"), chunk(b"c\n")].concat();
        let first = endless_logs().len();
        let each = chunk(b"a\n").len();
        Answer::new(bytes).split_at([first, first + each, first + 2 * each]).pace(20 * SECOND)
    };
    let follow = async |docker: Docker| {
        let mut output = docker.container("web").logs().follow().await?;
        let mut items = 0;
        while let Some(chunk) = output.next().await {
            chunk?;
            items += 1;
            if items == 3 && docker.deadlines() == &Deadlines::default() {
                return Ok(items);
            }
        }
        assert!(output.next().await.is_none());
        Ok(items)
    };
    // Three times 20 s of silence, and then for ever.
    let engine = ScriptedEngine::new([Exchange::new(LOGS, trickle())]);
    times_out(&engine, 90 * SECOND, follow(docker(&engine, Deadlines::default().idle(30 * SECOND)))).await;
    let engine = ScriptedEngine::new([Exchange::new(LOGS, trickle())]);
    times_out(&engine, 15 * SECOND, follow(docker(&engine, Deadlines::default().idle(15 * SECOND)))).await;
    // Unless it is set there is none.
    let engine = ScriptedEngine::new([Exchange::new(LOGS, trickle())]);
    assert_eq!(never_hangs(follow(engine.docker()), "no deadline").await.unwrap(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_read_whole_may_not_fall_silent() {
    let whole = json("200 OK", "[{\"Id\":\"1\"}]");
    let stalled = Answer::new(whole[..whole.len() - 3].to_vec());
    let engine = ScriptedEngine::new([Exchange::new("GET /v1.44/containers/json", stalled)]);
    times_out(&engine, 120 * SECOND, engine.docker().containers().list()).await;

    // Neither may the body of a refusal; what came of it is kept.
    let refusal = json("409 Conflict", "You cannot remove a running container");
    let stalled = Answer::new(refusal[..refusal.len() - 9].to_vec());
    let engine = ScriptedEngine::new([Exchange::new("DELETE /v1.44/containers/web", stalled)]);
    let start = Instant::now();
    let error = never_hangs(engine.docker().container("web").remove(), "a refusal").await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Conflict, "You cannot remove a running"));
    assert!(start.elapsed() <= 121 * SECOND);
    assert_eq!(engine.alive(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_at_its_total_deadline_even_where_there_is_always_something_to_read() {
    let total = Deadlines::default().idle(5 * SECOND).total(60 * SECOND);
    let millisecond = Duration::from_millis(1);

    let firehose = Answer::new(endless_logs()).then_firehose(chunk(b"and so on\n"), millisecond);
    let engine = ScriptedEngine::new([Exchange::new(LOGS, firehose)]);
    let logs = docker(&engine, total);
    times_out(&engine, 60 * SECOND, async {
        drain(logs.container("web").logs().follow().await?).await.error.map_or(Ok(()), Err)
    })
    .await;

    let firehose = Answer::new(upgraded(MULTIPLEXED)).then_firehose(frame(2, b"and so on\n"), millisecond);
    let engine = ScriptedEngine::new([Exchange::new(ATTACH, firehose)]);
    let attached = docker(&engine, total);
    times_out(&engine, 60 * SECOND, async { attached.container("web").attach().await?.into_output().collect().await })
        .await;

    let mut begun = chunked_json(&["{\"memory_stats\":{}}"]);
    begun.truncate(begun.len() - 5);
    let firehose = Answer::new(begun).then_firehose("4\r\n{} \n\r\n", millisecond);
    let engine = ScriptedEngine::new([Exchange::new("GET /v1.44/containers/web/stats?stream=1", firehose)]);
    let stats = docker(&engine, total);
    times_out(&engine, 60 * SECOND, async {
        drain(stats.container("web").stats().await?).await.error.map_or(Ok(()), Err)
    })
    .await;

    // White space between two values is no value.
    let firehose = Answer::new(chunked_json(&[])[..chunked_json(&[]).len() - 5].to_vec());
    let firehose = firehose.then_firehose("4\r\n\n\n\n\n\r\n", millisecond);
    let engine =
        ScriptedEngine::new([Exchange::new("POST /v1.44/containers/web/wait?condition=not-running", firehose)]);
    let wait = docker(&engine, total);
    times_out(&engine, 60 * SECOND, async { wait.container("web").wait(Until::NotRunning).await?.await }).await;
}

#[tokio::test(start_paused = true)]
async fn a_session_has_the_deadlines_of_a_stream() {
    let quiet = || {
        let answer = Answer::new(upgraded(MULTIPLEXED)).then(frame(1, "$ "));
        ScriptedEngine::new([Exchange::new(ATTACH, answer)])
    };
    let read = async |docker: Docker| docker.container("web").attach().await?.into_output().collect().await;
    let engine = quiet();
    times_out(&engine, 30 * SECOND, read(docker(&engine, Deadlines::default().idle(30 * SECOND)))).await;
    let engine = quiet();
    times_out(&engine, 40 * SECOND, read(docker(&engine, Deadlines::default().total(40 * SECOND)))).await;
}

#[tokio::test(start_paused = true)]
async fn a_wait_whose_time_is_over_tells_what_was_seen() {
    let events = "GET /v1.44/events?filters=%7B%22container%22%3A%5B%22web%22%5D%7D";
    let runs = json("200 OK", r#"{"Id":"web","State":{"Status":"running","Running":true}}"#);
    let silent = answer("200 OK", &["Content-Type: application/json", "Transfer-Encoding: chunked"], "");
    let engine = ScriptedEngine::new([
        Exchange::new(events, silent),
        Exchange::new("GET /v1.44/containers/web/json", runs),
        Exchange::new(LOGS, [endless_logs(), chunk(b"working\n")].concat()),
    ]);
    let start = Instant::now();
    let wait = engine.docker().container("web").wait_until(log_line("done")).within(5 * SECOND);
    let error = never_hangs(wait.into_future(), "a deadline").await.unwrap_err();
    assert_eq!((error.kind(), start.elapsed().as_secs()), (ErrorKind::Timeout, 5), "{error}");
    let seen = "it was to be a line with `done`, and the time is over: it is running; its last lines:\n    working";
    assert_eq!((error.message(), engine.alive()), (seen, 0));
    engine.assert_finished();
}

#[tokio::test(start_paused = true)]
async fn input_that_nobody_takes_is_given_up_at_the_total_deadline() {
    let request = "POST /v1.44/containers/web/attach?stream=1&stdin=1&stdout=1&stderr=1";
    let answer = Answer::new(upgraded(MULTIPLEXED)).early(0, Upload::Stall);
    let engine = ScriptedEngine::new([Exchange::new(request, answer)]);
    let attached = docker(&engine, Deadlines::default().total(60 * SECOND));
    times_out(&engine, 60 * SECOND, async {
        let mut session = attached.container("web").attach().stdin().await?;
        session.write_all(b"anybody?\n").await
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_writer_of_input_that_nobody_takes_fails_at_the_total_deadline() {
    let request = "POST /v1.44/containers/web/attach?stream=1&stdin=1&stdout=1&stderr=1";
    let answer = Answer::new(upgraded(MULTIPLEXED)).early(0, Upload::Stall);
    let engine = ScriptedEngine::new([Exchange::new(request, answer)]);
    let attached = docker(&engine, Deadlines::default().total(60 * SECOND));
    let (mut stdin, output) = attached.container("web").attach().stdin().await.unwrap().split();
    let start = Instant::now();
    let mut endless = tokio::io::repeat(b'x');
    let error = never_hangs(tokio::io::copy(&mut endless, &mut stdin), "a deadline").await.unwrap_err();
    assert_eq!((error.kind(), start.elapsed().as_secs()), (std::io::ErrorKind::TimedOut, 60));
    assert_eq!(stdin.send(b"more").await.unwrap_err().kind(), ErrorKind::Timeout);
    drop((stdin, output));
    assert_eq!(engine.alive(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_raw_connection_that_nobody_reads_fails_at_the_total_deadline() {
    let answer = Answer::new(upgraded("application/vnd.docker.raw-stream")).early(0, Upload::Stall);
    let engine = ScriptedEngine::new([Exchange::new("POST /v1.44/grpc", answer)]);
    let limited = docker(&engine, Deadlines::default().total(60 * SECOND));
    let mut connection = limited.grpc().await.unwrap();
    let start = Instant::now();
    let mut endless = tokio::io::repeat(b'x');
    let error = never_hangs(tokio::io::copy(&mut endless, &mut connection), "a deadline").await.unwrap_err();
    assert_eq!((error.kind(), start.elapsed().as_secs()), (std::io::ErrorKind::TimedOut, 60));
    drop(connection);
    assert_eq!(engine.alive(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_nobody_takes_is_given_up_at_the_total_deadline() {
    let engine = ScriptedEngine::default();
    engine.requests_fail_after(100, longshore_testkit::Fault::Stall);
    let upload = docker(&engine, Deadlines::default().total(60 * SECOND));
    let payload = Payload::reader(tokio::io::repeat(b'x'));
    times_out(&engine, 60 * SECOND, upload.container("web").put_archive("/", payload)).await;
}
