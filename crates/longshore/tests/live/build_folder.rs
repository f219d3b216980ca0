//! Building folders: what is sent of them, beside the official command line tool, and what that costs.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::time::Duration;

use longshore::image::{BuildContext, BuildOptions};
use longshore::{ConnectOptions, Docker, Environment, ErrorKind, Spec};
use longshore_testkit::live::Live;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::harness::{Outcome, Test, test, test_within};
use crate::process::{Work, measure};
use crate::support::refused;
use crate::tool::Tool;

pub(crate) fn tests() -> Vec<Test> {
    let patience = Duration::from_secs(180);
    vec![
        test_within(patience, ten_thousand_files_stream_in_little_memory),
        test_within(patience, the_context_is_that_of_the_official_tool),
        test_within(patience, the_image_is_that_of_the_official_tool),
        test(rules_of_the_dockerfile_s_own_come_first),
        test(a_dockerfile_elsewhere_is_not_in_the_image),
        test(a_dockerfile_alone_is_enough),
        test(what_can_not_be_sent_is_an_error),
    ]
}

/// A folder of this machine for one test, removed with it.
struct Folder(PathBuf);

impl Folder {
    fn new(live: &Live) -> Self {
        let path = std::env::temp_dir().join(live.name());
        fs::create_dir(&path).expect("a new folder");
        Folder(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file, and the folders that it is in.
    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder above")).expect("a folder");
        fs::write(&path, content).expect("a file");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What can't be removed stays among the temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A folder with something of every kind.
fn scene(live: &Live) -> Folder {
    let folder = Folder::new(live);
    for name in [
        "a.md",
        "b.txt",
        "README.md",
        "docs/a.md",
        "docs/deep/b.md",
        "docs/deep/c.txt",
        "src/main.rs",
        "src/lib/x.rs",
        "target/debug/app",
        "target/keep/app",
        "tmp/a/b/c",
        "sp ace/a b.md",
        "[x]/y",
        "docker/Dockerfile",
        ".hidden/a",
    ] {
        folder.write(name, name);
    }
    let program = folder.write("src/run", "#!/bin/sh\n");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o6755)).expect("permissions");
    symlink("../docs/./deep//b.md", folder.path("src/link")).expect("a link");
    symlink("..", folder.path("docs/loop")).expect("a link");
    symlink("missing", folder.path("dangling")).expect("a link");
    fs::create_dir(folder.path("empty")).expect("a folder");
    fs::hard_link(&program, folder.path("tmp/same")).expect("a link");
    folder
}

/// Files of rules; the last lines of each are about what is easily done wrong.
const RULES: [&str; 12] = [
    "",
    "*.md\n!README.md\n",
    "**/*.md\n!docs/**/b.md\ntarget\n!target/keep\n",
    "*\n!src\nsrc/lib\n!src/lib/x.rs\n",
    "**\n!docs/deep\n",
    "Dockerfile\n.dockerignore\ndocker\n",
    "# a comment\n  /tmp/  \n./docs/../src/lib\n\n",
    "*/*\n!*/deep\n",
    "docs/*\n!docs/d*\nt??\n[a-c].*\n\\[x\\]\n",
    "**/a\nsp ace/a b.md\nempty\ndangling\n.hidden\n",
    "!a.md\n*.md\n**/link\n**/loop\n",
    "docs\n!docs/deep/../a.md\ntmp/**/c\nsrc/**\n",
];

/// What a tar has, by name: kind, permissions, owner, time, and contents or target.
fn entries(tar: &[u8]) -> BTreeMap<String, String> {
    let mut archive = tar::Archive::new(tar);
    let entries = archive.entries().expect("a tar").map(|entry| {
        let mut entry = entry.expect("an entry");
        let name = String::from_utf8_lossy(&entry.path_bytes()).trim_end_matches('/').to_owned();
        let target = entry.link_name_bytes().map(|target| String::from_utf8_lossy(&target).into_owned());
        let mut text = String::new();
        entry.read_to_string(&mut text).expect("text");
        let header = entry.header();
        let mode = header.mode().expect("a mode") & 0o7777;
        let (user, time) = (header.uid().expect("a user"), header.mtime().expect("a time"));
        let kind = header.entry_type();
        (name, format!("{kind:?} {mode:o} {user} {time} {target:?} {text}"))
    });
    entries.collect()
}

/// An engine that takes contexts and builds nothing.
struct Taker {
    contexts: mpsc::UnboundedReceiver<(String, Vec<u8>)>,
    host: String,
    _serving: JoinSet<()>,
}

impl Taker {
    fn new(folder: &Folder) -> std::io::Result<Self> {
        let socket = folder.path("taker.sock");
        let listener = UnixListener::bind(&socket)?;
        let (sender, contexts) = mpsc::unbounded_channel();
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, sender.clone()));
            }
        });
        Ok(Taker { contexts, host: format!("unix://{}", socket.display()), _serving: serving })
    }

    /// Waits for a context: the target of its request, and what is in it.
    async fn take(&mut self) -> (String, BTreeMap<String, String>) {
        let (target, tar) = self.contexts.recv().await.expect("a context");
        (target, entries(&tar))
    }
}

async fn serve(mut stream: UnixStream, contexts: mpsc::UnboundedSender<(String, Vec<u8>)>) -> std::io::Result<()> {
    while let Some((target, body)) = request(&mut stream).await? {
        let is_build = target.contains("/build?");
        let answer = if is_build { "{\"aux\":{\"ID\":\"sha256:0f\"}}\n" } else { "" };
        if is_build {
            // Whoever waits for it may have given up.
            let _ = contexts.send((target, body));
        }
        let head = "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nOstype: linux\r\nContent-Type: application/json\r\n";
        stream.write_all(format!("{head}Content-Length: {}\r\n\r\n{answer}", answer.len()).as_bytes()).await?;
    }
    Ok(())
}

/// Reads a request without a body, or with one in chunks.
async fn request(stream: &mut UnixStream) -> std::io::Result<Option<(String, Vec<u8>)>> {
    let mut bytes = Vec::new();
    let end = |bytes: &[u8]| bytes.windows(4).position(|window| window == b"\r\n\r\n");
    while end(&bytes).is_none() {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    }
    let mut body = bytes.split_off(end(&bytes).map_or(0, |end| end + 4));
    let head = String::from_utf8_lossy(&bytes).into_owned();
    let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
    if !head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        return Ok(Some((target, body)));
    }
    while !body.ends_with(b"\r\n0\r\n\r\n") {
        if stream.read_buf(&mut body).await? == 0 {
            return Ok(None);
        }
    }
    let (mut whole, mut rest) = (Vec::new(), &body[..]);
    while let Some(line) = rest.windows(2).position(|window| window == b"\r\n") {
        let size = usize::from_str_radix(&String::from_utf8_lossy(&rest[..line]), 16).expect("a size");
        whole.extend_from_slice(&rest[line + 2..line + 2 + size]);
        rest = &rest[line + 2 + size + 2..];
    }
    Ok(Some((target, whole)))
}

/// Numbers that are the same at every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len() as u64) as usize]
    }

    /// A file of rules about the scene.
    fn rules(&mut self) -> String {
        const PARTS: [&str; 16] = [
            "docs",
            "deep",
            "a.md",
            "*",
            "**",
            "*.md",
            "src",
            "lib",
            "target",
            "keep",
            "t*",
            "?.txt",
            "tmp",
            "a",
            "[a-d]*",
            "Dockerfile",
        ];
        let mut rules = String::new();
        for _ in 0..1 + self.below(5) {
            rules.push_str(self.pick(&["", "", "!"]));
            let parts: Vec<_> = (0..1 + self.below(3)).map(|_| self.pick(&PARTS)).collect();
            rules.push_str(&parts.join("/"));
            rules.push('\n');
        }
        rules
    }
}

async fn the_context_is_that_of_the_official_tool(live: Live) -> Outcome {
    // The engine has no part in this; each has rules of its own.
    let seed = live.engine().name().bytes().fold(7, |seed: u64, byte| seed.wrapping_mul(31) + u64::from(byte));
    let mut random = Random(seed);
    let all: Vec<_> = RULES.iter().map(|rules| (*rules).to_owned()).chain((0..100).map(|_| random.rules())).collect();
    let folder = scene(&live);
    let place = Folder::new(&live);
    let mut taker = Taker::new(&place)?;
    let host = taker.host.clone();
    let docker = client(&host)?;
    let tools = Tool::all();
    for (number, rules) in all.iter().enumerate() {
        folder.write("Dockerfile", "FROM scratch\n");
        folder.write(".dockerignore", rules);
        let dockerfile = ["Dockerfile", "docker/Dockerfile"][number % 2];
        let options = BuildOptions::default().dockerfile(dockerfile);
        let building = async { docker.images().build_folder_with(&folder.0, &options).await?.finish().await };
        let ((our_target, ours), built) = tokio::join!(taker.take(), building);
        built?;
        let path = folder.path(dockerfile);
        let arguments = ["-f", path.to_str().ok_or("a path")?];
        for tool in tools.iter().filter(|tool| !tool.is_old || is_simple(rules)) {
            let ((target, theirs), built) = tokio::join!(taker.take(), tool.build(&folder.0, &host, &arguments));
            built?;
            assert_eq!(ours, theirs, "{rules:?} {}", tool.program.display());
            let named = format!("dockerfile={}", dockerfile.replace('/', "%2F"));
            assert!(our_target.contains(&named) && target.contains(&named), "{our_target} {target}");
        }
    }
    Ok(())
}

/// Whether old and new tools agree about these rules, as they do unless something is taken back in by chance.
fn is_simple(rules: &str) -> bool {
    RULES.contains(&rules) || !rules.contains('!')
}

/// What is below `/ctx` in an image: names, kinds, permissions, owners, sizes, targets of links.
async fn listing(live: &Live, image: &str) -> longshore::Result<String> {
    let script = "cd /ctx; find . | sort | while read -r path; do stat -c '%n %F %a %u %s' \"$path\"; done; \
                  for link in src/link docs/loop dangling; do readlink $link; done; true";
    let spec = live.labelled(Spec::image(image)).network("host").cmd(["sh", "-c", script]);
    let out = live.containers().output(spec).await?;
    Ok(out.stdout.text().lines().filter(|line| !line.contains(" directory ")).collect::<Vec<_>>().join("\n"))
}

async fn the_image_is_that_of_the_official_tool(live: Live) -> Outcome {
    for rules in [RULES[0], RULES[2], RULES[3], RULES[5]] {
        let folder = scene(&live);
        folder.write("Dockerfile", "FROM busybox:latest\nCOPY . /ctx/\n");
        folder.write(".dockerignore", rules);
        let (ours, theirs) = (live.build_options(), live.build_options());
        live.images().build_folder_with(&folder.0, &ours).await?.finish().await?;
        let tool = Tool::all().remove(0);
        tool.build(&folder.0, live.engine().host(), &["-t", &theirs.tags[0]]).await?;
        let listed = listing(&live, &ours.tags[0]).await?;
        assert_eq!(listed, listing(&live, &theirs.tags[0]).await?, "{rules:?}");
        assert!(rules.contains('!') || listed.contains("./a.md regular file 644 0 4"), "{listed}");
    }
    Ok(())
}

async fn rules_of_the_dockerfile_s_own_come_first(live: Live) -> Outcome {
    let folder = Folder::new(&live);
    let dockerfile = "FROM busybox:latest\nCOPY . /ctx/\n";
    for (name, text) in [
        ("docker/web", dockerfile),
        ("docker/web.dockerignore", "b\ndocker\n"),
        (".dockerignore", "a\n"),
        ("a", ""),
        ("b", ""),
    ] {
        folder.write(name, text);
    }
    for options in [live.build_options(), live.build_options().buildkit()] {
        let is_kept = options.buildkit;
        let options = options.dockerfile("docker/web");
        live.images().build_folder_with(&folder.0, &options).await?.finish().await?;
        let listed = listing(&live, &options.tags[0]).await?;
        let names: Vec<_> = listed.lines().filter_map(|line| line.split(' ').next()).collect();
        match is_kept {
            true => assert_eq!(names, ["./a", "./docker/web"]),
            false => assert_eq!(names, ["./a"]),
        }
    }
    Ok(())
}

async fn a_dockerfile_elsewhere_is_not_in_the_image(live: Live) -> Outcome {
    let folder = Folder::new(&live);
    folder.write("app/a", "");
    folder.write("app/secret", "");
    let dockerfile = folder.write("elsewhere", "FROM busybox:latest\nCOPY . /ctx/\n");
    for rules in [None, Some("secret\n")] {
        if let Some(rules) = rules {
            folder.write("app/.dockerignore", rules);
        }
        let options = live.build_options().dockerfile(dockerfile.to_str().ok_or("a path")?);
        live.images().build_folder_with(folder.path("app"), &options).await?.finish().await?;
        let listed = listing(&live, &options.tags[0]).await?;
        let names: Vec<_> = listed.lines().filter_map(|line| line.split(' ').next()).collect();
        match rules {
            None => assert_eq!(names, ["./a", "./secret"]),
            Some(_) => assert_eq!(names, ["./.dockerignore", "./a"]),
        }
    }
    Ok(())
}

async fn a_dockerfile_alone_is_enough(live: Live) -> Outcome {
    let context = BuildContext::dockerfile("FROM busybox:latest\nCMD echo hi\n");
    let options = live.build_options();
    live.images().build_with(context, &options).await?.finish().await?;
    let spec = live.labelled(Spec::image(&options.tags[0])).network("host");
    assert!(live.containers().output(spec).await?.stdout == "hi\n");
    Ok(())
}

async fn what_can_not_be_sent_is_an_error(live: Live) -> Outcome {
    let folder = Folder::new(&live);
    symlink("loop", folder.path("loop"))?;
    for missing in [folder.path("missing"), folder.path("loop"), folder.0.clone()] {
        let error = refused(live.images().build_folder(&missing).await, &[ErrorKind::Io]);
        assert!(error.message().contains(missing.to_str().ok_or("a path")?), "{error}");
    }
    folder.write("Dockerfile", "FROM busybox:latest\n");
    folder.write(".dockerignore", "[\n");
    refused(live.images().build_folder(&folder.0).await, &[ErrorKind::Invalid]);
    Ok(())
}

/// What is measured.
pub(crate) const WORK: Work = ("build a folder", |given| Box::pin(build_folder(given)));

/// A client that knows nothing of the user who runs the tests.
fn client(host: &str) -> longshore::Result<Docker> {
    Docker::connect_with(&ConnectOptions::default().host(host).environment(Environment::default()))
}

/// Builds a folder. Tells the image.
async fn build_folder(given: &[&str]) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let &[folder, host, name, key, value] = given else { return Err(format!("{given:?}").into()) };
    let options = BuildOptions::default().tag(name).label(key, value);
    let docker = client(host)?;
    let image = docker.images().build_folder_with(folder, &options).await?.finish().await?;
    Ok(image.name().to_owned())
}

async fn ten_thousand_files_stream_in_little_memory(live: Live) -> Outcome {
    let folder = Folder::new(&live);
    folder.write("Dockerfile", "FROM busybox:latest\nCOPY . /ctx/\n");
    folder.write(".dockerignore", "**/*.log\nleft\n!left/kept\nDockerfile\n.dockerignore\n");
    for number in 0..10_000 {
        let kind = if number % 10 == 9 { "log" } else { "txt" };
        folder.write(&format!("{}/{number}.{kind}", number % 97), [b'x'; 3000]);
    }
    folder.write("left/out", "");
    folder.write("left/kept", "");
    let options = live.build_options();
    let (key, value) = options.labels.iter().next().ok_or("a label")?;
    let path = folder.0.to_str().ok_or("a path")?;
    let (_, peak) = measure(WORK, &[path, live.engine().host(), &options.tags[0], key, value]).await?;
    assert!(peak < 32_000_000, "it took {peak} bytes of memory");
    println!("{}: a folder of 10,000 files was built in {peak} bytes of memory", live.engine().name());
    let script = "cd /ctx; find . -type f | wc -l; find . -name '*.log' | wc -l; ls left";
    let spec = live.labelled(Spec::image(&options.tags[0])).network("host").cmd(["sh", "-c", script]);
    let out = live.containers().output(spec).await?;
    assert!(out.stdout == "9001\n0\nkept\n", "{out:?}");
    Ok(())
}
