//! A list that is long enough to be decoded by several threads.

use longshore::models::{ContainerSummary, lenient};
use longshore_testkit::transcript::wire::answer;
use longshore_testkit::{Answer, Exchange, ScriptedEngine};

use crate::mutation::Random;
use crate::runtime::block_on;

/// What is decoded at once, and as much as two threads are given.
const LONG: usize = 256 * 1024 + 3 * 128 * 1024;

/// Reads a long list with these bytes as an element, somewhere or everywhere, as it comes and as a whole.
pub fn check(bytes: &[u8]) {
    let mut random = Random::of(bytes);
    let every = 1 + random.below(3);
    let plain = format!("{{\"Id\":\"{}\"}}", "a".repeat(1 + random.below(2000)));
    let mut list = b"[".to_vec();
    for index in 0.. {
        match index % every {
            0 => list.extend_from_slice(bytes),
            _ => list.extend_from_slice(plain.as_bytes()),
        }
        if list.len() > LONG || index > 20_000 {
            break;
        }
        list.push(b',');
    }
    list.push(b']');
    let whole: Result<Vec<ContainerSummary>, _> = lenient::from_slice(&list);
    let found = block_on(read(list, 1000 + random.below(100_000)));
    assert_eq!(found.is_ok(), whole.is_ok(), "{found:?}\nwhole {whole:?}");
    if let (Ok(found), Ok(whole)) = (found, whole) {
        assert!(found == whole, "{} elements, whole {}", found.len(), whole.len());
    }
}

async fn read(list: Vec<u8>, pieces: usize) -> longshore::Result<Vec<ContainerSummary>> {
    let length = format!("Content-Length: {}", list.len());
    let head = answer("200 OK", &["Content-Type: application/json", &length], list);
    let answer = Answer::new(head).pieces(pieces);
    let engine = ScriptedEngine::new([Exchange::new("GET /v1.44/containers/json", answer)]);
    let docker = engine.docker();
    let outcome = docker.containers().list().await;
    docker.close();
    assert_eq!((engine.alive(), engine.problems()), (0, vec![]));
    outcome
}
