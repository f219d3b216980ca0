use std::fmt::Display;

use longshore_models::BuildCachePruned;
use longshore_wire::filters::Filters;
use longshore_wire::path::Path;
use longshore_wire::version::ApiVersion;

use crate::docker::Docker;
use crate::error::{ErrorKind, Operation, Result};
use crate::http::{Method, Request};

/// What to remove of the cache of builds.
///
/// ```
/// use longshore::image::BuildPruneOptions;
///
/// let old = BuildPruneOptions::default().all().reserved_space(10 << 30).filter("until", "24h");
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct BuildPruneOptions {
    /// Whether to remove what is in use by images too, not only what nothing refers to.
    pub all: bool,
    /// How many bytes of the cache are kept at any rate.
    pub reserved_space: Option<u64>,
    /// How many bytes the cache may have in all. API 1.48+.
    pub max_used_space: Option<u64>,
    /// How many bytes are to be free on the disk. API 1.48+.
    pub min_free_space: Option<u64>,
    /// What the entries must match.
    pub filters: Filters,
}

impl BuildPruneOptions {
    /// Removes what is in use by images too, not only what nothing refers to.
    #[must_use]
    pub fn all(mut self) -> Self {
        self.all = true;
        self
    }

    /// Keeps so many bytes of the cache.
    #[must_use]
    #[doc(alias = "keep_storage")]
    pub fn reserved_space(mut self, bytes: u64) -> Self {
        self.reserved_space = Some(bytes);
        self
    }

    /// Removes until the cache has at most so many bytes. API 1.48+.
    #[must_use]
    pub fn max_used_space(mut self, bytes: u64) -> Self {
        self.max_used_space = Some(bytes);
        self
    }

    /// Removes until so many bytes are free on the disk. API 1.48+.
    #[must_use]
    pub fn min_free_space(mut self, bytes: u64) -> Self {
        self.min_free_space = Some(bytes);
        self
    }

    /// Removes only entries that match, such as `("until", "24h")`, `("id", "…")`, `("type", "source.local")`,
    /// `("inuse", true)`, `("shared", true)`.
    #[must_use]
    pub fn filter(mut self, key: impl Into<String>, value: impl Display) -> Self {
        self.filters.add(key, value);
        self
    }
}

impl Docker {
    /// Removes what nothing refers to from the cache of builds by BuildKit, and tells what that was and how many bytes
    /// became free.
    ///
    /// `POST /build/prune`, API 1.31+. The engine may take long.
    ///
    /// # Errors
    /// [`Unsupported`](ErrorKind::Unsupported) from Podman, which has no such cache.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, it may be removed all the same.
    #[doc(alias = "builder_prune")]
    pub async fn prune_build_cache(&self) -> Result<BuildCachePruned> {
        self.prune_build_cache_with(&BuildPruneOptions::default()).await
    }

    /// Removes from the cache of builds by BuildKit, as `options` say; see
    /// [`prune_build_cache`](Docker::prune_build_cache).
    ///
    /// # Errors
    /// As [`prune_build_cache`](Docker::prune_build_cache); [`Invalid`](ErrorKind::Invalid) for a filter that the engine
    /// does not know, [`Unsupported`](ErrorKind::Unsupported) for options of a newer API.
    ///
    /// # Cancel safety
    /// As [`prune_build_cache`](Docker::prune_build_cache).
    pub async fn prune_build_cache_with(&self, options: &BuildPruneOptions) -> Result<BuildCachePruned> {
        self.send(prune(options)).await?.json().await
    }

    /// Ends a build by BuildKit that was given this [id](super::BuildOptions::build_id); nothing happens if there is
    /// none.
    ///
    /// `POST /build/cancel`, API 1.39+. A build whose [`BuildProgress`](super::BuildProgress) is at hand is ended by
    /// dropping that.
    ///
    /// # Errors
    /// [`Invalid`](ErrorKind::Invalid) for an empty id; [`Unsupported`](ErrorKind::Unsupported) from Podman, which lacks
    /// the operation.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the build may end all the same.
    pub async fn cancel_build(&self, id: &str) -> Result<()> {
        self.send(cancel(id)?).await?.finish().await
    }
}

fn prune(options: &BuildPruneOptions) -> Request {
    let operation = Operation::new("prune build cache");
    let mut request = Request::new(Method::Post, Path::new("build/prune"), operation).unbounded();
    request
        .query
        .flag("all", options.all)
        // It was called so before API 1.48; later engines look at it only without the new one.
        .optional("keep-storage", options.reserved_space)
        .optional("reserved-space", options.reserved_space)
        .optional("max-used-space", options.max_used_space)
        .optional("min-free-space", options.min_free_space)
        .filters(&options.filters);
    request.needs("the cache of builds", ApiVersion::new(1, 31));
    if options.max_used_space.is_some() || options.min_free_space.is_some() {
        request.needs("a limit on the space of the cache of builds", ApiVersion::new(1, 48));
    }
    request
}

fn cancel(id: &str) -> Result<Request> {
    let operation = Operation::on("cancel build", id);
    if id.is_empty() {
        return Err(operation.error(ErrorKind::Invalid, "the id is empty"));
    }
    let mut request = Request::new(Method::Post, Path::new("build/cancel"), operation);
    request.query.push("id", id);
    request.needs("cancelling a build", ApiVersion::new(1, 39));
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        let request = prune(&BuildPruneOptions::default());
        assert_eq!(request.needs.len(), 1);
        assert_eq!(text(Ok(request)), "POST /build/prune");
        let options = BuildPruneOptions::default().all().reserved_space(1).max_used_space(2).min_free_space(3);
        let request = prune(&options.filter("until", "24h"));
        assert_eq!(request.needs[1].1, ApiVersion::new(1, 48));
        assert_eq!(
            text(Ok(request)),
            "POST /build/prune?all=1&keep-storage=1&reserved-space=1&max-used-space=2&min-free-space=3\
             &filters=%7B%22until%22%3A%5B%2224h%22%5D%7D"
        );
        assert_eq!(text(cancel("a/b 1")), "POST /build/cancel?id=a%2Fb%201");
        assert_eq!(cancel("").unwrap_err().kind(), ErrorKind::Invalid);
    }
}
