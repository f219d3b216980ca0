use longshore::{Change, Docker, ErrorKind, Spec};
use longshore_testkit::poll_n;

use crate::engine::{Engine, Fault};

fn spec(version: &str) -> Spec {
    Spec::image("busybox").cmd("sleep 1000").env("VERSION", version)
}

async fn apply(docker: &Docker, spec: &Spec) -> longshore::Result<Change> {
    docker.containers().create_or_replace("web", spec).await.map(|(_, change)| change)
}

/// An engine on which `web` runs, made from the first version.
async fn running(has_own_defaults: bool) -> (Engine, Docker) {
    let engine = Engine::default();
    engine.state().has_own_defaults = has_own_defaults;
    let docker = engine.docker();
    assert_eq!(apply(&docker, &spec("1")).await.unwrap(), Change::Created);
    docker.container("web").start().await.unwrap();
    engine.state().requests.clear();
    (engine, docker)
}

fn running_web() -> Vec<(String, bool)> {
    vec![("web".to_owned(), true)]
}

fn stopped_web() -> Vec<(String, bool)> {
    vec![("web".to_owned(), false)]
}

#[tokio::test]
async fn what_has_not_changed_is_left_alone() {
    let (engine, docker) = running(false).await;
    let id = engine.state().containers[0].id.clone();
    let (container, change) = docker.containers().create_or_replace("web", &spec("1")).await.unwrap();
    assert_eq!((container.id(), change), (id.as_str(), Change::Unchanged));
    assert_eq!(engine.names(), running_web());
    assert!(engine.state().requests.iter().all(|request| request.starts_with("GET ")), "it only reads");
}

#[tokio::test]
async fn an_engine_with_defaults_of_its_own_is_asked() {
    let (engine, docker) = running(true).await;
    assert_eq!(apply(&docker, &spec("1")).await.unwrap(), Change::Unchanged);
    assert_eq!(engine.names(), running_web());
    assert!(
        engine.state().requests.iter().any(|request| request.starts_with("POST /containers/create?name=web.longsh"))
    );
}

#[tokio::test]
async fn what_has_changed_is_replaced_and_not_started() {
    for has_own_defaults in [false, true] {
        let (engine, docker) = running(has_own_defaults).await;
        let (container, change) = docker.containers().create_or_replace("/web", &spec("2")).await.unwrap();
        assert_eq!(change, Change::Replaced);
        assert_eq!(engine.names(), stopped_web());
        assert_eq!(engine.state().containers[0].id, container.id());
        // What was added is taken away again, and that is a change too.
        let less = Spec::image("busybox").cmd("sleep 1000");
        assert_eq!(apply(&docker, &less).await.unwrap(), Change::Replaced);
        assert_eq!(apply(&docker, &less).await.unwrap(), Change::Unchanged);
    }
}

#[tokio::test]
async fn an_image_that_does_not_exist_leaves_the_old_container_running() {
    let (engine, docker) = running(false).await;
    let error = apply(&docker, &Spec::image("missing")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(error.to_string(), "create or replace container `web`: pull image `missing`: manifest unknown");
    assert_eq!(engine.names(), running_web());
    let error = docker.containers().create_or_replace("db", &Spec::image("missing")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(engine.names(), running_web());
}

#[tokio::test]
async fn a_paused_container_is_replaced() {
    let (engine, docker) = running(false).await;
    engine.state().containers[0].paused = true;
    assert_eq!(apply(&docker, &spec("2")).await.unwrap(), Change::Replaced);
    assert_eq!(engine.names(), stopped_web());
}

#[tokio::test]
async fn a_container_whose_id_begins_like_the_name_is_another() {
    let (engine, docker) = running(false).await;
    let prefix = engine.state().containers[0].id[..50].to_owned();
    let (_, change) = docker.containers().create_or_replace(&prefix, &spec("2")).await.unwrap();
    assert_eq!(change, Change::Created);
    assert_eq!(engine.names(), [("web".to_owned(), true), (prefix, false)]);
}

#[tokio::test]
async fn a_prune_meanwhile_brings_the_old_container_back() {
    let (engine, docker) = running(false).await;
    engine.state().is_pruned = true;
    let error = apply(&docker, &spec("2")).await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
    assert_eq!(engine.names(), running_web());
}

#[tokio::test]
async fn bad_input_is_refused_before_anything_is_sent() {
    let (engine, docker) = running(false).await;
    let error = docker.containers().create_or_replace("", &spec("1")).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Invalid, "create or replace container"));
    let error = apply(&docker, &Spec::image("busybox").cmd("echo 'x")).await.unwrap_err();
    assert_eq!((error.kind(), error.target()), (ErrorKind::Invalid, Some("web")));
    assert_eq!(engine.state().requests, [""; 0]);
}

/// Lets each request fail in each way. The old container is never lost, and the next call does the rest.
#[tokio::test]
async fn a_failure_at_any_request_loses_nothing() {
    for fault in [Fault::Refused, Fault::LostBefore, Fault::LostAfter] {
        for has_own_defaults in [false, true] {
            for at in 0.. {
                let case = format!("{fault:?} at request {at}");
                let (engine, docker) = running(has_own_defaults).await;
                let old = engine.state().containers[0].id.clone();
                engine.state().fault = Some((at, fault));
                let outcome = apply(&docker, &spec("2")).await;
                let reached = engine.state().requests.len() > at;
                let web = engine.state().containers.iter().find(|container| container.name == "web").cloned();
                let web = web.unwrap_or_else(|| panic!("{case}: nobody has the name"));
                match &outcome {
                    Ok(change) => assert_eq!((*change, web.running), (Change::Replaced, false), "{case}"),
                    Err(_) => assert_eq!((&web.id, web.running), (&old, true), "{case}: {outcome:?}"),
                }
                engine.state().fault = None;
                let again = apply(&docker, &spec("2")).await.unwrap_or_else(|error| panic!("{case}, again: {error}"));
                let expected = if outcome.is_ok() { Change::Unchanged } else { Change::Replaced };
                assert_eq!(again, expected, "{case}");
                assert_eq!(engine.names(), stopped_web(), "{case}");
                if !reached {
                    assert!(outcome.is_ok(), "{case}");
                    break;
                }
            }
        }
    }
}

/// Drops the call after each number of polls. The old container is there, and the next call does the rest.
#[tokio::test]
async fn a_call_that_is_dropped_at_any_poll_loses_nothing() {
    for has_own_defaults in [false, true] {
        for polls in 0.. {
            let (engine, docker) = running(has_own_defaults).await;
            let old = engine.state().containers[0].id.clone();
            let outcome = poll_n(apply(&docker, &spec("2")), polls).await;
            // What has been sent is carried out.
            tokio::task::yield_now().await;
            let kept = engine.state().containers.iter().any(|container| container.id == old || container.name == "web");
            assert!(kept, "dropped after {polls} polls: {:?}", engine.names());
            let again = apply(&docker, &spec("2")).await.unwrap();
            assert_ne!(again, Change::Created, "dropped after {polls} polls");
            assert_eq!(engine.names(), stopped_web(), "dropped after {polls} polls");
            if outcome.is_some() {
                assert!(polls > 10);
                break;
            }
        }
    }
}

/// Lets the engine be gone from a request on, so that nothing can be put back, until the next call.
#[tokio::test]
async fn an_engine_that_goes_away_is_found_as_it_was_left() {
    for at in 0.. {
        let (engine, docker) = running(false).await;
        let old = engine.state().containers[0].id.clone();
        engine.state().gone_from = Some(at);
        let outcome = apply(&docker, &spec("2")).await;
        if let Err(error) = &outcome
            && engine.state().containers.iter().any(|container| container.id == old && container.name != "web")
        {
            assert!(error.to_string().contains("may be found as `web.longshore-old-"), "{error}");
        }
        let kept = engine.state().containers.iter().any(|container| container.id == old || container.name == "web");
        assert!(kept, "gone from request {at}: {:?}", engine.names());
        let ended = engine.state().requests.len() <= at;
        engine.state().gone_from = None;
        assert_ne!(apply(&docker, &spec("2")).await.unwrap(), Change::Created);
        assert_eq!(engine.names(), stopped_web(), "gone from request {at}");
        if ended {
            break;
        }
    }
}
