//! Volumes: making, using, removing them.

use std::time::Duration;

use longshore::models::{ClusterVolumeSpec, Scope, VolumeAccessScope, VolumeAvailability, VolumeSharing};
use longshore::volume::{VolumeListOptions, VolumePruneOptions};
use longshore::{ApiVersion, ErrorKind, Mount, VolumeSpec};
use longshore_testkit::live::Live;

use crate::harness::{Outcome, Test, test};
use crate::support::refused;

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test(a_volume_outlives_its_containers),
        test(volumes_are_found_by_what_they_are),
        test(those_that_nobody_uses_are_pruned),
        test(volumes_with_a_name_are_spared),
        test(volumes_of_a_swarm_need_one),
    ]
}

async fn a_volume_outlives_its_containers(live: Live) -> Outcome {
    let spec = live.volume_spec().label("team", "core");
    let created = live.volumes().create(&spec).await?;
    let name = created.name().to_owned();
    assert_eq!((&created.inspect.name, &created.inspect.scope), (&name, &Scope::Local));
    let mount = || Mount::volume(&name, "/data");
    let wrote = live.containers().output(live.spec(["sh", "-c", "echo kept > /data/file"]).mount(mount())).await?;
    assert!(wrote.status.success(), "{wrote:?}");
    let reader = live.create(live.spec("cat /data/file").mount(mount())).await?;
    refused(created.volume.remove().await, &[ErrorKind::Conflict]);
    reader.container.remove().await?;
    let read = live.containers().output(live.spec("cat /data/file").mount(mount())).await?;
    assert_eq!(read.stdout, "kept\n");

    let told = live.volume(&name).inspect().await?;
    assert_eq!((told.driver.as_str(), told.labels["team"].as_str()), ("local", "core"));
    assert!(!told.mountpoint.is_empty() && told.created_at.to_system_time().is_some());
    // Who creates it again gets what is there.
    if !live.engine().is_podman() {
        let again = live.volumes().create(&VolumeSpec::new(&name).label("team", "other")).await?;
        assert_eq!(again.inspect.labels["team"], "core");
    }
    created.volume.remove().await?;
    refused(created.volume.inspect().await, &[ErrorKind::NotFound]);
    refused(created.volume.remove().await, &[ErrorKind::NotFound]);
    refused(live.volume("").inspect().await, &[ErrorKind::Invalid]);
    Ok(())
}

async fn volumes_are_found_by_what_they_are(live: Live) -> Outcome {
    let volume = live.volumes().create(&live.volume_spec().label("color", "blue")).await?;
    let ours = match live.engine().is_podman() {
        // Version 4 lists what matches any of the filters.
        true => VolumeListOptions::default(),
        false => VolumeListOptions::default().filter("label", live.label()),
    };
    let count = |key: &'static str, value: String| {
        let (live, options) = (&live, ours.clone().filter(key, value));
        async move { live.volumes().list_with(&options).await.map(|found| found.volumes.len()) }
    };
    assert_eq!(count("name", volume.name().to_owned()).await?, 1);
    assert_eq!(count("driver", "nfs".to_owned()).await?, 0);
    assert_eq!(count("label", live.label()).await?, 1);
    if !live.engine().is_podman() {
        assert_eq!(count("label", "color=blue".to_owned()).await?, 1);
        assert_eq!(count("label", "color=red".to_owned()).await?, 0);
        assert_eq!(count("dangling", "true".to_owned()).await?, 1);
    }
    assert!(live.volumes().list().await?.volumes.iter().any(|listed| listed.name == volume.name()));
    let unknown = VolumeListOptions::default().filter("color", "blue");
    refused(live.volumes().list_with(&unknown).await, &[ErrorKind::Invalid, ErrorKind::Server]);
    Ok(())
}

/// Prunes among the volumes of the test. Engines refuse to prune twice at a time.
async fn prune(live: &Live, options: VolumePruneOptions) -> longshore::Result<Vec<String>> {
    let options = options.label(live.label());
    loop {
        match live.volumes().prune_with(&options).await {
            Err(error) if error.is_conflict() => tokio::time::sleep(Duration::from_millis(50)).await,
            outcome => return outcome.map(|pruned| pruned.volumes_deleted),
        }
    }
}

async fn those_that_nobody_uses_are_pruned(live: Live) -> Outcome {
    let unused = live.volumes().create(&live.volume_spec().label("color", "blue")).await?;
    let used = live.volumes().create(&live.volume_spec()).await?;
    live.create(live.spec("true").mount(Mount::volume(used.name(), "/data"))).await?;
    if !live.engine().is_podman() {
        assert!(prune(&live, VolumePruneOptions::default().all().label("color=red")).await?.is_empty());
    }
    assert_eq!(prune(&live, VolumePruneOptions::default().all()).await?, [unused.name()]);
    used.inspect().await?;
    Ok(())
}

async fn volumes_with_a_name_are_spared(live: Live) -> Outcome {
    let named = live.volumes().create(&live.volume_spec()).await?;
    let outcome = prune(&live, VolumePruneOptions::default()).await;
    if live.engine().api() < ApiVersion::new(1, 42) {
        let error = refused(outcome, &[ErrorKind::Unsupported]);
        assert!(error.message().contains("1.42") && error.message().contains("1.41"), "{error}");
    } else {
        assert!(outcome?.is_empty());
    }
    named.inspect().await?;
    Ok(())
}

async fn volumes_of_a_swarm_need_one(live: Live) -> Outcome {
    let cluster = ClusterVolumeSpec::default()
        .access(VolumeAccessScope::Single, VolumeSharing::None)
        .mounted("ext4", ["noatime"])
        .availability(VolumeAvailability::Active);
    let spec = live.volume_spec().driver("csi").cluster(cluster);
    let create = live.volumes().create(&spec).await;
    let plain = live.volumes().create(&live.volume_spec()).await?;
    let update = plain.update(|spec| spec.availability = VolumeAvailability::Drain).await;
    if live.engine().api() < ApiVersion::new(1, 42) {
        for error in [refused(create.map(drop), &[ErrorKind::Unsupported]), refused(update, &[ErrorKind::Unsupported])]
        {
            assert!(error.message().contains("1.42") && error.message().contains("1.41"), "{error}");
        }
    } else {
        refused(create, &[ErrorKind::Unavailable, ErrorKind::Conflict]);
        refused(update, &[ErrorKind::Invalid]);
    }
    Ok(())
}
