use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use longshore_models::ProgressMessage;

use crate::error::{ErrorKind, Operation, Result};
use crate::http::Response;
use crate::stream::JsonStream;

/// The messages of work under way. Their engine answers 200 before it begins, so that a failure is one of them; it is
/// raised as an error.
#[derive(Debug)]
pub(crate) struct Messages {
    messages: Option<JsonStream<ProgressMessage>>,
    operation: Operation,
}

impl Messages {
    pub(crate) fn new(response: Response) -> Self {
        let messages = JsonStream::new(response);
        let operation = messages.operation().clone();
        Messages { messages: Some(messages), operation }
    }

    pub(crate) fn operation(&self) -> &Operation {
        &self.operation
    }

    pub(crate) async fn next(&mut self) -> Option<Result<ProgressMessage>> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// The next message; `None` once the work is done, and after an error.
    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<ProgressMessage>>> {
        let Some(messages) = &mut self.messages else { return Poll::Ready(None) };
        let message = ready!(Pin::new(messages).poll_next(context));
        let message = message.map(|message| message.and_then(|message| raise(&self.operation, message)));
        if !matches!(message, Some(Ok(_))) {
            self.messages = None;
        }
        Poll::Ready(message)
    }
}

fn raise(operation: &Operation, message: ProgressMessage) -> Result<ProgressMessage> {
    let reason = match message.error_message() {
        None => return Ok(message),
        Some("") => "the engine gave no reason",
        Some(reason) => reason.trim_end(),
    };
    let code = message.error_detail.as_ref().map_or(0, |detail| detail.code);
    Err(operation.error(ErrorKind::InStream, reason).with_code(code))
}

#[cfg(test)]
pub(crate) mod canned {
    use tokio::io::AsyncWriteExt;

    use crate::transport::{Dial, Dialing, Io};
    use crate::{ApiVersion, ConnectOptions, Docker, Environment};

    /// An engine that answers 200 with these bytes, whatever it is asked, and closes the connection.
    struct Canned(String);

    impl Dial for Canned {
        fn dial(&self) -> Dialing<'_> {
            Box::pin(async {
                let (near, mut far) = tokio::io::duplex(64 * 1024);
                far.write_all(self.0.as_bytes()).await?;
                // Dropping the far side would break the pipe under the request.
                tokio::spawn(async move {
                    far.shutdown().await?;
                    tokio::io::copy(&mut far, &mut tokio::io::sink()).await
                });
                Ok(Box::new(near) as Box<dyn Io>)
            })
        }

        fn describe(&self) -> String {
            "canned".to_owned()
        }
    }

    pub(crate) fn engine(framing: &str, body: &str) -> Docker {
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{framing}\r\n\r\n{body}");
        let options = ConnectOptions::default().version(ApiVersion::new(1, 41)).environment(Environment::default());
        Docker::connect_through_with(Canned(answer), &options)
    }

    /// An engine that sends these messages, each in a chunk of its own.
    pub(crate) fn progress(messages: &[&str]) -> Docker {
        let chunk = |message: &&str| format!("{:x}\r\n{message}\r\n", message.len());
        let chunks: String = messages.iter().map(chunk).collect();
        engine("Transfer-Encoding: chunked", &format!("{chunks}0\r\n\r\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::canned::{engine, progress};
    use crate::ErrorKind;

    const PULLING: &str = r#"{"status":"Pulling fs layer","progressDetail":{},"id":"0a1b"}"#;

    #[tokio::test]
    async fn a_stream_that_ends_without_an_error_is_a_pull() {
        let docker = progress(&[PULLING, r#"{"status":"Status: Downloaded newer image"}"#]);
        let mut pull = docker.images().pull("alpine").await.unwrap();
        let step = pull.next().await.unwrap().unwrap();
        assert_eq!((step.message.id.as_str(), step.message.status.as_str()), ("0a1b", "Pulling fs layer"));
        assert_eq!(pull.finish().await.unwrap().name(), "alpine:latest");
    }

    #[tokio::test]
    async fn a_failure_inside_the_stream_is_raised_and_ends_it() {
        for (failure, reason) in [
            (r#"{"errorDetail":{"message":"no space left"},"error":"old"}"#, "no space left"),
            (r#"{"error":"no space left"}"#, "no space left"),
            (r#"{"errorDetail":{}}"#, "the engine gave no reason"),
        ] {
            let docker = progress(&[PULLING, failure, PULLING]);
            let mut pull = docker.images().pull("alpine:3").await.unwrap();
            assert!(pull.next().await.unwrap().is_ok());
            let error = pull.next().await.unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InStream);
            assert_eq!(error.to_string(), format!("pull image `alpine:3`: {reason}"));
            assert!(pull.next().await.is_none());
            let pull = docker.images().pull("alpine:3").await.unwrap();
            assert_eq!(pull.finish().await.unwrap_err().kind(), ErrorKind::InStream);
        }
    }

    #[tokio::test]
    async fn a_stream_that_is_cut_is_no_pull() {
        for body in [&format!("{:x}\r\n{PULLING}\r\n", PULLING.len()), "ff\r\n{\"status\":\"Pul", ""] {
            let docker = engine("Transfer-Encoding: chunked", body);
            let pull = docker.images().pull("alpine").await.unwrap();
            assert_eq!(pull.finish().await.unwrap_err().kind(), ErrorKind::Truncated, "{body}");
        }
    }

    #[tokio::test]
    async fn an_import_is_named_by_its_last_message() {
        let id = format!("sha256:{}", "0f".repeat(32));
        let docker = progress(&[r#"{"status":"Importing"}"#, &format!(r#"{{"status":"{id}"}}"#)]);
        assert_eq!(docker.images().import("tar").await.unwrap().name(), id);
        let docker = progress(&[r#"{"status":"Importing"}"#]);
        assert_eq!(docker.images().import("tar").await.unwrap_err().kind(), ErrorKind::Decode);
        let docker = progress(&[&format!(r#"{{"status":"{id}"}}"#), r#"{"errorDetail":{"message":"no"}}"#]);
        assert_eq!(docker.images().import("tar").await.unwrap_err().kind(), ErrorKind::InStream);
    }
}
