//! Programs that keep credentials: `docker-credential-<name>`.
//!
//! `get` reads an address from stdin and writes credentials as JSON, `list` writes the addresses that it has any for.
//! What a helper has to say against it, it writes to stdout too, and fails. None of it is ever shown: it may hold what
//! the helper is to keep.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use longshore_models::{SortedMap, decode, lenient};
use longshore_wire::auth::{RegistryAuth, wipe};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::task::spawn_blocking;

use super::AllCredentials;
use crate::config::Environment;
use crate::error::{Error, ErrorKind, Operation, Result};

/// The most that a helper may write.
const LIMIT: usize = 64 * 1024;

/// What a helper says that has no credentials for a registry.
const NOT_FOUND: &[u8] = b"credentials not found in native keychain";

/// The name of a user whose password is an identity token.
const TOKEN: &str = "<token>";

/// A helper, by what stands behind `docker-credential-` in the name of its program.
pub(super) struct Helper<'a> {
    pub(super) name: &'a str,
    pub(super) environment: &'a Environment,
    /// How long it may take for one answer.
    pub(super) limit: Option<Duration>,
}

/// What a helper has written, and how it ended.
struct Answer {
    status: ExitStatus,
    output: Vec<u8>,
}

impl Drop for Answer {
    fn drop(&mut self) {
        wipe(std::mem::take(&mut self.output));
    }
}

impl Helper<'_> {
    /// Asks for the credentials for a registry.
    pub(super) async fn get(&self, registry: &str) -> Result<Option<RegistryAuth>> {
        let operation = Operation::on("get credentials for registry", registry);
        let answer = self.ask("get", registry, &operation).await?;
        if answer.status.success() {
            let auth = credentials(&answer.output).ok_or_else(|| self.garbage(&operation))?;
            return Ok(Some(auth)
                .filter(|auth| *auth != RegistryAuth::default())
                .map(|auth| auth.server_address(registry)));
        }
        match answer.output.trim_ascii() {
            NOT_FOUND => Ok(None),
            _ => Err(self.failed(&operation, "get", answer.status)),
        }
    }

    /// Asks for the credentials for all registries that it has any for.
    pub(super) async fn all(&self) -> AllCredentials {
        match self.list().await {
            Ok(registries) => self.each(registries).await,
            Err(error) => AllCredentials { failures: vec![error], ..AllCredentials::default() },
        }
    }

    /// Asks for the credentials for these registries. Where it was silent once, it is not asked again.
    pub(super) async fn each(&self, registries: Vec<String>) -> AllCredentials {
        let mut all = AllCredentials::default();
        for registry in registries {
            let outcome = self.get(&registry).await;
            let silent = outcome.as_ref().is_err_and(Error::is_timeout);
            all.note(&registry, outcome);
            if silent {
                break;
            }
        }
        all
    }

    async fn list(&self) -> Result<Vec<String>> {
        let operation = Operation::new("list credentials for registries");
        // The protocol wants something on stdin here too.
        let answer = self.ask("list", "unused", &operation).await?;
        if !answer.status.success() {
            return Err(self.failed(&operation, "list", answer.status));
        }
        let registries = first_object(&answer.output).ok_or_else(|| self.garbage(&operation))?;
        Ok(registries.into_keys().collect())
    }

    /// Runs the helper once.
    async fn ask(&self, action: &'static str, input: &str, operation: &Operation) -> Result<Answer> {
        let program = self.find(operation).await?;
        let running = self.run(&program, action, input);
        let outcome = match self.limit {
            Some(limit) => tokio::time::timeout(limit, running).await.map_err(|_| {
                let message =
                    format!("{self} gave no answer within {limit:?}: it may be asking something that nobody can see");
                operation.error(ErrorKind::Timeout, message)
            })?,
            None => running.await,
        };
        let answer = outcome.map_err(|source| {
            operation.error_from(ErrorKind::Config, format!("{self} can't be run: {source}"), source)
        })?;
        if answer.output.len() > LIMIT {
            let message = format!("{self} has written more than {LIMIT} bytes");
            return Err(operation.error(ErrorKind::Config, message));
        }
        Ok(answer)
    }

    async fn run(&self, program: &Path, action: &'static str, input: &str) -> io::Result<Answer> {
        let mut command = Command::new(program);
        // A program that asks for a passphrase takes this for a terminal that it may use.
        command.arg(action).envs(self.environment.variables()).env_remove("GPG_TTY");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        detach(&mut command);
        let mut running = Running(command.spawn()?);
        let Running(child) = &mut running;
        if let Some(mut stdin) = child.stdin.take() {
            match stdin.write_all(input.as_bytes()).await {
                // It may know what it says without having read what it is asked.
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error),
                _ => drop(stdin),
            }
        }
        // Room for all of it: what grows leaves copies behind.
        let mut output = Vec::with_capacity(LIMIT + 1);
        if let Some(stdout) = child.stdout.take() {
            stdout.take(LIMIT as u64 + 1).read_to_end(&mut output).await?;
        }
        let mut answer = Answer { status: ExitStatus::default(), output };
        if answer.output.len() <= LIMIT {
            answer.status = child.wait().await?;
        }
        Ok(answer)
    }

    /// Finds the program in the folders of `PATH`.
    async fn find(&self, operation: &Operation) -> Result<PathBuf> {
        if self.name.contains(|c: char| c.is_control() || "/\\:".contains(c)) {
            let message = format!("`{}` is no name of a credential helper", self.name.escape_debug());
            return Err(operation.error(ErrorKind::Config, message));
        }
        let (environment, program) = (self.environment.clone(), format!("docker-credential-{}", self.name));
        let found = spawn_blocking(move || on_path(&environment, &program)).await;
        found.ok().flatten().ok_or_else(|| {
            operation.error(ErrorKind::Config, format!("{self} is not in any folder of the variable PATH"))
        })
    }

    fn garbage(&self, operation: &Operation) -> Error {
        operation.error(ErrorKind::Config, format!("{self} has answered something else than credentials"))
    }

    fn failed(&self, operation: &Operation, action: &str, status: ExitStatus) -> Error {
        let message =
            format!("{self} has failed ({status}); run `docker-credential-{} {action}` to see why", self.name);
        operation.error(ErrorKind::Config, message)
    }
}

impl std::fmt::Display for Helper<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "the credential helper `docker-credential-{}`", self.name)
    }
}

/// The helper that the CLI takes where nothing is set up, if it is there.
pub(super) fn usual(environment: &Environment) -> Option<&'static str> {
    let name = match std::env::consts::OS {
        "linux" if on_path(environment, "pass").is_some() => "pass",
        "linux" => "secretservice",
        "macos" => "osxkeychain",
        "windows" => "wincred",
        _ => return None,
    };
    on_path(environment, &format!("docker-credential-{name}")).map(|_| name)
}

/// Finds a program. Folders that are not absolute would mean whatever folder the process is in.
fn on_path(environment: &Environment, program: &str) -> Option<PathBuf> {
    let program = format!("{program}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(environment.get("PATH")?)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(&program))
        .find(|path| is_program(path))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;

    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

/// Keeps the helper away from the terminal: one that reads from it is stopped until its deadline.
#[cfg(unix)]
fn detach(command: &mut Command) {
    command.process_group(0);
}

/// Keeps the helper from opening a console.
#[cfg(windows)]
fn detach(command: &mut Command) {
    const CREATE_NO_WINDOW: u32 = 0x0800_0000;
    command.creation_flags(CREATE_NO_WINDOW);
}

#[cfg(not(any(unix, windows)))]
fn detach(_: &mut Command) {}

/// A helper that runs. It ends when this is dropped, with all that it has started.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // As long as nobody has waited for it, its number is not another's.
        if let Some(id) = self.0.id().filter(|_| cfg!(unix)) {
            let mut kill = std::process::Command::new("/bin/sh");
            kill.args(["-c", "kill -s KILL -- \"-$0\""]).arg(id.to_string());
            // Without a shell only the helper itself is ended.
            let _ = kill.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        }
    }
}

/// The credentials that a helper has written; empty where it has none.
fn credentials(output: &[u8]) -> Option<RegistryAuth> {
    let (mut user, mut secret) = (String::new(), String::new());
    // Helpers are checked by a reader that does not look at the case of the names.
    for (name, value) in first_object(output)? {
        let field = match name.to_ascii_lowercase().as_str() {
            "username" => &mut user,
            "secret" => &mut secret,
            _ => continue,
        };
        match value {
            Value::String(text) => *field = text,
            Value::Null => {}
            _ => return None,
        }
    }
    let auth = RegistryAuth::default();
    Some(match (user.as_str(), secret.as_str()) {
        ("" | TOKEN, "") => auth,
        (TOKEN, _) => auth.identity_token(secret),
        (_, "") => auth.username(user),
        _ => auth.username(user).password(secret),
    })
}

/// The JSON object, or `null`, that something begins with; nobody looks at what stands behind it.
fn first_object(json: &[u8]) -> Option<SortedMap<String, Value>> {
    let mut objects = Vec::new();
    decode::push_first(&mut objects, &lenient::text(json)).ok()?;
    objects.pop()
}
