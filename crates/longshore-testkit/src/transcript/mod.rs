//! Exchanges of every kind, byte for byte as engines send them, with the calls that lead to them and what they give.
//!
//! They are the material for tests that repeat an exchange at every split of its bytes, with a fault at every byte, or
//! with the call given up at every poll.

mod calls;
mod containers;
mod every;
mod images;
mod refusals;
mod sessions;
mod streams;
mod system;
pub mod wire;

use std::future::Future;
use std::pin::Pin;

use longshore::{ApiVersion, ConnectOptions, Deadlines, Docker, ErrorKind, Result};

use crate::answer::{Answer, Exchange, Fault};
use crate::engine::{ScriptedEngine, VERSION};

/// What the transcripts agree upon that ask for a version: that of which all their answers tell.
const AGREED: ApiVersion = VERSION;

/// A call under way that answers what came of it, as text.
pub type Calling = Pin<Box<dyn Future<Output = Result<String>> + Send>>;

/// A call, the exchanges it makes with an engine, and what comes of it.
#[derive(Clone, Debug)]
pub struct Transcript {
    /// Names it in messages.
    pub name: &'static str,
    /// What comes of the call when nothing fails.
    pub expected: Expected,
    version: Option<ApiVersion>,
    exchanges: Vec<Exchange>,
    call: fn(Docker) -> Calling,
    untold: Vec<Untold>,
    spared: Vec<(usize, Expected)>,
}

/// What comes of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// This, as text.
    Value(String),
    /// An error of this kind with this message.
    Error(ErrorKind, String),
}

/// A position at which an answer may end as well as not: what tells the end of it is the end of the connection.
#[derive(Clone, Debug)]
struct Untold {
    exchange: usize,
    position: usize,
    outcome: Expected,
}

impl Expected {
    fn is(&self, outcome: &Result<String>) -> bool {
        match (self, outcome) {
            (Expected::Value(expected), Ok(value)) => value == expected,
            (Expected::Error(kind, message), Err(error)) => (error.kind(), error.message()) == (*kind, message),
            _ => false,
        }
    }
}

impl Transcript {
    /// All of them.
    pub fn all() -> Vec<Transcript> {
        [
            containers::all(),
            images::all(),
            refusals::all(),
            sessions::all(),
            streams::all(),
            system::all(),
            calls::all(),
            every::all(),
        ]
        .concat()
    }

    /// The one with this name.
    ///
    /// # Panics
    /// When there is none.
    pub fn named(name: &str) -> Transcript {
        let found = Transcript::all().into_iter().find(|transcript| transcript.name == name);
        found.unwrap_or_else(|| panic!("there is no transcript `{name}`"))
    }

    /// Makes one of a call, as yet without exchanges.
    pub fn new(name: &'static str, call: fn(Docker) -> Calling) -> Self {
        let expected = Expected::Value(String::new());
        let (exchanges, untold, spared) = (Vec::new(), Vec::new(), Vec::new());
        Transcript { name, expected, version: Some(VERSION), exchanges, call, untold, spared }
    }

    /// Adds the next request that the call makes, such as `GET /v1.44/containers/json`, and what is answered.
    #[must_use]
    pub fn exchange(mut self, expected: impl Into<String>, answer: impl Into<Answer>) -> Self {
        self.exchanges.push(Exchange::new(expected, answer));
        self
    }

    fn body(mut self, body: &'static str) -> Self {
        self.exchanges = match self.exchanges.split_last() {
            Some((last, before)) => [before, &[last.clone().body(body)]].concat(),
            None => Vec::new(),
        };
        self
    }

    /// Says what comes of the call, as text.
    #[must_use]
    pub fn gives(mut self, value: impl Into<String>) -> Self {
        self.expected = Expected::Value(value.into());
        self
    }

    fn fails(mut self, kind: ErrorKind, message: impl Into<String>) -> Self {
        self.expected = Expected::Error(kind, message.into());
        self
    }

    fn version(mut self, version: Option<ApiVersion>) -> Self {
        self.version = version;
        self
    }

    /// Changes the requests that are expected.
    fn renamed(mut self, rename: impl Fn(&str) -> String) -> Self {
        self.exchanges.iter_mut().for_each(|exchange| exchange.expected = rename(&exchange.expected));
        self
    }

    /// Says that the answer to this exchange may end at this position, and what the call gives then.
    #[must_use]
    pub fn may_end(mut self, exchange: usize, position: usize, value: impl Into<String>) -> Self {
        self.untold.push(Untold { exchange, position, outcome: Expected::Value(value.into()) });
        self
    }

    /// Says that the answer to this exchange may end at this position, and how the call fails then.
    fn may_end_badly(mut self, exchange: usize, position: usize, kind: ErrorKind, message: &str) -> Self {
        self.untold.push(Untold { exchange, position, outcome: Expected::Error(kind, message.to_owned()) });
        self
    }

    /// Says that the call does without the answer to this exchange, and how it fails then.
    fn does_without(mut self, exchange: usize, kind: ErrorKind, message: &str) -> Self {
        self.spared.push((exchange, Expected::Error(kind, message.to_owned())));
        self
    }

    /// The exchanges, in order.
    pub fn exchanges(&self) -> &[Exchange] {
        &self.exchanges
    }

    /// Whether the first call of a client for it asks for the version to speak.
    pub fn asks_for_version(&self) -> bool {
        self.version.is_none()
    }

    /// Whether `outcome` is what the call gives if the answer to this exchange ends at this position, and nothing tells
    /// that it was cut there.
    pub fn may_end_with(&self, exchange: usize, position: usize, outcome: &Result<String>) -> bool {
        let mut all = self.untold.iter().filter(|untold| untold.exchange == exchange && untold.position == position);
        all.any(|untold| untold.outcome.is(outcome))
    }

    /// Whether `outcome` is what the call gives if any of its answers ends somewhere, and nothing tells that it was cut.
    pub fn may_end_somewhere_with(&self, outcome: &Result<String>) -> bool {
        self.untold.iter().any(|untold| untold.outcome.is(outcome))
    }

    /// Whether `outcome` is what the call gives without the answer to this exchange, which it can do without.
    pub fn may_do_without(&self, exchange: usize, outcome: &Result<String>) -> bool {
        self.spared.iter().any(|(spared, expected)| *spared == exchange && expected.is(outcome))
    }

    /// An engine for it, and for [good calls](Transcript::good_call) afterwards.
    pub fn engine(&self) -> ScriptedEngine {
        self.engine_with(|_, answer| answer)
    }

    /// An engine for it whose answers are changed; `change` is told which exchange it is.
    pub fn engine_with(&self, change: impl Fn(usize, Answer) -> Answer) -> ScriptedEngine {
        let exchanges = self.exchanges.iter().cloned().enumerate();
        self.engine_for(exchanges.map(|(at, exchange)| exchange.map(|answer| change(at, answer))))
    }

    /// An engine that fails after so many bytes of its answer to this exchange; a client that asks for it once more
    /// gets it whole, unless it had come whole before.
    pub fn engine_failing(&self, exchange: usize, position: usize, fault: Fault) -> ScriptedEngine {
        let exchanges = self.exchanges.iter().enumerate().flat_map(|(at, intact)| {
            let failing = intact.clone().map(|answer| answer.fails_after(position, fault));
            let came_whole = at == exchange && position >= intact.answer.len();
            [(at == exchange).then_some(failing), (!came_whole).then(|| intact.clone())]
        });
        self.engine_for(exchanges.flatten())
    }

    fn engine_for(&self, exchanges: impl Iterator<Item = Exchange>) -> ScriptedEngine {
        let engine = ScriptedEngine::new(exchanges);
        let good = wire::json("200 OK", r#"{"Id":"after","State":{"Status":"running"}}"#);
        engine.expect(Exchange::new(format!("GET /v{}/containers/after/json", self.spoken()), good).repeats());
        if self.version.is_none() {
            engine.expect(Exchange::new("HEAD /_ping", wire::ping(self.spoken())).repeats());
        }
        engine
    }

    fn spoken(&self) -> ApiVersion {
        self.version.unwrap_or(AGREED)
    }

    /// A client for it.
    pub fn docker(&self, engine: &ScriptedEngine, deadlines: Deadlines) -> Docker {
        engine.docker_with(&self.options(ConnectOptions::default().deadlines(deadlines)))
    }

    /// What a client for it is to be told beyond `options`: the version that it speaks, unless it asks.
    pub fn options(&self, mut options: ConnectOptions) -> ConnectOptions {
        options.version = self.version;
        options
    }

    /// Makes the call.
    pub fn call(&self, docker: Docker) -> Calling {
        (self.call)(docker)
    }

    /// Makes a call that has nothing to do with the transcript, to see whether the client still works.
    ///
    /// # Errors
    /// Whatever an inspect can fail with.
    pub async fn good_call(docker: &Docker) -> Result<()> {
        let after = docker.container("after").inspect().await?;
        assert_eq!(after.id, "after", "one answer was taken for another");
        Ok(())
    }

    /// Whether `outcome` is what is expected when nothing fails.
    pub fn is_expected(&self, outcome: &Result<String>) -> bool {
        self.expected.is(outcome)
    }

    /// Panics unless `outcome` is what is expected when nothing fails.
    #[track_caller]
    pub fn assert_outcome(&self, outcome: &Result<String>, circumstance: &str) {
        let Transcript { name, expected, .. } = self;
        assert!(self.is_expected(outcome), "{name}, {circumstance}: {outcome:?} instead of {expected:?}");
    }
}
