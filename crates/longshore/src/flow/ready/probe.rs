use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use longshore_models::{ContainerInspect, Port};
use longshore_wire::endpoint::Endpoint;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::docker::Docker;

/// How long to wait before a port is tried again, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// How long a connection may take to be opened.
const OPENED_WITHIN: Duration = Duration::from_secs(5);

/// How long a connection has to stay open. The engine's proxy accepts connections before the container listens, and
/// closes them once it has tried in vain.
const HELD_FOR: Duration = Duration::from_millis(50);

/// Ends when a port accepts.
type Probe = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Tries ports of a container while it runs.
pub(super) struct Probes {
    host: String,
    ports: Vec<Port>,
    probes: Vec<(Port, Probe)>,
}

impl Probes {
    pub(super) fn new(docker: &Docker, ports: Vec<Port>) -> Self {
        let host = match docker.host().parse() {
            Ok(Endpoint::Tcp { host, .. }) => host,
            _ => Ipv4Addr::LOCALHOST.to_string(),
        };
        Probes { host, ports, probes: Vec::new() }
    }

    /// Begins to try those that are not tried yet.
    pub(super) fn start(&mut self, inspect: &ContainerInspect) {
        for port in &self.ports {
            if self.probes.iter().all(|(probed, _)| probed != port)
                && let Some((host, number)) = address(&self.host, inspect, port)
            {
                self.probes.push((port.clone(), Box::pin(until_accepted(host, number))));
            }
        }
    }

    pub(super) fn stop(&mut self, accepted: &mut Vec<Port>) {
        self.probes.clear();
        accepted.clear();
    }

    /// Is ready when a port has begun to accept.
    pub(super) fn poll(&mut self, accepted: &mut Vec<Port>, context: &mut Context<'_>) -> Poll<()> {
        for (port, probe) in &mut self.probes {
            if !accepted.contains(port) && probe.as_mut().poll(context).is_ready() {
                accepted.push(port.clone());
                return Poll::Ready(());
            }
        }
        Poll::Pending
    }
}

/// Where a port is reached from here.
fn address(host: &str, inspect: &ContainerInspect, port: &Port) -> Option<(String, u16)> {
    if inspect.host_config.network_mode == "host" {
        return Some((host.to_owned(), port.number));
    }
    let binding = inspect.network_settings.ports.get(port)?.first()?;
    let host = match binding.host_ip.address() {
        Some(IpAddr::V4(Ipv4Addr::UNSPECIFIED)) | None => host.to_owned(),
        Some(IpAddr::V6(Ipv6Addr::UNSPECIFIED)) => Ipv6Addr::LOCALHOST.to_string(),
        Some(address) => address.to_string(),
    };
    Some((host, binding.host_port.number()?))
}

async fn until_accepted(host: String, port: u16) {
    let mut pause = PAUSES.0;
    while !accepts(&host, port).await {
        sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}

async fn accepts(host: &str, port: u16) -> bool {
    let Ok(Ok(mut stream)) = timeout(OPENED_WITHIN, TcpStream::connect((host, port))).await else { return false };
    match timeout(HELD_FOR, stream.read_u8()).await {
        // Still open, or it speaks first.
        Err(_) | Ok(Ok(_)) => true,
        Ok(Err(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use longshore_models::decode;
    use tokio::net::TcpListener;

    use super::*;

    fn inspect(json: &str) -> ContainerInspect {
        decode::from_slice(json.as_bytes()).unwrap()
    }

    #[test]
    fn ports_are_tried_where_they_are_published() {
        let published = inspect(
            r#"{"NetworkSettings": {"Ports": {
                "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}, {"HostIp": "::", "HostPort": "8081"}],
                "81/tcp": [{"HostIp": "10.0.0.7", "HostPort": "81"}],
                "82/tcp": [{"HostIp": "::", "HostPort": "82"}],
                "83/tcp": null}}}"#,
        );
        let of = |port: u16| address("engine", &published, &Port::tcp(port));
        assert_eq!(of(80), Some(("engine".to_owned(), 8080)));
        assert_eq!(of(81), Some(("10.0.0.7".to_owned(), 81)));
        assert_eq!(of(82), Some(("::1".to_owned(), 82)));
        assert_eq!((of(83), of(84)), (None, None));
        let with_the_host_s = inspect(r#"{"HostConfig": {"NetworkMode": "host"}}"#);
        assert_eq!(address("engine", &with_the_host_s, &Port::tcp(84)), Some(("engine".to_owned(), 84)));
    }

    #[tokio::test]
    async fn what_closes_at_once_does_not_accept() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let closing = async { drop(listener.accept().await.unwrap()) };
        assert!(!tokio::join!(accepts("127.0.0.1", port), closing).0);
        let holding = async { listener.accept().await.unwrap() };
        let (accepted, held) = tokio::join!(accepts("127.0.0.1", port), holding);
        assert!(accepted);
        drop((held, listener));
        assert!(!accepts("127.0.0.1", port).await);
    }
}
