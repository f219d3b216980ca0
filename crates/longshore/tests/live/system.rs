//! The engine itself: ping, version, what it has, and how the version of the API is agreed upon.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use longshore::container::ListOptions;
use longshore::models::{DiskUsage, Raw};
use longshore::system::{DiskUsageKind, DiskUsageOptions};
use longshore::{ApiVersion, ConnectOptions, Docker, ErrorKind};
use longshore_testkit::live::{IMAGE, Live, engines};
use longshore_testkit::{FaultProxy, Folder};

use crate::harness::{Outcome, Test, test};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test(ping_tells_version_and_system),
        test(version_tells_the_engine),
        test(info_tells_the_engine_and_its_machine),
        test(disk_usage_tells_sums_and_objects),
        test(disk_usage_can_be_of_some_kinds),
        test(the_newest_version_that_both_know_is_spoken),
        test(version_1_41_can_be_pinned),
        test(a_version_that_the_engine_does_not_know_is_an_error),
        test(the_engine_may_be_exchanged_behind_the_client),
        test(closing_leaves_the_client_usable),
    ]
}

async fn ping_tells_version_and_system(live: Live) -> Outcome {
    let ping = live.ping().await?;
    let system = if live.engine().is_podman() { None } else { Some("linux") };
    assert_eq!(ping.os_type.as_deref(), system);
    assert!(ping.api_version.is_some_and(|version| version >= ApiVersion::new(1, 41)), "{ping:?}");
    Ok(())
}

async fn version_tells_the_engine(live: Live) -> Outcome {
    let version = live.version().await?;
    assert_eq!(version.os, "linux");
    assert!(!version.version.is_empty() && !version.kernel_version.is_empty());
    assert_eq!(version["Version"], version.version.as_str());
    let api: ApiVersion = version.api_version.parse()?;
    assert_eq!(Some(api), live.ping().await?.api_version);
    Ok(())
}

async fn info_tells_the_engine_and_its_machine(live: Live) -> Outcome {
    live.shared().await?;
    let info = live.info().await?;
    assert_eq!((info.os_type.as_str(), &info.server_version), ("linux", &live.version().await?.version));
    assert!(info.containers_running > 0 && info.containers >= info.containers_running && info.images > 0, "{info:?}");
    assert!(info.memory > 1 << 28 && info.cpus > 0 && !info.system_time.is_zero(), "{info:?}");
    assert!(info.runtimes.contains_key(&info.default_runtime), "{info:?}");
    assert!(info.plugins.volume.contains(&"local".to_owned()) && !info.driver.is_empty(), "{info:?}");
    assert_eq!(info["ServerVersion"], info.server_version.as_str());
    Ok(())
}

/// Asks again while the engine measures for somebody else, which older ones refuse.
async fn disk_usage(live: &Live, options: &DiskUsageOptions) -> longshore::Result<DiskUsage> {
    for _ in 0..50 {
        match live.disk_usage_with(options).await {
            Err(error) if error.message().contains("already running") => {}
            outcome => return outcome.map(Raw::into_inner),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    live.disk_usage_with(options).await.map(Raw::into_inner)
}

async fn disk_usage_tells_sums_and_objects(live: Live) -> Outcome {
    let writer = live.start(live.spec(["sh", "-c", "head -c 100000 /dev/zero >/file; sleep 1000"])).await?;
    writer.exec(["sh", "-c", "while [ $(wc -c </file) -lt 100000 ]; do sleep 0.1; done"]).output().await?;
    let usage = disk_usage(&live, &DiskUsageOptions::default().verbose()).await?;
    let images = usage.images.expect("images");
    assert!(images.total_count > 0 && images.active_count > 0, "{images:?}");
    // Podman leaves out what images share, which may be all of them while other tests have images of the same layers.
    assert!(images.total_size > 500_000 || live.engine().is_podman(), "{images:?}");
    assert_eq!(images.items.len() as u64, images.total_count);
    let id = live.image(IMAGE).inspect().await?.id.trim_start_matches("sha256:").to_owned();
    assert!(images.items.iter().any(|image| image.id.ends_with(&id) && image.containers > 0), "{images:?}");
    let containers = usage.containers.expect("containers");
    let item = containers.items.iter().find(|container| container.id == writer.id()).expect("the writer");
    assert!(item.size_rw.is_some_and(|size| size >= 100_000), "{item:?}");
    assert!(containers.total_size >= 100_000 && containers.active_count > 0, "{containers:?}");
    assert!(usage.volumes.is_some(), "{:?}", usage.volumes);
    Ok(())
}

async fn disk_usage_can_be_of_some_kinds(live: Live) -> Outcome {
    let usage = disk_usage(&live, &DiskUsageOptions::default().kind(DiskUsageKind::Images)).await?;
    assert!(usage.images.is_some_and(|images| images.total_count > 0));
    assert!(usage.containers.is_none() && usage.volumes.is_none() && usage.build_cache.is_none());
    let options = DiskUsageOptions::default().kind(DiskUsageKind::Volumes).kind(DiskUsageKind::BuildCache);
    let usage = disk_usage(&live, &options).await?;
    assert!(usage.images.is_none() && usage.containers.is_none());
    assert!(usage.volumes.is_some() && usage.build_cache.is_some());
    Ok(())
}

async fn the_newest_version_that_both_know_is_spoken(live: Live) -> Outcome {
    let newest = live.ping().await?.api_version.expect("a version");
    assert_eq!(live.api_version().await?, newest.min(ApiVersion::MAXIMUM));
    Ok(())
}

fn pinned(live: &Live, version: ApiVersion) -> longshore::Result<Docker> {
    Docker::connect_with(&ConnectOptions::default().host(live.engine().host()).version(version))
}

async fn version_1_41_can_be_pinned(live: Live) -> Outcome {
    let docker = pinned(&live, ApiVersion::new(1, 41))?;
    assert_eq!(docker.api_version().await?, ApiVersion::new(1, 41));
    // Below 1.42 the framing of output is asked of the container, and no head tells it.
    let spec = live.spec(["sh", "-c", "echo out; echo err >&2"]);
    let out = docker.containers().output(spec.clone()).await?;
    assert!(out.status.success() && out.stdout == "out\n" && out.stderr == "err\n", "{out:?}");
    let out = docker.containers().output(spec.tty()).await?;
    assert!(out.stdout == "out\r\nerr\r\n" && out.stderr.is_empty(), "{out:?}");
    Ok(())
}

async fn a_version_that_the_engine_does_not_know_is_an_error(live: Live) -> Outcome {
    for version in [ApiVersion::new(1, 999), ApiVersion::new(1, 1)] {
        let outcome = pinned(&live, version)?.containers().list().await;
        if live.engine().is_podman() {
            // Podman speaks as if it knew every version.
            outcome?;
            continue;
        }
        let error = outcome.expect_err("a version that is not known");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().contains(&format!("version {version} is too ")), "{error}");
    }
    Ok(())
}

async fn the_engine_may_be_exchanged_behind_the_client(live: Live) -> Outcome {
    let Some(own) = live.engine().socket() else { return Ok(()) };
    let folder = Folder::new();
    let address = folder.path().join("engine.sock");
    symlink(&own, &address)?;
    let proxy = FaultProxy::unix(&address).await?;
    let docker = Docker::connect_to(proxy.host())?;
    let options = ListOptions::default().limit(1);
    docker.containers().list_with(&options).await?;
    // Those for restarts are killed at any time. An engine that is alone is exchanged for itself.
    let others = engines()?.into_iter().filter(|(name, _)| !name.starts_with("restart"));
    for host in others.map(|(_, host)| host) {
        let Some(other) = host.strip_prefix("unix://") else { continue };
        for socket in [Path::new(other), &own] {
            std::fs::remove_file(&address)?;
            symlink(socket, &address)?;
            proxy.cut_all();
            docker.containers().list_with(&options).await.map_err(|error| format!("{}: {error}", socket.display()))?;
            let version = Docker::connect_to(format!("unix://{}", socket.display()))?.api_version().await?;
            assert_eq!(docker.api_version().await?, version, "{}", socket.display());
        }
    }
    Ok(())
}

async fn closing_leaves_the_client_usable(live: Live) -> Outcome {
    let docker = Docker::connect_to(live.engine().host())?;
    docker.ping().await?;
    docker.close();
    docker.ping().await?;
    Ok(())
}
