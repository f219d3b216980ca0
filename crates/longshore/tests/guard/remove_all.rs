//! Everything at once, in a process of its own: other tests would lose what they guard.

use std::process::Command;
use std::time::{Duration, Instant};

use longshore::{ErrorKind, Mount, NetworkSpec, Spec, VolumeSpec, guard};
use longshore_testkit::poll_n;

use crate::engine::Engine;

/// What makes this program do such a piece of work.
const WORK: &str = "LONGSHORE_GUARD_WORK";

/// Runs a test of this program once more, alone in a process; in that process, answers `true`.
fn alone(test: &str) -> bool {
    if std::env::var_os(WORK).is_some() {
        return true;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    let name = format!("remove_all::{test}");
    let output = command.env(WORK, "1").args(["--exact", &name, "--nocapture", "--test-threads=1"]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("1 passed"), "{told}{}", String::from_utf8_lossy(&output.stderr));
    false
}

#[tokio::test]
async fn all_that_is_guarded_is_removed_at_once() {
    if !alone("all_that_is_guarded_is_removed_at_once") {
        return;
    }
    assert!(guard::remove_all().await.is_empty());
    let engine = Engine::default();
    let docker = engine.docker();
    let owner = docker.owner("tests");
    let network = owner.create_network(&NetworkSpec::new("backend")).await.unwrap();
    let volume = owner.create_volume(&VolumeSpec::new("data")).await.unwrap();
    let spec = Spec::image("alpine").name("db").network("backend").mount(Mount::volume("data", "/data"));
    let container = owner.run(spec).await.unwrap();
    let forgotten = owner.create(&Spec::image("alpine").name("forgotten")).await.unwrap();
    std::mem::forget(forgotten);
    let kept = owner.create(&Spec::image("alpine").name("kept")).await.unwrap().keep();

    let removed = guard::remove_all().await;
    assert!(removed.failures.is_empty(), "{removed:?}");
    assert_eq!((removed.containers.len(), &removed.volumes[..]), (2, &["data".to_owned()][..]));
    assert_eq!((removed.len(), removed.networks.len()), (4, 1));
    assert_eq!(engine.names(), ["kept"]);
    let removals = engine.removals().len();
    drop((network, volume, container, kept));
    assert_eq!(engine.removals().len(), removals, "the guards do nothing more");
}

#[tokio::test]
async fn it_goes_on_when_its_future_is_dropped() {
    if !alone("it_goes_on_when_its_future_is_dropped") {
        return;
    }
    for polls in 0.. {
        let engine = Engine::default();
        let docker = engine.docker();
        let guarded = docker.owner("tests").create(&Spec::image("alpine").name("web")).await.unwrap();
        let completed = poll_n(guard::remove_all(), polls).await.is_some();
        let left = if polls == 0 { vec!["web".to_owned()] } else { vec![] };
        let patience = Instant::now() + Duration::from_secs(10);
        while engine.names() != left && Instant::now() < patience {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(engine.names(), left, "dropped after {polls} polls");
        assert!(docker.containers().list().await.is_ok(), "dropped after {polls} polls");
        drop(guarded);
        if completed {
            assert!(polls > 1, "{polls} polls are no test");
            return;
        }
    }
}

#[tokio::test]
async fn a_creation_under_way_is_removed_too() {
    if !alone("a_creation_under_way_is_removed_too") {
        return;
    }
    let engine = Engine::default();
    engine.state().slow = Some(("POST", Duration::from_millis(200)));
    let docker = engine.docker();
    let creating = tokio::spawn(async move { docker.owner("tests").create(&Spec::image("alpine").name("late")).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(guard::remove_all().await.failures.is_empty());
    assert_eq!(engine.names(), [""; 0]);
    assert_eq!(engine.removals().len(), 1);
    assert_eq!(creating.await.unwrap().unwrap_err().kind(), ErrorKind::Unavailable);
}
