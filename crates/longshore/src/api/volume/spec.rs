use longshore_models::{ClusterVolumeSpec, VolumeCreate};
use serde_json::Value;

use crate::api::set;
use crate::error::{Operation, Result};

/// What a volume is made from: its name and all its settings.
///
/// What this version of the library does not know yet can be [`set`](VolumeSpec::set) by its path.
///
/// ```
/// use longshore::VolumeSpec;
///
/// let spec = VolumeSpec::new("data").label("team", "core");
/// let memory = VolumeSpec::new("scratch").option("type", "tmpfs").option("device", "tmpfs").option("o", "size=64m");
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct VolumeSpec {
    /// Everything that can be asked for.
    pub config: VolumeCreate,
    set: Vec<(String, Value)>,
}

impl VolumeSpec {
    /// A volume of this name, of the driver `local`.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        let mut spec = VolumeSpec::default();
        spec.config.name = name.into();
        spec
    }

    /// A volume to which the engine gives a name, and which it prunes like those that containers made without one.
    #[must_use]
    pub fn anonymous() -> Self {
        VolumeSpec::default()
    }

    /// Picks the driver.
    #[must_use]
    pub fn driver(mut self, name: impl Into<String>) -> Self {
        self.config.driver = name.into();
        self
    }

    /// Sets an option that the driver understands; `local` understands `type`, `device` and `o` as `mount` does.
    #[must_use]
    #[doc(alias = "driver_opt")]
    pub fn option(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.config.driver_opts.insert(key.into(), value.into());
        self
    }

    /// Sets a label.
    #[must_use]
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.config.labels.insert(name.into(), value.into());
        self
    }

    /// Makes it a volume of the swarm, whose driver is a plugin that speaks CSI. API 1.42+.
    #[must_use]
    pub fn cluster(mut self, spec: ClusterVolumeSpec) -> Self {
        self.config.cluster_volume_spec = Some(spec);
        self
    }

    /// Sets any property of the request by its path, such as `ClusterVolumeSpec.NewField`, over whatever else is set
    /// there.
    #[must_use]
    pub fn set(mut self, path: impl Into<String>, value: impl Into<Value>) -> Self {
        self.set.push((path.into(), value.into()));
        self
    }

    /// The JSON of the request.
    pub(super) fn to_json(&self, operation: &Operation) -> Result<Value> {
        set::to_json(operation, &self.config, &self.set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn setters_write_what_the_engine_reads() {
        let json = |spec: &VolumeSpec| spec.to_json(&Operation::new("create volume")).unwrap();
        assert_eq!(json(&VolumeSpec::anonymous()), json!({}));
        let spec = VolumeSpec::new("data")
            .driver("local")
            .option("type", "tmpfs")
            .label("team", "core")
            .cluster(ClusterVolumeSpec::default().group("fast"))
            .set("ClusterVolumeSpec.NewField", 7);
        assert_eq!(
            json(&spec),
            json!({
                "Name": "data",
                "Driver": "local",
                "DriverOpts": { "type": "tmpfs" },
                "Labels": { "team": "core" },
                "ClusterVolumeSpec": { "Group": "fast", "Availability": "active", "NewField": 7 },
            })
        );
    }
}
