//! Images: their names are taken off, and what somebody else has named stays.

use longshore::Spec;
use longshore::container::CommitOptions;

use crate::engine::{Engine, Image};

fn engine() -> Engine {
    let engine = Engine::default();
    engine.state().images.push(Image {
        id: "sha256:0123456789abcdef".to_owned(),
        names: vec!["web:1".to_owned()],
        ..Image::default()
    });
    engine
}

fn names(engine: &Engine) -> Vec<Vec<String>> {
    engine.state().images.iter().map(|image| image.names.clone()).collect()
}

#[tokio::test]
async fn an_image_goes_with_its_name() {
    let engine = engine();
    drop(engine.docker().image("web:1").guard().await.unwrap());
    assert!(names(&engine).is_empty());
    // Without force, with which Podman removes the containers too.
    assert_eq!(engine.removals(), ["/images/web:1"]);
}

#[tokio::test]
async fn a_name_of_somebody_else_keeps_the_image() {
    let engine = engine();
    let guard = engine.docker().image("web:1").guard().await.unwrap();
    engine.state().images[0].names.push("theirs:1".to_owned());
    drop(guard);
    assert_eq!(names(&engine), [["theirs:1"]]);

    let engine = self::engine();
    let guard = engine.docker().image("sha256:0123456789abcdef").guard().await.unwrap();
    engine.state().images[0].names.push("theirs:1".to_owned());
    drop(guard);
    assert_eq!(names(&engine), [["theirs:1"]]);
}

#[tokio::test]
async fn an_image_that_was_guarded_by_its_id_goes_with_the_names_that_it_had() {
    let engine = engine();
    drop(engine.docker().image("0123456789ab").guard().await.err());
    let guard = engine.docker().image("sha256:0123456789abcdef").guard().await.unwrap();
    drop(guard);
    assert!(names(&engine).is_empty());
}

#[tokio::test]
async fn a_name_that_was_moved_to_another_image_stays() {
    let engine = engine();
    let guard = engine.docker().image("web:1").guard().await.unwrap();
    engine.state().images[0].id = "sha256:other".to_owned();
    drop(guard);
    assert_eq!(names(&engine), [["web:1"]]);
}

#[tokio::test]
async fn an_image_that_a_container_uses_stays() {
    let engine = engine();
    let docker = engine.docker();
    docker.containers().create(&Spec::image("sha256:0123456789abcdef").name("web")).await.unwrap();
    let guard = docker.image("web:1").guard().await.unwrap().within(std::time::Duration::from_millis(50));
    drop(guard);
    assert_eq!(names(&engine), [["web:1"]]);
}

#[tokio::test]
async fn an_image_of_a_container_is_guarded_with_or_without_a_name() {
    let engine = Engine::default();
    let docker = engine.docker();
    let owner = docker.owner("tests");
    let container = owner.create(&Spec::image("alpine").name("web")).await.unwrap();
    let named = CommitOptions::default().repository("shop/web").tag("2");
    let unnamed = CommitOptions::default();
    for (options, name) in [(&named, Some("shop/web:2")), (&unnamed, None)] {
        let image = owner.commit(&container, options).await.unwrap();
        assert_eq!(names(&engine), [name.into_iter().collect::<Vec<_>>()]);
        assert!(name.is_none_or(|name| name == image.name()));
        drop(image);
        assert!(names(&engine).is_empty());
    }
    let state = engine.state();
    let commits: Vec<_> = state.requests.iter().filter(|line| line.starts_with("POST /commit")).collect();
    assert!(commits[0].contains("LABEL%20longshore.image.name%3D%22shop%2Fweb%3A2%22"), "{commits:?}");
    assert!(!commits[1].contains("LABEL"), "{commits:?}");
}
