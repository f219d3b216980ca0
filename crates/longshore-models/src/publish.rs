//! The short way to write a published port: `127.0.0.1:8080:80/tcp`.

use std::net::IpAddr;
use std::str::FromStr;

use crate::port::{HostIp, HostPort, ParsePortError, Port, PortBinding, Problem, Protocol, port_range};

/// Publishes one container port, or a range of them, on the host.
///
/// The syntax is the command line's: `[[host address]:][host ports]:container ports[/protocol]`. An IPv6 address
/// stands in brackets. Without a host port the engine picks one. A range of container ports needs as many host ports;
/// for one container port, a range of host ports lets the engine pick a free one among them.
///
/// ```
/// use longshore_models::{Port, PortBinding, Publish};
///
/// let publish = Publish::parse("[::1]:8000-8001:80-81/udp")?;
/// let ports: Vec<(Port, PortBinding)> = publish.bindings().collect();
/// assert_eq!(ports[1].0, Port::udp(81));
/// assert_eq!(ports[1].1.host_port.number(), Some(8001));
///
/// let error = Publish::parse("8080:http").unwrap_err();
/// assert_eq!(error.to_string(), "invalid port `8080:http`: the container port is not a number from 1 to 65535");
/// # Ok::<(), longshore_models::ParsePortError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Publish {
    host_ip: HostIp,
    /// As many host ports as container ports; or any number for one container port; or none.
    host_ports: Option<(u16, u16)>,
    container_ports: (u16, u16),
    protocol: Protocol,
}

impl Publish {
    /// Reads the command line's syntax.
    ///
    /// # Errors
    /// Names the text and what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, ParsePortError> {
        let error = |problem| ParsePortError::new(text, problem);
        let (addresses, protocol) = text.rsplit_once('/').unwrap_or((text, "tcp"));
        let protocol = Protocol::parse(protocol).ok_or_else(|| error(Problem::Protocol))?;
        let (host, container) = addresses.rsplit_once(':').unwrap_or(("", addresses));
        let container_ports = port_range(container).ok_or_else(|| error(Problem::ContainerPort))?;
        let (host_ip, host) = match host.rsplit_once(':') {
            Some((ip, host)) => (host_address(ip).ok_or_else(|| error(Problem::HostIp))?, host),
            None => (HostIp::Unspecified, host),
        };
        let host_ports = match host {
            "" | "0" => None,
            _ => Some(port_range(host).ok_or_else(|| error(Problem::HostPort))?),
        };
        let length = |(first, last): (u16, u16)| last - first;
        match host_ports {
            Some(host_ports) if length(container_ports) > 0 && length(container_ports) != length(host_ports) => {
                Err(error(Problem::Lengths))
            }
            _ => Ok(Self { host_ip, host_ports, container_ports, protocol }),
        }
    }

    /// Goes through the container ports, each with the binding it asks for.
    pub fn bindings(&self) -> impl Iterator<Item = (Port, PortBinding)> + '_ {
        let (first, last) = self.container_ports;
        (first..=last).map(move |number| {
            let host_port = match self.host_ports {
                None => HostPort::Ephemeral,
                Some((low, high)) if first == last && low != high => HostPort::Range { first: low, last: high },
                Some((low, _)) => HostPort::Number(low + (number - first)),
            };
            let port = Port { number, protocol: self.protocol.clone() };
            (port, PortBinding::new(self.host_ip.clone(), host_port))
        })
    }
}

impl FromStr for Publish {
    type Err = ParsePortError;

    fn from_str(text: &str) -> Result<Self, ParsePortError> {
        Self::parse(text)
    }
}

impl From<Port> for Publish {
    /// Publishes the port on a host port of the engine's choice.
    fn from(port: Port) -> Self {
        let container_ports = (port.number, port.number);
        Self { host_ip: HostIp::Unspecified, host_ports: None, container_ports, protocol: port.protocol }
    }
}

fn host_address(text: &str) -> Option<HostIp> {
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    match inner {
        _ if text.is_empty() => Some(HostIp::Unspecified),
        Some(inner) => inner.parse().ok().filter(IpAddr::is_ipv6).map(HostIp::Address),
        None => text.parse().ok().map(HostIp::Address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bindings(text: &str) -> Vec<String> {
        let publish = Publish::parse(text).unwrap();
        let show = |(port, binding): (Port, PortBinding)| format!("{}|{}|{port}", binding.host_ip, binding.host_port);
        publish.bindings().map(show).collect()
    }

    #[test]
    fn reads_the_syntax_of_the_command_line() {
        assert_eq!(bindings("80"), ["||80/tcp"]);
        assert_eq!(bindings(":80"), ["||80/tcp"]);
        assert_eq!(bindings("53/udp"), ["||53/udp"]);
        assert_eq!(bindings("8080:80"), ["|8080|80/tcp"]);
        assert_eq!(bindings("0:80"), ["||80/tcp"]);
        assert_eq!(bindings("127.0.0.1:8080:80/tcp"), ["127.0.0.1|8080|80/tcp"]);
        assert_eq!(bindings("127.0.0.1::80"), ["127.0.0.1||80/tcp"]);
        assert_eq!(bindings("[::1]:8080:80"), ["::1|8080|80/tcp"]);
        assert_eq!(bindings("::1:8080:80"), ["::1|8080|80/tcp"]);
        assert_eq!(bindings("8000-8010:80"), ["|8000-8010|80/tcp"]);
        assert_eq!(bindings("8000-8002:80-82"), ["|8000|80/tcp", "|8001|81/tcp", "|8002|82/tcp"]);
        assert_eq!(bindings("80-81/SCTP"), ["||80/sctp", "||81/sctp"]);
        assert_eq!(bindings("65535:65535"), ["|65535|65535/tcp"]);
    }

    #[test]
    fn says_what_is_wrong() {
        let cases = [
            ("", Problem::ContainerPort),
            ("8080:", Problem::ContainerPort),
            ("80:0", Problem::ContainerPort),
            ("81-80", Problem::ContainerPort),
            ("http:80", Problem::HostPort),
            ("70000:80", Problem::HostPort),
            ("localhost:80:80", Problem::HostIp),
            ("[127.0.0.1]:80:80", Problem::HostIp),
            ("1:2:3:4", Problem::HostIp),
            ("80/", Problem::Protocol),
            ("80/tcp/udp", Problem::ContainerPort),
            ("80/icmp", Problem::Protocol),
            ("8000-8001:80-82", Problem::Lengths),
            ("8000:80-82", Problem::Lengths),
            ("é:80", Problem::HostPort),
        ];
        for (text, problem) in cases {
            assert_eq!(Publish::parse(text), Err(ParsePortError::new(text, problem)), "{text}");
        }
    }
}
