//! What was created although the engine's answer did not come.

use std::time::Duration;

use longshore_models::SortedMap;
use tokio::time::Instant;

use super::registry::Entry;
use super::removal;
use super::thing::{Mark, TOKEN, Thing};
use crate::api::container::ListOptions;
use crate::api::network::NetworkListOptions;
use crate::api::volume::VolumeListOptions;
use crate::docker::Docker;

/// What to look for.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Container,
    Network,
    Volume,
}

/// How long to wait before looking once more, at first.
const PAUSE: Duration = Duration::from_millis(100);

/// Looks for what has the token, for as long as the engine may still be about to create it, and removes it.
pub(super) async fn remove(docker: Docker, kind: Kind, token: String, patience: Duration) {
    let own = docker.detached();
    let end = Instant::now() + patience;
    let mut pause = PAUSE;
    loop {
        if let Some(thing) = find(&own, kind, &token).await {
            tracing::debug!(%thing, "found what was created although the answer was lost");
            let failures = removal::take_down(Entry::new(&docker, thing, patience)).await;
            return removal::warn_all(failures);
        }
        if Instant::now() + pause >= end {
            return;
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
}

async fn find(docker: &Docker, kind: Kind, token: &str) -> Option<Thing> {
    let label = format!("{TOKEN}={token}");
    // Engines may list what has only one of several.
    let has = |labels: &SortedMap<String, String>| labels.get(TOKEN).is_some_and(|found| found == token);
    match kind {
        Kind::Container => {
            let options = ListOptions::default().all().filter("label", label);
            let mut found = docker.containers().list_with(&options).await.ok()?.into_iter();
            found.find(|container| has(&container.labels)).map(|container| Thing::Container(container.id))
        }
        Kind::Network => {
            let options = NetworkListOptions::default().filter("label", label);
            let mut found = docker.networks().list_with(&options).await.ok()?.into_iter();
            found.find(|network| has(&network.labels)).map(|network| Thing::Network(network.id))
        }
        Kind::Volume => {
            let options = VolumeListOptions::default().filter("label", label);
            let mut found = docker.volumes().list_with(&options).await.ok()?.volumes.into_iter();
            let mark = Mark::Token(token.to_owned());
            found.find(|volume| has(&volume.labels)).map(|volume| Thing::Volume { name: volume.name, mark })
        }
    }
}
