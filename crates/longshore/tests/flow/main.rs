//! What takes more than one call, against an engine that can fail at each of them.

#![allow(clippy::unwrap_used)]

#[cfg(all(feature = "build", target_os = "linux"))]
mod build;
#[cfg(all(unix, feature = "archive"))]
mod copy_in;
#[cfg(all(unix, feature = "archive"))]
mod copy_out;
mod engine;
#[cfg(all(unix, feature = "archive"))]
mod folder;
mod replace;
