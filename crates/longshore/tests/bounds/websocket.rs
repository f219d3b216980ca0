//! What an engine sends over a WebSocket.

use bytes::Bytes;
use longshore_testkit::transcript::wire::answer;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// What an engine says at the end of the output.
pub(crate) const PARTING: &[u8] = b"\x88\x02\x03\xe8";

/// The head of the answer to this request.
pub(crate) fn opened(request: &str) -> Vec<u8> {
    let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
    let accepted = format!("Sec-WebSocket-Accept: {}", derive_accept_key(key.as_bytes()));
    answer("101 Switching Protocols", &["Upgrade: websocket", "Connection: Upgrade", &accepted], "")
}

/// A message of less than 64 KiB.
pub(crate) fn message(bytes: &[u8]) -> Bytes {
    let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
    [&[0x82, 126], &length[..], bytes].concat().into()
}
