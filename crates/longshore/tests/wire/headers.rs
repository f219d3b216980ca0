//! What goes with every request, as the user's `config.json` says.

use longshore::registry::DistributionOptions;
use longshore::{ConnectOptions, Docker, Environment, ErrorKind, RegistryAuth, Spec};
use longshore_testkit::transcript::wire::{json, ping};
use longshore_testkit::{Exchange, Folder, ScriptedEngine};

/// The surroundings of a user with this `config.json`.
fn environment(folder: &Folder, config: &str) -> Environment {
    folder.write("config.json", config);
    Environment::default().variable("DOCKER_CONFIG", folder.path().to_string_lossy())
}

fn docker(engine: &ScriptedEngine, environment: Environment) -> Docker {
    engine.docker_with(&ConnectOptions::default().environment(environment))
}

#[tokio::test(start_paused = true)]
async fn they_go_with_every_request_and_never_in_place_of_its_own() {
    let folder = Folder::new();
    let config = r#"{"HttpHeaders": {"X-Meta": "a b", "Authorization": "Bearer t", "Content-Type": "text/odd",
        "x-registry-auth": "mine", "Host": "evil", "Content-Length": "5", "Transfer-Encoding": "chunked",
        "Connection": "close", "User-Agent": "me", "Accept-Encoding": "gzip"}}"#;
    let engine = ScriptedEngine::new([
        Exchange::new("HEAD /_ping", ping("1.44".parse().unwrap())),
        Exchange::new("POST /v1.44/containers/create", json("201 Created", "{\"Id\":\"c1\",\"Warnings\":[]}")),
        Exchange::new("POST /v1.44/auth", json("200 OK", "{\"Status\":\"ok\"}")),
        Exchange::new("GET /v1.44/distribution/docker.io/library/alpine:latest/json", json("200 OK", "{}")),
    ]);
    let docker = docker(&engine, environment(&folder, config));
    docker.containers().create(&Spec::image("alpine")).await.unwrap();
    let auth = RegistryAuth::default().username("jo").password("secret");
    docker.login(&auth).await.unwrap();
    let options = DistributionOptions::default().auth(auth);
    docker.image("alpine").inspect_distribution_with(&options).await.unwrap();
    let received = engine.received();
    engine.assert_finished();
    for request in &received {
        assert_eq!(request.header("x-meta"), Some("a b"), "{}", request.line);
        assert_eq!(request.header("authorization"), Some("Bearer t"), "{}", request.line);
        assert_eq!(request.header("host"), Some("docker"), "{}", request.line);
        for ours in ["transfer-encoding", "connection", "user-agent", "accept-encoding"] {
            assert_eq!(request.header(ours), None, "{}", request.line);
        }
        let mut names: Vec<_> = request.headers.iter().map(|(name, _)| name.to_lowercase()).collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all, "a field came twice: {request:?}");
    }
    assert_eq!(received[0].header("content-length"), None);
    assert_eq!(received[1].header("content-type"), Some("application/json"));
    let sent = received[3].header("x-registry-auth").unwrap();
    assert_ne!(sent, "mine");
}

#[cfg(feature = "websocket")]
#[tokio::test(start_paused = true)]
async fn they_go_with_the_handshake_of_a_websocket() {
    let folder = Folder::new();
    let environment = environment(&folder, r#"{"HttpHeaders": {"X-Meta": "a", "Upgrade": "odd"}}"#);
    let refused = json("404 Not Found", "{\"message\":\"no such container\"}");
    let options = ConnectOptions::default().environment(environment).version("1.44".parse().unwrap());
    let request = "GET /v1.44/containers/web/attach/ws?stream=1&stdin=0&stdout=1&stderr=1";
    let engine = ScriptedEngine::new([Exchange::new(request, refused)]);
    let error = engine.docker_with(&options).container("web").attach_websocket().await.unwrap_err();
    assert!(error.is_not_found(), "{error} {:?}", engine.problems());
    assert_eq!(engine.received()[0].header("x-meta"), Some("a"));
    assert_eq!(engine.received()[0].header("upgrade"), Some("websocket"));
}

#[tokio::test(start_paused = true)]
async fn those_of_the_variable_stand_in_for_those_of_the_file() {
    let folder = Folder::new();
    let environment = environment(&folder, r#"{"HttpHeaders": {"X-Meta": "a", "X-Other": "b"}}"#);
    let engine = ScriptedEngine::new([Exchange::new("HEAD /_ping", ping("1.44".parse().unwrap()))]);
    let listed = environment.variable("DOCKER_CUSTOM_HEADERS", "\"X-Meta=1, 2\",Host=evil");
    docker(&engine, listed).ping().await.unwrap();
    let request = &engine.received()[0];
    assert_eq!((request.header("x-meta"), request.header("x-other")), (Some("1, 2"), None));
    assert_eq!(request.header("host"), Some("docker"));
}

#[tokio::test(start_paused = true)]
async fn one_that_can_not_be_sent_is_an_error_without_its_value() {
    let folder = Folder::new();
    let environment = environment(&folder, r#"{"HttpHeaders": {"X-Bad": "s3cret\r\nHost: evil"}}"#);
    let options = ConnectOptions::default().host("tcp://127.0.0.1:1").environment(environment.clone());
    let engine = ScriptedEngine::new([]);
    let errors = [
        Docker::connect_with(&options).unwrap_err(),
        docker(&engine, environment.clone()).ping().await.unwrap_err(),
        docker(&engine, environment).containers().list().await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Config, "{error:?}");
        assert!(error.message().contains("`X-Bad`") && !format!("{error:?}").contains("s3cret"), "{error:?}");
    }
    assert_eq!(engine.opened(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_configuration_that_can_not_be_understood_does_not_keep_a_known_engine_away() {
    for config in ["{", "[]", "{\"HttpHeaders\": 5}", "\u{feff}", ""] {
        let folder = Folder::new();
        let engine = ScriptedEngine::new([Exchange::new("HEAD /_ping", ping("1.44".parse().unwrap()))]);
        docker(&engine, environment(&folder, config)).ping().await.unwrap();
        engine.assert_finished();
    }
}
