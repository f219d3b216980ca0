//! What comes of an exchange does not depend on where its bytes come apart.

use longshore::Deadlines;
use longshore_testkit::{ScriptedEngine, Transcript, never_hangs};

use crate::featured::{is_threaded, transcripts};

/// Makes the call and checks what comes of it, and that the client is as good as new afterwards.
async fn check(transcript: &Transcript, engine: &ScriptedEngine, circumstance: &str) {
    let docker = transcript.docker(engine, Deadlines::default());
    let outcome = never_hangs(transcript.call(docker.clone()), &format!("{}, {circumstance}", transcript.name)).await;
    transcript.assert_outcome(&outcome, circumstance);
    engine.assert_finished();
    Transcript::good_call(&docker).await.unwrap();
    docker.close();
    assert_eq!((engine.alive(), engine.problems()), (0, vec![]), "{}, {circumstance}", transcript.name);
}

#[tokio::test(start_paused = true)]
async fn every_exchange_gives_what_it_should() {
    for transcript in transcripts() {
        check(&transcript, &transcript.engine(), "in one piece").await;
    }
}

#[tokio::test(start_paused = true)]
async fn answers_may_come_apart_anywhere() {
    for transcript in transcripts() {
        for (index, exchange) in transcript.exchanges().iter().enumerate() {
            // A copy takes long, and `flow` has it at every split.
            let step = if is_threaded(&transcript) { 7 } else { 1 };
            for split in (1..exchange.answer().len()).step_by(step) {
                let engine = transcript.engine_with(|at, answer| match at == index {
                    true => answer.split_at([split]),
                    false => answer,
                });
                check(&transcript, &engine, &format!("answer {index} split at {split}")).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn answers_may_come_byte_by_byte() {
    for transcript in transcripts() {
        for size in [1, 2, 3, 7] {
            let engine = transcript.engine_with(|_, answer| answer.pieces(size));
            check(&transcript, &engine, &format!("pieces of {size}")).await;
            // As above, but without a pause between two reads.
            let engine = transcript.engine();
            engine.read_limit(size);
            check(&transcript, &engine, &format!("reads of {size}")).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn requests_may_be_taken_byte_by_byte() {
    for transcript in transcripts() {
        for size in [1, 2, 5, 64] {
            let engine = transcript.engine();
            engine.write_pieces(size);
            check(&transcript, &engine, &format!("writes of {size}")).await;
        }
    }
}
