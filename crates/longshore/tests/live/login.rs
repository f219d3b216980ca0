//! The credentials and proxies that are found, and those that the official command line tool finds.

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use longshore::image::BuildContext;
use longshore::{ConnectOptions, Docker, Environment};
use longshore_testkit::live::Live;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::harness::{Outcome, Test, test_within};
use crate::support::{Entry, tar};
use crate::tool::Tool;

pub(crate) fn tests() -> Vec<Test> {
    let patient = Duration::from_secs(180);
    vec![test_within(patient, a_pull_shows_what_the_official_tool_shows), test_within(patient, a_build_does_too)]
}

/// An engine that takes requests and does nothing, and a user's folder.
struct Taker {
    folder: PathBuf,
    /// The heads of pulls and builds.
    heads: mpsc::UnboundedReceiver<String>,
    _serving: JoinSet<()>,
}

impl Taker {
    fn new(live: &Live) -> std::io::Result<Self> {
        let folder = std::env::temp_dir().join(live.name());
        std::fs::create_dir(&folder)?;
        let listener = UnixListener::bind(folder.join("taker.sock"))?;
        let (sender, heads) = mpsc::unbounded_channel();
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, sender.clone()));
            }
        });
        Ok(Taker { folder, heads, _serving: serving })
    }

    fn host(&self) -> String {
        format!("unix://{}/taker.sock", self.folder.display())
    }

    /// Makes a helper that answers with what stands in a file of the server's name.
    fn helper(&self, name: &str) -> Outcome {
        let script = "#!/bin/sh\nPATH=/usr/bin:/bin\n\
            answers=$(dirname \"$0\")/answers; read server; [ $1 = list ] && exec cat $answers/list\n\
            file=$answers/$(echo $server | tr /: __); [ -e $file ] && exec cat $file\n\
            echo credentials not found in native keychain; exit 1\n";
        let answers = self.folder.join("answers");
        std::fs::create_dir_all(&answers)?;
        std::fs::write(answers.join("list"), r#"{"ghcr.io":"jane","token.example":"<token>"}"#)?;
        for (server, user) in
            [("ghcr.io", "jane"), ("token.example", "<token>"), ("https___index.docker.io_v1_", "hub")]
        {
            std::fs::write(
                answers.join(server),
                json!({ "ServerURL": "x", "Username": user, "Secret": "p" }).to_string(),
            )?;
        }
        std::fs::write(answers.join("empty.example"), "{}")?;
        let program = self.folder.join(format!("docker-credential-{name}"));
        let mut shell = std::process::Command::new("/bin/sh");
        let written =
            shell.args(["-c", "printf %s \"$1\" > \"$0\" && chmod 755 \"$0\""]).arg(program).arg(script).status()?;
        assert!(written.success());
        Ok(())
    }

    fn write(&self, config: &Value) -> std::io::Result<()> {
        std::fs::write(self.folder.join("config.json"), config.to_string())
    }

    fn docker(&self) -> longshore::Result<Docker> {
        let folder = self.folder.display().to_string();
        let environment = Environment::default().variable("DOCKER_CONFIG", &folder).variable("PATH", folder);
        Docker::connect_with(&ConnectOptions::default().host(self.host()).environment(environment))
    }

    /// Lets the official tool do something, as the same user.
    async fn run(&self, tool: &Tool, arguments: &[&str]) -> std::io::Result<()> {
        let mut command = tokio::process::Command::new(&tool.program);
        command.env("DOCKER_HOST", self.host()).env("DOCKER_CONFIG", &self.folder).env("DOCKER_BUILDKIT", "0");
        command.env("PATH", &self.folder).env_remove("DOCKER_AUTH_CONFIG");
        // What it says of the answer is of no interest.
        command.args(arguments).kill_on_drop(true).output().await.map(drop)
    }

    async fn head(&mut self) -> Result<String, String> {
        self.heads.recv().await.ok_or_else(|| "the engine has ended".to_owned())
    }
}

impl Drop for Taker {
    fn drop(&mut self) {
        // What is left among the temporary files does no harm.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Answers one request, and reads on until the client has closed.
async fn serve(mut stream: UnixStream, heads: mpsc::UnboundedSender<String>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let line = head.lines().next().unwrap_or_default();
    // The old tool asks which registry is the one of names without one.
    let body = if line.contains("/info") { r#"{"IndexServerAddress":"https://index.docker.io/v1/"}"# } else { "" };
    if line.contains("/images/create?") || line.contains("/build?") {
        // Whoever waits for it may have given up.
        let _ = heads.send(head);
    }
    let answer = format!(
        "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nOstype: linux\r\nContent-Type: application/json\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    if stream.write_all(answer.as_bytes()).await.is_ok() {
        // It is the client that closes, so that nothing it sends is refused.
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    }
}

/// The JSON of a header; null without one.
fn header(head: &str, name: &str) -> Value {
    let value = head.lines().find_map(|line| line.split_once(": ").filter(|(key, _)| key.eq_ignore_ascii_case(name)));
    let json = value.and_then(|(_, value)| URL_SAFE.decode(value).ok());
    json.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default()
}

/// What credentials say, without what is empty. The old tool leaves the server's address out of those of a helper.
fn told(auth: &Value) -> Map<String, Value> {
    let fields = auth.as_object().cloned().unwrap_or_default();
    fields.into_iter().filter(|(name, value)| name != "serveraddress" && value.as_str() != Some("")).collect()
}

/// What users have in their `config.json`.
fn configurations() -> [Value; 7] {
    // jane:p
    let jane = json!({ "auth": "amFuZTpw" });
    let auths = json!({
        "ghcr.io": jane, "https://index.docker.io/v1/": jane, "https://old.example/v1/": jane,
        "http://localhost:5000/v1/": jane, "path.example/some/where": jane, "plain.example": { "username": "jane", "password": "p" },
        "token.example": { "auth": "MDAwMDo=", "identitytoken": "t" }, "bearer.example": { "registrytoken": "r" },
        "empty.example": {}, "registry-1.docker.io": jane,
    });
    [
        json!({}),
        json!({ "auths": auths }),
        json!({ "auths": auths, "credsStore": "general" }),
        json!({ "credsStore": "general" }),
        json!({ "credHelpers": { "ghcr.io": "general", "token.example": "general", "other.example": "general" } }),
        json!({ "auths": auths, "credHelpers": { "token.example": "general", "plain.example": "general" } }),
        json!({ "auths": auths, "credHelpers": { "ghcr.io": "" }, "credsStore": "general" }),
    ]
}

async fn a_pull_shows_what_the_official_tool_shows(live: Live) -> Outcome {
    let mut taker = Taker::new(&live)?;
    taker.helper("general")?;
    let images = [
        "ghcr.io/a/b:1",
        "alpine:3",
        "index.docker.io/library/alpine:3",
        "registry-1.docker.io/library/alpine:3",
        "old.example/a:1",
        "localhost:5000/a:1",
        "localhost:5001/a:1",
        "path.example/a:1",
        "plain.example/a:1",
        "token.example/a:1",
        "bearer.example/a:1",
        "empty.example/a:1",
        "unknown.example/a:1",
    ];
    let mut found = 0;
    for tool in Tool::all() {
        for config in configurations() {
            taker.write(&config)?;
            for image in images {
                taker.run(&tool, &["pull", image]).await?;
                let theirs = told(&header(&taker.head().await?, "X-Registry-Auth"));
                taker.docker()?.images().pull(image).await?.finish().await?;
                let ours = told(&header(&taker.head().await?, "X-Registry-Auth"));
                // The tool does not know that this is Docker Hub.
                if image.starts_with("registry-1.docker.io/") && theirs.is_empty() {
                    continue;
                }
                assert_eq!(ours, theirs, "{image} with {config}, {:?}", tool.program);
                found += usize::from(!ours.is_empty());
            }
        }
    }
    assert!(found > 20, "{found}");
    Ok(())
}

async fn a_build_does_too(live: Live) -> Outcome {
    let mut taker = Taker::new(&live)?;
    taker.helper("general")?;
    let dockerfile = b"FROM scratch\n";
    std::fs::create_dir(taker.folder.join("context"))?;
    std::fs::write(taker.folder.join("context/Dockerfile"), dockerfile)?;
    let context = taker.folder.join("context").display().to_string();
    let proxies = [
        json!({}),
        json!({ "default": { "httpProxy": "http://a:1", "noProxy": "localhost" } }),
        json!({ "default": { "httpProxy": "http://a:1" }, taker.host(): { "httpsProxy": "http://b:1", "ftpProxy": "http://c:1" } }),
        json!({ "tcp://elsewhere:2375": { "httpProxy": "http://a:1" } }),
    ];
    for tool in Tool::all() {
        for (number, mut config) in configurations().into_iter().enumerate() {
            config["proxies"] = proxies[number % proxies.len()].clone();
            taker.write(&config)?;
            taker.run(&tool, &["build", "--build-arg", "http_proxy=mine", &context]).await?;
            let theirs = taker.head().await?;
            let build = BuildContext::tar(tar(&[Entry::file("Dockerfile", dockerfile)]));
            let options = longshore::image::BuildOptions::default().build_arg("http_proxy", "mine");
            let built = taker.docker()?.images().build_with(build, &options).await?.finish().await;
            assert!(built.is_err(), "nothing is built");
            let ours = taker.head().await?;
            let registries = |head: &str| -> Map<String, Value> {
                let all = header(head, "X-Registry-Config").as_object().cloned().unwrap_or_default();
                let told = all.into_iter().map(|(registry, auth)| (registry, Value::Object(told(&auth))));
                told.filter(|(_, auth)| auth.as_object().is_some_and(|auth| !auth.is_empty())).collect()
            };
            assert_eq!(registries(&ours), registries(&theirs), "{config}, {:?}", tool.program);
            assert_eq!(arguments(&ours), arguments(&theirs), "{config}, {:?}", tool.program);
        }
    }
    Ok(())
}

/// The build arguments in the target of a request.
fn arguments(head: &str) -> Value {
    let line = head.lines().next().unwrap_or_default();
    let text = line.split(['?', '&', ' ']).find_map(|part| part.strip_prefix("buildargs=")).unwrap_or_default();
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let digit = |byte: Option<u8>| char::from(byte.unwrap_or_default()).to_digit(16).unwrap_or_default() as u8;
        bytes.push(if byte == b'%' { digit(rest.next()) << 4 | digit(rest.next()) } else { byte });
    }
    serde_json::from_slice(&bytes).unwrap_or_default()
}
