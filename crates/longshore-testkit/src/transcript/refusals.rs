//! Answers that refuse a request, in all the forms in which they come.

use longshore::{ErrorKind, Payload};

use super::Transcript;
use super::wire::{answer, json};
use crate::answer::{Answer, Upload};

pub(super) fn all() -> Vec<Transcript> {
    [stops(), uploads()].concat()
}

fn stop(name: &'static str, answer: impl Into<Answer>) -> Transcript {
    let transcript = Transcript::new(name, |docker| {
        Box::pin(async move { Ok(format!("{:?}", docker.container("web").stop().await?)) })
    });
    transcript.exchange("POST /v1.44/containers/web/stop", answer)
}

fn stops() -> Vec<Transcript> {
    let page = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>nginx</body>\r\n</html>\r\n";
    let length = format!("Content-Length: {}", page.len());
    let bad_gateway =
        format!("HTTP/1.1 502 Bad Gateway\r\nServer: nginx\r\nContent-Type: text/html\r\n{length}\r\n\r\n{page}");
    let attach = Transcript::new("plain text without a length", |docker| {
        Box::pin(async move {
            docker.container("web").attach().await?;
            Ok(String::new())
        })
    });
    let text = "HTTP/1.1 404 Not Found\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n\
        No such container: web\r\n";
    vec![
        stop("a refusal in JSON", json("404 Not Found", "{\"message\":\"No such container: web\"}\n"))
            .fails(ErrorKind::NotFound, "No such container: web"),
        stop("a page of a proxy", bad_gateway)
            .fails(ErrorKind::Unavailable, "not the engine's answer but a page of a server before it: Bad Gateway"),
        stop("a refusal without a word", answer("503 Service Unavailable", &["Content-Length: 0"], ""))
            .fails(ErrorKind::Unavailable, "Service Unavailable"),
        attach
            .exchange(
                "POST /v1.44/containers/web/attach?stream=1&stdin=0&stdout=1&stderr=1",
                Answer::new(text).then_close(),
            )
            .fails(ErrorKind::NotFound, "No such container: web"),
    ]
}

/// Uploads that the engine refuses before it has seen the end of them.
fn uploads() -> Vec<Transcript> {
    let refused = |name, rest| {
        let transcript = Transcript::new(name, |docker| {
            Box::pin(async move {
                let reader = tokio::io::AsyncReadExt::chain(&b"first "[..], &b"second"[..]);
                docker.container("web").put_archive("/nowhere", Payload::reader(reader)).await?;
                Ok("unpacked".to_owned())
            })
        });
        let message = r#"{"message":"Could not find the file /nowhere in container web"}"#;
        let answer = Answer::new(json("404 Not Found", message)).early(6, rest);
        transcript
            .exchange("PUT /v1.44/containers/web/archive?path=%2Fnowhere", answer)
            .fails(ErrorKind::NotFound, "Could not find the file /nowhere in container web")
    };
    vec![
        refused("an upload refused early and read on", Upload::Take),
        refused("an upload refused early and broken off", Upload::Break),
        refused("an upload refused early and left alone", Upload::Stall),
    ]
}
