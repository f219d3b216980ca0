//! The engine itself: whether it is there, which one it is, and what it has.

mod disk_usage;
mod events;
mod info;
mod ping;
mod version;

pub use disk_usage::{DiskUsageKind, DiskUsageOptions};
pub use events::{Events, EventsOptions, FollowEvents};
pub use ping::{Ping, SwarmMembership};
