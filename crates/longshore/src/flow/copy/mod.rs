//! Copying files and folders into and out of a container.

mod pack;
mod unpack;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tokio::task::spawn_blocking;

use self::pack::{Source, means_contents};
use self::unpack::Trouble;
use crate::api::container::{Archive, Container, UploadOptions};
use crate::error::{Error, ErrorKind, Operation, Result};
use crate::flow::bridge;
use crate::flow::files::{about, in_thread, unreadable};
use crate::http::Payload;

/// How many symbolic links may lead to another one.
const MOST_LINKS: usize = 16;

impl Container {
    /// Copies a local file or folder into the container, which need not run.
    ///
    /// As with `cp -r` and `docker cp`:
    ///
    /// - a target that is a folder gets the file or folder under its own name;
    /// - a target that does not exist is what the copy will be called; the folder that it is in must exist;
    /// - a file whose target is a file replaces it; a target that ends with a slash must be a folder then;
    /// - `site/.` means the files in `site`, not the folder itself.
    ///
    /// ```no_run
    /// # async fn example(web: longshore::Container) -> longshore::Result<()> {
    /// web.copy_in("nginx.conf", "/etc/nginx/nginx.conf").await?;
    /// web.copy_in("site/.", "/usr/share/nginx/html").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Permissions and times are kept, owners are not: everything belongs to root, and no program runs with the rights
    /// of its owner. A symbolic link that is named itself is followed, here and there; those in a folder stay links.
    /// Sockets, devices and pipes are left out. It is streamed: memory stays flat however large it is.
    ///
    /// # Errors
    /// [`Io`](ErrorKind::Io) for a local file that does not exist or can't be read; the message names it.
    /// [`NotFound`](ErrorKind::NotFound) when there is no such container, or no folder for the target;
    /// [`Invalid`](ErrorKind::Invalid) when a file stands where a folder is needed; and as
    /// [`put_archive`](Container::put_archive). What can be checked is checked before anything is sent.
    ///
    /// # Cancel safety
    /// When the future is dropped, the copy ends, and a part of it may have arrived.
    pub async fn copy_in(&self, local: impl AsRef<Path>, target: &str) -> Result<()> {
        let operation = Operation::on("copy into container", &self.id);
        let local = local.as_ref().to_owned();
        let source = in_thread(move || Source::find(local)).await.map_err(|error| unreadable(&operation, error))?;
        let copied = async {
            let place = self.place_for(&source, target).await?;
            self.upload(source, place).await
        };
        copied.await.map_err(|error| error.within(operation))
    }

    /// Copies a file or folder of the container, which need not run, to the local machine.
    ///
    /// The rules are those of [`copy_in`](Container::copy_in), the other way round.
    ///
    /// ```no_run
    /// # async fn example(web: longshore::Container) -> longshore::Result<()> {
    /// web.copy_out("/etc/nginx/nginx.conf", ".").await?;
    /// web.copy_out("/var/log/nginx", "logs").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Permissions and times are kept; everything belongs to the user that this program runs as, and no program runs
    /// with the rights of its owner. A symbolic link that is named itself is followed, here and there; those in a folder
    /// stay links. Devices and pipes are left out. It is streamed: memory stays flat however large it is.
    ///
    /// Whatever the container does, nothing is written outside of the target: a link is never written through, and a
    /// name that leads elsewhere is refused. A file is there whole or not at all; one that was there before is replaced
    /// once the new one is complete.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when there is no such container or path, [`Invalid`](ErrorKind::Invalid) when
    /// the path leads to neither a file nor a folder, [`Io`](ErrorKind::Io) when a local file can't be written; the
    /// message names it. [`Truncated`](ErrorKind::Truncated) when the connection or the tar ends too soon,
    /// [`Protocol`](ErrorKind::Protocol) for a tar that is broken or wants to be written elsewhere.
    ///
    /// # Cancel safety
    /// When the future is dropped, the copy ends; the files that are complete by then stay.
    pub async fn copy_out(&self, path: &str, local: impl AsRef<Path>) -> Result<()> {
        let operation = Operation::on("copy out of container", &self.id);
        let local = local.as_ref().to_owned();
        let within = |error: Error| error.within(operation.clone());
        let wanted = Wanted::new(path);
        let found = self.look_up(&wanted.path).await.map_err(within)?;
        let archive = self.archive(found.path()).await.map_err(within)?;
        let stat = archive.stat();
        if !stat.is_dir() && (wanted.is_folder || !stat.is_file()) {
            let kind = if wanted.is_folder { "a folder" } else { "a file or a folder" };
            return Err(operation.error(ErrorKind::Invalid, format!("`{path}` is not {kind}")));
        }
        let target = Target { local, is_folder: stat.is_dir(), name: wanted.name };
        download(archive, target, found.path() != "/", &operation).await
    }

    /// Where in the container a copy belongs.
    async fn place_for(&self, source: &Source, target: &str) -> Result<Place> {
        let wanted = Wanted::new(target);
        match self.look_up(&wanted.path).await? {
            Found::Folder(folder) => Ok(Place { folder, name: source.name.clone() }),
            Found::Other(path) if source.is_folder || wanted.is_folder => Err(self.no_folder(&path)),
            Found::Other(path) => Ok(Place::from(split(&path))),
            Found::Nothing(path) if wanted.is_folder && !source.is_folder => Err(self.missing(&path).await),
            Found::Nothing(path) => {
                let place = Place::from(split(&path));
                match self.look_up(&place.folder).await? {
                    Found::Folder(folder) => Ok(Place { folder, ..place }),
                    Found::Other(path) => Err(self.no_folder(&path)),
                    Found::Nothing(path) => Err(self.missing(&path).await),
                }
            }
        }
    }

    /// Finds out what a path leads to, at the end of all symbolic links.
    async fn look_up(&self, path: &str) -> Result<Found> {
        let mut path = path.to_owned();
        for _ in 0..MOST_LINKS {
            match self.archive_info(&path).await {
                Ok(stat) if stat.is_symlink() && !stat.link_target.is_empty() => {
                    path = Wanted::new(&stat.link_target).path;
                }
                Ok(stat) if stat.is_dir() => return Ok(Found::Folder(path)),
                Ok(_) => return Ok(Found::Other(path)),
                // Docker fails with 500 where a folder on the way is none.
                Err(error) if matches!(error.status(), Some(404 | 500)) => return Ok(Found::Nothing(path)),
                Err(error) => return Err(error),
            }
        }
        let message = "too many symbolic links lead to one another";
        Err(Operation::on("look up path", &path).error(ErrorKind::Invalid, message))
    }

    fn no_folder(&self, path: &str) -> Error {
        Operation::on("look up path", path).error(ErrorKind::Invalid, "it is not a folder")
    }

    /// The error for a folder that is not there, or for a container that is not there: looking up a path does not tell.
    async fn missing(&self, path: &str) -> Error {
        match self.inspect().await {
            Ok(_) => Operation::on("look up path", path).error(ErrorKind::NotFound, "there is no such folder"),
            Err(error) => error,
        }
    }

    async fn upload(&self, source: Source, place: Place) -> Result<()> {
        let (mut writer, pieces) = bridge::from_thread();
        // Its end is that of `pieces`.
        drop(spawn_blocking(move || {
            let outcome = source.pack(place.name.as_deref(), &mut writer);
            writer.finish(outcome);
        }));
        let options = UploadOptions::default().no_overwrite_dir_non_dir();
        self.put_archive_with(&place.folder, Payload::stream(pieces), &options).await
    }
}

/// Unpacks what comes, in a thread.
async fn download(archive: Archive, target: Target, has_name: bool, operation: &Operation) -> Result<()> {
    let (sender, reader) = bridge::to_thread();
    let unpacking = spawn_blocking(move || unpack::unpack(reader, &target.root()?, has_name));
    let mut bytes = archive.into_bytes();
    let cut = loop {
        match bytes.next().await {
            Some(Ok(piece)) => {
                if !sender.send(piece).await {
                    // The thread has failed, and says why below.
                    break None;
                }
            }
            Some(Err(error)) => {
                drop(sender);
                break Some(error);
            }
            None => {
                sender.finish().await;
                break None;
            }
        }
    };
    match (cut, unpacking.await) {
        (Some(error), _) => Err(error.within(operation.clone())),
        (None, Ok(unpacked)) => unpacked.map_err(|trouble| explain(operation, trouble)),
        (None, Err(stopped)) => {
            Err(operation.error_from(ErrorKind::Io, format!("unpacking stopped: {stopped}"), stopped))
        }
    }
}

/// A path in a container as a caller writes it.
struct Wanted {
    /// From the root, without `.`, `..` and what is written twice.
    path: String,
    /// Its last part; `None` when the files in it are meant.
    name: Option<PathBuf>,
    /// Whether only a folder is meant.
    is_folder: bool,
}

impl Wanted {
    fn new(text: &str) -> Self {
        let mut parts: Vec<&str> = Vec::new();
        for part in text.split('/') {
            match part {
                "" | "." => {}
                ".." => _ = parts.pop(),
                part => parts.push(part),
            }
        }
        let contents = text == "." || text.ends_with("/.");
        let name = parts.last().filter(|_| !contents).map(PathBuf::from);
        Wanted { path: format!("/{}", parts.join("/")), name, is_folder: contents || text.ends_with('/') }
    }
}

/// What a path leads to in a container.
enum Found {
    Folder(String),
    Other(String),
    Nothing(String),
}

impl Found {
    fn path(&self) -> &str {
        match self {
            Found::Folder(path) | Found::Other(path) | Found::Nothing(path) => path,
        }
    }
}

/// Where in a container a copy belongs: a folder, and what it is to be called in there.
struct Place {
    folder: String,
    name: Option<PathBuf>,
}

impl From<(&str, &str)> for Place {
    fn from((folder, name): (&str, &str)) -> Self {
        Place { folder: folder.to_owned(), name: Some(name.into()) }
    }
}

/// The folder that a path is in, and its last part.
fn split(path: &str) -> (&str, &str) {
    match path.rsplit_once('/') {
        Some(("", name)) => ("/", name),
        Some(parts) => parts,
        None => ("/", path),
    }
}

/// Where a copy is to go on this machine.
struct Target {
    local: PathBuf,
    is_folder: bool,
    /// What is copied is called so in its container; `None` when the files in it are meant.
    name: Option<PathBuf>,
}

impl Target {
    /// The path of the copy itself.
    fn root(self) -> Result<PathBuf, Trouble> {
        let Target { local, is_folder, name } = self;
        let last = local.as_os_str().as_encoded_bytes().last().copied().map(char::from);
        let needs_folder = last.is_some_and(std::path::is_separator) || means_contents(&local);
        let fails = |path: &Path, kind, message: &str| Err(Trouble::Local(about(path, io::Error::new(kind, message))));
        match fs::metadata(&local) {
            Ok(metadata) if metadata.is_dir() => Ok(name.map(|name| local.join(name)).unwrap_or(local)),
            Ok(_) if is_folder || needs_folder => fails(&local, io::ErrorKind::NotADirectory, "it is not a folder"),
            // What a link leads to is replaced, not the link.
            Ok(_) => fs::canonicalize(&local).map_err(|error| Trouble::Local(about(&local, error))),
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Trouble::Local(about(&local, error))),
            Err(_) if needs_folder && !is_folder => fails(&local, io::ErrorKind::NotFound, "there is no such folder"),
            Err(_) => match local.parent() {
                Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => {
                    fails(folder, io::ErrorKind::NotFound, "there is no such folder")
                }
                _ => Ok(local),
            },
        }
    }
}

fn explain(operation: &Operation, trouble: Trouble) -> Error {
    match trouble {
        Trouble::Local(error) => unreadable(operation, error),
        Trouble::Bad(message) => operation.error(ErrorKind::Protocol, format!("the tar can't be unpacked: {message}")),
        Trouble::Cut => operation.error(ErrorKind::Truncated, "the tar ends too soon"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::files::TestFolder;

    #[test]
    fn paths_in_a_container_are_read_as_they_are_meant() {
        for (text, path, name, is_folder) in [
            ("/a/b", "/a/b", Some("b"), false),
            ("a//b", "/a/b", Some("b"), false),
            ("/a/b/", "/a/b", Some("b"), true),
            ("/a/b/.", "/a/b", None, true),
            ("/a/./c/../b", "/a/b", Some("b"), false),
            ("../../a", "/a", Some("a"), false),
            ("/a/..", "/", None, false),
            (".", "/", None, true),
            ("/", "/", None, true),
            ("", "/", None, false),
            ("/.a", "/.a", Some(".a"), false),
        ] {
            let wanted = Wanted::new(text);
            let found = (wanted.path.as_str(), wanted.name.as_deref(), wanted.is_folder);
            assert_eq!(found, (path, name.map(Path::new), is_folder), "{text:?}");
        }
        assert_eq!(split("/a"), ("/", "a"));
        assert_eq!(split("/a/b/c"), ("/a/b", "c"));
    }

    #[test]
    fn a_copy_goes_where_cp_would_put_it() {
        let folder = TestFolder::new();
        let (there, file) = (folder.make("there"), folder.write("file", ""));
        let root = |local: &str, is_folder: bool, name: Option<&str>| {
            // Joining would take the last slash away.
            let local = PathBuf::from(format!("{}/{local}", folder.0.display()));
            Target { local, is_folder, name: name.map(PathBuf::from) }.root().map_err(|trouble| match trouble {
                Trouble::Local(error) => error.kind(),
                other => panic!("{other:?}"),
            })
        };
        for is_folder in [true, false] {
            assert_eq!(root("there", is_folder, Some("x")), Ok(there.join("x")));
            assert_eq!(root("there/", is_folder, Some("x")), Ok(there.join("x")));
            assert_eq!(root("new", is_folder, Some("x")), Ok(folder.path("new")));
            assert_eq!(root("missing/new", is_folder, Some("x")), Err(io::ErrorKind::NotFound));
            assert_eq!(root("file/new", is_folder, Some("x")), Err(io::ErrorKind::NotADirectory));
            assert_eq!(root("file/", is_folder, Some("x")), Err(io::ErrorKind::NotADirectory));
        }
        assert_eq!(root("there", true, None), Ok(there));
        assert_eq!(root("new/", true, Some("x")).map(|root| root.components().collect()), Ok(folder.path("new")));
        assert_eq!(root("new/", false, Some("x")), Err(io::ErrorKind::NotFound));
        assert_eq!(root("new/.", false, Some("x")), Err(io::ErrorKind::NotFound));
        assert_eq!(root("file", true, Some("x")), Err(io::ErrorKind::NotADirectory));
        assert_eq!(root("file", false, Some("x")), Ok(fs::canonicalize(file).unwrap()));
    }

    #[cfg(unix)]
    #[test]
    fn a_local_link_that_is_named_is_followed() {
        let folder = TestFolder::new();
        let (there, file) = (folder.make("there"), folder.write("file", ""));
        std::os::unix::fs::symlink(&there, folder.path("to_folder")).unwrap();
        std::os::unix::fs::symlink(&file, folder.path("to_file")).unwrap();
        let root = |local: &str, is_folder| {
            Target { local: folder.path(local), is_folder, name: Some("x".into()) }.root().unwrap()
        };
        assert_eq!(root("to_folder", true), folder.path("to_folder").join("x"));
        assert_eq!(root("to_file", false), fs::canonicalize(file).unwrap());
    }
}
