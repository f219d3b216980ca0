//! An engine that is exchanged for another one behind the same client, and engines that share no version with it.

use longshore::container::StopOptions;
use longshore::{ApiVersion, ConnectOptions, Docker, ErrorKind, Payload, Spec};
use longshore_testkit::transcript::wire::{answer, chunked, frame, json, ping, told};
use longshore_testkit::{Exchange, ScriptedEngine};

fn version(text: &str) -> ApiVersion {
    text.parse().unwrap()
}

fn docker(engine: &ScriptedEngine) -> Docker {
    engine.docker_with(&ConnectOptions::default())
}

/// What an engine answers that speaks up to this version.
fn exchange(newest: &str, request: &str, answer: impl AsRef<[u8]>) -> Exchange {
    Exchange::new(request, told(version(newest), answer))
}

fn listed(newest: &str, spoken: &str) -> Exchange {
    exchange(newest, &format!("GET /v{spoken}/containers/json"), json("200 OK", "[]"))
}

fn refusal(message: &str) -> Vec<u8> {
    json("400 Bad Request", &format!("{{\"message\":\"{message}\"}}\n"))
}

fn too_old(spoken: &str, oldest: &str) -> Vec<u8> {
    refusal(&format!(
        "client version {spoken} is too old. Minimum supported API version is {oldest}, please upgrade your client to a \
         newer version"
    ))
}

fn too_new(spoken: &str, newest: &str) -> Vec<u8> {
    refusal(&format!("client version {spoken} is too new. Maximum supported API version is {newest}"))
}

/// A client that has agreed upon a version with an engine that is gone by now, and the script of the one that follows.
async fn exchanged(before: &str, script: impl IntoIterator<Item = Exchange>) -> (ScriptedEngine, Docker) {
    let engine = ScriptedEngine::new([Exchange::new("HEAD /_ping", ping(version(before)))]);
    let docker = docker(&engine);
    assert_eq!(docker.api_version().await.unwrap(), version(before));
    engine.close(0);
    for exchange in script {
        engine.expect(exchange);
    }
    (engine, docker)
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_is_noticed_by_the_first_answer_that_tells_of_it() {
    let (engine, docker) = exchanged("1.41", [listed("1.51", "1.41"), listed("1.51", "1.51")]).await;
    docker.containers().list().await.unwrap();
    assert_eq!(docker.api_version().await.unwrap(), version("1.51"));
    docker.containers().list().await.unwrap();
    engine.assert_finished();
}

#[tokio::test(start_paused = true)]
async fn a_refusal_tells_of_an_exchange_too() {
    let missing = json("404 Not Found", "{\"message\":\"No such container: web\"}");
    let script = [exchange("1.51", "GET /v1.41/containers/web/json", missing), listed("1.51", "1.51")];
    let (engine, docker) = exchanged("1.41", script).await;
    assert!(docker.container("web").inspect().await.unwrap_err().is_not_found());
    docker.containers().list().await.unwrap();
    engine.assert_finished();
}

#[tokio::test(start_paused = true)]
async fn what_a_newer_engine_refuses_for_its_version_is_sent_again_once() {
    let script = [
        exchange("1.52", "POST /v1.41/containers/web/pause", too_old("1.41", "1.44")),
        exchange("1.52", "POST /v1.52/containers/web/pause", answer("204 No Content", &[], "")),
    ];
    let (engine, docker) = exchanged("1.41", script).await;
    docker.container("web").pause().await.unwrap();
    engine.assert_finished();
    assert_eq!(docker.api_version().await.unwrap(), version("1.52"));
    assert_eq!(engine.received().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_an_older_engine_refuses_for_its_version_is_sent_again_with_its_body() {
    for size in [1, 100_000] {
        let body = format!("{{\"Image\":\"{}\"}}", "a".repeat(size));
        let created = json("201 Created", "{\"Id\":\"c1\",\"Warnings\":[]}");
        let script = [
            exchange("1.41", "POST /v1.51/containers/create", too_new("1.51", "1.41")).body(body.clone()),
            exchange("1.41", "POST /v1.41/containers/create", created).body(body),
        ];
        let (engine, docker) = exchanged("1.51", script).await;
        docker.containers().create(&Spec::image("a".repeat(size))).await.unwrap();
        engine.assert_finished();
    }
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_can_not_be_repeated_is_an_error_and_the_next_call_is_none() {
    let script = [exchange("1.41", "POST /v1.51/images/load?quiet=0", too_new("1.51", "1.41")), listed("1.41", "1.41")];
    let (engine, docker) = exchanged("1.51", script).await;
    let error = docker.images().load(Payload::reader(&b"tar"[..])).await.err().unwrap();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Unsupported, Some(400)), "{error:?}");
    assert!(error.message().contains("1.51") && error.message().contains("1.41"), "{error}");
    docker.containers().list().await.unwrap();
    engine.assert_finished();
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_does_not_tell_with_its_refusal_is_asked() {
    let silent = |request: &str, answer: Vec<u8>| {
        let text = String::from_utf8(answer).unwrap().replace("Api-Version: 1.44\r\n", "");
        Exchange::new(request, text)
    };
    let script = [
        silent("GET /v1.51/containers/json", too_new("1.51", "1.41")),
        Exchange::new("HEAD /_ping", ping(version("1.41"))),
        listed("1.41", "1.41"),
    ];
    let (engine, docker) = exchanged("1.51", script).await;
    docker.containers().list().await.unwrap();
    engine.assert_finished();
}

#[tokio::test(start_paused = true)]
async fn what_an_older_engine_lacks_is_not_sent_again() {
    let script = [exchange("1.41", "POST /v1.44/containers/web/stop?signal=SIGINT", too_new("1.44", "1.41"))];
    let (engine, docker) = exchanged("1.44", script).await;
    let error = docker.container("web").stop_with(&StopOptions::default().signal("SIGINT")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("1.42") && error.message().contains("1.41"), "{error}");
    engine.assert_finished();
}

#[tokio::test(start_paused = true)]
async fn logs_of_an_older_engine_are_framed_as_its_container_says() {
    let raw = ["Content-Type: application/vnd.docker.raw-stream", "Transfer-Encoding: chunked"];
    let logs = answer("200 OK", &raw, chunked(&[frame(1, "out\n"), frame(2, "err\n")]));
    let framed = json("200 OK", "{\"Id\":\"web\",\"Config\":{\"Tty\":false}}");
    let script = [
        exchange("1.41", "GET /v1.51/containers/web/logs?stdout=1&stderr=1", too_new("1.51", "1.41")),
        exchange("1.41", "GET /v1.41/containers/web/logs?stdout=1&stderr=1", logs),
        exchange("1.41", "GET /v1.41/containers/web/json", framed),
    ];
    let (engine, docker) = exchanged("1.51", script).await;
    let logs = docker.container("web").logs().await.unwrap().collect().await.unwrap();
    assert_eq!((&logs.stdout[..], &logs.stderr[..]), (&b"out\n"[..], &b"err\n"[..]));
    engine.assert_finished();
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_is_too_new_is_told_with_both_versions() {
    let newest = ApiVersion::MAXIMUM.to_string();
    let asked = || Exchange::new("HEAD /_ping", ping(version("9.99")));
    let refused = exchange("9.99", &format!("GET /v{newest}/containers/json"), too_old(&newest, "9.1"));
    let engine = ScriptedEngine::new([asked(), refused, asked()]);
    let error = docker(&engine).containers().list().await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Unsupported, "list containers"));
    assert!(error.message().contains(&newest) && error.message().contains("9.1"), "{error}");
    engine.assert_finished();
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_became_too_old_is_told_with_both_versions() {
    let (engine, docker) = exchanged(
        "1.44",
        [
            exchange("1.23", "GET /v1.44/containers/json", too_new("1.44", "1.23")),
            Exchange::new("HEAD /_ping", ping(version("1.23"))),
        ],
    )
    .await;
    let error = docker.containers().list().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let oldest = ApiVersion::MINIMUM.to_string();
    assert!(error.message().contains("1.23") && error.message().contains(&oldest), "{error}");
    engine.assert_finished();
}

#[tokio::test(start_paused = true)]
async fn a_version_that_was_set_is_never_left() {
    for options in [
        ConnectOptions::default().version(version("1.30")),
        ConnectOptions::default().environment(longshore::Environment::default().variable("DOCKER_API_VERSION", "1.30")),
    ] {
        let refused = || exchange("1.52", "GET /v1.30/containers/json", too_old("1.30", "1.44"));
        let engine = ScriptedEngine::new([refused(), refused()]);
        let docker = engine.docker_with(&options);
        for _ in 0..2 {
            let error = docker.containers().list().await.unwrap_err();
            assert_eq!((error.kind(), error.status()), (ErrorKind::Unsupported, Some(400)));
            assert!(error.message().contains("1.30") && error.message().contains("1.44"), "{error}");
        }
        engine.assert_finished();
    }
}

#[tokio::test(start_paused = true)]
async fn a_version_in_code_wins_over_the_variable() {
    let environment = longshore::Environment::default().variable("DOCKER_API_VERSION", "1.30");
    let engine = ScriptedEngine::new([listed("1.44", "1.41")]);
    let docker = engine.docker_with(&ConnectOptions::default().environment(environment).version(version("1.41")));
    docker.containers().list().await.unwrap();
    engine.assert_finished();
}
