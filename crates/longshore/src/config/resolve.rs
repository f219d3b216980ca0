//! Decides which engine is meant, as the official CLI would in the same surroundings.

use std::fmt;
use std::path::PathBuf;

use longshore_wire::endpoint::{Endpoint as Address, Scheme};

use super::context::{Context, Contexts, DEFAULT, quoted};
use super::sockets::{DEFAULT_HOST, Place, is_socket, places};
use super::{ConfigFile, Environment, Tls};
use crate::error::{Error, ErrorKind, Operation, Result};

/// Which engine is meant, and why.
///
/// Displays as a sentence, such as `ssh://build@example.com, the context "ci" that DOCKER_CONTEXT names`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    address: String,
    source: EndpointSource,
    looked_at: Vec<String>,
}

/// What decided which engine is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndpointSource {
    /// The program, by an address or a transport of its own.
    Code,
    /// A variable that holds its address: `DOCKER_HOST`.
    Variable(&'static str),
    /// A context of the official CLI.
    Context {
        /// Its name.
        name: String,
        /// What named it.
        chosen_by: ContextSource,
    },
    /// The first socket that was found in the usual places, since nothing names an engine; whose it is.
    Socket(&'static str),
    /// Nothing: nothing names an engine, and there is no socket in any of the usual places. This is where the official
    /// CLI would look.
    Nothing,
}

/// What decided which context is used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContextSource {
    /// The program.
    Code,
    /// A variable: `DOCKER_CONTEXT`.
    Variable(&'static str),
    /// The official CLI's `config.json`, which is here.
    File(PathBuf),
}

impl Endpoint {
    pub(crate) fn new(address: String, source: EndpointSource) -> Self {
        Endpoint { address, source, looked_at: Vec::new() }
    }

    /// Why it is this engine, to follow its address; `None` where the program itself said so.
    pub(crate) fn reason(&self) -> Option<String> {
        match &self.source {
            EndpointSource::Code => None,
            EndpointSource::Variable(name) => Some(format!("as {name} says")),
            EndpointSource::Context { name, chosen_by } => {
                Some(format!("the context {} that {chosen_by} names", quoted(name)))
            }
            EndpointSource::Socket(of) => Some(format!("the socket of {of}")),
            EndpointSource::Nothing if self.looked_at.is_empty() => Some("the usual place".to_owned()),
            EndpointSource::Nothing => {
                let places = self.looked_at.join(", ");
                Some(format!(
                    "the usual place, since nothing names an engine and there is no socket at any of {places}"
                ))
            }
        }
    }

    /// The engine's address, such as `unix:///var/run/docker.sock`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What decided that it is this engine.
    pub fn source(&self) -> &EndpointSource {
        &self.source
    }

    /// The places of sockets that were looked at, in this order, up to the one that was found: empty where something
    /// named the engine.
    pub fn looked_at(&self) -> &[String] {
        &self.looked_at
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason() {
            Some(reason) => write!(formatter, "{}, {reason}", self.address),
            None => write!(formatter, "{}, as the program says", self.address),
        }
    }
}

impl fmt::Display for ContextSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ContextSource::Code => formatter.write_str("the program"),
            ContextSource::Variable(name) => formatter.write_str(name),
            ContextSource::File(path) => write!(formatter, "{}", path.display()),
        }
    }
}

/// What a program has said of the engine that it wants.
#[derive(Clone, Copy, Default)]
pub(crate) struct Wish<'a> {
    pub(crate) host: Option<&'a str>,
    pub(crate) context: Option<&'a str>,
}

/// An engine that was decided upon, and what is needed to reach it.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) address: Address,
    /// What TCP to the engine is secured with, if it is; an error that does not matter to a program that has its own.
    pub(crate) tls: Result<Option<Tls>>,
    pub(crate) endpoint: Endpoint,
}

impl Environment {
    /// Tells which engine is meant here, without speaking to it: as [`Docker::connect`](crate::Docker::connect) decides.
    ///
    /// # Errors
    /// As [`Docker::connect`](crate::Docker::connect).
    pub fn endpoint(&self) -> Result<Endpoint> {
        let Resolved { tls, endpoint, .. } = self.resolve(Wish::default())?;
        tls.map(|_| endpoint)
    }

    /// The contexts of the official CLI, by name, without `default`, which is none. One that can't be read is left out.
    ///
    /// ```no_run
    /// # fn example() -> longshore::Result<()> {
    /// for context in longshore::Environment::current().contexts()? {
    ///     println!("{} {}", context.name, context.host);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Config`](ErrorKind::Config) when the folder of the contexts can't be read; one that does not exist has none.
    pub fn contexts(&self) -> Result<Vec<Context>> {
        self.folder().map_or_else(|| Ok(Vec::new()), |folder| Contexts::of(&folder).list())
    }

    /// Decides which engine is meant, in the official CLI's order: what the program says, `DOCKER_HOST`,
    /// `DOCKER_CONTEXT`, `config.json`, and the usual sockets.
    pub(crate) fn resolve(&self, wish: Wish<'_>) -> Result<Resolved> {
        let chosen = match wish {
            Wish { host: Some(_), context: Some(_) } => {
                return Err(failure("both a host and a context were given; which of them is meant?".to_owned()));
            }
            Wish { host: Some(host), .. } => return self.host(host, "the host", EndpointSource::Code),
            Wish { context: Some(name), .. } => Some((name.to_owned(), ContextSource::Code)),
            _ if self.raw("DOCKER_HOST").is_some() => None,
            _ => match self.raw("DOCKER_CONTEXT") {
                Some(name) => Some((name.to_owned(), ContextSource::Variable("DOCKER_CONTEXT"))),
                None => self.current_context()?,
            },
        };
        match chosen {
            Some((name, chosen_by)) if name != DEFAULT => self.context(name, chosen_by),
            _ => self.default_engine(),
        }
    }

    /// The context that `config.json` names. A file that belongs to somebody else, which this user may not read, says
    /// nothing, as for the official CLI; a broken one is an error, since it may have named another engine.
    fn current_context(&self) -> Result<Option<(String, ContextSource)>> {
        let Some(folder) = self.folder() else { return Ok(None) };
        let path = folder.join("config.json");
        match ConfigFile::read(&path) {
            Ok(file) => {
                let named = Some(file.current_context).filter(|name| !name.is_empty());
                Ok(named.map(|name| (name, ContextSource::File(path))))
            }
            Err(error) if is_forbidden(&error) => Ok(None),
            Err(error) => Err(error.within(Operation::new("connect"))),
        }
    }

    /// The engine of a context. Only the context's own files say what TLS with it is made with.
    fn context(&self, name: String, chosen_by: ContextSource) -> Result<Resolved> {
        let Some(folder) = self.folder() else {
            let message = format!("the context {}, that {chosen_by} names: there is no home to look in", quoted(&name));
            return Err(failure(message));
        };
        let contexts = Contexts::of(&folder);
        let context = contexts.find(&name, &format!("that {chosen_by} names"))?;
        let host = if context.host.is_empty() { DEFAULT_HOST } else { &context.host };
        let address = parse(host, &format!("the host of the context {}", quoted(&name)))?;
        let tls = match &address {
            Address::Tcp { .. } => contexts.tls(&context),
            _ => Ok(None),
        };
        let endpoint = Endpoint::new(address.to_string(), EndpointSource::Context { name, chosen_by });
        Ok(Resolved { address, tls, endpoint })
    }

    /// The engine that is meant without a context.
    fn default_engine(&self) -> Result<Resolved> {
        match self.get("DOCKER_HOST") {
            Some(host) => self.host(host, "DOCKER_HOST", EndpointSource::Variable("DOCKER_HOST")),
            None if self.asks_for_tls() => self.host("tcp://localhost:2376", "the usual host", self.tls_source()),
            None => self.usual_socket(),
        }
    }

    /// The engine at an address that no context has, with the TLS that the variables ask for.
    fn host(&self, host: &str, origin: &str, source: EndpointSource) -> Result<Resolved> {
        let mut address = parse(&complete(host), origin)?;
        if let Address::Tcp { scheme: Scheme::Tcp, port: port @ None, .. } = &mut address {
            // The official CLI's, whether TLS is asked for or not.
            *port = Some(Scheme::Tcp.default_port());
        }
        let tls = match &address {
            Address::Tcp { scheme: Scheme::Tcp | Scheme::Https, .. } => self.tls(),
            _ => Ok(None),
        };
        let endpoint = Endpoint::new(address.to_string(), source);
        Ok(Resolved { address, tls, endpoint })
    }

    fn usual_socket(&self) -> Result<Resolved> {
        let mut looked_at = Vec::new();
        for Place { path, of } in places(self).into_iter().filter(|_| !cfg!(windows)) {
            looked_at.push(path.display().to_string());
            if is_socket(&path) {
                let address = Address::Unix(path);
                let endpoint = Endpoint { address: address.to_string(), source: EndpointSource::Socket(of), looked_at };
                return Ok(Resolved { address, tls: Ok(None), endpoint });
            }
        }
        let address = match parse(DEFAULT_HOST, "the usual place")? {
            Address::Unix(path) => Address::Unix(self.system_path(&path.to_string_lossy())),
            other => other,
        };
        let endpoint = Endpoint { address: address.to_string(), source: EndpointSource::Nothing, looked_at };
        Ok(Resolved { address, tls: Ok(None), endpoint })
    }

    /// Whether the variables ask for TLS with hosts that no context names.
    fn asks_for_tls(&self) -> bool {
        self.raw("DOCKER_TLS").is_some() || self.raw("DOCKER_TLS_VERIFY").is_some()
    }

    fn tls_source(&self) -> EndpointSource {
        let by_verify = self.raw("DOCKER_TLS_VERIFY").is_some();
        EndpointSource::Variable(if by_verify { "DOCKER_TLS_VERIFY" } else { "DOCKER_TLS" })
    }

    /// What TLS with a host that no context names is made with, as `DOCKER_TLS_VERIFY`, `DOCKER_TLS` and
    /// `DOCKER_CERT_PATH` say.
    fn tls(&self) -> Result<Option<Tls>> {
        if !self.asks_for_tls() {
            return Ok(None);
        }
        let folder = self.path("DOCKER_CERT_PATH").or_else(|| self.folder());
        let tls = folder.as_ref().map_or_else(|| Ok(Tls::default()), Tls::from_folder)?;
        match (self.raw("DOCKER_TLS_VERIFY"), &tls.authority, folder) {
            (None, ..) => Ok(Some(tls.without_verification())),
            (Some(_), None, Some(folder)) => {
                let path = folder.join("ca.pem");
                let path = path.display();
                let message =
                    format!("there is no {path}, by which DOCKER_TLS_VERIFY has the engine's certificate checked");
                Err(failure(format!("{message}: is DOCKER_CERT_PATH right?")))
            }
            (Some(_), ..) => Ok(Some(tls)),
        }
    }
}

/// Fills in what the official CLI lets people leave out of an address.
fn complete(host: &str) -> String {
    let host = host.trim();
    match host {
        "unix://" | "npipe://" => DEFAULT_HOST.to_owned(),
        "tcp://" => "tcp://localhost".to_owned(),
        _ => match host.strip_prefix("tcp://").unwrap_or(host) {
            port if port.starts_with(':') => format!("tcp://localhost{port}"),
            name if !name.contains([':', '/', '\\']) && !name.starts_with('.') => format!("tcp://{name}"),
            _ => host.to_owned(),
        },
    }
}

/// Reads an address of an engine; `origin` says in an error where the address was found.
fn parse(host: &str, origin: &str) -> Result<Address> {
    host.parse().map_err(|error| {
        let message = format!("{origin} is not an address of an engine: {error}");
        Operation::new("connect").error_from(ErrorKind::Config, message, error)
    })
}

fn failure(message: String) -> Error {
    Operation::new("connect").error(ErrorKind::Config, message)
}

/// Whether a file could not be read since it is somebody else's.
pub(super) fn is_forbidden(error: &Error) -> bool {
    use std::error::Error as _;
    let source = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
    source.is_some_and(|source| source.kind() == std::io::ErrorKind::PermissionDenied)
}

#[cfg(test)]
mod tests {
    use longshore_testkit::Folder;

    use super::*;

    fn chosen(environment: &Environment) -> String {
        environment.endpoint().map_or_else(|error| error.to_string(), |endpoint| endpoint.to_string())
    }

    fn refused(environment: &Environment, wish: Wish<'_>) -> String {
        let error = environment.resolve(wish).unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Config, "connect"), "{error}");
        error.message().to_owned()
    }

    /// A home with two contexts, and nothing in `/var/run`.
    fn home() -> (Folder, Environment) {
        let home = Folder::new();
        for (folder, name, host) in
            [("a1", "work", "unix:///run/work.sock"), ("b2", "far", "ssh://jo@far:2222/run/d.sock")]
        {
            let meta = format!(r#"{{"Name":"{name}","Endpoints":{{"docker":{{"Host":"{host}"}}}}}}"#);
            home.write(format!(".docker/contexts/meta/{folder}/meta.json"), meta);
        }
        let environment = Environment::default().variable("HOME", home.path().to_string_lossy());
        let environment = environment.root(home.path().join("root"));
        (home, environment)
    }

    #[test]
    fn each_rule_gives_way_to_the_one_before_it() {
        let (home, environment) = home();
        let config = home.write(".docker/config.json", r#"{"currentContext":"far"}"#);
        let by_file = format!("ssh://jo@far:2222/run/d.sock, the context `far` that {} names", config.display());
        assert_eq!(chosen(&environment), by_file);
        let environment = environment.variable("DOCKER_CONTEXT", "work");
        assert_eq!(chosen(&environment), "unix:///run/work.sock, the context `work` that DOCKER_CONTEXT names");
        let environment = environment.variable("DOCKER_HOST", "tcp://h");
        assert_eq!(chosen(&environment), "tcp://h:2375, as DOCKER_HOST says");
        let of = |wish| environment.resolve(wish).unwrap().endpoint.to_string();
        let context = |name| Wish { context: Some(name), ..Wish::default() };
        assert_eq!(of(context("far")), "ssh://jo@far:2222/run/d.sock, the context `far` that the program names");
        assert_eq!(of(context("default")), "tcp://h:2375, as DOCKER_HOST says");
        let host = Wish { host: Some("/run/mine.sock"), ..Wish::default() };
        assert_eq!(of(host), "unix:///run/mine.sock, as the program says");
        let both = refused(&environment, Wish { context: Some("far"), ..host });
        assert_eq!(both, "both a host and a context were given; which of them is meant?");
    }

    #[test]
    fn sockets_are_found_one_after_another() {
        let (home, environment) = home();
        let environment = environment.variable("XDG_RUNTIME_DIR", home.path().join("run").to_string_lossy());
        let nothing = environment.endpoint().unwrap();
        assert_eq!(nothing.source(), &EndpointSource::Nothing);
        assert_eq!(nothing.address(), format!("unix://{}/root/var/run/docker.sock", home.path().display()));
        let mut found = Vec::new();
        for (path, of) in [
            ("run/podman/podman.sock", "rootless Podman"),
            ("root/run/podman/podman.sock", "Podman"),
            (".orbstack/run/docker.sock", "OrbStack"),
            (".rd/docker.sock", "Rancher Desktop"),
            (".colima/default/docker.sock", "Colima"),
            (".docker/desktop/docker.sock", "Docker Desktop"),
            (".docker/run/docker.sock", "Docker Desktop"),
            ("run/docker.sock", "rootless Docker"),
            ("root/var/run/docker.sock", "Docker"),
        ] {
            let socket = home.socket(path).display().to_string();
            let endpoint = environment.endpoint().unwrap();
            assert_eq!(endpoint.to_string(), format!("unix://{socket}, the socket of {of}"));
            assert_eq!(endpoint.looked_at().last(), Some(&socket));
            assert!(nothing.looked_at().contains(&socket), "{socket} is not told when nothing is found");
            found.push(endpoint.looked_at().len());
        }
        assert!(found.is_sorted_by(|one, other| one > other), "{found:?}");
    }

    #[test]
    fn what_is_no_socket_is_passed_over() {
        let (home, environment) = home();
        // Docker makes a folder of a socket that is not there when it is mounted.
        std::fs::create_dir_all(home.path().join("root/var/run/docker.sock")).unwrap();
        home.write(".docker/run/docker.sock", "");
        std::os::unix::fs::symlink("/nonexistent", home.path().join("link")).unwrap();
        let environment = environment.variable("XDG_RUNTIME_DIR", home.path().to_string_lossy());
        std::fs::rename(home.path().join("link"), home.path().join("docker.sock")).unwrap();
        let socket = home.socket(".rd/real.sock");
        std::os::unix::fs::symlink(&socket, home.path().join(".rd/docker.sock")).unwrap();
        assert!(chosen(&environment).ends_with("/.rd/docker.sock, the socket of Rancher Desktop"));
    }

    #[test]
    fn addresses_may_be_as_short_as_for_the_official_cli() {
        for (host, address) in [
            (" tcp://h:1 ", "tcp://h:1"),
            ("tcp://h", "tcp://h:2375"),
            ("tcp://", "tcp://localhost:2375"),
            ("tcp://:1", "tcp://localhost:1"),
            (":1", "tcp://localhost:1"),
            ("h:1", "tcp://h:1"),
            ("h", "tcp://h:2375"),
            ("example.com", "tcp://example.com:2375"),
            ("tcp://[::1]", "tcp://[::1]:2375"),
            ("unix://", DEFAULT_HOST),
            ("unix:///a b.sock", "unix:///a b.sock"),
            ("http://h", "http://h"),
            ("npipe:////./pipe/docker_engine", "npipe:////./pipe/docker_engine"),
        ] {
            let environment = Environment::default().variable("DOCKER_HOST", host);
            assert_eq!(environment.endpoint().unwrap().address(), address, "{host:?}");
        }
    }

    #[test]
    fn an_address_that_is_none_is_an_error_that_names_its_origin() {
        let (home, environment) = home();
        let of = |host: &str| refused(&environment.clone().variable("DOCKER_HOST", host), Wish::default());
        assert!(of("gopher://x").starts_with("DOCKER_HOST is not an address of an engine: "));
        assert!(!of("tcp://jo:s3cret@h").contains("s3cret"));
        let meta = r#"{"Name":"odd","Endpoints":{"docker":{"Host":"tcp://jo:s3cret@h"}}}"#;
        home.write(".docker/contexts/meta/c3/meta.json", meta);
        let odd = refused(&environment, Wish { context: Some("odd"), ..Wish::default() });
        assert!(odd.starts_with("the host of the context `odd` is not an address of an engine: "), "{odd}");
        assert!(!odd.contains("s3cret"), "{odd}");
        let wish = Wish { host: Some("nope://"), ..Wish::default() };
        assert!(refused(&environment, wish).starts_with("the host is not an address of an engine: "));
    }

    #[test]
    fn a_file_that_would_decide_must_be_understood() {
        let (home, environment) = home();
        for broken in ["{", "[]", r#"{"currentContext":5}"#, r#"{"currentContext":"s3cret"#] {
            home.write(".docker/config.json", broken);
            let message = refused(&environment, Wish::default());
            assert!(message.contains("config.json") && !message.contains("s3cret"), "{message}");
            // Where something before it decides, it does not matter.
            let decided = environment.clone().variable("DOCKER_CONTEXT", "work");
            assert!(chosen(&decided).starts_with("unix:///run/work.sock"));
        }
        for none in ["", "{}", "null", r#"{"currentContext":null}"#, r#"{"currentContext":""}"#] {
            home.write(".docker/config.json", none);
            assert_eq!(environment.endpoint().unwrap().source(), &EndpointSource::Nothing, "{none:?}");
        }
        // A folder where the file should be can't be read, and may hide anything.
        std::fs::remove_file(home.path().join(".docker/config.json")).unwrap();
        std::fs::create_dir(home.path().join(".docker/config.json")).unwrap();
        assert!(refused(&environment, Wish::default()).contains("can't be read"));
    }

    #[test]
    fn tls_without_a_host_is_the_usual_port_of_this_machine() {
        let (home, environment) = home();
        home.write("certificates/ca.pem", "ca");
        let folder = home.path().join("certificates");
        let environment = environment.variable("DOCKER_CERT_PATH", folder.to_string_lossy());
        let environment = environment.variable("DOCKER_TLS_VERIFY", "1");
        assert_eq!(chosen(&environment), "tcp://localhost:2376, as DOCKER_TLS_VERIFY says");
        assert_eq!(environment.resolve(Wish::default()).unwrap().tls.unwrap(), Some(Tls::default().authority("ca")));
        // A context has its own; a socket needs none.
        let context = Wish { context: Some("work"), ..Wish::default() };
        assert_eq!(environment.resolve(context).unwrap().tls.unwrap(), None);
        let socket = Wish { host: Some("unix:///a"), ..Wish::default() };
        assert_eq!(environment.resolve(socket).unwrap().tls.unwrap(), None);
    }
}
