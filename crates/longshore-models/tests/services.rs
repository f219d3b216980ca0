//! What goes out for services: every property of the API, nothing that was not set, and what came in as it was.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use longshore_models::*;
use serde::Serialize;
use serde_json::{Value, json};

fn encode(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

fn decode<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    lenient::from_slice(value.to_string().as_bytes()).unwrap()
}

/// Every property of a service from API 1.41 to 1.55 goes in and comes out unchanged.
#[test]
fn a_spec_with_everything() {
    let golden: Value = serde_json::from_str(include_str!("golden/service_create.json")).unwrap();
    let spec: ServiceSpec = decode(&golden);
    assert_eq!(encode(&spec), golden);
    assert_eq!(spec.task_template.container_spec.init, Some(false));
    assert_eq!(spec.task_template.resources.swap_bytes, Some(-1));
    let seccomp = spec.task_template.container_spec.privileges.seccomp.clone().unwrap();
    assert_eq!(seccomp, Seccomp::custom(r#"{"defaultAction":"SCMP_ACT_ALLOW"}"#));

    // The same from the text that goes over the wire, not from a tree.
    let text = serde_json::to_string(&spec).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), golden);
}

#[test]
fn nothing_set_is_nothing_sent() {
    assert_eq!(encode(&ServiceSpec::default()), json!({}));
    assert_eq!(encode(&TaskSpec::default()), json!({}));
    assert_eq!(encode(&ContainerSpec::default()), json!({}));
    assert_eq!(encode(&Seccomp::default()), json!({}));
    assert_eq!(encode(&EndpointPortConfig::default()), json!({}));
    // There, leaving it out would mean 0 all the same.
    assert_eq!(encode(&UpdateConfig::default()), json!({"Parallelism": 0}));
    assert_eq!(encode(&FileTarget::new("a")), json!({"Name": "a", "UID": "0", "GID": "0", "Mode": 0o444}));
}

#[test]
fn a_spec_as_users_write_it() {
    let mut spec = ServiceSpec::default();
    spec.mode = ServiceMode::replicated_job(5, 2);
    spec.update_config =
        Some(UpdateConfig::parallelism(1).monitor(Duration::from_secs(5)).max_failure_ratio(0.5).start_first());
    spec.endpoint_spec.ports = vec![EndpointPortConfig::new(Port::sctp(7)).published(8).host()];
    let task = &mut spec.task_template;
    task.restart_policy = TaskRestartPolicy::any().delay(Duration::ZERO).max_attempts(0).window(Duration::from_secs(1));
    task.placement.preferences.push(PlacementPreference::spread("node.labels.rack"));
    task.networks.push(NetworkAttachmentConfig::new("backend").alias("www").driver_opt("a", "b"));
    task.plugin_spec = Some(PluginSpec::new("example/sample:1"));
    let container = &mut task.container_spec;
    container.stop_grace_period = Some(Duration::ZERO);
    container.privileges.seccomp = Some(Seccomp::unconfined());
    container.privileges.app_armor = Some(AppArmor::disabled());
    container.secrets.push(SecretReference::new("s1", "key").file_name("site.key").owner(33, 34).mode(0o400));
    container.configs.push(SwarmConfigReference::new("c1", "site").file_name("/etc/site").owner(1, 2).mode(0o440));
    container.configs.push(SwarmConfigReference::for_runtime("c2", "account"));
    assert_eq!(
        encode(&spec),
        json!({
            "Mode": {"ReplicatedJob": {"MaxConcurrent": 2, "TotalCompletions": 5}},
            "UpdateConfig":
                {"Parallelism": 1, "Monitor": 5_000_000_000_u64, "MaxFailureRatio": 0.5, "Order": "start-first"},
            "EndpointSpec": {"Ports":
                [{"Protocol": "sctp", "TargetPort": 7, "PublishedPort": 8, "PublishMode": "host"}]},
            "TaskTemplate": {
                "RestartPolicy": {"Delay": 0, "MaxAttempts": 0, "Window": 1_000_000_000},
                "Placement": {"Preferences": [{"Spread": {"SpreadDescriptor": "node.labels.rack"}}]},
                "Networks": [{"Target": "backend", "Aliases": ["www"], "DriverOpts": {"a": "b"}}],
                "PluginSpec": {"remote": "example/sample:1"},
                "ContainerSpec": {
                    "StopGracePeriod": 0,
                    "Privileges": {"Seccomp": {"Mode": "unconfined"}, "AppArmor": {"Mode": "disabled"}},
                    "Secrets": [{"SecretID": "s1", "SecretName": "key", "File":
                        {"Name": "site.key", "UID": "33", "GID": "34", "Mode": 0o400}}],
                    "Configs": [
                        {"ConfigID": "c1", "ConfigName": "site", "File":
                            {"Name": "/etc/site", "UID": "1", "GID": "2", "Mode": 0o440}},
                        {"ConfigID": "c2", "ConfigName": "account", "Runtime": {}},
                    ],
                },
            },
        })
    );
}

/// Whether `part` says nothing that `whole` does not say; a default may be left out in `part`.
fn is_part_of(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => {
            part.iter().all(|(key, part)| whole.get(key).is_some_and(|whole| is_part_of(part, whole)))
        }
        (Value::Array(part), Value::Array(whole)) => {
            part.len() == whole.len() && part.iter().zip(whole).all(|(part, whole)| is_part_of(part, whole))
        }
        _ => part == whole,
    }
}

#[test]
fn what_an_engine_tells_is_sent_back_as_it_is() {
    let mut count = 0;
    for engine in ["docker-20.10", "docker-26.1", "docker-sid", "newest"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(engine);
        for file in fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
            if file.file_name().unwrap().to_str().unwrap().starts_with("service_inspect") {
                let recorded: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
                let service: ServiceInspect = decode(&recorded);
                let sent = encode(&service.spec);
                assert!(is_part_of(&sent, &recorded["Spec"]), "{}: {sent:#}", file.display());
                assert_eq!(decode::<ServiceSpec>(&sent), service.spec);
                count += 1;
            }
        }
    }
    assert_eq!(count, 10);
}

#[test]
fn states_have_an_order() {
    assert!(TaskState::Pending < TaskState::Running && TaskState::Running < TaskState::Complete);
    for state in ["complete", "shutdown", "failed", "rejected", "remove", "orphaned"] {
        assert!(TaskState::from(state).has_ended(), "{state}");
    }
    for state in ["", "new", "pending", "ready", "starting", "running", "dreaming"] {
        assert!(!TaskState::from(state).has_ended(), "{state}");
    }
}
