use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use longshore::container::{ListOptions, RemoveOptions};
use longshore::image::ImageRemoveOptions;
use longshore::models::ServiceInspect;
use longshore::network::NetworkListOptions;
use longshore::plugin::PluginRemoveOptions;
use longshore::swarm::{ServiceListOptions, TaskListOptions};
use longshore::volume::{VolumeListOptions, VolumeRemoveOptions};
use longshore::{Docker, ImageSummary, Result};

use super::{CASE, IMAGES, LABEL, LiveEngine, PLUGINS};

/// How old things must be to be removed by another run than that which made them.
const STALE: Duration = Duration::from_secs(60 * 60);

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
    pub(super) fn unique(&self) -> String {
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

/// Removes the services, containers, networks, volumes, images and plugins of those runs.
async fn remove(engine: &LiveEngine, of_run: impl Fn(&str) -> bool) -> Result<Vec<String>> {
    let docker = &engine.docker;
    let mut removed = Vec::new();
    if engine.is_for_swarms() {
        for service in services(docker, LABEL).await? {
            if service.spec.labels.get(LABEL).is_some_and(|run| of_run(run)) {
                removed.push(format!("service {}", service.spec.name));
                gone(docker.service(service.id).remove().await)?;
            }
        }
    }
    for container in docker.containers().list_with(&ListOptions::default().all().filter("label", LABEL)).await? {
        if container.labels.get(LABEL).is_some_and(|run| of_run(run)) {
            let case = container.labels.get(CASE).map_or("", String::as_str);
            removed.push(format!("container {} of {case}", container.name()));
            remove_container(docker, &container.id).await?;
        }
    }
    for network in docker.networks().list_with(&NetworkListOptions::default().filter("label", LABEL)).await? {
        if network.labels.get(LABEL).is_some_and(|run| of_run(run)) {
            removed.push(format!("network {}", network.name));
            gone(docker.network(network.id).remove().await)?;
        }
    }
    for volume in docker.volumes().list_with(&VolumeListOptions::default().filter("label", LABEL)).await?.volumes {
        if volume.labels.get(LABEL).is_some_and(|run| of_run(run)) {
            removed.push(format!("volume {}", volume.name));
            gone(docker.volume(volume.name).remove_with(&VolumeRemoveOptions::default().force()).await)?;
        }
    }
    for image in docker.images().list().await? {
        for name in names_of_runs(&image, &of_run) {
            let labels: Vec<_> = image.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
            removed.push(format!("image {name} with {}", labels.join(", ")));
            gone(docker.image(name).remove_with(&ImageRemoveOptions::default().force()).await)?;
        }
    }
    if engine.is_podman() {
        return Ok(removed);
    }
    for plugin in docker.plugins().list().await? {
        if run_in(&plugin.name, PLUGINS).is_some_and(|run| of_run(&run)) {
            removed.push(format!("plugin {}", plugin.name));
            gone(docker.plugin(plugin.name).remove_with(&PluginRemoveOptions::default().force()).await)?;
        }
    }
    Ok(removed)
}

/// The names by which an image is to be removed.
fn names_of_runs(image: &ImageSummary, of_run: impl Fn(&str) -> bool) -> Vec<String> {
    let named = image.repo_tags.iter().filter(|name| run_in(name, IMAGES).is_some_and(|run| of_run(&run)));
    let names: Vec<String> = named.cloned().collect();
    let nameless = image.repo_tags.iter().all(|name| name.starts_with("<none>"));
    match image.labels.get(LABEL) {
        Some(run) if nameless && of_run(run) => vec![image.id.clone()],
        _ => names,
    }
}

/// The run that a name tells behind the beginning that all such names have.
fn run_in(name: &str, beginning: &str) -> Option<String> {
    let rest = &name[name.find(beginning)? + beginning.len()..];
    let mut parts = rest.split([':', '-', '@']);
    Some(format!("{}-{}", parts.next()?, parts.next()?))
}

/// Removes a container, running or not, and waits until it is gone where the engine is removing it already.
pub(super) async fn remove_container(docker: &Docker, id: &str) -> Result<()> {
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

/// The services with a label; none where there is no swarm.
async fn services(docker: &Docker, label: &str) -> Result<Vec<ServiceInspect>> {
    match docker.services().list_with(&ServiceListOptions::default().filter("label", label)).await {
        Err(error) if error.is_conflict() => Ok(Vec::new()),
        outcome => outcome,
    }
}

/// Removes the services with a label, and waits until all their tasks have ended. Their containers may be there still:
/// Docker 20.10 leaves those of jobs.
pub(super) async fn remove_services(docker: &Docker, label: &str) -> Result<()> {
    let services = services(docker, label).await?;
    if services.is_empty() {
        return Ok(());
    }
    for service in services {
        gone(docker.service(service.id).remove().await)?;
    }
    let tasks = TaskListOptions::default().filter("label", label);
    while docker.tasks().list_with(&tasks).await?.iter().any(|task| !task.status.state.has_ended()) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// Something that is not there needs no removal.
pub(super) fn gone<T>(outcome: Result<T>) -> Result<()> {
    match outcome {
        Err(error) if error.is_not_found() => Ok(()),
        outcome => outcome.map(drop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
