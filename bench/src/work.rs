//! The work, the clients that do it, and the figures that are told of it.

use clap::ValueEnum;
use recordings::{FRAME, LINE_ON_WIRE, TERMINAL_CHUNK};
use serde::Deserialize;

use crate::meter::Sample;

/// The bytes that are transferred at a time where something is uploaded or written.
pub const PIECE: usize = 64 * 1024;

/// How many tasks ask at a time.
pub const PARALLEL: usize = 256;

/// A piece of work that is done in turn by several clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Work {
    /// Read recorded log lines, each in an HTTP chunk of its own, as fast as they come
    ReplayLogs,
    /// Read recorded output in frames of 64 KiB
    ReplayFrames,
    /// Read recorded output of a terminal
    ReplayTty,
    /// Read recorded stats samples
    ReplayStats,
    /// Read recorded events
    ReplayEvents,
    /// Read the recorded progress of a pull
    ReplayProgress,
    /// List many recorded containers
    ReplayList,
    /// Inspect a recorded container, again and again
    ReplayInspects,
    /// Follow many recorded logs at a time, one line per 150 ms each
    ReplayFollowers,
    /// Ping a real engine, one ping after the other
    LivePing,
    /// Inspect a container of a real engine, again and again
    LiveInspect,
    /// List the containers of a real engine, again and again
    LiveList,
    /// Inspect a container of a real engine from many tasks at a time
    LiveParallel,
    /// Make a client, and ping once with it, again and again
    LiveConnect,
    /// Create, start, wait for and remove containers of a real engine, one after the other
    LiveLifecycle,
    /// Read the logs of a container of a real engine
    LiveLogs,
    /// Read the output of a command in a container of a real engine
    LiveExec,
    /// Write to the input of a command in a container of a real engine
    LiveStdin,
    /// Read an archive out of a container of a real engine
    LiveDownload,
    /// Send an archive into a container of a real engine
    LiveUpload,
    /// Build a small program from nothing
    Build,
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
    /// One kept socket in blocking mode, read to the end of the answer
    RawBlocking,
    /// One kept socket of tokio, read to the end of the answer
    RawTokio,
    /// This project's library
    Longshore,
    /// The best-known client in Rust
    Bollard,
    /// The asyncio client in Python that this project was modelled on
    Aiodocker,
    /// The official client in Python
    DockerPy,
}

/// What is told of a piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Figure {
    /// Bytes on the wire by wall time.
    Throughput,
    /// Items by wall time.
    Rate,
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
    /// The round trip that one in a hundred exceeds.
    Tail,
    /// Peak memory above that before the work, by stream.
    PerStream,
    /// Libraries from a registry that are compiled.
    Crates,
    /// Lines of their sources.
    Lines,
    /// The size of the program.
    Size,
}

/// What a piece of work is made of.
struct Facts {
    /// What is done, behind how many times.
    title: &'static str,
    amount: usize,
    clients: &'static [Client],
    figures: &'static [Figure],
    /// The bytes of each item on the wire, as far as they are measured.
    bytes: usize,
}

impl Work {
    /// Its name on the command line.
    pub fn name(self) -> String {
        name(&self)
    }

    /// What is done, so many times.
    pub fn title(self, amount: usize) -> String {
        format!("{amount} {}", self.facts().title)
    }

    /// Whether recorded answers are replayed for it.
    pub fn is_replayed(self) -> bool {
        self.name().starts_with("replay-")
    }

    /// Whether it needs a real engine.
    pub fn is_live(self) -> bool {
        self.name().starts_with("live-")
    }

    /// How many times the work is done in one measurement.
    pub fn amount(self, quick: bool) -> usize {
        let amount = self.facts().amount;
        if quick { (amount / 10).max(1) } else { amount }
    }

    /// How many rounds are measured. Round trips depend on how a process and the engine happen to share the processors, which
    /// lasts as long as the process: few of them tell little.
    pub fn rounds(self) -> usize {
        match self {
            Work::LivePing | Work::LiveInspect => 15,
            _ => 7,
        }
    }

    /// Who does it, in the order of a round.
    pub fn clients(self) -> &'static [Client] {
        self.facts().clients
    }

    /// What is told of it.
    pub fn figures(self) -> &'static [Figure] {
        self.facts().figures
    }

    /// How many bytes cross the wire for it, as far as that is measured.
    pub fn bytes_on_wire(self, amount: usize) -> usize {
        amount * self.facts().bytes
    }

    fn facts(self) -> Facts {
        use Client::{Aiodocker, Bollard, DockerPy, Longshore, Raw64K, Raw256K, RawBlocking, RawTokio};
        use Figure::{Cpu, Crates, Latency, Lines, Peak, PerStream, Rate, Size, Tail, Throughput, User, Wall};
        let facts = |title, amount, clients, figures, bytes| Facts { title, amount, clients, figures, bytes };
        const MIB: usize = 1024 * 1024;
        match self {
            Work::ReplayLogs => facts(
                "recorded log lines of 97 bytes, one HTTP chunk each, replayed from memory",
                1_000_000,
                &[Raw64K, Raw256K, Longshore, Bollard, Aiodocker, DockerPy],
                &[Throughput, Cpu, Peak],
                LINE_ON_WIRE,
            ),
            Work::ReplayFrames => facts(
                "recorded frames of 64 KiB of stdout, one HTTP chunk each, replayed from memory",
                8_192,
                &[Raw64K, Raw256K, Longshore, Bollard],
                &[Throughput, Cpu, Peak],
                FRAME,
            ),
            Work::ReplayTty => facts(
                "recorded chunks of 32 KiB of a terminal's output, replayed from memory",
                16_384,
                &[Raw64K, Raw256K, Longshore, Bollard],
                &[Throughput, Cpu, Peak],
                TERMINAL_CHUNK,
            ),
            Work::ReplayStats => facts(
                "recorded stats samples, one HTTP chunk each",
                100_000,
                &[Longshore, Bollard],
                &[Rate, Cpu, Peak],
                0,
            ),
            Work::ReplayEvents => {
                facts("recorded events, one HTTP chunk each", 100_000, &[Longshore, Bollard], &[Rate, Cpu, Peak], 0)
            }
            Work::ReplayProgress => facts(
                "recorded messages of the progress of a pull, one HTTP chunk each",
                100_000,
                &[Longshore, Bollard],
                &[Rate, Cpu, Peak],
                0,
            ),
            Work::ReplayList => facts(
                "recorded containers in one list",
                10_000,
                &[Longshore, Bollard, Aiodocker, DockerPy],
                &[Wall, User, Peak],
                0,
            ),
            Work::ReplayInspects => facts(
                "inspections of a recorded container, one after the other",
                1_000,
                &[Longshore, Bollard],
                &[Latency, Cpu, Peak],
                0,
            ),
            Work::ReplayFollowers => facts(
                "followed log streams, replayed, one line per 150 ms each",
                1_000,
                &[Longshore, Bollard],
                &[PerStream, Peak, Cpu],
                0,
            ),
            Work::LivePing => facts(
                "pings of the engine, one after the other",
                5_000,
                &[RawTokio, RawBlocking, Longshore, Bollard, Aiodocker, DockerPy],
                &[Latency, Cpu, Peak],
                0,
            ),
            Work::LiveInspect => facts(
                "inspections of a container of the engine, one after the other",
                2_000,
                &[RawTokio, RawBlocking, Longshore, Bollard],
                &[Latency, Cpu, Peak],
                0,
            ),
            Work::LiveList => facts(
                "lists of the containers of the engine, one after the other",
                500,
                &[RawTokio, RawBlocking, Longshore, Bollard],
                &[Latency, Cpu, Peak],
                0,
            ),
            Work::LiveParallel => facts(
                "inspections of a container of the engine, by 256 tasks at a time",
                10_240,
                &[Longshore, Bollard],
                &[Rate, Latency, Tail, Cpu, Peak],
                0,
            ),
            Work::LiveConnect => facts(
                "clients of the engine, each made anew and asked for one ping",
                500,
                &[Longshore, Bollard],
                &[Latency, Cpu, Peak],
                0,
            ),
            Work::LiveLifecycle => facts(
                "containers created, started, waited for and removed, one after the other",
                20,
                &[Longshore, Bollard],
                &[Wall, Cpu, Peak],
                0,
            ),
            Work::LiveLogs => facts(
                "lines of 97 bytes, the logs of a container of the engine",
                1_000_000,
                &[Raw64K, Raw256K, Longshore, Bollard, Aiodocker, DockerPy],
                &[Wall, Cpu, User, Peak],
                LINE_ON_WIRE,
            ),
            Work::LiveExec => facts(
                "MiB of output of a command in a container of the engine",
                1_024,
                &[Raw64K, Raw256K, Longshore, Bollard],
                &[Wall, Cpu, Peak],
                MIB,
            ),
            Work::LiveStdin => facts(
                "MiB of input of a command in a container of the engine",
                1_024,
                &[Raw64K, Longshore, Bollard],
                &[Wall, Cpu, Peak],
                MIB,
            ),
            Work::LiveDownload => facts(
                "MiB of a file, as an archive out of a container of the engine",
                1_024,
                &[Raw64K, Raw256K, Longshore, Bollard],
                &[Wall, Cpu, Peak],
                MIB,
            ),
            Work::LiveUpload => facts(
                "MiB of a file, as an archive into a container of the engine",
                1_024,
                &[Raw64K, Longshore, Bollard],
                &[Wall, Cpu, Peak],
                MIB,
            ),
            Work::Build => facts(
                "program that says hello to the engine, built from nothing with default features, for release and stripped",
                1,
                &[Longshore, Bollard],
                &[Wall, Cpu, Crates, Lines, Size],
                0,
            ),
        }
    }
}

impl Client {
    /// Its name on the command line.
    pub fn name(self) -> String {
        name(&self)
    }

    /// The program that plays it, or the script if it is one of Python's.
    pub fn program(self) -> &'static str {
        match self {
            Client::Raw64K | Client::Raw256K | Client::RawBlocking | Client::RawTokio => "bench-raw",
            Client::Longshore => "bench-longshore",
            Client::Bollard => "bench-bollard",
            Client::Aiodocker => "with_aiodocker.py",
            Client::DockerPy => "with_docker.py",
        }
    }

    /// Whether it is written in Python, and so may be missing.
    pub fn is_python(self) -> bool {
        matches!(self, Client::Aiodocker | Client::DockerPy)
    }
}

impl Figure {
    /// Its title, with the unit.
    pub fn title(self) -> &'static str {
        match self {
            Figure::Throughput => "MB/s",
            Figure::Rate => "items/s",
            Figure::Wall => "wall s",
            Figure::Cpu => "user+sys s",
            Figure::User => "user s",
            Figure::Peak => "peak MB",
            Figure::Latency => "median µs",
            Figure::Tail => "p99 µs",
            Figure::PerStream => "KB per stream",
            Figure::Crates => "crates of others",
            Figure::Lines => "thousand lines",
            Figure::Size => "size MB",
        }
    }

    /// How many digits of it mean anything.
    pub fn decimals(self) -> usize {
        match self {
            Figure::Throughput | Figure::Rate | Figure::Tail | Figure::Crates | Figure::Lines => 0,
            Figure::Latency | Figure::PerStream | Figure::Peak => 1,
            Figure::Size => 2,
            Figure::Wall | Figure::Cpu | Figure::User => 3,
        }
    }

    /// Reads it off a sample, in the unit of the title; MB and KB are 1,000,000 and 1,000 bytes.
    pub fn of(self, sample: &Sample, work: Work, amount: usize) -> f64 {
        match self {
            Figure::Throughput => work.bytes_on_wire(amount) as f64 / sample.wall / 1e6,
            Figure::Rate => amount as f64 / sample.wall,
            Figure::Wall => sample.wall,
            Figure::Cpu => sample.user + sample.system,
            Figure::User => sample.user,
            Figure::Peak => sample.peak as f64 / 1e6,
            Figure::Latency => sample.latency * 1e6,
            Figure::Tail => sample.tail * 1e6,
            Figure::PerStream => sample.growth as f64 / 1e3 / amount as f64,
            Figure::Crates => sample.crates as f64,
            Figure::Lines => sample.lines as f64 / 1e3,
            Figure::Size => sample.size as f64 / 1e6,
        }
    }
}

fn name(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}
