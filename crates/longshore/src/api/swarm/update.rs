use longshore_models::{ObjectVersion, SwarmInspect, SwarmSpec};
use longshore_wire::path::Path;
use serde::Serialize;

use super::object::{self, Object};
use super::{Swarm, inspect};
use crate::error::{Operation, Result};
use crate::http::{Method, Request};

/// Which tokens and keys of a swarm to replace by new ones.
///
/// ```
/// use longshore::swarm::SwarmUpdateOptions;
///
/// let tokens = SwarmUpdateOptions::default().rotate_worker_token().rotate_manager_token();
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SwarmUpdateOptions {
    /// Whether to replace the token to join as a worker.
    pub rotate_worker_token: bool,
    /// Whether to replace the token to join as a manager.
    pub rotate_manager_token: bool,
    /// Whether to replace the key that unlocks managers.
    pub rotate_manager_unlock_key: bool,
}

impl SwarmUpdateOptions {
    /// Replaces the token to join as a worker. Nodes that have joined stay.
    #[must_use]
    pub fn rotate_worker_token(mut self) -> Self {
        self.rotate_worker_token = true;
        self
    }

    /// Replaces the token to join as a manager. Nodes that have joined stay.
    #[must_use]
    pub fn rotate_manager_token(mut self) -> Self {
        self.rotate_manager_token = true;
        self
    }

    /// Replaces the key that unlocks managers. Keep the old one for a while: a manager that was down needs it.
    #[must_use]
    pub fn rotate_manager_unlock_key(mut self) -> Self {
        self.rotate_manager_unlock_key = true;
        self
    }
}

impl Swarm {
    /// Reads what the swarm is to be, lets `change` have it, and sends it with the version that was read.
    ///
    /// `GET /swarm` and `POST /swarm/update`, API 1.24+. What the types don't model stays as it is.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// docker.swarm().update(|spec| spec.orchestration.task_history_retention_limit = Some(2)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Conflict`](crate::ErrorKind::Conflict) when someone else has changed it meanwhile, and then nothing is changed
    /// (call it again); also when the engine is not a manager of a swarm, or is locked.
    /// [`Invalid`](crate::ErrorKind::Invalid) for what can't be.
    ///
    /// # Cancel safety
    /// When the future is dropped after the change was sent, the swarm may be changed all the same.
    pub async fn update(&self, change: impl FnOnce(&mut SwarmSpec)) -> Result<()> {
        self.change(change, &SwarmUpdateOptions::default()).await
    }

    /// Replaces tokens or keys by new ones, and leaves all else as it is.
    ///
    /// `GET /swarm` and `POST /swarm/update`, API 1.24+; the new tokens are in what [`inspect`](Swarm::inspect) tells, the
    /// new key in what [`unlock_key`](Swarm::unlock_key) does.
    ///
    /// # Errors
    /// As [`update`](Swarm::update).
    ///
    /// # Cancel safety
    /// As [`update`](Swarm::update).
    pub async fn rotate(&self, options: &SwarmUpdateOptions) -> Result<()> {
        self.change(|_| (), options).await
    }

    /// Says all that the swarm is to be, if it still is as it was in `version`. What `spec` does not set becomes the
    /// default; [`update`](Swarm::update) keeps it.
    ///
    /// `POST /swarm/update`, API 1.24+.
    ///
    /// # Errors
    /// As [`update`](Swarm::update): [`Conflict`](crate::ErrorKind::Conflict), and nothing changed, when there is a newer
    /// version.
    ///
    /// # Cancel safety
    /// As [`update`](Swarm::update).
    pub async fn replace(&self, version: ObjectVersion, spec: &SwarmSpec) -> Result<()> {
        self.replace_with(version, spec, &SwarmUpdateOptions::default()).await
    }

    /// Says all that the swarm is to be, and replaces tokens or keys, as `options` say; see [`replace`](Swarm::replace).
    ///
    /// # Errors
    /// As [`replace`](Swarm::replace).
    ///
    /// # Cancel safety
    /// As [`replace`](Swarm::replace).
    pub async fn replace_with(
        &self,
        version: ObjectVersion,
        spec: &SwarmSpec,
        options: &SwarmUpdateOptions,
    ) -> Result<()> {
        self.docker.send(update(version, spec, options)?).await?.finish().await
    }

    async fn change(&self, change: impl FnOnce(&mut SwarmSpec), options: &SwarmUpdateOptions) -> Result<()> {
        let read = || Ok(inspect("update swarm"));
        let write = |version, spec: &_| update(version, spec, options);
        object::update::<SwarmInspect>(&self.docker, read, change, write).await?.finish().await
    }
}

impl Object for SwarmInspect {
    type Spec = SwarmSpec;

    fn version(&self) -> ObjectVersion {
        self.version
    }

    fn spec(&self) -> &SwarmSpec {
        &self.spec
    }
}

fn update(version: ObjectVersion, spec: &impl Serialize, options: &SwarmUpdateOptions) -> Result<Request> {
    let operation = Operation::new("update swarm");
    let mut request = Request::new(Method::Post, Path::new("swarm/update"), operation).unbounded().json(spec)?;
    request
        .query
        .push("version", version.index)
        .flag("rotateWorkerToken", options.rotate_worker_token)
        .flag("rotateManagerToken", options.rotate_manager_token)
        .flag("rotateManagerUnlockKey", options.rotate_manager_unlock_key);
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        let spec = serde_json::json!({"Name": "default"});
        let rest = "\nContent-Type: application/json\n\n{\"Name\":\"default\"}";
        let default = SwarmUpdateOptions::default();
        assert_eq!(
            text(update(ObjectVersion::new(10), &spec, &default)),
            format!("POST /swarm/update?version=10{rest}")
        );
        let all = default.rotate_worker_token().rotate_manager_token().rotate_manager_unlock_key();
        assert_eq!(
            text(update(ObjectVersion::new(u64::MAX), &spec, &all)),
            format!(
                "POST /swarm/update?version=18446744073709551615&rotateWorkerToken=1&rotateManagerToken=1\
                 &rotateManagerUnlockKey=1{rest}"
            )
        );
    }
}
