//! A real credential helper: `docker-credential-pass`, which keeps credentials in files that GnuPG encrypts.
//!
//! Each store is a folder with a key and files of its own, and programs that know no other.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use longshore::Environment;

use crate::program;

/// What the helper runs, each by its name.
const PROGRAMS: [&str; 4] = ["docker-credential-pass", "gpg", "gpg-agent", "gpg-connect-agent"];

/// How the folders are called. The path to the agent's socket in it may not be long.
const FOLDERS: &str = "longshore-pass-";

/// A store of credentials, and the helper that gives them. Both are gone when it is dropped.
#[derive(Debug)]
pub struct Pass {
    folder: PathBuf,
}

/// What asks the user for the passphrase of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// Nothing, since there is no passphrase.
    Never,
    /// A program that waits for somebody to type.
    Waits,
    /// A program that finds nobody to ask.
    Fails,
}

impl Pass {
    /// Makes an empty store.
    ///
    /// The helper is what `LONGSHORE_TEST_PASS` names, else `cargo xtask engine program` installs it with all it needs.
    ///
    /// # Errors
    /// When it can't be had, or no key can be made.
    pub async fn new(prompt: Prompt) -> io::Result<Self> {
        tokio::task::spawn_blocking(move || Pass::make(prompt)).await.map_err(io::Error::other)?
    }

    fn make(prompt: Prompt) -> io::Result<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);

        let helper = program::find("pass").map_err(io::Error::other)?;
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let pass = Pass { folder: std::env::temp_dir().join(format!("{FOLDERS}{}-{number}", std::process::id())) };
        let (bin, keys) = (pass.folder.join("bin"), pass.folder.join("keys"));
        fs::create_dir_all(&bin)?;
        fs::create_dir(&keys)?;
        fs::set_permissions(&keys, fs::Permissions::from_mode(0o700))?;
        match helper.parent().filter(|root| root.join("usr/bin/gpg").exists()) {
            Some(root) => from_root(root, &bin)?,
            None => symlink(&helper, bin.join("docker-credential-pass"))?,
        }
        let agent = bin.join("gpg-agent");
        if agent.exists() {
            fs::write(keys.join("gpg.conf"), format!("agent-program {}\n", agent.display()))?;
        }
        // It waits for as long as the agent holds the other end.
        let ask = if prompt == Prompt::Waits { "while read -r line; do :; done" } else { "exit 1" };
        write_script(&bin.join("prompt"), ask)?;
        fs::write(keys.join("gpg-agent.conf"), format!("pinentry-program {}\n", bin.join("prompt").display()))?;
        let passphrase = if prompt == Prompt::Never { "" } else { "a passphrase" };
        let make_key = ["--batch", "--pinentry-mode", "loopback", "--passphrase", passphrase];
        let key = ["--quick-generate-key", "tester", "future-default", "default", "never"];
        pass.run("gpg", &[make_key, key].concat(), "")?;
        pass.run("pass", &["init", "tester"], "")?;
        // It may know the passphrase still.
        pass.end_agent();
        Ok(pass)
    }

    /// The environment in which the helper finds this store.
    pub fn environment(&self) -> Environment {
        let variables = self.variables();
        variables
            .into_iter()
            .fold(Environment::default(), |environment, (name, value)| environment.variable(name, value))
    }

    /// Keeps credentials for a registry.
    ///
    /// # Errors
    /// When the helper does not take them.
    pub fn store(&self, registry: &str, username: &str, secret: &str) -> io::Result<()> {
        let json = format!(r#"{{"ServerURL":"{registry}","Username":"{username}","Secret":"{secret}"}}"#);
        self.run("docker-credential-pass", &["store"], &json)
    }

    /// A folder for the user's `config.json`.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn variables(&self) -> [(&'static str, String); 4] {
        let folder = |name: &str| self.folder.join(name).display().to_string();
        [
            ("DOCKER_CONFIG", folder("")),
            ("GNUPGHOME", folder("keys")),
            ("PASSWORD_STORE_DIR", folder("store")),
            ("PATH", format!("{}:/usr/bin:/bin", folder("bin"))),
        ]
    }

    fn run(&self, program: &str, arguments: &[&str], input: &str) -> io::Result<()> {
        // A command looks for its program on the PATH of the new process.
        let mut command = Command::new(program);
        command.args(arguments).envs(self.variables()).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input.as_bytes())?;
        }
        let output = child.wait_with_output()?;
        match output.status.success() {
            true => Ok(()),
            false => Err(io::Error::other(format!("{program} {arguments:?} has failed: {output:?}"))),
        }
    }

    fn end_agent(&self) {
        // It ends by itself, too, when its folder is gone.
        let _ = self.run("gpg-connect-agent", &["--no-autostart", "killagent", "/bye"], "");
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.end_agent();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Lets the programs of an unpacked root be run as any other, with the root's own libraries.
fn from_root(root: &Path, bin: &Path) -> io::Result<()> {
    let root = root.display();
    for name in PROGRAMS {
        let script = format!(
            "for loader in {root}/lib*/ld-linux*.so.*; do :; done\n\
             exec \"$loader\" --library-path \"$(echo {root}/usr/lib/*-linux-gnu* | tr ' ' :)\" {root}/usr/bin/{name} \"$@\""
        );
        write_script(&bin.join(name), &script)?;
    }
    symlink(format!("{root}/usr/bin/pass"), bin.join("pass"))
}

/// Writes a script in a process of its own: what is run here at the same time may not inherit the open file.
fn write_script(path: &Path, script: &str) -> io::Result<()> {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "cat > \"$0\" && chmod 755 \"$0\""]).arg(path).stdin(Stdio::piped());
    let mut shell = shell.spawn()?;
    if let Some(mut stdin) = shell.stdin.take() {
        stdin.write_all(format!("#!/bin/sh\n{script}\n").as_bytes())?;
    }
    match shell.wait()?.success() {
        true => Ok(()),
        false => Err(io::Error::other(format!("{} can't be written", path.display()))),
    }
}
