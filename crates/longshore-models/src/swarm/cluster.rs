//! The swarm as a whole.

use std::ops::Deref;
use std::time::Duration;

use serde::Serialize;

use crate::decode::Decode;
use crate::open_enum::words;
use crate::{Driver, NodeAvailability, ObjectVersion, SecretText, SortedMap, Timestamp, duration_nanos, is_default};

/// Tells everything of a swarm. What [`ClusterInfo`] has is reached without naming it: `swarm.spec`.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct SwarmInspect {
    /// What the engine also tells among all else of itself; at the top level on the wire.
    #[serde(flatten)]
    pub cluster: ClusterInfo,
    /// What an engine needs to join.
    pub join_tokens: JoinTokens,
}

impl Deref for SwarmInspect {
    type Target = ClusterInfo;

    fn deref(&self) -> &ClusterInfo {
        &self.cluster
    }
}

/// Tells of a swarm, but not how to join it.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ClusterInfo {
    /// Id.
    #[serde(rename = "ID")]
    pub id: String,
    /// Version, to be given back with a change.
    pub version: ObjectVersion,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// What it is to be.
    pub spec: SwarmSpec,
    /// Who vouches for the certificates of its nodes.
    #[serde(rename = "TLSInfo")]
    pub tls_info: TlsInfo,
    /// Whether its certificate authority is being replaced.
    pub root_rotation_in_progress: bool,
    /// UDP port of the traffic between containers on different nodes.
    pub data_path_port: u16,
    /// Address ranges that its networks are taken from, such as `10.0.0.0/8`.
    pub default_addr_pool: Vec<String>,
    /// Length of the prefix of such a network.
    pub subnet_size: u8,
}

/// Holds what an engine needs to join a swarm. `Debug` hides it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct JoinTokens {
    /// To join as a worker.
    pub worker: SecretText,
    /// To join as a manager.
    pub manager: SecretText,
}

/// Tells who vouches for a node's certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct TlsInfo {
    /// Root certificates as PEM.
    pub trust_root: String,
    /// Name of the issuer, the bytes of its DER as base64.
    pub cert_issuer_subject: String,
    /// Public key of the issuer, the bytes of its DER as base64.
    pub cert_issuer_public_key: String,
}

/// Says what a swarm is to be. A number that is 0 or `None` is the swarm's default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct SwarmSpec {
    /// Name; engines accept only `default`, which is also what none becomes.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Labels.
    #[serde(skip_serializing_if = "is_default")]
    pub labels: SortedMap<String, String>,
    /// How it keeps tasks.
    pub orchestration: OrchestrationConfig,
    /// How its managers agree.
    pub raft: RaftConfig,
    /// How its nodes report.
    pub dispatcher: DispatcherConfig,
    /// How its nodes get their certificates.
    #[serde(rename = "CAConfig")]
    pub ca_config: CaConfig,
    /// How its managers keep their data.
    pub encryption_config: EncryptionConfig,
    /// What tasks have that don't say otherwise.
    pub task_defaults: TaskDefaults,
}

/// Says how a swarm keeps tasks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct OrchestrationConfig {
    /// How many ended tasks of each instance are kept; all if it is negative.
    #[serde(skip_serializing_if = "is_default")]
    pub task_history_retention_limit: Option<i64>,
}

/// Says how the managers of a swarm agree. A tick is a second, but that is not promised.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct RaftConfig {
    /// How many entries of the log there are between two snapshots.
    #[serde(skip_serializing_if = "is_default")]
    pub snapshot_interval: u64,
    /// How many snapshots are kept besides the last one.
    #[serde(skip_serializing_if = "is_default")]
    pub keep_old_snapshots: Option<u64>,
    /// How many entries of the log are kept after a snapshot for managers that lag behind.
    #[serde(skip_serializing_if = "is_default")]
    pub log_entries_for_slow_followers: u64,
    /// How many ticks without a word of the leader make a manager call an election; more than the next one.
    #[serde(skip_serializing_if = "is_default")]
    pub election_tick: u32,
    /// How many ticks there are between two words of the leader.
    #[serde(skip_serializing_if = "is_default")]
    pub heartbeat_tick: u32,
}

/// Says how the nodes of a swarm report to its managers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct DispatcherConfig {
    /// Time between two signs of life.
    #[serde(serialize_with = "duration_nanos::serialize", skip_serializing_if = "is_default")]
    pub heartbeat_period: Duration,
}

/// Says how the nodes of a swarm get their certificates.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct CaConfig {
    /// How long a node's certificate is valid; an hour at least.
    #[serde(serialize_with = "duration_nanos::serialize", skip_serializing_if = "is_default")]
    pub node_cert_expiry: Duration,
    /// Certificate authorities elsewhere that sign for the swarm.
    #[serde(rename = "ExternalCAs", skip_serializing_if = "is_default")]
    pub external_cas: Vec<ExternalCa>,
    /// Certificate to sign with from now on, as PEM.
    #[serde(rename = "SigningCACert", skip_serializing_if = "is_default")]
    pub signing_ca_cert: String,
    /// Key of that certificate, as PEM. Engines take it and never give it back.
    #[serde(rename = "SigningCAKey", skip_serializing_if = "is_default")]
    pub signing_ca_key: SecretText,
    /// A number that, when it is changed, makes the swarm sign with a new certificate of its own making.
    #[serde(skip_serializing_if = "is_default")]
    pub force_rotate: u64,
}

/// Names a certificate authority elsewhere that signs for a swarm.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ExternalCa {
    /// How it is spoken to.
    pub protocol: ExternalCaProtocol,
    /// Address that requests are sent to.
    #[serde(rename = "URL")]
    pub url: String,
    /// What the protocol understands.
    #[serde(skip_serializing_if = "is_default")]
    pub options: SortedMap<String, String>,
    /// Root certificate that it signs with, as PEM; the swarm's own if empty.
    #[serde(rename = "CACert", skip_serializing_if = "is_default")]
    pub ca_cert: String,
}

impl ExternalCa {
    /// Names one by its address.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), ..Self::default() }
    }
}

/// Says how a certificate authority is spoken to.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ExternalCaProtocol {
    /// As CFSSL has it, over HTTPS.
    #[default]
    Cfssl,
    /// A word this version does not know.
    Other(String),
}

words!(ExternalCaProtocol {
    Cfssl = "cfssl",
});

/// Says how the managers of a swarm keep their data.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct EncryptionConfig {
    /// Locks a manager that starts until it is given the unlock key, which encrypts its data.
    #[serde(skip_serializing_if = "is_default")]
    pub auto_lock_managers: bool,
}

/// Says what tasks have that don't say otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct TaskDefaults {
    /// Driver of their logs; tasks that exist keep theirs.
    #[serde(skip_serializing_if = "is_default")]
    pub log_driver: Option<Driver>,
}

/// Asks an engine to begin a swarm.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct SwarmInitBody {
    /// Address and port that managers speak to each other on.
    pub listen_addr: String,
    /// Address that other nodes reach it by.
    #[serde(skip_serializing_if = "is_default")]
    pub advertise_addr: String,
    /// Address of the traffic between containers on different nodes.
    #[serde(skip_serializing_if = "is_default")]
    pub data_path_addr: String,
    /// UDP port of that traffic.
    #[serde(skip_serializing_if = "is_default")]
    pub data_path_port: u16,
    /// Address ranges that networks are taken from.
    #[serde(skip_serializing_if = "is_default")]
    pub default_addr_pool: Vec<String>,
    /// Length of the prefix of such a network.
    #[serde(skip_serializing_if = "is_default")]
    pub subnet_size: u8,
    /// Makes a swarm of what is left of another one.
    #[serde(skip_serializing_if = "is_default")]
    pub force_new_cluster: bool,
    /// Locks the managers from the start.
    #[serde(skip_serializing_if = "is_default")]
    pub auto_lock_managers: bool,
    /// Whether the node takes tasks.
    #[serde(skip_serializing_if = "is_default")]
    pub availability: NodeAvailability,
    /// What the swarm is to be.
    pub spec: SwarmSpec,
}

/// Asks an engine to join a swarm.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct SwarmJoinBody {
    /// Address and port that managers speak to each other on, should it become one.
    pub listen_addr: String,
    /// Address that other nodes reach it by.
    #[serde(skip_serializing_if = "is_default")]
    pub advertise_addr: String,
    /// Address of the traffic between containers on different nodes.
    #[serde(skip_serializing_if = "is_default")]
    pub data_path_addr: String,
    /// Addresses of managers of the swarm.
    pub remote_addrs: Vec<String>,
    /// The token of the swarm that decides what it joins as.
    pub join_token: SecretText,
    /// Whether the node takes tasks.
    #[serde(skip_serializing_if = "is_default")]
    pub availability: NodeAvailability,
}

/// Holds the key that unlocks a manager: sent to do that, and received when it is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct UnlockKey {
    /// Key; empty if managers are not locked.
    pub unlock_key: SecretText,
}
