use longshore_models::{ConsoleSize, ExecCreate, IdResponse};
use longshore_wire::version::ApiVersion;
use longshore_wire::words::WordsError;

use super::{Exec, ExecSession};
use crate::api::Size;
use crate::api::container::{CommandLine, Container, ExitStatus, request};
use crate::error::{ErrorKind, Result};
use crate::http::{Method, Request};
use crate::stream::{Captured, Collected};

/// A process to be started in a running container. See [`Container::exec`].
#[derive(Clone, Debug)]
#[must_use = "nothing is started until `output`, `start` or another of its calls is awaited"]
pub struct NewExec {
    container: Container,
    body: ExecCreate,
    problem: Option<WordsError>,
}

/// What a process wrote, and how it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to standard output, or to its terminal.
    pub stdout: Captured,
    /// What it wrote to standard error.
    pub stderr: Captured,
}

impl Finished {
    pub(crate) fn new(status: ExitStatus, output: Collected) -> Self {
        Finished { status, stdout: output.stdout, stderr: output.stderr }
    }
}

impl Container {
    /// Runs a further command in the container: words, or a line that is split into words as a shell does.
    ///
    /// `POST /containers/{id}/exec` and `POST /exec/{id}/start`, API 1.24+. The engine has no call that ends an exec:
    /// when the session is dropped, the process runs on.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// let web = docker.container("web");
    /// let listing = web.exec("ls -l /etc").output().await?;
    /// println!("{} {}", listing.status, listing.stdout);
    ///
    /// let mut shell = web.exec(["sh"]).stdin().start().await?;
    /// shell.write_all(b"date\nexit 3\n").await?;
    /// assert_eq!(shell.wait().await?.code(), 3);
    /// # Ok(())
    /// # }
    /// ```
    pub fn exec(&self, command: impl Into<CommandLine>) -> NewExec {
        let (cmd, problem) = match command.into().0 {
            Ok(words) => (words, None),
            Err(problem) => (Vec::new(), Some(problem)),
        };
        let mut body = ExecCreate::default();
        (body.cmd, body.attach_stdout, body.attach_stderr) = (cmd, true, true);
        NewExec { container: self.clone(), body, problem }
    }
}

impl NewExec {
    /// Gives the process a terminal: its output comes from [`Source::Terminal`](crate::Source::Terminal) then.
    pub fn tty(mut self) -> Self {
        self.body.tty = true;
        self
    }

    /// Lets the session write to the process's standard input.
    pub fn stdin(mut self) -> Self {
        self.body.attach_stdin = true;
        self
    }

    /// Leaves out what it writes to stderr.
    pub fn stdout_only(mut self) -> Self {
        (self.body.attach_stdout, self.body.attach_stderr) = (true, false);
        self
    }

    /// Leaves out what it writes to stdout.
    pub fn stderr_only(mut self) -> Self {
        (self.body.attach_stdout, self.body.attach_stderr) = (false, true);
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.body.env.push(format!("{}={}", name.as_ref(), value.as_ref()));
        self
    }

    /// Runs as this user: a name or number, with a group behind a colon if needed.
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.body.user = user.into();
        self
    }

    /// Starts in this folder.
    #[doc(alias = "workdir")]
    pub fn working_dir(mut self, folder: impl Into<String>) -> Self {
        self.body.working_dir = folder.into();
        self
    }

    /// Gives the process all the rights of its host.
    pub fn privileged(mut self) -> Self {
        self.body.privileged = true;
        self
    }

    /// Sets the keys that, sent to a terminal, end the session, such as `ctrl-p,ctrl-q`.
    ///
    /// Docker then tells of the process that it has ended with 126, whether it runs on or not. Podman 4 does not heed
    /// them.
    pub fn detach_keys(mut self, keys: impl Into<String>) -> Self {
        self.body.detach_keys = keys.into();
        self
    }

    /// Sets how large the terminal is at first; API 1.42+.
    pub fn console_size(mut self, size: Size) -> Self {
        let mut console = ConsoleSize::default();
        (console.rows, console.columns) = (size.rows.into(), size.columns.into());
        self.body.console_size = Some(console);
        self
    }

    /// Runs the process to its end: what it wrote, at most 256 MiB, and its exit status.
    ///
    /// A command that can't be started ends with 126 or 127 and tells why, on stdout on Docker, on stderr on Podman.
    ///
    /// # Errors
    /// As [`start`](NewExec::start), and [`TooLarge`](ErrorKind::TooLarge) when it writes more.
    /// [`Truncated`](ErrorKind::Truncated) when its output ends and it runs on for ten seconds: either it has closed its
    /// output, or somebody has cut the connection. For a command that goes on in silence, [`start`](NewExec::start) it
    /// and [`wait`](Exec::wait).
    ///
    /// # Cancel safety
    /// When the future is dropped, the process runs on and its output is lost.
    pub async fn output(self) -> Result<Finished> {
        let ExecSession { exec, session } = self.start().await?;
        let output = session.into_output().collect().await?;
        Ok(Finished::new(exec.wait_after_output().await?, output))
    }

    /// Starts the process and stays connected to it.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when there is no such container, [`Conflict`](ErrorKind::Conflict) when it is
    /// not running or is paused, [`Invalid`](ErrorKind::Invalid) for a wrong request.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the process may run all the same.
    pub async fn start(self) -> Result<ExecSession> {
        let size = self.body.console_size;
        self.create().await?.open(size).await
    }

    /// Starts the process and leaves it to itself. Podman 4 takes note of its end only five minutes later.
    ///
    /// # Errors
    /// As [`start`](NewExec::start).
    ///
    /// # Cancel safety
    /// As [`start`](NewExec::start).
    pub async fn start_detached(self) -> Result<Exec> {
        let exec = self.create().await?;
        exec.start_detached().await?;
        Ok(exec)
    }

    /// Makes the exec known to the engine without starting it.
    ///
    /// # Errors
    /// As [`start`](NewExec::start).
    ///
    /// # Cancel safety
    /// An exec that is never started costs the engine a few bytes until the container ends.
    pub async fn create(self) -> Result<Exec> {
        let created: IdResponse = self.container.docker.send(self.request()?).await?.json().await?;
        Ok(Exec { docker: self.container.docker, id: created.id, tty: Some(self.body.tty) })
    }

    fn request(&self) -> Result<Request> {
        let mut request = request(Method::Post, "create exec in container", &self.container.id, "exec")?;
        if let Some(problem) = &self.problem {
            let message = format!("the command can't be split into words: {problem}");
            return Err(request.operation.error_from(ErrorKind::Invalid, message, *problem));
        }
        if self.body.console_size.is_some() {
            request.needs("the console size of an exec", CONSOLE_SIZE);
        }
        request.json(&self.body)
    }
}

/// Since when an engine heeds the size of an exec's terminal.
const CONSOLE_SIZE: ApiVersion = ApiVersion::new(1, 42);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Docker;
    use crate::api::golden::text;

    const JSON: &str = "\nContent-Type: application/json\n\n";

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        let exec = |command: &str| Docker::connect_to("unix:///nowhere").unwrap().container("web").exec(command);
        assert_eq!(
            text(exec("ls -l 'a b'").request()),
            format!(
                "POST /containers/web/exec{JSON}\
                 {{\"Cmd\":[\"ls\",\"-l\",\"a b\"],\"AttachStdout\":true,\"AttachStderr\":true}}"
            )
        );
        let all = exec("sh").tty().stdin().stdout_only().env("A", "1").user("me:us").working_dir("/w").privileged();
        assert_eq!(
            text(all.detach_keys("ctrl-q").console_size(Size { rows: 40, columns: 120 }).request()),
            format!(
                "POST /containers/web/exec{JSON}{{\"Cmd\":[\"sh\"],\"Env\":[\"A=1\"],\"User\":\"me:us\",\
                 \"WorkingDir\":\"/w\",\"Tty\":true,\"AttachStdin\":true,\"AttachStdout\":true,\
                 \"DetachKeys\":\"ctrl-q\",\"Privileged\":true,\"ConsoleSize\":[40,120]}}"
            )
        );
    }

    #[test]
    fn a_line_that_can_not_be_split_is_an_error_of_the_call() {
        let exec = Docker::connect_to("unix:///nowhere").unwrap().container("web").exec("echo 'a");
        assert_eq!(exec.request().unwrap_err().kind(), ErrorKind::Invalid);
    }
}
