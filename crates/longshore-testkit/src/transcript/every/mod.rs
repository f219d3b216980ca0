//! Every call of the client, each by its full name: `cargo test` compares these names with those in the client's sources,
//! so that a new call without a transcript is found. What the answers say is as little as the call needs.

#![allow(clippy::let_unit_value, reason = "what a call gives is shown, whatever that is")]

mod containers;
mod engine;
mod executions;
mod images;
mod networks;
mod plugins;
mod progress;
mod services;
mod streams;
mod swarm;
mod waits;

use std::fmt::Debug;
use std::future::IntoFuture;

use futures_core::Stream;
use longshore::{ApiVersion, Docker, Result};

use super::{Calling, Transcript};
use crate::poll::drain;

pub(super) fn all() -> Vec<Transcript> {
    [
        containers::all(),
        engine::all(),
        executions::all(),
        images::all(),
        networks::all(),
        plugins::all(),
        progress::all(),
        services::all(),
        streams::all(),
        swarm::all(),
        waits::all(),
    ]
    .concat()
}

/// Calls with a request and the JSON of its answer each; an answer without a body where there is none.
fn calls(name: &'static str, exchanges: &[(&str, &str)], gives: &str, call: fn(Docker) -> Calling) -> Transcript {
    let transcript = Transcript::new(name, call).gives(gives);
    exchanges.iter().fold(transcript, |transcript, (request, body)| {
        let (method, target) = request.split_once(' ').unwrap_or_default();
        transcript.exchange(format!("{method} /v1.44{target}"), brief(body))
    })
}

/// The same in another version of the API.
fn in_version(transcript: Transcript, version: ApiVersion) -> Transcript {
    let spoken = format!("/v{version}/");
    transcript.version(Some(version)).renamed(|request| request.replace("/v1.44/", &spoken))
}

/// An answer with no more fields than it needs.
fn brief(body: &str) -> Vec<u8> {
    let head = match body {
        "" => "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
        _ => format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len()),
    };
    [head.as_bytes(), body.as_bytes()].concat()
}

/// What several calls gave, as one text.
fn shown(all: &[&(dyn Debug + Sync)]) -> Result<String> {
    Ok(all.iter().map(|one| format!("{one:?}")).collect::<Vec<_>>().join(" "))
}

/// Awaits a call of this type.
async fn awaited<C: IntoFuture<Output = Result<T>>, T>(call: C) -> Result<T> {
    call.into_future().await
}

/// Reads a stream of this type to its end by `poll_next`.
async fn streamed<S: Stream<Item = Result<T>>, T>(stream: S) -> Result<Vec<T>> {
    let drained = drain(stream).await;
    drained.error.map_or(Ok(drained.items), Err)
}
