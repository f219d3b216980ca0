use std::collections::BTreeSet;
use std::fs;

use super::facts::{Facts, Operation, Parameter};
use crate::error::{Context, Error, Result};
use crate::workspace;

/// Names the file that the encode tests add their requests to, a line for each.
const RECORD: &str = "LONGSHORE_GOLDEN_REQUESTS";

/// What the requests have.
#[derive(Default)]
pub(super) struct Encoded {
    pub(super) operations: BTreeSet<Operation>,
    pub(super) parameters: BTreeSet<Parameter>,
    /// Requests that are none of the API's operations.
    pub(super) unknown: Vec<String>,
}

/// Runs the encode tests and gives the requests that they compared.
pub(super) fn recorded() -> Result<String> {
    let folder = workspace::root().join("target/coverage");
    fs::create_dir_all(&folder).context(|| format!("make {}", folder.display()))?;
    let file = folder.join("requests.tsv");
    fs::write(&file, "").context(|| format!("write {}", file.display()))?;
    let tests = ["test", "--package", "longshore", "--all-features", "--lib"];
    let mut command = workspace::cargo(&tests);
    command.env(RECORD, &file).stderr(std::process::Stdio::inherit());
    let output = command.output().context(|| "run the encode tests".to_owned())?;
    if !output.status.success() {
        print!("{}", String::from_utf8_lossy(&output.stdout));
        return Err(Error::new("the encode tests failed"));
    }
    fs::read_to_string(&file).context(|| format!("read {}", file.display()))
}

impl Encoded {
    /// Reads lines of method, target and names of headers, with tabs between them.
    pub(super) fn of(facts: &Facts, lines: &str) -> Self {
        let mut encoded = Encoded::default();
        for line in lines.lines().collect::<BTreeSet<_>>() {
            let mut fields = line.split('\t');
            let (method, target) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
            let (path, query) = target.split_once('?').unwrap_or((target, ""));
            let Some(operation) = facts.operation_of(method, path) else {
                encoded.unknown.push(format!("{method} {target}"));
                continue;
            };
            let pairs = query.split('&').filter(|pair| !pair.is_empty());
            let names = pairs.map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name));
            let parameters = names.map(|name| Parameter::new(operation.clone(), "query", name));
            encoded.parameters.extend(parameters);
            encoded.parameters.extend(fields.map(|name| Parameter::new(operation.clone(), "header", name)));
            encoded.operations.insert(operation.clone());
        }
        encoded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_show_what_is_encoded() {
        let facts = Facts::read().unwrap();
        let lines = "GET\t/containers/web/json?size=1\n\
                     POST\t/images/a/b/push?tag=1&platform=%7B%7D\tX-Registry-Auth\n\
                     GET\t/containers/web/json?size=1\n\
                     GET\t/no/such?a=1\n";
        let encoded = Encoded::of(&facts, lines);
        let shown = |all: Vec<String>| all.join(" | ");
        assert_eq!(
            shown(encoded.operations.iter().map(Operation::to_string).collect()),
            "GET /containers/{id}/json | POST /images/{name}/push"
        );
        assert_eq!(
            shown(encoded.parameters.iter().map(Parameter::to_string).collect()),
            "GET /containers/{id}/json: query size | POST /images/{name}/push: header x-registry-auth | \
             POST /images/{name}/push: query platform | POST /images/{name}/push: query tag"
        );
        assert_eq!(encoded.unknown, ["GET /no/such?a=1"]);
        let pushed = facts.parameters("header").find(|header| header.operation.path == "/images/{name}/push").unwrap();
        assert!(encoded.parameters.contains(pushed));
    }
}
