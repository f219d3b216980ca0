//! Ctrl-C and its kin: the first asks the demo to clean up and end, the second ends it at once.

use std::io::Write;
use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::RunId;
use crate::error::{Context, Result};

/// How long after a signal others are taken for the same one: `timeout` and the like send it to the process and to its
/// group.
const SAME: Duration = Duration::from_millis(500);

/// A signal that ends the demo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    Hangup,
    Interrupt,
    Terminate,
}

impl Signal {
    const ALL: [Self; 3] = [Self::Hangup, Self::Interrupt, Self::Terminate];

    fn kind(self) -> SignalKind {
        match self {
            Self::Hangup => SignalKind::hangup(),
            Self::Interrupt => SignalKind::interrupt(),
            Self::Terminate => SignalKind::terminate(),
        }
    }

    /// The exit code of a command that ended on this signal, as shells have it.
    pub(super) fn exit_code(self) -> u8 {
        let number = self.kind().as_raw_value();
        128 + u8::try_from(number).unwrap_or_default()
    }
}

/// Tells whether a signal has asked the demo to end.
#[derive(Clone)]
pub(super) struct Interrupts(watch::Receiver<Option<(Signal, Instant)>>);

impl Interrupts {
    /// Takes the signals over from here on.
    pub(super) fn listen(run: &RunId) -> Result<Self> {
        let (sender, receiver) = watch::channel(None::<(Signal, Instant)>);
        for kind in Signal::ALL {
            let mut signals = signal(kind.kind()).context(|| format!("listen for the signal {kind:?}"))?;
            let (sender, label) = (sender.clone(), run.label());
            tokio::spawn(async move {
                while signals.recv().await.is_some() {
                    let first = *sender.borrow();
                    match first {
                        None => {
                            sender.send_replace(Some((kind, Instant::now())));
                            tell("interrupted: cleaning up; once more to give up");
                        }
                        Some((_, first)) if first.elapsed() < SAME => {}
                        Some(_) => {
                            tell(&format!(
                                "gave up: what has the label {label} may be left behind,\n\
                                 and so may a private engine; `cargo xtask engine down` stops that"
                            ));
                            std::process::exit(kind.exit_code().into());
                        }
                    }
                }
            });
        }
        Ok(Self(receiver))
    }

    /// The signal that came first, if any did.
    pub(super) fn happened(&self) -> Option<Signal> {
        self.0.borrow().map(|(signal, _)| signal)
    }

    /// Waits for the first signal.
    pub(super) async fn wait(&self) {
        // The senders live as long as the runtime, so an error can't be; if it were, no signal would come.
        if self.0.clone().wait_for(Option::is_some).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Prints to the terminal, which may be gone.
fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "\n{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_those_of_shells() {
        assert_eq!(Signal::ALL.map(Signal::exit_code), [129, 130, 143]);
    }
}
