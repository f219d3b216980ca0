//! Engines that can't be reached, over real sockets.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use longshore::{ConnectOptions, Docker, Environment, Error, ErrorKind};
use longshore_testkit::{Dialing, ScriptedEngine};
use tokio::net::{TcpListener, UnixListener};

/// A folder that is gone afterwards, and that everybody may look into.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("longshore-fault-{}-{count}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        Folder(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays behind is in the folder for temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn list_at(host: String) -> Error {
    let docker = Docker::connect_to(host).unwrap();
    docker.containers().list().await.unwrap_err()
}

async fn list_on(socket: &Path) -> Error {
    list_at(format!("unix://{}", socket.display())).await
}

#[track_caller]
fn assert_unreachable(error: &Error, place: &str, advice: &str) {
    assert_eq!(error.kind(), ErrorKind::Connect, "{error:?}");
    assert!(error.is_connect() && error.is_retryable());
    let text = error.to_string();
    assert!(text.starts_with("list containers: can't connect to the engine at "), "{text}");
    assert!(text.contains(place) && text.contains(advice), "{text}");
}

#[tokio::test]
async fn a_missing_socket() {
    let folder = Folder::new();
    let socket = folder.path("none.sock");
    assert_unreachable(&list_on(&socket).await, &socket.to_string_lossy(), "there is no socket at");
}

#[tokio::test]
async fn a_socket_whose_engine_has_ended() {
    let folder = Folder::new();
    let socket = folder.path("engine.sock");
    drop(UnixListener::bind(&socket).unwrap());
    assert_unreachable(&list_on(&socket).await, &socket.to_string_lossy(), "the engine that made it has ended");
}

#[tokio::test]
async fn a_file_that_is_no_socket() {
    let folder = Folder::new();
    let file = folder.path("engine.sock");
    std::fs::write(&file, "").unwrap();
    assert_eq!(list_on(&file).await.kind(), ErrorKind::Connect);
}

#[tokio::test]
async fn a_port_where_nothing_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = list_at(format!("tcp://127.0.0.1:{port}")).await;
    assert_unreachable(&error, &format!("127.0.0.1:{port}"), "is the port right?");
}

#[tokio::test]
async fn a_name_that_does_not_resolve() {
    let error = list_at("tcp://engine.invalid:2375".to_owned()).await;
    assert_unreachable(&error, "engine.invalid:2375", "");
}

const SOCKET: &str = "LONGSHORE_TEST_SOCKET";

/// Root may open every socket, so that for root the check is made by a child process that is not.
#[tokio::test]
async fn a_socket_without_permission() {
    let folder = Folder::new();
    let socket = folder.path("engine.sock");
    let _listener = UnixListener::bind(&socket).unwrap();
    std::fs::set_permissions(&socket, PermissionsExt::from_mode(0o000)).unwrap();
    if tokio::net::UnixStream::connect(&socket).await.is_err() {
        assert_forbidden(&socket).await;
        return;
    }
    // The program may be where only root can look.
    let program = folder.path("test");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let mut command = Command::new(program);
    command.args(["--exact", "unreachable::a_socket_without_permission_for_another_user", "--ignored"]);
    let child = command.env(SOCKET, &socket).current_dir("/").uid(65534).gid(65534).output().unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&child.stderr));
}

#[tokio::test]
#[ignore = "a part of `a_socket_without_permission`, which runs it as another user"]
async fn a_socket_without_permission_for_another_user() {
    assert_forbidden(Path::new(&std::env::var(SOCKET).unwrap())).await;
}

async fn assert_forbidden(socket: &Path) {
    let error = list_on(socket).await;
    assert_unreachable(&error, &socket.to_string_lossy(), "is the user in the group that owns it");
    assert!(error.to_string().to_lowercase().contains("permission denied"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_transport_that_refuses_and_then_connects() {
    let engine = ScriptedEngine::new([]);
    let docker = engine.docker();
    engine.dialing(Dialing::Refuse(std::io::ErrorKind::PermissionDenied));
    let error = docker.containers().list().await.unwrap_err();
    assert_unreachable(&error, "the scripted engine", "permission denied");

    engine.dialing(Dialing::Accept);
    engine.expect(longshore_testkit::Exchange::new(
        "GET /v1.44/containers/json",
        longshore_testkit::transcript::wire::json("200 OK", "[]"),
    ));
    assert!(docker.containers().list().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_engine_that_is_nowhere() {
    let home = Folder::new();
    let home = home.0.to_string_lossy();
    let environment = Environment::default().root(&*home).variable("HOME", &*home).variable("XDG_RUNTIME_DIR", &*home);
    let docker = Docker::connect_with(&ConnectOptions::default().environment(environment)).unwrap();
    let error = docker.containers().list().await.unwrap_err();
    assert_unreachable(&error, &format!("unix://{home}/var/run/docker.sock"), "is the engine running?");
    let places = docker.endpoint().looked_at();
    assert!(places.len() >= 10, "{places:?}");
    for place in places {
        assert!(error.message().contains(place), "{place} is not told: {error}");
    }
}

#[tokio::test]
async fn an_engine_that_is_not_where_something_says() {
    let folder = Folder::new();
    let socket = folder.path("none.sock");
    let environment = Environment::default().variable("DOCKER_HOST", format!("unix://{}", socket.display()));
    let docker = Docker::connect_with(&ConnectOptions::default().environment(environment)).unwrap();
    let error = docker.ping().await.unwrap_err();
    let expected = format!("can't connect to the engine at unix://{}, as DOCKER_HOST says: ", socket.display());
    assert!(error.message().starts_with(&expected), "{error}");
}
