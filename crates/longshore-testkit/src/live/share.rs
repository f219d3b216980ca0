use std::collections::BTreeSet;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use longshore::container::ListOptions;
use longshore::image::{BuildOptions, ImageListOptions, ImageRemoveOptions, ImportOptions};
use longshore::network::NetworkListOptions;
use longshore::plugin::PluginRemoveOptions;
use longshore::volume::{VolumeListOptions, VolumeRemoveOptions};
use longshore::{CommandLine, Container, Created, Docker, NetworkSpec, Result, ServiceSpec, Spec, VolumeSpec};

use super::run::{gone, remove_container, remove_services};
use super::{CASE, IMAGE, IMAGES, LABEL, LiveEngine, PLUGINS, Run};

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
    plugins: Mutex<BTreeSet<String>>,
}

impl Live {
    /// Begins a test.
    pub fn new(engine: Arc<LiveEngine>, run: Arc<Run>, case: &str) -> Self {
        let (images, plugins) = (Mutex::default(), Mutex::default());
        Live(Arc::new(Share { engine, run, case: case.to_owned(), images, plugins }))
    }

    /// The engine.
    pub fn engine(&self) -> &LiveEngine {
        &self.0.engine
    }

    /// The engine, for what outlives a borrow.
    pub fn shared_engine(&self) -> Arc<LiveEngine> {
        self.0.engine.clone()
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
        format!("{}/{}", self.0.run.id(), self.0.case)
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

    /// A service of [`IMAGE`] with a name and labels, its tasks in the network of their host.
    pub fn service_spec(&self, command: impl Into<CommandLine>) -> ServiceSpec {
        let spec = ServiceSpec::image(IMAGE).cmd(command).name(self.name()).network("host").stop_grace(Duration::ZERO);
        [(LABEL, self.0.run.id().to_owned()), (CASE, self.case())]
            .into_iter()
            .fold(spec, |spec, (name, value)| spec.label(name, &value).container_label(name, value))
    }

    /// A network with a name and labels.
    pub fn network_spec(&self) -> NetworkSpec {
        NetworkSpec::new(self.name()).label(LABEL, self.0.run.id()).label(CASE, self.case())
    }

    /// A volume with a name and labels.
    pub fn volume_spec(&self) -> VolumeSpec {
        VolumeSpec::new(self.name()).label(LABEL, self.0.run.id()).label(CASE, self.case())
    }

    /// How to import an image so that it is found when the test has ended.
    pub fn import_options(&self) -> ImportOptions {
        let label = format!("LABEL {LABEL}={} {}", self.0.run.id(), self.label());
        ImportOptions::default().repository(self.image_name()).change(label)
    }

    /// How to build an image so that it is found when the test has ended: it has a name of its own.
    pub fn build_options(&self) -> BuildOptions {
        let options = BuildOptions::default().tag(self.image_name());
        let options = options.label(LABEL, self.0.run.id()).label(CASE, self.case());
        // Podman looks for a cached step in all images, and fails when a test removes one of them meanwhile.
        if self.engine().is_podman() { options.no_cache() } else { options }
    }

    /// A name for an image that no other test uses. The image of this name is removed when the test has ended.
    pub fn image_name(&self) -> String {
        let name = format!("{IMAGES}{}", self.0.run.unique());
        self.0.images.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
        name
    }

    /// A name for a plugin that no other test uses. The plugin of this name is removed when the test has ended.
    pub fn plugin_name(&self) -> String {
        let name = format!("{PLUGINS}{}", self.0.run.unique());
        self.0.plugins.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
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
        if self.engine().is_for_swarms() {
            remove_services(self, &self.label()).await?;
        }
        let options = ListOptions::default().all().filter("label", self.label());
        for container in self.containers().list_with(&options).await? {
            remove_container(self, &container.id).await?;
        }
        for network in self.networks().list_with(&NetworkListOptions::default().filter("label", self.label())).await? {
            gone(self.network(network.id).remove().await)?;
        }
        let volumes = self.volumes().list_with(&VolumeListOptions::default().filter("label", self.label())).await?;
        for volume in volumes.volumes {
            gone(self.volume(volume.name).remove_with(&VolumeRemoveOptions::default().force()).await)?;
        }
        let images = std::mem::take(&mut *self.0.images.lock().unwrap_or_else(PoisonError::into_inner));
        for image in images {
            gone(self.image(image).remove_with(&ImageRemoveOptions::default().force()).await)?;
        }
        let plugins = std::mem::take(&mut *self.0.plugins.lock().unwrap_or_else(PoisonError::into_inner));
        for plugin in plugins.into_iter().filter(|_| !self.engine().is_podman()) {
            gone(self.plugin(plugin).remove_with(&PluginRemoveOptions::default().force()).await)?;
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
