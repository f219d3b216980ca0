//! Finds out which engine is meant, and how the user has set it up.

mod credentials;
mod environment;
mod file;
mod proxies;
mod tls;

pub(crate) use credentials::{AllCredentials, Credentials};
pub use environment::Environment;
pub(crate) use environment::parse;
pub(crate) use file::ConfigFile;
pub use tls::Tls;
