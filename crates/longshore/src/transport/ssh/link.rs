use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::master::Master;
use crate::transport::Io;

/// A connection to the socket that a master forwards.
pub(super) struct Link {
    io: Box<dyn Io>,
    master: Arc<Master>,
    end: End,
}

/// Whether the connection has ended, and how: a master that goes down closes it as if the engine had.
enum End {
    NotYet,
    Asking(Pin<Box<dyn Future<Output = Option<String>> + Send + Sync>>),
    Known(Option<String>),
}

impl Link {
    pub(super) fn new(io: Box<dyn Io>, master: Arc<Master>) -> Self {
        Link { io, master, end: End::NotYet }
    }

    /// What the master has said last.
    pub(super) fn said(&self) -> String {
        self.master.said()
    }
}

/// Why the master is no more, if it isn't.
async fn demise(master: Arc<Master>) -> Option<String> {
    if master.greets().await {
        return None;
    }
    let said = master.said();
    Some(if said.is_empty() { "it said nothing".to_owned() } else { said })
}

impl AsyncRead for Link {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            match &mut this.end {
                End::NotYet => {
                    let before = buffer.filled().len();
                    ready!(Pin::new(&mut this.io).poll_read(context, buffer))?;
                    if buffer.filled().len() > before || buffer.remaining() == 0 {
                        return Poll::Ready(Ok(()));
                    }
                    this.end = End::Asking(Box::pin(demise(this.master.clone())));
                }
                End::Asking(asking) => {
                    let demise = ready!(asking.as_mut().poll(context));
                    this.end = End::Known(demise);
                }
                End::Known(None) => return Poll::Ready(Ok(())),
                End::Known(Some(why)) => {
                    let message = format!("the ssh connection has ended: {why}");
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::UnexpectedEof, message)));
                }
            }
        }
    }
}

impl AsyncWrite for Link {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.end {
            End::NotYet => Pin::new(&mut self.io).poll_write(context, bytes),
            // A request that met a connection at its end is to be sent on another.
            _ => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}
