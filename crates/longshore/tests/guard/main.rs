//! Guards: that what they hold is removed, however they end, on an engine in memory.

#![allow(clippy::unwrap_used)]

mod cancellation;
mod drops;
mod engine;
mod every;
mod images;
mod journal;
mod reap;
mod remove_all;
