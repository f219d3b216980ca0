//! Swarms of one engine: beginning, changing and leaving one; its node, secrets and configs.

use longshore::models::{ConfigSpec, Driver, NodeAvailability, NodeRole, ObjectVersion, SecretSpec};
use longshore::swarm::{
    ConfigListOptions, NodeListOptions, NodeRemoveOptions, SecretListOptions, SwarmJoinOptions, SwarmLeaveOptions,
    SwarmUpdateOptions,
};
use longshore::{ErrorKind, Node, Result};
use longshore_testkit::live::{Live, swarm_of_one};

use crate::harness::{Outcome, Test, swarm_test, test, whole_swarm_test};
use crate::support::refused;

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test(an_engine_outside_of_swarms_says_so),
        whole_swarm_test(a_swarm_is_begun_and_left),
        whole_swarm_test(what_a_swarm_is_to_be_is_changed_as_it_was_read),
        whole_swarm_test(tokens_and_keys_are_replaced),
        whole_swarm_test(a_node_is_changed_as_it_was_read),
        whole_swarm_test(the_last_manager_stays),
        swarm_test(secrets_come_and_go),
        swarm_test(configs_come_and_go),
        swarm_test(a_stale_version_changes_nothing),
    ]
}

/// The node that the engine is.
async fn only_node(live: &Live) -> Result<Node> {
    let nodes = live.nodes().list().await?;
    assert_eq!(nodes.len(), 1, "{nodes:?}");
    Ok(live.node(&nodes[0].id))
}

async fn leave(live: &Live) -> Result<()> {
    match live.swarm().leave_with(&SwarmLeaveOptions::default().force()).await {
        Err(error) if error.is_conflict() => Ok(()),
        outcome => outcome,
    }
}

async fn an_engine_outside_of_swarms_says_so(live: Live) -> Outcome {
    if live.engine().is_podman() {
        // It has no swarms at all.
        refused(live.swarm().inspect().await, &[ErrorKind::Unsupported]);
        refused(live.nodes().list().await, &[ErrorKind::Unsupported]);
        refused(live.swarm().unlock_key().await, &[ErrorKind::Unsupported]);
        return Ok(());
    }
    let error = refused(live.swarm().inspect().await, &[ErrorKind::Conflict]);
    assert!(error.message().contains("swarm"), "{error}");
    refused(live.nodes().list().await, &[ErrorKind::Conflict]);
    refused(live.secrets().list().await, &[ErrorKind::Conflict]);
    refused(live.configs().list().await, &[ErrorKind::Conflict]);
    refused(live.swarm().leave().await, &[ErrorKind::Conflict]);
    refused(live.swarm().unlock_key().await, &[ErrorKind::Conflict]);
    refused(live.swarm().unlock("SWMKEY-1-none").await, &[ErrorKind::Conflict]);
    let secret = SecretSpec::new(live.name(), "data");
    refused(live.secrets().create(&secret).await, &[ErrorKind::Conflict]);
    let badly = SwarmJoinOptions::new("not a token", ["127.0.0.1:9"]).listen_addr("127.0.0.1:2377");
    let error = refused(live.swarm().join(&badly).await, &[ErrorKind::Invalid, ErrorKind::Server]);
    assert!(error.message().contains("token"), "{error}");
    Ok(())
}

async fn a_swarm_is_begun_and_left(live: Live) -> Outcome {
    leave(&live).await?;
    let options = swarm_of_one()
        .data_path_port(7777)
        .default_addr_pool("10.77.0.0/16")
        .subnet_size(26)
        .availability(NodeAvailability::Pause)
        .auto_lock_managers();
    let node = live.swarm().init_with(&options).await?;
    let swarm = live.swarm().inspect().await?;
    assert_eq!((swarm.data_path_port, swarm.subnet_size), (7777, 26));
    assert_eq!(swarm.default_addr_pool, ["10.77.0.0/16"]);
    assert!(swarm.spec.encryption_config.auto_lock_managers && swarm.version > ObjectVersion::default());
    assert!(swarm.tls_info.trust_root.starts_with("-----BEGIN CERTIFICATE-----"));
    assert!(swarm.join_tokens.worker.expose().starts_with("SWMTKN-1-"));
    assert_ne!(swarm.join_tokens.worker, swarm.join_tokens.manager);
    assert!(!format!("{swarm:?}").contains("SWMTKN-1-"), "tokens are shown");
    let key = live.swarm().unlock_key().await?;
    assert!(key.expose().starts_with("SWMKEY-1-"));
    refused(live.swarm().unlock(key).await, &[ErrorKind::Conflict]);

    let first = node.inspect().await?;
    assert_eq!((&first.spec.role, &first.spec.availability), (&NodeRole::Manager, &NodeAvailability::Pause));
    assert!(first.manager_status.as_ref().is_some_and(|status| status.leader));
    assert_eq!(first.description.platform.os, "linux");
    refused(live.swarm().init_with(&swarm_of_one()).await, &[ErrorKind::Conflict]);
    let join = SwarmJoinOptions::new(swarm.join_tokens.worker.expose(), ["127.0.0.1:2377"]);
    refused(live.swarm().join(&join).await, &[ErrorKind::Conflict]);
    refused(live.swarm().leave().await, &[ErrorKind::Conflict]);
    leave(&live).await?;
    refused(live.swarm().inspect().await, &[ErrorKind::Conflict]);
    Ok(())
}

async fn what_a_swarm_is_to_be_is_changed_as_it_was_read(live: Live) -> Outcome {
    leave(&live).await?;
    live.swarm().init_with(&swarm_of_one()).await?;
    let before = live.swarm().inspect().await?;
    live.swarm()
        .update(|spec| {
            spec.orchestration.task_history_retention_limit = Some(2);
            spec.labels.insert("team".to_owned(), "core".to_owned());
            spec.task_defaults.log_driver = Some(Driver::new("json-file").option("max-size", "1m"));
        })
        .await?;
    let after = live.swarm().inspect().await?;
    assert!(after.version > before.version);
    assert_eq!(after.spec.orchestration.task_history_retention_limit, Some(2));
    assert_eq!(after.spec.labels["team"], "core");
    assert_eq!(after.spec.raft, before.spec.raft);
    assert_eq!(after.spec.ca_config, before.spec.ca_config);

    // The version that was read before is stale now, and nothing is changed.
    let stale = live.swarm().replace(before.version, &before.spec).await;
    refused(stale, &[ErrorKind::Conflict]);
    assert_eq!(live.swarm().inspect().await?.spec, after.spec);
    live.swarm().replace(after.version, &before.spec).await?;
    assert_eq!(live.swarm().inspect().await?.spec.labels.len(), 0);
    let senseless = live.swarm().update(|spec| spec.name.push('2')).await;
    refused(senseless, &[ErrorKind::Invalid]);
    leave(&live).await?;
    Ok(())
}

async fn tokens_and_keys_are_replaced(live: Live) -> Outcome {
    leave(&live).await?;
    live.swarm().init_with(&swarm_of_one()).await?;
    assert!(live.swarm().unlock_key().await?.is_empty());
    live.swarm().update(|spec| spec.encryption_config.auto_lock_managers = true).await?;
    let (before, key) = (live.swarm().inspect().await?, live.swarm().unlock_key().await?);
    live.swarm().rotate(&SwarmUpdateOptions::default().rotate_worker_token()).await?;
    let after = live.swarm().inspect().await?;
    assert_ne!(after.join_tokens.worker, before.join_tokens.worker);
    assert_eq!(after.join_tokens.manager, before.join_tokens.manager);
    assert_eq!(after.spec, before.spec);
    live.swarm().rotate(&SwarmUpdateOptions::default().rotate_manager_token().rotate_manager_unlock_key()).await?;
    let last = live.swarm().inspect().await?;
    assert_ne!(last.join_tokens.manager, before.join_tokens.manager);
    assert_eq!(last.join_tokens.worker, after.join_tokens.worker);
    assert_ne!(live.swarm().unlock_key().await?, key);
    leave(&live).await?;
    Ok(())
}

async fn a_node_is_changed_as_it_was_read(live: Live) -> Outcome {
    leave(&live).await?;
    let node = live.swarm().init_with(&swarm_of_one()).await?;
    let before = node.inspect().await?;
    node.update(|spec| {
        spec.labels.insert("rack".to_owned(), "4".to_owned());
        spec.availability = NodeAvailability::Drain;
    })
    .await?;
    let after = node.inspect().await?;
    assert_eq!((&after.spec.availability, after.spec.labels["rack"].as_str()), (&NodeAvailability::Drain, "4"));
    assert_eq!(after.spec.role, NodeRole::Manager);
    refused(node.replace(before.version, &before.spec).await, &[ErrorKind::Conflict]);
    assert_eq!(node.inspect().await?.spec, after.spec);
    node.replace(after.version, &before.spec).await?;
    assert_eq!(node.inspect().await?.spec, before.spec);

    let managers = NodeListOptions::default().filter("role", "manager");
    assert_eq!(live.nodes().list_with(&managers).await?[0].id, node.id());
    let workers = NodeListOptions::default().filter("role", "worker");
    assert!(live.nodes().list_with(&workers).await?.is_empty());
    refused(live.nodes().list_with(&NodeListOptions::default().filter("color", "red")).await, &[ErrorKind::Invalid]);
    refused(live.node("none").inspect().await, &[ErrorKind::NotFound]);
    leave(&live).await?;
    Ok(())
}

async fn the_last_manager_stays(live: Live) -> Outcome {
    leave(&live).await?;
    live.swarm().init_with(&swarm_of_one()).await?;
    let node = only_node(&live).await?;
    refused(node.remove().await, &[ErrorKind::Conflict, ErrorKind::Invalid]);
    let forced = node.remove_with(&NodeRemoveOptions::default().force()).await;
    refused(forced, &[ErrorKind::Conflict, ErrorKind::Invalid]);
    refused(live.node("none").remove().await, &[ErrorKind::NotFound]);
    assert_eq!(only_node(&live).await?.id(), node.id());
    leave(&live).await?;
    Ok(())
}

async fn secrets_come_and_go(live: Live) -> Outcome {
    let name = live.name();
    let spec = SecretSpec::new(&name, b"\x00\xffs3cret").label("team", "core").templating(Driver::new("golang"));
    let secret = live.secrets().create(&spec).await?;
    let told = live.secret(&name).inspect().await?;
    assert_eq!((told.id.as_str(), &told.spec.name, told.spec.labels["team"].as_str()), (secret.id(), &name, "core"));
    assert!(told.spec.data.is_empty(), "an engine gave a secret back");
    assert_eq!(told.spec.templating, spec.templating);
    refused(live.secrets().create(&spec).await, &[ErrorKind::Conflict]);
    refused(live.secrets().create(&SecretSpec::new("no/name", "data")).await, &[ErrorKind::Invalid]);

    let ours = SecretListOptions::default().filter("name", &name);
    assert_eq!(live.secrets().list_with(&ours).await?[0].id, secret.id());
    assert!(live.secrets().list().await?.iter().any(|listed| listed.spec.name == name));
    secret.update(|spec| drop(spec.labels.insert("more".to_owned(), String::new()))).await?;
    assert_eq!(secret.inspect().await?.spec.labels.len(), 2);
    refused(secret.update(|spec| spec.name.push('2')).await, &[ErrorKind::Invalid]);
    secret.remove().await?;
    refused(secret.inspect().await, &[ErrorKind::NotFound]);
    refused(secret.remove().await, &[ErrorKind::NotFound]);
    Ok(())
}

async fn configs_come_and_go(live: Live) -> Outcome {
    let name = live.name();
    let spec = ConfigSpec::new(&name, b"listen 80;\n\xff").label("team", "core").templating(Driver::new("golang"));
    let config = live.configs().create(&spec).await?;
    let told = live.config(&name).inspect().await?;
    assert_eq!((told.id.as_str(), &told.spec), (config.id(), &spec));
    refused(live.configs().create(&spec).await, &[ErrorKind::Conflict]);
    refused(live.configs().create(&ConfigSpec::new(live.name(), "")).await, &[ErrorKind::Invalid]);

    let ours = ConfigListOptions::default().filter("name", &name);
    assert_eq!(live.configs().list_with(&ours).await?[0].spec, spec);
    config.update(|spec| spec.labels.clear()).await?;
    let after = config.inspect().await?;
    assert!(after.spec.labels.is_empty() && after.spec.data == spec.data);
    refused(config.update(|spec| spec.data.push(b'!')).await, &[ErrorKind::Invalid]);
    config.remove().await?;
    refused(config.inspect().await, &[ErrorKind::NotFound]);
    Ok(())
}

async fn a_stale_version_changes_nothing(live: Live) -> Outcome {
    let secret = live.secrets().create(&SecretSpec::new(live.name(), "data")).await?;
    let config = live.configs().create(&ConfigSpec::new(live.name(), "data")).await?;
    let (old_secret, old_config) = (secret.inspect().await?, config.inspect().await?);
    secret.update(|spec| drop(spec.labels.insert("a".to_owned(), "new".to_owned()))).await?;
    config.update(|spec| drop(spec.labels.insert("a".to_owned(), "new".to_owned()))).await?;
    let stale = SecretSpec::new(&old_secret.spec.name, "").label("a", "stale");
    refused(secret.replace(old_secret.version, &stale).await, &[ErrorKind::Conflict]);
    let stale = old_config.spec.clone().label("a", "stale");
    refused(config.replace(old_config.version, &stale).await, &[ErrorKind::Conflict]);
    assert_eq!(secret.inspect().await?.spec.labels["a"], "new");
    let after = config.inspect().await?;
    assert_eq!(after.spec.labels["a"], "new");
    config.replace(after.version, &stale).await?;
    assert_eq!(config.inspect().await?.spec.labels["a"], "stale");
    secret.remove().await?;
    config.remove().await?;
    Ok(())
}
