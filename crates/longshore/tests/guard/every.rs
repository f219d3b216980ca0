//! Every call of guards, each by its full name, dropped after every number of polls: the client works afterwards. What it
//! may leave and what not, the other tests say. That none is missing here, `tests/fault/complete.rs` finds.

use longshore::container::{CommitOptions, Container};
use longshore::guard::{Signals, signals};
use longshore::image::Image;
use longshore::network::Network;
use longshore::volume::Volume;
use longshore::{Docker, Guard, NetworkSpec, Owner, Spec, VolumeSpec};
use longshore_testkit::{poll_n, tally};

use crate::engine::Engine;

/// Drops what `work` does after one poll, after two and so on until it completes, each time on an engine that has what
/// `prepare` makes.
async fn cancel(name: &str, prepare: impl AsyncFn(&Docker), work: impl AsyncFn(Docker)) {
    let mut cancelled = 0;
    for polls in 0.. {
        let docker = Engine::default().docker();
        prepare(&docker).await;
        let completed = poll_n(work(docker.clone()), polls).await.is_some();
        assert!(docker.containers().list().await.is_ok(), "{name}, dropped after {polls} polls");
        if completed {
            break;
        }
        cancelled += 1;
    }
    assert!(cancelled > 0, "{name}: {cancelled} polls are no test");
    tally("cancellation", "calls", 1);
    tally("cancellation", "polls cancelled", cancelled);
}

fn spec() -> Spec {
    Spec::image("alpine").name("web")
}

/// Makes one of everything.
async fn one_of_each(docker: &Docker) {
    docker.networks().create(&NetworkSpec::new("backend")).await.unwrap();
    docker.volumes().create(&VolumeSpec::new("data")).await.unwrap();
    let web = docker.containers().create(&spec()).await.unwrap();
    web.commit_with(&CommitOptions::default().repository("mine")).await.unwrap();
}

async fn nothing(_: &Docker) {}

#[tokio::test]
async fn guards_of_what_there_is() {
    cancel("guard container", one_of_each, async |docker| {
        Guard::remove(Container::guard(&docker.container("web")).await.unwrap()).await.unwrap();
    })
    .await;
    cancel("guard network", one_of_each, async |docker| {
        Guard::remove(Network::guard(&docker.network("backend")).await.unwrap()).await.unwrap();
    })
    .await;
    cancel("guard volume", one_of_each, async |docker| {
        Guard::remove(Volume::guard(&docker.volume("data")).await.unwrap()).await.unwrap();
    })
    .await;
    cancel("guard image", one_of_each, async |docker| {
        Guard::remove(Image::guard(&docker.image("mine:latest")).await.unwrap()).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn what_an_owner_makes() {
    cancel("create container", nothing, async |docker| {
        let _ = Owner::create(&docker.owner("tests"), &spec()).await.unwrap();
    })
    .await;
    cancel("run container", nothing, async |docker| {
        let _ = Owner::run(&docker.owner("tests"), spec()).await.unwrap();
    })
    .await;
    cancel("output of container", nothing, async |docker| {
        // Nothing attaches to containers of this engine.
        Owner::output(&docker.owner("tests"), spec()).await.unwrap_err();
    })
    .await;
    cancel("create network", nothing, async |docker| {
        let _ = Owner::create_network(&docker.owner("tests"), &NetworkSpec::new("backend")).await.unwrap();
    })
    .await;
    cancel("create volume", nothing, async |docker| {
        let _ = Owner::create_volume(&docker.owner("tests"), &VolumeSpec::new("data")).await.unwrap();
    })
    .await;
    cancel("commit container", one_of_each, async |docker| {
        let options = CommitOptions::default().repository("other");
        let _ = Owner::commit(&docker.owner("tests"), &docker.container("web"), &options).await.unwrap();
    })
    .await;
    cancel("reap", one_of_each, async |docker| {
        assert!(Owner::reap(&docker.owner("tests")).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn signals_that_do_not_come() {
    let mut signals: Signals = signals().unwrap();
    for polls in [0, 1, 1] {
        assert!(poll_n(Signals::next(&mut signals), polls).await.is_none());
    }
}
