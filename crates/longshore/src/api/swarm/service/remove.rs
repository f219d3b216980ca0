use super::{Service, request};
use crate::error::{Operation, Result};
use crate::http::{Method, Request};

impl Service {
    /// Removes the service. Its tasks are ended after that.
    ///
    /// `DELETE /services/{id}`, API 1.24+. Containers may run on for a while after it returns: as long as they take to
    /// stop.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Conflict`](crate::ErrorKind::Conflict) when the engine manages no
    /// swarm.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the service may be removed all the same.
    #[doc(alias = "delete")]
    pub async fn remove(&self) -> Result<()> {
        self.docker.send(remove(&self.id)?).await?.finish().await
    }
}

fn remove(id: &str) -> Result<Request> {
    request(Method::Delete, &Operation::on("remove service", id), id, "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(text(remove("web")), "DELETE /services/web");
    }
}
