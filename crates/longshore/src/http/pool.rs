use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::connection::Connection;

/// How many connections are kept for the next calls.
const MOST: usize = 64;

/// How long a connection is kept unused.
const LONGEST: Duration = Duration::from_secs(60);

/// Connections whose last answer was read to its end.
#[derive(Default)]
pub(crate) struct Pool {
    idle: Mutex<Vec<(Connection, Instant)>>,
}

impl Pool {
    /// Takes the connection that was used last, past those that the engine has closed since.
    pub(crate) fn take(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((mut connection, since)) = idle.pop() {
            if since.elapsed() > LONGEST {
                // The rest have been waiting even longer.
                idle.clear();
                return None;
            }
            if !connection.is_stale() {
                return Some(connection);
            }
        }
        None
    }

    /// Keeps a connection for a later call.
    pub(crate) fn put(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MOST {
            idle.push((connection, Instant::now()));
        }
    }

    /// Closes every connection that is kept.
    pub(crate) fn clear(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
