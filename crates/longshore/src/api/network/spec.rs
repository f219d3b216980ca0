use longshore_models::{ConfigReference, IpamConfig, NetworkCreate, ParseSubnetError, Scope};
use serde_json::Value;

use crate::api::set;
use crate::error::{Operation, Result};

/// What a network is made from: its name and all its settings.
///
/// What has no setter is a field of [`config`](NetworkSpec::config), and what this version of the library does not know
/// yet can be [`set`](NetworkSpec::set) by its path.
///
/// ```
/// use longshore::NetworkSpec;
///
/// let spec = NetworkSpec::new("backend").subnet("172.20.0.0/16")?.label("team", "core").internal();
/// # Ok::<(), longshore::ParseSubnetError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NetworkSpec {
    /// Everything that can be asked for.
    pub config: NetworkCreate,
    set: Vec<(String, Value)>,
}

impl NetworkSpec {
    /// A network of this name, of the driver `bridge`. A name that is taken is refused.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        let mut config = NetworkCreate::default();
        config.name = name.into();
        config.check_duplicate = true;
        NetworkSpec { config, set: Vec::new() }
    }

    /// Picks the driver, such as `bridge`, `macvlan` or `overlay`.
    #[must_use]
    pub fn driver(mut self, name: impl Into<String>) -> Self {
        self.config.driver = name.into();
        self
    }

    /// Says how far the network reaches, where its driver leaves that open.
    #[must_use]
    pub fn scope(mut self, scope: Scope) -> Self {
        self.config.scope = scope;
        self
    }

    /// Lets its containers reach each other only, not what is outside.
    #[must_use]
    pub fn internal(mut self) -> Self {
        self.config.internal = true;
        self
    }

    /// Lets containers that belong to no service connect to a network of the swarm.
    #[must_use]
    pub fn attachable(mut self) -> Self {
        self.config.attachable = true;
        self
    }

    /// Makes it the network over which a swarm publishes ports. There can be only one.
    #[must_use]
    pub fn ingress(mut self) -> Self {
        self.config.ingress = true;
        self
    }

    /// Makes it a set of settings for networks of the swarm on this node, to which nothing can be connected.
    #[must_use]
    pub fn config_only(mut self) -> Self {
        self.config.config_only = true;
        self
    }

    /// Takes the settings of another network, which is [only settings](NetworkSpec::config_only), by its name.
    #[must_use]
    pub fn config_from(mut self, network: impl Into<String>) -> Self {
        self.config.config_from = ConfigReference::new(network);
        self
    }

    /// Adds a range of addresses, such as `172.20.0.0/16` or `fd00:1::/64`; an IPv6 one needs
    /// [`ipv6`](NetworkSpec::ipv6).
    ///
    /// # Errors
    /// [`ParseSubnetError`] when the text names no range.
    pub fn subnet(self, range: &str) -> Result<Self, ParseSubnetError> {
        Ok(self.pool(IpamConfig::new(range.parse()?)))
    }

    /// Adds a range of addresses, with its gateway and more.
    ///
    /// ```
    /// use longshore::NetworkSpec;
    /// use longshore::models::IpamConfig;
    /// use std::net::Ipv4Addr;
    ///
    /// let pool = IpamConfig::new("172.20.0.0/16".parse()?).gateway(Ipv4Addr::new(172, 20, 0, 254));
    /// let spec = NetworkSpec::new("backend").pool(pool);
    /// # Ok::<(), longshore::ParseSubnetError>(())
    /// ```
    #[must_use]
    pub fn pool(mut self, pool: IpamConfig) -> Self {
        self.config.ipam.config.push(pool);
        self
    }

    /// Picks the driver that gives out addresses.
    #[must_use]
    pub fn ipam_driver(mut self, name: impl Into<String>) -> Self {
        self.config.ipam.driver = name.into();
        self
    }

    /// Sets an option that the driver of addresses understands.
    #[must_use]
    pub fn ipam_option(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.config.ipam.options.insert(key.into(), value.into());
        self
    }

    /// Gives it IPv6 addresses.
    #[must_use]
    pub fn ipv6(mut self) -> Self {
        self.config.enable_ipv6 = Some(true);
        self
    }

    /// Gives it no IPv6 addresses, even where the engine is configured to.
    #[must_use]
    pub fn without_ipv6(mut self) -> Self {
        self.config.enable_ipv6 = Some(false);
        self
    }

    /// Gives it no IPv4 addresses. API 1.48+.
    #[must_use]
    pub fn without_ipv4(mut self) -> Self {
        self.config.enable_ipv4 = Some(false);
        self
    }

    /// Sets an option that the driver understands, such as `com.docker.network.driver.mtu`.
    #[must_use]
    #[doc(alias = "driver_opt")]
    pub fn option(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.config.options.insert(key.into(), value.into());
        self
    }

    /// Sets a label.
    #[must_use]
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.config.labels.insert(name.into(), value.into());
        self
    }

    /// Sets any property of the request by its path, such as `IPAM.NewField`, over whatever else is set there.
    #[must_use]
    pub fn set(mut self, path: impl Into<String>, value: impl Into<Value>) -> Self {
        self.set.push((path.into(), value.into()));
        self
    }

    /// The JSON of the request.
    pub(super) fn to_json(&self, operation: &Operation) -> Result<Value> {
        set::to_json(operation, &self.config, &self.set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::net::{Ipv4Addr, Ipv6Addr};

    fn json(spec: &NetworkSpec) -> Value {
        spec.to_json(&Operation::new("create network")).unwrap()
    }

    #[test]
    fn a_plain_spec_says_no_more_than_its_name() {
        assert_eq!(json(&NetworkSpec::new("a")), json!({ "Name": "a", "CheckDuplicate": true }));
    }

    #[test]
    fn setters_write_what_the_engine_reads() {
        let pool = IpamConfig::new("10.1.0.0/16".parse().unwrap())
            .ip_range("10.1.2.0/24".parse().unwrap())
            .gateway(Ipv4Addr::new(10, 1, 0, 1))
            .auxiliary_address("router", Ipv4Addr::new(10, 1, 0, 5));
        let spec = NetworkSpec::new("a")
            .driver("overlay")
            .scope(Scope::Swarm)
            .internal()
            .attachable()
            .ingress()
            .config_only()
            .config_from("settings")
            .pool(pool)
            .subnet("fd00:1::/64")
            .unwrap()
            .ipam_driver("default")
            .ipam_option("serial", "yes")
            .ipv6()
            .without_ipv4()
            .option("com.docker.network.driver.mtu", "1400")
            .label("team", "core")
            .set("IPAM.NewField", 7)
            .set("Internal", false);
        assert_eq!(
            json(&spec),
            json!({
                "Name": "a",
                "CheckDuplicate": true,
                "Driver": "overlay",
                "Scope": "swarm",
                "Internal": false,
                "Attachable": true,
                "Ingress": true,
                "ConfigOnly": true,
                "ConfigFrom": { "Network": "settings" },
                "IPAM": {
                    "Driver": "default",
                    "Config": [
                        {
                            "Subnet": "10.1.0.0/16",
                            "IPRange": "10.1.2.0/24",
                            "Gateway": "10.1.0.1",
                            "AuxiliaryAddresses": { "router": "10.1.0.5" },
                        },
                        { "Subnet": "fd00:1::/64" },
                    ],
                    "Options": { "serial": "yes" },
                    "NewField": 7,
                },
                "EnableIPv4": false,
                "EnableIPv6": true,
                "Options": { "com.docker.network.driver.mtu": "1400" },
                "Labels": { "team": "core" },
            })
        );
        assert_eq!(json(&NetworkSpec::new("a").without_ipv6())["EnableIPv6"], false);
    }

    #[test]
    fn what_is_no_range_is_refused_before_the_call() {
        assert!(NetworkSpec::new("a").subnet("10.0.0.0").is_err());
        let gateway = IpamConfig::default().gateway(Ipv6Addr::LOCALHOST).gateway;
        assert_eq!(gateway, "::1");
    }
}
