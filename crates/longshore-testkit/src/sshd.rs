//! A real ssh server with an engine behind it, and a real client and agent to reach it with.
//!
//! The server has a file system and processes of its own, as another machine has: the engine's socket is at
//! `/var/run/docker.sock` there, and Docker's CLI is on its `PATH`, or neither, as a test wants it. Only the port is of
//! this machine. All programs come from one root of unpacked packages, so that nothing need be installed.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use longshore::config::Ssh;
use rustix::process::{Pid, Signal, kill_process};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;

use crate::live::{LiveEngine, xtask};
use crate::port::free_port;
use crate::process::{Process, remove_stale};

/// Names the root of client and server.
const VARIABLE: &str = "LONGSHORE_TEST_SSH";

/// What the folders of servers and agents are called, before the id of their process.
const FOLDERS: &str = "longshore-sshd-";

/// How long a server or an agent may take until it listens.
const READY_WITHIN: Duration = Duration::from_secs(10);

static ROOT: OnceCell<PathBuf> = OnceCell::const_new();

/// What there is on the far side. Unless it is said otherwise: the engine's socket at the usual place, and Docker's CLI.
#[derive(Clone, Debug)]
pub struct FarSide {
    sockets: Vec<String>,
    docker: Option<String>,
    path: &'static str,
    settings: String,
}

impl Default for FarSide {
    fn default() -> Self {
        let sockets = vec!["/run/docker.sock".to_owned()];
        FarSide { sockets, docker: None, path: "/usr/bin:/run/bin", settings: String::new() }
    }
}

impl FarSide {
    /// Has the engine's socket here, instead of at the usual place.
    #[must_use]
    pub fn socket(mut self, path: impl Into<String>) -> Self {
        self.sockets = vec![path.into()];
        self
    }

    /// Has no CLI of Docker's.
    #[must_use]
    pub fn without_docker(mut self) -> Self {
        self.path = "/run/bin";
        self
    }

    /// Has this script as its `docker`.
    #[must_use]
    pub fn docker(mut self, script: impl Into<String>) -> Self {
        self.docker = Some(script.into());
        self.path = "/engine/bin:/run/bin";
        self
    }

    /// Has a line more in its `sshd_config`, which wins over those that are there.
    #[must_use]
    pub fn setting(mut self, line: &str) -> Self {
        self.settings.push_str(line);
        self.settings.push('\n');
        self
    }
}

/// A server that runs. It ends, and everything on its far side, when it is dropped.
///
/// ```no_run
/// # use longshore::{ConnectOptions, Docker};
/// # use longshore_testkit::live::Live;
/// # use longshore_testkit::{FarSide, Sshd};
/// # async fn example(live: Live) -> Result<(), Box<dyn std::error::Error>> {
/// let sshd = Sshd::start(live.engine(), FarSide::default()).await?;
/// let docker = Docker::connect_with(&ConnectOptions::default().host(sshd.host()).ssh(sshd.client()))?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Sshd {
    folder: PathBuf,
    port: u16,
    process: Process,
}

impl Sshd {
    /// Starts a server on a port of 127.0.0.1.
    ///
    /// # Errors
    /// When there is no root to be had, the engine has no unix socket, or this user may not make namespaces.
    pub async fn start(engine: &LiveEngine, far: FarSide) -> io::Result<Self> {
        let root = ROOT.get_or_try_init(find_root).await?;
        let socket = engine.socket().ok_or_else(|| io::Error::other("the engine has no unix socket"))?;
        let folder = make_folder()?;
        fs::create_dir(folder.join("bin"))?;
        let port = free_port()?;
        furnish(&folder, root, port, &far)?;
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--"]);
        command.arg(root.join("bin/busybox")).args(["sh", "-c", include_str!("sshd.sh"), "sshd.sh"]);
        command.args([root, &folder, &socket]).args(&far.sockets);
        let process = Process::run(&command, fs::File::create(folder.join("boot.log"))?)?;
        let sshd = Sshd { folder, port, process };
        sshd.ready().await?;
        Ok(sshd)
    }

    async fn ready(&self) -> io::Result<()> {
        let asking = async {
            while TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(READY_WITHIN, asking).await.map_err(|_| {
            let boot = fs::read_to_string(self.folder.join("boot.log")).unwrap_or_default();
            io::Error::other(format!("THE SSH SERVER DOES NOT LISTEN (it needs root): {boot}{}", self.log()))
        })
    }

    /// The address of the engine behind it, such as `ssh://root@127.0.0.1:40000`.
    pub fn host(&self) -> String {
        self.host_at(self.port)
    }

    /// The same at another port, which leads here.
    pub fn host_at(&self, port: u16) -> String {
        format!("ssh://root@127.0.0.1:{port}")
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How to reach it, with a key that it takes and knowing its own.
    pub fn client(&self) -> Ssh {
        self.client_of("config")
    }

    /// The same without knowing its key; the configuration says that new ones be accepted.
    pub fn client_that_knows_nobody(&self) -> Ssh {
        self.client_of("config-new")
    }

    /// The same knowing another key of it.
    pub fn client_that_knows_another(&self) -> Ssh {
        self.client_of("config-other")
    }

    /// The same with a key that it does not take.
    pub fn client_with_a_wrong_key(&self) -> Ssh {
        self.client_of("config-wrong")
    }

    /// How to reach it as the user has configured it: a name for the file of the configuration, and its text.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn client_configured(&self, name: &str, configuration: &str) -> io::Result<Ssh> {
        let file = format!("config-of-{name}");
        fs::write(self.folder.join(&file), configuration)?;
        Ok(self.client_of(&file))
    }

    /// Where configurations find files: `known` has the server's key, `known-other` another one, and `user` is the key
    /// that it takes.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Starts an agent that has the key which the server takes.
    ///
    /// # Errors
    /// When it does not run, or does not take the key.
    pub async fn agent(&self) -> io::Result<SshAgent> {
        SshAgent::start(ROOT.get_or_try_init(find_root).await?, &self.folder.join("user")).await
    }

    fn client_of(&self, config: &str) -> Ssh {
        Ssh::default().program(self.folder.join("ssh")).config_file(self.folder.join(config))
    }

    /// How many connections have logged in so far.
    pub fn logins(&self) -> usize {
        self.log().lines().filter(|line| line.starts_with("Accepted publickey")).count()
    }

    /// What was run on its far side: a line for each command.
    pub fn commands(&self) -> Vec<String> {
        let log = self.log();
        let begun =
            log.lines().filter_map(|line| line.split_once("Starting session: ")).map(|(_, what)| what.to_owned());
        begun.collect()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// The processes of this machine that belong to its clients, as the ids and what they run.
    pub fn clients(&self) -> Vec<(Pid, String)> {
        let mut clients = Vec::new();
        // The names of other servers' folders may begin as this one's.
        let (inside, told) = (format!("{}/", self.folder.display()), format!("={}\0", self.folder.display()));
        let own = [self.process.id().to_string(), std::process::id().to_string()];
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(process) = name.parse().ok().and_then(Pid::from_raw) else { continue };
            let read = |file: &str| {
                fs::read(entry.path().join(file)).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            };
            let (line, environment) = (read("cmdline").unwrap_or_default(), read("environ").unwrap_or_default());
            // The server's own are in a namespace of theirs, except for the one that made it.
            let here = fs::read_link(entry.path().join("ns/pid")).ok() == fs::read_link("/proc/self/ns/pid").ok();
            if here && !own.contains(&name) && (line.contains(&inside) || environment.contains(&told)) {
                clients.push((process, line.replace('\0', " ")));
            }
        }
        clients
    }

    /// Kills the clients' shared connections, as a crash would.
    pub fn kill_masters(&self) {
        for (process, line) in self.clients() {
            if line.contains(" ControlMaster=yes ") && !line.starts_with("/bin/sh") {
                // One that has ended by itself is as good.
                let _ = kill_process(process, Signal::KILL);
            }
        }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.process.end();
        // A later run removes it otherwise.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// An agent that runs. It ends when it is dropped, or when this process ends, however that is.
#[derive(Debug)]
pub struct SshAgent {
    folder: PathBuf,
    process: Process,
}

impl SshAgent {
    async fn start(root: &Path, key: &Path) -> io::Result<Self> {
        // It is not the folder of a server, whose clients are known by that.
        let folder = make_folder()?;
        let socket = folder.join("socket");
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("exec {} -D -a {}", run_of(root, "ssh-agent")?, socket.display()));
        let process = Process::run(&command, fs::File::create(folder.join("log"))?)?;
        let agent = SshAgent { folder, process };
        let add = format!("SSH_AUTH_SOCK={} {} -q {}", socket.display(), run_of(root, "ssh-add")?, key.display());
        let begun = Instant::now();
        // It may not listen yet.
        while let Err(error) = shell(&add) {
            if begun.elapsed() > READY_WITHIN {
                let log = fs::read_to_string(agent.folder.join("log")).unwrap_or_default();
                return Err(io::Error::other(format!("THE SSH AGENT DOES NOT TAKE A KEY: {error}{log}")));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(agent)
    }

    /// The socket by which clients reach it.
    pub fn socket(&self) -> PathBuf {
        self.folder.join("socket")
    }

    /// Kills it, and waits until it has ended. Its keys are gone with it.
    pub fn end(&self) {
        self.process.end();
    }
}

impl Drop for SshAgent {
    fn drop(&mut self) {
        self.end();
        // A later run removes it otherwise.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Makes a folder for a server or an agent, and removes those that killed processes have left.
fn make_folder() -> io::Result<PathBuf> {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    if count == 0 {
        remove_stale(FOLDERS);
    }
    let folder = std::env::temp_dir().join(format!("{FOLDERS}{}-{count}", std::process::id()));
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// The root of all programs: what `LONGSHORE_TEST_SSH` names, else `cargo xtask engine ssh` installs it.
async fn find_root() -> io::Result<PathBuf> {
    if let Some(root) = std::env::var_os(VARIABLE).filter(|root| !root.is_empty()) {
        return Ok(root.into());
    }
    let asking = tokio::task::spawn_blocking(|| xtask(&["engine", "ssh"], Stdio::piped()));
    match asking.await.map_err(io::Error::other)? {
        Ok(path) => Ok(path.trim().into()),
        Err(error) => Err(io::Error::other(format!(
            "THERE IS NO SSH SERVER TO TEST WITH: {error}; name a root with one: {VARIABLE}=/path/of/root"
        ))),
    }
}

/// Writes what server and clients need: keys, configurations and programs.
fn furnish(folder: &Path, root: &Path, port: u16, far: &FarSide) -> io::Result<()> {
    for key in ["host", "user", "other"] {
        make_key(root, &folder.join(key))?;
    }
    let public = |key: &str| fs::read_to_string(folder.join(key).with_extension("pub"));
    let known = |key: &str| Ok::<_, io::Error>(format!("[127.0.0.1]:* {}", public(key)?));
    fs::write(folder.join("known"), known("host")?)?;
    fs::write(folder.join("known-other"), known("other")?)?;
    fs::write(folder.join("sshd_config"), server_configuration(port, far))?;
    let folder_text = folder.display();
    for (name, hosts, key, more) in [
        ("config", "known", "user", ""),
        ("config-new", "known-new", "user", "StrictHostKeyChecking accept-new\nNoHostAuthenticationForLocalhost yes\n"),
        ("config-other", "known-other", "user", ""),
        ("config-wrong", "known", "other", ""),
    ] {
        let text = format!(
            "{more}UserKnownHostsFile {folder_text}/{hosts}\nGlobalKnownHostsFile /dev/null\n\
             IdentityFile {folder_text}/{key}\nIdentitiesOnly yes\n"
        );
        fs::write(folder.join(name), text)?;
    }
    // To jump, a client runs itself once more, by the name that it was run by.
    let run = run_of(root, "ssh")?.replacen(' ', &format!(" --argv0 {folder_text}/ssh "), 1);
    let client = format!("#!/bin/sh\nLONGSHORE_TEST_SSHD={folder_text} exec {run} \"$@\"\n");
    program(&folder.join("ssh"), &client)?;
    match &far.docker {
        Some(script) => program(&folder.join("bin/docker"), script),
        None => Ok(()),
    }
}

fn server_configuration(port: u16, far: &FarSide) -> String {
    let FarSide { settings, path, .. } = far;
    format!(
        "{settings}ListenAddress 127.0.0.1\nPort {port}\nHostKey /engine/host\nAuthorizedKeysFile /engine/user.pub\n\
         StrictModes no\nUsePAM no\nPidFile none\nLogLevel VERBOSE\nPasswordAuthentication no\n\
         KbdInteractiveAuthentication no\nMaxStartups 200\nPerSourcePenalties no\nSetEnv PATH={path}\n"
    )
}

fn program(path: &Path, text: &str) -> io::Result<()> {
    fs::write(path, text)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

fn make_key(root: &Path, path: &Path) -> io::Result<()> {
    shell(&format!("{} -q -t ed25519 -N '' -C test -f {}", run_of(root, "ssh-keygen")?, path.display()))
}

fn shell(line: &str) -> io::Result<()> {
    let output = Command::new("sh").args(["-c", line]).stdin(Stdio::null()).output()?;
    match output.status.success() {
        true => Ok(()),
        false => Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned())),
    }
}

/// What runs a program of the root here, with the libraries of the root: its loader.
fn run_of(root: &Path, program: &str) -> io::Result<String> {
    let architecture = std::env::consts::ARCH;
    let libraries = root.join(format!("usr/lib/{architecture}-linux-gnu"));
    let loaders = fs::read_dir(&libraries)?.filter_map(|entry| Some(entry.ok()?.path()));
    let is_loader =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"ld-linux"));
    let loader = loaders.into_iter().find(is_loader).ok_or_else(|| io::Error::other("the root has no loader"))?;
    let program = root.join("usr/bin").join(program);
    Ok(format!("{} --library-path {} {}", loader.display(), libraries.display(), program.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_a_test_come_first() {
        let far = FarSide::default().without_docker().setting("MaxSessions 1").setting("AllowStreamLocalForwarding no");
        let text = server_configuration(4, &far);
        assert!(text.starts_with("MaxSessions 1\nAllowStreamLocalForwarding no\nListenAddress "), "{text}");
        assert!(text.contains("\nPort 4\n") && text.ends_with("\nSetEnv PATH=/run/bin\n"), "{text}");
    }
}
