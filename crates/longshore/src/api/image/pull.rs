use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use longshore_wire::auth::RegistryAuth;
use longshore_wire::path::Path;
use longshore_wire::reference::Reference;
use longshore_wire::version::ApiVersion;

use super::progress::Messages;
use super::transfer::{LayerProgress, Tally, TransferProgress};
use super::{Image, Images, reference, repository};
use crate::api::registry::by_registry;
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
    /// The credentials for the image's registry; those that the user has stored for it unless set.
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

    /// Shows the registry these credentials instead of those that the user has stored for it;
    /// [`RegistryAuth::anonymous`] for none.
    #[must_use]
    pub fn auth(mut self, auth: RegistryAuth) -> Self {
        self.auth = Some(auth);
        self
    }
}

/// A pull under way: a stream of how far it is.
///
/// The image is there when the stream has ended without an error; [`finish`](PullProgress::finish) reads it to its end.
/// Dropping it closes its connection, and the engine gives the pull up unless another client has asked for the same.
#[derive(Debug)]
#[must_use = "a pull is given up when its progress is dropped"]
pub struct PullProgress {
    messages: Messages,
    tally: Tally,
    image: Image,
    /// Whether all tags are pulled.
    all: bool,
    /// Those of them that were begun.
    tags: Vec<String>,
}

impl PullProgress {
    /// Takes the next step; `None` when the image is there, and after an error.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when the registry does not have the image,
    /// [`Unauthorized`](crate::ErrorKind::Unauthorized) or [`Forbidden`](crate::ErrorKind::Forbidden) when it wants
    /// other credentials, [`InStream`](crate::ErrorKind::InStream) when the pull fails for another reason,
    /// [`Truncated`](crate::ErrorKind::Truncated) when the connection ends before the pull,
    /// [`Decode`](crate::ErrorKind::Decode), [`Protocol`](crate::ErrorKind::Protocol),
    /// [`Timeout`](crate::ErrorKind::Timeout).
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<TransferProgress>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// How far each layer is that the engine has named so far.
    pub fn layers(&self) -> impl Iterator<Item = &LayerProgress> {
        self.tally.layers()
    }

    /// Waits until the image is there. After a pull of all tags the handle holds the name of the repository.
    ///
    /// # Errors
    /// As [`next`](PullProgress::next).
    ///
    /// # Cancel safety
    /// Dropping the future gives the pull up.
    pub async fn finish(mut self) -> Result<Image> {
        while let Some(step) = self.next().await {
            step?;
        }
        Ok(self.image)
    }

    /// Waits until all tags are there: a handle for each.
    ///
    /// # Errors
    /// As [`next`](PullProgress::next).
    ///
    /// # Cancel safety
    /// Dropping the future gives the pull up.
    pub async fn finish_all(mut self) -> Result<Vec<Image>> {
        while let Some(step) = self.next().await {
            step?;
        }
        let Image { docker, name } = self.image;
        if self.tags.is_empty() {
            return Ok(vec![docker.image(name)]);
        }
        Ok(self.tags.iter().map(|tag| docker.image(format!("{name}:{tag}"))).collect())
    }
}

impl Stream for PullProgress {
    type Item = Result<TransferProgress>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let message = ready!(this.messages.poll_next(context));
        Poll::Ready(message.map(|message| {
            let message = message.map_err(by_registry)?;
            if this.all && message.status.starts_with("Pulling from ") && !message.id.is_empty() {
                this.tags.push(message.id.clone());
            }
            Ok(this.tally.add(message))
        }))
    }
}

impl Images {
    /// Pulls an image from its registry: `alpine`, `ghcr.io/a/b:1`, `alpine@sha256:…`. The tag is `latest` unless the
    /// reference has a tag or a digest; a digest decides where it has both. The registry is shown the credentials that the
    /// user has stored for it, as [`Docker::registry_auth`](crate::Docker::registry_auth) finds them.
    ///
    /// `POST /images/create`, API 1.24+. It returns once the engine has begun:
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// let mut pull = docker.images().pull("alpine:3").await?;
    /// while let Some(step) = pull.next().await {
    ///     let step = step?;
    ///     println!("{} of {} bytes", step.done_bytes, step.total_bytes);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) for what is no reference, before anything is sent;
    /// [`NotFound`](crate::ErrorKind::NotFound), [`Unauthorized`](crate::ErrorKind::Unauthorized),
    /// [`Forbidden`](crate::ErrorKind::Forbidden) or [`Server`](crate::ErrorKind::Server), by engine and registry, when
    /// the registry can't be reached or does not give the image. The same may come from the stream. Before anything is
    /// sent, those of [`registry_auth`](crate::Docker::registry_auth).
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
        self.begin(pull(reference, options)?, false).await
    }

    /// Pulls every tag that a repository has in its registry, such as `ghcr.io/a/b`. Podman pulls only `latest`.
    ///
    /// `POST /images/create`, API 1.24+.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// for image in docker.images().pull_all("localhost:5000/web").await?.finish_all().await? {
    ///     println!("{}", image.name());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`pull`](Images::pull); [`Invalid`](crate::ErrorKind::Invalid) for a name with a tag or a digest.
    ///
    /// # Cancel safety
    /// As [`pull`](Images::pull).
    pub async fn pull_all(&self, repository: &str) -> Result<PullProgress> {
        self.pull_all_with(repository, &PullOptions::default()).await
    }

    /// Pulls every tag of a repository, as `options` say; see [`pull_all`](Images::pull_all).
    ///
    /// # Errors
    /// As [`pull_all`](Images::pull_all) and [`pull_with`](Images::pull_with).
    ///
    /// # Cancel safety
    /// As [`pull`](Images::pull).
    pub async fn pull_all_with(&self, repository: &str, options: &PullOptions) -> Result<PullProgress> {
        self.begin(pull_all(repository, options)?, true).await
    }

    async fn begin(&self, pull: Pull, all: bool) -> Result<PullProgress> {
        let messages = Messages::new(self.docker.send(pull.request).await.map_err(by_registry)?);
        let image = self.docker.image(pull.image);
        Ok(PullProgress { messages, tally: Tally::default(), image, all, tags: Vec::new() })
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
    let request = create(&reference, false, operation, options);
    Ok(Pull { request, image: reference.with_default_tag().to_string() })
}

fn pull_all(text: &str, options: &PullOptions) -> Result<Pull> {
    let operation = Operation::on("pull all tags of", text);
    let repository = repository(text, &operation)?;
    Ok(Pull { request: create(&repository, true, operation, options), image: text.to_owned() })
}

fn create(reference: &Reference, all: bool, operation: Operation, options: &PullOptions) -> Request {
    let (name, tag) = reference.pull_parameters();
    let mut request = Request::new(Method::Post, Path::new("images/create"), operation).unbounded();
    let tag = Some(tag).filter(|_| !all);
    request.query.push("fromImage", name).optional("tag", tag).optional("platform", options.platform.as_ref());
    if options.platform.is_some() {
        request.needs("the platform of a pull", ApiVersion::new(1, 32));
    }
    request.auth(options.auth.as_ref(), reference.registry())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;
    use crate::api::image::progress::canned::progress;

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
        assert_eq!(
            text(pull_all("alpine", &PullOptions::default()).map(|pull| pull.request)),
            "POST /images/create?fromImage=docker.io%2Flibrary%2Falpine"
        );
    }

    #[test]
    fn the_image_is_called_as_it_was_asked_for() {
        let image = |text| pull(text, &PullOptions::default()).map(|pull| pull.image);
        assert_eq!(image("alpine").unwrap(), "alpine:latest");
        assert_eq!(image("ghcr.io/a/b:2").unwrap(), "ghcr.io/a/b:2");
        assert_eq!(image("Alpine").unwrap_err().kind(), crate::ErrorKind::Invalid);
        for bad in ["alpine:3", "Alpine", ""] {
            let error = pull_all(bad, &PullOptions::default()).map(|pull| pull.image).unwrap_err();
            assert_eq!((error.kind(), error.operation()), (crate::ErrorKind::Invalid, "pull all tags of"));
        }
    }

    #[tokio::test]
    async fn each_tag_has_a_handle() {
        let messages = [r#"{"status":"Pulling from a/b","id":"1"}"#, r#"{"status":"Pulling from a/b","id":"2"}"#];
        let names = |images: Vec<Image>| images.iter().map(|image| image.name().to_owned()).collect::<Vec<_>>();
        let all = progress(&messages).images().pull_all("a/b").await.unwrap().finish_all().await.unwrap();
        assert_eq!(names(all), ["a/b:1", "a/b:2"]);
        let one = progress(&messages[..1]).images().pull("a/b:1").await.unwrap().finish_all().await.unwrap();
        assert_eq!(names(one), ["a/b:1"]);
        let silent = progress(&[]).images().pull_all("a/b").await.unwrap().finish_all().await.unwrap();
        assert_eq!(names(silent), ["a/b"]);
    }
}
