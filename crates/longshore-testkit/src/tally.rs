//! What the tests have counted, for the page that tells how reliable the client is.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;

use longshore::Result;

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

/// The faults of one test, and what came of them.
#[derive(Default)]
pub struct FaultCount {
    scripted: u64,
    real: u64,
    positions: u64,
    faults: u64,
    outcomes: BTreeMap<String, u64>,
}

impl FaultCount {
    /// Counts an exchange with a scripted engine, and at how many bytes of its answer something fails.
    pub fn exchange(&mut self, positions: usize) {
        self.scripted += 1;
        self.bytes(positions);
    }

    /// Counts an exchange with a real engine.
    pub fn real_exchange(&mut self) {
        self.real += 1;
    }

    /// Counts bytes at which something fails, of requests or of what they become on the way.
    pub fn bytes(&mut self, positions: usize) {
        self.positions += positions as u64;
    }

    /// Counts a fault, and what came of it.
    pub fn fault<T>(&mut self, outcome: &Result<T>) {
        let name = outcome.as_ref().err().map_or("right value".to_owned(), |error| format!("{:?}", error.kind()));
        self.add(name);
    }

    /// Counts a cut that nothing tells from the end, since the exchange ends with its connection.
    pub fn untold(&mut self) {
        self.add("what had come, where only the end of the connection tells of the end".to_owned());
    }

    fn add(&mut self, outcome: String) {
        self.faults += 1;
        *self.outcomes.entry(outcome).or_default() += 1;
    }

    /// Adds what was counted to that of all tests. A test that hangs or leaks fails, and does not come to this.
    ///
    /// # Panics
    /// When nothing was counted.
    pub fn tally(self) {
        assert!(self.faults > 0, "nothing was tried");
        let figures = [
            ("exchanges", self.scripted),
            ("exchanges of real engines", self.real),
            ("byte positions", self.positions),
            ("faults injected", self.faults),
        ];
        for (name, count) in figures.into_iter().filter(|(_, count)| *count > 0) {
            tally("faults", name, count);
        }
        for (name, count) in self.outcomes {
            tally("faults", &format!("outcome: {name}"), count);
        }
        tally("faults", "hangs", 0);
        tally("faults", "leaks", 0);
    }
}
