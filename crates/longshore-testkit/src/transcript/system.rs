//! Asking an engine who it is.

use longshore::ApiVersion;

use super::wire::{json, ping};
use super::{AGREED, Transcript};

pub(super) fn all() -> Vec<Transcript> {
    let refused = "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET\r\nContent-Length: 18\r\n\r\n";
    let asked = "HTTP/1.1 200 OK\r\nApi-Version: 1.44\r\nContent-Length: 2\r\nOstype: linux\r\n\r\nOK";
    let list = |name| {
        Transcript::new(name, |docker| {
            Box::pin(async move {
                let all = docker.containers().list().await?;
                Ok(format!("{} by {}", all.len(), docker.api_version().await?))
            })
        })
        .version(None)
    };
    let pings = Transcript::new("a ping", |docker| {
        Box::pin(async move {
            let ping = docker.ping().await?;
            let version = ping.api_version.map(|version| version.to_string());
            Ok([version, ping.os_type].map(Option::unwrap_or_default).join(" "))
        })
    });
    vec![
        pings.exchange("HEAD /_ping", ping(ApiVersion::new(1, 44))).gives("1.44 linux"),
        list("a version agreed upon")
            .exchange("HEAD /_ping", ping(AGREED))
            .exchange("GET /v1.44/containers/json", json("200 OK", "[]\n"))
            .gives("0 by 1.44"),
        list("a version agreed upon where HEAD is refused")
            .exchange("HEAD /_ping", refused)
            .exchange("GET /_ping", asked)
            .exchange("GET /v1.44/containers/json", json("200 OK", "[{\"Id\":\"1\"}]\n"))
            .gives("1 by 1.44"),
    ]
}
