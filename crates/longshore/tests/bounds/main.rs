//! Memory and time stay within bounds, however much comes, however slowly it is taken, whatever it claims to be.
//!
//! One test measures at a time, since memory is that of the whole process.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[cfg(feature = "archive")]
mod copies;
mod fan_out;
mod hostile;
mod resuming;
mod slow;
mod source;
mod streams;
mod uploads;
#[cfg(feature = "websocket")]
mod websocket;

use std::time::Instant;

use longshore_testkit::memory;
use tokio::sync::{Mutex, MutexGuard};

/// Held while memory is measured.
async fn alone() -> MutexGuard<'static, ()> {
    static MEASURING: Mutex<()> = Mutex::const_new(());
    MEASURING.lock().await
}

/// How much memory `work` took beyond what there was before, in bytes, and what it gave. It is told if it takes long.
async fn measured<T>(what: &str, work: impl Future<Output = T>) -> (T, u64) {
    let before = memory::forget_peak().unwrap();
    let start = Instant::now();
    let given = work.await;
    let taken = memory::peak().unwrap().saturating_sub(before);
    println!("{what}: {} KiB in {:?}", taken / 1024, start.elapsed());
    (given, taken)
}
