//! What takes more than one call, against an engine that can fail at each of them.

#![allow(clippy::unwrap_used)]

mod engine;
mod replace;
