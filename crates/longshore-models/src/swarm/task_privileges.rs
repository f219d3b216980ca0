//! What the security systems allow the containers of a service.

use serde::Serialize;

use crate::decode::Decode;
use crate::open_enum::words;
use crate::{base64_bytes, is_default};

/// Says what the security systems allow a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Privileges {
    /// The account it runs under (Windows).
    #[serde(skip_serializing_if = "is_default")]
    pub credential_spec: Option<CredentialSpec>,
    /// Its label for SELinux.
    #[serde(rename = "SELinuxContext", skip_serializing_if = "is_default")]
    pub selinux_context: Option<SelinuxContext>,
    /// Which system calls it may make, API 1.44+.
    #[serde(skip_serializing_if = "is_default")]
    pub seccomp: Option<Seccomp>,
    /// Whether AppArmor confines it, API 1.44+.
    #[serde(skip_serializing_if = "is_default")]
    pub app_armor: Option<AppArmor>,
    /// Keeps its processes from getting rights that it did not start with, API 1.44+.
    #[serde(skip_serializing_if = "is_default")]
    pub no_new_privileges: bool,
}

/// Names the account a container runs under (Windows): one of these.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct CredentialSpec {
    /// Id of the config that describes it; a [`SwarmConfigReference::for_runtime`](crate::SwarmConfigReference::for_runtime) must
    /// name it too.
    #[serde(skip_serializing_if = "is_default")]
    pub config: String,
    /// File that describes it, in the engine's folder for them.
    #[serde(skip_serializing_if = "is_default")]
    pub file: String,
    /// Name of the registry value that describes it.
    #[serde(skip_serializing_if = "is_default")]
    pub registry: String,
}

/// Labels a container for SELinux.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct SelinuxContext {
    /// Leaves it without a label.
    #[serde(skip_serializing_if = "is_default")]
    pub disable: bool,
    /// User of the label.
    #[serde(skip_serializing_if = "is_default")]
    pub user: String,
    /// Role of the label.
    #[serde(skip_serializing_if = "is_default")]
    pub role: String,
    /// Type of the label.
    #[serde(rename = "Type", skip_serializing_if = "is_default")]
    pub kind: String,
    /// Level of the label.
    #[serde(skip_serializing_if = "is_default")]
    pub level: String,
}

/// Says which system calls a container may make.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Seccomp {
    /// Which rules hold.
    #[serde(skip_serializing_if = "is_default")]
    pub mode: SeccompMode,
    /// The rules themselves as JSON, if they are its own.
    #[serde(serialize_with = "base64_bytes::serialize", skip_serializing_if = "is_default")]
    #[decode(from = base64_bytes::Base64)]
    pub profile: Vec<u8>,
}

impl Seccomp {
    /// Lets it make every system call.
    pub fn unconfined() -> Self {
        Self { mode: SeccompMode::Unconfined, ..Self::default() }
    }

    /// Gives it rules of its own: the JSON of a profile.
    pub fn custom(profile: impl Into<Vec<u8>>) -> Self {
        Self { mode: SeccompMode::Custom, profile: profile.into() }
    }
}

/// Says which rules for system calls hold. The empty word is [`Default`](Self::Default).
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SeccompMode {
    /// The engine's.
    #[default]
    Default,
    /// None.
    Unconfined,
    /// The container's own.
    Custom,
    /// A word this version does not know.
    Other(String),
}

words!(SeccompMode { Default = "default", Unconfined = "unconfined", Custom = "custom" });

/// Says whether AppArmor confines a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct AppArmor {
    /// Which rules hold.
    #[serde(skip_serializing_if = "is_default")]
    pub mode: AppArmorMode,
}

impl AppArmor {
    /// Does not confine it.
    pub fn disabled() -> Self {
        Self { mode: AppArmorMode::Disabled }
    }
}

/// Says which rules of AppArmor hold. The empty word is [`Default`](Self::Default).
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum AppArmorMode {
    /// The engine's.
    #[default]
    Default,
    /// None.
    Disabled,
    /// A word this version does not know.
    Other(String),
}

words!(AppArmorMode { Default = "default", Disabled = "disabled" });
