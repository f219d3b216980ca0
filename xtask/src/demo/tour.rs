//! The steps of the demo. Each shows the Rust that does it, then what came of it, and fails if that is wrong.
//!
//! The image carries the label of the run, and containers and images made of it inherit that. Stopped containers are
//! left to `prune`, the service to its guard, and what else runs, and images, to the cleanup.

use std::fmt::Debug;
use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use longshore::container::{CommitOptions, PruneOptions};
use longshore::guard::Guard;
use longshore::image::ImportOptions;
use longshore::models::HostPort;
use longshore::{Change, Container, Docker, Finished, Owner, Payload, Source, Spec, Until};

use super::RunId;
use super::stage::{Stage, show};
use crate::engine::busybox;
use crate::error::{Context, Error, Result};

/// Takes all steps.
pub(super) async fn run(docker: Docker, stage: Arc<Stage>, run: RunId) -> Result<()> {
    let image = format!("{}:{}", REPOSITORY, run.0);
    let owner = docker.owner(REPOSITORY);
    let tour = Tour { docker, owner, stage, run, image };
    tour.step("Make an image, without a registry", tour.import()).await?;
    tour.step("Run a command to its end", tour.output()).await?;
    tour.step("Guard a container: it goes when its guard does, however that ends", tour.guard()).await?;
    tour.step("Follow logs while they are written, stdout and stderr apart", tour.logs()).await?;
    let web = tour.step("Run a service, with a port of the engine's choice", tour.service()).await?;
    tour.step("Run a further command in it", tour.exec(&web)).await?;
    tour.step("List its processes", tour.top(&web)).await?;
    tour.step("Copy a file in, and out again", tour.copy(&web)).await?;
    tour.step("Attach with stdin; end the input, and read on", tour.attach()).await?;
    tour.step("Measure a busy container", tour.stats()).await?;
    tour.step("Wait, armed before the start: however short it runs, nothing is missed", tour.wait()).await?;
    tour.step("Replace a container only if its spec has changed", tour.replace()).await?;
    tour.step("Make an image of a container, and run that", tour.commit(&web)).await?;
    tour.step("Prune what has stopped, of this run only", tour.prune()).await
}

/// The repository of the images that a demo makes; the tag begins with the id of the run.
const REPOSITORY: &str = "longshore-demo";

/// The longest that a step may take; an engine that hangs is given up then.
const LONGEST_STEP: Duration = Duration::from_secs(60);

struct Tour {
    docker: Docker,
    /// Creates what is guarded.
    owner: Owner,
    stage: Arc<Stage>,
    run: RunId,
    image: String,
}

impl Tour {
    async fn step<T>(&self, title: &str, step: impl Future<Output = Result<T>>) -> Result<T> {
        let doing = || format!("step `{title}`");
        let begun = Instant::now();
        self.stage.title(title)?;
        let outcome = tokio::time::timeout(LONGEST_STEP, step).await;
        let late = |_| Err(Error::new(format!("not done within {LONGEST_STEP:?}")));
        let value = outcome.unwrap_or_else(late).context(doing)?;
        self.stage.done(begun.elapsed())?;
        Ok(value)
    }

    async fn import(&self) -> Result<()> {
        let Tour { docker, stage, run, image, .. } = self;
        let path = tokio::task::spawn_blocking(busybox::busybox_root).await??;
        let (tag, label) = (&run.0, format!("LABEL {}", run.label()));
        show! { stage => let root = Payload::reader(tokio::fs::File::open(path).await?); }
        show! { stage => let options = ImportOptions::default().repository("longshore-demo").tag(tag).change(label); }
        show! { stage => docker.images().import_with(root, &options).await?; }
        let made = docker.image(image).inspect().await?;
        stage.result("image", &format!("{image}, {}", bytes(made.size.unsigned_abs())))
    }

    async fn output(&self) -> Result<()> {
        let Tour { docker, stage, image, .. } = self;
        show! { stage => let out = docker.containers().output(Spec::image(image).cmd(["echo", "hi"])).await?; }
        self.finished(&out)?;
        same("stdout", &*out.stdout.text(), "hi\n")?;
        same("the exit code", out.status.code(), 0)
    }

    async fn logs(&self) -> Result<()> {
        let Tour { docker, stage, image, .. } = self;
        show! { stage => let script = "for i in 1 2 3 4 5; do echo line $i; echo oops $i >&2; sleep 0.2; done"; }
        show! { stage => let job = docker.containers().run(Spec::image(image).cmd(["sh", "-c", script])).await?; }
        show! { stage => let mut lines = job.logs().follow().await?.lines(); }
        stage.code("while let Some(line) = lines.next().await { let line = line?; println!(\"{line}\"); }")?;
        let begun = Instant::now();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        while let Some(line) = stage.until_interrupted(lines.next()).await? {
            let line = line?;
            stage.result(
                &line.source.to_string(),
                &format!("{:<8} after {:.1} s", line.text(), begun.elapsed().as_secs_f64()),
            )?;
            if line.source == Source::Stderr { &mut err } else { &mut out }.push(line.text().into_owned());
        }
        let expected = |word: &str| (1..=5).map(|number| format!("{word} {number}")).collect::<Vec<_>>();
        same("stdout", out, expected("line"))?;
        same("stderr", err, expected("oops"))?;
        show! { stage => let status = job.status().await?; }
        stage.result("status", &status.to_string())?;
        same("the exit code", status.code(), 0)
    }

    async fn guard(&self) -> Result<()> {
        let Tour { docker, owner, stage, image, .. } = self;
        show! { stage => let reaped = owner.reap().await?; }
        stage.result("reaped", &format!("{} things that a killed demo has left", reaped.len()))?;
        show! { stage => let sleeper = owner.run(Spec::image(image).cmd("sleep 600")).await?; }
        show! { stage => let handle = docker.container(sleeper.id()); }
        stage.result("container", &format!("{} is {}", short(handle.id()), handle.inspect().await?.state.status))?;
        show! { stage => drop(sleeper); }
        show! { stage => let gone = handle.inspect().await; }
        let error = gone.err().ok_or_else(|| Error::new("wrong result: the guarded container is still there"))?;
        stage.result("error", &error.to_string())?;
        expect(error.is_not_found(), || error.to_string())
    }

    async fn service(&self) -> Result<Guard<Container>> {
        let Tour { owner, stage, image, .. } = self;
        show! { stage => let spec = Spec::image(image).cmd("httpd -f -h /root").publish("127.0.0.1::80")?; }
        show! { stage => let web = owner.run(spec).await?; }
        let state = web.inspect().await?.state.status.to_string();
        stage.result("container", &format!("{} is {state}", short(web.id())))?;
        show! { stage => let bindings = web.port(80).await?; }
        for binding in &bindings {
            stage
                .result("port", &format!("80/tcp is {}:{} on the engine's host", binding.host_ip, binding.host_port))?;
        }
        same("the state", state.as_str(), "running")?;
        let open = bindings.iter().any(|binding| matches!(binding.host_port, HostPort::Number(port) if port > 0));
        expect(open, || format!("port 80 is published nowhere: {bindings:?}"))?;
        Ok(web)
    }

    async fn exec(&self, web: &Container) -> Result<()> {
        let stage = &self.stage;
        show! { stage => let out = web.exec("sh -c 'id -un; echo no page yet >&2; exit 3'").output().await?; }
        self.finished(&out)?;
        same("stdout", &*out.stdout.text(), "root\n")?;
        same("stderr", &*out.stderr.text(), "no page yet\n")?;
        same("the exit code", out.status.code(), 3)
    }

    async fn copy(&self, web: &Container) -> Result<()> {
        let stage = &self.stage;
        let folder = TemporaryFolder::new(&self.run)?;
        let (page, back) = (folder.0.join("page.txt"), folder.0.join("back.txt"));
        let text = format!("copied into container {}\n", short(web.id()));
        fs::write(&page, &text).context(|| format!("write {}", page.display()))?;
        show! { stage => web.copy_in(&page, "/root").await?; }
        show! { stage => let out = web.exec("wget -q -O - http://127.0.0.1/page.txt").output().await?; }
        self.finished(&out)?;
        show! { stage => web.copy_out("/root/page.txt", &back).await?; }
        let copied = fs::read_to_string(&back).context(|| format!("read {}", back.display()))?;
        same("what the service serves", &*out.stdout.text(), &text)?;
        same("the file that was copied out", &copied, &text)?;
        stage.result("back.txt", &format!("{}, the same as page.txt", bytes(copied.len() as u64)))
    }

    async fn top(&self, web: &Container) -> Result<()> {
        let stage = &self.stage;
        show! { stage => let top = web.top().await?; }
        let rows: Vec<&[String]> =
            std::iter::once(&top.titles).chain(&top.processes).map(|row| row.as_slice()).collect();
        for row in table(&rows) {
            stage.result("top", &row)?;
        }
        let commands: Vec<&str> = ["CMD", "COMMAND"].iter().flat_map(|title| top.column(title)).collect();
        same("the processes", commands, vec!["httpd -f -h /root"])
    }

    async fn attach(&self) -> Result<()> {
        let Tour { docker, stage, image, .. } = self;
        show! { stage => let spec = Spec::image(image).cmd("sort").stdin_once(); }
        show! { stage => let sorter = docker.containers().create(&spec).await?; }
        show! { stage => let mut session = sorter.attach().stdin().await?; }
        show! { stage => sorter.start().await?; }
        show! { stage => session.write_all(b"pear\napple\nfig\n").await?; }
        show! { stage => session.close_stdin().await?; }
        show! { stage => let out = session.into_output().collect().await?; }
        self.lines("stdout", &out.stdout.text())?;
        same("stdout", &*out.stdout.text(), "apple\nfig\npear\n")
    }

    async fn stats(&self) -> Result<()> {
        let Tour { docker, stage, image, .. } = self;
        show! { stage => let spec = Spec::image(image).cmd("sh -c 'while :; do :; done'"); }
        show! { stage => let busy = docker.containers().run(spec).await?; }
        show! { stage => let mut stats = busy.stats().await?; }
        stage.code("while let Some(sample) = stats.next().await { let sample = sample?; println!(…); }")?;
        // The first sample has none before it to be compared with.
        for _ in 0..3 {
            let sample = stage.until_interrupted(stats.next()).await?;
            let sample = sample.ok_or_else(|| Error::new("the stats of a running container have ended"))??;
            let (cpu, used, limit) = (sample.cpu_percent(), sample.memory_used(), sample.memory_limit());
            let memory = format!("memory {} of {}", bytes(used), bytes(limit));
            let pids = sample.pids();
            let processes = if pids == 1 { "process" } else { "processes" };
            stage.result("stats", &format!("cpu {cpu:>5.1} %   {memory}   {pids} {processes}"))?;
            expect(used > 0 && used <= limit, || format!("{used} bytes of memory are in use, of {limit}"))?;
            same("the number of processes", pids, 1)?;
            if cpu > 0.0 {
                show! { stage => busy.kill().await?; }
                show! { stage => let status = busy.status().await?; }
                stage.result("status", &status.to_string())?;
                return same("the exit code", status.code(), 137);
            }
        }
        Err(Error::new("wrong result: a busy container uses no CPU time"))
    }

    async fn wait(&self) -> Result<()> {
        let Tour { docker, stage, image, .. } = self;
        show! { stage => let job = docker.containers().create(&Spec::image(image).cmd("sh -c 'exit 7'")).await?; }
        show! { stage => let exit = job.wait(Until::NextExit).await?; }
        show! { stage => job.start().await?; }
        show! { stage => let status = exit.await?; }
        stage.result("status", &status.to_string())?;
        same("the exit code", status.code(), 7)
    }

    async fn replace(&self) -> Result<()> {
        let Tour { docker, stage, image, run, .. } = self;
        let name = &format!("{REPOSITORY}-{}", run.0);
        let mut seen = Vec::new();
        show! { stage => let spec = Spec::image(image).cmd("sleep 600").stop_signal("SIGKILL"); }
        show! { stage => let (first, change) = docker.containers().create_or_replace(name, &spec).await?; }
        show! { stage => first.start().await?; }
        seen.push(self.changed(change, &first)?);
        show! { stage => let (again, change) = docker.containers().create_or_replace(name, &spec).await?; }
        seen.push(self.changed(change, &again)?);
        show! { stage => let newer = spec.clone().env("VERSION", "2"); }
        show! { stage => let (second, change) = docker.containers().create_or_replace(name, &newer).await?; }
        show! { stage => second.start().await?; }
        seen.push(self.changed(change, &second)?);
        same("the changes", seen, vec![Change::Created, Change::Unchanged, Change::Replaced])?;
        // Nothing listens at this registry, so the engine knows at once that it has no such image.
        show! { stage => let broken = Spec::image("localhost:1/missing").cmd("sleep 600"); }
        show! { stage => let failed = docker.containers().create_or_replace(name, &broken).await; }
        let error = failed.err().ok_or_else(|| Error::new("wrong result: an image that is not there was run"))?;
        stage.result("error", &error.to_string())?;
        show! { stage => let survivor = docker.container(name).inspect().await?; }
        stage.result("survivor", &format!("{} is {}", short(&survivor.id), survivor.state.status))?;
        same("the container", survivor.id.as_str(), second.id())?;
        expect(survivor.state.running, || "the old container does not run any more".to_owned())
    }

    fn changed(&self, change: Change, container: &Container) -> Result<Change> {
        self.stage.result("change", &format!("{change:?}: container {}", short(container.id())))?;
        Ok(change)
    }

    async fn commit(&self, web: &Container) -> Result<()> {
        let Tour { docker, stage, run, .. } = self;
        let tag = &format!("{}-patched", run.0);
        show! { stage => web.exec("sh -c 'echo made by hand > /note'").output().await?; }
        show! { stage => let options = CommitOptions::default().repository("longshore-demo").tag(tag); }
        show! { stage => let patched = web.commit_with(&options).await?; }
        show! { stage => let spec = Spec::image(patched.name()).cmd("cat /note"); }
        show! { stage => let out = docker.containers().output(spec).await?; }
        self.finished(&out)?;
        same("stdout", &*out.stdout.text(), "made by hand\n")
    }

    async fn prune(&self) -> Result<()> {
        let Tour { docker, stage, run, .. } = self;
        let label = run.label();
        show! { stage => let options = PruneOptions::default().label(label); }
        show! { stage => let pruned = docker.containers().prune_with(&options).await?; }
        let ids: Vec<&str> = pruned.containers_deleted.iter().map(|id| short(id)).collect();
        stage.result("pruned", &format!("{}; {} freed", ids.join(" "), bytes(pruned.space_reclaimed)))?;
        same("the number of pruned containers", ids.len(), 4)
    }

    fn finished(&self, finished: &Finished) -> Result<()> {
        self.lines("stdout", &finished.stdout.text())?;
        self.lines("stderr", &finished.stderr.text())?;
        self.stage.result("status", &finished.status.to_string())
    }

    fn lines(&self, label: &str, text: &str) -> Result<()> {
        text.lines().try_for_each(|line| self.stage.result(label, line))
    }
}

/// A folder for files to be copied; dropping it removes it.
struct TemporaryFolder(std::path::PathBuf);

impl TemporaryFolder {
    fn new(run: &RunId) -> Result<Self> {
        let path = std::env::temp_dir().join(format!("longshore-demo-{}", run.0));
        fs::create_dir(&path).context(|| format!("create {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn expect(holds: bool, problem: impl FnOnce() -> String) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::new(format!("wrong result: {}", problem()))) }
}

fn same<T: PartialEq + Debug>(what: &str, got: T, expected: T) -> Result<()> {
    expect(got == expected, || format!("{what}: got {got:?}, expected {expected:?}"))
}

/// As much of an id as people read.
fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

/// A number of bytes in the unit that people read it in.
fn bytes(count: u64) -> String {
    let units = [("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let unit = units.into_iter().find(|(_, power)| count >= 1 << power);
    unit.map_or_else(
        || format!("{count} bytes"),
        |(unit, power)| format!("{:.1} {unit}", count as f64 / f64::from(1 << power)),
    )
}

/// Aligns the cells of rows; the last column is as wide as it likes.
fn table(rows: &[&[String]]) -> Vec<String> {
    let columns = rows.iter().map(|row| row.len()).max().unwrap_or_default();
    let width = |column: usize| rows.iter().filter_map(|row| Some(row.get(column)?.chars().count())).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or_default()).collect();
    let aligned = |row: &&[String]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(aligned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_told_in_their_unit() {
        assert_eq!(
            [0, 1023, 1024, 1536 << 10, 5 << 30].map(bytes),
            ["0 bytes", "1023 bytes", "1.0 KiB", "1.5 MiB", "5.0 GiB"]
        );
    }

    #[test]
    fn tables_are_aligned() {
        let rows = [["PID", "CMD"], ["12345", "sh -c true"]].map(|row| row.map(str::to_owned));
        assert_eq!(table(&rows.each_ref().map(|row| row.as_slice())), ["PID    CMD", "12345  sh -c true"]);
        assert!(table(&[]).is_empty());
    }

    #[test]
    fn a_wrong_result_says_what_was_expected() {
        let error = same("the exit code", 1, 7).unwrap_err();
        assert_eq!(error.to_string(), "wrong result: the exit code: got 1, expected 7");
    }
}
