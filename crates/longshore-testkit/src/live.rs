//! Real engines: which there are, what tests make on them, and its removal.
//!
//! Everything that a test makes carries the label [`LABEL`] with the id of the run, so that it is found again however
//! the test ended. Names are made of the id of the run and a number, so that no two tests share one.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::ops::Deref;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use longshore::container::{ListOptions, RemoveOptions};
use longshore::image::{ImageListOptions, ImageRemoveOptions, ImportOptions};
use longshore::{ApiVersion, CommandLine, Container, Created, Docker, ImageSummary, Result, Spec};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::OnceCell;

/// The label of everything that tests make; its value is the id of the run.
pub const LABEL: &str = "longshore.test";

/// The label with the name of the test.
const CASE: &str = "longshore.test.case";

/// The image that every engine has.
pub const IMAGE: &str = "busybox:latest";

/// What the names of images that tests make begin with.
const IMAGES: &str = "longshore-test/";

/// How old things must be to be removed by another run than that which made them.
const STALE: Duration = Duration::from_secs(60 * 60);

/// The names and addresses of the engines to test with: those that `LONGSHORE_TEST_ENGINES` (a list of `name=host`) or
/// `LONGSHORE_TEST_HOST` (a host, or such a list) names; else `cargo xtask engine up` starts them.
///
/// # Errors
/// When the list is empty, or no engines can be had.
pub fn engines() -> Result<Vec<(String, String)>, String> {
    for variable in ["LONGSHORE_TEST_ENGINES", "LONGSHORE_TEST_HOST"] {
        if let Some(list) = std::env::var(variable).ok().filter(|list| !list.is_empty()) {
            let engines = parse_list(&list);
            return if engines.is_empty() { Err(format!("{variable} names no engine")) } else { Ok(engines) };
        }
    }
    xtask(&["engine", "up"], Stdio::inherit())?;
    let line = xtask(&["engine", "env"], Stdio::piped())?;
    let list = line.trim().split_once('=').map(|(_, list)| list.trim_matches('\'')).unwrap_or_default();
    match parse_list(list) {
        engines if engines.is_empty() => Err(format!("`cargo xtask engine env` names no engine: {line}")),
        engines => Ok(engines),
    }
}

fn parse_list(list: &str) -> Vec<(String, String)> {
    let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    let named = |(index, entry): (usize, &str)| match entry.split_once('=') {
        Some((name, host)) if !name.contains(['/', ':']) => (name.to_owned(), host.to_owned()),
        _ => (format!("engine-{}", index + 1), entry.to_owned()),
    };
    entries.enumerate().map(named).collect()
}

fn xtask(arguments: &[&str], stdout: Stdio) -> Result<String, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let words = format!("cargo xtask {}", arguments.join(" "));
    let output = Command::new(cargo)
        .arg("xtask")
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("`{words}` can't be run: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!(
            "`{words}` failed; name an engine of your own instead: LONGSHORE_TEST_HOST=unix:///var/run/docker.sock"
        )),
    }
}

/// A real engine.
#[derive(Debug)]
pub struct LiveEngine {
    name: String,
    host: String,
    docker: Docker,
    api: ApiVersion,
    podman: bool,
    shared: OnceCell<Container>,
}

impl LiveEngine {
    /// Asks the engine at `host` what it is, and sees to it that it has [`IMAGE`].
    ///
    /// # Errors
    /// When it can't be reached, or does not have the image and can't pull it.
    pub async fn connect(name: &str, host: &str) -> Result<Self> {
        let docker = Docker::connect_to(host)?;
        let version = docker.version().await?;
        let podman = version.components.iter().any(|component| component.name.starts_with("Podman"));
        let api = docker.api_version().await?;
        if docker.image(IMAGE).inspect().await.is_err_and(|error| error.is_not_found()) {
            docker.images().pull(IMAGE).await?.finish().await?;
        }
        Ok(LiveEngine { name: name.to_owned(), host: host.to_owned(), docker, api, podman, shared: OnceCell::new() })
    }

    /// What the list of engines calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its address.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The newest API version that it and longshore speak.
    pub fn api(&self) -> ApiVersion {
        self.api
    }

    /// Whether it is Podman.
    pub fn is_podman(&self) -> bool {
        self.podman
    }

    /// The unix socket that it listens on, if it does.
    pub fn socket(&self) -> Option<PathBuf> {
        self.host.strip_prefix("unix://").map(PathBuf::from)
    }

    /// Makes a request without longshore, for what longshore does not do yet: the status and the body of the answer.
    ///
    /// # Errors
    /// When the engine can't be reached or answers no HTTP.
    pub async fn call(&self, method: &str, target: &str) -> io::Result<(u16, String)> {
        let request = format!("{method} {target} HTTP/1.0\r\nHost: engine\r\nContent-Length: 0\r\n\r\n");
        let mut answer = Vec::new();
        if let Some(socket) = self.socket() {
            let mut stream = tokio::net::UnixStream::connect(socket).await?;
            stream.write_all(request.as_bytes()).await?;
            stream.read_to_end(&mut answer).await?;
        } else {
            let address = self.host.trim_start_matches("tcp://").trim_start_matches("http://");
            let mut stream = tokio::net::TcpStream::connect(address).await?;
            stream.write_all(request.as_bytes()).await?;
            stream.read_to_end(&mut answer).await?;
        }
        let answer = String::from_utf8_lossy(&answer);
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        match (status, answer.split_once("\r\n\r\n")) {
            (Some(status), Some((_, body))) => Ok((status, body.to_owned())),
            _ => Err(io::Error::other(format!("no answer: {answer}"))),
        }
    }
}

/// One run of the tests.
#[derive(Debug)]
pub struct Run {
    id: String,
    count: AtomicU64,
}

impl Run {
    /// Begins a run: its id is the time in seconds and the id of this process.
    pub fn begin() -> Arc<Self> {
        let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        Arc::new(Run { id: format!("{seconds}-{}", std::process::id()), count: AtomicU64::new(1) })
    }

    /// The id of the run.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// A part of a name that no other test has.
    fn unique(&self) -> String {
        format!("{}-{}", self.id, self.count.fetch_add(1, Ordering::Relaxed))
    }

    /// Removes what is left of runs that began more than an hour ago and whose process is gone. Tells what that was.
    ///
    /// # Errors
    /// When the engine does not let it.
    pub async fn reap_stale(engine: &LiveEngine) -> Result<Vec<String>> {
        remove(engine, is_stale).await
    }

    /// Removes what this run has left. Tells what that was: nothing, if the tests are right.
    ///
    /// # Errors
    /// When the engine does not let it.
    pub async fn reap(&self, engine: &LiveEngine) -> Result<Vec<String>> {
        if let Some(shared) = engine.shared.get() {
            remove_container(&engine.docker, shared.id()).await?;
        }
        remove(engine, |run| run == self.id).await
    }
}

/// Whether a run began long ago and its process is gone.
fn is_stale(run: &str) -> bool {
    let Some((seconds, process)) = run.split_once('-') else { return true };
    let began = seconds.parse().map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    let old = began.is_ok_and(|began| began.elapsed().is_ok_and(|age| age > STALE));
    old && !PathBuf::from("/proc").join(process).exists()
}

/// Removes the containers and images of those runs.
async fn remove(engine: &LiveEngine, of_run: impl Fn(&str) -> bool) -> Result<Vec<String>> {
    let docker = &engine.docker;
    let mut removed = Vec::new();
    for container in docker.containers().list_with(&ListOptions::default().all().filter("label", LABEL)).await? {
        if container.labels.get(LABEL).is_some_and(|run| of_run(run)) {
            let case = container.labels.get(CASE).map_or("", String::as_str);
            removed.push(format!("container {} of {case}", container.name()));
            remove_container(docker, &container.id).await?;
        }
    }
    for image in docker.images().list().await? {
        for name in names_of_runs(&image, &of_run) {
            removed.push(format!("image {name}"));
            gone(docker.image(name).remove_with(&ImageRemoveOptions::default().force()).await)?;
        }
    }
    Ok(removed)
}

/// The names by which an image is to be removed.
fn names_of_runs(image: &ImageSummary, of_run: impl Fn(&str) -> bool) -> Vec<String> {
    let run_of = |name: &str| {
        let rest = &name[name.find(IMAGES)? + IMAGES.len()..];
        let mut parts = rest.split([':', '-', '@']);
        Some(format!("{}-{}", parts.next()?, parts.next()?))
    };
    let named = image.repo_tags.iter().filter(|name| run_of(name).is_some_and(|run| of_run(&run)));
    let names: Vec<String> = named.cloned().collect();
    let nameless = image.repo_tags.iter().all(|name| name.starts_with("<none>"));
    match image.labels.get(LABEL) {
        Some(run) if nameless && of_run(run) => vec![image.id.clone()],
        _ => names,
    }
}

/// Removes a container, running or not, and waits until it is gone where the engine is removing it already.
async fn remove_container(docker: &Docker, id: &str) -> Result<()> {
    let mut pause = Duration::from_millis(10);
    loop {
        match docker.container(id).remove_with(&RemoveOptions::default().force().volumes()).await {
            Err(error) if error.is_conflict() && pause < Duration::from_secs(10) => {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            outcome => return gone(outcome),
        }
    }
}

/// Something that is not there needs no removal.
fn gone<T>(outcome: Result<T>) -> Result<()> {
    match outcome {
        Err(error) if error.is_not_found() => Ok(()),
        outcome => outcome.map(drop),
    }
}

/// One test's share of an engine: a [`Docker`] that knows how to name and label what the test makes.
///
/// ```no_run
/// # use std::sync::Arc;
/// # use longshore_testkit::live::{Live, LiveEngine, Run};
/// # async fn example() -> longshore::Result<()> {
/// let engine = Arc::new(LiveEngine::connect("mine", "unix:///var/run/docker.sock").await?);
/// let live = Live::new(engine, Run::begin(), "example");
/// let sleeper = live.start(live.spec("sleep 60")).await?;
/// sleeper.pause().await?;
/// live.clean_up().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Live(Arc<Share>);

struct Share {
    engine: Arc<LiveEngine>,
    run: Arc<Run>,
    case: String,
    images: Mutex<BTreeSet<String>>,
}

impl Live {
    /// Begins a test.
    pub fn new(engine: Arc<LiveEngine>, run: Arc<Run>, case: &str) -> Self {
        Live(Arc::new(Share { engine, run, case: case.to_owned(), images: Mutex::default() }))
    }

    /// The engine.
    pub fn engine(&self) -> &LiveEngine {
        &self.0.engine
    }

    /// A name that no other test uses.
    pub fn name(&self) -> String {
        format!("longshore-{}", self.0.run.unique())
    }

    /// The label that tells the containers of this test from all others, as `name=value`.
    pub fn label(&self) -> String {
        format!("{CASE}={}", self.case())
    }

    fn case(&self) -> String {
        format!("{}/{}", self.0.run.id, self.0.case)
    }

    /// A container of [`IMAGE`] with a name and labels, in the network of its host: a network of its own, even an empty
    /// one, costs some engines most of the time that a start takes.
    pub fn spec(&self, command: impl Into<CommandLine>) -> Spec {
        self.connected_spec(command).network("host")
    }

    /// The same, in the network that the engine has for all.
    pub fn connected_spec(&self, command: impl Into<CommandLine>) -> Spec {
        self.labelled(Spec::image(IMAGE)).cmd(command).name(self.name())
    }

    /// Adds the labels by which the container is found when the test has ended.
    pub fn labelled(&self, spec: Spec) -> Spec {
        spec.label(LABEL, self.0.run.id()).label(CASE, self.case())
    }

    /// How to import an image so that it is found when the test has ended.
    pub fn import_options(&self) -> ImportOptions {
        ImportOptions::default().repository(self.image_name()).change(format!("LABEL {LABEL}={}", self.0.run.id()))
    }

    /// A name for an image that no other test uses. The image of this name is removed when the test has ended.
    pub fn image_name(&self) -> String {
        let name = format!("{IMAGES}{}", self.0.run.unique());
        self.0.images.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
        name
    }

    /// Sees to it that an image without a name is removed when the test has ended.
    pub fn keep(&self, image: &str) {
        self.0.images.lock().unwrap_or_else(PoisonError::into_inner).insert(image.to_owned());
    }

    /// Creates a container.
    ///
    /// # Errors
    /// As [`Containers::create`](longshore::Containers::create).
    pub async fn create(&self, spec: Spec) -> Result<Created> {
        self.containers().create(&spec).await
    }

    /// Creates and starts a container.
    ///
    /// # Errors
    /// As [`Containers::create`](longshore::Containers::create) and [`Container::start`].
    pub async fn start(&self, spec: Spec) -> Result<Container> {
        let container = self.create(spec).await?.container;
        container.start().await?;
        Ok(container)
    }

    /// A running container that all tests of the engine share: for calls that leave it as it is.
    ///
    /// # Errors
    /// As [`start`](Live::start).
    pub async fn shared(&self) -> Result<&Container> {
        let share = &self.0;
        share.engine.shared.get_or_try_init(|| self.start(self.spec("sleep 100000").label(CASE, "shared"))).await
    }

    /// Removes everything that the test has made.
    ///
    /// # Errors
    /// When the engine does not let it.
    pub async fn clean_up(&self) -> Result<()> {
        let options = ListOptions::default().all().filter("label", self.label());
        for container in self.containers().list_with(&options).await? {
            remove_container(self, &container.id).await?;
        }
        let images = std::mem::take(&mut *self.0.images.lock().unwrap_or_else(PoisonError::into_inner));
        for image in images {
            gone(self.image(image).remove_with(&ImageRemoveOptions::default().force()).await)?;
        }
        Ok(())
    }

    /// The names of the containers of this test that exist, running or not.
    ///
    /// # Errors
    /// As [`Containers::list`](longshore::Containers::list).
    pub async fn existing(&self) -> Result<Vec<String>> {
        let options = ListOptions::default().all().filter("label", self.label());
        let containers = self.containers().list_with(&options).await?;
        Ok(containers.iter().map(|container| container.name().to_owned()).collect())
    }

    /// How many images there are with this reference.
    ///
    /// # Errors
    /// As [`Images::list`](longshore::Images::list).
    pub async fn count_images(&self, reference: &str) -> Result<usize> {
        let options = ImageListOptions::default().filter("reference", reference);
        Ok(self.images().list_with(&options).await?.len())
    }
}

impl Deref for Live {
    type Target = Docker;

    fn deref(&self) -> &Docker {
        &self.0.engine.docker
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Live({} on {})", self.0.case, self.0.engine.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_name_engines_or_only_their_hosts() {
        let pair = |name: &str, host: &str| (name.to_owned(), host.to_owned());
        assert_eq!(
            parse_list("docker-20.10=unix:///a,podman=unix:///b=c"),
            [pair("docker-20.10", "unix:///a"), pair("podman", "unix:///b=c")]
        );
        assert_eq!(parse_list("unix:///a=b"), [pair("engine-1", "unix:///a=b")]);
        assert_eq!(parse_list("tcp://a:1, unix:///b,"), [pair("engine-1", "tcp://a:1"), pair("engine-2", "unix:///b")]);
        assert_eq!(parse_list(" "), []);
    }

    #[test]
    fn only_what_is_old_and_whose_process_is_gone_is_stale() {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        assert!(!is_stale(&format!("{now}-1")));
        assert!(!is_stale(&format!("{}-1", now - 7200)));
        assert!(!is_stale(&format!("{now}-999999999")));
        assert!(is_stale(&format!("{}-999999999", now - 7200)));
        assert!(is_stale("someone"));
    }

    #[test]
    fn images_of_runs_are_known_by_name_or_label() {
        let names = |tags: &[&str], label: Option<&str>| {
            let mut image = ImageSummary::default();
            image.id = "sha256:0f".to_owned();
            image.repo_tags = tags.iter().map(|&tag| tag.to_owned()).collect();
            image.labels.extend(label.map(|run| (LABEL.to_owned(), run.to_owned())));
            names_of_runs(&image, |run| run == "7-1")
        };
        let tag = "localhost/longshore-test/7-1-3:latest";
        assert_eq!(names(&["busybox:latest", tag], None), [tag]);
        assert_eq!(names(&[tag], Some("7-1")), [tag]);
        assert_eq!(names(&["longshore-test/7-12-3:latest", "busybox"], Some("7-12")), Vec::<String>::new());
        assert_eq!(names(&[], Some("7-1")), ["sha256:0f"]);
        assert_eq!(names(&["<none>:<none>"], Some("7-1")), ["sha256:0f"]);
        assert_eq!(names(&[], Some("7-2")), Vec::<String>::new());
    }
}
