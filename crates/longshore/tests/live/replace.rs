//! Containers that are replaced when their spec has changed.

use longshore::{Change, ErrorKind};
use longshore_testkit::live::Live;

use crate::harness::{Outcome, Test, test};
use crate::support::refused;

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test(a_container_is_created_left_alone_or_replaced),
        test(with_a_missing_image_the_old_one_still_runs_under_its_name),
        test(with_a_wrong_spec_the_old_one_still_runs_under_its_name),
    ]
}

async fn a_container_is_created_left_alone_or_replaced(live: Live) -> Outcome {
    let (name, spec) = (live.name(), live.spec("sleep 1000").env("A", "1").label("color", "blue"));
    let (first, change) = live.containers().create_or_replace(&name, &spec).await?;
    assert_eq!(change, Change::Created);
    first.start().await?;
    let (same, change) = live.containers().create_or_replace(&name, &spec).await?;
    assert_eq!((same.id(), change), (first.id(), Change::Unchanged));
    assert!(first.inspect().await?.state.running);
    let changed = spec.env("A", "2");
    let (second, change) = live.containers().create_or_replace(&name, &changed).await?;
    assert_eq!(change, Change::Replaced);
    assert_ne!(second.id(), first.id());
    second.start().await?;
    let inspect = live.container(&name).inspect().await?;
    assert_eq!(inspect.id, second.id());
    assert!(inspect.state.running && inspect.config.env.contains(&"A=2".to_owned()), "{:?}", inspect.config.env);
    refused(first.inspect().await, &[ErrorKind::NotFound]);
    assert_eq!(live.existing().await?, [name.as_str()]);
    Ok(())
}

async fn with_a_missing_image_the_old_one_still_runs_under_its_name(live: Live) -> Outcome {
    let (name, mut spec) = (live.name(), live.spec("sleep 1000"));
    let (old, _) = live.containers().create_or_replace(&name, &spec).await?;
    old.start().await?;
    spec.config.image = "127.0.0.1:1/no/such:1".to_owned();
    let error = live.containers().create_or_replace(&name, &spec).await.expect_err("a missing image");
    assert!(error.to_string().starts_with(&format!("create or replace container `{name}`: ")), "{error}");
    let inspect = live.container(&name).inspect().await?;
    assert_eq!(inspect.id, old.id());
    assert!(inspect.state.running);
    assert_eq!(live.existing().await?, [name.as_str()]);
    Ok(())
}

async fn with_a_wrong_spec_the_old_one_still_runs_under_its_name(live: Live) -> Outcome {
    let (name, spec) = (live.name(), live.spec("sleep 1000"));
    let (old, _) = live.containers().create_or_replace(&name, &spec).await?;
    old.start().await?;
    let wrong = spec.set("HostConfig.RestartPolicy.Name", "sometimes");
    let error = refused(live.containers().create_or_replace(&name, &wrong).await, &[ErrorKind::Invalid]);
    assert!(error.message().contains("sometimes"), "{error}");
    let inspect = live.container(&name).inspect().await?;
    assert!(inspect.id == old.id() && inspect.state.running);
    assert_eq!(live.existing().await?, [name.as_str()]);
    Ok(())
}
