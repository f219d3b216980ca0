//! Decodes recorded answers of every engine, whole and broken in every place.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::fs;
use std::path::Path;

use longshore_models::decode::Decode;
use longshore_models::*;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const ENGINES: [&str; 4] = ["docker-20.10", "docker-26.1", "docker-sid", "podman"];

const NO_SWARM: &str = "it has no swarms";

/// Files an engine can't have, and why.
const ABSENT: [(&str, &str, &str); 39] = [
    ("podman", "build_message-buildkit_image", "it has no BuildKit"),
    ("podman", "build_message-trace", "it has no BuildKit"),
    ("podman", "build_prune", "it has no such cache"),
    ("podman", "event-connect", "it tells nothing of networks"),
    ("podman", "config_create", NO_SWARM),
    ("podman", "config_inspect", NO_SWARM),
    ("podman", "config_list", NO_SWARM),
    ("podman", "node_inspect", NO_SWARM),
    ("podman", "node_list", NO_SWARM),
    ("podman", "secret_create", NO_SWARM),
    ("podman", "secret_inspect", NO_SWARM),
    ("podman", "secret_list", NO_SWARM),
    ("podman", "service_create", NO_SWARM),
    ("podman", "service_inspect", NO_SWARM),
    ("podman", "service_inspect-job", NO_SWARM),
    ("podman", "service_inspect-updated", NO_SWARM),
    ("podman", "service_list", NO_SWARM),
    ("podman", "service_update", NO_SWARM),
    ("podman", "swarm_inspect", NO_SWARM),
    ("podman", "swarm_unlock_key", NO_SWARM),
    ("podman", "plugin_inspect", "it has no plugins"),
    ("podman", "plugin_list", "it has no plugins"),
    ("podman", "task_inspect", NO_SWARM),
    ("podman", "task_inspect-job", NO_SWARM),
    ("podman", "task_list", NO_SWARM),
    ("podman", "container_update", "there is no update in its API before version 5"),
    ("podman", "container_stats-stopped", "it answers nothing at all"),
    ("podman", "image_progress-load_layer", "it tells no progress of a load"),
    ("podman", "distribution_inspect", "it has no such call"),
    ("podman", "image_pull-containerd", "containerd is Docker's"),
    ("podman", "image_push-containerd", "containerd is Docker's"),
    ("docker-20.10", "image_pull-containerd", "it keeps no images in containerd"),
    ("docker-20.10", "image_push-containerd", "it keeps no images in containerd"),
    ("docker-20.10", "image_pull-slow", "it always tells how far a layer is; Podman only when that takes long"),
    ("docker-26.1", "image_pull-slow", "it always tells how far a layer is; Podman only when that takes long"),
    ("docker-sid", "image_pull-slow", "it always tells how far a layer is; Podman only when that takes long"),
    ("docker-20.10", "image_progress-failed", "it answers 500 when the registry can't be reached"),
    ("docker-26.1", "image_progress-failed", "it answers 500 when the registry can't be reached"),
    ("docker-sid", "image_progress-failed", "it answers 500 when the registry can't be reached"),
];

/// Fields that Podman adds and nobody needs typed; `Raw` still has them.
const UNMODELLED: [&str; 10] = [
    "container_list [].AdjustCPUShares",
    "container_list [].Config",
    "container_list [].Name",
    "container_list [].NetworkingConfig",
    "container_list [].Platform",
    "container_stats cpu_stats.cpu",
    "container_stats precpu_stats.cpu",
    "image_list [].Digest",
    "image_list [].History[]",
    "image_list [].Names[]",
];

/// Decodes by the name of the fixture, and shows the outcome.
fn decode(name: &str, json: &[u8]) -> Result<String, serde_json::Error> {
    let kind = name.split('-').next().unwrap_or(name);
    match kind {
        "auth" => show::<AuthResponse>(json),
        "build_message" | "image_progress" => show::<ProgressMessage>(json),
        "build_prune" => show::<BuildCachePruned>(json),
        "checkpoint_list" => show::<Vec<CheckpointSummary>>(json),
        "commit" | "config_create" | "exec_create" | "secret_create" => show::<IdResponse>(json),
        "config_inspect" => show::<ConfigInspect>(json),
        "config_list" => show::<Vec<ConfigInspect>>(json),
        "container_changes" => show::<Vec<FilesystemChange>>(json),
        "container_create" => show::<ContainerCreated>(json),
        "container_inspect" => show::<ContainerInspect>(json),
        "container_list" => show::<Vec<ContainerSummary>>(json),
        "container_prune" => show::<ContainersPruned>(json),
        "container_stats" => show::<ContainerStats>(json),
        "container_top" => show::<ContainerTop>(json),
        "container_update" => show::<ContainerUpdated>(json),
        "container_wait" => show::<WaitResponse>(json),
        "disk_usage" => show::<DiskUsage>(json),
        "distribution_inspect" => show::<DistributionInspect>(json),
        "error" => show::<ErrorResponse>(json),
        "event" => show::<EventMessage>(json),
        "exec_inspect" => show::<ExecInspect>(json),
        "image_attestation" => show::<Vec<AttestationStatement>>(json),
        "image_history" => show::<Vec<ImageHistoryItem>>(json),
        "image_inspect" => show::<ImageInspect>(json),
        "image_list" => show::<Vec<ImageSummary>>(json),
        "image_prune" => show::<ImagesPruned>(json),
        "image_pull" | "image_push" => show::<Vec<ProgressMessage>>(json),
        "image_remove" => show::<Vec<ImageDeleted>>(json),
        "image_search" => show::<Vec<ImageSearchItem>>(json),
        "info" => show::<SystemInfo>(json),
        "network_create" => show::<NetworkCreated>(json),
        "network_inspect" => show::<NetworkInspect>(json),
        "network_list" => show::<Vec<NetworkSummary>>(json),
        "network_prune" => show::<NetworksPruned>(json),
        "node_inspect" => show::<NodeInspect>(json),
        "node_list" => show::<Vec<NodeInspect>>(json),
        "plugin_inspect" => show::<PluginInspect>(json),
        "plugin_list" => show::<Vec<PluginInspect>>(json),
        "plugin_privileges" => show::<Vec<PluginPrivilege>>(json),
        "secret_inspect" => show::<SecretInspect>(json),
        "secret_list" => show::<Vec<SecretInspect>>(json),
        "service_create" => show::<ServiceCreated>(json),
        "service_inspect" => show::<ServiceInspect>(json),
        "service_list" => show::<Vec<ServiceInspect>>(json),
        "service_update" => show::<ServiceUpdated>(json),
        "swarm_inspect" => show::<SwarmInspect>(json),
        "swarm_unlock_key" => show::<UnlockKey>(json),
        "task_inspect" => show::<TaskInspect>(json),
        "task_list" => show::<Vec<TaskInspect>>(json),
        "version" => show::<SystemVersion>(json),
        "volume_create" | "volume_inspect" => show::<VolumeInspect>(json),
        "volume_list" => show::<VolumeList>(json),
        "volume_prune" => show::<VolumesPruned>(json),
        _ => panic!("no type for fixture {name}"),
    }
}

fn show<T: DeserializeOwned + Decode + Default + Debug>(json: &[u8]) -> Result<String, serde_json::Error> {
    let raw = Raw::<T>::decode(json);
    let by_serde = lenient::from_slice::<T>(json);
    assert_eq!(by_serde.as_ref().err().map(ToString::to_string), raw.as_ref().err().map(ToString::to_string));
    let raw = raw?;
    assert_eq!(format!("{:?}", by_serde?), format!("{raw:?}"));
    assert_eq!(raw.json().as_bytes(), json);
    Ok(format!("{raw:?}"))
}

/// Every fixture: folder, name and text.
fn fixtures() -> Vec<(String, String, Vec<u8>)> {
    let mut fixtures = Vec::new();
    for folder in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")).unwrap() {
        let folder = folder.unwrap();
        if !folder.file_type().unwrap().is_dir() {
            continue;
        }
        for file in fs::read_dir(folder.path()).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            fixtures.push((folder.file_name().into_string().unwrap(), name, fs::read(path).unwrap()));
        }
    }
    fixtures.sort();
    fixtures
}

#[test]
fn every_engine_has_every_fixture() {
    let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (folder, name, _) in fixtures() {
        names.entry(folder).or_default().insert(name);
    }
    let all: BTreeSet<String> = ENGINES.iter().filter_map(|engine| names.get(*engine)).flatten().cloned().collect();
    assert!(all.len() >= 20, "{all:?}");
    for engine in ENGINES {
        for name in &all {
            let absent = ABSENT.iter().any(|(other, file, _)| other == &engine && file == name);
            assert_ne!(names[engine].contains(name), absent, "fixture {name} of {engine}");
        }
    }
}

#[test]
fn every_fixture_decodes() {
    for (folder, name, json) in fixtures() {
        decode(&name, &json).unwrap_or_else(|error| panic!("{folder}/{name}: {error}"));
    }
    for name in [
        "container_inspect",
        "container_stats",
        "container_top",
        "disk_usage",
        "error",
        "exec_inspect",
        "image_inspect",
        "image_prune",
        "info",
        "service_inspect",
        "task_inspect",
        "version",
    ] {
        decode(name, b"{}").unwrap();
        decode(name, b"null").unwrap();
    }
}

/// Where a value is: the keys and indices on the way to it.
type Place = Vec<String>;

fn places(value: &Value, here: &Place, places: &mut Vec<Place>) {
    places.push(here.clone());
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(list) => list.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        _ => return,
    };
    for (key, child) in children {
        let mut place = here.clone();
        place.push(key);
        self::places(child, &place, places);
    }
}

fn at<'a>(value: &'a mut Value, place: &[String]) -> &'a mut Value {
    place.iter().fold(value, |value, key| match value {
        Value::Object(map) => map.get_mut(key).unwrap(),
        Value::Array(list) => list.get_mut(key.parse::<usize>().unwrap()).unwrap(),
        _ => unreachable!("places lead through objects and lists"),
    })
}

fn odd_values(value: &Value) -> Vec<Value> {
    match value {
        Value::String(_) => vec![Value::Null, json!("new-word"), json!("")],
        Value::Number(_) => vec![Value::Null, json!(-1), json!(u64::MAX), json!(i64::MIN), json!(0.5), json!(-1e300)],
        Value::Bool(_) => vec![Value::Null],
        Value::Array(_) => vec![Value::Null, json!([]), json!([null, null])],
        Value::Object(_) => vec![Value::Null, json!({}), json!({"NewField": null})],
        Value::Null => vec![],
    }
}

#[test]
fn one_odd_value_never_fails_a_response() {
    for (folder, name, json) in fixtures() {
        let whole: Value = serde_json::from_slice(&json).unwrap();
        let mut all = Vec::new();
        places(&whole, &Place::new(), &mut all);
        for place in all {
            let mut broken = whole.clone();
            for odd in odd_values(at(&mut broken, &place)) {
                *at(&mut broken, &place) = odd.clone();
                let json = serde_json::to_vec(&broken).unwrap();
                decode(&name, &json).unwrap_or_else(|error| panic!("{folder}/{name}, {place:?} is {odd}: {error}"));
            }
        }
    }
}

#[test]
fn a_renamed_key_never_fails_a_response() {
    for (folder, name, json) in fixtures() {
        let whole: Value = serde_json::from_slice(&json).unwrap();
        let mut all = Vec::new();
        places(&whole, &Place::new(), &mut all);
        for place in all {
            let Some((key, parent)) = place.split_last() else { continue };
            let mut broken = whole.clone();
            let Value::Object(map) = at(&mut broken, parent) else { continue };
            let value = map.remove(key).unwrap();
            map.insert("new-word".into(), value);
            let json = serde_json::to_vec(&broken).unwrap();
            decode(&name, &json).unwrap_or_else(|error| panic!("{folder}/{name}, {place:?} renamed: {error}"));
        }
    }
}

#[test]
fn everything_odd_at_once_decodes() {
    fn odd(value: &Value, lists_are_null: bool) -> Value {
        match value {
            Value::String(_) => json!("new-word"),
            Value::Number(_) => json!(-1),
            Value::Array(_) if lists_are_null => Value::Null,
            Value::Array(list) => list.iter().map(|value| odd(value, lists_are_null)).collect(),
            Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), odd(value, lists_are_null))).collect(),
            other => other.clone(),
        }
    }
    for (folder, name, json) in fixtures() {
        let whole: Value = serde_json::from_slice(&json).unwrap();
        for lists_are_null in [false, true] {
            let json = serde_json::to_vec(&odd(&whole, lists_are_null)).unwrap();
            decode(&name, &json).unwrap_or_else(|error| panic!("{folder}/{name}: {error}"));
        }
    }
}

/// Values that a field does not have, one of which would show or be refused if the field were modelled.
fn other_values(value: &Value) -> Vec<Value> {
    match value {
        Value::Bool(value) => vec![json!(!value)],
        Value::Number(number) => vec![json!(number.as_u64().unwrap_or(0) + 7)],
        Value::String(_) => vec![json!("new-word")],
        Value::Array(list) if list.is_empty() => vec![json!(["new-word"])],
        Value::Object(map) if map.is_empty() => vec![json!({"new-word": "new-word"}), json!([["new-word"]])],
        Value::Null => vec![json!("new-word"), json!(7)],
        // Its items are looked at themselves.
        Value::Array(_) | Value::Object(_) => vec![],
    }
}

#[test]
fn secrets_are_read_and_hidden() {
    for (folder, name, json) in fixtures() {
        let whole: Value = serde_json::from_slice(&json).unwrap();
        let secrets = match name.as_str() {
            "swarm_inspect" => {
                let tokens = Raw::<SwarmInspect>::from_slice(&json).unwrap().join_tokens.clone();
                vec![(tokens.worker, &whole["JoinTokens"]["Worker"]), (tokens.manager, &whole["JoinTokens"]["Manager"])]
            }
            "swarm_unlock_key" => {
                vec![(lenient::from_slice::<UnlockKey>(&json).unwrap().unlock_key, &whole["UnlockKey"])]
            }
            _ => continue,
        };
        let shown = decode(&name, &json).unwrap();
        for (secret, text) in secrets {
            assert_eq!(secret.expose(), text.as_str().unwrap(), "{folder}/{name}");
            assert!(!secret.is_empty() && !shown.contains(secret.expose()), "{folder}/{name}: {shown}");
        }
    }
}

#[test]
fn every_recorded_field_is_modelled() {
    let mut unmodelled = BTreeSet::new();
    for (folder, name, json) in fixtures() {
        if !ENGINES.contains(&folder.as_str()) {
            continue;
        }
        let whole: Value = serde_json::from_slice(&json).unwrap();
        let complete = decode(&name, &json).unwrap();
        let mut all = Vec::new();
        places(&whole, &Place::new(), &mut all);
        for place in all {
            let mut changed = whole.clone();
            let others = other_values(at(&mut changed, &place));
            let hidden = |other: &Value| {
                *at(&mut changed, &place) = other.clone();
                decode(&name, &serde_json::to_vec(&changed).unwrap()).is_ok_and(|outcome| outcome == complete)
            };
            if !others.is_empty() && others.iter().all(hidden) {
                let place = place.iter().map(|key| if key.parse::<usize>().is_ok() { "[]" } else { key });
                let place = place.collect::<Vec<_>>().join(".").replace(".[]", "[]");
                // What says the same as other fields, for clients of long ago.
                let is_repeated = name.starts_with("event-") && ["status", "id", "from", "time"].contains(&&*place);
                // The values of these are always empty objects; secrets are hidden from what is compared here.
                let is_empty = place.contains("Config.ExposedPorts.")
                    || place.contains("Config.Volumes.")
                    || (name == "network_list" && place == "[].Containers");
                let is_secret = place.starts_with("JoinTokens.") || place == "UnlockKey";
                if !is_empty && !is_secret && !is_repeated {
                    assert_eq!(folder, "podman", "{name} {place}");
                    unmodelled.insert(format!("{} {place}", name.split('-').next().unwrap()));
                }
            }
        }
    }
    assert_eq!(unmodelled, UNMODELLED.map(str::to_owned).into());
}
