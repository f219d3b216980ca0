//! How an engine speaks with registries.

use crate::SortedMap;
use crate::decode::Decode;

/// Tells how an engine speaks with registries.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct RegistryServiceConfig {
    /// Address ranges in which registries need no TLS, or no certificate that is known.
    #[serde(rename = "InsecureRegistryCIDRs")]
    pub insecure_registry_cidrs: Vec<String>,
    /// Registries by name: Docker Hub as `docker.io`, and those that need no TLS.
    pub index_configs: SortedMap<String, IndexInfo>,
    /// URLs of registries that are asked before Docker Hub.
    pub mirrors: Vec<String>,
    /// Address ranges of registries that layers for foreign hands are pushed to, until API 1.48.
    #[serde(rename = "AllowNondistributableArtifactsCIDRs")]
    pub allow_nondistributable_artifacts_cidrs: Vec<String>,
    /// Names of registries that such layers are pushed to, until API 1.48.
    pub allow_nondistributable_artifacts_hostnames: Vec<String>,
}

/// Tells how an engine speaks with one registry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct IndexInfo {
    /// Name, such as `docker.io`.
    pub name: String,
    /// URLs of registries that are asked before it.
    pub mirrors: Vec<String>,
    /// Whether it must have TLS and a certificate that is known.
    pub secure: bool,
    /// Whether it is Docker Hub.
    pub official: bool,
}
