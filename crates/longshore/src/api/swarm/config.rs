use std::fmt::Display;

use longshore_models::{ConfigInspect, ConfigSpec, IdResponse, ObjectVersion, Raw};
use longshore_wire::filters::Filters;
use longshore_wire::path::Path;
use serde::Serialize;

use super::object::{self, Object};
use crate::docker::Docker;
use crate::error::{Operation, Result};
use crate::http::{Method, Request};

/// All configs of a swarm; see [`Docker::configs`].
#[derive(Clone, Debug)]
pub struct Configs {
    pub(crate) docker: Docker,
}

/// One config of a swarm, by its id or name. Making a handle does no I/O; see [`Docker::config`].
///
/// ```no_run
/// # use longshore::models::ConfigSpec;
/// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
/// let config = docker.configs().create(&ConfigSpec::new("site.conf", "listen 80;\n")).await?;
/// println!("{}", config.inspect().await?.spec.name);
/// config.remove().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) docker: Docker,
    pub(crate) id: String,
}

/// Which configs to list.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ConfigListOptions {
    /// What the configs must match.
    pub filters: Filters,
}

impl ConfigListOptions {
    /// Lists only configs that match, such as `("id", "ktnbj")`, `("name", "site")` (a beginning), `("names",
    /// "site.conf")` (the whole), `("label", "a=b")`.
    ///
    /// Every key must match; of several values of a key one is enough, but for `label`, where all are needed.
    #[must_use]
    pub fn filter(mut self, key: impl Into<String>, value: impl Display) -> Self {
        self.filters.add(key, value);
        self
    }
}

impl Docker {
    /// All configs of the swarm.
    #[doc(alias = "DockerConfigs")]
    pub fn configs(&self) -> Configs {
        Configs { docker: self.clone() }
    }

    /// The config with this id or name, or a unique beginning of an id. Nothing is sent.
    pub fn config(&self, id: impl Into<String>) -> Config {
        Config { docker: self.clone(), id: id.into() }
    }
}

impl Configs {
    /// Creates a config, and gives a handle with its id.
    ///
    /// `POST /configs/create`, API 1.30+.
    ///
    /// # Errors
    /// [`Conflict`](crate::ErrorKind::Conflict) when the name is taken, or when the engine is not a manager of a swarm, or
    /// is locked; [`Invalid`](crate::ErrorKind::Invalid) for what is no name, and for data that is empty or too long.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the config may be created all the same.
    pub async fn create(&self, spec: &ConfigSpec) -> Result<Config> {
        let answer: IdResponse = self.docker.send(create(spec)?).await?.json().await?;
        Ok(self.docker.config(answer.id))
    }

    /// Lists the configs.
    ///
    /// `GET /configs`, API 1.30+.
    ///
    /// # Errors
    /// [`Conflict`](crate::ErrorKind::Conflict) when the engine is not a manager of a swarm, or is locked.
    ///
    /// # Cancel safety
    /// Nothing happens when the future is dropped.
    pub async fn list(&self) -> Result<Vec<ConfigInspect>> {
        self.list_with(&ConfigListOptions::default()).await
    }

    /// Lists configs, as `options` say; see [`list`](Configs::list).
    ///
    /// # Errors
    /// As [`list`](Configs::list), and [`Invalid`](crate::ErrorKind::Invalid) for a filter that the engine does not know.
    ///
    /// # Cancel safety
    /// As [`list`](Configs::list).
    pub async fn list_with(&self, options: &ConfigListOptions) -> Result<Vec<ConfigInspect>> {
        self.docker.send(list(options)).await?.list().await
    }
}

impl Config {
    /// The id or name that this handle was made with; the id after a creation.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The client that this handle was made from.
    pub fn docker(&self) -> &Docker {
        &self.docker
    }

    /// Tells everything about the config, its data too.
    ///
    /// `GET /configs/{id}`, API 1.30+. What the types don't have is in the JSON that the answer keeps.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Conflict`](crate::ErrorKind::Conflict) when the engine is not a manager
    /// of a swarm, or is locked.
    ///
    /// # Cancel safety
    /// Nothing happens when the future is dropped.
    #[doc(alias = "show")]
    #[doc(alias = "get")]
    pub async fn inspect(&self) -> Result<Raw<ConfigInspect>> {
        self.docker.send(request(Method::Get, "inspect config", &self.id, "")?).await?.raw().await
    }

    /// Reads what the config is, lets `change` have it, and sends it with the version that was read. Only the labels can
    /// be changed.
    ///
    /// `GET /configs/{id}` and `POST /configs/{id}/update`, API 1.30+. What the types don't model stays as it is.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// docker.config("site.conf").update(|spec| spec.labels.clear()).await?;
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
    /// When the future is dropped after the change was sent, the config may be changed all the same.
    pub async fn update(&self, change: impl FnOnce(&mut ConfigSpec)) -> Result<()> {
        let read = || request(Method::Get, "update config", &self.id, "");
        let write = |version, spec: &_| update(&self.id, version, spec);
        object::update::<ConfigInspect>(&self.docker, read, change, write).await?.finish().await
    }

    /// Says what the config is to be, if it still is as it was in `version`. Only the labels may be others; the
    /// data may be left empty.
    ///
    /// `POST /configs/{id}/update`, API 1.30+.
    ///
    /// # Errors
    /// As [`update`](Config::update): [`Conflict`](crate::ErrorKind::Conflict), and nothing changed, when there is a newer
    /// version.
    ///
    /// # Cancel safety
    /// As [`update`](Config::update).
    pub async fn replace(&self, version: ObjectVersion, spec: &ConfigSpec) -> Result<()> {
        self.docker.send(update(&self.id, version, spec)?).await?.finish().await
    }

    /// Removes the config.
    ///
    /// `DELETE /configs/{id}`, API 1.30+.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Conflict`](crate::ErrorKind::Conflict) when a service uses it, or when
    /// the engine is not a manager of a swarm, or is locked.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the config may be removed all the same.
    #[doc(alias = "delete")]
    pub async fn remove(&self) -> Result<()> {
        self.docker.send(request(Method::Delete, "remove config", &self.id, "")?).await?.finish().await
    }
}

impl Object for ConfigInspect {
    type Spec = ConfigSpec;

    fn version(&self) -> ObjectVersion {
        self.version
    }

    fn spec(&self) -> &ConfigSpec {
        &self.spec
    }
}

fn request(method: Method, operation: &'static str, id: &str, action: &'static str) -> Result<Request> {
    super::request(method, operation, "configs", id, action)
}

fn create(spec: &ConfigSpec) -> Result<Request> {
    let operation = Operation::on("create config", &spec.name);
    Request::new(Method::Post, Path::new("configs/create"), operation).unbounded().json(spec)
}

fn list(options: &ConfigListOptions) -> Request {
    let mut request = Request::new(Method::Get, Path::new("configs"), Operation::new("list configs"));
    request.query.filters(&options.filters);
    request
}

fn update(id: &str, version: ObjectVersion, spec: &impl Serialize) -> Result<Request> {
    let mut request = request(Method::Post, "update config", id, "update")?.unbounded().json(spec)?;
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
        let spec = ConfigSpec::new("db", b"\xfb\xff?").label("a", "b").templating(Driver::new("golang"));
        let head = |target: &str| format!("POST /configs/{target}\nContent-Type: application/json\n\n");
        assert_eq!(
            text(create(&spec)),
            format!(
                "{}{{\"Name\":\"db\",\"Labels\":{{\"a\":\"b\"}},\"Data\":\"+/8/\",\"Templating\":{{\"Name\":\"golang\"}}}}",
                head("create")
            )
        );
        assert_eq!(text(Ok(list(&ConfigListOptions::default()))), "GET /configs");
        assert_eq!(
            text(Ok(list(&ConfigListOptions::default().filter("names", "db")))),
            "GET /configs?filters=%7B%22names%22%3A%5B%22db%22%5D%7D"
        );
        assert_eq!(text(request(Method::Get, "inspect config", "a", "")), "GET /configs/a");
        assert_eq!(text(request(Method::Delete, "remove config", "a", "")), "DELETE /configs/a");
        assert_eq!(
            text(update("a", ObjectVersion::new(7), &ConfigSpec::new("db", ""))),
            format!("{}{{\"Name\":\"db\"}}", head("a/update?version=7"))
        );
    }
}
