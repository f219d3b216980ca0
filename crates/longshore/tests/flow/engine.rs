//! An engine in memory that remembers its containers, and fails where it is told.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use longshore::transport::{Dial, Dialing, Io};
use longshore::{ApiVersion, ConnectOptions, Docker, Environment};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// The engine; cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Engine(Arc<Mutex<State>>);

#[derive(Default)]
pub(crate) struct State {
    pub(crate) containers: Vec<Container>,
    /// Method and path of the requests that came.
    pub(crate) requests: Vec<String>,
    /// What goes wrong at which request, counted from 0.
    pub(crate) fault: Option<(usize, Fault)>,
    /// From which request on no answer comes any more, counted from 0.
    pub(crate) gone_from: Option<usize>,
    /// Whether it sets something that a client does not know of.
    pub(crate) has_own_defaults: bool,
    /// Whether somebody removes what does not run while a container is being stopped.
    pub(crate) is_pruned: bool,
    made: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Container {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) running: bool,
    pub(crate) paused: bool,
    pub(crate) body: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The request is refused.
    Refused,
    /// The connection is closed, and nothing is done.
    LostBefore,
    /// It is done, and the connection is closed.
    LostAfter,
}

impl Engine {
    pub(crate) fn docker(&self) -> Docker {
        let options = ConnectOptions::default().version(ApiVersion::new(1, 44)).environment(Environment::default());
        Docker::connect_through_with(self.clone(), &options)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Names of the containers and whether they run.
    pub(crate) fn names(&self) -> Vec<(String, bool)> {
        self.state().containers.iter().map(|container| (container.name.clone(), container.running)).collect()
    }

    async fn serve(self, mut client: DuplexStream) -> io::Result<()> {
        loop {
            let Some((line, body)) = read_request(&mut client).await? else { return Ok(()) };
            let answer = self.state().answer(&line, &body);
            let Some((status, body)) = answer else { return Ok(()) };
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
    let line = line.replace("/v1.44", "").replace(" HTTP/1.1", "");
    Ok(Some((line, body)))
}

impl State {
    /// Status and body of the answer, if there is one.
    fn answer(&mut self, line: &str, body: &[u8]) -> Option<(u16, Value)> {
        let gone = self.gone_from.is_some_and(|from| self.requests.len() >= from);
        let fault = self.fault.filter(|(at, _)| *at == self.requests.len()).map(|(_, fault)| fault);
        self.requests.push(line.to_owned());
        match fault {
            _ if gone => None,
            None => Some(self.carry_out(line, body)),
            Some(Fault::Refused) => Some((500, json!({ "message": "out of order" }))),
            Some(Fault::LostBefore) => None,
            Some(Fault::LostAfter) => {
                self.carry_out(line, body);
                None
            }
        }
    }

    fn carry_out(&mut self, line: &str, body: &[u8]) -> (u16, Value) {
        let (method, target) = line.split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let parameter = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        match (method, &parts[..]) {
            ("GET", ["info"]) => (200, json!({ "LoggingDriver": "json-file", "DefaultRuntime": "runc" })),
            ("GET", ["images", "missing", "json"]) => (404, json!({ "message": "No such image: missing" })),
            ("GET", ["images", _, "json"]) => (200, json!({ "Id": "sha256:1", "Config": {}, "Os": "linux" })),
            ("POST", ["images", "create"]) => {
                (200, json!({ "error": "manifest unknown", "errorDetail": { "message": "manifest unknown" } }))
            }
            ("GET", ["containers", "json"]) => (200, self.containers.iter().map(Container::summary).collect()),
            ("POST", ["containers", "create"]) => self.create(parameter("name").unwrap(), body),
            ("GET", ["containers", which, "json"]) => match self.find(which) {
                Some(at) => (200, self.containers[at].inspect(self.has_own_defaults)),
                None => (404, json!({ "message": "No such container" })),
            },
            (_, ["containers", which, rest @ ..]) => match self.find(which) {
                Some(at) => self.change(at, method, rest, parameter("name")),
                None => (404, json!({ "message": "No such container" })),
            },
            _ => (501, json!({ "message": line })),
        }
    }

    fn find(&self, which: &str) -> Option<usize> {
        let named = |container: &Container| container.name == which || container.id.starts_with(which);
        self.containers.iter().position(named)
    }

    fn create(&mut self, name: &str, body: &[u8]) -> (u16, Value) {
        let body: Value = serde_json::from_slice(body).unwrap();
        if body["Image"] == "missing" {
            return (404, json!({ "message": "No such image: missing" }));
        }
        if self.containers.iter().any(|container| container.name == name) {
            return (409, json!({ "message": "the name is taken" }));
        }
        self.made += 1;
        let id = format!("{:064x}", 0xabc0_0000_0000_u64 + self.made as u64);
        let container = Container { id: id.clone(), name: name.to_owned(), running: false, paused: false, body };
        self.containers.push(container);
        (201, json!({ "Id": id, "Warnings": [] }))
    }

    fn change(&mut self, at: usize, method: &str, rest: &[&str], name: Option<&str>) -> (u16, Value) {
        let container = &mut self.containers[at];
        let unchanged = match (method, rest) {
            ("POST", ["start"]) => std::mem::replace(&mut container.running, true),
            ("POST", ["stop"]) if container.paused => return (500, json!({ "message": "it is paused" })),
            ("POST", ["stop"]) => {
                let stopped = !std::mem::replace(&mut container.running, false);
                let id = container.id.clone();
                if self.is_pruned {
                    self.containers.retain(|container| container.running || container.id == id);
                }
                stopped
            }
            ("POST", ["unpause"]) => !std::mem::replace(&mut container.paused, false),
            ("POST", ["rename"]) => {
                let name = name.unwrap().to_owned();
                if self.containers.iter().any(|container| container.name == name) {
                    return (409, json!({ "message": "the name is taken" }));
                }
                self.containers[at].name = name;
                false
            }
            ("DELETE", []) => {
                self.containers.remove(at);
                false
            }
            other => panic!("{other:?}"),
        };
        (if unchanged { 304 } else { 204 }, Value::Null)
    }
}

impl Container {
    fn summary(&self) -> Value {
        let state = if self.running { "running" } else { "created" };
        json!({ "Id": self.id, "Names": [format!("/{}", self.name)], "State": state })
    }

    /// What Docker would say.
    fn inspect(&self, has_own_defaults: bool) -> Value {
        let mut config = self.body.clone();
        let config = config.as_object_mut().unwrap();
        config.insert("Hostname".to_owned(), self.id[..12].into());
        let given = config.remove("HostConfig").unwrap_or_default();
        let mut host_config = json!({
            "CgroupnsMode": "host",
            "IpcMode": "private",
            "LogConfig": { "Type": "json-file", "Config": {} },
            "NetworkMode": "bridge",
            "Runtime": "runc",
            "ShmSize": 64 << 20,
        });
        if has_own_defaults {
            host_config["PidsLimit"] = 2048.into();
        }
        for (name, value) in given.as_object().into_iter().flatten() {
            host_config[name] = value.clone();
        }
        json!({
            "Id": self.id,
            "Name": format!("/{}", self.name),
            "Image": "sha256:1",
            "State": { "Running": self.running, "Paused": self.paused },
            "Config": config,
            "HostConfig": host_config,
            "NetworkSettings": { "Networks": { "bridge": {} } },
        })
    }
}
