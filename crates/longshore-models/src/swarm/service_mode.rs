//! How many tasks a service has.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::decode::{self, Decode, Place};
use crate::is_default;

/// Says how many tasks a service has, and whether they run on or to their end. The default is one that runs on.
///
/// ```
/// use longshore_models::ServiceMode;
///
/// let mode = ServiceMode::replicated(3);
/// assert_eq!(serde_json::to_value(&mode).unwrap()["Replicated"]["Replicas"], 3);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(into = "Map<String, Value>")]
#[non_exhaustive]
pub enum ServiceMode {
    /// A number of tasks that run on.
    Replicated {
        /// How many; `None` for one.
        replicas: Option<u64>,
    },
    /// A task on every node that it may run on, which runs on.
    Global,
    /// A number of tasks that each run to their end, API 1.41+.
    ReplicatedJob {
        /// How many at most run at a time; `None` for one.
        max_concurrent: Option<u64>,
        /// How many are to end well; `None` for as many as run at a time.
        total_completions: Option<u64>,
    },
    /// A task on every node that it may run on, which runs to its end, API 1.41+.
    GlobalJob,
    /// A mode this version does not know, as the engine writes it.
    Other(Map<String, Value>),
}

impl ServiceMode {
    /// A number of tasks that run on.
    pub fn replicated(replicas: u64) -> Self {
        Self::Replicated { replicas: Some(replicas) }
    }

    /// A number of tasks that each run to their end, so many at most at a time.
    pub fn replicated_job(total_completions: u64, max_concurrent: u64) -> Self {
        Self::ReplicatedJob { max_concurrent: Some(max_concurrent), total_completions: Some(total_completions) }
    }
}

impl Default for ServiceMode {
    fn default() -> Self {
        Self::Replicated { replicas: None }
    }
}

#[derive(Default, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
struct Replicated {
    #[serde(skip_serializing_if = "is_default")]
    replicas: Option<u64>,
}

#[derive(Default, Serialize, Decode)]
#[serde(rename_all = "PascalCase")]
struct ReplicatedJob {
    #[serde(skip_serializing_if = "is_default")]
    max_concurrent: Option<u64>,
    #[serde(skip_serializing_if = "is_default")]
    total_completions: Option<u64>,
}

impl Decode for ServiceMode {
    fn place(&mut self) -> Place<'_> {
        Place::through::<Map<String, Value>, _>(self)
    }
}

decode::deserialize!(ServiceMode);

impl From<Map<String, Value>> for ServiceMode {
    fn from(mode: Map<String, Value>) -> Self {
        known(&mode).unwrap_or(Self::Other(mode))
    }
}

fn known(mode: &Map<String, Value>) -> Option<ServiceMode> {
    let mut modes = mode.iter().filter(|(_, settings)| !settings.is_null());
    let Some((name, settings)) = modes.next() else {
        return mode.keys().all(|name| is_known(name)).then(ServiceMode::default);
    };
    if modes.next().is_some() || !settings.is_object() {
        return None;
    }
    match name.as_str() {
        "Replicated" => {
            let Replicated { replicas } = read(settings)?;
            Some(ServiceMode::Replicated { replicas })
        }
        "Global" => Some(ServiceMode::Global),
        "ReplicatedJob" => {
            let ReplicatedJob { max_concurrent, total_completions } = read(settings)?;
            Some(ServiceMode::ReplicatedJob { max_concurrent, total_completions })
        }
        "GlobalJob" => Some(ServiceMode::GlobalJob),
        _ => None,
    }
}

fn read<T: Decode + Default>(settings: &Value) -> Option<T> {
    decode::from_str(&settings.to_string()).ok()
}

fn is_known(name: &str) -> bool {
    matches!(name, "Replicated" | "Global" | "ReplicatedJob" | "GlobalJob")
}

impl From<ServiceMode> for Map<String, Value> {
    fn from(mode: ServiceMode) -> Self {
        let (name, settings) = match mode {
            ServiceMode::Replicated { replicas } => ("Replicated", json!(Replicated { replicas })),
            ServiceMode::Global => ("Global", json!({})),
            ServiceMode::ReplicatedJob { max_concurrent, total_completions } => {
                ("ReplicatedJob", json!(ReplicatedJob { max_concurrent, total_completions }))
            }
            ServiceMode::GlobalJob => ("GlobalJob", json!({})),
            ServiceMode::Other(mode) => return mode,
        };
        Map::from_iter([(name.to_owned(), settings)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> ServiceMode {
        decode::from_str(json).unwrap()
    }

    #[test]
    fn every_mode_comes_back_as_it_went() {
        for json in [
            json!({"Replicated": {"Replicas": 0}}),
            json!({"Replicated": {}}),
            json!({"Global": {}}),
            json!({"ReplicatedJob": {"MaxConcurrent": 2, "TotalCompletions": 5}}),
            json!({"ReplicatedJob": {}}),
            json!({"GlobalJob": {}}),
            json!({"Drifting": {"Speed": 7}}),
            json!({"Global": [1]}),
            json!({"Replicated": {"Replicas": 1}, "Global": {}}),
        ] {
            assert_eq!(serde_json::to_value(read(&json.to_string())).unwrap(), json);
        }
    }

    #[test]
    fn no_mode_is_one_task() {
        for json in ["{}", "null", r#"{"Replicated": null}"#] {
            assert_eq!(read(json), ServiceMode::Replicated { replicas: None }, "{json}");
        }
        assert_eq!(read(r#"{"Replicated": {"Replicas": 2}, "Global": null}"#), ServiceMode::replicated(2));
        assert_eq!(read(r#"{"Replicated": {"Replicas": -1}}"#), ServiceMode::replicated(0));
        assert!(matches!(read(r#"{"Drifting": null}"#), ServiceMode::Other(_)));
    }
}
