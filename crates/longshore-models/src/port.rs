//! Container ports and where they are published on the host.

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::decode::{self, Decode, Key};
use crate::open_enum::words;
use crate::{SortedMap, is_default};

/// Container ports and the host ports bound to each; a port that is exposed but not bound has an empty list.
pub type PortMap = SortedMap<Port, Vec<PortBinding>>;

/// Names a port of a container, written `80/tcp`.
///
/// An engine's text that is no port number is kept whole: `number` is 0 and `protocol` is [`Protocol::Other`] with
/// that text, so it is written back unchanged.
///
/// ```
/// use longshore_models::{Port, Protocol};
///
/// assert_eq!("53/udp".parse::<Port>()?, Port::udp(53));
/// assert_eq!("80".parse::<Port>()?.protocol, Protocol::Tcp);
/// # Ok::<(), longshore_models::ParsePortError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port {
    /// Port number in the container.
    pub number: u16,
    /// Transport protocol.
    pub protocol: Protocol,
}

impl Port {
    /// Names a TCP port.
    pub fn tcp(number: u16) -> Self {
        Self { number, protocol: Protocol::Tcp }
    }

    /// Names a UDP port.
    pub fn udp(number: u16) -> Self {
        Self { number, protocol: Protocol::Udp }
    }

    /// Names an SCTP port.
    pub fn sctp(number: u16) -> Self {
        Self { number, protocol: Protocol::Sctp }
    }

    /// Takes an engine's key, whatever it says.
    fn from_engine(text: &str) -> Self {
        let (number, protocol) = text.split_once('/').unwrap_or((text, ""));
        match (number.parse(), Protocol::from(protocol)) {
            (Ok(number), protocol) if number > 0 || !matches!(protocol, Protocol::Other(_)) => {
                Self { number, protocol }
            }
            _ => Self { number: 0, protocol: Protocol::Other(text.to_owned()) },
        }
    }
}

impl From<u16> for Port {
    /// Names a TCP port.
    fn from(number: u16) -> Self {
        Self::tcp(number)
    }
}

impl FromStr for Port {
    type Err = ParsePortError;

    /// Reads `80`, `80/tcp`, `53/udp`, `9899/sctp`; refuses port 0 and other protocols.
    fn from_str(text: &str) -> Result<Self, ParsePortError> {
        let (number, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        let number = port_number(number).ok_or_else(|| ParsePortError::new(text, Problem::ContainerPort))?;
        let protocol = Protocol::parse(protocol).ok_or_else(|| ParsePortError::new(text, Problem::Protocol))?;
        Ok(Self { number, protocol })
    }
}

impl fmt::Display for Port {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match (self.number, &self.protocol) {
            (0, Protocol::Other(text)) => formatter.write_str(text),
            (number, protocol) => write!(formatter, "{number}/{protocol}"),
        }
    }
}

impl Serialize for Port {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Port {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        decode::deserialize(deserializer).map(|text: String| Port::from_engine(&text))
    }
}

impl Key for Port {
    fn of(text: &str) -> Self {
        Port::from_engine(text)
    }
}

/// Names a transport protocol.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// TCP; also what no protocol at all means.
    #[default]
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
    /// A word this version does not know.
    Other(String),
}

words!(Protocol { Tcp = "tcp", Udp = "udp", Sctp = "sctp" });

impl Protocol {
    /// Reads a protocol a user wrote: in any case, and only a known one.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        match Self::from(word.to_ascii_lowercase().as_str()) {
            Self::Other(_) => None,
            _ if word.is_empty() => None,
            known => Some(known),
        }
    }
}

/// Binds a container port to an address and port of the host.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Decode)]
#[non_exhaustive]
pub struct PortBinding {
    /// Address of the host it listens on.
    #[serde(rename = "HostIp", skip_serializing_if = "is_default")]
    pub host_ip: HostIp,
    /// Port of the host.
    #[serde(rename = "HostPort", skip_serializing_if = "is_default")]
    pub host_port: HostPort,
}

impl PortBinding {
    /// Binds to an address and a port; `PortBinding::default()` is every address and a port of the engine's choice.
    pub fn new(host_ip: impl Into<HostIp>, host_port: impl Into<HostPort>) -> Self {
        Self { host_ip: host_ip.into(), host_port: host_port.into() }
    }
}

/// Names the host address of a port binding.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum HostIp {
    /// No address was told: the engine's default, which is every address unless configured otherwise.
    #[default]
    Unspecified,
    /// One address; `0.0.0.0` and `::` are every address of their family.
    Address(IpAddr),
    /// Text that is no address by itself, such as an IPv6 address with a zone.
    Other(String),
}

impl HostIp {
    /// Returns the address, if one was told.
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Address(address) => Some(*address),
            _ => None,
        }
    }
}

impl From<&str> for HostIp {
    fn from(text: &str) -> Self {
        match text.parse() {
            Ok(address) => Self::Address(address),
            Err(_) if text.is_empty() => Self::Unspecified,
            Err(_) => Self::Other(text.to_owned()),
        }
    }
}

impl From<IpAddr> for HostIp {
    fn from(address: IpAddr) -> Self {
        Self::Address(address)
    }
}

impl From<Ipv4Addr> for HostIp {
    fn from(address: Ipv4Addr) -> Self {
        Self::Address(address.into())
    }
}

impl From<Ipv6Addr> for HostIp {
    fn from(address: Ipv6Addr) -> Self {
        Self::Address(address.into())
    }
}

impl fmt::Display for HostIp {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Unspecified => Ok(()),
            Self::Address(address) => address.fmt(formatter),
            Self::Other(text) => formatter.pad(text),
        }
    }
}

impl Serialize for HostIp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

decode::from_text!(HostIp);

/// Names the host port of a port binding.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum HostPort {
    /// A free port of the engine's choice (`""` or `"0"`).
    #[default]
    Ephemeral,
    /// One port.
    Number(u16),
    /// A free port among these, both ends included.
    Range {
        /// Lowest port.
        first: u16,
        /// Highest port.
        last: u16,
    },
    /// Text that is none of these.
    Other(String),
}

impl HostPort {
    /// Returns the port, if it is a single one.
    pub fn number(&self) -> Option<u16> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }
}

impl From<&str> for HostPort {
    fn from(text: &str) -> Self {
        match port_range(text) {
            _ if text.is_empty() || text == "0" => Self::Ephemeral,
            Some((first, last)) if first == last => Self::Number(first),
            Some((first, last)) => Self::Range { first, last },
            None => Self::Other(text.to_owned()),
        }
    }
}

impl From<u16> for HostPort {
    /// Names one port; 0 is a port of the engine's choice.
    fn from(number: u16) -> Self {
        match number {
            0 => Self::Ephemeral,
            _ => Self::Number(number),
        }
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Ephemeral => Ok(()),
            Self::Number(number) => number.fmt(formatter),
            Self::Range { first, last } => write!(formatter, "{first}-{last}"),
            Self::Other(text) => formatter.pad(text),
        }
    }
}

impl Serialize for HostPort {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

decode::from_text!(HostPort);

/// Says where a container port is reachable, as the container list tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[non_exhaustive]
pub struct PublishedPort {
    /// Address of the host; unspecified if the port is not published.
    #[serde(rename = "IP")]
    pub host_ip: HostIp,
    /// Port in the container.
    #[serde(rename = "PrivatePort")]
    pub container_port: u16,
    /// Port of the host; `None` if the port is exposed but not published.
    #[serde(rename = "PublicPort")]
    pub host_port: Option<u16>,
    /// Transport protocol.
    #[serde(rename = "Type")]
    pub protocol: Protocol,
}

/// Reads a port from 1 to 65535; a sign or space is none.
pub(crate) fn port_number(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && *number > 0)
}

/// Reads `80` or `8000-8010`: the first and the last port.
pub(crate) fn port_range(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (port_number(first)?, port_number(last)?);
    (first <= last).then_some((first, last))
}

/// Tells why a text names no port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsePortError {
    text: String,
    problem: Problem,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Problem {
    ContainerPort,
    HostPort,
    HostIp,
    Protocol,
    Lengths,
    ServiceIp,
    ServiceRange,
}

impl ParsePortError {
    pub(crate) fn new(text: &str, problem: Problem) -> Self {
        Self { text: text.to_owned(), problem }
    }
}

impl fmt::Display for ParsePortError {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let problem = match self.problem {
            Problem::ContainerPort => "the container port is not a number from 1 to 65535",
            Problem::HostPort => "the host port is not a number from 1 to 65535",
            Problem::HostIp => "the host address is not an IP address",
            Problem::Protocol => "the protocol is not tcp, udp or sctp",
            Problem::Lengths => "the ranges of host and container ports differ in length",
            Problem::ServiceIp => "a service can't be published on one host address",
            Problem::ServiceRange => "a service can't be published on any of a range of host ports",
        };
        write!(formatter, "invalid port `{}`: {problem}", self.text)
    }
}

impl Error for ParsePortError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::from_slice;

    #[test]
    fn keeps_every_key_an_engine_may_send() {
        let json = r#"{"":null,"0/tcp":[],"53/udp":[{"HostIp":"::","HostPort":"53"}],"80":null,"80-90/tcp":null,"80/tcp":null,"80/weird":null,"0/weird":null,"http":null}"#;
        let map: PortMap = from_slice(json.as_bytes()).unwrap();
        let keys: Vec<String> = map.keys().map(Port::to_string).collect();
        assert_eq!(keys, ["0/tcp", "", "0/weird", "80-90/tcp", "http", "53/udp", "80/tcp", "80/weird"]);
        assert_eq!(map[&Port::udp(53)], [PortBinding::new(Ipv6Addr::UNSPECIFIED, 53)]);
        let again: PortMap = from_slice(serde_json::to_string(&map).unwrap().as_bytes()).unwrap();
        assert_eq!(again, map);
    }

    #[test]
    fn reads_bindings() {
        let cases = [
            ("", "", HostIp::Unspecified, HostPort::Ephemeral),
            ("0.0.0.0", "0", Ipv4Addr::UNSPECIFIED.into(), HostPort::Ephemeral),
            ("127.0.0.1", "8080", Ipv4Addr::LOCALHOST.into(), HostPort::Number(8080)),
            ("::1", "8000-8010", Ipv6Addr::LOCALHOST.into(), HostPort::Range { first: 8000, last: 8010 }),
            ("fe80::1%eth0", "9-8", HostIp::Other("fe80::1%eth0".into()), HostPort::Other("9-8".into())),
        ];
        for (host_ip, host_port, ip, port) in cases {
            let json = serde_json::json!({"HostIp": host_ip, "HostPort": host_port}).to_string();
            let binding: PortBinding = from_slice(json.as_bytes()).unwrap();
            assert_eq!(binding, PortBinding { host_ip: ip, host_port: port });
            let again = serde_json::to_vec(&binding).unwrap();
            assert_eq!(from_slice::<PortBinding>(&again).unwrap(), binding);
        }
        assert_eq!(serde_json::to_string(&PortBinding::default()).unwrap(), "{}");
    }

    #[test]
    fn refuses_what_a_user_should_not_write() {
        for text in ["", "0", "65536", "80/", "80/icmp", "+80", "80-81", " 80", "-1", "80/tcp/tcp"] {
            assert!(text.parse::<Port>().is_err(), "{text}");
        }
        assert_eq!("53/UDP".parse(), Ok(Port::udp(53)));
    }
}
