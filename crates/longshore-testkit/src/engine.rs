//! An engine in memory that answers from a script.
//!
//! It has no task of its own: it acts when the client reads or writes, so that a test is the same at every run, and
//! nothing can be left running.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use longshore::transport::{self, Dial, Io};
use longshore::{ApiVersion, ConnectOptions, Docker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::answer::{Action, Exchange, Fault};
use crate::connection::{Connection, Manners, Writes};
use crate::request::{Read, Received};

/// The API version that the engine's clients speak unless they are told another.
pub const VERSION: ApiVersion = ApiVersion::new(1, 44);

/// An engine in memory that answers from a script; a [`Dial`], and cheap to clone.
///
/// A request is answered by the first exchange that expects it and was not used yet. A request that no exchange
/// expects, or that comes before the answer to the one before was read, is a [problem](ScriptedEngine::problems).
#[derive(Clone, Default)]
pub struct ScriptedEngine(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    exchanges: Vec<Exchange>,
    connections: Vec<Connection>,
    received: Vec<Received>,
    problems: Vec<String>,
    dialing: Dialing,
    manners: Manners,
}

/// What happens to a client that connects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialing {
    /// It is connected.
    #[default]
    Accept,
    /// It is refused with this error.
    Refuse(io::ErrorKind),
    /// It waits for ever.
    Hang,
}

impl ScriptedEngine {
    /// Makes an engine with this script.
    pub fn new(exchanges: impl IntoIterator<Item = Exchange>) -> Self {
        let engine = ScriptedEngine::default();
        engine.state().exchanges.extend(exchanges);
        engine
    }

    /// Adds an exchange to the script.
    pub fn expect(&self, exchange: Exchange) {
        self.state().exchanges.push(exchange);
    }

    /// A client that speaks [`VERSION`] without asking for it.
    pub fn docker(&self) -> Docker {
        self.docker_with(&ConnectOptions::default().version(VERSION))
    }

    /// A client as `options` say. It knows nothing of the user who runs the tests, unless they name an environment.
    pub fn docker_with(&self, options: &ConnectOptions) -> Docker {
        let mut options = options.clone();
        options.environment.get_or_insert_default();
        Docker::connect_through_with(self.clone(), &options)
    }

    /// Says what happens to those who connect from now on.
    pub fn dialing(&self, dialing: Dialing) {
        self.state().dialing = dialing;
    }

    /// Takes at most `size` bytes of what a client writes at a time, and nothing right after.
    pub fn write_pieces(&self, size: usize) {
        self.state().manners.write_pieces = Some(size.max(1));
    }

    /// Gives at most `size` bytes to one read; the next read may follow at once.
    pub fn read_limit(&self, size: usize) {
        self.state().manners.read_limit = Some(size.max(1));
    }

    /// Lets the connections that are opened from now on fail once the client has written so many bytes on them.
    pub fn requests_fail_after(&self, count: usize, fault: Fault) {
        self.state().manners.request_fault = Some((count, fault));
    }

    /// Lets all connections take whatever is written from now on, but for those that have failed.
    pub fn requests_succeed(&self) {
        let mut state = self.state();
        state.manners.request_fault = None;
        state.connections.iter_mut().for_each(Connection::requests_succeed);
    }

    /// Sends bytes that nobody asked for on a connection.
    pub fn send_unasked(&self, connection: usize, bytes: impl Into<Bytes>) {
        self.push(connection, Action::Send(bytes.into()));
    }

    /// Closes a connection, as an engine does with one that was idle for long.
    pub fn close(&self, connection: usize) {
        self.push(connection, Action::End);
    }

    /// Lets the next write on a connection fail, while reading gives nothing yet: the engine is about to close it.
    pub fn break_writes(&self, connection: usize) {
        self.state().connections[connection].writes = Writes::Broken;
    }

    fn push(&self, connection: usize, action: Action) {
        let mut state = self.state();
        let connection = &mut state.connections[connection];
        connection.actions.push_back(action);
        connection.wake();
    }

    /// The requests that came, in order.
    pub fn received(&self) -> Vec<Received> {
        self.state().received.clone()
    }

    /// How many connections were opened in all.
    pub fn opened(&self) -> usize {
        self.state().connections.len()
    }

    /// How many connections the client holds open now.
    pub fn alive(&self) -> usize {
        self.state().connections.iter().filter(|connection| connection.held).count()
    }

    /// Whether the client holds this connection open.
    pub fn is_alive(&self, connection: usize) -> bool {
        self.state().connections[connection].held
    }

    /// How many bytes the client has written on this connection.
    pub fn taken(&self, connection: usize) -> usize {
        self.state().connections[connection].taken
    }

    /// Whether the client has ended its input on this connection while it still reads.
    pub fn input_ended(&self, connection: usize) -> bool {
        self.state().connections[connection].input_ended
    }

    /// What the client did that the script does not provide for.
    pub fn problems(&self) -> Vec<String> {
        self.state().problems.clone()
    }

    /// How many exchanges are still to come; those that repeat don't count.
    pub fn unused(&self) -> usize {
        self.state().exchanges.iter().filter(|exchange| !exchange.repeats).count()
    }

    /// Panics unless every exchange was used and there were no problems.
    #[track_caller]
    pub fn assert_finished(&self) {
        let problems = self.problems();
        assert!(problems.is_empty(), "{problems:#?}");
        let state = self.state();
        let left = state.exchanges.iter().filter(|exchange| !exchange.repeats);
        let left = left.map(|exchange| &exchange.expected).collect::<Vec<_>>();
        assert!(left.is_empty(), "never asked for: {left:#?}");
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Goes through what came on a connection.
    fn read_requests(&mut self, index: usize) {
        loop {
            match self.connections[index].requests.next(index) {
                Ok(None) => return,
                Ok(Some(Read::Head(head))) => {
                    self.check_idle(index, &head.line);
                    self.received.push(head);
                    self.connections[index].request = Some(self.received.len() - 1);
                    self.answer_early(index);
                }
                Ok(Some(Read::Body(bytes))) => {
                    self.take_body(index, bytes);
                    self.answer_early(index);
                }
                Ok(Some(Read::End)) => self.answer(index),
                Err(problem) => {
                    self.problems.push(problem);
                    self.connections[index].actions.push_back(Action::End);
                    return;
                }
            }
        }
    }

    fn take_body(&mut self, index: usize, bytes: Vec<u8>) {
        let connection = &mut self.connections[index];
        let Some(request) = connection.request else { return };
        if !connection.handed_over {
            self.received[request].body.extend(bytes);
            return;
        }
        connection.input += bytes.len();
        self.received[request].input.extend(bytes);
        connection.wake();
    }

    /// A client that sends a request before it has read the answer to the last one will take one for the other.
    fn check_idle(&mut self, index: usize, line: &str) {
        let unread = self.connections[index].actions.iter().any(|action| matches!(action, Action::Send(_)));
        if unread {
            self.problems.push(format!("`{line}` came on connection {index} before the last answer was read"));
        }
    }

    fn answer_early(&mut self, index: usize) {
        let connection = &self.connections[index];
        let Some(request) = connection.request.filter(|_| !connection.answered) else { return };
        let received = &self.received[request];
        let found = self.exchanges.iter().position(|exchange| exchange.expected == received.line);
        let early = found.and_then(|at| self.exchanges[at].answer.early);
        if early.is_some_and(|count| received.body.len() >= count) {
            self.begin_answer(index, request);
        }
    }

    fn answer(&mut self, index: usize) {
        let Some(request) = self.connections[index].request else { return };
        self.received[request].complete = true;
        if !self.connections[index].answered {
            self.begin_answer(index, request);
        }
        let connection = &mut self.connections[index];
        connection.answered = false;
        if connection.handed_over {
            connection.requests.hand_over();
        }
    }

    fn begin_answer(&mut self, index: usize, request: usize) {
        let received = &self.received[request];
        let connection = &mut self.connections[index];
        connection.answered = true;
        let Some(found) = self.exchanges.iter().position(|exchange| exchange.expected == received.line) else {
            self.problems.push(format!("`{}` is not in the script", received.line));
            let refusal =
                Bytes::from_static(b"HTTP/1.1 501 Unscripted\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
            connection.actions.extend([Action::Send(refusal), Action::End]);
            return;
        };
        let exchange = match self.exchanges[found].repeats {
            true => self.exchanges[found].clone(),
            false => self.exchanges.remove(found),
        };
        if let Some(body) = exchange.body
            && exchange.answer.early.is_none()
            && body != received.body
        {
            self.problems.push(format!(
                "`{}` came with the body {:?}, not {body:?}",
                received.line,
                String::from_utf8_lossy(&received.body)
            ));
        }
        let bytes = exchange.answer.bytes();
        let hands_over = [&b"HTTP/1.1 101"[..], b"HTTP/1.1 200"].into_iter().any(|start| bytes.starts_with(start));
        connection.handed_over = received.upgrades() && hands_over;
        if exchange.answer.early.is_some() {
            connection.writes = exchange.answer.upload.into();
        }
        connection.actions.extend(exchange.answer.actions(received));
        connection.wake();
    }
}

impl Dial for ScriptedEngine {
    fn dial(&self) -> transport::Dialing<'_> {
        Box::pin(async {
            let dialing = self.state().dialing;
            match dialing {
                Dialing::Accept => {}
                Dialing::Refuse(kind) => return Err(kind.into()),
                Dialing::Hang => std::future::pending().await,
            }
            let mut state = self.state();
            let connection = Connection::new(state.manners);
            state.connections.push(connection);
            let index = state.connections.len() - 1;
            drop(state);
            Ok(Box::new(Held { engine: self.clone(), index }) as Box<dyn Io>)
        })
    }

    fn describe(&self) -> String {
        "the scripted engine".to_owned()
    }
}

/// The client's end of a connection.
struct Held {
    engine: ScriptedEngine,
    index: usize,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.engine.state().connections[self.index].held = false;
    }
}

impl AsyncRead for Held {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.engine.state().connections[self.index].poll_read(context, buffer)
    }
}

impl AsyncWrite for Held {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut state = self.engine.state();
        let outcome = state.connections[self.index].poll_write(context, bytes);
        state.read_requests(self.index);
        outcome
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.engine.state();
        let connection = &mut state.connections[self.index];
        connection.input_ended = true;
        connection.wake();
        Poll::Ready(Ok(()))
    }
}
