//! How much memory a process has taken.

use std::io;

/// The most memory that this process has had, in bytes.
///
/// # Errors
/// When the system does not tell.
pub fn peak() -> io::Result<u64> {
    status("VmHWM:")
}

/// The memory that this process has now, in bytes.
///
/// # Errors
/// When the system does not tell.
pub fn resident() -> io::Result<u64> {
    status("VmRSS:")
}

/// Begins anew: the [`peak`] is the most that this process has had from now on. Tells what it has now, in bytes.
///
/// # Errors
/// When the system does not tell, or does not forget.
pub fn forget_peak() -> io::Result<u64> {
    std::fs::write("/proc/self/clear_refs", "5")?;
    resident()
}

fn status(field: &str) -> io::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kibibytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kibibytes.map(|count| count * 1024).ok_or_else(|| io::Error::other("the system does not tell"))
}
