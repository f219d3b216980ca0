//! What takes more than one call, against an engine that can fail at each of them.

#![allow(clippy::unwrap_used)]

#[cfg(all(feature = "build", target_os = "linux"))]
mod build;
mod engine;
mod replace;
