//! Freezing containers to disk, which engines without experimental features refuse.

use longshore::ErrorKind;
use longshore::container::{CheckpointListOptions, CheckpointOptions, CheckpointRemoveOptions};
use longshore_testkit::live::Live;

use crate::harness::{Outcome, Test, test};
use crate::support::refused;

pub(crate) fn tests() -> Vec<Test> {
    vec![test(engines_without_experimental_features_refuse), test(names_that_lead_elsewhere_are_not_sent)]
}

async fn engines_without_experimental_features_refuse(live: Live) -> Outcome {
    let container = live.shared().await?;
    if live.ping().await?.experimental && !live.engine().is_podman() {
        // One with them answers; whether it can freeze depends on its kernel.
        assert!(container.checkpoints().await?.is_empty());
        refused(container.remove_checkpoint("none").await, &[ErrorKind::Server, ErrorKind::NotFound]);
        return Ok(());
    }
    let unsupported = [ErrorKind::Unsupported];
    refused(container.create_checkpoint("noon").await, &unsupported);
    refused(
        container.create_checkpoint_with("noon", &CheckpointOptions::default().dir("/tmp").exit()).await,
        &unsupported,
    );
    refused(container.checkpoints().await, &unsupported);
    refused(container.checkpoints_with(&CheckpointListOptions::default().dir("/tmp")).await, &unsupported);
    refused(container.remove_checkpoint("noon").await, &unsupported);
    let options = CheckpointRemoveOptions::default().dir("/tmp");
    let error = refused(container.remove_checkpoint_with("noon", &options).await, &unsupported);
    assert_eq!(error.operation(), "remove checkpoint of container");
    assert!(container.inspect().await?.state.running);
    Ok(())
}

async fn names_that_lead_elsewhere_are_not_sent(live: Live) -> Outcome {
    let container = live.shared().await?;
    for bad in ["", "..", "../../a"] {
        refused(container.create_checkpoint(bad).await, &[ErrorKind::Invalid]);
        refused(container.remove_checkpoint(bad).await, &[ErrorKind::Invalid]);
    }
    Ok(())
}
