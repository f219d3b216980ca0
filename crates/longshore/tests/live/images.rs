//! Images: import, list, inspect, tag, remove, pull.

use std::time::{Duration, Instant};

use longshore::image::{ImageListOptions, ImageRemoveOptions, ImportOptions};
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
