use std::fmt::Display;

use longshore_models::ContainerSummary;
use longshore_wire::filters::Filters;
use longshore_wire::path::Path;

use super::Containers;
use crate::error::{Operation, Result};
use crate::http::{Method, Request};

/// Which containers to list, and what to tell of them.
///
/// ```
/// use longshore::container::ListOptions;
///
/// let failed = ListOptions::default().all().filter("exited", 1).filter("label", "tier=front");
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ListOptions {
    /// Whether to list those too that don't run.
    pub all: bool,
    /// How many to list at most: the ones created last, running or not.
    pub limit: Option<u32>,
    /// Whether to measure how much each one takes on disk, which costs the engine time.
    pub size: bool,
    /// What the containers must match.
    pub filters: Filters,
}

impl ListOptions {
    /// Lists those too that don't run.
    #[must_use]
    pub fn all(mut self) -> Self {
        self.all = true;
        self
    }

    /// Lists so many at most: the ones created last, running or not. 0 is no limit.
    #[must_use]
    pub fn limit(mut self, count: u32) -> Self {
        self.limit = Some(count);
        self
    }

    /// Measures how much each one takes on disk: fills `size_rw` and `size_root_fs`.
    #[must_use]
    pub fn size(mut self) -> Self {
        self.size = true;
        self
    }

    /// Lists only containers that match, such as `("status", "exited")`, `("label", "tier=front")`, `("name", "web")`.
    ///
    /// Every key must match; of several values of a key one is enough, but for `label`, where all are needed. A filter
    /// on the state overrides [`all`](ListOptions::all). Names are matched as regular expressions: `^/?web$` is `web`
    /// alone.
    #[must_use]
    pub fn filter(mut self, key: impl Into<String>, value: impl Display) -> Self {
        self.filters.add(key, value);
        self
    }
}

impl Containers {
    /// Lists the running containers: the one created last first, on Podman in no order.
    ///
    /// `GET /containers/json`, API 1.24+. A list of Docker's may be a moment behind: it can show a container as running
    /// of which a [`wait`](super::Container::wait) has already told the end.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// for container in docker.containers().list().await? {
    ///     println!("{} {} {}", container.name(), container.image, container.state);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of every call: [`Connect`](crate::ErrorKind::Connect), [`Timeout`](crate::ErrorKind::Timeout) and so on.
    ///
    /// # Cancel safety
    /// Nothing happens when the future is dropped.
    pub async fn list(&self) -> Result<Vec<ContainerSummary>> {
        self.list_with(&ListOptions::default()).await
    }

    /// Lists containers, as `options` say; see [`list`](Containers::list).
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) or [`Server`](crate::ErrorKind::Server), by engine, for a filter that it
    /// does not know.
    ///
    /// # Cancel safety
    /// As [`list`](Containers::list).
    pub async fn list_with(&self, options: &ListOptions) -> Result<Vec<ContainerSummary>> {
        self.docker.send(list(options)).await?.list().await
    }
}

fn list(options: &ListOptions) -> Request {
    let operation = Operation::new("list containers");
    let mut request = Request::new(Method::Get, Path::new("containers/json"), operation);
    request
        .query
        .flag("all", options.all)
        .optional("limit", options.limit)
        .flag("size", options.size)
        .filters(&options.filters);
    request
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(text(Ok(list(&ListOptions::default()))), "GET /containers/json");
        let options = ListOptions::default().all().limit(2).size().filter("label", "a=b").filter("exited", 1);
        assert_eq!(
            text(Ok(list(&options))),
            "GET /containers/json?all=1&limit=2&size=1\
             &filters=%7B%22exited%22%3A%5B%221%22%5D%2C%22label%22%3A%5B%22a%3Db%22%5D%7D"
        );
    }
}
