//! Answers that are read as they come.

use longshore::image::BuildEvent;
use longshore::{ApiVersion, Docker, ErrorKind, Payload};

use super::sessions::rendered;
use super::wire::{answer, chunked, chunked_json, frame, head_length, json};
use super::{Calling, Transcript};
use crate::answer::Answer;
use crate::poll::drain;

const TAR: &[u8] = b"etc/\0hosts\0ustar\0 127.0.0.1 localhost\n\0\0\0\0";
/// `{"name":"etc","size":42,"mode":2147484141,"mtime":"2024-03-05T10:00:00Z","linkTarget":""}`
pub(super) const STAT: &str = "X-Docker-Container-Path-Stat: eyJuYW1lIjoiZXRjIiwic2l6ZSI6NDIsIm1vZGUiOjIxNDc0ODQxNDEsIm10aW1lIjoiMjAyNC0w\
    My0wNVQxMDowMDowMFoiLCJsaW5rVGFyZ2V0IjoiIn0=";

pub(super) fn all() -> Vec<Transcript> {
    [logs(), statistics(), archives(), progress(), builds()].concat()
}

fn log(name: &'static str, version: ApiVersion) -> Transcript {
    let transcript = Transcript::new(name, |docker: Docker| -> Calling {
        Box::pin(async move { Ok(rendered(docker.container("web").logs().await?.collect().await?)) })
    });
    transcript.version(Some(version))
}

fn logs() -> Vec<Transcript> {
    let frames = [frame(1, "a\n"), frame(2, "b\n"), frame(1, "c\n"), frame(1, "d")];
    let as_frames = |content_type: &str| {
        let content_type = format!("Content-Type: {content_type}");
        answer("200 OK", &[&content_type, "Transfer-Encoding: chunked"], chunked(&frames))
    };
    let shown = ["\u{2}\0\0\0 colour\r\n", "prompt> "];
    let raw = "Content-Type: application/vnd.docker.raw-stream";
    let as_shown = || answer("200 OK", &[raw, "Transfer-Encoding: chunked"], chunked(&shown));
    let (new, old) = (ApiVersion::new(1, 44), ApiVersion::new(1, 41));
    let inspected = |tty: bool| json("200 OK", &format!("{{\"Id\":\"8d1\",\"Config\":{{\"Tty\":{tty}}}}}"));
    let target = "/containers/web/logs?stdout=1&stderr=1";
    let (apart, together) = ("out=a\nc\nd err=b\n", format!("out={} err=", shown.concat()));
    let failed = [frame(1, "a\n"), frame(3, "Error grabbing logs: invalid character 'l'\n")];
    let multiplexed = "application/vnd.docker.multiplexed-stream";
    let failing =
        answer("200 OK", &[&format!("Content-Type: {multiplexed}"), "Transfer-Encoding: chunked"], chunked(&failed));
    vec![
        log("logs", new).exchange(format!("GET /v1.44{target}"), as_frames(multiplexed)).gives(apart),
        log("logs of a terminal", new).exchange(format!("GET /v1.44{target}"), as_shown()).gives(together.clone()),
        log("logs of an older engine", old)
            .exchange("GET /v1.41/containers/web/json", inspected(false))
            .exchange(format!("GET /v1.41{target}"), as_frames("application/vnd.docker.raw-stream"))
            .gives(apart),
        log("logs of a terminal of an older engine", old)
            .exchange("GET /v1.41/containers/web/json", inspected(true))
            .exchange(format!("GET /v1.41{target}"), as_shown())
            .gives(together),
        log("logs that fail half-way", new)
            .exchange(format!("GET /v1.44{target}"), failing)
            .fails(ErrorKind::InStream, "Error grabbing logs: invalid character 'l'"),
    ]
}

fn statistics() -> Vec<Transcript> {
    let transcript = Transcript::new("stats", |docker| {
        Box::pin(async move {
            let drained = drain(docker.container("web").stats().await?).await;
            match drained.error {
                Some(error) => Err(error),
                None => Ok(drained.items.iter().map(|one| format!("{} {};", one.name(), one.memory_used())).collect()),
            }
        })
    });
    let sample = |usage: u32| format!("{{\"name\":\"/web\",\"memory_stats\":{{\"usage\":{usage},\"limit\":9000}}}}\n");
    let (one, two, three) = (sample(10), sample(200), sample(3000));
    // A sample may come in two chunks, and two in one.
    let chunks = [&one[..20], &one[20..], &format!("{two}{three}")];
    vec![
        transcript
            .exchange("GET /v1.44/containers/web/stats?stream=1", chunked_json(&chunks))
            .gives("web 10;web 200;web 3000;"),
    ]
}

fn archives() -> Vec<Transcript> {
    let tar = ["Content-Type: application/x-tar", STAT, "Transfer-Encoding: chunked"];
    let download = Transcript::new("a download", |docker| {
        Box::pin(async move {
            let mut archive = docker.container("web").archive("/etc").await?;
            let mut bytes = Vec::new();
            archive.copy_to(&mut bytes).await?;
            Ok(format!("{} {} {:?}", archive.stat().name, archive.stat().size, bytes.escape_ascii().to_string()))
        })
    });
    let look = Transcript::new("a look at a path", |docker| {
        Box::pin(async move {
            let stat = docker.container("web").archive_info("/etc").await?;
            Ok(format!("{} {} {:o}", stat.name, stat.is_dir(), stat.permissions()))
        })
    });
    let upload = Transcript::new("an upload", |docker| {
        Box::pin(async move {
            docker.container("web").put_archive("/srv", TAR).await?;
            Ok("unpacked".to_owned())
        })
    });
    let export = Transcript::new("an export", |docker| {
        Box::pin(async move {
            let mut bytes = Vec::new();
            docker.container("web").export().await?.copy_to(&mut bytes).await?;
            Ok(bytes.escape_ascii().to_string())
        })
    });
    let export_answer = answer("200 OK", &["Content-Type: application/octet-stream", "Connection: close"], TAR);
    let start = head_length(&export_answer);
    let mut export = export
        .exchange("GET /v1.44/containers/web/export", Answer::new(export_answer).then_close())
        .gives(TAR.escape_ascii().to_string());
    for end in 0..=TAR.len() {
        export = export.may_end(0, start + end, TAR[..end].escape_ascii().to_string());
    }
    vec![
        download
            .exchange(
                "GET /v1.44/containers/web/archive?path=%2Fetc",
                answer("200 OK", &tar, chunked(&[&TAR[..10], &TAR[10..11], &TAR[11..]])),
            )
            .gives(format!("etc 42 {:?}", TAR.escape_ascii().to_string())),
        look.exchange(
            "HEAD /v1.44/containers/web/archive?path=%2Fetc",
            answer("200 OK", &["Content-Length: 42", STAT], ""),
        )
        .gives("etc true 755"),
        upload
            .exchange("PUT /v1.44/containers/web/archive?path=%2Fsrv", answer("200 OK", &["Content-Length: 0"], ""))
            .gives("unpacked"),
        export,
    ]
}

fn progress() -> Vec<Transcript> {
    const ID: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let import = Transcript::new("an import", |docker| {
        Box::pin(async move {
            let image = docker.images().import(Payload::reader(TAR)).await?;
            Ok(image.name().to_owned())
        })
    });
    let import = import.exchange(
        "POST /v1.44/images/create?fromSrc=-",
        chunked_json(&["{\"status\":\"Importing\"}\r\n", &format!("{{\"status\":\"{ID}\"}}\r\n")]),
    );
    let pull = |name| {
        Transcript::new(name, |docker| {
            Box::pin(async move {
                let drained = drain(docker.images().pull("alpine").await?).await;
                match drained.error {
                    Some(error) => Err(error),
                    None => Ok(drained
                        .items
                        .iter()
                        .map(|one| format!("{} {};", one.message.id, one.message.status))
                        .collect()),
                }
            })
        })
    };
    let request = "POST /v1.44/images/create?fromImage=docker.io%2Flibrary%2Falpine&tag=latest";
    let begun = "{\"status\":\"Pulling from library/alpine\",\"id\":\"latest\"}\r\n";
    let failed = "{\"errorDetail\":{\"message\":\"toomanyrequests\"},\"error\":\"toomanyrequests\"}\r\n";
    vec![
        import.gives(ID),
        pull("a pull")
            .exchange(request, chunked_json(&[begun, "{\"status\":\"Pull complete\",\"id\":\"4abc\"}\r\n"]))
            .gives("latest Pulling from library/alpine;4abc Pull complete;"),
        pull("a pull that fails half-way")
            .exchange(request, chunked_json(&[begun, failed]))
            .fails(ErrorKind::InStream, "toomanyrequests"),
    ]
}

fn builds() -> Vec<Transcript> {
    let build = |name| {
        Transcript::new(name, |docker| {
            Box::pin(async move {
                let drained = drain(docker.images().build(Payload::reader(TAR)).await?).await;
                let shown = |event: &BuildEvent| match event {
                    BuildEvent::Output(text) => text.clone(),
                    BuildEvent::Image(id) => format!("image {id};"),
                    BuildEvent::Trace(trace) => format!("{} steps;", trace.steps.len()),
                    other => format!("{other:?};"),
                };
                match drained.error {
                    Some(error) => Err(error),
                    None => Ok(drained.items.iter().map(shown).collect()),
                }
            })
        })
    };
    let request = "POST /v1.44/build";
    let begun = "{\"stream\":\"Step 1/1 : FROM scratch;\"}\r\n";
    let trace = "{\"id\":\"moby.buildkit.trace\",\"aux\":\"CgoKAWEaBW1ha2Ug\"}\r\n";
    let image = "{\"aux\":{\"ID\":\"sha256:4abc\"}}\r\n";
    let failed = "{\"errorDetail\":{\"code\":3,\"message\":\"returned 3\"},\"error\":\"returned 3\"}\r\n";
    vec![
        build("a build")
            .exchange(request, chunked_json(&[begun, trace, image]))
            .gives("Step 1/1 : FROM scratch;1 steps;image sha256:4abc;"),
        build("a build that fails half-way")
            .exchange(request, chunked_json(&[begun, failed]))
            .fails(ErrorKind::InStream, "returned 3"),
    ]
}
