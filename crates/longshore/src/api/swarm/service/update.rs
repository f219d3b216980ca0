use std::sync::OnceLock;

use longshore_models::decode::Decode;
use longshore_models::{ObjectVersion, ServiceMode, ServiceUpdated};
use longshore_wire::auth::RegistryAuth;
use longshore_wire::reference::Reference;
use serde_json::Value;

use super::inspect::{ServiceInspectOptions, inspect};
use super::spec::{Problem, declare_needs};
use super::{Service, ServiceSpec, request};
use crate::api::swarm::object::{self, Object};
use crate::error::{Operation, Result};
use crate::http::{Method, Request};

/// How to change a service.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ServiceUpdateOptions {
    /// The credentials that nodes show the registry of the image. Unless set, those that the user has stored for it where
    /// the service gets another image, and else those that the swarm has kept.
    pub auth: Option<RegistryAuth>,
    /// Which of the credentials that the swarm has kept, unless others are given; those of the service as it is now
    /// unless set.
    pub registry_auth_from: Option<RegistryAuthFrom>,
}

impl ServiceUpdateOptions {
    /// Lets nodes show the registry of the image these credentials, which the swarm keeps.
    #[must_use]
    pub fn auth(mut self, auth: RegistryAuth) -> Self {
        self.auth = Some(auth);
        self
    }

    /// Lets nodes show the registry the credentials that the swarm has kept from there.
    #[must_use]
    pub fn registry_auth_from(mut self, from: RegistryAuthFrom) -> Self {
        self.registry_auth_from = Some(from);
        self
    }
}

/// Where the swarm has credentials from that it goes on with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegistryAuthFrom {
    /// The service as it is now.
    #[default]
    Spec,
    /// The service as it was before its last change.
    PreviousSpec,
}

impl RegistryAuthFrom {
    /// The API's word for it.
    pub fn as_str(&self) -> &'static str {
        match self {
            RegistryAuthFrom::Spec => "spec",
            RegistryAuthFrom::PreviousSpec => "previous-spec",
        }
    }
}

impl Service {
    /// Changes the service: `change` gets its spec as it is, and gives it as it is to be.
    ///
    /// `GET /services/{id}` and `POST /services/{id}/update`, API 1.24+. The version that was read is sent back, so that
    /// nothing of what others do at the same time is lost. What the types don't model stays as it was, and so do tasks
    /// that the change does not touch. Those that it does touch are replaced after the call has returned, as
    /// [`update_config`](crate::models::ServiceSpec::update_config) says: `update_status` of an
    /// [`inspect`](Service::inspect) tells how far that is. With another image, nodes show its registry the credentials that
    /// the user has stored for it, if there are any.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// let web = docker.service("web");
    /// web.update(|spec| spec.with_image("nginx:1.28").env("LANG", "C.UTF-8")).await?;
    /// // What has no setter is a field.
    /// web.update(|mut spec| {
    ///     spec.task_template.placement.constraints.clear();
    ///     spec
    /// })
    /// .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Conflict`](crate::ErrorKind::Conflict) when somebody else has changed
    /// the service meanwhile, and nothing was changed by this call, or when the engine manages no swarm;
    /// [`Invalid`](crate::ErrorKind::Invalid) when the spec is wrong; [`Unsupported`](crate::ErrorKind::Unsupported) for
    /// another name or kind of mode, which a service can't be given, and as for
    /// [`create`](crate::Services::create). With another image, those of
    /// [`registry_auth`](crate::Docker::registry_auth).
    ///
    /// # Cancel safety
    /// When the future is dropped after the change was sent, the service may be changed all the same.
    pub async fn update(&self, change: impl FnOnce(ServiceSpec) -> ServiceSpec) -> Result<ServiceUpdated> {
        self.update_with(change, &ServiceUpdateOptions::default()).await
    }

    /// Changes the service, as `options` say; see [`update`](Service::update).
    ///
    /// # Errors
    /// As [`update`](Service::update); [`Server`](crate::ErrorKind::Server) for the credentials of what it was before,
    /// if it was nothing else.
    ///
    /// # Cancel safety
    /// As [`update`](Service::update).
    pub async fn update_with(
        &self,
        change: impl FnOnce(ServiceSpec) -> ServiceSpec,
        options: &ServiceUpdateOptions,
    ) -> Result<ServiceUpdated> {
        let operation = Operation::on("update service", &self.id);
        let image = OnceLock::new();
        let change = |spec: ServiceSpec| {
            // It is set once, since the change is made once.
            let _ = image.set(spec.task_template.container_spec.image.clone());
            change(spec)
        };
        self.change(operation, change, |version, body, operation| {
            let request = update(&self.id, version, body, options, operation)?;
            let same = image.get().is_some_and(|image| image == image_of(body));
            Ok(if same { request } else { with_stored_auth(request, body, options) })
        })
        .await
    }

    /// Replaces the whole spec of the service, if it is still of this version.
    ///
    /// `POST /services/{id}/update`, API 1.24+. For a spec that is made anew, or a version that was read long before; to
    /// change some of what it is, [`update`](Service::update) has no version to be mixed up and loses nothing.
    ///
    /// ```no_run
    /// # use longshore::ServiceSpec;
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// let web = docker.service("web");
    /// let version = web.inspect().await?.version;
    /// web.replace(version, &ServiceSpec::image("nginx:1.28").name("web").replicas(2)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`update`](Service::update). The swarm itself counts the version up, while it replaces tasks for one: that is a
    /// [`Conflict`](crate::ErrorKind::Conflict) too.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the service may be changed all the same.
    pub async fn replace(&self, version: ObjectVersion, spec: &ServiceSpec) -> Result<ServiceUpdated> {
        self.replace_with(version, spec, &ServiceUpdateOptions::default()).await
    }

    /// Replaces the whole spec of the service, as `options` say; see [`replace`](Service::replace).
    ///
    /// # Errors
    /// As [`replace`](Service::replace).
    ///
    /// # Cancel safety
    /// As [`replace`](Service::replace).
    pub async fn replace_with(
        &self,
        version: ObjectVersion,
        spec: &ServiceSpec,
        options: &ServiceUpdateOptions,
    ) -> Result<ServiceUpdated> {
        let operation = Operation::on("replace spec of service", &self.id);
        let body = spec.to_json(&operation)?;
        let request = update(&self.id, version, &body, options, &operation)?;
        self.docker.send(with_stored_auth(request, &body, options)).await?.json().await
    }

    /// Makes the service again what it was before its last change.
    ///
    /// `GET /services/{id}` and `POST /services/{id}/update?rollback=previous`, API 1.25+. Tasks are replaced after the
    /// call has returned, as [`rollback_config`](crate::models::ServiceSpec::rollback_config) says. What it is now
    /// becomes what it was before, so that a second rollback takes the first one back.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Conflict`](crate::ErrorKind::Conflict) when it was nothing else
    /// before, or somebody else has changed it meanwhile.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the service may be rolled back all the same.
    pub async fn rollback(&self) -> Result<ServiceUpdated> {
        let operation = Operation::on("roll back service", &self.id);
        self.change(operation, |spec| spec, |version, body, operation| rollback(&self.id, version, body, operation))
            .await
    }

    /// Sets how many tasks the service has; for a job, how many are to end well.
    ///
    /// It is an [`update`](Service::update): tasks that it has already run on.
    ///
    /// # Errors
    /// As [`update`](Service::update), and [`Invalid`](crate::ErrorKind::Invalid) for a global service, which has as
    /// many as there are nodes.
    ///
    /// # Cancel safety
    /// As [`update`](Service::update).
    pub async fn scale(&self, replicas: u64) -> Result<ServiceUpdated> {
        let options = ServiceUpdateOptions::default();
        let operation = Operation::on("scale service", &self.id);
        self.change(
            operation,
            |spec| scaled(spec, replicas),
            |version, body, operation| update(&self.id, version, body, &options, operation),
        )
        .await
    }

    async fn change(
        &self,
        operation: Operation,
        change: impl FnOnce(ServiceSpec) -> ServiceSpec,
        write: impl Fn(ObjectVersion, &Value, &Operation) -> Result<Request>,
    ) -> Result<ServiceUpdated> {
        let response = object::update::<Current>(
            &self.docker,
            || inspect(&self.id, &ServiceInspectOptions::default(), &operation),
            |spec| *spec = change(std::mem::take(spec)),
            |version, body| write(version, body, &operation),
        );
        response.await?.json().await
    }
}

/// What is read of a service to change it.
#[derive(Default, Decode)]
#[serde(rename_all = "PascalCase")]
struct Current {
    version: ObjectVersion,
    #[decode(from = longshore_models::ServiceSpec)]
    spec: ServiceSpec,
}

impl Object for Current {
    type Spec = ServiceSpec;

    fn version(&self) -> ObjectVersion {
        self.version
    }

    fn spec(&self) -> &ServiceSpec {
        &self.spec
    }
}

fn scaled(mut spec: ServiceSpec, count: u64) -> ServiceSpec {
    match &mut spec.mode {
        ServiceMode::Replicated { replicas } => *replicas = Some(count),
        ServiceMode::ReplicatedJob { total_completions, .. } => *total_completions = Some(count),
        _ => return spec.with_problem(Problem::NotReplicated),
    }
    spec
}

fn update(
    id: &str,
    version: ObjectVersion,
    spec: &Value,
    options: &ServiceUpdateOptions,
    operation: &Operation,
) -> Result<Request> {
    let mut request = write(id, version, spec, operation)?;
    request.query.optional("registryAuthFrom", options.registry_auth_from.map(|from| from.as_str()));
    Ok(request.auth(options.auth.as_ref(), None))
}

/// Lets nodes show the registry of the image the credentials that the user has stored for it, unless `options` say
/// others. Where there are none, the swarm goes on with those that it has kept.
fn with_stored_auth(request: Request, spec: &Value, options: &ServiceUpdateOptions) -> Request {
    if options.auth.is_some() || options.registry_auth_from.is_some() {
        return request;
    }
    let reference = Reference::parse(image_of(spec)).ok();
    request.auth(None, reference.as_ref().map(Reference::registry))
}

/// The image of a spec; empty if it has none.
fn image_of(spec: &Value) -> &str {
    spec["TaskTemplate"]["ContainerSpec"]["Image"].as_str().unwrap_or_default()
}

/// The engine wants a valid spec though it does not look at it.
fn rollback(id: &str, version: ObjectVersion, spec: &Value, operation: &Operation) -> Result<Request> {
    let mut request = write(id, version, spec, operation)?;
    request.query.push("rollback", "previous");
    Ok(request)
}

fn write(id: &str, version: ObjectVersion, spec: &Value, operation: &Operation) -> Result<Request> {
    let mut request = request(Method::Post, operation, id, "update")?.json(spec)?;
    request.query.push("version", version.index);
    declare_needs(spec, &mut request);
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;
    use serde_json::json;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        let operation = Operation::on("update service", "web");
        let (version, body) = (ObjectVersion::new(17), json!({"Name": "web"}));
        assert_eq!(
            text(update("web", version, &body, &ServiceUpdateOptions::default(), &operation)),
            "POST /services/web/update?version=17\nContent-Type: application/json\n\n{\"Name\":\"web\"}"
        );
        let auth = RegistryAuth::default().username("jane").password("s3cret");
        let options = ServiceUpdateOptions::default().registry_auth_from(RegistryAuthFrom::PreviousSpec).auth(auth);
        assert_eq!(
            text(update("web", version, &body, &options, &operation)),
            "POST /services/web/update?version=17&registryAuthFrom=previous-spec\nContent-Type: application/json\n\
             X-Registry-Auth: eyJwYXNzd29yZCI6InMzY3JldCIsInVzZXJuYW1lIjoiamFuZSJ9\n\n{\"Name\":\"web\"}"
        );
        assert_eq!(
            text(rollback("web", version, &body, &operation)),
            "POST /services/web/update?version=17&rollback=previous\nContent-Type: application/json\n\n\
             {\"Name\":\"web\"}"
        );
        assert_eq!(RegistryAuthFrom::default().as_str(), "spec");
    }

    #[test]
    fn what_has_a_number_of_tasks_can_be_scaled() {
        let scaled = |mode| {
            let spec = scaled(ServiceSpec::image("alpine").mode(mode), 5);
            spec.to_json(&Operation::on("scale service", "web")).map(|json| json["Mode"].clone())
        };
        assert_eq!(scaled(ServiceMode::default()).unwrap(), json!({"Replicated": {"Replicas": 5}}));
        assert_eq!(
            scaled(ServiceMode::replicated_job(3, 2)).unwrap(),
            json!({"ReplicatedJob": {"MaxConcurrent": 2, "TotalCompletions": 5}})
        );
        for mode in [ServiceMode::Global, ServiceMode::GlobalJob] {
            let error = scaled(mode).unwrap_err();
            assert_eq!(
                error.to_string(),
                "scale service `web`: the service has no number of tasks that could be changed"
            );
        }
    }
}
