use std::fmt::Display;

use longshore_models::{PluginInspect, Raw};
use longshore_wire::filters::Filters;
use longshore_wire::path::Path;

use super::{Plugin, Plugins, request};
use crate::error::{Operation, Result};
use crate::http::{Method, Request};

/// Which plugins to list.
///
/// ```
/// use longshore::plugin::PluginListOptions;
///
/// let running = PluginListOptions::default().filter("enabled", true);
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PluginListOptions {
    /// What the plugins must match.
    pub filters: Filters,
}

impl PluginListOptions {
    /// Lists only plugins that match: `("enabled", true)`, `("capability", "volumedriver")`.
    ///
    /// Every key must match; of several values of `capability` all are needed.
    #[must_use]
    pub fn filter(mut self, key: impl Into<String>, value: impl Display) -> Self {
        self.filters.add(key, value);
        self
    }
}

impl Plugins {
    /// Lists the plugins.
    ///
    /// `GET /plugins`, API 1.25+. Plugins of the older kind, which run beside the engine, are not among them.
    ///
    /// # Errors
    /// [`Unsupported`](crate::ErrorKind::Unsupported) by Podman.
    ///
    /// # Cancel safety
    /// Nothing happens when the future is dropped.
    pub async fn list(&self) -> Result<Vec<PluginInspect>> {
        self.list_with(&PluginListOptions::default()).await
    }

    /// Lists plugins, as `options` say; see [`list`](Plugins::list).
    ///
    /// # Errors
    /// As [`list`](Plugins::list); [`Invalid`](crate::ErrorKind::Invalid) for a filter that the engine does not know.
    ///
    /// # Cancel safety
    /// As [`list`](Plugins::list).
    pub async fn list_with(&self, options: &PluginListOptions) -> Result<Vec<PluginInspect>> {
        self.docker.send(list(options)).await?.list().await
    }
}

impl Plugin {
    /// Tells everything about the plugin.
    ///
    /// `GET /plugins/{name}/json`, API 1.25+. What the types don't have is in the JSON that the answer keeps.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound).
    ///
    /// # Cancel safety
    /// Nothing happens when the future is dropped.
    #[doc(alias = "show")]
    #[doc(alias = "get")]
    pub async fn inspect(&self) -> Result<Raw<PluginInspect>> {
        self.docker.send(inspect(&self.name)?).await?.raw().await
    }
}

fn list(options: &PluginListOptions) -> Request {
    let mut request = Request::new(Method::Get, Path::new("plugins"), Operation::new("list plugins"));
    request.query.filters(&options.filters);
    request
}

fn inspect(name: &str) -> Result<Request> {
    request(Method::Get, "inspect plugin", name, "json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(text(Ok(list(&PluginListOptions::default()))), "GET /plugins");
        assert_eq!(
            text(Ok(list(&PluginListOptions::default().filter("enabled", true)))),
            "GET /plugins?filters=%7B%22enabled%22%3A%5B%22true%22%5D%7D"
        );
        assert_eq!(text(inspect("localhost:5000/a/b:1")), "GET /plugins/localhost:5000/a/b:1/json");
    }
}
