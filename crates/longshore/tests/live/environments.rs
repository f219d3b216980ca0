//! The engine that the official CLI really chooses, in the surroundings of the README's table.

use std::error::Error;
use std::path::Path;
use std::process::Stdio;

use longshore::{ConnectOptions, Docker};
use longshore_testkit::environments::{SETTINGS, Setting, official_cli};
use longshore_testkit::live::Live;
use tokio::process::Command;

use crate::harness::{Outcome, Test, test};

pub(crate) fn tests() -> Vec<Test> {
    vec![test(the_official_cli_chooses_the_same_engine)]
}

async fn the_official_cli_chooses_the_same_engine(live: Live) -> Outcome {
    let program = official_cli()?;
    for setting in &SETTINGS {
        let ours = ours(setting, &live).await?;
        assert_eq!(ours.address, setting.address(live.engine().host()), "{setting:?}");
        let theirs = theirs(setting, &live, &program).await?;
        assert_eq!(theirs, ours, "{setting:?}");
    }
    Ok(())
}

/// What was chosen: the engine's address, unless that was refused, and the version of the engine if it is the one of the
/// test.
#[derive(Debug, PartialEq, Eq)]
struct Choice {
    address: Option<String>,
    version: Option<String>,
}

async fn ours(setting: &Setting, live: &Live) -> Result<Choice, Box<dyn Error + Send + Sync>> {
    let engine = live.engine().host();
    let home = setting.home(engine);
    // Whatever this machine has in `/var/run` must not matter.
    let root = home.path().join("root");
    home.socket("root/var/run/docker.sock");
    let environment = setting.environment(home.path(), engine).root(&root);
    let endpoint = environment.endpoint().ok();
    let address = endpoint.map(|endpoint| endpoint.address().replace(&*root.to_string_lossy(), ""));
    let version = match setting.is_the_engine() {
        true => {
            let docker = Docker::connect_with(&ConnectOptions::default().environment(environment))?;
            Some(docker.version().await?.version.clone())
        }
        false => None,
    };
    Ok(Choice { address, version })
}

async fn theirs(setting: &Setting, live: &Live, program: &Path) -> Result<Choice, Box<dyn Error + Send + Sync>> {
    let engine = live.engine().host();
    let home = setting.home(engine);
    let ask = async |arguments: &[&str]| {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", "/usr/bin:/bin").envs(setting.variables(home.path(), engine)).args(arguments);
        let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await?;
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok::<_, std::io::Error>(Some(said).filter(|_| output.status.success()))
    };
    assert_eq!(ask(&["context", "show"]).await?.as_deref(), Some(setting.context()), "{setting:?}");
    let address = ask(&["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]).await?;
    let version = match setting.is_the_engine() {
        true => ask(&["version", "--format", "{{.Server.Version}}"]).await?,
        false => None,
    };
    Ok(Choice { address, version })
}
