//! Making a tar of local files.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tar::{Builder, EntryType};

use crate::flow::files::{Exactly, about, header};

/// Which bits of a file's mode are kept: a copy belongs to root, so it must not take root's rights along.
const MODE: u32 = 0o1777;

/// What is copied into a container, as it was found.
#[derive(Debug)]
pub(super) struct Source {
    /// The file or folder.
    path: PathBuf,
    /// What it is called where it is put into a folder; `None` when the files in it are meant, not the folder itself.
    pub(super) name: Option<PathBuf>,
    pub(super) is_folder: bool,
}

impl Source {
    /// Looks at what is to be copied. A symbolic link that is named itself is followed.
    pub(super) fn find(path: PathBuf) -> io::Result<Source> {
        let metadata = fs::metadata(&path).map_err(|error| about(&path, error))?;
        if !metadata.is_dir() && !metadata.is_file() {
            return Err(about(&path, io::Error::new(io::ErrorKind::InvalidInput, "neither a file nor a folder")));
        }
        let is_folder = metadata.is_dir();
        let name = match is_folder && means_contents(&path) {
            true => None,
            false => name_of(&path)?,
        };
        let readable = if is_folder { fs::read_dir(&path).map(drop) } else { File::open(&path).map(drop) };
        readable.map_err(|error| about(&path, error))?;
        Ok(Source { path, name, is_folder })
    }

    /// Writes it as a tar, under this name; without one, the files in the folder come as they are called.
    pub(super) fn pack(&self, name: Option<&Path>, writer: impl Write) -> io::Result<()> {
        let mut packer = Packer { builder: Builder::new(writer) };
        match (self.is_folder, name) {
            (false, Some(name)) => packer.add_file(&self.path, name)?,
            (false, None) => return Err(io::Error::other("a file is copied under a name")),
            (true, Some(name)) => packer.add_folder(&self.path, name)?,
            (true, None) => packer.add_files_in(&self.path, Path::new(""))?,
        }
        packer.builder.into_inner().and_then(|mut writer| writer.flush())
    }
}

/// Whether a path means what is in a folder: it ends with `/.`, or is `.`.
pub(super) fn means_contents(path: &Path) -> bool {
    let bytes = path.as_os_str().as_encoded_bytes();
    let before = bytes.strip_suffix(b".");
    before.is_some_and(|before| before.last().is_none_or(|byte| std::path::is_separator(char::from(*byte))))
}

/// What a path is called. `..` has a name of its own, and the root has none, so that its contents are meant.
fn name_of(path: &Path) -> io::Result<Option<PathBuf>> {
    match path.file_name() {
        Some(name) => Ok(Some(name.into())),
        None => Ok(fs::canonicalize(path).map_err(|error| about(path, error))?.file_name().map(Into::into)),
    }
}

struct Packer<W: Write> {
    builder: Builder<W>,
}

impl<W: Write> Packer<W> {
    fn add_file(&mut self, path: &Path, name: &Path) -> io::Result<()> {
        let file = File::open(path).map_err(|error| about(path, error))?;
        let metadata = file.metadata().map_err(|error| about(path, error))?;
        let mut header = header(EntryType::Regular, &metadata, MODE);
        header.set_size(metadata.len());
        let data = Exactly { file, path, left: metadata.len() };
        self.builder.append_data(&mut header, name, data)
    }

    fn add_folder(&mut self, path: &Path, name: &Path) -> io::Result<()> {
        let metadata = fs::metadata(path).map_err(|error| about(path, error))?;
        self.builder.append_data(&mut header(EntryType::Directory, &metadata, MODE), name, io::empty())?;
        self.add_files_in(path, name)
    }

    fn add_files_in(&mut self, folder: &Path, name: &Path) -> io::Result<()> {
        for entry in fs::read_dir(folder).map_err(|error| about(folder, error))? {
            let entry = entry.map_err(|error| about(folder, error))?;
            let (path, name) = (entry.path(), name.join(entry.file_name()));
            let metadata = fs::symlink_metadata(&path).map_err(|error| about(&path, error))?;
            let kind = metadata.file_type();
            if kind.is_symlink() {
                let target = fs::read_link(&path).map_err(|error| about(&path, error))?;
                self.builder.append_link(&mut header(EntryType::Symlink, &metadata, MODE), name, target)?;
            } else if kind.is_dir() {
                self.add_folder(&path, &name)?;
            } else if kind.is_file() {
                self.add_file(&path, &name)?;
            } else {
                tracing::debug!(path = %path.display(), "neither a file nor a folder nor a link: left out");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Read;
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::flow::files::TestFolder;

    /// What a tar has, by name: the kind of each entry, its link or contents, its permissions and time.
    fn read(tar: &[u8]) -> BTreeMap<String, (EntryType, String, u32, u64)> {
        let mut archive = tar::Archive::new(tar);
        let entries = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            assert_eq!((entry.header().uid().unwrap(), entry.header().gid().unwrap()), (0, 0));
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            if let Some(link) = entry.link_name().unwrap() {
                text = link.to_str().unwrap().to_owned();
            }
            let header = entry.header();
            let facts = (header.entry_type(), text, header.mode().unwrap(), header.mtime().unwrap());
            (entry.path().unwrap().to_str().unwrap().to_owned(), facts)
        });
        entries.collect()
    }

    fn pack(source: &Source, name: Option<&str>) -> io::Result<Vec<u8>> {
        let mut tar = Vec::new();
        source.pack(name.map(Path::new), &mut tar).map(|()| tar)
    }

    #[test]
    fn a_file_is_packed_under_its_new_name() {
        let folder = TestFolder::new();
        let source = Source::find(folder.write("file", "hello")).unwrap();
        assert_eq!((source.name.as_deref(), source.is_folder), (Some(Path::new("file")), false));
        let tar = pack(&source, Some("other")).unwrap();
        assert_eq!(tar.len() % 512, 0);
        assert!(tar.ends_with(&[0; 1024]));
        let entries = read(&tar);
        assert_eq!(entries.keys().collect::<Vec<_>>(), ["other"]);
        assert_eq!((entries["other"].0, entries["other"].1.as_str()), (EntryType::Regular, "hello"));
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_is_packed_with_what_is_in_it() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        use std::time::Duration;

        let folder = TestFolder::new();
        let long = "n".repeat(150);
        folder.make("site/empty");
        let program = folder.write("site/program", "run");
        folder.write(&format!("site/{long}"), "long");
        symlink("program", folder.path("site/link")).unwrap();
        symlink(format!("/{long}"), folder.path("site/far")).unwrap();
        symlink("site", folder.path("to_site")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(folder.path("site/socket")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o4751)).unwrap();
        File::open(&program).unwrap().set_modified(UNIX_EPOCH + Duration::from_secs(1_000_000_000)).unwrap();

        for source in ["site", "to_site"] {
            let source = Source::find(folder.path(source)).unwrap();
            let entries = read(&pack(&source, Some("www")).unwrap());
            let long = format!("www/{long}");
            let names = ["www", "www/empty", "www/far", "www/link", &long, "www/program"];
            assert_eq!(entries.keys().collect::<Vec<_>>(), names);
            assert_eq!(entries["www/program"], (EntryType::Regular, "run".to_owned(), 0o751, 1_000_000_000));
            assert_eq!(entries["www/link"].1, "program");
            assert_eq!(entries["www/far"].1, long.replace("www", ""));
            assert_eq!(entries["www/empty"].0, EntryType::Directory);
        }
        let contents = PathBuf::from(format!("{}/.", folder.path("site").display()));
        let source = Source::find(contents).unwrap();
        assert_eq!(source.name, None);
        let entries = read(&pack(&source, None).unwrap());
        assert_eq!(entries.keys().collect::<Vec<_>>(), ["empty", "far", "link", &long, "program"]);
    }

    #[test]
    fn a_source_that_is_not_there_is_named() {
        let folder = TestFolder::new();
        let error = Source::find(folder.path("missing")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(error.to_string().contains("missing`: "), "{error}");
    }

    #[test]
    fn names_are_found_for_paths_without_one() {
        let here = fs::canonicalize("..").unwrap();
        assert_eq!(name_of(Path::new("..")).unwrap().as_deref().map(Path::as_os_str), here.file_name());
        for (path, contents) in [(".", true), ("a/.", true), ("a", false), ("a.", false), ("..", false), ("", false)] {
            assert_eq!(means_contents(Path::new(path)), contents, "{path}");
        }
    }
}
