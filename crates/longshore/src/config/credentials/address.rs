/// What credentials for Docker Hub are kept under.
const HUB: &str = "https://index.docker.io/v1/";

/// The hosts that mean Docker Hub.
const HUB_HOSTS: [&str; 3] = ["docker.io", "index.docker.io", "registry-1.docker.io"];

/// What credentials for a registry may be kept under, the likeliest first.
pub(super) fn keys(registry: &str) -> Vec<&str> {
    match host(registry) {
        // The CLI does not know this name as that of Docker Hub.
        own @ "registry-1.docker.io" => vec![own, HUB],
        host if HUB_HOSTS.contains(&host) => vec![HUB],
        host => vec![host],
    }
}

/// Whether an address, as older versions of the CLI kept credentials under, is of the registry with this key.
pub(super) fn is_of(address: &str, key: &str) -> bool {
    let host = host(address);
    host == key || (key == HUB && HUB_HOSTS.contains(&host))
}

/// The host, and the port if there is one: what is left of an address without scheme, user and path.
fn host(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = rest.split_once('/').map_or(rest, |(authority, _)| authority);
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_is_known_by_its_host_and_port() {
        for (address, expected) in [
            ("ghcr.io", "ghcr.io"),
            ("https://ghcr.io", "ghcr.io"),
            ("http://localhost:5000/v1/", "localhost:5000"),
            ("localhost:5000/v2/", "localhost:5000"),
            ("https://jane@host.example/v1/", "host.example"),
            ("https://[::1]:5000/", "[::1]:5000"),
            ("", ""),
        ] {
            assert_eq!(host(address), expected);
        }
        assert_eq!(keys("https://host.example/v1/"), ["host.example"]);
        assert!(is_of("https://host.example/v1/", "host.example"));
        for other in ["host.example:5000", "example", "other.host.example", "https://example/host.example"] {
            assert!(!is_of(other, "host.example"), "{other}");
        }
    }

    #[test]
    fn docker_hub_has_many_names() {
        for name in ["docker.io", "index.docker.io", "https://index.docker.io/v1/", "http://docker.io"] {
            assert_eq!(keys(name), [HUB], "{name}");
            assert!(is_of(name, HUB), "{name}");
        }
        assert_eq!(keys("registry-1.docker.io"), ["registry-1.docker.io", HUB]);
        assert!(is_of("https://registry-1.docker.io/v2/", HUB) && !is_of("hub.docker.com", HUB));
        assert!(!is_of("docker.io.example.com", HUB) && !is_of("notdocker.io", HUB));
    }
}
