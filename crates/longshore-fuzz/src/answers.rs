//! Answers, as a call of the client reads them.

use longshore::{Deadlines, Docker, ErrorKind, Result};
use longshore_testkit::{Answer, Exchange, ScriptedEngine, never_hangs};

use crate::http::Case;
use crate::http::ours::{self, Refusal};
use crate::mutation::Random;
use crate::runtime::block_on;

/// Lets an engine answer a download with these bytes, in several ways.
pub fn check(bytes: &[u8]) {
    for pieces in [bytes.len().max(1), 1, 1 + Random::of(bytes).below(40)] {
        block_on(compare(&Case { bytes: bytes.to_vec(), head: false, pieces }));
    }
}

/// Compares what a call says with what the decoders say; tells whether it has downloaded something.
///
/// # Panics
/// When they differ, and when the call hangs or keeps its connection.
pub async fn compare(case: &Case) -> bool {
    let expected = ours::read(case);
    let answer = Answer::new(case.bytes.clone()).pieces(case.pieces).then_close();
    let engine = ScriptedEngine::new([Exchange::new("GET /v1.44/containers/web/export", answer)]);
    let docker = engine.docker().with_deadlines(Deadlines::NONE);
    let outcome = never_hangs(download(&docker), &format!("{case:?}")).await;
    match (&expected, &outcome) {
        (Ok((200..=299 | 304, body)), Ok(bytes)) => assert!(bytes == body, "{case:?}"),
        // A call refuses what the decoders only read: a change of protocol, other statuses.
        (Ok((101, _)), Err(error)) => assert_eq!(error.kind(), ErrorKind::Protocol, "{case:?}"),
        (Ok((status, _)), Err(error)) => assert_eq!(error.status(), Some(*status), "{case:?}"),
        // Of an answer that refuses, as much is told as can be read.
        (Err(_), Err(error)) if error.status().is_some() => {}
        (Err(Refusal::Cut), Err(error)) => {
            assert!(matches!(error.kind(), ErrorKind::Truncated | ErrorKind::Closed), "{case:?}: {error:?}");
        }
        (Err(_), Err(error)) => assert_eq!(error.kind(), ErrorKind::Protocol, "{case:?}"),
        (expected, outcome) => panic!("{case:?}\ndecoders {expected:?}\ncall {outcome:?}"),
    }
    docker.close();
    assert_eq!((engine.alive(), engine.problems()), (0, vec![]), "{case:?}");
    outcome.is_ok()
}

async fn download(docker: &Docker) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    docker.container("web").export().await?.copy_to(&mut bytes).await?;
    Ok(bytes)
}
