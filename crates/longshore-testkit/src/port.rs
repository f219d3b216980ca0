//! Ports for programs that can't say which one the system gave them.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

/// Systems give ports from 32768 on to whoever asks for any. One of those could be given away before the program has it,
/// and a connection to it could even be given it as its own, and so reach itself.
const PORTS: std::ops::Range<u32> = 10_000..32_768;

/// A port of 127.0.0.1 on which nothing listens, and which this process is told once.
///
/// # Errors
/// When there is none.
pub(crate) fn free_port() -> io::Result<u16> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let count = PORTS.end - PORTS.start;
    // Other processes that look for ports at the same time begin elsewhere.
    let first = std::process::id().wrapping_mul(97) % count;
    for _ in PORTS {
        let next = first + NEXT.fetch_add(1, Ordering::Relaxed) % count;
        let port = u16::try_from(PORTS.start + next % count).map_err(io::Error::other)?;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(io::Error::other("every port of 127.0.0.1 is taken"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_told_once_and_never_one_of_those_that_systems_give() {
        let ports: Vec<u16> = (0..10).map(|_| free_port().unwrap()).collect();
        let mut distinct = ports.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), ports.len(), "{ports:?}");
        assert!(ports.iter().all(|port| PORTS.contains(&u32::from(*port))), "{ports:?}");
    }

    #[test]
    fn a_port_that_is_taken_is_passed_over() {
        let port = free_port().unwrap();
        let taken: Vec<TcpListener> =
            (port + 1..port + 50).filter_map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()).collect();
        let ports: Vec<u16> = taken.iter().map(|taken| taken.local_addr().unwrap().port()).collect();
        let told = free_port().unwrap();
        assert!(!ports.contains(&told), "{told} of {ports:?}");
    }
}
