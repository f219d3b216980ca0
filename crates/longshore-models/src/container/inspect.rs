//! Everything an engine knows of one container.

use crate::decode::Decode;
use crate::open_enum::words;
use crate::{ContainerConfig, Descriptor, Health, HostConfig, MountPoint, NetworkSettings, SortedMap, Timestamp};

/// Tells everything of one container.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ContainerInspect {
    /// Id, 64 hexadecimal digits.
    pub id: String,
    /// Name with a leading slash; [`name`](Self::name) is without.
    #[serde(rename = "Name")]
    pub slashed_name: String,
    /// When it was created.
    pub created: Timestamp,
    /// What it is doing.
    pub state: ContainerStateInfo,
    /// Program that runs.
    pub path: String,
    /// Arguments of the program.
    pub args: Vec<String>,
    /// What it was asked to run.
    pub config: ContainerConfig,
    /// How it was asked to run on this host.
    pub host_config: HostConfig,
    /// How it is connected to networks.
    pub network_settings: NetworkSettings,
    /// What is mounted in it.
    pub mounts: Vec<MountPoint>,
    /// Id of the image (the reference is in [`config`](Self::config)).
    #[serde(rename = "Image")]
    pub image_id: String,
    /// Manifest of the image for this platform, API 1.48+; `None` if the image store has no such thing.
    pub image_manifest_descriptor: Option<Descriptor>,
    /// Path of its `resolv.conf` on the host.
    pub resolv_conf_path: String,
    /// Path of its `hostname` file on the host.
    pub hostname_path: String,
    /// Path of its `hosts` file on the host.
    pub hosts_path: String,
    /// Path of its log on the host; empty for drivers without a file.
    pub log_path: String,
    /// How often it was started again since it was created or the engine started.
    pub restart_count: u64,
    /// Storage driver or snapshotter of its filesystem.
    pub driver: String,
    /// Operating system, `linux` or `windows`.
    pub platform: String,
    /// SELinux label of its mounts.
    pub mount_label: String,
    /// SELinux label of its processes.
    pub process_label: String,
    /// AppArmor profile.
    pub app_armor_profile: String,
    /// Ids of execs that run in it.
    #[serde(rename = "ExecIDs")]
    pub exec_ids: Vec<String>,
    /// What the storage driver knows of it; `None` with a snapshotter.
    pub graph_driver: Option<DriverData>,
    /// Where its root filesystem is stored, API 1.52+; `None` with a storage driver.
    pub storage: Option<Storage>,
    /// Bytes written to its filesystem; `None` unless the size was asked for; -1 if it can't be told.
    pub size_rw: Option<i64>,
    /// Bytes of its whole filesystem; `None` unless the size was asked for; -1 if it can't be told.
    pub size_root_fs: Option<i64>,
}

impl ContainerInspect {
    /// Returns the name without the slash that engines put before it.
    pub fn name(&self) -> &str {
        self.slashed_name.strip_prefix('/').unwrap_or(&self.slashed_name)
    }
}

/// Tells what a container is doing, in detail.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ContainerStateInfo {
    /// What it is doing, in a word.
    pub status: ContainerState,
    /// Whether its process exists: also while it is paused.
    pub running: bool,
    /// Whether it is paused.
    pub paused: bool,
    /// Whether it waits to be started again.
    pub restarting: bool,
    /// Whether a process in it was killed for lack of memory since it was started.
    #[serde(rename = "OOMKilled")]
    pub oom_killed: bool,
    /// Whether removing it has failed halfway.
    pub dead: bool,
    /// Process id on the host; 0 if it does not run.
    pub pid: i64,
    /// Exit code of its last run; 0 before the first has ended.
    pub exit_code: i64,
    /// Why it could not be started, if so.
    pub error: String,
    /// When it was last started; [zero](Timestamp::is_zero) if never.
    pub started_at: Timestamp,
    /// When it last ended; [zero](Timestamp::is_zero) if never.
    pub finished_at: Timestamp,
    /// How its health checks went; `None` without a check, where Podman says [`None`](crate::HealthStatus::None).
    pub health: Option<Health>,
}

/// Says in a word what a container is doing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ContainerState {
    /// It was never started.
    Created,
    /// It runs.
    Running,
    /// It is frozen.
    Paused,
    /// It waits to be started again.
    Restarting,
    /// It is being removed.
    Removing,
    /// It has ended.
    Exited,
    /// Removing it has failed halfway.
    Dead,
    /// It is about to start (Podman).
    Initialized,
    /// It is about to end (Podman).
    Stopping,
    /// It has ended, and its remains are not cleaned up yet (Podman).
    Stopped,
    /// A word this version does not know; empty if the engine told none.
    Other(String),
}

words!(ContainerState {
    Created = "created",
    Running = "running",
    Paused = "paused",
    Restarting = "restarting",
    Removing = "removing",
    Exited = "exited",
    Dead = "dead",
    Initialized = "initialized",
    Stopping = "stopping",
    Stopped = "stopped",
});

impl Default for ContainerState {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

/// What a storage driver knows of a container or image.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct DriverData {
    /// Name of the driver, such as `overlay2`.
    pub name: String,
    /// Paths and other notes of the driver.
    pub data: SortedMap<String, String>,
}

/// Tells where a container's files are stored, API 1.52+.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[non_exhaustive]
pub struct Storage {
    /// Storage of the root filesystem.
    #[serde(rename = "RootFS")]
    pub root_fs: Option<RootFsStorage>,
}

/// Tells where a container's root filesystem is stored, API 1.52+.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct RootFsStorage {
    /// The snapshot it is in.
    pub snapshot: Option<SnapshotStorage>,
}

/// Names the snapshotter that holds a root filesystem, API 1.52+.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct SnapshotStorage {
    /// Name of the snapshotter.
    pub name: String,
}
