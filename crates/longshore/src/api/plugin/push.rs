use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use longshore_models::ProgressMessage;
use longshore_wire::auth::RegistryAuth;
use longshore_wire::reference::Reference;

use super::{Plugin, request};
use crate::api::image::progress::Messages;
use crate::error::Result;
use crate::http::{Method, Request};

/// How to push a plugin.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PluginPushOptions {
    /// The credentials for the plugin's registry; those that the user has stored for it unless set.
    pub auth: Option<RegistryAuth>,
}

impl PluginPushOptions {
    /// Shows the registry these credentials instead of those that the user has stored for it;
    /// [`RegistryAuth::anonymous`] for none.
    #[must_use]
    pub fn auth(mut self, auth: RegistryAuth) -> Self {
        self.auth = Some(auth);
        self
    }
}

/// The push of a plugin under way: a stream of what the engine tells of its progress.
///
/// The registry has the plugin when the stream has ended without an error; [`finish`](PluginPushProgress::finish) reads
/// it to its end. Dropping it closes its connection, and the engine gives the push up.
#[derive(Debug)]
#[must_use = "a push is given up when its progress is dropped"]
pub struct PluginPushProgress {
    messages: Messages,
}

impl PluginPushProgress {
    /// Takes the next message; `None` when the registry has the plugin, and after an error.
    ///
    /// # Errors
    /// [`InStream`](crate::ErrorKind::InStream) when the push fails,
    /// [`Truncated`](crate::ErrorKind::Truncated) when the connection ends before it,
    /// [`Decode`](crate::ErrorKind::Decode), [`Protocol`](crate::ErrorKind::Protocol),
    /// [`Timeout`](crate::ErrorKind::Timeout).
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<ProgressMessage>> {
        self.messages.next().await
    }

    /// Waits until the registry has the plugin.
    ///
    /// # Errors
    /// As [`next`](PluginPushProgress::next).
    ///
    /// # Cancel safety
    /// Dropping the future gives the push up.
    pub async fn finish(mut self) -> Result<()> {
        while let Some(message) = self.next().await {
            message?;
        }
        Ok(())
    }
}

impl Stream for PluginPushProgress {
    type Item = Result<ProgressMessage>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.messages.poll_next(context)
    }
}

impl Plugin {
    /// Pushes the plugin to the registry that its name begins with. The registry is shown the credentials that the user has
    /// stored for it, as [`Docker::registry_auth`](crate::Docker::registry_auth) finds them.
    ///
    /// `POST /plugins/{name}/push`, API 1.25+. It returns once the engine has begun.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Unauthorized`](crate::ErrorKind::Unauthorized),
    /// [`Forbidden`](crate::ErrorKind::Forbidden) or [`Server`](crate::ErrorKind::Server), by engine and registry, when
    /// the registry can't be reached or does not take it. The same may come from the stream. Before anything is sent, those
    /// of [`registry_auth`](crate::Docker::registry_auth).
    ///
    /// # Cancel safety
    /// Dropping the future gives the push up.
    pub async fn push(&self) -> Result<PluginPushProgress> {
        self.push_with(&PluginPushOptions::default()).await
    }

    /// Pushes the plugin, as `options` say; see [`push`](Plugin::push).
    ///
    /// # Errors
    /// As [`push`](Plugin::push).
    ///
    /// # Cancel safety
    /// As [`push`](Plugin::push).
    pub async fn push_with(&self, options: &PluginPushOptions) -> Result<PluginPushProgress> {
        let response = self.docker.send(push(&self.name, options)?).await?;
        Ok(PluginPushProgress { messages: Messages::new(response) })
    }
}

fn push(name: &str, options: &PluginPushOptions) -> Result<Request> {
    let request = request(Method::Post, "push plugin", name, "push")?.unbounded();
    // An id names no registry.
    let reference = Reference::parse(name).ok();
    Ok(request.auth(options.auth.as_ref(), reference.as_ref().map(Reference::registry)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::api::golden::text;
    use crate::api::image::progress::canned::progress;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(
            text(push("localhost:5000/a/b:1", &PluginPushOptions::default())),
            "POST /plugins/localhost:5000/a/b:1/push"
        );
        let auth = RegistryAuth::default().username("jane").password("s3cret");
        assert_eq!(
            text(push("a/b", &PluginPushOptions::default().auth(auth))),
            "POST /plugins/a/b/push\nX-Registry-Auth: eyJwYXNzd29yZCI6InMzY3JldCIsInVzZXJuYW1lIjoiamFuZSJ9"
        );
    }

    #[tokio::test]
    async fn a_push_is_done_when_its_stream_ends_without_an_error() {
        let pushing = r#"{"status":"Pushing","id":"0a1b"}"#;
        let docker = progress(&[pushing]);
        let mut push = docker.plugin("a/b").push().await.unwrap();
        assert_eq!(push.next().await.unwrap().unwrap().status, "Pushing");
        push.finish().await.unwrap();
        let docker = progress(&[pushing, r#"{"errorDetail":{"message":"denied"}}"#]);
        let error = docker.plugin("a/b").push().await.unwrap().finish().await.unwrap_err();
        assert_eq!(error.to_string(), "push plugin `a/b`: denied");
        assert_eq!(error.kind(), ErrorKind::InStream);
    }
}
