//! Images that are moved and made.

use longshore::image::{BuildProgress, LoadProgress, PullProgress, PushProgress};
use longshore::{ByteStream, Image, Images};

use super::{Transcript, calls, shown, streamed};

pub(super) fn all() -> Vec<Transcript> {
    [pulls(), pushes(), loads(), imports(), builds(), saves()].concat()
}

fn pulls() -> Vec<Transcript> {
    let told = "{\"status\":\"Pulling from library/a\",\"id\":\"latest\"}\r\n{\"status\":\"Pull complete\",\"id\":\"4abc\"}\r\n";
    let tagged = "{\"status\":\"Pulling from library/a\",\"id\":\"1\"}\r\n{\"status\":\"Pulling from library/a\",\"id\":\"2\"}\r\n";
    let pull = ("POST /images/create?fromImage=docker.io%2Flibrary%2Fa&tag=latest", told);
    let all = ("POST /images/create?fromImage=docker.io%2Flibrary%2Fa", tagged);
    vec![
        calls("every pull", &[pull, pull], r#"true "a:latest" 2"#, |docker| {
            Box::pin(async move {
                let images = docker.images();
                let mut plain = Images::pull(&images, "a").await?;
                let first = PullProgress::next(&mut plain).await.transpose()?;
                let image = PullProgress::finish(plain).await?;
                let other = Images::pull_with(&images, "a", &Default::default()).await?;
                shown(&[&first.is_some(), &image.name(), &streamed::<PullProgress, _>(other).await?.len()])
            })
        }),
        calls("every pull of all tags", &[all, all], "2 2", |docker| {
            Box::pin(async move {
                let images = docker.images();
                let plain = PullProgress::finish_all(Images::pull_all(&images, "a").await?).await?;
                let other = Images::pull_all_with(&images, "a", &Default::default()).await?;
                shown(&[&plain.len(), &PullProgress::finish_all(other).await?.len()])
            })
        }),
    ]
}

fn pushes() -> Vec<Transcript> {
    let told = "{\"status\":\"Pushed\",\"progressDetail\":{},\"id\":\"4abc\"}\r\n\
        {\"progressDetail\":{},\"aux\":{\"Tag\":\"1\",\"Digest\":\"sha256:1\",\"Size\":527}}\r\n";
    let push = ("POST /images/docker.io/library/a/push?tag=1", told);
    let all = ("POST /images/docker.io/library/a/push", told);
    vec![
        calls("every push", &[push, push], r#"true "sha256:1" 2"#, |docker| {
            Box::pin(async move {
                let image = docker.image("a:1");
                let mut plain = Image::push(&image).await?;
                let first = PushProgress::next(&mut plain).await.transpose()?;
                let pushed = PushProgress::finish(plain).await?;
                let other = Image::push_with(&image, &Default::default()).await?;
                shown(&[&first.is_some(), &pushed.digest, &streamed::<PushProgress, _>(other).await?.len()])
            })
        }),
        calls("every push of all tags", &[all, all], "1 1", |docker| {
            Box::pin(async move {
                let images = docker.images();
                let plain = PushProgress::finish_all(Images::push_all(&images, "a").await?).await?;
                let other = Images::push_all_with(&images, "a", &Default::default()).await?;
                shown(&[&plain.len(), &PushProgress::finish_all(other).await?.len()])
            })
        }),
    ]
}

fn loads() -> Vec<Transcript> {
    let told = "{\"status\":\"Loading layer\",\"id\":\"0a\"}\r\n{\"stream\":\"Loaded image: a:1\\n\"}\r\n";
    let load = ("POST /images/load?quiet=0", told);
    vec![calls("every load", &[load, load], "true 1 2", |docker| {
        Box::pin(async move {
            let images = docker.images();
            let mut plain = Images::load(&images, "tar").await?;
            let first = LoadProgress::next(&mut plain).await.transpose()?;
            let loaded = LoadProgress::finish(plain).await?;
            let other = Images::load_with(&images, "tar", &Default::default()).await?;
            shown(&[&first.is_some(), &loaded.len(), &streamed::<LoadProgress, _>(other).await?.len()])
        })
    })]
}

fn imports() -> Vec<Transcript> {
    let told = "{\"status\":\"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}\r\n";
    let tar = ("POST /images/create?fromSrc=-", told);
    let url = ("POST /images/create?fromSrc=http%3A%2F%2Fa%2Fb.tar", told);
    vec![
        calls("every import", &[tar, tar], "71 71", |docker| {
            Box::pin(async move {
                let images = docker.images();
                let plain = Images::import(&images, "tar").await?;
                let other = Images::import_with(&images, "tar", &Default::default()).await?;
                shown(&[&plain.name().len(), &other.name().len()])
            })
        }),
        calls("every import from an address", &[url, url], "71 71", |docker| {
            Box::pin(async move {
                let images = docker.images();
                let plain = Images::import_url(&images, "http://a/b.tar").await?;
                let other = Images::import_url_with(&images, "http://a/b.tar", &Default::default()).await?;
                shown(&[&plain.name().len(), &other.name().len()])
            })
        }),
    ]
}

fn builds() -> Vec<Transcript> {
    let told = "{\"stream\":\"Step 1/1 : FROM scratch\\n\"}\r\n{\"aux\":{\"ID\":\"sha256:1\"}}\r\n";
    let build = ("POST /build", told);
    let prune = ("POST /build/prune", r#"{"CachesDeleted":["k"],"SpaceReclaimed":7}"#);
    vec![
        calls("every build", &[build, build], r#"true "sha256:1" 2"#, |docker| {
            Box::pin(async move {
                let images = docker.images();
                let mut plain = Images::build(&images, "tar").await?;
                let first = BuildProgress::next(&mut plain).await.transpose()?;
                let image = BuildProgress::finish(plain).await?;
                let other = Images::build_with(&images, "tar", &Default::default()).await?;
                shown(&[&first.is_some(), &image.name(), &streamed::<BuildProgress, _>(other).await?.len()])
            })
        }),
        calls(
            "every prune of the cache of builds",
            &[prune, prune, ("POST /build/cancel?id=b", "")],
            "7 7 ()",
            |docker| {
                Box::pin(async move {
                    use longshore::Docker;

                    let plain = Docker::prune_build_cache(&docker).await?;
                    let other = Docker::prune_build_cache_with(&docker, &Default::default()).await?;
                    shown(&[&plain.space_reclaimed, &other.space_reclaimed, &Docker::cancel_build(&docker, "b").await?])
                })
            },
        ),
    ]
}

fn saves() -> Vec<Transcript> {
    let (one, several) = (("GET /images/a/get", "tar\0\0"), ("GET /images/get?names=a&names=b", "tar\0\0"));
    vec![
        calls("every save of an image", &[one, one], "5 5", |docker| {
            Box::pin(async move {
                let image = docker.image("a");
                let plain = ByteStream::copy_to(&mut Image::save(&image).await?, &mut tokio::io::sink()).await?;
                let other = Image::save_with(&image, &Default::default()).await?;
                let pieces = streamed::<ByteStream, _>(other).await?;
                shown(&[&plain, &pieces.iter().map(bytes::Bytes::len).sum::<usize>()])
            })
        }),
        calls("every save of images", &[several, several], "5 5", |docker| {
            Box::pin(async move {
                let images = docker.images();
                let plain = Images::save(&images, ["a", "b"]).await?.copy_to(&mut tokio::io::sink()).await?;
                let mut other = Images::save_with(&images, ["a", "b"], &Default::default()).await?;
                let mut read = 0;
                while let Some(piece) = ByteStream::next(&mut other).await {
                    read += piece?.len();
                }
                shown(&[&plain, &read])
            })
        }),
    ]
}
