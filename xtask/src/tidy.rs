//! `cargo xtask tidy`: what neither the compiler nor clippy checks.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use serde::Deserialize;

use crate::error::{Context, Error, Result};
use crate::workspace;

/// The modules of the library: each may name only itself and those before it.
const ORDER: [&str; 8] = ["error", "config", "transport", "http", "stream", "docker", "api", "flow"];

/// The most lines of code in a file.
const LONGEST_CODE: usize = 500;

/// The most lines of a file, its tests included.
const LONGEST_FILE: usize = 700;

/// The most third-party crates that the library may need with its default features.
const MOST_CRATES: usize = 26;

/// `cargo xtask tidy`
#[derive(Args)]
pub(crate) struct Arguments {}

/// Runs every check and tells all that is wrong at once.
pub(crate) fn run(_: &Arguments) -> Result<()> {
    let root = workspace::root();
    let sources = sources(&root)?;
    let mut problems = Vec::new();
    for path in &sources {
        let text = fs::read_to_string(path).context(|| format!("read {}", path.display()))?;
        let shown = path.strip_prefix(&root).unwrap_or(path).display().to_string();
        problems.extend(lengths(&shown, &text));
        if let Ok(inside) = path.strip_prefix(root.join("crates/longshore/src")) {
            problems.extend(order(&shown, inside, &text));
        }
    }
    problems.extend(crates()?);
    problems.extend(rust_versions()?);
    match problems.as_slice() {
        [] => {
            println!(
                "tidy: {} files, module order, lengths, dependencies and their Rust versions are fine",
                sources.len()
            );
            Ok(())
        }
        _ => Err(Error::new(format!("the project is not tidy:\n  {}", problems.join("\n  ")))),
    }
}

/// Every source file that git would commit.
fn sources(root: &Path) -> Result<Vec<PathBuf>> {
    let listing = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "*.rs"])
        .current_dir(root)
        .output()
        .context(|| "list the files with git".to_owned())?;
    if !listing.status.success() {
        return Err(Error::new(format!("git can't list the files: {}", String::from_utf8_lossy(&listing.stderr))));
    }
    let names = String::from_utf8_lossy(&listing.stdout);
    let paths: BTreeSet<PathBuf> = names.lines().map(|name| root.join(name)).filter(|path| path.is_file()).collect();
    Ok(paths.into_iter().collect())
}

fn lengths(shown: &str, text: &str) -> Vec<String> {
    let all = text.lines().count();
    let is_test = shown.split('/').any(|part| part == "tests");
    let code = text.lines().position(|line| line.trim() == "#[cfg(test)]").unwrap_or(all);
    let mut problems = Vec::new();
    if !is_test && code > LONGEST_CODE {
        problems.push(format!("{shown} has {code} lines of code; at most {LONGEST_CODE}"));
    }
    if all > LONGEST_FILE {
        problems.push(format!("{shown} has {all} lines; at most {LONGEST_FILE} with its tests"));
    }
    problems
}

/// Checks that the library's module that `text` is a part of names only modules before it.
fn order(shown: &str, inside: &Path, text: &str) -> Vec<String> {
    let first = inside.iter().next().and_then(|part| part.to_str()).unwrap_or_default();
    let module = first.strip_suffix(".rs").unwrap_or(first);
    if module == "lib" {
        return Vec::new();
    }
    let Some(rank) = ORDER.iter().position(|name| *name == module) else {
        return vec![format!("{shown}: module `{module}` has no place in the order of modules")];
    };
    let mut problems = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim() == "#[cfg(test)]" && !text.lines().nth(number + 1).is_some_and(|next| next.contains("use ")) {
            break;
        }
        let code = line.split("//").next().unwrap_or_default();
        for name in named(code) {
            match ORDER.iter().position(|other| *other == name) {
                Some(other) if other <= rank => {}
                Some(_) => problems.push(format!("{shown}:{}: `{module}` may not name `{name}`", number + 1)),
                None => problems.push(format!("{shown}:{}: name the module of `crate::{name}`", number + 1)),
            }
        }
    }
    problems
}

/// What follows each `crate::` in a line.
fn named(code: &str) -> impl Iterator<Item = &str> {
    code.split("crate::").skip(1).map(|rest| {
        let end = rest.find(|character: char| !character.is_alphanumeric() && character != '_').unwrap_or(rest.len());
        &rest[..end]
    })
}

/// Counts the third-party crates that the library needs with its default features.
fn crates() -> Result<Vec<String>> {
    let arguments = ["tree", "--package", "longshore", "--edges", "normal", "--prefix", "none", "--format", "{p}"];
    let tree = workspace::cargo_output(&arguments)?;
    let names: BTreeSet<&str> = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| !name.starts_with("longshore"))
        .collect();
    match names.len() {
        count if count > MOST_CRATES => {
            Ok(vec![format!("longshore needs {count} third-party crates, at most {MOST_CRATES}: {names:?}")])
        }
        _ => Ok(Vec::new()),
    }
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    rust_version: Option<String>,
}

/// Checks that no dependency of the library, whatever its features, needs a newer Rust than the project says it does.
///
/// Its own code is checked by clippy's `incompatible_msrv`.
fn rust_versions() -> Result<Vec<String>> {
    let json = workspace::cargo_output(&["metadata", "--format-version", "1", "--all-features"])?;
    let metadata: Metadata = serde_json::from_str(&json).context(|| "read cargo's metadata".to_owned())?;
    let own = metadata.packages.iter().find(|package| package.name == "longshore");
    let Some(own) = own.and_then(|package| package.rust_version.clone()) else {
        return Ok(vec!["longshore states no rust-version".to_owned()]);
    };
    let arguments =
        ["tree", "--package", "longshore", "--edges", "normal,build", "--all-features", "--prefix", "none", "--format"];
    let tree = workspace::cargo_output(&[&arguments[..], &["{p}"]].concat())?;
    let needed: BTreeSet<(&str, &str)> = tree
        .lines()
        .filter_map(|line| line.split_once(" v"))
        .map(|(name, rest)| (name, rest.split_whitespace().next().unwrap_or_default()))
        .collect();
    Ok(metadata
        .packages
        .iter()
        .filter(|package| needed.contains(&(package.name.as_str(), package.version.as_str())))
        .filter(|package| package.rust_version.as_deref().is_some_and(|needs| release(needs) > release(&own)))
        .map(|package| {
            let needs = package.rust_version.as_deref().unwrap_or_default();
            format!("{} {} needs Rust {needs}, the project says {own}", package.name, package.version)
        })
        .collect())
}

/// The numbers of a release of Rust, to be compared.
fn release(version: &str) -> Vec<u32> {
    let mut numbers: Vec<u32> = version.split('.').map(|part| part.parse().unwrap_or_default()).collect();
    numbers.resize(3, 0);
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_may_name_only_those_before_it() {
        let check = |module: &str, line: &str| order(module, Path::new(module), line).len();
        assert_eq!(check("http/client.rs", "use crate::error::Error; use crate::transport::Dial;"), 0);
        assert_eq!(check("http/client.rs", "use crate::api::Call;"), 1);
        assert_eq!(check("http/client.rs", "// crate::api::Call"), 0);
        assert_eq!(check("error.rs", "let x = crate::Method::Get;"), 1);
        assert_eq!(check("error.rs", "use crate::{http, stream};"), 1);
        assert_eq!(check("new.rs", ""), 1);
        assert_eq!(check("http/client.rs", "#[cfg(test)]\nmod tests {\n use crate::api::Call;"), 0);
        assert_eq!(check("http/client.rs", "#[cfg(test)]\nuse crate::api::Call;"), 1);
    }

    #[test]
    fn long_files_are_found() {
        let text = |code: usize, tests: usize| format!("{}#[cfg(test)]\n{}", "x\n".repeat(code), "x\n".repeat(tests));
        assert_eq!(lengths("a.rs", &text(500, 199)).len(), 0);
        assert_eq!(lengths("a.rs", &text(501, 0)).len(), 1);
        assert_eq!(lengths("a.rs", &text(500, 200)).len(), 1);
        assert_eq!(lengths("crates/a/tests/b.rs", &"x\n".repeat(700)).len(), 0);
    }

    #[test]
    fn releases_compare_by_number() {
        assert!(release("1.100") > release("1.88.0"));
        assert_eq!(release("1.88"), release("1.88.0"));
    }
}
