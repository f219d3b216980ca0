use longshore_models::{CheckpointCreate, CheckpointSummary};
use longshore_wire::path::Path;

use super::{Container, request};
use crate::error::{Operation, Result};
use crate::http::{Method, Request};

/// How to make a checkpoint.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CheckpointOptions {
    /// The folder on the engine's machine to keep it in; the engine's own unless set.
    pub dir: Option<String>,
    /// Whether the container ends once it is on disk.
    pub exit: bool,
}

impl CheckpointOptions {
    /// Keeps it in this folder on the engine's machine.
    #[must_use]
    pub fn dir(mut self, folder: impl Into<String>) -> Self {
        self.dir = Some(folder.into());
        self
    }

    /// Ends the container once it is on disk.
    #[must_use]
    pub fn exit(mut self) -> Self {
        self.exit = true;
        self
    }
}

/// Which checkpoints to list.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CheckpointListOptions {
    /// The folder on the engine's machine to look in; the engine's own unless set.
    pub dir: Option<String>,
}

impl CheckpointListOptions {
    /// Looks in this folder on the engine's machine.
    #[must_use]
    pub fn dir(mut self, folder: impl Into<String>) -> Self {
        self.dir = Some(folder.into());
        self
    }
}

/// How to remove a checkpoint.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CheckpointRemoveOptions {
    /// The folder on the engine's machine that it is in; the engine's own unless set.
    pub dir: Option<String>,
}

impl CheckpointRemoveOptions {
    /// Removes it from this folder on the engine's machine.
    #[must_use]
    pub fn dir(mut self, folder: impl Into<String>) -> Self {
        self.dir = Some(folder.into());
        self
    }
}

impl Container {
    /// Freezes the container to disk under this name, and lets it go on.
    ///
    /// `POST /containers/{id}/checkpoints`, API 1.25+, by Docker engines that were started with experimental features and
    /// find the program `criu`; the API's specification does not have it. To go on from a checkpoint, start the stopped
    /// container with it: [`StartOptions::checkpoint`](crate::StartOptions::checkpoint).
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// use longshore::container::{CheckpointOptions, StartOptions};
    ///
    /// let counter = docker.container("counter");
    /// counter.create_checkpoint_with("noon", &CheckpointOptions::default().exit()).await?;
    /// counter.start_with(&StartOptions::default().checkpoint("noon")).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Unsupported`](crate::ErrorKind::Unsupported) when the engine's experimental features are off;
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Conflict`](crate::ErrorKind::Conflict) or
    /// [`Server`](crate::ErrorKind::Server), by engine, when the container is not running;
    /// [`Invalid`](crate::ErrorKind::Invalid) for a wrong name; [`Server`](crate::ErrorKind::Server) when there is such
    /// a checkpoint already, or the container can't be frozen.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the checkpoint may be made all the same.
    pub async fn create_checkpoint(&self, name: &str) -> Result<()> {
        self.create_checkpoint_with(name, &CheckpointOptions::default()).await
    }

    /// Freezes the container to disk, as `options` say; see [`create_checkpoint`](Container::create_checkpoint).
    ///
    /// # Errors
    /// As [`create_checkpoint`](Container::create_checkpoint).
    ///
    /// # Cancel safety
    /// As [`create_checkpoint`](Container::create_checkpoint).
    pub async fn create_checkpoint_with(&self, name: &str, options: &CheckpointOptions) -> Result<()> {
        self.docker.send(create(&self.id, name, options)?).await?.finish().await
    }

    /// Lists the container's checkpoints.
    ///
    /// `GET /containers/{id}/checkpoints`, API 1.25+, by Docker engines with experimental features.
    ///
    /// # Errors
    /// [`Unsupported`](crate::ErrorKind::Unsupported) when the engine's experimental features are off;
    /// [`NotFound`](crate::ErrorKind::NotFound).
    ///
    /// # Cancel safety
    /// Nothing happens when the future is dropped.
    pub async fn checkpoints(&self) -> Result<Vec<CheckpointSummary>> {
        self.checkpoints_with(&CheckpointListOptions::default()).await
    }

    /// Lists the container's checkpoints, as `options` say; see [`checkpoints`](Container::checkpoints).
    ///
    /// # Errors
    /// As [`checkpoints`](Container::checkpoints), and for a folder that does not exist
    /// [`NotFound`](crate::ErrorKind::NotFound) or [`Server`](crate::ErrorKind::Server), by engine.
    ///
    /// # Cancel safety
    /// As [`checkpoints`](Container::checkpoints).
    pub async fn checkpoints_with(&self, options: &CheckpointListOptions) -> Result<Vec<CheckpointSummary>> {
        self.docker.send(list(&self.id, options)?).await?.list().await
    }

    /// Removes a checkpoint of the container.
    ///
    /// `DELETE /containers/{id}/checkpoints/{checkpoint}`, API 1.25+, by Docker engines with experimental features.
    ///
    /// # Errors
    /// [`Unsupported`](crate::ErrorKind::Unsupported) when the engine's experimental features are off;
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such container, [`Server`](crate::ErrorKind::Server)
    /// when it has no such checkpoint.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the checkpoint may be removed all the same.
    #[doc(alias = "delete_checkpoint")]
    pub async fn remove_checkpoint(&self, name: &str) -> Result<()> {
        self.remove_checkpoint_with(name, &CheckpointRemoveOptions::default()).await
    }

    /// Removes a checkpoint of the container, as `options` say; see [`remove_checkpoint`](Container::remove_checkpoint).
    ///
    /// # Errors
    /// As [`remove_checkpoint`](Container::remove_checkpoint).
    ///
    /// # Cancel safety
    /// As [`remove_checkpoint`](Container::remove_checkpoint).
    pub async fn remove_checkpoint_with(&self, name: &str, options: &CheckpointRemoveOptions) -> Result<()> {
        self.docker.send(remove(&self.id, name, options)?).await?.finish().await
    }
}

fn create(id: &str, name: &str, options: &CheckpointOptions) -> Result<Request> {
    let request = request(Method::Post, "create checkpoint of container", id, "checkpoints")?.unbounded();
    // What can't stand in a path could be made here, but not removed.
    in_path(Path::new("checkpoints"), name, &request.operation).map(drop)?;
    let mut body = CheckpointCreate::default();
    body.id = name.to_owned();
    body.dir = options.dir.clone().unwrap_or_default();
    body.exit = options.exit;
    request.json(&body)
}

fn list(id: &str, options: &CheckpointListOptions) -> Result<Request> {
    let mut request = request(Method::Get, "list checkpoints of container", id, "checkpoints")?;
    request.query.optional("dir", options.dir.as_ref());
    Ok(request)
}

fn remove(id: &str, name: &str, options: &CheckpointRemoveOptions) -> Result<Request> {
    let mut request = request(Method::Delete, "remove checkpoint of container", id, "checkpoints")?;
    request.path = in_path(request.path, name, &request.operation)?;
    request.query.optional("dir", options.dir.as_ref());
    Ok(request)
}

/// Puts the name of a checkpoint behind a path.
fn in_path(path: Path, name: &str, operation: &Operation) -> Result<Path> {
    path.segment(name).map_err(|source| operation.bad_name(source))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(
            text(create("web", "noon", &CheckpointOptions::default())),
            "POST /containers/web/checkpoints\nContent-Type: application/json\n\n{\"CheckpointID\":\"noon\"}"
        );
        assert_eq!(
            text(create("web", "noon", &CheckpointOptions::default().dir("/a b").exit())),
            "POST /containers/web/checkpoints\nContent-Type: application/json\n\n\
             {\"CheckpointID\":\"noon\",\"CheckpointDir\":\"/a b\",\"Exit\":true}"
        );
        assert_eq!(text(list("web", &CheckpointListOptions::default())), "GET /containers/web/checkpoints");
        assert_eq!(
            text(list("web", &CheckpointListOptions::default().dir("/a b"))),
            "GET /containers/web/checkpoints?dir=%2Fa%20b"
        );
        assert_eq!(
            text(remove("web", "noon", &CheckpointRemoveOptions::default())),
            "DELETE /containers/web/checkpoints/noon"
        );
        assert_eq!(
            text(remove("web", "high noon", &CheckpointRemoveOptions::default().dir("/a"))),
            "DELETE /containers/web/checkpoints/high%20noon?dir=%2Fa"
        );
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for bad in ["", "..", "."] {
            let made = create("web", bad, &CheckpointOptions::default()).unwrap_err();
            let removed = remove("web", bad, &CheckpointRemoveOptions::default()).unwrap_err();
            assert_eq!([made.kind(), removed.kind()], [ErrorKind::Invalid; 2], "{bad:?}");
        }
    }
}
