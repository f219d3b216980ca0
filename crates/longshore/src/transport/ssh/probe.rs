use std::io;

use longshore_wire::head;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// A request that an engine answers without a body.
const PING: &[u8] = b"HEAD /_ping HTTP/1.1\r\nHost: docker\r\n\r\n";

/// How much is shown of what is no answer.
const SHOWN: usize = 200;

/// Asks whether there is an engine at the other end; answers whether the connection can be used after that.
///
/// Nothing else tells: the command on the far side says nothing of its own while all is well.
pub(super) async fn probe(io: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> io::Result<bool> {
    if io.write_all(PING).await.is_ok() {
        io.flush().await?;
    }
    let mut bytes = Vec::new();
    loop {
        if io.read_buf(&mut bytes).await? == 0 {
            return Err(match bytes.is_empty() {
                true => io::Error::new(io::ErrorKind::UnexpectedEof, "the far side closed the connection at once"),
                false => no_answer(&bytes),
            });
        }
        match head::parse(&bytes) {
            Ok(None) => {}
            Ok(Some((head, length))) => return Ok(head.keeps_alive() && length == bytes.len()),
            Err(_) => return Err(no_answer(&bytes)),
        }
    }
}

fn no_answer(bytes: &[u8]) -> io::Error {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN)]);
    let text = text.trim().replace(char::is_control, " ");
    io::Error::new(io::ErrorKind::InvalidData, format!("the far side does not answer as an engine: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn probed(answer: &[u8]) -> io::Result<bool> {
        let (mut near, mut far) = tokio::io::duplex(1024);
        far.write_all(answer).await?;
        far.shutdown().await?;
        let outcome = probe(&mut near).await;
        let mut asked = vec![0; PING.len()];
        far.read_exact(&mut asked).await?;
        assert_eq!(asked, PING);
        outcome
    }

    #[tokio::test]
    async fn an_engine_answers_and_anything_else_is_shown() {
        assert!(probed(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap());
        assert!(!probed(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n").await.unwrap());
        assert!(!probed(b"HTTP/1.0 405 No\r\n\r\n").await.unwrap());
        let error = probed(b"Welcome!\nHTTP/1.1 200 OK\r\n\r\n").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert_eq!(error.to_string(), "the far side does not answer as an engine: Welcome! HTTP/1.1 200 OK");
        assert_eq!(probed(b"").await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(probed(b"HTTP/1.1 2").await.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
