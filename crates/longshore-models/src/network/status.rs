//! How much of a network is in use.

use crate::SortedMap;
use crate::decode::Decode;

/// Tells how much of a network is in use, API 1.52+.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[non_exhaustive]
pub struct NetworkStatus {
    /// Its addresses.
    #[serde(rename = "IPAM")]
    pub ipam: IpamStatus,
}

/// Tells how many addresses of a network are in use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct IpamStatus {
    /// Its ranges of addresses, such as `172.16.0.0/16`.
    pub subnets: SortedMap<String, SubnetStatus>,
}

/// Tells how many addresses of a range are in use. More than a `u64` can tell are `u64::MAX`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[non_exhaustive]
pub struct SubnetStatus {
    /// Number of addresses that are in use or never given out.
    #[serde(rename = "IPsInUse")]
    pub ips_in_use: u64,
    /// Number of addresses that can still be given out to those who ask for none in particular.
    #[serde(rename = "DynamicIPsAvailable")]
    pub dynamic_ips_available: u64,
}
