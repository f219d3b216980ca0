use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use serde::Deserialize;

use bench::Result;
use bench::meter::{Sample, seconds};
use bench::work::Client;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Builds a small program that uses a client, from nothing and as users build, and tells what that takes.
pub(crate) fn build(client: Client) -> Result<Sample> {
    let programs = std::env::current_exe()?;
    let target = programs.parent().and_then(Path::parent).ok_or("this program lies in no folder")?;
    let folder = target.join("bench-build").join(client.name());
    write_package(&folder, client)?;
    if folder.join("target").exists() {
        std::fs::remove_dir_all(folder.join("target"))?;
    }
    let before = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let begun = Instant::now();
    cargo(&folder, &["build", "--release", "--quiet"])?;
    let wall = begun.elapsed().as_secs_f64();
    let after = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let libraries = libraries(&folder)?;
    let mut lines = 0;
    for library in &libraries {
        lines += lines_below(&library.folder)?;
    }
    Ok(Sample {
        wall,
        user: seconds(after.user_time()) - seconds(before.user_time()),
        system: seconds(after.system_time()) - seconds(before.system_time()),
        crates: libraries.iter().filter(|library| library.is_of_others).count() as u64,
        lines,
        size: std::fs::metadata(folder.join("target/release/hello"))?.len(),
        ..Sample::default()
    })
}

/// The versions are those of this workspace.
fn write_package(folder: &Path, client: Client) -> Result<()> {
    let root = Path::new(ROOT).canonicalize()?;
    let (dependency, greeting) = match client {
        Client::Longshore => (
            format!("longshore = {{ path = {:?} }}", root.join("crates/longshore")),
            "longshore::Docker::connect()?.version().await?.version",
        ),
        Client::Bollard => (
            "bollard = \"0.21\"".to_owned(),
            "bollard::Docker::connect_with_local_defaults()?.version().await?.version.unwrap_or_default()",
        ),
        _ => return Err(format!("{} is not built", client.name()).into()),
    };
    std::fs::create_dir_all(folder.join("src"))?;
    std::fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    let manifest = format!(
        "[package]\nname = \"hello\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
        [dependencies]\n{dependency}\ntokio = {{ version = \"1\", features = [\"rt\"] }}\n\n\
        [profile.release]\nstrip = true\n\n[workspace]\n"
    );
    std::fs::write(folder.join("Cargo.toml"), manifest)?;
    let program = format!(
        "fn main() -> Result<(), Box<dyn std::error::Error>> {{\n    \
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;\n    \
        runtime.block_on(async {{\n        println!(\"hello from {{}}\", {greeting});\n        Ok(())\n    }})\n}}\n"
    );
    Ok(std::fs::write(folder.join("src/main.rs"), program)?)
}

fn cargo(folder: &Path, arguments: &[&str]) -> Result<String> {
    let output = Command::new("cargo").args(arguments).arg("--offline").current_dir(folder).output()?;
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout)?),
        false => Err(format!("cargo {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr)).into()),
    }
}

/// A library that is compiled for the program.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Library {
    /// The folder of its sources.
    folder: PathBuf,
    /// Whether it comes from a registry.
    is_of_others: bool,
}

/// All libraries that are compiled for the program.
fn libraries(folder: &Path) -> Result<BTreeSet<Library>> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
        version: String,
        source: Option<String>,
        targets: Vec<Target>,
    }
    #[derive(Deserialize)]
    struct Target {
        kind: Vec<String>,
        src_path: PathBuf,
    }
    let tree = cargo(folder, &["tree", "--prefix", "none", "--edges", "normal,build", "--format", "{p}"])?;
    let metadata: Metadata = serde_json::from_str(&cargo(folder, &["metadata", "--format-version", "1"])?)?;
    let is_compiled = |package: &Package| {
        let name = format!("{} v{}", package.name, package.version);
        tree.lines().any(|line| line == name || line.starts_with(&format!("{name} ")))
    };
    let is_library = |target: &Target| target.kind.iter().any(|kind| kind.ends_with("lib") || kind == "proc-macro");
    let mut libraries = BTreeSet::new();
    for package in metadata.packages.iter().filter(|package| is_compiled(package)) {
        let is_of_others = package.source.is_some();
        let found = package.targets.iter().filter(|target| is_library(target));
        let folders = found.filter_map(|target| target.src_path.parent());
        libraries.extend(folders.map(|folder| Library { folder: folder.to_owned(), is_of_others }));
    }
    Ok(libraries)
}

/// The lines of all Rust below a folder.
fn lines_below(folder: &Path) -> Result<u64> {
    let mut lines = 0;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            lines += lines_below(&path)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            lines += std::fs::read_to_string(&path)?.lines().count() as u64;
        }
    }
    Ok(lines)
}
