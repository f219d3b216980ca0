//! Finds out which engine is meant, and how the user has set it up.

mod environment;
mod file;
mod ssh;
mod tls;

pub use environment::Environment;
pub(crate) use environment::parse;
pub(crate) use file::ConfigFile;
pub use ssh::Ssh;
pub use tls::Tls;
