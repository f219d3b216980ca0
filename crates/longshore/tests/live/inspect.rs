//! Inspecting containers: everything, their processes, their changes.

use longshore::container::{InspectOptions, TopOptions};
use longshore::models::ChangeKind;
use longshore::{ContainerState, ErrorKind};
use longshore_testkit::live::Live;

use crate::harness::{Outcome, Test, test};
use crate::support::{at_once, refused, until};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test(the_state_follows_the_container),
        test(the_json_is_there_by_index),
        test(size_is_measured_on_demand),
        test(a_unique_beginning_of_the_id_is_enough),
        test(top_lists_the_processes),
        test(top_takes_arguments_of_ps),
        test(top_of_what_does_not_run_is_refused),
        test(changes_tell_what_was_added_changed_and_deleted),
        test(no_changes_are_an_empty_list),
    ]
}

async fn the_state_follows_the_container(live: Live) -> Outcome {
    let container = live.create(live.spec("sleep 1000")).await?;
    let state = container.inspect().await?.state.clone();
    assert_eq!(state.status, ContainerState::Created);
    assert!(!state.running && state.pid == 0 && state.started_at.is_zero() && state.finished_at.is_zero(), "{state:?}");
    container.start().await?;
    let state = container.inspect().await?.state.clone();
    assert_eq!(state.status, ContainerState::Running);
    assert!(state.running && !state.paused && state.pid > 0 && !state.started_at.is_zero(), "{state:?}");
    container.pause().await?;
    let state = container.inspect().await?.state.clone();
    assert_eq!(state.status, ContainerState::Paused);
    assert!(state.paused, "{state:?}");
    container.unpause().await?;
    container.stop_with(&at_once()).await?;
    let state = container.inspect().await?.state.clone();
    assert_eq!((state.status, state.exit_code), (ContainerState::Exited, 137));
    assert!(!state.running && !state.oom_killed && !state.finished_at.is_zero(), "{:?}", state.finished_at);
    Ok(())
}

async fn the_json_is_there_by_index(live: Live) -> Outcome {
    let inspect = live.shared().await?.inspect().await?;
    assert_eq!(inspect["Id"], inspect.id.as_str());
    assert_eq!(inspect["State"]["Running"], true);
    assert!(inspect.contains_key("HostConfig") && !inspect.contains_key("NoSuchField"));
    assert!(inspect["NoSuchField"]["Deep"].is_null());
    assert!(inspect.json().starts_with('{'));
    Ok(())
}

async fn size_is_measured_on_demand(live: Live) -> Outcome {
    let run = live.containers().run(live.spec("dd if=/dev/zero of=/big bs=1M count=2")).await?;
    let container = live.container(run.id());
    run.status().await?;
    assert_eq!(container.inspect().await?.size_rw, None);
    let sized = container.inspect_with(&InspectOptions::default().size()).await?;
    assert!(sized.size_rw.is_some_and(|size| size >= 2 << 20), "{:?}", sized.size_rw);
    // On Podman, it is without what was written.
    assert!(sized.size_root_fs > Some(1 << 20), "{:?}", sized.size_root_fs);
    Ok(())
}

async fn a_unique_beginning_of_the_id_is_enough(live: Live) -> Outcome {
    let inspect = live.shared().await?.inspect().await?;
    assert_eq!(live.container(&inspect.id[..20]).inspect().await?.id, inspect.id);
    assert_eq!(live.container(inspect.name()).inspect().await?.id, inspect.id);
    assert_eq!(live.container(&inspect.slashed_name).inspect().await?.id, inspect.id);
    Ok(())
}

async fn top_lists_the_processes(live: Live) -> Outcome {
    let container = live.start(live.spec(["sh", "-c", "sleep 1000 & sleep 2000"])).await?;
    until("two sleeping processes", || async {
        let top = container.top().await?;
        let title = if live.engine().is_podman() { "COMMAND" } else { "CMD" };
        let commands: Vec<&str> = top.column(title).collect();
        assert!(top.column("PID").count() == commands.len(), "{top:?}");
        Ok(commands.contains(&"sleep 1000") && commands.contains(&"sleep 2000"))
    })
    .await?;
    Ok(())
}

async fn top_takes_arguments_of_ps(live: Live) -> Outcome {
    let options = TopOptions::default().ps_args("-o pid,args");
    let top = live.shared().await?.top_with(&options).await?;
    assert_eq!(top.titles, ["PID", "COMMAND"]);
    assert!(top.column("COMMAND").any(|command| command == "sleep 100000"), "{top:?}");
    Ok(())
}

async fn top_of_what_does_not_run_is_refused(live: Live) -> Outcome {
    let container = live.create(live.spec("true")).await?;
    let kind = if live.engine().is_podman() { ErrorKind::Decode } else { ErrorKind::Conflict };
    refused(container.top().await, &[kind]);
    Ok(())
}

async fn changes_tell_what_was_added_changed_and_deleted(live: Live) -> Outcome {
    let script = "mkdir /new; echo a >/new/file; echo x >>/etc/group; rm /etc/passwd; rm /bin/usleep";
    let run = live.containers().run(live.spec(["sh", "-c", script])).await?;
    let container = live.container(run.id());
    let status = run.status().await?;
    let changes = container.changes().await?;
    let kind = |path: &str| changes.iter().find(|change| change.path == path).map(|change| change.kind);
    assert_eq!(kind("/new"), Some(ChangeKind::Added), "{status} {changes:?}");
    assert_eq!(kind("/new/file"), Some(ChangeKind::Added));
    assert_eq!(kind("/bin/usleep"), Some(ChangeKind::Deleted));
    assert_eq!(kind("/bin"), Some(ChangeKind::Modified));
    assert_eq!(kind("/bin/sh"), None);
    Ok(())
}

async fn no_changes_are_an_empty_list(live: Live) -> Outcome {
    let container = live.create(live.spec("true")).await?;
    let changes = container.changes().await?;
    assert!(changes.iter().all(|change| !change.path.starts_with("/bin")), "{changes:?}");
    Ok(())
}
