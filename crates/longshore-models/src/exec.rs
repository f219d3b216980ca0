//! Further processes in running containers.

use serde::Serialize;

use crate::decode::Decode;
use crate::{ConsoleSize, is_default};

/// Asks for a process in a running container; it is started by a second request.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ExecCreate {
    /// Program and arguments.
    pub cmd: Vec<String>,
    /// Further environment as `NAME=value`.
    #[serde(skip_serializing_if = "is_default")]
    pub env: Vec<String>,
    /// User and group the process runs as, as `user[:group]`, by name or number; the container's if empty.
    #[serde(skip_serializing_if = "is_default")]
    pub user: String,
    /// Working directory; the container's if empty.
    #[serde(skip_serializing_if = "is_default")]
    pub working_dir: String,
    /// Runs the process on a terminal; its output is then one raw stream.
    #[serde(skip_serializing_if = "is_default")]
    pub tty: bool,
    /// Lets the client write to stdin.
    #[serde(skip_serializing_if = "is_default")]
    pub attach_stdin: bool,
    /// Sends stdout to the client.
    #[serde(skip_serializing_if = "is_default")]
    pub attach_stdout: bool,
    /// Sends stderr to the client.
    #[serde(skip_serializing_if = "is_default")]
    pub attach_stderr: bool,
    /// Keys that detach from a terminal, as `ctrl-p,ctrl-q`; the engine's default if empty.
    #[serde(skip_serializing_if = "is_default")]
    pub detach_keys: String,
    /// Gives the process all rights.
    #[serde(skip_serializing_if = "is_default")]
    pub privileged: bool,
    /// Size of the terminal, API 1.42+.
    #[serde(skip_serializing_if = "is_default")]
    pub console_size: Option<ConsoleSize>,
}

/// Asks to start an exec.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ExecStart {
    /// Leaves the process to itself: the answer is empty and comes at once.
    pub detach: bool,
    /// Says again whether it runs on a terminal; must agree with [`ExecCreate::tty`].
    pub tty: bool,
    /// Size of the terminal, API 1.42+.
    #[serde(skip_serializing_if = "is_default")]
    pub console_size: Option<ConsoleSize>,
}

/// Tells everything of one exec.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ExecInspect {
    /// Id, 64 hexadecimal digits.
    #[serde(rename = "ID")]
    pub id: String,
    /// Id of the container.
    #[serde(rename = "ContainerID")]
    pub container_id: String,
    /// Whether it runs.
    pub running: bool,
    /// Exit code; `None` before it has ended (Podman says 0).
    pub exit_code: Option<i64>,
    /// Process id on the host; 0 if it does not run.
    pub pid: i64,
    /// What runs.
    pub process_config: ExecProcess,
    /// Whether stdin was asked for.
    pub open_stdin: bool,
    /// Whether stdout was asked for.
    pub open_stdout: bool,
    /// Whether stderr was asked for.
    pub open_stderr: bool,
    /// Whether the engine may forget it.
    pub can_remove: bool,
    /// Keys that detach from a terminal, encoded by the engine.
    pub detach_keys: String,
}

/// Tells what an exec runs.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[non_exhaustive]
pub struct ExecProcess {
    /// Program.
    pub entrypoint: String,
    /// Arguments.
    pub arguments: Vec<String>,
    /// Whether it runs on a terminal.
    pub tty: bool,
    /// User it runs as; empty for the container's.
    pub user: String,
    /// Whether it has all rights.
    pub privileged: bool,
}
