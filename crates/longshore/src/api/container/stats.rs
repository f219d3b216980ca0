use longshore_models::ContainerStats;
use longshore_wire::version::ApiVersion;

use super::{Container, request};
use crate::error::Result;
use crate::http::{Method, Request};
use crate::stream::JsonStream;

/// Samples of what a container uses, about one a second; see [`Container::stats`].
pub type Stats = JsonStream<ContainerStats>;

impl Container {
    /// Measures what the container uses, about once a second (every five seconds on Podman), until it is removed.
    ///
    /// `GET /containers/{id}/stats`, API 1.24+. The first sample has nothing to be compared with, so that its
    /// `cpu_percent` is 0 (what Podman tells there means nothing). While the container does not run, Docker sends samples
    /// that are all zero; Podman ends the stream.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// let mut stats = docker.container("web").stats().await?;
    /// while let Some(sample) = stats.next().await {
    ///     let sample = sample?;
    ///     println!("{:.1} % {} bytes", sample.cpu_percent(), sample.memory_used());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound).
    ///
    /// # Cancel safety
    /// Nothing happens when the future is dropped; dropping the stream closes its connection.
    pub async fn stats(&self) -> Result<Stats> {
        Ok(JsonStream::new(self.docker.send(stream(&self.id)?).await?))
    }

    /// Measures what the container uses, once. It takes up to two seconds, because Docker samples twice, so that
    /// `cpu_percent` tells the time between; Podman samples only once.
    ///
    /// `GET /containers/{id}/stats?stream=0`, API 1.24+. All is zero for a container that does not run.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound). Podman 4 answers nothing for a container that does not run, which is a
    /// [`Decode`](crate::ErrorKind::Decode).
    ///
    /// # Cancel safety
    /// Nothing happens when the future is dropped.
    pub async fn stats_once(&self) -> Result<ContainerStats> {
        self.docker.send(once(&self.id)?).await?.json().await
    }

    /// Measures what the container uses, once and at once: `cpu_percent` is 0, as there is no sample before.
    ///
    /// `GET /containers/{id}/stats?stream=0&one-shot=1`, API 1.41+; Docker 20.10 takes a second all the same. All is
    /// zero for a container that does not run.
    ///
    /// # Errors
    /// As [`stats_once`](Container::stats_once), and [`Unsupported`](crate::ErrorKind::Unsupported) below API 1.41.
    ///
    /// # Cancel safety
    /// Nothing happens when the future is dropped.
    pub async fn stats_one_shot(&self) -> Result<ContainerStats> {
        self.docker.send(one_shot(&self.id)?).await?.json().await
    }
}

fn stream(id: &str) -> Result<Request> {
    let mut request = request(Method::Get, "stream stats of container", id, "stats")?;
    request.query.bool("stream", true);
    Ok(request)
}

fn once(id: &str) -> Result<Request> {
    let mut request = request(Method::Get, "measure container", id, "stats")?;
    request.query.bool("stream", false);
    Ok(request)
}

fn one_shot(id: &str) -> Result<Request> {
    let mut request = once(id)?;
    request.query.flag("one-shot", true);
    request.needs("a single sample", ApiVersion::new(1, 41));
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(text(stream("web")), "GET /containers/web/stats?stream=1");
        assert_eq!(text(once("web")), "GET /containers/web/stats?stream=0");
        assert_eq!(text(one_shot("web")), "GET /containers/web/stats?stream=0&one-shot=1");
        assert_eq!(one_shot("web").unwrap().needs, [("a single sample", ApiVersion::new(1, 41))]);
    }
}
