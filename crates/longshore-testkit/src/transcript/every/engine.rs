//! The engine itself, its events, the login to registries, and requests of one's own.

use longshore::models::DiskUsage;
use longshore::system::{Events, FollowEvents};
use longshore::{ApiVersion, CustomRequest, CustomResponse, Docker, JsonStream, Method, RegistryAuth};
use serde_json::Value;

use super::{Transcript, awaited, calls, shown, streamed};
use crate::transcript::wire::{chunked_json, ping};

pub(super) fn all() -> Vec<Transcript> {
    [accounts(), events(), custom(), unasked()].concat()
}

fn accounts() -> Vec<Transcript> {
    let usage = ("GET /system/df", r#"{"LayersSize":9,"Images":[{"Id":"1","Size":9}]}"#);
    let pings = Transcript::new("an account of the engine", |docker| {
        Box::pin(async move {
            let ping = Docker::ping(&docker).await?;
            let (info, version) = (Docker::info(&docker).await?, Docker::version(&docker).await?);
            shown(&[&ping.os_type, &info.name, &version.version, &Docker::api_version(&docker).await?.to_string()])
        })
    });
    vec![
        pings
            .exchange("HEAD /_ping", ping(ApiVersion::new(1, 44)))
            .exchange("GET /v1.44/info", super::brief(r#"{"Name":"host"}"#))
            .exchange("GET /v1.44/version", super::brief(r#"{"Version":"25.0.3"}"#))
            .gives(r#"Some("linux") "host" "25.0.3" "1.44""#),
        calls("every disk usage", &[usage, usage], "1 1", |docker| {
            Box::pin(async move {
                let plain = Docker::disk_usage(&docker).await?;
                let other = Docker::disk_usage_with(&docker, &Default::default()).await?;
                let count = |usage: &DiskUsage| usage.images.clone().unwrap_or_default().total_count;
                shown(&[&count(&plain), &count(&other)])
            })
        }),
        calls(
            "a login",
            &[("POST /auth", r#"{"Status":"Login Succeeded","IdentityToken":""}"#)],
            r#""Login Succeeded" None"#,
            |docker| {
                Box::pin(async move {
                    let login =
                        Docker::login(&docker, &RegistryAuth::default().username("jane").password("s3cret")).await?;
                    shown(&[&login.status, &Docker::registry_auth(&docker, "ghcr.io").await?.map(drop)])
                })
            },
        ),
    ]
}

fn events() -> Vec<Transcript> {
    let told = "{\"Type\":\"container\",\"Action\":\"start\",\"Actor\":{\"ID\":\"c1\"}}\n\
        {\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":\"c1\"}}\n";
    let events = ("GET /events", told);
    // An event may come in two chunks, and two in one.
    let chunks = [&told[..30], &told[30..], &told.repeat(2)];
    let followed = Transcript::new("events as they come", |docker| {
        Box::pin(async move {
            let events = streamed::<Events, _>(Docker::events(&docker).await?).await?;
            Ok(events.iter().map(|event| format!("{} {};", event.actor.id, event.action)).collect())
        })
    });
    let followed = followed.exchange("GET /v1.44/events", chunked_json(&chunks)).gives("c1 start;c1 die;".repeat(3));
    let all = calls("every stream of events", &[events, events], "2 2", |docker| {
        Box::pin(async move {
            let mut plain = Docker::events(&docker).await?;
            let mut read = 0;
            while let Some(event) = Events::next(&mut plain).await {
                read += usize::from(event?.actor.id == "c1");
            }
            let other: FollowEvents = Docker::events_with(&docker, &Default::default());
            let other = awaited::<FollowEvents, _>(other).await?;
            shown(&[&read, &streamed::<Events, _>(other).await?.len()])
        })
    });
    vec![all, followed]
}

fn asked(docker: &Docker) -> CustomRequest {
    docker.request(Method::Get, "/some/thing")
}

fn custom() -> Vec<Transcript> {
    let thing = ("GET /some/thing", "{\"a\":1}\n");
    let values = ("GET /some/thing", "{\"a\":1}\n{\"a\":2}\n");
    vec![
        calls("every answer to a request of one's own", &[thing, thing, thing], "1 1 8", |docker| {
            Box::pin(async move {
                let json: Value = CustomRequest::json(asked(&docker)).await?;
                let raw = CustomRequest::raw::<Value>(asked(&docker)).await?;
                let bytes = CustomRequest::bytes(asked(&docker)).await?;
                shown(&[&json["a"].as_u64().unwrap_or_default(), &raw["a"].as_u64().unwrap_or_default(), &bytes.len()])
            })
        }),
        calls("every way to take an answer", &[thing, thing, thing], "1 1 8", |docker| {
            Box::pin(async move {
                let json: Value = CustomResponse::json(CustomRequest::send(asked(&docker)).await?).await?;
                let raw = CustomResponse::raw::<Value>(CustomRequest::send(asked(&docker)).await?).await?;
                let bytes = CustomResponse::bytes(CustomRequest::send(asked(&docker)).await?).await?;
                shown(&[&json["a"].as_u64().unwrap_or_default(), &raw["a"].as_u64().unwrap_or_default(), &bytes.len()])
            })
        }),
        calls("every stream of an answer", &[values, values, values], "2 2 16", |docker| {
            Box::pin(async move {
                let mut values = CustomRequest::json_stream::<Value>(asked(&docker)).await?;
                let mut read = 0;
                while let Some(value) = JsonStream::next(&mut values).await {
                    read += usize::from(value?.is_object());
                }
                let other = CustomRequest::json_stream::<Value>(asked(&docker)).await?;
                let other = streamed::<JsonStream<Value>, _>(other).await?.len();
                let mut bytes = CustomRequest::byte_stream(asked(&docker)).await?;
                shown(&[&read, &other, &bytes.copy_to(&mut tokio::io::sink()).await?])
            })
        }),
    ]
}

/// Connections that are handed over without being a container's.
fn unasked() -> Vec<Transcript> {
    use longshore::{RawConnection, SessionOptions};

    use super::super::sessions::may_end_anywhere_as;
    use crate::Answer;
    use crate::transcript::wire::upgraded;

    async fn read(mut connection: RawConnection) -> longshore::Result<String> {
        let mut read = Vec::new();
        while let Some(piece) = RawConnection::next(&mut connection).await {
            read.extend_from_slice(&piece?);
        }
        Ok(read.escape_ascii().to_string())
    }

    let head = upgraded("application/vnd.docker.raw-stream");
    let sent = "PRI * HTTP/2.0";
    let answer = || Answer::new([&head[..], sent.as_bytes()].concat()).then_close();
    let session = Transcript::new("a session", |docker| {
        Box::pin(async move { read(Docker::session(&docker, &SessionOptions::default()).await?).await })
    });
    let grpc = Transcript::new("a connection for gRPC", |docker| {
        Box::pin(async move { read(Docker::grpc(&docker).await?).await })
    });
    let own = Transcript::new("a connection of one's own", |docker| {
        Box::pin(async move {
            let request = docker.request(Method::Post, "/some/thing");
            read(CustomRequest::connection(request, "tcp").await?).await
        })
    });
    let all = [(session, "session"), (grpc, "grpc"), (own, "some/thing")];
    let made = all.into_iter().map(|(transcript, target)| {
        let transcript = transcript.exchange(format!("POST /v1.44/{target}"), answer()).gives(sent);
        may_end_anywhere_as(transcript, 0, head.len(), sent, |begun| begun.to_owned())
    });
    made.collect()
}
