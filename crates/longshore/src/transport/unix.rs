use std::io;
use std::path::PathBuf;

use super::{Dial, Dialing};

/// An engine behind a unix socket.
pub(crate) struct Unix {
    path: PathBuf,
}

impl Unix {
    pub(crate) fn new(path: PathBuf) -> Self {
        Unix { path }
    }
}

#[cfg(unix)]
impl Dial for Unix {
    fn dial(&self) -> Dialing<'_> {
        Box::pin(async {
            loop {
                match tokio::net::UnixStream::connect(&self.path).await {
                    Ok(stream) => return Ok(Box::new(stream) as Box<dyn super::Io>),
                    // The kernel's queue of connections that the engine has yet to accept is full.
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
                    }
                    Err(error) => return Err(error),
                }
            }
        })
    }

    fn describe(&self) -> String {
        format!("unix://{}", self.path.display())
    }

    fn advice(&self, error: &io::Error) -> Option<String> {
        let path = self.path.display();
        match error.kind() {
            io::ErrorKind::NotFound => Some(format!("there is no socket at {path}: is the engine running?")),
            io::ErrorKind::PermissionDenied => {
                Some(format!("this user may not open {path}: is the user in the group that owns it, often `docker`?"))
            }
            io::ErrorKind::ConnectionRefused => {
                Some(format!("nothing listens on {path}: the engine that made it has ended"))
            }
            _ => None,
        }
    }
}

#[cfg(not(unix))]
impl Dial for Unix {
    fn dial(&self) -> Dialing<'_> {
        Box::pin(async { Err(io::ErrorKind::Unsupported.into()) })
    }

    fn describe(&self) -> String {
        format!("unix://{}", self.path.display())
    }
}
