use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How many milliseconds a folder may take to be gone.
const PATIENCE: u32 = 1000;

/// A folder of a test's own, which is gone afterwards.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Makes an empty one among the temporary files.
    ///
    /// # Panics
    /// When it can't be made.
    pub fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("longshore-test-{}-{count}", std::process::id()));
        fs::create_dir(&path).expect("a folder among the temporary files");
        Folder(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file, by its path inside, and makes the folders before it.
    ///
    /// # Panics
    /// When it can't be written.
    pub fn write(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.prepare(path);
        fs::write(&path, content).expect("a file in a folder of one's own");
        path
    }

    /// Makes a socket on which nobody listens, by its path inside, and the folders before it.
    ///
    /// # Panics
    /// When it can't be made.
    #[cfg(unix)]
    pub fn socket(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = self.prepare(path);
        drop(std::os::unix::net::UnixListener::bind(&path).expect("a socket in a folder of one's own"));
        path
    }

    fn prepare(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = self.0.join(path);
        let made: io::Result<()> = path.parent().map_or(Ok(()), fs::create_dir_all);
        made.expect("a folder in a folder of one's own");
        path
    }
}

impl Default for Folder {
    fn default() -> Self {
        Folder::new()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A thread of a copy that was given up may still write what it has begun; what stays behind is among the
        // temporary files.
        for _ in 0..PATIENCE {
            match fs::remove_dir_all(&self.0) {
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                _ => return,
            }
        }
    }
}
