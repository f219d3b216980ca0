use std::fmt::Display;

use longshore_models::VolumeList;
use longshore_wire::filters::Filters;
use longshore_wire::path::Path;

use super::Volumes;
use crate::error::{Operation, Result};
use crate::http::{Method, Request};

/// Which volumes to list.
///
/// ```
/// use longshore::volume::VolumeListOptions;
///
/// let unused = VolumeListOptions::default().filter("dangling", true);
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct VolumeListOptions {
    /// What the volumes must match.
    pub filters: Filters,
}

impl VolumeListOptions {
    /// Lists only volumes that match, such as `("name", "data")` for all whose name has that in it,
    /// `("driver", "local")`, `("label", "a=b")`, `("dangling", true)` for those that no container uses.
    ///
    /// Every key must match; of several values of a key one is enough, but for `label`, where all are needed.
    #[must_use]
    pub fn filter(mut self, key: impl Into<String>, value: impl Display) -> Self {
        self.filters.add(key, value);
        self
    }
}

impl Volumes {
    /// Lists the volumes, and what the engine has to say about those that it can't.
    ///
    /// `GET /volumes`, API 1.24+.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// for volume in docker.volumes().list().await?.volumes {
    ///     println!("{} {}", volume.name, volume.mountpoint);
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
    pub async fn list(&self) -> Result<VolumeList> {
        self.list_with(&VolumeListOptions::default()).await
    }

    /// Lists volumes, as `options` say; see [`list`](Volumes::list).
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) or [`Server`](crate::ErrorKind::Server), by engine, for a filter that it
    /// does not know.
    ///
    /// # Cancel safety
    /// As [`list`](Volumes::list).
    pub async fn list_with(&self, options: &VolumeListOptions) -> Result<VolumeList> {
        self.docker.send(list(options)).await?.json().await
    }
}

fn list(options: &VolumeListOptions) -> Request {
    let mut request = Request::new(Method::Get, Path::new("volumes"), Operation::new("list volumes"));
    request.query.filters(&options.filters);
    request
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(text(Ok(list(&VolumeListOptions::default()))), "GET /volumes");
        let options = VolumeListOptions::default().filter("dangling", true);
        assert_eq!(text(Ok(list(&options))), "GET /volumes?filters=%7B%22dangling%22%3A%5B%22true%22%5D%7D");
    }
}
