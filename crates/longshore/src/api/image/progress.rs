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
pub(super) struct Messages {
    messages: Option<JsonStream<ProgressMessage>>,
    operation: Operation,
}

impl Messages {
    pub(super) fn new(response: Response) -> Self {
        let messages = JsonStream::new(response);
        let operation = messages.operation().clone();
        Messages { messages: Some(messages), operation }
    }

    pub(super) fn operation(&self) -> &Operation {
        &self.operation
    }

    pub(super) async fn next(&mut self) -> Option<Result<ProgressMessage>> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// The next message; `None` once the work is done, and after an error.
    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<ProgressMessage>>> {
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
    match message.error_message() {
        None => Ok(message),
        Some("") => Err(operation.error(ErrorKind::InStream, "the engine gave no reason")),
        Some(reason) => Err(operation.error(ErrorKind::InStream, reason)),
    }
}
