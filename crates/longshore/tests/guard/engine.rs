//! An engine in memory that remembers what it has, and is slow, busy or gone where it is told.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use longshore::transport::{Dial, Dialing, Io};
use longshore::{ApiVersion, ConnectOptions, Docker, Environment, SortedMap};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// The engine; cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Engine(Arc<Mutex<State>>);

#[derive(Default)]
pub(crate) struct State {
    pub(crate) containers: Vec<Thing>,
    pub(crate) networks: Vec<Thing>,
    pub(crate) volumes: Vec<Thing>,
    pub(crate) images: Vec<Image>,
    /// Method and path of the requests that came.
    pub(crate) requests: Vec<String>,
    /// How long each request of this method takes.
    pub(crate) slow: Option<(&'static str, Duration)>,
    /// How many connections are refused from now on.
    pub(crate) refuses: usize,
    /// How many removals fail from now on, each with an error of the engine's.
    pub(crate) fails: usize,
    /// Whether the answers to creations are lost.
    pub(crate) loses_creations: bool,
    made: u64,
}

/// A container, network or volume.
#[derive(Clone, Debug)]
pub(crate) struct Thing {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) labels: SortedMap<String, String>,
    /// The networks and volumes that a container uses, by name.
    pub(crate) uses: Vec<String>,
    pub(crate) image: String,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Image {
    pub(crate) id: String,
    pub(crate) names: Vec<String>,
    pub(crate) labels: SortedMap<String, String>,
}

impl Engine {
    pub(crate) fn docker(&self) -> Docker {
        let options = ConnectOptions::default().version(ApiVersion::new(1, 44)).environment(Environment::default());
        Docker::connect_through_with(self.clone(), &options)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Names of all that it has but images.
    pub(crate) fn names(&self) -> Vec<String> {
        let state = self.state();
        let all = state.containers.iter().chain(&state.networks).chain(&state.volumes);
        all.map(|thing| thing.name.clone()).collect()
    }

    /// The removals that came, in order.
    pub(crate) fn removals(&self) -> Vec<String> {
        let state = self.state();
        let removals = state.requests.iter().filter_map(|line| line.strip_prefix("DELETE "));
        removals.map(str::to_owned).collect()
    }

    async fn serve(self, mut client: DuplexStream) -> io::Result<()> {
        loop {
            let Some((line, body)) = read_request(&mut client).await? else { return Ok(()) };
            let slow = self.state().slow.filter(|(method, _)| line.starts_with(method));
            if let Some((_, time)) = slow {
                tokio::time::sleep(time).await;
            }
            let Some((status, body)) = self.state().answer(&line, &body) else { return Ok(()) };
            let body = if body.is_null() { String::new() } else { body.to_string() };
            let length = body.len();
            let kind = "application/json";
            let head = format!("HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n");
            let head = if status == 204 { "HTTP/1.1 204 X\r\n\r\n".to_owned() } else { head };
            client.write_all(format!("{head}{body}").as_bytes()).await?;
        }
    }
}

impl Dial for Engine {
    fn dial(&self) -> Dialing<'_> {
        Box::pin(async {
            if self.state().refuses > 0 {
                self.state().refuses -= 1;
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
            let (here, there) = tokio::io::duplex(64 * 1024);
            tokio::spawn(self.clone().serve(there));
            Ok(Box::new(here) as Box<dyn Io>)
        })
    }

    fn describe(&self) -> String {
        "the engine in memory".to_owned()
    }
}

/// Method and path, and the body.
async fn read_request(client: &mut DuplexStream) -> io::Result<Option<(String, Vec<u8>)>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match client.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return Ok(None),
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).map_or(0, |n| n.parse().unwrap());
    let mut body = vec![0; length];
    client.read_exact(&mut body).await?;
    let line = head.lines().next().unwrap_or_default();
    Ok(Some((line.replace("/v1.44", "").replace(" HTTP/1.1", ""), body)))
}

impl State {
    /// Status and body of the answer, if there is one.
    fn answer(&mut self, line: &str, body: &[u8]) -> Option<(u16, Value)> {
        self.requests.push(line.to_owned());
        if line.starts_with("DELETE") && self.fails > 0 {
            self.fails -= 1;
            return Some((500, json!({ "message": "device or resource busy" })));
        }
        let answer = self.carry_out(line, body);
        (!self.loses_creations || !line.contains("/create")).then_some(answer)
    }

    fn carry_out(&mut self, line: &str, body: &[u8]) -> (u16, Value) {
        let (method, target) = line.split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        match (method, &parts[..]) {
            ("GET", ["containers", "json"]) => (200, self.list_containers(query)),
            ("POST", ["containers", "create"]) => self.create_container(query, &body),
            ("POST", ["containers", _, "start"]) => (204, Value::Null),
            ("GET", ["containers", which, "json"]) => found(&self.containers, which),
            ("DELETE", ["containers", which]) => remove(&mut self.containers, which),
            ("GET", ["networks"]) => (200, self.networks.iter().map(Thing::summary).collect()),
            ("POST", ["networks", "create"]) => self.create(Kind::Network, &body),
            ("GET", ["networks", which]) => found(&self.networks, which),
            ("DELETE", ["networks", which]) if self.is_used(&self.networks, which) => (
                403,
                json!({ "message": format!("error while removing network: network {which} has active endpoints") }),
            ),
            ("DELETE", ["networks", which]) => remove(&mut self.networks, which),
            ("GET", ["volumes"]) => {
                (200, json!({ "Volumes": self.volumes.iter().map(Thing::summary).collect::<Value>() }))
            }
            ("POST", ["volumes", "create"]) => self.create(Kind::Volume, &body),
            ("GET", ["volumes", which]) => found(&self.volumes, which),
            ("DELETE", ["volumes", which]) if self.is_used(&self.volumes, which) => {
                (409, json!({ "message": "volume is in use" }))
            }
            ("DELETE", ["volumes", which]) => remove(&mut self.volumes, which),
            ("POST", ["commit"]) => self.commit(query),
            ("GET", ["images", "json"]) => (200, self.images.iter().map(Image::summary).collect()),
            ("GET", ["images", rest @ .., "json"]) => match self.image(&rest.join("/")) {
                Some(at) => (200, self.images[at].summary()),
                None => (404, json!({ "message": "No such image" })),
            },
            ("DELETE", ["images", rest @ ..]) => self.remove_image(&rest.join("/")),
            _ => (501, json!({ "message": line })),
        }
    }

    fn create_container(&mut self, query: &str, body: &Value) -> (u16, Value) {
        if body["Image"] == "missing" {
            return (404, json!({ "message": "No such image: missing" }));
        }
        let name = query.split('&').find_map(|pair| pair.strip_prefix("name=")).unwrap_or("nameless").to_owned();
        let mode = body["HostConfig"]["NetworkMode"].as_str().map(str::to_owned);
        let mounts = body["HostConfig"]["Mounts"].as_array().into_iter().flatten();
        let volumes = mounts.filter_map(|mount| mount["Source"].as_str().map(str::to_owned));
        let uses = mode.into_iter().chain(volumes).collect();
        let image = body["Image"].as_str().unwrap_or_default().to_owned();
        let id = self.id();
        self.containers.push(Thing { id: id.clone(), name, labels: labels(body), uses, image });
        (201, json!({ "Id": id, "Warnings": [] }))
    }

    fn create(&mut self, kind: Kind, body: &Value) -> (u16, Value) {
        let id = self.id();
        let name = body["Name"].as_str().unwrap_or(&id).to_owned();
        let things = if kind == Kind::Network { &mut self.networks } else { &mut self.volumes };
        let existing = things.iter().find(|thing| thing.name == name);
        match (kind, existing) {
            (Kind::Network, Some(_)) => return (409, json!({ "message": "the name is taken" })),
            (Kind::Volume, Some(existing)) => return (201, existing.summary()),
            _ => {}
        }
        let made = Thing { id, name, labels: labels(body), uses: Vec::new(), image: String::new() };
        things.push(made.clone());
        (201, made.summary())
    }

    fn commit(&mut self, query: &str) -> (u16, Value) {
        let parameter = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
        let names = parameter("repo").map(|name| {
            let name = name.replace("%2F", "/");
            format!("{name}:{}", parameter("tag").unwrap_or("latest"))
        });
        let id = format!("sha256:{}", self.id());
        self.images.push(Image { id: id.clone(), names: names.into_iter().collect(), ..Image::default() });
        (201, json!({ "Id": id }))
    }

    fn image(&self, which: &str) -> Option<usize> {
        self.images.iter().position(|image| image.id == which || image.names.iter().any(|name| name == which))
    }

    fn remove_image(&mut self, which: &str) -> (u16, Value) {
        let Some(at) = self.image(which) else { return (404, json!({ "message": "No such image" })) };
        let image = self.images[at].clone();
        if image.names.len() <= 1 && self.containers.iter().any(|container| container.image == image.id) {
            return (409, json!({ "message": "a container uses it" }));
        }
        self.images[at].names.retain(|name| name != which);
        if self.images[at].names.is_empty() || image.id == which {
            self.images.remove(at);
        }
        (200, json!([{ "Untagged": which }]))
    }

    fn list_containers(&self, query: &str) -> Value {
        let filter = |key: &str| {
            let (_, rest) = query.split_once(&format!("%22{key}%22%3A%5B%22"))?;
            rest.split_once("%22").map(|(value, _)| value.to_owned())
        };
        let used = ["network", "volume", "ancestor"].into_iter().find_map(filter);
        let uses = |container: &&Thing| {
            used.as_ref().is_none_or(|used| self.names_of(used).iter().any(|name| container.uses.contains(name)))
        };
        self.containers.iter().filter(uses).map(Thing::summary).collect()
    }

    fn names_of(&self, which: &str) -> Vec<String> {
        let things = self.networks.iter().chain(&self.volumes);
        things.filter(|thing| thing.is(which)).map(|thing| thing.name.clone()).collect()
    }

    fn is_used(&self, things: &[Thing], which: &str) -> bool {
        let thing = things.iter().find(|thing| thing.is(which));
        thing.is_some_and(|thing| self.containers.iter().any(|container| container.uses.contains(&thing.name)))
    }

    fn id(&mut self) -> String {
        self.made += 1;
        // Guards of other tests in this process know containers by their ids only.
        let number = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), self.made);
        format!("{number:016x}{:048x}", self.made)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Network,
    Volume,
}

impl Thing {
    fn is(&self, which: &str) -> bool {
        self.id == which || self.name == which
    }

    fn summary(&self) -> Value {
        json!({
            "Id": self.id,
            "Name": self.name,
            "Names": [format!("/{}", self.name)],
            "Labels": self.labels,
            "ImageID": self.image,
            "CreatedAt": self.id,
        })
    }
}

impl Image {
    fn summary(&self) -> Value {
        json!({ "Id": self.id, "RepoTags": self.names, "Labels": self.labels, "Config": { "Labels": self.labels } })
    }
}

fn labels(body: &Value) -> SortedMap<String, String> {
    let labels = body["Labels"].as_object().into_iter().flatten();
    labels.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
}

fn found(things: &[Thing], which: &str) -> (u16, Value) {
    match things.iter().find(|thing| thing.is(which)) {
        Some(thing) => (200, thing.summary()),
        None => (404, json!({ "message": "no such thing" })),
    }
}

fn remove(things: &mut Vec<Thing>, which: &str) -> (u16, Value) {
    match things.iter().position(|thing| thing.is(which)) {
        Some(at) => {
            things.remove(at);
            (204, Value::Null)
        }
        None => (404, json!({ "message": "no such thing" })),
    }
}
