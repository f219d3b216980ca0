//! HTTP/1.1 over a connection of our own, in the caller's task.
//!
//! A call writes its request and reads the answer's head in one future; the body is read by whoever holds the stream.
//! There is no task in the background, so dropping a future or a stream closes exactly its connection.

mod client;
mod connection;
mod deadlines;
mod exchange;
mod list;
mod payload;
mod pool;
mod reader;
mod refusal;
mod request;
mod response;
mod timer;

pub use deadlines::Deadlines;
pub use longshore_wire::request::Method;
pub use payload::Payload;

#[cfg(feature = "websocket")]
pub(crate) use client::UpgradeHead;
pub(crate) use client::{Answering, Client};
pub(crate) use reader::{Incoming, Outgoing, Upgraded, Window};
#[cfg(feature = "websocket")]
pub(crate) use refusal::refusal;
#[cfg(test)]
pub(crate) use request::Patience;
pub(crate) use request::{REGISTRY_AUTH, Request};
pub(crate) use response::{Body, Response};
#[cfg(feature = "websocket")]
pub(crate) use timer::Timer;
