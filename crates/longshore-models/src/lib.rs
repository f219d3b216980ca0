//! The types of the Docker Engine API: what goes out as JSON, and what comes in.
//!
//! Fields cover API 1.41 to 1.55. A field the engine doesn't know yet or any more is simply empty.
//!
//! # Decoding
//! Decode with [`decode::from_slice`], or with [`Raw::decode`] to keep the JSON beside the typed value. Both take what
//! engines really send: `null` for an empty list, numbers that don't fit, fields left out. serde decodes these types by the
//! same rules, from any format.
//!
//! * Every enum of words has `Other(String)`, so a word from the future is just that.
//! * [`Timestamp`] keeps the engine's text, to the nanosecond.
//! * `Option` means that engines really leave it out.
//!
//! # Encoding
//! What is empty, zero or `None` is not sent, so that the engine's or the image's default holds.

// The derived code names this crate as others do.
extern crate self as longshore_models;

mod base64_bytes;
mod build_cache;
mod checkpoint;
mod container;
pub mod decode;
mod descriptor;
mod duration_nanos;
mod empty_objects;
mod error;
mod exec;
mod health;
mod host_config;
mod image;
pub mod lenient;
mod mount;
mod network;
mod network_settings;
mod open_enum;
mod plugin;
mod port;
mod publish;
mod raw;
mod registry;
mod resources;
mod scope;
mod sorted_map;
mod swarm;
mod system;
mod timestamp;
mod volume;

pub use build_cache::{BuildCache, BuildCacheKind};
pub use checkpoint::{CheckpointCreate, CheckpointSummary};
pub use container::changes::{ChangeKind, FilesystemChange};
pub use container::config::ContainerConfig;
pub use container::create::{ContainerCreated, CreateBody};
pub use container::inspect::{
    ContainerInspect, ContainerState, ContainerStateInfo, DriverData, RootFsStorage, SnapshotStorage, Storage,
};
pub use container::prune::ContainersPruned;
pub use container::stats::{
    BlkioEntry, BlkioStats, ContainerStats, CpuStats, CpuUsage, MemoryStats, NetworkStats, PidsStats, StorageStats,
    ThrottlingData,
};
pub use container::summary::{ContainerSummary, SummaryHostConfig, SummaryNetworkSettings};
pub use container::top::ContainerTop;
pub use container::update::{ContainerUpdated, UpdateBody};
pub use container::wait::{WaitError, WaitResponse};
pub use descriptor::{Descriptor, Platform};
pub use error::{ErrorResponse, IdResponse};
pub use exec::{ExecCreate, ExecInspect, ExecProcess, ExecStart};
pub use health::{Health, HealthConfig, HealthStatus, HealthSummary, HealthTest, HealthcheckResult};
pub use host_config::{CgroupnsMode, ConsoleSize, HostConfig, Isolation, LogConfig, RestartPolicy, RestartPolicyName};
pub use image::attestation::AttestationStatement;
pub use image::build::{BuildCachePruned, BuildOutput};
pub use image::history::ImageHistoryItem;
pub use image::identity::{
    BuildIdentity, Identity, KnownSigner, PullIdentity, SignatureIdentity, SignatureTimestamp, SignatureTimestampType,
    SignatureType, SignerIdentity,
};
pub use image::inspect::{ImageInspect, ImageMetadata, ImageRootFs};
pub use image::progress::{ErrorDetail, ProgressDetail, ProgressMessage};
pub use image::push::ImagePushed;
pub use image::remove::{ImageDeleted, ImagesPruned};
pub use image::search::ImageSearchItem;
pub use image::summary::{
    ImageManifestSummary, ImageSummary, ManifestAttestation, ManifestImage, ManifestKind, ManifestSize, UnpackedSize,
};
pub use mount::{
    BindOptions, ClusterOptions, ImageOptions, Mount, MountConsistency, MountPoint, MountType, Propagation,
    TmpfsOptions, VolumeDriver, VolumeOptions,
};
pub use network::connect::{NetworkConnect, NetworkDisconnect, NetworksPruned};
pub use network::create::{ConfigReference, NetworkCreate, NetworkCreated};
pub use network::inspect::{EndpointResource, NetworkInspect, NetworkSummary, NetworkTaskInfo, PeerInfo, ServiceInfo};
pub use network::ipam::{Ipam, IpamConfig};
pub use network::status::{IpamStatus, NetworkStatus, SubnetStatus};
pub use network::subnet::{ParseSubnetError, Subnet};
pub use network_settings::{Address, EndpointIpamConfig, EndpointSettings, NetworkSettings, NetworkingConfig};
pub use plugin::{
    PluginArgs, PluginConfig, PluginDevice, PluginEnv, PluginInspect, PluginInterface, PluginLinux, PluginMount,
    PluginNetwork, PluginPrivilege, PluginRootFs, PluginSettings, PluginUser,
};
pub use port::{HostIp, HostPort, ParsePortError, Port, PortBinding, PortMap, Protocol, PublishedPort};
pub use publish::Publish;
pub use raw::Raw;
pub use registry::{AuthResponse, DistributionInspect};
pub use resources::{DeviceMapping, DeviceRequest, Resources, ThrottleDevice, Ulimit, WeightDevice};
pub use scope::Scope;
pub use sorted_map::SortedMap;
pub use swarm::cluster::{
    CaConfig, ClusterInfo, DispatcherConfig, EncryptionConfig, ExternalCa, ExternalCaProtocol, JoinTokens,
    OrchestrationConfig, RaftConfig, SwarmInitBody, SwarmInspect, SwarmJoinBody, SwarmSpec, TaskDefaults, TlsInfo,
    UnlockKey,
};
pub use swarm::config::{ConfigInspect, ConfigSpec};
pub use swarm::node::{
    EngineDescription, EnginePlugin, ManagerStatus, NodeAvailability, NodeDescription, NodeInspect, NodeRole, NodeSpec,
    NodeState, NodeStatus, Reachability,
};
pub use swarm::object::{Driver, ObjectVersion};
pub use swarm::resource::{DiscreteResource, GenericResource, NamedResource, NodePlatform, ResourceObject};
pub use swarm::secret::{SecretInspect, SecretSpec};
pub use swarm::secret_text::SecretText;
pub use swarm::service::{JobStatus, ServiceCreated, ServiceInspect, ServiceSpec, ServiceStatus, ServiceUpdated};
pub use swarm::service_endpoint::{
    EndpointMode, EndpointPortConfig, EndpointSpec, PublishMode, ServiceEndpoint, VirtualIp,
};
pub use swarm::service_mode::ServiceMode;
pub use swarm::service_update::{UpdateConfig, UpdateFailureAction, UpdateOrder, UpdateState, UpdateStatus};
pub use swarm::task::{ContainerStatus, PortStatus, TaskInspect, TaskState, TaskStatus, VolumeAttachment};
pub use swarm::task_container::{
    ContainerSpec, DnsConfig, FileTarget, RuntimeTarget, SecretReference, SwarmConfigReference,
};
pub use swarm::task_network::{NetworkAttachment, SwarmIpam, SwarmNetwork, SwarmNetworkSpec, SwarmSubnet};
pub use swarm::task_privileges::{
    AppArmor, AppArmorMode, CredentialSpec, Privileges, Seccomp, SeccompMode, SelinuxContext,
};
pub use swarm::task_spec::{
    NetworkAttachmentConfig, NetworkAttachmentSpec, Placement, PlacementPreference, PluginSpec, RestartCondition,
    RuntimePrivilege, SpreadOver, TaskLimits, TaskResources, TaskRestartPolicy, TaskRuntime, TaskSpec,
};
pub use system::disk_usage::{DiskUsage, Usage};
pub use system::event::{EventAction, EventActor, EventKind, EventMessage};
pub use system::info::{AddressPool, CgroupDriver, PluginsInfo, SystemInfo};
pub use system::parts::{
    ContainerdInfo, ContainerdNamespaces, DeviceInfo, EngineCommit, FirewallInfo, InfoEntry, NriInfo, Runtime,
};
pub use system::registry_config::{IndexInfo, RegistryServiceConfig};
pub use system::swarm::{LocalNodeState, PeerNode, SwarmInfo};
pub use system::version::{ComponentVersion, EnginePlatform, SystemVersion};
pub use timestamp::Timestamp;
pub use volume::cluster::{
    BlockVolume, CapacityRange, ClusterVolume, ClusterVolumeAccess, ClusterVolumeInfo, ClusterVolumePublishStatus,
    ClusterVolumeSecret, ClusterVolumeSpec, MountVolume, Topology, TopologyRequirement, VolumeAccessScope,
    VolumeAvailability, VolumePublishState, VolumeSharing,
};
pub use volume::create::{VolumeCreate, VolumeUpdate, VolumesPruned};
pub use volume::inspect::{VolumeInspect, VolumeList, VolumeUsage};

/// Tells whether a field is left out of a request.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
