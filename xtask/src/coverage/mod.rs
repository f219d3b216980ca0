//! `cargo xtask coverage`: what of the Engine API longshore really asks for, beside what there is.
//!
//! What it asks for is not a list that somebody keeps: the encode tests of the library write down every request that
//! they compare. What there is stands in the tables of `xtask/api`.

mod facts;
mod models;
mod requests;
mod specification;

use std::path::PathBuf;

use clap::Args;

use crate::error::{Error, Result};
use crate::workspace;
use facts::Facts;
use requests::Encoded;

/// `cargo xtask coverage`
#[derive(Args)]
pub(crate) struct Arguments {
    /// The folder with the specification of API 1.55; models are checked where it is
    #[arg(long, value_name = "FOLDER", default_value = "../shared/engine-api")]
    specification: PathBuf,
}

impl Default for Arguments {
    fn default() -> Self {
        Arguments { specification: PathBuf::from("../shared/engine-api") }
    }
}

/// How much there is of one kind of thing, and what is missing.
struct Tally {
    what: &'static str,
    all: usize,
    missing: Vec<String>,
}

impl Tally {
    /// Counts those of `all` that are `there`.
    fn of<T: ToString>(what: &'static str, all: impl IntoIterator<Item = T>, there: impl Fn(&T) -> bool) -> Self {
        let all: Vec<T> = all.into_iter().collect();
        let missing = all.iter().filter(|one| !there(one)).map(T::to_string).collect();
        Tally { what, all: all.len(), missing }
    }

    fn sum(&self) -> String {
        format!("{} {}/{}", self.what, self.all - self.missing.len(), self.all)
    }
}

/// Compares, tells what is missing, and fails if anything is.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let facts = Facts::read()?;
    let encoded = Encoded::of(&facts, &requests::recorded()?);
    let specified = [
        Tally::of("operations", &facts.operations, |operation| encoded.operations.contains(*operation)),
        Tally::of("query parameters", facts.parameters("query"), |parameter| encoded.parameters.contains(*parameter)),
        Tally::of("headers", facts.parameters("header"), |parameter| encoded.parameters.contains(*parameter)),
    ];
    let unlisted = [
        Tally::of("operations", &facts.unlisted_operations, |operation| encoded.operations.contains(*operation)),
        Tally::of("parameters and headers", &facts.unlisted_parameters, |parameter| {
            encoded.parameters.contains(*parameter)
        }),
    ];
    let specification = workspace::root().join(&arguments.specification).join("v1.55.yaml");
    let models = specification.is_file().then(|| models::check(&specification)).transpose()?;

    println!("{}", sums(&specified));
    println!("beyond the specification: {}", sums(&unlisted));
    match &models {
        Some(models) => println!("models: {}", models.sum()),
        None => println!("models: not checked, since there is no {}", specification.display()),
    }
    let mut gaps = 0;
    for tally in specified.iter().chain(&unlisted).chain(&models) {
        gaps += tally.missing.len();
        tell(&format!("{} that are missing", tally.what), &tally.missing);
    }
    gaps += encoded.unknown.len();
    tell("requests that are no operation of the API", &encoded.unknown);
    match gaps {
        0 => Ok(()),
        _ => Err(Error::new(format!("the API is not covered: {gaps} gaps"))),
    }
}

fn sums(tallies: &[Tally]) -> String {
    tallies.iter().map(Tally::sum).collect::<Vec<_>>().join(", ")
}

fn tell(heading: &str, lines: &[String]) {
    if !lines.is_empty() {
        println!("\n{heading}:");
    }
    for line in lines {
        println!("  {line}");
    }
}
