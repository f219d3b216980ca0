use longshore_models::{NetworkInspect, Raw, Scope};
use longshore_wire::version::ApiVersion;

use super::{Network, request};
use crate::error::Result;
use crate::http::{Method, Request};

/// What to tell of a network.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct NetworkInspectOptions {
    /// Whether to tell the services connected to a network of the swarm, and their tasks; API 1.28+.
    pub verbose: bool,
    /// How far the network must reach, where several have the same name; any unless set. API 1.31+.
    pub scope: Option<Scope>,
}

impl NetworkInspectOptions {
    /// Tells the services connected to a network of the swarm, and their tasks: fills `services`. API 1.28+.
    #[must_use]
    pub fn verbose(mut self) -> Self {
        self.verbose = true;
        self
    }

    /// Finds only a network that reaches so far; Podman reads over it. API 1.31+.
    #[must_use]
    pub fn scope(mut self, scope: Scope) -> Self {
        self.scope = Some(scope);
        self
    }
}

impl Network {
    /// Tells everything about the network, with the containers connected to it.
    ///
    /// `GET /networks/{id}`, API 1.24+. Containers that don't run are not among those connected.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Invalid`](crate::ErrorKind::Invalid) when several networks have the
    /// name.
    ///
    /// # Cancel safety
    /// Nothing happens when the future is dropped.
    #[doc(alias = "show")]
    pub async fn inspect(&self) -> Result<Raw<NetworkInspect>> {
        self.inspect_with(&NetworkInspectOptions::default()).await
    }

    /// Tells about the network what `options` say; see [`inspect`](Network::inspect).
    ///
    /// # Errors
    /// As [`inspect`](Network::inspect), and [`Unsupported`](crate::ErrorKind::Unsupported) for options of a newer API.
    ///
    /// # Cancel safety
    /// As [`inspect`](Network::inspect).
    pub async fn inspect_with(&self, options: &NetworkInspectOptions) -> Result<Raw<NetworkInspect>> {
        self.docker.send(inspect(&self.id, options)?).await?.raw().await
    }
}

fn inspect(id: &str, options: &NetworkInspectOptions) -> Result<Request> {
    let mut request = request(Method::Get, "inspect network", id, "")?;
    request.query.flag("verbose", options.verbose).optional("scope", options.scope.as_ref());
    if options.verbose {
        request.needs("the services of a network", ApiVersion::new(1, 28));
    }
    if options.scope.is_some() {
        request.needs("the scope of a network to inspect", ApiVersion::new(1, 31));
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(text(inspect("backend", &NetworkInspectOptions::default())), "GET /networks/backend");
        let request = inspect("a b", &NetworkInspectOptions::default().verbose().scope(Scope::Swarm)).unwrap();
        let needs = [
            ("the services of a network", ApiVersion::new(1, 28)),
            ("the scope of a network to inspect", ApiVersion::new(1, 31)),
        ];
        assert_eq!(request.needs, needs);
        assert_eq!(text(Ok(request)), "GET /networks/a%20b?verbose=1&scope=swarm");
    }
}
