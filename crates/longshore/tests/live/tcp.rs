//! The same over TCP: what depends on the transport.

use longshore::container::ListOptions;
use longshore::{Container, Docker, Until};
use longshore_testkit::live::Live;
use longshore_testkit::{Direction, FaultProxy, Faults};

use crate::harness::{Outcome, Test, test};
use crate::support::{Entry, tar, until};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test(calls_share_connections),
        test(run_gives_output_and_status),
        test(logs_are_followed_to_the_end),
        test(an_exec_takes_input_and_its_end),
        test(an_attachment_takes_input_and_its_end),
        test(stats_come_again_and_again),
        test(archives_go_in_and_out),
        test(everything_may_come_byte_by_byte),
        test(a_cut_connection_is_an_error),
    ]
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

async fn run_gives_output_and_status(live: Live) -> Outcome {
    let (_proxy, docker) = over_tcp(&live).await?;
    let out = docker.containers().output(live.spec(["sh", "-c", "echo out; echo err >&2; exit 3"])).await?;
    assert!(out.status.code() == 3 && out.stdout == "out\n" && out.stderr == "err\n", "{out:?}");
    Ok(())
}

async fn logs_are_followed_to_the_end(live: Live) -> Outcome {
    let (_proxy, docker) = over_tcp(&live).await?;
    let run = docker.containers().run(live.spec(["sh", "-c", "echo a; sleep 0.3; echo b >&2; exit 4"])).await?;
    let out = run.output().await?;
    assert!(out.status.code() == 4 && out.stdout == "a\n" && out.stderr == "b\n", "{out:?}");
    Ok(())
}

async fn sorted(docker: &Docker, container: &Container) -> longshore::Result<String> {
    let mut session = docker.container(container.id()).exec("sort").stdin().start().await?;
    session.write_all(b"b\na\n").await?;
    session.close_stdin().await?;
    Ok(session.into_output().collect().await?.stdout.text().into_owned())
}

async fn an_exec_takes_input_and_its_end(live: Live) -> Outcome {
    let (_proxy, docker) = over_tcp(&live).await?;
    assert_eq!(sorted(&docker, live.shared().await?).await?, "a\nb\n");
    Ok(())
}

async fn an_attachment_takes_input_and_its_end(live: Live) -> Outcome {
    let (_proxy, docker) = over_tcp(&live).await?;
    let container = docker.containers().create(&live.spec("sort").stdin_once()).await?;
    let exit = container.wait(Until::NextExit).await?;
    let mut session = container.attach().stdin().await?;
    container.start().await?;
    session.write_all(b"b\na\n").await?;
    session.close_stdin().await?;
    let output = session.into_output().collect().await?;
    assert!(output.stdout == "a\nb\n", "{output:?}");
    assert!(exit.await?.success());
    Ok(())
}

async fn stats_come_again_and_again(live: Live) -> Outcome {
    let (_proxy, docker) = over_tcp(&live).await?;
    let container = docker.container(live.shared().await?.id());
    let mut stats = container.stats().await?;
    let first = stats.next().await.expect("a sample")?;
    let second = stats.next().await.expect("a sample")?;
    assert!(second.read.to_system_time() > first.read.to_system_time());
    Ok(())
}

async fn archives_go_in_and_out(live: Live) -> Outcome {
    let (_proxy, docker) = over_tcp(&live).await?;
    let container = docker.containers().create(&live.spec("true")).await?;
    let content: Vec<u8> = (0..1_000_000_u32).map(|number| number as u8).collect();
    container.put_archive("/", tar(&[Entry::file("file", &content)])).await?;
    let mut bytes = Vec::new();
    container.archive("/file").await?.copy_to(&mut bytes).await?;
    assert!(bytes.get(512..512 + content.len()) == Some(&content[..]), "{} bytes", bytes.len());
    Ok(())
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
