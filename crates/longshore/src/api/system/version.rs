use longshore_models::{Raw, SystemVersion};
use longshore_wire::path::Path;

use crate::docker::Docker;
use crate::error::{Operation, Result};
use crate::http::{Method, Request};

impl Docker {
    /// Tells which engine it is: its version, its API versions, its parts.
    ///
    /// `GET /version`, API 1.24+.
    ///
    /// # Errors
    /// Those of every call: [`Connect`](crate::ErrorKind::Connect), [`Timeout`](crate::ErrorKind::Timeout) and so on.
    ///
    /// # Cancel safety
    /// Nothing happens when the future is dropped.
    pub async fn version(&self) -> Result<Raw<SystemVersion>> {
        self.send(version()).await?.raw().await
    }
}

fn version() -> Request {
    Request::new(Method::Get, Path::new("version"), Operation::new("ask the engine's version"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(text(Ok(version())), "GET /version");
    }
}
