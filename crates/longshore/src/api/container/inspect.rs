use std::fmt::Display;

use longshore_models::{ContainerInspect, ContainerTop, FilesystemChange, Port, PortBinding, PortMap, Protocol, Raw};

use super::{Container, request};
use crate::error::{ErrorKind, Operation, Result};
use crate::http::{Method, Request};

/// What to tell of a container.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct InspectOptions {
    /// Whether to measure how much it takes on disk, which costs the engine time.
    pub size: bool,
}

impl InspectOptions {
    /// Measures how much it takes on disk: fills `size_rw` and `size_root_fs`.
    #[must_use]
    pub fn size(mut self) -> Self {
        self.size = true;
        self
    }
}

/// How to list the processes of a container.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct TopOptions {
    /// The arguments of `ps`, such as `aux`; `-ef` unless set.
    pub ps_args: Option<String>,
}

impl TopOptions {
    /// Runs `ps` with these arguments, such as `aux` or `-o pid,args`; the process id must be among the columns.
    #[must_use]
    pub fn ps_args(mut self, arguments: impl Into<String>) -> Self {
        self.ps_args = Some(arguments.into());
        self
    }
}

impl Container {
    /// Tells everything about the container.
    ///
    /// `GET /containers/{id}/json`, API 1.24+. What the types don't have is in the JSON that the answer keeps:
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// let web = docker.container("web").inspect().await?;
    /// println!("{} {}", web.state.status, web["HostConfig"]["NewField"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound).
    ///
    /// # Cancel safety
    /// Nothing happens when the future is dropped.
    #[doc(alias = "show")]
    #[doc(alias = "get")]
    pub async fn inspect(&self) -> Result<Raw<ContainerInspect>> {
        self.inspect_with(&InspectOptions::default()).await
    }

    /// Tells everything about the container, as `options` say; see [`inspect`](Container::inspect).
    ///
    /// # Errors
    /// As [`inspect`](Container::inspect).
    ///
    /// # Cancel safety
    /// As [`inspect`](Container::inspect).
    pub async fn inspect_with(&self, options: &InspectOptions) -> Result<Raw<ContainerInspect>> {
        self.docker.send(inspect(&self.id, options)?).await?.raw().await
    }

    /// Lists the processes that run in the container, as `ps -ef` on the engine's machine tells them.
    ///
    /// `GET /containers/{id}/top`, API 1.24+.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// let processes = docker.container("web").top().await?;
    /// for command in processes.column("CMD") {
    ///     println!("{command}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound); [`Conflict`](ErrorKind::Conflict) when the container does not run (Podman 4
    /// answers nothing then, which is a [`Decode`](ErrorKind::Decode)).
    ///
    /// # Cancel safety
    /// Nothing happens when the future is dropped.
    pub async fn top(&self) -> Result<ContainerTop> {
        self.top_with(&TopOptions::default()).await
    }

    /// Lists the processes that run in the container, as `options` say; see [`top`](Container::top).
    ///
    /// # Errors
    /// As [`top`](Container::top), and [`Server`](ErrorKind::Server) when `ps` does not take the arguments.
    ///
    /// # Cancel safety
    /// As [`top`](Container::top).
    pub async fn top_with(&self, options: &TopOptions) -> Result<ContainerTop> {
        self.docker.send(top(&self.id, options)?).await?.json().await
    }

    /// Lists the files and folders in which the container's filesystem differs from its image.
    ///
    /// `GET /containers/{id}/changes`, API 1.24+. Volumes are not looked into.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound).
    ///
    /// # Cancel safety
    /// Nothing happens when the future is dropped.
    #[doc(alias = "diff")]
    pub async fn changes(&self) -> Result<Vec<FilesystemChange>> {
        self.docker.send(changes(&self.id)?).await?.list().await
    }

    /// Looks up where a port of the container is published on the engine's machine.
    ///
    /// A number alone (`80`, `"80"`) is that of a TCP port if there is a binding for one, else of a UDP, else of an
    /// SCTP port; `"53/udp"` and [`Port::udp`] mean that protocol only. There may be several bindings, usually one
    /// for IPv4 and one for IPv6. The answer is empty for a port that is not published, for a container in the host's
    /// network, where its ports are the host's own, and on Docker for a container that does not run.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// let bindings = docker.container("web").port(80).await?;
    /// if let Some(port) = bindings.first().and_then(|binding| binding.host_port.number()) {
    ///     println!("http://localhost:{port}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// It inspects the container: to look up several ports, take `network_settings.ports` of one
    /// [`inspect`](Container::inspect).
    ///
    /// # Errors
    /// [`Invalid`](ErrorKind::Invalid) for what names no port, before anything is sent;
    /// [`NotFound`](ErrorKind::NotFound).
    ///
    /// # Cancel safety
    /// Nothing happens when the future is dropped.
    pub async fn port(&self, port: impl Display) -> Result<Vec<PortBinding>> {
        let operation = Operation::on("look up a port of container", &self.id);
        let wanted = candidates(&port.to_string(), &operation)?;
        let inspect = self.inspect().await.map_err(|error| error.within(operation))?.into_inner();
        Ok(first_bound(inspect.network_settings.ports, &wanted))
    }
}

/// The ports that `text` may mean, the likeliest first.
fn candidates(text: &str, operation: &Operation) -> Result<Vec<Port>> {
    let port: Port = text.parse().map_err(|source: longshore_models::ParsePortError| {
        operation.error_from(ErrorKind::Invalid, source.to_string(), source)
    })?;
    match text.contains('/') {
        true => Ok(vec![port]),
        false => {
            let number = port.number;
            Ok([Protocol::Tcp, Protocol::Udp, Protocol::Sctp].map(|protocol| Port { number, protocol }).into())
        }
    }
}

fn first_bound(mut ports: PortMap, wanted: &[Port]) -> Vec<PortBinding> {
    wanted.iter().filter_map(|port| ports.remove(port)).find(|bindings| !bindings.is_empty()).unwrap_or_default()
}

fn inspect(id: &str, options: &InspectOptions) -> Result<Request> {
    let mut request = request(Method::Get, "inspect container", id, "json")?;
    request.query.flag("size", options.size);
    Ok(request)
}

fn top(id: &str, options: &TopOptions) -> Result<Request> {
    let mut request = request(Method::Get, "list processes of container", id, "top")?;
    request.query.optional("ps_args", options.ps_args.as_ref());
    Ok(request)
}

fn changes(id: &str) -> Result<Request> {
    request(Method::Get, "list changes of container", id, "changes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(text(inspect("web", &InspectOptions::default())), "GET /containers/web/json");
        assert_eq!(text(inspect("web", &InspectOptions::default().size())), "GET /containers/web/json?size=1");
        assert_eq!(text(top("web", &TopOptions::default())), "GET /containers/web/top");
        let options = TopOptions::default().ps_args("-o pid,args");
        assert_eq!(text(top("web", &options)), "GET /containers/web/top?ps_args=-o%20pid%2Cargs");
        assert_eq!(text(changes("web")), "GET /containers/web/changes");
    }

    #[test]
    fn a_number_alone_means_tcp_before_udp_before_sctp() {
        let operation = Operation::new("look up");
        let binding = |port: u16| vec![PortBinding::new("127.0.0.1", port)];
        let ports = PortMap::from([
            (Port::tcp(53), Vec::new()),
            (Port::udp(53), binding(1)),
            (Port::tcp(80), binding(2)),
            (Port::udp(80), binding(3)),
            (Port::sctp(9), binding(4)),
        ]);
        let look_up = |text: &str| first_bound(ports.clone(), &candidates(text, &operation).unwrap());
        assert_eq!(look_up("53"), binding(1));
        assert_eq!(look_up("53/tcp"), []);
        assert_eq!(look_up("80"), binding(2));
        assert_eq!(look_up(&Port::udp(80).to_string()), binding(3));
        assert_eq!(look_up("9"), binding(4));
        assert_eq!(look_up("443"), []);
        assert_eq!(first_bound(PortMap::new(), &candidates("80", &operation).unwrap()), []);
    }

    #[test]
    fn what_names_no_port_is_refused() {
        for text in ["", "0", "http", "80/icmp", "-1", "65536"] {
            let error = candidates(text, &Operation::on("look up a port of container", "web")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{text}");
            assert!(error.to_string().starts_with("look up a port of container `web`: invalid port"), "{error}");
        }
    }
}
