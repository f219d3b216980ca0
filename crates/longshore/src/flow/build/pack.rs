//! Making a tar of what is sent.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use longshore_wire::ignore::Verdict;
use tar::{Builder, EntryType, Header};

use super::context::{Context, IGNORE_FILE, slashed};
use crate::flow::files::{Exactly, about, header};

/// Which bits of a file's mode are kept: all of them.
const MODE: u32 = 0o7777;

/// The longest name that fits into a header.
const SHORT: usize = 100;

/// Writes what is sent of a folder, in the order of the names.
pub(super) fn pack(context: &Context, writer: impl Write) -> io::Result<()> {
    let mut packer = Packer { context, builder: Builder::new(writer), seen: HashMap::new() };
    packer.add_files_in(Path::new(""), None)?;
    for (name, text) in &context.added {
        packer.builder.append_data(&mut made_header(text), name, &text[..])?;
    }
    packer.builder.into_inner().and_then(|mut writer| writer.flush())
}

/// A tar with one file.
pub(super) fn single_file(name: &str, text: &[u8]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    // Memory takes everything, and the name is short.
    let _ = builder.append_data(&mut made_header(text), name, text);
    builder.into_inner().unwrap_or_default()
}

/// A header for a file that is not there.
fn made_header(text: &[u8]) -> Header {
    let mut header = Header::new_gnu();
    header.set_mode(0o600);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(text.len() as u64);
    header
}

struct Packer<'a, W: Write> {
    context: &'a Context,
    builder: Builder<W>,
    /// Files with more than one name, by device and number: the name under which each was sent.
    #[cfg_attr(not(unix), expect(dead_code, reason = "files are told apart by device and number on unix only"))]
    seen: HashMap<(u64, u64), PathBuf>,
}

impl<W: Write> Packer<'_, W> {
    /// Adds what is in a folder of the context, whose own fate is told.
    fn add_files_in(&mut self, folder: &Path, verdict: Option<&Verdict>) -> io::Result<()> {
        for name in sorted_names(&self.context.folder.join(folder))? {
            let path = folder.join(name);
            let bytes = slashed(&path);
            let is_rules = self.context.hides_rules && bytes == IGNORE_FILE.as_bytes();
            if is_rules || self.context.added.iter().any(|(name, _)| name.as_bytes() == bytes) {
                continue;
            }
            let verdict = self.context.ignored.judge(&bytes, verdict);
            self.add(&path, &bytes, &verdict)?;
        }
        Ok(())
    }

    fn add(&mut self, path: &Path, bytes: &[u8], verdict: &Verdict) -> io::Result<()> {
        let excluded = verdict.is_excluded();
        let local = self.context.folder.join(path);
        let metadata = fs::symlink_metadata(&local).map_err(|error| about(&local, error))?;
        let kind = metadata.file_type();
        if kind.is_dir() {
            if !excluded {
                let mut header = header(EntryType::Directory, &metadata, MODE);
                self.builder.append_data(&mut header, path, io::empty())?;
            }
            return match !excluded || self.context.ignored.may_hold_exceptions(bytes) {
                true => self.add_files_in(path, Some(verdict)),
                false => Ok(()),
            };
        }
        if excluded {
            return Ok(());
        }
        if kind.is_symlink() {
            let target = fs::read_link(&local).map_err(|error| about(&local, error))?;
            self.add_link(EntryType::Symlink, &metadata, path, &target)
        } else if kind.is_file() {
            match self.earlier_name(path, &metadata) {
                Some(earlier) => self.add_link(EntryType::Link, &metadata, path, &earlier),
                None => self.add_file(path, &local),
            }
        } else if let Some(mut header) = special(&metadata)? {
            self.builder.append_data(&mut header, path, io::empty())
        } else {
            tracing::debug!(path = %local.display(), "a socket: left out");
            Ok(())
        }
    }

    fn add_file(&mut self, path: &Path, local: &Path) -> io::Result<()> {
        let file = File::open(local).map_err(|error| about(local, error))?;
        let metadata = file.metadata().map_err(|error| about(local, error))?;
        let mut header = header(EntryType::Regular, &metadata, MODE);
        header.set_size(metadata.len());
        self.builder.append_data(&mut header, path, Exactly { file, path: local, left: metadata.len() })
    }

    /// Adds a link with its target just as it is.
    fn add_link(&mut self, kind: EntryType, metadata: &Metadata, path: &Path, target: &Path) -> io::Result<()> {
        let mut header = header(kind, metadata, MODE);
        let bytes = slashed(target);
        if bytes.len() > SHORT {
            return self.builder.append_link(&mut header, path, target);
        }
        header.set_link_name_literal(bytes)?;
        self.builder.append_data(&mut header, path, io::empty())
    }

    /// The name under which the same file was sent before.
    #[cfg(unix)]
    fn earlier_name(&mut self, path: &Path, metadata: &Metadata) -> Option<PathBuf> {
        use std::collections::hash_map::Entry;
        use std::os::unix::fs::MetadataExt;

        if metadata.nlink() < 2 {
            return None;
        }
        match self.seen.entry((metadata.dev(), metadata.ino())) {
            Entry::Occupied(earlier) => Some(earlier.get().clone()),
            Entry::Vacant(first) => {
                first.insert(path.to_owned());
                None
            }
        }
    }

    #[cfg(not(unix))]
    fn earlier_name(&mut self, _path: &Path, _metadata: &Metadata) -> Option<PathBuf> {
        None
    }
}

/// The header of a pipe or a device; `None` for a socket, which a tar can't have.
#[cfg(unix)]
fn special(metadata: &Metadata) -> io::Result<Option<Header>> {
    use std::os::unix::fs::{FileTypeExt, MetadataExt};

    let kind = metadata.file_type();
    let (entry, device) = match () {
        () if kind.is_fifo() => (EntryType::Fifo, 0),
        () if kind.is_char_device() => (EntryType::Char, metadata.rdev()),
        () if kind.is_block_device() => (EntryType::Block, metadata.rdev()),
        () => return Ok(None),
    };
    let mut header = header(entry, metadata, MODE);
    let (major, minor) = numbers(device);
    header.set_device_major(major)?;
    header.set_device_minor(minor)?;
    Ok(Some(header))
}

#[cfg(not(unix))]
fn special(_metadata: &Metadata) -> io::Result<Option<Header>> {
    Ok(None)
}

/// The major and minor number of a device, as Linux packs them into one.
#[cfg(unix)]
fn numbers(device: u64) -> (u32, u32) {
    let major = (device >> 32 & 0xffff_f000) | (device >> 8 & 0xfff);
    let minor = (device >> 12 & 0xffff_ff00) | (device & 0xff);
    (major as u32, minor as u32)
}

fn sorted_names(folder: &Path) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| about(folder, error))? {
        names.push(entry.map_err(|error| about(folder, error))?.file_name());
    }
    names.sort_unstable();
    Ok(names)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::flow::files::TestFolder;

    fn tar(folder: &TestFolder) -> io::Result<Vec<u8>> {
        let context = Context::find(&folder.0, None, false).unwrap();
        let mut tar = Vec::new();
        pack(&context, &mut tar).map(|()| tar)
    }

    /// What a tar has: name, kind, mode, and the text of a file or the target of a link.
    fn entries(tar: &[u8]) -> Vec<(String, EntryType, u32, String)> {
        let mut archive = tar::Archive::new(tar);
        let entries = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let mut text = String::new();
            io::Read::read_to_string(&mut entry, &mut text).unwrap();
            if let Some(target) = entry.link_name_bytes() {
                text = String::from_utf8(target.into_owned()).unwrap();
            }
            let header = entry.header();
            assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
            let name = entry.path().unwrap().to_str().unwrap().to_owned();
            (name, header.entry_type(), header.mode().unwrap(), text)
        });
        entries.collect()
    }

    fn names(folder: &TestFolder) -> Vec<String> {
        entries(&tar(folder).unwrap()).into_iter().map(|(name, ..)| name).collect()
    }

    #[test]
    fn files_folders_and_links_are_sent_as_they_are() {
        let folder = TestFolder::new();
        let far = format!("../{}", "far/".repeat(40));
        folder.write("Dockerfile", "FROM scratch");
        folder.make("a/empty");
        let program = folder.write("a/program", "run");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o4751)).unwrap();
        symlink("./b//c/../d", folder.path("a/link")).unwrap();
        symlink(&far, folder.path("a/far")).unwrap();
        symlink("..", folder.path("a/loop")).unwrap();
        fs::hard_link(&program, folder.path("same")).unwrap();
        let long = "n".repeat(150);
        folder.write(&long, "long");
        let _socket = std::os::unix::net::UnixListener::bind(folder.path("socket")).unwrap();
        let found = entries(&tar(&folder).unwrap());
        let names: Vec<_> = found.iter().map(|(name, ..)| name.as_str()).collect();
        assert_eq!(names, ["Dockerfile", "a", "a/empty", "a/far", "a/link", "a/loop", "a/program", &long, "same"]);
        let entry = |name: &str| found.iter().find(|entry| entry.0 == name).unwrap();
        assert_eq!((entry("a").1, entry("a/empty").1), (EntryType::Directory, EntryType::Directory));
        assert_eq!((entry("a/program").2, entry("a/program").3.as_str()), (0o4751, "run"));
        assert_eq!((entry("a/link").1, entry("a/link").3.as_str()), (EntryType::Symlink, "./b//c/../d"));
        assert_eq!((entry("a/far").3.as_str(), entry("a/loop").3.as_str()), (far.as_str(), ".."));
        assert_eq!((entry("same").1, entry("same").3.as_str()), (EntryType::Link, "a/program"));
        assert_eq!(entry(&long).3, "long");
    }

    #[test]
    fn times_are_kept() {
        let folder = TestFolder::new();
        let path = folder.write("Dockerfile", "");
        File::options()
            .write(true)
            .open(path)
            .unwrap()
            .set_modified(UNIX_EPOCH + Duration::from_secs(1 << 30))
            .unwrap();
        let tar = tar(&folder).unwrap();
        let mut archive = tar::Archive::new(&tar[..]);
        assert_eq!(archive.entries().unwrap().next().unwrap().unwrap().header().mtime().unwrap(), 1 << 30);
        assert!(tar.ends_with(&[0; 1024]));
    }

    #[test]
    fn what_is_left_out_is_not_even_read() {
        let folder = TestFolder::new();
        folder.write(".dockerignore", "secret\n**/*.log\n!keep.log\nx\n!x/y/kept\n");
        folder.write("Dockerfile", "");
        folder.make("secret");
        folder.make("x/y");
        folder.make("x/z");
        for name in ["a.log", "keep.log", "x/y/kept", "x/y/other", "x/z/other"] {
            folder.write(name, name);
        }
        assert_eq!(names(&folder), [".dockerignore", "Dockerfile", "keep.log", "x/y/kept"]);
    }

    #[test]
    fn files_that_are_added_take_the_place_of_others() {
        let folder = TestFolder::new();
        folder.write("Dockerfile", "");
        folder.write(".dockerignore", "nothing");
        folder.write("Dockerfile.dockerignore", "Dockerfile.dockerignore");
        let found = entries(&tar(&folder).unwrap());
        let texts: Vec<_> = found.iter().map(|(name, _, _, text)| (name.as_str(), text.as_str())).collect();
        let rules = "Dockerfile.dockerignore\n.dockerignore\n";
        assert_eq!(texts, [("Dockerfile", ""), (".dockerignore", rules)]);
    }

    #[test]
    fn what_goes_away_meanwhile_is_named() {
        let folder = TestFolder::new();
        folder.write("Dockerfile", "");
        let context = Context::find(&folder.0, None, false).unwrap();
        let verdict = context.ignored.judge(b"gone", None);
        let mut packer = Packer { context: &context, builder: Builder::new(Vec::new()), seen: HashMap::new() };
        for error in [
            packer.add(Path::new("gone"), b"gone", &verdict).unwrap_err(),
            packer.add_file(Path::new("gone"), &folder.path("gone")).unwrap_err(),
            packer.add_files_in(Path::new("gone"), None).unwrap_err(),
        ] {
            assert_eq!(error.kind(), io::ErrorKind::NotFound);
            assert!(error.to_string().contains("gone`: "), "{error}");
        }
    }

    #[test]
    fn numbers_of_devices_are_taken_apart() {
        assert_eq!(numbers(0x103), (1, 3));
        assert_eq!(numbers(0x0010_0203), (2, 0x103));
        assert_eq!(numbers(0x1234_5000_0000_0000 | 0x6_7800 | 0x9a), (0x1234_5678 & 0xffff_f000 | 0x678, 0x9a));
        let null = fs::symlink_metadata("/dev/null").unwrap();
        let header = special(&null).unwrap().unwrap();
        assert_eq!(header.entry_type(), EntryType::Char);
        assert_eq!((header.device_major().unwrap(), header.device_minor().unwrap()), (Some(1), Some(3)));
    }

    #[test]
    fn a_single_file_is_a_whole_tar() {
        let tar = single_file("Dockerfile", b"FROM scratch");
        assert_eq!(entries(&tar)[0].3, "FROM scratch");
        assert!(tar.ends_with(&[0; 1024]) && tar.len() == 2048);
    }
}
