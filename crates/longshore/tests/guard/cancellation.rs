//! Creations that are given up in the middle leave nothing.

use std::time::{Duration, Instant};

use longshore::{Docker, ErrorKind, Mount, NetworkSpec, Spec, VolumeSpec};
use longshore_testkit::poll_n;

use crate::engine::Engine;

/// Drops what `work` does after one poll, after two and so on until it completes, and each time after some time has passed
/// as well. Answers how often it was dropped.
async fn cancel_everywhere<F>(engine: &Engine, work: impl Fn(Docker) -> F) -> u64
where
    F: Future<Output = ()>,
{
    let mut cancelled = 0;
    for polls in 0.. {
        let completed = poll_n(work(engine.docker()), polls).await.is_some();
        assert_eq!(engine.names(), [""; 0], "dropped after {polls} polls");
        if completed {
            break;
        }
        cancelled += 1;
    }
    // Polls say little where most is done by another thread: so also while each request is on its way.
    engine.state().slow = Some(("", Duration::from_millis(5)));
    for time in 0.. {
        let limit = Duration::from_millis(time);
        let completed = tokio::time::timeout(limit, work(engine.docker())).await.is_ok();
        assert_eq!(engine.names(), [""; 0], "dropped after {limit:?}");
        if completed {
            break;
        }
        cancelled += 1;
    }
    cancelled
}

#[tokio::test]
async fn a_creation_that_is_dropped_leaves_nothing() {
    let engine = Engine::default();
    let spec = Spec::image("alpine").name("web");
    let cancelled = cancel_everywhere(&engine, async |docker| {
        let guard = docker.owner("tests").create(&spec).await.unwrap();
        tokio::task::yield_now().await;
        drop(guard);
    })
    .await;
    assert!(cancelled > 3, "{cancelled}");
}

#[tokio::test]
async fn several_things_that_belong_together_leave_nothing() {
    let engine = Engine::default();
    let cancelled = cancel_everywhere(&engine, async |docker| {
        let owner = docker.owner("tests");
        let _network = owner.create_network(&NetworkSpec::new("backend")).await.unwrap();
        let _volume = owner.create_volume(&VolumeSpec::new("data")).await.unwrap();
        let spec = Spec::image("alpine").name("db").network("backend").mount(Mount::volume("data", "/data"));
        let db = owner.run(spec).await.unwrap();
        db.remove().await.unwrap();
    })
    .await;
    assert!(cancelled > 10, "{cancelled}");
}

#[test]
fn a_creation_in_a_runtime_that_ends_leaves_nothing() {
    let engine = Engine::default();
    engine.state().slow = Some(("POST", Duration::from_millis(200)));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let docker = engine.docker();
    runtime.spawn(async move {
        let _guard = docker.owner("tests").create(&Spec::image("alpine").name("web")).await;
        std::future::pending::<()>().await;
    });
    runtime.block_on(async { tokio::time::sleep(Duration::from_millis(50)).await });
    drop(runtime);
    assert_eq!(engine.state().requests.len(), 2, "{:?}", engine.state().requests);
    assert_eq!(engine.names(), [""; 0]);
}

#[tokio::test]
async fn an_engine_that_is_slow_to_create_holds_a_drop_up_only_so_long() {
    let engine = Engine::default();
    engine.state().slow = Some(("POST", Duration::from_millis(800)));
    let owner = engine.docker().owner("tests").within(Duration::from_millis(100));
    let begun = Instant::now();
    let spec = NetworkSpec::new("slow");
    let creation = owner.create_network(&spec);
    assert!(tokio::time::timeout(Duration::from_millis(20), creation).await.is_err());
    assert!(begun.elapsed() < Duration::from_millis(600), "{:?}", begun.elapsed());
    // It goes on, and so does what follows.
    while engine.removals().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(engine.names(), [""; 0]);
}

#[tokio::test]
async fn what_was_created_although_the_answer_was_lost_is_removed() {
    let engine = Engine::default();
    engine.state().loses_creations = true;
    let owner = engine.docker().owner("tests");
    let error = owner.create(&Spec::image("alpine").name("lost")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
    let error = owner.create_network(&NetworkSpec::new("lost")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
    let error = owner.create_volume(&VolumeSpec::new("lost")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
    let begun = Instant::now();
    while !engine.names().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", engine.names());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(engine.removals().len(), 3);
}

#[tokio::test]
async fn a_run_that_fails_leaves_nothing() {
    let engine = Engine::default();
    let owner = engine.docker().owner("tests");
    assert_eq!(owner.create(&Spec::image("missing")).await.unwrap_err().kind(), ErrorKind::NotFound);
    // Nothing attaches to containers of this engine.
    let error = owner.output(Spec::image("alpine").name("web")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    assert!(error.to_string().starts_with("run container from `alpine`: "), "{error}");
    assert_eq!(engine.names(), [""; 0]);
}

#[tokio::test]
async fn a_volume_that_was_there_before_is_not_taken() {
    let engine = Engine::default();
    let docker = engine.docker();
    docker.volumes().create(&VolumeSpec::new("precious")).await.unwrap();
    let error = docker.owner("tests").create_volume(&VolumeSpec::new("precious")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(engine.names(), ["precious"]);
}
