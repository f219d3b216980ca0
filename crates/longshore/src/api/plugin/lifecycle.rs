use std::time::Duration;

use super::{Plugin, request};
use crate::api::whole_seconds;
use crate::error::Result;
use crate::http::{Method, Request};

/// How to switch a plugin on.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PluginEnableOptions {
    /// How long each request that the engine makes to the plugin may take, in whole seconds rounded up; any time unless
    /// set.
    pub timeout: Option<Duration>,
}

impl PluginEnableOptions {
    /// Lets each request that the engine makes to the plugin take so long, in whole seconds rounded up.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }
}

/// How to switch a plugin off.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PluginDisableOptions {
    /// Whether it is switched off although it is in use.
    pub force: bool,
}

impl PluginDisableOptions {
    /// Switches it off although it is in use.
    #[must_use]
    pub fn force(mut self) -> Self {
        self.force = true;
        self
    }
}

/// How to remove a plugin.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PluginRemoveOptions {
    /// Whether it is switched off first, although it is in use.
    pub force: bool,
}

impl PluginRemoveOptions {
    /// Switches it off first, although it is in use.
    #[must_use]
    pub fn force(mut self) -> Self {
        self.force = true;
        self
    }
}

impl Plugin {
    /// Switches the plugin on: starts its program, and waits until that listens on its socket.
    ///
    /// `POST /plugins/{name}/enable`, API 1.25+. The engine gives the program about ten seconds.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Conflict`](crate::ErrorKind::Conflict) when it is on already;
    /// [`Server`](crate::ErrorKind::Server) when its program does not start or does not listen.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the plugin may be switched on all the same.
    pub async fn enable(&self) -> Result<()> {
        self.enable_with(&PluginEnableOptions::default()).await
    }

    /// Switches the plugin on, as `options` say; see [`enable`](Plugin::enable).
    ///
    /// # Errors
    /// As [`enable`](Plugin::enable).
    ///
    /// # Cancel safety
    /// As [`enable`](Plugin::enable).
    pub async fn enable_with(&self, options: &PluginEnableOptions) -> Result<()> {
        self.docker.send(enable(&self.name, options)?).await?.finish().await
    }

    /// Switches the plugin off: ends its program.
    ///
    /// `POST /plugins/{name}/disable`, API 1.25+.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Conflict`](crate::ErrorKind::Conflict) when it is off already or in
    /// use.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the plugin may be switched off all the same.
    pub async fn disable(&self) -> Result<()> {
        self.disable_with(&PluginDisableOptions::default()).await
    }

    /// Switches the plugin off, as `options` say; see [`disable`](Plugin::disable).
    ///
    /// # Errors
    /// As [`disable`](Plugin::disable).
    ///
    /// # Cancel safety
    /// As [`disable`](Plugin::disable).
    pub async fn disable_with(&self, options: &PluginDisableOptions) -> Result<()> {
        self.docker.send(disable(&self.name, options)?).await?.finish().await
    }

    /// Changes settings of the plugin, which must be off: `DEBUG=1` for a variable or its arguments,
    /// `data.source=/srv` for a mount, `fuse.path=/dev/fuse` for a device, by the names in its configuration.
    ///
    /// `POST /plugins/{name}/set`, API 1.25+.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Conflict`](crate::ErrorKind::Conflict) when it is on;
    /// [`Server`](crate::ErrorKind::Server) for a setting that it does not have or that can't be changed. Then nothing
    /// is changed.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the settings may be changed all the same.
    #[doc(alias = "configure")]
    pub async fn set(&self, settings: impl IntoIterator<Item = impl Into<String>>) -> Result<()> {
        let settings: Vec<String> = settings.into_iter().map(Into::into).collect();
        self.docker.send(set(&self.name, &settings)?).await?.finish().await
    }

    /// Removes the plugin, which must be off.
    ///
    /// `DELETE /plugins/{name}`, API 1.25+.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Conflict`](crate::ErrorKind::Conflict) when it is on.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the plugin may be removed all the same.
    #[doc(alias = "delete")]
    pub async fn remove(&self) -> Result<()> {
        self.remove_with(&PluginRemoveOptions::default()).await
    }

    /// Removes the plugin, as `options` say; see [`remove`](Plugin::remove).
    ///
    /// # Errors
    /// As [`remove`](Plugin::remove).
    ///
    /// # Cancel safety
    /// As [`remove`](Plugin::remove).
    pub async fn remove_with(&self, options: &PluginRemoveOptions) -> Result<()> {
        self.docker.send(remove(&self.name, options)?).await?.finish().await
    }
}

fn enable(name: &str, options: &PluginEnableOptions) -> Result<Request> {
    let mut request = request(Method::Post, "enable plugin", name, "enable")?.unbounded();
    // Engines refuse a request that leaves it out, whatever their specification says.
    request.query.push("timeout", options.timeout.map_or(0, whole_seconds));
    Ok(request)
}

fn disable(name: &str, options: &PluginDisableOptions) -> Result<Request> {
    let mut request = request(Method::Post, "disable plugin", name, "disable")?.unbounded();
    request.query.flag("force", options.force);
    Ok(request)
}

fn set(name: &str, settings: &[String]) -> Result<Request> {
    request(Method::Post, "set plugin", name, "set")?.json(&settings)
}

fn remove(name: &str, options: &PluginRemoveOptions) -> Result<Request> {
    let mut request = request(Method::Delete, "remove plugin", name, "")?.unbounded();
    request.query.flag("force", options.force);
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(text(enable("a/b", &PluginEnableOptions::default())), "POST /plugins/a/b/enable?timeout=0");
        let options = PluginEnableOptions::default().timeout(Duration::from_millis(1500));
        assert_eq!(text(enable("a/b:1", &options)), "POST /plugins/a/b:1/enable?timeout=2");
        assert_eq!(text(disable("a/b", &PluginDisableOptions::default())), "POST /plugins/a/b/disable");
        assert_eq!(text(disable("a/b", &PluginDisableOptions::default().force())), "POST /plugins/a/b/disable?force=1");
        assert_eq!(
            text(set("a/b", &["DEBUG=1".to_owned(), "data.source=/srv".to_owned()])),
            "POST /plugins/a/b/set\nContent-Type: application/json\n\n[\"DEBUG=1\",\"data.source=/srv\"]"
        );
        assert_eq!(text(remove("a/b", &PluginRemoveOptions::default())), "DELETE /plugins/a/b");
        assert_eq!(text(remove("a/b", &PluginRemoveOptions::default().force())), "DELETE /plugins/a/b?force=1");
    }
}
