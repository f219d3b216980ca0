//! What the engine sends for as long as it likes, as values that come one by one.

mod bytes;
mod collect;
mod connection;
mod fan_out;
mod json;
mod lines;
mod output;
mod session;
mod text;

pub use bytes::ByteStream;
pub use collect::{Captured, Collected};
pub use connection::RawConnection;
pub use fan_out::{Delivery, FanOut, Subscription};
pub use json::JsonStream;
pub use lines::{Line, Lines};
pub use longshore_wire::demux::Source;
pub use output::{Chunk, OutputStream};
pub use session::{Session, Stdin};
pub use text::{Text, TextChunk};

pub(crate) use output::OutputFraming;

#[cfg(test)]
mod tests {
    use super::*;
    use futures_core::Stream;

    #[test]
    fn streams_can_be_shared_between_tasks_and_polled_without_pinning() {
        fn check<T: Stream + Send + Sync + Unpin + 'static>() {}
        check::<ByteStream>();
        check::<JsonStream<()>>();
        check::<OutputStream>();
        check::<Session>();
        check::<Lines>();
        check::<Text>();
        check::<Subscription<Chunk>>();
    }

    #[test]
    fn connections_can_be_shared_between_tasks_and_polled_without_pinning() {
        fn check<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Sync + Unpin + 'static>() {}
        check::<RawConnection>();
    }
}
