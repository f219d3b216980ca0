//! Services of a swarm: what they are to be, their changes, their tasks.

use longshore::models::{
    ConfigSpec, EndpointPortConfig, RestartCondition, SecretReference, SecretSpec, ServiceMode, SwarmConfigReference,
    TaskInspect, TaskRestartPolicy, TaskState, UpdateConfig, UpdateState,
};
use longshore::swarm::{
    RegistryAuthFrom, ServiceCreateOptions, ServiceInspectOptions, ServiceListOptions, ServiceUpdateOptions,
    TaskListOptions,
};
use longshore::{ApiVersion, ErrorKind, RegistryAuth, Result, Service, ServiceSpec};
use longshore_testkit::live::Live;

use crate::harness::{Outcome, Test, swarm_test, test};
use crate::support::{refused, until};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test(an_engine_outside_of_swarms_has_no_services),
        swarm_test(services_come_and_go),
        swarm_test(tasks_run_and_are_told),
        swarm_test(a_change_replaces_tasks_and_a_rollback_takes_it_back),
        swarm_test(a_number_of_tasks_can_be_changed),
        swarm_test(a_stale_version_changes_nothing),
        swarm_test(two_changes_at_a_time_are_both_made_or_refused),
        swarm_test(defaults_are_filled_in_when_asked_for),
        swarm_test(a_job_runs_to_its_end),
        swarm_test(a_task_that_fails_tells_why),
        swarm_test(secrets_and_configs_are_shown_to_tasks),
        swarm_test(ports_are_given_by_the_swarm),
        swarm_test(credentials_are_taken_and_kept),
        swarm_test(what_an_engine_would_read_over_is_refused),
        swarm_test(what_can_not_be_is_refused),
    ]
}

/// A service without tasks: what it is to be can be changed with nothing else happening.
fn idle(live: &Live) -> ServiceSpec {
    live.service_spec("sleep 1000").replicas(0)
}

/// The tasks of a service that are to run.
async fn current_tasks(live: &Live, service: &Service) -> Result<Vec<TaskInspect>> {
    let options = TaskListOptions::default().filter("service", service.id()).filter("desired-state", "running");
    live.tasks().list_with(&options).await
}

async fn until_running(live: &Live, service: &Service, count: usize) -> Result<()> {
    until("all tasks run", async || {
        let tasks = current_tasks(live, service).await?;
        Ok(tasks.len() == count && tasks.iter().all(|task| task.status.state == TaskState::Running))
    })
    .await
}

async fn until_updated(service: &Service, state: UpdateState) -> Result<()> {
    until("the update is over", async || {
        Ok(service.inspect().await?.update_status.as_ref().is_some_and(|status| status.state == state))
    })
    .await
}

async fn an_engine_outside_of_swarms_has_no_services(live: Live) -> Outcome {
    let kind = if live.engine().is_podman() { ErrorKind::Unsupported } else { ErrorKind::Conflict };
    refused(live.services().list().await, &[kind]);
    refused(live.services().create(&ServiceSpec::image("busybox")).await, &[kind]);
    refused(live.service("web").inspect().await, &[kind]);
    refused(live.service("web").scale(1).await, &[kind]);
    refused(live.service("web").remove().await, &[kind]);
    refused(live.service("web").logs().await, &[kind]);
    refused(live.tasks().list().await, &[kind]);
    refused(live.task("0kzz").inspect().await, &[kind]);
    Ok(())
}

async fn services_come_and_go(live: Live) -> Outcome {
    let spec = idle(&live).label("team", "core").env("A", "1").user("nobody").constraint("node.role==manager");
    let created = live.services().create(&spec).await?;
    assert!(created.warnings.is_empty(), "{:?}", created.warnings);
    let told = live.service(&spec.name).inspect().await?;
    assert_eq!((told.id.as_str(), &told.spec.name), (created.id(), &spec.name));
    assert_eq!((told.spec.labels["team"].as_str(), &told.spec.mode), ("core", &ServiceMode::replicated(0)));
    let (container, asked) = (&told.spec.task_template.container_spec, &spec.task_template.container_spec);
    assert_eq!((&container.image, &container.args, &container.env), (&asked.image, &asked.args, &asked.env));
    assert_eq!((&container.user, container.stop_grace_period), (&asked.user, asked.stop_grace_period));
    assert_eq!(told.spec.task_template.placement.constraints, ["node.role==manager"]);
    assert!(told.previous_spec.is_none() && told.update_status.is_none() && told.service_status.is_none());

    let ours = ServiceListOptions::default().filter("label", live.label());
    let listed = live.services().list_with(&ours.clone().filter("name", &spec.name).status()).await?;
    assert_eq!((listed.len(), listed[0].id.as_str()), (1, created.id()));
    let status = listed[0].service_status.as_ref().ok_or("no status")?;
    assert_eq!((status.running_tasks, status.desired_tasks), (0, 0));
    assert!(live.services().list_with(&ours.filter("mode", "global")).await?.is_empty());
    assert!(live.services().list().await?.iter().any(|listed| listed.id == created.id()));

    refused(live.services().create(&spec).await, &[ErrorKind::Conflict]);
    created.remove().await?;
    refused(created.inspect().await, &[ErrorKind::NotFound]);
    refused(created.remove().await, &[ErrorKind::NotFound]);
    refused(created.scale(2).await, &[ErrorKind::NotFound]);
    Ok(())
}

async fn tasks_run_and_are_told(live: Live) -> Outcome {
    let service = live.services().create(&live.service_spec("sleep 1000").replicas(2)).await?;
    until_running(&live, &service, 2).await?;
    let mut slots = Vec::new();
    for listed in current_tasks(&live, &service).await? {
        let task = live.task(&listed.id).inspect().await?;
        assert_eq!((task.service_id.as_str(), &task.desired_state), (service.id(), &TaskState::Running));
        assert_eq!(task.spec.container_spec.args, ["sleep", "1000"]);
        assert!(!task.node_id.is_empty() && task.status.err.is_empty() && task.job_iteration.is_none());
        let container = task.status.container_status.as_ref().ok_or("no container")?;
        let inspected = live.container(&container.container_id).inspect().await?;
        assert_eq!(u64::try_from(inspected.state.pid), Ok(container.pid));
        assert_eq!(container.exit_code, 0);
        assert_eq!(inspected.config.labels["com.docker.swarm.task.id"], task.id);
        slots.push(task.slot);
    }
    slots.sort_unstable();
    assert_eq!(slots, [1, 2]);
    let options = ServiceListOptions::default().filter("id", service.id()).status();
    let status = live.services().list_with(&options).await?.remove(0).service_status.unwrap_or_default();
    assert_eq!((status.running_tasks, status.desired_tasks), (2, 2));
    refused(live.task("none").inspect().await, &[ErrorKind::NotFound]);
    Ok(())
}

async fn a_change_replaces_tasks_and_a_rollback_takes_it_back(live: Live) -> Outcome {
    let quickly = UpdateConfig::parallelism(0).monitor(std::time::Duration::from_millis(50));
    let spec = live.service_spec("sleep 1000").env("A", "1").update_config(quickly.clone()).rollback_config(quickly);
    let service = live.services().create(&spec).await?;
    until_running(&live, &service, 1).await?;
    refused(service.rollback().await, &[ErrorKind::Conflict]);
    let before = service.inspect().await?;

    service.update(|spec| spec.env("A", "2").label("new", "")).await?;
    until_updated(&service, UpdateState::Completed).await?;
    let after = service.inspect().await?;
    assert!(after.version > before.version);
    assert_eq!(after.previous_spec.as_ref(), Some(&before.spec));
    assert_eq!(after.spec.task_template.container_spec.env, ["A=2"]);
    assert_eq!(after.spec.task_template.container_spec.args, before.spec.task_template.container_spec.args);
    let tasks = current_tasks(&live, &service).await?;
    assert_eq!(tasks.len(), 1);
    assert_eq!((tasks[0].slot, tasks[0].spec.container_spec.env.as_slice()), (1, ["A=2".to_owned()].as_slice()));

    service.rollback().await?;
    until_updated(&service, UpdateState::RollbackCompleted).await?;
    let back = service.inspect().await?;
    assert_eq!(back.spec, before.spec);
    assert_eq!(current_tasks(&live, &service).await?[0].spec.container_spec.env, ["A=1"]);
    Ok(())
}

async fn a_number_of_tasks_can_be_changed(live: Live) -> Outcome {
    let service = live.services().create(&live.service_spec("sleep 1000").env("A", "1")).await?;
    until_running(&live, &service, 1).await?;
    let first = current_tasks(&live, &service).await?.remove(0);
    service.scale(3).await?;
    until_running(&live, &service, 3).await?;
    assert!(current_tasks(&live, &service).await?.iter().any(|task| task.id == first.id), "it was replaced");
    service.scale(0).await?;
    until("no task is to run", async || Ok(current_tasks(&live, &service).await?.is_empty())).await?;
    assert_eq!(service.inspect().await?.spec.task_template.container_spec.env, ["A=1"]);

    let global = live.services().create(&live.service_spec("sleep 1000").global()).await?;
    refused(global.scale(2).await, &[ErrorKind::Invalid]);
    until_running(&live, &global, 1).await?;
    assert_eq!(current_tasks(&live, &global).await?[0].slot, 0);
    Ok(())
}

async fn a_stale_version_changes_nothing(live: Live) -> Outcome {
    let spec = idle(&live);
    let service = live.services().create(&spec).await?;
    let old = service.inspect().await?.version;
    service.update(|spec| spec.label("a", "new")).await?;
    let stale = service.replace(old, &spec.clone().label("a", "stale")).await;
    refused(stale, &[ErrorKind::Conflict]);
    let after = service.inspect().await?;
    assert_eq!(after.spec.labels["a"], "new");
    // The swarm counts on until it has seen that nothing is to be done.
    until("the version stays", async || {
        let version = service.inspect().await?.version;
        match service.replace(version, &spec.clone().label("a", "replaced")).await {
            Err(error) if error.is_conflict() => Ok(false),
            outcome => outcome.map(|_| true),
        }
    })
    .await?;
    assert_eq!(service.inspect().await?.spec.labels["a"], "replaced");
    Ok(())
}

async fn two_changes_at_a_time_are_both_made_or_refused(live: Live) -> Outcome {
    let service = live.services().create(&idle(&live)).await?;
    let label = |name: String| {
        let service = &service;
        async move { service.update(|spec| spec.label(name, "")).await.map(drop) }
    };
    for round in 0..10 {
        let names = [format!("left-{round}"), format!("right-{round}")];
        let (left, right) = tokio::join!(label(names[0].clone()), label(names[1].clone()));
        let told = service.inspect().await?;
        for (outcome, name) in [(left, &names[0]), (right, &names[1])] {
            let made = match outcome {
                Err(error) if error.is_conflict() => false,
                outcome => outcome.map(|()| true)?,
            };
            assert_eq!(told.spec.labels.contains_key(name), made, "{name}");
        }
    }
    Ok(())
}

async fn defaults_are_filled_in_when_asked_for(live: Live) -> Outcome {
    let service = live.services().create(&idle(&live)).await?;
    let plain = service.inspect().await?;
    assert!(plain.spec.update_config.is_none() && plain.spec.task_template.restart_policy.delay.is_none());
    let full = service.inspect_with(&ServiceInspectOptions::default().insert_defaults()).await?;
    let update = full.spec.update_config.as_ref().ok_or("no defaults")?;
    assert_eq!((update.parallelism, full.spec.task_template.restart_policy.delay.is_some()), (1, true));
    assert_eq!(full.spec.task_template.restart_policy.condition, RestartCondition::Any);
    // A change does not write them into the service.
    service.update(|spec| spec.label("a", "b")).await?;
    assert!(service.inspect().await?.spec.update_config.is_none());
    Ok(())
}

async fn a_job_runs_to_its_end(live: Live) -> Outcome {
    let spec = live.service_spec("true").mode(ServiceMode::replicated_job(3, 2));
    let job = live.services().create(&spec.restart(TaskRestartPolicy::none())).await?;
    let options = ServiceListOptions::default().filter("id", job.id()).filter("mode", "replicated-job").status();
    until("the job is done", async || {
        let listed = live.services().list_with(&options).await?;
        Ok(listed[0].service_status.as_ref().is_some_and(|status| status.completed_tasks == 3))
    })
    .await?;
    let iteration = job.inspect().await?.job_status.as_ref().map(|status| status.job_iteration);
    assert!(iteration.is_some());
    let tasks = live.tasks().list_with(&TaskListOptions::default().filter("service", job.id())).await?;
    let mut slots: Vec<u64> = tasks.iter().map(|task| task.slot).collect();
    slots.sort_unstable();
    assert_eq!(slots, [0, 1, 2]);
    for task in &tasks {
        assert!(task.status.state == TaskState::Complete && task.status.state.has_ended());
        assert_eq!((task.job_iteration, &task.desired_state), (iteration, &TaskState::Complete));
        assert_eq!(task.status.container_status.as_ref().map(|container| container.exit_code), Some(0));
    }
    Ok(())
}

async fn a_task_that_fails_tells_why(live: Live) -> Outcome {
    let ended = |service: Service| {
        let live = live.clone();
        async move {
            let of_service = TaskListOptions::default().filter("service", service.id());
            until("the task has failed", async || {
                let tasks = live.tasks().list_with(&of_service).await?;
                Ok(tasks.first().is_some_and(|task| task.status.state.has_ended()))
            })
            .await?;
            Ok::<_, longshore::Error>(live.tasks().list_with(&of_service).await?.remove(0).status)
        }
    };
    let once = TaskRestartPolicy::none();
    let exits = live.service_spec(["sh", "-c", "exit 3"]).restart(once.clone());
    let status = ended(live.services().create(&exits).await?.service).await?;
    assert_eq!(status.state, TaskState::Failed);
    assert_eq!(status.container_status.map(|container| container.exit_code), Some(3));
    assert!(status.err.contains('3'), "{}", status.err);
    let lacks = live.service_spec("no-such-command").restart(once);
    let status = ended(live.services().create(&lacks).await?.service).await?;
    assert!(matches!(status.state, TaskState::Failed | TaskState::Rejected), "{status:?}");
    assert!(status.err.contains("no-such-command"), "{}", status.err);
    Ok(())
}

async fn secrets_and_configs_are_shown_to_tasks(live: Live) -> Outcome {
    let secret = live.secrets().create(&SecretSpec::new(live.name(), "s3cret")).await?;
    let config = live.configs().create(&ConfigSpec::new(live.name(), "listen 80;")).await?;
    let (secret_name, config_name) =
        (secret.inspect().await?.spec.name.clone(), config.inspect().await?.spec.name.clone());
    let script = "cat /run/secrets/key; echo; cat /etc/site; echo; stat -c '%a %u' /run/secrets/key; exec sleep 1000";
    let spec = live
        .service_spec(["sh", "-c", script])
        .secret(SecretReference::new(secret.id(), secret_name).file_name("key").owner(7, 8).mode(0o400))
        .config(SwarmConfigReference::new(config.id(), config_name).file_name("/etc/site"));
    let service = live.services().create(&spec).await?;
    until_running(&live, &service, 1).await?;
    until("the task has spoken", async || {
        let output = service.logs().await?.collect().await?;
        Ok(output.stdout.text() == "s3cret\nlisten 80;\n400 7\n")
    })
    .await?;
    refused(secret.remove().await, &[ErrorKind::Conflict, ErrorKind::Invalid]);
    refused(config.remove().await, &[ErrorKind::Conflict, ErrorKind::Invalid]);
    service.remove().await?;
    secret.remove().await?;
    config.remove().await?;
    Ok(())
}

async fn ports_are_given_by_the_swarm(live: Live) -> Outcome {
    let spec = idle(&live).publish("80")?.publish_port(EndpointPortConfig::new(53_u16).published(0));
    let service = live.services().create(&spec).await?;
    until("the ports are there", async || {
        let ports = service.inspect().await?.endpoint.ports.clone();
        Ok(ports.len() == 2 && ports.iter().all(|port| port.published_port >= 30000))
    })
    .await?;
    service
        .update(|mut spec| {
            spec.endpoint_spec.ports.retain(|port| port.target_port == 80);
            spec
        })
        .await?;
    until("one port is gone", async || {
        let told = service.inspect().await?;
        Ok(told.endpoint.ports.len() == 1 && told.endpoint.ports[0].target_port == 80)
    })
    .await?;
    Ok(())
}

async fn credentials_are_taken_and_kept(live: Live) -> Outcome {
    let auth = || RegistryAuth::default().username("jane").password("s3cret");
    let service = live.services().create_with(&idle(&live), &ServiceCreateOptions::default().auth(auth())).await?;
    let before = ServiceUpdateOptions::default().registry_auth_from(RegistryAuthFrom::PreviousSpec);
    refused(service.update_with(|spec| spec.label("a", "1"), &before).await, &[ErrorKind::Server, ErrorKind::Invalid]);
    service.update_with(|spec| spec.label("a", "2"), &ServiceUpdateOptions::default().auth(auth())).await?;
    service.update_with(|spec| spec.label("a", "3"), &before).await?;
    let now = ServiceUpdateOptions::default().registry_auth_from(RegistryAuthFrom::Spec);
    service.update_with(|spec| spec.label("a", "4"), &now).await?;
    let told = service.inspect().await?;
    assert_eq!(told.spec.labels["a"], "4");
    assert!(!told.json().contains("s3cret"), "an engine gave credentials back");
    Ok(())
}

async fn what_an_engine_would_read_over_is_refused(live: Live) -> Outcome {
    let mut spec = idle(&live);
    spec.task_template.container_spec.privileges.no_new_privileges = true;
    let created = live.services().create(&spec).await;
    if live.engine().api() < ApiVersion::new(1, 44) {
        let error = refused(created, &[ErrorKind::Unsupported]);
        assert!(error.message().contains("1.44"), "{error}");
        return Ok(());
    }
    let told = created?.inspect().await?;
    assert!(told.spec.task_template.container_spec.privileges.no_new_privileges);
    Ok(())
}

async fn what_can_not_be_is_refused(live: Live) -> Outcome {
    refused(live.services().create(&ServiceSpec::default().name(live.name())).await, &[ErrorKind::Invalid]);
    refused(live.services().create(&idle(&live).name("no/name")).await, &[ErrorKind::Invalid]);
    refused(live.services().create(&idle(&live).cmd("echo 'a")).await, &[ErrorKind::Invalid]);
    let nowhere = live.services().create(&idle(&live).network(live.name())).await;
    refused(nowhere, &[ErrorKind::NotFound, ErrorKind::Server]);
    refused(
        live.services().list_with(&ServiceListOptions::default().filter("color", "red")).await,
        &[ErrorKind::Invalid],
    );
    refused(live.tasks().list_with(&TaskListOptions::default().filter("color", "red")).await, &[ErrorKind::Invalid]);
    refused(
        live.tasks().list_with(&TaskListOptions::default().filter("service", "none")).await,
        &[ErrorKind::NotFound],
    );
    let service = live.services().create(&idle(&live)).await?;
    refused(service.update(|spec| spec.name("another")).await, &[ErrorKind::Unsupported]);
    refused(service.update(ServiceSpec::global).await, &[ErrorKind::Unsupported]);
    refused(service.update(|spec| spec.with_image("")).await, &[ErrorKind::Invalid]);
    assert!(service.inspect().await?.previous_spec.is_none());
    Ok(())
}
