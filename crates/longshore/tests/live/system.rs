//! The engine itself: ping, version, and how the version of the API is agreed upon.

use longshore::{ApiVersion, ConnectOptions, Docker, ErrorKind};
use longshore_testkit::live::Live;

use crate::harness::{Outcome, Test, test};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test(ping_tells_version_and_system),
        test(version_tells_the_engine),
        test(the_newest_version_that_both_know_is_spoken),
        test(version_1_41_can_be_pinned),
        test(a_version_that_the_engine_does_not_know_is_an_error),
        test(closing_leaves_the_client_usable),
    ]
}

async fn ping_tells_version_and_system(live: Live) -> Outcome {
    let ping = live.ping().await?;
    let system = if live.engine().is_podman() { None } else { Some("linux") };
    assert_eq!(ping.os_type.as_deref(), system);
    assert!(ping.api_version.is_some_and(|version| version >= ApiVersion::new(1, 41)), "{ping:?}");
    Ok(())
}

async fn version_tells_the_engine(live: Live) -> Outcome {
    let version = live.version().await?;
    assert_eq!(version.os, "linux");
    assert!(!version.version.is_empty() && !version.kernel_version.is_empty());
    assert_eq!(version["Version"], version.version.as_str());
    let api: ApiVersion = version.api_version.parse()?;
    assert_eq!(Some(api), live.ping().await?.api_version);
    Ok(())
}

async fn the_newest_version_that_both_know_is_spoken(live: Live) -> Outcome {
    let newest = live.ping().await?.api_version.expect("a version");
    assert_eq!(live.api_version().await?, newest.min(ApiVersion::MAXIMUM));
    Ok(())
}

fn pinned(live: &Live, version: ApiVersion) -> longshore::Result<Docker> {
    Docker::connect_with(&ConnectOptions::default().host(live.engine().host()).version(version))
}

async fn version_1_41_can_be_pinned(live: Live) -> Outcome {
    let docker = pinned(&live, ApiVersion::new(1, 41))?;
    assert_eq!(docker.api_version().await?, ApiVersion::new(1, 41));
    // Below 1.42 the framing of output is asked of the container, and no head tells it.
    let spec = live.spec(["sh", "-c", "echo out; echo err >&2"]);
    let out = docker.containers().output(spec.clone()).await?;
    assert!(out.status.success() && out.stdout == "out\n" && out.stderr == "err\n", "{out:?}");
    let out = docker.containers().output(spec.tty()).await?;
    assert!(out.stdout == "out\r\nerr\r\n" && out.stderr.is_empty(), "{out:?}");
    Ok(())
}

async fn a_version_that_the_engine_does_not_know_is_an_error(live: Live) -> Outcome {
    for version in [ApiVersion::new(1, 999), ApiVersion::new(1, 1)] {
        let outcome = pinned(&live, version)?.containers().list().await;
        if live.engine().is_podman() {
            // Podman speaks as if it knew every version.
            outcome?;
            continue;
        }
        let error = outcome.expect_err("a version that is not known");
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.message().contains("version"), "{error}");
    }
    Ok(())
}

async fn closing_leaves_the_client_usable(live: Live) -> Outcome {
    let docker = Docker::connect_to(live.engine().host())?;
    docker.ping().await?;
    docker.close();
    docker.ping().await?;
    Ok(())
}
