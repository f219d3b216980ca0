use std::fmt::{self, Display};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::SystemTime;

use futures_core::Stream;
use longshore_models::decode::Decode;
use longshore_models::{EventAction, EventKind, EventMessage};
use longshore_wire::filters::Filters;
use longshore_wire::path::Path;

use crate::api::{Call, answered_at, since_epoch};
use crate::docker::Docker;
use crate::error::{ErrorKind, Operation, Result};
use crate::http::{Method, Request};
use crate::stream::{FanOut, JsonStream};

/// Which events to tell; see [`Docker::events_with`].
///
/// ```
/// use longshore::EventsOptions;
/// use longshore::models::{EventAction, EventKind};
///
/// let ends = EventsOptions::default().kind(EventKind::Container).action(EventAction::Die).filter("label", "stage=test");
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct EventsOptions {
    /// Tells also what happened from this time on, as far as the engine remembers it: Docker keeps the last 256.
    pub since: Option<SystemTime>,
    /// Ends with what happened at this time, which may be past or yet to come.
    pub until: Option<SystemTime>,
    /// What the events must match.
    pub filters: Filters,
}

impl EventsOptions {
    /// Tells also what happened from `time` on, before all that happens from now on. Docker remembers the last 256
    /// events. To go on where a stream broke, give the time of its last event, which then comes again.
    #[must_use]
    pub fn since(mut self, time: SystemTime) -> Self {
        self.since = Some(time);
        self
    }

    /// Ends with what happens at `time`.
    #[must_use]
    pub fn until(mut self, time: SystemTime) -> Self {
        self.until = Some(time);
        self
    }

    /// Tells only what happens to things of this kind, or of another that was named.
    #[must_use]
    pub fn kind(self, kind: EventKind) -> Self {
        self.filter("type", kind)
    }

    /// Tells only when this happens, or something else that was named. Podman 4 tells the end of a container as
    /// [`Die`](EventAction::Die), but finds it only by `("event", "died")`.
    #[must_use]
    pub fn action(self, action: EventAction) -> Self {
        self.filter("event", action)
    }

    /// Tells only what happens to this container, by name or id, or to another that was named.
    #[must_use]
    pub fn container(self, id: impl Display) -> Self {
        self.filter("container", id)
    }

    /// Tells only events that match, such as `("image", "busybox")`, `("label", "a=b")`, `("volume", "data")`,
    /// `("network", "backend")`, `("scope", "swarm")`.
    ///
    /// Every key must match; of several values of a key one is enough, but for `label`, where all are needed.
    #[must_use]
    pub fn filter(mut self, key: impl Into<String>, value: impl Display) -> Self {
        self.filters.add(key, value);
        self
    }
}

impl Docker {
    /// Tells what happens on the engine from now on.
    ///
    /// `GET /events`, API 1.24+. The engine listens once the future is ready: what is done after that is told. Events
    /// that are not taken in time are kept by the engine for a while, then lost, so a reader must not lag for long: see
    /// [`Events::fan_out`].
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// let mut events = docker.events().await?;
    /// while let Some(event) = events.next().await {
    ///     let event = event?;
    ///     println!("{} {} {}", event.kind, event.action, event.actor.id);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of every call: [`Connect`](ErrorKind::Connect), [`Timeout`](ErrorKind::Timeout) and so on.
    ///
    /// # Cancel safety
    /// Nothing happens when the future is dropped; dropping the stream closes its connection.
    pub fn events(&self) -> FollowEvents {
        self.events_with(&EventsOptions::default())
    }

    /// Tells what happens on the engine, as `options` say; see [`events`](Docker::events).
    ///
    /// # Errors
    /// As [`events`](Docker::events), and [`Invalid`](ErrorKind::Invalid) when it is to end before it begins.
    ///
    /// # Cancel safety
    /// As [`events`](Docker::events).
    pub fn events_with(&self, options: &EventsOptions) -> FollowEvents {
        FollowEvents { docker: self.clone(), options: options.clone() }
    }
}

/// A call for what happens on an engine; await it for the [`Events`]. See [`Docker::events`].
#[derive(Clone, Debug)]
#[must_use = "a call does nothing unless it is awaited"]
pub struct FollowEvents {
    pub(crate) docker: Docker,
    pub(crate) options: EventsOptions,
}

impl FollowEvents {
    /// The events, and the second in which the engine answered, by its own clock.
    pub(crate) async fn open_at(self) -> Result<(Events, Option<i64>)> {
        let response = self.docker.send(events(&self.options)).await?;
        let answered = answered_at(response.head());
        let messages = JsonStream::new(response);
        Ok((Events { messages: Some(messages) }, answered))
    }
}

impl IntoFuture for FollowEvents {
    type Output = Result<Events>;
    type IntoFuture = Call<Events>;

    #[inline]
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { Ok(self.open_at().await?.0) })
    }
}

fn events(options: &EventsOptions) -> Request {
    let mut request = Request::new(Method::Get, Path::new("events"), Operation::new("follow events"));
    for (key, time) in [("since", options.since), ("until", options.until)] {
        if let Some((seconds, nanoseconds)) = time.map(since_epoch) {
            request.query.seconds(key, seconds, nanoseconds);
        }
    }
    request.query.filters(&options.filters);
    request
}

/// What happens on an engine; see [`Docker::events`].
pub struct Events {
    messages: Option<JsonStream<EventMessage>>,
}

/// What the engine says when it can't go on.
#[derive(Default, Decode)]
struct Failure {
    error: String,
    message: String,
}

impl Events {
    /// Takes the next event; `None` at the end and after an error.
    ///
    /// # Errors
    /// [`Truncated`](ErrorKind::Truncated) when the connection ends before the stream does,
    /// [`InStream`](ErrorKind::InStream) when the engine reports that it can't go on,
    /// [`Decode`](ErrorKind::Decode) when something comes that is no event, [`Timeout`](ErrorKind::Timeout) at a deadline.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<EventMessage>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Lets many follow the same events over this one connection; each may be up to `capacity` events behind. See
    /// [`FanOut`].
    pub fn fan_out(self, capacity: usize) -> FanOut<EventMessage> {
        FanOut::new(self, capacity)
    }
}

fn read(operation: &Operation, json: &[u8]) -> Result<EventMessage> {
    let event: EventMessage = operation.decode(json)?;
    if !event.kind.as_str().is_empty() {
        return Ok(event);
    }
    let Failure { error, message } = operation.decode(json)?;
    match [error, message].into_iter().find(|text| !text.is_empty()) {
        Some(reason) => Err(operation.error(ErrorKind::InStream, reason)),
        None => Err(operation.error(ErrorKind::Decode, "something came that is no event")),
    }
}

impl Stream for Events {
    type Item = Result<EventMessage>;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(messages) = &mut self.messages else { return Poll::Ready(None) };
        let event = ready!(messages.poll_decoded(read, context));
        if !matches!(event, Some(Ok(_))) {
            self.messages = None;
        }
        Poll::Ready(event)
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Events").field("ended", &self.messages.is_none()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::Delivery;
    use crate::api::golden::text;
    use crate::api::image::progress::canned;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(text(Ok(events(&EventsOptions::default()))), "GET /events");
        let options = EventsOptions::default()
            .since(UNIX_EPOCH + Duration::new(1_700_000_000, 5))
            .until(UNIX_EPOCH + Duration::from_secs(1_700_000_009));
        assert_eq!(text(Ok(events(&options))), "GET /events?since=1700000000.000000005&until=1700000009.000000000");
        let options = EventsOptions::default().kind(EventKind::Container).action(EventAction::Die).container("web");
        assert_eq!(
            text(Ok(events(&options))),
            "GET /events?filters=%7B%22container%22%3A%5B%22web%22%5D%2C%22event%22%3A%5B%22die%22%5D%2C%22type%22%3A\
             %5B%22container%22%5D%7D"
        );
    }

    const DIED: &str = r#"{"Type":"container","Action":"die","Actor":{"ID":"0a"},"time":7}"#;

    #[tokio::test]
    async fn events_come_in_every_framing() {
        for body in [
            format!("{DIED}{DIED}"),
            format!("{DIED}\n{DIED}\n"),
            format!("\u{1e}{DIED}\n\u{1e}{DIED}\n"),
            format!("{DIED}\r\n\r\n{DIED}"),
        ] {
            let docker = canned::progress(&[&body]);
            let mut events = docker.events().await.unwrap();
            for _ in 0..2 {
                let event = events.next().await.unwrap().unwrap();
                assert_eq!((event.action, event.actor.id.as_str()), (EventAction::Die, "0a"), "{body:?}");
            }
            assert!(events.next().await.is_none());
        }
    }

    #[tokio::test]
    async fn what_is_no_event_ends_them() {
        for (body, kind) in [
            (r#"{"error":"out of cheese"}"#, ErrorKind::InStream),
            (r#"{"message":"out of cheese"}"#, ErrorKind::InStream),
            (r#"{"when":7}"#, ErrorKind::Decode),
            ("[7]", ErrorKind::Decode),
        ] {
            let docker = canned::progress(&[DIED, body, DIED]);
            let mut events = docker.events().await.unwrap();
            assert!(events.next().await.unwrap().is_ok());
            let error = events.next().await.unwrap().unwrap_err();
            assert_eq!(error.kind(), kind, "{body}");
            assert!(kind != ErrorKind::InStream || error.message().contains("out of cheese"), "{error}");
            assert!(events.next().await.is_none());
        }
        let docker = canned::engine("Transfer-Encoding: chunked", "5\r\n{\"Typ");
        let error = docker.events().await.unwrap().next().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Truncated);
    }

    #[tokio::test]
    async fn many_follow_over_one_connection() {
        let docker = canned::progress(&[DIED, DIED, r#"{"error":"over"}"#]);
        let fan_out = docker.events().await.unwrap().fan_out(16);
        let subscriptions = [fan_out.subscribe(), fan_out.subscribe()];
        for mut subscription in subscriptions {
            for _ in 0..2 {
                let delivery = subscription.next().await.unwrap().unwrap();
                assert!(matches!(delivery, Delivery::Item(event) if event.action == EventAction::Die));
            }
            assert_eq!(subscription.next().await.unwrap().unwrap_err().kind(), ErrorKind::InStream);
            assert!(subscription.next().await.is_none());
        }
    }
}
