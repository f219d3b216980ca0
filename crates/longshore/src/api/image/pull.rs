use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use longshore_models::ProgressMessage;
use longshore_wire::auth::RegistryAuth;
use longshore_wire::path::Path;
use longshore_wire::version::ApiVersion;

use super::progress::Messages;
use super::{Image, Images, reference};
use crate::error::{Operation, Result};
use crate::http::{Method, Request};

/// How to pull an image.
///
/// ```
/// use longshore::image::PullOptions;
///
/// let options = PullOptions::default().platform("linux/arm64");
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PullOptions {
    /// The platform to pull, such as `linux/arm64/v8`; the engine's own unless set. API 1.32+.
    pub platform: Option<String>,
    /// The credentials for the image's registry; none unless set.
    pub auth: Option<RegistryAuth>,
}

impl PullOptions {
    /// Pulls the image for this platform, such as `linux/arm64/v8`. API 1.32+.
    ///
    /// Where the registry has an image for another platform only, some engines fail, and some pull it nevertheless, at
    /// most with a warning among the messages.
    #[must_use]
    pub fn platform(mut self, platform: impl Into<String>) -> Self {
        self.platform = Some(platform.into());
        self
    }

    /// Shows the registry these credentials.
    #[must_use]
    pub fn auth(mut self, auth: RegistryAuth) -> Self {
        self.auth = Some(auth);
        self
    }
}

/// A pull under way: a stream of what the engine tells of its progress.
///
/// The image is there when the stream has ended without an error; [`finish`](PullProgress::finish) reads it to its end.
/// Dropping it closes its connection, and the engine gives the pull up unless another client has asked for the same.
#[derive(Debug)]
#[must_use = "a pull is given up when its progress is dropped"]
pub struct PullProgress {
    messages: Messages,
    image: Image,
}

impl PullProgress {
    /// Takes the next message; `None` when the image is there, and after an error.
    ///
    /// # Errors
    /// [`InStream`](crate::ErrorKind::InStream) when the pull fails,
    /// [`Truncated`](crate::ErrorKind::Truncated) when the connection ends before the pull,
    /// [`Decode`](crate::ErrorKind::Decode), [`Protocol`](crate::ErrorKind::Protocol),
    /// [`Timeout`](crate::ErrorKind::Timeout).
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<ProgressMessage>> {
        self.messages.next().await
    }

    /// Waits until the image is there.
    ///
    /// # Errors
    /// As [`next`](PullProgress::next).
    ///
    /// # Cancel safety
    /// Dropping the future gives the pull up.
    pub async fn finish(mut self) -> Result<Image> {
        while let Some(message) = self.next().await {
            message?;
        }
        Ok(self.image)
    }
}

impl Stream for PullProgress {
    type Item = Result<ProgressMessage>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.messages.poll_next(context)
    }
}

impl Images {
    /// Pulls an image from its registry: `alpine`, `ghcr.io/a/b:1`, `alpine@sha256:…`. The tag is `latest` unless the
    /// reference has a tag or a digest; a digest decides where it has both.
    ///
    /// `POST /images/create`, API 1.24+. It returns once the engine has begun:
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// let mut pull = docker.images().pull("alpine:3").await?;
    /// while let Some(message) = pull.next().await {
    ///     let message = message?;
    ///     println!("{} {}", message.id, message.status);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) for what is no reference, before anything is sent;
    /// [`NotFound`](crate::ErrorKind::NotFound), [`Unauthorized`](crate::ErrorKind::Unauthorized),
    /// [`Forbidden`](crate::ErrorKind::Forbidden) or [`Server`](crate::ErrorKind::Server), by engine and registry, when
    /// the registry can't be reached or does not give the image. The same may come from the stream.
    ///
    /// # Cancel safety
    /// Dropping the future gives the pull up.
    #[must_use = "a pull is given up when its progress is dropped"]
    pub async fn pull(&self, reference: &str) -> Result<PullProgress> {
        self.pull_with(reference, &PullOptions::default()).await
    }

    /// Pulls an image, as `options` say; see [`pull`](Images::pull).
    ///
    /// # Errors
    /// As [`pull`](Images::pull), and [`Unsupported`](crate::ErrorKind::Unsupported) for a platform below API 1.32.
    ///
    /// # Cancel safety
    /// As [`pull`](Images::pull).
    pub async fn pull_with(&self, reference: &str, options: &PullOptions) -> Result<PullProgress> {
        let Pull { request, image } = pull(reference, options)?;
        let messages = Messages::new(self.docker.send(request).await?);
        Ok(PullProgress { messages, image: self.docker.image(image) })
    }
}

struct Pull {
    request: Request,
    /// What the image is called once it is there.
    image: String,
}

fn pull(text: &str, options: &PullOptions) -> Result<Pull> {
    let operation = Operation::on("pull image", text);
    let reference = reference(text, &operation)?;
    let (name, tag) = reference.pull_parameters();
    let mut request = Request::new(Method::Post, Path::new("images/create"), operation).unbounded();
    request.query.push("fromImage", name).push("tag", tag).optional("platform", options.platform.as_ref());
    if options.platform.is_some() {
        request.needs("the platform of a pull", ApiVersion::new(1, 32));
    }
    if let Some(auth) = &options.auth {
        request = request.header("X-Registry-Auth", auth.header_value());
    }
    Ok(Pull { request, image: reference.with_default_tag().to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    fn request(reference: &str, options: PullOptions) -> String {
        text(pull(reference, &options).map(|pull| pull.request))
    }

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(
            request("alpine", PullOptions::default()),
            "POST /images/create?fromImage=docker.io%2Flibrary%2Falpine&tag=latest"
        );
        let digest = format!("sha256:{}", "0f".repeat(32));
        assert_eq!(
            request(&format!("localhost:5000/a:1@{digest}"), PullOptions::default()),
            format!("POST /images/create?fromImage=localhost%3A5000%2Fa&tag=sha256%3A{}", "0f".repeat(32))
        );
        let auth = RegistryAuth::default().username("jane").password("s3cret");
        assert_eq!(
            request("ghcr.io/a/b:2", PullOptions::default().platform("linux/arm64").auth(auth)),
            "POST /images/create?fromImage=ghcr.io%2Fa%2Fb&tag=2&platform=linux%2Farm64\n\
             X-Registry-Auth: eyJwYXNzd29yZCI6InMzY3JldCIsInVzZXJuYW1lIjoiamFuZSJ9"
        );
    }

    #[test]
    fn the_image_is_called_as_it_was_asked_for() {
        let image = |text| pull(text, &PullOptions::default()).map(|pull| pull.image);
        assert_eq!(image("alpine").unwrap(), "alpine:latest");
        assert_eq!(image("ghcr.io/a/b:2").unwrap(), "ghcr.io/a/b:2");
        assert_eq!(image("Alpine").unwrap_err().kind(), crate::ErrorKind::Invalid);
    }
}
