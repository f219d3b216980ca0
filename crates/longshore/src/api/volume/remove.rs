use super::{Volume, request};
use crate::error::Result;
use crate::http::{Method, Request};

/// How to remove a volume.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct VolumeRemoveOptions {
    /// Whether it is removed although its driver fails to, and its absence is no error.
    pub force: bool,
}

impl VolumeRemoveOptions {
    /// Removes it although its driver fails to, such as when its files are gone already; then its absence is no error
    /// either. One that a container uses stays all the same.
    #[must_use]
    pub fn force(mut self) -> Self {
        self.force = true;
        self
    }
}

impl Volume {
    /// Removes the volume and its files. No container may use it, running or not.
    ///
    /// `DELETE /volumes/{name}`, API 1.24+.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Conflict`](crate::ErrorKind::Conflict) when a container uses it.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the volume may be removed all the same.
    #[doc(alias = "delete")]
    pub async fn remove(&self) -> Result<()> {
        self.remove_with(&VolumeRemoveOptions::default()).await
    }

    /// Removes the volume, as `options` say; see [`remove`](Volume::remove).
    ///
    /// # Errors
    /// As [`remove`](Volume::remove).
    ///
    /// # Cancel safety
    /// As [`remove`](Volume::remove).
    pub async fn remove_with(&self, options: &VolumeRemoveOptions) -> Result<()> {
        self.docker.send(remove(&self.name, options)?).await?.finish().await
    }
}

fn remove(name: &str, options: &VolumeRemoveOptions) -> Result<Request> {
    let mut request = request(Method::Delete, "remove volume", name)?.unbounded();
    request.query.flag("force", options.force);
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        let default = VolumeRemoveOptions::default();
        assert_eq!(text(remove("data", &default)), "DELETE /volumes/data");
        assert_eq!(text(remove("data", &default.force())), "DELETE /volumes/data?force=1");
    }
}
