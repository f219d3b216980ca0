//! Images: import, list, inspect, tag, remove, pull.

use std::time::{Duration, Instant, SystemTime};

use longshore::container::CommitOptions;
use longshore::image::{
    AttestationOptions, ImageHistoryOptions, ImageInspectOptions, ImageListOptions, ImagePruneOptions,
    ImageRemoveOptions, ImageSearchOptions, ImportOptions,
};
use longshore::models::ImagesPruned;
use longshore::{ErrorKind, Payload, Spec};
use longshore_testkit::live::{IMAGE, LABEL, Live};

use crate::harness::{Outcome, Test, test};
use crate::support::{Entry, refused, tar};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test(an_archive_becomes_an_image_that_runs),
        test(a_wrong_archive_becomes_none),
        test(inspect_tells_the_image),
        test(a_list_can_be_narrowed),
        test(a_tag_is_one_more_name),
        test(an_image_in_use_stays),
        test(a_registry_that_can_not_be_reached_is_an_error_within_its_deadline),
        test(what_is_no_reference_is_refused),
        test(an_archive_is_imported_from_a_server),
        test(a_server_that_can_not_be_reached_gives_no_image),
        test(history_tells_the_steps),
        test(the_history_of_a_platform_can_be_asked_for),
        test(images_without_a_name_are_pruned),
        test(images_with_a_name_are_pruned_on_demand),
        test(a_search_that_reaches_no_registry_is_an_error),
        test(attestations_are_told),
        test(a_list_tells_manifests),
        test(a_list_tells_identities),
        test(a_list_measures_what_is_shared),
        test(inspect_tells_manifests),
        test(inspect_tells_of_a_platform),
        test(an_image_is_removed_by_platform),
        test(an_unknown_image_is_not_found),
    ]
}

async fn an_archive_becomes_an_image_that_runs(live: Live) -> Outcome {
    let name = live.image_name();
    let options = live.import_options().repository(&name).tag("v1").message("by test");
    let options = options.change(r#"CMD ["/bin/busybox", "cat", "/etc/motd"]"#).changes(["ENV A=1"]);
    // Its own program comes from a container, streamed from one call to the other.
    let shared = live.shared().await?;
    shared.exec(["sh", "-c", "echo hello >/etc/motd"]).output().await?;
    let root = shared.export().await?;
    let image = live.images().import_with(Payload::reader(root), &options).await?;
    let tagged = format!("{name}:v1");
    live.keep(&tagged);
    let inspect = live.image(&tagged).inspect().await?;
    assert_eq!(inspect.id.trim_start_matches("sha256:"), image.name().trim_start_matches("sha256:"));
    assert_eq!(inspect.comment, "by test");
    let config = inspect.config.clone().unwrap_or_default();
    assert!(config.env.contains(&"A=1".to_owned()) && config.labels.contains_key(LABEL), "{config:?}");
    let out = live.containers().output(live.labelled(Spec::image(&tagged)).network("host")).await?;
    assert!(out.stdout == "hello\n", "{out:?}");
    Ok(())
}

async fn a_wrong_archive_becomes_none(live: Live) -> Outcome {
    let whole = tar(&[Entry::file("file", &[b'x'; 100_000])]);
    let kinds = [ErrorKind::Invalid, ErrorKind::Server, ErrorKind::InStream];
    for wrong in [whole[..50_000].to_vec(), vec![b'x'; 2000]] {
        let name = live.image_name();
        let options = ImportOptions::default().repository(&name);
        let error = refused(live.images().import_with(wrong, &options).await, &kinds);
        assert_eq!(error.operation(), "import image");
        assert_eq!(live.count_images(&name).await?, 0);
    }
    Ok(())
}

async fn inspect_tells_the_image(live: Live) -> Outcome {
    let image = live.image(IMAGE).inspect().await?;
    assert!(image.id.starts_with("sha256:"), "{}", image.id);
    assert_eq!(image.os, "linux");
    assert!(!image.architecture.is_empty() && image.size > 500_000, "{image:?}");
    assert!(image.repo_tags.iter().any(|tag| tag.ends_with(IMAGE)), "{:?}", image.repo_tags);
    assert_eq!(image.config.as_ref().map(|config| &config.cmd[..]), Some(&["sh".to_owned()][..]));
    assert_eq!(image.root_fs.layers.len(), 1);
    assert_eq!(image["Id"], image.id.as_str());
    assert_eq!(live.image(&image.id).inspect().await?.id, image.id);
    Ok(())
}

async fn a_list_can_be_narrowed(live: Live) -> Outcome {
    let id = live.image(IMAGE).inspect().await?.id.clone();
    assert!(live.images().list().await?.iter().any(|image| image.id == id));
    let options = ImageListOptions::default().filter("reference", "busybox");
    let found = live.images().list_with(&options).await?;
    assert!(found.iter().any(|image| image.id == id && image.size > 500_000), "{found:?}");
    let options = ImageListOptions::default().filter("reference", "no/such/image");
    assert_eq!(live.images().list_with(&options).await?, []);
    let options = ImageListOptions::default().filter("no-such-filter", 1);
    refused(live.images().list_with(&options).await, &[ErrorKind::Invalid, ErrorKind::Server]);
    Ok(())
}

async fn a_tag_is_one_more_name(live: Live) -> Outcome {
    let name = live.image_name();
    let image = live.image(IMAGE);
    image.tag(&format!("{name}:v1")).await?;
    live.keep(&format!("{name}:v1"));
    image.tag(&name).await?;
    let id = image.inspect().await?.id.clone();
    assert_eq!(live.image(&name).inspect().await?.id, id);
    assert_eq!(live.image(format!("{name}:v1")).inspect().await?.id, id);
    let removed = live.image(&name).remove().await?;
    assert!(removed.iter().all(|step| step.deleted.is_none()), "{removed:?}");
    assert!(removed.iter().any(|step| step.untagged.as_ref().is_some_and(|tag| tag.contains(&name))), "{removed:?}");
    refused(live.image(&name).inspect().await, &[ErrorKind::NotFound]);
    assert_eq!(image.inspect().await?.id, id);
    refused(image.tag("UPPER").await, &[ErrorKind::Invalid]);
    Ok(())
}

async fn an_image_in_use_stays(live: Live) -> Outcome {
    let name = live.image_name();
    let options = live.import_options().repository(&name).change(r#"CMD ["nothing"]"#);
    live.images().import_with(tar(&[Entry::file(&name, b"")]), &options).await?;
    let user = live.create(live.labelled(Spec::image(&name))).await?;
    refused(live.image(&name).remove().await, &[ErrorKind::Conflict]);
    user.remove().await?;
    let removed = live.image(&name).remove_with(&ImageRemoveOptions::default().no_prune()).await?;
    assert!(removed.iter().any(|step| step.deleted.is_some()), "{removed:?}");
    refused(live.image(&name).remove().await, &[ErrorKind::NotFound]);
    Ok(())
}

async fn a_registry_that_can_not_be_reached_is_an_error_within_its_deadline(live: Live) -> Outcome {
    let kinds = [ErrorKind::NotFound, ErrorKind::Server, ErrorKind::InStream];
    let began = Instant::now();
    let outcome = match live.images().pull("127.0.0.1:1/no/such:1").await {
        Ok(pull) => pull.finish().await.map(drop),
        Err(error) => Err(error),
    };
    let error = refused(outcome, &kinds);
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    assert!(error.to_string().starts_with("pull image `127.0.0.1:1/no/such:1`: "), "{error}");
    assert!(error.message().contains("connection refused"), "{error}");
    Ok(())
}

async fn what_is_no_reference_is_refused(live: Live) -> Outcome {
    for wrong in ["", "UPPER", "a b", "a:b:c", "-"] {
        refused(live.images().pull(wrong).await, &[ErrorKind::Invalid]);
    }
    Ok(())
}

async fn an_unknown_image_is_not_found(live: Live) -> Outcome {
    let image = live.image("localhost/no/such-image:1");
    refused(image.inspect().await, &[ErrorKind::NotFound]);
    refused(image.remove().await, &[ErrorKind::NotFound]);
    refused(image.tag(&live.image_name()).await, &[ErrorKind::NotFound]);
    Ok(())
}

async fn an_archive_is_imported_from_a_server(live: Live) -> Outcome {
    // The engine's own container serves it, on the network of the engine, at a port that no other test takes.
    let port = 20_000 + std::process::id() % 20_000;
    let server = live.create(live.spec(["httpd", "-f", "-p", &format!("127.0.0.1:{port}"), "-h", "/served"])).await?;
    let archive = tar(&[Entry::file("from-a-server", b"hello")]);
    server.put_archive("/", tar(&[Entry::folder("served"), Entry::file("served/root.tar", &archive)])).await?;
    server.start().await?;
    let name = live.image_name();
    let options = live.import_options().repository(&name).message("from a server");
    let url = format!("http://127.0.0.1:{port}/root.tar");
    // The server takes a moment to listen.
    let mut image = live.images().import_url_with(&url, &options).await;
    for _ in 0..50 {
        if image.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        image = live.images().import_url_with(&url, &options).await;
    }
    let image = image?;
    let inspect = live.image(&name).inspect().await?;
    assert_eq!(inspect.id.trim_start_matches("sha256:"), image.name().trim_start_matches("sha256:"));
    assert_eq!(inspect.comment, "from a server");
    Ok(())
}

async fn a_server_that_can_not_be_reached_gives_no_image(live: Live) -> Outcome {
    let kinds = [ErrorKind::Invalid, ErrorKind::Server, ErrorKind::InStream];
    let error = refused(live.images().import_url("http://127.0.0.1:1/root.tar").await, &kinds);
    assert!(error.message().contains("refused"), "{error}");
    refused(live.images().import_url("-").await, &[ErrorKind::Invalid]);
    Ok(())
}

async fn history_tells_the_steps(live: Live) -> Outcome {
    let container = live.create(live.spec("nothing")).await?;
    let name = live.image_name();
    container.commit_with(&CommitOptions::default().repository(&name).message("second").change("ENV A=1")).await?;
    let steps = live.image(&name).history().await?;
    assert_eq!(steps.len(), 2, "{steps:?}");
    assert!(steps.iter().all(|step| !step.created.is_zero()), "{steps:?}");
    assert!(steps[1].size > 500_000 && steps[0].size < 500_000, "{steps:?}");
    if !live.engine().is_podman() {
        assert_eq!((steps[0].comment.as_str(), steps[0].created_by.as_str()), ("second", "nothing"));
        assert_eq!(steps[0].tags, [format!("{name}:latest")]);
    }
    refused(live.image("localhost/no/such-image:1").history().await, &[ErrorKind::NotFound]);
    Ok(())
}

async fn the_history_of_a_platform_can_be_asked_for(live: Live) -> Outcome {
    let image = live.image(IMAGE);
    let platform = format!("linux/{}", image.inspect().await?.architecture);
    let steps = image.history_with(&ImageHistoryOptions::default().platform(platform)).await?;
    assert_eq!(steps, image.history().await?);
    let elsewhere = ImageHistoryOptions::default().platform("linux/s390x");
    refused(image.history_with(&elsewhere).await, &[ErrorKind::NotFound]);
    Ok(())
}

/// Prunes images. Engines refuse to prune twice at a time.
async fn prune(live: &Live, options: &ImagePruneOptions) -> longshore::Result<ImagesPruned> {
    loop {
        match live.images().prune_with(options).await {
            Err(error) if error.is_conflict() => tokio::time::sleep(Duration::from_millis(50)).await,
            outcome => return outcome,
        }
    }
}

async fn images_without_a_name_are_pruned(live: Live) -> Outcome {
    let label = live.name();
    let options = ImportOptions::default().change(format!("LABEL {label}=1"));
    let archive = tar(&[Entry::file("file", label.as_bytes())]);
    let unnamed = live.images().import_with(archive.clone(), &options).await?;
    live.keep(unnamed.name());
    let named = live.image_name();
    live.images().import_with(tar(&[Entry::file(&named, b"")]), &options.repository(&named)).await?;
    let others = ImagePruneOptions::default().label(format!("{label}=2"));
    assert_eq!(prune(&live, &others).await?.images_deleted, []);
    let pruned = prune(&live, &ImagePruneOptions::default().label(&label)).await?;
    let digits = unnamed.name().trim_start_matches("sha256:");
    let is_it = |id: &Option<String>| id.as_ref().is_some_and(|id| id.contains(digits));
    assert!(pruned.images_deleted.iter().any(|step| is_it(&step.deleted)), "{pruned:?}");
    assert!(pruned.space_reclaimed > 0, "{pruned:?}");
    refused(unnamed.inspect().await, &[ErrorKind::NotFound]);
    live.image(&named).inspect().await?;
    Ok(())
}

async fn images_with_a_name_are_pruned_on_demand(live: Live) -> Outcome {
    let label = live.name();
    let named = live.image_name();
    let options = ImportOptions::default().repository(&named).change(format!("LABEL {label}=1"));
    live.images().import_with(tar(&[Entry::file(&named, b"")]), &options).await?;
    let before =
        ImagePruneOptions::default().label(&label).named().until(SystemTime::now() - Duration::from_secs(3600));
    assert_eq!(prune(&live, &before).await?.images_deleted, []);
    let pruned = prune(&live, &ImagePruneOptions::default().label(&label).named()).await?;
    let is_it = |name: &Option<String>| name.as_ref().is_some_and(|name| name.contains(&named));
    assert!(pruned.images_deleted.iter().any(|step| is_it(&step.untagged)), "{pruned:?}");
    refused(live.image(&named).inspect().await, &[ErrorKind::NotFound]);
    Ok(())
}

async fn a_search_that_reaches_no_registry_is_an_error(live: Live) -> Outcome {
    let kinds = [ErrorKind::Invalid, ErrorKind::NotFound, ErrorKind::Server];
    let options = ImageSearchOptions::default().limit(5).official().stars(3);
    refused(live.images().search_with("127.0.0.1:1/web", &options).await, &kinds);
    refused(live.images().search(" ").await, &[ErrorKind::Invalid]);
    if !live.engine().is_podman() {
        let error = refused(live.images().search_with("web", &ImageSearchOptions::default().limit(1000)).await, &kinds);
        assert!(error.message().contains("1000"), "{error}");
    }
    Ok(())
}

async fn attestations_are_told(live: Live) -> Outcome {
    let options = AttestationOptions::default().predicate_type("https://spdx.dev/Document").statement();
    assert_eq!(live.image(IMAGE).attestations_with(&options).await?, []);
    Ok(())
}

async fn a_list_tells_manifests(live: Live) -> Outcome {
    let images = live.images().list_with(&ImageListOptions::default().manifests()).await?;
    assert!(images.iter().any(|image| image.repo_tags.iter().any(|tag| tag.ends_with(IMAGE))), "{images:?}");
    Ok(())
}

async fn a_list_tells_identities(live: Live) -> Outcome {
    live.images().list_with(&ImageListOptions::default().identity()).await?;
    Ok(())
}

async fn a_list_measures_what_is_shared(live: Live) -> Outcome {
    let images = live.images().list_with(&ImageListOptions::default().shared_size()).await?;
    assert!(images.iter().all(|image| image.shared_size >= 0), "{images:?}");
    Ok(())
}

async fn inspect_tells_manifests(live: Live) -> Outcome {
    let image = live.image(IMAGE).inspect_with(&ImageInspectOptions::default().manifests()).await?;
    assert!(image.id.starts_with("sha256:"), "{image:?}");
    Ok(())
}

async fn inspect_tells_of_a_platform(live: Live) -> Outcome {
    let whole = live.image(IMAGE).inspect().await?;
    let options = ImageInspectOptions::default().platform(format!("{}/{}", whole.os, whole.architecture));
    assert_eq!(live.image(IMAGE).inspect_with(&options).await?.id, whole.id);
    let elsewhere = ImageInspectOptions::default().platform("linux/s390x");
    refused(live.image(IMAGE).inspect_with(&elsewhere).await, &[ErrorKind::NotFound]);
    Ok(())
}

async fn an_image_is_removed_by_platform(live: Live) -> Outcome {
    let name = live.image_name();
    let archive = tar(&[Entry::file("name", name.as_bytes())]);
    live.images().import_with(archive, &live.import_options().repository(&name)).await?;
    let image = live.image(&name);
    let inspect = image.inspect().await?;
    let platform = format!("{}/{}", inspect.os, inspect.architecture);
    image.remove_with(&ImageRemoveOptions::default().platform(platform)).await?;
    refused(image.inspect().await, &[ErrorKind::NotFound]);
    Ok(())
}
