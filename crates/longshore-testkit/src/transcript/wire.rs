//! Writes answers as engines do.

use longshore::ApiVersion;

/// An answer with the fields that a Docker engine sends, further `fields`, and `body` behind its head as it is.
pub fn answer(status: &str, fields: &[&str], body: impl AsRef<[u8]>) -> Vec<u8> {
    let fields = fields.iter().map(|field| format!("{field}\r\n")).collect::<String>();
    let head = format!(
        "HTTP/1.1 {status}\r\nApi-Version: 1.44\r\n{fields}Docker-Experimental: false\r\nOstype: linux\r\n\
         Server: Docker/25.0.3 (linux)\r\nDate: Tue, 05 Mar 2024 10:00:00 GMT\r\n\r\n"
    );
    [head.as_bytes(), body.as_ref()].concat()
}

/// A JSON answer with a content length.
pub fn json(status: &str, body: &str) -> Vec<u8> {
    let length = format!("Content-Length: {}", body.len());
    answer(status, &["Content-Type: application/json", &length], body)
}

/// The same answer of an engine that speaks up to this version.
///
/// # Panics
/// When it was no answer of [`answer`].
pub fn told(version: ApiVersion, answer: impl AsRef<[u8]>) -> Vec<u8> {
    let head = head_length(answer.as_ref());
    let (head, body) = answer.as_ref().split_at(head);
    let head = std::str::from_utf8(head).expect("heads are text");
    assert!(head.contains("Api-Version: 1.44"), "another version: {head}");
    [head.replace("Api-Version: 1.44", &format!("Api-Version: {version}")).as_bytes(), body].concat()
}

/// A JSON answer in chunks, as the engine sends what is larger than its buffer.
pub fn chunked_json(chunks: &[&str]) -> Vec<u8> {
    let body = chunked(chunks);
    answer("200 OK", &["Content-Type: application/json", "Transfer-Encoding: chunked"], body)
}

/// The chunks of a body, and its end.
pub fn chunked<C: AsRef<[u8]>>(chunks: &[C]) -> Vec<u8> {
    let mut body = Vec::new();
    for chunk in chunks {
        let chunk = chunk.as_ref();
        body.extend(format!("{:x}\r\n", chunk.len()).bytes());
        body.extend(chunk);
        body.extend(b"\r\n");
    }
    body.extend(b"0\r\n\r\n");
    body
}

/// A frame of a multiplexed stream: 1 is stdout, 2 stderr, 3 an error of the engine.
pub fn frame(stream: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    let payload = payload.as_ref();
    let length = u32::try_from(payload.len()).expect("payloads of tests are small").to_be_bytes();
    [&[stream, 0, 0, 0], &length[..], payload].concat()
}

/// The head that changes the protocol.
pub fn upgraded(content_type: &str) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 101 UPGRADED\r\nContent-Type: {content_type}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\
         Api-Version: 1.44\r\nDocker-Experimental: false\r\nOstype: linux\r\nServer: Docker/25.0.3 (linux)\r\n\r\n"
    );
    head.into_bytes()
}

/// The answer to `HEAD /_ping` of an engine that speaks up to this version.
pub fn ping(version: ApiVersion) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nApi-Version: {version}\r\nBuilder-Version: 2\r\nCache-Control: no-cache, no-store\r\n\
         Content-Length: 0\r\nContent-Type: text/plain; charset=utf-8\r\nDocker-Experimental: false\r\n\
         Ostype: linux\r\nPragma: no-cache\r\nSwarm: inactive\r\n\r\n"
    );
    head.into_bytes()
}

/// How many bytes the head of an answer has.
///
/// # Panics
/// When it has no end.
pub fn head_length(answer: &[u8]) -> usize {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n");
    end.expect("the head of an answer has an end") + 4
}
