//! Volumes, host folders and memory mounted into containers.

use serde::Serialize;

use crate::decode::Decode;
use crate::open_enum::words;
use crate::{SortedMap, is_default};

/// Asks for a mount in a container.
///
/// ```
/// use longshore_models::Mount;
///
/// let mounts = [
///     Mount::volume("data", "/var/lib/data"),
///     Mount::bind("/srv/site", "/usr/share/nginx/html").read_only(),
///     Mount::tmpfs("/run").size(64 << 20).mode(0o755),
/// ];
/// assert_eq!(serde_json::to_value(&mounts[1]).unwrap()["ReadOnly"], true);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Mount {
    /// What is mounted.
    #[serde(rename = "Type", skip_serializing_if = "is_default")]
    pub kind: MountType,
    /// Volume name, host path, image or pipe; empty for tmpfs and for a new volume without a name.
    #[serde(skip_serializing_if = "is_default")]
    pub source: String,
    /// Absolute path in the container.
    #[serde(skip_serializing_if = "is_default")]
    pub target: String,
    /// Forbids writing to it.
    #[serde(skip_serializing_if = "is_default")]
    pub read_only: bool,
    /// How exact the container's view of host files is kept; only some desktop engines look at it.
    #[serde(skip_serializing_if = "is_default")]
    pub consistency: MountConsistency,
    /// Options of a bind mount.
    #[serde(skip_serializing_if = "is_default")]
    pub bind_options: Option<BindOptions>,
    /// Options of a volume.
    #[serde(skip_serializing_if = "is_default")]
    pub volume_options: Option<VolumeOptions>,
    /// Options of an image, API 1.48+.
    #[serde(skip_serializing_if = "is_default")]
    pub image_options: Option<ImageOptions>,
    /// Options of a tmpfs.
    #[serde(skip_serializing_if = "is_default")]
    pub tmpfs_options: Option<TmpfsOptions>,
    /// Options of a cluster volume, none so far, API 1.42+.
    #[serde(skip_serializing_if = "is_default")]
    pub cluster_options: Option<ClusterOptions>,
}

impl Mount {
    /// Mounts a volume by name; it is created if there is none. An empty name makes a new anonymous volume.
    pub fn volume(name: impl Into<String>, target: impl Into<String>) -> Self {
        Self::new(MountType::Volume, name, target)
    }

    /// Mounts an existing file or folder of the engine's host.
    pub fn bind(host_path: impl Into<String>, target: impl Into<String>) -> Self {
        Self::new(MountType::Bind, host_path, target)
    }

    /// Mounts a new folder in memory, gone with the container.
    pub fn tmpfs(target: impl Into<String>) -> Self {
        Self::new(MountType::Tmpfs, "", target)
    }

    /// Mounts the files of an image, API 1.48+.
    pub fn image(reference: impl Into<String>, target: impl Into<String>) -> Self {
        Self::new(MountType::Image, reference, target)
    }

    /// Mounts any kind of source.
    pub fn new(kind: MountType, source: impl Into<String>, target: impl Into<String>) -> Self {
        Self { kind, source: source.into(), target: target.into(), ..Self::default() }
    }

    /// Forbids writing to it.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// Sets how mounts made below it travel between host and container (bind mounts).
    #[must_use]
    pub fn propagation(mut self, propagation: Propagation) -> Self {
        self.bind_options.get_or_insert_default().propagation = propagation;
        self
    }

    /// Creates the host folder if it is missing (bind mounts, API 1.42+).
    #[must_use]
    pub fn create_host_path(mut self) -> Self {
        self.bind_options.get_or_insert_default().create_mountpoint = true;
        self
    }

    /// Mounts a folder inside the volume (API 1.45+) or image (API 1.48+) instead of the whole.
    #[must_use]
    pub fn subpath(mut self, path: impl Into<String>) -> Self {
        match self.kind {
            MountType::Image => self.image_options.get_or_insert_default().subpath = path.into(),
            _ => self.volume_options.get_or_insert_default().subpath = path.into(),
        }
        self
    }

    /// Leaves a new volume empty instead of filling it with the image's files.
    #[must_use]
    pub fn no_copy(mut self) -> Self {
        self.volume_options.get_or_insert_default().no_copy = true;
        self
    }

    /// Labels the volume, if the mount creates it.
    #[must_use]
    pub fn label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.volume_options.get_or_insert_default().labels.insert(key.into(), value.into());
        self
    }

    /// Names the driver of the volume, if the mount creates it.
    #[must_use]
    pub fn driver(mut self, driver: VolumeDriver) -> Self {
        self.volume_options.get_or_insert_default().driver_config = Some(driver);
        self
    }

    /// Limits a tmpfs, in bytes.
    #[must_use]
    pub fn size(mut self, bytes: u64) -> Self {
        self.tmpfs_options.get_or_insert_default().size = bytes;
        self
    }

    /// Sets the permissions of a tmpfs, such as `0o1777`.
    #[must_use]
    pub fn mode(mut self, mode: u32) -> Self {
        self.tmpfs_options.get_or_insert_default().mode = mode;
        self
    }
}

/// Options of a bind mount.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct BindOptions {
    /// How mounts made below it travel between host and container.
    #[serde(skip_serializing_if = "is_default")]
    pub propagation: Propagation,
    /// Leaves out what is mounted below the source on the host.
    #[serde(skip_serializing_if = "is_default")]
    pub non_recursive: bool,
    /// Creates the source on the host if it is missing, API 1.42+.
    #[serde(skip_serializing_if = "is_default")]
    pub create_mountpoint: bool,
    /// Makes only the mount itself read-only, not what is mounted below it, API 1.44+.
    #[serde(skip_serializing_if = "is_default")]
    pub read_only_non_recursive: bool,
    /// Fails if what is mounted below it can't be made read-only too, API 1.44+.
    #[serde(skip_serializing_if = "is_default")]
    pub read_only_force_recursive: bool,
}

/// Options of a volume mount.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct VolumeOptions {
    /// Leaves a new volume empty instead of filling it with the image's files.
    #[serde(skip_serializing_if = "is_default")]
    pub no_copy: bool,
    /// Labels of the volume, if the mount creates it.
    #[serde(skip_serializing_if = "is_default")]
    pub labels: SortedMap<String, String>,
    /// Driver of the volume, if the mount creates it.
    #[serde(skip_serializing_if = "is_default")]
    pub driver_config: Option<VolumeDriver>,
    /// Relative path of the folder to mount inside the volume, API 1.45+.
    #[serde(skip_serializing_if = "is_default")]
    pub subpath: String,
}

/// Names a volume driver and its options.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct VolumeDriver {
    /// Name of the driver; empty for the engine's default.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// What the driver understands.
    #[serde(skip_serializing_if = "is_default")]
    pub options: SortedMap<String, String>,
}

impl VolumeDriver {
    /// Names a driver.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Adds an option.
    #[must_use]
    pub fn option(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.insert(key.into(), value.into());
        self
    }
}

/// Options of an image mount.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ImageOptions {
    /// Relative path of the folder to mount inside the image.
    #[serde(skip_serializing_if = "is_default")]
    pub subpath: String,
}

/// Options of a tmpfs mount.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct TmpfsOptions {
    /// Limit in bytes; 0 for none.
    #[serde(rename = "SizeBytes", skip_serializing_if = "is_default")]
    pub size: u64,
    /// Permissions, such as `0o1777`; 0 for the default.
    #[serde(skip_serializing_if = "is_default")]
    pub mode: u32,
    /// Mount options, each `[flag]` or `[key, value]`, API 1.46+.
    #[serde(skip_serializing_if = "is_default")]
    pub options: Vec<Vec<String>>,
}

/// Options of a cluster volume mount; the API has none so far.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Decode)]
#[non_exhaustive]
pub struct ClusterOptions {}

/// Tells what is mounted where in a container.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct MountPoint {
    /// What is mounted.
    #[serde(rename = "Type")]
    pub kind: MountType,
    /// Name of the volume; empty for other kinds.
    pub name: String,
    /// Path on the host; empty for tmpfs.
    pub source: String,
    /// Path in the container.
    pub destination: String,
    /// Driver of the volume; empty for other kinds.
    pub driver: String,
    /// Options given when it was mounted, comma-separated.
    pub mode: String,
    /// Whether the container may write to it.
    #[serde(rename = "RW")]
    pub writable: bool,
    /// How mounts made below it travel between host and container.
    pub propagation: Propagation,
    /// Mount options as the runtime has them; only Podman tells.
    pub options: Vec<String>,
}

/// Says what kind of source a mount has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum MountType {
    /// A file or folder of the host.
    Bind,
    /// A volume managed by the engine.
    Volume,
    /// Memory.
    Tmpfs,
    /// The files of an image.
    Image,
    /// A Windows named pipe.
    NamedPipe,
    /// A volume of the swarm.
    Cluster,
    /// A word this version does not know; empty if the engine told none.
    Other(String),
}

words!(MountType {
    Bind = "bind",
    Volume = "volume",
    Tmpfs = "tmpfs",
    Image = "image",
    NamedPipe = "npipe",
    Cluster = "cluster",
});

impl Default for MountType {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

/// Says how mounts made below a bind mount travel between host and container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Propagation {
    /// Not at all.
    Private,
    /// Not at all, nor for the mounts below it.
    RecursivePrivate,
    /// In both directions.
    Shared,
    /// In both directions, for the mounts below it too.
    RecursiveShared,
    /// From the host into the container.
    Slave,
    /// From the host into the container, for the mounts below it too.
    RecursiveSlave,
    /// A word this version does not know; empty for the engine's default.
    Other(String),
}

words!(Propagation {
    Private = "private",
    RecursivePrivate = "rprivate",
    Shared = "shared",
    RecursiveShared = "rshared",
    Slave = "slave",
    RecursiveSlave = "rslave",
});

impl Default for Propagation {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

/// Says how exact a container's view of host files is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum MountConsistency {
    /// As the engine likes.
    #[default]
    Default,
    /// Always the same on both sides.
    Consistent,
    /// The host's view leads, the container's may lag behind.
    Cached,
    /// The container's view leads, the host's may lag behind.
    Delegated,
    /// A word this version does not know.
    Other(String),
}

words!(MountConsistency {
    Default = "default",
    Consistent = "consistent",
    Cached = "cached",
    Delegated = "delegated",
});
