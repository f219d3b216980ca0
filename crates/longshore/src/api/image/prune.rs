use std::fmt::Display;
use std::time::SystemTime;

use longshore_models::ImagesPruned;
use longshore_wire::filters::Filters;
use longshore_wire::path::Path;
use longshore_wire::query;

use super::Images;
use crate::api::since_epoch;
use crate::error::{Operation, Result};
use crate::http::{Method, Request};

/// Which of the images that no container uses to remove.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use longshore::image::ImagePruneOptions;
///
/// let last_week = SystemTime::now() - Duration::from_secs(7 * 24 * 60 * 60);
/// let old_ones = ImagePruneOptions::default().named().until(last_week);
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ImagePruneOptions {
    /// What the images must match.
    pub filters: Filters,
}

impl ImagePruneOptions {
    /// Removes images with a name too, not only those without. Podman 4 refuses it.
    #[must_use]
    #[doc(alias = "dangling")]
    pub fn named(self) -> Self {
        self.filter("dangling", false)
    }

    /// Removes only images that were created before `time`. Engines take no second one.
    #[must_use]
    pub fn until(self, time: SystemTime) -> Self {
        let (seconds, nanoseconds) = since_epoch(time);
        self.filter("until", query::seconds(seconds, nanoseconds))
    }

    /// Removes only images with this label: `name` or `name=value`.
    #[must_use]
    pub fn label(self, label: impl Display) -> Self {
        self.filter("label", label)
    }

    /// Removes only images that match; besides `dangling`, `until` and `label` there is `("label!", "keep")` for those
    /// without a label.
    #[must_use]
    pub fn filter(mut self, key: impl Into<String>, value: impl Display) -> Self {
        self.filters.add(key, value);
        self
    }
}

impl Images {
    /// Removes all images that have no name and that no container uses, and tells what was done and how many bytes
    /// became free.
    ///
    /// `POST /images/prune`, API 1.25+. The engine may take long.
    ///
    /// # Errors
    /// [`Conflict`](crate::ErrorKind::Conflict) when another prune is under way.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, some or all of them may be removed all the same.
    pub async fn prune(&self) -> Result<ImagesPruned> {
        self.prune_with(&ImagePruneOptions::default()).await
    }

    /// Removes images that no container uses, as `options` say; see [`prune`](Images::prune).
    ///
    /// # Errors
    /// As [`prune`](Images::prune), and [`Invalid`](crate::ErrorKind::Invalid) or
    /// [`Server`](crate::ErrorKind::Server), by engine, for a filter that it does not know.
    ///
    /// # Cancel safety
    /// As [`prune`](Images::prune).
    pub async fn prune_with(&self, options: &ImagePruneOptions) -> Result<ImagesPruned> {
        self.docker.send(prune(options)).await?.json().await
    }
}

fn prune(options: &ImagePruneOptions) -> Request {
    let operation = Operation::new("prune images");
    let mut request = Request::new(Method::Post, Path::new("images/prune"), operation).unbounded();
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
        assert_eq!(text(Ok(prune(&ImagePruneOptions::default()))), "POST /images/prune");
        let time = UNIX_EPOCH + Duration::new(1_700_000_000, 5);
        let options = ImagePruneOptions::default().named().label("a").filter("label!", "b=c").until(time);
        assert_eq!(
            options.filters.to_json(),
            r#"{"dangling":["false"],"label":["a"],"label!":["b=c"],"until":["1700000000.000000005"]}"#
        );
        assert!(text(Ok(prune(&options))).starts_with("POST /images/prune?filters=%7B%22dangling%22%3A"));
    }
}
