//! Exchanges that fail: at every byte, at every poll, and at all that is no exchange to begin with.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod answers;
mod bad_input;
mod cancellation;
mod complete;
mod deadlines;
mod featured;
mod requests;
#[cfg(unix)]
mod sockets;
#[cfg(all(unix, any(feature = "archive", feature = "build")))]
mod stalls;
#[cfg(feature = "tls")]
mod tls;
#[cfg(all(unix, feature = "tls"))]
mod tls_bytes;
#[cfg(unix)]
mod unreachable;
mod versions;
