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
use longshore_testkit::live::{IMAGE, Live};
use longshore_testkit::registry::Door;
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

/// At which bytes of a request: every one is longer.
const REQUESTED: [u64; 2] = [0, 20];

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
    /// An image that a registry has.
    image: String,
    build: BuildOptions,
    /// The engine with nothing on the way to it.
    direct: Docker,
}

/// A kind of exchange: its name, and the call.
type Kind = (&'static str, fn(Docker, Given) -> Calling);

fn kinds(live: &Live) -> Vec<Kind> {
    let mut kinds = all_kinds();
    if live.engine().is_podman() {
        // `attach::` and `websocket::` among the exceptions say why; each build makes another image there, with no name;
        // and a pull or push loses the names of images that other tests change.
        kinds.retain(|(name, _)| !["attach", "build", "pull", "push"].iter().any(|kind| name.starts_with(kind)));
    }
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
        ("pull progress", |docker, Given { image, .. }| {
            Box::pin(async move { Ok(docker.images().pull(&image).await?.finish().await?.name().to_owned()) })
        }),
        ("push progress", |docker, Given { image, .. }| {
            Box::pin(async move { Ok(docker.image(image).push().await?.finish().await?.tag) })
        }),
        ("wait", |docker, Given { ended, .. }| {
            Box::pin(async move { Ok(docker.container(ended).wait(Until::NotRunning).await?.await?.to_string()) })
        }),
    ]
}

/// Makes every kind of exchange with every kind of fault on the way.
async fn try_all(live: &Live, proxy: &FaultProxy, options: ConnectOptions) -> Outcome {
    let options = options.version(live.engine().api());
    let mut count = FaultCount::default();
    let (given, _door) = given(live).await?;
    for (name, call) in kinds(live) {
        let expected = call(Docker::clone(live), given.clone()).await?;
        let mut kind = Tried { name, call, given: &given, expected, proxy, options: &options, count: &mut count };
        let length = kind.succeed().await?;
        kind.fail(length).await;
        kind.stall(length).await;
        proxy.cut_all();
    }
    until("no connection", || async { Ok(proxy.alive() == 0) }).await?;
    count.tally();
    Ok(())
}

/// A kind of exchange, and the way to the engine on which it is tried.
struct Tried<'a> {
    name: &'static str,
    call: fn(Docker, Given) -> Calling,
    given: &'a Given,
    expected: String,
    proxy: &'a FaultProxy,
    options: &'a ConnectOptions,
    count: &'a mut FaultCount,
}

impl Tried<'_> {
    /// Without a fault, and slowly. Tells how many bytes the longest of its connections brings.
    async fn succeed(&mut self) -> Result<u64> {
        self.proxy.longest();
        assert_eq!(self.run(Faults::default(), Deadlines::default()).await?, self.expected, "{}", self.name);
        let length = self.proxy.longest().max(1);
        self.count.real_exchange();
        let pause = Some(Duration::from_millis(1));
        for (piece, delay) in [(1, None), (7, None), (100, None), (1000, pause)] {
            let slow = Direction { piece: Some(piece), delay, ..Direction::default() };
            let outcome = self.run(Faults { to_engine: slow, to_client: slow }, Deadlines::default()).await;
            self.count.fault(&outcome);
            assert_eq!(outcome?, self.expected, "{}, in pieces of {piece}", self.name);
        }
        Ok(length)
    }

    /// Cut and reset, on the way to the engine and back.
    async fn fail(&mut self, length: u64) {
        let answered = (0..POSITIONS).map(|part| (length * part / POSITIONS, false));
        for (position, asking) in answered.chain(REQUESTED.map(|position| (position, true))) {
            let cut = Direction { cut_after: Some(position), ..Direction::default() };
            let reset = Direction { reset_after: Some(position), ..Direction::default() };
            for (fault, is_reset) in [(cut, false), (reset, self.proxy.has_resets())] {
                let faults = one_way(fault, asking);
                let outcome = self.run(faults, Deadlines::default()).await;
                if !is_reset && outcome.as_ref().is_ok_and(|value| self.may_be_short(value)) {
                    self.count.untold();
                    continue;
                }
                self.check(faults, &outcome, |kind| {
                    matches!(kind, ErrorKind::Closed | ErrorKind::Truncated | ErrorKind::Connect)
                });
            }
        }
    }

    /// Silence, which is an error at a deadline.
    async fn stall(&mut self, length: u64) {
        let deadlines = Deadlines::default().head(SILENCE).idle(SILENCE).connect(SILENCE).total(4 * SILENCE);
        for (position, asking) in [(0, false), (length / 2, false), (REQUESTED[1], true)] {
            let faults = one_way(Direction { stall_after: Some(position), ..Direction::default() }, asking);
            let outcome = self.run(faults, deadlines).await;
            self.check(faults, &outcome, |kind| kind == ErrorKind::Timeout);
        }
    }

    /// Makes the call with these faults, and another without them afterwards.
    async fn run(&self, faults: Faults, deadlines: Deadlines) -> Result<String> {
        let what = format!("{}, {faults:?}", self.name);
        self.proxy.set(faults);
        let docker = Docker::connect_with(&self.options.clone().deadlines(deadlines))?;
        let calling = tokio::time::timeout(PATIENCE, (self.call)(docker.clone(), self.given.clone()));
        let outcome = calling.await.unwrap_or_else(|_| panic!("{what}: it hangs"));
        self.proxy.set(Faults::default());
        docker.close();
        let again = docker.with_deadlines(Deadlines::default()).ping().await;
        assert!(again.is_ok(), "{what}, afterwards: {again:?}");
        outcome
    }

    fn may_be_short(&self, value: &str) -> bool {
        value != self.expected && may_end(self.name, value, &self.expected)
    }

    fn check(&mut self, faults: Faults, outcome: &Result<String>, documented: impl Fn(ErrorKind) -> bool) {
        self.count.fault(outcome);
        check(&format!("{}, {faults:?}", self.name), outcome, &self.expected, documented);
    }
}

/// A fault on the way to the engine, or on the way back.
fn one_way(fault: Direction, asking: bool) -> Faults {
    let none = Direction::default();
    if asking { Faults { to_engine: fault, to_client: none } } else { Faults { to_engine: none, to_client: fault } }
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

/// What the calls are about, and what leads to the registry as long as it lives.
async fn given(live: &Live) -> std::result::Result<(Given, Door), Box<dyn std::error::Error + Send + Sync>> {
    let door = Door::open(live.engine()).await?;
    let image = format!("{}/{}:v1", door.address(), live.image_name());
    if !live.engine().is_podman() {
        live.image(IMAGE).tag(&image).await?;
        live.keep(&image);
        live.image(&image).push().await?.finish().await?;
    }
    let running: &Container = live.shared().await?;
    let ended = live.start(live.spec(["sh", "-c", "seq 1 9; seq 3 >&2; exit 3"])).await?;
    ended.wait(Until::NotRunning).await?.await?;
    let (running, ended) = (running.id().to_owned(), ended.id().to_owned());
    let given = Given { running, ended, image, build: live.build_options(), direct: Docker::clone(live) };
    Ok((given, door))
}

async fn faults_over_a_unix_socket(live: Live) -> Outcome {
    let Some(socket) = live.engine().socket() else { return Ok(()) };
    let proxy = FaultProxy::unix(socket).await?;
    try_all(&live, &proxy, ConnectOptions::default().host(proxy.host())).await
}

async fn faults_over_tcp(live: Live) -> Outcome {
    let Some(socket) = live.engine().socket() else { return Ok(()) };
    let proxy = FaultProxy::tcp(socket).await?;
    try_all(&live, &proxy, ConnectOptions::default().host(proxy.host())).await
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
    let (given, _door) = given(&live).await?;
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
