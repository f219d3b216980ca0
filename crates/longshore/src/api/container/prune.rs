use std::fmt::Display;
use std::time::SystemTime;

use longshore_models::ContainersPruned;
use longshore_wire::filters::Filters;
use longshore_wire::path::Path;
use longshore_wire::query;

use super::Containers;
use crate::api::since_epoch;
use crate::error::{Operation, Result};
use crate::http::{Method, Request};

/// Which of the containers that don't run to remove.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use longshore::container::PruneOptions;
///
/// let yesterday = SystemTime::now() - Duration::from_secs(24 * 60 * 60);
/// let old_tests = PruneOptions::default().until(yesterday).label("stage=test");
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PruneOptions {
    /// What the containers must match.
    pub filters: Filters,
}

impl PruneOptions {
    /// Removes only containers that were created before `time`. Engines take no second one.
    #[must_use]
    pub fn until(self, time: SystemTime) -> Self {
        let (seconds, nanoseconds) = since_epoch(time);
        self.filter("until", query::seconds(seconds, nanoseconds))
    }

    /// Removes only containers with this label: `name` or `name=value`.
    #[must_use]
    pub fn label(self, label: impl Display) -> Self {
        self.filter("label", label)
    }

    /// Removes only containers that match; besides `until` and `label` there is `("label!", "keep")` for those without
    /// a label.
    #[must_use]
    pub fn filter(mut self, key: impl Into<String>, value: impl Display) -> Self {
        self.filters.add(key, value);
        self
    }
}

impl Containers {
    /// Removes all containers that don't run, and tells which they were and how many bytes became free.
    ///
    /// `POST /containers/prune`, API 1.25+. Anonymous volumes stay. The engine may take long.
    ///
    /// # Errors
    /// [`Conflict`](crate::ErrorKind::Conflict) when another prune is under way.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, some or all of them may be removed all the same.
    pub async fn prune(&self) -> Result<ContainersPruned> {
        self.prune_with(&PruneOptions::default()).await
    }

    /// Removes containers that don't run, as `options` say; see [`prune`](Containers::prune).
    ///
    /// # Errors
    /// As [`prune`](Containers::prune), and [`Invalid`](crate::ErrorKind::Invalid) or
    /// [`Server`](crate::ErrorKind::Server), by engine, for a filter that it does not know.
    ///
    /// # Cancel safety
    /// As [`prune`](Containers::prune).
    pub async fn prune_with(&self, options: &PruneOptions) -> Result<ContainersPruned> {
        self.docker.send(prune(options)).await?.json().await
    }
}

fn prune(options: &PruneOptions) -> Request {
    let operation = Operation::new("prune containers");
    let mut request = Request::new(Method::Post, Path::new("containers/prune"), operation).unbounded();
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
        assert_eq!(text(Ok(prune(&PruneOptions::default()))), "POST /containers/prune");
        let time = UNIX_EPOCH + Duration::new(1_700_000_000, 5);
        let options = PruneOptions::default().label("a").filter("label!", "b=c").until(time);
        assert_eq!(options.filters.to_json(), r#"{"label":["a"],"label!":["b=c"],"until":["1700000000.000000005"]}"#);
        assert!(text(Ok(prune(&options))).starts_with("POST /containers/prune?filters=%7B%22label%22%3A"));
    }
}
