use std::ops::{Deref, DerefMut};

use super::Exec;
use crate::api::Size;
use crate::api::container::ExitStatus;
use crate::error::Result;
use crate::stream::{OutputStream, Session, Stdin};

/// A [`Session`] with a process that was started in a container.
#[derive(Debug)]
pub struct ExecSession {
    pub(super) exec: Exec,
    pub(super) session: Session,
}

impl ExecSession {
    /// The process, to inspect it or wait for it while the session goes on elsewhere.
    pub fn exec(&self) -> &Exec {
        &self.exec
    }

    /// Tells the process's terminal how large it is; see [`Exec::resize`].
    ///
    /// # Errors
    /// As [`Exec::resize`].
    ///
    /// # Cancel safety
    /// As [`Exec::resize`].
    pub async fn resize(&self, size: Size) -> Result<()> {
        self.exec.resize(size).await
    }

    /// Ends the process's input, reads away the rest of its output, and tells how it ended.
    ///
    /// # Errors
    /// As [`Session::next`] and [`Exec::wait`].
    ///
    /// # Cancel safety
    /// When the future is dropped, the session is closed and the process runs on.
    pub async fn wait(mut self) -> Result<ExitStatus> {
        if let Err(error) = self.session.close_stdin().await {
            // It has ended already, or will tell by its output that it can't go on.
            tracing::debug!(%error, "the input was closed already");
        }
        while let Some(chunk) = self.session.next().await {
            chunk?;
        }
        self.exec.wait().await
    }

    /// Takes input and output apart, to be used by different tasks. The connection is closed once both are dropped.
    pub fn split(self) -> (Stdin, OutputStream) {
        self.session.split()
    }

    /// Keeps only the output. The input stays as it is: end it before with
    /// [`close_stdin`](Session::close_stdin) if the process waits for that.
    pub fn into_output(self) -> OutputStream {
        self.session.into_output()
    }
}

impl Deref for ExecSession {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

impl DerefMut for ExecSession {
    fn deref_mut(&mut self) -> &mut Session {
        &mut self.session
    }
}
