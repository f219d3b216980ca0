use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};

use tokio::io::ReadBuf;
use tokio::time::Sleep;

use crate::answer::{Action, Fault, Upload};
use crate::request::RequestReader;

/// How many reads a firehose serves: who has not turned away by then never will.
const LONGEST_FIREHOSE: usize = 300_000;

/// The engine's end of a connection.
pub(crate) struct Connection {
    pub(crate) actions: VecDeque<Action>,
    pub(crate) requests: RequestReader,
    /// Which of the requests that came is the last one on this connection.
    pub(crate) request: Option<usize>,
    /// Whether that request is being answered before its end.
    pub(crate) answered: bool,
    /// Whether that request has led away from HTTP.
    pub(crate) handed_over: bool,
    /// How many bytes of input came since it was handed over.
    pub(crate) input: usize,
    pub(crate) input_ended: bool,
    /// Whether the client has not dropped it.
    pub(crate) held: bool,
    pub(crate) writes: Writes,
    manners: Manners,
    /// How many bytes the client has written.
    pub(crate) taken: usize,
    paused: bool,
    /// How many reads a firehose has served.
    poured: usize,
    sleep: Option<Pin<Box<Sleep>>>,
    reader: Option<Waker>,
}

/// How connections behave whatever the script says.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Manners {
    pub(crate) write_pieces: Option<usize>,
    pub(crate) read_limit: Option<usize>,
    pub(crate) request_fault: Option<(usize, Fault)>,
}

/// What happens to what the client writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writes {
    Taken,
    Broken,
    Stalled,
}

impl From<Upload> for Writes {
    fn from(upload: Upload) -> Self {
        match upload {
            Upload::Take => Writes::Taken,
            Upload::Break => Writes::Broken,
            Upload::Stall => Writes::Stalled,
        }
    }
}

impl Connection {
    pub(crate) fn new(manners: Manners) -> Self {
        Connection {
            actions: VecDeque::new(),
            requests: RequestReader::default(),
            request: None,
            answered: false,
            handed_over: false,
            input: 0,
            input_ended: false,
            held: true,
            writes: Writes::Taken,
            manners,
            taken: 0,
            paused: false,
            poured: 0,
            sleep: None,
            reader: None,
        }
    }

    /// Tells a waiting reader that there may be something.
    pub(crate) fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }

    pub(crate) fn poll_read(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            match self.actions.front_mut() {
                Some(Action::Send(bytes)) => {
                    let most = buffer.remaining().min(self.manners.read_limit.unwrap_or(usize::MAX));
                    let piece = bytes.split_to(bytes.len().min(most));
                    buffer.put_slice(&piece);
                    if bytes.is_empty() {
                        self.actions.pop_front();
                    }
                    return Poll::Ready(Ok(()));
                }
                Some(Action::Pause) => {
                    self.actions.pop_front();
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Some(Action::Sleep(pause)) => {
                    let pause = *pause;
                    let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(pause)));
                    ready!(sleep.as_mut().poll(context));
                    self.sleep = None;
                    self.actions.pop_front();
                }
                Some(Action::AwaitInput(count)) if self.input >= *count => drop(self.actions.pop_front()),
                Some(Action::AwaitEndOfInput) if self.input_ended => drop(self.actions.pop_front()),
                Some(Action::Firehose(bytes, each)) => {
                    self.poured += 1;
                    assert!(self.poured < LONGEST_FIREHOSE, "a firehose is read without end");
                    // The clock moves with the first poll; what would follow is a wait for others.
                    let _ = pin!(tokio::time::advance(*each)).poll(context);
                    let most = buffer.remaining().min(bytes.len());
                    let begun = bytes.split_to(most);
                    buffer.put_slice(&begun);
                    *bytes = [&bytes[..], &begun[..]].concat().into();
                    return Poll::Ready(Ok(()));
                }
                Some(Action::End) => return Poll::Ready(Ok(())),
                Some(Action::Reset) => return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
                Some(Action::Stall | Action::AwaitInput(_) | Action::AwaitEndOfInput) | None => {
                    self.reader = Some(context.waker().clone());
                    return Poll::Pending;
                }
            }
        }
    }

    pub(crate) fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.writes {
            Writes::Taken => {}
            Writes::Broken => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            Writes::Stalled => return Poll::Pending,
        }
        if self.manners.write_pieces.is_some() && !self.paused {
            self.paused = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.paused = false;
        let mut count = bytes.len().min(self.manners.write_pieces.unwrap_or(usize::MAX));
        if let Some((limit, fault)) = self.manners.request_fault {
            count = count.min(limit - self.taken);
            if count == 0 && !bytes.is_empty() {
                return self.fail(fault);
            }
        }
        self.requests.feed(&bytes[..count]);
        self.taken += count;
        Poll::Ready(Ok(count))
    }

    /// Takes whatever is written, unless it has failed.
    pub(crate) fn requests_succeed(&mut self) {
        if self.manners.request_fault.is_some_and(|(limit, _)| self.taken < limit) {
            self.manners.request_fault = None;
        }
    }

    fn fail(&mut self, fault: Fault) -> Poll<io::Result<usize>> {
        let error = match fault {
            Fault::Stall => return Poll::Pending,
            Fault::Cut => io::ErrorKind::BrokenPipe,
            Fault::Reset => io::ErrorKind::ConnectionReset,
        };
        self.actions.push_back(fault.into());
        self.writes = Writes::Broken;
        self.wake();
        Poll::Ready(Err(error.into()))
    }
}
