//! Images that are moved, found and measured, and what the engine tells of itself.

use longshore::{Docker, ErrorKind, Payload};

use super::wire::{answer, chunked, chunked_json, json};
use super::{Calling, Transcript};

const TAR: &[u8] = b"manifest.json\0ustar\0[{}]\n\0\0\0\0";
const FAILURE: &str = "{\"errorDetail\":{\"message\":\"no space left\"},\"error\":\"no space left\"}\r\n";

pub(super) fn all() -> Vec<Transcript> {
    [saves(), loads(), lists(), accounts()].concat()
}

fn saves() -> Vec<Transcript> {
    let one = |docker: Docker| -> Calling {
        Box::pin(async move {
            let mut bytes = Vec::new();
            docker.image("a/b:1").save().await?.copy_to(&mut bytes).await?;
            Ok(bytes.escape_ascii().to_string())
        })
    };
    let several = |docker: Docker| -> Calling {
        Box::pin(async move {
            let mut bytes = Vec::new();
            docker.images().save(["a", "b"]).await?.copy_to(&mut bytes).await?;
            Ok(bytes.escape_ascii().to_string())
        })
    };
    let tar = |chunks: &[&[u8]]| {
        answer("200 OK", &["Content-Type: application/x-tar", "Transfer-Encoding: chunked"], chunked(chunks))
    };
    vec![
        Transcript::new("a saved image", one)
            .exchange("GET /v1.44/images/a/b:1/get", tar(&[&TAR[..7], &TAR[7..8], &TAR[8..]]))
            .gives(TAR.escape_ascii().to_string()),
        Transcript::new("saved images", several)
            .exchange("GET /v1.44/images/get?names=a&names=b", tar(&[TAR]))
            .gives(TAR.escape_ascii().to_string()),
        Transcript::new("a save that fails on the way", one)
            .exchange("GET /v1.44/images/a/b:1/get", tar(&[&TAR[..7], FAILURE.as_bytes()]))
            .fails(ErrorKind::InStream, "no space left"),
    ]
}

fn loads() -> Vec<Transcript> {
    let load = |docker: Docker| -> Calling {
        Box::pin(async move {
            let images = docker.images().load(Payload::reader(TAR)).await?.finish().await?;
            Ok(images.iter().map(|image| image.name().to_owned()).collect::<Vec<_>>().join(" "))
        })
    };
    let layer = "{\"status\":\"Loading layer\",\"progressDetail\":{\"current\":5,\"total\":9},\"id\":\"0a1b\"}\r\n";
    let loaded = "{\"stream\":\"Loaded image: a/b:1\\n\"}\r\n";
    let target = "POST /v1.44/images/load?quiet=0";
    vec![
        Transcript::new("a load", load)
            .exchange(target, chunked_json(&[layer, loaded, "{\"stream\":\"Loaded image ID: sha256:1\\n\"}\r\n"]))
            .gives("a/b:1 sha256:1"),
        Transcript::new("a load that fails on the way", load)
            .exchange(target, chunked_json(&[layer, loaded, FAILURE]))
            .fails(ErrorKind::InStream, "no space left"),
    ]
}

fn lists() -> Vec<Transcript> {
    let history = Transcript::new("a history", |docker| {
        Box::pin(async move {
            let steps = docker.image("a/b:1").history().await?;
            Ok(steps.iter().map(|step| format!("{} {};", step.created_by, step.size)).collect())
        })
    });
    let prune = Transcript::new("a prune of images", |docker| {
        Box::pin(async move {
            let pruned = docker.images().prune().await?;
            Ok(format!("{} {}", pruned.images_deleted.len(), pruned.space_reclaimed))
        })
    });
    let search = Transcript::new("a search", |docker| {
        Box::pin(async move {
            let found = docker.images().search("web").await?;
            Ok(found.iter().map(|item| format!("{} {};", item.name, item.star_count)).collect())
        })
    });
    vec![
        history
            .exchange(
                "GET /v1.44/images/a/b:1/history",
                json("200 OK", "[{\"Id\":\"sha256:1\",\"CreatedBy\":\"sh\",\"Size\":5,\"Tags\":null}]"),
            )
            .gives("sh 5;"),
        prune
            .exchange(
                "POST /v1.44/images/prune",
                json("200 OK", "{\"ImagesDeleted\":[{\"Deleted\":\"sha256:1\"}],\"SpaceReclaimed\":7}"),
            )
            .gives("1 7"),
        search
            .exchange(
                "GET /v1.44/images/search?term=web",
                json("200 OK", "[{\"name\":\"shop/web\",\"description\":\"\",\"star_count\":3}]"),
            )
            .gives("shop/web 3;"),
    ]
}

fn accounts() -> Vec<Transcript> {
    let info = Transcript::new("an engine's account of itself", |docker| {
        Box::pin(async move {
            let info = docker.info().await?;
            Ok(format!("{} {}", info.name, info.driver_status[0].value))
        })
    });
    let usage = Transcript::new("a disk usage", |docker| {
        Box::pin(async move {
            let images = docker.disk_usage().await?.images.clone().unwrap_or_default();
            Ok(format!("{} {} {}", images.total_count, images.total_size, images.reclaimable))
        })
    });
    vec![
        info.exchange(
            "GET /v1.44/info",
            json("200 OK", "{\"Name\":\"host\",\"DriverStatus\":[[\"Backing Filesystem\",\"extfs\"]]}"),
        )
        .gives("host extfs"),
        usage
            .exchange(
                "GET /v1.44/system/df",
                json(
                    "200 OK",
                    "{\"LayersSize\":9,\"Images\":[{\"Id\":\"1\",\"Size\":9,\"SharedSize\":2,\"Containers\":0}]}",
                ),
            )
            .gives("1 9 7"),
    ]
}
