use std::fmt;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use longshore_models::{
    Driver, EndpointMode, EndpointPortConfig, HealthConfig, Mount, NetworkAttachmentConfig, ParsePortError,
    SecretReference, ServiceMode, SwarmConfigReference, TaskRestartPolicy, UpdateConfig,
};
use longshore_wire::version::ApiVersion;
use longshore_wire::words::WordsError;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::api::container::CommandLine;
use crate::api::set;
use crate::error::{ErrorKind, Operation, Result};
use crate::http::Request;

/// What a service is made from: the image and the command of its containers, how many there are, and all its settings.
///
/// The usual settings have a setter; every other one is a field of [`models::ServiceSpec`](crate::models::ServiceSpec),
/// which this is a wrapper of, and what this version of the library does not know yet can be
/// [`set`](ServiceSpec::set) by its path.
///
/// ```
/// use longshore::models::{SecretReference, TaskRestartPolicy};
/// use longshore::{Mount, ServiceSpec};
///
/// let mut spec = ServiceSpec::image("nginx:1.27")
///     .name("web")
///     .replicas(2)
///     .publish("8080:80")?
///     .mount(Mount::volume("data", "/var/lib"))
///     .secret(SecretReference::new("fpjqlhnwb19zds35k8wn80lq9", "tls-key").mode(0o400))
///     .restart(TaskRestartPolicy::on_failure());
/// spec.task_template.placement.max_replicas = 1;
/// # Ok::<(), longshore::ParsePortError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServiceSpec {
    spec: longshore_models::ServiceSpec,
    set: Vec<(String, Value)>,
    problem: Option<Problem>,
}

/// What is wrong with a spec before the engine has seen it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Problem {
    Words(WordsError),
    NotReplicated,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Words(problem) => write!(formatter, "the command can't be split into words: {problem}"),
            Problem::NotReplicated => formatter.write_str("the service has no number of tasks that could be changed"),
        }
    }
}

impl std::error::Error for Problem {}

impl ServiceSpec {
    /// A service of this image, such as `nginx:1.27`.
    #[must_use]
    pub fn image(reference: impl Into<String>) -> Self {
        ServiceSpec::default().with_image(reference)
    }

    /// Takes another image.
    #[must_use]
    pub fn with_image(mut self, reference: impl Into<String>) -> Self {
        self.container().image = reference.into();
        self
    }

    /// Names the service.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.spec.name = name.into();
        self
    }

    /// Sets a label of the service; its containers don't have it.
    #[must_use]
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.spec.labels.insert(name.into(), value.into());
        self
    }

    /// Sets a label of the containers.
    #[must_use]
    pub fn container_label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.container().labels.insert(name.into(), value.into());
        self
    }

    /// Runs this command: words, or a line that is split into words as a shell does. The API calls it `Args`.
    #[must_use]
    #[doc(alias = "args")]
    pub fn cmd(mut self, command: impl Into<CommandLine>) -> Self {
        self.container().args = self.words(command);
        self
    }

    /// Replaces the image's entry point. The API calls it `Command`.
    #[must_use]
    #[doc(alias = "command")]
    pub fn entrypoint(mut self, command: impl Into<CommandLine>) -> Self {
        self.container().command = self.words(command);
        self
    }

    fn words(&mut self, command: impl Into<CommandLine>) -> Vec<String> {
        command.into().0.unwrap_or_else(|problem| {
            self.problem = Some(Problem::Words(problem));
            Vec::new()
        })
    }

    /// Sets an environment variable. The value may have placeholders, such as `{{.Task.Slot}}`.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        let name = name.as_ref();
        let env = &mut self.container().env;
        env.retain(|entry| entry.split('=').next() != Some(name));
        env.push(format!("{name}={}", value.as_ref()));
        self
    }

    /// Runs so many tasks.
    #[must_use]
    pub fn replicas(self, count: u64) -> Self {
        self.mode(ServiceMode::replicated(count))
    }

    /// Runs a task on every node that it may run on.
    #[must_use]
    pub fn global(self) -> Self {
        self.mode(ServiceMode::Global)
    }

    /// Says how many tasks there are, and whether they run on or to their end.
    #[must_use]
    pub fn mode(mut self, mode: ServiceMode) -> Self {
        self.spec.mode = mode;
        self
    }

    /// Publishes a port on all nodes, written as for a container: `8080:80`, `53:53/udp`, `80`.
    ///
    /// # Errors
    /// [`ParsePortError`] when the text names no port, or an address of the host, which a service can't have.
    pub fn publish(self, ports: &str) -> Result<Self, ParsePortError> {
        Ok(EndpointPortConfig::parse(ports)?.into_iter().fold(self, ServiceSpec::publish_port))
    }

    /// Publishes a port.
    #[must_use]
    pub fn publish_port(mut self, port: EndpointPortConfig) -> Self {
        let ports = &mut self.spec.endpoint_spec.ports;
        if !ports.contains(&port) {
            ports.push(port);
        }
        self
    }

    /// Lets the name of the service lead to the addresses of its tasks, instead of one that spreads connections.
    #[must_use]
    #[doc(alias = "dnsrr")]
    pub fn dns_round_robin(mut self) -> Self {
        self.spec.endpoint_spec.mode = EndpointMode::DnsRoundRobin;
        self
    }

    /// Mounts something into the containers.
    #[must_use]
    pub fn mount(mut self, mount: Mount) -> Self {
        self.container().mounts.push(mount);
        self
    }

    /// Shows the containers a secret, in place of one that is shown as the same file.
    #[must_use]
    pub fn secret(mut self, secret: SecretReference) -> Self {
        let secrets = &mut self.container().secrets;
        secrets.retain(|other| file_name(&other.file) != file_name(&secret.file));
        secrets.push(secret);
        self
    }

    /// Shows the containers a config, in place of one that is shown as the same file.
    #[must_use]
    pub fn config(mut self, config: SwarmConfigReference) -> Self {
        let configs = &mut self.container().configs;
        configs.retain(|other| other.file.is_none() || file_name(&other.file) != file_name(&config.file));
        configs.push(config);
        self
    }

    /// Connects the tasks to a network of the swarm, by its name or id.
    #[must_use]
    pub fn network(self, target: impl Into<String>) -> Self {
        self.network_with(NetworkAttachmentConfig::new(target))
    }

    /// Connects the tasks to a network of the swarm, with these settings.
    #[must_use]
    pub fn network_with(mut self, network: NetworkAttachmentConfig) -> Self {
        self.spec.task_template.networks.push(network);
        self
    }

    /// Lets tasks be only on nodes for which this holds, such as `node.role==worker` or `node.labels.disk!=slow`.
    #[must_use]
    pub fn constraint(mut self, constraint: impl Into<String>) -> Self {
        self.spec.task_template.placement.constraints.push(constraint.into());
        self
    }

    /// Says when another task takes the place of one that has ended.
    #[must_use]
    pub fn restart(mut self, policy: TaskRestartPolicy) -> Self {
        self.spec.task_template.restart_policy = policy;
        self
    }

    /// Says how tasks are replaced when the service is changed.
    #[must_use]
    pub fn update_config(mut self, config: UpdateConfig) -> Self {
        self.spec.update_config = Some(config);
        self
    }

    /// Says how tasks are replaced when the service is rolled back.
    #[must_use]
    pub fn rollback_config(mut self, config: UpdateConfig) -> Self {
        self.spec.rollback_config = Some(config);
        self
    }

    /// Replaces all tasks with this change, though nothing else may have changed.
    #[must_use]
    pub fn force_update(mut self) -> Self {
        let counter = &mut self.spec.task_template.force_update;
        *counter = counter.wrapping_add(1);
        self
    }

    /// Limits the memory of a task, in bytes.
    #[must_use]
    pub fn memory(mut self, bytes: u64) -> Self {
        self.spec.task_template.resources.limits.memory = bytes;
        self
    }

    /// Limits the processor time of a task, in processors: 1.5 is one and a half.
    #[must_use]
    pub fn cpus(mut self, cpus: f64) -> Self {
        self.spec.task_template.resources.limits.nano_cpus = (cpus * 1e9).round() as u64;
        self
    }

    /// Puts tasks only on nodes that have so much memory left for each, in bytes.
    #[must_use]
    pub fn reserve_memory(mut self, bytes: u64) -> Self {
        self.spec.task_template.resources.reservations.memory = bytes;
        self
    }

    /// Puts tasks only on nodes that have so many processors left for each: 1.5 is one and a half.
    #[must_use]
    pub fn reserve_cpus(mut self, cpus: f64) -> Self {
        self.spec.task_template.resources.reservations.nano_cpus = (cpus * 1e9).round() as u64;
        self
    }

    /// Says where the output of tasks goes.
    #[must_use]
    pub fn log_driver(mut self, driver: Driver) -> Self {
        self.spec.task_template.log_driver = Some(driver);
        self
    }

    /// Sets the host name that containers see. It may have placeholders, such as `{{.Node.Hostname}}`.
    #[must_use]
    pub fn hostname(mut self, name: impl Into<String>) -> Self {
        self.container().hostname = name.into();
        self
    }

    /// Runs as this user: a name or number, with a group behind a colon if needed.
    #[must_use]
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.container().user = user.into();
        self
    }

    /// Starts in this folder.
    #[must_use]
    #[doc(alias = "workdir")]
    #[doc(alias = "dir")]
    pub fn working_dir(mut self, folder: impl Into<String>) -> Self {
        self.container().dir = folder.into();
        self
    }

    /// Gives containers a terminal: their output comes from [`Source::Terminal`](crate::Source::Terminal) then.
    #[must_use]
    pub fn tty(mut self) -> Self {
        self.container().tty = true;
        self
    }

    /// Makes the root filesystem of containers read-only.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.container().read_only = true;
        self
    }

    /// Lets engines watch whether containers are healthy; one that is not is replaced.
    #[must_use]
    pub fn health(mut self, check: HealthConfig) -> Self {
        self.container().healthcheck = Some(check);
        self
    }

    /// Sets the signal that asks a container to stop.
    #[must_use]
    pub fn stop_signal(mut self, signal: impl Into<String>) -> Self {
        self.container().stop_signal = signal.into();
        self
    }

    /// Sets how long a container may take to stop.
    #[must_use]
    pub fn stop_grace(mut self, grace: Duration) -> Self {
        self.container().stop_grace_period = Some(grace);
        self
    }

    /// Runs a small init process in containers, which reaps orphans and passes signals on.
    #[must_use]
    pub fn init(mut self) -> Self {
        self.container().init = Some(true);
        self
    }

    /// Sets any property of the request by its path, such as `TaskTemplate.NewField`, over whatever else is set there.
    #[must_use]
    pub fn set(mut self, path: impl Into<String>, value: impl Into<Value>) -> Self {
        self.set.push((path.into(), value.into()));
        self
    }

    fn container(&mut self) -> &mut longshore_models::ContainerSpec {
        &mut self.spec.task_template.container_spec
    }

    pub(super) fn with_problem(mut self, problem: Problem) -> Self {
        self.problem = Some(problem);
        self
    }

    /// The JSON of the request.
    pub(super) fn to_json(&self, operation: &Operation) -> Result<Value> {
        if let Some(problem) = &self.problem {
            return Err(operation.error_from(ErrorKind::Invalid, problem.to_string(), problem.clone()));
        }
        set::to_json(operation, &self.spec, &self.set)
    }
}

fn file_name(file: &Option<longshore_models::FileTarget>) -> Option<&str> {
    file.as_ref().map(|file| file.name.as_str())
}

/// Writes the spec as the engine reads it; fails for a command that can't be split into words.
impl Serialize for ServiceSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::Error;
        if let Some(problem) = &self.problem {
            return Err(S::Error::custom(problem));
        }
        let mut json = set::tree(&self.spec).map_err(S::Error::custom)?;
        set::apply(&mut json, &self.set);
        json.serialize(serializer)
    }
}

impl From<longshore_models::ServiceSpec> for ServiceSpec {
    fn from(spec: longshore_models::ServiceSpec) -> Self {
        ServiceSpec { spec, ..ServiceSpec::default() }
    }
}

impl Deref for ServiceSpec {
    type Target = longshore_models::ServiceSpec;

    fn deref(&self) -> &Self::Target {
        &self.spec
    }
}

impl DerefMut for ServiceSpec {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.spec
    }
}

/// Says what of a spec older engines would read over: options that keep a container from doing harm among it.
pub(super) fn declare_needs(spec: &Value, request: &mut Request) {
    let task = &spec["TaskTemplate"];
    let (privileges, resources) = (&task["ContainerSpec"]["Privileges"], &task["Resources"]);
    let modes = &spec["Mode"];
    for (what, minor, value) in [
        ("a service that is a job", 41, &modes["ReplicatedJob"]),
        ("a service that is a job", 41, &modes["GlobalJob"]),
        ("seccomp for a service", 44, &privileges["Seccomp"]),
        ("AppArmor for a service", 44, &privileges["AppArmor"]),
        ("no new privileges for a service", 44, &privileges["NoNewPrivileges"]),
        ("the OOM score of a service", 46, &task["ContainerSpec"]["OomScoreAdj"]),
        ("the swap of a service", 52, &resources["SwapBytes"]),
        ("the swappiness of a service", 52, &resources["MemorySwappiness"]),
    ] {
        // The last two have a 0 that says something.
        let says_nothing = value.is_null() || *value == false || (*value == 0 && minor < 52);
        if !says_nothing {
            request.needs(what, ApiVersion::new(1, minor));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Method;
    use longshore_models::Seccomp;
    use longshore_wire::path::Path;
    use serde_json::json;

    fn json(spec: &ServiceSpec) -> Value {
        spec.to_json(&Operation::new("create service")).unwrap()
    }

    #[test]
    fn an_empty_spec_says_no_more_than_its_image() {
        assert_eq!(
            json(&ServiceSpec::image("alpine")),
            json!({ "TaskTemplate": { "ContainerSpec": { "Image": "alpine" } } })
        );
    }

    #[test]
    fn setters_write_what_the_engine_reads() {
        let spec = ServiceSpec::image("alpine")
            .name("web")
            .label("team", "core")
            .container_label("tier", "front")
            .entrypoint(["sh", "-c"])
            .cmd("'echo $A'")
            .env("A", "1")
            .env("B", "x")
            .env("A", "2")
            .replicas(2)
            .publish("8080:80")
            .unwrap()
            .publish("8080:80")
            .unwrap()
            .network("backend")
            .secret(SecretReference::new("s1", "key"))
            .secret(SecretReference::new("s2", "key"))
            .config(SwarmConfigReference::new("c1", "site"))
            .config(SwarmConfigReference::for_runtime("c2", "account"))
            .config(SwarmConfigReference::new("c3", "site"))
            .constraint("node.role==worker")
            .memory(64 << 20)
            .reserve_cpus(1.5)
            .force_update()
            .stop_grace(Duration::ZERO)
            .set("TaskTemplate.NewField.Deep", 5)
            .set("Name", "www");
        let file = |name| json!({ "Name": name, "UID": "0", "GID": "0", "Mode": 0o444 });
        assert_eq!(
            json(&spec),
            json!({
                "Name": "www",
                "Labels": { "team": "core" },
                "Mode": { "Replicated": { "Replicas": 2 } },
                "EndpointSpec": { "Ports": [{ "TargetPort": 80, "PublishedPort": 8080 }] },
                "TaskTemplate": {
                    "ContainerSpec": {
                        "Image": "alpine",
                        "Labels": { "tier": "front" },
                        "Command": ["sh", "-c"],
                        "Args": ["echo $A"],
                        "Env": ["B=x", "A=2"],
                        "Secrets": [{ "SecretID": "s2", "SecretName": "key", "File": file("key") }],
                        "Configs": [
                            { "ConfigID": "c2", "ConfigName": "account", "Runtime": {} },
                            { "ConfigID": "c3", "ConfigName": "site", "File": file("site") },
                        ],
                        "StopGracePeriod": 0,
                    },
                    "Networks": [{ "Target": "backend" }],
                    "Placement": { "Constraints": ["node.role==worker"] },
                    "Resources": {
                        "Limits": { "MemoryBytes": 64 << 20 },
                        "Reservations": { "NanoCPUs": 1_500_000_000 },
                    },
                    "ForceUpdate": 1,
                    "NewField": { "Deep": 5 },
                },
            })
        );
    }

    #[test]
    fn a_line_that_can_not_be_split_is_an_error_of_the_call() {
        let spec = ServiceSpec::image("alpine").cmd("echo 'a");
        let error = spec.to_json(&Operation::new("create service")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.message().starts_with("the command can't be split into words: "), "{error}");
        assert!(serde_json::to_string(&spec).is_err());
    }

    #[test]
    fn what_older_engines_read_over_is_declared() {
        let needs = |spec: ServiceSpec| {
            let operation = Operation::new("create service");
            let mut request = Request::new(Method::Post, Path::new("services/create"), operation);
            declare_needs(&json(&spec), &mut request);
            request.needs.iter().map(|(what, version)| format!("{what} {version}")).collect::<Vec<_>>()
        };
        assert!(needs(ServiceSpec::image("alpine").replicas(2)).is_empty());
        let mut spec = ServiceSpec::image("alpine").mode(ServiceMode::GlobalJob);
        let container = &mut spec.task_template.container_spec;
        container.privileges.seccomp = Some(Seccomp::default());
        container.privileges.no_new_privileges = true;
        container.oom_score_adj = -5;
        spec.task_template.resources.swap_bytes = Some(0);
        assert_eq!(
            needs(spec),
            [
                "a service that is a job 1.41",
                "seccomp for a service 1.44",
                "no new privileges for a service 1.44",
                "the OOM score of a service 1.46",
                "the swap of a service 1.52",
            ]
        );
        // As an engine tells it, with nothing in it.
        let told = json!({"Privileges": {"CredentialSpec": null, "Seccomp": null, "NoNewPrivileges": false}});
        assert!(needs(ServiceSpec::default().set("TaskTemplate.ContainerSpec", told)).is_empty());
    }
}
