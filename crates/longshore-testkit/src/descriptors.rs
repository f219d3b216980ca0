//! The files, sockets and pipes that this process has open.

use std::io;

use rustix::process::{Resource, getrlimit, setrlimit};

/// How many are open.
///
/// # Errors
/// When the system does not tell.
pub fn open() -> io::Result<u64> {
    // The folder that is read is one of them.
    Ok(std::fs::read_dir("/proc/self/fd")?.count() as u64 - 1)
}

/// Lets this process have as many as the system allows it, and tells how many these are.
///
/// # Errors
/// When the system refuses.
pub fn allow_many() -> io::Result<u64> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit)?;
    Ok(limit.maximum.unwrap_or(u64::MAX))
}
