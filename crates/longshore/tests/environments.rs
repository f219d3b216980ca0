//! The engine that is chosen in the surroundings of the README's table.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use longshore::config::EndpointSource;
use longshore::{Environment, ErrorKind};
use longshore_testkit::Folder;
use longshore_testkit::environments::{SETTINGS, Setting, table};

const ENGINE: &str = "unix:///run/engine.sock";

/// The surroundings of a setting; `/var/run` is a folder of the test's own.
fn environment(setting: &Setting, home: &Folder) -> (Environment, String) {
    let root = home.path().join("root");
    let environment = setting.environment(home.path(), ENGINE).root(&root);
    (environment, format!("unix://{}/var", root.display()))
}

#[test]
fn the_engine_is_chosen_as_the_table_says() {
    for setting in &SETTINGS {
        for is_there in [false, true] {
            let home = setting.home(ENGINE);
            if is_there {
                home.socket("root/var/run/docker.sock");
            }
            let (environment, var) = environment(setting, &home);
            let chosen = environment.endpoint();
            let Some(address) = setting.address(ENGINE) else {
                let error = chosen.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Config, "{setting:?}");
                assert!(error.message().contains(&format!("`{}`", setting.context())), "{setting:?}: {error}");
                continue;
            };
            let endpoint = chosen.unwrap();
            assert_eq!(endpoint.address().replace(&var, "unix:///var"), address, "{setting:?}");
            let context = match endpoint.source() {
                EndpointSource::Context { name, .. } => name,
                source => {
                    let found = matches!(source, EndpointSource::Socket("Docker"));
                    assert_eq!(found, is_there && address.starts_with("unix:///var"), "{setting:?}: {source:?}");
                    "default"
                }
            };
            assert_eq!(context, setting.context(), "{setting:?}");
        }
    }
}

#[test]
fn the_readme_has_the_table() {
    let readme = include_str!("../../../README.md");
    assert!(readme.contains(&table()), "the README has not this table:\n\n{}", table());
}
