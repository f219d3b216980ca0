//! Engines that are reached by contexts, which the official CLI has made.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use longshore::config::{ContextSource, EndpointSource};
use longshore::{ConnectOptions, Docker, Environment, ErrorKind};
use longshore_testkit::Folder;
use longshore_testkit::certificates::Authority;
use longshore_testkit::environments::official_cli;
use longshore_testkit::live::Live;
use longshore_testkit::tls::TlsPort;
#[cfg(feature = "ssh")]
use longshore_testkit::{FarSide, Sshd};
use tokio::process::Command;

use crate::harness::{Outcome, Test, test_within};
use crate::support::refused;

pub(crate) fn tests() -> Vec<Test> {
    // The first of them may have to install the official CLI, a proxy or an ssh server.
    let patient = Duration::from_secs(180);
    vec![
        test_within(patient, each_name_leads_to_its_own_engine),
        test_within(patient, certificates_come_from_the_context),
        test_within(patient, a_context_may_be_chosen_outside_the_program),
        test_within(patient, the_authority_of_the_context_is_what_counts),
        test_within(patient, a_context_may_skip_the_verification_of_the_engine),
        test_within(patient, what_is_gone_from_the_store_does_not_count),
        #[cfg(feature = "ssh")]
        test_within(patient, a_context_of_ssh_is_dialled),
    ]
}

type Failure = Box<dyn Error + Send + Sync>;

/// A user of the official CLI.
struct User {
    program: PathBuf,
    folder: Folder,
}

impl User {
    fn new() -> Result<Self, String> {
        Ok(User { program: official_cli()?, folder: Folder::new() })
    }

    /// Lets the official CLI do something, and gives what it prints.
    async fn run(&self, arguments: &[&str]) -> Result<String, Failure> {
        let mut command = Command::new(&self.program);
        command.env_clear().env("PATH", "/usr/bin:/bin").env("DOCKER_CONFIG", self.folder.path()).args(arguments);
        let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
            false => Err(format!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr).trim()).into()),
        }
    }

    async fn create(&self, name: &str, engine: &str) -> Outcome {
        self.run(&["context", "create", name, "--description", "a test", "--docker", engine]).await.map(drop)
    }

    /// The version of the engine that the official CLI reaches.
    async fn version(&self, context: &str) -> Result<String, Failure> {
        self.run(&["--context", context, "version", "--format", "{{.Server.Version}}"]).await
    }

    /// The surroundings of this user, whose variables name another engine: for a context they are not to count.
    fn environment(&self) -> Environment {
        let folder = self.folder.path().display().to_string();
        let environment = Environment::default().variable("DOCKER_CONFIG", &folder);
        let environment = environment.variable("DOCKER_HOST", "tcp://127.0.0.1:1").variable("DOCKER_TLS_VERIFY", "1");
        environment.variable("DOCKER_CERT_PATH", folder)
    }

    fn options(&self, context: &str) -> ConnectOptions {
        ConnectOptions::default().context(context).environment(self.environment())
    }

    fn connect(&self, context: &str) -> longshore::Result<Docker> {
        Docker::connect_with(&self.options(context))
    }

    /// The folder in which the official CLI keeps the context's certificates.
    async fn certificates(&self, context: &str) -> Result<PathBuf, Failure> {
        let folder = self.run(&["context", "inspect", context, "--format", "{{.Storage.TLSPath}}"]).await?;
        let folder = Path::new(&folder).join("docker");
        assert!(folder.starts_with(self.folder.path()) && folder.is_dir(), "{folder:?}");
        Ok(folder)
    }
}

/// Makes real calls, and checks that it is the engine of the test which answers, and is reached as the context says.
async fn reaches(docker: &Docker, live: &Live, address: &str, context: &str, chosen_by: ContextSource) -> Outcome {
    docker.ping().await?;
    assert_eq!(docker.version().await?.version, live.version().await?.version);
    // No other engine has this one.
    docker.container(live.shared().await?.id()).inspect().await?;
    assert_eq!(docker.host(), address);
    let endpoint = docker.endpoint();
    assert_eq!(endpoint.to_string(), format!("{address}, the context `{context}` that {chosen_by} names"));
    assert_eq!(*endpoint.source(), EndpointSource::Context { name: context.to_owned(), chosen_by });
    Ok(())
}

async fn each_name_leads_to_its_own_engine(live: Live) -> Outcome {
    let user = User::new()?;
    let host = live.engine().host();
    let names = ["odd.name+of_a-context", "Case", "0.", &"long".repeat(60)];
    for name in names {
        user.create(name, &format!("host={host}")).await?;
    }
    for name in ["odd.name+of_a-context.", "case", "0..", &"long".repeat(61)] {
        user.create(name, "host=unix:///nonexistent/docker.sock").await?;
        let error = refused(user.connect(name)?.ping().await, &[ErrorKind::Connect]);
        let reason = format!("unix:///nonexistent/docker.sock, the context `{name}` that the program names");
        assert!(error.to_string().contains(&reason), "{error}");
    }
    for name in names {
        reaches(&user.connect(name)?, &live, host, name, ContextSource::Code).await?;
    }
    let listed = user.run(&["context", "ls", "--format", "{{.Name}} {{.DockerEndpoint}} {{.Description}}"]).await?;
    let theirs = listed.lines().filter(|line| !line.starts_with("default ")).map(str::to_owned);
    let contexts = user.environment().contexts()?;
    let ours = contexts.iter().map(|context| format!("{} {} {}", context.name, context.host, context.description));
    assert_eq!(ours.collect::<BTreeSet<_>>(), theirs.collect());
    user.run(&["context", "rm", "Case"]).await?;
    let error = refused(user.connect("Case").map(drop), &[ErrorKind::Config]);
    assert!(error.to_string().contains("there is no context `Case`, that the program names"), "{error}");
    Ok(())
}

/// What the official CLI is told of a port: the file of an authority, and the folder with a client's certificate.
fn told(port: &TlsPort, authority: Option<&Path>, client: Option<&Path>) -> String {
    let mut told = format!("host={}", port.host());
    if let Some(file) = authority {
        told += &format!(",ca={}", file.display());
    }
    if let Some(folder) = client.map(Path::display) {
        told += &format!(",cert={folder}/cert.pem,key={folder}/key.pem");
    }
    told
}

/// The same with what is right.
fn told_all(port: &TlsPort) -> String {
    told(port, Some(&port.certificates().join("ca.pem")), Some(port.certificates()))
}

/// Checks that the engine can't be reached, neither by the official CLI nor by longshore, which says this of it.
async fn refuses_both(port: &TlsPort, user: &User, context: &str, advice: &str) -> Outcome {
    let text = refused(user.connect(context)?.ping().await, &[ErrorKind::Connect]).to_string();
    let whose = format!("{}, the context `{context}` that the program names", port.host());
    assert!(text.contains(&whose) && text.contains(advice), "{text}");
    assert!(user.version(context).await.is_err(), "the official CLI reaches {context}");
    Ok(())
}

async fn certificates_come_from_the_context(live: Live) -> Outcome {
    let (user, port) = (User::new()?, TlsPort::of(live.shared_engine()).await?);
    user.create("secure", &told_all(&port)).await?;
    assert_eq!(user.version("secure").await?, live.version().await?.version);
    let docker = user.connect("secure")?;
    reaches(&docker, &live, port.host(), "secure", ContextSource::Code).await?;
    let exported = user.folder.path().join("exported").display().to_string();
    user.run(&["context", "export", "secure", &exported]).await?;
    user.run(&["context", "import", "moved", &exported]).await?;
    user.run(&["context", "rm", "secure"]).await?;
    reaches(&user.connect("moved")?, &live, port.host(), "moved", ContextSource::Code).await?;
    // A client needs the files no more.
    docker.close();
    docker.ping().await?;
    Ok(())
}

async fn a_context_may_be_chosen_outside_the_program(live: Live) -> Outcome {
    let (user, port) = (User::new()?, TlsPort::of(live.shared_engine()).await?);
    user.create("secure", &told_all(&port)).await?;
    user.create("other", "host=unix:///nonexistent/docker.sock").await?;
    user.run(&["context", "use", "other"]).await?;
    let environment = user.environment().variable("DOCKER_HOST", "");
    let connect = |environment: Environment| Docker::connect_with(&ConnectOptions::default().environment(environment));
    let docker = connect(environment.clone().variable("DOCKER_CONTEXT", "secure"))?;
    reaches(&docker, &live, port.host(), "secure", ContextSource::Variable("DOCKER_CONTEXT")).await?;
    user.run(&["context", "use", "secure"]).await?;
    let file = ContextSource::File(user.folder.path().join("config.json"));
    reaches(&connect(environment)?, &live, port.host(), "secure", file).await
}

async fn the_authority_of_the_context_is_what_counts(live: Live) -> Outcome {
    let (user, port, strangers) = (User::new()?, TlsPort::of(live.shared_engine()).await?, Folder::new());
    Authority::new()?.write(strangers.path())?;
    // Another authority, and what is none at all.
    for file in ["ca.pem", "cert.pem"] {
        user.create(file, &told(&port, Some(&strangers.path().join(file)), Some(port.certificates()))).await?;
        refuses_both(&port, &user, file, "not signed by an authority that is trusted here").await?;
        fs::copy(port.certificates().join("ca.pem"), user.certificates(file).await?.join("ca.pem"))?;
        reaches(&user.connect(file)?, &live, port.host(), file, ContextSource::Code).await?;
    }
    // The system's authorities, where it has some, have not signed the engine's certificate.
    user.create("none", &told(&port, None, Some(port.certificates()))).await?;
    let outcome = async { user.connect("none")?.ping().await };
    let error = refused(outcome.await, &[ErrorKind::Connect, ErrorKind::Config]);
    assert!(error.to_string().contains("ca.pem"), "{error}");
    Ok(())
}

async fn a_context_may_skip_the_verification_of_the_engine(live: Live) -> Outcome {
    let (user, port, strangers) = (User::new()?, TlsPort::of(live.shared_engine()).await?, Folder::new());
    Authority::new()?.write(strangers.path())?;
    let skips = |authority: Option<&Path>, client| format!("{},skip-tls-verify=true", told(&port, authority, client));
    user.create("without", &skips(None, Some(port.certificates()))).await?;
    user.create("wrong", &skips(Some(&strangers.path().join("ca.pem")), Some(port.certificates()))).await?;
    for name in ["without", "wrong"] {
        assert_eq!(user.version(name).await?, live.version().await?.version);
        reaches(&user.connect(name)?, &live, port.host(), name, ContextSource::Code).await?;
    }
    assert!(user.environment().contexts()?.iter().all(|context| context.skips_verification));
    // The engine verifies all the same.
    user.create("nobody", &skips(None, None)).await?;
    refuses_both(&port, &user, "nobody", "the engine wants a certificate of the client's").await?;
    user.create("stranger", &skips(None, Some(strangers.path()))).await?;
    refuses_both(&port, &user, "stranger", "the engine does not trust the client's certificate").await
}

async fn what_is_gone_from_the_store_does_not_count(live: Live) -> Outcome {
    let (user, port) = (User::new()?, TlsPort::of(live.shared_engine()).await?);
    let advice = "the engine wants a certificate of the client's";
    for file in ["cert.pem", "key.pem"] {
        user.create(file, &told_all(&port)).await?;
        fs::remove_file(user.certificates(file).await?.join(file))?;
        refuses_both(&port, &user, file, advice).await?;
    }
    user.create("skips", &format!("{},skip-tls-verify=true", told_all(&port))).await?;
    fs::remove_dir_all(user.certificates("skips").await?)?;
    refuses_both(&port, &user, "skips", advice).await?;
    // Nothing says any more that the engine speaks TLS; engines tell so, and proxies don't.
    user.create("plain", &told_all(&port)).await?;
    fs::remove_dir_all(user.certificates("plain").await?)?;
    let (kind, said) = match live.engine().is_podman() {
        true => (ErrorKind::Closed, "closed the connection without an answer"),
        false => (ErrorKind::Connect, "the port speaks TLS"),
    };
    let error = refused(user.connect("plain")?.ping().await, &[kind]);
    assert!(error.to_string().contains(said) && user.version("plain").await.is_err(), "{error}");
    Ok(())
}

#[cfg(feature = "ssh")]
async fn a_context_of_ssh_is_dialled(live: Live) -> Outcome {
    let user = User::new()?;
    let socket = "/run/else.sock";
    for (name, far, path) in [
        ("usual", FarSide::default(), ""),
        ("without-docker", FarSide::default().without_docker(), ""),
        ("elsewhere", FarSide::default().socket(socket), socket),
    ] {
        let sshd = Sshd::start(live.engine(), far).await?;
        let host = sshd.host() + path;
        user.create(name, &format!("host={host}")).await?;
        let docker = Docker::connect_with(&user.options(name).ssh(sshd.client()))?;
        reaches(&docker, &live, &host, name, ContextSource::Code).await?;
        assert_eq!(sshd.logins(), 1);
        let stranger = Docker::connect_with(&user.options(name).ssh(sshd.client_that_knows_nobody()))?;
        let text = refused(stranger.ping().await, &[ErrorKind::Connect]).to_string();
        let whose = format!("{host}, the context `{name}` that the program names");
        assert!(text.contains(&whose) && text.contains("Host key verification failed"), "{text}");
    }
    Ok(())
}
