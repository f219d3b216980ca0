use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use longshore_models::{ImagePushed, ProgressMessage};
use longshore_wire::auth::RegistryAuth;
use longshore_wire::path::Path;
use longshore_wire::reference::Reference;
use longshore_wire::version::ApiVersion;
use serde::Deserialize;

use super::progress::Messages;
use super::transfer::{LayerProgress, Tally, TransferProgress};
use super::{Image, Images, platform_json, reference};
use crate::api::registry::by_registry;
use crate::docker::Docker;
use crate::error::{ErrorKind, Operation, Result};
use crate::http::{Method, Request};

/// How to push an image.
///
/// ```
/// use longshore::RegistryAuth;
/// use longshore::image::PushOptions;
///
/// let options = PushOptions::default().auth(RegistryAuth::default().username("jane").password("s3cret"));
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PushOptions {
    /// The platform whose part of the image is pushed, such as `linux/arm64/v8`; all unless set. API 1.46+.
    pub platform: Option<String>,
    /// The credentials for the image's registry; those that the user has stored for it unless set.
    pub auth: Option<RegistryAuth>,
}

impl PushOptions {
    /// Pushes only what the image has for this platform, such as `linux/arm64/v8`. API 1.46+.
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

/// A push under way: a stream of how far it is.
///
/// The image is in the registry when the stream has ended without an error; [`finish`](PushProgress::finish) reads it
/// to its end. Dropping it closes its connection, and the engine gives the push up unless another client has asked for
/// the same.
#[derive(Debug)]
#[must_use = "a push is given up when its progress is dropped"]
pub struct PushProgress {
    messages: Messages,
    tally: Tally,
    pushed: Vec<ImagePushed>,
}

impl PushProgress {
    /// Takes the next step; `None` when the image is in the registry, and after an error.
    ///
    /// # Errors
    /// [`Unauthorized`](ErrorKind::Unauthorized) or [`Forbidden`](ErrorKind::Forbidden) when the registry wants other
    /// credentials, [`NotFound`](ErrorKind::NotFound) when the engine does not have the image,
    /// [`InStream`](ErrorKind::InStream) when the push fails for another reason,
    /// [`Truncated`](ErrorKind::Truncated) when the connection ends before the push,
    /// [`Decode`](ErrorKind::Decode), [`Protocol`](ErrorKind::Protocol), [`Timeout`](ErrorKind::Timeout).
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<TransferProgress>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// How far each layer is that the engine has named so far. Podman names none.
    pub fn layers(&self) -> impl Iterator<Item = &LayerProgress> {
        self.tally.layers()
    }

    /// Waits until the image is in the registry, and tells its digest. After a push of all tags it is the last one's.
    ///
    /// # Errors
    /// As [`next`](PushProgress::next).
    ///
    /// # Cancel safety
    /// Dropping the future gives the push up.
    pub async fn finish(mut self) -> Result<ImagePushed> {
        while let Some(step) = self.next().await {
            step?;
        }
        self.pushed.pop().ok_or_else(|| self.messages.operation().error(ErrorKind::Decode, "the engine told no digest"))
    }

    /// Waits until all tags are in the registry, and tells the digest of each.
    ///
    /// # Errors
    /// As [`next`](PushProgress::next).
    ///
    /// # Cancel safety
    /// Dropping the future gives the push up.
    pub async fn finish_all(mut self) -> Result<Vec<ImagePushed>> {
        while let Some(step) = self.next().await {
            step?;
        }
        Ok(self.pushed)
    }
}

impl Stream for PushProgress {
    type Item = Result<TransferProgress>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let message = ready!(this.messages.poll_next(context));
        Poll::Ready(message.map(|message| {
            let message = message.map_err(by_registry)?;
            note(&mut this.pushed, &message);
            Ok(this.tally.add(message))
        }))
    }
}

/// Notes what a message says was pushed. Docker tells it in words, and unless it keeps images in containerd for programs
/// too; Podman in words only.
fn note(pushed: &mut Vec<ImagePushed>, message: &ProgressMessage) {
    let told = ImagePushed::deserialize(&message.aux).ok().filter(|told| !told.digest.is_empty());
    let Some(told) = told.or_else(|| in_words(&message.status)) else { return };
    match pushed.iter_mut().find(|known| known.tag == told.tag) {
        Some(known) => *known = told,
        None => pushed.push(told),
    }
}

/// Reads `TAG: digest: sha256:… size: BYTES`.
fn in_words(status: &str) -> Option<ImagePushed> {
    let (tag, rest) = status.split_once(": digest: ")?;
    let (digest, size) = rest.split_once(" size: ")?;
    let mut pushed = ImagePushed::default();
    pushed.size = size.parse().ok()?;
    (pushed.tag, pushed.digest) = (tag.to_owned(), digest.to_owned());
    Some(pushed)
}

impl Image {
    /// Pushes the image to the registry that its name begins with: `ghcr.io/a/b:1`, `localhost:5000/web`; without one,
    /// that is Docker Hub. The tag is `latest` unless the name has one. Give it such a name by [`tag`](Image::tag). The
    /// registry is shown the credentials that the user has stored for it, as [`Docker::registry_auth`] finds them.
    ///
    /// `POST /images/{name}/push`, API 1.24+. It returns once the engine has begun:
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// docker.image("web:2").tag("localhost:5000/web:2").await?;
    /// let mut push = docker.image("localhost:5000/web:2").push().await?;
    /// while let Some(step) = push.next().await {
    ///     let step = step?;
    ///     println!("{} of {} bytes", step.done_bytes, step.total_bytes);
    /// }
    /// println!("{}", push.finish().await?.digest);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](ErrorKind::Invalid) for an id or a digest, since only names can be pushed, before anything is sent;
    /// those of [`PushProgress::next`], some of which some engines find before they begin, and of
    /// [`registry_auth`](Docker::registry_auth).
    ///
    /// # Cancel safety
    /// Dropping the future gives the push up.
    pub async fn push(&self) -> Result<PushProgress> {
        self.push_with(&PushOptions::default()).await
    }

    /// Pushes the image, as `options` say; see [`push`](Image::push).
    ///
    /// # Errors
    /// As [`push`](Image::push); [`Invalid`](ErrorKind::Invalid) for what is no platform,
    /// [`Unsupported`](ErrorKind::Unsupported) for a platform below API 1.46.
    ///
    /// # Cancel safety
    /// As [`push`](Image::push).
    pub async fn push_with(&self, options: &PushOptions) -> Result<PushProgress> {
        let operation = Operation::on("push image", &self.name);
        start(&self.docker, push(&tagged(&self.name, &operation)?, operation, options)?).await
    }
}

impl Images {
    /// Pushes every tag of a repository that the engine has, such as `ghcr.io/a/b`. Podman pushes only `latest`.
    ///
    /// `POST /images/{name}/push`, API 1.24+.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// for pushed in docker.images().push_all("localhost:5000/web").await?.finish_all().await? {
    ///     println!("{} {}", pushed.tag, pushed.digest);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Image::push`]; [`Invalid`](ErrorKind::Invalid) for a name with a tag.
    ///
    /// # Cancel safety
    /// As [`Image::push`].
    pub async fn push_all(&self, repository: &str) -> Result<PushProgress> {
        self.push_all_with(repository, &PushOptions::default()).await
    }

    /// Pushes every tag of a repository, as `options` say; see [`push_all`](Images::push_all).
    ///
    /// # Errors
    /// As [`push_all`](Images::push_all) and [`Image::push_with`].
    ///
    /// # Cancel safety
    /// As [`Image::push`].
    pub async fn push_all_with(&self, repository: &str, options: &PushOptions) -> Result<PushProgress> {
        let operation = Operation::on("push all tags of", repository);
        start(&self.docker, push(&super::repository(repository, &operation)?, operation, options)?).await
    }
}

async fn start(docker: &Docker, request: Request) -> Result<PushProgress> {
    let messages = Messages::new(docker.send(request).await.map_err(by_registry)?);
    Ok(PushProgress { messages, tally: Tally::default(), pushed: Vec::new() })
}

/// Reads the name of an image that is to be pushed: a digest is what a push gives, not what it takes.
fn tagged(name: &str, operation: &Operation) -> Result<Reference> {
    let name = reference(name, operation)?.with_default_tag();
    match name.digest() {
        None => Ok(name),
        Some(_) => Err(operation.error(ErrorKind::Invalid, format!("`{name}` has a digest; images are pushed by tag"))),
    }
}

fn push(name: &Reference, operation: Operation, options: &PushOptions) -> Result<Request> {
    let (repository, _) = name.pull_parameters();
    let path = Path::new("images").reference(&repository).map_err(|source| operation.bad_name(source))?.literal("push");
    let mut request = Request::new(Method::Post, path, operation).unbounded();
    request.query.optional("tag", name.tag());
    if let Some(platform) = &options.platform {
        request.query.push("platform", platform_json(platform, &request.operation)?);
        request.needs("the platform of a push", ApiVersion::new(1, 46));
    }
    request.anonymous = Some(RegistryAuth::anonymous().header_value());
    Ok(request.auth(options.auth.as_ref(), name.registry()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;
    use crate::api::image::progress::canned::{engine, progress};
    use crate::api::image::repository;

    const PUSHED: &str = r#"{"aux":{"Tag":"2","Digest":"sha256:0f","Size":1990}}"#;

    fn request(name: &str, options: &PushOptions) -> Result<Request> {
        let operation = Operation::on("push image", name);
        push(&tagged(name, &operation)?, operation, options)
    }

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(
            text(request("alpine", &PushOptions::default().auth(RegistryAuth::anonymous()))),
            "POST /images/docker.io/library/alpine/push?tag=latest\nX-Registry-Auth: e30="
        );
        let auth = RegistryAuth::default().username("jane").password("s3cret");
        let request = request("localhost:5000/a/b:2", &PushOptions::default().platform("linux/arm64/v8").auth(auth));
        assert_eq!(request.as_ref().unwrap().needs, [("the platform of a push", ApiVersion::new(1, 46))]);
        assert_eq!(
            text(request),
            "POST /images/localhost:5000/a/b/push?tag=2\
             &platform=%7B%22architecture%22%3A%22arm64%22%2C%22os%22%3A%22linux%22%2C%22variant%22%3A%22v8%22%7D\n\
             X-Registry-Auth: eyJwYXNzd29yZCI6InMzY3JldCIsInVzZXJuYW1lIjoiamFuZSJ9"
        );
        let operation = Operation::on("push all tags of", "ghcr.io/a/b");
        let all = repository("ghcr.io/a/b", &operation).unwrap();
        assert_eq!(text(push(&all, operation, &PushOptions::default())), "POST /images/ghcr.io/a/b/push");
    }

    #[test]
    fn only_names_can_be_pushed() {
        let digest = format!("web@sha256:{}", "0".repeat(64));
        for bad in ["", "Web", "a b", "../a", &"0".repeat(64), &digest] {
            let error = request(bad, &PushOptions::default()).unwrap_err();
            assert_eq!((error.kind(), error.operation()), (ErrorKind::Invalid, "push image"));
        }
        let error = request("a", &PushOptions::default().platform("linux")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        for bad in ["a:1", &digest, ""] {
            let operation = Operation::on("push all tags of", bad);
            assert_eq!(repository(bad, &operation).unwrap_err().kind(), ErrorKind::Invalid);
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let options = PushOptions::default().auth(RegistryAuth::default().password("s3cret"));
        let shown = format!("{options:?} {:?}", request("a", &options).unwrap());
        assert!(!shown.contains("s3cret") && !shown.contains("czNjcmV0"), "{shown}");
    }

    #[tokio::test]
    async fn the_digest_is_told_for_programs_or_in_words() {
        let words = r#"{"status":"2: digest: sha256:0f size: 1990"}"#;
        for messages in [&[PUSHED][..], &[words], &[words, PUSHED], &[r#"{"aux":{"other":true}}"#, words]] {
            let push = progress(messages).image("a:2").push().await.unwrap();
            let pushed = push.finish_all().await.unwrap();
            let told: Vec<_> = pushed.iter().map(|pushed| (&*pushed.tag, &*pushed.digest, pushed.size)).collect();
            assert_eq!(told, [("2", "sha256:0f", 1990)]);
        }
        let two = progress(&[PUSHED, r#"{"status":"3: digest: sha256:1e size: 7"}"#]);
        let pushed = two.images().push_all("a").await.unwrap().finish_all().await.unwrap();
        assert_eq!(pushed.iter().map(|pushed| &*pushed.tag).collect::<Vec<_>>(), ["2", "3"]);
        let silent = progress(&[r#"{"status":"a: digest: b"}"#]).image("a").push().await.unwrap();
        assert_eq!(silent.finish().await.unwrap_err().kind(), ErrorKind::Decode);
    }

    #[tokio::test]
    async fn a_push_that_is_refused_inside_the_stream_is_an_error() {
        for (reason, kind) in [
            ("no space left on device", ErrorKind::InStream),
            ("unauthorized: authentication required", ErrorKind::Unauthorized),
            ("An image does not exist locally with the tag: a", ErrorKind::NotFound),
        ] {
            let failure = format!(r#"{{"errorDetail":{{"message":"{reason}"}}}}"#);
            let mut push = progress(&[PUSHED, &failure, PUSHED]).image("a").push().await.unwrap();
            assert!(push.next().await.unwrap().is_ok());
            let error = push.next().await.unwrap().unwrap_err();
            assert_eq!((error.kind(), error.to_string()), (kind, format!("push image `a`: {reason}")));
            assert!(push.next().await.is_none());
        }
        let cut = engine("Transfer-Encoding: chunked", &format!("{:x}\r\n{PUSHED}\r\n", PUSHED.len()));
        let push = cut.image("a").push().await.unwrap();
        assert_eq!(push.finish().await.unwrap_err().kind(), ErrorKind::Truncated);
    }
}
