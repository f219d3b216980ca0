//! Just enough HTTP over a unix socket to see whether an engine lives and to give it its first image.
//!
//! HTTP/1.0 on purpose: the engine then answers without chunks and closes the connection.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use crate::error::{Context, Error, Result};

/// What an engine reports of itself.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Version {
    pub(crate) version: String,
    pub(crate) api_version: String,
}

/// Whether an engine answers `/_ping` at `socket`.
pub(crate) fn ping(socket: &Path) -> Result<()> {
    request(socket, "GET", "/_ping", &[]).map(drop)
}

/// Asks the engine at `socket` for its version.
pub(crate) fn version(socket: &Path) -> Result<Version> {
    let body = request(socket, "GET", "/version", &[])?;
    serde_json::from_slice(&body).context(|| "read the engine's version".into())
}

/// Whether the engine at `socket` has the image.
pub(crate) fn has_image(socket: &Path, image: &str) -> bool {
    request(socket, "GET", &format!("/images/{image}/json"), &[]).is_ok()
}

/// Makes an image of a root file system, a tar, that runs a shell.
pub(crate) fn import_image(socket: &Path, repository: &str, tag: &str, tar: &[u8]) -> Result<()> {
    let path = format!("/images/create?fromSrc=-&repo={repository}&tag={tag}&changes=CMD+%5B%22sh%22%5D");
    let progress = request(socket, "POST", &path, tar)?;
    // The import fails inside a 200.
    let progress = String::from_utf8_lossy(&progress);
    if progress.contains("\"error") {
        return Err(Error::new(format!("import {repository}:{tag}: {}", progress.trim())));
    }
    Ok(())
}

fn request(socket: &Path, method: &str, path: &str, body: &[u8]) -> Result<Vec<u8>> {
    let doing = || format!("{method} {path} at {}", socket.display());
    let mut stream = UnixStream::connect(socket).context(doing)?;
    let timeout = Some(Duration::from_secs(30));
    stream.set_read_timeout(timeout).context(doing)?;
    stream.set_write_timeout(timeout).context(doing)?;
    let head = format!(
        "{method} {path} HTTP/1.0\r\nHost: engine\r\nContent-Type: application/x-tar\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).context(doing)?;
    stream.write_all(body).context(doing)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).context(doing)?;
    let (status, body) = parse(&answer).ok_or_else(|| Error::new("the answer is not HTTP")).context(doing)?;
    match status {
        200..=299 => Ok(body.to_vec()),
        _ => Err(Error::new(format!("{status} {}", String::from_utf8_lossy(body).trim()))).context(doing),
    }
}

fn parse(answer: &[u8]) -> Option<(u16, &[u8])> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let (head, body) = answer.split_at(end);
    let head = std::str::from_utf8(head).ok()?;
    let status = head.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok()?;
    Some((status, body.get(4..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers() {
        assert_eq!(parse(b"HTTP/1.0 200 OK\r\nServer: x\r\n\r\nOK"), Some((200, &b"OK"[..])));
        assert_eq!(parse(b"HTTP/1.1 404 Not Found\r\n\r\n"), Some((404, &b""[..])));
        for nonsense in [&b""[..], b"SSH-2.0\r\n\r\n", b"HTTP/1.", b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"] {
            assert_eq!(parse(nonsense), None);
        }
    }

    #[test]
    fn versions() {
        let text = r#"{"Version":"4.3.1","ApiVersion":"1.41","MinAPIVersion":"1.24"}"#;
        let version: Version = serde_json::from_str(text).unwrap();
        assert_eq!((version.version.as_str(), version.api_version.as_str()), ("4.3.1", "1.41"));
    }
}
