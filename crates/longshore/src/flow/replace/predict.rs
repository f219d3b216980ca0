//! What Docker would make of a spec, without asking it to.
//!
//! The prediction knows Docker's usual defaults only. Where it is wrong, the engine is asked by creating the container,
//! so all that a wrong prediction costs is time.

use serde_json::{Map, Value, json};

use super::compare::environment;

/// The container that Docker makes of `spec` from `image`, as far as it counts, in the form of inspect. `info` is what
/// the engine tells of itself.
pub(super) fn predict(spec: &Value, image: &Value, info: &Value) -> Value {
    let mut config = spec.clone();
    if let Some(config) = config.as_object_mut() {
        config.remove("HostConfig");
        config.remove("NetworkingConfig");
        inherit(config, &image["Config"]);
    }
    let host_config = host_config(&spec["HostConfig"], info);
    if host_config["NetworkMode"] == "host" && is_empty(&config["Hostname"]) {
        config["Hostname"] = info["Name"].clone();
    }
    json!({
        "Image": image["Id"],
        "Config": config,
        "NetworkSettings": { "Networks": networks(spec, &host_config) },
        "HostConfig": host_config,
    })
}

/// Whether `image` is for the platform that the spec asks for, and `container` was made for that of the image.
pub(super) fn is_for_platform(platform: Option<&str>, image: &Value, container: &Value) -> bool {
    let of_image = ["Os", "Architecture", "Variant"].map(|part| image[part].as_str().unwrap_or_default());
    let asked = platform.is_none_or(|platform| {
        let parts: Vec<&str> = platform.split('/').collect();
        parts.len() > 1 && parts.iter().zip(of_image).all(|(asked, given)| *asked == given)
    });
    let made = &container["ImageManifestDescriptor"]["platform"];
    let parts = [(&made["os"], of_image[0]), (&made["architecture"], of_image[1])];
    asked && parts.iter().all(|(made, given)| made.as_str().is_none_or(|made| made == *given))
}

/// Fills in what the image says and the spec does not.
fn inherit(config: &mut Map<String, Value>, image: &Value) {
    if is_missing(config, "Entrypoint") {
        if is_missing(config, "Cmd") {
            config.insert("Cmd".to_owned(), image["Cmd"].clone());
            config.insert("ArgsEscaped".to_owned(), image["ArgsEscaped"].clone());
        }
        // An empty list, as opposed to none, takes the entry point of the image away.
        config.entry("Entrypoint").or_insert_with(|| image["Entrypoint"].clone());
    }
    for name in ["User", "WorkingDir", "StopSignal", "Shell", "Healthcheck"] {
        if is_missing(config, name) {
            config.insert(name.to_owned(), image[name].clone());
        }
    }
    if let Some(check) = config.get_mut("Healthcheck").and_then(Value::as_object_mut) {
        add_missing(check, &image["Healthcheck"]);
    }
    for name in ["Labels", "ExposedPorts", "Volumes"] {
        if let Some(own) = config.entry(name).or_insert_with(|| json!({})).as_object_mut() {
            add_missing(own, &image[name]);
        }
    }
    let list = |value: &Value| environment(value.as_array().map(Vec::as_slice).unwrap_or_default());
    let mut variables = list(&image["Env"]);
    variables.extend(config.get("Env").map(list).unwrap_or_default());
    let variables = variables.into_iter().map(|(name, value)| match value.as_str() {
        Some(value) => Value::from(format!("{name}={value}")),
        None => name.into(),
    });
    config.insert("Env".to_owned(), variables.collect());
}

fn add_missing(own: &mut Map<String, Value>, others: &Value) {
    for (name, value) in others.as_object().into_iter().flatten() {
        own.entry(name).or_insert_with(|| value.clone());
    }
}

fn is_missing(object: &Map<String, Value>, name: &str) -> bool {
    object.get(name).is_none_or(is_empty)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn host_config(spec: &Value, info: &Value) -> Value {
    let mut host_config = spec.as_object().cloned().unwrap_or_default();
    let options = info["SecurityOptions"].as_array().into_iter().flatten();
    let private_cgroups = options.filter_map(Value::as_str).any(|option| option == "name=cgroupns");
    let log_driver = match host_config.get("LogConfig") {
        Some(log) if !is_empty(&log["Type"]) => log.clone(),
        Some(log) => json!({ "Type": info["LoggingDriver"], "Config": log["Config"] }),
        None => json!({ "Type": info["LoggingDriver"] }),
    };
    let memory = host_config.get("Memory").and_then(Value::as_i64).unwrap_or_default();
    host_config.insert("LogConfig".to_owned(), log_driver);
    let defaults = [
        ("CgroupnsMode", if private_cgroups { "private" } else { "host" }.into()),
        ("IpcMode", "private".into()),
        ("MemorySwap", memory.saturating_mul(2).into()),
        ("NetworkMode", "bridge".into()),
        ("Runtime", info["DefaultRuntime"].clone()),
        ("ShmSize", (64 * 1024 * 1024).into()),
    ];
    for (name, value) in defaults {
        if host_config.get(name).is_none_or(|given| is_empty(given) || *given == 0) {
            host_config.insert(name.to_owned(), value);
        }
    }
    Value::Object(host_config)
}

fn networks(spec: &Value, host_config: &Value) -> Value {
    let mut networks = spec["NetworkingConfig"]["EndpointsConfig"].as_object().cloned().unwrap_or_default();
    let mode = match host_config["NetworkMode"].as_str() {
        None | Some("" | "default") => "bridge",
        Some(mode) => mode,
    };
    match spec["NetworkDisabled"] == true || mode.starts_with("container:") {
        true => networks.clear(),
        false => _ = networks.entry(mode).or_insert_with(|| json!({})),
    }
    Value::Object(networks)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BARE: Value = Value::Null;

    fn image() -> Value {
        json!({
            "Id": "sha256:1",
            "Os": "linux",
            "Architecture": "arm64",
            "Variant": "v8",
            "Config": {
                "Cmd": ["serve"],
                "Entrypoint": ["/entry"],
                "Env": ["PATH=/bin", "LANG=C"],
                "Labels": { "vendor": "x" },
                "ExposedPorts": { "80/tcp": {} },
                "Healthcheck": { "Test": ["CMD", "true"], "Retries": 5 },
                "StopSignal": "SIGQUIT",
                "User": "web",
            },
        })
    }

    #[test]
    fn what_a_spec_leaves_out_is_the_image_s() {
        let made = predict(&json!({ "Image": "a" }), &image(), &BARE);
        assert_eq!(made["Image"], "sha256:1");
        for name in ["Cmd", "Entrypoint", "Labels", "ExposedPorts", "Healthcheck", "StopSignal", "User"] {
            assert_eq!(made["Config"][name], image()["Config"][name], "{name}");
        }
    }

    #[test]
    fn what_a_spec_says_goes_over_the_image_or_is_added_to_it() {
        let spec = json!({
            "Image": "a",
            "Env": ["LANG=de", "PATH"],
            "Labels": { "team": "core" },
            "ExposedPorts": { "443/tcp": {} },
            "Healthcheck": { "Interval": 5 },
            "User": "root",
        });
        let config = &predict(&spec, &image(), &BARE)["Config"];
        assert_eq!(config["Env"], json!(["LANG=de", "PATH"]));
        assert_eq!(config["Labels"], json!({ "team": "core", "vendor": "x" }));
        assert_eq!(config["ExposedPorts"], json!({ "80/tcp": {}, "443/tcp": {} }));
        assert_eq!(config["Healthcheck"], json!({ "Test": ["CMD", "true"], "Retries": 5, "Interval": 5 }));
        assert_eq!(config["User"], "root");
    }

    #[test]
    fn an_entry_point_takes_the_command_of_the_image_away() {
        let command = |spec: Value| {
            let made = predict(&spec, &image(), &BARE);
            (made["Config"]["Entrypoint"].clone(), made["Config"]["Cmd"].clone())
        };
        assert_eq!(command(json!({ "Cmd": ["x"] })), (json!(["/entry"]), json!(["x"])));
        assert_eq!(command(json!({ "Entrypoint": ["x"] })), (json!(["x"]), Value::Null));
        assert_eq!(command(json!({ "Entrypoint": [] })), (json!([]), json!(["serve"])));
    }

    #[test]
    fn the_engine_tells_its_defaults() {
        let info = json!({
            "Name": "metal",
            "LoggingDriver": "journald",
            "DefaultRuntime": "crun",
            "SecurityOptions": ["name=cgroupns"],
        });
        let spec =
            json!({ "HostConfig": { "NetworkMode": "host", "Memory": 5, "LogConfig": { "Config": { "a": "b" } } } });
        let made = predict(&spec, &image(), &info);
        assert_eq!(made["Config"]["Hostname"], "metal");
        assert_eq!(made["NetworkSettings"]["Networks"], json!({ "host": {} }));
        let host_config = &made["HostConfig"];
        assert_eq!(host_config["LogConfig"], json!({ "Type": "journald", "Config": { "a": "b" } }));
        assert_eq!(host_config["Runtime"], "crun");
        assert_eq!(host_config["CgroupnsMode"], "private");
        assert_eq!(host_config["MemorySwap"], 10);
    }

    #[test]
    fn the_networks_are_those_of_the_spec_and_that_of_its_mode() {
        let networks = |spec: Value| predict(&spec, &image(), &BARE)["NetworkSettings"]["Networks"].clone();
        assert_eq!(networks(json!({})), json!({ "bridge": {} }));
        assert_eq!(networks(json!({ "HostConfig": { "NetworkMode": "default" } })), json!({ "bridge": {} }));
        assert_eq!(networks(json!({ "HostConfig": { "NetworkMode": "container:db" } })), json!({}));
        assert_eq!(networks(json!({ "NetworkDisabled": true })), json!({}));
        let connected = json!({ "a": { "Aliases": ["x"] }, "b": {} });
        let spec = json!({
            "HostConfig": { "NetworkMode": "a" },
            "NetworkingConfig": { "EndpointsConfig": connected },
        });
        assert_eq!(networks(spec), connected);
    }

    #[test]
    fn a_platform_is_that_of_the_image_and_of_the_container() {
        let made = json!({ "ImageManifestDescriptor": { "platform": { "os": "linux", "architecture": "arm64" } } });
        let other = json!({ "ImageManifestDescriptor": { "platform": { "os": "linux", "architecture": "amd64" } } });
        for platform in [None, Some("linux/arm64"), Some("linux/arm64/v8")] {
            assert!(is_for_platform(platform, &image(), &BARE));
            assert!(is_for_platform(platform, &image(), &made));
            assert!(!is_for_platform(platform, &image(), &other));
        }
        for platform in ["linux/amd64", "linux/arm64/v7", "arm64", ""] {
            assert!(!is_for_platform(Some(platform), &image(), &BARE), "{platform}");
        }
    }
}
