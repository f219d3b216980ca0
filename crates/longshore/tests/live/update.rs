//! Changing the limits of containers.

use longshore::container::UpdateOptions;
use longshore::{ErrorKind, RestartPolicy};
use longshore_testkit::live::Live;

use crate::harness::{Outcome, Test, test};
use crate::support::{refused, text_of};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test(limits_of_what_runs_are_changed),
        test(limits_of_what_does_not_run_are_changed),
        test(what_is_not_set_stays),
        test(limits_that_contradict_each_other_are_refused),
    ]
}

async fn limits_of_what_runs_are_changed(live: Live) -> Outcome {
    let container = live.start(live.spec("sleep 1000").memory(64 << 20)).await?;
    let options = UpdateOptions::default().memory(32 << 20).cpus(0.5).pids_limit(77);
    let updated = container.update_with(&options.restart(RestartPolicy::on_failure(2))).await?;
    assert!(updated.warnings.is_empty(), "{updated:?}");
    let host = container.inspect().await?.host_config.clone();
    assert_eq!((host.resources.memory, host.resources.nano_cpus), (32 << 20, 500_000_000));
    assert_eq!(host.resources.pids_limit, Some(77));
    assert_eq!(host.restart_policy, RestartPolicy::on_failure(2));
    let limit = "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null";
    assert_eq!(text_of(&container, limit).await?, format!("{}\n", 32 << 20));
    Ok(())
}

async fn limits_of_what_does_not_run_are_changed(live: Live) -> Outcome {
    let container = live.create(live.spec("sleep 1000")).await?;
    container.update_with(&UpdateOptions::default().cpu_shares(512).unlimited_pids()).await?;
    let host = container.inspect().await?.host_config.clone();
    assert_eq!(host.resources.cpu_shares, 512);
    Ok(())
}

async fn what_is_not_set_stays(live: Live) -> Outcome {
    let spec = live.spec("sleep 1000").memory(64 << 20).restart(RestartPolicy::always());
    let container = live.create(spec).await?;
    container.update_with(&UpdateOptions::default().cpus(0.5)).await?;
    let host = container.inspect().await?.host_config.clone();
    assert_eq!((host.resources.memory, host.resources.nano_cpus), (64 << 20, 500_000_000));
    assert_eq!(host.restart_policy, RestartPolicy::always());
    Ok(())
}

async fn limits_that_contradict_each_other_are_refused(live: Live) -> Outcome {
    let container = live.start(live.spec("sleep 1000").memory(64 << 20)).await?;
    container.update_with(&UpdateOptions::default()).await?;
    let options = UpdateOptions::default().memory(64 << 20).memory_swap(32 << 20);
    let kinds = [ErrorKind::Invalid, ErrorKind::Conflict, ErrorKind::Server];
    let error = refused(container.update_with(&options).await, &kinds);
    assert!(error.message().to_lowercase().contains("memory"), "{error}");
    Ok(())
}
