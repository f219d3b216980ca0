//! The transcripts over real sockets, and over TLS: what the kernel makes of a connection that is cut, reset, stalled or
//! slow, and that no task and no descriptor is left of it.
//!
//! Every byte is tried in memory (`tests/fault`); here a few of each exchange are.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(dead_code, reason = "what it has in common with other tests has more than this one needs")]

#[path = "../fault/featured.rs"]
mod featured;
mod served;
#[cfg(feature = "tls")]
mod tls;
mod way;

use std::sync::{Mutex, PoisonError};

use longshore_testkit::FaultProxy;

use served::Served;
use way::{Way, try_all};

/// Runs a test while no other one opens anything, in a runtime of its own.
fn alone(test: impl Future<Output = ()>) {
    static OTHERS: Mutex<()> = Mutex::new(());
    let _alone = OTHERS.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(test);
}

/// The processes that this one has started and that are still there, by what they run.
fn children() -> Vec<String> {
    let own = std::process::id().to_string();
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let stats = processes.filter_map(|process| std::fs::read_to_string(process.path().join("stat")).ok());
    // Its id, its name in parentheses, its state, its parent.
    let child = |stat: String| {
        let (name, rest) = stat.rsplit_once(") ")?;
        (rest.split(' ').nth(1) == Some(&own)).then(|| name.to_owned())
    };
    stats.filter_map(child).collect()
}

#[test]
fn over_unix_sockets() {
    alone(async {
        let served = Served::plain();
        let proxy = FaultProxy::unix(served.socket()).await.unwrap();
        try_all(&Way::new(&served, &proxy)).await;
    });
}

#[test]
fn over_tcp() {
    alone(async {
        let served = Served::plain();
        let proxy = FaultProxy::tcp(served.socket()).await.unwrap();
        try_all(&Way::new(&served, &proxy)).await;
    });
}
