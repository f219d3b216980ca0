//! What moving a large image costs its client: measured in a process of its own, whose memory nothing else fills.

use std::process::{ExitCode, Stdio};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use longshore::image::ImportOptions;
use longshore::{Docker, Payload};
use longshore_testkit::live::Live;
use tokio::process::Command;

use crate::harness::{Outcome, Test, test_within};
use crate::support::tar_head;

pub(crate) fn tests() -> Vec<Test> {
    vec![test_within(Duration::from_secs(300), a_large_image_passes_in_little_memory)]
}

/// How many bytes of memory the process may have had at most, its program and runtime included.
const BOUND: u64 = 24_000_000;

/// What makes this program the process that is measured.
const TASK: &str = "LONGSHORE_LIVE_MEMORY";

/// A size that no client holds by mistake.
const LARGE: u64 = 1 << 30;

/// A size that is above the bound, for the engines that would take long for more.
const LARGE_ENOUGH: u64 = 64 << 20;

async fn a_large_image_passes_in_little_memory(live: Live) -> Outcome {
    let size = if live.engine().name() == "docker-26.1" { LARGE } else { LARGE_ENOUGH };
    let options = live.import_options();
    let name = options.repository.unwrap_or_default();
    let task = [live.engine().host(), &name, &options.changes.join(" "), &size.to_string()].join("\n");
    let child =
        Command::new(std::env::current_exe()?).env(TASK, task).stdin(Stdio::null()).kill_on_drop(true).output().await?;
    let (stdout, stderr) = (String::from_utf8_lossy(&child.stdout), String::from_utf8_lossy(&child.stderr));
    assert!(child.status.success(), "{stdout}{stderr}");
    let numbers: Vec<u64> = stdout.split_whitespace().map_while(|word| word.parse().ok()).collect();
    let [saved, peak] = numbers[..] else { panic!("{stdout}{stderr}") };
    assert!(saved > size, "{saved} of {size} bytes were saved");
    assert!(peak > 0 && peak < BOUND, "moving {size} bytes took {peak} bytes of memory");
    println!(
        "{}: an image of {size} bytes was imported, saved and loaded in {peak} bytes of memory",
        live.engine().name()
    );
    Ok(())
}

/// Does what the parent asks, if there is one.
pub(crate) fn measured_process() -> Option<ExitCode> {
    let task = std::env::var(TASK).ok()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    Some(match runtime.block_on(move_image(&task)) {
        Ok((saved, peak)) => {
            println!("{saved} {peak}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    })
}

/// Imports an image, saves it, and saves it into a load. Tells the size of the archive and the peak of the memory.
async fn move_image(task: &str) -> Result<(u64, u64), Box<dyn std::error::Error + Send + Sync>> {
    let [host, name, change, size] = task.split('\n').collect::<Vec<_>>()[..] else { return Err(task.into()) };
    let docker = Docker::connect_to(host)?;
    let options = ImportOptions::default().repository(name).change(change);
    docker.images().import_with(noise(size.parse()?), &options).await?;
    let image = docker.image(name);
    let saved = image.save().await?.copy_to(&mut tokio::io::sink()).await?;
    let loaded = docker.images().load(Payload::reader(image.save().await?)).await?.finish().await?;
    if !loaded.iter().any(|image| image.name().contains(name)) {
        return Err(format!("{loaded:?} was loaded").into());
    }
    Ok((saved, peak()?))
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

/// The most memory that this process has had, in bytes.
fn peak() -> std::io::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kibibytes.map(|count| count * 1024).ok_or_else(|| std::io::Error::other("the system does not tell"))
}
