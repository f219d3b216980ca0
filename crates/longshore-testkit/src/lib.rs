//! Engines that do as they are told, and connections that fail where they are told.
//!
//! | module | does |
//! |---|---|
//! | [`engine`] | plays an engine in memory, from a script of exchanges |
//! | [`answer`] | says how an answer comes: in which pieces, and where it is cut, reset or stalled |
//! | [`tls`] | leads to the TLS of a real engine |
//! | [`certificates`] | makes authorities and certificates |
//! | [`environments`] | has surroundings in which the official CLI and longshore must find the same engine |
//! | [`transcript`] | has recorded exchanges of every kind, with the calls that lead to them and what they give |
//! | [`pass`] | keeps credentials with a real helper |
//! | [`poll`] | drops a future after so many polls, reads a stream to its end |
//! | [`proxy`] | stands before a real engine and breaks its connections |
//! | [`gateway`] | puts a real proxy before an engine |
//! | [`live`] | knows the real engines to test with, and removes what tests make on them |
//! | [`descriptors`] | counts the files that a process has open |
//! | [`memory`] | tells how much memory a process has taken |
//! | [`relay`] | stands before a port, and makes the way to it longer |
//! | [`sshd`] | runs a real ssh server, with an engine behind it |
//! | [`registry`] | runs a real registry, and lets engines reach it |
//! | [`tally`](mod@tally) | keeps what tests have counted |
//!
//! ```
//! use longshore_testkit::{Answer, Exchange, ScriptedEngine};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> longshore::Result<()> {
//! let answer = Answer::new("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]").pieces(1);
//! let engine = ScriptedEngine::new([Exchange::new("GET /v1.44/containers/json", answer)]);
//! assert!(engine.docker().containers().list().await?.is_empty());
//! engine.assert_finished();
//! # Ok(())
//! # }
//! ```

pub mod answer;
pub mod certificates;
mod connection;
pub mod descriptors;
pub mod engine;
pub mod environments;
mod folder;
pub mod gateway;
pub mod live;
pub mod memory;
pub mod pass;
pub mod poll;
mod port;
mod process;
mod program;
pub mod proxy;
pub mod registry;
pub mod relay;
mod request;
pub mod sshd;
pub mod tally;
pub mod tls;
pub mod transcript;

pub use answer::{Answer, Exchange, Fault, Upload};
pub use engine::{Dialing, ScriptedEngine};
pub use folder::Folder;
pub use poll::{Drained, PollN, alive_tasks, drain, never_hangs, poll_n};
pub use proxy::{Direction, FaultProxy, Faults};
pub use relay::Relay;
pub use request::Received;
pub use sshd::{FarSide, Sshd};
pub use tally::{FaultCount, tally};
pub use transcript::{Expected, Transcript};
