use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use longshore_wire::head::ResponseHead;
use tokio::time::Instant;

use super::connection::{Connection, HeadFailure, SendFailure, Sending};
use super::payload::Payload;

/// The head of an answer; its body comes next on the connection.
pub(crate) struct Answer {
    pub(crate) head: ResponseHead,
    /// Whether the whole request was sent; if not, the connection can't be used again.
    pub(crate) sent: bool,
}

/// Why an exchange gave no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    Send { failure: SendFailure, written: bool },
    Head(HeadFailure),
    Late(Late),
}

/// Which deadline passed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Late {
    Head(Duration),
    Total,
}

/// Sends a request and reads the head of the answer.
///
/// Both happen at once, since an engine may refuse an upload before it has seen the end of it: then its answer counts,
/// not that it stopped listening. Where the engine `wants_all`, only a refusal ends the upload. `limit` counts from when
/// the request has been sent.
pub(crate) async fn exchange(
    connection: &mut Connection,
    head: &Bytes,
    payload: Option<&mut Payload>,
    wants_all: bool,
    limit: Option<Duration>,
    end: Option<Instant>,
) -> Result<Answer, Failure> {
    let mut sending = Some(Sending::new(head.clone(), payload));
    let mut broken = None;
    let mut begun = None;
    let mut passed = 0;
    let mut due = end.map(|end| (end, Late::Total));
    let mut timer = pin!(tokio::time::sleep_until(end.unwrap_or_else(Instant::now)));
    let head = poll_fn(|context| {
        if let Some(request) = &mut sending
            && let Poll::Ready(outcome) = request.poll(&mut connection.io, context)
        {
            let written = request.has_written();
            sending = None;
            match outcome {
                Ok(()) => {}
                Err(failure @ SendFailure::Payload(_)) => return Poll::Ready(Err(Failure::Send { failure, written })),
                Err(failure) => broken = Some(Failure::Send { failure, written }),
            }
            let by = limit.map(|limit| (Instant::now() + limit, Late::Head(limit)));
            due = [by, due].into_iter().flatten().min_by_key(|(at, _)| *at);
            if let Some((at, _)) = due {
                timer.as_mut().reset(at);
            }
        }
        if let Some(head) = begun.take_if(|_| sending.is_none()) {
            return Poll::Ready(Ok(head));
        }
        if begun.is_none()
            && let Poll::Ready(outcome) = connection.poll_head(&mut passed, context)
        {
            match outcome {
                Ok(head) if wants_all && sending.is_some() && head.status < 300 => begun = Some(head),
                outcome => return Poll::Ready(outcome.map_err(|failure| reason(broken.take(), failure))),
            }
        }
        // What was never sent will not be answered.
        if let Some(failure) = broken.take_if(|failure| matches!(failure, Failure::Send { written: false, .. })) {
            return Poll::Ready(Err(failure));
        }
        match due {
            Some((_, late)) if timer.as_mut().poll(context).is_ready() => Poll::Ready(Err(Failure::Late(late))),
            _ => Poll::Pending,
        }
    })
    .await?;
    let sent = sending.is_none() && broken.is_none();
    Ok(Answer { head, sent })
}

/// Why there is no answer, where the request could not be sent either: what TLS says is why, whatever became of the rest.
fn reason(broken: Option<Failure>, failure: HeadFailure) -> Failure {
    match (broken, failure) {
        (_, HeadFailure::Broken(told)) if told.kind() == io::ErrorKind::InvalidData => {
            Failure::Head(HeadFailure::Broken(told))
        }
        (Some(broken), _) => broken,
        (None, failure) => Failure::Head(failure),
    }
}
