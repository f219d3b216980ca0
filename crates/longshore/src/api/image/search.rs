use std::fmt::Display;

use longshore_models::ImageSearchItem;
use longshore_wire::auth::RegistryAuth;
use longshore_wire::filters::Filters;
use longshore_wire::path::Path;
use longshore_wire::reference::DEFAULT_REGISTRY;

use super::Images;
use crate::error::{ErrorKind, Operation, Result};
use crate::http::{Method, Request};

/// Which repositories to find.
///
/// ```
/// use longshore::image::ImageSearchOptions;
///
/// let well_known = ImageSearchOptions::default().limit(10).official().stars(100);
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ImageSearchOptions {
    /// How many to find at most, 1 to 100; 25 unless set.
    pub limit: Option<u32>,
    /// What they must match.
    pub filters: Filters,
    /// The credentials for the registry; those that the user has stored for it unless set.
    pub auth: Option<RegistryAuth>,
}

impl ImageSearchOptions {
    /// Finds at most that many, 1 to 100; 25 unless set.
    #[must_use]
    pub fn limit(mut self, count: u32) -> Self {
        self.limit = Some(count);
        self
    }

    /// Finds only the curated images of Docker Hub.
    #[must_use]
    pub fn official(self) -> Self {
        self.filter("is-official", true)
    }

    /// Finds only those with at least that many stars.
    #[must_use]
    pub fn stars(self, count: u32) -> Self {
        self.filter("stars", count)
    }

    /// Finds only those that match; besides `is-official` and `stars` older engines know `is-automated`.
    #[must_use]
    pub fn filter(mut self, key: impl Into<String>, value: impl Display) -> Self {
        self.filters.add(key, value);
        self
    }

    /// Shows the registry these credentials instead of those that the user has stored for it;
    /// [`RegistryAuth::anonymous`] for none.
    #[must_use]
    pub fn auth(mut self, auth: RegistryAuth) -> Self {
        self.auth = Some(auth);
        self
    }
}

impl Images {
    /// Finds repositories by a word of their names or descriptions. Docker asks Docker Hub, or the registry that the
    /// term begins with, as in `localhost:5000/web`; Podman asks the registries that it is set up for.
    ///
    /// `GET /images/search`, API 1.24+. Most registries but Docker Hub can't be searched. The registry is shown the
    /// credentials that the user has stored for it, as [`Docker::registry_auth`](crate::Docker::registry_auth) finds them.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// for found in docker.images().search("postgres").await? {
    ///     println!("{} ({} stars): {}", found.name, found.star_count, found.description);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](ErrorKind::Invalid) for an empty term, before anything is sent; [`Server`](ErrorKind::Server),
    /// [`Invalid`](ErrorKind::Invalid) or [`NotFound`](ErrorKind::NotFound), by engine, when the registry can't be
    /// reached or can't be searched; those of [`registry_auth`](crate::Docker::registry_auth).
    ///
    /// # Cancel safety
    /// Reads only.
    pub async fn search(&self, term: &str) -> Result<Vec<ImageSearchItem>> {
        self.search_with(term, &ImageSearchOptions::default()).await
    }

    /// Finds repositories, as `options` say; see [`search`](Images::search).
    ///
    /// # Errors
    /// As [`search`](Images::search), and [`Invalid`](ErrorKind::Invalid) or [`Server`](ErrorKind::Server), by engine,
    /// for a filter that it does not know or a limit that is too high.
    ///
    /// # Cancel safety
    /// As [`search`](Images::search).
    pub async fn search_with(&self, term: &str, options: &ImageSearchOptions) -> Result<Vec<ImageSearchItem>> {
        self.docker.send(search(term, options)?).await?.list().await
    }
}

fn search(term: &str, options: &ImageSearchOptions) -> Result<Request> {
    let operation = Operation::on("search for images", term);
    if term.trim().is_empty() {
        return Err(operation.error(ErrorKind::Invalid, "there is no term to search for"));
    }
    // It takes as long as the registry does.
    let mut request = Request::new(Method::Get, Path::new("images/search"), operation).unbounded();
    request.query.push("term", term).optional("limit", options.limit).filters(&options.filters);
    Ok(request.auth(options.auth.as_ref(), registry(term)))
}

/// The registry that a term begins with, or Docker Hub.
fn registry(term: &str) -> &str {
    match term.split_once('/') {
        Some((first, _)) if first == "localhost" || first.contains(['.', ':']) => first,
        _ => DEFAULT_REGISTRY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(text(search("my web", &ImageSearchOptions::default())), "GET /images/search?term=my%20web");
        let auth = RegistryAuth::default().username("jane").password("s3cret");
        let options = ImageSearchOptions::default().limit(5).official().stars(10).auth(auth);
        assert_eq!(
            text(search("localhost:5000/web", &options)),
            "GET /images/search?term=localhost%3A5000%2Fweb&limit=5\
             &filters=%7B%22is-official%22%3A%5B%22true%22%5D%2C%22stars%22%3A%5B%2210%22%5D%7D\n\
             X-Registry-Auth: eyJwYXNzd29yZCI6InMzY3JldCIsInVzZXJuYW1lIjoiamFuZSJ9"
        );
        for nothing in ["", " "] {
            let error = search(nothing, &ImageSearchOptions::default()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
        }
    }
}
