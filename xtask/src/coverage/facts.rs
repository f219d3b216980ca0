use std::fmt;

use crate::error::{Error, Result};

const OPERATIONS: &str = include_str!("../../api/operations.csv");
const PARAMETERS: &str = include_str!("../../api/parameters.csv");
const UNLISTED: &str = include_str!("../../api/unlisted.csv");

/// What the API has: the tables of `xtask/api`.
pub(super) struct Facts {
    /// What the specification of API 1.55 lists.
    pub(super) operations: Vec<Operation>,
    parameters: Vec<Parameter>,
    /// What engines serve and read without specifying it.
    pub(super) unlisted_operations: Vec<Operation>,
    pub(super) unlisted_parameters: Vec<Parameter>,
}

/// A method and a path with names of parameters in braces.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Operation {
    pub(super) method: String,
    pub(super) path: String,
}

/// A query parameter or a header of an operation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Parameter {
    pub(super) operation: Operation,
    /// `query` or `header`.
    pub(super) place: String,
    /// Its name, that of a header in small letters.
    pub(super) name: String,
}

impl Parameter {
    pub(super) fn new(operation: Operation, place: &str, name: &str) -> Self {
        let name = if place == "header" { name.to_ascii_lowercase() } else { name.to_owned() };
        Parameter { operation, place: place.to_owned(), name }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.method, self.path)
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {} {}", self.operation, self.place, self.name)
    }
}

impl Facts {
    pub(super) fn read() -> Result<Self> {
        let operations = rows(OPERATIONS)?;
        let operations = operations.iter().map(|[method, path, _]| operation(method, path)).collect();
        let parameters = rows(PARAMETERS)?;
        let parameters = parameters.iter().map(parameter).collect();
        let unlisted = rows(UNLISTED)?;
        let (whole, parts): (Vec<&[&str; 4]>, Vec<_>) = unlisted.iter().partition(|[_, _, place, _]| place.is_empty());
        let unlisted_operations = whole.into_iter().map(|[method, path, ..]| operation(method, path)).collect();
        let unlisted_parameters = parts.into_iter().map(parameter).collect();
        Ok(Facts { operations, parameters, unlisted_operations, unlisted_parameters })
    }

    /// The specified parameters in this place.
    pub(super) fn parameters(&self, place: &str) -> impl Iterator<Item = &Parameter> {
        self.parameters.iter().filter(move |parameter| parameter.place == place)
    }

    /// The operation that a path belongs to: of those it fits, the one with the most words of its own.
    pub(super) fn operation_of(&self, method: &str, path: &str) -> Option<&Operation> {
        let all = self.operations.iter().chain(&self.unlisted_operations);
        let fitting = all.filter(|operation| operation.method == method && fits(&operation.path, path));
        fitting.max_by_key(|operation| operation.path.split('/').filter(|part| !is_name(part)).count())
    }
}

/// Whether a path fits a template. Names of images and plugins may have slashes.
fn fits(template: &str, path: &str) -> bool {
    let slashes = ["/images/{", "/distribution/{", "/plugins/{"].iter().any(|start| template.starts_with(start));
    let template: Vec<&str> = template.split('/').collect();
    let path: Vec<&str> = path.split('/').collect();
    let (Some(name), true) = (template.iter().position(|part| is_name(part)), slashes) else {
        return template.len() == path.len() && template.iter().zip(&path).all(|(part, given)| fits_part(part, given));
    };
    let behind = template.len() - name - 1;
    path.len() >= template.len()
        && template[..name].iter().zip(&path).all(|(part, given)| part == given)
        && template[name + 1..] == path[path.len() - behind..]
        && path[name..path.len() - behind].iter().all(|given| !given.is_empty())
}

fn fits_part(part: &str, given: &str) -> bool {
    if is_name(part) { !given.is_empty() } else { part == given }
}

fn is_name(part: &str) -> bool {
    part.starts_with('{')
}

fn operation(method: &str, path: &str) -> Operation {
    Operation { method: method.to_owned(), path: path.to_owned() }
}

fn parameter([method, path, place, name]: &[&str; 4]) -> Parameter {
    Parameter::new(operation(method, path), place, name)
}

/// The rows of a table below its heading. No value has a comma.
pub(super) fn rows<const COLUMNS: usize>(table: &'static str) -> Result<Vec<[&'static str; COLUMNS]>> {
    let lines = table.lines().skip(1);
    lines
        .map(|line| {
            let row: Vec<&str> = line.split(',').collect();
            row.try_into().map_err(|_| Error::new(format!("a row of a table does not have {COLUMNS} columns: {line}")))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_hold_what_the_specification_has() {
        let facts = Facts::read().unwrap();
        let counts = (facts.operations.len(), facts.parameters("query").count(), facts.parameters("header").count());
        assert_eq!(counts, (108, 177, 8));
        assert_eq!(facts.unlisted_operations.len(), 5);
    }

    #[test]
    fn a_path_is_an_operation() {
        let facts = Facts::read().unwrap();
        let of = |method: &str, path: &str| facts.operation_of(method, path).map(|found| found.path.as_str());
        assert_eq!(of("GET", "/containers/json"), Some("/containers/json"));
        assert_eq!(of("GET", "/containers/web/json"), Some("/containers/{id}/json"));
        assert_eq!(of("DELETE", "/containers/web"), Some("/containers/{id}"));
        assert_eq!(of("GET", "/containers/a/b/json"), None);
        assert_eq!(of("GET", "/images/get"), Some("/images/get"));
        assert_eq!(of("GET", "/images/a/b:1/get"), Some("/images/{name}/get"));
        assert_eq!(of("GET", "/images/json/json"), Some("/images/{name}/json"));
        assert_eq!(of("DELETE", "/images/localhost:5000/a/b@sha256:0f"), Some("/images/{name}"));
        assert_eq!(of("DELETE", "/images/"), None);
        assert_eq!(of("POST", "/plugins/pull"), Some("/plugins/pull"));
        assert_eq!(of("POST", "/plugins/a/b:1/push"), Some("/plugins/{name}/push"));
        assert_eq!(of("GET", "/plugins/privileges"), Some("/plugins/privileges"));
        assert_eq!(of("DELETE", "/containers/web/checkpoints/one"), Some("/containers/{id}/checkpoints/{checkpoint}"));
        assert_eq!(of("GET", "/something/new"), None);
        assert_eq!(of("POST", "/containers/json"), None);
    }
}
