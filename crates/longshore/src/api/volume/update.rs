use longshore_models::decode::Decode;
use longshore_models::{ClusterVolume, ClusterVolumeSpec, ObjectVersion, Raw};
use longshore_wire::version::ApiVersion;
use serde_json::{Value, json};

use super::{Volume, request};
use crate::api::swarm::object::{Object, update};
use crate::error::{ErrorKind, Result};
use crate::http::{Method, Request};

/// A volume as far as it is the swarm's.
#[derive(Debug, Default, Decode)]
#[serde(rename_all = "PascalCase")]
struct InSwarm {
    cluster_volume: ClusterVolume,
}

impl Object for InSwarm {
    type Spec = ClusterVolumeSpec;

    fn version(&self) -> ObjectVersion {
        self.cluster_volume.version
    }

    fn spec(&self) -> &ClusterVolumeSpec {
        &self.cluster_volume.spec
    }

    fn raw_spec(raw: &Raw<Self>) -> &Value {
        &raw["ClusterVolume"]["Spec"]
    }
}

impl Volume {
    /// Changes a volume of the swarm: reads it, lets `change` have its spec, and sends that with the version that was
    /// read, so that nobody else's change is lost.
    ///
    /// `PUT /volumes/{name}`, API 1.42+. Engines change the availability only, and read over all else.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// use longshore::models::VolumeAvailability;
    ///
    /// docker.volume("shared").update(|spec| spec.availability = VolumeAvailability::Drain).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound); [`Invalid`](ErrorKind::Invalid) for a volume that is not the swarm's;
    /// [`Conflict`](ErrorKind::Conflict) when somebody else has changed it meanwhile;
    /// [`Unsupported`](ErrorKind::Unsupported) below API 1.42.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the volume may be changed all the same.
    pub async fn update(&self, change: impl FnOnce(&mut ClusterVolumeSpec)) -> Result<()> {
        let request = read(&self.name)?;
        let operation = request.operation.clone();
        let volume: Raw<InSwarm> = self.docker.send(request).await?.raw().await?;
        // Engines find a volume by its name when they read it, but not when they change it.
        let id = &volume.cluster_volume.id;
        if id.is_empty() {
            return Err(operation.error(ErrorKind::Invalid, "the volume is not one of the swarm"));
        }
        let write = |version, spec: &Value| write(id, version, spec);
        update::<InSwarm>(&self.docker, || read(id), change, write).await?.finish().await
    }
}

fn read(name: &str) -> Result<Request> {
    let mut request = request(Method::Get, "update volume", name)?;
    request.needs("changing a volume of the swarm", ApiVersion::new(1, 42));
    Ok(request)
}

fn write(id: &str, version: ObjectVersion, spec: &Value) -> Result<Request> {
    let mut request = request(Method::Put, "update volume", id)?.json(&json!({ "Spec": spec }))?;
    request.query.push("version", version.index);
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        let request = read("data").unwrap();
        assert_eq!(request.needs, [("changing a volume of the swarm", ApiVersion::new(1, 42))]);
        assert_eq!(text(Ok(request)), "GET /volumes/data");
        assert_eq!(
            text(write("v1", ObjectVersion::new(7), &json!({ "Availability": "drain" }))),
            "PUT /volumes/v1?version=7\nContent-Type: application/json\n\n{\"Spec\":{\"Availability\":\"drain\"}}"
        );
    }
}
