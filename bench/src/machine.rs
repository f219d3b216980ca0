use std::process::Command;

use crate::container::Engine;
use crate::python::Python;
use bench::Result;

/// Tells where, when and with what is measured.
pub(crate) async fn describe(command: &str, engine: Option<&Engine>, python: &Result<Python>) -> Result<String> {
    let python = match python {
        Ok(python) => python.versions()?,
        Err(error) => format!("left out, since it can't be had here: {error}"),
    };
    let mut facts = vec![
        ("command", format!("`{command}`")),
        ("date", output("date", &["-u", "+%Y-%m-%d %H:%M UTC"])?),
        ("machine", machine()?),
        ("longshore", format!("{} at commit {}", env!("CARGO_PKG_VERSION"), commit()?)),
        ("bollard", locked_version("bollard").ok_or("Cargo.lock does not name bollard")?),
        ("Python", python),
        ("compiler", format!("{}, profile `release`", output("rustc", &["--version"])?)),
    ];
    if let Some(engine) = engine {
        facts.push(("engine", engine.version().await?));
    }
    let mut text = "# Results\n\n\
        Each measurement is a process of its own. The clients take turns; ratios are taken within a round. A figure is \
        the median of the rounds, with the least and the most in brackets.\n\n"
        .to_owned();
    for (name, fact) in facts {
        text += &format!("- {name}: {fact}\n");
    }
    Ok(text)
}

fn machine() -> Result<String> {
    let cores = std::thread::available_parallelism()?;
    let info = std::fs::read_to_string("/proc/cpuinfo")?;
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown processor", |(_, model)| model);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let load = std::fs::read_to_string("/proc/loadavg")?;
    let load = load.split_whitespace().next().unwrap_or_default();
    Ok(format!("{cores} cores of {model}, Linux {}, load {load} at the beginning", kernel.trim()))
}

fn commit() -> Result<String> {
    let commit = output("git", &["rev-parse", "--short", "HEAD"])?;
    let sources = ["status", "--porcelain", "--untracked-files=no", "--", "../crates"];
    Ok(if output("git", &sources)?.is_empty() { commit } else { format!("{commit} with changes") })
}

fn output(program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The version of a package that this program was built with.
fn locked_version(package: &str) -> Option<String> {
    let lock = include_str!("../../Cargo.lock");
    let (_, rest) = lock.split_once(&format!("name = \"{package}\"\nversion = \""))?;
    rest.split_once('"').map(|(version, _)| version.to_owned())
}
