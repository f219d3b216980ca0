//! What is reaped, and what is not.

use std::process::{Command, Stdio};

use longshore::{NetworkSpec, SortedMap, Spec, VolumeSpec};

use crate::engine::{Engine, Image, Thing};

const PROCESS: &str = "longshore.process";

/// Things of an owner that this process has created, and forgotten.
async fn things() -> Engine {
    let engine = Engine::default();
    engine.state().images.push(Image { id: "alpine".to_owned(), ..Image::default() });
    let owner = engine.docker().owner("tests");
    std::mem::forget(owner.create(&Spec::image("alpine").name("web")).await.unwrap());
    std::mem::forget(owner.create_network(&NetworkSpec::new("backend")).await.unwrap());
    std::mem::forget(owner.create_volume(&VolumeSpec::new("data")).await.unwrap());
    engine
}

/// Changes a part of what the labels say of the process, counted from 0.
fn relabel(engine: &Engine, part: usize, value: &str) {
    let change = |things: &mut Vec<Thing>| {
        for thing in things {
            let label = thing.labels.get_mut(PROCESS).unwrap();
            let mut parts: Vec<&str> = label.split(':').collect();
            parts[part] = value;
            *label = parts.join(":");
        }
    };
    let mut state = engine.state();
    change(&mut state.containers);
    change(&mut state.networks);
    change(&mut state.volumes);
}

/// The number of a process that has ended.
fn dead() -> String {
    let mut child = Command::new("true").spawn().unwrap();
    let number = child.id().to_string();
    child.wait().unwrap();
    number
}

#[tokio::test]
async fn what_a_process_left_that_is_gone_is_reaped() {
    let engine = things().await;
    relabel(&engine, 6, &dead());
    let removed = engine.docker().owner("tests").reap().await.unwrap();
    assert!(removed.failures.is_empty(), "{removed:?}");
    assert_eq!((removed.containers.len(), removed.networks.len(), &removed.volumes[..]), (1, 1, &["data".into()][..]));
    assert_eq!(engine.names(), [""; 0]);
}

#[tokio::test]
async fn a_process_that_has_the_number_of_another_has_not_its_things() {
    let engine = things().await;
    relabel(&engine, 7, "12345");
    assert_eq!(engine.docker().owner("tests").reap().await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_process_that_has_ended_and_is_not_waited_for_is_gone() {
    let engine = things().await;
    let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let stat = || std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    let start = stat().split_whitespace().nth(21).unwrap().to_owned();
    relabel(&engine, 6, &child.id().to_string());
    relabel(&engine, 7, &start);
    let owner = engine.docker().owner("tests");
    assert!(owner.reap().await.unwrap().is_empty(), "it lives");
    drop(child.stdin.take());
    let stat = || std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    while !stat().contains(") Z ") {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert_eq!(owner.reap().await.unwrap().len(), 3);
    child.wait().unwrap();
}

#[tokio::test]
async fn what_can_not_be_proven_stays() {
    let engine = things().await;
    let docker = engine.docker();
    let owner = docker.owner("tests");
    assert!(owner.reap().await.unwrap().is_empty(), "this process lives");
    relabel(&engine, 6, &dead());
    assert!(docker.owner("others").reap().await.unwrap().is_empty(), "it is another's");
    assert!(docker.owner("").reap().await.unwrap().is_empty(), "it is another's");
    // Another namespace, another machine, a label of another version, one that is none.
    for (part, value) in [(4, "1"), (5, "1"), (3, "00000000-0000-0000-0000-000000000000"), (0, "2"), (6, "x"), (7, "0")]
    {
        let labels: Vec<SortedMap<_, _>> = engine.state().containers.iter().map(|one| one.labels.clone()).collect();
        let before = labels[0][PROCESS].split(':').nth(part).unwrap().to_owned();
        relabel(&engine, part, value);
        if part == 3 {
            relabel(&engine, 2, "elsewhere");
        }
        assert!(owner.reap().await.unwrap().is_empty(), "part {part} is {value}");
        relabel(&engine, part, &before);
        if part == 3 {
            relabel(&engine, 2, labels[0][PROCESS].split(':').nth(2).unwrap());
        }
    }
    assert_eq!(engine.removals(), [""; 0]);
    assert_eq!(owner.reap().await.unwrap().len(), 3);
}

#[tokio::test]
async fn labels_that_a_container_has_of_its_image_count_for_nothing() {
    let engine = things().await;
    relabel(&engine, 6, &dead());
    {
        // An image was made of the container, and somebody has made another container of that.
        let mut state = engine.state();
        let labels = state.containers[0].labels.clone();
        state.images.push(Image { id: "sha256:made".to_owned(), names: vec!["made:1".to_owned()], labels });
        state.containers[0].image = "sha256:made".to_owned();
        state.containers[0].name = "heir".to_owned();
        let mut orphan = state.containers[0].clone();
        orphan.image = "sha256:gone".to_owned();
        orphan.name = "of an image that is gone".to_owned();
        state.containers.push(orphan);
    }
    let removed = engine.docker().owner("tests").reap().await.unwrap();
    assert_eq!((removed.containers.len(), removed.images.len(), removed.len()), (0, 0, 2));
    assert_eq!(engine.names(), ["heir", "of an image that is gone"]);
}

#[tokio::test]
async fn images_are_reaped_by_the_name_in_their_labels() {
    let engine = Engine::default();
    let owner = engine.docker().owner("tests");
    let mut labels = owner.image_labels("ci/web:1");
    let process = labels.get_mut("longshore.image.process").unwrap();
    let mut parts: Vec<String> = process.split(':').map(str::to_owned).collect();
    parts[6] = dead();
    *process = parts.join(":");
    let image =
        |id: &str, name: &str| Image { id: id.to_owned(), names: vec![name.to_owned()], labels: labels.clone() };
    // The second is made of the first by somebody else.
    engine.state().images.extend([image("sha256:1", "ci/web:1"), image("sha256:2", "shop:latest")]);
    let removed = owner.reap().await.unwrap();
    assert!(removed.failures.is_empty(), "{removed:?}");
    let left: Vec<_> = engine.state().images.iter().map(|image| image.id.clone()).collect();
    assert_eq!(left, ["sha256:2"]);
}
