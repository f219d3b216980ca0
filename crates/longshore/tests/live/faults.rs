//! What real engines send, cut, reset, stalled and slowed down on the way: over a unix socket, TCP and ssh.
//!
//! Every byte of every kind of exchange is tried in memory (`tests/fault`); here a few of each are, of whatever the engine
//! sends today.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use longshore::image::BuildOptions;
use longshore::system::EventsOptions;
use longshore::{ConnectOptions, Container, Deadlines, Docker, ErrorKind, Payload, Result, Until};
use longshore_testkit::live::Live;
use longshore_testkit::{Direction, FaultCount, FaultProxy, Faults};

use crate::harness::{Outcome, Test, test_within};
use crate::support::{Entry, tar, until};

pub(crate) fn tests() -> Vec<Test> {
    let patience = Duration::from_secs(400);
    vec![
        test_within(patience, faults_over_a_unix_socket),
        test_within(patience, faults_over_tcp),
        #[cfg(feature = "ssh")]
        test_within(patience, faults_over_ssh),
    ]
}

/// How many positions of an exchange are tried.
const POSITIONS: u64 = 6;

/// How long a silence may last where one is made; a busy engine is silent for longer.
const SILENCE: Duration = Duration::from_millis(500);

/// How long anything may take. It is a hang then.
const PATIENCE: Duration = Duration::from_secs(60);

type Calling = Pin<Box<dyn Future<Output = Result<String>> + Send>>;

/// What the calls are about.
#[derive(Clone)]
struct Given {
    /// A container that runs.
    running: String,
    /// A container that has written and ended.
    ended: String,
    build: BuildOptions,
    /// The engine with nothing on the way to it.
    direct: Docker,
}

/// A kind of exchange: its name, and the call.
type Kind = (&'static str, fn(Docker, Given) -> Calling);

fn kinds(live: &Live) -> Vec<Kind> {
    let mut kinds = all_kinds();
    // `attach::` and `websocket::` among the exceptions say why; and each build makes another image there, with no name.
    kinds.retain(|(name, _)| !live.engine().is_podman() || !name.starts_with("attach") && !name.starts_with("build"));
    kinds
}

fn all_kinds() -> Vec<Kind> {
    vec![
        ("inspect", |docker, Given { running, .. }| {
            Box::pin(async move { Ok(docker.container(running).inspect().await?.state.status.to_string()) })
        }),
        ("list", |docker, Given { running, .. }| {
            Box::pin(async move {
                let options = longshore::container::ListOptions::default().filter("id", running);
                Ok(docker.containers().list_with(&options).await?.len().to_string())
            })
        }),
        ("logs", |docker, Given { ended, .. }| {
            Box::pin(async move {
                let output = docker.container(ended).logs().await?.collect().await?;
                Ok(format!("{} {}", output.stdout, output.stderr))
            })
        }),
        ("exec", |docker, Given { running, .. }| {
            Box::pin(async move {
                let done = docker.container(running).exec(["sh", "-c", "seq 1 9; seq 3 >&2; exit 3"]).output().await?;
                Ok(format!("{} {} {}", done.status, done.stdout, done.stderr))
            })
        }),
        ("exec on a terminal", |docker, Given { running, .. }| {
            Box::pin(async move {
                let done = docker.container(running).exec(["seq", "1", "20"]).tty().output().await?;
                Ok(format!("{} {}", done.status, done.stdout))
            })
        }),
        ("one sample", |docker, Given { running, .. }| {
            Box::pin(async move { Ok(docker.container(running).stats_once().await?.name().to_owned()) })
        }),
        ("stats", |docker, Given { running, .. }| {
            Box::pin(async move {
                let sample = docker.container(running).stats().await?.next().await.transpose()?;
                Ok(sample.map(|sample| sample.name().to_owned()).unwrap_or_default())
            })
        }),
        ("events", |docker, Given { ended, direct, .. }| {
            Box::pin(async move {
                // Docker remembers 256 events of all its containers: this one has just happened.
                let before = SystemTime::now();
                let age = before.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
                direct.container(&ended).rename(&format!("faults-{}-{}", &ended[..12], age.as_nanos())).await?;
                // Without an end: Podman 4 tells of nothing more once it is past that, whether it has told all or not.
                let options = EventsOptions::default().container(ended).filter("event", "rename").since(before);
                let event = docker.events_with(&options).await?.next().await.transpose()?;
                Ok(event.map(|event| event.action.to_string()).unwrap_or_default())
            })
        }),
        ("archive down", |docker, Given { running, .. }| {
            Box::pin(async move {
                let mut archive = docker.container(running).archive("/etc/passwd").await?;
                Ok(archive.copy_to(&mut tokio::io::sink()).await?.to_string())
            })
        }),
        ("archive up", |docker, Given { running, .. }| {
            Box::pin(async move {
                let tar = tar(&[Entry::file("faults", b"a file")]);
                docker.container(running).put_archive("/tmp", Payload::reader(std::io::Cursor::new(tar))).await?;
                Ok("unpacked".to_owned())
            })
        }),
        ("attach", |docker, Given { ended, .. }| {
            Box::pin(async move {
                let output = docker.container(ended).attach().logs_only().await?.into_output().collect().await?;
                Ok(format!("{} {}", output.stdout, output.stderr))
            })
        }),
        #[cfg(feature = "websocket")]
        ("attach over a WebSocket", |docker, Given { ended, .. }| {
            Box::pin(async move {
                let session = docker.container(ended).attach_websocket().logs_only().await?;
                Ok(session.into_output().collect().await?.stdout.to_string())
            })
        }),
        ("build progress", |docker, Given { build, .. }| {
            Box::pin(async move {
                let context = tar(&[Entry::file("Dockerfile", b"FROM busybox:latest\n")]);
                let image = docker.images().build_with(context, &build).await?.finish().await?;
                // Which one it is depends on whether the one before is still there.
                Ok(image.name().split(':').next().unwrap_or_default().to_owned())
            })
        }),
        ("wait", |docker, Given { ended, .. }| {
            Box::pin(async move { Ok(docker.container(ended).wait(Until::NotRunning).await?.await?.to_string()) })
        }),
    ]
}

/// Makes every kind of exchange with every kind of fault on the way.
async fn try_all(live: &Live, proxy: &FaultProxy, options: ConnectOptions, stalls: bool) -> Outcome {
    let options = options.version(live.engine().api());
    let given = given(live).await?;
    let mut count = FaultCount::default();
    for (name, call) in kinds(live) {
        let run = async |to_client: Direction, deadlines: Deadlines| {
            proxy.set(Faults { to_client, ..Faults::default() });
            let docker = Docker::connect_with(&options.clone().deadlines(deadlines))?;
            let calling = tokio::time::timeout(PATIENCE, call(docker.clone(), given.clone()));
            let outcome = calling.await.unwrap_or_else(|_| panic!("{name}, {to_client:?}: it hangs"));
            proxy.set(Faults::default());
            docker.close();
            let again = docker.with_deadlines(Deadlines::default()).ping().await;
            assert!(again.is_ok(), "{name}, {to_client:?}, afterwards: {again:?}");
            drop(docker);
            outcome
        };
        let expected = call(Docker::clone(live), given.clone()).await?;
        proxy.longest();
        assert_eq!(run(Direction::default(), Deadlines::default()).await?, expected, "{name}");
        let length = proxy.longest().max(1);
        count.real_exchange();
        for piece in [1, 7, 100] {
            let slow = Direction { piece: Some(piece), ..Direction::default() };
            let outcome = run(slow, Deadlines::default()).await;
            count.fault(&outcome);
            assert_eq!(outcome?, expected, "{name}, in pieces of {piece}");
        }
        for position in (0..POSITIONS).map(|part| length * part / POSITIONS) {
            let cut = Direction { cut_after: Some(position), ..Direction::default() };
            let reset = Direction { reset_after: Some(position), ..Direction::default() };
            for (fault, is_reset) in [(cut, false), (reset, proxy.has_resets())] {
                let outcome = run(fault, Deadlines::default()).await;
                let is_short =
                    outcome.as_ref().is_ok_and(|value| value != &expected && may_end(name, value, &expected));
                if !is_reset && is_short {
                    count.untold();
                    continue;
                }
                count.fault(&outcome);
                check(&format!("{name}, {fault:?}"), &outcome, &expected, |kind| {
                    matches!(kind, ErrorKind::Closed | ErrorKind::Truncated | ErrorKind::Connect)
                });
            }
        }
        let deadlines = Deadlines::default().head(SILENCE).idle(SILENCE).connect(SILENCE).total(4 * SILENCE);
        for position in [0, length / 2].into_iter().filter(|_| stalls) {
            let fault = Direction { stall_after: Some(position), ..Direction::default() };
            let outcome = run(fault, deadlines).await;
            count.fault(&outcome);
            check(&format!("{name}, {fault:?}"), &outcome, &expected, |kind| kind == ErrorKind::Timeout);
        }
        proxy.cut_all();
    }
    until("no connection", || async { Ok(proxy.alive() == 0) }).await?;
    count.tally();
    Ok(())
}

/// Fails unless it is the right value, or an error of a kind that is documented for this.
fn check(what: &str, outcome: &Result<String>, expected: &str, documented: impl Fn(ErrorKind) -> bool) {
    match outcome {
        Ok(value) => assert_eq!(value, expected, "{what}: a short success"),
        Err(error) => assert!(documented(error.kind()), "{what}: {error:?}"),
    }
}

/// Whether an exchange that ends with its connection gives this value where that is closed between two writes of the
/// engine's: each of its words is the expected one, or the whole lines that it begins with.
fn may_end(name: &str, value: &str, expected: &str) -> bool {
    let (on_terminal, in_frames) = (name == "exec on a terminal", ["attach", "exec"].contains(&name));
    let (words, whole): (Vec<_>, Vec<_>) = (value.split(' ').collect(), expected.split(' ').collect());
    let is_begun = |(word, whole): (&&str, &&str)| {
        let at_a_line = word.is_empty() || word.ends_with('\n');
        word == whole || whole.ends_with('\n') && whole.starts_with(word) && (on_terminal || at_a_line)
    };
    (on_terminal || in_frames) && words.len() == whole.len() && words.iter().zip(&whole).all(is_begun)
}

async fn given(live: &Live) -> Result<Given> {
    let running: &Container = live.shared().await?;
    let ended = live.start(live.spec(["sh", "-c", "seq 1 9; seq 3 >&2; exit 3"])).await?;
    ended.wait(Until::NotRunning).await?.await?;
    let (running, ended) = (running.id().to_owned(), ended.id().to_owned());
    Ok(Given { running, ended, build: live.build_options(), direct: Docker::clone(live) })
}

async fn faults_over_a_unix_socket(live: Live) -> Outcome {
    let Some(socket) = live.engine().socket() else { return Ok(()) };
    let proxy = FaultProxy::unix(socket).await?;
    try_all(&live, &proxy, ConnectOptions::default().host(proxy.host()), true).await
}

async fn faults_over_tcp(live: Live) -> Outcome {
    let Some(socket) = live.engine().socket() else { return Ok(()) };
    let proxy = FaultProxy::tcp(socket).await?;
    try_all(&live, &proxy, ConnectOptions::default().host(proxy.host()), true).await
}

/// Faults of what ssh has encrypted, and sessions that are killed.
#[cfg(feature = "ssh")]
async fn faults_over_ssh(live: Live) -> Outcome {
    use longshore_testkit::{FarSide, Folder, Sshd};
    use tokio::io::copy_bidirectional;
    use tokio::net::{TcpStream, UnixListener};

    let sshd = Sshd::start(live.engine(), FarSide::default()).await?;
    // The proxy leads to a unix socket.
    let folder = Folder::new();
    let socket = folder.path().join("ssh.sock");
    let listener = UnixListener::bind(&socket)?;
    let port = sshd.port();
    let bridge = tokio::spawn(async move {
        let mut connections = tokio::task::JoinSet::new();
        while let Ok((mut near, _)) = listener.accept().await {
            connections.spawn(async move {
                let mut far = TcpStream::connect(("127.0.0.1", port)).await?;
                copy_bidirectional(&mut near, &mut far).await
            });
        }
    });
    let proxy = FaultProxy::tcp(&socket).await?;
    let near: u16 = proxy.host().rsplit(':').next().unwrap_or_default().parse()?;
    let options = ConnectOptions::default().host(sshd.host_at(near)).ssh(sshd.client()).version(live.engine().api());
    let given = given(&live).await?;
    let mut count = FaultCount::default();
    let logs = kinds(&live).into_iter().filter(|(name, _)| ["inspect", "logs", "exec"].contains(name));
    for (name, call) in logs {
        let expected = call(Docker::clone(&live), given.clone()).await?;
        proxy.longest();
        let whole = call(Docker::connect_with(&options)?, given.clone()).await?;
        assert_eq!(whole, expected, "{name}");
        let length = proxy.longest();
        count.real_exchange();
        // The last of it is what the engine says; before that, the two sides come to know each other.
        let late = (1..=4).map(|part| length * 3 / 4 + length * part / 18);
        for position in [0, length / 4, length / 2].into_iter().chain(late) {
            let cut = Direction { cut_after: Some(position), ..Direction::default() };
            proxy.set(Faults { to_client: cut, ..Faults::default() });
            let docker = Docker::connect_with(&options)?;
            let calling = tokio::time::timeout(PATIENCE, call(docker.clone(), given.clone()));
            let outcome = calling.await.map_err(|_| format!("{name}, cut at {position}: it hangs"))?;
            count.fault(&outcome);
            check(&format!("{name}, {cut:?}"), &outcome, &expected, |kind| {
                matches!(kind, ErrorKind::Closed | ErrorKind::Truncated | ErrorKind::Connect)
            });
            proxy.set(Faults::default());
            docker.ping().await?;
        }
    }
    until("no process of ssh", || async { Ok(sshd.clients().is_empty()) }).await?;
    bridge.abort();
    count.tally();
    Ok(())
}
