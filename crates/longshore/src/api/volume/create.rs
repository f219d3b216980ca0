use std::ops::Deref;

use longshore_models::{Raw, VolumeInspect};
use longshore_wire::path::Path;
use longshore_wire::version::ApiVersion;

use super::{Volume, VolumeSpec, Volumes};
use crate::error::{Operation, Result};
use crate::http::{Method, Request};

/// A volume that has just been created: its handle, and what the engine tells of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CreatedVolume {
    /// The volume, by its name.
    pub volume: Volume,
    /// What an inspect would tell.
    pub inspect: Raw<VolumeInspect>,
}

impl Deref for CreatedVolume {
    type Target = Volume;

    fn deref(&self) -> &Volume {
        &self.volume
    }
}

impl Volumes {
    /// Creates a volume.
    ///
    /// `POST /volumes/create`, API 1.24+; a volume of the swarm, API 1.42+. A volume that has the name already is given
    /// as it is, whatever its labels and options, if its driver is the same. Engines look for a driver that they don't
    /// have for some 15 seconds.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// use longshore::{Mount, Spec, VolumeSpec};
    ///
    /// docker.volumes().create(&VolumeSpec::new("data").label("team", "core")).await?;
    /// let spec = Spec::image("postgres:17").mount(Mount::volume("data", "/var/lib/postgresql/data"));
    /// docker.containers().run(spec).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) for a name or options that the driver does not take (some options, on
    /// Podman 4: [`Server`](crate::ErrorKind::Server)); [`NotFound`](crate::ErrorKind::NotFound) for an unknown driver;
    /// [`Conflict`](crate::ErrorKind::Conflict) when a volume of another driver has the name;
    /// [`Unavailable`](crate::ErrorKind::Unavailable) or [`Conflict`](crate::ErrorKind::Conflict) for a volume of the
    /// swarm on an engine that rules none; [`Unsupported`](crate::ErrorKind::Unsupported) for one below API 1.42.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the volume may be created all the same.
    pub async fn create(&self, spec: &VolumeSpec) -> Result<CreatedVolume> {
        let inspect: Raw<VolumeInspect> = self.docker.send(create(spec)?).await?.raw().await?;
        Ok(CreatedVolume { volume: self.docker.volume(inspect.name.as_str()), inspect })
    }
}

fn create(spec: &VolumeSpec) -> Result<Request> {
    let operation = match spec.config.name.as_str() {
        "" => Operation::new("create volume"),
        name => Operation::on("create volume", name),
    };
    let body = spec.to_json(&operation)?;
    let mut request = Request::new(Method::Post, Path::new("volumes/create"), operation).unbounded().json(&body)?;
    if spec.config.cluster_volume_spec.is_some() {
        request.needs("a volume of the swarm", ApiVersion::new(1, 42));
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;
    use longshore_models::ClusterVolumeSpec;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        let head = "POST /volumes/create\nContent-Type: application/json\n\n";
        assert_eq!(text(create(&VolumeSpec::anonymous())), format!("{head}{{}}"));
        assert_eq!(text(create(&VolumeSpec::new("data"))), format!("{head}{{\"Name\":\"data\"}}"));
        let request = create(&VolumeSpec::new("data").cluster(ClusterVolumeSpec::default())).unwrap();
        assert_eq!(request.needs, [("a volume of the swarm", ApiVersion::new(1, 42))]);
    }
}
