//! Registries: push, pull, credentials, and what a registry tells of an image.

use std::time::Duration;

use longshore::container::CommitOptions;
use longshore::image::{ImageRemoveOptions, PullOptions, PushOptions};
use longshore::{
    DistributionOptions, ErrorKind, Image, LayerState, PullProgress, PushProgress, RegistryAuth, Result, Spec,
};
use longshore::{TransferProgress, models::ImagePushed};
use longshore_testkit::live::Live;
use longshore_testkit::registry::{Door, PASSWORD, USERNAME};
use longshore_testkit::{Direction, Faults};

use crate::harness::{Outcome, Test, test, test_within};
use crate::support::{Entry, refused, tar};

pub(crate) fn tests() -> Vec<Test> {
    // The first of them may have to install the registry, and engines try again and again what fails.
    let patient = Duration::from_secs(180);
    vec![
        test_within(patient, a_pull_fails_where_its_registry_ends),
        test_within(patient, eight_layers_go_to_the_registry_and_come_back),
        test_within(patient, every_tag_goes_and_comes_back),
        test_within(patient, the_right_credentials_are_taken_and_others_refused),
        test_within(patient, an_image_is_looked_up_where_it_is),
        test_within(patient, what_is_not_there_is_not_found),
        test_within(patient, a_registry_that_is_gone_is_an_error),
        test_within(patient, a_digest_decides_where_there_is_a_tag_too),
        test(what_is_no_name_is_refused),
    ]
}

/// How many bytes of no pattern each layer holds.
const LAYER: usize = 400_000;

/// Bytes that don't get smaller when they are compressed, others for each name and number.
fn noise(name: &str, number: usize, size: usize) -> Vec<u8> {
    let seed = format!("{name} {number}")
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mut state = seed | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(next).take(size).collect()
}

/// Makes an image of so many layers, with the name that it has in the registry. Nothing else keeps its layers.
async fn image(live: &Live, door: &Door, layers: usize) -> Result<Image> {
    let base = live.image_name();
    let name = format!("{}/{base}:v1", door.address());
    live.keep(&name);
    let file = |number| tar(&[Entry::file(&format!("file-{number}"), &noise(&name, number, LAYER))]);
    let import = live.import_options().repository(&base).change(r#"CMD ["/none"]"#);
    let mut image = live.images().import_with(file(0), &import).await?;
    for number in 1..layers {
        let container = live.create(live.labelled(Spec::image(image.name())).network("host")).await?.container;
        container.put_archive("/", file(number)).await?;
        image = container.commit_with(&CommitOptions::default().without_pause()).await?;
        container.remove().await?;
    }
    image.tag(&name).await?;
    live.image(base).remove().await?;
    Ok(live.image(name))
}

/// Reads a push to its end. Its sums never shrink, and end where all is moved.
async fn pushed(mut push: PushProgress) -> Result<(TransferProgress, Vec<ImagePushed>)> {
    let mut last = TransferProgress::default();
    while let Some(step) = push.next().await {
        last = after(&last, step?);
    }
    assert_eq!((last.done_bytes, last.done_layers), (last.total_bytes, last.layers), "{last:?}");
    assert_eq!(push.layers().count(), last.layers);
    Ok((last, push.finish_all().await?))
}

/// The same of a pull.
async fn pulled(mut pull: PullProgress) -> Result<(TransferProgress, Image)> {
    let mut last = TransferProgress::default();
    while let Some(step) = pull.next().await {
        last = after(&last, step?);
    }
    assert_eq!((last.done_bytes, last.done_layers), (last.total_bytes, last.layers), "{last:?}");
    assert_eq!(pull.layers().map(|layer| layer.done_bytes).sum::<u64>(), last.done_bytes);
    Ok((last, pull.finish().await?))
}

#[track_caller]
fn after(last: &TransferProgress, step: TransferProgress) -> TransferProgress {
    assert!(step.done_bytes >= last.done_bytes && step.total_bytes >= last.total_bytes, "{last:?} {step:?}");
    assert!(step.done_bytes <= step.total_bytes && step.layers >= last.layers, "{last:?} {step:?}");
    step
}

/// Pulls to the end, whether it fails before the stream or within.
async fn pull(live: &Live, name: &str, options: &PullOptions) -> Result<Image> {
    live.images().pull_with(name, options).await?.finish().await
}

async fn push(image: &Image, options: &PushOptions) -> Result<ImagePushed> {
    image.push_with(options).await?.finish().await
}

/// Whether the engine tells the size of every layer that it moves.
async fn tells_sizes(live: &Live) -> std::io::Result<bool> {
    let (_, info) = live.engine().call("GET", "/info").await?;
    Ok(!live.engine().is_podman() && !info.contains("io.containerd.snapshotter"))
}

fn right() -> RegistryAuth {
    RegistryAuth::default().username(USERNAME).password(PASSWORD)
}

fn wrong() -> RegistryAuth {
    RegistryAuth::default().username(USERNAME).password("s3cret")
}

/// The part of an image's name behind its registry.
fn repository(image: &Image) -> String {
    let (_, rest) = image.name().split_once('/').unwrap_or_default();
    rest.trim_end_matches(":v1").to_owned()
}

async fn eight_layers_go_to_the_registry_and_come_back(live: Live) -> Outcome {
    let door = Door::open(live.engine()).await?;
    let image = image(&live, &door, 8).await?;
    let sized = tells_sizes(&live).await?;
    let id = image.inspect().await?.id.clone();
    let (last, told) = pushed(image.push().await?).await?;
    if sized {
        // Each file is packed with a head and a tail.
        let packed = u64::try_from(8 * LAYER)?..u64::try_from(8 * (LAYER + 20 * 1024))?;
        assert!(packed.contains(&last.total_bytes), "{last:?}");
        assert_eq!((last.layers, last.unsized_layers), (8, 0), "{last:?}");
    }
    let (status, manifest) = door.get(&format!("/v2/{}/manifests/v1", repository(&image))).await?;
    assert_eq!((status, told.len()), (200, 1), "{manifest}");
    assert_eq!(told[0].tag, "v1");
    // Podman 4 tells the size that the manifest had before the layers were compressed.
    if !live.engine().is_podman() {
        assert_eq!(told[0].size, manifest.len() as u64, "{told:?}");
    }
    let (_, exact) = door.get(&format!("/v2/{}/manifests/{}", repository(&image), told[0].digest)).await?;
    assert_eq!(exact, manifest);
    let manifest: serde_json::Value = serde_json::from_str(&manifest)?;
    let layers = manifest["layers"].as_array().ok_or("no layers")?;
    assert_eq!(layers.len(), 8, "{manifest}");
    // What is there already is not moved.
    let (last, again) = pushed(image.push().await?).await?;
    assert_eq!((last.total_bytes, &again), (0, &told), "{last:?}");
    image.remove().await?;
    let options = PullOptions::default().platform("linux/amd64");
    let (last, back) = pulled(live.images().pull_with(image.name(), &options).await?).await?;
    assert_eq!((back.name(), &back.inspect().await?.id), (image.name(), &id));
    if sized {
        let moved: u64 = layers.iter().filter_map(|layer| layer["size"].as_u64()).sum();
        assert_eq!((last.done_bytes, last.layers, last.unsized_layers), (moved, 8, 0), "{last:?}");
    }
    let (last, _) = pulled(live.images().pull(image.name()).await?).await?;
    assert_eq!(last.total_bytes, 0, "{last:?}");
    Ok(())
}

async fn every_tag_goes_and_comes_back(live: Live) -> Outcome {
    let door = Door::open(live.engine()).await?;
    let image = image(&live, &door, 1).await?;
    let name = format!("{}/{}", door.address(), repository(&image));
    let newest = live.image(format!("{name}:latest"));
    image.tag(newest.name()).await?;
    live.keep(newest.name());
    let (_, mut told) = pushed(live.images().push_all(&name).await?).await?;
    told.sort_by(|one, other| one.tag.cmp(&other.tag));
    let tags: Vec<_> = told.iter().map(|pushed| pushed.tag.as_str()).collect();
    let all: &[&str] = if live.engine().is_podman() { &["latest"] } else { &["latest", "v1"] };
    assert_eq!(tags, all);
    for image in [&image, &newest] {
        image.remove().await?;
    }
    let back = live.images().pull_all(&name).await?.finish_all().await?;
    assert_eq!(back.len(), all.len(), "{back:?}");
    for image in back {
        image.inspect().await?;
    }
    for tag in all {
        live.image(format!("{name}:{tag}")).inspect().await?;
    }
    Ok(())
}

async fn the_right_credentials_are_taken_and_others_refused(live: Live) -> Outcome {
    let door = Door::guarded(live.engine()).await?;
    // To log in, Podman takes only this name for a registry without TLS.
    let address = door.address().replace("127.0.0.1", "localhost");
    assert_eq!(live.login(&right().server_address(&address)).await?.identity_token, "");
    let error = refused(live.login(&wrong().server_address(&address)).await, &[ErrorKind::Unauthorized]);
    assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
    let image = image(&live, &door, 1).await?;
    for options in [PushOptions::default(), PushOptions::default().auth(wrong())] {
        let error = refused(push(&image, &options).await, &[ErrorKind::Unauthorized]);
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
    }
    assert_eq!(push(&image, &PushOptions::default().auth(right())).await?.tag, "v1");
    image.remove().await?;
    for options in [PullOptions::default(), PullOptions::default().auth(wrong())] {
        refused(pull(&live, image.name(), &options).await, &[ErrorKind::Unauthorized]);
        refused(image.inspect().await, &[ErrorKind::NotFound]);
    }
    pull(&live, image.name(), &PullOptions::default().auth(right())).await?.inspect().await?;
    Ok(())
}

async fn an_image_is_looked_up_where_it_is(live: Live) -> Outcome {
    let door = Door::guarded(live.engine()).await?;
    let image = image(&live, &door, 1).await?;
    let told = push(&image, &PushOptions::default().auth(right())).await?;
    let options = DistributionOptions::default().auth(right());
    let found = image.inspect_distribution_with(&options).await?;
    assert_eq!((&found.descriptor.digest, found.descriptor.size), (&told.digest, i64::try_from(told.size)?));
    assert_eq!(found["Descriptor"]["digest"], told.digest.as_str());
    let own = image.inspect().await?;
    let platforms: Vec<_> = found.platforms.iter().map(|platform| (&platform.os, &platform.architecture)).collect();
    assert_eq!(platforms, [(&own.os, &own.architecture)]);
    refused(image.inspect_distribution().await, &[ErrorKind::Unauthorized]);
    let options = DistributionOptions::default().auth(wrong());
    refused(image.inspect_distribution_with(&options).await, &[ErrorKind::Unauthorized]);
    let door = Door::open(live.engine()).await?;
    let unknown = live.image(format!("{}/no/such:1", door.address()));
    refused(unknown.inspect_distribution().await, &[ErrorKind::NotFound]);
    Ok(())
}

async fn a_pull_fails_where_its_registry_ends(live: Live) -> Outcome {
    let door = Door::open(live.engine()).await?;
    let image = image(&live, &door, 2).await?;
    push(&image, &PushOptions::default()).await?;
    image.remove().await?;
    // Each connection ends within the first layer that goes through it.
    let to_client = Direction { cut_after: Some(100_000), ..Direction::default() };
    door.set(Faults { to_client, ..Faults::default() });
    let mut pull = live.images().pull(image.name()).await?;
    let (mut last, mut failure) = (TransferProgress::default(), None);
    while let Some(step) = pull.next().await {
        match step {
            Ok(step) => last = after(&last, step),
            Err(error) => failure = Some(error),
        }
    }
    let error = refused(failure.map_or(Ok(last), Err), &[ErrorKind::InStream]);
    assert_eq!((error.operation(), error.target()), ("pull image", Some(image.name())));
    assert!(pull.layers().all(|layer| layer.state != LayerState::Done), "{pull:?}");
    refused(pull.finish().await.map(|_| ()).and(image.inspect().await.map(drop)), &[ErrorKind::NotFound]);
    door.set(Faults::default());
    let (_, back) = pulled(live.images().pull(image.name()).await?).await?;
    back.inspect().await?;
    Ok(())
}

async fn what_is_not_there_is_not_found(live: Live) -> Outcome {
    let door = Door::open(live.engine()).await?;
    let unknown = format!("{}/{}:1", door.address(), live.image_name());
    let error = refused(pull(&live, &unknown, &PullOptions::default()).await, &[ErrorKind::NotFound]);
    assert!(error.to_string().starts_with(&format!("pull image `{unknown}`: ")), "{error}");
    refused(push(&live.image(unknown), &PushOptions::default()).await, &[ErrorKind::NotFound]);
    Ok(())
}

async fn a_registry_that_is_gone_is_an_error(live: Live) -> Outcome {
    let door = Door::open(live.engine()).await?;
    let image = image(&live, &door, 1).await?;
    let address = door.address();
    drop(door);
    let kinds = [ErrorKind::Server, ErrorKind::InStream];
    refused(push(&image, &PushOptions::default()).await, &kinds);
    refused(live.login(&right().server_address(address)).await, &kinds);
    image.remove().await?;
    refused(pull(&live, image.name(), &PullOptions::default()).await, &kinds);
    Ok(())
}

async fn a_digest_decides_where_there_is_a_tag_too(live: Live) -> Outcome {
    let door = Door::open(live.engine()).await?;
    let image = image(&live, &door, 1).await?;
    let told = push(&image, &PushOptions::default()).await?;
    let id = image.inspect().await?.id.clone();
    image.remove_with(&ImageRemoveOptions::default().force()).await?;
    let name = format!("{}/{}", door.address(), repository(&image));
    for exact in [format!("{name}@{}", told.digest), format!("{name}:no-such-tag@{}", told.digest)] {
        let back = pull(&live, &exact, &PullOptions::default()).await?;
        assert_eq!(back.inspect().await?.id, id);
        refused(push(&live.image(&exact), &PushOptions::default()).await, &[ErrorKind::Invalid]);
    }
    live.image(format!("{name}@{}", told.digest)).remove_with(&ImageRemoveOptions::default().force()).await?;
    Ok(())
}

async fn what_is_no_name_is_refused(live: Live) -> Outcome {
    let id = live.image(longshore_testkit::live::IMAGE).inspect().await?.id.clone();
    let plain = id.trim_start_matches("sha256:");
    for wrong in ["", "UPPER", "a b", "a:b:c", "-", "../a", plain, "a@sha256:0f"] {
        refused(live.image(wrong).push().await, &[ErrorKind::Invalid]);
        refused(live.images().push_all(wrong).await, &[ErrorKind::Invalid]);
        refused(live.images().pull(wrong).await, &[ErrorKind::Invalid]);
        refused(live.images().pull_all(wrong).await, &[ErrorKind::Invalid]);
        refused(live.image(wrong).inspect_distribution().await, &[ErrorKind::Invalid]);
    }
    for tagged in ["a:1", "127.0.0.1:1/a:1"] {
        refused(live.images().pull_all(tagged).await, &[ErrorKind::Invalid]);
        refused(live.images().push_all(tagged).await, &[ErrorKind::Invalid]);
    }
    Ok(())
}
