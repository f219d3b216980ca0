//! Writes the head of an HTTP/1.1 request.

use std::borrow::Cow;
use std::fmt;

/// An HTTP method of the Engine API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `DELETE`
    Delete,
}

impl Method {
    /// The method's name as it stands in a request line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
        }
    }

    /// Whether sending the request twice has the effect of sending it once.
    pub const fn is_idempotent(self) -> bool {
        !matches!(self, Method::Post)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// How a request says where its body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestFraming {
    /// There is no body, and no header says so: the form for GET, HEAD and for upgrades.
    None,
    /// The body has this many bytes.
    Length(u64),
    /// The body comes in chunks.
    Chunked,
}

/// What goes into a request head.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a> {
    /// The method.
    pub method: Method,
    /// Path and query, already percent-encoded, beginning with `/`.
    pub target: &'a str,
    /// The value of the `Host` field.
    pub host: &'a str,
    /// Further fields.
    pub headers: &'a [(Cow<'static, str>, String)],
    /// How the body is framed.
    pub framing: RequestFraming,
}

impl RequestHead<'_> {
    /// Appends the head to `output`, up to and with its blank line.
    ///
    /// # Errors
    /// [`BadField`] when a field or the target holds a control character, which would let its content pose as
    /// further fields, or when a field's name is none.
    pub fn write(&self, output: &mut Vec<u8>) -> Result<(), BadField> {
        check("target", self.target, |byte| byte > b' ' && byte != 0x7f)?;
        put(output, &[self.method.as_str(), " ", self.target, " HTTP/1.1\r\nHost: "]);
        check("Host", self.host, |byte| byte > b' ' && byte != 0x7f)?;
        put(output, &[self.host, "\r\n"]);
        for (name, value) in self.headers {
            check_field(name, value)?;
            put(output, &[name, ": ", value, "\r\n"]);
        }
        match self.framing {
            RequestFraming::None => {}
            RequestFraming::Length(length) => put(output, &["Content-Length: ", &length.to_string(), "\r\n"]),
            RequestFraming::Chunked => put(output, &["Transfer-Encoding: chunked\r\n"]),
        }
        put(output, &["\r\n"]);
        Ok(())
    }
}

/// Checks that a header field can be sent: that its name is one, and that its value has no control character.
///
/// # Errors
/// [`BadField`], which does not tell the value.
pub fn check_field(name: &str, value: &str) -> Result<(), BadField> {
    if name.is_empty() || !name.bytes().all(is_name) {
        return Err(BadField("field name".to_owned()));
    }
    check(name, value, |byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f))
}

/// Tells whether a header field says where the request ends, or what becomes of the connection, and so is nobody's to set
/// but the client's.
pub fn is_of_connection(name: &str) -> bool {
    const NAMES: [&str; 9] = [
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    NAMES.iter().any(|other| name.trim().eq_ignore_ascii_case(other))
}

/// Appends one piece of a chunked request body to `output`; an empty piece writes nothing, since it would end the body.
pub fn write_chunk(piece: &[u8], output: &mut Vec<u8>) {
    if piece.is_empty() {
        return;
    }
    put(output, &[&format!("{:x}\r\n", piece.len())]);
    output.extend_from_slice(piece);
    output.extend_from_slice(b"\r\n");
}

/// What ends a chunked request body.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

fn put(output: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        output.extend_from_slice(part.as_bytes());
    }
}

/// Whether a byte may stand in the name of a field.
fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn check(name: &str, value: &str, allowed: impl Fn(u8) -> bool) -> Result<(), BadField> {
    match value.bytes().all(allowed) {
        true => Ok(()),
        false => Err(BadField(name.to_owned())),
    }
}

/// A part of a request head holds a character that may not stand in it. Names the part, never its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadField(pub String);

impl fmt::Display for BadField {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the request's {} holds a character that may not stand in it", self.0)
    }
}

impl std::error::Error for BadField {}

#[cfg(test)]
mod tests {
    use super::*;

    fn head<'a>(
        target: &'a str,
        headers: &'a [(Cow<'static, str>, String)],
        framing: RequestFraming,
    ) -> RequestHead<'a> {
        RequestHead { method: Method::Post, target, host: "docker", headers, framing }
    }

    fn text(head: &RequestHead<'_>) -> String {
        let mut output = Vec::new();
        head.write(&mut output).unwrap();
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn a_head_is_written_in_full() {
        let headers = [("Content-Type".into(), "application/json".to_owned())];
        assert_eq!(
            text(&head("/v1.41/containers/create?name=web", &headers, RequestFraming::Length(2))),
            "POST /v1.41/containers/create?name=web HTTP/1.1\r\nHost: docker\r\n\
             Content-Type: application/json\r\nContent-Length: 2\r\n\r\n"
        );
        assert!(text(&head("/a", &[], RequestFraming::Chunked)).ends_with("Transfer-Encoding: chunked\r\n\r\n"));
        assert!(text(&head("/a", &[], RequestFraming::None)).ends_with("Host: docker\r\n\r\n"));
    }

    #[test]
    fn a_field_can_not_smuggle_another() {
        let mut output = Vec::new();
        let headers = [("X-Registry-Auth".into(), "a\r\nX: y".to_owned())];
        let error = head("/a", &headers, RequestFraming::None).write(&mut output).unwrap_err();
        assert_eq!(error, BadField("X-Registry-Auth".to_owned()));
        for name in ["", "X: y\r\nX", "a b", "é"] {
            let headers = [(name.into(), "a".to_owned())];
            let error = head("/a", &headers, RequestFraming::None).write(&mut output).unwrap_err();
            assert_eq!(error, BadField("field name".to_owned()));
        }
        for target in ["/a b", "/a\r\n", "/a\u{7f}"] {
            assert!(head(target, &[], RequestFraming::None).write(&mut output).is_err());
        }
    }

    #[test]
    fn chunks_are_framed_and_an_empty_one_is_left_out() {
        let mut output = Vec::new();
        write_chunk(b"", &mut output);
        write_chunk(&[b'x'; 26], &mut output);
        output.extend_from_slice(LAST_CHUNK);
        assert_eq!(output, b"1a\r\nxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n0\r\n\r\n");
    }
}
