//! How client and engine agree on a version.

use longshore::{ApiVersion, ConnectOptions, Docker, ErrorKind, StopOptions};
use longshore_testkit::transcript::wire::{answer, json, ping, told};
use longshore_testkit::{Answer, Exchange, Fault, ScriptedEngine, never_hangs, poll_n};

fn docker(engine: &ScriptedEngine) -> Docker {
    engine.docker_with(&ConnectOptions::default())
}

fn pinged(answer: impl Into<Answer>) -> Exchange {
    Exchange::new("HEAD /_ping", answer)
}

fn listed(text: &str) -> Exchange {
    Exchange::new(format!("GET /v{text}/containers/json"), told(version(text), json("200 OK", "[]")))
}

fn version(text: &str) -> ApiVersion {
    text.parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_before_the_first_call_and_nothing_twice() {
    let engine = ScriptedEngine::new([pinged(ping(version("1.43"))), listed("1.43"), listed("1.43")]);
    let docker = docker(&engine);
    let container = docker.container("web");
    drop((docker.containers(), container.logs()));
    assert_eq!((engine.opened(), docker.host()), (0, "the scripted engine".to_owned()));
    docker.containers().list().await.unwrap();
    docker.clone().containers().list().await.unwrap();
    assert_eq!(docker.api_version().await.unwrap(), version("1.43"));
    assert_eq!(engine.opened(), 1);
    engine.assert_finished();
}

#[tokio::test(start_paused = true)]
async fn the_newest_version_that_both_know_is_spoken() {
    let newest = ApiVersion::MAXIMUM.to_string();
    for (engine_knows, spoken) in [("9.99", newest.as_str()), (&newest, &newest), ("1.41", "1.41"), ("1.24", "1.24")] {
        let engine = ScriptedEngine::new([pinged(ping(version(engine_knows))), listed(spoken)]);
        docker(&engine).containers().list().await.unwrap();
        engine.assert_finished();
    }
}

#[tokio::test(start_paused = true)]
async fn a_version_that_was_set_is_spoken_without_asking() {
    let engine = ScriptedEngine::new([listed("1.30")]);
    let docker = engine.docker_with(&ConnectOptions::default().version(version("1.30")));
    docker.containers().list().await.unwrap();
    assert_eq!(docker.api_version().await.unwrap(), version("1.30"));
    engine.assert_finished();
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_is_too_old_or_is_none_is_told() {
    let none = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    let odd = "HTTP/1.1 200 OK\r\nApi-Version: soon\r\nContent-Length: 0\r\n\r\n";
    let cases = [
        (ping(version("1.5")), ErrorKind::Unsupported, "1.5"),
        (none.into(), ErrorKind::Protocol, "no API version"),
        (odd.into(), ErrorKind::Protocol, "API version"),
    ];
    for (bytes, kind, words) in cases {
        let engine = ScriptedEngine::new([pinged(bytes)]);
        let error = docker(&engine).containers().list().await.unwrap_err();
        assert_eq!((error.kind(), error.operation()), (kind, "list containers"));
        assert!(error.message().contains(words), "{error}");
        assert_eq!(engine.received().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn where_head_is_refused_get_is_asked() {
    for status in
        ["405 Method Not Allowed", "400 Bad Request", "403 Forbidden", "404 Not Found", "500 Internal Server Error"]
    {
        let refused = answer(status, &["Content-Length: 20"], "");
        let asked = answer("200 OK", &["Content-Length: 2"], "OK");
        let engine = ScriptedEngine::new([pinged(refused), Exchange::new("GET /_ping", asked), listed("1.44")]);
        docker(&engine).containers().list().await.unwrap();
        engine.assert_finished();
        // What the answer to `GET` says is read, so that its connection serves the call too.
        assert_eq!(engine.opened(), 1);
    }
    let refused = || json("401 Unauthorized", "{\"message\":\"who are you?\"}");
    let head = answer("401 Unauthorized", &["Content-Length: 26"], "");
    let engine = ScriptedEngine::new([pinged(head), Exchange::new("GET /_ping", refused())]);
    let error = docker(&engine).containers().list().await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Unauthorized, "who are you?"));
}

#[tokio::test(start_paused = true)]
async fn calls_at_the_same_time_ask_once() {
    let engine = ScriptedEngine::new([pinged(Answer::new(ping(version("1.43"))).pieces(3)), listed("1.43").repeats()]);
    let docker = docker(&engine);
    let tasks = (0..20).map(|_| {
        let docker = docker.clone();
        tokio::spawn(async move { docker.containers().list().await })
    });
    for task in tasks.collect::<Vec<_>>() {
        never_hangs(task, "a version").await.unwrap().unwrap();
    }
    engine.assert_finished();
    assert_eq!(engine.received().iter().filter(|request| request.line == "HEAD /_ping").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_not_kept() {
    for fault in [Fault::Cut, Fault::Reset, Fault::Stall] {
        let whole = ping(version("1.43"));
        let engine = ScriptedEngine::new([
            pinged(Answer::new(whole.clone()).fails_after(30, fault)),
            pinged(whole),
            listed("1.43"),
        ]);
        let docker = docker(&engine);
        never_hangs(docker.containers().list(), "a ping that fails").await.unwrap_err();
        docker.containers().list().await.unwrap();
        engine.assert_finished();
    }
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_asking_does_not_keep_the_others_waiting() {
    let whole = || Answer::new(ping(version("1.43"))).pieces(3);
    for polls in 1..60 {
        let engine = ScriptedEngine::new([pinged(whole()).repeats(), listed("1.43").repeats()]);
        let docker = docker(&engine);
        let other = docker.clone();
        let waiting = tokio::spawn(async move { other.containers().list().await });
        poll_n(docker.containers().list(), polls).await;
        never_hangs(waiting, "the other was dropped").await.unwrap().unwrap();
        docker.containers().list().await.unwrap();
        assert_eq!(engine.problems(), Vec::<String>::new());
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_engine_is_too_old_for_is_not_sent() {
    let engine = ScriptedEngine::new([pinged(ping(version("1.41")))]);
    let web = docker(&engine).container("web");
    let error = web.stop_with(&StopOptions::default().signal("SIGINT")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("1.42") && error.message().contains("1.41"), "{error}");
    assert_eq!(engine.received().len(), 1);
}
