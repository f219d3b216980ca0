//! Which engine the demo uses: the one that the environment names, else a private one.
//!
//! A private engine that a demo has started is stopped again, by the last demo that uses it. Every demo holds a shared
//! lock on a file meanwhile; the one that gets the lock for itself at the end is the last. That the engine was started
//! by a demo, and not by `cargo xtask engine up`, is remembered in its state folder, which goes when it stops.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use longshore::models::SystemVersion;
use longshore::{Deadlines, Docker};
use rustix::fs::{FlockOperation, flock};

use super::stage::Stage;
use crate::engine::{self, Engine, Running};
use crate::error::{Context, Error, Result};
use crate::workspace;

/// The engine that is brought up where there is none.
const PRIVATE: Engine = Engine::Docker20;

/// Where an engine of the system listens.
const USUAL: &str = "/var/run/docker.sock";

/// How long an engine may take to answer a ping.
const PATIENCE: Duration = Duration::from_secs(5);

/// The engine of this run.
pub(super) struct Host {
    pub(super) docker: Docker,
    lease: Option<Lease>,
}

impl Host {
    /// Finds the engine that the environment names, or brings one up.
    pub(super) async fn find(stage: &Stage) -> Result<Self> {
        match std::env::var("DOCKER_HOST").ok().filter(|host| !host.trim().is_empty()) {
            Some(_) => Self::named().await,
            None => Self::usual_or_private(stage).await,
        }
    }

    async fn named() -> Result<Self> {
        let advice = "\nStart that engine, name another one, or unset DOCKER_HOST: the demo then uses the engine at \
                      /var/run/docker.sock or, if there is none, brings up one of its own.";
        let unusable = |error| Error::new(format!("DOCKER_HOST names an engine that can't be used: {error}{advice}"));
        let docker = Docker::connect().map_err(unusable)?;
        answers(&docker).await.map_err(unusable)?;
        Ok(Self { docker, lease: None })
    }

    async fn usual_or_private(stage: &Stage) -> Result<Self> {
        let docker = Docker::connect()?;
        let Err(problem) = answers(&docker).await else { return Ok(Self { docker, lease: None }) };
        let why = if Path::new(USUAL).exists() { problem.to_string() } else { format!("there is no {USUAL}") };
        stage.note("engine", &format!("DOCKER_HOST is not set, and {why}: bringing up a private {PRIVATE}"));
        let lease = blocking("waiting for the engine", Lease::take).await?;
        match lease.bring_up().await {
            Ok(address) => Ok(Self { docker: Docker::connect_to(address)?, lease: Some(lease) }),
            Err(error) => {
                blocking("stopping the engine", || lease.end()).await?;
                Err(error)
            }
        }
    }

    /// Says which engine it is.
    pub(super) async fn introduce(&self, stage: &Stage) -> Result<()> {
        let version = self.docker.version().await?;
        let spoken = self.docker.api_version().await?;
        let text = format!("{} {}, API {spoken}, at {}", name(&version), version.version, self.docker.host());
        stage.note("engine", &text);
        Ok(())
    }

    /// Stops the engine if a demo started it and no other demo uses it.
    pub(super) async fn release(self, stage: &Stage) -> Result<()> {
        self.docker.close();
        let Some(lease) = self.lease else { return Ok(()) };
        let ending = blocking("stopping the engine", || lease.end()).await?;
        stage.note("engine", ending);
        Ok(())
    }
}

async fn answers(docker: &Docker) -> longshore::Result<()> {
    docker.with_deadlines(Deadlines::default().total(PATIENCE)).ping().await.map(drop)
}

/// Runs what blocks on a thread of its own.
async fn blocking<T: Send + 'static>(doing: &str, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let outcome = tokio::task::spawn_blocking(work).await;
    outcome.unwrap_or_else(|_| Err(Error::new(format!("{doing} has panicked"))))
}

fn private() -> Option<Running> {
    engine::running().into_iter().find(|running| running.name == PRIVATE.name())
}

/// What people call the engine.
fn name(version: &SystemVersion) -> &'static str {
    let is_podman = version.components.iter().any(|component| component.name.contains("Podman"));
    if is_podman { "Podman" } else { "Docker" }
}

/// The use of the private engine.
struct Lease {
    lock: File,
    path: PathBuf,
}

impl Lease {
    /// Takes part in the use of the engine; waits while the last demo before this one stops it.
    fn take() -> Result<Self> {
        let folder = workspace::root().join("target/engines");
        let path = folder.join(format!("{PRIVATE}.demos"));
        fs::create_dir_all(&folder).context(|| format!("create {}", folder.display()))?;
        let lock = shared_lock(&path).context(|| format!("lock {}", path.display()))?;
        Ok(Self { lock, path })
    }

    /// Brings the engine up if it does not run, and tells its address.
    async fn bring_up(&self) -> Result<String> {
        let ran_before = private().is_some();
        let outcome = blocking("bringing up the engine", || engine::up(&[PRIVATE])).await;
        let running = private();
        // Whatever went wrong: what runs now and did not before is the demo's to stop.
        if running.is_some() && !ran_before {
            let mark = self.mark();
            fs::write(&mark, "").context(|| format!("write {}", mark.display()))?;
        }
        outcome?;
        running
            .map(|running| running.host)
            .ok_or_else(|| Error::new(format!("{PRIVATE} has ended right after its start")))
    }

    /// The file that says that a demo has started the engine.
    fn mark(&self) -> PathBuf {
        self.path.with_file_name(PRIVATE.name()).join("started-by-demo")
    }

    /// Ends the use of the engine, and tells what becomes of it.
    fn end(self) -> Result<&'static str> {
        if flock(&self.lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Ok("left to another demo that is using it");
        }
        let outcome = match self.mark().exists() {
            true => engine::down(&[PRIVATE]).map(|()| "the private one is gone again"),
            false => Ok("the private one runs on, as it did before"),
        };
        let _ = fs::remove_file(&self.path);
        outcome
    }
}

/// Takes a lock that several may hold at once on the file at `path`, which is made, and which the last holder removes.
fn shared_lock(path: &Path) -> std::io::Result<File> {
    loop {
        let file = File::create(path)?;
        flock(&file, FlockOperation::LockShared)?;
        // A lock on a file that has been removed meanwhile keeps nobody out.
        let held = file.metadata()?;
        if fs::metadata(path).is_ok_and(|now| (now.dev(), now.ino()) == (held.dev(), held.ino())) {
            return Ok(file);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_holder_gets_the_lock_for_itself() {
        let path = std::env::temp_dir().join(format!("xtask-demo-lock-{}", std::process::id()));
        let (one, other) = (shared_lock(&path).unwrap(), shared_lock(&path).unwrap());
        assert!(flock(&one, FlockOperation::NonBlockingLockExclusive).is_err());
        assert!(flock(&other, FlockOperation::NonBlockingLockExclusive).is_ok());
        fs::remove_file(&path).unwrap();
        drop(other);
        drop(shared_lock(&path).unwrap());
        fs::remove_file(&path).unwrap();
    }
}
