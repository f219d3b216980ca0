use std::fmt::Display;
use std::time::SystemTime;

use longshore_models::NetworksPruned;
use longshore_wire::filters::Filters;
use longshore_wire::path::Path;
use longshore_wire::query;

use super::Networks;
use crate::api::since_epoch;
use crate::error::{Operation, Result};
use crate::http::{Method, Request};

/// Which of the networks without containers to remove.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct NetworkPruneOptions {
    /// What the networks must match.
    pub filters: Filters,
}

impl NetworkPruneOptions {
    /// Removes only networks that were created before `time`. Engines take no second one.
    #[must_use]
    pub fn until(self, time: SystemTime) -> Self {
        let (seconds, nanoseconds) = since_epoch(time);
        self.filter("until", query::seconds(seconds, nanoseconds))
    }

    /// Removes only networks with this label: `name` or `name=value`.
    #[must_use]
    pub fn label(self, label: impl Display) -> Self {
        self.filter("label", label)
    }

    /// Removes only networks that match; besides `until` and `label` there is `("label!", "keep")` for those without a
    /// label.
    #[must_use]
    pub fn filter(mut self, key: impl Into<String>, value: impl Display) -> Self {
        self.filters.add(key, value);
        self
    }
}

impl Networks {
    /// Removes all networks that no container is connected to, but for those that the engine has of itself, and tells
    /// which they were.
    ///
    /// `POST /networks/prune`, API 1.25+. A container that does not run keeps no network of Docker's. The engine may take
    /// long.
    ///
    /// # Errors
    /// [`Conflict`](crate::ErrorKind::Conflict) when another prune is under way.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, some or all of them may be removed all the same.
    pub async fn prune(&self) -> Result<NetworksPruned> {
        self.prune_with(&NetworkPruneOptions::default()).await
    }

    /// Removes networks without containers, as `options` say; see [`prune`](Networks::prune).
    ///
    /// # Errors
    /// As [`prune`](Networks::prune), and [`Invalid`](crate::ErrorKind::Invalid) or
    /// [`Server`](crate::ErrorKind::Server), by engine, for a filter that it does not know.
    ///
    /// # Cancel safety
    /// As [`prune`](Networks::prune).
    pub async fn prune_with(&self, options: &NetworkPruneOptions) -> Result<NetworksPruned> {
        self.docker.send(prune(options)).await?.json().await
    }
}

fn prune(options: &NetworkPruneOptions) -> Request {
    let operation = Operation::new("prune networks");
    let mut request = Request::new(Method::Post, Path::new("networks/prune"), operation).unbounded();
    request.query.filters(&options.filters);
    request
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(text(Ok(prune(&NetworkPruneOptions::default()))), "POST /networks/prune");
        let time = UNIX_EPOCH + Duration::new(1_700_000_000, 5);
        let options = NetworkPruneOptions::default().label("a").filter("label!", "b=c").until(time);
        assert_eq!(options.filters.to_json(), r#"{"label":["a"],"label!":["b=c"],"until":["1700000000.000000005"]}"#);
        assert!(text(Ok(prune(&options))).starts_with("POST /networks/prune?filters=%7B%22label%22%3A"));
    }
}
