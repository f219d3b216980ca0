use std::time::Duration;

use longshore_models::{BuildOutput, Isolation, SortedMap, Ulimit};
use longshore_wire::auth::RegistryAuth;

/// How to build an image.
///
/// ```
/// use longshore::image::BuildOptions;
///
/// let options = BuildOptions::default().tag("shop/web:2").build_arg("VERSION", "2").target("release");
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct BuildOptions {
    /// The names that the image gets, such as `shop/web:2`; the tag is `latest` unless set.
    pub tags: Vec<String>,
    /// Where the Dockerfile is, from the root of the context; `Dockerfile` unless set.
    pub dockerfile: Option<String>,
    /// The values of `ARG` instructions; `None` for one that has none here.
    pub build_args: SortedMap<String, Option<String>>,
    /// The stage of the Dockerfile at which to stop; the last one unless set. API 1.29+.
    pub target: Option<String>,
    /// Labels of the image.
    pub labels: SortedMap<String, String>,
    /// The platform to build for, such as `linux/arm64/v8`; the engine's own unless set. API 1.32+.
    pub platform: Option<String>,
    /// Whether BuildKit builds, not the classic builder. API 1.39+.
    pub buildkit: bool,
    /// Where BuildKit puts what it has built. API 1.40+.
    pub outputs: Vec<BuildOutput>,
    /// Whether to tell nothing but the id of the image.
    pub quiet: bool,
    /// Whether to do every step anew.
    pub no_cache: bool,
    /// The images whose layers may be taken for those of this one. API 1.25+.
    pub cache_from: Vec<String>,
    /// Whether to ask registries for newer versions of the images that it builds on.
    pub pull: bool,
    /// Credentials by the address of their registry, such as `ghcr.io` or `https://index.docker.io/v1/`; all that the user
    /// has stored unless set.
    pub registries: Option<SortedMap<String, RegistryAuth>>,
    /// Whether to keep the containers of the steps of a build that succeeds.
    pub keep_containers: bool,
    /// Whether to remove the containers of the steps of a build that fails too.
    pub force_remove: bool,
    /// Whether to make one layer of all new ones; an experiment of Docker. API 1.25+.
    pub squash: bool,
    /// The network of the commands: `bridge`, `host`, `none`, `container:web` or a network's name. API 1.25+.
    pub network: Option<String>,
    /// Hosts that the commands know, as `name:address`. API 1.28+.
    pub extra_hosts: Vec<String>,
    /// The size of `/dev/shm` in bytes; the engine's default unless set.
    pub shm_size: Option<u64>,
    /// The most memory that a command may have, in bytes.
    pub memory: Option<u64>,
    /// The most memory and swap together, in bytes; -1 for any amount of swap.
    pub memory_swap: Option<i64>,
    /// The weight against others where processors are scarce; 1024 is the usual one.
    pub cpu_shares: Option<u64>,
    /// The processors that commands may run on, such as `0-2,4`.
    pub cpuset_cpus: Option<String>,
    /// The memory nodes that commands may use, such as `0-1`.
    pub cpuset_mems: Option<String>,
    /// The length of a period of the quota.
    pub cpu_period: Option<Duration>,
    /// How much processor time commands have in each period.
    pub cpu_quota: Option<Duration>,
    /// The cgroup in which those of the containers are made.
    pub cgroup_parent: Option<String>,
    /// Limits of the commands' processes.
    pub ulimits: Vec<Ulimit>,
    /// How the containers are kept apart; Windows.
    pub isolation: Option<Isolation>,
    /// Security options, such as `credentialspec=file://spec.json`; Windows.
    pub security_options: Vec<String>,
    /// The id of a session through which BuildKit asks its client for files and secrets. API 1.39+.
    pub session: Option<String>,
    /// A name for this build by BuildKit, by which it can be [cancelled](crate::Docker::cancel_build). API 1.39+.
    pub build_id: Option<String>,
}

impl BuildOptions {
    /// Gives the image a name, such as `shop/web:2`; may be called for several. The tag is `latest` unless set.
    #[must_use]
    pub fn tag(mut self, name: impl Into<String>) -> Self {
        self.tags.push(name.into());
        self
    }

    /// Says where the Dockerfile is, from the root of the context.
    #[must_use]
    pub fn dockerfile(mut self, path: impl Into<String>) -> Self {
        self.dockerfile = Some(path.into());
        self
    }

    /// Sets the value of an `ARG` instruction. It can be read from the image, so it is no place for a secret.
    #[must_use]
    pub fn build_arg(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.build_args.insert(name.into(), Some(value.into()));
        self
    }

    /// Stops at this stage of the Dockerfile. API 1.29+.
    #[must_use]
    pub fn target(mut self, stage: impl Into<String>) -> Self {
        self.target = Some(stage.into());
        self
    }

    /// Sets a label of the image.
    #[must_use]
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(name.into(), value.into());
        self
    }

    /// Builds for this platform, such as `linux/arm64/v8`. API 1.32+.
    #[must_use]
    pub fn platform(mut self, platform: impl Into<String>) -> Self {
        self.platform = Some(platform.into());
        self
    }

    /// Lets BuildKit build, not the classic builder. API 1.39+; Podman builds as it always does.
    ///
    /// Without a [session](BuildOptions::session), it can't ask for secrets or for files other than the context's.
    #[must_use]
    pub fn buildkit(mut self) -> Self {
        self.buildkit = true;
        self
    }

    /// Lets BuildKit put what it has built there; may be called for several. API 1.40+.
    #[must_use]
    pub fn output(mut self, output: BuildOutput) -> Self {
        self.outputs.push(output);
        self
    }

    /// Asks for nothing but the id of the image.
    #[must_use]
    pub fn quiet(mut self) -> Self {
        self.quiet = true;
        self
    }

    /// Does every step anew.
    #[must_use]
    pub fn no_cache(mut self) -> Self {
        self.no_cache = true;
        self
    }

    /// Lets the layers of this image be taken for those of the new one; may be called for several. API 1.25+.
    #[must_use]
    pub fn cache_from(mut self, image: impl Into<String>) -> Self {
        self.cache_from.push(image.into());
        self
    }

    /// Asks registries for newer versions of the images that it builds on. Podman fails where none can be reached.
    #[must_use]
    pub fn pull(mut self) -> Self {
        self.pull = true;
        self
    }

    /// Shows a registry these credentials, and all registries none of those that the user has stored. Its address is such
    /// as `ghcr.io`, that of Docker Hub `https://index.docker.io/v1/`; may be called for several.
    #[must_use]
    pub fn registry(mut self, address: impl Into<String>, auth: RegistryAuth) -> Self {
        self.registries.get_or_insert_default().insert(address.into(), auth);
        self
    }

    /// Shows no registry any credentials, whatever the user has stored.
    #[must_use]
    pub fn anonymous(mut self) -> Self {
        self.registries = Some(SortedMap::new());
        self
    }

    /// Keeps the containers of the steps, which are else removed when the build succeeds; classic builder.
    #[must_use]
    pub fn keep_containers(mut self) -> Self {
        self.keep_containers = true;
        self
    }

    /// Removes the containers of the steps even if the build fails; classic builder.
    #[must_use]
    pub fn force_remove(mut self) -> Self {
        self.force_remove = true;
        self
    }

    /// Makes one layer of all new ones. API 1.25+; Docker does so only where its experimental features are on.
    #[must_use]
    pub fn squash(mut self) -> Self {
        self.squash = true;
        self
    }

    /// Runs the commands in this network: `bridge`, `host`, `none`, `container:web` or a network's name. API 1.25+.
    #[must_use]
    pub fn network(mut self, network: impl Into<String>) -> Self {
        self.network = Some(network.into());
        self
    }

    /// Lets the commands know a host; may be called for several. API 1.28+. Podman 4 refuses it: it wants another form.
    #[must_use]
    pub fn extra_host(mut self, name: &str, address: &str) -> Self {
        self.extra_hosts.push(format!("{name}:{address}"));
        self
    }

    /// Sets the size of `/dev/shm` in bytes.
    #[must_use]
    pub fn shm_size(mut self, bytes: u64) -> Self {
        self.shm_size = Some(bytes);
        self
    }

    /// Limits the memory of a command, in bytes.
    #[must_use]
    pub fn memory(mut self, bytes: u64) -> Self {
        self.memory = Some(bytes);
        self
    }

    /// Limits memory and swap of a command together, in bytes. Not less than the memory.
    #[must_use]
    pub fn memory_swap(mut self, bytes: u64) -> Self {
        self.memory_swap = Some(i64::try_from(bytes).unwrap_or(i64::MAX));
        self
    }

    /// Takes the limit off swap, and leaves that on memory.
    #[must_use]
    pub fn unlimited_swap(mut self) -> Self {
        self.memory_swap = Some(-1);
        self
    }

    /// Sets the weight against others where processors are scarce; 1024 is the usual one.
    #[must_use]
    pub fn cpu_shares(mut self, shares: u64) -> Self {
        self.cpu_shares = Some(shares);
        self
    }

    /// Lets commands run on these processors only, such as `0-2,4`.
    #[must_use]
    pub fn cpuset_cpus(mut self, cpus: impl Into<String>) -> Self {
        self.cpuset_cpus = Some(cpus.into());
        self
    }

    /// Lets commands use these memory nodes only, such as `0-1`.
    #[must_use]
    pub fn cpuset_mems(mut self, nodes: impl Into<String>) -> Self {
        self.cpuset_mems = Some(nodes.into());
        self
    }

    /// Gives commands so much processor time in each period, to the microsecond.
    #[must_use]
    pub fn cpu_quota(mut self, quota: Duration, period: Duration) -> Self {
        self.cpu_quota = Some(quota);
        self.cpu_period = Some(period);
        self
    }

    /// Makes the cgroups of the containers in this one.
    #[must_use]
    pub fn cgroup_parent(mut self, cgroup: impl Into<String>) -> Self {
        self.cgroup_parent = Some(cgroup.into());
        self
    }

    /// Limits the processes of the commands; may be called for several. Podman 4 refuses it: it wants another form.
    #[must_use]
    pub fn ulimit(mut self, limit: Ulimit) -> Self {
        self.ulimits.push(limit);
        self
    }

    /// Keeps the containers apart in this way; Windows.
    #[must_use]
    pub fn isolation(mut self, isolation: Isolation) -> Self {
        self.isolation = Some(isolation);
        self
    }

    /// Sets a security option; may be called for several. Windows: elsewhere Docker refuses it.
    #[must_use]
    pub fn security_option(mut self, option: impl Into<String>) -> Self {
        self.security_options.push(option.into());
        self
    }

    /// Lets BuildKit ask for files and secrets through the session with this id. API 1.39+.
    #[must_use]
    pub fn session(mut self, id: impl Into<String>) -> Self {
        self.session = Some(id.into());
        self
    }

    /// Names this build by BuildKit, so that it can be [cancelled](crate::Docker::cancel_build). API 1.39+.
    #[must_use]
    pub fn build_id(mut self, id: impl Into<String>) -> Self {
        self.build_id = Some(id.into());
        self
    }
}
