use std::fmt;
use std::ops::Deref;

use tokio::time::timeout;

use crate::api::container::{Container, Containers, Created, ExitStatus, RemoveOptions, Spec, Until, Wait};
use crate::api::exec::{AFTER_OUTPUT, Finished};
use crate::api::image::PullOptions;
use crate::error::{Error, ErrorKind, Operation, Result};

/// A container that was created and started. See [`Containers::run`].
///
/// It was waited for from before its start, so that nothing of it is missed however soon it ends.
pub struct Run {
    container: Container,
    warnings: Vec<String>,
    exit: Wait,
    auto_remove: bool,
}

impl Containers {
    /// Runs a container: pulls its image if the engine does not have it, creates it and starts it.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// use longshore::Spec;
    ///
    /// let run = docker.containers().run(Spec::image("alpine").cmd(["echo", "hi"])).await?;
    /// let out = run.output().await?;
    /// assert!(out.status.success() && out.stdout == "hi\n");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Whatever [`Container::start`] and [`Containers::create`] can fail with, and the pull. When the container was
    /// created and can't be started, it stays, and [`Error::container`] tells its id.
    ///
    /// # Cancel safety
    /// When the future is dropped, the container may have been created or even started.
    pub async fn run(&self, spec: Spec) -> Result<Run> {
        let operation = Operation::on("run container from", &spec.config.image);
        let auto_remove = spec.host_config.auto_remove;
        let created = self.create_pulling(&spec).await.map_err(|error| error.within(operation.clone()))?;
        let Created { container, warnings } = created;
        let failed = |error: Error| error.within(operation.clone()).with_container(container.id());
        let exit = container.wait(Until::NextExit).await.map_err(failed)?;
        container.start().await.map_err(failed)?;
        Ok(Run { container, warnings, exit, auto_remove })
    }

    /// Runs a container to its end and removes it: what it wrote, at most 256 MiB, and its exit status.
    ///
    /// Its output is attached to before the start, so that this works with every log driver. Only if the container runs on
    /// for ten seconds after its output has ended, its log is read instead: a connection that somebody has cut looks the
    /// same.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// use longshore::Spec;
    ///
    /// let out = docker.containers().output(Spec::image("alpine").cmd("uname -r")).await?;
    /// println!("{}", out.stdout);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`run`](Containers::run), and [`TooLarge`](ErrorKind::TooLarge) when it writes more. The container is removed
    /// then too, if the engine can still be reached; if not, [`Error::container`] tells its id.
    ///
    /// # Cancel safety
    /// When the future is dropped, the container stays, and may be running.
    pub async fn output(&self, spec: Spec) -> Result<Finished> {
        let operation = Operation::on("run container from", &spec.config.image);
        let mut spec = spec;
        // The engine would remove it while its output is still being read.
        spec.host_config.auto_remove = false;
        let created = self.create_pulling(&spec).await.map_err(|error| error.within(operation.clone()))?;
        let container = &created.container;
        let finished = run_attached(container).await;
        let removed = container.remove_with(&RemoveOptions::default().force().volumes()).await;
        let failed = |error: Error| error.within(operation.clone()).with_container(container.id());
        let finished = finished.map_err(failed)?;
        removed.map_err(failed)?;
        Ok(finished)
    }

    /// Creates a container, and pulls its image first if the engine does not have it.
    pub(super) async fn create_pulling(&self, spec: &Spec) -> Result<Created> {
        match self.create(spec).await {
            Err(error) if error.is_not_found() && self.lacks_image_of(spec).await => {
                self.pull_image_of(spec).await?;
                self.create(spec).await
            }
            outcome => outcome,
        }
    }

    /// Whether it is the image that a creation did not find. With a platform, the image there may be for another one.
    pub(super) async fn lacks_image_of(&self, spec: &Spec) -> bool {
        let inspect = self.docker.image(&spec.config.image).inspect().await;
        spec.platform.is_some() || inspect.is_err_and(|error| error.is_not_found())
    }

    pub(super) async fn pull_image_of(&self, spec: &Spec) -> Result<()> {
        let mut options = PullOptions::default();
        options.platform.clone_from(&spec.platform);
        self.docker.images().pull_with(&spec.config.image, &options).await?.finish().await?;
        Ok(())
    }
}

pub(super) async fn run_attached(container: &Container) -> Result<Finished> {
    let session = container.attach().await?;
    let mut exit = container.wait(Until::NextExit).await?;
    container.start().await?;
    let output = session.into_output().collect().await?;
    if let Ok(exit) = timeout(AFTER_OUTPUT, &mut exit).await {
        return Ok(Finished::new(exit?, output));
    }
    // It may have closed its output, or somebody between here and the engine has cut the connection: the log tells.
    let exit = exit.await?;
    Ok(Finished::new(exit, container.logs().await?.collect().await?))
}

impl Run {
    /// What the engine did not do as the spec says.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Waits for the container to end.
    ///
    /// # Errors
    /// As [`Wait`].
    ///
    /// # Cancel safety
    /// Dropping the future ends the wait, not the container.
    pub async fn status(self) -> Result<ExitStatus> {
        self.exit.await
    }

    /// Waits for the container to end: what it wrote, at most 256 MiB, and its exit status.
    ///
    /// The output is read from the engine's logs, from the start on. The container stays; see
    /// [`Containers::output`] for one that does not.
    ///
    /// # Errors
    /// As [`Container::logs`] and [`Wait`]; [`Invalid`](ErrorKind::Invalid) for a container that the engine removes by
    /// itself, since its logs go with it.
    ///
    /// # Cancel safety
    /// Dropping the future ends the wait, not the container.
    pub async fn output(self) -> Result<Finished> {
        if self.auto_remove {
            let operation = Operation::on("read output of container", self.container.id());
            let message = "its logs go when the engine removes it: use `containers().output(spec)`, which attaches";
            return Err(operation.error(ErrorKind::Invalid, message));
        }
        let output = self.container.logs().follow().await?.collect().await?;
        Ok(Finished::new(self.exit.await?, output))
    }

    /// The container, without the wait for its end.
    pub fn into_container(self) -> Container {
        self.container
    }
}

impl Deref for Run {
    type Target = Container;

    fn deref(&self) -> &Container {
        &self.container
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Run").field("container", &self.container.id()).finish_non_exhaustive()
    }
}
