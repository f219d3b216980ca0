use super::{Container, request};
use crate::api::Call;
use crate::api::logs::{self, Logs};
use crate::error::Result;
use crate::http::{Method, Request};
use crate::stream::{OutputFraming, OutputStream};

impl Container {
    /// The container's logs: by default all that it has written to stdout and stderr so far.
    ///
    /// `GET /containers/{id}/logs`, API 1.24+. The engine keeps logs only with some log drivers. What is written comes
    /// once its line has ended, and Docker's usual driver replaces bytes that are not UTF-8 by U+FFFD;
    /// [`attach`](Container::attach) gives everything at once and as it is.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// let mut lines = docker.container("web").logs().follow().tail(100).await?.lines();
    /// while let Some(line) = lines.next().await {
    ///     let line = line?;
    ///     println!("{} {line}", line.source);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Unsupported`](crate::ErrorKind::Unsupported) or
    /// [`Server`](crate::ErrorKind::Server) when the log driver can't be read.
    ///
    /// # Cancel safety
    /// Dropping the call closes its connection.
    #[doc(alias = "log")]
    pub fn logs(&self) -> Logs {
        Logs::new(self.clone())
    }

    /// What is known of how output is framed before it comes.
    pub(crate) async fn framing_told_before(&self) -> Result<Option<OutputFraming>> {
        logs::framing_told_before(&self.docker, || self.has_terminal()).await
    }

    /// How the container's output is framed: as was told `before`, or by the head of the answer, or else by the
    /// container.
    pub(crate) async fn framing(
        &self,
        before: Option<OutputFraming>,
        told: Option<OutputFraming>,
    ) -> Result<OutputFraming> {
        logs::framing(&self.docker, before, told, || self.has_terminal()).await
    }

    /// Whether the heads of answers tell how output is framed.
    pub(crate) async fn framing_is_told(&self) -> Result<bool> {
        logs::answers_tell(&self.docker).await
    }

    async fn has_terminal(&self) -> Result<bool> {
        Ok(self.inspect().await?.config.tty)
    }
}

impl Logs<Container> {
    async fn open(self) -> Result<OutputStream> {
        logs::open(&self.of.docker, self.request()?, || self.of.has_terminal()).await
    }

    /// The logs, and the second in which the engine answered, by its own clock. The container may be known to have a
    /// terminal or not.
    pub(crate) async fn open_at(self, known: Option<bool>) -> Result<(OutputStream, Option<i64>)> {
        let of = &self.of;
        let has_terminal = || async move {
            match known {
                Some(has_terminal) => Ok(has_terminal),
                None => of.has_terminal().await,
            }
        };
        logs::open_at(&self.of.docker, self.request()?, has_terminal).await
    }

    fn request(&self) -> Result<Request> {
        Ok(self.asked_in(request(Method::Get, "read logs of container", &self.of.id, "logs")?))
    }
}

impl IntoFuture for Logs<Container> {
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
        let logs = || Docker::connect_to("unix:///nowhere").unwrap().container("web").logs();
        assert_eq!(text(logs().request()), "GET /containers/web/logs?stdout=1&stderr=1");
        let logs = logs().stderr_only().follow().timestamps().details().tail(5);
        let logs = logs.since(UNIX_EPOCH + Duration::new(1_700_000_000, 1)).until(UNIX_EPOCH + Duration::from_secs(9));
        assert_eq!(
            text(logs.request()),
            "GET /containers/web/logs?stdout=0&stderr=1&follow=1&timestamps=1&details=1&tail=5\
             &since=1700000000.000000001&until=9.000000000"
        );
        assert!(text(logs.stdout_only().request()).contains("stdout=1&stderr=0"));
    }
}
