use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use longshore_models::ProgressMessage;
use longshore_wire::buildkit::BuildTrace;

use super::super::Image;
use super::super::progress::Messages;
use super::explained;
use crate::docker::Docker;
use crate::error::{Error, ErrorKind, Result};
use crate::http::Response;

/// What an engine tells while it builds.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum BuildEvent {
    /// What the classic builder, or Podman, and the commands of the steps write: lines or parts of lines, with the
    /// sequences that color a terminal.
    Output(String),
    /// What BuildKit does.
    Trace(BuildTrace),
    /// How far something is that the build needs, such as the pull of an image, and whatever else is told.
    Status(ProgressMessage),
    /// The id of an image that was built; the last one is that of the build.
    Image(String),
}

/// A build under way: a stream of what the engine tells of it.
///
/// The image is there when the stream has ended without an error; [`finish`](BuildProgress::finish) reads it to its end.
/// Dropping it closes its connection, and the engine gives the build up.
#[derive(Debug)]
#[must_use = "a build is given up when its progress is dropped"]
pub struct BuildProgress {
    messages: Messages,
    docker: Docker,
    image: Option<String>,
    /// Whether the id of the image comes as output.
    quiet: bool,
    /// Why there are no credentials where there may be some.
    failures: Vec<Error>,
}

impl BuildProgress {
    pub(super) fn new(response: Response, docker: Docker, quiet: bool, failures: Vec<Error>) -> Self {
        BuildProgress { messages: Messages::new(response), docker, image: None, quiet, failures }
    }

    /// Takes the next event; `None` when the build is done, and after an error.
    ///
    /// # Errors
    /// [`InStream`](ErrorKind::InStream) when the build fails, with the exit code of its command as
    /// [`code`](crate::Error::code) where the engine tells it: BuildKit and Podman do not.
    /// [`Truncated`](ErrorKind::Truncated) when the connection ends before the build, [`Decode`](ErrorKind::Decode),
    /// [`Protocol`](ErrorKind::Protocol), [`Timeout`](ErrorKind::Timeout).
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<BuildEvent>> {
        poll_fn(|context| self.poll_event(context)).await
    }

    /// The id of the image, once it is told: shortly before the end.
    pub fn image(&self) -> Option<&str> {
        self.image.as_deref()
    }

    /// Waits until the build is done. The handle holds the id of the image.
    ///
    /// # Errors
    /// As [`next`](BuildProgress::next), and [`Decode`](ErrorKind::Decode) when the engine names no image, as it does
    /// when the outputs of BuildKit are none.
    ///
    /// # Cancel safety
    /// Dropping the future gives the build up.
    pub async fn finish(mut self) -> Result<Image> {
        while let Some(event) = self.next().await {
            event?;
        }
        match self.image {
            Some(id) => Ok(self.docker.image(id)),
            None => Err(self
                .messages
                .operation()
                .error(ErrorKind::Decode, "the engine did not name the image that it built")),
        }
    }

    fn poll_event(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<BuildEvent>>> {
        let message = ready!(self.messages.poll_next(context));
        let explained = |error| explained(error, &self.failures);
        let event = message.map(|message| message.map(event).map_err(explained));
        match &event {
            Some(Ok(BuildEvent::Image(id))) => self.image = Some(id.clone()),
            Some(Ok(BuildEvent::Output(text))) if self.quiet => {
                self.image = id(text).map(str::to_owned).or(self.image.take());
            }
            _ => {}
        }
        Poll::Ready(event)
    }
}

impl Stream for BuildProgress {
    type Item = Result<BuildEvent>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_event(context)
    }
}

/// What a message tells.
fn event(message: ProgressMessage) -> BuildEvent {
    if let Some(id) = message.aux.get("ID").and_then(|id| id.as_str()).filter(|id| !id.is_empty()) {
        return BuildEvent::Image(id.to_owned());
    }
    // A trace that can't be read is handed on as it is.
    if let ("moby.buildkit.trace", Some(Ok(trace))) =
        (message.id.as_str(), message.aux.as_str().map(BuildTrace::from_base64))
    {
        return BuildEvent::Trace(trace);
    }
    match message.stream.is_empty() {
        false => BuildEvent::Output(message.stream),
        true => BuildEvent::Status(message),
    }
}

/// The id of an image, where a line is nothing else.
fn id(line: &str) -> Option<&str> {
    let line = line.trim_end();
    let digits = line.strip_prefix("sha256:").unwrap_or(line);
    (digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::super::super::progress::canned::{engine, progress};
    use super::*;
    use crate::image::BuildOptions;

    const STEP: &str = r#"{"stream":"Step 1/2 : FROM busybox\n"}"#;
    const ID: &str = "sha256:0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f";

    fn aux() -> String {
        format!(r#"{{"aux":{{"ID":"{ID}"}}}}"#)
    }

    #[test]
    fn progress_can_be_shared_between_tasks_and_polled_without_pinning() {
        fn check<T: Stream + Send + Sync + Unpin + 'static>() {}
        check::<BuildProgress>();
    }

    #[tokio::test]
    async fn a_build_ends_with_its_image() {
        let first = r#"{"aux":{"ID":"sha256:11"}}"#;
        let docker = progress(&[STEP, first, STEP, &aux(), r#"{"stream":"Successfully built 0f\n"}"#]);
        let mut build = docker.images().build("tar").await.unwrap();
        assert_eq!(build.next().await.unwrap().unwrap(), BuildEvent::Output("Step 1/2 : FROM busybox\n".to_owned()));
        assert_eq!(build.image(), None);
        assert_eq!(build.next().await.unwrap().unwrap(), BuildEvent::Image("sha256:11".to_owned()));
        assert_eq!(build.image(), Some("sha256:11"));
        assert_eq!(build.finish().await.unwrap().name(), ID);
    }

    #[tokio::test]
    async fn the_id_of_a_quiet_build_is_its_output() {
        let id = format!(r#"{{"stream":"{ID}\n"}}"#);
        for (options, found) in [(BuildOptions::default().quiet(), true), (BuildOptions::default(), false)] {
            let docker = progress(&[STEP, &id]);
            let image = docker.images().build_with("tar", &options).await.unwrap().finish().await;
            match found {
                true => assert_eq!(image.unwrap().name(), ID),
                // It may be what a command has written.
                false => assert_eq!(image.unwrap_err().kind(), ErrorKind::Decode),
            }
        }
    }

    #[tokio::test]
    async fn what_buildkit_tells_is_read() {
        let trace = r#"{"id":"moby.buildkit.trace","aux":"CgoKAWEaBW1ha2Ug"}"#;
        let broken = r#"{"id":"moby.buildkit.trace","aux":"%"}"#;
        let other = r#"{"id":"moby.other","aux":{"a":1}}"#;
        let image = format!(r#"{{"id":"moby.image.id","aux":{{"ID":"{ID}"}}}}"#);
        let pull = r#"{"status":"Pulling fs layer","id":"0a1b"}"#;
        let docker = progress(&[trace, broken, other, pull, &image]);
        let mut build = docker.images().build("tar").await.unwrap();
        match build.next().await.unwrap().unwrap() {
            BuildEvent::Trace(trace) => {
                assert_eq!((trace.steps[0].digest.as_str(), trace.steps[0].name.as_str()), ("a", "make "));
            }
            other => panic!("{other:?}"),
        }
        for id in ["moby.buildkit.trace", "moby.other", "0a1b"] {
            match build.next().await.unwrap().unwrap() {
                BuildEvent::Status(message) => assert_eq!(message.id, id),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(build.finish().await.unwrap().name(), ID);
    }

    #[tokio::test]
    async fn a_failure_inside_the_stream_is_raised_with_its_code_and_ends_it() {
        for (failure, reason, code) in [
            (r#"{"errorDetail":{"code":3,"message":"returned 3"},"error":"returned 3"}"#, "returned 3", Some(3)),
            (r#"{"errorDetail":{"message":"exit status 3\n"},"error":"exit status 3\n"}"#, "exit status 3", None),
            (r#"{"error":"old"}"#, "old", None),
        ] {
            let docker = progress(&[STEP, failure, &aux()]);
            let mut build = docker.images().build_with("tar", &BuildOptions::default().tag("web")).await.unwrap();
            assert!(build.next().await.unwrap().is_ok());
            let error = build.next().await.unwrap().unwrap_err();
            assert_eq!((error.kind(), error.code()), (ErrorKind::InStream, code));
            assert_eq!(error.to_string(), format!("build image `web`: {reason}"));
            assert!(build.next().await.is_none() && build.image().is_none());
            let build = docker.images().build("tar").await.unwrap();
            assert_eq!(build.finish().await.unwrap_err().kind(), ErrorKind::InStream);
        }
    }

    #[tokio::test]
    async fn a_stream_that_is_cut_is_no_build() {
        let aux = aux();
        for body in [&format!("{:x}\r\n{aux}\r\n", aux.len()), "ff\r\n{\"stream\":\"Ste", ""] {
            let docker = engine("Transfer-Encoding: chunked", body);
            let build = docker.images().build("tar").await.unwrap();
            assert_eq!(build.finish().await.unwrap_err().kind(), ErrorKind::Truncated, "{body}");
        }
    }
}
