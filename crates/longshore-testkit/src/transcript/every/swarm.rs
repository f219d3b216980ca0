//! The swarm itself, its nodes, secrets and configs.

use longshore::models::ObjectVersion;
use longshore::models::{ConfigSpec, NodeAvailability, NodeRole, NodeSpec, SecretSpec, SwarmSpec};
use longshore::swarm::SwarmJoinOptions;
use longshore::{Config, Configs, Node, Nodes, Secret, Secrets, Swarm};

use super::{Transcript, calls, shown};

pub(super) fn all() -> Vec<Transcript> {
    [membership(), changes(), nodes(), secrets(), configs()].concat()
}

const OBJECT: &str = r#"{"ID":"o1","Version":{"Index":7},"Spec":{"Name":"one"}}"#;
fn seven() -> ObjectVersion {
    ObjectVersion::new(7)
}

fn membership() -> Vec<Transcript> {
    let init = ("POST /swarm/init", "\"n1\"");
    let leave = ("POST /swarm/leave", "");
    vec![
        calls("every beginning of a swarm", &[init, init, ("GET /swarm", OBJECT)], r#""n1" "n1" "o1""#, |docker| {
            Box::pin(async move {
                let swarm = docker.swarm();
                let (plain, other) = (Swarm::init(&swarm).await?, Swarm::init_with(&swarm, &Default::default()).await?);
                shown(&[&plain.id(), &other.id(), &Swarm::inspect(&swarm).await?.id])
            })
        }),
        calls(
            "a swarm joined and left in every way",
            &[("POST /swarm/join", ""), leave, leave],
            "() () ()",
            |docker| {
                Box::pin(async move {
                    let swarm = docker.swarm();
                    let join = Swarm::join(&swarm, &SwarmJoinOptions::new("SWMTKN-1", ["10.0.0.1:2377"])).await?;
                    let plain = Swarm::leave(&swarm).await?;
                    shown(&[&join, &plain, &Swarm::leave_with(&swarm, &Default::default()).await?])
                })
            },
        ),
        calls(
            "the lock of a swarm",
            &[("GET /swarm/unlockkey", r#"{"UnlockKey":"SWMKEY-1"}"#), ("POST /swarm/unlock", "")],
            "8 ()",
            |docker| {
                Box::pin(async move {
                    let swarm = docker.swarm();
                    let key = Swarm::unlock_key(&swarm).await?;
                    shown(&[&key.expose().len(), &Swarm::unlock(&swarm, "SWMKEY-1").await?])
                })
            },
        ),
    ]
}

fn changes() -> Vec<Transcript> {
    let (read, write) = (("GET /swarm", OBJECT), ("POST /swarm/update?version=7", ""));
    vec![
        calls("a swarm changed", &[read, write, read, write], "() ()", |docker| {
            Box::pin(async move {
                let swarm = docker.swarm();
                let update = Swarm::update(&swarm, |_| {}).await?;
                shown(&[&update, &Swarm::rotate(&swarm, &Default::default()).await?])
            })
        }),
        calls("a swarm's spec replaced in every way", &[write, write], "() ()", |docker| {
            Box::pin(async move {
                let (swarm, spec) = (docker.swarm(), SwarmSpec::default());
                let plain = Swarm::replace(&swarm, seven(), &spec).await?;
                shown(&[&plain, &Swarm::replace_with(&swarm, seven(), &spec, &Default::default()).await?])
            })
        }),
    ]
}

fn nodes() -> Vec<Transcript> {
    let list = ("GET /nodes", r#"[{"ID":"n1"}]"#);
    let (read, write) = (("GET /nodes/n1", OBJECT), ("POST /nodes/n1/update?version=7", ""));
    let remove = ("DELETE /nodes/n1", "");
    vec![
        calls("every list of nodes", &[list, list, read], r#"1 1 "o1""#, |docker| {
            Box::pin(async move {
                let nodes = docker.nodes();
                let (plain, other) = (Nodes::list(&nodes).await?, Nodes::list_with(&nodes, &Default::default()).await?);
                shown(&[&plain.len(), &other.len(), &Node::inspect(&docker.node("n1")).await?.id])
            })
        }),
        calls("a node changed", &[read, write, write], "() ()", |docker| {
            Box::pin(async move {
                let node = docker.node("n1");
                let update = Node::update(&node, |_| {}).await?;
                let spec = NodeSpec::new(NodeRole::Worker, NodeAvailability::Active);
                shown(&[&update, &Node::replace(&node, seven(), &spec).await?])
            })
        }),
        calls("every removal of a node", &[remove, remove], "() ()", |docker| {
            Box::pin(async move {
                let node = docker.node("n1");
                let plain = Node::remove(&node).await?;
                shown(&[&plain, &Node::remove_with(&node, &Default::default()).await?])
            })
        }),
    ]
}

fn secrets() -> Vec<Transcript> {
    let list = ("GET /secrets", r#"[{"ID":"o1"}]"#);
    let (read, write) = (("GET /secrets/o1", OBJECT), ("POST /secrets/o1/update?version=7", ""));
    let create = ("POST /secrets/create", r#"{"ID":"o1"}"#);
    vec![
        calls("every list of secrets", &[list, list, read], r#"1 1 "o1""#, |docker| {
            Box::pin(async move {
                let secrets = docker.secrets();
                let plain = Secrets::list(&secrets).await?;
                let other = Secrets::list_with(&secrets, &Default::default()).await?;
                shown(&[&plain.len(), &other.len(), &Secret::inspect(&docker.secret("o1")).await?.id])
            })
        }),
        calls(
            "a secret made, changed and removed",
            &[create, read, write, write, ("DELETE /secrets/o1", "")],
            "() () ()",
            |docker| {
                Box::pin(async move {
                    let spec = SecretSpec::new("one", "word");
                    let secret = Secrets::create(&docker.secrets(), &spec).await?;
                    let update = Secret::update(&secret, |_| {}).await?;
                    let replace = Secret::replace(&secret, seven(), &spec).await?;
                    shown(&[&update, &replace, &Secret::remove(&secret).await?])
                })
            },
        ),
    ]
}

fn configs() -> Vec<Transcript> {
    let list = ("GET /configs", r#"[{"ID":"o1"}]"#);
    let (read, write) = (("GET /configs/o1", OBJECT), ("POST /configs/o1/update?version=7", ""));
    let create = ("POST /configs/create", r#"{"ID":"o1"}"#);
    vec![
        calls("every list of configs", &[list, list, read], r#"1 1 "o1""#, |docker| {
            Box::pin(async move {
                let configs = docker.configs();
                let plain = Configs::list(&configs).await?;
                let other = Configs::list_with(&configs, &Default::default()).await?;
                shown(&[&plain.len(), &other.len(), &Config::inspect(&docker.config("o1")).await?.id])
            })
        }),
        calls(
            "a config made, changed and removed",
            &[create, read, write, write, ("DELETE /configs/o1", "")],
            "() () ()",
            |docker| {
                Box::pin(async move {
                    let spec = ConfigSpec::new("one", "word");
                    let config = Configs::create(&docker.configs(), &spec).await?;
                    let update = Config::update(&config, |_| {}).await?;
                    let replace = Config::replace(&config, seven(), &spec).await?;
                    shown(&[&update, &replace, &Config::remove(&config).await?])
                })
            },
        ),
    ]
}
