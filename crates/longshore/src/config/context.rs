//! The official CLI's contexts: engines that have a name.
//!
//! A context is found by reading all of them and comparing their names. The folders are named by the SHA-256 of these,
//! but there are few, and so no crate is needed to reckon it.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use longshore_models::decode::{self, Decode};

use super::Tls;
use crate::error::{Error, ErrorKind, Operation, Result};

/// The name that stands for no context: `DOCKER_HOST` or the usual socket.
pub(super) const DEFAULT: &str = "default";

/// A context of the official CLI, as [`Environment::contexts`](super::Environment::contexts) lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Context {
    /// Its name.
    pub name: String,
    /// The address of its engine; empty where it names none, which means the usual socket.
    pub host: String,
    /// What its user wrote about it.
    pub description: String,
    /// Whether any certificate of the engine's is taken.
    pub skips_verification: bool,
    folder: OsString,
}

/// The folder in which contexts are kept.
pub(super) struct Contexts {
    folder: PathBuf,
}

/// What a folder of contexts holds.
struct Listing {
    contexts: Vec<Context>,
    broken: Vec<Broken>,
}

/// A context that can't be used.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Broken {
    /// Its name, if that much is known.
    name: Option<String>,
    why: String,
}

#[derive(Default, Decode)]
struct Meta {
    #[serde(rename = "Name", alias = "name")]
    name: String,
    #[serde(rename = "Metadata", alias = "metadata")]
    metadata: Metadata,
    #[serde(rename = "Endpoints", alias = "endpoints")]
    endpoints: Endpoints,
}

/// The engines of a context; those of other kinds don't matter.
#[derive(Default, Decode)]
struct Endpoints {
    docker: Option<Endpoint>,
}

#[derive(Default, Decode)]
struct Metadata {
    #[serde(rename = "Description")]
    description: String,
}

#[derive(Default, Decode)]
struct Endpoint {
    #[serde(rename = "Host")]
    host: String,
    #[serde(rename = "SkipTLSVerify")]
    skip_tls_verify: bool,
}

impl Contexts {
    /// Those below the official CLI's folder.
    pub(super) fn of(folder: &Path) -> Self {
        Contexts { folder: folder.join("contexts") }
    }

    /// All contexts that can be read, by name.
    pub(super) fn list(&self) -> Result<Vec<Context>> {
        Ok(self.read()?.contexts)
    }

    /// The context of this name. `origin` says in an error who named it.
    pub(super) fn find(&self, name: &str, origin: &str) -> Result<Context> {
        let Listing { mut contexts, broken } = self.read()?;
        if let Some(found) = contexts.iter().position(|context| context.name == name) {
            return Ok(contexts.swap_remove(found));
        }
        if let Some(found) = broken.iter().find(|broken| broken.name.as_deref() == Some(name)) {
            return Err(failure(format!("the context {}, {origin}: {}", quoted(name), found.why)));
        }
        let names = contexts.iter().map(|context| quoted(&context.name)).chain([quoted(DEFAULT)]);
        let names = names.collect::<Vec<_>>().join(", ");
        let place = self.folder.display();
        let mut message = format!("there is no context {}, {origin}: {place} has {names}", quoted(name));
        for Broken { why, .. } in broken.iter().filter(|broken| broken.name.is_none()) {
            message = format!("{message}; {why}");
        }
        Err(failure(message))
    }

    /// What TLS with the context's engine is made with: the files that the context has, and no others; `None` where it
    /// has none and asks for nothing.
    pub(super) fn tls(&self, context: &Context) -> Result<Option<Tls>> {
        let folder = self.folder.join("tls").join(&context.folder).join("docker");
        let tls = match folder.is_dir() {
            true => Tls::from_folder(&folder)?,
            false if context.skips_verification => Tls::default(),
            false => return Ok(None),
        };
        Ok(Some(if context.skips_verification { tls.without_verification() } else { tls }))
    }

    fn read(&self) -> Result<Listing> {
        let mut listing = Listing { contexts: Vec::new(), broken: Vec::new() };
        let meta = self.folder.join("meta");
        let entries = match fs::read_dir(&meta) {
            Ok(entries) => entries,
            Err(error) if is_absent(&error) => return Ok(listing),
            Err(error) => return Err(unreadable(&meta, error)),
        };
        for entry in entries {
            let folder = entry.map_err(|error| unreadable(&meta, error))?.file_name();
            let path = meta.join(&folder).join("meta.json");
            // There are few, and what sorts many is a lot of code for every program that connects.
            match read(&path, folder) {
                Ok(None) => {}
                Ok(Some(context)) => {
                    let place = listing.contexts.partition_point(|other| other.name < context.name);
                    listing.contexts.insert(place, context);
                }
                Err(broken) => {
                    let place = listing.broken.partition_point(|other| *other < broken);
                    listing.broken.insert(place, broken);
                }
            }
        }
        Ok(listing)
    }
}

/// Reads one context; `None` where there is none. What is wrong is told without anything of the file, which may hold
/// what a person did not mean to show.
fn read(path: &Path, folder: OsString) -> Result<Option<Context>, Broken> {
    let place = path.display();
    let broken = |why| Broken { name: None, why };
    let json = match fs::read(path) {
        Ok(json) => json,
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(broken(format!("{place} can't be read: {error}"))),
    };
    let Meta { name, metadata, endpoints } = decode::from_slice(&json).map_err(|error: serde_json::Error| {
        broken(format!("{place} can't be understood, at line {}, column {}", error.line(), error.column()))
    })?;
    match endpoints.docker {
        _ if name.is_empty() => Err(broken(format!("{place} has no name"))),
        None => Err(Broken { name: Some(name), why: format!("{place} names no Docker engine") }),
        Some(Endpoint { host, skip_tls_verify: skips_verification }) => {
            Ok(Some(Context { name, host, description: metadata.description, skips_verification, folder }))
        }
    }
}

/// Whether there is nothing, rather than something that can't be read.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// A name that may hold anything, on one line.
pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", name.escape_debug())
}

fn failure(message: String) -> Error {
    Operation::new("connect").error(ErrorKind::Config, message)
}

fn unreadable(path: &Path, source: io::Error) -> Error {
    let message = format!("{} can't be read: {source}", path.display());
    Operation::new("connect").error_from(ErrorKind::Config, message, source)
}

#[cfg(test)]
mod tests {
    use longshore_testkit::Folder;

    use super::*;

    fn meta(name: &str, endpoint: &str) -> String {
        let name = serde_json::to_string(name).unwrap();
        format!(r#"{{"Name":{name},"Metadata":{{"Description":"a test"}},"Endpoints":{{"docker":{endpoint}}}}}"#)
    }

    fn store(contexts: &[(&str, &str)]) -> (Folder, Contexts) {
        let folder = Folder::new();
        for (index, (name, endpoint)) in contexts.iter().enumerate() {
            folder.write(format!("contexts/meta/{index}/meta.json"), meta(name, endpoint));
        }
        let contexts = Contexts::of(folder.path());
        (folder, contexts)
    }

    fn refused(contexts: &Contexts, name: &str) -> String {
        let error = contexts.find(name, "that DOCKER_CONTEXT names").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        error.message().to_owned()
    }

    #[test]
    fn contexts_are_found_by_any_name() {
        let names = ["work", "Work", " work", "../../etc", "été", "a\"b\\c\n", "🐳", "0"];
        let hosts: Vec<_> = (0..names.len()).map(|port| format!(r#"{{"Host":"tcp://h:{}"}}"#, port + 1)).collect();
        let contexts: Vec<_> = names.into_iter().zip(hosts.iter().map(String::as_str)).collect();
        let (_folder, contexts) = store(&contexts);
        for (index, name) in names.into_iter().enumerate() {
            let found = contexts.find(name, "").unwrap();
            assert_eq!((found.name.as_str(), found.host), (name, format!("tcp://h:{}", index + 1)));
            assert_eq!((found.description.as_str(), found.skips_verification), ("a test", false));
        }
        let mut sorted = names.to_vec();
        sorted.sort();
        assert_eq!(contexts.list().unwrap().into_iter().map(|context| context.name).collect::<Vec<_>>(), sorted);
    }

    #[test]
    fn a_context_that_is_missing_is_an_error_that_lists_those_that_exist() {
        let (folder, contexts) = store(&[("work", "{}"), ("a\nb", "{}")]);
        let place = folder.path().join("contexts");
        let place = place.display();
        let expected =
            format!("there is no context `wrok`, that DOCKER_CONTEXT names: {place} has `a\\nb`, `work`, `default`");
        assert_eq!(refused(&contexts, "wrok"), expected);
        let (folder, contexts) = store(&[]);
        assert_eq!(contexts.list().unwrap(), []);
        let place = folder.path().join("contexts");
        let expected =
            format!("there is no context `work`, that DOCKER_CONTEXT names: {} has `default`", place.display());
        assert_eq!(refused(&contexts, "work"), expected);
    }

    #[test]
    fn a_broken_file_matters_only_if_it_may_be_the_one() {
        let (folder, contexts) = store(&[("work", r#"{"Host":"tcp://h:1"}"#)]);
        let broken = ["{\"Name\":\"s3cret", "[]", "5", r#"{"Name":""}"#, r#"{"Name":"x","Endpoints":7}"#];
        for (index, json) in broken.iter().enumerate() {
            folder.write(format!("contexts/meta/b{index}/meta.json"), json);
        }
        folder.write("contexts/meta/file", "");
        folder.write("contexts/meta/empty/other.json", "");
        assert_eq!(contexts.find("work", "").unwrap().host, "tcp://h:1");
        assert_eq!(contexts.list().unwrap().len(), 1);
        let message = refused(&contexts, "gone");
        for index in 0..broken.len() {
            assert!(message.contains(&format!("b{index}/meta.json ")), "{message}");
        }
        assert!(!message.contains("s3cret") && !message.contains("empty"), "{message}");
    }

    #[test]
    fn a_context_without_a_docker_engine_can_not_be_used() {
        let (folder, contexts) = store(&[]);
        folder.write("contexts/meta/k/meta.json", r#"{"Name":"k","Endpoints":{"kubernetes":{"Host":"x"}}}"#);
        let message = refused(&contexts, "k");
        assert!(message.starts_with("the context `k`, that DOCKER_CONTEXT names: "), "{message}");
        assert!(message.ends_with("meta.json names no Docker engine"), "{message}");
    }

    #[test]
    fn the_tls_of_a_context_is_what_its_folder_has() {
        let skips = r#"{"Host":"tcp://h:1","SkipTLSVerify":true}"#;
        let (folder, contexts) =
            store(&[("plain", r#"{"Host":"tcp://h:1"}"#), ("skips", skips), ("full", "{}"), ("both", skips)]);
        for (path, pem) in [("2/docker/ca", "A"), ("2/docker/cert", "B"), ("2/docker/key", "C"), ("3/docker/ca", "A")] {
            folder.write(format!("contexts/tls/{path}.pem"), pem);
        }
        let tls = |name| contexts.tls(&contexts.find(name, "").unwrap()).unwrap();
        assert_eq!(tls("plain"), None);
        assert_eq!(tls("skips"), Some(Tls::default().without_verification()));
        assert_eq!(tls("full"), Some(Tls::default().authority("A").identity("B", "C")));
        assert_eq!(tls("both"), Some(Tls::default().authority("A").without_verification()));
    }
}
