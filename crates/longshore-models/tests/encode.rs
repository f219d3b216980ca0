//! What goes out: every property of the API, and nothing that was not set.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

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

/// Every property of a create request from API 1.41 to 1.55 goes in and comes out unchanged.
#[test]
fn create_with_everything() {
    let golden: Value = serde_json::from_str(include_str!("golden/container_create.json")).unwrap();
    let mut body = CreateBody::default();
    body.config = decode(&golden);
    body.host_config = decode(&golden["HostConfig"]);
    body.networking_config.endpoints_config = decode(&golden["NetworkingConfig"]["EndpointsConfig"]);
    assert_eq!(encode(&body), golden);

    assert_eq!(body.host_config.resources.init, Some(false));
    assert_eq!(body.config.stop_timeout, Some(-1));
    assert_eq!(body.host_config.console_size, Some(ConsoleSize { rows: 40, columns: 120 }));

    // The same from the text that goes over the wire, not from a tree.
    let text = serde_json::to_string(&body).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), golden);
}

#[test]
fn nothing_set_is_nothing_sent() {
    assert_eq!(encode(&CreateBody::default()), json!({}));
    assert_eq!(encode(&UpdateBody::default()), json!({}));
    assert_eq!(encode(&HostConfig::default()), json!({}));
    assert_eq!(encode(&Mount::default()), json!({}));
    assert_eq!(encode(&HealthConfig::default()), json!({}));
    assert_eq!(encode(&EndpointSettings::default()), json!({}));
    assert_eq!(encode(&ExecCreate::default()), json!({"Cmd": []}));
    assert_eq!(encode(&ExecStart::default()), json!({"Detach": false, "Tty": false}));
}

#[test]
fn create_as_users_write_it() {
    let mut body = CreateBody::default();
    body.config.image = "nginx:1.27".into();
    body.config.entrypoint = Some(vec![]);
    body.config.healthcheck = Some(HealthConfig::shell("curl -f localhost").interval(Duration::from_millis(1500)));
    let host = &mut body.host_config;
    for (port, binding) in Publish::parse("127.0.0.1:8080-8081:80-81").unwrap().bindings() {
        body.config.exposed_ports.insert(port.clone());
        host.port_bindings.get_or_insert_with(port, Vec::new).push(binding);
    }
    host.mounts = vec![
        Mount::volume("data", "/data").subpath("inner").no_copy().label("a", "b").driver(VolumeDriver::new("local")),
        Mount::bind("/srv", "/srv").read_only().propagation(Propagation::RecursiveShared).create_host_path(),
        Mount::image("busybox", "/tools").subpath("bin"),
    ];
    host.restart_policy = RestartPolicy::unless_stopped();
    host.resources.ulimits.push(Ulimit::new("nofile", 1024, 2048));
    host.resources.devices.push(DeviceMapping::new("/dev/fuse", "/dev/fuse").permissions("rw"));
    host.resources.device_requests.push(DeviceRequest::gpus(-1));
    host.resources.blkio_device_read_bps = Some(vec![ThrottleDevice::new("/dev/sda", 1 << 20)]);
    host.resources.blkio_weight_device = Some(vec![WeightDevice::new("/dev/sda", 500)]);
    host.log_config = LogConfig::new("json-file").option("max-size", "1m");
    let networks = &mut body.networking_config.endpoints_config;
    networks.insert("web".into(), EndpointSettings::default().alias("www").ipv6_address("2001:db8::7").gw_priority(1));
    assert_eq!(
        encode(&body),
        json!({
            "Image": "nginx:1.27",
            "Entrypoint": [],
            "ExposedPorts": {"80/tcp": {}, "81/tcp": {}},
            "Healthcheck": {"Test": ["CMD-SHELL", "curl -f localhost"], "Interval": 1_500_000_000},
            "HostConfig": {
                "PortBindings": {
                    "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}],
                    "81/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8081"}],
                },
                "Mounts": [
                    {"Type": "volume", "Source": "data", "Target": "/data", "VolumeOptions":
                        {"Subpath": "inner", "NoCopy": true, "Labels": {"a": "b"}, "DriverConfig": {"Name": "local"}}},
                    {"Type": "bind", "Source": "/srv", "Target": "/srv", "ReadOnly": true, "BindOptions":
                        {"Propagation": "rshared", "CreateMountpoint": true}},
                    {"Type": "image", "Source": "busybox", "Target": "/tools", "ImageOptions": {"Subpath": "bin"}},
                ],
                "RestartPolicy": {"Name": "unless-stopped"},
                "Ulimits": [{"Name": "nofile", "Soft": 1024, "Hard": 2048}],
                "Devices": [{"PathOnHost": "/dev/fuse", "PathInContainer": "/dev/fuse", "CgroupPermissions": "rw"}],
                "DeviceRequests": [{"Count": -1, "Capabilities": [["gpu"]]}],
                "BlkioDeviceReadBps": [{"Path": "/dev/sda", "Rate": 1 << 20}],
                "BlkioWeightDevice": [{"Path": "/dev/sda", "Weight": 500}],
                "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m"}},
            },
            "NetworkingConfig": {"EndpointsConfig": {
                "web": {"Aliases": ["www"], "IPAMConfig": {"IPv6Address": "2001:db8::7"}, "GwPriority": 1},
            }},
        })
    );
}

#[test]
fn update_and_exec() {
    let mut update = UpdateBody::default();
    update.resources.memory = 64 << 20;
    update.resources.memory_swap = -1;
    update.resources.blkio_device_write_bps = Some(vec![]);
    update.restart_policy = Some(RestartPolicy::no());
    let golden = json!({
        "Memory": 64 << 20, "MemorySwap": -1, "BlkioDeviceWriteBps": [], "RestartPolicy": {"Name": "no"},
    });
    assert_eq!(encode(&update), golden);

    let mut exec = ExecCreate::default();
    exec.cmd = vec!["sh".into()];
    exec.env = vec!["A=1".into()];
    exec.user = "web".into();
    exec.working_dir = "/srv".into();
    exec.detach_keys = "ctrl-x".into();
    exec.console_size = Some(ConsoleSize { rows: 40, columns: 120 });
    (exec.tty, exec.privileged, exec.attach_stdin, exec.attach_stdout, exec.attach_stderr) =
        (true, true, true, true, true);
    let golden = json!({
        "Cmd": ["sh"], "Env": ["A=1"], "User": "web", "WorkingDir": "/srv", "DetachKeys": "ctrl-x",
        "ConsoleSize": [40, 120], "Tty": true, "Privileged": true,
        "AttachStdin": true, "AttachStdout": true, "AttachStderr": true,
    });
    assert_eq!(encode(&exec), golden);
}

#[test]
fn words_come_back_as_they_went() {
    for word in ["volume", "dream"] {
        assert_eq!(encode(&MountType::from(word)), word);
    }
    assert_eq!(RestartPolicyName::from(""), RestartPolicyName::No);
    assert_eq!(Isolation::from(""), Isolation::Default);
    assert_eq!(CgroupnsMode::from(""), CgroupnsMode::default());
    assert_eq!(encode(&CgroupnsMode::default()), "");
    assert_eq!(format!("[{:>8}]", HealthStatus::Healthy), "[ healthy]");

    for test in [
        json!([]),
        json!(["NONE"]),
        json!(["CMD"]),
        json!(["CMD", "a", "b"]),
        json!(["CMD-SHELL", "a b"]),
        json!(["X"]),
    ] {
        assert_eq!(encode(&decode::<HealthTest>(&test)), test);
    }
    assert_eq!(encode(&decode::<HealthTest>(&json!(["CMD-SHELL", "a", "b"]))), json!(["CMD-SHELL", "a", "b"]));
    assert_eq!(HealthConfig::none().test, HealthTest::None);
    assert_eq!(encode(&HealthConfig::command(["a", "b"])), json!({"Test": ["CMD", "a", "b"]}));
}

#[test]
fn outputs_of_a_build() {
    let output = BuildOutput::new("moby").attribute("type", "image").attribute("compression", "zstd");
    assert_eq!(encode(&output), json!({"Type": "moby", "Attrs": {"compression": "zstd", "type": "image"}}));
    assert_eq!(encode(&BuildOutput::new("moby")), json!({"Type": "moby", "Attrs": {}}));
}
