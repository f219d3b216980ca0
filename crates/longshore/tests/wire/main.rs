//! Exchanges byte for byte, against an engine in memory.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod connections;
mod credentials;
mod custom;
#[path = "../fault/featured.rs"]
mod featured;
mod headers;
mod negotiation;
mod output;
mod resuming;
mod resuming_events;
mod services;
mod splits;
mod streams;
mod uploads;
#[cfg(feature = "websocket")]
mod websocket;
