//! Connections that are handed over for HTTP/2.

use longshore::{RawConnection, SessionOptions};
use longshore_testkit::live::Live;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{Outcome, Test, test};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test(the_engine_calls_in_a_session),
        test(a_session_ends_with_its_connection),
        test(the_engine_is_called_over_grpc),
    ]
}

/// What the caller of HTTP/2 begins with.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Frames without content: settings, and the word that the other's have been read.
const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
const SETTINGS_READ: [u8; 9] = [0, 0, 0, 4, 1, 0, 0, 0, 0];

/// Reads frames until the other side says that it has read the settings.
async fn await_settings_read(connection: &mut RawConnection) -> std::io::Result<()> {
    loop {
        let mut head = [0; 9];
        connection.read_exact(&mut head).await?;
        if head == SETTINGS_READ {
            return Ok(());
        }
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut content = vec![0; length as usize];
        connection.read_exact(&mut content).await?;
    }
}

async fn session(live: &Live, id: &str) -> Result<RawConnection, Box<dyn std::error::Error + Send + Sync>> {
    let options = SessionOptions::default().id(id).name("shop").shared_key("key").method("/a.B/C");
    let mut session = live.session(&options).await?;
    let mut preface = [0; PREFACE.len()];
    session.read_exact(&mut preface).await?;
    assert_eq!(preface, PREFACE);
    session.write_all(&SETTINGS).await?;
    await_settings_read(&mut session).await?;
    Ok(session)
}

async fn the_engine_calls_in_a_session(live: Live) -> Outcome {
    let (first, second) = (session(&live, &live.name()).await?, session(&live, &live.name()).await?);
    // The client goes on meanwhile on other connections.
    live.version().await?;
    drop((first, second));
    Ok(())
}

async fn a_session_ends_with_its_connection(live: Live) -> Outcome {
    let mut session = session(&live, &live.name()).await?;
    session.shutdown().await?;
    let mut rest = Vec::new();
    session.read_to_end(&mut rest).await?;
    assert!(session.next().await.is_none());
    Ok(())
}

async fn the_engine_is_called_over_grpc(live: Live) -> Outcome {
    let mut connection = live.grpc().await?;
    connection.write_all(PREFACE).await?;
    connection.write_all(&SETTINGS).await?;
    await_settings_read(&mut connection).await?;
    Ok(())
}
