use longshore_models::{Raw, SystemInfo};
use longshore_wire::path::Path;

use crate::docker::Docker;
use crate::error::{Operation, Result};
use crate::http::{Method, Request};

impl Docker {
    /// Tells everything the engine knows of itself and its machine: numbers of containers and images, drivers, limits,
    /// registries, how it takes part in a swarm.
    ///
    /// `GET /info`, API 1.24+. What the types don't have is in the JSON that the answer keeps.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// let info = docker.info().await?;
    /// println!("{} of {} containers run, on {}", info.containers_running, info.containers, info.operating_system);
    /// for warning in &info.warnings {
    ///     println!("{warning}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of every call: [`Connect`](crate::ErrorKind::Connect), [`Timeout`](crate::ErrorKind::Timeout) and so on.
    ///
    /// # Cancel safety
    /// Reads only.
    pub async fn info(&self) -> Result<Raw<SystemInfo>> {
        self.send(info()).await?.raw().await
    }
}

fn info() -> Request {
    Request::new(Method::Get, Path::new("info"), Operation::new("ask what the engine knows of itself"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(text(Ok(info())), "GET /info");
    }
}
