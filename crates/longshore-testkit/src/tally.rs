//! What the tests have counted, for the page that tells how reliable the client is.

use std::fs::OpenOptions;
use std::io::Write;

/// The variable with the file that counts are added to. `cargo xtask reliability` sets it; without it nothing is kept.
pub const FILE: &str = "LONGSHORE_TALLY";

/// Adds a count to those of a topic, such as `("faults", "byte positions", 4096)`. Counts of the same name add up.
///
/// # Panics
/// When the file can't be written: a page that lacks some counts would be wrong.
pub fn tally(topic: &str, what: &str, count: u64) {
    let Some(path) = std::env::var_os(FILE) else { return };
    let mut file = OpenOptions::new().create(true).append(true).open(path).expect("the file of counts can be opened");
    // One write, so that the lines of several processes don't mix.
    file.write_all(format!("{topic}\t{what}\t{count}\n").as_bytes()).expect("the file of counts can be written");
}
