//! Calls with one answer each.

use longshore::{Until, container};

use super::Transcript;
use super::wire::{answer, chunked, chunked_json, json};

const WEB: &str = r#"{"Id":"8d1","Name":"/web","State":{"Status":"running","Pid":77},"Config":{"Tty":false}}"#;
const LIST: [&str; 3] = [
    r#"[{"Id":"8d1","Names":["/web"],"Image":"nginx","State":"running"},"#,
    r#"{"Id":"f00","Names":["/job"],"Image":"alp"#,
    "ine\",\"State\":\"exited\"}]\n",
];

pub(super) fn all() -> Vec<Transcript> {
    [bodies(), lists(), transitions(), waits()].concat()
}

fn inspect(name: &'static str, answer: impl Into<crate::Answer>) -> Transcript {
    let transcript = Transcript::new(name, |docker| {
        Box::pin(async move {
            let web = docker.container("web").inspect().await?;
            Ok(format!("{} {} {}", web.id, web.state.status, web["State"]["Pid"]))
        })
    });
    transcript.exchange("GET /v1.44/containers/web/json", answer).gives("8d1 running 77")
}

fn bodies() -> Vec<Transcript> {
    let early_hints = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n";
    let after_others = [early_hints.as_bytes(), &json("200 OK", WEB)].concat();
    let until_close = format!("HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{WEB}\n");
    let closing = format!(
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{WEB}",
        WEB.len()
    );
    let head = super::wire::head_length(until_close.as_bytes());
    vec![
        inspect("a small JSON answer", json("200 OK", WEB)),
        inspect("informational heads before the final one", after_others),
        inspect("a body that ends with the connection", crate::Answer::new(until_close).then_close()).may_end_badly(
            0,
            head,
            longshore::ErrorKind::Decode,
            "the engine's answer is empty",
        ),
        inspect("a body with a length on a connection that closes", crate::Answer::new(closing).then_close()),
    ]
}

fn list(name: &'static str, answer: Vec<u8>) -> Transcript {
    let transcript = Transcript::new(name, |docker| {
        Box::pin(async move {
            let options = container::ListOptions::default().all();
            let all = docker.containers().list_with(&options).await?;
            Ok(all.iter().map(|one| format!("{} {} {};", one.name(), one.image, one.state)).collect())
        })
    });
    let transcript = transcript.exchange("GET /v1.44/containers/json?all=1", answer);
    transcript.gives("web nginx running;job alpine exited;")
}

fn lists() -> Vec<Transcript> {
    let mut trailed = chunked(&LIST);
    trailed.truncate(trailed.len() - 2);
    trailed.extend(b"Digest: sha-256=abc\r\nServer-Timing: total\r\n\r\n");
    let fields = ["Content-Type: application/json", "Trailer: Digest", "Transfer-Encoding: chunked"];
    vec![
        list("a list in chunks", chunked_json(&LIST)),
        list("chunks with trailers", answer("200 OK", &fields, trailed)),
    ]
}

fn start(name: &'static str, answer: Vec<u8>) -> Transcript {
    let transcript = Transcript::new(name, |docker| {
        Box::pin(async move { Ok(format!("{:?}", docker.container("web").start().await?)) })
    });
    transcript.exchange("POST /v1.44/containers/web/start", answer)
}

fn transitions() -> Vec<Transcript> {
    let create = Transcript::new("a creation with warnings", |docker| {
        Box::pin(async move {
            let created = docker.containers().create(&container::Spec::image("alpine").name("job")).await?;
            Ok(format!("{} {:?}", created.id(), created.warnings))
        })
    });
    let body = r#"{"Id":"f00d","Warnings":["no swap"]}"#;
    let create = create.exchange("POST /v1.44/containers/create?name=job", json("201 Created", body));
    let remove = Transcript::new("a removal", |docker| {
        Box::pin(async move {
            docker.container("web").remove().await?;
            Ok("removed".to_owned())
        })
    });
    vec![
        start("a start", answer("204 No Content", &[], "")).gives("Changed"),
        start("a start of what runs", answer("304 Not Modified", &[], "")).gives("Unchanged"),
        // The length is that of the body which the same answer to another request would have.
        start("a length without a body", answer("304 Not Modified", &["Content-Length: 31"], "")).gives("Unchanged"),
        create.body(r#"{"Image":"alpine"}"#).gives("f00d [\"no swap\"]"),
        remove.exchange("DELETE /v1.44/containers/web", answer("204 No Content", &[], "")).gives("removed"),
    ]
}

fn wait(name: &'static str, chunks: &[&str]) -> Transcript {
    let transcript = Transcript::new(name, |docker| {
        Box::pin(async move {
            let armed = docker.container("job").wait(Until::NextExit).await?;
            Ok(armed.await?.to_string())
        })
    });
    let answer = chunked_json(chunks);
    let head = super::wire::head_length(&answer);
    let answer = crate::Answer::new(answer).split_at([head]).pace(std::time::Duration::from_secs(20));
    transcript.exchange("POST /v1.44/containers/job/wait?condition=next-exit", answer)
}

fn waits() -> Vec<Transcript> {
    let failed = r#"{"StatusCode":-1,"Error":{"Message":"container is gone"}}"#;
    vec![
        wait("a wait", &["{\"StatusCode\":137}\n"]).gives("exit code 137"),
        wait("a wait with a proxy's words behind it", &["{\"StatusCode\":3}\n", "<!-- served by gate-7 -->"])
            .gives("exit code 3"),
        wait("a wait that failed", &[failed]).fails(longshore::ErrorKind::InStream, "container is gone"),
    ]
}
