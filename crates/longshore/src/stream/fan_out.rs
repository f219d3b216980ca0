use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{self, Receiver, WeakSender};
use tokio::task::JoinHandle;

use super::output::{Chunk, OutputStream};
use crate::error::{Error, Result};

/// One stream, read by many.
///
/// A task of its own reads the stream as fast as it comes and keeps the last items for those who are slower; who falls
/// further behind is told how many items were lost. When the `FanOut` and all its subscriptions are dropped, the task
/// ends and the connection is closed.
///
/// ```no_run
/// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
/// use longshore::Delivery;
///
/// let fan_out = docker.container("web").logs().follow().await?.fan_out(1024);
/// let mut subscription = fan_out.subscribe();
/// while let Some(delivery) = subscription.next().await {
///     match delivery? {
///         Delivery::Item(chunk) => println!("{} bytes", chunk.bytes.len()),
///         Delivery::Lagged(count) => println!("{count} chunks lost"),
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub struct FanOut<T> {
    sender: WeakSender<Result<T>>,
    driver: Arc<Driver>,
}

/// What a [`Subscription`] gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery<T> {
    /// An item of the stream.
    Item(T),
    /// This many items were lost, since they were not taken in time.
    Lagged(u64),
}

/// The task that reads the stream; it ends with the last who cares.
struct Driver(JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<T: Clone + Send + 'static> FanOut<T> {
    /// Lets many read `stream`; each may be up to `capacity` items behind, rounded up to a power of two.
    ///
    /// Must be called in a tokio runtime. The stream is read from the first poll of the task on: subscribe before
    /// anything else is awaited to see every item.
    pub fn new<S>(mut stream: S, capacity: usize) -> Self
    where
        S: Stream<Item = Result<T>> + Send + Unpin + 'static,
    {
        let (sender, _) = broadcast::channel(capacity.clamp(1, 1 << 20));
        let weak = sender.downgrade();
        let task = tokio::spawn(async move {
            while let Some(item) = poll_fn(|context| Pin::new(&mut stream).poll_next(context)).await {
                // Nobody listening now is no reason to stop: somebody may subscribe later.
                let _ = sender.send(item);
                tokio::task::coop::consume_budget().await;
            }
        });
        FanOut { sender: weak, driver: Arc::new(Driver(task)) }
    }

    /// Begins to listen: to all items from now on. After the end of the stream it ends at once.
    pub fn subscribe(&self) -> Subscription<T> {
        let receiver = self.sender.upgrade().map(|sender| sender.subscribe());
        Subscription { state: receiver.map_or(State::Ended, State::Idle), _driver: self.driver.clone() }
    }
}

impl OutputStream {
    /// Lets many read the same output over this one connection; see [`FanOut`].
    pub fn fan_out(self, capacity: usize) -> FanOut<Chunk> {
        FanOut::new(self, capacity)
    }
}

impl<T> fmt::Debug for FanOut<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("FanOut").finish_non_exhaustive()
    }
}

/// One reader of a [`FanOut`].
pub struct Subscription<T> {
    state: State<T>,
    _driver: Arc<Driver>,
}

type Receiving<T> = Pin<Box<dyn Future<Output = (Result<Result<T>, RecvError>, Receiver<Result<T>>)> + Send + Sync>>;

enum State<T> {
    Idle(Receiver<Result<T>>),
    Receiving(Receiving<T>),
    Ended,
}

impl<T: Clone + Send + 'static> Subscription<T> {
    /// Takes the next item, or the number of those lost; `None` at the end of the stream and after an error.
    ///
    /// # Errors
    /// The error that ended the stream.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<Delivery<T>, Error>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl<T: Clone + Send + 'static> Stream for Subscription<T> {
    type Item = Result<Delivery<T>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut receiving = match std::mem::replace(&mut self.state, State::Ended) {
            State::Ended => return Poll::Ready(None),
            State::Receiving(receiving) => receiving,
            State::Idle(mut receiver) => Box::pin(async move { (receiver.recv().await, receiver) }),
        };
        let Poll::Ready((received, receiver)) = receiving.as_mut().poll(context) else {
            self.state = State::Receiving(receiving);
            return Poll::Pending;
        };
        let delivery = match received {
            Ok(Ok(item)) => Delivery::Item(item),
            Ok(Err(error)) => return Poll::Ready(Some(Err(error))),
            Err(RecvError::Lagged(count)) => Delivery::Lagged(count),
            Err(RecvError::Closed) => return Poll::Ready(None),
        };
        self.state = State::Idle(receiver);
        Poll::Ready(Some(Ok(delivery)))
    }
}

impl<T> fmt::Debug for Subscription<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Subscription").finish_non_exhaustive()
    }
}
