//! The addresses of a network.

use std::net::IpAddr;

use serde::Serialize;

use crate::decode::Decode;
use crate::{SortedMap, Subnet, is_default};

/// Says which addresses a network has, and who gives them out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Ipam {
    /// Name of the driver that gives out addresses; empty for the engine's default.
    #[serde(skip_serializing_if = "is_default")]
    pub driver: String,
    /// The ranges of addresses; empty for one of the engine's choice.
    #[serde(skip_serializing_if = "is_default")]
    pub config: Vec<IpamConfig>,
    /// What the driver understands.
    #[serde(skip_serializing_if = "is_default")]
    pub options: SortedMap<String, String>,
}

/// Says which addresses of one range a network has.
///
/// Addresses are the engine's text; [`Subnet`] reads the ranges, and [`IpAddr`] the single ones.
///
/// ```
/// use longshore_models::IpamConfig;
/// use std::net::Ipv4Addr;
///
/// let config = IpamConfig::new("172.20.0.0/16".parse()?)
///     .ip_range("172.20.10.0/24".parse()?)
///     .gateway(Ipv4Addr::new(172, 20, 10, 11));
/// assert_eq!(config.gateway, "172.20.10.11");
/// # Ok::<(), longshore_models::ParseSubnetError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct IpamConfig {
    /// The range, such as `172.20.0.0/16`; empty for one of the engine's choice.
    #[serde(skip_serializing_if = "is_default")]
    pub subnet: String,
    /// The part of the range from which the engine gives out addresses; empty for all of it.
    #[serde(rename = "IPRange", skip_serializing_if = "is_default")]
    pub ip_range: String,
    /// Address of the gateway; empty for one of the engine's choice.
    #[serde(skip_serializing_if = "is_default")]
    pub gateway: String,
    /// Addresses that the driver uses itself or that are never given out, by a name for each.
    #[serde(skip_serializing_if = "is_default")]
    pub auxiliary_addresses: SortedMap<String, String>,
}

impl IpamConfig {
    /// Takes the addresses of a range.
    pub fn new(subnet: Subnet) -> Self {
        Self { subnet: subnet.to_string(), ..Self::default() }
    }

    /// Gives out only addresses of this part of the range; others can still be asked for one by one.
    #[must_use]
    pub fn ip_range(mut self, range: Subnet) -> Self {
        self.ip_range = range.to_string();
        self
    }

    /// Sets the address of the gateway.
    #[must_use]
    pub fn gateway(mut self, address: impl Into<IpAddr>) -> Self {
        self.gateway = address.into().to_string();
        self
    }

    /// Keeps an address from being given out, by a name for it.
    #[must_use]
    pub fn auxiliary_address(mut self, name: impl Into<String>, address: impl Into<IpAddr>) -> Self {
        self.auxiliary_addresses.insert(name.into(), address.into().to_string());
        self
    }
}
