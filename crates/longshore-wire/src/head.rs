//! Reads the head of an HTTP/1.1 response: status line and header fields.

use std::fmt;
use std::mem::MaybeUninit;
use std::ops::Range;

/// The longest head that is accepted, in bytes.
pub const MAXIMUM_HEAD: usize = 64 * 1024;

/// The most header fields that are accepted in one head.
pub const MAXIMUM_FIELDS: usize = 128;

/// Reads a response head from the start of `input`.
///
/// Answers the head and its length in bytes, or `None` when more input is needed.
///
/// # Errors
/// [`HeadError::TooLarge`] when no head ends within [`MAXIMUM_HEAD`] bytes, [`HeadError::NotHttp`] when the bytes are
/// not an HTTP/1 response, [`HeadError::Malformed`] when a field is not well formed.
pub fn parse(input: &[u8]) -> Result<Option<(ResponseHead, usize)>, HeadError> {
    let window = &input[..input.len().min(MAXIMUM_HEAD)];
    let mut fields = [const { MaybeUninit::uninit() }; MAXIMUM_FIELDS];
    let mut response = httparse::Response::new(&mut []);
    let parser = httparse::ParserConfig::default();
    match parser.parse_response_with_uninit_headers(&mut response, window, &mut fields) {
        Ok(httparse::Status::Partial) if window.len() >= MAXIMUM_HEAD => Err(HeadError::TooLarge),
        Ok(httparse::Status::Partial) => Ok(None),
        Ok(httparse::Status::Complete(_)) if response.code.is_none_or(|code| code < 100) => Err(HeadError::NotHttp),
        Ok(httparse::Status::Complete(length)) => Ok(Some((ResponseHead::new(&response, &window[..length]), length))),
        Err(httparse::Error::TooManyHeaders) => Err(HeadError::TooManyFields),
        Err(httparse::Error::HeaderName | httparse::Error::HeaderValue | httparse::Error::NewLine) => {
            Err(HeadError::Malformed)
        }
        Err(_) => Err(HeadError::NotHttp),
    }
}

/// The head of a response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponseHead {
    /// The status code, such as 200.
    pub status: u16,
    /// Whether the server speaks HTTP/1.0, which closes a connection unless it says otherwise.
    pub http_1_0: bool,
    /// The head as it came: one text for all that is in it, since every answer has one.
    text: String,
    reason: Range<usize>,
    fields: Vec<Field>,
}

/// Where a field stands in the text of its head.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Field {
    name: Range<usize>,
    value: Range<usize>,
}

impl ResponseHead {
    /// Keeps a head that was read from `input`, whose fields are slices of it.
    fn new(response: &httparse::Response<'_, '_>, input: &[u8]) -> Self {
        let at = |part: &[u8]| {
            let start = part.as_ptr().addr().saturating_sub(input.as_ptr().addr());
            start..start + part.len()
        };
        let fields = response.headers.iter();
        let fields = fields.map(|field| Field { name: at(field.name.as_bytes()), value: at(field.value) }).collect();
        let reason = response.reason.filter(|reason| !reason.is_empty());
        ResponseHead {
            status: response.code.unwrap_or_default(),
            http_1_0: response.version == Some(0),
            text: text(input),
            reason: reason.map(|reason| at(reason.as_bytes())).unwrap_or_default(),
            fields,
        }
    }

    /// The reason phrase of the status line; often empty.
    pub fn reason(&self) -> &str {
        &self.text[self.reason.clone()]
    }

    /// The value of the first field called `name`, whatever the case of its letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).next()
    }

    /// The values of all fields called `name`, in the order in which they came.
    pub fn headers<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        let alike = self.fields.iter().filter(|field| field.name.len() == name.len());
        let called = alike.filter(|field| self.text[field.name.clone()].eq_ignore_ascii_case(name));
        called.map(|field| &self.text[field.value.clone()])
    }

    /// Whether a field that holds a comma-separated list names `token`.
    pub fn header_has_token(&self, name: &str, token: &str) -> bool {
        self.headers(name).flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(token))
    }

    /// The media type of the body, without its parameters.
    pub fn content_type(&self) -> Option<&str> {
        let value = self.header("content-type")?;
        Some(value.split(';').next().unwrap_or_default().trim())
    }

    /// Whether the server keeps the connection open after this response.
    pub fn keeps_alive(&self) -> bool {
        if self.header_has_token("connection", "close") {
            return false;
        }
        !self.http_1_0 || self.header_has_token("connection", "keep-alive")
    }
}

/// The text of a head, as long as its bytes: values may have bytes that are not UTF-8, which become question marks.
fn text(head: &[u8]) -> String {
    match std::str::from_utf8(head) {
        Ok(text) => text.to_owned(),
        Err(_) => head.iter().map(|byte| if byte.is_ascii() { char::from(*byte) } else { '?' }).collect(),
    }
}

/// Why a response head was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadError {
    /// The head does not end within [`MAXIMUM_HEAD`] bytes.
    TooLarge,
    /// The head has more than [`MAXIMUM_FIELDS`] fields.
    TooManyFields,
    /// The bytes are not an HTTP/1 response.
    NotHttp,
    /// A header field is not well formed.
    Malformed,
}

impl fmt::Display for HeadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HeadError::TooLarge => write!(formatter, "the response head is longer than {MAXIMUM_HEAD} bytes"),
            HeadError::TooManyFields => {
                write!(formatter, "the response head has more than {MAXIMUM_FIELDS} fields")
            }
            HeadError::NotHttp => formatter.write_str("the server's answer is not HTTP"),
            HeadError::Malformed => formatter.write_str("the response head has a malformed field"),
        }
    }
}

impl std::error::Error for HeadError {}

#[cfg(test)]
mod tests {
    use super::*;

    const PING: &[u8] = b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Type: text/plain; charset=utf-8\r\n\
        Connection: Keep-Alive, Upgrade\r\nContent-Length: 2\r\n\r\nOK";

    #[test]
    fn a_head_is_complete_at_its_blank_line_and_not_before() {
        let end = PING.len() - 2;
        for cut in 0..end {
            assert_eq!(parse(&PING[..cut]), Ok(None), "cut at {cut}");
        }
        for cut in end..=PING.len() {
            let (head, length) = parse(&PING[..cut]).unwrap().unwrap();
            assert_eq!((head.status, length), (200, end));
            assert_eq!(head.header("API-VERSION"), Some("1.41"));
            assert_eq!(head.content_type(), Some("text/plain"));
            assert!(head.header_has_token("connection", "upgrade"));
            assert!(head.keeps_alive());
        }
    }

    #[test]
    fn keep_alive_follows_version_and_connection() {
        let keeps = |text: &str| parse(text.as_bytes()).unwrap().unwrap().0.keeps_alive();
        assert!(keeps("HTTP/1.1 200\r\n\r\n"));
        assert!(!keeps("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"));
        assert!(!keeps("HTTP/1.0 200 OK\r\n\r\n"));
        assert!(keeps("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n"));
    }

    #[test]
    fn what_is_not_http_is_refused_at_once() {
        assert_eq!(parse(b"SSH-2.0-OpenSSH_9.2\r\n"), Err(HeadError::NotHttp));
        assert_eq!(parse(b"HTTP/1.1 099 Odd\r\n\r\n"), Err(HeadError::NotHttp));
        assert_eq!(parse(b"\x15\x03\x01\x00\x02\x02"), Err(HeadError::NotHttp));
        assert_eq!(parse(b"HTTP/1.1 200 OK\r\nbad name: x\r\n\r\n"), Err(HeadError::Malformed));
    }

    #[test]
    fn a_head_without_end_is_refused_at_the_limit() {
        let mut text = b"HTTP/1.1 200 OK\r\nX: ".to_vec();
        text.resize(MAXIMUM_HEAD - 1, b'a');
        assert_eq!(parse(&text), Ok(None));
        text.push(b'a');
        assert_eq!(parse(&text), Err(HeadError::TooLarge));
        text.extend_from_slice(b"\r\n\r\n");
        assert_eq!(parse(&text), Err(HeadError::TooLarge));
    }

    #[test]
    fn many_fields_are_read_up_to_the_limit() {
        let head = |count: usize| {
            let fields = (0..count).map(|n| format!("X-{n}: {n}\r\n")).collect::<String>();
            format!("HTTP/1.1 200 OK\r\n{fields}\r\n").into_bytes()
        };
        let (parsed, _) = parse(&head(MAXIMUM_FIELDS)).unwrap().unwrap();
        assert_eq!(parsed.header("x-127"), Some("127"));
        assert_eq!(parse(&head(MAXIMUM_FIELDS + 1)), Err(HeadError::TooManyFields));
    }
}
