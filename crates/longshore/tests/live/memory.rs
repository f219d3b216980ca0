//! What moving a large image costs its client: measured in a process of its own, whose memory nothing else fills.

use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use longshore::image::ImportOptions;
use longshore::{Docker, Payload};
use longshore_testkit::live::Live;

use crate::harness::{Outcome, Test, test_within};
use crate::process::{Work, measure};
use crate::support::tar_head;

pub(crate) fn tests() -> Vec<Test> {
    vec![test_within(Duration::from_secs(300), a_large_image_passes_in_little_memory)]
}

/// How many bytes of memory the process may have had at most, its program and runtime included.
const BOUND: u64 = 24_000_000;

/// What is measured.
pub(crate) const WORK: Work = ("move an image", |given| Box::pin(move_image(given)));

/// A size that no client holds by mistake.
const LARGE: u64 = 1 << 30;

/// A size that is above the bound, for the engines that would take long for more.
const LARGE_ENOUGH: u64 = 64 << 20;

async fn a_large_image_passes_in_little_memory(live: Live) -> Outcome {
    let size = if live.engine().name() == "docker-26.1" { LARGE } else { LARGE_ENOUGH };
    let options = live.import_options();
    let name = options.repository.unwrap_or_default();
    let (changes, text) = (options.changes.join(" "), size.to_string());
    let (saved, peak) = measure(WORK, &[live.engine().host(), &name, &changes, &text]).await?;
    let saved: u64 = saved.parse()?;
    assert!(saved > size, "{saved} of {size} bytes were saved");
    assert!(peak > 0 && peak < BOUND, "moving {size} bytes took {peak} bytes of memory");
    println!(
        "{}: an image of {size} bytes was imported, saved and loaded in {peak} bytes of memory",
        live.engine().name()
    );
    Ok(())
}

/// Imports an image, saves it, and saves it into a load. Tells the size of the archive.
async fn move_image(given: &[&str]) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let &[host, name, change, size] = given else { return Err(format!("{given:?}").into()) };
    let docker = Docker::connect_to(host)?;
    let options = ImportOptions::default().repository(name).change(change);
    docker.images().import_with(noise(size.parse()?), &options).await?;
    let image = docker.image(name);
    let saved = image.save().await?.copy_to(&mut tokio::io::sink()).await?;
    let loaded = docker.images().load(Payload::reader(image.save().await?)).await?.finish().await?;
    if !loaded.iter().any(|image| image.name().contains(name)) {
        return Err(format!("{loaded:?} was loaded").into());
    }
    Ok(saved.to_string())
}

/// A tar of one file that can't be made smaller, made as it is sent.
fn noise(size: u64) -> Payload {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut left = size;
    let mut head = Some(Bytes::from(tar_head("noise", size)));
    let mut end = Some(Bytes::from_static(&[0; 1024]));
    let mut piece = move || {
        if let Some(head) = head.take() {
            return Some(head);
        }
        if left == 0 {
            return end.take();
        }
        let length = left.min(64 << 10);
        left -= length;
        let mut bytes = Vec::with_capacity(64 << 10);
        while (bytes.len() as u64) < length {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.extend_from_slice(&state.to_le_bytes());
        }
        Some(bytes.into())
    };
    Payload::stream(futures_util::stream::poll_fn(move |_| Poll::Ready(piece().map(Ok))))
}
