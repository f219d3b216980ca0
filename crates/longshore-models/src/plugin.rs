//! Plugins that the engine runs itself.

use serde::Serialize;

use crate::decode::Decode;

/// Tells everything of one plugin.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct PluginInspect {
    /// Id, 64 hexadecimal digits.
    pub id: String,
    /// Name it has here, with its tag.
    pub name: String,
    /// Whether it runs.
    pub enabled: bool,
    /// What it is set to.
    pub settings: PluginSettings,
    /// Reference that it is pulled and pushed by.
    pub plugin_reference: String,
    /// What it was made as.
    pub config: PluginConfig,
}

/// Tells what a plugin is set to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct PluginSettings {
    /// Host folders it sees.
    pub mounts: Vec<PluginMount>,
    /// Environment as `NAME=value`.
    pub env: Vec<String>,
    /// Arguments of its program.
    pub args: Vec<String>,
    /// Devices it may use.
    pub devices: Vec<PluginDevice>,
}

/// Tells what a plugin was made as: what it needs, and what of it may be set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct PluginConfig {
    /// Version of the engine that made it, until API 1.51; empty if that was not told.
    pub docker_version: String,
    /// What it is, for people.
    pub description: String,
    /// Address of its documentation.
    pub documentation: String,
    /// How the engine speaks with it.
    pub interface: PluginInterface,
    /// Its program.
    pub entrypoint: Vec<String>,
    /// Working directory of the program.
    pub work_dir: String,
    /// User that the program runs as.
    pub user: PluginUser,
    /// Its network.
    pub network: PluginNetwork,
    /// What it may do on Linux.
    pub linux: PluginLinux,
    /// Folder in it whose mounts the engine sees; empty if there is none.
    pub propagated_mount: String,
    /// Whether it shares the IPC namespace of the host.
    pub ipc_host: bool,
    /// Whether it sees the processes of the host.
    pub pid_host: bool,
    /// Host folders it needs.
    pub mounts: Vec<PluginMount>,
    /// Environment it reads.
    pub env: Vec<PluginEnv>,
    /// Arguments it takes.
    pub args: PluginArgs,
    /// What its files consist of.
    #[serde(rename = "rootfs")]
    pub root_fs: PluginRootFs,
}

/// Tells how the engine speaks with a plugin.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct PluginInterface {
    /// What it is to the engine, such as `docker.volumedriver/1.0`.
    pub types: Vec<String>,
    /// File name of the socket it listens on.
    pub socket: String,
    /// Protocol spoken there, such as `moby.plugins.http/v1`; empty for the engine's default.
    pub protocol_scheme: String,
}

/// Names the user of a plugin's program; 0 is root.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[non_exhaustive]
pub struct PluginUser {
    /// Number of the user.
    #[serde(rename = "UID")]
    pub uid: u32,
    /// Number of the group.
    #[serde(rename = "GID")]
    pub gid: u32,
}

/// Tells which network a plugin has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct PluginNetwork {
    /// Kind of network: `host`, `bridge` or `none`; empty for none.
    #[serde(rename = "Type")]
    pub kind: String,
}

/// Tells what a plugin may do on Linux.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct PluginLinux {
    /// Capabilities beside the usual ones, such as `CAP_SYS_ADMIN`.
    pub capabilities: Vec<String>,
    /// Whether it may use every device.
    pub allow_all_devices: bool,
    /// Devices it needs.
    pub devices: Vec<PluginDevice>,
}

/// Tells of a host folder that a plugin sees.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct PluginMount {
    /// Name it is set by.
    pub name: String,
    /// What it is for, for people.
    pub description: String,
    /// What of it may be set, such as `source`.
    pub settable: Vec<String>,
    /// Path on the host; empty if it must be set first.
    pub source: String,
    /// Path in the plugin.
    pub destination: String,
    /// Kind of mount, such as `bind`.
    #[serde(rename = "Type")]
    pub kind: String,
    /// Options of the mount, such as `rbind`.
    pub options: Vec<String>,
}

/// Tells of a device that a plugin uses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct PluginDevice {
    /// Name it is set by.
    pub name: String,
    /// What it is for, for people.
    pub description: String,
    /// What of it may be set: `path`.
    pub settable: Vec<String>,
    /// Path of the device on the host; empty if it must be set first.
    pub path: String,
}

/// Tells of a variable that a plugin reads.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct PluginEnv {
    /// Name.
    pub name: String,
    /// What it is for, for people.
    pub description: String,
    /// What of it may be set: `value`.
    pub settable: Vec<String>,
    /// Value unless set otherwise.
    pub value: String,
}

/// Tells of the arguments that a plugin takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct PluginArgs {
    /// Name they are set by.
    pub name: String,
    /// What they are for, for people.
    pub description: String,
    /// What of them may be set: `value`.
    pub settable: Vec<String>,
    /// Arguments unless set otherwise.
    pub value: Vec<String>,
}

/// Tells what the files of a plugin consist of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[non_exhaustive]
pub struct PluginRootFs {
    /// What it is made of: `layers`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Digests of its layers, uncompressed.
    pub diff_ids: Vec<String>,
}

/// Names one thing that a plugin may do once it is installed, such as reaching the network of the host.
///
/// The engine tells what a plugin asks for, and wants the same back as the user's consent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct PluginPrivilege {
    /// What it is about: `network`, `mount`, `device`, `capabilities` and so on.
    pub name: String,
    /// What it means, for people.
    pub description: String,
    /// What is granted of it, such as `host` or `/dev/fuse`.
    pub value: Vec<String>,
}
