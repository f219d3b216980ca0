//! Exchanges byte for byte, against an engine in memory.

mod connections;
mod negotiation;
mod output;
mod splits;
mod streams;
mod uploads;
