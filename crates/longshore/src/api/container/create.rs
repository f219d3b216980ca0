use std::ops::Deref;

use longshore_models::ContainerCreated;
use longshore_wire::path::Path;

use super::{Container, Containers, Spec};
use crate::error::{Operation, Result};
use crate::http::{Method, Request};

/// A container that has just been created: its handle, and what the engine had to say about its spec.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Created {
    /// The container, by its id.
    pub container: Container,
    /// What the engine did not do as the spec says.
    pub warnings: Vec<String>,
}

impl Deref for Created {
    type Target = Container;

    fn deref(&self) -> &Container {
        &self.container
    }
}

impl Containers {
    /// Creates a container, without starting it.
    ///
    /// `POST /containers/create`, API 1.24+; the platform of a spec, API 1.41+. An image that the engine does not have
    /// is not pulled; [`run`](Containers::run) does that. Podman 4 does not ask whether an image that it has is for the
    /// platform.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when the engine does not have the image, or not for the platform,
    /// [`Conflict`](crate::ErrorKind::Conflict) when the name is taken, [`Invalid`](crate::ErrorKind::Invalid) (for some
    /// mistakes [`Server`](crate::ErrorKind::Server), by engine) when the spec is wrong; the message is the engine's.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the container may be created all the same.
    pub async fn create(&self, spec: &Spec) -> Result<Created> {
        let response = self.docker.send(create(spec)?).await?;
        let ContainerCreated { id, warnings, .. } = response.json().await?;
        Ok(Created { container: self.docker.container(id), warnings })
    }
}

fn create(spec: &Spec) -> Result<Request> {
    let operation = match &spec.name {
        Some(name) => Operation::on("create container", name),
        None => Operation::on("create container from", &spec.config.image),
    };
    let body = spec.to_json(&operation)?;
    let mut request = Request::new(Method::Post, Path::new("containers/create"), operation).unbounded().json(&body)?;
    request.query.optional("name", spec.name.as_ref()).optional("platform", spec.platform.as_ref());
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(
            text(create(&Spec::image("alpine"))),
            "POST /containers/create\nContent-Type: application/json\n\n{\"Image\":\"alpine\"}"
        );
        let spec = Spec::image("alpine").name("web").platform("linux/arm64/v8");
        assert_eq!(
            text(create(&spec)).lines().next().unwrap(),
            "POST /containers/create?name=web&platform=linux%2Farm64%2Fv8"
        );
    }
}
