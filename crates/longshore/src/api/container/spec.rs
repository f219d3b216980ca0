use std::time::Duration;

use longshore_models::{
    ContainerConfig, CreateBody, EndpointSettings, HealthConfig, HostConfig, Mount, NetworkingConfig, ParsePortError,
    Port, Publish, RestartPolicy,
};
use longshore_wire::words::{self, WordsError};
use serde_json::Value;

use crate::api::set;
use crate::error::{ErrorKind, Operation, Result};

/// What a container is made from: its image, its command and all its settings.
///
/// The usual settings have a setter; every other one is a field of [`config`](Spec::config),
/// [`host_config`](Spec::host_config) or [`networking_config`](Spec::networking_config), and what this version of the
/// library does not know yet can be [`set`](Spec::set) by its path.
///
/// ```
/// use longshore::{Mount, RestartPolicy, Spec};
///
/// let spec = Spec::image("nginx:1.27")
///     .name("web")
///     .publish("127.0.0.1:8080:80")?
///     .mount(Mount::volume("data", "/var/lib"))
///     .env("LANG", "C.UTF-8")
///     .restart(RestartPolicy::unless_stopped());
/// # Ok::<(), longshore::ParsePortError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Spec {
    /// The container's name; the engine makes one up unless set.
    pub name: Option<String>,
    /// The platform, such as `linux/arm64`, where the image has several.
    pub platform: Option<String>,
    /// What it runs.
    pub config: ContainerConfig,
    /// How it runs on its host.
    pub host_config: HostConfig,
    /// The networks that it is connected to.
    pub networking_config: NetworkingConfig,
    set: Vec<(String, Value)>,
    problem: Option<WordsError>,
}

impl Spec {
    /// A container of this image, such as `alpine:3`.
    #[must_use]
    pub fn image(reference: impl Into<String>) -> Self {
        let mut spec = Spec::default();
        spec.config.image = reference.into();
        spec
    }

    /// Names the container.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Picks the platform of the image, such as `linux/arm64`.
    #[must_use]
    pub fn platform(mut self, platform: impl Into<String>) -> Self {
        self.platform = Some(platform.into());
        self
    }

    /// Runs this command: words, or a line that is split into words as a shell does.
    #[must_use]
    pub fn cmd(mut self, command: impl Into<CommandLine>) -> Self {
        self.config.cmd = self.words(command);
        self
    }

    /// Replaces the image's entry point; no words take it away.
    #[must_use]
    pub fn entrypoint(mut self, command: impl Into<CommandLine>) -> Self {
        self.config.entrypoint = Some(self.words(command));
        self
    }

    fn words(&mut self, command: impl Into<CommandLine>) -> Vec<String> {
        command.into().0.unwrap_or_else(|problem| {
            self.problem = Some(problem);
            Vec::new()
        })
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        let name = name.as_ref();
        self.config.env.retain(|entry| entry.split('=').next() != Some(name));
        self.config.env.push(format!("{name}={}", value.as_ref()));
        self
    }

    /// Sets a label.
    #[must_use]
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.config.labels.insert(name.into(), value.into());
        self
    }

    /// Publishes a port as the `-p` of the command line does: `8080:80`, `127.0.0.1:53:53/udp`, `80`.
    ///
    /// # Errors
    /// [`ParsePortError`] when the text names no port.
    pub fn publish(self, ports: &str) -> Result<Self, ParsePortError> {
        Ok(self.publish_port(Publish::parse(ports)?))
    }

    /// Publishes a port.
    #[must_use]
    pub fn publish_port(mut self, ports: impl Into<Publish>) -> Self {
        for (port, binding) in ports.into().bindings() {
            self.config.exposed_ports.insert(port.clone());
            self.host_config.port_bindings.get_or_insert_with(port, Vec::new).push(binding);
        }
        self
    }

    /// Says that the container listens on a port, without publishing it.
    #[must_use]
    pub fn expose(mut self, port: Port) -> Self {
        self.config.exposed_ports.insert(port);
        self
    }

    /// Mounts something into the container.
    #[must_use]
    pub fn mount(mut self, mount: Mount) -> Self {
        self.host_config.mounts.push(mount);
        self
    }

    /// Says when the engine restarts the container.
    #[must_use]
    pub fn restart(mut self, policy: RestartPolicy) -> Self {
        self.host_config.restart_policy = policy;
        self
    }

    /// Connects the container to a network of this name; the first one is the one that it starts in.
    #[must_use]
    pub fn network(self, name: impl Into<String>) -> Self {
        self.network_with(name, EndpointSettings::default())
    }

    /// Connects the container to a network, with these settings.
    ///
    /// `host`, `none` and `container:NAME` are no networks to connect to, and take no settings.
    #[must_use]
    pub fn network_with(mut self, name: impl Into<String>, settings: EndpointSettings) -> Self {
        let name = name.into();
        if self.host_config.network_mode.is_empty() {
            self.host_config.network_mode.clone_from(&name);
        }
        if !matches!(name.as_str(), "host" | "none") && !name.starts_with("container:") {
            self.networking_config.endpoints_config.insert(name, settings);
        }
        self
    }

    /// Sets the host name that the container sees.
    #[must_use]
    pub fn hostname(mut self, name: impl Into<String>) -> Self {
        self.config.hostname = name.into();
        self
    }

    /// Runs as this user: a name or number, with a group behind a colon if needed.
    #[must_use]
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.config.user = user.into();
        self
    }

    /// Starts in this folder.
    #[must_use]
    #[doc(alias = "workdir")]
    pub fn working_dir(mut self, folder: impl Into<String>) -> Self {
        self.config.working_dir = folder.into();
        self
    }

    /// Gives the container a terminal: its output comes from [`Source::Terminal`](crate::Source::Terminal) then.
    #[must_use]
    pub fn tty(mut self) -> Self {
        self.config.tty = true;
        self
    }

    /// Keeps standard input open, so that it can be attached to.
    #[must_use]
    pub fn stdin(mut self) -> Self {
        self.config.open_stdin = true;
        self.config.attach_stdin = true;
        self
    }

    /// Ends the container's standard input when the first one attached to it ends its own; needs
    /// [`stdin`](Spec::stdin). Its output goes on then.
    #[must_use]
    pub fn stdin_once(mut self) -> Self {
        self.config.stdin_once = true;
        self.stdin()
    }

    /// Limits the memory, in bytes.
    #[must_use]
    pub fn memory(mut self, bytes: u64) -> Self {
        self.host_config.resources.memory = i64::try_from(bytes).unwrap_or(i64::MAX);
        self
    }

    /// Limits the processor time, in processors: 1.5 is one and a half.
    #[must_use]
    pub fn cpus(mut self, cpus: f64) -> Self {
        self.host_config.resources.nano_cpus = (cpus * 1e9).round() as i64;
        self
    }

    /// Lets the engine remove the container as soon as it ends.
    #[must_use]
    pub fn auto_remove(mut self) -> Self {
        self.host_config.auto_remove = true;
        self
    }

    /// Gives the container all the rights of its host.
    #[must_use]
    pub fn privileged(mut self) -> Self {
        self.host_config.privileged = true;
        self
    }

    /// Lets the engine watch whether the container is healthy.
    #[must_use]
    pub fn health(mut self, check: HealthConfig) -> Self {
        self.config.healthcheck = Some(check);
        self
    }

    /// Sets the signal that asks the container to stop.
    #[must_use]
    pub fn stop_signal(mut self, signal: impl Into<String>) -> Self {
        self.config.stop_signal = signal.into();
        self
    }

    /// Sets how long the container may take to stop, in whole seconds rounded up.
    #[must_use]
    pub fn stop_timeout(mut self, grace: Duration) -> Self {
        let seconds = grace.as_secs() + u64::from(grace.subsec_nanos() > 0);
        self.config.stop_timeout = Some(i64::try_from(seconds).unwrap_or(i64::MAX));
        self
    }

    /// Runs a small init process in the container, which reaps its orphans and passes signals on.
    #[must_use]
    pub fn init(mut self) -> Self {
        self.host_config.resources.init = Some(true);
        self
    }

    /// Sets any property of the request by its path, such as `HostConfig.NewField`, over whatever else is set there.
    #[must_use]
    pub fn set(mut self, path: impl Into<String>, value: impl Into<Value>) -> Self {
        self.set.push((path.into(), value.into()));
        self
    }

    /// The JSON of the request.
    pub(crate) fn to_json(&self, operation: &Operation) -> Result<Value> {
        if let Some(problem) = &self.problem {
            let message = format!("the command can't be split into words: {problem}");
            return Err(operation.error_from(ErrorKind::Invalid, message, *problem));
        }
        let mut body = CreateBody::default();
        body.config = self.config.clone();
        body.host_config = self.host_config.clone();
        body.networking_config = self.networking_config.clone();
        set::to_json(operation, &body, &self.set)
    }
}

/// A command: words, or a line to be split into words as a shell does.
///
/// A line whose quotes don't match is reported by the call that uses it.
///
/// ```
/// use longshore::CommandLine;
///
/// assert_eq!(CommandLine::from("echo 'a b' c"), CommandLine::from(["echo", "a b", "c"]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine(pub(crate) Result<Vec<String>, WordsError>);

impl From<&str> for CommandLine {
    fn from(line: &str) -> Self {
        CommandLine(words::split(line))
    }
}

impl From<String> for CommandLine {
    fn from(line: String) -> Self {
        CommandLine(words::split(&line))
    }
}

impl<T: Into<String>, const N: usize> From<[T; N]> for CommandLine {
    fn from(words: [T; N]) -> Self {
        CommandLine(Ok(words.into_iter().map(Into::into).collect()))
    }
}

impl<T: Into<String>> From<Vec<T>> for CommandLine {
    fn from(words: Vec<T>) -> Self {
        CommandLine(Ok(words.into_iter().map(Into::into).collect()))
    }
}

impl<T: AsRef<str>> From<&[T]> for CommandLine {
    fn from(words: &[T]) -> Self {
        CommandLine(Ok(words.iter().map(|word| word.as_ref().to_owned()).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn json(spec: &Spec) -> Value {
        spec.to_json(&Operation::new("create container")).unwrap()
    }

    #[test]
    fn an_empty_spec_says_no_more_than_its_image() {
        assert_eq!(json(&Spec::image("alpine")), json!({ "Image": "alpine" }));
    }

    #[test]
    fn setters_write_what_the_engine_reads() {
        let spec = Spec::image("alpine")
            .cmd("sh -c 'echo $A'")
            .env("A", "1")
            .env("B", "x")
            .env("A", "2")
            .label("team", "core")
            .publish("127.0.0.1:8080:80")
            .unwrap()
            .network("backend")
            .memory(64 << 20)
            .cpus(1.5)
            .stdin_once()
            .stop_timeout(Duration::from_millis(500))
            .set("HostConfig.NewField.Deep", 5)
            .set("Cmd", json!(["true"]));
        assert_eq!(
            json(&spec),
            json!({
                "Image": "alpine",
                "Cmd": ["true"],
                "Env": ["B=x", "A=2"],
                "Labels": { "team": "core" },
                "ExposedPorts": { "80/tcp": {} },
                "AttachStdin": true,
                "OpenStdin": true,
                "StdinOnce": true,
                "StopTimeout": 1,
                "HostConfig": {
                    "PortBindings": { "80/tcp": [{ "HostIp": "127.0.0.1", "HostPort": "8080" }] },
                    "NetworkMode": "backend",
                    "Memory": 64 << 20,
                    "NanoCpus": 1_500_000_000,
                    "NewField": { "Deep": 5 },
                },
                "NetworkingConfig": { "EndpointsConfig": { "backend": {} } },
            })
        );
    }

    #[test]
    fn the_host_is_no_network_to_connect_to() {
        for mode in ["host", "none", "container:db"] {
            let spec = Spec::image("alpine").network(mode);
            assert_eq!(json(&spec), json!({ "Image": "alpine", "HostConfig": { "NetworkMode": mode } }));
        }
    }

    #[test]
    fn a_line_that_can_not_be_split_is_an_error_of_the_call() {
        let spec = Spec::image("alpine").cmd("echo 'a");
        let error = spec.to_json(&Operation::new("create container")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
}
