//! Exchanges byte for byte, against an engine in memory.

mod splits;
