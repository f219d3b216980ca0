//! All that is guarded in this process.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::thing::Thing;
use crate::docker::Docker;

/// Something that is guarded.
#[derive(Clone)]
pub(super) struct Entry {
    /// A client with connections of its own.
    pub(super) docker: Docker,
    pub(super) thing: Thing,
    pub(super) patience: Duration,
    /// The process that guards it: one that `fork` has made of it does not.
    pub(super) process: u32,
}

impl Entry {
    pub(super) fn new(docker: &Docker, thing: Thing, patience: Duration) -> Self {
        Entry { docker: docker.detached(), thing, patience, process: std::process::id() }
    }
}

static REGISTRY: Mutex<Registry> = Mutex::new(Registry {
    last: 0,
    entries: BTreeMap::new(),
    postponed: Vec::new(),
    makings: BTreeMap::new(),
    closed: false,
});

struct Registry {
    last: u64,
    entries: BTreeMap<u64, Entry>,
    /// What was to be removed while guarded containers used it, and which.
    postponed: Vec<(Entry, Vec<String>)>,
    /// Creations under way, and whether what they make is to be removed at once.
    makings: BTreeMap<u64, bool>,
    /// Whether the process is ending, and nothing may be created any more.
    closed: bool,
}

fn registry() -> MutexGuard<'static, Registry> {
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn add(entry: Entry) -> u64 {
    let mut registry = registry();
    registry.last += 1;
    let number = registry.last;
    registry.entries.insert(number, entry);
    number
}

pub(super) fn look(number: u64) -> Option<Entry> {
    registry().entries.get(&number).cloned()
}

pub(super) fn take(number: u64) -> Option<Entry> {
    registry().entries.remove(&number)
}

pub(super) fn set_patience(number: u64, patience: Duration) {
    if let Some(entry) = registry().entries.get_mut(&number) {
        entry.patience = patience;
    }
}

impl Registry {
    fn guards_any(&self, containers: &[String]) -> bool {
        let is_guarded = |entry: &Entry| matches!(&entry.thing, Thing::Container(id) if containers.contains(id));
        self.entries.values().any(is_guarded)
    }
}

/// Whether one of these containers is guarded.
pub(super) fn guards_any(containers: &[String]) -> bool {
    registry().guards_any(containers)
}

/// Leaves the removal to whoever removes the containers; gives the thing back if none of them is guarded any more.
pub(super) fn postpone(entry: Entry, users: Vec<String>) -> Option<Entry> {
    let mut registry = registry();
    if !registry.guards_any(&users) {
        return Some(entry);
    }
    registry.postponed.push((entry, users));
    None
}

/// What was postponed because of this thing, in the order in which it is to be removed.
pub(super) fn take_postponed(because_of: &Thing) -> Vec<Entry> {
    let Thing::Container(id) = because_of else { return Vec::new() };
    let mut registry = registry();
    let (due, later) = std::mem::take(&mut registry.postponed).into_iter().partition(|(_, users)| users.contains(id));
    registry.postponed = later;
    let due: Vec<(Entry, Vec<String>)> = due;
    in_order(due.into_iter().map(|(entry, _)| entry).collect())
}

/// All that is guarded, in the order in which it is to be removed.
pub(super) fn take_all() -> Vec<Entry> {
    let mut registry = registry();
    let guarded = std::mem::take(&mut registry.entries).into_values();
    let postponed = std::mem::take(&mut registry.postponed).into_iter().map(|(entry, _)| entry);
    let mut entries: Vec<Entry> = guarded.chain(postponed).collect();
    entries.retain(|entry| entry.process == std::process::id());
    in_order(entries)
}

fn in_order(mut entries: Vec<Entry>) -> Vec<Entry> {
    entries.sort_by_key(|entry| entry.thing.rank());
    entries
}

/// Notes a creation under way; `None` once nothing may be created any more.
pub(super) fn begin_making() -> Option<u64> {
    let mut registry = registry();
    if registry.closed {
        return None;
    }
    registry.last += 1;
    let number = registry.last;
    registry.makings.insert(number, false);
    Some(number)
}

/// Whether what a creation has made is to be removed at once.
pub(super) fn is_doomed(making: u64) -> bool {
    registry().makings.get(&making).copied().unwrap_or_default()
}

pub(super) fn end_making(making: u64) {
    registry().makings.remove(&making);
}

/// Lets all creations under way end with a removal.
pub(super) fn doom_makings() {
    registry().makings.values_mut().for_each(|doomed| *doomed = true);
}

/// Whether a doomed creation is under way.
pub(super) fn is_making() -> bool {
    registry().makings.values().any(|doomed| *doomed)
}

/// Lets nothing be created any more.
pub(super) fn close() {
    registry().closed = true;
}
