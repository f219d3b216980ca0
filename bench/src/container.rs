use std::path::PathBuf;

use longshore::container::{ListOptions, RemoveOptions};
use longshore::{Docker, Spec, Until};
use recordings::LINE;

use bench::Result;
use bench::task::{IMAGE, LABEL, LARGE_FILE};
use bench::work::Work;

/// How many containers there are to be listed.
const LISTED: usize = 50;

/// A real engine, and what this run makes on it.
pub(crate) struct Engine {
    docker: Docker,
    pub(crate) socket: PathBuf,
    /// What labels that which this run makes.
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

    /// Makes what a work is done with; gives the container that the clients are told of.
    pub(crate) async fn set(&self, work: Work, amount: usize) -> Result<String> {
        match work {
            Work::LivePing | Work::LiveConnect => Ok(String::new()),
            Work::LiveLogs => self.make_log(amount).await,
            Work::LiveLifecycle => Ok(self.run.clone()),
            Work::LiveList => {
                for _ in 0..LISTED {
                    self.docker.containers().create(&self.spec("true")).await?;
                }
                Ok(String::new())
            }
            Work::LiveDownload => {
                let id = self.run().await?;
                let write = format!("dd if=/dev/zero of=/{LARGE_FILE} bs=1M count={amount} 2>/dev/null");
                let written = self.docker.container(&id).exec(["sh", "-c", &write]).output().await?;
                if written.status.success() { Ok(id) } else { Err("the large file can't be made".into()) }
            }
            _ => self.run().await,
        }
    }

    fn spec(&self, command: &str) -> Spec {
        Spec::image(IMAGE).cmd(["sh", "-c", command]).label(LABEL, &self.run)
    }

    /// Runs a container that does nothing.
    async fn run(&self) -> Result<String> {
        let container = self.docker.containers().run(self.spec("exec sleep 100000")).await?;
        Ok(container.id().to_owned())
    }

    /// Makes a container that has written so many lines and ended; gives its id.
    async fn make_log(&self, lines: usize) -> Result<String> {
        let line = ".".repeat(LINE - 1);
        let command = format!("yes {line} | head -n {lines}");
        let spec = self.spec(&command).set("HostConfig.LogConfig.Type", "json-file");
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
