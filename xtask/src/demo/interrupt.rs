//! Ctrl-C and its kin: the first asks the demo to clean up and end, the second ends it at once.

use std::io::Write;
use std::time::{Duration, Instant};

use longshore::guard::{self, Signal};
use tokio::sync::watch;

use super::RunId;
use crate::error::Result;

/// How long after a signal others are taken for the same one: `timeout` and the like send it to the process and to its
/// group.
const SAME: Duration = Duration::from_millis(500);

/// Tells whether a signal has asked the demo to end.
#[derive(Clone)]
pub(super) struct Interrupts(watch::Receiver<Option<(Signal, Instant)>>);

impl Interrupts {
    /// Takes the signals over from here on.
    pub(super) fn listen(run: &RunId) -> Result<Self> {
        let (sender, receiver) = watch::channel(None::<(Signal, Instant)>);
        let (mut signals, label) = (guard::signals()?, run.label());
        tokio::spawn(async move {
            loop {
                let signal = signals.next().await;
                let first = *sender.borrow();
                match first {
                    None => {
                        sender.send_replace(Some((signal, Instant::now())));
                        tell("interrupted: cleaning up; once more to give up");
                    }
                    Some((_, first)) if first.elapsed() < SAME => {}
                    Some(_) => {
                        tell(&format!(
                            "gave up: what has the label {label} may be left behind,\n\
                             and so may a private engine; `cargo xtask engine down` stops that"
                        ));
                        std::process::exit(signal.exit_code().into());
                    }
                }
            }
        });
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
