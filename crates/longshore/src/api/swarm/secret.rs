use std::fmt::Display;

use longshore_models::{IdResponse, ObjectVersion, Raw, SecretInspect, SecretSpec};
use longshore_wire::filters::Filters;
use longshore_wire::path::Path;
use serde::Serialize;

use super::object::{self, Object};
use crate::docker::Docker;
use crate::error::{Operation, Result};
use crate::http::{Method, Request};

/// All secrets of a swarm; see [`Docker::secrets`].
#[derive(Clone, Debug)]
pub struct Secrets {
    pub(crate) docker: Docker,
}

/// One secret of a swarm, by its id or name. Making a handle does no I/O; see [`Docker::secret`].
///
/// ```no_run
/// # use longshore::models::SecretSpec;
/// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
/// let secret = docker.secrets().create(&SecretSpec::new("db-password", "s3cret")).await?;
/// println!("{}", secret.inspect().await?.spec.name);
/// secret.remove().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Secret {
    pub(crate) docker: Docker,
    pub(crate) id: String,
}

/// Which secrets to list.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SecretListOptions {
    /// What the secrets must match.
    pub filters: Filters,
}

impl SecretListOptions {
    /// Lists only secrets that match, such as `("id", "blt1o")`, `("name", "db-")` (a beginning), `("names",
    /// "db-1")` (the whole), `("label", "a=b")`.
    ///
    /// Every key must match; of several values of a key one is enough, but for `label`, where all are needed.
    #[must_use]
    pub fn filter(mut self, key: impl Into<String>, value: impl Display) -> Self {
        self.filters.add(key, value);
        self
    }
}

impl Docker {
    /// All secrets of the swarm.
    #[doc(alias = "DockerSecrets")]
    pub fn secrets(&self) -> Secrets {
        Secrets { docker: self.clone() }
    }

    /// The secret with this id or name, or a unique beginning of an id. Nothing is sent.
    pub fn secret(&self, id: impl Into<String>) -> Secret {
        Secret { docker: self.clone(), id: id.into() }
    }
}

impl Secrets {
    /// Creates a secret, and gives a handle with its id.
    ///
    /// `POST /secrets/create`, API 1.25+.
    ///
    /// # Errors
    /// [`Conflict`](crate::ErrorKind::Conflict) when the name is taken, or when the engine is not a manager of a swarm, or
    /// is locked; [`Invalid`](crate::ErrorKind::Invalid) for what is no name, and for data that is empty or too long.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the secret may be created all the same.
    pub async fn create(&self, spec: &SecretSpec) -> Result<Secret> {
        let answer: IdResponse = self.docker.send(create(spec)?).await?.json().await?;
        Ok(self.docker.secret(answer.id))
    }

    /// Lists the secrets.
    ///
    /// `GET /secrets`, API 1.25+.
    ///
    /// # Errors
    /// [`Conflict`](crate::ErrorKind::Conflict) when the engine is not a manager of a swarm, or is locked.
    ///
    /// # Cancel safety
    /// Nothing happens when the future is dropped.
    pub async fn list(&self) -> Result<Vec<SecretInspect>> {
        self.list_with(&SecretListOptions::default()).await
    }

    /// Lists secrets, as `options` say; see [`list`](Secrets::list).
    ///
    /// # Errors
    /// As [`list`](Secrets::list), and [`Invalid`](crate::ErrorKind::Invalid) for a filter that the engine does not know.
    ///
    /// # Cancel safety
    /// As [`list`](Secrets::list).
    pub async fn list_with(&self, options: &SecretListOptions) -> Result<Vec<SecretInspect>> {
        self.docker.send(list(options)).await?.list().await
    }
}

impl Secret {
    /// The id or name that this handle was made with; the id after a creation.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The client that this handle was made from.
    pub fn docker(&self) -> &Docker {
        &self.docker
    }

    /// Tells everything about the secret but its data, which only tasks get.
    ///
    /// `GET /secrets/{id}`, API 1.25+. What the types don't have is in the JSON that the answer keeps.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Conflict`](crate::ErrorKind::Conflict) when the engine is not a manager
    /// of a swarm, or is locked.
    ///
    /// # Cancel safety
    /// Nothing happens when the future is dropped.
    #[doc(alias = "show")]
    #[doc(alias = "get")]
    pub async fn inspect(&self) -> Result<Raw<SecretInspect>> {
        self.docker.send(request(Method::Get, "inspect secret", &self.id, "")?).await?.raw().await
    }

    /// Reads what the secret is, lets `change` have it, and sends it with the version that was read. Only the labels can
    /// be changed.
    ///
    /// `GET /secrets/{id}` and `POST /secrets/{id}/update`, API 1.26+. What the types don't model stays as it is.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// docker.secret("db-password").update(|spec| spec.labels.clear()).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Conflict`](crate::ErrorKind::Conflict) when someone else has changed it
    /// meanwhile, and then nothing is changed (call it again), or when the engine is not a manager of a swarm, or is
    /// locked; [`Invalid`](crate::ErrorKind::Invalid) when something else than the labels is changed.
    ///
    /// # Cancel safety
    /// When the future is dropped after the change was sent, the secret may be changed all the same.
    pub async fn update(&self, change: impl FnOnce(&mut SecretSpec)) -> Result<()> {
        let read = || request(Method::Get, "update secret", &self.id, "");
        let write = |version, spec: &_| update(&self.id, version, spec);
        object::update::<SecretInspect>(&self.docker, read, change, write).await?.finish().await
    }

    /// Says what the secret is to be, if it still is as it was in `version`. Only the labels may be others; leave the
    /// data empty.
    ///
    /// `POST /secrets/{id}/update`, API 1.26+.
    ///
    /// # Errors
    /// As [`update`](Secret::update): [`Conflict`](crate::ErrorKind::Conflict), and nothing changed, when there is a newer
    /// version.
    ///
    /// # Cancel safety
    /// As [`update`](Secret::update).
    pub async fn replace(&self, version: ObjectVersion, spec: &SecretSpec) -> Result<()> {
        self.docker.send(update(&self.id, version, spec)?).await?.finish().await
    }

    /// Removes the secret.
    ///
    /// `DELETE /secrets/{id}`, API 1.25+.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Conflict`](crate::ErrorKind::Conflict) when a service uses it, or when
    /// the engine is not a manager of a swarm, or is locked.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the secret may be removed all the same.
    #[doc(alias = "delete")]
    pub async fn remove(&self) -> Result<()> {
        self.docker.send(request(Method::Delete, "remove secret", &self.id, "")?).await?.finish().await
    }
}

impl Object for SecretInspect {
    type Spec = SecretSpec;

    fn version(&self) -> ObjectVersion {
        self.version
    }

    fn spec(&self) -> &SecretSpec {
        &self.spec
    }
}

fn request(method: Method, operation: &'static str, id: &str, action: &'static str) -> Result<Request> {
    super::request(method, operation, "secrets", id, action)
}

fn create(spec: &SecretSpec) -> Result<Request> {
    let operation = Operation::on("create secret", &spec.name);
    Request::new(Method::Post, Path::new("secrets/create"), operation).unbounded().json(spec)
}

fn list(options: &SecretListOptions) -> Request {
    let mut request = Request::new(Method::Get, Path::new("secrets"), Operation::new("list secrets"));
    request.query.filters(&options.filters);
    request
}

fn update(id: &str, version: ObjectVersion, spec: &impl Serialize) -> Result<Request> {
    let mut request = request(Method::Post, "update secret", id, "update")?.unbounded().json(spec)?;
    request.query.push("version", version.index);
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;
    use longshore_models::Driver;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        let spec = SecretSpec::new("db", b"\xfb\xff?").label("a", "b").templating(Driver::new("golang"));
        let head = |target: &str| format!("POST /secrets/{target}\nContent-Type: application/json\n\n");
        assert_eq!(
            text(create(&spec)),
            format!(
                "{}{{\"Name\":\"db\",\"Labels\":{{\"a\":\"b\"}},\"Data\":\"+/8/\",\"Templating\":{{\"Name\":\"golang\"}}}}",
                head("create")
            )
        );
        let spec = SecretSpec::driven("db", Driver::new("vault").option("path", "a"));
        assert_eq!(
            text(create(&spec)),
            format!(
                "{}{{\"Name\":\"db\",\"Driver\":{{\"Name\":\"vault\",\"Options\":{{\"path\":\"a\"}}}}}}",
                head("create")
            )
        );
        assert_eq!(text(Ok(list(&SecretListOptions::default()))), "GET /secrets");
        assert_eq!(
            text(Ok(list(&SecretListOptions::default().filter("names", "db")))),
            "GET /secrets?filters=%7B%22names%22%3A%5B%22db%22%5D%7D"
        );
        assert_eq!(text(request(Method::Get, "inspect secret", "a", "")), "GET /secrets/a");
        assert_eq!(text(request(Method::Delete, "remove secret", "a", "")), "DELETE /secrets/a");
        assert_eq!(
            text(update("a", ObjectVersion::new(7), &SecretSpec::new("db", ""))),
            format!("{}{{\"Name\":\"db\"}}", head("a/update?version=7"))
        );
    }
}
