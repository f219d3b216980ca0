//! The engine itself: whether it is there, and which one it is.

mod ping;
mod version;

pub use ping::{Ping, SwarmMembership};
