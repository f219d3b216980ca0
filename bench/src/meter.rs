//! Time and memory of this process.

use std::time::{Duration, Instant};

use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeVal;
use serde::{Deserialize, Serialize};

use crate::Result;

/// What one measurement has found.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Sample {
    /// Wall time of the work, in seconds.
    pub wall: f64,
    /// Time of the process in user mode during the work, in seconds.
    pub user: f64,
    /// Time of the process in the kernel during the work, in seconds.
    pub system: f64,
    /// Peak memory of the process, in bytes.
    pub peak: u64,
    /// How much of the peak came with the work, in bytes.
    pub growth: u64,
    /// The median of the round trips, in seconds; 0 if none were timed.
    pub latency: f64,
    /// The round trip that one in a hundred exceeds, in seconds; 0 if none were timed.
    pub tail: f64,
    /// The libraries from a registry that were compiled; 0 if nothing was.
    pub crates: u64,
    /// The lines of the sources of all libraries that were compiled.
    pub lines: u64,
    /// The size of the program, in bytes.
    pub size: u64,
}

/// Measures this process from its making on.
pub struct Meter {
    begun: Instant,
    usage: Usage,
    resident: u64,
}

impl Meter {
    /// Begins.
    pub fn start() -> Result<Self> {
        let resident = status("VmRSS:")?;
        Ok(Meter { usage: getrusage(UsageWho::RUSAGE_SELF)?, begun: Instant::now(), resident })
    }

    /// Tells what was spent since the beginning.
    pub fn finish(self) -> Result<Sample> {
        let wall = self.begun.elapsed().as_secs_f64();
        let usage = getrusage(UsageWho::RUSAGE_SELF)?;
        let peak = status("VmHWM:")?;
        Ok(Sample {
            wall,
            user: seconds(usage.user_time()) - seconds(self.usage.user_time()),
            system: seconds(usage.system_time()) - seconds(self.usage.system_time()),
            peak,
            growth: peak.saturating_sub(self.resident),
            ..Sample::default()
        })
    }

    /// Finishes after work that was made of these round trips.
    pub fn finish_trips(self, mut trips: Vec<Duration>) -> Result<Sample> {
        let sample = self.finish()?;
        trips.sort_unstable();
        let median = trips.get(trips.len() / 2).ok_or("no round trip was timed")?;
        let tail = trips.get(trips.len() * 99 / 100).unwrap_or(median);
        Ok(Sample { latency: median.as_secs_f64(), tail: tail.as_secs_f64(), ..sample })
    }
}

/// A time that the kernel tells, in seconds.
pub fn seconds(time: TimeVal) -> f64 {
    time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6
}

/// A size that the kernel tells of this process, in bytes.
fn status(field: &str) -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next()).ok_or("the kernel tells no memory sizes")?;
    Ok(kilobytes.parse::<u64>()? * 1024)
}
