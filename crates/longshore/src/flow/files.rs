//! What reading and writing local files for archives shares.

#[cfg(test)]
use std::fs;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;
#[cfg(test)]
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use tar::{EntryType, Header};
use tokio::task::spawn_blocking;

use crate::error::{Error, ErrorKind, Operation};

pub(super) async fn in_thread<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    spawn_blocking(work).await.unwrap_or_else(|stopped| Err(io::Error::other(stopped)))
}

pub(super) fn unreadable(operation: &Operation, error: io::Error) -> Error {
    operation.error_from(ErrorKind::Io, error.to_string(), error)
}

/// A header with the time of a file and these bits of its mode. It belongs to root.
pub(super) fn header(kind: EntryType, metadata: &Metadata, bits: u32) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(permissions(metadata) & bits);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(0);
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    header.set_mtime(modified.map_or(0, |since| since.as_secs()));
    header
}

#[cfg(unix)]
fn permissions(metadata: &Metadata) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions())
}

#[cfg(not(unix))]
fn permissions(metadata: &Metadata) -> u32 {
    if metadata.permissions().readonly() { 0o555 } else { 0o755 }
}

/// As much of a file as its header announced, though it may grow or shrink meanwhile.
pub(super) struct Exactly<'a> {
    pub(super) file: File,
    pub(super) path: &'a Path,
    pub(super) left: u64,
}

impl Read for Exactly<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.file.read(buffer.get_mut(..most).unwrap_or_default());
        let count = count.map_err(|error| about(self.path, error))?;
        if count == 0 && most > 0 {
            return Err(about(self.path, io::Error::new(io::ErrorKind::UnexpectedEof, "it shrank while it was read")));
        }
        self.left -= count as u64;
        Ok(count)
    }
}

/// The same error, with the path that it is about.
pub(super) fn about(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("`{}`: {error}", path.display()))
}

/// A folder for one test, which goes away with it.
#[cfg(test)]
pub(super) struct TestFolder(pub(super) PathBuf);

#[cfg(test)]
impl TestFolder {
    pub(super) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("longshore-test-{}", crate::flow::random_word()));
        fs::create_dir(&path).unwrap();
        TestFolder(path)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(super) fn write(&self, name: &str, text: &str) -> PathBuf {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    pub(super) fn make(&self, name: &str) -> PathBuf {
        fs::create_dir_all(self.path(name)).unwrap();
        self.path(name)
    }

    pub(super) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The paths in the folder, those that are folders with a slash behind.
    pub(super) fn list(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.0.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(&self.0).unwrap().to_str().unwrap();
                let is_folder = fs::symlink_metadata(&path).unwrap().is_dir();
                found.push(format!("{name}{}", if is_folder { "/" } else { "" }));
                folders.extend(is_folder.then_some(path));
            }
        }
        found.sort();
        found
    }
}

#[cfg(test)]
impl Drop for TestFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_shrinks_is_an_error_and_one_that_grows_is_cut() {
        let folder = TestFolder::new();
        let path = folder.write("file", "hello");
        let take = |left| {
            let mut text = String::new();
            Exactly { file: File::open(&path).unwrap(), path: &path, left }.read_to_string(&mut text).map(|_| text)
        };
        assert_eq!(take(3).unwrap(), "hel");
        assert_eq!(take(5).unwrap(), "hello");
        assert_eq!(take(6).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
