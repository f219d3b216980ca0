//! What a node has for tasks, and what a task asks of a node.

use serde::Serialize;

use crate::decode::Decode;
use crate::is_default;

/// Tells the resources that a node has, or that a task reserves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ResourceObject {
    /// Processor time, in billionths of a processor.
    #[serde(rename = "NanoCPUs", skip_serializing_if = "is_default")]
    pub nano_cpus: u64,
    /// Memory, in bytes.
    #[serde(rename = "MemoryBytes", skip_serializing_if = "is_default")]
    pub memory: u64,
    /// Resources that are the user's own, such as processors for graphics.
    #[serde(skip_serializing_if = "is_default")]
    pub generic_resources: Vec<GenericResource>,
}

/// Tells of a resource that is the user's own: a named one or a number of equal ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[non_exhaustive]
pub struct GenericResource {
    /// A single one with a name, if it is that.
    #[serde(rename = "NamedResourceSpec", skip_serializing_if = "is_default")]
    pub named: Option<NamedResource>,
    /// A number of equal ones, if it is that.
    #[serde(rename = "DiscreteResourceSpec", skip_serializing_if = "is_default")]
    pub discrete: Option<DiscreteResource>,
}

impl GenericResource {
    /// A single one with a name, such as `GPU=UUID1`.
    pub fn named(kind: impl Into<String>, value: impl Into<String>) -> Self {
        Self { named: Some(NamedResource { kind: kind.into(), value: value.into() }), discrete: None }
    }

    /// A number of equal ones, such as `SSD=3`.
    pub fn discrete(kind: impl Into<String>, value: u64) -> Self {
        Self { named: None, discrete: Some(DiscreteResource { kind: kind.into(), value }) }
    }
}

/// Names one resource of a kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct NamedResource {
    /// Kind, such as `GPU`.
    pub kind: String,
    /// Name of the one.
    pub value: String,
}

/// Counts the resources of a kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct DiscreteResource {
    /// Kind, such as `SSD`.
    pub kind: String,
    /// How many.
    pub value: u64,
}

/// Names a platform as the swarm does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct NodePlatform {
    /// CPU architecture as the machine names it, such as `x86_64`.
    #[serde(skip_serializing_if = "is_default")]
    pub architecture: String,
    /// Operating system, `linux` or `windows`.
    #[serde(rename = "OS", skip_serializing_if = "is_default")]
    pub os: String,
}
