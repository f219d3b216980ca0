/// A request that a scripted engine received.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Received {
    /// On which connection, counted from 0 in the order in which they were opened.
    pub connection: usize,
    /// Method and target, such as `GET /v1.44/containers/json`.
    pub line: String,
    /// The header fields.
    pub headers: Vec<(String, String)>,
    /// What came of the body, its framing undone.
    pub body: Vec<u8>,
    /// What came behind the request on a connection that was handed over.
    pub input: Vec<u8>,
    /// Whether the body came to its end.
    pub complete: bool,
}

impl Received {
    /// The value of the first header field with this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Whether it asks to take the connection over.
    pub(crate) fn upgrades(&self) -> bool {
        self.header("upgrade").is_some()
    }

    fn parse(head: &[u8], connection: usize) -> Result<Self, String> {
        let text = std::str::from_utf8(head).map_err(|error| error.to_string())?;
        let mut lines = text.split("\r\n");
        let line = lines.next().and_then(|line| line.strip_suffix(" HTTP/1.1"));
        let line = line.ok_or_else(|| format!("not the first line of a request: {text:?}"))?.to_owned();
        let field = |line: &str| Some(line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned())));
        let headers = lines.filter(|line| !line.is_empty()).map(field).map(Option::flatten).collect::<Option<_>>();
        let headers = headers.ok_or_else(|| format!("a malformed field in {text:?}"))?;
        Ok(Received { connection, line, headers, body: Vec::new(), input: Vec::new(), complete: false })
    }
}

/// Reads requests from what a client writes.
#[derive(Debug, Default)]
pub(crate) struct RequestReader {
    unread: Vec<u8>,
    framing: Framing,
}

#[derive(Debug, Default)]
enum Framing {
    #[default]
    Head,
    Length(usize),
    Chunked,
    /// The connection was handed over: everything is input.
    Raw,
}

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// The head of a request; its body is yet to come.
    Head(Received),
    /// A part of the body, or of the input.
    Body(Vec<u8>),
    /// The end of the request.
    End,
}

impl RequestReader {
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.unread.extend_from_slice(bytes);
    }

    /// The next thing that was read; `None` until more comes.
    ///
    /// # Errors
    /// What is wrong with the request, in words.
    pub(crate) fn next(&mut self, connection: usize) -> Result<Option<Read>, String> {
        match self.framing {
            Framing::Head => self.head(connection),
            Framing::Length(0) => {
                self.framing = Framing::Head;
                Ok(Some(Read::End))
            }
            Framing::Length(_) | Framing::Raw if self.unread.is_empty() => Ok(None),
            Framing::Raw => Ok(Some(Read::Body(std::mem::take(&mut self.unread)))),
            Framing::Length(left) => {
                let rest = self.unread.split_off(self.unread.len().min(left));
                let body = std::mem::replace(&mut self.unread, rest);
                self.framing = Framing::Length(left - body.len());
                Ok(Some(Read::Body(body)))
            }
            Framing::Chunked => self.chunk(),
        }
    }

    fn head(&mut self, connection: usize) -> Result<Option<Read>, String> {
        let Some(end) = find(&self.unread, b"\r\n\r\n") else { return Ok(None) };
        let received = Received::parse(&self.unread[..end], connection)?;
        self.unread.drain(..end + 4);
        let length = received.header("content-length").map(str::parse);
        self.framing = match (received.header("transfer-encoding"), length) {
            (None, None) => Framing::Length(0),
            (None, Some(Ok(length))) => Framing::Length(length),
            (Some("chunked"), None) => Framing::Chunked,
            other => return Err(format!("a request framed as {other:?}")),
        };
        Ok(Some(Read::Head(received)))
    }

    fn chunk(&mut self) -> Result<Option<Read>, String> {
        let Some(end) = find(&self.unread, b"\r\n") else { return Ok(None) };
        let line = String::from_utf8_lossy(&self.unread[..end]).into_owned();
        let size = usize::from_str_radix(&line, 16).map_err(|_| format!("a chunk announced by {line:?}"))?;
        let (start, whole) = (end + 2, end + 2 + size + 2);
        if self.unread.len() < whole {
            return Ok(None);
        }
        if &self.unread[whole - 2..whole] != b"\r\n" {
            return Err("a chunk without its line break".to_owned());
        }
        let body = self.unread[start..start + size].to_vec();
        self.unread.drain(..whole);
        if size == 0 {
            self.framing = Framing::Head;
            return Ok(Some(Read::End));
        }
        Ok(Some(Read::Body(body)))
    }

    /// Goes on with raw input, behind a request whose body has come.
    pub(crate) fn hand_over(&mut self) {
        self.framing = Framing::Raw;
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(wire: &[u8], split: usize) -> Vec<Read> {
        let mut reader = RequestReader::default();
        let mut all = Vec::new();
        for part in [&wire[..split], &wire[split..]] {
            reader.feed(part);
            while let Some(read) = reader.next(0).unwrap() {
                match (all.last_mut(), read) {
                    (Some(Read::Body(body)), Read::Body(more)) => body.extend(more),
                    (_, read) => all.push(read),
                }
            }
        }
        all
    }

    #[test]
    fn requests_are_read_at_every_split() {
        let wire = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\nPOST /b HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello\
            PUT /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n";
        for split in 0..=wire.len() {
            let all = read(wire, split);
            let lines =
                all.iter().filter_map(|read| if let Read::Head(head) = read { Some(&*head.line) } else { None });
            assert_eq!(lines.collect::<Vec<_>>(), ["GET /a", "POST /b", "PUT /c"], "split at {split}");
            let bodies = all.iter().filter_map(|read| if let Read::Body(body) = read { Some(&body[..]) } else { None });
            assert_eq!(bodies.collect::<Vec<_>>(), [&b"hello"[..], b"abc0123456789"], "split at {split}");
            assert_eq!(all.iter().filter(|read| **read == Read::End).count(), 3);
        }
    }

    #[test]
    fn a_connection_that_was_handed_over_has_only_input() {
        let mut reader = RequestReader::default();
        reader.feed(b"POST /d HTTP/1.1\r\nUpgrade: tcp\r\n\r\nraw\r\n\r\n");
        assert!(matches!(reader.next(0), Ok(Some(Read::Head(head))) if head.upgrades()));
        assert_eq!(reader.next(0), Ok(Some(Read::End)));
        reader.hand_over();
        assert_eq!(reader.next(0), Ok(Some(Read::Body(b"raw\r\n\r\n".to_vec()))));
        assert_eq!(reader.next(0), Ok(None));
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for wire in ["GET /a HTTP/1.0\r\n\r\n", "GET /a HTTP/1.1\r\nbad\r\n\r\n"] {
            let mut reader = RequestReader::default();
            reader.feed(wire.as_bytes());
            assert!(reader.next(0).is_err());
        }
    }
}
