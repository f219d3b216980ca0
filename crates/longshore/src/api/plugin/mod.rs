//! Plugins that the engine runs itself: [`Plugins`] for all of them, [`Plugin`] for one.

mod create;
mod inspect;
mod lifecycle;
mod pull;
mod push;

use longshore_wire::path::Path;
use longshore_wire::reference::Reference;

pub use inspect::PluginListOptions;
pub use lifecycle::{PluginDisableOptions, PluginEnableOptions, PluginRemoveOptions};
pub use pull::{PluginPrivilegeOptions, PluginProgress, PluginPullOptions, PluginUpgradeOptions};
pub use push::{PluginPushOptions, PluginPushProgress};

use crate::docker::Docker;
use crate::error::{ErrorKind, Operation, Result};
use crate::http::{Method, Request};

/// All plugins of an engine; see [`Docker::plugins`].
#[derive(Clone, Debug)]
pub struct Plugins {
    pub(crate) docker: Docker,
}

/// One plugin, by its name. Making a handle does no I/O; see [`Docker::plugin`].
///
/// ```no_run
/// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
/// let sshfs = docker.plugin("vieux/sshfs");
/// sshfs.set(["DEBUG=1"]).await?;
/// sshfs.enable().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Plugin {
    pub(crate) docker: Docker,
    pub(crate) name: String,
}

impl Docker {
    /// All plugins of the engine. Podman has none of this kind: there every call fails with
    /// [`Unsupported`](ErrorKind::Unsupported).
    #[doc(alias = "DockerPlugins")]
    pub fn plugins(&self) -> Plugins {
        Plugins { docker: self.clone() }
    }

    /// The plugin with this name, such as `vieux/sshfs` or `vieux/sshfs:next`, or this id or unique beginning of an id.
    /// The tag is `latest` unless the name has one. Nothing is sent.
    pub fn plugin(&self, name: impl Into<String>) -> Plugin {
        Plugin { docker: self.clone(), name: name.into() }
    }
}

impl Plugin {
    /// The name or id that this handle was made with; the name that the engine told after a pull.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The client that this handle was made from.
    pub fn docker(&self) -> &Docker {
        &self.docker
    }
}

/// A request about one plugin: `/plugins/{name}/{action}`, or without an action `/plugins/{name}`.
fn request(method: Method, operation: &'static str, name: &str, action: &'static str) -> Result<Request> {
    let operation = Operation::on(operation, name);
    let path = Path::new("plugins").reference(name).map_err(|source| operation.bad_name(source))?;
    let path = if action.is_empty() { path } else { path.literal(action) };
    Ok(Request::new(method, path, operation))
}

/// Reads the reference of a plugin in its registry.
fn remote(text: &str, operation: &Operation) -> Result<Reference> {
    Reference::parse(text).map_err(|source| operation.error_from(ErrorKind::Invalid, source.to_string(), source))
}

/// Reads a name that a plugin is to have: a reference without a digest, which can't be given.
fn new_name(text: &str, operation: &Operation) -> Result<Reference> {
    let name = remote(text, operation)?;
    match name.digest() {
        None => Ok(name),
        Some(_) => Err(operation.error(ErrorKind::Invalid, format!("`{name}` has a digest, which can't be given"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for bad in ["", "../containers", "a//b", "/a"] {
            let error = request(Method::Get, "inspect plugin", bad, "json").unwrap_err();
            assert_eq!((error.kind(), error.target()), (ErrorKind::Invalid, Some(bad)));
        }
    }
}
