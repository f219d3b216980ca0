//! Writing a tar that came from a container to local files, and nowhere else.
//!
//! The tar is not trusted: it decides about names below its root, and every folder on the way there is one that is no
//! symbolic link. A file is written under a name of ours and then moved to its own, so it is there whole or not at all,
//! and a link that stands in its place is replaced, not followed.

use std::cell::Cell;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use tar::{Archive, Entry, EntryType};

use crate::flow::files::about;
use crate::flow::random_word;

/// How much may stand between two files, in bytes: their headers, and names too long for one.
const HEADERS: u64 = 1024 * 1024;

/// A block of a tar.
const BLOCK: u64 = 512;

/// Why a tar could not be unpacked.
#[derive(Debug)]
pub(super) enum Trouble {
    /// A local file failed, or stands in the way; the message names it.
    Local(io::Error),
    /// The tar is broken, or wants what it must not have.
    Bad(String),
    /// The tar ends too soon.
    Cut,
}

/// Unpacks a tar: its root, a file or a folder, becomes `root`.
///
/// `has_name` is whether the names in the tar begin with that of its root; that of a whole filesystem has none.
pub(super) fn unpack(tar: impl Read, root: &Path, has_name: bool) -> Result<(), Trouble> {
    let gauge = Rc::new(Gauge::default());
    let mut archive = Archive::new(Gauged { tar, gauge: gauge.clone() });
    let mut unpacker = Unpacker { root, has_name, name: None, open: Vec::new(), gauge: &gauge };
    let mut end = 0;
    gauge.allow_to(HEADERS);
    let entries = archive.entries().map_err(|error| gauge.explain(error))?;
    for entry in entries {
        let entry = entry.map_err(|error| gauge.explain(error))?;
        end = entry.raw_file_position().saturating_add(entry.size().saturating_add(BLOCK - 1) / BLOCK * BLOCK);
        gauge.allow_to(end);
        unpacker.unpack(entry)?;
        gauge.allow_to(end.saturating_add(HEADERS));
    }
    // A tar ends with empty blocks; the first of them has been read unless the tar was cut.
    if unpacker.name.is_none() || gauge.position.get() < end.saturating_add(BLOCK) {
        return Err(Trouble::Cut);
    }
    let mut rest = archive.into_inner();
    io::copy(&mut rest, &mut io::sink()).map_err(|error| gauge.explain(error))?;
    unpacker.close_folders(None)
}

struct Unpacker<'a> {
    root: &'a Path,
    has_name: bool,
    /// What the root is called in the tar, once it has come.
    name: Option<PathBuf>,
    /// The folders made last, each in the one before; what is to become of them once everything is in them.
    open: Vec<Folder>,
    gauge: &'a Gauge,
}

struct Folder {
    path: PathBuf,
    permissions: u32,
    modified: Option<SystemTime>,
}

impl Unpacker<'_> {
    fn unpack<R: Read>(&mut self, mut entry: Entry<'_, R>) -> Result<(), Trouble> {
        let kind = entry.header().entry_type();
        if kind == EntryType::XGlobalHeader {
            return Ok(());
        }
        let name = entry.path().map_err(|error| Trouble::Bad(error.to_string()))?.into_owned();
        let path = self.place(&name)?;
        self.close_folders(Some(&path))?;
        if path != self.root {
            self.check_way_to(&path)?;
        }
        match kind {
            EntryType::Directory => self.make_folder(path, &entry),
            EntryType::Regular | EntryType::Continuous => self.write_file(&path, &mut entry),
            EntryType::Symlink if path != self.root => replace(&path, |new| symlink(&link(&entry)?, new)),
            EntryType::Link if path != self.root => self.link_file(&path, &entry),
            EntryType::Char | EntryType::Block | EntryType::Fifo => {
                tracing::debug!(path = %path.display(), "a device or pipe: left out");
                Ok(())
            }
            other => Err(Trouble::Bad(format!("`{}` is of a kind that can't be unpacked: {other:?}", name.display()))),
        }
    }

    /// Where an entry of this name belongs.
    fn place(&mut self, name: &Path) -> Result<PathBuf, Trouble> {
        let mut parts = Vec::new();
        for part in name.components() {
            match part {
                Component::Normal(part) => parts.push(part),
                Component::RootDir | Component::CurDir => {}
                Component::ParentDir | Component::Prefix(_) => {
                    return Err(Trouble::Bad(format!("the name `{}` leads out of the tar", name.display())));
                }
            }
        }
        let mut parts = parts.into_iter();
        if self.has_name {
            let first: PathBuf = parts.next().map(PathBuf::from).unwrap_or_default();
            if *self.name.get_or_insert_with(|| first.clone()) != first {
                return Err(Trouble::Bad(format!("the name `{}` is outside of the tar's root", name.display())));
            }
        } else {
            self.name.get_or_insert_default();
        }
        Ok(parts.fold(self.root.to_owned(), |mut path, part| {
            path.push(part);
            path
        }))
    }

    /// Makes sure that every folder between the root and `path` is one, and no link to elsewhere.
    fn check_way_to(&self, path: &Path) -> Result<(), Trouble> {
        let way: Vec<&Path> = path.ancestors().skip(1).take_while(|folder| folder.starts_with(self.root)).collect();
        for folder in way.into_iter().rev() {
            match fs::symlink_metadata(folder) {
                // The root is the caller's own, who may have made it a link.
                Ok(_) if folder == self.root && folder.is_dir() => {}
                Ok(metadata) if metadata.is_dir() => {}
                Ok(_) => {
                    let message =
                        format!("`{}` leads through `{}`, which is no folder", path.display(), folder.display());
                    return Err(in_the_way(message));
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => local(folder, fs::create_dir(folder))?,
                Err(error) => return Err(Trouble::Local(about(folder, error))),
            }
        }
        Ok(())
    }

    /// Makes a folder. One that is there already stays as it is.
    fn make_folder<R: Read>(&mut self, path: PathBuf, entry: &Entry<'_, R>) -> Result<(), Trouble> {
        let there = match path == self.root {
            true => fs::metadata(&path),
            false => fs::symlink_metadata(&path),
        };
        match there {
            Ok(metadata) if metadata.is_dir() => Ok(()),
            Ok(_) => Err(in_the_way(format!("`{}` is there and is no folder", path.display()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let permissions = permissions(entry)? & 0o1777;
                local(&path, create_private_folder(&path))?;
                self.open.push(Folder { path, permissions, modified: modified(entry) });
                Ok(())
            }
            Err(error) => Err(Trouble::Local(about(&path, error))),
        }
    }

    /// Gives the folders that `next` is not in their permissions and times; before, they had to be written to.
    fn close_folders(&mut self, next: Option<&Path>) -> Result<(), Trouble> {
        while let Some(folder) = self.open.pop_if(|folder| next.is_none_or(|next| !next.starts_with(&folder.path))) {
            let path = &folder.path;
            // Opened before its permissions may forbid it.
            if let (Some(modified), Ok(opened)) = (folder.modified, File::open(path)) {
                local(path, opened.set_modified(modified))?;
            }
            local(path, set_permissions(path, folder.permissions))?;
        }
        Ok(())
    }

    fn write_file<R: Read>(&self, path: &Path, entry: &mut Entry<'_, R>) -> Result<(), Trouble> {
        let (permissions, modified, size) = (permissions(entry)? & 0o777, modified(entry), entry.size());
        replace(path, |new| {
            let mut file = local(new, create_private(new))?;
            let mut buffer = vec![0; usize::try_from(size).unwrap_or(usize::MAX).min(64 * 1024)];
            let mut left = size;
            while left > 0 {
                let count = entry.read(&mut buffer).map_err(|error| self.gauge.explain(error))?;
                if count == 0 {
                    return Err(Trouble::Cut);
                }
                left = left.saturating_sub(count as u64);
                local(path, file.write_all(buffer.get(..count).unwrap_or_default()))?;
            }
            if let Some(modified) = modified {
                local(path, file.set_modified(modified))?;
            }
            local(path, set_permissions(new, permissions))
        })
    }

    /// Makes a hard link to a file that came before.
    fn link_file<R: Read>(&mut self, path: &Path, entry: &Entry<'_, R>) -> Result<(), Trouble> {
        let target = self.place(&link(entry)?)?;
        self.check_way_to(&target)?;
        match fs::symlink_metadata(&target) {
            Ok(metadata) if metadata.is_file() => {}
            Ok(_) => return Err(Trouble::Bad(format!("`{}` is a link to what is no file", path.display()))),
            Err(error) => return Err(Trouble::Local(about(&target, error))),
        }
        replace(path, |new| local(path, fs::hard_link(&target, new)))
    }
}

/// Makes something under a name of our own and moves it to `path`, in the place of a file or link that is there.
fn replace(path: &Path, make: impl FnOnce(&Path) -> Result<(), Trouble>) -> Result<(), Trouble> {
    match fs::symlink_metadata(path) {
        Ok(there) if !there.is_file() && !there.is_symlink() => {
            let message = format!("`{}` is there and is neither a file nor a link", path.display());
            return Err(in_the_way(message));
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Trouble::Local(about(path, error))),
        _ => {}
    }
    let new = Unfinished(path.with_file_name(format!(".longshore-{}", random_word())));
    make(&new.0)?;
    local(path, fs::rename(&new.0, path))
}

/// A file that goes away unless it has been moved to its place.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn in_the_way(message: String) -> Trouble {
    Trouble::Local(io::Error::new(io::ErrorKind::AlreadyExists, message))
}

fn local<T>(path: &Path, outcome: io::Result<T>) -> Result<T, Trouble> {
    outcome.map_err(|error| Trouble::Local(about(path, error)))
}

fn link<R: Read>(entry: &Entry<'_, R>) -> Result<PathBuf, Trouble> {
    match entry.link_name() {
        Ok(Some(target)) => Ok(target.into_owned()),
        Ok(None) => Err(Trouble::Bad("a link without a target".to_owned())),
        Err(error) => Err(Trouble::Bad(error.to_string())),
    }
}

/// The permissions of an entry, with the bits that lend its owner's rights, which must not be used.
fn permissions<R: Read>(entry: &Entry<'_, R>) -> Result<u32, Trouble> {
    entry.header().mode().map_err(|error| Trouble::Bad(error.to_string()))
}

fn modified<R: Read>(entry: &Entry<'_, R>) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(entry.header().mtime().ok()?))
}

#[cfg(unix)]
fn set_permissions(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode))
}

#[cfg(not(unix))]
fn set_permissions(path: &Path, mode: u32) -> io::Result<()> {
    let mut permissions = fs::metadata(path)?.permissions();
    permissions.set_readonly(mode & 0o200 == 0);
    fs::set_permissions(path, permissions)
}

/// Creates a file that only its owner may read until it is finished.
fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Creates a folder that only its owner may enter until it is finished.
fn create_private_folder(path: &Path) -> io::Result<()> {
    #[cfg_attr(not(unix), allow(unused_mut))]
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

#[cfg(unix)]
fn symlink(target: &Path, path: &Path) -> Result<(), Trouble> {
    local(path, std::os::unix::fs::symlink(target, path))
}

#[cfg(not(unix))]
fn symlink(_target: &Path, path: &Path) -> Result<(), Trouble> {
    let message = "symbolic links can't be made on this system";
    Err(Trouble::Local(about(path, io::Error::new(io::ErrorKind::Unsupported, message))))
}

/// How far a tar has been read, and how far it may be read now.
#[derive(Default)]
struct Gauge {
    position: Cell<u64>,
    limit: Cell<u64>,
    /// Whether there was nothing left to read.
    ended: Cell<bool>,
    too_far: Cell<bool>,
}

impl Gauge {
    fn allow_to(&self, limit: u64) {
        self.limit.set(limit);
    }

    /// What an error in reading the tar means.
    fn explain(&self, error: io::Error) -> Trouble {
        match (self.too_far.get(), self.ended.get()) {
            (true, _) => Trouble::Bad(format!("more than {HEADERS} bytes between two files")),
            (false, true) => Trouble::Cut,
            (false, false) => Trouble::Bad(error.to_string()),
        }
    }
}

/// A tar that is read no further than allowed.
struct Gauged<R> {
    tar: R,
    gauge: Rc<Gauge>,
}

impl<R: Read> Read for Gauged<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.gauge.limit.get().saturating_sub(self.gauge.position.get());
        if left == 0 && !buffer.is_empty() {
            self.gauge.too_far.set(true);
            return Err(io::Error::other("the tar goes on for too long"));
        }
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.tar.read(buffer.get_mut(..most).unwrap_or_default())?;
        self.gauge.position.set(self.gauge.position.get() + count as u64);
        self.gauge.ended.set(count == 0 && most > 0);
        Ok(count)
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use tar::{Builder, Header};

    use super::*;
    use crate::flow::files::TestFolder;

    /// A tar being made, with whatever names and links are asked for.
    struct Tar(Builder<Vec<u8>>);

    impl Tar {
        fn new() -> Self {
            Tar(Builder::new(Vec::new()))
        }

        fn add(self, kind: EntryType, name: &str, link: &str, data: &str) -> Self {
            self.add_with_mode(kind, name, link, data, if kind.is_dir() { 0o755 } else { 0o644 })
        }

        fn add_with_mode(mut self, kind: EntryType, name: &str, link: &str, data: &str, mode: u32) -> Self {
            let mut header = Header::new_gnu();
            // Written as it is, since the crate would refuse what is to be tested.
            let field = &mut header.as_old_mut().name;
            field[..name.len()].copy_from_slice(name.as_bytes());
            header.set_link_name_literal(link).unwrap();
            header.set_entry_type(kind);
            header.set_mode(mode);
            header.set_mtime(1_000_000_000);
            header.set_size(data.len() as u64);
            header.set_cksum();
            self.0.append(&header, data.as_bytes()).unwrap();
            self
        }

        fn folder(self, name: &str) -> Self {
            self.add(EntryType::Directory, name, "", "")
        }

        fn file(self, name: &str, data: &str) -> Self {
            self.add(EntryType::Regular, name, "", data)
        }

        fn symlink(self, name: &str, target: &str) -> Self {
            self.add(EntryType::Symlink, name, target, "")
        }

        fn link(self, name: &str, target: &str) -> Self {
            self.add(EntryType::Link, name, target, "")
        }

        fn bytes(self) -> Vec<u8> {
            self.0.into_inner().unwrap()
        }

        fn unpack(self, root: &Path) -> Result<(), Trouble> {
            unpack(&self.bytes()[..], root, true)
        }
    }

    /// A folder with a secret, and an empty folder to unpack in.
    fn scene() -> (TestFolder, PathBuf) {
        let scene = TestFolder::new();
        scene.make("outside");
        scene.write("outside/secret", "secret");
        let inside = scene.make("inside");
        (scene, inside.join("root"))
    }

    const UNTOUCHED: [&str; 3] = ["inside/", "outside/", "outside/secret"];

    #[test]
    fn a_tree_is_unpacked_under_its_new_name() {
        let (scene, root) = scene();
        let tar = Tar::new()
            .folder("d")
            .add_with_mode(EntryType::Directory, "d/closed", "", "", 0o2555)
            .file("d/closed/file", "x")
            .add_with_mode(EntryType::Regular, "./d/program", "", "run", 0o6751)
            .link("d/same", "d/program")
            .symlink("d/far", "/etc/passwd")
            .symlink("d/near", "program")
            .add(EntryType::Fifo, "d/pipe", "", "")
            .add(EntryType::Block, "d/disk", "", "")
            .add(EntryType::Char, "d/null", "", "")
            .file("d/empty", "");
        tar.unpack(&root).unwrap();
        let found = ["", "closed/", "closed/file", "empty", "far", "near", "program", "same"];
        let found =
            found.map(|name| if name.is_empty() { "inside/root/".into() } else { format!("inside/root/{name}") });
        let mut expected = UNTOUCHED.map(str::to_owned).to_vec();
        expected.extend(found);
        expected.sort();
        assert_eq!(scene.list(), expected);
        let metadata = |name: &str| fs::symlink_metadata(root.join(name)).unwrap();
        assert_eq!(metadata("program").mode() & 0o7777, 0o751);
        assert_eq!(metadata("program").mtime(), 1_000_000_000);
        assert_eq!(metadata("program").ino(), metadata("same").ino());
        assert_eq!(metadata("closed").mode() & 0o7777, 0o555);
        assert_eq!(metadata("closed").mtime(), 1_000_000_000);
        assert_eq!(metadata("").mtime(), 1_000_000_000);
        assert_eq!(fs::read_link(root.join("far")).unwrap(), Path::new("/etc/passwd"));
        // Once more over what is there now.
        fs::set_permissions(root.join("closed"), fs::Permissions::from_mode(0o755)).unwrap();
        Tar::new().folder("d").file("d/far", "y").symlink("d/program", "z").unpack(&root).unwrap();
        assert_eq!(scene.read("inside/root/far"), "y");
        assert!(metadata("program").is_symlink());
    }

    #[test]
    fn a_single_file_and_a_whole_filesystem_are_unpacked() {
        let (scene, root) = scene();
        Tar::new().file("hosts", "a").unpack(&root).unwrap();
        assert_eq!(scene.read("inside/root"), "a");
        let tar = Tar::new().folder("/").folder("/bin").file("/bin/sh", "x").file("top", "y").bytes();
        unpack(&tar[..], &scene.path("inside/all"), false).unwrap();
        assert_eq!((scene.read("inside/all/bin/sh"), scene.read("inside/all/top")), ("x".into(), "y".into()));
    }

    #[test]
    fn nothing_is_written_outside() {
        let d = || Tar::new().folder("d");
        let hostile = [
            ("dots", d().file("d/../../outside/secret", "bad")),
            ("dots at once", Tar::new().file("../outside/secret", "bad")),
            ("dots behind", d().file("d/..", "bad")),
            ("another root", d().file("/outside/secret", "bad")),
            ("absolute", d().file("/etc/longshore-test", "bad")),
            ("through a link", d().symlink("d/out", "../../outside").file("d/out/secret", "bad")),
            (
                "through a link, made a folder",
                d().symlink("d/out", "../../outside").folder("d/out").file("d/out/x", ""),
            ),
            ("through two links", d().symlink("d/a", "..").symlink("d/b", "a/../outside").file("d/b/secret", "bad")),
            ("a folder through a link", d().symlink("d/out", "../../outside").folder("d/out/new")),
            ("a link through a link", d().symlink("d/out", "../../outside").symlink("d/out/new", "/")),
            ("a hard link out", d().link("d/s", "../outside/secret").file("d/s", "bad")),
            ("a hard link to the root of all", d().link("d/s", "/outside/secret")),
            ("a hard link to a link", d().symlink("d/l", "../../outside/secret").link("d/s", "d/l")),
            ("a hard link through a link", d().symlink("d/l", "../../outside").link("d/s", "d/l/secret")),
            ("the root is a link", Tar::new().symlink("d", "../outside").file("d/secret", "bad")),
            ("the root is a hard link", Tar::new().link("d", "../outside/secret")),
            ("a kind of its own", d().add(EntryType::new(b'V'), "d/label", "", "")),
            ("a sparse file", d().add(EntryType::GNUSparse, "d/sparse", "", "")),
        ];
        for (what, tar) in hostile {
            let (scene, root) = scene();
            let trouble = tar.unpack(&root).expect_err(what);
            assert!(!matches!(trouble, Trouble::Cut), "{what}: {trouble:?}");
            assert_eq!(scene.read("outside/secret"), "secret", "{what}");
            let outside: Vec<_> = scene.list().into_iter().filter(|path| path.starts_with("outside")).collect();
            assert_eq!(outside, ["outside/", "outside/secret"], "{what}");
            assert!(!scene.list().iter().any(|path| path.contains(".longshore-")), "{what}: {:?}", scene.list());
        }
        assert!(!Path::new("/etc/longshore-test").exists());
    }

    #[test]
    fn what_stands_in_the_way_is_not_written_through_or_taken_away() {
        let (scene, root) = scene();
        fs::create_dir(&root).unwrap();
        // A link to a file is replaced, the file it leads to is not.
        std::os::unix::fs::symlink("../../outside/secret", root.join("link")).unwrap();
        Tar::new().folder("d").file("d/link", "new").unpack(&root).unwrap();
        assert_eq!((scene.read("inside/root/link"), scene.read("outside/secret")), ("new".into(), "secret".into()));
        // A link to a folder is no folder, a folder is no file, a socket is neither.
        std::os::unix::fs::symlink("../../outside", root.join("out")).unwrap();
        fs::create_dir(root.join("folder")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
        for tar in [
            Tar::new().folder("d").folder("d/out"),
            Tar::new().folder("d").file("d/folder", ""),
            Tar::new().folder("d").symlink("d/folder", "x"),
            Tar::new().folder("d").folder("d/link"),
            Tar::new().folder("d").file("d/socket", ""),
            Tar::new().folder("d").file("d/link/x", ""),
        ] {
            assert!(matches!(tar.unpack(&root), Err(Trouble::Local(_))));
        }
        assert_eq!(scene.read("inside/root/link"), "new");
    }

    #[test]
    fn the_callers_own_root_may_be_a_link() {
        let (scene, root) = scene();
        let elsewhere = scene.make("elsewhere");
        std::os::unix::fs::symlink(elsewhere, &root).unwrap();
        Tar::new().folder("d").folder("d/e").file("d/e/f", "x").unpack(&root).unwrap();
        assert_eq!(scene.read("elsewhere/e/f"), "x");
    }

    #[test]
    fn a_tar_that_is_cut_anywhere_is_told_so_and_leaves_only_whole_files() {
        let long = "n".repeat(150);
        let mut tar = Tar::new().folder("d").file("d/a", &"a".repeat(700));
        let mut header = Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(3);
        tar.0.append_data(&mut header, format!("d/{long}"), &b"bbb"[..]).unwrap();
        let tar = tar.bytes();
        let ends = tar.len() - 1024;
        let at_blocks = (0..tar.len()).filter(|cut| matches!(cut % 512, 0 | 1 | 188 | 511));
        for cut in at_blocks {
            let (scene, root) = scene();
            let outcome = unpack(&tar[..cut], &root, true);
            match cut < ends + 512 {
                true => assert!(matches!(outcome, Err(Trouble::Cut)), "cut at {cut}: {outcome:?}"),
                false => assert!(outcome.is_ok(), "cut at {cut}: {outcome:?}"),
            }
            assert!(!scene.list().iter().any(|path| path.contains(".longshore-")), "cut at {cut}");
            if let Ok(text) = fs::read_to_string(root.join("a")) {
                assert_eq!(text.len(), 700, "cut at {cut}");
            }
        }
    }

    #[test]
    fn what_is_no_tar_is_refused() {
        for (bytes, what) in [(&b"<html>"[..], "short"), (&[b'x'; 2048], "long"), (&[0; 1024], "empty"), (b"", "none")]
        {
            let (scene, root) = scene();
            assert!(unpack(bytes, &root, true).is_err(), "{what}");
            assert_eq!(scene.list(), UNTOUCHED);
        }
    }

    #[test]
    fn a_name_without_end_is_refused_early() {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::GNULongName);
        header.set_size(1 << 40);
        header.set_cksum();
        let endless = header.as_bytes().chain(io::repeat(b'n'));
        let (_scene, root) = scene();
        assert!(
            matches!(unpack(endless, &root, true), Err(Trouble::Bad(message)) if message.contains("between two files"))
        );
        let tar = Tar::new().folder("d").bytes();
        let endless = (&tar[..]).chain(io::repeat(0));
        assert!(matches!(unpack(endless, &root, true), Err(Trouble::Bad(_))));
    }
}
