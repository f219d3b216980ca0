use std::fmt::Display;

use longshore_models::NetworkSummary;
use longshore_wire::filters::Filters;
use longshore_wire::path::Path;

use super::Networks;
use crate::error::{Operation, Result};
use crate::http::{Method, Request};

/// Which networks to list.
///
/// ```
/// use longshore::network::NetworkListOptions;
///
/// let unused = NetworkListOptions::default().filter("dangling", true).filter("type", "custom");
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct NetworkListOptions {
    /// What the networks must match.
    pub filters: Filters,
}

impl NetworkListOptions {
    /// Lists only networks that match, such as `("name", "back")` for all whose name has that in it,
    /// `("driver", "bridge")`, `("label", "a=b")`, `("dangling", true)` for those without containers,
    /// `("scope", "local")`, `("type", "custom")` for those that the engine does not have of itself.
    ///
    /// Every key must match; of several values of a key one is enough, but for `label`, where all are needed.
    #[must_use]
    pub fn filter(mut self, key: impl Into<String>, value: impl Display) -> Self {
        self.filters.add(key, value);
        self
    }
}

impl Networks {
    /// Lists the networks, without the containers connected to them.
    ///
    /// `GET /networks`, API 1.24+.
    ///
    /// # Errors
    /// Those of every call: [`Connect`](crate::ErrorKind::Connect), [`Timeout`](crate::ErrorKind::Timeout) and so on.
    ///
    /// # Cancel safety
    /// Nothing happens when the future is dropped.
    pub async fn list(&self) -> Result<Vec<NetworkSummary>> {
        self.list_with(&NetworkListOptions::default()).await
    }

    /// Lists networks, as `options` say; see [`list`](Networks::list).
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) or [`Server`](crate::ErrorKind::Server), by engine, for a filter that it
    /// does not know.
    ///
    /// # Cancel safety
    /// As [`list`](Networks::list).
    pub async fn list_with(&self, options: &NetworkListOptions) -> Result<Vec<NetworkSummary>> {
        self.docker.send(list(options)).await?.list().await
    }
}

fn list(options: &NetworkListOptions) -> Request {
    let mut request = Request::new(Method::Get, Path::new("networks"), Operation::new("list networks"));
    request.query.filters(&options.filters);
    request
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(text(Ok(list(&NetworkListOptions::default()))), "GET /networks");
        let options = NetworkListOptions::default().filter("dangling", true);
        assert_eq!(text(Ok(list(&options))), "GET /networks?filters=%7B%22dangling%22%3A%5B%22true%22%5D%7D");
    }
}
