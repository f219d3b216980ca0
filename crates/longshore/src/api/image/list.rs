use std::fmt::Display;

use longshore_models::ImageSummary;
use longshore_wire::filters::Filters;
use longshore_wire::path::Path;
use longshore_wire::version::ApiVersion;

use super::Images;
use crate::error::{Operation, Result};
use crate::http::{Method, Request};

/// Which images to list, and what to tell of them.
///
/// ```
/// use longshore::image::ImageListOptions;
///
/// let unnamed = ImageListOptions::default().filter("dangling", true);
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ImageListOptions {
    /// Whether to list those too that are only steps of a build.
    pub all: bool,
    /// Whether to tell digests; some engines always do.
    pub digests: bool,
    /// Whether to measure what each one shares with others, which costs the engine time; API 1.42+.
    pub shared_size: bool,
    /// Whether to tell what each one has for each platform; API 1.47+.
    pub manifests: bool,
    /// Whether to tell for each platform where it comes from; API 1.54+.
    pub identity: bool,
    /// What the images must match.
    pub filters: Filters,
}

impl ImageListOptions {
    /// Lists those too that are only steps of a build.
    #[must_use]
    pub fn all(mut self) -> Self {
        self.all = true;
        self
    }

    /// Tells digests: fills `repo_digests`. Some engines always do; Podman 4 fails when it is asked to.
    #[must_use]
    pub fn digests(mut self) -> Self {
        self.digests = true;
        self
    }

    /// Measures what each one shares with others: fills `shared_size`. API 1.42+.
    #[must_use]
    pub fn shared_size(mut self) -> Self {
        self.shared_size = true;
        self
    }

    /// Tells what each one has for each platform: fills `manifests` where the engine keeps such images. API 1.47+.
    #[must_use]
    pub fn manifests(mut self) -> Self {
        self.manifests = true;
        self
    }

    /// Tells what each one has for each platform, and where that comes from. API 1.54+.
    #[must_use]
    pub fn identity(mut self) -> Self {
        self.manifests = true;
        self.identity = true;
        self
    }

    /// Lists only images that match, such as `("reference", "alpine")`, `("dangling", true)`, `("label", "a=b")`,
    /// `("since", "alpine:3")`.
    ///
    /// Every key must match; of several values of a key one is enough, but for `label`, where all are needed.
    #[must_use]
    pub fn filter(mut self, key: impl Into<String>, value: impl Display) -> Self {
        self.filters.add(key, value);
        self
    }
}

impl Images {
    /// Lists the images.
    ///
    /// `GET /images/json`, API 1.24+.
    ///
    /// # Errors
    /// Those of every call: [`Connect`](crate::ErrorKind::Connect), [`Timeout`](crate::ErrorKind::Timeout) and so on.
    ///
    /// # Cancel safety
    /// Nothing happens when the future is dropped.
    pub async fn list(&self) -> Result<Vec<ImageSummary>> {
        self.list_with(&ImageListOptions::default()).await
    }

    /// Lists images, as `options` say; see [`list`](Images::list).
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) or [`Server`](crate::ErrorKind::Server), by engine, for a filter that it
    /// does not know; [`Unsupported`](crate::ErrorKind::Unsupported) for options of a newer API.
    ///
    /// # Cancel safety
    /// As [`list`](Images::list).
    pub async fn list_with(&self, options: &ImageListOptions) -> Result<Vec<ImageSummary>> {
        self.docker.send(list(options)).await?.list().await
    }
}

fn list(options: &ImageListOptions) -> Request {
    let mut request = Request::new(Method::Get, Path::new("images/json"), Operation::new("list images"));
    let manifests = options.manifests || options.identity;
    request
        .query
        .flag("all", options.all)
        .flag("digests", options.digests)
        .flag("shared-size", options.shared_size)
        .flag("manifests", manifests)
        .flag("identity", options.identity)
        .filters(&options.filters);
    if options.shared_size {
        request.needs("the shared size of images", ApiVersion::new(1, 42));
    }
    if manifests {
        request.needs("the manifests of images", ApiVersion::new(1, 47));
    }
    if options.identity {
        request.needs("the identity of images", ApiVersion::new(1, 54));
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(text(Ok(list(&ImageListOptions::default()))), "GET /images/json");
        let options = ImageListOptions::default().all().digests().shared_size().identity().filter("dangling", true);
        let request = list(&options);
        assert_eq!(request.needs.len(), 3);
        assert_eq!(
            text(Ok(request)),
            "GET /images/json?all=1&digests=1&shared-size=1&manifests=1&identity=1\
             &filters=%7B%22dangling%22%3A%5B%22true%22%5D%7D"
        );
        assert_eq!(text(Ok(list(&ImageListOptions::default().manifests()))), "GET /images/json?manifests=1");
    }
}
