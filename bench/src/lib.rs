//! What the benchmarks have in common: the work that is done, and how it is measured.
//!
//! Each client is a program of its own, which does one piece of work once and prints the sample as JSON. So its CPU
//! time and its memory are its own, down to the pages of its code. The program `bench` starts them in turn.

pub mod meter;
pub mod task;
pub mod work;

/// Any failure, for the person at the terminal.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The result of whatever can fail.
pub type Result<T> = std::result::Result<T, Error>;
