//! What a connection over TCP does when it is shared, slow or cut.

use longshore::container::ListOptions;
use longshore::{Container, Docker};
use longshore_testkit::live::Live;
use longshore_testkit::{Direction, FaultProxy, Faults};

use crate::harness::{Outcome, Test, test};
use crate::support::until;

pub(crate) fn tests() -> Vec<Test> {
    vec![test(calls_share_connections), test(everything_may_come_byte_by_byte), test(a_cut_connection_is_an_error)]
}

/// An engine behind a TCP port of this machine.
async fn over_tcp(live: &Live) -> Result<(Option<FaultProxy>, Docker), Box<dyn std::error::Error + Send + Sync>> {
    let Some(socket) = live.engine().socket() else {
        return Ok((None, Docker::connect_to(live.engine().host())?));
    };
    let proxy = FaultProxy::tcp(socket).await?;
    let docker = Docker::connect_to(proxy.host())?;
    Ok((Some(proxy), docker))
}

async fn calls_share_connections(live: Live) -> Outcome {
    let (proxy, docker) = over_tcp(&live).await?;
    assert!(docker.host().starts_with("tcp://"), "{}", docker.host());
    for _ in 0..10 {
        docker.ping().await?;
        docker.containers().list_with(&ListOptions::default().limit(1)).await?;
    }
    if let Some(proxy) = &proxy {
        assert_eq!((proxy.opened(), proxy.alive()), (1, 1));
        docker.close();
        until("no connection", || async { Ok(proxy.alive() == 0) }).await?;
    }
    Ok(())
}

async fn sorted(docker: &Docker, container: &Container) -> longshore::Result<String> {
    let mut session = docker.container(container.id()).exec("sort").stdin().start().await?;
    session.write_all(b"b\na\n").await?;
    session.close_stdin().await?;
    Ok(session.into_output().collect().await?.stdout.text().into_owned())
}

async fn everything_may_come_byte_by_byte(live: Live) -> Outcome {
    let (Some(proxy), docker) = over_tcp(&live).await? else { return Ok(()) };
    let single = Direction { piece: Some(1), ..Direction::default() };
    proxy.set(Faults { to_engine: single, to_client: single });
    let spec = live.spec(["sh", "-c", "seq 1 20; seq 21 40 >&2; exit 3"]);
    let out = docker.containers().run(spec).await?.output().await?;
    let lines = |numbers: std::ops::RangeInclusive<u8>| numbers.map(|number| format!("{number}\n")).collect::<String>();
    assert_eq!(out.status.code(), 3);
    assert!(out.stdout == lines(1..=20).as_str() && out.stderr == lines(21..=40).as_str(), "{out:?}");
    assert_eq!(sorted(&docker, live.shared().await?).await?, "a\nb\n");
    Ok(())
}

async fn a_cut_connection_is_an_error(live: Live) -> Outcome {
    let (Some(proxy), docker) = over_tcp(&live).await? else { return Ok(()) };
    docker.api_version().await?;
    docker.close();
    let to_client = Direction { cut_after: Some(2000), ..Direction::default() };
    proxy.set(Faults { to_client, ..Faults::default() });
    let container = docker.container(live.shared().await?.id());
    let exec = container.exec("seq 1 10000").output().await;
    assert!(exec.is_err(), "{exec:?}");
    let mut bytes = Vec::new();
    let archive = async { container.archive("/bin").await?.copy_to(&mut bytes).await }.await;
    assert!(archive.is_err(), "{archive:?}");
    proxy.set(Faults::default());
    docker.ping().await?;
    Ok(())
}
