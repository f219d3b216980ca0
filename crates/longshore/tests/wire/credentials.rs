//! The user's credentials and proxies in the requests that are for registries.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use longshore::image::{BuildOptions, ImageSearchOptions, PullOptions, PushOptions};
use longshore::models::ObjectVersion;
use longshore::plugin::{PluginPrivilegeOptions, PluginPullOptions, PluginPushOptions, PluginUpgradeOptions};
use longshore::swarm::{RegistryAuthFrom, ServiceCreateOptions, ServiceUpdateOptions};
use longshore::{
    ConnectOptions, Deadlines, DistributionOptions, Docker, Environment, Error, ErrorKind, RegistryAuth, Result,
    ServiceSpec,
};
use longshore_testkit::transcript::wire::{answer, json};
use longshore_testkit::{Exchange, ScriptedEngine};
use serde_json::{Value, json};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

const NONE: &str = "e30=";
const BUILT: &str = "{\"aux\":{\"ID\":\"sha256:0f\"}}";

/// A folder of a user's; it goes when this is dropped.
struct Home(PathBuf);

impl Home {
    fn with(config: &Value) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("longshore-home-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
        Home(folder)
    }

    /// Jane's, who has logged in to ghcr.io and Docker Hub.
    fn of_jane() -> Self {
        let entry = json!({ "username": "jane", "password": "s3cret" });
        Home::with(&json!({ "auths": { "ghcr.io": entry, "https://index.docker.io/v1/": entry } }))
    }

    fn docker(&self, engine: &ScriptedEngine) -> Docker {
        let folder = self.0.to_str().unwrap();
        let environment = Environment::default().variable("DOCKER_CONFIG", folder).variable("PATH", folder);
        let options = ConnectOptions::default().version(longshore_testkit::engine::VERSION).environment(environment);
        engine.docker_with(&options)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

/// Jane's credentials as they stand in a header.
fn jane(registry: &str) -> String {
    RegistryAuth::default().username("jane").password("s3cret").server_address(registry).header_value()
}

fn joe() -> RegistryAuth {
    RegistryAuth::default().username("joe")
}

type Calling = Pin<Box<dyn Future<Output = Result<()>>>>;

/// A call with the credentials that it is given, if any, about something of ghcr.io.
type Call = fn(Docker, Option<RegistryAuth>) -> Calling;

/// A call with options that may have credentials.
macro_rules! call {
    ($options:ty, |$docker:ident, $given:ident| $call:expr) => {
        |$docker, auth| {
            Box::pin(async move {
                let mut $given = <$options>::default();
                $given.auth = auth;
                $call.map(drop)
            })
        }
    };
}

/// All calls that show credentials to one registry.
const CALLS: [(&str, Call); 13] = [
    ("pull", call!(PullOptions, |docker, given| docker.images().pull_with("ghcr.io/a/b:1", &given).await)),
    ("pull all", call!(PullOptions, |docker, given| docker.images().pull_all_with("ghcr.io/a/b", &given).await)),
    ("push", call!(PushOptions, |docker, given| docker.image("ghcr.io/a/b:1").push_with(&given).await)),
    ("push all", call!(PushOptions, |docker, given| docker.images().push_all_with("ghcr.io/a/b", &given).await)),
    (
        "distribution",
        call!(DistributionOptions, |docker, given| docker.image("ghcr.io/a/b").inspect_distribution_with(&given).await),
    ),
    ("search", call!(ImageSearchOptions, |docker, given| docker.images().search_with("ghcr.io/b", &given).await)),
    (
        "privileges",
        call!(PluginPrivilegeOptions, |docker, given| docker.plugins().privileges_with("ghcr.io/a/b", &given).await),
    ),
    (
        "plugin pull",
        call!(PluginPullOptions, |docker, given| docker.plugins().pull_with("ghcr.io/a/b", &[], &given).await),
    ),
    (
        "upgrade",
        call!(PluginUpgradeOptions, |docker, given| docker.plugin("c").upgrade_with("ghcr.io/a/b", &[], &given).await),
    ),
    ("plugin push", call!(PluginPushOptions, |docker, given| docker.plugin("ghcr.io/a/b:1").push_with(&given).await)),
    (
        "create service",
        call!(ServiceCreateOptions, |docker, given| {
            docker.services().create_with(&ServiceSpec::image("ghcr.io/a/b:2"), &given).await
        }),
    ),
    (
        "update service",
        call!(ServiceUpdateOptions, |docker, given| {
            docker.service("web").update_with(|spec| spec.with_image("ghcr.io/a/b:2"), &given).await
        }),
    ),
    (
        "replace spec",
        call!(ServiceUpdateOptions, |docker, given| {
            docker
                .service("web")
                .replace_with(ObjectVersion::new(7), &ServiceSpec::image("ghcr.io/a/b:2"), &given)
                .await
        }),
    ),
];

/// A service of ghcr.io that can be read; whatever else is asked is refused.
fn engine() -> ScriptedEngine {
    let service = json!({
        "ID": "w1", "Version": { "Index": 7 },
        "Spec": {
            "Name": "web", "Mode": { "Replicated": { "Replicas": 1 } },
            "TaskTemplate": { "ContainerSpec": { "Image": "ghcr.io/a/b:1" } },
        },
    });
    let read = Exchange::new("GET /v1.44/services/web", json("200 OK", &service.to_string()));
    ScriptedEngine::new([read.repeats()])
}

/// The header of the last request that came.
fn header(engine: &ScriptedEngine, name: &str) -> Option<String> {
    engine.received().last().expect("nothing was asked").header(name).map(str::to_owned)
}

/// What a call sends; it is refused.
async fn sent(home: &Home, call: Call, auth: Option<RegistryAuth>) -> Option<String> {
    let engine = engine();
    let error = call(home.docker(&engine), auth).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    header(&engine, "X-Registry-Auth")
}

#[tokio::test]
async fn every_call_to_a_registry_shows_the_credentials_for_it() {
    let home = Home::of_jane();
    for (name, call) in CALLS {
        assert_eq!(sent(&home, call, None).await, Some(jane("ghcr.io")), "{name}");
        assert_eq!(sent(&home, call, Some(joe())).await, Some(joe().header_value()), "{name}");
        assert_eq!(sent(&home, call, Some(RegistryAuth::anonymous())).await.as_deref(), Some(NONE), "{name}");
    }
}

#[tokio::test]
async fn without_any_the_call_is_anonymous() {
    let home = Home::with(&json!({ "auths": { "localhost:5000": { "username": "jane", "password": "s3cret" } } }));
    for (name, call) in CALLS {
        // Engines refuse a push of an image without the header.
        let expected = ["push", "push all"].contains(&name).then_some(NONE);
        assert_eq!(sent(&home, call, None).await.as_deref(), expected, "{name}");
    }
}

#[tokio::test]
async fn a_call_without_credentials_fails_where_they_can_not_be_had() {
    let home = Home::with(&json!({ "credsStore": "s3cret/" }));
    let unreadable = Home::with(&json!({ "auths": { "ghcr.io": "s3cret" } }));
    for (name, call) in CALLS {
        for (home, reason) in [
            (&home, "get credentials for registry `ghcr.io`: `s3cret/` is no name of a credential helper"),
            (&unreadable, "read the configuration: "),
        ] {
            let engine = engine();
            let error = call(home.docker(&engine), None).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{name}: {error}");
            assert!(error.message().starts_with(reason), "{name}: {error}");
            assert!(["credentials", "configuration"].iter().all(|word| !error.operation().contains(word)), "{error}");
            assert!(engine.received().iter().all(|request| request.line.starts_with("GET /v1.44/services/")));
            // Those that are given are enough.
            assert_eq!(sent(home, call, Some(joe())).await, Some(joe().header_value()), "{name}");
        }
    }
}

#[tokio::test]
async fn names_without_a_registry_are_of_docker_hub() {
    let home = Home::of_jane();
    let hub: [Call; 3] = [
        call!(PullOptions, |docker, given| docker.images().pull_with("alpine", &given).await),
        call!(ImageSearchOptions, |docker, given| docker.images().search_with("shop/web", &given).await),
        call!(ServiceCreateOptions, |docker, given| {
            docker.services().create_with(&ServiceSpec::image("alpine"), &given).await
        }),
    ];
    for call in hub {
        assert_eq!(sent(&home, call, None).await, Some(jane("https://index.docker.io/v1/")));
    }
    let docker = home.docker(&engine());
    assert_eq!(docker.image("ghcr.io/a/b").registry_auth().await.unwrap().unwrap().header_value(), jane("ghcr.io"));
    let hub = docker.image("alpine").registry_auth().await.unwrap().unwrap();
    assert_eq!(hub.server_address.as_deref(), Some("https://index.docker.io/v1/"));
    assert_eq!(docker.registry_auth("ghcr.io").await.unwrap().unwrap().username.as_deref(), Some("jane"));
    assert_eq!(docker.registry_auth("localhost:5000").await.unwrap(), None);
    assert_eq!(docker.image("0f".repeat(32)).registry_auth().await.unwrap_err().kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn a_service_keeps_its_credentials_until_it_gets_another_image() {
    let home = Home::of_jane();
    let unchanged: [Call; 4] = [
        call!(ServiceUpdateOptions, |docker, given| docker
            .service("web")
            .update_with(|spec| spec.label("a", "b"), &given)
            .await),
        call!(ServiceUpdateOptions, |docker, given| {
            let given = given.registry_auth_from(RegistryAuthFrom::Spec);
            docker.service("web").update_with(|spec| spec.with_image("ghcr.io/a/b:2"), &given).await
        }),
        |docker, _| Box::pin(async move { docker.service("web").scale(3).await.map(drop) }),
        |docker, _| Box::pin(async move { docker.service("web").rollback().await.map(drop) }),
    ];
    for call in unchanged {
        assert_eq!(sent(&home, call, None).await, None);
    }
}

/// What a build sends: the credentials and the build arguments.
async fn built(home: &Home, options: &BuildOptions) -> (Value, Value) {
    let engine = ScriptedEngine::default();
    let error = home.docker(&engine).images().build_with("tar", options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    let line = engine.received()[0].line.clone();
    let arguments = line.split(['?', '&']).find_map(|part| part.strip_prefix("buildargs=")).unwrap_or("null");
    let arguments = arguments.replace("%22", "\"").replace("%7B", "{").replace("%7D", "}").replace("%3A", ":");
    let arguments = arguments.replace("%2C", ",").replace("%2F", "/");
    let registries = header(&engine, "X-Registry-Config")
        .map_or(Value::Null, |header| serde_json::from_slice(&URL_SAFE.decode(header).unwrap()).unwrap());
    (registries, serde_json::from_str(&arguments).unwrap())
}

#[tokio::test]
async fn a_build_gets_all_credentials_and_the_proxies() {
    let entry = json!({ "username": "jane", "password": "s3cret" });
    let home = Home::with(&json!({
        "auths": { "ghcr.io": entry, "localhost:5000": entry, "empty.example": {} },
        "proxies": {
            "default": { "httpProxy": "http://default:1" },
            "the scripted engine": { "httpProxy": "http://own:1", "noProxy": "localhost" },
        },
    }));
    let with_address = |registry: &str| json!({ "username": "jane", "password": "s3cret", "serveraddress": registry });
    let all = json!({ "ghcr.io": with_address("ghcr.io"), "localhost:5000": with_address("localhost:5000") });
    let proxies = json!({
        "HTTP_PROXY": "http://own:1", "http_proxy": "http://own:1", "NO_PROXY": "localhost", "no_proxy": "localhost",
    });
    let default = BuildOptions::default;
    assert_eq!(built(&home, &default()).await, (all, proxies.clone()));
    assert_eq!(
        built(&home, &default().registry("a", joe())).await,
        (json!({ "a": { "username": "joe" } }), proxies.clone())
    );
    for options in [default().anonymous(), default().buildkit()] {
        assert_eq!(built(&home, &options).await, (Value::Null, proxies.clone()));
    }
    let options = default().build_arg("HTTP_PROXY", "").build_arg("A", "1").anonymous();
    let mut expected = proxies;
    (expected["HTTP_PROXY"], expected["A"]) = (json!(""), json!("1"));
    assert_eq!(built(&home, &options).await, (Value::Null, expected));
    let nothing = Home::with(&json!({}));
    assert_eq!(built(&nothing, &default()).await, (Value::Null, Value::Null));
}

/// The outcome of a build whose credentials can't be had, with what the engine says to it.
async fn build_without(home: &Home, answer: Vec<u8>) -> std::result::Result<String, Error> {
    let engine = ScriptedEngine::new([Exchange::new("POST /v1.44/build", answer)]);
    let build = home.docker(&engine).images().build("tar").await?;
    build.finish().await.map(|image| image.name().to_owned())
}

#[tokio::test]
async fn a_build_fails_for_want_of_credentials_only_where_it_needs_them() {
    let home = Home::with(&json!({ "credsStore": "missing", "credHelpers": { "ghcr.io": "gone" } }));
    assert_eq!(build_without(&home, json("200 OK", BUILT)).await.unwrap(), "sha256:0f");
    let refusal = "pull access denied for a, repository does not exist or may require 'docker login': denied: no";
    let in_stream = json("200 OK", &json!({ "errorDetail": { "message": refusal } }).to_string());
    let before = json("500 Internal Server Error", &json!({ "message": refusal }).to_string());
    for (answer, kind) in [(in_stream, ErrorKind::InStream), (before, ErrorKind::Server)] {
        let error = build_without(&home, answer).await.unwrap_err();
        assert_eq!(error.kind(), kind);
        for words in
            [refusal, "`docker-credential-missing` is not", "registry `ghcr.io`", "`docker-credential-gone` is not"]
        {
            assert!(error.message().contains(words), "{error}");
        }
    }
    let other = json("200 OK", &json!({ "errorDetail": { "message": "exit code 1", "code": 1 } }).to_string());
    let error = build_without(&home, other).await.unwrap_err();
    assert_eq!((error.message(), error.code()), ("exit code 1", Some(1)));
    let unreadable = Home::with(&json!({ "auths": "s3cret" }));
    let error = build_without(&unreadable, answer("200 OK", &[], "")).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Config && error.operation() == "build image", "{error:?}");
    assert!(!format!("{error} {error:?}").contains("s3cret"));
}

/// Makes a helper that never answers. A process of its own writes it, so that no other inherits the open file.
#[cfg(unix)]
fn hanging_helper(folder: &Path) {
    let script = "printf '#!/bin/sh\\nPATH=/usr/bin:/bin\\nexec sleep 1000\\n' > \"$0\" && chmod 755 \"$0\"";
    let mut shell = std::process::Command::new("/bin/sh");
    assert!(shell.args(["-c", script]).arg(folder.join("docker-credential-slow")).status().unwrap().success());
}

#[cfg(unix)]
#[tokio::test]
async fn the_shorter_deadline_ends_a_helper() {
    let home = Home::with(&json!({ "credsStore": "slow" }));
    hanging_helper(&home.0);
    let short = Duration::from_millis(300);
    let engine = engine();
    let docker = home.docker(&engine);
    for deadlines in [Deadlines::default().credentials(short), Deadlines::NONE.total(short)] {
        let docker = docker.with_deadlines(deadlines);
        let error = docker.images().pull("ghcr.io/a/b").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert!(
            error.to_string().starts_with(
                "pull image `ghcr.io/a/b`: get credentials for registry `ghcr.io`: the credential helper \
                 `docker-credential-slow` gave no answer within 300ms"
            ),
            "{error}"
        );
        assert!(docker.registry_auth("ghcr.io").await.unwrap_err().is_timeout());
    }
    assert!(engine.received().is_empty());
}

/// Keeps all that is traced, as text.
#[derive(Clone, Default)]
struct Traces(Arc<Mutex<String>>);

impl Visit for Traces {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.lock().unwrap().push_str(&format!("{field}={value:?} "));
    }
}

impl Subscriber for Traces {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        attributes.record(&mut self.clone());
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut self.clone());
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn no_trace_shows_a_secret() {
    let traces = Traces::default();
    // One for this thread alone would miss what other tests have traced first: then it counts as of interest to nobody.
    tracing::subscriber::set_global_default(traces.clone()).unwrap();
    tracing::callsite::rebuild_interest_cache();
    let entry = json!({ "username": "jane", "password": "s3cret" });
    let home = Home::with(&json!({
        "auths": { "ghcr.io": entry, "bad.example": { "auth": "s3cret" } },
        "credHelpers": { "own.example": "own/" },
        "proxies": { "default": { "httpProxy": "http://jane:s3cret@a:1" } },
    }));
    for (_, call) in CALLS {
        assert_eq!(sent(&home, call, None).await.map(|header| header.len()), Some(jane("ghcr.io").len()));
    }
    built(&home, &BuildOptions::default()).await;
    let text = traces.0.lock().unwrap().clone();
    assert!(text.contains("/images/create") && text.contains("a build goes on without"), "{text}");
    let hidden = [jane("ghcr.io"), "s3cret".to_owned()];
    assert!(!hidden.iter().any(|secret| text.contains(secret.as_str())), "{text}");
}
