//! What several topics need.

use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use longshore::container::{RemoveOptions, StopOptions};
use longshore::{Container, ErrorKind, Result};

/// A file or folder of a tar.
pub(crate) struct Entry<'a> {
    pub(crate) path: &'a str,
    pub(crate) content: &'a [u8],
    pub(crate) mode: u32,
    /// The numbers of its user and group.
    pub(crate) owner: u64,
    pub(crate) kind: tar::EntryType,
}

impl<'a> Entry<'a> {
    pub(crate) fn file(path: &'a str, content: &'a [u8]) -> Self {
        Entry { path, content, mode: 0o644, owner: 0, kind: tar::EntryType::Regular }
    }

    pub(crate) fn folder(path: &'a str) -> Self {
        Entry { path, content: &[], mode: 0o755, owner: 0, kind: tar::EntryType::Directory }
    }
}

/// A tar of these files and folders.
pub(crate) fn tar(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for entry in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(entry.content.len() as u64);
        header.set_mode(entry.mode);
        header.set_uid(entry.owner);
        header.set_gid(entry.owner);
        header.set_mtime(1_600_000_000);
        header.set_entry_type(entry.kind);
        builder.append_data(&mut header, entry.path, entry.content).expect("memory takes everything");
    }
    builder.into_inner().expect("memory takes everything")
}

/// What stands before a file in a tar.
pub(crate) fn tar_head(path: &str, size: u64) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.set_path(path).expect("a short path");
    header.set_size(size);
    header.set_mode(0o644);
    header.set_entry_type(tar::EntryType::Regular);
    header.set_cksum();
    header.as_bytes().to_vec()
}

/// Checks that a call was refused with one of these kinds, and tells the whole error.
#[track_caller]
pub(crate) fn refused<T: Debug>(outcome: Result<T>, kinds: &[ErrorKind]) -> longshore::Error {
    let error = outcome.expect_err("this was to be refused");
    assert!(kinds.contains(&error.kind()), "it was to be one of {kinds:?}, but is {error:?}");
    error
}

/// Asks again and again until the answer is yes.
pub(crate) async fn until<F: Future<Output = Result<bool>>>(what: &str, mut ask: impl FnMut() -> F) -> Result<()> {
    let mut pause = Duration::from_millis(5);
    let asking = async {
        while !ask().await? {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(200));
        }
        Ok(())
    };
    tokio::time::timeout(Duration::from_secs(20), asking).await.unwrap_or_else(|_| panic!("this never came: {what}"))
}

/// Kills the container if it runs, and removes it.
pub(crate) fn forced() -> RemoveOptions {
    RemoveOptions::default().force()
}

/// Kills the container at once: most commands here don't heed the signal that asks them to end.
pub(crate) fn at_once() -> StopOptions {
    StopOptions::default().grace(Duration::ZERO)
}

/// What a command in the container writes to stdout.
pub(crate) async fn text_of(container: &Container, script: &str) -> Result<String> {
    Ok(container.exec(["sh", "-c", script]).output().await?.stdout.text().into_owned())
}
