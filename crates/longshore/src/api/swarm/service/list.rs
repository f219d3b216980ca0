use std::fmt::Display;

use longshore_models::ServiceInspect;
use longshore_wire::filters::Filters;
use longshore_wire::path::Path;
use longshore_wire::version::ApiVersion;

use super::Services;
use crate::error::{Operation, Result};
use crate::http::{Method, Request};

/// Which services to list, and what to tell of them.
///
/// ```
/// use longshore::ServiceListOptions;
///
/// let front = ServiceListOptions::default().status().filter("label", "tier=front");
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ServiceListOptions {
    /// Whether to count the tasks of each one, API 1.41+.
    pub status: bool,
    /// What the services must match.
    pub filters: Filters,
}

impl ServiceListOptions {
    /// Counts the tasks of each one: fills `service_status`. API 1.41+.
    #[must_use]
    pub fn status(mut self) -> Self {
        self.status = true;
        self
    }

    /// Lists only services that match, such as `("name", "web")`, `("label", "tier=front")`, `("mode", "global")`,
    /// `("id", "9mnp")`; and with `("runtime", "plugin")` plugins, which are left out otherwise.
    ///
    /// Every key must match; of several values of a key one is enough, but for `label`, where all are needed. Names and
    /// ids match by their beginning. The modes are `replicated`, `global`, `replicated-job` and `global-job`.
    #[must_use]
    pub fn filter(mut self, key: impl Into<String>, value: impl Display) -> Self {
        self.filters.add(key, value);
        self
    }
}

impl Services {
    /// Lists the services of the swarm.
    ///
    /// `GET /services`, API 1.24+.
    ///
    /// ```no_run
    /// # use longshore::ServiceListOptions;
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// for service in docker.services().list_with(&ServiceListOptions::default().status()).await? {
    ///     let status = service.service_status.unwrap_or_default();
    ///     println!("{} {}/{}", service.spec.name, status.running_tasks, status.desired_tasks);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Conflict`](crate::ErrorKind::Conflict) when the engine manages no swarm.
    ///
    /// # Cancel safety
    /// Nothing happens when the future is dropped.
    pub async fn list(&self) -> Result<Vec<ServiceInspect>> {
        self.list_with(&ServiceListOptions::default()).await
    }

    /// Lists services, as `options` say; see [`list`](Services::list).
    ///
    /// # Errors
    /// As [`list`](Services::list); [`Invalid`](crate::ErrorKind::Invalid) for a filter that the engine does not know;
    /// [`Unsupported`](crate::ErrorKind::Unsupported) for options of a newer API.
    ///
    /// # Cancel safety
    /// As [`list`](Services::list).
    pub async fn list_with(&self, options: &ServiceListOptions) -> Result<Vec<ServiceInspect>> {
        self.docker.send(list(options)).await?.list().await
    }
}

fn list(options: &ServiceListOptions) -> Request {
    let mut request = Request::new(Method::Get, Path::new("services"), Operation::new("list services"));
    request.query.flag("status", options.status).filters(&options.filters);
    if options.status {
        request.needs("the status of services", ApiVersion::new(1, 41));
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        let plain = list(&ServiceListOptions::default());
        assert!(plain.needs.is_empty());
        assert_eq!(text(Ok(plain)), "GET /services");
        let request = list(&ServiceListOptions::default().status().filter("mode", "global"));
        assert_eq!(request.needs.len(), 1);
        assert_eq!(text(Ok(request)), "GET /services?status=1&filters=%7B%22mode%22%3A%5B%22global%22%5D%7D");
    }
}
