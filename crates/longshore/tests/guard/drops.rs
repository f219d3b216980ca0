//! Drops: wherever they happen, the thing is gone when they are done, or they say why it is not.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use longshore::guard::Guard;
use longshore::{Container, Docker, ErrorKind, Mount, NetworkSpec, Spec, VolumeSpec};
use longshore_testkit::{Answer, Dialing, Exchange, ScriptedEngine};
use tokio::runtime::{Builder, Runtime};

use crate::engine::Engine;
use crate::journal;

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

async fn container(docker: &Docker) -> Guard<Container> {
    docker.containers().create(&Spec::image("alpine").name("web")).await.unwrap().guard()
}

#[test]
fn a_drop_outside_any_runtime_removes() {
    let engine = Engine::default();
    let guard = runtime().block_on(container(&engine.docker()));
    // The runtime that made it is gone.
    assert_eq!(engine.names(), ["web"]);
    drop(guard);
    assert_eq!(engine.names(), [""; 0]);
    assert_eq!(engine.removals().len(), 1);
    assert!(engine.removals()[0].ends_with("?force=1&v=1"), "{:?}", engine.removals());
}

#[tokio::test]
async fn a_drop_inside_a_runtime_of_one_thread_removes() {
    let engine = Engine::default();
    drop(container(&engine.docker()).await);
    assert_eq!(engine.names(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drop_inside_a_runtime_of_many_threads_removes() {
    let engine = Engine::default();
    let docker = engine.docker();
    tokio::spawn(async move { drop(container(&docker).await) }).await.unwrap();
    assert_eq!(engine.names(), [""; 0]);
}

#[test]
fn a_guard_in_a_runtime_that_is_shut_down_removes() {
    let engine = Engine::default();
    let runtime = runtime();
    let docker = engine.docker();
    let task = runtime.spawn(async move {
        let _guard = container(&docker).await;
        std::future::pending::<()>().await;
    });
    runtime.block_on(async {
        while engine.names().is_empty() {
            tokio::task::yield_now().await;
        }
        // Once more, so that the task has its answer.
        tokio::time::sleep(Duration::from_millis(20)).await;
    });
    drop(runtime);
    assert!(task.is_finished());
    assert_eq!(engine.names(), [""; 0]);
}

#[test]
fn a_panic_removes() {
    let engine = Engine::default();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        runtime().block_on(async {
            let _guard = container(&engine.docker()).await;
            panic!("this is meant to be");
        });
    }));
    assert!(outcome.is_err());
    assert_eq!(engine.names(), [""; 0]);
}

#[tokio::test]
async fn a_guard_that_is_removed_or_kept_does_nothing_more() {
    let engine = Engine::default();
    let docker = engine.docker();
    container(&docker).await.remove().await.unwrap();
    assert_eq!((engine.names().len(), engine.removals().len()), (0, 1));
    let kept = container(&docker).await.keep();
    assert_eq!((engine.names(), engine.removals().len()), (vec!["web".to_owned()], 1));
    kept.remove().await.unwrap();
    // What is gone by itself is fine.
    let guard = container(&docker).await;
    docker.container("web").remove().await.unwrap();
    guard.remove().await.unwrap();
}

#[tokio::test]
async fn a_removal_that_is_given_up_is_made_by_the_drop() {
    let engine = Engine::default();
    let guard = container(&engine.docker()).await;
    engine.state().slow = Some(("DELETE", Duration::from_millis(100)));
    assert!(longshore_testkit::poll_n(guard.remove(), 1).await.is_none());
    assert_eq!(engine.names(), [""; 0]);
}

#[tokio::test]
async fn guards_are_by_the_id_not_by_the_name() {
    let engine = Engine::default();
    let docker = engine.docker();
    let kept = container(&docker).await.keep();
    let guard = docker.container("web").guard().await.unwrap();
    assert_eq!(guard.id(), kept.id());
    kept.remove().await.unwrap();
    let other = container(&docker).await.keep();
    drop(guard);
    assert_eq!(engine.state().containers.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), [other.id()]);
    assert_eq!(docker.container("nobody").guard().await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn another_volume_of_the_same_name_stays() {
    journal::keep();
    let engine = Engine::default();
    let docker = engine.docker();
    let spec = VolumeSpec::new("data-twice");
    docker.volumes().create(&spec).await.unwrap();
    let guard = docker.volume("data-twice").guard().await.unwrap();
    docker.volume("data-twice").remove().await.unwrap();
    docker.volumes().create(&spec).await.unwrap();
    drop(guard);
    assert_eq!(engine.names(), ["data-twice"]);
    assert_eq!(journal::warnings_of("data-twice").len(), 1);
    drop(docker.volume("data-twice").guard().await.unwrap());
    assert_eq!(engine.names(), [""; 0]);
}

/// A network, a volume, and a container that uses both.
async fn neighbours(docker: &Docker) -> (Guard<longshore::Network>, Guard<longshore::Volume>, Guard<Container>) {
    let network = docker.networks().create(&NetworkSpec::new("backend")).await.unwrap().guard();
    docker.volumes().create(&VolumeSpec::new("data")).await.unwrap();
    let volume = docker.volume("data").guard().await.unwrap();
    let spec = Spec::image("alpine").name("db").network("backend").mount(Mount::volume("data", "/data"));
    (network, volume, docker.containers().create(&spec).await.unwrap().guard())
}

#[tokio::test]
async fn guards_may_be_dropped_in_any_order() {
    let engine = Engine::default();
    let docker = engine.docker();
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let (network, volume, container) = neighbours(&docker).await;
        let (mut network, mut volume, mut container) = (Some(network), Some(volume), Some(container));
        let begun = Instant::now();
        for which in order {
            match which {
                0 => drop(network.take()),
                1 => drop(volume.take()),
                _ => drop(container.take()),
            }
        }
        assert_eq!(engine.names(), [""; 0], "{order:?}");
        assert!(begun.elapsed() < Duration::from_secs(2), "{order:?} took {:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn an_explicit_removal_takes_along_what_waited_for_it() {
    let engine = Engine::default();
    let (network, volume, container) = neighbours(&engine.docker()).await;
    drop((network, volume));
    assert_eq!(engine.names(), ["db", "backend", "data"]);
    container.remove().await.unwrap();
    assert_eq!(engine.names(), [""; 0]);
}

#[tokio::test]
async fn what_somebody_else_uses_is_tried_again_until_the_time_is_over() {
    journal::keep();
    let engine = Engine::default();
    let docker = engine.docker();
    let network = docker.networks().create(&NetworkSpec::new("busy")).await.unwrap().guard();
    let spec = Spec::image("alpine").name("stranger").network("busy");
    let stranger = docker.containers().create(&spec).await.unwrap().container;
    let (id, begun) = (network.id().to_owned(), Instant::now());
    drop(network.within(Duration::from_millis(300)));
    assert!(begun.elapsed() > Duration::from_millis(250) && begun.elapsed() < Duration::from_secs(3));
    assert_eq!(engine.names(), ["stranger", "busy"]);
    let warnings = journal::warnings_of(&id);
    assert!(warnings.len() == 1 && warnings[0].contains("active endpoints"), "{warnings:?}");

    // It is gone as soon as the other one lets it.
    let network = docker.network("busy").guard().await.unwrap();
    // By a client of its own: this one's connections belong to this runtime, which waits.
    let stranger = engine.docker().container(stranger.id());
    let freeing = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        runtime().block_on(stranger.remove()).unwrap();
    });
    drop(network);
    freeing.join().unwrap();
    assert_eq!(engine.names(), [""; 0]);

    let network = docker.networks().create(&NetworkSpec::new("busy")).await.unwrap().guard();
    docker.containers().create(&spec).await.unwrap();
    let error = network.within(Duration::from_millis(100)).remove().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
}

#[tokio::test]
async fn a_failure_that_passes_is_outlived() {
    let engine = Engine::default();
    let guard = container(&engine.docker()).await;
    engine.state().fails = 3;
    drop(guard);
    assert_eq!((engine.names().len(), engine.removals().len()), (0, 4));
}

#[tokio::test]
async fn a_failure_that_stays_is_told() {
    journal::keep();
    let engine = Engine::default();
    let guard = container(&engine.docker()).await;
    let id = guard.id().to_owned();
    engine.state().fails = usize::MAX;
    let begun = Instant::now();
    drop(guard);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let warnings = journal::warnings_of(&id);
    assert!(warnings.len() == 1 && warnings[0].contains("device or resource busy"), "{warnings:?}");
}

#[tokio::test]
async fn an_engine_that_is_gone_holds_nothing_up() {
    journal::keep();
    let engine = Engine::default();
    let guard = container(&engine.docker()).await;
    let id = guard.id().to_owned();
    engine.state().refuses = usize::MAX;
    let begun = Instant::now();
    drop(guard);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    let warnings = journal::warnings_of(&id);
    assert!(warnings.len() == 1 && warnings[0].contains("can't connect"), "{warnings:?}");
}

#[tokio::test]
async fn an_engine_that_is_slow_holds_a_drop_up_only_so_long() {
    journal::keep();
    let engine = Engine::default();
    let guard = container(&engine.docker()).await.within(Duration::from_millis(100));
    let id = guard.id().to_owned();
    engine.state().slow = Some(("DELETE", Duration::from_secs(60)));
    let begun = Instant::now();
    drop(guard);
    assert!(begun.elapsed() >= Duration::from_millis(100) && begun.elapsed() < Duration::from_secs(2));
    assert_eq!(journal::warnings_of(&id).len(), 1);
}

#[tokio::test]
async fn an_engine_that_can_not_be_reached_holds_a_drop_up_only_so_long() {
    journal::keep();
    let created = "{\"Id\":\"unreachable\",\"Warnings\":[]}";
    let created = format!("HTTP/1.1 201 Created\r\nContent-Length: {}\r\n\r\n{created}", created.len());
    let engine = ScriptedEngine::new([Exchange::new("POST /v1.44/containers/create?name=web", Answer::new(created))]);
    let guard = container(&engine.docker()).await.within(Duration::from_millis(100));
    engine.dialing(Dialing::Hang);
    let begun = Instant::now();
    drop(guard);
    assert!(begun.elapsed() >= Duration::from_millis(100) && begun.elapsed() < Duration::from_secs(2));
    assert_eq!(journal::warnings_of("unreachable").len(), 1);
}

#[tokio::test]
async fn many_guards_share_one_thread() {
    let engine = Engine::default();
    let docker = engine.docker();
    let mut guards = Vec::new();
    for number in 0..50 {
        let spec = Spec::image("alpine").name(format!("web-{number}"));
        guards.push(docker.containers().create(&spec).await.unwrap().guard());
    }
    drop(guards);
    assert_eq!(engine.names(), [""; 0]);
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let names = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("comm")).ok());
    let count = names.filter(|name| name.starts_with("longshore guard")).count();
    assert!(cfg!(not(target_os = "linux")) || count == 1, "{count}");
}
