//! Ports, where they are published, and ranges of addresses.

use longshore_models::{HostIp, HostPort, Port, Publish, Subnet};

/// Reads these bytes as each of them, writes what came of it, and reads that.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(port) = text.parse::<Port>() {
        assert_eq!(port.to_string().parse(), Ok(port));
    }
    if let Ok(subnet) = text.parse::<Subnet>() {
        assert_eq!(subnet.to_string().parse(), Ok(subnet));
        assert!(subnet.contains(subnet.address()));
    }
    let (ip, port) = (HostIp::from(text), HostPort::from(text));
    assert_eq!(HostIp::from(ip.to_string().as_str()), ip);
    assert_eq!(HostPort::from(port.to_string().as_str()), port);
    match Publish::parse(text) {
        Ok(publish) => bindings(&publish, text),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn bindings(publish: &Publish, text: &str) {
    let mut count = 0;
    for (port, binding) in publish.bindings().take(1000) {
        assert!(port.number > 0, "{text:?}");
        // Each alone reads as it is written, the address in brackets if need be.
        let address = binding.host_ip.address();
        let ip = address.map_or_else(String::new, |ip| if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() });
        let written = format!("{ip}:{}:{port}", binding.host_port);
        let again = Publish::parse(&written).unwrap_or_else(|error| panic!("{text:?} gives {written:?}: {error}"));
        assert_eq!(again.bindings().collect::<Vec<_>>(), [(port, binding)], "{text:?} gives {written:?}");
        count += 1;
    }
    assert!(count > 0, "{text:?} publishes nothing");
}
