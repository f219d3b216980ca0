mod cache;
mod options;
mod progress;

use std::fmt::Display;

use longshore_models::SortedMap;
use longshore_wire::auth::{RegistryAuth, config_header_value};
use longshore_wire::path::Path;
use longshore_wire::query::Query;
use longshore_wire::version::ApiVersion;
use serde::Serialize;

pub use cache::BuildPruneOptions;
pub use options::BuildOptions;
pub use progress::{BuildEvent, BuildProgress};

use super::{Images, new_name};
use crate::api::registry::by_registry;
use crate::config::{AllCredentials, Credentials};
use crate::error::{Error, ErrorKind, Operation, Result};
use crate::http::{Method, Payload, Request};

/// What an image is built of: the Dockerfile, and the files that it copies.
///
/// A [`Payload`], or what becomes one, is a tar. A folder is built by `build_folder`, with the feature `build`.
///
/// ```
/// use longshore::image::BuildContext;
///
/// let repository = BuildContext::remote("https://github.com/docker-library/busybox.git#master:latest");
/// ```
#[derive(Debug)]
pub struct BuildContext(Kind);

#[derive(Debug)]
enum Kind {
    Tar(Payload),
    Remote(String),
}

impl BuildContext {
    /// A tar of the files, which may be compressed with gzip, bzip2 or xz.
    pub fn tar(tar: impl Into<Payload>) -> Self {
        BuildContext(Kind::Tar(tar.into()))
    }

    /// A Git repository, a tar or a Dockerfile that the engine itself gets from this address. Podman 4 reads it over, and
    /// fails for want of a Dockerfile.
    ///
    /// Behind `#`, the address of a repository may name a branch, tag or commit, and behind `:` a folder in it.
    pub fn remote(address: impl Into<String>) -> Self {
        BuildContext(Kind::Remote(address.into()))
    }
}

impl<T: Into<Payload>> From<T> for BuildContext {
    fn from(tar: T) -> Self {
        BuildContext::tar(tar)
    }
}

impl Images {
    /// Builds an image from a tar or from what the engine gets itself; it gets no name.
    ///
    /// As with the official tool, registries are shown all credentials that the user has stored, and the proxies of the
    /// user's `config.json` are build arguments, unless there are some of the same name. Credentials that can't be had
    /// don't fail a build; where it fails since a registry refuses, the error tells of them. BuildKit is shown none: it
    /// asks for them in its session.
    ///
    /// `POST /build`, API 1.24+. It returns once the engine has what it builds of and has begun:
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker, tar: longshore::Payload) -> longshore::Result<()> {
    /// use longshore::image::BuildEvent;
    ///
    /// let mut build = docker.images().build(tar).await?;
    /// while let Some(event) = build.next().await {
    ///     if let BuildEvent::Output(text) = event? {
    ///         print!("{text}");
    ///     }
    /// }
    /// println!("built {:?}", build.image());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](ErrorKind::Invalid) or [`Server`](ErrorKind::Server), by engine, when the Dockerfile is missing or
    /// can't be read, when it is no tar, when a remote context can't be had; [`Io`](ErrorKind::Io) when the payload can't
    /// be read. The same may come from the stream, as does the failure of a step: see [`BuildProgress::next`].
    /// [`Config`](ErrorKind::Config) when `config.json` can't be read.
    ///
    /// # Cancel safety
    /// Dropping the future gives the build up.
    #[must_use = "a build is given up when its progress is dropped"]
    pub async fn build(&self, context: impl Into<BuildContext>) -> Result<BuildProgress> {
        self.build_with(context, &BuildOptions::default()).await
    }

    /// Builds an image, as `options` say; see [`build`](Images::build).
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// use longshore::image::{BuildContext, BuildOptions};
    ///
    /// let context = BuildContext::remote("https://github.com/docker-library/busybox.git#master:latest");
    /// let options = BuildOptions::default().tag("mine:1").build_arg("VERSION", "1");
    /// let image = docker.images().build_with(context, &options).await?.finish().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`build`](Images::build); [`Invalid`](ErrorKind::Invalid) for a wrong name, before anything is sent;
    /// [`Unsupported`](ErrorKind::Unsupported) for options of a newer API.
    ///
    /// # Cancel safety
    /// As [`build`](Images::build).
    pub async fn build_with(&self, context: impl Into<BuildContext>, options: &BuildOptions) -> Result<BuildProgress> {
        let operation = operation(options);
        let stored = self.docker.credentials().await.map_err(|error| error.within(operation))?;
        let proxies = stored.file().proxy_arguments(&self.docker.host());
        let request = build(context.into(), options, &proxies)?;
        let (request, failures) = authorize(request, options, &stored).await;
        let response = self.docker.send(request).await.map_err(|error| explained(error, &failures))?;
        Ok(BuildProgress::new(response, self.docker.clone(), options.quiet, failures))
    }
}

/// The operation of a build, named by the first name of the image.
pub(crate) fn operation(options: &BuildOptions) -> Operation {
    match options.tags.first() {
        Some(name) => Operation::on("build image", name),
        None => Operation::new("build image"),
    }
}

/// Adds the credentials that the user has stored, unless `options` have some. Those that can't be had are no failure of
/// the build, which may not need them; but if it fails for want of them, they are the reason.
///
/// BuildKit asks for them in its session, and reads the header over.
async fn authorize(request: Request, options: &BuildOptions, stored: &Credentials) -> (Request, Vec<Error>) {
    if options.registries.is_some() || options.buildkit {
        return (request, Vec::new());
    }
    let AllCredentials { registries, failures } = stored.all().await;
    for error in &failures {
        tracing::warn!(%error, "a build goes on without these credentials");
    }
    (with_registries(request, &registries), failures)
}

fn with_registries(request: Request, registries: &SortedMap<String, RegistryAuth>) -> Request {
    match registries.is_empty() {
        true => request,
        false => request.header("X-Registry-Config", config_header_value(registries)),
    }
}

/// Adds to a registry's refusal why there were no credentials for it.
fn explained(error: Error, failures: &[Error]) -> Error {
    use ErrorKind::{Forbidden, NotFound, Unauthorized};

    let is_refusal = matches!(by_registry(error.clone()).kind(), Forbidden | NotFound | Unauthorized);
    match is_refusal {
        true => failures.iter().fold(error, |error, failure| error.with_note(&failure.to_string())),
        false => error,
    }
}

fn build(context: BuildContext, options: &BuildOptions, proxies: &SortedMap<String, String>) -> Result<Request> {
    let operation = operation(options);
    for name in &options.tags {
        new_name(name, &operation)?;
    }
    let mut request = Request::new(Method::Post, Path::new("build"), operation).unbounded().sent_whole();
    push_what(&mut request, options, proxies)?;
    push_limits(&mut request, options)?;
    declare_needs(&mut request, options);
    if let Some(registries) = &options.registries {
        request = with_registries(request, registries);
    }
    match context.0 {
        Kind::Tar(tar) => Ok(request.payload("application/x-tar", tar)),
        Kind::Remote(address) if address.is_empty() => {
            Err(request.operation.error(ErrorKind::Invalid, "the address of the context is empty"))
        }
        Kind::Remote(address) => {
            request.query.push("remote", address);
            Ok(request.header("Content-Type", "application/x-tar"))
        }
    }
}

/// What is built, and how.
fn push_what(request: &mut Request, options: &BuildOptions, proxies: &SortedMap<String, String>) -> Result<()> {
    let Request { query, operation, .. } = request;
    query
        .each("t", &options.tags)
        .optional("dockerfile", options.dockerfile.as_ref())
        .optional("target", options.target.as_ref())
        .optional("platform", options.platform.as_ref())
        .optional("version", options.buildkit.then_some(2))
        .flag("q", options.quiet)
        .flag("nocache", options.no_cache)
        .flag("pull", options.pull)
        .flag("forcerm", options.force_remove)
        .flag("squash", options.squash)
        .optional("networkmode", options.network.as_ref())
        .each("extrahosts", &options.extra_hosts)
        .optional("isolation", options.isolation.as_ref())
        .each("securityopt", &options.security_options)
        .optional("session", options.session.as_ref())
        .optional("buildid", options.build_id.as_ref());
    if options.keep_containers {
        query.bool("rm", false);
    }
    let arguments = arguments(options, proxies);
    json(query, operation, "buildargs", &arguments, arguments.is_empty())?;
    json(query, operation, "labels", &options.labels, options.labels.is_empty())?;
    json(query, operation, "cachefrom", &options.cache_from, options.cache_from.is_empty())?;
    json(query, operation, "outputs", &options.outputs, options.outputs.is_empty())
}

/// The build arguments: those of the caller, and the proxies among which the caller has not set one.
fn arguments<'a>(
    options: &'a BuildOptions,
    proxies: &'a SortedMap<String, String>,
) -> SortedMap<&'a str, Option<&'a str>> {
    let proxies = proxies.iter().map(|(name, value)| (name.as_str(), Some(value.as_str())));
    // What comes later takes the place of what came before.
    proxies.chain(options.build_args.iter().map(|(name, value)| (name.as_str(), value.as_deref()))).collect()
}

/// What the commands of a build may use.
fn push_limits(request: &mut Request, options: &BuildOptions) -> Result<()> {
    let Request { query, operation, .. } = request;
    query
        .optional("memory", options.memory)
        .optional("memswap", options.memory_swap)
        .optional("cpushares", options.cpu_shares)
        .optional("cpusetcpus", options.cpuset_cpus.as_ref())
        .optional("cpusetmems", options.cpuset_mems.as_ref())
        .optional("cpuperiod", options.cpu_period.map(|period| period.as_micros()))
        .optional("cpuquota", options.cpu_quota.map(|quota| quota.as_micros()))
        .optional("cgroupparent", options.cgroup_parent.as_ref())
        .optional("shmsize", options.shm_size);
    json(query, operation, "ulimits", &options.ulimits, options.ulimits.is_empty())
}

/// Appends a parameter whose value is JSON.
fn json(query: &mut Query, operation: &Operation, key: &str, value: &impl Serialize, is_empty: bool) -> Result<()> {
    if is_empty {
        return Ok(());
    }
    let text = serde_json::to_string(value).map_err(|source| {
        let message = format!("the parameter {key} can't be written as JSON: {source}");
        operation.error_from(ErrorKind::Invalid, message, source)
    })?;
    query.push(key, &text as &dyn Display);
    Ok(())
}

fn declare_needs(request: &mut Request, options: &BuildOptions) {
    let needs = [
        (!options.cache_from.is_empty(), "the cache of other images", 25),
        (options.network.is_some(), "the network of a build", 25),
        (options.squash, "squashing layers", 25),
        (!options.extra_hosts.is_empty(), "the hosts of a build", 28),
        (options.target.is_some(), "the target of a build", 29),
        (options.platform.is_some(), "the platform of a build", 32),
        (options.buildkit, "a build by BuildKit", 39),
        (options.session.is_some(), "the session of a build", 39),
        (options.build_id.is_some(), "the id of a build", 39),
        (!options.outputs.is_empty(), "the outputs of a build", 40),
    ];
    for (_, what, minor) in needs.into_iter().filter(|(is_asked, ..)| *is_asked) {
        request.needs(what, ApiVersion::new(1, minor));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;
    use longshore_models::{BuildOutput, Isolation, Ulimit};
    use std::time::Duration;

    fn request(context: BuildContext, options: &BuildOptions) -> Result<Request> {
        build(context, options, &SortedMap::new())
    }

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(
            text(request("tar".into(), &BuildOptions::default())),
            "POST /build\nContent-Type: application/x-tar\n\ntar"
        );
        let remote = BuildContext::remote("https://example.com/a.git#v1:web");
        assert_eq!(
            text(request(remote, &BuildOptions::default().tag("a:1"))),
            "POST /build?t=a%3A1&remote=https%3A%2F%2Fexample.com%2Fa.git%23v1%3Aweb\nContent-Type: application/x-tar"
        );
    }

    #[test]
    fn everything_that_can_be_said_of_a_build_is_sent() {
        let options = BuildOptions::default()
            .tag("shop/web:2")
            .tag("shop/web")
            .dockerfile("docker/Dockerfile")
            .target("release")
            .platform("linux/arm64")
            .buildkit()
            .quiet()
            .no_cache()
            .pull()
            .force_remove()
            .keep_containers()
            .squash()
            .network("host")
            .extra_host("db", "10.0.0.1")
            .isolation(Isolation::Process)
            .security_option("credentialspec=file://a")
            .session("s1")
            .build_id("b1");
        assert_eq!(
            text(request(BuildContext::tar(Payload::reader(tokio::io::empty())), &options)),
            "POST /build?t=shop%2Fweb%3A2&t=shop%2Fweb&dockerfile=docker%2FDockerfile&target=release\
             &platform=linux%2Farm64&version=2&q=1&nocache=1&pull=1&forcerm=1&squash=1&networkmode=host\
             &extrahosts=db%3A10.0.0.1&isolation=process&securityopt=credentialspec%3Dfile%3A%2F%2Fa&session=s1\
             &buildid=b1&rm=0\nContent-Type: application/x-tar\n\n(streamed)"
        );
        let mut options = BuildOptions::default()
            .build_arg("A", "1")
            .label("b", "\"2\"")
            .cache_from("old:1")
            .output(BuildOutput::new("moby").attribute("type", "image"))
            .registry("ghcr.io", RegistryAuth::default().username("jane"));
        options.build_args.insert("UNSET".to_owned(), None);
        assert_eq!(
            text(request("".into(), &options)),
            "POST /build?buildargs=%7B%22A%22%3A%221%22%2C%22UNSET%22%3Anull%7D\
             &labels=%7B%22b%22%3A%22%5C%222%5C%22%22%7D&cachefrom=%5B%22old%3A1%22%5D\
             &outputs=%5B%7B%22Type%22%3A%22moby%22%2C%22Attrs%22%3A%7B%22type%22%3A%22image%22%7D%7D%5D\n\
             X-Registry-Config: eyJnaGNyLmlvIjp7InVzZXJuYW1lIjoiamFuZSJ9fQ==\nContent-Type: application/x-tar\n\n"
        );
    }

    #[test]
    fn limits_are_in_the_engine_s_units() {
        let options = BuildOptions::default()
            .memory(1 << 20)
            .memory_swap(1 << 21)
            .cpu_shares(512)
            .cpuset_cpus("0-1")
            .cpuset_mems("0")
            .cpu_quota(Duration::from_millis(50), Duration::from_millis(100))
            .cgroup_parent("/builds")
            .shm_size(65536)
            .ulimit(Ulimit::new("nofile", 10, 20));
        assert_eq!(
            text(request("".into(), &options)),
            "POST /build?memory=1048576&memswap=2097152&cpushares=512&cpusetcpus=0-1&cpusetmems=0&cpuperiod=100000\
             &cpuquota=50000&cgroupparent=%2Fbuilds&shmsize=65536\
             &ulimits=%5B%7B%22Name%22%3A%22nofile%22%2C%22Soft%22%3A10%2C%22Hard%22%3A20%7D%5D\n\
             Content-Type: application/x-tar\n\n"
        );
        let request = text(request("".into(), &BuildOptions::default().unlimited_swap()));
        assert!(request.starts_with("POST /build?memswap=-1\n"), "{request}");
    }

    #[test]
    fn what_older_engines_read_over_is_declared() {
        let needs =
            |options| request("".into(), &options).unwrap().needs.into_iter().map(|(_, since)| since.to_string());
        let all = BuildOptions::default().cache_from("a").network("b").squash().extra_host("a", "b").target("c");
        let all = all.platform("d").buildkit().session("e").build_id("f").output(BuildOutput::new("moby"));
        assert_eq!(
            needs(all).collect::<Vec<_>>(),
            ["1.25", "1.25", "1.25", "1.28", "1.29", "1.32", "1.39", "1.39", "1.39", "1.40"]
        );
        assert_eq!(needs(BuildOptions::default().tag("a").no_cache().build_arg("a", "b")).count(), 0);
    }

    #[test]
    fn wrong_names_and_addresses_are_refused_before_anything_is_sent() {
        let digest = format!("a@sha256:{}", "0f".repeat(32));
        for name in ["", "UPPER", "a b", &digest] {
            let error = request("".into(), &BuildOptions::default().tag(name)).unwrap_err();
            assert_eq!((error.kind(), error.target()), (ErrorKind::Invalid, Some(name)));
        }
        let error = request(BuildContext::remote(""), &BuildOptions::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }

    #[test]
    fn secrets_are_not_shown() {
        let auth = RegistryAuth::default().username("jane").password("s3cret");
        let options = BuildOptions::default().registry("ghcr.io", auth);
        let shown = format!("{options:?} {:?}", request("".into(), &options).unwrap());
        assert!(shown.contains("jane") && !shown.contains("s3cret"), "{shown}");
    }
}
