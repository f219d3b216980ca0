//! Everything an engine knows of itself.

use crate::decode::Decode;
use crate::open_enum::words;
use crate::{
    ContainerdInfo, DeviceInfo, EngineCommit, FirewallInfo, GenericResource, InfoEntry, Isolation, NriInfo,
    RegistryServiceConfig, Runtime, SortedMap, SwarmInfo, Timestamp,
};

/// Tells everything an engine knows of itself and its machine.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct SystemInfo {
    /// Id of the engine; its form differs between versions.
    #[serde(rename = "ID")]
    pub id: String,
    /// Number of containers.
    pub containers: u64,
    /// Number of containers that run.
    pub containers_running: u64,
    /// Number of containers that are paused.
    pub containers_paused: u64,
    /// Number of containers that neither run nor are paused.
    pub containers_stopped: u64,
    /// Number of images, those without a name included.
    pub images: u64,
    /// Storage driver or snapshotter.
    pub driver: String,
    /// What the storage driver tells of itself.
    pub driver_status: Vec<InfoEntry>,
    /// What the old standalone swarm told of itself; engines don't.
    pub system_status: Vec<InfoEntry>,
    /// Folder of the engine's state.
    pub docker_root_dir: String,
    /// Drivers that are there, by what they are for.
    pub plugins: PluginsInfo,
    /// Whether memory can be limited.
    pub memory_limit: bool,
    /// Whether swap can be limited.
    pub swap_limit: bool,
    /// Whether the kernel's own memory can be limited, until API 1.41.
    pub kernel_memory: bool,
    /// Whether the kernel's own memory for TCP can be limited, until API 1.51.
    #[serde(rename = "KernelMemoryTCP")]
    pub kernel_memory_tcp: bool,
    /// Whether the period of the processor quota can be set.
    pub cpu_cfs_period: bool,
    /// Whether processor time can be limited.
    pub cpu_cfs_quota: bool,
    /// Whether the period of real-time tasks can be set; only Podman tells.
    #[serde(rename = "CPURealtimePeriod")]
    pub cpu_realtime_period: bool,
    /// Whether the processor time of real-time tasks can be limited; only Podman tells.
    #[serde(rename = "CPURealtimeRuntime")]
    pub cpu_realtime_runtime: bool,
    /// Whether containers can have shares of the processors.
    #[serde(rename = "CPUShares")]
    pub cpu_shares: bool,
    /// Whether containers can be bound to processors.
    #[serde(rename = "CPUSet")]
    pub cpu_set: bool,
    /// Whether the number of processes can be limited.
    pub pids_limit: bool,
    /// Whether containers can be kept from being killed when memory runs out.
    pub oom_kill_disable: bool,
    /// Whether the machine forwards IPv4 packets.
    #[serde(rename = "IPv4Forwarding")]
    pub ipv4_forwarding: bool,
    /// Whether bridged IPv4 packets pass iptables, until API 1.49.
    pub bridge_nf_iptables: bool,
    /// Whether bridged IPv6 packets pass ip6tables, until API 1.49.
    pub bridge_nf_ip6tables: bool,
    /// Whether the engine writes more into its log.
    pub debug: bool,
    /// Number of files that the engine has open.
    #[serde(rename = "NFd")]
    pub open_files: u64,
    /// Number of tasks in the engine.
    #[serde(rename = "NGoroutines")]
    pub goroutines: u64,
    /// The time on the machine.
    pub system_time: Timestamp,
    /// Log driver of containers that don't name one.
    pub logging_driver: String,
    /// Who manages the control groups.
    pub cgroup_driver: CgroupDriver,
    /// Version of the control groups, `1` or `2`.
    pub cgroup_version: String,
    /// Number of clients that follow the engine's events.
    #[serde(rename = "NEventsListener")]
    pub event_listeners: u64,
    /// Version of the kernel.
    pub kernel_version: String,
    /// Operating system, for people.
    pub operating_system: String,
    /// Version of the operating system.
    #[serde(rename = "OSVersion")]
    pub os_version: String,
    /// Kind of operating system, `linux` or `windows`.
    #[serde(rename = "OSType")]
    pub os_type: String,
    /// Hardware in the kernel's words, such as `x86_64`; Podman uses Go's, such as `amd64`.
    pub architecture: String,
    /// Number of processors that the engine may use.
    #[serde(rename = "NCPU")]
    pub cpus: u64,
    /// Memory of the machine, in bytes.
    #[serde(rename = "MemTotal")]
    pub memory: u64,
    /// Swap of the machine, in bytes; only Podman tells.
    pub swap_total: u64,
    /// Swap of the machine that is free, in bytes; only Podman tells.
    pub swap_free: u64,
    /// Address of the registry that is searched and logged in to by default.
    pub index_server_address: String,
    /// How the engine speaks with registries.
    pub registry_config: RegistryServiceConfig,
    /// Resources that the engine offers to a swarm.
    pub generic_resources: Vec<GenericResource>,
    /// Proxy for HTTP. Engines hide its credentials.
    pub http_proxy: String,
    /// Proxy for HTTPS. Engines hide its credentials.
    pub https_proxy: String,
    /// What is reached without a proxy, comma-separated.
    pub no_proxy: String,
    /// Host name of the machine.
    pub name: String,
    /// Labels of the engine, as `name=value`.
    pub labels: Vec<String>,
    /// Whether experimental features are on.
    pub experimental_build: bool,
    /// Version of the engine.
    pub server_version: String,
    /// Where the engine's swarm keeps its state outside, until API 1.41.
    pub cluster_store: String,
    /// Address that the engine tells such a swarm, until API 1.41.
    pub cluster_advertise: String,
    /// Runtimes by name.
    pub runtimes: SortedMap<String, Runtime>,
    /// Runtime of containers that don't name one.
    pub default_runtime: String,
    /// How the engine takes part in a swarm.
    pub swarm: SwarmInfo,
    /// Whether containers run on while the engine is down.
    pub live_restore_enabled: bool,
    /// How Windows containers are kept apart by default.
    pub isolation: Isolation,
    /// Program that reaps processes in containers that ask for one.
    pub init_binary: String,
    /// What containerd was built from.
    pub containerd_commit: EngineCommit,
    /// What the default runtime was built from.
    pub runc_commit: EngineCommit,
    /// What the init program was built from.
    pub init_commit: EngineCommit,
    /// Security features that are on, each as `name=seccomp,profile=default`.
    pub security_options: Vec<String>,
    /// Licence of the engine, for people.
    pub product_license: String,
    /// Address ranges that networks are taken from, if they were set.
    pub default_address_pools: Vec<AddressPool>,
    /// How the engine sets up the firewall, API 1.49+; `None` if it is not told.
    pub firewall_backend: Option<FirewallInfo>,
    /// Folders of the descriptions of devices for containers (CDI), API 1.44+; empty if they are off.
    #[serde(rename = "CDISpecDirs")]
    pub cdi_spec_dirs: Vec<String>,
    /// Devices that containers can be given, API 1.50+.
    pub discovered_devices: Vec<DeviceInfo>,
    /// How plugins of NRI take part, API 1.53+; `None` if they don't.
    #[serde(rename = "NRI")]
    pub nri: Option<NriInfo>,
    /// The containerd that runs the containers, API 1.46+; `None` if it is not told.
    pub containerd: Option<ContainerdInfo>,
    /// What is missing or set unwisely, for people.
    pub warnings: Vec<String>,
    /// Version of Buildah; only Podman tells.
    pub buildah_version: String,
    /// Whether the engine runs without root; only Podman tells.
    pub rootless: bool,
    /// How long the machine has been up, for people; only Podman tells.
    pub uptime: String,
}

/// Names drivers that are there: those of the engine, and old plugins that have been used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct PluginsInfo {
    /// Drivers of volumes.
    pub volume: Vec<String>,
    /// Drivers of networks.
    pub network: Vec<String>,
    /// Plugins that allow requests or don't.
    pub authorization: Vec<String>,
    /// Drivers of logs.
    pub log: Vec<String>,
}

/// A range of addresses that networks are taken from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct AddressPool {
    /// The range, such as `10.10.0.0/16`.
    pub base: String,
    /// Length of the prefix of each network, such as 24.
    pub size: u32,
}

/// Says who manages the control groups.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CgroupDriver {
    /// The engine.
    Cgroupfs,
    /// systemd.
    Systemd,
    /// Nobody, since the engine runs without root.
    None,
    /// A word this version does not know; empty if the engine told none.
    Other(String),
}

words!(CgroupDriver { Cgroupfs = "cgroupfs", Systemd = "systemd", None = "none" });

impl Default for CgroupDriver {
    fn default() -> Self {
        Self::Other(String::new())
    }
}
