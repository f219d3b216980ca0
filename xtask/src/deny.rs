//! `cargo xtask deny`: what the project depends on, by the rules of `deny.toml`.
//!
//! The rules are those of cargo-deny, in its own format. To build it takes ten minutes that every run of the tests would
//! have to wait for, so licences, sources and versions are checked here, from cargo's own metadata, in a second. Where
//! cargo-deny is installed it is asked as well: it also knows the advisories, where their database can be reached.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};

use clap::Args;
use serde::Deserialize;
use spdx::{Expression, LicenseReq, ParseMode};

use crate::error::{Context, Error, Result};
use crate::workspace;

/// `cargo xtask deny`
#[derive(Args)]
pub(crate) struct Arguments {}

/// The workspaces: the project's, and that of the fuzzers.
const MANIFESTS: [&str; 2] = ["Cargo.toml", "fuzz/Cargo.toml"];

/// Checks all packages of all workspaces and tells all that is wrong at once.
pub(crate) fn run(_: &Arguments) -> Result<()> {
    let text = std::fs::read_to_string(workspace::root().join("deny.toml")).context(|| "read deny.toml".to_owned())?;
    let rules: Rules = toml::from_str(&text).context(|| "read deny.toml".to_owned())?;
    let (mut problems, mut count) = (BTreeSet::new(), 0);
    let mut needless = rules.bans.skip.iter().map(|skip| skip.name.as_str()).collect::<BTreeSet<_>>();
    for manifest in MANIFESTS {
        let arguments = ["metadata", "--format-version", "1", "--all-features", "--manifest-path", manifest];
        let metadata = workspace::cargo_output(&arguments)?;
        let metadata: Metadata = serde_json::from_str(&metadata).context(|| "read cargo's metadata".to_owned())?;
        count += metadata.packages.len();
        problems.extend(metadata.packages.iter().flat_map(|package| rules.problems(package)));
        problems.extend(rules.duplicates(&metadata.packages, &mut needless));
    }
    problems.extend(needless.into_iter().map(|name| format!("deny.toml: nobody needs {name} any more")));
    if !problems.is_empty() {
        let problems: Vec<_> = problems.into_iter().collect();
        return Err(Error::new(format!("dependencies are not as deny.toml says:\n  {}", problems.join("\n  "))));
    }
    println!("deny: licences, sources and versions of {count} packages are fine");
    cargo_deny()
}

/// Asks cargo-deny, where it is installed.
fn cargo_deny() -> Result<()> {
    let quiet = |arguments: &[&str]| {
        let mut command = workspace::cargo(&[&["deny"], arguments].concat());
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    if !quiet(&["--version"]) {
        println!("deny: cargo-deny is not installed, so nobody looks for advisories");
        return Ok(());
    }
    let mut check = vec!["deny", "check", "--disable-fetch", "bans", "licenses", "sources"];
    match quiet(&["fetch", "db"]) {
        true => check.push("advisories"),
        false => eprintln!("WARNING: THE DATABASE OF ADVISORIES CAN'T BE REACHED"),
    }
    finish(workspace::cargo(&check))
}

fn finish(mut command: Command) -> Result<()> {
    match command.status().context(|| "run cargo-deny".to_owned())?.success() {
        true => Ok(()),
        false => Err(Error::new("cargo-deny finds something wrong")),
    }
}

/// What of `deny.toml` is checked here.
#[derive(Deserialize)]
struct Rules {
    licenses: Licences,
    sources: Sources,
    bans: Bans,
}

#[derive(Deserialize)]
struct Licences {
    allow: BTreeSet<String>,
    #[serde(default)]
    exceptions: Vec<Exception>,
}

/// Licences that are allowed to one package only.
#[derive(Deserialize)]
struct Exception {
    #[serde(rename = "crate")]
    name: String,
    allow: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    allow_registry: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Bans {
    skip: Vec<Skip>,
}

/// A version that may be there beside another, as `name@version`.
#[derive(Deserialize)]
struct Skip {
    #[serde(rename = "crate")]
    name: String,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    /// Where it comes from; nothing for the project's own.
    source: Option<String>,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    req: String,
    path: Option<String>,
}

impl Rules {
    /// What is wrong with one package.
    fn problems(&self, package: &Package) -> Vec<String> {
        let shown = format!("{} {}", package.name, package.version);
        let mut problems = Vec::new();
        match &package.source {
            Some(source) => {
                let registry =
                    source.strip_prefix("registry+").filter(|url| self.sources.allow_registry.contains(*url));
                if registry.is_none() {
                    problems.push(format!("{shown} comes from {source}"));
                }
                problems.extend(self.licence(package).map(|problem| format!("{shown}: {problem}")));
            }
            None => {
                let open = package.dependencies.iter().filter(|needed| needed.req == "*" && needed.path.is_none());
                problems.extend(open.map(|needed| format!("{shown} takes any version of {}", needed.name)));
            }
        }
        problems
    }

    /// What is wrong with the licence of a package.
    fn licence(&self, package: &Package) -> Option<String> {
        let Some(text) = &package.license else { return Some("it states no licence".to_owned()) };
        // Some still separate by slashes.
        let expression = match Expression::parse_mode(text, ParseMode::LAX) {
            Ok(expression) => expression,
            Err(error) => return Some(format!("its licence `{text}` can't be read: {}", error.reason)),
        };
        let own = self.licenses.exceptions.iter().filter(|exception| exception.name == package.name);
        let own: BTreeSet<&String> = own.flat_map(|exception| &exception.allow).collect();
        let allowed = |licence: &LicenseReq| {
            let name = licence.to_string();
            self.licenses.allow.contains(&name) || own.contains(&name)
        };
        (!expression.evaluate(allowed)).then(|| format!("its licence `{text}` is not allowed"))
    }

    /// Packages that are there in several versions, but for those that may be; these are needed after all.
    fn duplicates(&self, packages: &[Package], needless: &mut BTreeSet<&str>) -> Vec<String> {
        let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for package in packages {
            versions.entry(&package.name).or_default().insert(&package.version);
        }
        let mut problems = Vec::new();
        for (name, versions) in versions.into_iter().filter(|(_, versions)| versions.len() > 1) {
            let skipped = |version: &&&str| self.bans.skip.iter().any(|skip| skip.name == format!("{name}@{version}"));
            versions.iter().for_each(|version| _ = needless.remove(format!("{name}@{version}").as_str()));
            if versions.iter().filter(|version| !skipped(version)).count() > 1 {
                let versions: Vec<_> = versions.into_iter().collect();
                problems.push(format!("{name} is there in several versions: {}", versions.join(", ")));
            }
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        let text = r#"
            [licenses]
            allow = ["MIT", "Apache-2.0 WITH LLVM-exception"]
            exceptions = [{ crate = "special", allow = ["NCSA"] }]
            [sources]
            allow-registry = ["https://example.com/index"]
            [bans]
            skip = [{ crate = "old@1.0.0", reason = "" }, { crate = "gone@1.0.0", reason = "" }]
        "#;
        toml::from_str(text).unwrap()
    }

    fn package(name: &str, version: &str, license: &str) -> Package {
        Package {
            name: name.to_owned(),
            version: version.to_owned(),
            license: Some(license.to_owned()).filter(|license| !license.is_empty()),
            source: Some("registry+https://example.com/index".to_owned()),
            dependencies: Vec::new(),
        }
    }

    #[test]
    fn licences_are_weighed() {
        let check = |name: &str, licence: &str| rules().problems(&package(name, "1.0.0", licence)).concat();
        for licence in ["MIT", "MIT/GPL-3.0", "GPL-3.0-only OR MIT", "Apache-2.0 WITH LLVM-exception AND MIT"] {
            assert_eq!(check("a", licence), "", "{licence}");
        }
        for licence in ["Apache-2.0", "MIT AND GPL-3.0-only", "NCSA", "MIT AND NCSA"] {
            assert_eq!(check("a", licence), format!("a 1.0.0: its licence `{licence}` is not allowed"));
        }
        assert_eq!(check("special", "MIT AND NCSA"), "");
        assert_eq!(check("a", ""), "a 1.0.0: it states no licence");
        assert!(check("a", "odd licence").contains("can't be read"));
    }

    #[test]
    fn sources_are_known_and_versions_named() {
        let mut git = package("a", "1.0.0", "MIT");
        git.source = Some("git+https://example.com/a".to_owned());
        assert_eq!(rules().problems(&git), ["a 1.0.0 comes from git+https://example.com/a"]);
        let mut own = package("a", "1.0.0", "");
        own.source = None;
        let dependency = |name: &str, req: &str, path: Option<&str>| Dependency {
            name: name.to_owned(),
            req: req.to_owned(),
            path: path.map(str::to_owned),
        };
        own.dependencies =
            vec![dependency("b", "*", None), dependency("c", "*", Some("/c")), dependency("d", "^1", None)];
        assert_eq!(rules().problems(&own), ["a 1.0.0 takes any version of b"]);
    }

    #[test]
    fn versions_beside_another_are_told_but_for_those_that_may_be() {
        let rules = rules();
        let all =
            [("old", "1.0.0"), ("old", "2.0.0"), ("a", "1.0.0"), ("a", "2.0.0"), ("b", "1.0.0"), ("gone", "2.0.0")];
        let all = all.map(|(name, version)| package(name, version, "MIT"));
        let mut needless = rules.bans.skip.iter().map(|skip| skip.name.as_str()).collect();
        assert_eq!(rules.duplicates(&all, &mut needless), ["a is there in several versions: 1.0.0, 2.0.0"]);
        assert_eq!(needless, ["gone@1.0.0"].into());
    }
}
