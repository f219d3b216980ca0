use std::ops::Deref;

use longshore_models::ServiceCreated;
use longshore_wire::auth::RegistryAuth;
use longshore_wire::path::Path;
use longshore_wire::reference::Reference;

use super::spec::declare_needs;
use super::{Service, ServiceSpec, Services};
use crate::error::{Operation, Result};
use crate::http::{Method, Request};

/// How to create a service.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ServiceCreateOptions {
    /// The credentials that nodes show the registry of the image; those that the user has stored for it unless set.
    pub auth: Option<RegistryAuth>,
}

impl ServiceCreateOptions {
    /// Lets nodes show the registry of the image these credentials, which the swarm keeps:
    /// [`RegistryAuth::anonymous`] if it is not to have those of the user.
    #[must_use]
    pub fn auth(mut self, auth: RegistryAuth) -> Self {
        self.auth = Some(auth);
        self
    }
}

/// A service that has just been created: its handle, and what the engine had to say about its spec.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CreatedService {
    /// The service, by its id.
    pub service: Service,
    /// What the engine did not do as the spec says.
    pub warnings: Vec<String>,
}

impl Deref for CreatedService {
    type Target = Service;

    fn deref(&self) -> &Service {
        &self.service
    }
}

impl Services {
    /// Creates a service. Its tasks are started after that; [`tasks`](crate::Docker::tasks) tell how far they are.
    ///
    /// `POST /services/create`, API 1.24+.
    ///
    /// The engine asks no registry which image is meant: the reference is kept as it is. Each node pulls it before it
    /// starts a task, and takes the image that it has where that fails. So nodes may run different images of one tag; a
    /// reference with a digest is the same one everywhere.
    ///
    /// Nodes show the registry the credentials that the user has stored for it, if there are any. The swarm keeps them for
    /// that, where everybody who manages it can get at them.
    ///
    /// ```no_run
    /// # use longshore::{Mount, ServiceSpec};
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// let spec = ServiceSpec::image("nginx:1.27").name("web").replicas(2).mount(Mount::volume("site", "/srv"));
    /// let web = docker.services().create(&spec).await?;
    /// println!("{}", web.id());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Conflict`](crate::ErrorKind::Conflict) when the name is taken or the engine manages no swarm,
    /// [`Invalid`](crate::ErrorKind::Invalid) when the spec is wrong ([`Server`](crate::ErrorKind::Server) for a network
    /// that is not there); the message is the engine's. [`Unsupported`](crate::ErrorKind::Unsupported) for what the
    /// engine would read over: the security options of [`Privileges`](crate::models::Privileges) below API 1.44, the OOM
    /// score below 1.46, swap and swappiness below 1.52. Those of [`registry_auth`](crate::Docker::registry_auth).
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the service may be created all the same.
    pub async fn create(&self, spec: &ServiceSpec) -> Result<CreatedService> {
        self.create_with(spec, &ServiceCreateOptions::default()).await
    }

    /// Creates a service, as `options` say; see [`create`](Services::create).
    ///
    /// # Errors
    /// As [`create`](Services::create).
    ///
    /// # Cancel safety
    /// As [`create`](Services::create).
    pub async fn create_with(&self, spec: &ServiceSpec, options: &ServiceCreateOptions) -> Result<CreatedService> {
        let response = self.docker.send(create(spec, options)?).await?;
        let ServiceCreated { id, warnings, .. } = response.json().await?;
        Ok(CreatedService { service: self.docker.service(id), warnings })
    }
}

fn create(spec: &ServiceSpec, options: &ServiceCreateOptions) -> Result<Request> {
    let operation = match spec.name.as_str() {
        "" => Operation::on("create service from", &spec.task_template.container_spec.image),
        name => Operation::on("create service", name),
    };
    let body = spec.to_json(&operation)?;
    let mut request = Request::new(Method::Post, Path::new("services/create"), operation).json(&body)?;
    declare_needs(&body, &mut request);
    let reference = Reference::parse(&spec.task_template.container_spec.image).ok();
    Ok(request.auth(options.auth.as_ref(), reference.as_ref().map(Reference::registry)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        let spec = ServiceSpec::image("alpine").name("web").replicas(2);
        assert_eq!(
            text(create(&spec, &ServiceCreateOptions::default())),
            "POST /services/create\nContent-Type: application/json\n\n\
             {\"Mode\":{\"Replicated\":{\"Replicas\":2}},\"Name\":\"web\",\
             \"TaskTemplate\":{\"ContainerSpec\":{\"Image\":\"alpine\"}}}"
        );
        let auth = RegistryAuth::default().username("jane").password("s3cret");
        assert!(
            text(create(&spec, &ServiceCreateOptions::default().auth(auth)))
                .contains("\nX-Registry-Auth: eyJwYXNzd29yZCI6InMzY3JldCIsInVzZXJuYW1lIjoiamFuZSJ9\n")
        );
    }

    #[test]
    fn a_service_without_a_name_is_told_by_its_image() {
        let request = create(&ServiceSpec::image("alpine"), &ServiceCreateOptions::default()).unwrap();
        let error = request.operation.refused(400, "no".to_owned());
        assert_eq!(error.to_string(), "create service from `alpine`: no (400)");
    }
}
