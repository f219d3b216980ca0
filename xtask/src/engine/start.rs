//! Starts and stops one engine.
//!
//! An engine runs in mount, network, pid, ipc, uts and cgroup namespaces of its own (`boot.sh`). It is a process of
//! its own too: it outlives the command that started it. Whether it runs is never read from a file: its cgroup has
//! processes and its socket answers, or it does not run, and then whatever is left of it is cleared away.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use longshore_testkit::certificates::Authority;

use super::catalog::{Engine, Kind};
use super::state::{Running, State};
use super::{busybox, command, http, install, requirements};
use crate::error::{Context, Error, Result};

/// The longest an engine may take until it answers.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// Tells whether an engine of this checkout runs, and how to reach it.
pub(crate) fn running(engine: Engine) -> Option<Running> {
    let state = State::new(engine);
    let running = state.read()?;
    (state.cgroup().is_populated() && http::ping(&running.socket).is_ok()).then_some(running)
}

/// Starts an engine, installing it first if need be; one that runs is left alone.
pub(crate) fn up(engine: Engine) -> Result<Running> {
    let state = State::new(engine);
    let _lock = state.lock()?;
    if let Some(running) = running(engine) {
        provide_image(engine, &running)?;
        return Ok(running);
    }
    requirements::check(install::installed(engine.root()).is_none())?;
    clear(&state)?;
    let root = install::ensure(engine.root())?;
    state.create()?;
    start(&state, &root).inspect_err(|_| {
        // The log stays for the reader; the next start or stop clears it away.
        let _ = state.cgroup().destroy();
    })
}

/// Stops an engine and removes everything of it but its root; one that does not run is fine.
pub(crate) fn down(engine: Engine) -> Result<()> {
    let state = State::new(engine);
    let _lock = state.lock()?;
    clear(&state)
}

fn clear(state: &State) -> Result<()> {
    let cgroup = state.cgroup();
    if cgroup.exists() {
        cgroup.destroy()?;
    }
    state.remove()
}

fn start(state: &State, root: &Path) -> Result<Running> {
    let mut child = boot(state, root)?;
    let socket = state.socket();
    let deadline = Instant::now() + READY_WITHIN;
    while http::ping(&socket).is_err() {
        let ended = child.try_wait()?;
        if ended.is_some() || Instant::now() > deadline {
            let how = ended.map_or_else(|| "did not answer in time".to_owned(), |status| format!("ended: {status}"));
            return Err(Error::new(format!("{how}; the end of {}:\n{}", state.log().display(), tail(state))));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let version = http::version(&socket)?;
    let running = Running {
        name: state.engine.name().to_owned(),
        host: format!("unix://{}", socket.display()),
        socket,
        version: version.version,
        api_version: version.api_version,
    };
    provide_image(state.engine, &running)?;
    state.write(&running)?;
    Ok(running)
}

/// Runs the boot script with the busybox of the engine's root.
fn boot(state: &State, root: &Path) -> Result<Child> {
    let unshare = command::find("unshare").ok_or_else(|| Error::new("unshare is not installed"))?;
    let cgroup = state.cgroup();
    cgroup.create()?;
    let script = state.folder.join("boot.sh");
    fs::write(&script, include_str!("boot.sh")).context(|| format!("write {}", script.display()))?;
    let log = File::create(state.log()).context(|| format!("write {}", state.log().display()))?;
    let authority = Authority::new().map_err(|error| Error::new(format!("make an authority: {error}")))?;
    authority.write(&state.folder.join("tls")).context(|| "write certificates".to_owned())?;
    let kind = match state.engine.kind() {
        Kind::Docker => "docker",
        Kind::Podman => "podman",
    };
    let busybox = root.join("bin/busybox");
    // A session of its own keeps Ctrl-C and a closing terminal away.
    Command::new(&busybox)
        .arg("setsid")
        .arg(&busybox)
        .arg("sh")
        .arg(&script)
        .arg("join")
        .arg(&state.folder)
        .env_clear()
        .env("ROOT", root)
        .env("KIND", kind)
        .env("NAME", state.engine.name())
        .env("GROUP", cgroup.name())
        .env("HIERARCHIES", cgroup.boot_words())
        .env("UNSHARE", unshare)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .context(|| format!("run {}", busybox.display()))
}

/// Imports `busybox:latest` where it is not there.
fn provide_image(engine: Engine, running: &Running) -> Result<()> {
    if http::has_image(&running.socket, &format!("{}:latest", busybox::IMAGE)) {
        return Ok(());
    }
    let tar = busybox::busybox_root()?;
    let tar = fs::read(&tar).context(|| format!("read {}", tar.display()))?;
    let repository = match engine.kind() {
        Kind::Docker => busybox::IMAGE.to_owned(),
        Kind::Podman => format!("docker.io/library/{}", busybox::IMAGE),
    };
    http::import_image(&running.socket, &repository, "latest", &tar)
}

/// The last lines of the engine's log.
fn tail(state: &State) -> String {
    let log = fs::read(state.log()).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
