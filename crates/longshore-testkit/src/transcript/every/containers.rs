//! Containers, but for what reads their output.

use longshore::{Container, Containers, Size, Spec};

use super::{Transcript, calls, shown};

pub(super) fn all() -> Vec<Transcript> {
    [collection(), looks(), transitions(), changes(), checkpoints()].concat()
}

fn collection() -> Vec<Transcript> {
    let list = ("GET /containers/json", r#"[{"Id":"c1"},{"Id":"c2"}]"#);
    let prune = ("POST /containers/prune", r#"{"ContainersDeleted":["c1"],"SpaceReclaimed":7}"#);
    let create = ("POST /containers/create", r#"{"Id":"c1","Warnings":["w"]}"#);
    let absent = ("GET /containers/web/json", r#"{"Id":"web01","Name":"/other"}"#);
    let left = ("GET /containers/json?all=1&filters=%7B%22name%22%3A%5B%22web.longshore-%22%5D%7D", "[]");
    let named = ("POST /containers/create?name=web", r#"{"Id":"c1"}"#);
    vec![
        calls("every list of containers", &[list, list], "2 2", |docker| {
            Box::pin(async move {
                let containers = docker.containers();
                let plain = Containers::list(&containers).await?;
                shown(&[&plain.len(), &Containers::list_with(&containers, &Default::default()).await?.len()])
            })
        }),
        calls("every prune of containers", &[prune, prune], "7 7", |docker| {
            Box::pin(async move {
                let containers = docker.containers();
                let plain = Containers::prune(&containers).await?;
                let other = Containers::prune_with(&containers, &Default::default()).await?;
                shown(&[&plain.space_reclaimed, &other.space_reclaimed])
            })
        }),
        calls("a creation", &[create], r#""c1" ["w"]"#, |docker| {
            Box::pin(async move {
                let created = Containers::create(&docker.containers(), &Spec::image("alpine")).await?;
                shown(&[&created.id(), &created.warnings])
            })
        }),
        calls("a creation where nothing is to be replaced", &[absent, left, named], r#""c1" Created"#, |docker| {
            Box::pin(async move {
                let spec = Spec::image("alpine");
                let (web, change) = Containers::create_or_replace(&docker.containers(), "web", &spec).await?;
                shown(&[&web.id(), &change])
            })
        }),
    ]
}

fn looks() -> Vec<Transcript> {
    let bound = r#"{"Id":"c1","NetworkSettings":{"Ports":{"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"8080"}]}}}"#;
    let inspect = ("GET /containers/web/json", bound);
    let top = ("GET /containers/web/top", r#"{"Titles":["PID"],"Processes":[["1"],["7"]]}"#);
    let changes = ("GET /containers/web/changes", r#"[{"Path":"/a","Kind":1}]"#);
    vec![
        calls("every look at a container", &[inspect, inspect, inspect], r#""c1" "c1" 1"#, |docker| {
            Box::pin(async move {
                let web = docker.container("web");
                let plain = Container::inspect(&web).await?;
                let other = Container::inspect_with(&web, &Default::default()).await?;
                shown(&[&plain.id, &other.id, &Container::port(&web, 80).await?.len()])
            })
        }),
        calls("every look at what is in a container", &[top, top, changes], "2 2 1", |docker| {
            Box::pin(async move {
                let web = docker.container("web");
                let (plain, other) =
                    (Container::top(&web).await?, Container::top_with(&web, &Default::default()).await?);
                let changes = Container::changes(&web).await?;
                shown(&[&plain.column("PID").count(), &other.column("PID").count(), &changes.len()])
            })
        }),
    ]
}

fn transitions() -> Vec<Transcript> {
    let request = |verb: &str| format!("POST /containers/web/{verb}");
    let twice = |verb: &str| [(request(verb), ""), (request(verb), "")];
    let (start, stop, restart, kill) = (twice("start"), twice("stop"), twice("restart"), twice("kill"));
    let transitions = |name, exchanges: &[(String, &str)], gives, call| {
        let exchanges: Vec<_> = exchanges.iter().map(|(request, body)| (request.as_str(), *body)).collect();
        calls(name, &exchanges, gives, call)
    };
    vec![
        transitions("every start", &start, "Changed Changed", |docker| {
            Box::pin(async move {
                let web = docker.container("web");
                let plain = Container::start(&web).await?;
                shown(&[&plain, &Container::start_with(&web, &Default::default()).await?])
            })
        }),
        transitions("every stop", &stop, "Changed Changed", |docker| {
            Box::pin(async move {
                let web = docker.container("web");
                let plain = Container::stop(&web).await?;
                shown(&[&plain, &Container::stop_with(&web, &Default::default()).await?])
            })
        }),
        transitions("every restart", &restart, "() ()", |docker| {
            Box::pin(async move {
                let web = docker.container("web");
                let plain = Container::restart(&web).await?;
                shown(&[&plain, &Container::restart_with(&web, &Default::default()).await?])
            })
        }),
        transitions("every kill", &kill, "() ()", |docker| {
            Box::pin(async move {
                let web = docker.container("web");
                let plain = Container::kill(&web).await?;
                shown(&[&plain, &Container::kill_with(&web, &Default::default()).await?])
            })
        }),
    ]
}

fn changes() -> Vec<Transcript> {
    let remove = ("DELETE /containers/web", "");
    let commit = ("POST /commit?container=web&pause=1", r#"{"Id":"sha256:0f"}"#);
    let paused = [("POST /containers/web/pause", ""), ("POST /containers/web/unpause", "")];
    let resized = ("POST /containers/web/resize?h=24&w=80", "");
    let updated = ("POST /containers/web/update", r#"{"Warnings":["w"]}"#);
    vec![
        calls("every removal", &[remove, remove], "() ()", |docker| {
            Box::pin(async move {
                let web = docker.container("web");
                let plain = Container::remove(&web).await?;
                shown(&[&plain, &Container::remove_with(&web, &Default::default()).await?])
            })
        }),
        calls("every commit", &[commit, commit], r#""sha256:0f" "sha256:0f""#, |docker| {
            Box::pin(async move {
                let web = docker.container("web");
                let plain = Container::commit(&web).await?;
                shown(&[&plain.name(), &Container::commit_with(&web, &Default::default()).await?.name()])
            })
        }),
        calls("a pause, and its end", &paused, "() ()", |docker| {
            Box::pin(async move {
                let web = docker.container("web");
                let pause = Container::pause(&web).await?;
                shown(&[&pause, &Container::unpause(&web).await?])
            })
        }),
        calls(
            "all that is set later",
            &[resized, updated, ("POST /containers/web/rename?name=b", "")],
            r#"() ["w"] ()"#,
            |docker| {
                Box::pin(async move {
                    let web = docker.container("web");
                    let resize = Container::resize(&web, Size { rows: 24, columns: 80 }).await?;
                    let update = Container::update_with(&web, &Default::default()).await?;
                    shown(&[&resize, &update.warnings, &Container::rename(&web, "b").await?])
                })
            },
        ),
    ]
}

fn checkpoints() -> Vec<Transcript> {
    let create = ("POST /containers/web/checkpoints", "");
    let list = ("GET /containers/web/checkpoints", r#"[{"Name":"noon"}]"#);
    let remove = ("DELETE /containers/web/checkpoints/noon", "");
    vec![
        calls("every checkpoint made", &[create, create], "() ()", |docker| {
            Box::pin(async move {
                let web = docker.container("web");
                let plain = Container::create_checkpoint(&web, "noon").await?;
                shown(&[&plain, &Container::create_checkpoint_with(&web, "noon", &Default::default()).await?])
            })
        }),
        calls("every list of checkpoints", &[list, list], "1 1", |docker| {
            Box::pin(async move {
                let web = docker.container("web");
                let plain = Container::checkpoints(&web).await?;
                shown(&[&plain.len(), &Container::checkpoints_with(&web, &Default::default()).await?.len()])
            })
        }),
        calls("every removal of a checkpoint", &[remove, remove], "() ()", |docker| {
            Box::pin(async move {
                let web = docker.container("web");
                let plain = Container::remove_checkpoint(&web, "noon").await?;
                shown(&[&plain, &Container::remove_checkpoint_with(&web, "noon", &Default::default()).await?])
            })
        }),
    ]
}
