//! Events, as a client reads them.

use longshore::ErrorKind;
use longshore::models::EventMessage;
use longshore_testkit::transcript::wire::answer;
use longshore_testkit::{Answer, Exchange, ScriptedEngine, drain};

use crate::pieces::same_in_pieces;
use crate::runtime::block_on;

/// Reads these bytes as events.
pub fn check(bytes: &[u8]) {
    same_in_pieces(bytes, |cuts| block_on(read(bytes, cuts)));
}

async fn read(bytes: &[u8], cuts: &[usize]) -> (Vec<EventMessage>, Option<ErrorKind>) {
    let head = answer("200 OK", &["Content-Type: application/json", "Connection: close"], "");
    let cuts = cuts.iter().map(|cut| head.len() + cut);
    let answer = Answer::new([&head, bytes].concat()).split_at(cuts).then_close();
    let engine = ScriptedEngine::new([Exchange::new("GET /v1.44/events", answer)]);
    let events = engine.docker().events().await.expect("the head is good");
    let drained = drain(events).await;
    assert_eq!((engine.alive(), engine.problems()), (0, vec![]));
    (drained.items, drained.error.map(|error| error.kind()))
}
