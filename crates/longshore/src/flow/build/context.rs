//! Finding out what of a folder is sent.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use longshore_wire::ignore::{IgnoreFile, InvalidPattern};

use crate::error::{Error, ErrorKind, Operation};
use crate::flow::files::{about, unreadable};
use crate::flow::random_word;

/// The file that says what is left out.
pub(super) const IGNORE_FILE: &str = ".dockerignore";

/// A folder that is to be built, as it was found.
#[derive(Debug)]
pub(super) struct Context {
    /// The folder, without symbolic links on the way.
    pub(super) folder: PathBuf,
    pub(super) ignored: IgnoreFile,
    /// Where the engine finds the Dockerfile.
    dockerfile: String,
    /// Whether the folder's own `.dockerignore` stays here, since another file says what is left out.
    pub(super) hides_rules: bool,
    /// Files that are sent though they are not in the folder; each in place of the one with its name.
    pub(super) added: Vec<(String, Vec<u8>)>,
}

/// Why a folder can't be built.
#[derive(Debug)]
pub(super) enum Trouble {
    /// A local file failed; the message names it.
    Local(io::Error),
    /// A pattern can't be read.
    Pattern(PathBuf, InvalidPattern),
}

impl Trouble {
    pub(super) fn explain(self, operation: &Operation) -> Error {
        match self {
            Trouble::Local(error) => unreadable(operation, error),
            Trouble::Pattern(path, source) => {
                let message = format!("`{}`: {source}", path.display());
                operation.error_from(ErrorKind::Invalid, message, source)
            }
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Trouble::Local(error)
    }
}

impl Context {
    /// Looks for the folder, the Dockerfile and what says what is left out.
    ///
    /// The classic builder, and Podman, apply a `.dockerignore` of the context once more, to keep itself and the
    /// Dockerfile from the image; so it is sent even if it is to be left out. BuildKit does not look at it.
    pub(super) fn find(folder: &Path, dockerfile: Option<&str>, buildkit: bool) -> Result<Context, Trouble> {
        let root = fs::canonicalize(folder).map_err(|error| about(folder, error))?;
        if !root.is_dir() {
            return Err(Trouble::Local(about(
                folder,
                io::Error::new(io::ErrorKind::NotADirectory, "it is not a folder"),
            )));
        }
        let (written, found) = find_dockerfile(&root, dockerfile)?;
        let inside = found.strip_prefix(&root).ok().map(|path| String::from_utf8_lossy(&slashed(path)).into_owned());
        let (rules, own) = read_rules(&root, &written)?;
        let mut ignored = rules.as_ref().map_or(Ok(IgnoreFile::default()), |(path, text)| {
            IgnoreFile::parse(text).map_err(|error| Trouble::Pattern(path.clone(), error))
        })?;
        let mut added = Vec::new();
        let mut lines = Vec::new();
        let dockerfile = match &inside {
            Some(path) => {
                ignored = ignored.with_exception(path.as_bytes());
                path.clone()
            }
            None => {
                let name = format!(".dockerfile.{}", random_word());
                added.push((name.clone(), fs::read(&found).map_err(|error| about(&found, error))?));
                lines.push(name.clone());
                name
            }
        };
        if !buildkit {
            if own || (rules.is_none() && !lines.is_empty()) {
                lines.insert(0, IGNORE_FILE.to_owned());
            }
            if !lines.is_empty() {
                let text = rules.map(|(_, text)| text).unwrap_or_default();
                let text = [&text, &b"\n"[..], lines.join("\n").as_bytes(), b"\n"].concat();
                added.push((IGNORE_FILE.to_owned(), text));
            }
            ignored = ignored.with_exception(IGNORE_FILE.as_bytes());
        }
        Ok(Context { folder: root, ignored, dockerfile, hides_rules: own, added })
    }

    /// Where the engine finds the Dockerfile.
    pub(super) fn dockerfile(&self) -> &str {
        &self.dockerfile
    }
}

/// Where the Dockerfile is, as it was written and without symbolic links on the way.
fn find_dockerfile(root: &Path, dockerfile: Option<&str>) -> io::Result<(PathBuf, PathBuf)> {
    let mut written = root.join(dockerfile.unwrap_or("Dockerfile"));
    if dockerfile.is_none() && !is_there(&written) && is_there(&root.join("dockerfile")) {
        written = root.join("dockerfile");
    }
    let found = fs::canonicalize(&written).map_err(|error| about(&written, error))?;
    match fs::metadata(&found).map_err(|error| about(&written, error))?.is_dir() {
        true => Err(about(&written, io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"))),
        false => Ok((written, found)),
    }
}

fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// A file with rules, and its text.
type Rules = (PathBuf, Vec<u8>);

/// Reads what says what is left out, if anything does, and whether that is the Dockerfile's own file.
fn read_rules(root: &Path, dockerfile: &Path) -> io::Result<(Option<Rules>, bool)> {
    let mut own = dockerfile.as_os_str().to_owned();
    own.push(IGNORE_FILE);
    for (path, is_own) in [(PathBuf::from(own), true), (root.join(IGNORE_FILE), false)] {
        match fs::read(&path) {
            Ok(text) => return Ok((Some((path, text)), is_own)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(about(&path, error)),
        }
    }
    Ok((None, false))
}

/// A path with slashes, whatever the system writes.
pub(super) fn slashed(path: &Path) -> Vec<u8> {
    let bytes = path.as_os_str().as_encoded_bytes();
    bytes.iter().map(|byte| if std::path::is_separator(char::from(*byte)) { b'/' } else { *byte }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::files::TestFolder;

    fn find(folder: &TestFolder, dockerfile: Option<&str>) -> Context {
        Context::find(&folder.path("app"), dockerfile, false).unwrap()
    }

    fn added(context: &Context) -> Vec<(&str, String)> {
        context.added.iter().map(|(name, text)| (name.as_str(), String::from_utf8_lossy(text).into_owned())).collect()
    }

    #[test]
    fn the_dockerfile_is_found_as_the_official_tool_does() {
        let folder = TestFolder::new();
        folder.make("app/docker");
        folder.write("app/dockerfile", "");
        assert_eq!(find(&folder, None).dockerfile(), "dockerfile");
        folder.write("app/Dockerfile", "");
        folder.write("app/docker/web", "");
        assert_eq!(find(&folder, None).dockerfile(), "Dockerfile");
        assert_eq!(find(&folder, Some("docker/../docker/web")).dockerfile(), "docker/web");
        assert_eq!(find(&folder, folder.path("app/docker/web").to_str()).dockerfile(), "docker/web");
        assert!(find(&folder, None).added.is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_to_the_folder_and_the_dockerfile() {
        let folder = TestFolder::new();
        folder.make("app");
        folder.write("app/real", "");
        std::os::unix::fs::symlink("real", folder.path("app/Dockerfile")).unwrap();
        std::os::unix::fs::symlink("app", folder.path("link")).unwrap();
        std::os::unix::fs::symlink("loop", folder.path("loop")).unwrap();
        let context = Context::find(&folder.path("link"), None, false).unwrap();
        assert_eq!(context.dockerfile(), "real");
        assert!(context.folder.ends_with("app"));
        assert!(matches!(Context::find(&folder.path("loop"), None, false), Err(Trouble::Local(_))));
    }

    #[test]
    fn a_dockerfile_elsewhere_is_sent_under_a_name_of_its_own() {
        let folder = TestFolder::new();
        folder.make("app");
        folder.write("elsewhere", "FROM scratch");
        let context = find(&folder, Some("../elsewhere"));
        let name = context.dockerfile();
        assert!(name.starts_with(".dockerfile."), "{name}");
        let ignored = format!("\n.dockerignore\n{name}\n");
        assert_eq!(added(&context), [(name, "FROM scratch".to_owned()), (".dockerignore", ignored)]);
        folder.write("app/.dockerignore", "a\n*.md");
        let context = find(&folder, Some("../elsewhere"));
        assert_eq!(added(&context)[1].1, format!("a\n*.md\n{}\n", context.dockerfile()));
        let context = Context::find(&folder.path("app"), Some("../elsewhere"), true).unwrap();
        assert_eq!(context.added.len(), 1);
    }

    #[test]
    fn the_dockerfile_and_the_rules_are_sent_though_they_are_left_out() {
        let folder = TestFolder::new();
        folder.make("app");
        folder.write("app/Dockerfile", "");
        folder.write("app/.dockerignore", "*");
        let context = find(&folder, None);
        let excluded = |context: &Context, name: &str| context.ignored.is_excluded(name.as_bytes());
        assert!(!excluded(&context, "Dockerfile") && !excluded(&context, ".dockerignore") && excluded(&context, "a"));
        let context = Context::find(&folder.path("app"), None, true).unwrap();
        assert!(!excluded(&context, "Dockerfile") && excluded(&context, ".dockerignore"));
    }

    #[test]
    fn rules_of_the_dockerfile_s_own_come_first() {
        let folder = TestFolder::new();
        folder.make("app/docker");
        folder.write("app/docker/web", "");
        folder.write("app/.dockerignore", "a");
        folder.write("app/docker/web.dockerignore", "b");
        let context = find(&folder, Some("docker/web"));
        assert!(context.ignored.is_excluded(b"b") && !context.ignored.is_excluded(b"a"));
        assert_eq!(added(&context), [(".dockerignore", "b\n.dockerignore\n".to_owned())]);
        assert!(context.hides_rules);
        let context = Context::find(&folder.path("app"), Some("docker/web"), true).unwrap();
        assert!(context.hides_rules && context.added.is_empty());
    }

    #[test]
    fn what_is_not_there_or_can_not_be_read_is_named() {
        let folder = TestFolder::new();
        folder.make("app/folder");
        folder.write("file", "");
        let trouble = |path: &str, dockerfile| {
            let trouble = Context::find(&folder.path(path), dockerfile, false).unwrap_err();
            trouble.explain(&Operation::new("build image"))
        };
        for (path, dockerfile, named) in [
            ("missing", None, "missing"),
            ("file", None, "file"),
            ("app", None, "Dockerfile"),
            ("app", Some("folder"), "folder"),
            ("app", Some("no/such"), "such"),
        ] {
            let error = trouble(path, dockerfile);
            assert_eq!(error.kind(), ErrorKind::Io, "{error}");
            assert!(error.message().contains(&format!("{named}`: ")), "{error}");
        }
        folder.write("app/Dockerfile", "");
        folder.write("app/.dockerignore", "a\n[");
        let error = trouble("app", None);
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.message().contains(".dockerignore`: the pattern `[`"), "{error}");
    }
}
