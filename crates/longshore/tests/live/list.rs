//! Listing containers.

use longshore::container::ListOptions;
use longshore::{ContainerState, ErrorKind};
use longshore_testkit::live::{IMAGE, Live};

use crate::harness::{Outcome, Test, test};
use crate::support::{refused, until};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test(those_that_run_are_listed_and_the_others_on_demand),
        test(limit_takes_those_created_last),
        test(filters_pick),
        test(an_unknown_filter_is_refused),
        test(size_is_measured_on_demand),
        test(a_summary_tells_the_main_things),
    ]
}

/// The names of the containers of the test that match: the one created last first, on Podman in no order.
async fn names(live: &Live, options: ListOptions) -> longshore::Result<Vec<String>> {
    let listed = live.containers().list_with(&options.filter("label", live.label())).await?;
    let mut names: Vec<String> = listed.iter().map(|container| container.name().to_owned()).collect();
    if live.engine().is_podman() {
        let number = |name: &String| name.rsplit('-').next().and_then(|number| number.parse::<u64>().ok());
        names.sort_by_key(|name| std::cmp::Reverse(number(name)));
    }
    Ok(names)
}

async fn those_that_run_are_listed_and_the_others_on_demand(live: Live) -> Outcome {
    let running = live.start(live.spec("sleep 1000")).await?.inspect().await?;
    let created = live.create(live.spec("true")).await?.inspect().await?;
    let listed = live.containers().list().await?;
    assert!(listed.iter().any(|container| container.id == running.id));
    assert!(listed.iter().all(|container| container.id != created.id));
    assert_eq!(names(&live, ListOptions::default()).await?, [running.name()]);
    assert_eq!(names(&live, ListOptions::default().all()).await?, [created.name(), running.name()]);
    Ok(())
}

async fn limit_takes_those_created_last(live: Live) -> Outcome {
    let mut created = Vec::new();
    for _ in 0..3 {
        let spec = live.spec("true");
        created.extend(spec.name.clone());
        live.create(spec).await?;
    }
    created.reverse();
    let options = ListOptions::default();
    assert_eq!(names(&live, options.clone().limit(2)).await?, created[..2]);
    assert_eq!(names(&live, options.clone().all().limit(0)).await?, created);
    assert_eq!(names(&live, options.limit(9)).await?, created);
    Ok(())
}

async fn filters_pick(live: Live) -> Outcome {
    let running = live.start(live.spec("sleep 1000").label("color", "blue")).await?;
    let running = running.inspect().await?;
    let failed = live.containers().run(live.spec("sh -c 'exit 3'").label("color", "red")).await?;
    let name = failed.inspect().await?.name().to_owned();
    failed.status().await?;
    let all = || ListOptions::default().all();
    // Lists may be a moment behind what a wait tells.
    let exited = || names(&live, ListOptions::default().filter("status", "exited"));
    until("the end in the list", || async { Ok(exited().await? == [name.as_str()]) }).await?;
    assert_eq!(names(&live, all().filter("exited", 3)).await?, [name.as_str()]);
    assert_eq!(names(&live, all().filter("exited", 4)).await?, Vec::<String>::new());
    assert_eq!(names(&live, all().filter("label", "color=blue")).await?, [running.name()]);
    assert_eq!(names(&live, all().filter("label", "color")).await?, [name.as_str(), running.name()]);
    assert_eq!(names(&live, all().filter("label", "color=green")).await?, Vec::<String>::new());
    assert_eq!(names(&live, all().filter("name", format!("^/?{name}$"))).await?, [name.as_str()]);
    assert_eq!(names(&live, all().filter("id", &running.id[..20])).await?, [running.name()]);
    let both = all().filter("status", "running").filter("status", "exited");
    assert_eq!(names(&live, both).await?, [name.as_str(), running.name()]);
    // Podman knows an ancestor only by its whole name or the digits of its id.
    let image = running.image_id.trim_start_matches("sha256:");
    assert_eq!(names(&live, all().filter("ancestor", image)).await?, [name.as_str(), running.name()]);
    Ok(())
}

async fn an_unknown_filter_is_refused(live: Live) -> Outcome {
    let options = ListOptions::default().filter("no-such-filter", 1);
    let error = refused(live.containers().list_with(&options).await, &[ErrorKind::Invalid, ErrorKind::Server]);
    assert!(error.message().contains("no-such-filter"), "{error}");
    assert_eq!(error.operation(), "list containers");
    Ok(())
}

async fn size_is_measured_on_demand(live: Live) -> Outcome {
    let run = live.containers().run(live.spec("dd if=/dev/zero of=/big bs=1M count=2")).await?;
    let id = run.id().to_owned();
    run.status().await?;
    let options = || ListOptions::default().all().filter("id", &id);
    let plain = live.containers().list_with(&options()).await?;
    assert_eq!(plain.iter().map(|container| container.size_rw).collect::<Vec<_>>(), [None]);
    let sized = live.containers().list_with(&options().size()).await?;
    let [container] = &sized[..] else { panic!("{sized:?}") };
    assert!(container.size_rw.is_some_and(|size| size >= 2 << 20), "{:?}", container.size_rw);
    assert!(container.size_root_fs > Some(1 << 20), "{container:?}");
    Ok(())
}

async fn a_summary_tells_the_main_things(live: Live) -> Outcome {
    let container = live.start(live.spec("sleep 1000").label("color", "blue")).await?;
    let listed = live.containers().list_with(&ListOptions::default().filter("id", container.id())).await?;
    let [summary] = &listed[..] else { panic!("{listed:?}") };
    assert_eq!(summary.id, container.id());
    assert!(summary.image.ends_with(IMAGE), "{}", summary.image);
    assert!(summary.image_id.starts_with("sha256:"), "{}", summary.image_id);
    assert_eq!(summary.command, "sleep 1000");
    assert_eq!(summary.state, ContainerState::Running);
    assert!(summary.status.starts_with("Up"), "{}", summary.status);
    assert_eq!(summary.labels.get("color").map(String::as_str), Some("blue"));
    assert!(!summary.created.is_zero());
    Ok(())
}
