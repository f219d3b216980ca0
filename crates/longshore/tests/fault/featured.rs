//! Transcripts of the calls that only some builds of the client have.

use longshore_testkit::Transcript;
#[cfg(any(feature = "archive", feature = "build", feature = "websocket"))]
use longshore_testkit::transcript::wire::answer;

/// All transcripts there are.
pub(crate) fn transcripts() -> Vec<Transcript> {
    let mut all = Transcript::all();
    #[cfg(all(unix, feature = "archive"))]
    all.extend([copy_in(), copy_out()]);
    #[cfg(all(unix, feature = "build"))]
    all.push(build_folder());
    #[cfg(feature = "websocket")]
    all.extend([websocket(), websocket_with_input()]);
    all
}

/// Whether a call has a thread of its own: then a paused clock stands still, and how often it is polled is no rule.
pub(crate) fn is_threaded(transcript: &Transcript) -> bool {
    ["a copy into a container", "a copy out of a container", "a build of a folder"].contains(&transcript.name)
}

/// A folder's `X-Docker-Container-Path-Stat`.
#[cfg(all(unix, feature = "archive"))]
fn folder() -> Vec<u8> {
    use base64::prelude::{BASE64_STANDARD, Engine};

    let stat = r#"{"name":"srv","size":42,"mode":2147484141,"mtime":"2024-03-05T10:00:00Z","linkTarget":""}"#;
    let field = format!("X-Docker-Container-Path-Stat: {}", BASE64_STANDARD.encode(stat));
    answer("200 OK", &["Content-Length: 42", &field], "")
}

/// The head of a chunked tar of that folder.
#[cfg(all(unix, feature = "archive"))]
fn folder_head() -> Vec<u8> {
    let head = String::from_utf8(folder()).unwrap();
    head.replace("Content-Length: 42", "Content-Type: application/x-tar\r\nTransfer-Encoding: chunked").into_bytes()
}

#[cfg(all(unix, feature = "archive"))]
fn copy_in() -> Transcript {
    use longshore::Container;
    use longshore_testkit::Folder;

    let transcript = Transcript::new("a copy into a container", |docker| {
        Box::pin(async move {
            let here = Folder::new();
            let page = here.write("page", "<p>");
            Container::copy_in(&docker.container("web"), page, "/srv").await?;
            Ok("copied".to_owned())
        })
    });
    transcript
        .exchange("HEAD /v1.44/containers/web/archive?path=%2Fsrv", folder())
        .exchange(
            "PUT /v1.44/containers/web/archive?path=%2Fsrv&noOverwriteDirNonDir=1",
            answer("200 OK", &["Content-Length: 0"], ""),
        )
        .gives("copied")
}

#[cfg(all(unix, feature = "archive"))]
fn copy_out() -> Transcript {
    use longshore::Container;
    use longshore_testkit::Folder;
    use longshore_testkit::transcript::wire::chunked;

    let transcript = Transcript::new("a copy out of a container", |docker| {
        Box::pin(async move {
            let here = Folder::new();
            Container::copy_out(&docker.container("web"), "/srv", here.path().join("www")).await?;
            Ok(std::fs::read_to_string(here.path().join("www/page")).unwrap_or_default())
        })
    });
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content) in [("srv/", ""), ("srv/page", "<p>")] {
        let mut header = tar::Header::new_ustar();
        header.set_mode(0o755);
        header.set_size(content.len() as u64);
        if content.is_empty() {
            header.set_entry_type(tar::EntryType::Directory);
        }
        builder.append_data(&mut header, path, content.as_bytes()).unwrap();
    }
    let tar = builder.into_inner().unwrap();
    transcript
        .exchange("HEAD /v1.44/containers/web/archive?path=%2Fsrv", folder())
        .exchange(
            "GET /v1.44/containers/web/archive?path=%2Fsrv",
            [folder_head(), chunked(&[&tar[..700], &tar[700..]])].concat(),
        )
        .gives("<p>")
}

#[cfg(all(unix, feature = "build"))]
fn build_folder() -> Transcript {
    use longshore::Images;
    use longshore_testkit::Folder;
    use longshore_testkit::transcript::wire::json;

    let transcript = Transcript::new("a build of a folder", |docker| {
        Box::pin(async move {
            let here = Folder::new();
            here.write("Dockerfile", "FROM scratch\n");
            let plain = Images::build_folder(&docker.images(), here.path()).await?.finish().await?;
            let other = Images::build_folder_with(&docker.images(), here.path(), &Default::default()).await?;
            Ok(format!("{} {}", plain.name(), other.finish().await?.name()))
        })
    });
    let built = || json("200 OK", "{\"stream\":\"Step 1/1\"}\r\n{\"aux\":{\"ID\":\"sha256:1\"}}\r\n");
    let request = "POST /v1.44/build?dockerfile=Dockerfile";
    transcript.exchange(request, built()).exchange(request, built()).gives("sha256:1 sha256:1")
}

#[cfg(feature = "websocket")]
const ACCEPTED: &str = "accepted-accepted-accepted-a";

/// The answer to the opening of a WebSocket, and these messages.
#[cfg(feature = "websocket")]
fn opened(messages: &[&[u8]]) -> longshore_testkit::Answer {
    let accepted = format!("Sec-WebSocket-Accept: {ACCEPTED}");
    let head = answer("101 Switching Protocols", &["Upgrade: websocket", "Connection: Upgrade", &accepted], "");
    let frames = messages.iter().flat_map(|message| [&[0x82, message.len() as u8], *message].concat());
    let answer = longshore_testkit::Answer::new(frames.fold(head, |mut all, byte| {
        all.push(byte);
        all
    }));
    answer.filled(ACCEPTED, |request| {
        let key = request.header("Sec-WebSocket-Key").unwrap_or_default();
        tokio_tungstenite::tungstenite::handshake::derive_accept_key(key.as_bytes())
    })
}

/// What an engine says at the end of the output.
#[cfg(feature = "websocket")]
const PARTING: &[u8] = b"\x88\x02\x03\xe8";

#[cfg(feature = "websocket")]
fn websocket() -> Transcript {
    use longshore::container::AttachWebSocket;

    let transcript = Transcript::new("an attachment over a WebSocket", |docker| {
        Box::pin(async move {
            let attach: AttachWebSocket = docker.container("web").attach_websocket();
            let output = awaited::<AttachWebSocket, _>(attach).await?.into_output().collect().await?;
            Ok(output.stdout.text().into_owned())
        })
    });
    let target = "/containers/web/attach/ws?stream=1&stdin=0&stdout=1&stderr=1";
    let answer = opened(&[b"one\n", b"two\n"]).then(PARTING).then_close();
    transcript.exchange(format!("GET /v1.44{target}"), answer).gives("one\ntwo\n")
}

#[cfg(feature = "websocket")]
fn websocket_with_input() -> Transcript {
    let transcript = Transcript::new("an attachment with input over a WebSocket", |docker| {
        Box::pin(async move {
            let mut session = docker.container("web").attach_websocket().stdin().await?;
            session.write_all(b"b\n").await?;
            Ok(session.into_output().collect().await?.stdout.text().into_owned())
        })
    });
    let target = "/containers/web/attach/ws?stream=1&stdin=1&stdout=1&stderr=1";
    // A message of a client has a head of two bytes, a mask of four, and what it says.
    let answer = opened(&[]).after_input(8).then(&b"\x82\x02a\n"[..]).then(PARTING).then_close();
    transcript.exchange(format!("GET /v1.44{target}"), answer).gives("a\n")
}

/// Awaits a call of this type.
#[cfg(feature = "websocket")]
async fn awaited<C: IntoFuture<Output = longshore::Result<T>>, T>(call: C) -> longshore::Result<T> {
    call.await
}
