//! What takes the space on an engine's disk.

use crate::decode::Decode;
use crate::{BuildCache, ContainerState, ContainerSummary, ImageSummary, VolumeInspect};

/// Tells what takes the space on an engine's disk, by kinds of objects.
///
/// Engines tell it in one of two shapes: sums since API 1.52, lists of objects before. Where an engine tells no sums, they
/// are made of the lists, by the rules that engines have for them.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[decode(from = Answer)]
#[non_exhaustive]
pub struct DiskUsage {
    /// Images; `None` if not asked for.
    pub images: Option<Usage<ImageSummary>>,
    /// Containers; `None` if not asked for.
    pub containers: Option<Usage<ContainerSummary>>,
    /// Volumes of the local driver; `None` if not asked for.
    pub volumes: Option<Usage<VolumeInspect>>,
    /// The cache of builds; `None` if not asked for, or there is none.
    pub build_cache: Option<Usage<BuildCache>>,
}

/// Tells how much space the objects of a kind take.
#[derive(Debug, Clone, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Usage<T> {
    /// Number of objects in use: images that have containers, containers that are up, volumes of containers, parts of the
    /// cache that a build works with.
    pub active_count: u64,
    /// Number of objects.
    pub total_count: u64,
    /// Bytes that removing what is not in use would free.
    pub reclaimable: u64,
    /// Bytes of all of them; what they share is counted once.
    pub total_size: u64,
    /// The objects themselves; with API 1.52+ empty unless asked for.
    pub items: Vec<T>,
}

impl<T> Default for Usage<T> {
    fn default() -> Self {
        Self { active_count: 0, total_count: 0, reclaimable: 0, total_size: 0, items: Vec::new() }
    }
}

/// Both shapes.
#[derive(Default, Decode)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    image_usage: Option<Usage<ImageSummary>>,
    container_usage: Option<Usage<ContainerSummary>>,
    volume_usage: Option<Usage<VolumeInspect>>,
    build_cache_usage: Option<Usage<BuildCache>>,
    layers_size: u64,
    images: Option<Vec<ImageSummary>>,
    containers: Option<Vec<ContainerSummary>>,
    volumes: Option<Vec<VolumeInspect>>,
    build_cache: Option<Vec<BuildCache>>,
    /// Size of the whole cache; left by engines for API 1.30 and older.
    builder_size: u64,
}

impl From<Answer> for DiskUsage {
    fn from(answer: Answer) -> Self {
        let layers_size = answer.layers_size;
        let build_cache = answer.build_cache.or_else(|| (answer.builder_size > 0).then(Vec::new));
        Self {
            images: one_shape(answer.image_usage, answer.images, |images| of_images(images, layers_size)),
            containers: one_shape(answer.container_usage, answer.containers, of_containers),
            volumes: one_shape(answer.volume_usage, answer.volumes, of_volumes),
            build_cache: one_shape(answer.build_cache_usage, build_cache, |cache| {
                of_build_cache(cache, answer.builder_size)
            }),
        }
    }
}

/// Takes the sums that the engine tells, or else makes them, and the list of whichever shape has one.
fn one_shape<T>(told: Option<Usage<T>>, list: Option<Vec<T>>, sum: impl FnOnce(&[T]) -> Usage<T>) -> Option<Usage<T>> {
    let mut usage = match (told, &list) {
        (Some(told), _) => told,
        (None, Some(list)) => Usage { total_count: list.len() as u64, ..sum(list) },
        (None, None) => return None,
    };
    if usage.items.is_empty() {
        usage.items = list.unwrap_or_default();
    }
    Some(usage)
}

fn of_images(images: &[ImageSummary], layers_size: u64) -> Usage<ImageSummary> {
    let own = |image: &ImageSummary| bytes(image.size.saturating_sub(image.shared_size.max(0)));
    let unused = images.iter().filter(|image| image.containers == 0 && image.shared_size >= 0);
    Usage {
        active_count: images.iter().filter(|image| image.containers > 0).count() as u64,
        reclaimable: unused.map(own).fold(0, u64::saturating_add),
        total_size: match layers_size {
            // Podman tells none.
            0 => images.iter().map(own).fold(0, u64::saturating_add),
            size => size,
        },
        ..Usage::default()
    }
}

fn of_containers(containers: &[ContainerSummary]) -> Usage<ContainerSummary> {
    use ContainerState::{Paused, Restarting, Running};
    let is_up = |container: &&ContainerSummary| matches!(container.state, Running | Paused | Restarting);
    let size = |container: &ContainerSummary| bytes(container.size_rw.unwrap_or_default());
    let total_size = containers.iter().map(size).fold(0, u64::saturating_add);
    let used = containers.iter().filter(is_up).map(size).fold(0, u64::saturating_add);
    Usage {
        active_count: containers.iter().filter(is_up).count() as u64,
        reclaimable: total_size.saturating_sub(used),
        total_size,
        ..Usage::default()
    }
}

fn of_volumes(volumes: &[VolumeInspect]) -> Usage<VolumeInspect> {
    let (mut usage, mut unused) = (Usage::default(), 0);
    for data in volumes.iter().filter_map(|volume| volume.usage_data.as_ref()).filter(|data| data.size >= 0) {
        usage.total_size = usage.total_size.saturating_add(bytes(data.size));
        if data.ref_count == 0 {
            usage.reclaimable = usage.reclaimable.saturating_add(bytes(data.size));
            unused += 1;
        }
    }
    usage.active_count = (volumes.len() - unused) as u64;
    usage
}

fn of_build_cache(cache: &[BuildCache], builder_size: u64) -> Usage<BuildCache> {
    let unused = cache.iter().filter(|record| !record.in_use && !record.shared);
    Usage {
        active_count: cache.iter().filter(|record| record.in_use).count() as u64,
        reclaimable: unused.map(|record| record.size).fold(0, u64::saturating_add),
        total_size: cache.iter().map(|record| record.size).fold(0, u64::saturating_add).max(builder_size),
        ..Usage::default()
    }
}

/// A size that is negative if it is not known.
fn bytes(size: i64) -> u64 {
    u64::try_from(size).unwrap_or_default()
}
