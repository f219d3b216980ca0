//! Attachments over a WebSocket, against a server in memory.

use std::pin::Pin;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use longshore::transport::{Dial, Dialing, Io};
use longshore::{ApiVersion, ConnectOptions, Docker, ErrorKind, Session, Source};
use longshore_testkit::never_hangs;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Message, Result};

type Server = WebSocketStream<DuplexStream>;
type Serving = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// An engine that accepts WebSockets, and hands each to a function.
struct Engine(fn(Server) -> Serving);

impl Dial for Engine {
    fn dial(&self) -> Dialing<'_> {
        let (near, far) = tokio::io::duplex(8 * 1024);
        let serve = self.0;
        tokio::spawn(async move { serve(tokio_tungstenite::accept_async(far).await?).await });
        Box::pin(async { Ok(Box::new(near) as Box<dyn Io>) })
    }

    fn describe(&self) -> String {
        "a WebSocket in memory".to_owned()
    }
}

async fn attached(serve: fn(Server) -> Serving) -> Session {
    let options = ConnectOptions::default().version(ApiVersion::new(1, 44));
    let docker = Docker::connect_through_with(Engine(serve), &options);
    docker.container("web").attach_websocket().stdin().await.unwrap()
}

/// All that comes, and the error that ends it, if one does.
async fn all_of(mut session: Session) -> (Vec<u8>, Option<longshore::Error>) {
    let mut all = Vec::new();
    let reading = async {
        while let Some(chunk) = session.next().await {
            match chunk {
                Ok(chunk) => {
                    assert_eq!(chunk.source, Source::Terminal);
                    all.extend_from_slice(&chunk.bytes);
                }
                Err(error) => return Some(error),
            }
        }
        None
    };
    let error = never_hangs(reading, "the output").await;
    (all, error)
}

#[tokio::test]
async fn messages_of_every_kind_and_size_are_output() {
    let session = attached(|mut server| {
        Box::pin(async move {
            server.send(Message::text("text ")).await?;
            server.send(Message::binary(Bytes::new())).await?;
            server.send(Message::Ping(Bytes::from_static(b"there?"))).await?;
            server.send(Message::binary(vec![b'x'; 70_000])).await?;
            server.close(None).await
        })
    });
    let (output, error) = all_of(session.await).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(output, [b"text ".as_slice(), &[b'x'; 70_000]].concat());
}

#[tokio::test]
async fn input_arrives_in_order_and_pings_are_answered() {
    let mut session = attached(|mut server| {
        Box::pin(async move {
            server.send(Message::Ping(Bytes::from_static(b"there?"))).await?;
            let (mut input, mut answered) = (Vec::new(), false);
            while !input.ends_with(b"end") || !answered {
                match server.next().await.expect("more")? {
                    Message::Pong(bytes) => answered = bytes == "there?",
                    Message::Binary(bytes) => input.extend_from_slice(&bytes),
                    other => panic!("{other:?}"),
                }
            }
            server.send(Message::binary(input)).await?;
            server.close(None).await
        })
    })
    .await;
    for piece in ["first ", "second ", "end"] {
        session.write_all(piece.as_bytes()).await.unwrap();
    }
    let (output, error) = all_of(session).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(output, b"first second end");
}

#[tokio::test]
async fn a_server_that_hangs_up_without_a_word_has_not_ended_the_output() {
    let session = attached(|mut server| {
        Box::pin(async move {
            server.send(Message::binary("last words")).await?;
            server.get_mut().shutdown().await?;
            Ok(())
        })
    });
    let (output, error) = all_of(session.await).await;
    assert_eq!(output, b"last words");
    assert_eq!(error.expect("an error").kind(), ErrorKind::Truncated);
}

#[tokio::test]
async fn the_end_of_the_input_ends_the_output_once_it_is_answered() {
    let answering: fn(Server) -> Serving = |mut server| {
        Box::pin(async move {
            while let Some(Ok(_)) = server.next().await {}
            Ok(())
        })
    };
    let hanging_up: fn(Server) -> Serving = |mut server| {
        Box::pin(async move {
            let _ = server.get_mut().read_u8().await?;
            server.get_mut().shutdown().await?;
            Ok(())
        })
    };
    for (serve, expected) in [(answering, None), (hanging_up, Some(ErrorKind::Truncated))] {
        let mut session = attached(serve).await;
        session.close_stdin().await.expect("an end of the input");
        let (output, error) = all_of(session).await;
        assert!(output.is_empty());
        assert_eq!(error.map(|error| error.kind()), expected);
    }
}

#[tokio::test]
async fn what_is_too_large_or_no_message_is_an_error() {
    let too_large: fn(Server) -> Serving = |mut server| {
        Box::pin(async move {
            server.send(Message::binary("before")).await?;
            // A frame of 2 MiB, as far as its head says.
            server.get_mut().write_all(&[0x82, 127, 0, 0, 0, 0, 0, 0x20, 0, 0, b'x']).await?;
            std::future::pending().await
        })
    };
    let nonsense: fn(Server) -> Serving = |mut server| {
        Box::pin(async move {
            server.send(Message::binary("before")).await?;
            server.get_mut().write_all(&b"HTTP/1.1 400 Bad Request\r\n".repeat(10)).await?;
            std::future::pending().await
        })
    };
    for serve in [too_large, nonsense] {
        let (output, error) = all_of(attached(serve).await).await;
        assert_eq!(output, b"before");
        let error = error.expect("an error");
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error:?}");
        assert_eq!(error.operation(), "attach over a WebSocket to container");
    }
}
