use longshore_models::{DiskUsage, Raw};
use longshore_wire::path::Path;
use longshore_wire::version::ApiVersion;

use crate::docker::Docker;
use crate::error::{Operation, Result};
use crate::http::{Method, Request};

/// What takes space on an engine's disk, as the engine counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DiskUsageKind {
    /// Containers: what they have written.
    Containers,
    /// Images.
    Images,
    /// Volumes of the local driver.
    Volumes,
    /// What builds keep for the next ones.
    BuildCache,
}

impl DiskUsageKind {
    /// The word for it in a request.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Containers => "container",
            Self::Images => "image",
            Self::Volumes => "volume",
            Self::BuildCache => "build-cache",
        }
    }
}

/// What to measure, and how much to tell of it.
///
/// ```
/// use longshore::system::{DiskUsageKind, DiskUsageOptions};
///
/// let volumes = DiskUsageOptions::default().kind(DiskUsageKind::Volumes).verbose();
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct DiskUsageOptions {
    /// What to measure; everything unless set. API 1.42+.
    pub kinds: Vec<DiskUsageKind>,
    /// Whether to tell the objects too, not only their sums. Below API 1.52 engines always do.
    pub verbose: bool,
}

impl DiskUsageOptions {
    /// Measures only this; may be called for several. What is not measured costs no time. API 1.42+.
    #[must_use]
    #[doc(alias = "type")]
    pub fn kind(mut self, kind: DiskUsageKind) -> Self {
        self.kinds.push(kind);
        self
    }

    /// Tells the objects too, not only their sums. Below API 1.52 engines always do.
    #[must_use]
    pub fn verbose(mut self) -> Self {
        self.verbose = true;
        self
    }
}

impl Docker {
    /// Tells how much space containers, images, volumes and the cache of builds take on the engine's disk, and how much
    /// of it could be freed.
    ///
    /// `GET /system/df`, API 1.25+. Sizes are in bytes. The engine measures every file, which may take minutes. Below API
    /// 1.52 it tells the objects and no sums: these are made here, by the engine's own rules. Podman does not tell how
    /// much images share.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// if let Some(images) = &docker.disk_usage().await?.images {
    ///     println!("{} images, {} bytes, {} to be freed", images.total_count, images.total_size, images.reclaimable);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Conflict`](crate::ErrorKind::Conflict) or [`Server`](crate::ErrorKind::Server), by engine, while it measures
    /// for somebody else.
    ///
    /// # Cancel safety
    /// Reads only; the engine may go on measuring.
    #[doc(alias = "df")]
    pub async fn disk_usage(&self) -> Result<Raw<DiskUsage>> {
        self.disk_usage_with(&DiskUsageOptions::default()).await
    }

    /// Tells what takes space on the engine's disk, as `options` say; see [`disk_usage`](Docker::disk_usage).
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// use longshore::system::{DiskUsageKind, DiskUsageOptions};
    ///
    /// let options = DiskUsageOptions::default().kind(DiskUsageKind::Containers).verbose();
    /// if let Some(containers) = &docker.disk_usage_with(&options).await?.containers {
    ///     for container in &containers.items {
    ///         println!("{}: {:?} bytes", container.name(), container.size_rw);
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`disk_usage`](Docker::disk_usage), and [`Unsupported`](crate::ErrorKind::Unsupported) for kinds below API
    /// 1.42.
    ///
    /// # Cancel safety
    /// As [`disk_usage`](Docker::disk_usage).
    pub async fn disk_usage_with(&self, options: &DiskUsageOptions) -> Result<Raw<DiskUsage>> {
        self.send(disk_usage(options)).await?.raw().await
    }
}

fn disk_usage(options: &DiskUsageOptions) -> Request {
    let operation = Operation::new("measure the disk usage");
    let mut request = Request::new(Method::Get, Path::new("system/df"), operation).unbounded();
    request.query.each("type", options.kinds.iter().map(DiskUsageKind::as_str)).flag("verbose", options.verbose);
    if !options.kinds.is_empty() {
        request.needs("the kinds of a disk usage", ApiVersion::new(1, 42));
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(text(Ok(disk_usage(&DiskUsageOptions::default()))), "GET /system/df");
        let request = disk_usage(&DiskUsageOptions::default().verbose());
        assert_eq!(request.needs, []);
        assert_eq!(text(Ok(request)), "GET /system/df?verbose=1");
        let options = DiskUsageOptions::default()
            .kind(DiskUsageKind::Containers)
            .kind(DiskUsageKind::Images)
            .kind(DiskUsageKind::Volumes)
            .kind(DiskUsageKind::BuildCache)
            .verbose();
        let request = disk_usage(&options);
        assert_eq!(request.needs, [("the kinds of a disk usage", ApiVersion::new(1, 42))]);
        assert_eq!(
            text(Ok(request)),
            "GET /system/df?type=container&type=image&type=volume&type=build-cache&verbose=1"
        );
    }
}
