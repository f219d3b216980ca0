use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use longshore_wire::head::ResponseHead;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::error::{Operation, Result};
use crate::http::{Incoming, Outgoing, Response, Upgraded};

/// A connection that the engine has handed over: bytes both ways, in whatever protocol was asked for.
///
/// It is an [`AsyncRead`] and an [`AsyncWrite`]. What came right behind the engine's answer is read first. Its end is
/// the end of the connection; whether that came too early only the protocol can tell. Reading fails at the deadlines for
/// silence and for the whole call where they are set, writing at that for the whole call. Shutting it down ends what is
/// sent and leaves what comes open. Dropping it closes the connection.
pub struct RawConnection {
    incoming: Incoming,
    outgoing: Outgoing,
    head: ResponseHead,
    operation: Operation,
}

impl RawConnection {
    pub(crate) fn new(response: Response) -> Result<Self> {
        let (operation, head, upgraded) = response.into_upgraded()?;
        let Upgraded { incoming, outgoing } = upgraded;
        Ok(RawConnection { incoming, outgoing, head, operation })
    }

    /// What the engine says that comes, such as `application/vnd.docker.raw-stream`.
    pub fn content_type(&self) -> Option<&str> {
        self.head.content_type()
    }

    /// Takes what comes next, without copying it; `None` at the end.
    ///
    /// # Errors
    /// [`Timeout`](crate::ErrorKind::Timeout) at a deadline, [`Truncated`](crate::ErrorKind::Truncated) or
    /// [`Closed`](crate::ErrorKind::Closed) when the connection fails.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<Bytes>> {
        std::future::poll_fn(|context| self.poll_data(context))
            .await
            .map(|there| there.then(|| self.incoming.window.take(self.incoming.window.data().len())))
            .transpose()
    }

    /// Brings data into the window; answers whether there is any before the end.
    fn poll_data(&mut self, context: &mut Context<'_>) -> Poll<Result<bool>> {
        match self.incoming.window.data().is_empty() {
            true => self.incoming.poll_data(&self.operation, context),
            false => Poll::Ready(Ok(true)),
        }
    }
}

impl AsyncRead for RawConnection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if ready!(self.poll_data(context))? {
            let data = self.incoming.window.data();
            let count = data.len().min(buffer.remaining());
            buffer.put_slice(&data[..count]);
            self.incoming.window.skip(count);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for RawConnection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.outgoing).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.outgoing).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.outgoing).poll_shutdown(context)
    }
}

impl fmt::Debug for RawConnection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RawConnection").finish_non_exhaustive()
    }
}
