//! Building folders, in processes of their own: how much memory that takes, and what a user without rights is told.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use longshore::image::BuildOptions;
use longshore::transport::{Dial, Dialing, Io};
use longshore::{ApiVersion, ConnectOptions, Docker, Environment, Result};
use longshore_testkit::memory;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// Names the folder that a process of its own builds.
const FOLDER: &str = "LONGSHORE_BUILD_FOLDER";

/// A folder for one test, which goes away with it, and in which everybody may look around.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("longshore-build-{name}-{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        Folder(path)
    }

    fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What can't be removed stays among the temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// An engine that takes a context, keeps nothing of it, and tells its length as the id of the image.
struct Sink;

impl Dial for Sink {
    fn dial(&self) -> Dialing<'_> {
        Box::pin(async {
            let (near, far) = tokio::io::duplex(64 * 1024);
            tokio::spawn(take(far));
            Ok(Box::new(near) as Box<dyn Io>)
        })
    }

    fn describe(&self) -> String {
        "sink".to_owned()
    }
}

async fn take(mut far: DuplexStream) -> io::Result<()> {
    const END: &[u8] = b"\r\n0\r\n\r\n";
    let (mut length, mut last, mut piece) = (0, Vec::new(), vec![0; 16 * 1024]);
    while !last.ends_with(END) {
        match far.read(&mut piece).await? {
            0 => return Ok(()),
            count => {
                length += count;
                last.extend_from_slice(&piece[..count]);
                last.drain(..last.len().saturating_sub(END.len()));
            }
        }
    }
    let body = format!("{{\"aux\":{{\"ID\":\"{length}\"}}}}");
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
    far.write_all(format!("{head}{body}").as_bytes()).await
}

async fn build(folder: &Path) -> Result<String> {
    let options = ConnectOptions::default().version(ApiVersion::new(1, 44)).environment(Environment::default());
    let docker = Docker::connect_through_with(Sink, &options);
    let options = BuildOptions::default().tag("test");
    let image = docker.images().build_folder_with(folder, &options).await?.finish().await?;
    Ok(image.name().to_owned())
}

/// Builds the folder in a process of its own, which runs this test; what it prints between two marks.
fn in_a_process(program: &Path, test: &str, folder: &Path, user: Option<u32>) -> String {
    let mut command = Command::new(program);
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(FOLDER, folder);
    command.current_dir("/");
    if let Some(user) = user {
        command.uid(user).gid(user);
    }
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let told = text.split("<<").nth(1).and_then(|rest| rest.split(">>").next());
    told.unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr))).to_owned()
}

#[tokio::test(flavor = "current_thread")]
async fn ten_thousand_files_stream_in_little_memory() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let length = build(Path::new(&folder)).await.unwrap();
        println!("<<{length} {}>>", memory::peak().unwrap());
        return;
    }
    let folder = Folder::new("large");
    folder.write(".dockerignore", b"**/*.log\nleft\n!left/kept\nDockerfile\n");
    folder.write("Dockerfile", b"FROM scratch\nCOPY . /\n");
    for number in 0..10_000 {
        folder.write(&format!("{}/{number}.txt", number % 100), &[b'x'; 6000]);
    }
    for number in 0..1000 {
        folder.write(&format!("{}/{number}.log", number % 100), &[b'x'; 6000]);
        folder.write(&format!("left/{number}"), b"");
    }
    folder.write("left/kept", b"");
    folder.write("large", &vec![b'x'; 64 << 20]);
    let test = "build::ten_thousand_files_stream_in_little_memory";
    let told = in_a_process(&std::env::current_exe().unwrap(), test, &folder.0, None);
    let (length, peak) = told.split_once(' ').unwrap();
    let (length, peak): (u64, u64) = (length.parse().unwrap(), peak.parse().unwrap());
    // 10,000 files of 12 blocks and a header, those of 100 folders, and the large one: without what is left out.
    let expected = 10_000 * 13 * 512 + 101 * 512 + (64 << 20);
    assert!((expected..expected + 256 * 1024).contains(&length), "{length} bytes came, not {expected}");
    assert!(peak < 32 << 20, "it took {peak} bytes of memory");
}

#[tokio::test(flavor = "current_thread")]
async fn a_file_that_can_not_be_read_is_named() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let error = build(Path::new(&folder)).await.unwrap_err();
        println!("<<{:?} {error}>>", error.kind());
        return;
    }
    // Root may read everything, so another user is asked, with a program that they may run.
    let is_root = fs::metadata("/proc/self").is_ok_and(|status| std::os::unix::fs::MetadataExt::uid(&status) == 0);
    let user = is_root.then_some(65_534);
    let folder = Folder::new("unreadable");
    let program = folder.0.join("program");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let test = "build::a_file_that_can_not_be_read_is_named";
    let told = |context: &str| in_a_process(&program, test, &folder.0.join(context), user);
    for (context, name) in [("file", "secret"), ("rules", ".dockerignore"), ("dockerfile", "Dockerfile")] {
        folder.write(&format!("{context}/Dockerfile"), b"FROM scratch\n");
        folder.write(&format!("{context}/.dockerignore"), b"left\n");
        let path = folder.write(&format!("{context}/{name}"), b"");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
        let told = told(context);
        assert!(told.starts_with("Io build image `test`: "), "{told}");
        assert!(told.contains(&format!("{context}/{name}`: Permission denied")), "{told}");
    }
    let path = folder.write("inner/folder/file", b"").parent().unwrap().to_owned();
    folder.write("inner/Dockerfile", b"FROM scratch\n");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    assert!(told("inner").contains("inner/folder`: Permission denied"));
    // What is left out need not be readable.
    folder.write("inner/.dockerignore", b"folder\n");
    let told = in_a_process(&program, "build::what_can_be_read_is_built", &folder.0.join("inner"), user);
    assert!(told.parse::<u64>().is_ok(), "{told}");
}

#[tokio::test(flavor = "current_thread")]
async fn what_can_be_read_is_built() {
    let own = Folder::new("small");
    own.write("Dockerfile", b"FROM scratch\n");
    let folder = std::env::var_os(FOLDER).map_or(own.0.clone(), PathBuf::from);
    let length = build(&folder).await.unwrap();
    println!("<<{length}>>");
    assert!(length.parse::<u64>().unwrap() > 1024);
}
