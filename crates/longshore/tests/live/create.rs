//! Creating containers.

use longshore::{ErrorKind, Mount, Port, RestartPolicy, Spec};
use longshore_testkit::live::Live;
use serde_json::json;

use crate::harness::{Outcome, Test, test};
use crate::support::refused;

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test(the_container_is_as_the_spec_says),
        test(what_runs_sees_what_the_spec_says),
        test(an_unmodelled_property_reaches_the_engine),
        test(the_engine_s_warnings_are_told),
        test(a_platform_that_the_image_lacks_is_refused),
        test(a_taken_name_is_a_conflict),
        test(a_missing_image_is_not_found),
        test(an_invalid_spec_keeps_the_engine_s_message),
        test(a_line_with_unmatched_quotes_is_refused_before_anything_is_sent),
    ]
}

async fn the_container_is_as_the_spec_says(live: Live) -> Outcome {
    let spec = live
        .spec(["sleep", "1 minute"])
        .entrypoint("env")
        .env("A", "1 2")
        .label("color", "blue")
        .user("1000:100")
        .working_dir("/var")
        .expose(Port::udp(53))
        .mount(Mount::tmpfs("/scratch"))
        .restart(RestartPolicy::on_failure(3))
        .memory(64 << 20)
        .cpus(0.5)
        .stop_signal("SIGINT")
        .init();
    let name = spec.name.clone().unwrap_or_default();
    let container = live.create(spec).await?;
    assert_eq!(container.id().len(), 64);
    let inspect = container.inspect().await?;
    assert_eq!((inspect.id.as_str(), inspect.name()), (container.id(), name.as_str()));
    let config = &inspect.config;
    assert_eq!(config.cmd, ["sleep", "1 minute"]);
    assert_eq!(config.entrypoint.as_deref(), Some(&["env".to_owned()][..]));
    assert!(config.env.contains(&"A=1 2".to_owned()), "{:?}", config.env);
    assert_eq!(config.labels.get("color").map(String::as_str), Some("blue"));
    assert_eq!((config.user.as_str(), config.working_dir.as_str()), ("1000:100", "/var"));
    let host = &inspect.host_config;
    assert_eq!(host.restart_policy, RestartPolicy::on_failure(3));
    assert_eq!(host.resources.memory, 64 << 20);
    assert_eq!(host.network_mode, "host");
    assert_eq!(host.resources.init, Some(true));
    assert!(inspect.state.started_at.is_zero() && !inspect.created.is_zero());
    Ok(())
}

async fn what_runs_sees_what_the_spec_says(live: Live) -> Outcome {
    let script =
        "echo $A; hostname; pwd; id -u; id -g; grep -c scratch /proc/mounts; tty; cat /proc/self/cgroup | wc -l";
    let spec = live
        .spec(["sh", "-c", script])
        .env("A", "1 2")
        .hostname("somewhere")
        .user("1000:100")
        .working_dir("/var")
        .mount(Mount::tmpfs("/scratch").size(1 << 20));
    let out = live.containers().output(spec).await?;
    let text = out.stdout.text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.get(..7), Some(&["1 2", "somewhere", "/var", "1000", "100", "1", "not a tty"][..]), "{out:?}");
    Ok(())
}

async fn an_unmodelled_property_reaches_the_engine(live: Live) -> Outcome {
    let spec = live.spec("true").set("HostConfig.ShmSize", 1 << 22).set("Labels", json!({ "only": "this" }));
    let spec = live.labelled(spec).set("Labels.also", "that").set("NoSuchProperty.At.All", 1);
    let name = spec.name.clone().unwrap_or_default();
    let created = live.create(spec).await;
    // Its labels were overwritten, so that only the test itself can find it.
    let inspect = live.container(&name).inspect().await;
    live.container(&name).remove().await?;
    let (created, inspect) = (created?, inspect?);
    assert_eq!(created.id(), inspect.id);
    assert_eq!(inspect["HostConfig"]["ShmSize"], 1 << 22);
    assert_eq!(inspect["Config"]["Labels"], json!({ "only": "this", "also": "that" }));
    Ok(())
}

async fn the_engine_s_warnings_are_told(live: Live) -> Outcome {
    let created = live.create(live.spec("true").set("HostConfig.OomKillDisable", true)).await?;
    match live.engine().is_podman() {
        true => assert_eq!(created.warnings, Vec::<String>::new()),
        false => assert!(!created.warnings.is_empty()),
    }
    Ok(())
}

async fn a_platform_that_the_image_lacks_is_refused(live: Live) -> Outcome {
    let outcome = live.create(live.spec("true").platform("linux/s390x")).await;
    if live.engine().is_podman() {
        // Podman asks for the platform only when it pulls.
        assert_eq!(outcome?.warnings, Vec::<String>::new());
        return Ok(());
    }
    let error = refused(outcome, &[ErrorKind::NotFound]);
    assert!(error.message().contains("platform"), "{error}");
    assert_eq!(live.existing().await?, Vec::<String>::new());
    Ok(())
}

async fn a_taken_name_is_a_conflict(live: Live) -> Outcome {
    let spec = live.spec("true");
    let name = spec.name.clone().unwrap_or_default();
    let first = live.create(spec.clone()).await?;
    let error = refused(live.create(spec).await, &[ErrorKind::Conflict]);
    assert_eq!(error.target(), Some(name.as_str()));
    assert!(error.is_conflict() && error.message().contains(&name), "{error}");
    assert_eq!(live.container(name).inspect().await?.id, first.id());
    Ok(())
}

async fn a_missing_image_is_not_found(live: Live) -> Outcome {
    let spec = live.labelled(Spec::image("localhost/no/such-image:1")).name(live.name());
    let error = refused(live.create(spec).await, &[ErrorKind::NotFound]);
    assert_eq!(error.status(), Some(404));
    assert!(error.message().contains("no/such-image"), "{error}");
    assert_eq!(live.existing().await?, Vec::<String>::new());
    Ok(())
}

async fn an_invalid_spec_keeps_the_engine_s_message(live: Live) -> Outcome {
    let wrong = [
        (live.spec("true").name("[a-zA-Z0-9]"), "[a-zA-Z0-9]"),
        (live.spec("true").set("HostConfig.RestartPolicy.Name", "sometimes"), "sometimes"),
        (live.spec("true").set("HostConfig.Memory", "plenty"), "Memory"),
        (live.labelled(Spec::image("UPPER/Case")), "must be lowercase"),
    ];
    for (spec, word) in wrong {
        let error = refused(live.create(spec).await, &[ErrorKind::Invalid, ErrorKind::Server]);
        assert!(error.message().contains(word), "{error}");
    }
    assert_eq!(live.existing().await?, Vec::<String>::new());
    Ok(())
}

async fn a_line_with_unmatched_quotes_is_refused_before_anything_is_sent(live: Live) -> Outcome {
    refused(live.create(live.spec("echo 'a")).await, &[ErrorKind::Invalid]);
    assert_eq!(live.existing().await?, Vec::<String>::new());
    Ok(())
}
