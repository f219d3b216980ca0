//! Processes in running containers: [`NewExec`] to start one, [`Exec`] for one that exists.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use longshore_models::{ConsoleSize, ExecCreate, ExecInspect, ExecStart, IdResponse, Raw};
use longshore_wire::path::Path;
use longshore_wire::version::ApiVersion;
use longshore_wire::words::WordsError;

use crate::api::Size;
use crate::api::container::{CommandLine, Container, ExitStatus, request};
use crate::docker::Docker;
use crate::error::{ErrorKind, Operation, Result};
use crate::http::{Method, Request};
use crate::stream::{Captured, Collected, OutputFraming, OutputStream, Session, Stdin};

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

impl Docker {
    /// The exec with this id, as [`Exec::id`] told it. Nothing is sent.
    pub fn exec(&self, id: impl Into<String>) -> Exec {
        Exec { docker: self.clone(), id: id.into(), tty: None }
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
    ///
    /// # Cancel safety
    /// When the future is dropped, the process runs on and its output is lost.
    pub async fn output(self) -> Result<Finished> {
        let ExecSession { exec, session } = self.start().await?;
        let output = session.into_output().collect().await?;
        Ok(Finished::new(exec.wait().await?, output))
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

const CONSOLE_SIZE: ApiVersion = ApiVersion::new(1, 42);

/// A process that was started, or is to be, in a running container. See [`Docker::exec`].
#[derive(Clone, Debug)]
pub struct Exec {
    docker: Docker,
    id: String,
    /// Whether it has a terminal, if that is known.
    tty: Option<bool>,
}

impl Exec {
    /// The id of the exec.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Tells the state of the process, and its exit code once it has ended.
    ///
    /// `GET /exec/{id}/json`, API 1.24+. Engines forget an exec some minutes after it has ended.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound).
    ///
    /// # Cancel safety
    /// Reads only.
    #[doc(alias = "show")]
    pub async fn inspect(&self) -> Result<Raw<ExecInspect>> {
        self.docker.send(exec_request(Method::Get, "inspect exec", &self.id, "json")?).await?.raw().await
    }

    /// Starts a process that was created, and stays connected to it.
    ///
    /// `POST /exec/{id}/start`, API 1.24+.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound); [`Conflict`](ErrorKind::Conflict) when its container is not running, on
    /// Podman also when it was started already. Docker tells that on the stdout of the session.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the process may run all the same.
    pub async fn start(&self) -> Result<ExecSession> {
        self.clone().open(None).await
    }

    async fn open(self, size: Option<ConsoleSize>) -> Result<ExecSession> {
        let tty = match self.tty {
            Some(tty) => tty,
            None => self.inspect().await?.process_config.tty,
        };
        let response = self.docker.send(start(&self.id, tty, size)?.upgrade("tcp")).await?;
        let (operation, _, upgraded) = response.into_upgraded()?;
        let framing = if tty { OutputFraming::Terminal } else { OutputFraming::Multiplexed };
        Ok(ExecSession { exec: self, session: Session::new(upgraded, framing, operation) })
    }

    /// Starts a process that was created, and leaves it to itself.
    ///
    /// `POST /exec/{id}/start`, API 1.24+.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound); [`Conflict`](ErrorKind::Conflict) when it was started already or its
    /// container is not running.
    ///
    /// # Cancel safety
    /// As [`start`](Exec::start).
    pub async fn start_detached(&self) -> Result<()> {
        self.docker.send(start_detached(&self.id)?).await?.finish().await
    }

    /// Tells the process's terminal how large it is.
    ///
    /// `POST /exec/{id}/resize`, API 1.24+.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound); [`Conflict`](ErrorKind::Conflict), [`Invalid`](ErrorKind::Invalid) or
    /// [`Server`](ErrorKind::Server), by engine, when it is not running or has no terminal.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the size may be set all the same.
    pub async fn resize(&self, size: Size) -> Result<()> {
        self.docker.send(resize(&self.id, size)?).await?.finish().await
    }

    /// Waits for the process to end.
    ///
    /// The engine has no call for this, so it is asked again and again: after 2 ms at first, every half second later.
    /// Podman 4 takes note of the end of a process that nobody is connected to only five minutes later.
    ///
    /// # Errors
    /// As [`inspect`](Exec::inspect), and [`Timeout`](ErrorKind::Timeout) when
    /// [`Deadlines::total`](crate::Deadlines::total) passes.
    ///
    /// # Cancel safety
    /// Reads only.
    pub async fn wait(&self) -> Result<ExitStatus> {
        let operation = Operation::on("wait for exec", &self.id);
        let end = self.docker.deadlines().total.map(|total| tokio::time::Instant::now() + total);
        let mut pause = Duration::from_millis(2);
        loop {
            let state = self.inspect().await?;
            if let (false, Some(code)) = (state.running, state.exit_code) {
                return Ok(ExitStatus::new(code));
            }
            let next = tokio::time::Instant::now() + pause;
            if end.is_some_and(|end| end < next) {
                return Err(operation.late());
            }
            tokio::time::sleep_until(next).await;
            pause = (pause * 2).min(Duration::from_millis(500));
        }
    }
}

/// A [`Session`] with a process that was started in a container.
#[derive(Debug)]
pub struct ExecSession {
    exec: Exec,
    session: Session,
}

impl ExecSession {
    /// The process, to inspect it or wait for it while the session goes on elsewhere.
    pub fn exec(&self) -> &Exec {
        &self.exec
    }

    /// Tells the process's terminal how large it is; see [`Exec::resize`].
    ///
    /// # Errors
    /// As [`Exec::resize`].
    ///
    /// # Cancel safety
    /// As [`Exec::resize`].
    pub async fn resize(&self, size: Size) -> Result<()> {
        self.exec.resize(size).await
    }

    /// Ends the process's input, reads away the rest of its output, and tells how it ended.
    ///
    /// # Errors
    /// As [`Session::next`] and [`Exec::wait`].
    ///
    /// # Cancel safety
    /// When the future is dropped, the session is closed and the process runs on.
    pub async fn wait(mut self) -> Result<ExitStatus> {
        if let Err(error) = self.session.close_stdin().await {
            // It has ended already, or will tell by its output that it can't go on.
            tracing::debug!(%error, "the input was closed already");
        }
        while let Some(chunk) = self.session.next().await {
            chunk?;
        }
        self.exec.wait().await
    }

    /// Takes input and output apart, to be used by different tasks. The connection is closed once both are dropped.
    pub fn split(self) -> (Stdin, OutputStream) {
        self.session.split()
    }

    /// Keeps only the output. The input stays as it is: end it before with
    /// [`close_stdin`](Session::close_stdin) if the process waits for that.
    pub fn into_output(self) -> OutputStream {
        self.session.into_output()
    }
}

impl Deref for ExecSession {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

impl DerefMut for ExecSession {
    fn deref_mut(&mut self) -> &mut Session {
        &mut self.session
    }
}

/// A request about one exec: `/exec/{id}/{action}`.
fn exec_request(method: Method, name: &'static str, id: &str, action: &'static str) -> Result<Request> {
    let operation = Operation::on(name, id);
    let path = Path::new("exec").segment(id).map_err(|source| operation.bad_name(source))?;
    Ok(Request::new(method, path.literal(action), operation))
}

fn start(id: &str, tty: bool, size: Option<ConsoleSize>) -> Result<Request> {
    let mut body = ExecStart::default();
    (body.tty, body.console_size) = (tty, size);
    exec_request(Method::Post, "start exec", id, "start")?.unbounded().json(&body)
}

fn start_detached(id: &str) -> Result<Request> {
    let mut body = ExecStart::default();
    body.detach = true;
    exec_request(Method::Post, "start exec", id, "start")?.unbounded().json(&body)
}

fn resize(id: &str, size: Size) -> Result<Request> {
    let mut request = exec_request(Method::Post, "resize terminal of exec", id, "resize")?;
    request.query.push("h", size.rows).push("w", size.columns);
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
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
        assert_eq!(
            text(start("e1", true, None)),
            format!("POST /exec/e1/start{JSON}{{\"Detach\":false,\"Tty\":true}}")
        );
        assert_eq!(text(start_detached("e1")), format!("POST /exec/e1/start{JSON}{{\"Detach\":true,\"Tty\":false}}"));
        assert_eq!(text(exec_request(Method::Get, "inspect exec", "e/1", "json")), "GET /exec/e%2F1/json");
        assert_eq!(text(resize("e1", Size { rows: 1, columns: 2 })), "POST /exec/e1/resize?h=1&w=2");
    }

    #[test]
    fn a_line_that_can_not_be_split_is_an_error_of_the_call() {
        let exec = Docker::connect_to("unix:///nowhere").unwrap().container("web").exec("echo 'a");
        assert_eq!(exec.request().unwrap_err().kind(), ErrorKind::Invalid);
    }
}
