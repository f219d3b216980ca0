use longshore_models::{SecretText, UnlockKey};
use longshore_wire::path::Path;

use super::Swarm;
use crate::error::{Operation, Result};
use crate::http::{Method, Request};

impl Swarm {
    /// Tells the key that unlocks managers; it is empty when they are not locked.
    ///
    /// `GET /swarm/unlockkey`, API 1.24+. Ask for it while a manager is unlocked, and keep it elsewhere: without it,
    /// a manager that was restarted can only leave the swarm.
    ///
    /// # Errors
    /// [`Conflict`](crate::ErrorKind::Conflict) when the engine is not a manager of a swarm, or is locked.
    ///
    /// # Cancel safety
    /// Nothing happens when the future is dropped.
    pub async fn unlock_key(&self) -> Result<SecretText> {
        let answer: UnlockKey = self.docker.send(unlock_key()).await?.json().await?;
        Ok(answer.unlock_key)
    }

    /// Unlocks the engine, a manager that was restarted.
    ///
    /// `POST /swarm/unlock`, API 1.24+.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// docker.swarm().unlock("SWMKEY-1-7c37…").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Conflict`](crate::ErrorKind::Conflict) when the engine is not locked, or is not a manager of a swarm;
    /// [`Invalid`](crate::ErrorKind::Invalid) or [`Server`](crate::ErrorKind::Server), by engine, when the key is wrong.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the engine may be unlocked all the same.
    pub async fn unlock(&self, key: impl Into<SecretText>) -> Result<()> {
        self.docker.send(unlock(key.into())?).await?.finish().await
    }
}

fn unlock_key() -> Request {
    Request::new(Method::Get, Path::new("swarm/unlockkey"), Operation::new("ask the unlock key of swarm"))
}

fn unlock(key: SecretText) -> Result<Request> {
    let mut body = UnlockKey::default();
    body.unlock_key = key;
    Request::new(Method::Post, Path::new("swarm/unlock"), Operation::new("unlock swarm")).unbounded().json(&body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(text(Ok(unlock_key())), "GET /swarm/unlockkey");
        assert_eq!(
            text(unlock("SWMKEY-1".into())),
            "POST /swarm/unlock\nContent-Type: application/json\n\n{\"UnlockKey\":\"SWMKEY-1\"}"
        );
    }
}
