use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use longshore_models::ProgressMessage;
use longshore_wire::path::Path;

use super::progress::Messages;
use super::{Image, Images, push_platforms};
use crate::docker::Docker;
use crate::error::{Operation, Result};
use crate::http::{Method, Payload, Request};

/// How to load images.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct LoadOptions {
    /// Whether the engine tells only what it has loaded, not how far it is.
    pub quiet: bool,
    /// The platforms that are loaded, such as `linux/arm64/v8`; all that are in the archive unless set. One with API
    /// 1.48+, several with API 1.52+.
    pub platforms: Vec<String>,
}

impl LoadOptions {
    /// Asks only what has been loaded, not how far it is.
    #[must_use]
    pub fn quiet(mut self) -> Self {
        self.quiet = true;
        self
    }

    /// Loads only what the archive has for this platform, such as `linux/arm64/v8`. API 1.48+; may be called for several
    /// with API 1.52+.
    #[must_use]
    pub fn platform(mut self, platform: impl Into<String>) -> Self {
        self.platforms.push(platform.into());
        self
    }
}

/// A load under way: a stream of what the engine tells of its progress.
///
/// The images are there when the stream has ended without an error; [`finish`](LoadProgress::finish) reads it to its
/// end. Dropping it closes its connection; the engine may load the images all the same, since the archive has been sent.
#[derive(Debug)]
#[must_use = "whether the images have been loaded is told at the end"]
pub struct LoadProgress {
    messages: Messages,
    docker: Docker,
    loaded: Vec<String>,
}

impl LoadProgress {
    /// Takes the next message; `None` when the images are there, and after an error.
    ///
    /// # Errors
    /// [`InStream`](crate::ErrorKind::InStream) when the load fails,
    /// [`Truncated`](crate::ErrorKind::Truncated) when the connection ends before the load,
    /// [`Decode`](crate::ErrorKind::Decode), [`Protocol`](crate::ErrorKind::Protocol),
    /// [`Timeout`](crate::ErrorKind::Timeout).
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<ProgressMessage>> {
        std::future::poll_fn(|context| self.poll_message(context)).await
    }

    /// The names of the images that have been loaded so far, and the ids of those without a name.
    pub fn loaded(&self) -> &[String] {
        &self.loaded
    }

    /// Waits until the images are there, and gives them by their names, or by their ids if they have none.
    ///
    /// There may be none, if the archive has none for the platform that was asked for. Docker does not tell the id of an
    /// image without a name if one with a name stands behind it in the archive.
    ///
    /// # Errors
    /// As [`next`](LoadProgress::next).
    ///
    /// # Cancel safety
    /// When the future is dropped, the engine may load the images all the same.
    pub async fn finish(mut self) -> Result<Vec<Image>> {
        while let Some(message) = self.next().await {
            message?;
        }
        Ok(self.loaded.iter().map(|name| self.docker.image(name)).collect())
    }

    fn poll_message(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<ProgressMessage>>> {
        let message = ready!(self.messages.poll_next(context));
        if let Some(Ok(message)) = &message {
            self.loaded.extend(loaded_names(&message.stream).map(str::to_owned));
        }
        Poll::Ready(message)
    }
}

impl Stream for LoadProgress {
    type Item = Result<ProgressMessage>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_message(context)
    }
}

/// The names and ids that a message tells. Docker writes a line for each, Podman all into one line.
fn loaded_names(text: &str) -> impl Iterator<Item = &str> {
    let told = text.lines().filter_map(|line| match line.strip_prefix("Loaded image ID: ") {
        None => line.strip_prefix("Loaded image: "),
        id => id,
    });
    told.flat_map(|names| names.split(',')).map(str::trim).filter(|name| !name.is_empty())
}

impl Images {
    /// Loads the images of a tar that [`save`](Images::save) has made, here or elsewhere, or another tool in the layout
    /// of Docker or OCI. A name is taken from the image that had it.
    ///
    /// `POST /images/load`, API 1.24+. The tar may be compressed with gzip, bzip2, xz or, with most engines, zstd. It is
    /// streamed from its [`Payload`]: memory stays flat however large it is. The call returns once the engine has taken
    /// the archive and begun.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> Result<(), Box<dyn std::error::Error>> {
    /// use longshore::Payload;
    ///
    /// let tar = Payload::reader(tokio::fs::File::open("shop.tar").await?);
    /// for image in docker.images().load(tar).await?.finish().await? {
    ///     println!("loaded {}", image.name());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Server`](crate::ErrorKind::Server), or from the stream [`InStream`](crate::ErrorKind::InStream), by engine,
    /// when it is no such archive or ends inside a file, and [`Io`](crate::ErrorKind::Io) when the payload can't be read:
    /// nothing is loaded then. Where an image in the middle of an archive is wrong, those before it stay.
    ///
    /// # Cancel safety
    /// When the future is dropped before the archive was sent, nothing is loaded.
    pub async fn load(&self, archive: impl Into<Payload>) -> Result<LoadProgress> {
        self.load_with(archive, &LoadOptions::default()).await
    }

    /// Loads the images of a tar, as `options` say; see [`load`](Images::load).
    ///
    /// # Errors
    /// As [`load`](Images::load), and [`Invalid`](crate::ErrorKind::Invalid) for what is no platform,
    /// [`Unsupported`](crate::ErrorKind::Unsupported) for a platform below API 1.48 and for several below API 1.52.
    ///
    /// # Cancel safety
    /// As [`load`](Images::load).
    pub async fn load_with(&self, archive: impl Into<Payload>, options: &LoadOptions) -> Result<LoadProgress> {
        let messages = Messages::new(self.docker.send(load(archive.into(), options)?).await?);
        Ok(LoadProgress { messages, docker: self.docker.clone(), loaded: Vec::new() })
    }
}

fn load(archive: Payload, options: &LoadOptions) -> Result<Request> {
    let operation = Operation::new("load images");
    let mut request = Request::new(Method::Post, Path::new("images/load"), operation).unbounded();
    // Engines are quiet unless told otherwise.
    request.query.bool("quiet", options.quiet);
    push_platforms(&mut request, &options.platforms)?;
    Ok(request.payload("application/x-tar", archive))
}

#[cfg(test)]
mod tests {
    use super::super::progress::canned::{engine, progress};
    use super::*;
    use crate::ErrorKind;
    use crate::api::golden::text;
    use longshore_wire::version::ApiVersion;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(
            text(load("tar".into(), &LoadOptions::default())),
            "POST /images/load?quiet=0\nContent-Type: application/x-tar\n\ntar"
        );
        let options = LoadOptions::default().quiet().platform("linux/amd64");
        let request = load(Payload::reader(tokio::io::empty()), &options).unwrap();
        assert_eq!(request.needs, [("the platform of an archive of images", ApiVersion::new(1, 48))]);
        assert_eq!(
            text(Ok(request)),
            "POST /images/load?quiet=1&platform=%7B%22architecture%22%3A%22amd64%22%2C%22os%22%3A%22linux%22%7D\n\
             Content-Type: application/x-tar\n\n(streamed)"
        );
        let request = load("".into(), &options.platform("linux/arm64")).unwrap();
        assert_eq!(request.needs[1], ("several platforms of an archive of images", ApiVersion::new(1, 52)));
        assert_eq!(load("".into(), &LoadOptions::default().platform("x")).unwrap_err().kind(), ErrorKind::Invalid);
    }

    #[test]
    fn the_names_are_found_in_what_engines_say() {
        let names = |text| loaded_names(text).collect::<Vec<_>>();
        assert_eq!(names("Loaded image: shop/web:1\n"), ["shop/web:1"]);
        assert_eq!(names("Loaded image ID: sha256:0f\nLoaded image ID: sha256:1f\n"), ["sha256:0f", "sha256:1f"]);
        assert_eq!(
            names("Loaded image: localhost/a:1,docker.io/library/b:2"),
            ["localhost/a:1", "docker.io/library/b:2"]
        );
        assert_eq!(
            names("The image a:1 already exists, renaming the old one with ID sha256:0f to empty string\n"),
            [""; 0]
        );
        assert_eq!(names("Loaded image: "), [""; 0]);
        assert_eq!(names(""), [""; 0]);
    }

    const LAYER: &str = r#"{"status":"Loading layer","progressDetail":{"current":512,"total":1024},"id":"0a1b"}"#;
    const FIRST: &str = r#"{"stream":"Loaded image: shop/web:1\n"}"#;

    #[tokio::test]
    async fn a_load_ends_with_the_images_that_it_made() {
        let docker = progress(&[LAYER, FIRST, LAYER, r#"{"stream":"Loaded image: shop/base:1\n"}"#]);
        let mut load = docker.images().load("tar").await.unwrap();
        let message = load.next().await.unwrap().unwrap();
        assert_eq!((message.id.as_str(), message.progress_detail.total), ("0a1b", 1024));
        assert_eq!(load.loaded(), [""; 0]);
        assert!(load.next().await.unwrap().is_ok());
        assert_eq!(load.loaded(), ["shop/web:1"]);
        let images = load.finish().await.unwrap();
        assert_eq!(images.iter().map(Image::name).collect::<Vec<_>>(), ["shop/web:1", "shop/base:1"]);
    }

    #[tokio::test]
    async fn a_failure_inside_the_stream_is_raised_and_ends_it() {
        let docker = progress(&[FIRST, r#"{"errorDetail":{"message":"unexpected EOF"}}"#, FIRST]);
        let mut load = docker.images().load("tar").await.unwrap();
        assert!(load.next().await.unwrap().is_ok());
        let error = load.next().await.unwrap().unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::InStream, "load images: unexpected EOF"));
        assert!(load.next().await.is_none());
        assert_eq!(load.loaded(), ["shop/web:1"]);
        let load = docker.images().load("tar").await.unwrap();
        assert_eq!(load.finish().await.unwrap_err().kind(), ErrorKind::InStream);
    }

    #[tokio::test]
    async fn a_stream_that_is_cut_is_no_load() {
        for body in [&format!("{:x}\r\n{FIRST}\r\n", FIRST.len()), "ff\r\n{\"stream\":\"Loa", ""] {
            let docker = engine("Transfer-Encoding: chunked", body);
            let load = docker.images().load("tar").await.unwrap();
            assert_eq!(load.finish().await.unwrap_err().kind(), ErrorKind::Truncated, "{body}");
        }
    }
}
