//! What happened on an engine.

use crate::decode::Decode;
use crate::open_enum::words;
use crate::{Scope, SortedMap, Timestamp};

/// Tells what happened to something.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[decode(from = Wire)]
#[non_exhaustive]
pub struct EventMessage {
    /// Kind of what it happened to; on the wire `Type`.
    pub kind: EventKind,
    /// What happened.
    pub action: EventAction,
    /// What the engine says about it behind the word: the command of an exec that was created or started, the health
    /// that a container has now; mostly empty.
    pub action_detail: String,
    /// What it happened to.
    pub actor: EventActor,
    /// Whether it happened on the engine or in its swarm.
    pub scope: Scope,
    /// When it happened, to the nanosecond.
    pub time: Timestamp,
}

/// Names what something happened to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct EventActor {
    /// Its id; for images often a name, for volumes their name. Empty for Podman's volumes.
    #[serde(rename = "ID")]
    pub id: String,
    /// What the engine tells of it, by kind: `name`, `image`, `exitCode`, `signal` and the labels of a container, say.
    pub attributes: SortedMap<String, String>,
}

/// An event as it comes: the time twice, and what happened in one text.
#[derive(Default, Decode)]
#[serde(rename_all = "PascalCase")]
struct Wire {
    #[serde(rename = "Type")]
    kind: EventKind,
    action: String,
    actor: EventActor,
    #[serde(rename = "scope")]
    scope: Scope,
    #[serde(rename = "time")]
    seconds: i64,
    #[serde(rename = "timeNano")]
    nanoseconds: i64,
}

impl From<Wire> for EventMessage {
    fn from(wire: Wire) -> Self {
        let (action, detail) = wire.action.split_once(':').unwrap_or((&wire.action, ""));
        Self {
            kind: wire.kind,
            action: EventAction::from(action),
            action_detail: detail.trim().to_owned(),
            actor: wire.actor,
            scope: wire.scope,
            time: match (wire.seconds, wire.nanoseconds) {
                (0, 0) => Timestamp::default(),
                (seconds, 0) => Timestamp::from_unix(seconds),
                (_, nanoseconds) => Timestamp::from_unix_nanos(nanoseconds),
            },
        }
    }
}

/// Says what kind of thing something happened to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// The cache of builds.
    Builder,
    /// A config of a swarm.
    Config,
    /// A container.
    Container,
    /// The engine itself.
    Daemon,
    /// An image.
    Image,
    /// A network.
    Network,
    /// A node of a swarm.
    Node,
    /// A plugin.
    Plugin,
    /// A secret of a swarm.
    Secret,
    /// A service of a swarm.
    Service,
    /// A volume.
    Volume,
    /// A word this version does not know, such as Podman's `pod`; empty if the engine told none.
    Other(String),
}

words!(EventKind {
    Builder = "builder",
    Config = "config",
    Container = "container",
    Daemon = "daemon",
    Image = "image",
    Network = "network",
    Node = "node",
    Plugin = "plugin",
    Secret = "secret",
    Service = "service",
    Volume = "volume",
});

impl Default for EventKind {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

/// Says what happened.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum EventAction {
    /// Somebody attached to a container.
    Attach,
    /// The state of a container's processes was written down.
    Checkpoint,
    /// An image was made of a container.
    Commit,
    /// A container was connected to a network.
    Connect,
    /// Files were copied out of a container.
    ArchivePath,
    /// Files were copied out of a container, by old engines.
    Copy,
    /// It was made.
    Create,
    /// An image was deleted.
    Delete,
    /// A container, network or volume was removed.
    Destroy,
    /// Somebody let go of a container.
    Detach,
    /// A container ended.
    Die,
    /// A plugin was switched off.
    Disable,
    /// A container was disconnected from a network.
    Disconnect,
    /// A plugin was switched on.
    Enable,
    /// An exec was created; the detail is its command.
    ExecCreate,
    /// Somebody let go of an exec.
    ExecDetach,
    /// An exec ended.
    ExecDie,
    /// An exec was started; the detail is its command.
    ExecStart,
    /// A container's files were exported.
    Export,
    /// Files were copied into a container.
    ExtractToDir,
    /// The health of a container changed; the detail is what it is now.
    HealthStatus,
    /// An image was imported.
    Import,
    /// A signal was sent to a container.
    Kill,
    /// Images were loaded.
    Load,
    /// A volume was mounted.
    Mount,
    /// A container ran out of memory.
    Oom,
    /// A container was paused.
    Pause,
    /// What was not in use was removed.
    Prune,
    /// An image was pulled.
    Pull,
    /// An image was pushed.
    Push,
    /// The engine read its configuration again.
    Reload,
    /// It was removed.
    Remove,
    /// A container got another name.
    Rename,
    /// The size of a terminal changed.
    Resize,
    /// A container was restarted.
    Restart,
    /// An image was saved.
    Save,
    /// A container was started.
    Start,
    /// A container was stopped.
    Stop,
    /// An image got a name.
    Tag,
    /// The processes of a container were listed.
    Top,
    /// A volume was unmounted.
    Unmount,
    /// A container was resumed.
    Unpause,
    /// An image lost a name.
    Untag,
    /// It was changed.
    Update,
    /// A word this version does not know; empty if the engine told none.
    Other(String),
}

words!(EventAction {
    Attach = "attach",
    Checkpoint = "checkpoint",
    Commit = "commit",
    Connect = "connect",
    ArchivePath = "archive-path",
    Copy = "copy",
    Create = "create",
    Delete = "delete",
    Destroy = "destroy",
    Detach = "detach",
    Die = "die",
    Disable = "disable",
    Disconnect = "disconnect",
    Enable = "enable",
    ExecCreate = "exec_create",
    ExecDetach = "exec_detach",
    ExecDie = "exec_die",
    ExecStart = "exec_start",
    Export = "export",
    ExtractToDir = "extract-to-dir",
    HealthStatus = "health_status",
    Import = "import",
    Kill = "kill",
    Load = "load",
    Mount = "mount",
    Oom = "oom",
    Pause = "pause",
    Prune = "prune",
    Pull = "pull",
    Push = "push",
    Reload = "reload",
    Remove = "remove",
    Rename = "rename",
    Resize = "resize",
    Restart = "restart",
    Save = "save",
    Start = "start",
    Stop = "stop",
    Tag = "tag",
    Top = "top",
    Unmount = "unmount",
    Unpause = "unpause",
    Untag = "untag",
    Update = "update",
});

impl Default for EventAction {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode;

    fn event(json: &str) -> EventMessage {
        decode::from_slice(json.as_bytes()).unwrap()
    }

    #[test]
    fn an_action_is_a_word_and_what_stands_behind_it() {
        let told = |action: &str| {
            let event = event(&format!(r#"{{"Type":"container","Action":"{action}"}}"#));
            (event.action, event.action_detail)
        };
        let pair = |action, detail: &str| (action, detail.to_owned());
        assert_eq!(told("exec_create: sh -c a:b "), pair(EventAction::ExecCreate, "sh -c a:b"));
        assert_eq!(told("health_status: healthy"), pair(EventAction::HealthStatus, "healthy"));
        assert_eq!(told("die"), pair(EventAction::Die, ""));
        assert_eq!(told("dream: deep"), pair(EventAction::Other("dream".to_owned()), "deep"));
    }

    #[test]
    fn the_time_is_told_twice_and_taken_once() {
        let time = |json| event(json).time;
        assert_eq!(
            time(r#"{"time":1795510947,"timeNano":1795510947777311874}"#).as_str(),
            "2026-11-24T09:02:27.777311874Z"
        );
        assert_eq!(time(r#"{"time":1795510947}"#).as_str(), "2026-11-24T09:02:27Z");
        assert!(time("{}").is_zero());
        assert_eq!(time(r#"{"timeNano":-1}"#).as_str(), "1969-12-31T23:59:59.999999999Z");
    }

    #[test]
    fn what_nobody_knows_yet_is_kept() {
        let event = event(r#"{"Type":"pod","Action":"init","Actor":{"ID":"","Attributes":null},"scope":"galaxy"}"#);
        assert_eq!(event.kind, EventKind::Other("pod".to_owned()));
        assert_eq!(event.action.as_str(), "init");
        assert_eq!(event.scope.as_str(), "galaxy");
        assert!(event.actor.attributes.is_empty());
    }
}
