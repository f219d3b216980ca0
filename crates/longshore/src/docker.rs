use std::fmt;
use std::sync::Arc;

use longshore_wire::path::Path;
use longshore_wire::version::ApiVersion;
use tokio::sync::OnceCell;
#[cfg(feature = "websocket")]
use tokio::time::Instant;

use crate::config::{self, Environment, Ssh, Tls};
use crate::error::{ErrorKind, Operation, Result};
use crate::http::{Client, Deadlines, Method, Request, Response};
#[cfg(feature = "websocket")]
use crate::http::{Timer, Upgraded};
use crate::transport::{self, Dial};

/// A client of one engine: cheap to clone, and shared by all the handles made from it.
///
/// Making one does no I/O. Connections are opened when they are needed, kept, and used again; the version of the API
/// is agreed upon at the first call.
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
    pinned: Option<ApiVersion>,
    agreed: OnceCell<ApiVersion>,
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
    /// What TLS to the engine is made with; decided by the environment unless set.
    pub tls: Option<Tls>,
    /// How `ssh` is run, where the address is of ssh.
    pub ssh: Ssh,
    /// The version of the API to speak; agreed upon with the engine unless set.
    pub version: Option<ApiVersion>,
    /// How long to wait for what.
    pub deadlines: Deadlines,
    /// The settings that decide which engine is meant; the process's own unless set.
    pub environment: Option<Environment>,
}

impl ConnectOptions {
    /// Names the engine: `unix:///run/docker.sock`, `tcp://host:2375`, `ssh://user@host`.
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into());
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
    /// Makes a client of the engine that the environment names: `DOCKER_HOST`, else `/var/run/docker.sock`.
    ///
    /// # Errors
    /// [`Config`](ErrorKind::Config) when `DOCKER_HOST` is not an address, [`Unsupported`](ErrorKind::Unsupported)
    /// when it names a transport that this build lacks.
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
    /// As [`connect`](Docker::connect).
    pub fn connect_with(options: &ConnectOptions) -> Result<Docker> {
        let endpoint = match (&options.host, &options.environment) {
            (Some(host), _) => config::parse(host, "the host")?,
            (None, Some(environment)) => environment.endpoint()?,
            (None, None) => Environment::current().endpoint()?,
        };
        Ok(Docker::new(transport::dialer(endpoint, options.tls.clone(), options.ssh.clone())?, options))
    }

    /// Makes a client that reaches its engine over a transport of the caller's.
    pub fn connect_through(dial: impl Dial) -> Docker {
        Docker::new(Arc::new(dial), &ConnectOptions::default())
    }

    /// Makes a client that reaches its engine over a transport of the caller's, as `options` say; their host and
    /// environment do not count.
    pub fn connect_through_with(dial: impl Dial, options: &ConnectOptions) -> Docker {
        Docker::new(Arc::new(dial), options)
    }

    fn new(dial: Arc<dyn Dial>, options: &ConnectOptions) -> Docker {
        let engine = Engine { client: Client::new(dial), pinned: options.version, agreed: OnceCell::new() };
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

    /// The deadlines of this client's calls.
    pub fn deadlines(&self) -> &Deadlines {
        &self.deadlines
    }

    /// Where this client's engine is, such as `unix:///var/run/docker.sock`.
    pub fn host(&self) -> String {
        self.engine.client.describe()
    }

    /// The version of the API that this client speaks with its engine.
    ///
    /// Unless one was set, it is the newest that both know: the engine is asked once, by
    /// [`ping`](Docker::ping).
    ///
    /// # Errors
    /// [`Unsupported`](ErrorKind::Unsupported) when the engine is older than any version that this client knows, and
    /// whatever a ping can fail with.
    pub async fn api_version(&self) -> Result<ApiVersion> {
        self.agree(&Operation::new("agree on an API version")).await
    }

    async fn agree(&self, operation: &Operation) -> Result<ApiVersion> {
        if let Some(version) = self.engine.pinned.or_else(|| self.engine.agreed.get().copied()) {
            return Ok(version);
        }
        let asking = self.engine.agreed.get_or_try_init(|| self.ask_version(operation));
        // Calls made at the same time ask once; none of them waits for the others' deadlines as well as its own.
        let limit = self.deadlines.connect.zip(self.deadlines.head).map(|(connect, head)| connect + head);
        let limit = [limit, self.deadlines.total].into_iter().flatten().min();
        match limit {
            Some(limit) => tokio::time::timeout(limit, asking).await.unwrap_or_else(|_| Err(operation.late())).copied(),
            None => asking.await.copied(),
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
        Ok(ApiVersion::MAXIMUM.clamp_to(newest))
    }

    /// Asks `/_ping` for its head: by `HEAD`, or by `GET` where something on the way refuses that.
    pub(crate) async fn ping_head(&self, operation: &Operation) -> Result<Response> {
        let send = |method| self.engine.client.send(ping(method, operation), None, &self.deadlines);
        match send(Method::Head).await {
            Err(error) if error.status().is_some() => send(Method::Get).await,
            outcome => outcome,
        }
    }

    /// Sends a request and reads the head of its answer.
    pub(crate) async fn send(&self, request: Request) -> Result<Response> {
        if !request.versioned {
            return self.engine.client.send(request, None, &self.deadlines).await;
        }
        let version = self.agree(&request.operation).await?;
        request.check(version)?;
        self.engine.client.send(request, Some(version), &self.deadlines).await
    }

    /// Opens a connection and lets `handshake` make a WebSocket of it, within the deadlines.
    #[cfg(feature = "websocket")]
    pub(crate) async fn open_websocket<F>(
        &self,
        request: Request,
        handshake: impl FnOnce(Operation, Box<dyn transport::Io>, String, String) -> F,
    ) -> Result<Upgraded>
    where
        F: Future<Output = Result<Box<dyn transport::Io>>>,
    {
        let end = self.deadlines.total.map(|total| Instant::now() + total);
        let version = self.agree(&request.operation).await?;
        request.check(version)?;
        let (host, target) = self.engine.client.address(&request, version);
        let operation = request.operation;
        let io = self.engine.client.open(&operation, &self.deadlines, end).await?;
        let opening = handshake(operation.clone(), io, host, target);
        let limit = self.deadlines.head.map(|head| Instant::now() + head);
        let io = match [limit, end].into_iter().flatten().min() {
            Some(limit) => tokio::time::timeout_at(limit, opening)
                .await
                .unwrap_or_else(|_| Err(operation.error(ErrorKind::Timeout, "no answer within the deadline"))),
            None => opening.await,
        }?;
        Ok(Upgraded::from_io(io, Timer::new(self.deadlines.idle, end)))
    }

    /// Closes the connections that no call is using. Later calls open new ones.
    pub fn close(&self) {
        self.engine.client.close_idle();
    }
}

fn ping(method: Method, operation: &Operation) -> Request {
    Request::new(method, Path::new("_ping"), operation.clone()).unversioned()
}

impl fmt::Debug for Docker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Docker")
            .field("host", &self.host())
            .field("version", &self.engine.agreed.get())
            .finish()
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
