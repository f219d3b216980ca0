//! Requests that the caller makes up.

use longshore::{ErrorKind, Method, Payload};
use longshore_testkit::live::Live;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{Outcome, Test, test};
use crate::support::{Entry, refused, tar};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test(answers_are_json_or_bytes),
        test(bodies_are_json_or_streamed),
        test(answers_come_value_by_value),
        test(a_connection_is_handed_over),
        test(refusals_have_kinds),
    ]
}

async fn answers_are_json_or_bytes(live: Live) -> Outcome {
    let id = live.shared().await?.id();
    let path = format!("/containers/{id}/json");
    let value: Value = live.request(Method::Get, &path).query("size", 1).json().await?;
    assert!(value["Id"] == id && value["SizeRootFs"].is_number(), "{value}");
    let raw = live.request(Method::Get, &path).raw::<longshore::ContainerInspect>().await?;
    assert_eq!(raw.id, id);
    let pong = live.request(Method::Get, "/_ping").unversioned().bytes().await?;
    assert_eq!(pong, "OK");
    let versioned = format!("/v{}/version", live.api_version().await?);
    assert!(live.request(Method::Get, versioned).unversioned().json::<Value>().await?["ApiVersion"].is_string());
    let stat = live.request(Method::Head, format!("/containers/{id}/archive")).query("path", "/bin").send().await?;
    assert_eq!(stat.status(), 200);
    assert!(stat.header("X-Docker-Container-Path-Stat").is_some());
    Ok(())
}

async fn bodies_are_json_or_streamed(live: Live) -> Outcome {
    let container = live.create(live.spec("true")).await?.container;
    let content = vec![7; 100_000];
    let tar = tar(&[Entry::file("file", &content)]);
    let path = format!("/containers/{}/archive", container.id());
    let upload = || live.request(Method::Put, &path).query("path", "/").unbounded();
    let answer = upload().body("application/x-tar", tar.clone()).send().await?;
    assert_eq!(answer.status(), 200);
    let streamed = Payload::reader(std::io::Cursor::new(tar));
    assert!(upload().body("application/x-tar", streamed).bytes().await?.is_empty());
    let mut download = live.request(Method::Get, &path).query("path", "/file").byte_stream().await?;
    let mut bytes = Vec::new();
    download.copy_to(&mut bytes).await?;
    assert!(bytes.get(512..512 + content.len()) == Some(&content[..]), "{} bytes", bytes.len());

    let running = live.shared().await?.id();
    let body = json!({"Cmd": ["echo", "hi"], "AttachStdout": true});
    let made = live.request(Method::Post, format!("/containers/{running}/exec")).json_body(&body);
    assert!(made.json::<Value>().await?["Id"].is_string());
    Ok(())
}

async fn answers_come_value_by_value(live: Live) -> Outcome {
    let path = format!("/containers/{}/stats", live.shared().await?.id());
    let mut samples = live.request(Method::Get, path).query("stream", 1).json_stream::<Value>().await?;
    for _ in 0..2 {
        let sample = samples.next().await.expect("a sample")?;
        assert!(sample["read"].is_string(), "{sample}");
    }
    Ok(())
}

async fn a_connection_is_handed_over(live: Live) -> Outcome {
    let running = live.shared().await?.id();
    let body = json!({"Cmd": ["cat"], "AttachStdin": true, "AttachStdout": true});
    let made = live.request(Method::Post, format!("/containers/{running}/exec")).json_body(&body);
    let id = made.json::<Value>().await?["Id"].as_str().map(str::to_owned).expect("an id");
    let start = live.request(Method::Post, format!("/exec/{id}/start")).json_body(&json!({"Detach": false}));
    let mut connection = start.connection("tcp").await?;
    connection.write_all(b"hello\n").await?;
    connection.shutdown().await?;
    let mut output = Vec::new();
    connection.read_to_end(&mut output).await?;
    assert_eq!(output, b"\x01\0\0\0\0\0\0\x06hello\n");
    Ok(())
}

async fn refusals_have_kinds(live: Live) -> Outcome {
    let missing = live.request(Method::Get, format!("/containers/{}/json", live.name()));
    let error = refused(missing.bytes().await, &[ErrorKind::NotFound]);
    assert_eq!(error.operation(), "request");
    refused(live.request(Method::Get, "/no/such/thing").bytes().await, &[ErrorKind::Unsupported]);
    refused(live.request(Method::Get, "/version").connection("tcp").await, &[ErrorKind::Protocol]);
    refused(live.request(Method::Get, "/version").header("A\r\nB", "c").send().await, &[ErrorKind::Invalid]);
    refused(live.request(Method::Get, "/version").header("A", "b\r\nC: d").send().await, &[ErrorKind::Invalid]);
    refused(live.request(Method::Get, "/_ping").unversioned().json::<Value>().await, &[ErrorKind::Decode]);
    Ok(())
}
