//! How a container is connected to networks.

use serde::Serialize;

use crate::decode::Decode;
use crate::{PortMap, SortedMap, is_default};

/// Tells how a container is connected. Fields until API 1.51 tell of the default bridge only.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct NetworkSettings {
    /// Id of the network namespace.
    #[serde(rename = "SandboxID")]
    pub sandbox_id: String,
    /// Path of the network namespace on the host.
    pub sandbox_key: String,
    /// Container ports and where they are published by now; empty while it does not run.
    pub ports: PortMap,
    /// Networks it is connected to, by name.
    pub networks: SortedMap<String, EndpointSettings>,
    /// Name of the default bridge's interface on the host, until API 1.51.
    pub bridge: String,
    /// Whether the bridge sends packets back to where they came from, until API 1.51.
    pub hairpin_mode: bool,
    /// Link-local IPv6 address, until API 1.51.
    #[serde(rename = "LinkLocalIPv6Address")]
    pub link_local_ipv6_address: String,
    /// Prefix length of the link-local IPv6 address in bits, until API 1.51.
    #[serde(rename = "LinkLocalIPv6PrefixLen")]
    pub link_local_ipv6_prefix_length: i64,
    /// Further IPv4 addresses, until API 1.51.
    #[serde(rename = "SecondaryIPAddresses")]
    pub secondary_ip_addresses: Vec<Address>,
    /// Further IPv6 addresses, until API 1.51.
    #[serde(rename = "SecondaryIPv6Addresses")]
    pub secondary_ipv6_addresses: Vec<Address>,
    /// Id of the endpoint on the default bridge, until API 1.51.
    #[serde(rename = "EndpointID")]
    pub endpoint_id: String,
    /// IPv4 gateway, until API 1.51.
    pub gateway: String,
    /// Global IPv6 address, until API 1.51.
    #[serde(rename = "GlobalIPv6Address")]
    pub global_ipv6_address: String,
    /// Prefix length of the global IPv6 address in bits, until API 1.51.
    #[serde(rename = "GlobalIPv6PrefixLen")]
    pub global_ipv6_prefix_length: i64,
    /// IPv4 address, until API 1.51.
    #[serde(rename = "IPAddress")]
    pub ip_address: String,
    /// Prefix length of the IPv4 address in bits, until API 1.51.
    #[serde(rename = "IPPrefixLen")]
    pub ip_prefix_length: i64,
    /// IPv6 gateway, until API 1.51.
    #[serde(rename = "IPv6Gateway")]
    pub ipv6_gateway: String,
    /// MAC address, until API 1.51.
    pub mac_address: String,
}

/// An IP address and the length of its prefix.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[non_exhaustive]
pub struct Address {
    /// The address.
    #[serde(rename = "Addr")]
    pub address: String,
    /// Prefix length in bits.
    #[serde(rename = "PrefixLen")]
    pub prefix_length: i64,
}

/// Connects a container to networks as it is created.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct NetworkingConfig {
    /// Networks by name. More than one needs API 1.44+.
    #[serde(skip_serializing_if = "is_default")]
    pub endpoints_config: SortedMap<String, EndpointSettings>,
}

/// Connects a container to one network: what was asked for, and in answers what came of it.
///
/// ```
/// use longshore_models::EndpointSettings;
///
/// let endpoint = EndpointSettings::default().alias("db").ipv4_address("172.20.30.33");
/// assert_eq!(serde_json::to_value(&endpoint).unwrap()["IPAMConfig"]["IPv4Address"], "172.20.30.33");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct EndpointSettings {
    /// Addresses that were asked for; `None` to leave them to the network.
    #[serde(rename = "IPAMConfig", skip_serializing_if = "is_default")]
    pub ipam_config: Option<EndpointIpamConfig>,
    /// Legacy links to other containers, as `name:alias`.
    #[serde(skip_serializing_if = "is_default")]
    pub links: Vec<String>,
    /// MAC address; to ask for one needs API 1.44+.
    #[serde(skip_serializing_if = "is_default")]
    pub mac_address: String,
    /// Further names of the container on this network.
    #[serde(skip_serializing_if = "is_default")]
    pub aliases: Vec<String>,
    /// What the network's driver understands.
    #[serde(skip_serializing_if = "is_default")]
    pub driver_opts: SortedMap<String, String>,
    /// Claim to be the default gateway; the highest wins. API 1.48+.
    #[serde(skip_serializing_if = "is_default")]
    pub gw_priority: i64,
    /// Id of the network.
    #[serde(rename = "NetworkID", skip_serializing_if = "is_default")]
    pub network_id: String,
    /// Id of the endpoint; empty while the container does not run.
    #[serde(rename = "EndpointID", skip_serializing_if = "is_default")]
    pub endpoint_id: String,
    /// IPv4 gateway.
    #[serde(skip_serializing_if = "is_default")]
    pub gateway: String,
    /// IPv4 address; empty while the container does not run.
    #[serde(rename = "IPAddress", skip_serializing_if = "is_default")]
    pub ip_address: String,
    /// Prefix length of the IPv4 address in bits.
    #[serde(rename = "IPPrefixLen", skip_serializing_if = "is_default")]
    pub ip_prefix_length: i64,
    /// IPv6 gateway.
    #[serde(rename = "IPv6Gateway", skip_serializing_if = "is_default")]
    pub ipv6_gateway: String,
    /// Global IPv6 address.
    #[serde(rename = "GlobalIPv6Address", skip_serializing_if = "is_default")]
    pub global_ipv6_address: String,
    /// Prefix length of the global IPv6 address in bits.
    #[serde(rename = "GlobalIPv6PrefixLen", skip_serializing_if = "is_default")]
    pub global_ipv6_prefix_length: i64,
    /// Every name the container has on this network, API 1.44+.
    #[serde(rename = "DNSNames", skip_serializing_if = "is_default")]
    pub dns_names: Vec<String>,
}

impl EndpointSettings {
    /// Adds a name of the container on this network.
    #[must_use]
    pub fn alias(mut self, alias: impl Into<String>) -> Self {
        self.aliases.push(alias.into());
        self
    }

    /// Asks for an IPv4 address; the network must have a subnet that was configured.
    #[must_use]
    pub fn ipv4_address(mut self, address: impl Into<String>) -> Self {
        self.ipam_config.get_or_insert_default().ipv4_address = address.into();
        self
    }

    /// Asks for an IPv6 address; the network must have a subnet that was configured.
    #[must_use]
    pub fn ipv6_address(mut self, address: impl Into<String>) -> Self {
        self.ipam_config.get_or_insert_default().ipv6_address = address.into();
        self
    }

    /// Asks for a MAC address, API 1.44+.
    #[must_use]
    pub fn mac_address(mut self, address: impl Into<String>) -> Self {
        self.mac_address = address.into();
        self
    }

    /// Adds an option the network's driver understands.
    #[must_use]
    pub fn driver_opt(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.driver_opts.insert(key.into(), value.into());
        self
    }

    /// Sets the claim to be the default gateway; the highest wins. API 1.48+.
    #[must_use]
    pub fn gw_priority(mut self, priority: i64) -> Self {
        self.gw_priority = priority;
        self
    }
}

/// Asks for addresses on a network.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Decode)]
#[non_exhaustive]
pub struct EndpointIpamConfig {
    /// IPv4 address.
    #[serde(rename = "IPv4Address", skip_serializing_if = "is_default")]
    pub ipv4_address: String,
    /// IPv6 address.
    #[serde(rename = "IPv6Address", skip_serializing_if = "is_default")]
    pub ipv6_address: String,
    /// Link-local addresses.
    #[serde(rename = "LinkLocalIPs", skip_serializing_if = "is_default")]
    pub link_local_ips: Vec<String>,
}
