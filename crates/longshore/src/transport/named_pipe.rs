use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::windows::named_pipe::{ClientOptions, NamedPipeClient};

use super::{Dial, Dialing, Io};

/// What Windows answers while every instance of the pipe has a client: the engine is about to make another one.
const ERROR_PIPE_BUSY: i32 = 231;

/// How long to wait before the next try then.
const PAUSE: Duration = Duration::from_millis(10);

/// An engine behind a named pipe of Windows.
pub(crate) struct NamedPipe {
    path: String,
}

impl NamedPipe {
    pub(crate) fn new(path: String) -> Self {
        NamedPipe { path }
    }
}

impl Dial for NamedPipe {
    fn dial(&self) -> Dialing<'_> {
        Box::pin(async {
            loop {
                // Unless told otherwise, these let the engine find out who the client is, and not act in its name.
                match ClientOptions::new().open(&self.path) {
                    Ok(client) => return Ok(Box::new(Pipe { client, ended: false }) as Box<dyn Io>),
                    Err(error) if error.raw_os_error() == Some(ERROR_PIPE_BUSY) => tokio::time::sleep(PAUSE).await,
                    Err(error) => return Err(error),
                }
            }
        })
    }

    fn describe(&self) -> String {
        format!("npipe://{}", self.path.replace('\\', "/"))
    }

    fn advice(&self, error: &io::Error) -> Option<String> {
        let path = &self.path;
        match error.kind() {
            io::ErrorKind::NotFound => Some(format!("there is no pipe {path}: is the engine running?")),
            io::ErrorKind::PermissionDenied => Some(format!(
                "this user may not open {path}: is the user in the group that the engine lets in, often `docker-users`?"
            )),
            _ => None,
        }
    }
}

/// A connection through a pipe. Engines make pipes of messages, in which an empty one ends the input and leaves the
/// output open.
struct Pipe {
    client: NamedPipeClient,
    ended: bool,
}

impl AsyncRead for Pipe {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.client).poll_read(context, buffer)
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match bytes {
            // It would end the input.
            [] => Poll::Ready(Ok(0)),
            bytes => Pin::new(&mut self.client).poll_write(context, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.client).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.ended {
            ready!(Pin::new(&mut self.client).poll_write(context, &[]))?;
            self.ended = true;
        }
        self.poll_flush(context)
    }
}
