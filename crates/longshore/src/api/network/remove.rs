use super::{Network, request};
use crate::error::Result;
use crate::http::{Method, Request};

impl Network {
    /// Removes the network, to which no running container may be connected.
    ///
    /// `DELETE /networks/{id}`, API 1.24+.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Conflict`](crate::ErrorKind::Conflict) when containers are connected
    /// to it; [`Forbidden`](crate::ErrorKind::Forbidden) (Podman 4: [`Server`](crate::ErrorKind::Server)) for one that
    /// the engine has of itself, such as `bridge`.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the network may be removed all the same.
    #[doc(alias = "delete")]
    pub async fn remove(&self) -> Result<()> {
        self.docker.send(remove(&self.id)?).await?.finish().await
    }
}

fn remove(id: &str) -> Result<Request> {
    Ok(request(Method::Delete, "remove network", id, "")?.unbounded())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(text(remove("backend")), "DELETE /networks/backend");
    }
}
