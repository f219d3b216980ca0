//! The engine itself: whether it is there, and which one it is.

mod events;
mod ping;
mod version;

pub use events::{Events, EventsOptions};
pub use ping::{Ping, SwarmMembership};
