use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};

use super::{keeper, registry, removal};
use crate::error::{Error, ErrorKind, Operation, Result};

/// A signal that asks a program to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Signal {
    /// The terminal is gone: `SIGHUP`.
    Hangup,
    /// Ctrl-C: `SIGINT`.
    Interrupt,
    /// `SIGTERM`, as `kill`, `timeout` and service managers send it.
    Terminate,
}

impl Signal {
    /// The exit code of a program that has ended on this signal, as shells tell it: 128 and its number.
    pub fn exit_code(self) -> u8 {
        128 + self.number()
    }

    fn number(self) -> u8 {
        match self {
            Signal::Hangup => 1,
            Signal::Interrupt => 2,
            Signal::Terminate => 15,
        }
    }
}

/// The signals that ask this program to end, as they come. See [`signals`].
#[derive(Debug)]
pub struct Signals(Vec<(Signal, Listener)>);

/// Takes over the signals that ask this program to end: on Unix `SIGINT`, `SIGTERM` and `SIGHUP`, but for those that the
/// process was started to ignore, as `nohup` does; elsewhere Ctrl-C. From then on they do nothing else, also once this is
/// dropped.
///
/// What to do about them is the program's choice. One that has nothing else to end takes [`exit_on_signals`].
///
/// ```no_run
/// # async fn work() {}
/// # async fn example() -> longshore::Result<()> {
/// use longshore::guard;
///
/// let mut signals = guard::signals()?;
/// tokio::select! {
///     () = work() => {}
///     signal = signals.next() => {
///         // `work` is dropped by now, and with it the guards that it held; this removes what others hold.
///         let removed = guard::remove_all().await;
///         std::process::exit(i32::from(signal.exit_code()));
///     }
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Io`](ErrorKind::Io) when the system does not let it.
///
/// # Panics
/// Outside a runtime of tokio with I/O.
pub fn signals() -> Result<Signals> {
    let listening = || -> io::Result<Vec<_>> {
        let wanted = listener::SIGNALS.iter().copied().filter(|signal| !is_ignored(*signal));
        wanted.map(|signal| Ok((signal, listener::listen(signal)?))).collect()
    };
    listening().map(Signals).map_err(failed)
}

fn failed(source: io::Error) -> Error {
    Operation::new("listen for signals").error_from(ErrorKind::Io, source.to_string(), source)
}

impl Signals {
    /// Waits for the next signal.
    ///
    /// # Cancel safety
    /// When the future is dropped, no signal is lost.
    pub async fn next(&mut self) -> Signal {
        poll_fn(|context| self.poll_next(context)).await
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Signal> {
        let came = self.0.iter_mut().find_map(|(signal, listener)| match listener.poll_recv(context) {
            Poll::Ready(Some(())) => Some(*signal),
            _ => None,
        });
        came.map_or(Poll::Pending, Poll::Ready)
    }
}

/// Lets the first [signal](signals) that asks this program to end remove all that is guarded, and end the program with the
/// signal's [exit code](Signal::exit_code). A second one ends it at once.
///
/// This happens on the thread that removes what is guarded, whatever the program's own threads are doing: nothing of
/// them is waited for, no destructor runs, and their creations fail meanwhile. What can't be removed is told by a warning
/// of `tracing`.
///
/// ```no_run
/// # async fn example() -> longshore::Result<()> {
/// longshore::guard::exit_on_signals()?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As [`signals`].
#[inline]
pub fn exit_on_signals() -> Result<()> {
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    let work = async move {
        match signals() {
            Ok(signals) => {
                let _ = sender.send(Ok(()));
                exit_on(signals).await;
            }
            Err(error) => {
                let _ = sender.send(Err(error));
            }
        }
    };
    keeper::spawn(work).map_err(failed)?;
    receiver.recv().map_err(io::Error::other).map_err(failed)?
}

async fn exit_on(mut signals: Signals) {
    let signal = signals.next().await;
    registry::close();
    tokio::spawn(async move {
        let again = signals.next().await;
        tracing::warn!("asked to end once more: what was guarded may be left behind");
        std::process::exit(i32::from(again.exit_code()));
    });
    for error in removal::clear().await.failures {
        tracing::warn!(%error, "what was guarded is left behind");
    }
    std::process::exit(i32::from(signal.exit_code()));
}

/// Whether the process was started to ignore a signal, as far as the system tells. Once it is listened to, it is not
/// ignored any more.
fn is_ignored(signal: Signal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignores(&status, signal)
}

fn ignores(status: &str, signal: Signal) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask >> (signal.number() - 1) & 1 == 1
}

use listener::Listener;

#[cfg(unix)]
mod listener {
    use std::io;

    use tokio::signal::unix::{SignalKind, signal};

    use super::Signal;

    pub(super) const SIGNALS: [Signal; 3] = [Signal::Hangup, Signal::Interrupt, Signal::Terminate];

    pub(super) type Listener = tokio::signal::unix::Signal;

    pub(super) fn listen(wanted: Signal) -> io::Result<Listener> {
        signal(SignalKind::from_raw(i32::from(wanted.number())))
    }
}

#[cfg(windows)]
mod listener {
    use std::io;

    use super::Signal;

    pub(super) const SIGNALS: [Signal; 1] = [Signal::Interrupt];

    pub(super) type Listener = tokio::signal::windows::CtrlC;

    pub(super) fn listen(_: Signal) -> io::Result<Listener> {
        tokio::signal::windows::ctrl_c()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_those_of_shells() {
        let codes = [Signal::Hangup, Signal::Interrupt, Signal::Terminate].map(Signal::exit_code);
        assert_eq!(codes, [129, 130, 143]);
    }

    #[test]
    fn ignored_signals_are_known() {
        let status = "SigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000000002\n";
        let all = [Signal::Hangup, Signal::Interrupt, Signal::Terminate];
        assert_eq!(all.map(|signal| ignores(status, signal)), [true, false, false]);
        assert_eq!(all.map(|signal| ignores("SigIgn:\tffff", signal)), [true, true, true]);
        assert_eq!(all.map(|signal| ignores("", signal)), [false, false, false]);
    }
}
