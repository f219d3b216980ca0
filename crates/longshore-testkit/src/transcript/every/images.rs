//! Images, but for what moves them.

use longshore::{ApiVersion, Image, Images};

use super::{Transcript, calls, in_version, shown};

pub(super) fn all() -> Vec<Transcript> {
    [collection(), one()].concat()
}

fn collection() -> Vec<Transcript> {
    let list = ("GET /images/json", r#"[{"Id":"sha256:1"},{"Id":"sha256:2"}]"#);
    let prune = ("POST /images/prune", r#"{"ImagesDeleted":null,"SpaceReclaimed":7}"#);
    let search = ("GET /images/search?term=web", r#"[{"name":"shop/web"}]"#);
    vec![
        calls("every list of images", &[list, list], "2 2", |docker| {
            Box::pin(async move {
                let images = docker.images();
                let plain = Images::list(&images).await?;
                shown(&[&plain.len(), &Images::list_with(&images, &Default::default()).await?.len()])
            })
        }),
        calls("every prune of images", &[prune, prune], "7 7", |docker| {
            Box::pin(async move {
                let images = docker.images();
                let plain = Images::prune(&images).await?;
                let other = Images::prune_with(&images, &Default::default()).await?;
                shown(&[&plain.space_reclaimed, &other.space_reclaimed])
            })
        }),
        calls("every search", &[search, search], "1 1", |docker| {
            Box::pin(async move {
                let images = docker.images();
                let plain = Images::search(&images, "web").await?;
                shown(&[&plain.len(), &Images::search_with(&images, "web", &Default::default()).await?.len()])
            })
        }),
    ]
}

fn one() -> Vec<Transcript> {
    let inspect = ("GET /images/a/json", r#"{"Id":"sha256:1"}"#);
    let history = ("GET /images/a/history", r#"[{"Id":"sha256:1"}]"#);
    let remove = ("DELETE /images/a", r#"[{"Untagged":"a:latest"}]"#);
    let distribution = ("GET /distribution/docker.io/library/a:latest/json", r#"{"Descriptor":{"digest":"sha256:1"}}"#);
    let attestations = ("GET /images/a/attestations", r#"[{"PredicateType":"https://slsa.dev/provenance/v1"}]"#);
    let attested = calls("every look at what is attested", &[attestations, attestations], "1 1", |docker| {
        Box::pin(async move {
            let image = docker.image("a");
            let plain = Image::attestations(&image).await?;
            shown(&[&plain.len(), &Image::attestations_with(&image, &Default::default()).await?.len()])
        })
    });
    vec![
        calls("every look at an image", &[inspect, inspect], r#""sha256:1" "sha256:1""#, |docker| {
            Box::pin(async move {
                let image = docker.image("a");
                let plain = Image::inspect(&image).await?;
                shown(&[&plain.id, &Image::inspect_with(&image, &Default::default()).await?.id])
            })
        }),
        calls("every history", &[history, history], "1 1", |docker| {
            Box::pin(async move {
                let image = docker.image("a");
                let plain = Image::history(&image).await?;
                shown(&[&plain.len(), &Image::history_with(&image, &Default::default()).await?.len()])
            })
        }),
        calls("every removal of an image", &[remove, remove], "1 1", |docker| {
            Box::pin(async move {
                let image = docker.image("a");
                let plain = Image::remove(&image).await?;
                shown(&[&plain.len(), &Image::remove_with(&image, &Default::default()).await?.len()])
            })
        }),
        calls("a further tag", &[("POST /images/a/tag?repo=b&tag=2", "")], "()", |docker| {
            Box::pin(async move { shown(&[&Image::tag(&docker.image("a"), "b:2").await?]) })
        }),
        calls("every look into a registry", &[distribution, distribution], r#""sha256:1" "sha256:1" None"#, |docker| {
            Box::pin(async move {
                let image = docker.image("a");
                let plain = Image::inspect_distribution(&image).await?;
                let other = Image::inspect_distribution_with(&image, &Default::default()).await?;
                let auth = Image::registry_auth(&image).await?;
                shown(&[&plain.descriptor.digest, &other.descriptor.digest, &auth])
            })
        }),
        in_version(attested, ApiVersion::new(1, 55)),
    ]
}
