//! The same calls over every way to an engine.

use std::any::Any;
use std::time::Duration;

#[cfg(any(feature = "tls", feature = "ssh"))]
use longshore::ConnectOptions;
#[cfg(feature = "tls")]
use longshore::Environment;
use longshore::{Container, Docker, EventsOptions, OutputStream, Source, Until};
use longshore_testkit::FaultProxy;
use longshore_testkit::gateway::{Forwarding, Gateway};
use longshore_testkit::live::Live;
#[cfg(feature = "tls")]
use longshore_testkit::tls::TlsPort;
#[cfg(feature = "ssh")]
use longshore_testkit::{FarSide, Sshd, live::LiveEngine};

use crate::harness::{Outcome, Test, test_named};
use crate::support::{Entry, tar};

pub(crate) fn tests() -> Vec<Test> {
    [
        over_each_way(run_gives_output_and_status),
        over_each_way(logs_are_followed_to_the_end),
        over_each_way(an_exec_takes_input_and_its_end),
        over_each_way(an_exec_gives_64_mib),
        over_each_way(an_exec_gives_back_64_mib_of_input),
        over_each_way(an_attachment_takes_input_and_its_end),
        #[cfg(feature = "websocket")]
        over_each_way(a_websocket_takes_input),
        over_each_way(stats_come_again_and_again),
        over_each_way(events_are_told),
        over_each_way(archives_go_in_and_out),
        over_each_way(an_image_is_built),
        over_each_way(many_calls_at_a_time),
    ]
    .concat()
}

/// A way to an engine.
#[derive(Clone, Copy, Debug)]
enum Way {
    Unix,
    Tcp,
    /// A proxy that forwards connections.
    Proxy,
    /// A proxy that forwards HTTP.
    HttpProxy,
    /// The engine's own TLS; Podman 4 has none, and a proxy speaks it in its place.
    #[cfg(feature = "tls")]
    Tls,
    /// An ssh server before the engine, with Docker's CLI beside it.
    #[cfg(feature = "ssh")]
    Ssh,
    /// The same without the CLI: the engine's socket is forwarded.
    #[cfg(feature = "ssh")]
    SshSocket,
}

impl Way {
    const ALL: &[Way] = &[
        Way::Unix,
        Way::Tcp,
        Way::Proxy,
        Way::HttpProxy,
        #[cfg(feature = "tls")]
        Way::Tls,
        #[cfg(feature = "ssh")]
        Way::Ssh,
        #[cfg(feature = "ssh")]
        Way::SshSocket,
    ];

    fn name(self) -> &'static str {
        match self {
            Way::Unix => "unix",
            Way::Tcp => "tcp",
            Way::Proxy => "proxy",
            Way::HttpProxy => "http_proxy",
            #[cfg(feature = "tls")]
            Way::Tls => "tls",
            #[cfg(feature = "ssh")]
            Way::Ssh => "ssh",
            #[cfg(feature = "ssh")]
            Way::SshSocket => "ssh_socket",
        }
    }

    /// Makes a client whose connections go this way; an engine that has no unix socket is reached its own way.
    async fn to(self, live: &Live) -> Result<Reached, Box<dyn std::error::Error + Send + Sync>> {
        let engine = live.engine();
        let Some(socket) = engine.socket() else { return reached(engine.host(), ()) };
        match self {
            Way::Unix => reached(engine.host(), ()),
            Way::Tcp => {
                let proxy = FaultProxy::tcp(socket).await?;
                reached(&proxy.host(), proxy)
            }
            Way::Proxy => {
                let gateway = Gateway::before(engine, Forwarding::Connections).await?;
                reached(&gateway.host(), gateway)
            }
            Way::HttpProxy => {
                let gateway = Gateway::before(engine, Forwarding::Http).await?;
                reached(&gateway.host(), gateway)
            }
            #[cfg(feature = "ssh")]
            Way::Ssh => over_ssh(engine, FarSide::default()).await,
            #[cfg(feature = "ssh")]
            Way::SshSocket => over_ssh(engine, FarSide::default().without_docker()).await,
            #[cfg(feature = "tls")]
            Way::Tls => {
                let port = TlsPort::of(live.shared_engine()).await?;
                let docker = over_tls(port.host(), port.certificates())?;
                Ok(Reached { docker, _through: Box::new(port) })
            }
        }
    }
}

#[cfg(feature = "ssh")]
async fn over_ssh(engine: &LiveEngine, far: FarSide) -> Result<Reached, Box<dyn std::error::Error + Send + Sync>> {
    let sshd = Sshd::start(engine, far).await?;
    let docker = Docker::connect_with(&ConnectOptions::default().host(sshd.host()).ssh(sshd.client()))?;
    Ok(Reached { docker, _through: Box::new(sshd) })
}

/// A client, and what has to live as long as it.
struct Reached {
    docker: Docker,
    _through: Box<dyn Any + Send + Sync>,
}

fn reached(host: &str, through: impl Any + Send + Sync) -> Result<Reached, Box<dyn std::error::Error + Send + Sync>> {
    Ok(Reached { docker: Docker::connect_to(host)?, _through: Box::new(through) })
}

/// A client that finds its certificates as the official tool's would.
#[cfg(feature = "tls")]
fn over_tls(host: &str, certificates: &std::path::Path) -> longshore::Result<Docker> {
    let environment = Environment::default().variable("DOCKER_HOST", host).variable("DOCKER_TLS_VERIFY", "1");
    let environment = environment.variable("DOCKER_CERT_PATH", certificates.display().to_string());
    Docker::connect_with(&ConnectOptions::default().environment(environment))
}

/// Makes a test of a function for each way.
fn over_each_way<F, R>(function: F) -> Vec<Test>
where
    F: Fn(Docker, Live) -> R + Copy + Send + Sync + 'static,
    R: Future<Output = Outcome> + Send + 'static,
{
    let name = std::any::type_name::<F>().rsplit("::").next().unwrap_or_default();
    let over = |way: &Way| {
        let way = *way;
        // Six of them move 64 MiB at the same time on a machine that may have two cores.
        test_named(
            &format!("conformance::{}::{name}", way.name()),
            Duration::from_secs(120),
            move |live: Live| async move {
                let reached = way.to(&live).await?;
                function(reached.docker.clone(), live).await
            },
        )
    };
    Way::ALL.iter().map(over).collect()
}

async fn run_gives_output_and_status(docker: Docker, live: Live) -> Outcome {
    let out = docker.containers().output(live.spec(["sh", "-c", "echo out; echo err >&2; exit 3"])).await?;
    assert!(out.status.code() == 3 && out.stdout == "out\n" && out.stderr == "err\n", "{out:?}");
    Ok(())
}

async fn logs_are_followed_to_the_end(docker: Docker, live: Live) -> Outcome {
    let run = docker.containers().run(live.spec(["sh", "-c", "echo a; sleep 0.3; echo b >&2; exit 4"])).await?;
    let out = run.output().await?;
    assert!(out.status.code() == 4 && out.stdout == "a\n" && out.stderr == "b\n", "{out:?}");
    Ok(())
}

async fn an_exec_takes_input_and_its_end(docker: Docker, live: Live) -> Outcome {
    let shared = docker.container(live.shared().await?.id());
    let mut session = shared.exec("sort").stdin().start().await?;
    session.write_all(b"b\na\n").await?;
    session.close_stdin().await?;
    let output = session.into_output().collect().await?;
    assert!(output.stdout == "a\nb\n", "{output:?}");
    Ok(())
}

const LINE: &[u8] = b"fifteen letters\n";

/// How much output is read.
const SIZE: usize = 64 << 20;

async fn an_exec_gives_64_mib(docker: Docker, live: Live) -> Outcome {
    let shared = docker.container(live.shared().await?.id());
    let script = format!("yes 'fifteen letters' | head -c {SIZE}");
    let session = shared.exec(["sh", "-c", &script]).start().await?;
    let exec = session.exec().clone();
    assert_eq!(read_lines(session.into_output()).await?, SIZE);
    assert!(exec.wait().await?.success());
    Ok(())
}

async fn an_exec_gives_back_64_mib_of_input(docker: Docker, live: Live) -> Outcome {
    let shared = docker.container(live.shared().await?.id());
    let session = shared.exec("cat").stdin().start().await?;
    let exec = session.exec().clone();
    let (mut stdin, output) = session.split();
    let writing = async {
        let piece = LINE.repeat(1 << 14);
        for _ in 0..SIZE / piece.len() {
            stdin.send(&piece).await?;
        }
        Ok(stdin.close().await?)
    };
    let (length, ()) = tokio::try_join!(read_lines(output), writing)?;
    assert_eq!(length, SIZE);
    assert!(exec.wait().await?.success());
    Ok(())
}

/// Reads to the end, and tells how much it was. All of it is the line, again and again.
async fn read_lines(mut output: OutputStream) -> Result<usize, Box<dyn std::error::Error + Send + Sync>> {
    let pattern = LINE.repeat(1 << 16);
    let mut length = 0;
    while let Some(chunk) = output.next().await {
        let chunk = chunk?;
        assert_eq!(chunk.source, Source::Stdout);
        for bytes in chunk.bytes.chunks(1 << 18) {
            let begin = length % LINE.len();
            assert!(bytes == &pattern[begin..begin + bytes.len()], "it differs after {length} bytes");
            length += bytes.len();
        }
    }
    Ok(length)
}

async fn an_attachment_takes_input_and_its_end(docker: Docker, live: Live) -> Outcome {
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

#[cfg(feature = "websocket")]
async fn a_websocket_takes_input(docker: Docker, live: Live) -> Outcome {
    let spec = live.spec(["sh", "-c", "read line; echo got $line; exit 3"]).stdin_once();
    let container = docker.containers().create(&spec).await?;
    let exit = container.wait(Until::NextExit).await?;
    let mut session = container.attach_websocket().stdin().await?;
    container.start().await?;
    session.write_all(b"this\n").await?;
    let mut text = Vec::new();
    while !text.ends_with(b"\n") {
        let Some(chunk) = session.next().await else {
            let (exit, log) = (exit.await?, container.logs().await?.collect().await?);
            return Err(format!("it ended without an answer: {exit:?}, and the log has {log:?}").into());
        };
        text.extend_from_slice(&chunk?.bytes);
    }
    assert_eq!(String::from_utf8_lossy(&text), "got this\n");
    assert_eq!(exit.await?.code(), 3);
    Ok(())
}

async fn stats_come_again_and_again(docker: Docker, live: Live) -> Outcome {
    let container: Container = docker.container(live.shared().await?.id());
    let mut stats = container.stats().await?;
    let first = stats.next().await.ok_or("no sample")??;
    let second = stats.next().await.ok_or("one sample only")??;
    assert!(second.read.to_system_time() > first.read.to_system_time());
    Ok(())
}

async fn events_are_told(docker: Docker, live: Live) -> Outcome {
    let created = live.create(live.spec("true")).await?;
    let mut events = docker.events_with(&EventsOptions::default().container(created.id())).await?;
    created.start().await?;
    let event = events.next().await.ok_or("no event")??;
    assert_eq!(event.actor.id, created.id());
    Ok(())
}

async fn archives_go_in_and_out(docker: Docker, live: Live) -> Outcome {
    let container = docker.containers().create(&live.spec("true")).await?;
    let content: Vec<u8> = (0..1_000_000_u32).map(|number| number as u8).collect();
    container.put_archive("/", tar(&[Entry::file("file", &content)])).await?;
    let mut bytes = Vec::new();
    container.archive("/file").await?.copy_to(&mut bytes).await?;
    assert!(bytes.get(512..512 + content.len()) == Some(&content[..]), "{} bytes", bytes.len());
    Ok(())
}

async fn an_image_is_built(docker: Docker, live: Live) -> Outcome {
    // Each has a layer of its own, and looks at no other: engines fail when one that they look at is removed meanwhile.
    let file = [live.name().into_bytes(), vec![7; 300_000]].concat();
    let context = tar(&[Entry::file("Dockerfile", b"FROM busybox:latest\nCOPY a /a\n"), Entry::file("a", &file)]);
    let image = docker.images().build_with(context, &live.build_options().no_cache()).await?.finish().await?;
    assert!(!image.inspect().await?.id.is_empty());
    Ok(())
}

async fn many_calls_at_a_time(docker: Docker, live: Live) -> Outcome {
    let shared = docker.container(live.shared().await?.id());
    let calls = (0..50).map(|_| {
        let shared = shared.clone();
        tokio::spawn(async move { shared.inspect().await.map(|inspect| inspect.id.clone()) })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await??, shared.id());
    }
    Ok(())
}
