use std::fmt::Display;

use longshore_models::VolumesPruned;
use longshore_wire::filters::Filters;
use longshore_wire::path::Path;
use longshore_wire::version::ApiVersion;

use super::Volumes;
use crate::error::{Operation, Result};
use crate::http::{Method, Request};

/// The first version in which a prune takes only volumes without a name, unless it is told otherwise.
const SPARES_NAMED: ApiVersion = ApiVersion::new(1, 42);

/// Which of the volumes that no container uses to remove.
///
/// ```
/// use longshore::volume::VolumePruneOptions;
///
/// let of_tests = VolumePruneOptions::default().all().label("stage=test");
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct VolumePruneOptions {
    /// Whether volumes that were given a name are removed too.
    pub all: bool,
    /// What the volumes must match.
    pub filters: Filters,
}

impl VolumePruneOptions {
    /// Removes also volumes that were given a name.
    #[must_use]
    pub fn all(mut self) -> Self {
        self.all = true;
        self
    }

    /// Removes only volumes with this label: `name` or `name=value`.
    #[must_use]
    pub fn label(self, label: impl Display) -> Self {
        self.filter("label", label)
    }

    /// Removes only volumes that match; besides `label` there is `("label!", "keep")` for those without a label.
    #[must_use]
    pub fn filter(mut self, key: impl Into<String>, value: impl Display) -> Self {
        self.filters.add(key, value);
        self
    }
}

impl Volumes {
    /// Removes all volumes of this engine without a name of their own that no container uses, and tells which they were
    /// and how many bytes became free.
    ///
    /// `POST /volumes/prune`, API 1.42+. The engine may take long. Below API 1.42, and with Podman 4, engines can't spare
    /// the volumes with a name: there only [`all`](VolumePruneOptions::all) can be pruned.
    ///
    /// # Errors
    /// [`Unsupported`](crate::ErrorKind::Unsupported) below API 1.42; [`Conflict`](crate::ErrorKind::Conflict) when
    /// another prune is under way.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, some or all of them may be removed all the same.
    pub async fn prune(&self) -> Result<VolumesPruned> {
        self.prune_with(&VolumePruneOptions::default()).await
    }

    /// Removes volumes that no container uses, as `options` say; see [`prune`](Volumes::prune).
    ///
    /// With [`all`](VolumePruneOptions::all), API 1.25+.
    ///
    /// # Errors
    /// As [`prune`](Volumes::prune), and [`Invalid`](crate::ErrorKind::Invalid) or
    /// [`Server`](crate::ErrorKind::Server), by engine, for a filter that it does not know.
    ///
    /// # Cancel safety
    /// As [`prune`](Volumes::prune).
    pub async fn prune_with(&self, options: &VolumePruneOptions) -> Result<VolumesPruned> {
        let version = self.docker.api_version().await?;
        self.docker.send(prune(options, version)).await?.json().await
    }
}

/// Older versions take all volumes, and refuse to be told so.
fn prune(options: &VolumePruneOptions, version: ApiVersion) -> Request {
    let operation = Operation::new("prune volumes");
    let mut request = Request::new(Method::Post, Path::new("volumes/prune"), operation).unbounded();
    let mut filters = options.filters.clone();
    match options.all {
        true if version >= SPARES_NAMED => filters.add("all", true),
        true => {}
        false => request.needs("a prune that spares the volumes with a name", SPARES_NAMED),
    }
    request.query.filters(&filters);
    request
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    const NEW: ApiVersion = ApiVersion::new(1, 42);
    const OLD: ApiVersion = ApiVersion::new(1, 41);

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        let default = VolumePruneOptions::default();
        assert_eq!(text(Ok(prune(&default, NEW))), "POST /volumes/prune");
        let all = default.all();
        assert_eq!(text(Ok(prune(&all, NEW))), "POST /volumes/prune?filters=%7B%22all%22%3A%5B%22true%22%5D%7D");
        let label = "filters=%7B%22label%22%3A%5B%22a%22%5D%7D";
        assert_eq!(text(Ok(prune(&all.label("a"), OLD))), format!("POST /volumes/prune?{label}"));
        let options = VolumePruneOptions::default().filter("label!", "b=c");
        assert_eq!(
            text(Ok(prune(&options, NEW))),
            "POST /volumes/prune?filters=%7B%22label%21%22%3A%5B%22b%3Dc%22%5D%7D"
        );
    }

    #[test]
    fn an_engine_that_can_not_spare_the_volumes_with_a_name_is_not_asked_to() {
        let error = prune(&VolumePruneOptions::default(), OLD).check(OLD).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Unsupported);
        assert!(error.message().contains("1.42") && error.message().contains("1.41"), "{error}");
        assert!(prune(&VolumePruneOptions::default().all(), OLD).check(OLD).is_ok());
    }
}
