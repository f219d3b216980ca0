//! Connections that are handed over.

use longshore::{ApiVersion, Collected, Docker};

use super::wire::{answer, frame, head_length, json, upgraded};
use super::{Calling, Transcript};
use crate::answer::Answer;

const MULTIPLEXED: &str = "application/vnd.docker.multiplexed-stream";
const RAW: &str = "application/vnd.docker.raw-stream";
const ATTACH: &str = "/containers/web/attach?stream=1&stdin=0&stdout=1&stderr=1";
const INSPECT: &str = "/containers/web/json";

pub(super) fn all() -> Vec<Transcript> {
    [attachments(), vec![with_input()], executions()].concat()
}

pub(super) fn rendered(output: Collected) -> String {
    format!("out={} err={}", output.stdout, output.stderr)
}

/// Lets the answer to an exchange end wherever a frame ends, and says what the call gives then.
pub(super) fn may_end_at_frames(
    mut transcript: Transcript,
    exchange: usize,
    start: usize,
    frames: &[Vec<u8>],
    value: impl Fn(&str, &str) -> String,
) -> Transcript {
    let (mut stdout, mut stderr) = (String::new(), String::new());
    let mut position = start;
    transcript = transcript.may_end(exchange, position, value(&stdout, &stderr));
    for frame in frames {
        let text = String::from_utf8_lossy(&frame[8..]);
        if frame[0] == 2 { &mut stderr } else { &mut stdout }.push_str(&text);
        position += frame.len();
        transcript = transcript.may_end(exchange, position, value(&stdout, &stderr));
    }
    transcript
}

/// The same for a terminal, whose output may end anywhere.
fn may_end_anywhere(transcript: Transcript, exchange: usize, start: usize, text: &str, code: &str) -> Transcript {
    may_end_anywhere_as(transcript, exchange, start, text, |begun| format!("{code}out={begun} err="))
}

/// The same for whatever ends with its connection alone.
pub(super) fn may_end_anywhere_as(
    transcript: Transcript,
    exchange: usize,
    start: usize,
    text: &str,
    value: impl Fn(&str) -> String,
) -> Transcript {
    (0..=text.len()).fold(transcript, |transcript, end| transcript.may_end(exchange, start + end, value(&text[..end])))
}

fn output(stdout: &str, stderr: &str) -> String {
    format!("out={stdout} err={stderr}")
}

fn attach(name: &'static str) -> Transcript {
    Transcript::new(name, |docker: Docker| -> Calling {
        Box::pin(async move { Ok(rendered(docker.container("web").attach().await?.into_output().collect().await?)) })
    })
}

fn attachments() -> Vec<Transcript> {
    let frames = [frame(1, "hello\n"), frame(2, "warn"), frame(1, ""), frame(2, "ing\n"), frame(1, "bye\n")];
    let stream = frames.concat();
    let inspected = |tty: bool| json("200 OK", &format!("{{\"Id\":\"8d1\",\"Config\":{{\"Tty\":{tty}}}}}"));
    let gives = "out=hello\nbye\n err=warning\n";

    // The first bytes come right behind the head.
    let head = upgraded(MULTIPLEXED);
    let plain = attach("an attachment")
        .exchange(format!("POST /v1.44{ATTACH}"), Answer::new([&head[..], &stream].concat()).then_close());
    let plain = may_end_at_frames(plain.gives(gives), 0, head.len(), &frames, output);

    // Nobody on the way lets the protocol change, so that only the container can tell the framing.
    let head = answer("200 OK", &[&format!("Content-Type: {RAW}")], "");
    let hijacked = attach("an attachment without a change of protocol")
        .exchange(format!("POST /v1.44{ATTACH}"), Answer::new([&head[..], &stream].concat()).then_close())
        .exchange(format!("GET /v1.44{INSPECT}"), inspected(false));
    let hijacked = may_end_at_frames(hijacked.gives(gives), 0, head.len(), &frames, output);

    let old = ApiVersion::new(1, 41);
    let head = upgraded(RAW);
    let older = attach("an attachment to an older engine")
        .version(Some(old))
        .exchange(format!("GET /v1.41{INSPECT}"), inspected(false))
        .exchange(format!("POST /v1.41{ATTACH}"), Answer::new([&head[..], &stream].concat()).then_close());
    let older = may_end_at_frames(older.gives(gives), 1, head.len(), &frames, output);

    // What a terminal shows may look like a frame.
    let shown = "\u{1}\0\0\0\0\0\0\u{4}$ ls\r\n";
    let head = upgraded(RAW);
    let terminal = attach("an attachment to a terminal")
        .exchange(format!("POST /v1.44{ATTACH}"), Answer::new([&head[..], shown.as_bytes()].concat()).then_close());
    let terminal = may_end_anywhere(terminal.gives(output(shown, "")), 0, head.len(), shown, "");
    vec![plain, hijacked, older, terminal]
}

fn with_input() -> Transcript {
    let transcript = Transcript::new("an attachment with input", |docker| {
        Box::pin(async move {
            let mut session = docker.container("web").attach().stdin().await?;
            session.write_all(b"b\na\n").await?;
            session.close_stdin().await?;
            Ok(rendered(session.into_output().collect().await?))
        })
    });
    let head = upgraded(MULTIPLEXED);
    let frames = [frame(2, "sorting\n"), frame(1, "a\nb\n")];
    let answer = Answer::new(head.clone())
        .after_input(4)
        .then(frames[0].clone())
        .after_end_of_input()
        .then(frames[1].clone())
        .then_close();
    let request = "POST /v1.44/containers/web/attach?stream=1&stdin=1&stdout=1&stderr=1";
    let transcript = transcript.exchange(request, answer).gives("out=a\nb\n err=sorting\n");
    may_end_at_frames(transcript, 0, head.len(), &frames, output)
}

fn executions() -> Vec<Transcript> {
    let create = "POST /v1.44/containers/web/exec";
    let created = || json("201 Created", r#"{"Id":"e1"}"#);
    let start = "POST /v1.44/exec/e1/start";
    let inspect = "GET /v1.44/exec/e1/json";
    let running = || json("200 OK", r#"{"ID":"e1","Running":true,"ExitCode":null}"#);
    let ended = || json("200 OK", r#"{"ID":"e1","Running":false,"ExitCode":3}"#);

    let frames = [frame(1, "one\n"), frame(2, "two\n"), frame(1, "three\n")];
    let head = upgraded(MULTIPLEXED);
    let exec = Transcript::new("an execution", |docker| {
        Box::pin(async move {
            let done = docker.container("web").exec(["ls"]).output().await?;
            Ok(format!("{} out={} err={}", done.status, done.stdout, done.stderr))
        })
    });
    let exec = exec
        .exchange(create, created())
        .body(r#"{"Cmd":["ls"],"AttachStdout":true,"AttachStderr":true}"#)
        .exchange(start, Answer::new([&head[..], &frames.concat()].concat()).then_close())
        .body(r#"{"Detach":false,"Tty":false}"#)
        .exchange(inspect, running())
        .exchange(inspect, ended());
    let value = |stdout: &str, stderr: &str| format!("exit code 3 out={stdout} err={stderr}");
    let exec = may_end_at_frames(exec.gives(value("one\nthree\n", "two\n")), 1, head.len(), &frames, value);

    let head = upgraded(RAW);
    let shown = "$ exit\r\n";
    let terminal = Transcript::new("an execution on a terminal", |docker| {
        Box::pin(async move {
            let done = docker.container("web").exec(["sh"]).tty().output().await?;
            Ok(format!("{} out={} err={}", done.status, done.stdout, done.stderr))
        })
    });
    let terminal = terminal
        .exchange(create, created())
        .exchange(start, Answer::new([&head[..], shown.as_bytes()].concat()).then_close())
        .exchange(inspect, ended())
        .gives(format!("exit code 3 out={shown} err="));
    let terminal = may_end_anywhere(terminal, 1, head_length(&head), shown, "exit code 3 ");
    vec![exec, terminal]
}
