//! Processes in containers, and containers that are run to their end.

use longshore::{Containers, Exec, ExecSession, NewExec, Run, Size, Spec};

use super::super::sessions::may_end_at_frames;
use super::{Transcript, brief, calls, shown};
use crate::answer::Answer;
use crate::transcript::wire::{answer, chunked, frame, upgraded};

pub(super) const MULTIPLEXED: &str = "application/vnd.docker.multiplexed-stream";
const SIZE: Size = Size { rows: 24, columns: 80 };

pub(super) fn all() -> Vec<Transcript> {
    [detached(), attached(), runs()].concat()
}

fn detached() -> Vec<Transcript> {
    let create = ("POST /containers/web/exec", r#"{"Id":"e1"}"#);
    let (start, resize) = (("POST /exec/e1/start", ""), ("POST /exec/e1/resize?h=24&w=80", ""));
    let inspect = ("GET /exec/e1/json", r#"{"ID":"e1","Running":false,"ExitCode":3}"#);
    vec![
        calls(
            "an execution made and left to itself",
            &[create, start, resize, inspect, inspect],
            r#"() () "exit code 3" Some(3)"#,
            |docker| {
                Box::pin(async move {
                    let exec = NewExec::create(docker.container("web").exec(["ls"])).await?;
                    let (start, resize) = (Exec::start_detached(&exec).await?, Exec::resize(&exec, SIZE).await?);
                    let status = Exec::wait(&exec).await?.to_string();
                    shown(&[&start, &resize, &status, &Exec::inspect(&exec).await?.exit_code])
                })
            },
        ),
        calls("an execution left to itself at once", &[create, start], r#""e1""#, |docker| {
            Box::pin(async move {
                let exec = NewExec::start_detached(docker.container("web").exec(["ls"])).await?;
                shown(&[&exec.id()])
            })
        }),
    ]
}

fn attached() -> Vec<Transcript> {
    let create = ("POST /v1.44/containers/web/exec", r#"{"Id":"e1"}"#);
    let ended = ("GET /v1.44/exec/e1/json", r#"{"ID":"e1","Running":false,"ExitCode":3}"#);
    let head = upgraded(MULTIPLEXED);
    let frames = [frame(1, "one\n"), frame(2, "two\n")];
    let output = || Answer::new([&head[..], &frames.concat()].concat()).then_close();
    let start = "POST /v1.44/exec/e1/start";
    let waited = Transcript::new("an execution waited for", |docker| {
        Box::pin(async move {
            let session = NewExec::start(docker.container("web").exec(["ls"])).await?;
            let resize = ExecSession::resize(&session, SIZE).await?;
            shown(&[&resize, &ExecSession::wait(session).await?.to_string()])
        })
    });
    let waited = waited
        .exchange(create.0, brief(create.1))
        .exchange(start, output())
        .exchange("POST /v1.44/exec/e1/resize?h=24&w=80", brief(""))
        .exchange(ended.0, brief(ended.1))
        .gives(r#"() "exit code 3""#);
    // Its output is not looked at, and an end behind a frame can't be told from the end.
    let waited = may_end_at_frames(waited, 1, head.len(), &frames, |_, _| r#"() "exit code 3""#.to_owned());
    let known = Transcript::new("an execution that was made before", |docker| {
        Box::pin(async move {
            let exec = NewExec::create(docker.container("web").exec(["ls"])).await?;
            let output = Exec::start(&exec).await?.into_output().collect().await?;
            shown(&[&output.stdout.text(), &output.stderr.text()])
        })
    });
    let known = known.exchange(create.0, brief(create.1)).exchange(start, output()).gives(r#""one\n" "two\n""#);
    let known = may_end_at_frames(known, 1, head.len(), &frames, |out, err| format!("{out:?} {err:?}"));
    let whole = Transcript::new("an execution's output", |docker| {
        Box::pin(async move {
            let done = NewExec::output(docker.container("web").exec(["ls"])).await?;
            shown(&[&done.status.to_string(), &done.stdout.text(), &done.stderr.text()])
        })
    });
    let whole = whole
        .exchange(create.0, brief(create.1))
        .exchange(start, output())
        .exchange(ended.0, brief(ended.1))
        .gives(r#""exit code 3" "one\n" "two\n""#);
    let whole = may_end_at_frames(whole, 1, head.len(), &frames, |out, err| format!("\"exit code 3\" {out:?} {err:?}"));
    vec![waited, known, whole]
}

fn runs() -> Vec<Transcript> {
    let create = ("POST /v1.44/containers/create", r#"{"Id":"c1"}"#);
    let wait = "POST /v1.44/containers/c1/wait?condition=next-exit";
    let start = "POST /v1.44/containers/c1/start";
    let ended = r#"{"StatusCode":4}"#;
    let framed = || {
        let fields = [&*format!("Content-Type: {MULTIPLEXED}"), "Transfer-Encoding: chunked"];
        answer("200 OK", &fields, chunked(&[frame(1, "one\n")]))
    };
    let status = Transcript::new("a run, and how it ended", |docker| {
        Box::pin(async move {
            let run = Containers::run(&docker.containers(), Spec::image("alpine")).await?;
            shown(&[&Run::status(run).await?.to_string()])
        })
    });
    let output = Transcript::new("a run, and what it wrote", |docker| {
        Box::pin(async move {
            let run = Containers::run(&docker.containers(), Spec::image("alpine")).await?;
            let done = Run::output(run).await?;
            shown(&[&done.status.to_string(), &done.stdout.text()])
        })
    });
    let whole = Transcript::new("a run whose container is removed", |docker| {
        Box::pin(async move {
            let done = Containers::output(&docker.containers(), Spec::image("alpine")).await?;
            shown(&[&done.status.to_string(), &done.stdout.text()])
        })
    });
    let begun = |transcript: Transcript| {
        transcript.exchange(create.0, brief(create.1)).exchange(wait, brief(ended)).exchange(start, brief(""))
    };
    let (head, frames) = (upgraded(MULTIPLEXED), [frame(1, "one\n")]);
    let whole = whole
        .exchange(create.0, brief(create.1))
        .exchange(
            "POST /v1.44/containers/c1/attach?stream=1&stdin=0&stdout=1&stderr=1",
            Answer::new([&head[..], &frames.concat()].concat()).then_close(),
        )
        .exchange(wait, brief(ended))
        .exchange(start, brief(""))
        .exchange("DELETE /v1.44/containers/c1?force=1&v=1", brief(""))
        .gives(r#""exit code 4" "one\n""#);
    vec![
        begun(status).gives(r#""exit code 4""#),
        begun(output)
            .exchange("GET /v1.44/containers/c1/logs?stdout=1&stderr=1&follow=1", framed())
            .gives(r#""exit code 4" "one\n""#),
        may_end_at_frames(whole, 1, head.len(), &frames, |out, _| format!("\"exit code 4\" {out:?}")),
    ]
}
