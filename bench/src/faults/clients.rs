//! The calls, as each client makes them, and what they give as text.

use std::error::Error;
use std::time::Duration;

use bollard::container::LogOutput;
use bollard::exec::StartExecResults;
use bollard::models::ExecConfig;
use bollard::query_parameters::{
    DownloadFromContainerOptionsBuilder, InspectContainerOptions, ListContainersOptions, LogsOptionsBuilder,
};
use futures_util::{Stream, StreamExt};
use longshore::container::ListOptions;
use longshore::{ApiVersion, ConnectOptions, Deadlines};

use super::recorded::Call;

type Failure = Box<dyn Error + Send + Sync>;

/// The deadline that both clients are given for the call, in seconds: the least that bollard takes.
const DEADLINE: u64 = 1;

/// Whose calls are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    Longshore,
    Bollard,
}

impl Peer {
    pub(crate) const ALL: [Peer; 2] = [Peer::Longshore, Peer::Bollard];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Peer::Longshore => "longshore",
            Peer::Bollard => "bollard",
        }
    }
}

pub(crate) async fn call(peer: Peer, call: Call, host: &str) -> Result<String, Failure> {
    match peer {
        Peer::Longshore => longshore(call, host).await,
        Peer::Bollard => bollard(call, host).await,
    }
}

async fn longshore(call: Call, host: &str) -> Result<String, Failure> {
    let deadline = Duration::from_secs(DEADLINE);
    let deadlines = Deadlines::default().total(deadline);
    let options = ConnectOptions::default().host(host).version(ApiVersion::new(1, 44)).deadlines(deadlines);
    let docker = longshore::Docker::connect_with(&options)?;
    let container = docker.container("web");
    Ok(match call {
        Call::Inspect => format!("{:?}", container.inspect().await?),
        Call::List => format!("{:?}", docker.containers().list_with(&ListOptions::default()).await?),
        Call::Logs => {
            let mut output = container.logs().await?;
            let mut text = String::new();
            while let Some(chunk) = output.next().await {
                text += &String::from_utf8_lossy(&chunk?.bytes);
            }
            text
        }
        Call::Archive => {
            let mut tar = Vec::new();
            container.archive("/page").await?.copy_to(&mut tar).await?;
            format!("{tar:?}")
        }
        Call::Exec => {
            let output = container.exec("say").output().await?;
            format!("{} {:?} {:?}", output.status.code(), output.stdout, output.stderr)
        }
    })
}

async fn bollard(call: Call, host: &str) -> Result<String, Failure> {
    let version = bollard::ClientVersion { major_version: 1, minor_version: 44 };
    let docker = bollard::Docker::connect_with_http(host, DEADLINE, &version)?;
    Ok(match call {
        Call::Inspect => {
            let container = docker.inspect_container("web", None::<InspectContainerOptions>).await?;
            serde_json::to_value(container)?.to_string()
        }
        Call::List => serde_json::to_value(docker.list_containers(None::<ListContainersOptions>).await?)?.to_string(),
        Call::Logs => {
            let options = LogsOptionsBuilder::default().stdout(true).stderr(true).build();
            text(docker.logs("web", Some(options))).await?
        }
        Call::Archive => {
            let options = DownloadFromContainerOptionsBuilder::default().path("/page").build();
            let mut pieces = Box::pin(docker.download_from_container("web", Some(options)));
            let mut tar = Vec::new();
            while let Some(piece) = pieces.next().await {
                tar.extend_from_slice(&piece?);
            }
            format!("{tar:?}")
        }
        Call::Exec => {
            let config = ExecConfig {
                cmd: Some(vec!["say".to_owned()]),
                attach_stdout: Some(true),
                attach_stderr: Some(true),
                ..Default::default()
            };
            let id = docker.create_exec("web", config).await?.id;
            let StartExecResults::Attached { output, .. } = docker.start_exec(&id, None).await? else {
                return Err("the exec is detached".into());
            };
            let text = text(output).await?;
            // What a careful program checks: that the command has ended.
            let code = docker.inspect_exec(&id).await?.exit_code.ok_or("the command still runs")?;
            format!("{code} {text}")
        }
    })
}

async fn text(output: impl Stream<Item = Result<LogOutput, bollard::errors::Error>>) -> Result<String, Failure> {
    let (mut output, mut text) = (Box::pin(output), String::new());
    while let Some(piece) = output.next().await {
        text += &String::from_utf8_lossy(&piece?.into_bytes());
    }
    Ok(text)
}
