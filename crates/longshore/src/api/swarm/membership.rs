use longshore_models::{NodeAvailability, SecretText, SwarmInitBody, SwarmJoinBody, SwarmSpec};
use longshore_wire::path::Path;

use super::{Node, Swarm};
use crate::error::{Operation, Result};
use crate::http::{Method, Request};

/// Where managers listen unless it is set: on every address, at the port that is usual for it.
const LISTEN: &str = "0.0.0.0:2377";

/// How to begin a swarm.
///
/// ```
/// use longshore::swarm::SwarmInitOptions;
///
/// let options = SwarmInitOptions::default().advertise_addr("10.1.2.3").default_addr_pool("10.20.0.0/16").subnet_size(26);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct SwarmInitOptions {
    /// The address and port that managers speak to each other on, as `192.0.2.1:2377` or `eth0:2377`; every address and
    /// port 2377 unless set.
    pub listen_addr: Option<String>,
    /// The address, and if it is another one the port, that other nodes reach the engine by; found out unless set, which
    /// fails when it has several.
    pub advertise_addr: Option<String>,
    /// The address or interface of the traffic between containers on different nodes; that of the managers unless set.
    pub data_path_addr: Option<String>,
    /// The UDP port of that traffic, 1024 to 49151; 4789 unless set.
    pub data_path_port: Option<u16>,
    /// The address ranges that networks are taken from, such as `10.20.0.0/16`; `10.0.0.0/8` unless set.
    pub default_addr_pool: Vec<String>,
    /// The length of the prefix of such a network; 24 unless set.
    pub subnet_size: Option<u8>,
    /// Whether to make a swarm of what is left of the one that the engine is a manager of.
    pub force_new_cluster: bool,
    /// Whether the node takes tasks; it does unless set.
    pub availability: Option<NodeAvailability>,
    /// What the swarm is to be.
    pub spec: SwarmSpec,
}

impl SwarmInitOptions {
    /// Lets managers speak to each other on this address and port, as `192.0.2.1:2377` or `eth0:2377`.
    #[must_use]
    pub fn listen_addr(mut self, address: impl Into<String>) -> Self {
        self.listen_addr = Some(address.into());
        self
    }

    /// Tells other nodes this address to reach the engine by, with or without a port.
    #[must_use]
    pub fn advertise_addr(mut self, address: impl Into<String>) -> Self {
        self.advertise_addr = Some(address.into());
        self
    }

    /// Sends the traffic between containers on different nodes from this address or interface.
    #[must_use]
    pub fn data_path_addr(mut self, address: impl Into<String>) -> Self {
        self.data_path_addr = Some(address.into());
        self
    }

    /// Sends that traffic to this UDP port, 1024 to 49151.
    #[must_use]
    pub fn data_path_port(mut self, port: u16) -> Self {
        self.data_path_port = Some(port);
        self
    }

    /// Takes networks from this address range, such as `10.20.0.0/16`; may be called for several.
    #[must_use]
    pub fn default_addr_pool(mut self, range: impl Into<String>) -> Self {
        self.default_addr_pool.push(range.into());
        self
    }

    /// Gives such networks a prefix of this length.
    #[must_use]
    pub fn subnet_size(mut self, length: u8) -> Self {
        self.subnet_size = Some(length);
        self
    }

    /// Makes a swarm of what is left of the one that the engine is a manager of, when most managers are lost.
    #[must_use]
    pub fn force_new_cluster(mut self) -> Self {
        self.force_new_cluster = true;
        self
    }

    /// Says whether the node takes tasks.
    #[must_use]
    pub fn availability(mut self, availability: NodeAvailability) -> Self {
        self.availability = Some(availability);
        self
    }

    /// Says what the swarm is to be.
    #[must_use]
    pub fn spec(mut self, spec: SwarmSpec) -> Self {
        self.spec = spec;
        self
    }

    /// Locks managers that start until they are given the unlock key.
    #[must_use]
    #[doc(alias = "autolock")]
    pub fn auto_lock_managers(mut self) -> Self {
        self.spec.encryption_config.auto_lock_managers = true;
        self
    }
}

/// How to join a swarm.
///
/// ```
/// use longshore::swarm::SwarmJoinOptions;
///
/// let options = SwarmJoinOptions::new("SWMTKN-1-3pu6…", ["192.0.2.1:2377"]).advertise_addr("192.0.2.7");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SwarmJoinOptions {
    /// The token of the swarm; it decides whether the engine joins as a worker or a manager.
    pub join_token: SecretText,
    /// The addresses of managers of the swarm; the port is 2377 unless told.
    pub remote_addrs: Vec<String>,
    /// The address and port that managers speak to each other on, should the engine become one; every address and port
    /// 2377 unless set.
    pub listen_addr: Option<String>,
    /// The address, and if it is another one the port, that other nodes reach the engine by; found out unless set.
    pub advertise_addr: Option<String>,
    /// The address or interface of the traffic between containers on different nodes; that of the managers unless set.
    pub data_path_addr: Option<String>,
    /// Whether the node takes tasks; it does unless set.
    pub availability: Option<NodeAvailability>,
}

impl SwarmJoinOptions {
    /// Joins with this token, through one of these managers.
    pub fn new<A: Into<String>>(token: impl Into<SecretText>, managers: impl IntoIterator<Item = A>) -> Self {
        let remote_addrs = managers.into_iter().map(Into::into).collect();
        SwarmJoinOptions { join_token: token.into(), remote_addrs, ..SwarmJoinOptions::default() }
    }

    /// Speaks to other managers on this address and port, should the engine become one.
    #[must_use]
    pub fn listen_addr(mut self, address: impl Into<String>) -> Self {
        self.listen_addr = Some(address.into());
        self
    }

    /// Tells other nodes this address to reach the engine by, with or without a port.
    #[must_use]
    pub fn advertise_addr(mut self, address: impl Into<String>) -> Self {
        self.advertise_addr = Some(address.into());
        self
    }

    /// Sends the traffic between containers on different nodes from this address or interface.
    #[must_use]
    pub fn data_path_addr(mut self, address: impl Into<String>) -> Self {
        self.data_path_addr = Some(address.into());
        self
    }

    /// Says whether the node takes tasks.
    #[must_use]
    pub fn availability(mut self, availability: NodeAvailability) -> Self {
        self.availability = Some(availability);
        self
    }
}

/// How to leave a swarm.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SwarmLeaveOptions {
    /// Whether to leave although the engine is a manager.
    pub force: bool,
}

impl SwarmLeaveOptions {
    /// Leaves although the engine is a manager. If it is the last one, the swarm and all that it had are gone.
    #[must_use]
    pub fn force(mut self) -> Self {
        self.force = true;
        self
    }
}

impl Swarm {
    /// Begins a swarm, of which the engine is the first node and manager.
    ///
    /// `POST /swarm/init`, API 1.24+.
    ///
    /// # Errors
    /// [`Conflict`](crate::ErrorKind::Conflict) when the engine takes part in a swarm already;
    /// [`Invalid`](crate::ErrorKind::Invalid) when it has several addresses and none is told to others.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the swarm may be begun all the same.
    pub async fn init(&self) -> Result<Node> {
        self.init_with(&SwarmInitOptions::default()).await
    }

    /// Begins a swarm, as `options` say; see [`init`](Swarm::init).
    ///
    /// # Errors
    /// As [`init`](Swarm::init), and [`Invalid`](crate::ErrorKind::Invalid) (for some mistakes
    /// [`Server`](crate::ErrorKind::Server), by engine) for options that can't be.
    ///
    /// # Cancel safety
    /// As [`init`](Swarm::init).
    pub async fn init_with(&self, options: &SwarmInitOptions) -> Result<Node> {
        let id: String = self.docker.send(init(options)?).await?.json().await?;
        Ok(self.docker.node(id))
    }

    /// Joins the swarm of other engines.
    ///
    /// `POST /swarm/join`, API 1.24+. Engines give up after 20 seconds without an answer of a manager, but go on trying
    /// in the background: [`leave`](Swarm::leave) ends that.
    ///
    /// # Errors
    /// [`Conflict`](crate::ErrorKind::Conflict) when the engine takes part in a swarm already;
    /// [`Invalid`](crate::ErrorKind::Invalid), [`Server`](crate::ErrorKind::Server) or
    /// [`Unavailable`](crate::ErrorKind::Unavailable), by engine, when the token is wrong or no manager answers.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the engine may join all the same.
    pub async fn join(&self, options: &SwarmJoinOptions) -> Result<()> {
        self.docker.send(join(options)?).await?.finish().await
    }

    /// Leaves the swarm. A manager does so only when it is forced: see [`leave_with`](Swarm::leave_with).
    ///
    /// `POST /swarm/leave`, API 1.24+. The managers keep the node, as one that is down, until it is
    /// [removed](Node::remove).
    ///
    /// # Errors
    /// [`Conflict`](crate::ErrorKind::Conflict) when the engine is a manager, or takes part in no swarm.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the engine may leave all the same.
    pub async fn leave(&self) -> Result<()> {
        self.leave_with(&SwarmLeaveOptions::default()).await
    }

    /// Leaves the swarm, as `options` say; see [`leave`](Swarm::leave).
    ///
    /// # Errors
    /// As [`leave`](Swarm::leave).
    ///
    /// # Cancel safety
    /// As [`leave`](Swarm::leave).
    pub async fn leave_with(&self, options: &SwarmLeaveOptions) -> Result<()> {
        self.docker.send(leave(options)).await?.finish().await
    }
}

fn init(options: &SwarmInitOptions) -> Result<Request> {
    let mut body = SwarmInitBody::default();
    body.listen_addr = options.listen_addr.clone().unwrap_or_else(|| LISTEN.to_owned());
    body.advertise_addr = options.advertise_addr.clone().unwrap_or_default();
    body.data_path_addr = options.data_path_addr.clone().unwrap_or_default();
    body.data_path_port = options.data_path_port.unwrap_or_default();
    body.default_addr_pool = options.default_addr_pool.clone();
    body.subnet_size = options.subnet_size.unwrap_or_default();
    body.force_new_cluster = options.force_new_cluster;
    // The engine locks its own data by this one, and tells the swarm by that of the spec.
    body.auto_lock_managers = options.spec.encryption_config.auto_lock_managers;
    body.availability = options.availability.clone().unwrap_or_default();
    body.spec = options.spec.clone();
    Request::new(Method::Post, Path::new("swarm/init"), Operation::new("begin swarm")).unbounded().json(&body)
}

fn join(options: &SwarmJoinOptions) -> Result<Request> {
    let mut body = SwarmJoinBody::default();
    body.listen_addr = options.listen_addr.clone().unwrap_or_else(|| LISTEN.to_owned());
    body.advertise_addr = options.advertise_addr.clone().unwrap_or_default();
    body.data_path_addr = options.data_path_addr.clone().unwrap_or_default();
    body.remote_addrs = options.remote_addrs.clone();
    body.join_token = options.join_token.clone();
    body.availability = options.availability.clone().unwrap_or_default();
    Request::new(Method::Post, Path::new("swarm/join"), Operation::new("join swarm")).unbounded().json(&body)
}

fn leave(options: &SwarmLeaveOptions) -> Request {
    let mut request = Request::new(Method::Post, Path::new("swarm/leave"), Operation::new("leave swarm")).unbounded();
    request.query.flag("force", options.force);
    request
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    const EMPTY_SPEC: &str = "\"Spec\":{\"Orchestration\":{},\"Raft\":{},\"Dispatcher\":{},\"CAConfig\":{},\
                              \"EncryptionConfig\":{},\"TaskDefaults\":{}}";

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        let head = |path: &str| format!("POST /swarm/{path}\nContent-Type: application/json\n\n");
        assert_eq!(
            text(init(&SwarmInitOptions::default())),
            format!("{}{{\"ListenAddr\":\"0.0.0.0:2377\",{EMPTY_SPEC}}}", head("init"))
        );
        let options = SwarmInitOptions::default()
            .listen_addr("127.0.0.1:2377")
            .advertise_addr("127.0.0.1")
            .data_path_addr("eth0")
            .data_path_port(7777)
            .default_addr_pool("10.10.0.0/16")
            .default_addr_pool("10.20.0.0/16")
            .subnet_size(26)
            .force_new_cluster()
            .availability(NodeAvailability::Drain)
            .auto_lock_managers();
        let spec = EMPTY_SPEC.replace("\"EncryptionConfig\":{}", "\"EncryptionConfig\":{\"AutoLockManagers\":true}");
        assert_eq!(
            text(init(&options)),
            format!(
                "{}{{\"ListenAddr\":\"127.0.0.1:2377\",\"AdvertiseAddr\":\"127.0.0.1\",\"DataPathAddr\":\"eth0\",\
                 \"DataPathPort\":7777,\"DefaultAddrPool\":[\"10.10.0.0/16\",\"10.20.0.0/16\"],\"SubnetSize\":26,\
                 \"ForceNewCluster\":true,\"AutoLockManagers\":true,\"Availability\":\"drain\",{spec}}}",
                head("init")
            )
        );
        let options = SwarmJoinOptions::new("SWMTKN-1", ["a:2377", "b"]);
        assert_eq!(
            text(join(&options)),
            format!(
                "{}{{\"ListenAddr\":\"0.0.0.0:2377\",\"RemoteAddrs\":[\"a:2377\",\"b\"],\"JoinToken\":\"SWMTKN-1\"}}",
                head("join")
            )
        );
        let options = options.listen_addr("eth0:1").advertise_addr("192.0.2.1:1").data_path_addr("eth1");
        assert_eq!(
            text(join(&options.availability(NodeAvailability::Pause))),
            format!(
                "{}{{\"ListenAddr\":\"eth0:1\",\"AdvertiseAddr\":\"192.0.2.1:1\",\"DataPathAddr\":\"eth1\",\
                 \"RemoteAddrs\":[\"a:2377\",\"b\"],\"JoinToken\":\"SWMTKN-1\",\"Availability\":\"pause\"}}",
                head("join")
            )
        );
        assert_eq!(text(Ok(leave(&SwarmLeaveOptions::default()))), "POST /swarm/leave");
        assert_eq!(text(Ok(leave(&SwarmLeaveOptions::default().force()))), "POST /swarm/leave?force=1");
    }

    #[test]
    fn tokens_are_hidden() {
        let options = SwarmJoinOptions::new("SWMTKN-1", ["a"]);
        assert!(!format!("{options:?}").contains("SWMTKN"), "{options:?}");
    }
}
