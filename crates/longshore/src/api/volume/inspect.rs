use longshore_models::{Raw, VolumeInspect};

use super::{Volume, request};
use crate::error::Result;
use crate::http::{Method, Request};

impl Volume {
    /// Tells everything about the volume.
    ///
    /// `GET /volumes/{name}`, API 1.24+.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound).
    ///
    /// # Cancel safety
    /// Nothing happens when the future is dropped.
    #[doc(alias = "show")]
    pub async fn inspect(&self) -> Result<Raw<VolumeInspect>> {
        self.docker.send(inspect(&self.name)?).await?.raw().await
    }
}

fn inspect(name: &str) -> Result<Request> {
    request(Method::Get, "inspect volume", name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(text(inspect("data")), "GET /volumes/data");
        assert_eq!(text(inspect("a b?")), "GET /volumes/a%20b%3F");
    }
}
