use longshore_models::LocalNodeState;
use longshore_wire::head::ResponseHead;
use longshore_wire::version::ApiVersion;

use crate::docker::Docker;
use crate::error::{Operation, Result};

/// What an engine tells when it is asked whether it is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ping {
    /// The newest API version it speaks.
    pub api_version: Option<ApiVersion>,
    /// The operating system of its containers, such as `linux`; Podman 4 does not tell.
    pub os_type: Option<String>,
    /// The builder it prefers: `1` the classic one, `2` BuildKit.
    pub builder_version: Option<String>,
    /// Whether its experimental features are on.
    pub experimental: bool,
    /// How it takes part in a swarm; API 1.42+.
    pub swarm: Option<SwarmMembership>,
}

/// How an engine takes part in a swarm.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SwarmMembership {
    /// Whether it does.
    pub state: LocalNodeState,
    /// Whether it is a manager of the swarm, so that the swarm can be ruled through it.
    pub manager: bool,
}

impl Docker {
    /// Asks the engine whether it is there.
    ///
    /// `HEAD /_ping`, API 1.40+, or `GET /_ping` where that is refused.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// let engine = docker.ping().await?;
    /// println!("{:?} {:?}", engine.os_type, engine.api_version);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Connect`](crate::ErrorKind::Connect) when nothing listens there, [`Timeout`](crate::ErrorKind::Timeout) when
    /// it does not answer, [`Protocol`](crate::ErrorKind::Protocol) when it speaks no HTTP, and whatever it refuses the
    /// ping with.
    ///
    /// # Cancel safety
    /// Nothing happens when the future is dropped.
    pub async fn ping(&self) -> Result<Ping> {
        let response = self.ping_head(&Operation::new("ping")).await?;
        let ping = Ping::read(response.head());
        response.finish().await?;
        Ok(ping)
    }
}

impl Ping {
    fn read(head: &ResponseHead) -> Self {
        let text = |name| head.header(name).filter(|value| !value.is_empty());
        Ping {
            api_version: text("Api-Version").and_then(|version| version.parse().ok()),
            os_type: text("Ostype").map(str::to_owned),
            builder_version: text("Builder-Version").map(str::to_owned),
            experimental: text("Docker-Experimental") == Some("true"),
            swarm: text("Swarm").map(SwarmMembership::read),
        }
    }
}

impl SwarmMembership {
    /// Reads `inactive` or `active/manager`.
    fn read(text: &str) -> Self {
        let (state, role) = text.split_once('/').unwrap_or((text, ""));
        SwarmMembership { state: LocalNodeState::from(state), manager: role == "manager" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use longshore_wire::head;

    fn read(fields: &str) -> Ping {
        let text = format!("HTTP/1.1 200 OK\r\n{fields}\r\n");
        Ping::read(&head::parse(text.as_bytes()).unwrap().unwrap().0)
    }

    #[test]
    fn a_ping_is_read_from_the_head() {
        let ping = read(
            "Api-Version: 1.51\r\nBuilder-Version: 2\r\nDocker-Experimental: true\r\nOstype: linux\r\n\
             Swarm: active/manager\r\n",
        );
        assert_eq!(ping.api_version, Some(ApiVersion::new(1, 51)));
        assert_eq!(ping.os_type.as_deref(), Some("linux"));
        assert_eq!(ping.builder_version.as_deref(), Some("2"));
        assert!(ping.experimental);
        let swarm = |fields| read(fields).swarm.map(|swarm| (swarm.state, swarm.manager));
        assert_eq!(swarm("Swarm: active/manager\r\n"), Some((LocalNodeState::Active, true)));
        assert_eq!(swarm("Swarm: active/worker\r\n"), Some((LocalNodeState::Active, false)));
        assert_eq!(swarm("Swarm: inactive\r\n"), Some((LocalNodeState::Inactive, false)));
        assert_eq!(swarm("Swarm: odd/one\r\n"), Some((LocalNodeState::Other("odd".to_owned()), false)));
        assert_eq!(read("Api-Version: soon\r\nDocker-Experimental: false\r\n"), Ping::default());
    }
}
