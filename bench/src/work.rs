//! The work, the clients that do it, and the figures that are told of it.

use clap::ValueEnum;
use serde::Deserialize;

use crate::meter::Sample;

/// The bytes of a recorded log line, with its line break.
pub const LINE: usize = 97;

/// The bytes that a log line takes on the wire: the line of its chunk, the header of its frame, itself, a line break.
pub const LINE_ON_WIRE: usize = 4 + 8 + LINE + 2;

/// A piece of work that is done in turn by several clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Work {
    /// Read recorded log lines, each in an HTTP chunk of its own, as fast as they come
    ReplayLogs,
    /// List many recorded containers
    ReplayList,
    /// Follow many recorded logs at a time, one line per 150 ms each
    ReplayFollowers,
    /// Ping a real engine, one ping after the other
    LivePing,
    /// Read the logs of a container of a real engine
    LiveLogs,
}

/// Who does the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Client {
    /// A blocking loop of `read` into 64 KiB, nothing decoded
    #[value(name = "raw-64k")]
    #[serde(rename = "raw-64k")]
    Raw64K,
    /// A blocking loop of `read` into 256 KiB, nothing decoded
    #[value(name = "raw-256k")]
    #[serde(rename = "raw-256k")]
    Raw256K,
    /// One kept socket in blocking mode, read to the end of the head
    RawBlocking,
    /// One kept socket of tokio, read to the end of the head
    RawTokio,
    /// This project's library
    Longshore,
    /// The best-known client in Rust
    Bollard,
}

/// What is told of a piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Figure {
    /// Bytes on the wire by wall time.
    Throughput,
    /// Wall time.
    Wall,
    /// User and system time.
    Cpu,
    /// The user's part of it.
    User,
    /// Peak memory of the process.
    Peak,
    /// The median of the round trips.
    Latency,
    /// Peak memory above that before the work, by stream.
    PerStream,
}

impl Work {
    /// Its name on the command line.
    pub fn name(self) -> String {
        name(&self)
    }

    /// What is done, so many times.
    pub fn title(self, amount: usize) -> String {
        match self {
            Work::ReplayLogs => {
                format!("{amount} recorded log lines of {LINE} bytes, one HTTP chunk each, replayed from memory")
            }
            Work::ReplayList => format!("the list of {amount} recorded containers"),
            Work::ReplayFollowers => format!("{amount} followed log streams, replayed, one line per 150 ms each"),
            Work::LivePing => format!("{amount} pings of the engine, one after the other"),
            Work::LiveLogs => format!("the logs of a container of the engine, {amount} lines of {LINE} bytes"),
        }
    }

    /// Whether it needs a real engine.
    pub fn is_live(self) -> bool {
        matches!(self, Work::LivePing | Work::LiveLogs)
    }

    /// How many times the work is done in one measurement.
    pub fn amount(self, quick: bool) -> usize {
        let amount = match self {
            Work::ReplayLogs | Work::LiveLogs => 1_000_000,
            Work::ReplayList => 10_000,
            Work::ReplayFollowers => 1_000,
            Work::LivePing => 5_000,
        };
        if quick { amount / 10 } else { amount }
    }

    /// Who does it, in the order of a round.
    pub fn clients(self) -> &'static [Client] {
        use Client::{Bollard, Longshore, Raw64K, Raw256K, RawBlocking, RawTokio};
        match self {
            Work::ReplayLogs | Work::LiveLogs => &[Raw64K, Raw256K, Longshore, Bollard],
            Work::ReplayList | Work::ReplayFollowers => &[Longshore, Bollard],
            Work::LivePing => &[RawTokio, RawBlocking, Longshore, Bollard],
        }
    }

    /// What is told of it.
    pub fn figures(self) -> &'static [Figure] {
        use Figure::{Cpu, Latency, Peak, PerStream, Throughput, User, Wall};
        match self {
            Work::ReplayLogs => &[Throughput, Cpu, Peak],
            Work::ReplayList => &[Wall, User, Peak],
            Work::ReplayFollowers => &[PerStream, Peak, Cpu],
            Work::LivePing => &[Latency, Cpu, Peak],
            Work::LiveLogs => &[Wall, Cpu, User, Peak],
        }
    }

    /// How many bytes cross the wire for it, as far as that is measured.
    pub fn bytes_on_wire(self, amount: usize) -> usize {
        match self {
            Work::ReplayLogs | Work::LiveLogs => amount * LINE_ON_WIRE,
            Work::ReplayList | Work::ReplayFollowers | Work::LivePing => 0,
        }
    }
}

impl Client {
    /// Its name on the command line.
    pub fn name(self) -> String {
        name(&self)
    }

    /// The program that plays it.
    pub fn program(self) -> &'static str {
        match self {
            Client::Raw64K | Client::Raw256K | Client::RawBlocking | Client::RawTokio => "bench-raw",
            Client::Longshore => "bench-longshore",
            Client::Bollard => "bench-bollard",
        }
    }
}

impl Figure {
    /// Its title, with the unit.
    pub fn title(self) -> &'static str {
        match self {
            Figure::Throughput => "MB/s",
            Figure::Wall => "wall s",
            Figure::Cpu => "user+sys s",
            Figure::User => "user s",
            Figure::Peak => "peak MB",
            Figure::Latency => "median µs",
            Figure::PerStream => "KB per stream",
        }
    }

    /// How many digits of it mean anything.
    pub fn decimals(self) -> usize {
        match self {
            Figure::Throughput => 0,
            Figure::Latency | Figure::PerStream | Figure::Peak => 1,
            Figure::Wall | Figure::Cpu | Figure::User => 3,
        }
    }

    /// Reads it off a sample, in the unit of the title; MB and KB are 1,000,000 and 1,000 bytes.
    pub fn of(self, sample: &Sample, work: Work, amount: usize) -> f64 {
        match self {
            Figure::Throughput => work.bytes_on_wire(amount) as f64 / sample.wall / 1e6,
            Figure::Wall => sample.wall,
            Figure::Cpu => sample.user + sample.system,
            Figure::User => sample.user,
            Figure::Peak => sample.peak as f64 / 1e6,
            Figure::Latency => sample.latency * 1e6,
            Figure::PerStream => sample.growth as f64 / 1e3 / amount as f64,
        }
    }
}

fn name(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}
