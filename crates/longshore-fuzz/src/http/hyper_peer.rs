//! hyper's low-level client on a connection in memory.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::rt::{Read, ReadBufCursor, Write};

use super::{Case, Outcome};

/// The bytes of an answer, once a request has been written.
struct Wire {
    answer: Vec<u8>,
    at: usize,
    request: Vec<u8>,
    reader: Option<Waker>,
}

impl Read for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.request.ends_with(b"\r\n\r\n") {
            self.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        let rest = &self.answer[self.at..];
        let count = rest.len().min(buffer.remaining());
        buffer.put_slice(&rest[..count]);
        self.at += count;
        Poll::Ready(Ok(()))
    }
}

impl Write for Wire {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.request.extend_from_slice(bytes);
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Reads the answer as hyper does.
pub async fn read(case: &Case) -> Outcome {
    exchange(case).await.unwrap_or(Outcome::Rejected)
}

async fn exchange(case: &Case) -> hyper::Result<Outcome> {
    let wire = Wire { answer: case.bytes.clone(), at: 0, request: Vec::new(), reader: None };
    let (mut sender, connection) = hyper::client::conn::http1::handshake(wire).await?;
    let method = if case.head { hyper::Method::HEAD } else { hyper::Method::GET };
    let request = hyper::Request::builder().method(method).uri("/").header("Host", "docker");
    let request = request.body(Empty::<Bytes>::new()).expect("the request is well formed");
    let reading = async move {
        let response = sender.send_request(request).await?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await?.to_bytes().to_vec();
        Ok(Outcome::Accepted { status, body })
    };
    // The body comes through the connection, which has to be driven as long as it is read.
    let (mut reading, mut connection) = (pin!(reading), pin!(connection));
    let mut ended = false;
    poll_fn(|context| {
        if !ended {
            ended = connection.as_mut().poll(context).is_ready();
        }
        reading.as_mut().poll(context)
    })
    .await
}
