//! Whether two containers were made from the same, by what the engine tells of them.
//!
//! What an engine adds by itself (addresses, a host name made of the id, ports it picks, names of anonymous volumes) is
//! left out, and so is the difference between a setting that is empty and one that is missing.

use serde_json::{Map, Value};

/// The maps whose entries are the user's own: nothing in them is left out for being empty.
const MAPS: [&str; 10] = [
    "Annotations",
    "Config",
    "DriverOpts",
    "ExposedPorts",
    "Labels",
    "Options",
    "StorageOpt",
    "Sysctls",
    "Tmpfs",
    "Volumes",
];

/// The settings where zero or `false` says something else than nothing.
const TELLING: [&str; 3] = ["Init", "MemorySwappiness", "StopTimeout"];

/// The lists whose order means nothing.
const UNORDERED: [&str; 8] = ["Aliases", "Binds", "CapAdd", "CapDrop", "GroupAdd", "Links", "Mounts", "SecurityOpt"];

/// What Docker hides of `/proc` and `/sys` in every version.
const MASKED: [&str; 10] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/firmware",
];

/// What Docker makes read-only in every version.
const READ_ONLY: [&str; 5] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// Tells the first setting in which the container `existing` differs from the container `wanted`, which the engine made
/// from `spec`, or which it would make. Both are as inspect tells them.
pub(super) fn difference(spec: &Value, wanted: &Value, existing: &Value) -> Option<String> {
    let said = spec.to_string();
    let (mut left, mut right) = (essence(wanted, &said), essence(existing, &said));
    forget_assigned_ports(spec, &mut left, &mut right);
    forget_added_environment(&left, &mut right);
    forget_unsettled_runtime(spec, &mut left, &mut right);
    first_difference(&left, &right).or_else(|| other_address(spec, wanted, existing))
}

/// The settings of a container that count.
fn essence(inspect: &Value, said: &str) -> Value {
    let id = inspect["Id"].as_str().unwrap_or_default();
    let short_id = id.get(..12).unwrap_or(id);
    let mut config = pruned(&inspect["Config"]);
    let mut host_config = pruned(&inspect["HostConfig"]);
    tidy_host_config(&mut host_config, said);
    tidy_config(&mut config, short_id, host_config["NetworkMode"].as_str().unwrap_or_default());
    let networks = inspect["NetworkSettings"]["Networks"].as_object().into_iter().flatten();
    let networks = networks.map(|(name, endpoint)| (name.clone(), connection(endpoint, short_id)));
    serde_json::json!({
        "Image": inspect["Image"],
        "Config": config,
        "HostConfig": host_config,
        "Networks": object(networks),
    })
}

/// A copy without what is empty, and with what has no order in one.
fn pruned(value: &Value) -> Value {
    match value {
        Value::Object(fields) => object(fields.iter().filter_map(pruned_entry)).into(),
        Value::Array(list) => list.iter().map(pruned).collect(),
        value => value.clone(),
    }
}

fn pruned_entry((name, value): (&String, &Value)) -> Option<(String, Value)> {
    let name = name.as_str();
    let mut value = if MAPS.contains(&name) { value.clone() } else { pruned(value) };
    if let Value::Array(list) = &mut value
        && (UNORDERED.contains(&name) || name.contains('/') || name == "Ulimits")
    {
        list.sort_by_key(Value::to_string);
    }
    let empty = match &value {
        Value::Null => true,
        Value::Bool(flag) => !flag && !TELLING.contains(&name),
        Value::Number(number) => number.as_f64() == Some(0.0) && !TELLING.contains(&name),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.iter().all(|item| item == 0),
        Value::Object(object) => object.is_empty(),
    };
    (!empty).then(|| (name.to_owned(), value))
}

fn tidy_config(config: &mut Value, short_id: &str, network_mode: &str) {
    let Some(config) = config.as_object_mut() else { return };
    // The image counts by its id.
    config.remove("Image");
    let made_up = config.get("Hostname").is_some_and(|name| name == short_id);
    if made_up || network_mode.starts_with("container:") {
        config.remove("Hostname");
    }
    if let Some(Value::Array(entries)) = config.remove("Env") {
        config.insert("Env".to_owned(), environment(&entries).into());
    }
}

/// The variables by name; one without a value takes the image's away.
pub(super) fn environment(entries: &[Value]) -> Map<String, Value> {
    let entries = entries.iter().filter_map(Value::as_str);
    let pairs = entries.map(|entry| match entry.split_once('=') {
        Some((name, value)) => (name.to_owned(), value.into()),
        None => (entry.to_owned(), Value::Null),
    });
    object(pairs)
}

/// Takes the fields one by one: to collect them is to sort them, which is a lot of code for each place that does it.
fn object(fields: impl Iterator<Item = (String, Value)>) -> Map<String, Value> {
    let mut object = Map::new();
    object.extend(fields);
    object
}

fn tidy_host_config(host_config: &mut Value, said: &str) {
    let Some(host_config) = host_config.as_object_mut() else { return };
    if host_config.get("RestartPolicy").is_some_and(|policy| policy["Name"] == "no") {
        host_config.remove("RestartPolicy");
    }
    let mode = host_config.entry("NetworkMode").or_insert_with(|| "bridge".into());
    if mode == "default" {
        *mode = "bridge".into();
    }
    if host_config.get("MaskedPaths").is_some_and(|paths| are_default_paths(paths, &MASKED)) {
        host_config.remove("MaskedPaths");
    }
    if host_config.get("ReadonlyPaths").is_some_and(|paths| are_default_paths(paths, &READ_ONLY)) {
        host_config.remove("ReadonlyPaths");
    }
    for (name, tidy) in [("Links", link as fn(&str, &str) -> Option<String>), ("Binds", anonymous_bind)] {
        let items = host_config.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten();
        for item in items {
            if let Some(tidied) = item.as_str().and_then(|text| tidy(text, said)) {
                *item = tidied.into();
            }
        }
    }
}

/// Whether these are the paths that Docker covers up unless told otherwise. Newer versions cover up more.
fn are_default_paths(paths: &Value, always: &[&str]) -> bool {
    let paths: Vec<&str> = paths.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let known = |path: &str| {
        always.contains(&path)
            || matches!(path, "/proc/interrupts" | "/sys/devices/virtual/powercap")
            || path.starts_with("/sys/devices/system/cpu/") && path.ends_with("/thermal_throttle")
    };
    always.iter().all(|path| paths.contains(path)) && paths.iter().all(|path| known(path))
}

/// A link without the name of the container that has it: `/db:/web/alias` is `db:alias`, and so is `db:alias`.
fn link(text: &str, _said: &str) -> Option<String> {
    let (other, alias) = text.split_once(':').unwrap_or((text, text));
    let alias = alias.rsplit('/').next().unwrap_or(alias);
    Some(format!("{}:{alias}", other.trim_start_matches('/')))
}

/// A bind of a volume whose name the engine made up, without that name.
fn anonymous_bind(text: &str, said: &str) -> Option<String> {
    let (source, rest) = text.split_once(':')?;
    let made_up = source.len() == 64 && source.bytes().all(|byte| byte.is_ascii_hexdigit()) && !said.contains(source);
    made_up.then(|| format!(":{rest}"))
}

/// What is set of a connection to a network, as opposed to what came of it.
fn connection(endpoint: &Value, short_id: &str) -> Value {
    let mut kept = Map::new();
    for name in ["Aliases", "DriverOpts", "GwPriority", "IPAMConfig", "Links"] {
        kept.insert(name.to_owned(), endpoint[name].clone());
    }
    if let Some(Value::Array(aliases)) = kept.get_mut("Aliases") {
        aliases.retain(|alias| alias != short_id);
    }
    pruned(&Value::Object(kept))
}

/// Forgets the host ports that the engine picked when it created the container, as Podman does.
fn forget_assigned_ports(spec: &Value, wanted: &mut Value, existing: &mut Value) {
    let Some(bindings) = wanted["HostConfig"]["PortBindings"].as_object() else { return };
    let given = |port: &str| {
        let said = spec["HostConfig"]["PortBindings"][port].as_array();
        said.is_some_and(|list| {
            list.iter().all(|binding| !matches!(binding["HostPort"].as_str(), None | Some("" | "0")))
        })
    };
    let assigned: Vec<String> = bindings.keys().filter(|port| !given(port)).cloned().collect();
    for side in [wanted, existing] {
        for port in &assigned {
            let bindings = side.pointer_mut("/HostConfig/PortBindings").and_then(|ports| ports.get_mut(port));
            let bindings = bindings.and_then(Value::as_array_mut);
            for binding in bindings.into_iter().flatten().filter_map(Value::as_object_mut) {
                binding.remove("HostPort");
            }
        }
    }
}

/// Forgets the variables that Podman sets when it starts a container.
fn forget_added_environment(wanted: &Value, existing: &mut Value) {
    let Some(variables) = existing.pointer_mut("/Config/Env").and_then(Value::as_object_mut) else { return };
    if variables.get("container").is_some_and(|engine| engine == "podman") {
        for name in ["HOME", "HOSTNAME"] {
            if wanted["Config"]["Env"].get(name).is_none() {
                variables.remove(name);
            }
        }
    }
}

/// Forgets a runtime that is the engine's choice where it has not been made yet: Docker 20.10 may leave it to the start.
fn forget_unsettled_runtime(spec: &Value, wanted: &mut Value, existing: &mut Value) {
    let settled = |side: &Value| side["HostConfig"]["Runtime"].is_string();
    if spec["HostConfig"]["Runtime"].is_null() && !(settled(wanted) && settled(existing)) {
        for side in [wanted, existing] {
            if let Some(host_config) = side.pointer_mut("/HostConfig").and_then(Value::as_object_mut) {
                host_config.remove("Runtime");
            }
        }
    }
}

/// The path of the first value that is not the same.
fn first_difference(left: &Value, right: &Value) -> Option<String> {
    let (Value::Object(left), Value::Object(right)) = (left, right) else {
        return (left != right).then(String::new);
    };
    let names = left.keys().chain(right.keys().filter(|name| !left.contains_key(*name)));
    names.into_iter().find_map(|name| {
        let inner = match (left.get(name), right.get(name)) {
            (Some(left), Some(right)) => first_difference(left, right)?,
            _ => String::new(),
        };
        Some(if inner.is_empty() { name.clone() } else { format!("{name}.{inner}") })
    })
}

/// The first address in the spec that the container does not have although it is connected.
///
/// Some engines heed the addresses of a spec but don't repeat them; what the container got tells it then. An engine
/// that repeats an address it does not heed is not asked about it: Docker before 25 does so with MAC addresses.
fn other_address(spec: &Value, wanted: &Value, existing: &Value) -> Option<String> {
    let networks = spec["NetworkingConfig"]["EndpointsConfig"].as_object()?;
    networks.iter().find_map(|(name, said)| {
        let wanted = &wanted["NetworkSettings"]["Networks"][name];
        let existing = &existing["NetworkSettings"]["Networks"][name];
        let heeds_mac = existing.get("DNSNames").is_some();
        let addresses = [
            (&said["IPAMConfig"]["IPv4Address"], &wanted["IPAMConfig"]["IPv4Address"], "IPAddress", true),
            (&said["IPAMConfig"]["IPv6Address"], &wanted["IPAMConfig"]["IPv6Address"], "GlobalIPv6Address", true),
            (&said["MacAddress"], &wanted["MacAddress"], "MacAddress", heeds_mac),
        ];
        let differs = |(said, told, field, heeded): &(&Value, &Value, &str, bool)| {
            let got = existing[*field].as_str().unwrap_or_default();
            let counts = *heeded || told.as_str().unwrap_or_default().is_empty();
            let said = said.as_str().unwrap_or_default();
            counts && !said.is_empty() && !got.is_empty() && !said.eq_ignore_ascii_case(got)
        };
        addresses.iter().find(|address| differs(address)).map(|(_, _, field, _)| format!("Networks.{name}.{field}"))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::flow::replace::predict::predict;

    /// What engines told of two containers of one spec, one just created and one running.
    macro_rules! recorded {
        ($name:literal) => {
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recorded/replace/", $name, ".json"))
        };
    }

    const DOCKER: [&str; 3] = [recorded!("docker-20.10"), recorded!("docker-26.1"), recorded!("docker-28.5")];
    const PODMAN: &str = recorded!("podman-4.3");

    fn parse(json: &str) -> Value {
        serde_json::from_str(json).unwrap()
    }

    fn spec() -> Value {
        parse(recorded!("spec"))
    }

    fn with(container: &Value, pointer: &str, value: Value) -> Value {
        let mut changed = container.clone();
        let (place, name) = pointer.rsplit_once('/').unwrap();
        let place = changed.pointer_mut(place).unwrap().as_object_mut().unwrap();
        place.insert(name.replace("~1", "/"), value);
        changed
    }

    #[test]
    fn two_containers_of_one_spec_are_the_same_on_every_engine() {
        for recorded in DOCKER.into_iter().chain([PODMAN]) {
            let recorded = parse(recorded);
            assert_eq!(difference(&spec(), &recorded["created"], &recorded["running"]), None);
        }
    }

    #[test]
    fn what_docker_makes_of_a_spec_is_foreseen() {
        for recorded in DOCKER {
            let recorded = parse(recorded);
            let predicted = predict(&spec(), &recorded["image"], &recorded["info"]);
            assert_eq!(difference(&spec(), &predicted, &recorded["running"]), None);
            assert_eq!(difference(&spec(), &predicted, &recorded["created"]), None);
        }
    }

    #[test]
    fn a_change_is_found_on_every_engine() {
        let changes = [
            ("/Image", json!("sha256:other"), "Image"),
            ("/Config/Cmd", json!(["sleep", "2000"]), "Config.Cmd"),
            ("/Config/Env", json!(["A=2", "EMPTY="]), "Config.Env"),
            ("/Config/ExposedPorts", json!({ "80/tcp": {} }), "Config.ExposedPorts.53/udp"),
            ("/Config/Healthcheck", Value::Null, "Config.Healthcheck"),
            ("/Config/Hostname", json!("web"), "Config.Hostname"),
            ("/Config/Labels", json!({ "team": "core" }), "Config.Labels.flag"),
            ("/Config/Labels", json!({ "team": "core", "flag": "", "new": "" }), "Config.Labels.new"),
            ("/Config/StopSignal", Value::Null, "Config.StopSignal"),
            ("/Config/StopTimeout", json!(0), "Config.StopTimeout"),
            ("/Config/Tty", json!(true), "Config.Tty"),
            ("/HostConfig/Binds", json!(["/etc:/mnt"]), "HostConfig.Binds"),
            ("/HostConfig/CapAdd", json!(["NET_ADMIN", "SYS_TIME"]), "HostConfig.CapAdd"),
            ("/HostConfig/Dns", json!(["8.8.8.8", "1.1.1.1"]), "HostConfig.Dns"),
            ("/HostConfig/LogConfig", json!({ "Type": "none" }), "HostConfig.LogConfig.Type"),
            ("/HostConfig/MaskedPaths", json!(["/proc/kcore"]), "HostConfig.MaskedPaths"),
            ("/HostConfig/Memory", json!(1 << 30), "HostConfig.Memory"),
            ("/HostConfig/NetworkMode", json!("host"), "HostConfig.NetworkMode"),
            ("/HostConfig/PortBindings", Value::Null, "HostConfig.PortBindings"),
            ("/HostConfig/PortBindings/53~1udp", Value::Null, "HostConfig.PortBindings.53/udp"),
            (
                "/HostConfig/PortBindings/80~1tcp",
                json!([{ "HostIp": "127.0.0.1", "HostPort": "18081" }]),
                "HostConfig.PortBindings.80/tcp",
            ),
            ("/HostConfig/RestartPolicy/Name", json!("no"), "HostConfig.RestartPolicy"),
            ("/HostConfig/Runtime", json!("kata"), "HostConfig.Runtime"),
            ("/HostConfig/Tmpfs", json!({ "/run": "" }), "HostConfig.Tmpfs"),
            ("/HostConfig/NewField", json!([{ "Deep": 1 }]), "HostConfig.NewField"),
            ("/NetworkSettings/Networks/recnet/Aliases", Value::Null, "Networks.recnet.Aliases"),
            ("/NetworkSettings/Networks/recnet/IPAddress", json!("10.125.0.51"), "Networks.recnet.IPAddress"),
            ("/NetworkSettings/Networks/other", json!({}), "Networks.other"),
        ];
        for recorded in DOCKER.into_iter().chain([PODMAN]) {
            let recorded = parse(recorded);
            for (pointer, value, place) in &changes {
                let existing = with(&recorded["running"], pointer, value.clone());
                let found = difference(&spec(), &recorded["created"], &existing);
                assert!(found.as_ref().is_some_and(|found| found.starts_with(place)), "{pointer} = {value}: {found:?}");
            }
        }
    }

    #[test]
    fn what_an_engine_adds_or_leaves_out_is_no_change() {
        let same = [
            ("/Config/Image", json!("busybox")),
            ("/Config/Domainname", json!("")),
            ("/HostConfig/ConsoleSize", json!([0, 0])),
            ("/HostConfig/Devices", json!([])),
            ("/HostConfig/OomKillDisable", json!(false)),
            ("/HostConfig/PortBindings/443~1tcp", Value::Null),
            ("/HostConfig/StorageOpt", json!({})),
            ("/NetworkSettings/Networks/recnet/Gateway", json!("10.0.0.1")),
        ];
        for recorded in DOCKER.into_iter().chain([PODMAN]) {
            let recorded = parse(recorded);
            for (pointer, value) in &same {
                let existing = with(&recorded["running"], pointer, value.clone());
                assert_eq!(difference(&spec(), &recorded["created"], &existing), None, "{pointer} = {value}");
            }
        }
    }

    #[test]
    fn what_is_taken_out_of_a_spec_is_found() {
        let recorded = parse(DOCKER[2]);
        let whole = spec();
        for place in ["", "/HostConfig"] {
            let names: Vec<String> = whole.pointer(place).unwrap().as_object().unwrap().keys().cloned().collect();
            for name in names.iter().filter(|name| !matches!(name.as_str(), "Image" | "HostConfig")) {
                let mut less = whole.clone();
                less.pointer_mut(place).unwrap().as_object_mut().unwrap().remove(name);
                let predicted = predict(&less, &recorded["image"], &recorded["info"]);
                assert!(difference(&less, &predicted, &recorded["running"]).is_some(), "{name}");
            }
        }
    }

    #[test]
    fn names_that_the_engine_makes_up_are_no_change() {
        assert_eq!(link("/db:/web/store", ""), link("db:store", ""));
        assert_eq!(link("/db:/web/db", ""), link("db", ""));
        let volume = "0f".repeat(32);
        assert_eq!(anonymous_bind(&format!("{volume}:/data:rw"), "{}").unwrap(), ":/data:rw");
        assert_eq!(anonymous_bind(&format!("{volume}:/data:rw"), &format!("[\"{volume}:/data\"]")), None);
        assert_eq!(anonymous_bind("data:/data", "{}"), None);
    }

    #[test]
    fn newer_defaults_for_hidden_paths_are_known() {
        let mut paths: Vec<Value> = MASKED.into_iter().map(Value::from).collect();
        assert!(are_default_paths(&json!(paths), &MASKED));
        paths.push("/sys/devices/system/cpu/cpu0/thermal_throttle".into());
        assert!(are_default_paths(&json!(paths), &MASKED));
        paths.push("/proc/own".into());
        assert!(!are_default_paths(&json!(paths), &MASKED));
        assert!(!are_default_paths(&json!([]), &MASKED));
    }

    #[test]
    fn answers_that_make_no_sense_are_compared_all_the_same() {
        for odd in [json!(null), json!("x"), json!([1]), json!({ "Config": 1, "HostConfig": "x", "Id": 5 })] {
            assert_eq!(difference(&odd, &odd, &odd), None);
            assert!(difference(&spec(), &parse(PODMAN)["created"], &odd).is_some());
            predict(&odd, &odd, &odd);
        }
    }
}
