//! ssh: what depends on the transport; the rest is in `conformance`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use longshore::config::Ssh;
use longshore::container::ListOptions;
use longshore::{ConnectOptions, Container, Deadlines, Docker, ErrorKind, Until};
use longshore_testkit::live::Live;
use longshore_testkit::{FarSide, Relay, Sshd};

use crate::harness::{Outcome, Test, test_within};
use crate::process::{self, Work};
use crate::support::{refused, until};

pub(crate) fn tests() -> Vec<Test> {
    // The first of them may have to install the server.
    let patient = Duration::from_secs(180);
    vec![
        test_within(patient, calls_share_connections),
        test_within(patient, a_second_call_costs_one_round_trip),
        test_within(patient, fifty_calls_at_a_time_share_one_connection),
        test_within(patient, many_calls_come_through_where_sockets_are_not_forwarded),
        test_within(patient, a_server_may_grant_few_sessions),
        test_within(patient, the_socket_may_be_anywhere),
        test_within(patient, an_old_docker_is_passed_by),
        test_within(patient, an_unknown_or_changed_host_key_is_an_error),
        test_within(patient, what_is_wrong_is_told),
        test_within(patient, a_server_that_turns_connections_away_is_asked_again),
        test_within(patient, a_key_may_be_in_an_agent_alone),
        test_within(patient, a_host_may_have_a_name_of_the_users),
        test_within(patient, a_host_may_be_behind_another),
        test_within(patient, no_host_on_the_way_is_taken_for_another),
        test_within(patient, a_dropped_call_leaves_no_process),
        test_within(patient, a_lost_connection_is_an_error_and_the_next_call_makes_another),
        test_within(patient, no_process_outlives_its_runtime),
        test_within(patient, no_process_outlives_a_killed_user),
    ]
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The engine behind an ssh server.
pub(crate) async fn over_ssh(live: &Live, far: FarSide) -> Result<(Sshd, Docker), Failure> {
    let sshd = Sshd::start(live.engine(), far).await?;
    let docker = connect(&sshd.host(), sshd.client())?;
    Ok((sshd, docker))
}

fn connect(host: &str, client: Ssh) -> longshore::Result<Docker> {
    Docker::connect_with(&ConnectOptions::default().host(host).ssh(client))
}

/// The far sides that are reached in the two ways: by Docker's CLI, and by the engine's socket.
fn both() -> [FarSide; 2] {
    [FarSide::default(), FarSide::default().without_docker()]
}

/// Waits until the server's clients are gone, and fails with what they are otherwise.
async fn no_clients(sshd: &Sshd) {
    let begun = Instant::now();
    while !sshd.clients().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(10), "these are left: {:?}", sshd.clients());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn calls_share_connections(live: Live) -> Outcome {
    for far in both() {
        let (sshd, docker) = over_ssh(&live, far).await?;
        assert_eq!(docker.host(), sshd.host());
        for _ in 0..10 {
            docker.ping().await?;
            docker.containers().list_with(&ListOptions::default().limit(1)).await?;
        }
        assert_eq!(sshd.logins(), 1);
        // The one that leads to the engine, or finds no docker.
        assert_eq!(sshd.commands().len(), 1, "{:?}", sshd.commands());
        drop(docker);
        no_clients(&sshd).await;
    }
    Ok(())
}

async fn a_second_call_costs_one_round_trip(live: Live) -> Outcome {
    // A session is opened, begun and written to, each with an answer; a forwarded socket is opened and written to.
    for (far, on_a_fresh_one) in both().into_iter().zip([3, 2]) {
        let sshd = Sshd::start(live.engine(), far).await?;
        let relay = Relay::start(sshd.port(), Duration::from_millis(20)).await?;
        let docker = connect(&sshd.host_at(relay.port()), sshd.client())?;
        docker.containers().list().await?;
        let mut busy = Vec::new();
        let (mut kept, mut fresh) = (usize::MAX, usize::MAX);
        // What ssh says for itself, such as that it has room for more, may look as one more.
        for _ in 0..4 {
            kept = kept.min(call_costs(&docker, &relay).await?);
            // The connection that was kept is taken now, so that the next call makes one.
            busy.push(docker.container(live.shared().await?.id()).wait(Until::NotRunning).await?);
            fresh = fresh.min(call_costs(&docker, &relay).await?);
        }
        assert_eq!((kept, fresh), (1, on_a_fresh_one));
        assert_eq!(sshd.logins(), 1);
    }
    Ok(())
}

/// How many round trips it takes.
async fn call_costs(docker: &Docker, relay: &Relay) -> longshore::Result<usize> {
    // The last call may have left something to say.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let before = relay.round_trips();
    docker.containers().list_with(&ListOptions::default().limit(1)).await?;
    Ok(relay.round_trips() - before)
}

/// Calls that the engine answers late, so many at a time, and one more call while they wait.
async fn at_a_time(calls: usize, live: &Live, docker: &Docker) -> Outcome {
    let container = live.start(live.spec("sleep 1000")).await?;
    let container = docker.container(container.id());
    let mut waits = Vec::new();
    let wait = |container: Container| async move { container.wait(Until::NotRunning).await };
    for outcome in join((0..calls).map(|_| wait(container.clone()))).await {
        waits.push(outcome?);
    }
    docker.ping().await?;
    live.container(container.id()).kill().await?;
    for outcome in join(waits.into_iter()).await {
        assert_eq!(outcome?.code(), 137);
    }
    Ok(())
}

async fn join<F>(futures: impl Iterator<Item = F>) -> Vec<F::Output>
where
    F: IntoFuture,
    F::IntoFuture: Send + 'static,
    F::Output: Send + 'static,
{
    let tasks: Vec<_> = futures.map(|future| tokio::spawn(future.into_future())).collect();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.expect("no panic"));
    }
    outcomes
}

async fn fifty_calls_at_a_time_share_one_connection(live: Live) -> Outcome {
    for far in both() {
        let (sshd, docker) = over_ssh(&live, far).await?;
        // Nothing is known yet: all of them find out together.
        for outcome in join((0..50).map(|_| {
            let docker = docker.clone();
            async move { docker.ping().await }
        }))
        .await
        {
            outcome?;
        }
        at_a_time(50, &live, &docker).await?;
        assert_eq!(sshd.logins(), 1);
        let masters = sshd.clients().into_iter().filter(|(_, line)| line.contains(" ControlMaster=yes "));
        // The master, and the shell that ends it when this process ends.
        assert_eq!(masters.count(), 2, "{:?}", sshd.clients());
    }
    Ok(())
}

async fn many_calls_come_through_where_sockets_are_not_forwarded(live: Live) -> Outcome {
    let (sshd, docker) = over_ssh(&live, FarSide::default().setting("AllowStreamLocalForwarding no")).await?;
    at_a_time(20, &live, &docker).await?;
    assert!((2..=4).contains(&sshd.logins()), "{}", sshd.logins());
    drop(docker);
    no_clients(&sshd).await;
    Ok(())
}

async fn a_server_may_grant_few_sessions(live: Live) -> Outcome {
    let (_sshd, docker) = over_ssh(&live, FarSide::default().setting("MaxSessions 2")).await?;
    let shared = docker.container(live.shared().await?.id());
    let _first = shared.wait(Until::NotRunning).await?;
    let _second = shared.wait(Until::NotRunning).await?;
    // What the server does not grant is asked for in another way, whatever the method is.
    let container = docker.containers().create(&live.spec("true")).await?;
    at_a_time(50, &live, &docker).await?;
    container.remove().await?;
    Ok(())
}

async fn the_socket_may_be_anywhere(live: Live) -> Outcome {
    let hostile = "/run/it's $HOME; (a) `b` \"c\" d:e\\f~*?.sock";
    // Docker's CLI itself can't be told of the second one.
    for path in [hostile, "/run/a%g.sock"] {
        for far in both() {
            let sshd = Sshd::start(live.engine(), far.socket(path)).await?;
            let encoded: String = path.bytes().map(encoded).collect();
            let docker = connect(&format!("{}{encoded}", sshd.host()), sshd.client())?;
            docker.ping().await?;
            at_a_time(50, &live, &docker).await?;
            assert_eq!(sshd.logins(), 1);
        }
    }
    Ok(())
}

/// A byte of a path as it stands in an address.
fn encoded(byte: u8) -> String {
    if byte == b'/' { "/".to_owned() } else { format!("%{byte:02x}") }
}

async fn an_old_docker_is_passed_by(live: Live) -> Outcome {
    let script = "#!/bin/sh\necho \"docker: 'system dial-stdio' is not a docker command.\" >&2\nexit 1\n";
    let (sshd, docker) = over_ssh(&live, FarSide::default().docker(script)).await?;
    docker.ping().await?;
    docker.close();
    docker.ping().await?;
    assert_eq!((sshd.logins(), sshd.commands().len()), (1, 1));
    Ok(())
}

async fn an_unknown_or_changed_host_key_is_an_error(live: Live) -> Outcome {
    let sshd = Sshd::start(live.engine(), FarSide::default()).await?;
    for (client, advice) in [
        (sshd.client_that_knows_nobody(), "the host's key is not known"),
        (sshd.client_that_knows_another(), "the host shows another key"),
    ] {
        for _ in 0..2 {
            let error = refused(connect(&sshd.host(), client.clone())?.ping().await, &[ErrorKind::Connect]);
            let text = error.to_string();
            assert!(text.contains("Host key verification failed") && text.contains(advice), "{text}");
        }
    }
    assert_eq!(sshd.logins(), 0);
    no_clients(&sshd).await;
    Ok(())
}

async fn what_is_wrong_is_told(live: Live) -> Outcome {
    let sshd = Sshd::start(live.engine(), FarSide::default()).await?;
    let (host, client) = (sshd.host(), sshd.client());
    let stranger = host.replace("root@", "stranger@");
    let closed = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let nowhere = Sshd::start(live.engine(), FarSide::default().socket("/run/else.sock")).await?;
    let bare = Sshd::start(live.engine(), FarSide::default().without_docker().socket("/run/else.sock")).await?;
    let locked = FarSide::default().without_docker().setting("AllowStreamLocalForwarding no");
    let locked = Sshd::start(live.engine(), locked).await?;
    let noisy = Sshd::start(live.engine(), FarSide::default().docker("#!/bin/sh\necho Welcome\nexec cat\n")).await?;
    for (host, client, said, advice) in [
        (host.clone(), sshd.client_with_a_wrong_key(), "Permission denied (publickey)", "none of the keys"),
        (host.clone(), Ssh::default().program("/no/such/ssh"), "/no/such/ssh", "is OpenSSH installed"),
        (format!("ssh://{closed}"), client.clone(), "Connection refused", "no ssh server listens"),
        (
            "ssh://no-such-host.invalid".to_owned(),
            client.clone(),
            "Could not resolve hostname",
            "no such host is known",
        ),
        (stranger, client, "permission denied", "may not use the engine"),
        (nowhere.host(), nowhere.client(), "no such file or directory", "does it run"),
        (bare.host(), bare.client(), "docker: not found", "there is no engine's socket"),
        (locked.host(), locked.client(), "docker: not found", "AllowStreamLocalForwarding"),
        (noisy.host(), noisy.client(), "Welcome", "start-up files"),
    ] {
        let begun = Instant::now();
        let error = refused(connect(&host, client)?.ping().await, &[ErrorKind::Connect]);
        let text = error.to_string();
        assert!(text.contains(&host) && text.contains(said) && text.contains(advice), "{text}");
        assert!(begun.elapsed() < Duration::from_secs(8), "{text}: {:?}", begun.elapsed());
    }
    for sshd in [&sshd, &nowhere, &bare, &locked, &noisy] {
        no_clients(sshd).await;
    }
    Ok(())
}

async fn a_server_that_turns_connections_away_is_asked_again(live: Live) -> Outcome {
    let sshd = Sshd::start(live.engine(), FarSide::default()).await?;
    let relay = Relay::closing_first(3, sshd.port()).await?;
    connect(&sshd.host_at(relay.port()), sshd.client())?.ping().await?;
    assert_eq!(sshd.logins(), 1);

    let relay = Relay::closing_first(4, sshd.port()).await?;
    let docker = connect(&sshd.host_at(relay.port()), sshd.client())?;
    let text = refused(docker.ping().await, &[ErrorKind::Connect]).to_string();
    assert!(text.contains("see MaxStartups of its sshd_config"), "{text}");
    docker.ping().await?;
    Ok(())
}

async fn a_key_may_be_in_an_agent_alone(live: Live) -> Outcome {
    for far in both() {
        let sshd = Sshd::start(live.engine(), far).await?;
        let agent = sshd.agent().await?;
        let (folder, socket) = (sshd.folder().display(), agent.socket());
        let configuration = format!(
            "IdentityFile none\nIdentityAgent {}\n\
             UserKnownHostsFile {folder}/known\nGlobalKnownHostsFile /dev/null\n",
            socket.display()
        );
        let client = sshd.client_configured("agent", &configuration)?;
        let docker = connect(&sshd.host(), client.clone())?;
        docker.containers().list_with(&ListOptions::default().limit(1)).await?;
        agent.end();
        // Who has logged in needs it no more.
        docker.ping().await?;
        let error = refused(connect(&sshd.host(), client)?.ping().await, &[ErrorKind::Connect]);
        let text = error.to_string();
        let advice = "is the right one in the agent";
        assert!(text.contains("Permission denied (publickey)") && text.contains(advice), "{text}");
        assert_eq!(sshd.logins(), 1);
        drop(docker);
        no_clients(&sshd).await;
    }
    Ok(())
}

async fn a_host_may_have_a_name_of_the_users(live: Live) -> Outcome {
    for far in both() {
        let sshd = Sshd::start(live.engine(), far).await?;
        let client = sshd.client_configured("names", &names(&sshd))?;
        let docker = connect("ssh://engine-of-alias", client.clone())?;
        assert_eq!(docker.host(), "ssh://engine-of-alias");
        docker.ping().await?;
        at_a_time(20, &live, &docker).await?;
        assert_eq!(sshd.logins(), 1);
        // The user of the tests would be root as well.
        let error = refused(connect("ssh://stranger-of-alias", client.clone())?.ping().await, &[ErrorKind::Connect]);
        assert!(error.to_string().contains("the user may not"), "{error}");
        assert_eq!(sshd.logins(), 2);
        // What the address says goes before what the configuration says.
        connect("ssh://root@stranger-of-alias", client.clone())?.ping().await?;
        let error = refused(connect("ssh://changed-of-alias", client)?.ping().await, &[ErrorKind::Connect]);
        assert!(error.to_string().contains("the host shows another key"), "{error}");
        assert_eq!(sshd.logins(), 3);
        drop(docker);
        no_clients(&sshd).await;
    }
    Ok(())
}

/// A configuration in which one server has several names.
fn names(sshd: &Sshd) -> String {
    let (port, folder) = (sshd.port(), sshd.folder().display());
    format!(
        "Host engine-of-alias\nUser root\n\
         Host stranger-of-alias\nUser stranger\n\
         Host changed-of-alias\nUserKnownHostsFile {folder}/known-other\n\
         Host *-of-alias\nHostName 127.0.0.1\nPort {port}\nUserKnownHostsFile {folder}/known\n\
         GlobalKnownHostsFile /dev/null\nIdentityFile {folder}/user\nIdentitiesOnly yes\n"
    )
}

/// A configuration in which `engine` is reached by way of `jump`: what leads from one to the other, and which keys of
/// theirs are known.
fn jump(jump: &Sshd, engine: &Sshd, way: &str, known: [&str; 2]) -> String {
    let host = |name: &str, sshd: &Sshd, known: &str, more: &str| {
        let (port, folder) = (sshd.port(), sshd.folder().display());
        format!(
            "Host {name}\nHostName 127.0.0.1\nPort {port}\nUser root\nUserKnownHostsFile {folder}/{known}\n\
             GlobalKnownHostsFile /dev/null\nIdentityFile {folder}/user\nIdentitiesOnly yes\n{more}\n"
        )
    };
    let accepting = format!("StrictHostKeyChecking accept-new\n{way}");
    host("jump", jump, known[0], "") + &host("engine", engine, known[1], &accepting)
}

/// A server that leads to no engine of its own.
async fn between(live: &Live) -> std::io::Result<Sshd> {
    Sshd::start(live.engine(), FarSide::default().without_docker().socket("/run/else.sock")).await
}

async fn a_host_may_be_behind_another(live: Live) -> Outcome {
    for far in both() {
        let (between, sshd) = (between(&live).await?, Sshd::start(live.engine(), far).await?);
        let folder = sshd.folder().display();
        let command = format!("ProxyCommand {folder}/ssh -F {folder}/config-of-command -W %h:%p jump");
        for (before, (name, way)) in [("jump", "ProxyJump jump"), ("command", &command)].into_iter().enumerate() {
            let client = sshd.client_configured(name, &jump(&between, &sshd, way, ["known"; 2]))?;
            let docker = connect("ssh://engine", client)?;
            docker.ping().await?;
            at_a_time(20, &live, &docker).await?;
            assert_eq!((between.logins(), sshd.logins()), (before + 1, before + 1));
            let jumps = sshd.clients().into_iter().filter(|(_, line)| line.contains(" -W "));
            assert_eq!(jumps.count(), 1, "{:?}", sshd.clients());
            drop(docker);
            no_clients(&sshd).await;
        }
        assert!(between.commands().is_empty(), "{:?}", between.commands());
    }
    Ok(())
}

async fn no_host_on_the_way_is_taken_for_another(live: Live) -> Outcome {
    let (between, sshd) = (between(&live).await?, Sshd::start(live.engine(), FarSide::default()).await?);
    for (known, advice) in [
        (["known-new", "known"], "the host's key is not known"),
        (["known-other", "known"], "the host shows another key"),
        (["known", "known-new"], "the host's key is not known"),
        (["known", "known-other"], "the host shows another key"),
    ] {
        let client = sshd.client_configured("jump", &jump(&between, &sshd, "ProxyJump jump", known))?;
        for _ in 0..2 {
            let error = refused(connect("ssh://engine", client.clone())?.ping().await, &[ErrorKind::Connect]);
            let text = error.to_string();
            assert!(text.contains("Host key verification failed") && text.contains(advice), "{known:?}: {text}");
        }
    }
    // By the keys that are known, twice each.
    assert_eq!((between.logins(), sshd.logins()), (4, 0));
    no_clients(&sshd).await;
    Ok(())
}

async fn a_dropped_call_leaves_no_process(live: Live) -> Outcome {
    for far in both() {
        let (sshd, docker) = over_ssh(&live, far).await?;
        let mut pause = Duration::from_millis(1);
        let mut late = 0;
        while late < 2 {
            let docker = docker.with_deadlines(Deadlines::default().total(pause));
            late = if docker.containers().list().await.is_ok() { late + 1 } else { 0 };
            docker.close();
            pause = pause * 5 / 4;
        }
        let mut stats = docker.container(live.shared().await?.id()).stats().await?;
        stats.next().await.expect("a sample")?;
        docker.close();
        drop(docker);
        // The connection is what the stream lives on.
        stats.next().await.expect("a sample")?;
        drop(stats);
        no_clients(&sshd).await;
    }
    Ok(())
}

async fn a_lost_connection_is_an_error_and_the_next_call_makes_another(live: Live) -> Outcome {
    for (far, knows_late) in both().into_iter().zip([true, false]) {
        let (sshd, docker) = over_ssh(&live, far).await?;
        let shared = docker.container(live.shared().await?.id());
        // Nothing but the end of the connection tells the end of a terminal's output.
        let mut terminal = shared.exec(["sh", "-c", "echo begun; sleep 1000"]).tty().start().await?;
        let begun = terminal.next().await.expect("output")?;
        assert!(begun.bytes.starts_with(b"begun"), "{begun:?}");
        let mut stats = shared.stats().await?;
        stats.next().await.expect("a sample")?;
        docker.ping().await?;
        sshd.kill_masters();
        let error = loop {
            match terminal.next().await {
                Some(Ok(_)) => {}
                Some(Err(error)) => break error,
                None => panic!("the end of the connection was taken for that of the output"),
            }
        };
        assert!(error.kind() == ErrorKind::Truncated && error.to_string().contains("ssh"), "{error}");
        let error = loop {
            if let Err(error) = stats.next().await.expect("an error") {
                break error;
            }
        };
        assert_eq!(error.kind(), ErrorKind::Truncated, "{error}");
        docker.ping().await?;
        assert_eq!(sshd.logins(), 2);
        docker.close();
        sshd.kill_masters();
        // A session tells that it never began. A forwarded socket may still be there while its owner is dying.
        if !knows_late {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let container = docker.containers().create(&live.spec("true")).await?;
        container.remove().await?;
        assert_eq!(sshd.logins(), 3);
    }
    Ok(())
}

pub(crate) const WORK: Work = ("ssh", |given| Box::pin(work(given)));

/// Uses an engine over ssh in a process of its own: the second word says until when.
async fn work(given: &[&str]) -> Result<String, Failure> {
    let [host, program, config, container, folder, how] = given else { return Err("too little is given".into()) };
    let client = Ssh::default().program(*program).config_file(*config);
    let (docker, stats) = {
        let (host, container) = ((*host).to_owned(), (*container).to_owned());
        // A runtime that is gone before what was made in it.
        let using = async move {
            let docker = connect(&host, client)?;
            docker.ping().await?;
            let stats = docker.container(container).stats().await?;
            docker.ping().await?;
            Ok::<_, longshore::Error>((docker, stats))
        };
        let own = move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
            let used = runtime.block_on(using)?;
            runtime.shutdown_background();
            Ok::<_, Failure>(used)
        };
        std::thread::spawn(own).join().expect("no panic")?
    };
    if *how == "for ever" {
        std::fs::write(format!("{folder}/ready"), "")?;
        std::future::pending::<()>().await;
    }
    drop((docker, stats));
    let begun = Instant::now();
    // Those that have ended and were not reaped count too.
    loop {
        let mut children = String::new();
        for thread in std::fs::read_dir("/proc/self/task")? {
            children += &std::fs::read_to_string(thread?.path().join("children")).unwrap_or_default();
        }
        if children.trim().is_empty() {
            return Ok("none".to_owned());
        }
        if begun.elapsed() > Duration::from_secs(5) {
            return Ok(format!("left: {children}"));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What the work is given.
async fn words(live: &Live, sshd: &Sshd, folder: &Path, how: &str) -> longshore::Result<Vec<String>> {
    let client = sshd.client();
    let path = |path: Option<PathBuf>| path.unwrap_or_default().display().to_string();
    let container = live.shared().await?.id().to_owned();
    let paths = [path(client.program), path(client.config_file)];
    Ok([vec![sshd.host()], paths.to_vec(), vec![container, path(Some(folder.into())), how.to_owned()]].concat())
}

async fn no_process_outlives_its_runtime(live: Live) -> Outcome {
    for far in both() {
        let sshd = Sshd::start(live.engine(), far).await?;
        let words = words(&live, &sshd, &std::env::temp_dir(), "once").await?;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        assert_eq!(process::measure(WORK, &words).await?.0, "none");
        no_clients(&sshd).await;
    }
    Ok(())
}

/// Where a client has the socket by which it shares a connection.
fn control_folder(line: &str) -> Option<PathBuf> {
    let mut words = line.split(' ').skip_while(|word| *word != "-S");
    Some(Path::new(words.nth(1)?).parent()?.to_owned())
}

async fn no_process_outlives_a_killed_user(live: Live) -> Outcome {
    for far in both() {
        let sshd = Sshd::start(live.engine(), far).await?;
        let folder = std::env::temp_dir().join(live.name());
        std::fs::create_dir(&folder)?;
        let words = words(&live, &sshd, &folder, "for ever").await?;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut working = Box::pin(process::measure(WORK, &words));
        let ready = until("the call", || async { Ok(folder.join("ready").exists()) });
        tokio::select! {
            outcome = &mut working => return Err(format!("it ended too soon: {outcome:?}").into()),
            outcome = ready => outcome?,
        }
        let shared: Vec<PathBuf> = sshd.clients().iter().filter_map(|(_, line)| control_folder(line)).collect();
        assert!(shared.iter().any(|folder| folder.exists()), "{:?}", sshd.clients());
        // Dropping it kills the process.
        drop(working);
        no_clients(&sshd).await;
        until("no folder", || async { Ok(shared.iter().all(|folder| !folder.exists())) }).await?;
        std::fs::remove_dir_all(&folder)?;
    }
    Ok(())
}
