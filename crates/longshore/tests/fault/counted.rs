//! What the tests of faults have seen, counted.

use std::collections::BTreeMap;

use longshore::Result;
use longshore_testkit::tally;

/// What came of the exchanges of one test.
#[derive(Default)]
pub(crate) struct Counted {
    exchanges: u64,
    positions: u64,
    faults: u64,
    outcomes: BTreeMap<String, u64>,
}

impl Counted {
    /// Counts an exchange, and at how many bytes of its answer something fails.
    pub(crate) fn exchange(&mut self, positions: usize) {
        self.exchanges += 1;
        self.bytes(positions);
    }

    /// Counts bytes at which something fails, of requests or of what they become on the way.
    pub(crate) fn bytes(&mut self, positions: usize) {
        self.positions += positions as u64;
    }

    /// Counts a fault, and what came of it.
    pub(crate) fn fault<T>(&mut self, outcome: &Result<T>) {
        self.faults += 1;
        let name = outcome.as_ref().err().map_or("right value".to_owned(), |error| format!("{:?}", error.kind()));
        *self.outcomes.entry(name).or_default() += 1;
    }

    /// Adds what was counted to that of all tests. A test that hangs or leaks fails, and does not come to this.
    pub(crate) fn tally(self) {
        assert!(self.faults > 0, "nothing was tried");
        tally("faults", "exchanges", self.exchanges);
        tally("faults", "byte positions", self.positions);
        tally("faults", "faults injected", self.faults);
        for (name, count) in self.outcomes {
            tally("faults", &format!("outcome: {name}"), count);
        }
        tally("faults", "hangs", 0);
        tally("faults", "leaks", 0);
    }
}

/// How many tasks there are beside this one.
pub(crate) async fn tasks() -> usize {
    // A task that was told to end does so when it is its turn.
    for _ in 0..10 {
        if tokio::runtime::Handle::current().metrics().num_alive_tasks() == 0 {
            break;
        }
        tokio::task::yield_now().await;
    }
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}
