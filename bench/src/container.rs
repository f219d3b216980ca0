use std::path::PathBuf;

use longshore::container::{ListOptions, RemoveOptions};
use longshore::{Docker, Spec, Until};

use bench::Result;
use bench::work::LINE;

/// The label of what is made on the engine; its value is the run's own.
const LABEL: &str = "longshore.bench";

const IMAGE: &str = "busybox:latest";

/// A real engine, and what this run makes on it.
pub(crate) struct Engine {
    docker: Docker,
    pub(crate) socket: PathBuf,
    run: String,
}

impl Engine {
    /// Takes the engine at `host`, which must be a unix socket: the raw clients speak no other transport.
    pub(crate) fn new(host: &str) -> Result<Self> {
        let socket =
            host.strip_prefix("unix://").ok_or_else(|| format!("{host} is not the address of a unix socket"))?;
        let run = format!("{}-{}", std::process::id(), started());
        Ok(Engine { docker: Docker::connect_to(host)?, socket: socket.into(), run })
    }

    /// The version of the engine, as people read it.
    pub(crate) async fn version(&self) -> Result<String> {
        let version = self.docker.version().await?;
        Ok(format!("{} (API {})", version.version, version.api_version))
    }

    /// Makes a container that has written so many lines and ended; gives its id.
    pub(crate) async fn make_log(&self, lines: usize) -> Result<String> {
        let line = ".".repeat(LINE - 1);
        let spec = Spec::image(IMAGE)
            .cmd(["sh", "-c", &format!("yes {line} | head -n {lines}")])
            .label(LABEL, &self.run)
            .set("HostConfig.LogConfig.Type", "json-file");
        let container = self.docker.containers().create(&spec).await?;
        let exit = container.wait(Until::NextExit).await?;
        container.start().await?;
        match exit.await? {
            status if status.success() => Ok(container.id().to_owned()),
            status => Err(format!("the container that writes the log ended with {status}").into()),
        }
    }

    /// Removes what this run has made.
    pub(crate) async fn clean_up(&self) -> Result<()> {
        let mine = ListOptions::default().all().filter("label", format!("{LABEL}={}", self.run));
        for container in self.docker.containers().list_with(&mine).await? {
            self.docker.container(container.id).remove_with(&RemoveOptions::default().force().volumes()).await?;
        }
        Ok(())
    }
}

fn started() -> u128 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map(|now| now.as_millis()).unwrap_or_default()
}
