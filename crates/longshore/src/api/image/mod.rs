//! Images: [`Images`] for all of them, [`Image`] for one.

mod attestations;
mod build;
mod history;
mod import;
mod inspect;
mod list;
mod load;
pub(crate) mod progress;
mod prune;
mod pull;
mod push;
mod remove;
mod save;
mod search;
mod tag;
mod transfer;

use longshore_wire::path::Path;
use longshore_wire::reference::Reference;
use longshore_wire::version::ApiVersion;
use serde_json::json;

pub use attestations::AttestationOptions;
#[cfg(feature = "build")]
pub(crate) use build::operation as build_operation;
pub use build::{BuildContext, BuildEvent, BuildOptions, BuildProgress, BuildPruneOptions};
pub use history::ImageHistoryOptions;
pub use import::ImportOptions;
pub use inspect::ImageInspectOptions;
pub use list::ImageListOptions;
pub use load::{LoadOptions, LoadProgress};
pub use longshore_wire::buildkit::{BuildTrace, InvalidTrace, TraceOutput, TraceProgress, TraceStep, TraceWarning};
pub use prune::ImagePruneOptions;
pub use pull::{PullOptions, PullProgress};
pub use push::{PushOptions, PushProgress};
pub use remove::ImageRemoveOptions;
pub use save::SaveOptions;
pub use search::ImageSearchOptions;
pub use transfer::{LayerProgress, LayerState, TransferProgress};

use crate::docker::Docker;
use crate::error::{ErrorKind, Operation, Result};
use crate::http::{Method, Request};

/// All images of an engine; see [`Docker::images`].
#[derive(Clone, Debug)]
pub struct Images {
    pub(crate) docker: Docker,
}

/// One image, by a reference or its id. Making a handle does no I/O; see [`Docker::image`].
///
/// ```no_run
/// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
/// let alpine = docker.image("alpine:3");
/// println!("{}", alpine.inspect().await?.architecture);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Image {
    pub(crate) docker: Docker,
    pub(crate) name: String,
}

impl Docker {
    /// All images of the engine.
    #[doc(alias = "DockerImages")]
    pub fn images(&self) -> Images {
        Images { docker: self.clone() }
    }

    /// The image with this reference, such as `alpine:3`, or this id or unique beginning of an id. Nothing is sent.
    pub fn image(&self, name: impl Into<String>) -> Image {
        Image { docker: self.clone(), name: name.into() }
    }
}

impl Image {
    /// The reference or id that this handle was made with; the id after a commit or an import.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The client that this handle was made from.
    pub fn docker(&self) -> &Docker {
        &self.docker
    }
}

/// A request about one image: `/images/{name}/{action}`, or without an action `/images/{name}`.
fn request(method: Method, operation: &'static str, name: &str, action: &'static str) -> Result<Request> {
    let operation = Operation::on(operation, name);
    let path = Path::new("images").reference(name).map_err(|source| operation.bad_name(source))?;
    let path = if action.is_empty() { path } else { path.literal(action) };
    Ok(Request::new(method, path, operation))
}

/// Reads a reference that a registry or a new name needs; an id is none.
pub(crate) fn reference(text: &str, operation: &Operation) -> Result<Reference> {
    Reference::parse(text).map_err(|source| operation.error_from(ErrorKind::Invalid, source.to_string(), source))
}

/// Reads the name of a repository, which means all of its tags.
fn repository(text: &str, operation: &Operation) -> Result<Reference> {
    let name = reference(text, operation)?;
    match (name.tag(), name.digest()) {
        (None, None) => Ok(name),
        _ => Err(operation.error(ErrorKind::Invalid, format!("`{name}` is one image, not a repository"))),
    }
}

/// Reads a name that an image is to have: a reference without a digest, which can't be given.
fn new_name(text: &str, operation: &Operation) -> Result<Reference> {
    let name = reference(text, operation)?;
    match name.digest() {
        None => Ok(name),
        Some(_) => Err(operation.error(ErrorKind::Invalid, format!("`{name}` has a digest, which can't be given"))),
    }
}

/// Reads the name of an image that is to be made, if it is to have one.
///
/// It is checked here, because Docker 20.10 makes an image before it finds its name wrong, and leaves it.
pub(crate) fn made_name(
    repository: Option<&str>,
    tag: Option<&str>,
    operation: &Operation,
) -> Result<Option<Reference>> {
    match (repository, tag) {
        (None, None) => Ok(None),
        (Some(repository), None) => new_name(repository, operation).map(Some),
        (Some(repository), Some(tag)) => new_name(&format!("{repository}:{tag}"), operation).map(Some),
        (None, Some(_)) => Err(operation.error(ErrorKind::Invalid, "a tag needs a repository")),
    }
}

/// Adds the platforms of an archive of images to a request: one since API 1.48, several since API 1.52.
fn push_platforms(request: &mut Request, platforms: &[String]) -> Result<()> {
    for platform in platforms {
        request.query.push("platform", platform_json(platform, &request.operation)?);
    }
    if !platforms.is_empty() {
        request.needs("the platform of an archive of images", ApiVersion::new(1, 48));
    }
    if platforms.len() > 1 {
        request.needs("several platforms of an archive of images", ApiVersion::new(1, 52));
    }
    Ok(())
}

/// The JSON that some parameters take for a platform such as `linux/arm64/v8`.
fn platform_json(text: &str, operation: &Operation) -> Result<String> {
    let json = match text.split('/').collect::<Vec<_>>()[..] {
        [os, architecture] => json!({ "os": os, "architecture": architecture }),
        [os, architecture, variant] => json!({ "os": os, "architecture": architecture, "variant": variant }),
        _ => {
            let message = format!("`{text}` is not a platform, which is written like linux/amd64 or linux/arm64/v8");
            return Err(operation.error(ErrorKind::Invalid, message));
        }
    };
    Ok(json.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_are_written_as_json_where_the_engine_wants_it() {
        let operation = Operation::on("inspect image", "a");
        let json = |text| platform_json(text, &operation);
        assert_eq!(json("linux/amd64").unwrap(), r#"{"architecture":"amd64","os":"linux"}"#);
        assert_eq!(json("linux/arm/v7").unwrap(), r#"{"architecture":"arm","os":"linux","variant":"v7"}"#);
        for bad in ["", "linux", "a/b/c/d"] {
            assert_eq!(json(bad).unwrap_err().kind(), ErrorKind::Invalid);
        }
    }

    #[test]
    fn an_image_that_is_made_gets_a_name_or_none() {
        let name = |repository, tag| {
            made_name(repository, tag, &Operation::new("import image")).map(|name| name.map(|name| name.to_string()))
        };
        assert_eq!(name(None, None).unwrap(), None);
        assert_eq!(name(Some("shop/web"), None).unwrap().as_deref(), Some("shop/web"));
        assert_eq!(name(Some("localhost:5000/web"), Some("2")).unwrap().as_deref(), Some("localhost:5000/web:2"));
        let digest = format!("web@sha256:{}", "0".repeat(64));
        for (repository, tag) in [
            (None, Some("2")),
            (Some("BAD"), None),
            (Some("a:1"), Some("2")),
            (Some("a"), Some("")),
            (Some(&digest), None),
        ] {
            assert_eq!(name(repository, tag).unwrap_err().kind(), ErrorKind::Invalid);
        }
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for bad in ["", "../containers", "a//b", "/a"] {
            let error = request(Method::Get, "inspect image", bad, "json").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert_eq!(error.target(), Some(bad));
        }
    }
}
