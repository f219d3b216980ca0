//! The official CLI's `config.json`.

use std::cell::RefCell;

use longshore::{ConnectOptions, Environment, ErrorKind};
use longshore_testkit::{Folder, ScriptedEngine};

use crate::runtime::block_on;

thread_local! {
    static FOLDER: RefCell<Folder> = RefCell::new(Folder::new());
}

/// Takes these bytes for a `config.json`: asks which engine it means and which credentials it has.
pub fn check(bytes: &[u8]) {
    FOLDER.with_borrow(|folder| {
        folder.write("config.json", bytes);
        let path = folder.path().to_string_lossy().into_owned();
        // Helpers that the file names are looked for where there are none.
        let environment = Environment::default().variable("DOCKER_CONFIG", &path).variable("PATH", path);
        let environment = environment.root(folder.path());
        match environment.endpoint() {
            Ok(endpoint) => assert!(!endpoint.to_string().is_empty()),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Config, "{error}"),
        }
        assert!(environment.contexts().expect("there is no folder of contexts").is_empty());
        let inline = match std::str::from_utf8(bytes) {
            Ok(text) => Environment::default().variable("DOCKER_AUTH_CONFIG", text),
            Err(_) => Environment::default(),
        };
        for environment in [environment, inline] {
            block_on(credentials(environment));
        }
    });
}

async fn credentials(environment: Environment) {
    let docker = ScriptedEngine::default().docker_with(&ConnectOptions::default().environment(environment));
    for registry in ["docker.io", "ghcr.io", "localhost:5000"] {
        match docker.registry_auth(registry).await {
            Ok(Some(auth)) => assert!(!format!("{auth:?}").contains("s3cret"), "a secret is shown"),
            Ok(None) => {}
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::Config | ErrorKind::Invalid), "{error}");
            }
        }
    }
}
