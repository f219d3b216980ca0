//! Looking up where ports are published.

use longshore::{Container, ErrorKind, Port, PortBinding, Result};
use longshore_testkit::live::Live;

use crate::harness::{Outcome, Test, test};
use crate::support::refused;

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test(a_port_leads_to_its_bindings),
        test(a_number_means_tcp_before_udp),
        test(what_is_not_published_has_no_bindings),
        test(the_host_s_network_has_no_bindings),
        test(what_is_no_port_is_refused),
    ]
}

/// The addresses and port numbers of bindings.
fn addresses(bindings: &[PortBinding]) -> Vec<(String, u16)> {
    let number = |binding: &PortBinding| binding.host_port.number().unwrap_or_default();
    bindings.iter().map(|binding| (binding.host_ip.to_string(), number(binding))).collect()
}

/// A container with tcp 80 on a port that the engine picks, tcp and udp 53 on two others, udp 69, and 443 exposed only.
/// The engine may pick the same number for tcp and for udp, so these two differ in their address.
async fn web(live: &Live) -> Result<Container> {
    let spec = live.connected_spec("sleep 1000").expose(Port::tcp(443));
    let spec = ["127.0.0.1::80", "127.0.0.1::53/tcp", "127.0.0.2::53/udp", "127.0.0.1::69/udp"]
        .into_iter()
        .fold(spec, |spec, ports| spec.publish(ports).expect("a port"));
    live.start(spec).await
}

async fn a_port_leads_to_its_bindings(live: Live) -> Outcome {
    let web = web(&live).await?;
    let by_number = web.port(80).await?;
    let [(address, number)] = &addresses(&by_number)[..] else { panic!("{by_number:?}") };
    assert_eq!(address, "127.0.0.1");
    assert!(*number > 0);
    assert_eq!(web.port("80").await?, by_number);
    assert_eq!(web.port("80/tcp").await?, by_number);
    assert_eq!(web.port(Port::tcp(80)).await?, by_number);
    Ok(())
}

async fn a_number_means_tcp_before_udp(live: Live) -> Outcome {
    let web = web(&live).await?;
    let (tcp, udp) = (web.port("53/tcp").await?, web.port("53/udp").await?);
    assert!(tcp != udp && !tcp.is_empty() && !udp.is_empty(), "{tcp:?} {udp:?}");
    assert_eq!(web.port(53).await?, tcp);
    assert_eq!(web.port(69).await?, web.port("69/udp").await?);
    assert_eq!(web.port("69").await?.len(), 1);
    assert_eq!(web.port("69/tcp").await?, []);
    Ok(())
}

async fn what_is_not_published_has_no_bindings(live: Live) -> Outcome {
    let web = web(&live).await?;
    assert_eq!(web.port(443).await?, []);
    assert_eq!(web.port(1234).await?, []);
    Ok(())
}

async fn the_host_s_network_has_no_bindings(live: Live) -> Outcome {
    let spec = live.spec("sleep 1000").expose(Port::tcp(80));
    let container = live.start(spec).await?;
    assert_eq!(container.port(80).await?, []);
    Ok(())
}

async fn what_is_no_port_is_refused(live: Live) -> Outcome {
    let container = live.shared().await?;
    for text in ["", "0", "http", "80/icmp", "65536"] {
        refused(container.port(text).await, &[ErrorKind::Invalid]);
    }
    refused(live.container(live.name()).port(80).await, &[ErrorKind::NotFound]);
    Ok(())
}
