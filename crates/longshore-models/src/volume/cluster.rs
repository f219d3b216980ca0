//! Volumes of a swarm, kept by a plugin that speaks CSI.

use serde::Serialize;

use crate::decode::Decode;
use crate::open_enum::words;
use crate::{ObjectVersion, SortedMap, Timestamp, is_default};

/// Tells what makes a volume one of the swarm, API 1.42+.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ClusterVolume {
    /// Id in the swarm, which names it as well as its name does.
    #[serde(rename = "ID")]
    pub id: String,
    /// The state that this is.
    pub version: ObjectVersion,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was changed.
    pub updated_at: Timestamp,
    /// What it is to be.
    pub spec: ClusterVolumeSpec,
    /// What the plugin tells of it; `None` until it does.
    pub info: Option<ClusterVolumeInfo>,
    /// How far it has come on each node that uses it.
    pub publish_status: Vec<ClusterVolumePublishStatus>,
}

/// Says what a volume of the swarm is to be.
///
/// ```
/// use longshore_models::{ClusterVolumeSpec, VolumeAccessScope, VolumeSharing};
///
/// let spec = ClusterVolumeSpec::default()
///     .group("fast")
///     .access(VolumeAccessScope::Multi, VolumeSharing::OneWriter)
///     .mounted("ext4", ["noatime"])
///     .capacity(1 << 30, 4 << 30);
/// assert_eq!(spec.capacity_range.map(|range| range.limit_bytes), Some(4 << 30));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ClusterVolumeSpec {
    /// Group of volumes that services may name instead, any one of which will do; empty for none.
    #[serde(skip_serializing_if = "is_default")]
    pub group: String,
    /// How tasks use it.
    #[serde(skip_serializing_if = "is_default")]
    pub access_mode: Option<ClusterVolumeAccess>,
    /// Where it must be reachable from.
    #[serde(skip_serializing_if = "is_default")]
    pub accessibility_requirements: Option<TopologyRequirement>,
    /// How large it must be; of the plugin's choice unless set.
    #[serde(skip_serializing_if = "is_default")]
    pub capacity_range: Option<CapacityRange>,
    /// Secrets that the plugin is given when it works on it.
    #[serde(skip_serializing_if = "is_default")]
    pub secrets: Vec<ClusterVolumeSecret>,
    /// Whether tasks may use it. This alone can be changed later, and is always sent: an engine leaves it as it is
    /// where it is told nothing.
    pub availability: VolumeAvailability,
}

impl ClusterVolumeSpec {
    /// Puts it into a group of volumes, any one of which will do for services that name the group.
    #[must_use]
    pub fn group(mut self, name: impl Into<String>) -> Self {
        self.group = name.into();
        self
    }

    /// Says on how many nodes and by how many tasks it is used at a time.
    #[must_use]
    pub fn access(mut self, scope: VolumeAccessScope, sharing: VolumeSharing) -> Self {
        let access = self.access_mode.get_or_insert_default();
        (access.scope, access.sharing) = (scope, sharing);
        self
    }

    /// Gives it to tasks as a folder with this filesystem, of the plugin's choice if empty, mounted with these flags.
    #[must_use]
    pub fn mounted<T: Into<String>>(
        mut self,
        filesystem: impl Into<String>,
        flags: impl IntoIterator<Item = T>,
    ) -> Self {
        let access = self.access_mode.get_or_insert_default();
        let mount_flags = flags.into_iter().map(Into::into).collect();
        access.mount_volume = Some(MountVolume { fs_type: filesystem.into(), mount_flags });
        access.block_volume = None;
        self
    }

    /// Gives it to tasks as a block device.
    #[must_use]
    pub fn block_device(mut self) -> Self {
        let access = self.access_mode.get_or_insert_default();
        (access.mount_volume, access.block_volume) = (None, Some(BlockVolume {}));
        self
    }

    /// Says how large it must be at least and at most, in bytes; 0 for no such limit.
    #[must_use]
    pub fn capacity(mut self, required_bytes: u64, limit_bytes: u64) -> Self {
        self.capacity_range = Some(CapacityRange { required_bytes, limit_bytes });
        self
    }

    /// Gives the plugin a secret of the swarm, named or by its id, under a key that the plugin knows.
    #[must_use]
    pub fn secret(mut self, key: impl Into<String>, secret: impl Into<String>) -> Self {
        self.secrets.push(ClusterVolumeSecret { key: key.into(), secret: secret.into() });
        self
    }

    /// Says from where it must be reachable: from one of these places at least. May be called for several.
    #[must_use]
    pub fn requisite(mut self, topology: Topology) -> Self {
        self.accessibility_requirements.get_or_insert_default().requisite.push(topology);
        self
    }

    /// Says from where it had best be reachable. May be called for several, the best first.
    #[must_use]
    pub fn preferred(mut self, topology: Topology) -> Self {
        self.accessibility_requirements.get_or_insert_default().preferred.push(topology);
        self
    }

    /// Says whether tasks may use it.
    #[must_use]
    pub fn availability(mut self, availability: VolumeAvailability) -> Self {
        self.availability = availability;
        self
    }
}

/// Says how tasks use a volume of the swarm: as a folder or as a block device, never both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ClusterVolumeAccess {
    /// On how many nodes it is used at a time.
    #[serde(skip_serializing_if = "is_default")]
    pub scope: VolumeAccessScope,
    /// By how many tasks it is used at a time.
    #[serde(skip_serializing_if = "is_default")]
    pub sharing: VolumeSharing,
    /// How it is mounted, where it is a folder.
    #[serde(skip_serializing_if = "is_default")]
    pub mount_volume: Option<MountVolume>,
    /// That it is a block device, where it is one.
    #[serde(skip_serializing_if = "is_default")]
    pub block_volume: Option<BlockVolume>,
}

/// Says how a volume of the swarm is mounted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct MountVolume {
    /// Filesystem, such as `ext4`; of the plugin's choice if empty.
    #[serde(skip_serializing_if = "is_default")]
    pub fs_type: String,
    /// Flags of the mount.
    #[serde(skip_serializing_if = "is_default")]
    pub mount_flags: Vec<String>,
}

/// Says that a volume of the swarm is used as a block device; there is nothing more to say so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[non_exhaustive]
pub struct BlockVolume {}

/// Says from where a volume of the swarm must be reachable.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct TopologyRequirement {
    /// Places, from one of which at least it must be.
    #[serde(skip_serializing_if = "is_default")]
    pub requisite: Vec<Topology>,
    /// Places, from which it had best be; the best first.
    #[serde(skip_serializing_if = "is_default")]
    pub preferred: Vec<Topology>,
}

/// Names a place by the segments of its domains, such as `zone` and `z1`. The plugin says what there is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Topology {
    /// The segment in each domain.
    #[serde(skip_serializing_if = "is_default")]
    pub segments: SortedMap<String, String>,
}

impl Topology {
    /// Names a segment of a domain.
    #[must_use]
    pub fn segment(mut self, domain: impl Into<String>, segment: impl Into<String>) -> Self {
        self.segments.insert(domain.into(), segment.into());
        self
    }
}

/// Says how large a volume of the swarm must be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct CapacityRange {
    /// Least size in bytes; 0 for none.
    pub required_bytes: u64,
    /// Largest size in bytes; 0 for none.
    pub limit_bytes: u64,
}

/// Names a secret of the swarm that a plugin is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ClusterVolumeSecret {
    /// The key under which the plugin gets the secret's content.
    pub key: String,
    /// Name or id of the secret, not its content.
    pub secret: String,
}

/// Tells what a plugin says of a volume of the swarm.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ClusterVolumeInfo {
    /// Size in bytes; 0 if that is not known.
    pub capacity_bytes: u64,
    /// What the plugin told when it had created the volume.
    pub volume_context: SortedMap<String, String>,
    /// The plugin's own id of it, which the engine does not know it by; empty until the plugin has created it.
    #[serde(rename = "VolumeID")]
    pub volume_id: String,
    /// From where it can be reached.
    pub accessible_topology: Vec<Topology>,
}

/// Tells how far a volume of the swarm has come on a node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ClusterVolumePublishStatus {
    /// Id of the node.
    #[serde(rename = "NodeID")]
    pub node_id: String,
    /// How far it has come there.
    pub state: VolumePublishState,
    /// What the plugin told when it had brought it there.
    pub publish_context: SortedMap<String, String>,
}

/// Says on how many nodes a volume of the swarm is used at a time.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum VolumeAccessScope {
    /// On one.
    #[default]
    Single,
    /// On as many as the plugin supports.
    Multi,
    /// A word this version does not know.
    Other(String),
}

words!(VolumeAccessScope { Single = "single", Multi = "multi" });

/// Says by how many tasks a volume of the swarm is used at a time.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum VolumeSharing {
    /// By one.
    #[default]
    None,
    /// By any number, none of which may write.
    ReadOnly,
    /// By any number, one of which may write.
    OneWriter,
    /// By any number, all of which may write.
    All,
    /// A word this version does not know.
    Other(String),
}

words!(VolumeSharing { None = "none", ReadOnly = "readonly", OneWriter = "onewriter", All = "all" });

/// Says whether tasks may use a volume of the swarm.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum VolumeAvailability {
    /// They may.
    #[default]
    Active,
    /// Those that do may go on; new ones may not.
    Pause,
    /// Those that do are moved elsewhere; new ones may not.
    Drain,
    /// A word this version does not know.
    Other(String),
}

words!(VolumeAvailability { Active = "active", Pause = "pause", Drain = "drain" });

/// Says how far a volume of the swarm has come on a node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum VolumePublishState {
    /// It is to be brought there, and its plugin has not managed that yet.
    PendingPublish,
    /// It is there.
    Published,
    /// It is to be taken away, and the node has not said yet that it no longer uses it.
    PendingNodeUnpublish,
    /// The node no longer uses it, and its plugin has not managed yet to take it away.
    PendingControllerUnpublish,
    /// A word this version does not know; empty if the engine told none.
    Other(String),
}

words!(VolumePublishState {
    PendingPublish = "pending-publish",
    Published = "published",
    PendingNodeUnpublish = "pending-node-unpublish",
    PendingControllerUnpublish = "pending-controller-unpublish",
});

impl Default for VolumePublishState {
    fn default() -> Self {
        Self::Other(String::new())
    }
}
