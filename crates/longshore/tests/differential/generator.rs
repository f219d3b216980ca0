//! Makes answers, the same at every run: valid ones, and ones with something broken in them.

use longshore_fuzz::http::Case;

/// So many cases; about half of them have been broken.
pub(crate) fn cases(count: usize) -> impl Iterator<Item = Case> {
    let mut random = Random(1);
    (0..count).map(move |_| case(&mut random))
}

/// A linear congruential generator: of no great quality, and the same everywhere.
pub(crate) struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }

    fn pick<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }
}

fn case(random: &mut Random) -> Case {
    let mut bytes = Vec::new();
    while random.one_in(10) {
        bytes.extend(random.pick(INFORMATIONAL).bytes());
    }
    answer(random, &mut bytes);
    if random.one_in(2) {
        for _ in 0..1 + random.below(3) {
            break_something(random, &mut bytes);
        }
    }
    Case { bytes, head: random.one_in(8), pieces: 1 + random.below(40) }
}

const INFORMATIONAL: &[&str] = &[
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
    "HTTP/1.1 102 \r\nContent-Length: 3\r\n\r\n",
];
const LINES: &[&str] = &[
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.0 200 OK\r\n",
    "HTTP/1.1 200\r\n",
    "HTTP/1.1 201 Created\r\n",
    "HTTP/1.1 404 Not Found\r\n",
    "HTTP/1.1 204 No Content\r\n",
    "HTTP/1.1 304 Not Modified\r\n",
    "HTTP/1.1 500 Internal Server Error\r\n",
    "HTTP/1.1 101 UPGRADED\r\n",
    "\r\nHTTP/1.1 200 OK\r\n",
    "HTTP/1.1 200 OK\n",
    "HTTP/2 200 OK\r\n",
    "HTTP/1.1 2000 OK\r\n",
    "HTTP/1.1 099 Odd\r\n",
    "HTTP/1.1 999 Odd\r\n",
];
const FIELDS: &[&str] = &[
    "Server: Docker/25.0.3 (linux)\r\n",
    "Content-Type: application/json\r\n",
    "Connection: close\r\n",
    "Connection: keep-alive\r\n",
    "Docker-Experimental: false\r\n",
    "X-Empty:\r\n",
    "X-Bytes: \u{e9}\r\n",
    "X-Tab:\ta\r\n",
    "Set-Cookie: a=b\r\n",
    "X-Line-Feed: a\n",
];

fn answer(random: &mut Random, bytes: &mut Vec<u8>) {
    bytes.extend(random.pick(LINES).bytes());
    for _ in 0..random.below(4) {
        bytes.extend(random.pick(FIELDS).chars().map(|letter| letter as u8));
    }
    let body = (0..random.below(30)).map(|_| b"ab\r\n0;{}"[random.below(8)]).collect::<Vec<_>>();
    let length = body.len();
    let odd = random.one_in(6);
    match random.below(3) {
        0 if odd => bytes.extend(odd_length(random, length).bytes()),
        0 => bytes.extend(format!("Content-Length: {length}\r\n").bytes()),
        1 if odd => bytes.extend(random.pick(ODD_ENCODINGS).bytes()),
        1 => bytes.extend(b"Transfer-Encoding: chunked\r\n"),
        _ => {}
    }
    let chunked = bytes.to_ascii_lowercase().windows(7).any(|window| window == b"chunked");
    bytes.extend(b"\r\n");
    match chunked {
        true => chunks(random, &body, bytes),
        false => bytes.extend(body),
    }
    if random.one_in(5) {
        bytes.extend(b"HTTP/1.1 200 OK\r\n\r\n");
    }
}

fn odd_length(random: &mut Random, length: usize) -> String {
    match random.below(12) {
        0 => format!("Content-Length: {length}\r\nContent-Length: {length}\r\n"),
        1 => format!("Content-Length: {length}\r\nContent-Length: {}\r\n", length + 1),
        2 => format!("Content-Length: {length}, {length}\r\n"),
        3 => format!("Content-Length: {length}, {}\r\n", length + 1),
        4 => format!("Content-Length: +{length}\r\n"),
        5 => format!("Content-Length: -{length}\r\n"),
        6 => format!("Content-Length: 0{length}\r\n"),
        7 => "Content-Length:\r\n".to_owned(),
        8 => "Content-Length: 18446744073709551615\r\n".to_owned(),
        9 => "Content-Length: 99999999999999999999\r\n".to_owned(),
        10 => format!("content-length:{length}  \r\n"),
        _ => format!("Content-Length: {length:#x}\r\n"),
    }
}

const ODD_ENCODINGS: &[&str] = &[
    "Transfer-Encoding: Chunked\r\n",
    "Transfer-Encoding: gzip, chunked\r\n",
    "Transfer-Encoding: chunked, gzip\r\n",
    "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n",
    "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
    "Content-Length: x\r\nTransfer-Encoding: chunked\r\n",
    "Transfer-Encoding: xchunked\r\n",
    "Transfer-Encoding: identity\r\nX: chunked\r\n",
    "Transfer-Encoding:\r\n",
    "Transfer-Encoding: chunked,\r\n",
];

fn chunks(random: &mut Random, body: &[u8], bytes: &mut Vec<u8>) {
    let size = 1 + random.below(12);
    for chunk in body.chunks(size) {
        let length = chunk.len();
        let line = match random.below(12) {
            0 => format!("{length:X}"),
            1 => format!("0{length:x}"),
            2 => format!("{length:x};name=value"),
            3 => format!("{length:x} ; name=\"va;lue\""),
            4 => format!("{length:x} "),
            _ => format!("{length:x}"),
        };
        bytes.extend(line.bytes());
        bytes.extend(b"\r\n");
        bytes.extend(chunk);
        bytes.extend(b"\r\n");
    }
    bytes.extend(random.pick(&["0\r\n", "0\r\n", "0\r\n", "00\r\n", "0;end\r\n"]).bytes());
    while random.one_in(6) {
        bytes.extend(random.pick(&["Digest: abc\r\n", "Expires: never\r\n", "X:\r\n"]).bytes());
    }
    bytes.extend(b"\r\n");
}

/// Cuts, removes, repeats, replaces or inserts something.
fn break_something(random: &mut Random, bytes: &mut Vec<u8>) {
    let at = random.below(bytes.len() + 1);
    let end = (at + random.below(4)).min(bytes.len());
    match random.below(6) {
        0 => bytes.truncate(at),
        1 => drop(bytes.drain(at..end)),
        2 => {
            let again = bytes[at..end].to_vec();
            bytes.splice(at..at, again);
        }
        3 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = random.below(256) as u8;
            }
        }
        4 => {
            let odd = random.pick(&["\r", "\n", "\r\n", "\0", ";", " ", ":", "f", "0", "\x7f"]);
            bytes.splice(at..at, odd.bytes());
        }
        _ => {
            let other = random.below(bytes.len().max(1));
            if at < bytes.len() {
                bytes.swap(at, other);
            }
        }
    }
}
