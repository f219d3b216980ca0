//! A list, as a client reads it.

use longshore::models::{ContainerSummary, lenient};
use longshore::{ErrorKind, Result};
use longshore_testkit::transcript::wire::answer;
use longshore_testkit::{Answer, Exchange, ScriptedEngine};

use crate::pieces::same_in_pieces;
use crate::runtime::block_on;

/// Reads these bytes as a list of containers while they come, and as a whole.
pub fn check(bytes: &[u8]) {
    let found = same_in_pieces(bytes, |cuts| block_on(read(bytes, cuts)).map_err(|error| kind(error.kind())));
    let whole: std::result::Result<Vec<ContainerSummary>, _> = lenient::from_slice(bytes);
    assert_eq!(found.is_ok(), whole.is_ok(), "{found:?}\nwhole {whole:?}");
    if let (Ok(found), Ok(whole)) = (found, whole) {
        assert_eq!(found, whole);
    }
}

/// Both are told of an answer that is cut inside something that is wrong as well.
fn kind(kind: ErrorKind) -> ErrorKind {
    if kind == ErrorKind::Truncated { ErrorKind::Decode } else { kind }
}

async fn read(bytes: &[u8], cuts: &[usize]) -> Result<Vec<ContainerSummary>> {
    let length = format!("Content-Length: {}", bytes.len());
    let head = answer("200 OK", &["Content-Type: application/json", &length], "");
    let cuts = cuts.iter().map(|cut| head.len() + cut);
    let answer = Answer::new([&head, bytes].concat()).split_at(cuts);
    let engine = ScriptedEngine::new([Exchange::new("GET /v1.44/containers/json", answer)]);
    let docker = engine.docker();
    let outcome = docker.containers().list().await;
    docker.close();
    assert_eq!((engine.alive(), engine.problems()), (0, vec![]));
    outcome
}
