use super::{Service, request};
use crate::api::Call;
use crate::api::logs::{self, Logs};
use crate::error::{Operation, Result};
use crate::http::{Method, Request};
use crate::stream::OutputStream;

impl Service {
    /// The logs of the service: by default all that its tasks have written to stdout and stderr so far, those that have
    /// ended among them, as long as the swarm remembers them.
    ///
    /// `GET /services/{id}/logs`, API 1.29+. Tasks come in any order, and all of them mixed; only with
    /// [`details`](Logs::details) does a line tell which one wrote it. Logs can be read with the drivers `json-file`,
    /// `local` and `journald`. With a terminal, everything comes from [`Source::Terminal`](crate::Source::Terminal).
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// let mut lines = docker.service("web").logs().follow().tail(100).await?.lines();
    /// while let Some(line) = lines.next().await {
    ///     let line = line?;
    ///     println!("{} {line}", line.source);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Conflict`](crate::ErrorKind::Conflict) when the engine manages no
    /// swarm; [`Server`](crate::ErrorKind::Server) when the service is a plugin. What keeps a node from giving its share
    /// comes from the stream.
    ///
    /// # Cancel safety
    /// Dropping the call closes its connection.
    #[doc(alias = "log")]
    pub fn logs(&self) -> Logs<Service> {
        Logs::new(self.clone())
    }

    async fn has_terminal(&self) -> Result<bool> {
        Ok(self.inspect().await?.spec.task_template.container_spec.tty)
    }
}

impl Logs<Service> {
    async fn open(self) -> Result<OutputStream> {
        logs::open(&self.of.docker, self.request()?, || self.of.has_terminal()).await
    }

    fn request(&self) -> Result<Request> {
        let operation = Operation::on("read logs of service", &self.of.id);
        Ok(self.asked_in(request(Method::Get, &operation, &self.of.id, "logs")?))
    }
}

impl IntoFuture for Logs<Service> {
    type Output = Result<OutputStream>;
    type IntoFuture = Call<OutputStream>;

    #[inline]
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.open())
    }
}

#[cfg(test)]
mod tests {
    use crate::Docker;
    use crate::api::golden::text;
    use std::time::{Duration, UNIX_EPOCH};

    #[tokio::test]
    async fn requests_are_as_the_engine_expects_them() {
        let logs = || Docker::connect_to("unix:///nowhere").unwrap().service("web").logs();
        assert_eq!(text(logs().request()), "GET /services/web/logs?stdout=1&stderr=1");
        let logs = logs().follow().timestamps().details().tail(5).since(UNIX_EPOCH + Duration::new(1_700_000_000, 1));
        assert_eq!(
            text(logs.request()),
            "GET /services/web/logs?stdout=1&stderr=1&follow=1&timestamps=1&details=1&tail=5\
             &since=1700000000.000000001"
        );
    }
}
