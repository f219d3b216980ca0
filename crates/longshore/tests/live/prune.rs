//! Removing all containers that have ended.

use std::time::{Duration, SystemTime};

use longshore::container::PruneOptions;
use longshore::models::ContainersPruned;
use longshore::{ErrorKind, Result};
use longshore_testkit::live::Live;

use crate::harness::{Outcome, Test, test};
use crate::support::refused;

pub(crate) fn tests() -> Vec<Test> {
    vec![test(those_that_ended_and_match_are_removed), test(an_unknown_filter_is_refused)]
}

/// Prunes among the containers of the test. Engines refuse to prune twice at a time.
async fn prune(live: &Live, options: &PruneOptions) -> Result<ContainersPruned> {
    let options = options.clone().label(live.label());
    loop {
        match live.containers().prune_with(&options).await {
            Err(error) if error.is_conflict() => tokio::time::sleep(Duration::from_millis(50)).await,
            outcome => return outcome,
        }
    }
}

async fn those_that_ended_and_match_are_removed(live: Live) -> Outcome {
    let running = live.start(live.spec("sleep 1000")).await?;
    let never_ran = live.create(live.spec("true").label("color", "blue")).await?;
    let ended = live.containers().run(live.spec("dd if=/dev/zero of=/big bs=1M count=2")).await?;
    let id = ended.id().to_owned();
    ended.status().await?;
    let hour_ago = SystemTime::now() - Duration::from_secs(3600);
    let nothing = [
        PruneOptions::default().until(hour_ago),
        PruneOptions::default().label("color=red"),
        PruneOptions::default().filter("label!", "longshore.test"),
    ];
    for options in nothing {
        assert_eq!(prune(&live, &options).await?, ContainersPruned::default(), "{options:?}");
    }
    let blue = prune(&live, &PruneOptions::default().label("color=blue")).await?;
    assert_eq!(blue.containers_deleted, [never_ran.id()]);
    let rest = prune(&live, &PruneOptions::default().until(SystemTime::now() + Duration::from_secs(60))).await?;
    assert_eq!(rest.containers_deleted, [id.as_str()]);
    assert!(rest.space_reclaimed >= 2 << 20, "{rest:?}");
    refused(live.container(&id).inspect().await, &[ErrorKind::NotFound]);
    assert!(running.inspect().await?.state.running);
    Ok(())
}

async fn an_unknown_filter_is_refused(live: Live) -> Outcome {
    let error = refused(
        prune(&live, &PruneOptions::default().filter("no-such-filter", 1)).await,
        &[ErrorKind::Invalid, ErrorKind::Server],
    );
    assert!(error.message().contains("no-such-filter"), "{error}");
    Ok(())
}
