//! Real files, and helpers that are scripts.

mod helpers;

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::*;

/// Long enough for every helper that answers.
const PATIENT: Duration = Duration::from_secs(20);

/// What no error may show.
const SECRET: &str = "s3cret";

/// A folder of a user: a `config.json`, and helpers.
struct Home(PathBuf);

impl Home {
    fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("longshore-credentials-{}-{number}", std::process::id()));
        fs::create_dir_all(folder.join("bin")).unwrap();
        Home(folder)
    }

    fn with(config: &str) -> Self {
        let home = Home::new();
        home.write("config.json", config);
        home
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.0.join(name)).ok()
    }

    /// Makes a helper; what it is asked to do is in `$1`, the folder in `$HOME`.
    ///
    /// A process of its own writes it: nothing that is run here can inherit the open file, which would be busy then.
    fn helper(&self, name: &str, script: &str) {
        self.program(&format!("docker-credential-{name}"), script);
    }

    fn program(&self, name: &str, script: &str) {
        let path = self.0.join("bin").join(name);
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", "cat > \"$0\" && chmod 755 \"$0\""]).arg(&path).stdin(Stdio::piped());
        let mut shell = shell.spawn().unwrap();
        let script = format!("#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n");
        shell.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        assert!(shell.wait().unwrap().success());
    }

    /// Only what is in the folder: no program of the machine, and no credentials of the user who runs the tests.
    fn environment(&self) -> Environment {
        let folder = self.0.to_str().unwrap();
        let environment = Environment::default().variable("HOME", folder).variable("DOCKER_CONFIG", folder);
        environment.variable("PATH", format!("{folder}/bin"))
    }

    async fn credentials(&self, limit: Duration) -> Credentials {
        Credentials::read(self.environment(), Some(limit)).await.unwrap()
    }

    async fn get(&self, registry: &str) -> Result<Option<RegistryAuth>> {
        Ok(self.get_with_origin(registry).await?.map(|found| found.auth))
    }

    async fn get_with_origin(&self, registry: &str) -> Result<Option<Found>> {
        Credentials::read(self.environment(), Some(PATIENT)).await?.of(registry).await
    }

    async fn found(&self, registry: &str) -> String {
        self.get(registry).await.unwrap().map_or_else(|| "none".to_owned(), |auth| auth.to_json())
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// The error, and all that led to it, in both forms.
fn everything(error: &Error) -> String {
    let mut text = format!("{error} {error:?}");
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        text.push_str(&format!(" {source} {source:?}"));
        cause = source.source();
    }
    text
}

fn jane(registry: &str) -> String {
    format!(r#"{{"password":"{SECRET}","serveraddress":"{registry}","username":"jane"}}"#)
}

/// A script that answers with a user and a secret.
fn answer(user: &str, secret: &str) -> String {
    format!(r#"echo '{{"ServerURL":"x","Username":"{user}","Secret":"{secret}"}}'"#)
}

/// `jane:s3cret`
const BASIC: &str = "amFuZTpzM2NyZXQ=";

#[tokio::test]
async fn credentials_may_stand_in_the_file() {
    let home = Home::with(&format!(
        r#"{{"auths": {{
            "ghcr.io": {{"auth": "{BASIC}"}},
            "localhost:5000": {{"username": "jane", "password": "{SECRET}", "email": "j@example.com"}},
            "https://old.example/v1/": {{"auth": "{BASIC}"}},
            "azure.example": {{"auth": "MDAwMDo=", "identitytoken": "{SECRET}"}},
            "bearer.example": {{"registrytoken": "{SECRET}"}},
            "elsewhere.example": {{}}, "odd.example": null,
            "bad.example": {{"auth": "{SECRET}"}}
        }}}}"#
    ));
    for registry in ["ghcr.io", "localhost:5000"] {
        assert_eq!(home.found(registry).await, jane(registry));
    }
    assert_eq!(home.found("old.example").await, jane("https://old.example/v1/"));
    assert_eq!(
        home.found("azure.example").await,
        r#"{"identitytoken":"s3cret","serveraddress":"azure.example","username":"0000"}"#
    );
    let bearer = r#"{"registrytoken":"s3cret","serveraddress":"bearer.example"}"#;
    assert_eq!(home.found("bearer.example").await, bearer);
    for registry in ["elsewhere.example", "odd.example", "localhost", "localhost:5001", "docker.io", "", "io"] {
        assert_eq!(home.found(registry).await, "none", "{registry}");
    }
    let error = home.get("bad.example").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "get credentials for registry `bad.example`: `auth` of config.json can't be read: \
         it is not `user:password` in base64"
    );
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(!everything(&error).contains(SECRET));
}

#[tokio::test]
async fn docker_hub_has_one_entry_by_many_names() {
    for key in ["https://index.docker.io/v1/", "docker.io", "index.docker.io", "https://registry-1.docker.io/v2/"] {
        let home = Home::with(&format!(r#"{{"auths": {{"{key}": {{"auth": "{BASIC}"}}}}}}"#));
        for name in ["docker.io", "index.docker.io", "https://index.docker.io/v1/", "registry-1.docker.io"] {
            assert_eq!(home.found(name).await, jane(key), "{key}, {name}");
        }
        assert_eq!(home.found("docker.io.example.com").await, "none");
    }
}

#[tokio::test]
async fn a_later_login_counts() {
    let home = Home::new();
    assert_eq!(home.found("ghcr.io").await, "none");
    for empty in ["", "  \n", "{}", "null"] {
        home.write("config.json", empty);
        assert_eq!(home.found("ghcr.io").await, "none", "{empty}");
    }
    home.write("config.json", &format!(r#"{{"auths": {{"ghcr.io": {{"auth": "{BASIC}"}}}}}}"#));
    assert_eq!(home.found("ghcr.io").await, jane("ghcr.io"));
    let nowhere = Environment::default().variable("HOME", "/dev/null");
    let nowhere = Credentials::read(nowhere, None).await.unwrap();
    assert_eq!(nowhere.of("ghcr.io").await.unwrap(), None);
}

#[tokio::test]
async fn a_file_that_is_not_understood_is_an_error_without_its_secrets() {
    let home = Home::new();
    for bad in [
        format!(r#"{{"auths": "{SECRET}"}}"#),
        format!(r#"{{"auths": {{"ghcr.io": "{SECRET}"}}}}"#),
        format!(r#"{{"auths": {{"ghcr.io": {{"password": ["{SECRET}"]}}}}}}"#),
        format!(r#"{{"credsStore": {{"{SECRET}": 1}}}}"#),
        SECRET.to_owned(),
    ] {
        home.write("config.json", &bad);
        let error = home.get("ghcr.io").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{bad}");
        let expected = format!("read the configuration: {}/config.json is not what it should be: ", home.0.display());
        assert!(error.to_string().starts_with(&expected), "{error}");
        assert!(!everything(&error).contains(SECRET), "{error:?}");
    }
}

#[tokio::test]
async fn a_helper_of_the_registry_comes_before_the_general_one_and_that_before_the_file() {
    let home = Home::with(&format!(
        r#"{{
            "credHelpers": {{"own.example": "own", "file.example": ""}}, "credsStore": "general",
            "auths": {{
                "own.example": {{"auth": "{BASIC}"}}, "ghcr.io": {{"auth": "{BASIC}"}},
                "file.example": {{"auth": "{BASIC}"}}, "bearer.example": {{"registrytoken": "t"}}
            }}
        }}"#
    ));
    home.helper("own", &answer("own", "1"));
    home.helper(
        "general",
        &format!("cat > $HOME/asked; printf '%s' \" $*\" >> $HOME/asked\n{}", answer("general", "2")),
    );
    let expected = |user: &str, secret: &str, registry: &str| {
        format!(r#"{{"password":"{secret}","serveraddress":"{registry}","username":"{user}"}}"#)
    };
    assert_eq!(home.found("own.example").await, expected("own", "1", "own.example"));
    assert_eq!(home.read("asked"), None);
    assert_eq!(home.found("ghcr.io").await, expected("general", "2", "ghcr.io"));
    assert_eq!(home.read("asked").unwrap(), "ghcr.io get");
    assert_eq!(home.found("docker.io").await, expected("general", "2", "https://index.docker.io/v1/"));
    assert_eq!(home.read("asked").unwrap(), "https://index.docker.io/v1/ get");
    assert_eq!(home.found("file.example").await, jane("file.example"));
    assert_eq!(
        home.found("bearer.example").await,
        r#"{"password":"2","registrytoken":"t","serveraddress":"bearer.example","username":"general"}"#
    );
}

#[tokio::test]
async fn it_is_told_where_they_were_found() {
    let auths = format!(r#"{{"auths": {{"ghcr.io": {{"auth": "{BASIC}"}}}}, "credHelpers": {{"quay.io": "x"}}}}"#);
    let home = Home::with(&auths);
    home.helper("x", &answer("helper", "1"));
    for (registry, origin) in [("ghcr.io", "config.json"), ("quay.io", "the credential helper `docker-credential-x`")] {
        assert_eq!(home.get_with_origin(registry).await.unwrap().unwrap().origin, origin);
    }
    let variable = format!(r#"{{"auths": {{"ghcr.io": {{"auth": "{BASIC}"}}}}}}"#);
    let environment = home.environment().variable("DOCKER_AUTH_CONFIG", variable);
    let found = Credentials::read(environment, Some(PATIENT)).await.unwrap().of("ghcr.io").await.unwrap();
    assert_eq!(found.unwrap().origin, "DOCKER_AUTH_CONFIG");
}

#[tokio::test]
async fn the_variable_comes_before_everything() {
    let home = Home::with(&format!(r#"{{"credsStore": "x", "auths": {{"ghcr.io": {{"auth": "{BASIC}"}}}}}}"#));
    home.helper("x", &answer("helper", "1"));
    let user = async |variable: &str, registry: &str| {
        let environment = home.environment().variable("DOCKER_AUTH_CONFIG", variable);
        let found = Credentials::read(environment, Some(PATIENT)).await.unwrap().of(registry).await.unwrap();
        found.and_then(|found| found.auth.username.clone())
    };
    let entry = format!(r#"{{"auth": "{BASIC}"}}"#);
    let good = format!(r#"{{"auths": {{"ghcr.io": {entry}, "https://index.docker.io/v1/": {entry}}}}}"#);
    for registry in ["ghcr.io", "docker.io"] {
        assert_eq!(user(&good, registry).await.as_deref(), Some("jane"));
    }
    assert_eq!(user(&good, "localhost:5000").await.as_deref(), Some("helper"));
    // What the CLI does not understand, it passes over.
    for bad in [
        "",
        "{}",
        SECRET,
        &format!("{good}{good}"),
        &format!(r#"{{"auths": {{"ghcr.io": {entry}}}, "credsStore": "x"}}"#),
        r#"{"auths": {"ghcr.io": {"username": "jane"}}}"#,
        r#"{"auths": {"ghcr.io": {"auth": ""}}}"#,
        r#"{"auths": {"ghcr.io": {"auth": "s3cret"}}}"#,
    ] {
        assert_eq!(user(bad, "ghcr.io").await.as_deref(), Some("helper"), "{bad}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_usual_helper_is_asked_where_nothing_is_set_up() {
    let home = Home::new();
    home.helper("pass", &answer("pass", "1"));
    home.helper("secretservice", &answer("secretservice", "2"));
    let user = async || home.get("ghcr.io").await.unwrap().and_then(|auth| auth.username.clone());
    assert_eq!(user().await.as_deref(), Some("secretservice"));
    home.program("pass", "exit 0");
    assert_eq!(user().await.as_deref(), Some("pass"));
    for config in [r#"{"auths": {"a.example": {}}}"#, r#"{"credHelpers": {"a.example": "b"}}"#] {
        home.write("config.json", config);
        assert_eq!(user().await, None, "{config}");
    }
    home.write("config.json", r#"{"currentContext": "default"}"#);
    fs::remove_file(home.0.join("bin/docker-credential-pass")).unwrap();
    assert_eq!(user().await, None);
}

#[tokio::test]
async fn all_credentials_are_found_where_some_can_not_be_had() {
    let home = Home::with(&format!(
        r#"{{
            "credsStore": "general", "credHelpers": {{
                "a.example": "own", "b.example": "own", "crash.example": "crash", "file.example": "",
                "one.example": "hang", "two.example": "hang", "none.example": "own"
            }},
            "auths": {{"file.example": {{"auth": "{BASIC}"}}, "left.example": {{"auth": "{BASIC}"}}}}
        }}"#
    ));
    home.helper(
        "general",
        "read server; [ $1 = list ] && echo '{\"ghcr.io\":\"u\",\"none.example\":\"u\",\"https://index.docker.io/v1/\":\"u\"}' && exit
         echo \"{\\\"Username\\\":\\\"general\\\",\\\"Secret\\\":\\\"$server\\\"}\"",
    );
    home.helper(
        "own",
        "read server; [ $server = none.example ] && echo credentials not found in native keychain && exit 1
         echo \"{\\\"Username\\\":\\\"own\\\",\\\"Secret\\\":\\\"$server\\\"}\"",
    );
    home.helper("crash", &format!("echo {SECRET}; exit 1"));
    home.helper("hang", "echo asked >> $HOME/hung; sleep 1000");
    let environment = home
        .environment()
        .variable("DOCKER_AUTH_CONFIG", format!(r#"{{"auths": {{"b.example": {{"auth": "{BASIC}"}}}}}}"#));
    let limit = Duration::from_secs(4);
    let start = Instant::now();
    let AllCredentials { registries, failures } =
        Credentials::read(environment, Some(limit)).await.unwrap().all().await;
    assert!(start.elapsed() < PATIENT);
    let found: Vec<_> = registries
        .iter()
        .map(|(registry, auth)| {
            (registry.as_str(), auth.username.as_deref().unwrap(), auth.password.as_deref().unwrap())
        })
        .collect();
    assert_eq!(
        found,
        [
            ("a.example", "own", "a.example"),
            ("b.example", "jane", SECRET),
            ("file.example", "jane", SECRET),
            ("ghcr.io", "general", "ghcr.io"),
            ("https://index.docker.io/v1/", "general", "https://index.docker.io/v1/"),
        ]
    );
    let mut told: Vec<_> = failures.iter().map(|error| (error.kind(), error.target().unwrap())).collect();
    told.sort_by_key(|(_, target)| *target);
    assert_eq!(told, [(ErrorKind::Config, "crash.example"), (ErrorKind::Timeout, "one.example")]);
    assert!(!failures.iter().any(|error| everything(error).contains(SECRET)));
    assert_eq!(home.read("hung").unwrap(), "asked\n");

    for (script, kind) in
        [("exit 1", ErrorKind::Config), ("echo '[]'", ErrorKind::Config), ("sleep 1000", ErrorKind::Timeout)]
    {
        home.write("config.json", r#"{"credsStore": "x"}"#);
        home.helper("x", script);
        let all = home.credentials(Duration::from_secs(1)).await.all().await;
        assert!(all.registries.is_empty() && all.failures.len() == 1);
        assert!(all.failures[0].kind() == kind && all.failures[0].to_string().contains("docker-credential-x"));
    }
    home.helper("x", "echo null");
    let all = home.credentials(PATIENT).await.all().await;
    assert!(all.registries.is_empty() && all.failures.is_empty());
    home.write("config.json", &format!(r#"{{"auths": {{"a.example": {{"auth": "{BASIC}"}}, "b.example": {{}}}}}}"#));
    assert_eq!(home.credentials(PATIENT).await.all().await.registries.len(), 1);
}
