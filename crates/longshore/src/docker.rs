use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use longshore_wire::path::Path;
use longshore_wire::version::ApiVersion;
use tokio::sync::Mutex;
#[cfg(feature = "websocket")]
use tokio::time::Instant;

use crate::config::{Credentials, Endpoint, EndpointSource, Environment, Resolved, Shown, Ssh, Tls, Wish};
use crate::error::{Error, ErrorKind, Operation, Result};
use crate::http::{Answering, Client, Deadlines, Method, Payload, REGISTRY_AUTH, Request, Response};
#[cfg(feature = "websocket")]
use crate::http::{Timer, UpgradeHead, Upgraded};
use crate::transport::{self, Dial};

/// A client of one engine: cheap to clone, and shared by all the handles made from it.
///
/// Making one speaks to nobody, and reads only the user's configuration. Connections are opened when they are needed,
/// kept, and used again; the version of the API is agreed upon at the first call, and again once another engine answers.
///
/// ```no_run
/// # async fn example() -> longshore::Result<()> {
/// let docker = longshore::Docker::connect()?;
/// for container in docker.containers().list().await? {
///     println!("{} {}", container.id, container.image);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Docker {
    engine: Arc<Engine>,
    deadlines: Deadlines,
}

struct Engine {
    client: Client,
    endpoint: Endpoint,
    pinned: Option<ApiVersion>,
    /// Where the user's credentials are; the process's own surroundings unless set.
    environment: Option<Environment>,
    /// Held by the call that asks the engine for its version; the others wait.
    asking: Mutex<()>,
}

/// How to connect to an engine.
///
/// ```
/// use longshore::{ApiVersion, ConnectOptions, Docker};
///
/// let options = ConnectOptions::default().host("tcp://127.0.0.1:2375").version(ApiVersion::new(1, 41));
/// let docker = Docker::connect_with(&options)?;
/// # Ok::<(), longshore::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ConnectOptions {
    /// The engine's address; found in the environment unless set.
    pub host: Option<String>,
    /// The official CLI's context that names the engine; found in the environment unless set.
    pub context: Option<String>,
    /// What TLS to the engine is made with; decided by the environment unless set.
    pub tls: Option<Tls>,
    /// How `ssh` is run, where the address is of ssh.
    pub ssh: Ssh,
    /// The version of the API to speak; that of `DOCKER_API_VERSION`, or else agreed upon with the engine, unless set.
    pub version: Option<ApiVersion>,
    /// How long to wait for what.
    pub deadlines: Deadlines,
    /// The settings that decide which engine is meant, what goes with every request, and where the user's credentials for
    /// registries are; the process's own unless set.
    pub environment: Option<Environment>,
}

impl ConnectOptions {
    /// Names the engine: `unix:///run/docker.sock`, `tcp://host:2375`, `ssh://user@host`.
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into());
        self
    }

    /// Takes the engine that this context of the official CLI names, whatever `DOCKER_HOST` says; `default` means no
    /// context, and so `DOCKER_HOST` or the usual socket.
    #[must_use]
    pub fn context(mut self, name: impl Into<String>) -> Self {
        self.context = Some(name.into());
        self
    }

    /// Speaks TLS with the engine, made with this.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Runs `ssh` so, where the address is of ssh.
    #[must_use]
    pub fn ssh(mut self, ssh: Ssh) -> Self {
        self.ssh = ssh;
        self
    }

    /// Speaks this version of the API, without asking the engine which it knows.
    #[must_use]
    pub fn version(mut self, version: ApiVersion) -> Self {
        self.version = Some(version);
        self
    }

    /// Waits this long for what.
    #[must_use]
    pub fn deadlines(mut self, deadlines: Deadlines) -> Self {
        self.deadlines = deadlines;
        self
    }

    /// Takes these settings instead of the process's own.
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = Some(environment);
        self
    }
}

impl Docker {
    /// Makes a client of the engine that the official CLI would speak with in the same surroundings.
    ///
    /// The first of these that says something decides:
    ///
    /// 1. `DOCKER_HOST`, an address;
    /// 2. `DOCKER_CONTEXT`, the name of a context;
    /// 3. `currentContext` of `config.json`, in the folder `DOCKER_CONFIG`, else `~/.docker`;
    /// 4. `/var/run/docker.sock`, if there is a socket; on Windows the pipe `docker_engine`;
    /// 5. the first socket of rootless Docker, Docker Desktop, Colima, Rancher Desktop, OrbStack and Podman, in their
    ///    usual places. Here the official CLI would give up.
    ///
    /// The context `default` means no context: then 4 and 5 count, and for a program that names it, 1.
    /// [`endpoint`](Docker::endpoint) tells what was decided and why.
    ///
    /// `DOCKER_API_VERSION` sets the version of the API. The header fields of `DOCKER_CUSTOM_HEADERS`, a list such as
    /// `X-One=1,"X-Two=2, 3"`, or else the `HttpHeaders` of `config.json` go with every request, but for those that belong
    /// to HTTP itself and `User-Agent`.
    ///
    /// # Errors
    /// [`Config`](ErrorKind::Config) when one of these says something that can't be used: an address that is none, a
    /// context that does not exist, a `config.json` that can't be understood where it would decide, a header that can't
    /// be sent. Nothing else is then tried. [`Unsupported`](ErrorKind::Unsupported) when a transport is named that this
    /// build lacks.
    pub fn connect() -> Result<Docker> {
        Docker::connect_with(&ConnectOptions::default())
    }

    /// Makes a client of the engine at `host`, such as `unix:///run/docker.sock`, `tcp://127.0.0.1:2375` or, with the
    /// feature `ssh`, `ssh://user@host`.
    ///
    /// # Errors
    /// As [`connect`](Docker::connect).
    pub fn connect_to(host: impl Into<String>) -> Result<Docker> {
        Docker::connect_with(&ConnectOptions::default().host(host))
    }

    /// Makes a client as `options` say.
    ///
    /// # Errors
    /// As [`connect`](Docker::connect); [`Config`](ErrorKind::Config) also when both a host and a context are given.
    pub fn connect_with(options: &ConnectOptions) -> Result<Docker> {
        let environment = options.environment.clone().unwrap_or_else(Environment::current);
        let wish = Wish { host: options.host.as_deref(), context: options.context.as_deref() };
        let Resolved { address, tls, endpoint } = environment.resolve(wish)?;
        let tls = options.tls.clone().map_or(tls, |own| Ok(Some(own)))?;
        let dial = transport::dialer(address, tls.as_ref(), &options.ssh)?;
        let settings = Settings::of(&environment, options)?;
        Ok(Docker::new(dial, endpoint, Ok(settings), options))
    }

    /// Makes a client that reaches its engine over a transport of the caller's.
    ///
    /// What would be an error of [`connect`](Docker::connect), such as a `DOCKER_API_VERSION` that is none, is one of
    /// every call.
    pub fn connect_through(dial: impl Dial) -> Docker {
        Docker::connect_through_with(dial, &ConnectOptions::default())
    }

    /// Makes a client that reaches its engine over a transport of the caller's, as `options` say; their host, context
    /// and TLS do not count, and of their environment only the version of the API, what goes with every request, and the
    /// user's credentials and proxies.
    pub fn connect_through_with(dial: impl Dial, options: &ConnectOptions) -> Docker {
        let environment = options.environment.clone().unwrap_or_else(Environment::current);
        let endpoint = Endpoint::new(dial.describe(), EndpointSource::Code);
        Docker::new(Arc::new(dial), endpoint, Settings::of(&environment, options), options)
    }

    fn new(dial: Arc<dyn Dial>, endpoint: Endpoint, settings: Result<Settings>, options: &ConnectOptions) -> Docker {
        let (pinned, headers) = match settings {
            Ok(Settings { pinned, headers }) => (pinned, Ok(headers)),
            Err(error) => (options.version, Err(error)),
        };
        let client = Client::new(dial, endpoint.reason(), headers);
        let environment = options.environment.clone();
        let engine = Engine { client, endpoint, pinned, asking: Mutex::new(()), environment };
        Docker { engine: Arc::new(engine), deadlines: options.deadlines }
    }

    /// The same client with other deadlines; both share their connections.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use longshore::{Deadlines, Docker, Until};
    /// # async fn example(docker: Docker) -> longshore::Result<()> {
    /// let patient = docker.with_deadlines(Deadlines::default().total(Duration::from_secs(3600)));
    /// patient.container("backup").wait(Until::NotRunning).await?.await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_deadlines(&self, deadlines: Deadlines) -> Docker {
        Docker { engine: self.engine.clone(), deadlines }
    }

    /// A client of the same engine with connections of its own and the usual deadlines, for calls of another runtime.
    pub(crate) fn detached(&self) -> Docker {
        let Engine { client, endpoint, pinned, environment, .. } = &*self.engine;
        let (client, endpoint, environment) = (client.detached(), endpoint.clone(), environment.clone());
        let engine = Engine { client, endpoint, pinned: *pinned, asking: Mutex::new(()), environment };
        Docker { engine: Arc::new(engine), deadlines: Deadlines::default() }
    }

    /// The deadlines of this client's calls.
    pub fn deadlines(&self) -> &Deadlines {
        &self.deadlines
    }

    /// Where this client's engine is, such as `unix:///var/run/docker.sock`.
    pub fn host(&self) -> String {
        self.engine.client.describe()
    }

    /// Where this client's engine is, and what decided that.
    ///
    /// ```no_run
    /// # fn example() -> longshore::Result<()> {
    /// let docker = longshore::Docker::connect()?;
    /// // unix:///run/user/1000/docker.sock, the socket of rootless Docker
    /// println!("{}", docker.endpoint());
    /// # Ok(())
    /// # }
    /// ```
    pub fn endpoint(&self) -> &Endpoint {
        &self.engine.endpoint
    }

    /// The version of the API that this client speaks with its engine.
    ///
    /// Unless one was set, it is the newest that both know: the engine is asked once, by
    /// [`ping`](Docker::ping). When later another version of the engine answers at the same place, it is that one's.
    ///
    /// # Errors
    /// [`Unsupported`](ErrorKind::Unsupported) when the engine is older than any version that this client knows, and
    /// whatever a ping can fail with.
    pub async fn api_version(&self) -> Result<ApiVersion> {
        self.agree(&Operation::new("agree on an API version")).await
    }

    /// The version that was set, or that is the newest which this client and the engine know.
    fn agreed(&self) -> Option<ApiVersion> {
        let known = || self.engine.client.newest_version().filter(|newest| *newest >= ApiVersion::MINIMUM);
        self.engine.pinned.or_else(|| known().map(|newest| ApiVersion::MAXIMUM.clamp_to(newest)))
    }

    async fn agree(&self, operation: &Operation) -> Result<ApiVersion> {
        match self.agreed() {
            Some(version) => Ok(version),
            None => self.ask_in_time(operation).await,
        }
    }

    /// Asks the engine, which few calls have to: the future is boxed, so that the code of none of the others has it.
    fn ask_in_time<'a>(
        &'a self,
        operation: &'a Operation,
    ) -> Pin<Box<dyn Future<Output = Result<ApiVersion>> + Send + 'a>> {
        // Calls made at the same time ask once; none of them waits for the others' deadlines as well as its own.
        let limit = self.deadlines.connect.zip(self.deadlines.head).map(|(connect, head)| connect + head);
        let limit = [limit, self.deadlines.total].into_iter().flatten().min().unwrap_or(Duration::MAX);
        let asking = tokio::time::timeout(limit, self.ask_once(operation));
        Box::pin(async { asking.await.unwrap_or_else(|_| Err(operation.late())) })
    }

    async fn ask_once(&self, operation: &Operation) -> Result<ApiVersion> {
        let _alone = self.engine.asking.lock().await;
        match self.agreed() {
            Some(version) => Ok(version),
            None => self.ask_version(operation).await,
        }
    }

    async fn ask_version(&self, operation: &Operation) -> Result<ApiVersion> {
        let response = self.ping_head(operation).await?;
        let Some(text) = response.head().header("api-version").map(str::to_owned) else {
            return Err(operation.error(ErrorKind::Protocol, "the server names no API version: is it an engine?"));
        };
        response.finish().await?;
        let newest = text.parse::<ApiVersion>().map_err(|source| {
            operation.error_from(ErrorKind::Protocol, format!("the engine's API version: {source}"), source)
        })?;
        if newest < ApiVersion::MINIMUM {
            let oldest = ApiVersion::MINIMUM;
            let message = format!("the engine knows API versions up to {newest}, this client none below {oldest}");
            return Err(operation.error(ErrorKind::Unsupported, message));
        }
        self.engine.client.learn_version(newest);
        Ok(ApiVersion::MAXIMUM.clamp_to(newest))
    }

    /// Asks `/_ping` for its head: by `HEAD`, or by `GET` where something on the way refuses that.
    pub(crate) async fn ping_head(&self, operation: &Operation) -> Result<Response> {
        let send = async |method| self.engine.client.send(&mut ping(method, operation), None, &self.deadlines).await;
        match send(Method::Head).await {
            Err(error) if error.status().is_some() => send(Method::Get).await,
            outcome => outcome,
        }
    }

    /// Sends a request and reads the head of its answer.
    ///
    /// The future is boxed: the compiler makes the body of an `async fn` anew in every unit of code that awaits it, with all
    /// that it awaits, and every call awaits this.
    pub(crate) fn send(&self, request: Request) -> Answering<'_> {
        Box::pin(self.carry(request))
    }

    async fn carry(&self, mut request: Request) -> Result<Response> {
        if !request.versioned {
            return self.engine.client.send(&mut request, None, &self.deadlines).await;
        }
        let version = self.agree(&request.operation).await?;
        request.check(version)?;
        request = self.authorize(request).await?;
        let body = request.body.as_ref().map(Payload::again);
        match self.engine.client.send(&mut request, Some(version), &self.deadlines).await {
            Err(error) if error.is_refused_for_version() && self.engine.pinned.is_none() => {
                Box::pin(self.send_again(request, body, version, error)).await
            }
            outcome => outcome,
        }
    }

    /// Sends a request once more that the engine refused for its `version`, and so did not carry out: it is not the engine
    /// any more that the version was agreed upon with.
    async fn send_again(
        &self,
        mut request: Request,
        body: Option<Option<Payload>>,
        version: ApiVersion,
        refusal: Error,
    ) -> Result<Response> {
        let other = self.agree_again(version, &request.operation).await?;
        if other == version || matches!(body, Some(None)) {
            return Err(refusal);
        }
        tracing::debug!(before = %version, now = %other, "another engine answers; speaking its version");
        request.check(other)?;
        request.body = body.flatten();
        self.engine.client.send(&mut request, Some(other), &self.deadlines).await
    }

    /// The version to speak after the engine refused `version`: what the refusal itself told, or else the engine tells.
    async fn agree_again(&self, version: ApiVersion, operation: &Operation) -> Result<ApiVersion> {
        if let Some(other) = self.agreed().filter(|other| *other != version) {
            return Ok(other);
        }
        self.engine.client.forget_version();
        self.agree(operation).await
    }

    /// Adds the user's credentials for the registry that the request names.
    async fn authorize(&self, mut request: Request) -> Result<Request> {
        let Some((registry, find)) = request.registry.take() else { return Ok(request) };
        let (environment, limit) = self.of_credentials();
        let found = find(environment, limit, registry).await;
        let found = found.map_err(|error| error.within(request.operation.clone()))?;
        Ok(match (found, request.anonymous.take()) {
            (Some(Shown { header, origin }), _) => {
                request.operation = request.operation.with_credentials_of(&origin);
                request.header(REGISTRY_AUTH, header)
            }
            (None, Some(header)) => request.header(REGISTRY_AUTH, header),
            (None, None) => request,
        })
    }

    /// The user's credentials and proxies as they are now.
    pub(crate) async fn credentials(&self) -> Result<Credentials> {
        let (environment, limit) = self.of_credentials();
        Credentials::read(environment, limit).await
    }

    /// Where the user's credentials are, and how long each helper may take to tell them.
    fn of_credentials(&self) -> (Environment, Option<Duration>) {
        let environment = self.engine.environment.clone().unwrap_or_else(Environment::current);
        (environment, [self.deadlines.credentials, self.deadlines.total].into_iter().flatten().min())
    }

    /// Opens a connection and lets `handshake` make a WebSocket of it, within the deadlines.
    #[cfg(feature = "websocket")]
    pub(crate) async fn open_websocket<F>(
        &self,
        request: Request,
        handshake: impl FnOnce(Operation, Box<dyn transport::Io>, UpgradeHead) -> F,
    ) -> Result<Upgraded>
    where
        F: Future<Output = Result<Box<dyn transport::Io>>>,
    {
        let end = self.deadlines.total.map(|total| Instant::now() + total);
        let version = self.agree(&request.operation).await?;
        request.check(version)?;
        let head = self.engine.client.upgrade_head(&request, version)?;
        let operation = request.operation;
        let io = self.engine.client.open(&operation, &self.deadlines, end).await?;
        let opening = handshake(operation.clone(), io, head);
        let limit = self.deadlines.head.map(|head| Instant::now() + head);
        let outcome = match [limit, end].into_iter().flatten().min() {
            Some(limit) => tokio::time::timeout_at(limit, opening)
                .await
                .unwrap_or_else(|_| Err(operation.error(ErrorKind::Timeout, "no answer within the deadline"))),
            None => opening.await,
        };
        // A handshake can't be made twice, but the next call is to know better.
        let io = outcome.inspect_err(|error| {
            if error.is_refused_for_version() {
                self.engine.client.forget_version();
            }
        })?;
        Ok(Upgraded::from_io(io, Timer::new(self.deadlines.idle, end)))
    }

    /// Closes the connections that no call is using. Later calls open new ones.
    pub fn close(&self) {
        self.engine.client.close_idle();
    }
}

/// What the user's surroundings say of calls, whichever the engine is.
struct Settings {
    /// The version of the API that is spoken without asking.
    pinned: Option<ApiVersion>,
    /// What goes with every request.
    headers: Vec<(String, String)>,
}

impl Settings {
    fn of(environment: &Environment, options: &ConnectOptions) -> Result<Self> {
        let pinned = match options.version {
            Some(version) => Some(version),
            None => environment.api_version()?,
        };
        Ok(Settings { pinned, headers: environment.headers()? })
    }
}

fn ping(method: Method, operation: &Operation) -> Request {
    Request::new(method, Path::new("_ping"), operation.clone()).unversioned()
}

impl fmt::Debug for Docker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Docker").field("host", &self.host()).field("version", &self.agreed()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        for (method, expected) in [(Method::Head, "HEAD /_ping"), (Method::Get, "GET /_ping")] {
            let request = ping(method, &Operation::new("ping"));
            assert!(!request.versioned);
            assert_eq!(text(Ok(request)), expected);
        }
    }
}
