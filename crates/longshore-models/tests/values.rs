//! What the recorded answers say, engine by engine: decoding must not lose it.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use longshore_models::*;
use serde::de::DeserializeOwned;

const DOCKER: [&str; 3] = ["docker-20.10", "docker-26.1", "docker-sid"];
const ENGINES: [&str; 4] = ["docker-20.10", "docker-26.1", "docker-sid", "podman"];

fn fixture<T: DeserializeOwned>(engine: &str, name: &str) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/{engine}/{name}.json"));
    let json = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    lenient::from_slice(&json).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn inspect_of_a_running_container() {
    for engine in ENGINES {
        let web: ContainerInspect = fixture(engine, "container_inspect");
        assert_eq!((web.id.len(), web.name()), (64, "fixture-web"), "{engine}");
        assert!(web.created.to_system_time().is_some());
        assert!(web.image_id.starts_with("sha256:"));
        assert_eq!(web.platform, "linux");
        assert!(web.size_root_fs.is_some_and(|size| size > 1_000_000), "{engine}");

        let state = &web.state;
        assert_eq!((&state.status, state.running, state.exit_code), (&ContainerState::Running, true, 0));
        assert!(state.pid > 0 && !state.started_at.is_zero() && state.finished_at.is_zero());
        let health = state.health.as_ref().unwrap();
        if engine == "podman" {
            assert_eq!(health.status, HealthStatus::Starting, "without systemd it runs no check");
        } else {
            assert_eq!((&health.status, health.failing_streak), (&HealthStatus::Healthy, 0));
            assert_eq!((health.log[0].exit_code, health.log[0].output.as_str()), (0, "fine\n"));
            assert!(health.log[0].end.to_system_time() > health.log[0].start.to_system_time());
        }
    }
}

#[test]
fn inspect_of_a_configuration() {
    for engine in ENGINES {
        let config = fixture::<ContainerInspect>(engine, "container_inspect").config;
        assert_eq!((config.hostname.as_str(), config.user.as_str()), ("web", "0:0"), "{engine}");
        assert_eq!(config.entrypoint, Some(vec!["/bin/sh".into(), "-c".into()]));
        assert!(config.cmd[0].starts_with("echo hello"));
        assert_eq!(config.exposed_ports, [Port::udp(53), Port::tcp(80), Port::tcp(443)].into());
        assert!(config.env.contains(&"COLOR=blue".into()) && config.env.contains(&"EMPTY=".into()));
        assert_eq!((config.working_dir.as_str(), config.stop_timeout), ("/tmp", Some(1)));
        assert_eq!(config.labels["com.example.vendor"], "Acme");
        assert!(config.open_stdin && !config.tty);
        let check = config.healthcheck.unwrap();
        assert_eq!(check.test, HealthTest::Shell("test -d /new && echo fine".into()));
        let durations = (check.interval, check.timeout, check.start_period);
        assert_eq!(durations, (Duration::from_secs(1), Duration::from_secs(2), Duration::from_millis(500)));
        assert_eq!(check.retries, 3);
        if engine != "podman" {
            assert_eq!((config.domainname.as_str(), config.stop_signal.as_str()), ("example.test", "SIGINT"));
            assert!(config.volumes.contains("/anonymous"));
        }
    }
}

#[test]
fn inspect_of_limits_and_ports() {
    for engine in ENGINES {
        let web: ContainerInspect = fixture(engine, "container_inspect");
        let host = &web.host_config;
        let limits = &host.resources;
        assert_eq!((limits.memory, limits.memory_reservation), (64 << 20, 32 << 20), "{engine}");
        assert_eq!((limits.nano_cpus, limits.cpu_shares, limits.pids_limit), (500_000_000, 512, Some(100)));
        assert_eq!((limits.ulimits[0].soft, limits.ulimits[0].hard), (1024, 2048));
        assert_eq!(limits.blkio_device_read_bps, None);
        assert_eq!(host.restart_policy, RestartPolicy::on_failure(3));
        assert_eq!(
            (host.cap_add.as_slice(), host.shm_size, host.oom_score_adj),
            (&["NET_ADMIN".into()][..], 32 << 20, 100)
        );
        assert_eq!(host.log_config.driver, "json-file");

        let ports = &web.network_settings.ports;
        let [binding] = ports[&Port::tcp(80)].as_slice() else { panic!("{engine}: {ports:?}") };
        assert_eq!(binding.host_ip, HostIp::from(Ipv4Addr::LOCALHOST));
        assert!(binding.host_port.number().is_some_and(|port| port > 18_000));
        assert!(ports[&Port::udp(53)][0].host_port.number().is_some());
        assert!(ports[&Port::tcp(443)].is_empty());
        assert_eq!(host.port_bindings[&Port::tcp(80)], ports[&Port::tcp(80)]);

        let network = &web.network_settings.networks["fixture-net"];
        assert!(network.ip_address.ends_with(".33") && network.gateway.ends_with(".1"));
        assert_eq!((network.aliases[0].as_str(), network.ip_prefix_length), ("www", 24));
    }
    for engine in DOCKER {
        let host = fixture::<ContainerInspect>(engine, "container_inspect").host_config;
        assert_eq!((host.resources.memory_swap, host.resources.init), (-1, Some(true)), "{engine}");
        assert_eq!(host.port_bindings[&Port::udp(53)], [PortBinding::new(Ipv4Addr::LOCALHOST, 0)]);
        assert_eq!(host.mounts[1], Mount::tmpfs("/scratch").size(1 << 20).mode(0o700));
        assert_eq!(host.log_config.options["max-size"], "1m");
        assert_eq!(host.sysctls["net.ipv4.ip_forward"], "1");
        assert!(host.masked_paths.is_some_and(|paths| paths.contains(&"/proc/kcore".into())));
        assert_eq!(host.annotations.contains_key("test.example/note"), engine != "docker-20.10");
    }
}

#[test]
fn inspect_of_mounts() {
    for engine in ENGINES {
        let web: ContainerInspect = fixture(engine, "container_inspect");
        let mount = |path: &str| web.mounts.iter().find(|mount| mount.destination == path);
        let data = mount("/data").unwrap();
        assert_eq!(
            (&data.kind, data.name.as_str(), data.writable),
            (&MountType::Volume, "fixture-data", true),
            "{engine}"
        );
        let etc = mount("/host-etc").unwrap();
        assert_eq!((&etc.kind, etc.source.as_str(), etc.writable), (&MountType::Bind, "/etc", false));
        assert_eq!(etc.propagation, Propagation::RecursivePrivate);
        assert_eq!(mount("/anonymous").unwrap().name.len(), 64);
    }
}

#[test]
fn inspect_of_containers_that_do_not_run() {
    for engine in ENGINES {
        let created = fixture::<ContainerInspect>(engine, "container_inspect-created");
        assert_eq!((created.state.status, created.state.pid), (ContainerState::Created, 0), "{engine}");
        assert!(created.state.started_at.is_zero() && created.config.tty);
        assert!(created.state.health.is_none_or(|health| health.status == HealthStatus::None));
        assert_eq!(created.size_rw, None);
        assert_eq!(created.host_config.restart_policy, RestartPolicy::no());

        let exited = fixture::<ContainerInspect>(engine, "container_inspect-exited");
        assert_eq!((exited.state.status, exited.state.exit_code), (ContainerState::Exited, 3), "{engine}");
        assert!(!exited.state.finished_at.is_zero());
        assert_eq!(exited.host_config.network_mode, "none");
    }
}

#[test]
fn list_of_containers() {
    for engine in ENGINES {
        let list: Vec<ContainerSummary> = fixture(engine, "container_list");
        let by_name = |name| list.iter().find(|summary| summary.name() == name).unwrap();
        let web = by_name("fixture-web");
        assert_eq!((&web.state, web.image.ends_with("busybox:latest")), (&ContainerState::Running, true), "{engine}");
        assert!(web.status.starts_with("Up") && web.created.unix_seconds() > Some(1_700_000_000));
        let port = web.ports.iter().find(|port| port.container_port == 80).unwrap();
        assert_eq!((&port.host_ip, &port.protocol), (&Ipv4Addr::LOCALHOST.into(), &Protocol::Tcp));
        assert!(port.host_port.is_some());
        assert!(web.size_rw.is_some() && web.labels["longshore.fixture"] == "1");
        assert!(!web.network_settings.networks["fixture-net"].ip_address.is_empty());
        assert!(web.mounts.len() >= 3);
        assert_eq!(by_name("fixture-created").state, ContainerState::Created);
        assert_eq!(by_name("fixture-exited").state, ContainerState::Exited);
    }
    let web = &fixture::<Vec<ContainerSummary>>("newest", "container_list")[0];
    assert_eq!((web.name(), &web.health.as_ref().unwrap().status), ("web", &HealthStatus::Healthy));
    let manifest = web.image_manifest_descriptor.as_ref().unwrap();
    assert_eq!((manifest.size, manifest.platform.as_ref().unwrap().os_version.as_str()), (424, "10.0"));
    assert_eq!((web.ports[1].host_port, &web.ports[1].host_ip), (None, &HostIp::Unspecified));
}

#[test]
fn stats() {
    for engine in ENGINES {
        let stats: ContainerStats = fixture(engine, "container_stats");
        assert_eq!((stats.id.len(), stats.name()), (64, "fixture-web"), "{engine}");
        assert_eq!(stats.memory_limit(), 64 << 20);
        assert!(stats.memory_used() > 0 && stats.memory_used() <= stats.memory_stats.usage);
        assert!(stats.memory_percent() > 0.0 && stats.memory_percent() < 100.0);
        assert!(stats.pids() > 0 && stats.network_received() > 0);
        let has_sample_before = engine != "podman";
        assert_eq!(stats.cpu_percent() > 0.0, has_sample_before, "{engine}");
        let once: ContainerStats = fixture(engine, "container_stats-once");
        assert_eq!(once.cpu_percent(), 0.0, "{engine}");
    }
    for engine in DOCKER {
        let stopped: ContainerStats = fixture(engine, "container_stats-stopped");
        assert!(stopped.read.is_zero() && stopped.memory_percent() == 0.0 && stopped.cpu_percent() == 0.0);
    }
    let newest: ContainerStats = fixture("newest", "container_stats");
    assert_eq!((newest.cpu_percent(), newest.memory_used(), newest.memory_percent()), (40.0, 7_500_000, 7.5));
    assert_eq!((newest.network_received(), newest.network_sent()), (9979, 1338));
    assert_eq!((newest.block_read(), newest.block_written()), (7_593_984, 100));
}

#[test]
fn processes_and_changes() {
    for engine in ENGINES {
        let top: ContainerTop = fixture(engine, "container_top");
        assert!(top.column("PID").all(|pid| pid.parse::<u32>().is_ok()), "{engine}: {top:?}");
        let command = if engine == "podman" { "COMMAND" } else { "CMD" };
        assert!(top.column(command).any(|line| line.contains("/bin/sh -c echo hello")), "{engine}: {top:?}");
        let changes: Vec<FilesystemChange> = fixture(engine, "container_changes");
        let kind = |path: &str| changes.iter().find(|change| change.path == path).map(|change| change.kind);
        assert_eq!((kind("/new/file"), kind("/bin/yes")), (Some(ChangeKind::Added), Some(ChangeKind::Deleted)));
        assert_eq!(kind("/bin"), Some(ChangeKind::Modified));
        assert_eq!(fixture::<Vec<FilesystemChange>>(engine, "container_changes-none"), []);
    }
}

#[test]
fn small_answers() {
    for engine in ENGINES {
        assert_eq!(fixture::<ContainerCreated>(engine, "container_create").id.len(), 64, "{engine}");
        assert_eq!(fixture::<WaitResponse>(engine, "container_wait").status_code, 3);
        assert_eq!(fixture::<WaitResponse>(engine, "container_wait").error, None);
        assert_eq!(fixture::<ContainersPruned>(engine, "container_prune").containers_deleted[0].len(), 64);
        assert!(!fixture::<IdResponse>(engine, "commit").id.is_empty());
        assert_eq!(fixture::<IdResponse>(engine, "exec_create").id.len(), 64);
        assert!(fixture::<ErrorResponse>(engine, "error").message.contains("no-such-container"));
    }
    assert_eq!(fixture::<ErrorResponse>("podman", "error").response, 404);
    assert_eq!(fixture::<ContainerUpdated>("docker-sid", "container_update").warnings, [""; 0]);
}

#[test]
fn execs() {
    for engine in ENGINES {
        let ended: ExecInspect = fixture(engine, "exec_inspect");
        assert_eq!((ended.running, ended.exit_code), (false, Some(7)), "{engine}");
        assert_eq!(ended.process_config.entrypoint, "sh");
        assert_eq!(ended.process_config.arguments, ["-c", "exit 7"]);
        assert!(ended.open_stdout && !ended.open_stdin);
        let running: ExecInspect = fixture(engine, "exec_inspect-running");
        assert!(running.running && running.pid > 0 && running.process_config.tty);
        let created: ExecInspect = fixture(engine, "exec_inspect-created");
        assert_eq!((created.running, created.pid, created.container_id), (false, 0, running.container_id));
        assert_eq!(created.exit_code, (engine == "podman").then_some(0));
    }
}

#[test]
fn images_and_version() {
    for engine in ENGINES {
        let list: Vec<ImageSummary> = fixture(engine, "image_list");
        let busybox =
            list.iter().find(|image| image.repo_tags.iter().any(|tag| tag.ends_with("busybox:latest"))).unwrap();
        assert!(busybox.size > 1_000_000 && !busybox.created.is_zero(), "{engine}");
        let image: ImageInspect = fixture(engine, "image_inspect");
        assert_eq!(
            (image.os.as_str(), image.author.as_str(), image.root_fs.layers.len()),
            ("linux", "Ann", 2),
            "{engine}"
        );
        assert_eq!(image.config.unwrap().labels["com.example.vendor"], "Acme");
        let removed: Vec<ImageDeleted> = fixture(engine, "image_remove");
        assert!(
            removed.iter().any(|item| item.untagged.is_some()) && removed.iter().any(|item| item.deleted.is_some())
        );
        let progress: ProgressMessage = fixture(engine, "image_progress-import");
        assert!(progress.status.starts_with("sha256:") && progress.error_message().is_none());
        let version: SystemVersion = fixture(engine, "version");
        assert_eq!((version.os.as_str(), version.arch.as_str()), ("linux", "amd64"));
        assert!(version.api_version.starts_with("1.") && version.components.len() > 2);
    }
    let failed: ProgressMessage = fixture("podman", "image_progress-failed");
    assert!(failed.error_message().unwrap().contains("connection refused"));
    let manifests = &fixture::<Vec<ImageSummary>>("newest", "image_list")[0].manifests;
    assert_eq!(
        (&manifests[0].kind, manifests[0].image_data.as_ref().unwrap().size.unpacked),
        (&ManifestKind::Image, 4_225_756)
    );
    assert_eq!(manifests[1].attestation_data.as_ref().unwrap().subject, "sha256:9586");
}

#[test]
fn history_prunes_and_loads_of_images() {
    for engine in ENGINES {
        let steps: Vec<ImageHistoryItem> = fixture(engine, "image_history");
        assert_eq!((steps.len(), steps[1].comment.as_str()), (2, "by hand"), "{engine}");
        assert!(steps[1].size >= 5000 && steps[0].created.unix_seconds() > Some(1_700_000_000));
        let pruned: ImagesPruned = fixture(engine, "image_prune");
        assert!(pruned.images_deleted[0].deleted.is_some() && pruned.space_reclaimed >= 3000, "{engine}");
        let loaded: ProgressMessage = fixture(engine, "image_progress-load");
        assert!(loaded.stream.trim_end().ends_with("fixture-img:2"), "{engine}");
    }
    for engine in DOCKER {
        assert_eq!(fixture::<Vec<ImageHistoryItem>>(engine, "image_history")[0].tags, ["fixture-img:2"]);
        let layer: ProgressMessage = fixture(engine, "image_progress-load_layer");
        assert_eq!((layer.status.as_str(), layer.progress_detail.total), ("Loading layer", 10_240));
    }
}

#[test]
fn where_an_image_comes_from() {
    let image: ImageInspect = fixture("newest", "image_inspect");
    let identity = image.identity.unwrap();
    let signature = &identity.signature[0];
    assert_eq!(signature.timestamps[0].kind, SignatureTimestampType::TransparencyLog);
    assert_eq!(signature.known_signer, Some(KnownSigner::DockerHardenedImages));
    assert_eq!(signature.signature_type, Some(SignatureType::SimpleSigningV1));
    let signer = signature.signer.as_ref().unwrap();
    assert_eq!(
        (signer.build_signer_uri.as_str(), signer.build_trigger.as_str()),
        ("https://example.com/signer", "push")
    );
    assert_eq!(signer.source_repository_owner_uri, "https://example.com/owner");
    assert_eq!(
        (identity.pull[0].repository.as_str(), identity.build[0].reference.as_str()),
        ("docker.io/library/example", "qxk2")
    );
    let of_platform = image.manifests[0].image_data.as_ref().unwrap().identity.as_ref().unwrap();
    assert_eq!(of_platform.pull, identity.pull);
    let statements: Vec<AttestationStatement> = fixture("newest", "image_attestation");
    assert_eq!(statements[0].statement["predicateType"], statements[0].predicate_type.as_str());
    assert!(statements[0].descriptor.size == 4711 && statements[1].statement.is_null());
    let found: Vec<ImageSearchItem> = fixture("newest", "image_search");
    assert_eq!((found[0].name.as_str(), found[0].star_count, found[0].is_official), ("postgres", 14_000, true));
    assert!(found[1].is_automated);
}

#[test]
fn info() {
    for engine in ENGINES {
        let info: SystemInfo = fixture(engine, "info");
        assert_eq!((info.name.as_str(), info.os_type.as_str(), info.cpus), (engine, "linux", 2));
        assert!(info.memory_limit && info.pids_limit && info.memory > 1 << 30, "{engine}");
        // Podman tells them in any order.
        let backing = info.driver_status.iter().find(|entry| entry.label == "Backing Filesystem");
        assert!(backing.is_some_and(|entry| entry.value == "extfs"), "{engine}");
        assert_eq!((&info.cgroup_driver, info.cgroup_version.as_str()), (&CgroupDriver::Cgroupfs, "1"));
        assert!(info.runtimes.contains_key(&info.default_runtime) && info.images > 0);
        assert_eq!(info.swarm.local_node_state, LocalNodeState::Inactive);
    }
    for engine in DOCKER {
        let registries = fixture::<SystemInfo>(engine, "info").registry_config;
        assert!(registries.index_configs["docker.io"].official, "{engine}");
        assert!(registries.insecure_registry_cidrs.contains(&"127.0.0.0/8".into()));
    }
    let newest: SystemInfo = fixture("newest", "info");
    assert_eq!(newest.swarm.remote_managers[0].addr, "10.0.0.158:2377");
    assert_eq!(newest.swarm.cluster.unwrap().id, "abaj");
    assert_eq!(newest.firewall_backend.unwrap().info[0].label, "ReloadedAt");
    assert_eq!(
        (newest.discovered_devices[0].id.as_str(), newest.default_address_pools[0].size),
        ("vendor.com/gpu=0", 24)
    );
    assert_eq!(newest.nri.unwrap().info[0].value, "/opt/docker/nri/plugins");
    assert_eq!(newest.containerd.unwrap().namespaces.plugins, "plugins.moby");
    assert_eq!((newest.runtimes["runc"].status.len(), newest.isolation), (1, Isolation::HyperV));
}

#[test]
fn disk_usage_of_lists_and_of_sums() {
    for engine in ENGINES {
        let usage: DiskUsage = fixture(engine, "disk_usage");
        let (images, containers) = (usage.images.unwrap(), usage.containers.unwrap());
        assert_eq!((images.total_count, images.active_count), (images.items.len() as u64, 1), "{engine}");
        assert!(images.total_size >= 1_984_233, "{engine}");
        let written = if engine == "podman" { 18 } else { 6 };
        assert_eq!((containers.total_count, containers.active_count), (1, 1));
        assert_eq!((containers.total_size, containers.reclaimable), (written, 0), "{engine}");
        let volumes = usage.volumes.unwrap();
        assert_eq!((volumes.active_count, volumes.total_size, volumes.reclaimable), (1, 5, 0), "{engine}");
        assert_eq!(usage.build_cache.unwrap().total_count > 0, engine != "podman");
    }
    for engine in DOCKER {
        let usage: DiskUsage = fixture(engine, "disk_usage");
        let images = usage.images.unwrap();
        assert_eq!((images.total_size, images.reclaimable), (1_984_241, 8), "{engine}: what is shared is not freed");
        let cache = usage.build_cache.unwrap();
        assert!(cache.items.iter().all(|part| part.kind == BuildCacheKind::Regular), "{engine}");
        let in_use = engine == "docker-sid";
        assert_eq!((cache.active_count, cache.total_size), (u64::from(in_use), 10_292), "{engine}");
        assert_eq!(cache.reclaimable, if in_use { 10_240 } else { 10_284 });
        let of_others = cache.items.iter().any(|part| !part.parents.is_empty() || !part.parent.is_empty());
        assert!(of_others, "{engine}");
    }
    let newest: DiskUsage = fixture("newest", "disk_usage");
    let images = newest.images.unwrap();
    assert_eq!((images.active_count, images.total_count), (1, 4));
    assert_eq!((images.reclaimable, images.total_size, images.items.len()), (12_345_678, 98_765_432, 1));
    let containers = newest.containers.unwrap();
    assert_eq!((containers.reclaimable, containers.items[0].size_rw), (10, Some(20)));
    assert_eq!(newest.volumes.unwrap().items[0].usage_data.as_ref().unwrap().size, 77);
    assert_eq!(newest.build_cache.unwrap().items[0].kind, BuildCacheKind::CacheMount);

    let odd: DiskUsage = fixture("hostile", "disk_usage");
    let images = odd.images.unwrap();
    assert_eq!((images.active_count, images.reclaimable), (0, i64::MAX as u64));
    assert_eq!((odd.volumes.unwrap().total_size, odd.build_cache.unwrap().total_size), (0, 7));
    assert_eq!(lenient::from_slice::<DiskUsage>(b"{}").unwrap(), DiskUsage::default());
    let one: DiskUsage = lenient::from_slice(br#"{"LayersSize":0,"Images":[],"Containers":null}"#).unwrap();
    assert!(one.images.is_some() && one.containers.is_none());
}

#[test]
fn odd_words_are_kept() {
    let odd: ContainerInspect = fixture("hostile", "container_inspect");
    assert_eq!(odd.state.status, ContainerState::Other("dreaming".into()));
    assert_eq!(odd.state.status.to_string(), "dreaming");
    assert_eq!(odd.created.as_str(), "yesterday");
    assert_eq!(odd.host_config.restart_policy.name.as_str(), "on-a-whim");
    assert_eq!(odd.host_config.mounts[0].kind, MountType::Other("dream".into()));
    assert_eq!(odd.host_config.cap_drop, ["MKNOD"]);
    assert_eq!((odd.host_config.resources.memory, odd.host_config.shm_size), (i64::MAX, 0));
    assert_eq!(odd.host_config.resources.ulimits[0].hard, -1);
    assert_eq!(odd.config.cmd, ["sleep 1"]);
    assert_eq!(odd.config.entrypoint, Some(vec![]));
    let odd_port = Port { number: 0, protocol: Protocol::Other("8000-8010/tcp".into()) };
    let host_port = &odd.host_config.port_bindings[&odd_port][0].host_port;
    assert_eq!(host_port, &HostPort::Range { first: 9000, last: 9010 });
    let stats: ContainerStats = fixture("hostile", "container_stats");
    assert_eq!((stats.pids_stats.limit, stats.memory_used()), (u64::MAX, 1_000_000));
}
