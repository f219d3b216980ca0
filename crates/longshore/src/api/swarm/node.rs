use std::fmt::Display;

use longshore_models::{NodeInspect, NodeSpec, ObjectVersion, Raw};
use longshore_wire::filters::Filters;
use longshore_wire::path::Path;
use serde::Serialize;

use super::object::{self, Object};
use crate::docker::Docker;
use crate::error::{Operation, Result};
use crate::http::{Method, Request};

/// All nodes of a swarm; see [`Docker::nodes`].
#[derive(Clone, Debug)]
pub struct Nodes {
    pub(crate) docker: Docker,
}

/// One node of a swarm, by its id or host name. Making a handle does no I/O; see [`Docker::node`].
///
/// ```no_run
/// # use longshore::models::NodeAvailability;
/// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
/// let node = docker.node("worker-3");
/// node.update(|spec| spec.availability = NodeAvailability::Drain).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Node {
    pub(crate) docker: Docker,
    pub(crate) id: String,
}

/// Which nodes to list.
///
/// ```
/// use longshore::swarm::NodeListOptions;
///
/// let managers = NodeListOptions::default().filter("role", "manager").filter("node.label", "zone=a");
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct NodeListOptions {
    /// What the nodes must match.
    pub filters: Filters,
}

impl NodeListOptions {
    /// Lists only nodes that match, such as `("id", "24ifs")`, `("name", "worker-3")`, `("label", "a=b")` for labels of
    /// the engine, `("node.label", "a=b")` for those of the node, `("role", "manager")`, `("membership", "accepted")`.
    ///
    /// Every key must match; of several values of a key one is enough, but for labels, where all are needed.
    #[must_use]
    pub fn filter(mut self, key: impl Into<String>, value: impl Display) -> Self {
        self.filters.add(key, value);
        self
    }
}

/// How to remove a node.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct NodeRemoveOptions {
    /// Whether it is removed although it is not down.
    pub force: bool,
}

impl NodeRemoveOptions {
    /// Removes it although it is not down.
    #[must_use]
    pub fn force(mut self) -> Self {
        self.force = true;
        self
    }
}

impl Docker {
    /// All nodes of the swarm.
    #[doc(alias = "DockerNodes")]
    pub fn nodes(&self) -> Nodes {
        Nodes { docker: self.clone() }
    }

    /// The node with this id or host name, or a unique beginning of an id. Nothing is sent.
    pub fn node(&self, id: impl Into<String>) -> Node {
        Node { docker: self.clone(), id: id.into() }
    }
}

impl Nodes {
    /// Lists the nodes.
    ///
    /// `GET /nodes`, API 1.24+.
    ///
    /// # Errors
    /// [`Conflict`](crate::ErrorKind::Conflict) when the engine is not a manager of a swarm, or is locked.
    ///
    /// # Cancel safety
    /// Nothing happens when the future is dropped.
    pub async fn list(&self) -> Result<Vec<NodeInspect>> {
        self.list_with(&NodeListOptions::default()).await
    }

    /// Lists nodes, as `options` say; see [`list`](Nodes::list).
    ///
    /// # Errors
    /// As [`list`](Nodes::list), and [`Invalid`](crate::ErrorKind::Invalid) for a filter that the engine does not know.
    ///
    /// # Cancel safety
    /// As [`list`](Nodes::list).
    pub async fn list_with(&self, options: &NodeListOptions) -> Result<Vec<NodeInspect>> {
        self.docker.send(list(options)).await?.list().await
    }
}

impl Node {
    /// The id or host name that this handle was made with.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The client that this handle was made from.
    pub fn docker(&self) -> &Docker {
        &self.docker
    }

    /// Tells everything about the node.
    ///
    /// `GET /nodes/{id}`, API 1.24+. What the types don't have is in the JSON that the answer keeps.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Conflict`](crate::ErrorKind::Conflict) when the engine is not a manager
    /// of a swarm, or is locked.
    ///
    /// # Cancel safety
    /// Nothing happens when the future is dropped.
    #[doc(alias = "show")]
    #[doc(alias = "get")]
    pub async fn inspect(&self) -> Result<Raw<NodeInspect>> {
        self.docker.send(request(Method::Get, "inspect node", &self.id, "")?).await?.raw().await
    }

    /// Reads what the node is to be, lets `change` have it, and sends it with the version that was read.
    ///
    /// `GET /nodes/{id}` and `POST /nodes/{id}/update`, API 1.24+. What the types don't model stays as it is. The engine
    /// itself counts versions up when the state of a node changes; that does not stand in the way.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// let label = |spec: &mut longshore::models::NodeSpec| {
    ///     spec.labels.insert("zone".to_owned(), "a".to_owned());
    /// };
    /// docker.node("worker-3").update(label).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Conflict`](crate::ErrorKind::Conflict) when someone else has changed it
    /// meanwhile, and then nothing is changed (call it again), also when it is the last manager and is not to be one, and
    /// when the engine is not a manager of a swarm, or is locked; [`Invalid`](crate::ErrorKind::Invalid) for what can't be.
    ///
    /// # Cancel safety
    /// When the future is dropped after the change was sent, the node may be changed all the same.
    pub async fn update(&self, change: impl FnOnce(&mut NodeSpec)) -> Result<()> {
        let read = || request(Method::Get, "update node", &self.id, "");
        let write = |version, spec: &_| update(&self.id, version, spec);
        object::update::<NodeInspect>(&self.docker, read, change, write).await?.finish().await
    }

    /// Says all that the node is to be, if it still is as it was in `version`. Labels that `spec` does not have are gone;
    /// [`update`](Node::update) keeps them.
    ///
    /// `POST /nodes/{id}/update`, API 1.24+.
    ///
    /// # Errors
    /// As [`update`](Node::update): [`Conflict`](crate::ErrorKind::Conflict), and nothing changed, when there is a newer
    /// version; [`Invalid`](crate::ErrorKind::Invalid) when `spec` does not tell role and availability.
    ///
    /// # Cancel safety
    /// As [`update`](Node::update).
    pub async fn replace(&self, version: ObjectVersion, spec: &NodeSpec) -> Result<()> {
        self.docker.send(update(&self.id, version, spec)?).await?.finish().await
    }

    /// Removes the node from the swarm. It must be down, and no manager.
    ///
    /// `DELETE /nodes/{id}`, API 1.24+.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Conflict`](crate::ErrorKind::Conflict) when it is not down, or is a
    /// manager, or when the engine is not a manager of a swarm, or is locked.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the node may be removed all the same.
    #[doc(alias = "delete")]
    pub async fn remove(&self) -> Result<()> {
        self.remove_with(&NodeRemoveOptions::default()).await
    }

    /// Removes the node from the swarm, as `options` say; see [`remove`](Node::remove).
    ///
    /// # Errors
    /// As [`remove`](Node::remove).
    ///
    /// # Cancel safety
    /// As [`remove`](Node::remove).
    pub async fn remove_with(&self, options: &NodeRemoveOptions) -> Result<()> {
        self.docker.send(remove(&self.id, options)?).await?.finish().await
    }
}

impl Object for NodeInspect {
    type Spec = NodeSpec;

    fn version(&self) -> ObjectVersion {
        self.version
    }

    fn spec(&self) -> &NodeSpec {
        &self.spec
    }
}

fn request(method: Method, operation: &'static str, id: &str, action: &'static str) -> Result<Request> {
    super::request(method, operation, "nodes", id, action)
}

fn list(options: &NodeListOptions) -> Request {
    let mut request = Request::new(Method::Get, Path::new("nodes"), Operation::new("list nodes"));
    request.query.filters(&options.filters);
    request
}

fn update(id: &str, version: ObjectVersion, spec: &impl Serialize) -> Result<Request> {
    let mut request = request(Method::Post, "update node", id, "update")?.unbounded().json(spec)?;
    request.query.push("version", version.index);
    Ok(request)
}

fn remove(id: &str, options: &NodeRemoveOptions) -> Result<Request> {
    let mut request = request(Method::Delete, "remove node", id, "")?.unbounded();
    request.query.flag("force", options.force);
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;
    use longshore_models::{NodeAvailability, NodeRole};

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(text(Ok(list(&NodeListOptions::default()))), "GET /nodes");
        assert_eq!(
            text(Ok(list(&NodeListOptions::default().filter("role", "manager")))),
            "GET /nodes?filters=%7B%22role%22%3A%5B%22manager%22%5D%7D"
        );
        assert_eq!(text(request(Method::Get, "inspect node", "a", "")), "GET /nodes/a");
        let spec = NodeSpec::new(NodeRole::Manager, NodeAvailability::Drain);
        assert_eq!(
            text(update("a", ObjectVersion::new(9), &spec)),
            "POST /nodes/a/update?version=9\nContent-Type: application/json\n\n\
             {\"Role\":\"manager\",\"Availability\":\"drain\"}"
        );
        assert_eq!(text(remove("a", &NodeRemoveOptions::default())), "DELETE /nodes/a");
        assert_eq!(text(remove("a", &NodeRemoveOptions::default().force())), "DELETE /nodes/a?force=1");
    }
}
