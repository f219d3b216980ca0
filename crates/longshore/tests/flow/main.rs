//! What takes more than one call, against an engine that can fail at each of them.

#![allow(clippy::unwrap_used)]

#[cfg(feature = "archive")]
mod copy;
mod engine;
mod replace;
