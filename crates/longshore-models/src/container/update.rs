//! Changing the limits of a container.

use serde::Serialize;

use crate::decode::Decode;
use crate::{Resources, RestartPolicy};

/// Asks for other limits or another restart policy. What is not set stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct UpdateBody {
    /// Limits to change; at the top level on the wire.
    #[serde(flatten)]
    pub resources: Resources,
    /// What happens when the container ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart_policy: Option<RestartPolicy>,
}

/// Tells of a container that was changed.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ContainerUpdated {
    /// What the engine could not do as asked.
    pub warnings: Vec<String>,
}
