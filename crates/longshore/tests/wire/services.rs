//! Changes of services that meet others, and how their logs are framed.

use longshore::models::ObjectVersion;
use longshore::{ConnectOptions, ErrorKind, OutputStream, ServiceSpec, Source};
use longshore_testkit::transcript::wire::{answer, chunked, frame, json};
use longshore_testkit::{Exchange, ScriptedEngine, drain};

const MULTIPLEXED: &str = "Content-Type: application/vnd.docker.multiplexed-stream";
const RAW: &str = "Content-Type: application/vnd.docker.raw-stream";
const CHUNKED: &str = "Transfer-Encoding: chunked";

const READ: &str = "GET /v1.44/services/web";
const STALE: &str = "{\"message\":\"rpc error: code = Unknown desc = update out of sequence\"}";

/// The service in a version, with a label, and with what no type has.
fn told(version: u64, label: &str) -> Exchange {
    let service = format!(
        "{{\"ID\":\"w1\",\"Version\":{{\"Index\":{version}}},\"Spec\":{{\"Name\":\"web\",\"Labels\":{{\"a\":\"{label}\"}},\
         \"TaskTemplate\":{{\"ContainerSpec\":{{\"Image\":\"nginx\",\"NewField\":[1]}},\"ForceUpdate\":0}},\
         \"Mode\":{{\"Replicated\":{{\"Replicas\":2}}}}}}}}"
    );
    Exchange::new(READ, json("200 OK", &service))
}

fn written(version: u64, answer: Vec<u8>) -> Exchange {
    Exchange::new(format!("POST /v1.44/services/web/update?version={version}"), answer)
}

fn stale() -> Vec<u8> {
    json("500 Internal Server Error", STALE)
}

#[tokio::test(start_paused = true)]
async fn a_change_is_sent_with_the_version_and_all_that_was_read() {
    let done = json("200 OK", "{\"Warnings\":[\"no digest\"]}");
    let engine = ScriptedEngine::new([told(7, "old"), written(7, done)]);
    let updated = engine.docker().service("web").update(|spec| spec.label("a", "new")).await.unwrap();
    assert_eq!(updated.warnings, ["no digest"]);
    engine.assert_finished();
    let body: serde_json::Value = serde_json::from_slice(&engine.received()[1].body).unwrap();
    assert_eq!(
        body,
        serde_json::json!({
            "Name": "web",
            "Labels": { "a": "new" },
            "TaskTemplate": { "ContainerSpec": { "Image": "nginx", "NewField": [1] }, "ForceUpdate": 0 },
            "Mode": { "Replicated": { "Replicas": 2 } },
        })
    );
}

#[tokio::test(start_paused = true)]
async fn a_version_that_the_swarm_counted_up_is_no_conflict() {
    let done = json("200 OK", "{\"Warnings\":null}");
    let engine = ScriptedEngine::new([told(7, "old"), written(7, stale()), told(9, "old"), written(9, done)]);
    engine.docker().service("web").scale(3).await.unwrap();
    engine.assert_finished();
}

#[tokio::test(start_paused = true)]
async fn a_change_of_someone_else_is_a_conflict() {
    let engine = ScriptedEngine::new([told(7, "old"), written(7, stale()), told(9, "theirs")]);
    let error = engine.docker().service("web").update(|spec| spec.label("a", "ours")).await.unwrap_err();
    assert_eq!((error.kind(), error.operation(), error.target()), (ErrorKind::Conflict, "update service", Some("web")));
    engine.assert_finished();

    // Whoever brings the version gets no second attempt.
    let engine = ScriptedEngine::new([written(3, stale())]);
    let spec = ServiceSpec::image("nginx").name("web");
    let error = engine.docker().service("web").replace(ObjectVersion::new(3), &spec).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    engine.assert_finished();
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_sent_is_not() {
    let engine = ScriptedEngine::new([told(7, "old")]);
    let error = engine.docker().service("web").update(|spec| spec.cmd("echo 'a")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    engine.assert_finished();
}

async fn check(output: OutputStream, expected: &[(Source, &str)], circumstance: &str) {
    let drained = drain(output).await;
    assert!(drained.error.is_none(), "{circumstance}: {:?}", drained.error);
    // What comes from one source in a row may come apart anywhere.
    let mut runs: Vec<(Source, String)> = Vec::new();
    for chunk in drained.items {
        let text = String::from_utf8(chunk.bytes.to_vec()).unwrap();
        match runs.last_mut() {
            Some((source, run)) if *source == chunk.source => run.push_str(&text),
            _ => runs.push((chunk.source, text)),
        }
    }
    let runs: Vec<(Source, &str)> = runs.iter().map(|(source, run)| (*source, run.as_str())).collect();
    assert_eq!(runs, expected, "{circumstance}");
}

#[tokio::test(start_paused = true)]
async fn logs_are_framed_as_the_answer_says() {
    let framed = [frame(1, "out\n"), frame(2, "err\n")].concat();
    for (content_type, bytes, expected) in [
        (MULTIPLEXED, framed.as_slice(), [(Source::Stdout, "out\n"), (Source::Stderr, "err\n")].as_slice()),
        (RAW, b"\x01\x00out", &[(Source::Terminal, "\u{1}\0out")]),
    ] {
        for size in [1, 3, 7, 64, 4096] {
            for target in ["services/web", "tasks/0kzz"] {
                let request = format!("GET /v1.44/{target}/logs?stdout=1&stderr=1");
                let body = chunked(&bytes.chunks(5).collect::<Vec<_>>());
                let engine =
                    ScriptedEngine::new([Exchange::new(request, answer("200 OK", &[content_type, CHUNKED], body))]);
                engine.read_limit(size);
                let docker = engine.docker();
                let output = match target {
                    "services/web" => docker.service("web").logs().await.unwrap(),
                    _ => docker.task("0kzz").logs().await.unwrap(),
                };
                check(output, expected, &format!("{target}, {content_type}, reads of {size}")).await;
                engine.assert_finished();
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_old_engine_is_asked_for_the_terminal() {
    let version = "1.41".parse().unwrap();
    for (terminal, bytes, expected) in
        [(false, frame(2, "err"), (Source::Stderr, "err")), (true, b"out".to_vec(), (Source::Terminal, "out"))]
    {
        let container = format!("{{\"ContainerSpec\":{{\"TTY\":{terminal}}}}}");
        let logs = |target: &str| {
            let body = answer("200 OK", &[RAW, CHUNKED], chunked(&[&bytes]));
            Exchange::new(format!("GET /v1.41/{target}/logs?stdout=1&stderr=1"), body)
        };
        let service = json("200 OK", &format!("{{\"Spec\":{{\"TaskTemplate\":{container}}}}}"));
        let task = json("200 OK", &format!("{{\"Spec\":{container}}}"));
        let engine = ScriptedEngine::new([
            Exchange::new("GET /v1.41/services/web", service),
            logs("services/web"),
            Exchange::new("GET /v1.41/tasks/0kzz", task),
            logs("tasks/0kzz"),
        ]);
        let docker = engine.docker_with(&ConnectOptions::default().version(version));
        check(docker.service("web").logs().await.unwrap(), &[expected], "service").await;
        check(docker.task("0kzz").logs().await.unwrap(), &[expected], "task").await;
        engine.assert_finished();
    }
}
