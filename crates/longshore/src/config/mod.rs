//! Finds out which engine is meant, and how the user has set it up.

mod context;
mod credentials;
mod environment;
mod file;
mod headers;
mod proxies;
mod resolve;
mod sockets;
mod ssh;
mod tls;

pub use context::Context;
pub(crate) use credentials::{AllCredentials, Credentials, FindCredentials, Shown};
pub use environment::Environment;
pub(crate) use file::ConfigFile;
pub use resolve::{ContextSource, Endpoint, EndpointSource};
pub(crate) use resolve::{Resolved, Wish};
pub use ssh::Ssh;
pub use tls::Tls;
