use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use longshore_models::{PluginPrivilege, ProgressMessage};
use longshore_wire::auth::RegistryAuth;
use longshore_wire::path::Path;

use super::{Plugin, Plugins, new_name, remote, request};
use crate::api::image::progress::Messages;
use crate::docker::Docker;
use crate::error::{Operation, Result};
use crate::http::{Method, Request};

/// How to ask what a plugin wants to be allowed.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PluginPrivilegeOptions {
    /// The credentials for the plugin's registry; those that the user has stored for it unless set.
    pub auth: Option<RegistryAuth>,
}

impl PluginPrivilegeOptions {
    /// Shows the registry these credentials instead of those that the user has stored for it;
    /// [`RegistryAuth::anonymous`] for none.
    #[must_use]
    pub fn auth(mut self, auth: RegistryAuth) -> Self {
        self.auth = Some(auth);
        self
    }
}

/// How to pull a plugin.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PluginPullOptions {
    /// The name that the plugin gets here; that of its registry unless set.
    pub name: Option<String>,
    /// The credentials for the plugin's registry; those that the user has stored for it unless set.
    pub auth: Option<RegistryAuth>,
}

impl PluginPullOptions {
    /// Gives the plugin this name here; the tag is `latest` unless it has one.
    #[must_use]
    #[doc(alias = "alias")]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Shows the registry these credentials instead of those that the user has stored for it;
    /// [`RegistryAuth::anonymous`] for none.
    #[must_use]
    pub fn auth(mut self, auth: RegistryAuth) -> Self {
        self.auth = Some(auth);
        self
    }
}

/// How to upgrade a plugin.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PluginUpgradeOptions {
    /// The credentials for the plugin's registry; those that the user has stored for it unless set.
    pub auth: Option<RegistryAuth>,
}

impl PluginUpgradeOptions {
    /// Shows the registry these credentials instead of those that the user has stored for it;
    /// [`RegistryAuth::anonymous`] for none.
    #[must_use]
    pub fn auth(mut self, auth: RegistryAuth) -> Self {
        self.auth = Some(auth);
        self
    }
}

/// The pull or the upgrade of a plugin under way: a stream of what the engine tells of its progress.
///
/// The plugin is there when the stream has ended without an error; [`finish`](PluginProgress::finish) reads it to its
/// end. Dropping it closes its connection, and the engine gives the work up.
#[derive(Debug)]
#[must_use = "the work is given up when its progress is dropped"]
pub struct PluginProgress {
    messages: Messages,
    plugin: Plugin,
}

impl PluginProgress {
    /// Takes the next message; `None` when the plugin is there, and after an error.
    ///
    /// # Errors
    /// [`InStream`](crate::ErrorKind::InStream) when the work fails,
    /// [`Truncated`](crate::ErrorKind::Truncated) when the connection ends before it,
    /// [`Decode`](crate::ErrorKind::Decode), [`Protocol`](crate::ErrorKind::Protocol),
    /// [`Timeout`](crate::ErrorKind::Timeout).
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<ProgressMessage>> {
        self.messages.next().await
    }

    /// Waits until the plugin is there. It is switched off.
    ///
    /// # Errors
    /// As [`next`](PluginProgress::next).
    ///
    /// # Cancel safety
    /// Dropping the future gives the work up.
    pub async fn finish(mut self) -> Result<Plugin> {
        while let Some(message) = self.next().await {
            message?;
        }
        Ok(self.plugin)
    }

    /// Begins the work; the plugin is called `name` unless the engine tells how it calls it.
    async fn begin(docker: &Docker, request: Request, name: &str) -> Result<Self> {
        let response = docker.send(request).await?;
        let name = response.head().header("docker-plugin-name").unwrap_or(name).to_owned();
        Ok(PluginProgress { messages: Messages::new(response), plugin: docker.plugin(name) })
    }
}

impl Stream for PluginProgress {
    type Item = Result<ProgressMessage>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.messages.poll_next(context)
    }
}

impl Plugins {
    /// Tells what a plugin in its registry wants to be allowed, such as reaching the network of the host.
    ///
    /// `GET /plugins/privileges`, API 1.25+. The tag is `latest` unless the reference has one. Engines answer an empty
    /// list also when the registry can't be reached or does not have the plugin: what is wrong is told by the
    /// [`pull`](Plugins::pull).
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) for what is no reference, before anything is sent; those of
    /// [`registry_auth`](crate::Docker::registry_auth).
    ///
    /// # Cancel safety
    /// Nothing happens when the future is dropped.
    pub async fn privileges(&self, reference: &str) -> Result<Vec<PluginPrivilege>> {
        self.privileges_with(reference, &PluginPrivilegeOptions::default()).await
    }

    /// Tells what a plugin wants to be allowed, as `options` say; see [`privileges`](Plugins::privileges).
    ///
    /// # Errors
    /// As [`privileges`](Plugins::privileges).
    ///
    /// # Cancel safety
    /// As [`privileges`](Plugins::privileges).
    pub async fn privileges_with(
        &self,
        reference: &str,
        options: &PluginPrivilegeOptions,
    ) -> Result<Vec<PluginPrivilege>> {
        self.docker.send(privileges(reference, options)?).await?.list().await
    }

    /// Pulls a plugin from its registry, and allows it what it asks for. The tag is `latest` unless the reference has
    /// one.
    ///
    /// `POST /plugins/pull`, API 1.25+. The engine pulls it only if `allowed` is all that the plugin asks for, as
    /// [`privileges`](Plugins::privileges) tells it. The registry is shown the credentials that the user has stored for it,
    /// as [`Docker::registry_auth`](crate::Docker::registry_auth) finds them. It returns once the engine has begun:
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// let asked = docker.plugins().privileges("vieux/sshfs").await?;
    /// for privilege in &asked {
    ///     println!("{}: {}", privilege.name, privilege.value.join(" "));
    /// }
    /// let sshfs = docker.plugins().pull("vieux/sshfs", &asked).await?.finish().await?;
    /// sshfs.enable().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) for what is no reference, before anything is sent;
    /// [`Conflict`](crate::ErrorKind::Conflict) when the engine has a plugin of this name;
    /// [`NotFound`](crate::ErrorKind::NotFound), [`Unauthorized`](crate::ErrorKind::Unauthorized),
    /// [`Forbidden`](crate::ErrorKind::Forbidden) or [`Server`](crate::ErrorKind::Server), by engine and registry, when
    /// the registry can't be reached or does not give the plugin, and when it was not allowed what it asks for. The same
    /// may come from the stream. Before anything is sent, those of
    /// [`registry_auth`](crate::Docker::registry_auth).
    ///
    /// # Cancel safety
    /// Dropping the future gives the pull up.
    #[doc(alias = "install")]
    pub async fn pull(&self, reference: &str, allowed: &[PluginPrivilege]) -> Result<PluginProgress> {
        self.pull_with(reference, allowed, &PluginPullOptions::default()).await
    }

    /// Pulls a plugin, as `options` say; see [`pull`](Plugins::pull).
    ///
    /// # Errors
    /// As [`pull`](Plugins::pull); [`Invalid`](crate::ErrorKind::Invalid) for a wrong name.
    ///
    /// # Cancel safety
    /// As [`pull`](Plugins::pull).
    pub async fn pull_with(
        &self,
        reference: &str,
        allowed: &[PluginPrivilege],
        options: &PluginPullOptions,
    ) -> Result<PluginProgress> {
        let request = pull(reference, allowed, options)?;
        PluginProgress::begin(&self.docker, request, options.name.as_deref().unwrap_or(reference)).await
    }
}

impl Plugin {
    /// Replaces the plugin, which must be off, by another version of it from a registry. Its settings stay.
    ///
    /// `POST /plugins/{name}/upgrade`, API 1.26+. As at a [`pull`](Plugins::pull), `allowed` must be all that the new
    /// version asks for. It returns once the engine has begun.
    ///
    /// # Errors
    /// As [`pull`](Plugins::pull), and [`NotFound`](crate::ErrorKind::NotFound) when there is no such plugin,
    /// [`Conflict`](crate::ErrorKind::Conflict) or [`Server`](crate::ErrorKind::Server), by engine, when it is on.
    ///
    /// # Cancel safety
    /// Dropping the future gives the upgrade up.
    pub async fn upgrade(&self, reference: &str, allowed: &[PluginPrivilege]) -> Result<PluginProgress> {
        self.upgrade_with(reference, allowed, &PluginUpgradeOptions::default()).await
    }

    /// Replaces the plugin, as `options` say; see [`upgrade`](Plugin::upgrade).
    ///
    /// # Errors
    /// As [`upgrade`](Plugin::upgrade).
    ///
    /// # Cancel safety
    /// As [`upgrade`](Plugin::upgrade).
    pub async fn upgrade_with(
        &self,
        reference: &str,
        allowed: &[PluginPrivilege],
        options: &PluginUpgradeOptions,
    ) -> Result<PluginProgress> {
        let request = upgrade(&self.name, reference, allowed, options)?;
        PluginProgress::begin(&self.docker, request, &self.name).await
    }
}

fn privileges(reference: &str, options: &PluginPrivilegeOptions) -> Result<Request> {
    let operation = Operation::on("ask privileges of plugin", reference);
    let reference = remote(reference, &operation)?;
    let mut request = Request::new(Method::Get, Path::new("plugins/privileges"), operation).unbounded();
    request.query.push("remote", &reference);
    Ok(request.auth(options.auth.as_ref(), reference.registry()))
}

fn pull(reference: &str, allowed: &[PluginPrivilege], options: &PluginPullOptions) -> Result<Request> {
    let operation = Operation::on("pull plugin", reference);
    let reference = remote(reference, &operation)?;
    let name = options.name.as_deref().map(|name| new_name(name, &operation)).transpose()?;
    let mut request = Request::new(Method::Post, Path::new("plugins/pull"), operation).unbounded();
    request.query.push("remote", &reference).optional("name", name);
    request.auth(options.auth.as_ref(), reference.registry()).json(&allowed)
}

fn upgrade(
    name: &str,
    reference: &str,
    allowed: &[PluginPrivilege],
    options: &PluginUpgradeOptions,
) -> Result<Request> {
    let mut request = request(Method::Post, "upgrade plugin", name, "upgrade")?.unbounded();
    let reference = remote(reference, &request.operation)?;
    request.query.push("remote", &reference);
    request.auth(options.auth.as_ref(), reference.registry()).json(&allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::api::golden::text;
    use crate::api::image::progress::canned::{engine, progress};

    fn auth() -> RegistryAuth {
        RegistryAuth::default().username("jane").password("s3cret")
    }

    fn network() -> PluginPrivilege {
        let mut network = PluginPrivilege::default();
        network.name = "network".to_owned();
        network.value = vec!["host".to_owned()];
        network
    }

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        const AUTH: &str = "X-Registry-Auth: eyJwYXNzd29yZCI6InMzY3JldCIsInVzZXJuYW1lIjoiamFuZSJ9";
        const NETWORK: &str = "[{\"Name\":\"network\",\"Description\":\"\",\"Value\":[\"host\"]}]";
        assert_eq!(
            text(privileges("a/b:1", &PluginPrivilegeOptions::default().auth(auth()))),
            format!("GET /plugins/privileges?remote=a%2Fb%3A1\n{AUTH}")
        );
        assert_eq!(
            text(pull("a/b", &[], &PluginPullOptions::default())),
            "POST /plugins/pull?remote=a%2Fb\nContent-Type: application/json\n\n[]"
        );
        let options = PluginPullOptions::default().name("c:2").auth(auth());
        assert_eq!(
            text(pull("a/b", &[network()], &options)),
            format!("POST /plugins/pull?remote=a%2Fb&name=c%3A2\n{AUTH}\nContent-Type: application/json\n\n{NETWORK}")
        );
        assert_eq!(
            text(upgrade("c:2", "a/b:3", &[network()], &PluginUpgradeOptions::default().auth(auth()))),
            format!("POST /plugins/c:2/upgrade?remote=a%2Fb%3A3\n{AUTH}\nContent-Type: application/json\n\n{NETWORK}")
        );
    }

    #[test]
    fn what_is_no_reference_is_refused() {
        let name = |name: &str| PluginPullOptions::default().name(name);
        let digest = format!("a@sha256:{}", "0".repeat(64));
        for outcome in [
            privileges("UPPER", &PluginPrivilegeOptions::default()),
            pull("", &[], &PluginPullOptions::default()),
            pull("a/b", &[], &name("a b")),
            pull("a/b", &[], &name(&digest)),
            upgrade("a", "a b", &[], &PluginUpgradeOptions::default()),
            upgrade("../a", "a", &[], &PluginUpgradeOptions::default()),
        ] {
            assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Invalid);
        }
        assert!(pull(&digest, &[], &PluginPullOptions::default()).is_ok());
    }

    #[tokio::test]
    async fn a_plugin_is_called_as_the_engine_tells() {
        let docker = engine("Docker-Plugin-Name: a/b:latest\r\nContent-Length: 2", "{}");
        assert_eq!(docker.plugins().pull("a/b", &[]).await.unwrap().finish().await.unwrap().name(), "a/b:latest");
        let docker = progress(&[r#"{"status":"Pulling"}"#]);
        let options = PluginPullOptions::default().name("c");
        let mut pull = docker.plugins().pull_with("a/b", &[], &options).await.unwrap();
        assert_eq!(pull.next().await.unwrap().unwrap().status, "Pulling");
        assert_eq!(pull.finish().await.unwrap().name(), "c");
    }

    #[tokio::test]
    async fn a_failure_inside_the_stream_is_raised() {
        let docker = progress(&[r#"{"status":"Pulling"}"#, r#"{"errorDetail":{"message":"incorrect privileges"}}"#]);
        for outcome in [docker.plugins().pull("a/b", &[]).await, docker.plugin("c").upgrade("a/b", &[]).await] {
            let error = outcome.unwrap().finish().await.unwrap_err();
            assert_eq!((error.kind(), error.message()), (ErrorKind::InStream, "incorrect privileges"));
        }
    }
}
