//! Where in the logs a reader is, and how it is found again.

use std::hash::{DefaultHasher, Hasher};

use longshore_wire::demux::Source;

use super::message::{Message, SOURCES, Time};

/// How many messages at the edge of a tail are remembered.
const REMEMBERED: usize = 4096;

/// How many messages of the same time are few.
const FEW: u64 = 64;

/// What was taken last.
///
/// The engine keeps all messages in one order, and gives them in it. Their times mostly rise, but those of stdout and
/// stderr may be out of order, and several messages may have the same: the pieces of a long line, or where times are
/// told by the second. So a place is told by a source, a time, and how many messages of the source had that time.
#[derive(Default)]
pub(super) struct Position {
    groups: [Option<Group>; SOURCES.len()],
    last: Option<(Source, u64)>,
    /// The time of the first message, if it was one of a tail: others of that time may have been before it.
    edge: Option<Time>,
}

/// The last messages of a source with the same time.
#[derive(Clone)]
struct Group {
    time: Time,
    count: u64,
    coarse: bool,
    /// The latest time of the source.
    latest: Time,
    /// What the first of them were, where there may have been others before.
    begun_with: Option<Vec<u64>>,
}

impl Position {
    pub(super) fn is_unknown(&self) -> bool {
        self.last.is_none()
    }

    /// The time of the last message.
    pub(super) fn time(&self) -> Option<Time> {
        self.last_group().map(|group| group.time)
    }

    /// Whether the last message can be told by the few that have its time.
    pub(super) fn is_narrow(&self) -> bool {
        self.last_group().is_some_and(|group| !group.coarse && group.count <= FEW)
    }

    fn last_group(&self) -> Option<&Group> {
        let (source, _) = self.last?;
        self.groups[source as usize].as_ref()
    }

    /// Notes a message that was taken. The first may be `of_tail`.
    pub(super) fn note(&mut self, message: &Message, of_tail: bool) {
        let Message { source, time, coarse, .. } = *message;
        let print = print(message);
        if self.last.is_none() && of_tail {
            self.edge = Some(time);
        }
        self.last = Some((source, print));
        match &mut self.groups[source as usize] {
            Some(group) if group.time == time => {
                group.count += 1;
                if let Some(prints) = group.begun_with.as_mut().filter(|prints| prints.len() < REMEMBERED) {
                    prints.push(print);
                }
            }
            group => {
                let latest = group.as_ref().map_or(time, |group| group.latest.max(time));
                let begun_with = (self.edge == Some(time)).then(|| vec![print]);
                *group = Some(Group { time, count: 1, coarse, latest, begun_with });
            }
        }
    }

    /// Begins to look for the last message in logs that are read again; `None` if there is none yet.
    pub(super) fn seek(&self) -> Option<Seek> {
        let (source, print) = self.last?;
        let group = self.last_group()?.clone();
        let fallback = group.begun_with.as_deref().map(fallback).unwrap_or_default();
        Some(Seek { source, print, group, fallback, matched: 0, passed: 0 })
    }
}

/// Looks for a message in logs that are read again.
pub(super) struct Seek {
    source: Source,
    print: u64,
    group: Group,
    /// Where to go on matching what the group began with, if so many have matched and the next does not.
    fallback: Vec<usize>,
    matched: usize,
    passed: u64,
}

/// What a message is to one who looks for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// One that was taken before.
    Earlier,
    /// The one that was taken last.
    Last,
    /// One in its place, or maybe the one.
    Doubtful,
    /// A later one: the one that was taken last is not there.
    Later,
}

impl Seek {
    pub(super) fn look(&mut self, message: &Message) -> Sight {
        let Group { time, latest, .. } = self.group;
        if message.source != self.source {
            // Sources are out of order by much less than that.
            let is_later = message.time.seconds > latest.seconds.saturating_add(1);
            return if is_later { Sight::Later } else { Sight::Earlier };
        }
        if message.time > latest {
            return Sight::Later;
        }
        if message.time != time {
            return Sight::Earlier;
        }
        let print = print(message);
        if !self.has_begun(print) {
            return Sight::Earlier;
        }
        self.passed += 1;
        match self.passed == self.group.count {
            false => Sight::Earlier,
            // At the edge of a tail, equal lines of the same second can't be told apart.
            true if print == self.print && !(self.group.begun_with.is_some() && self.group.coarse) => Sight::Last,
            true => Sight::Doubtful,
        }
    }

    /// Whether a message of the group is one of those that were taken: at the edge of a tail, others are before them.
    fn has_begun(&mut self, print: u64) -> bool {
        let Some(prints) = &self.group.begun_with else { return true };
        if self.passed > 0 {
            return true;
        }
        while self.matched > 0 && prints[self.matched] != print {
            self.matched = self.fallback[self.matched - 1];
        }
        if prints[self.matched] == print {
            self.matched += 1;
        }
        if self.matched < prints.len() {
            return false;
        }
        self.passed = prints.len() as u64 - 1;
        true
    }
}

/// For each beginning of `prints`, the length of the longest shorter one that it ends with.
fn fallback(prints: &[u64]) -> Vec<usize> {
    let mut lengths = vec![0; prints.len()];
    let mut length = 0;
    for at in 1..prints.len() {
        while length > 0 && prints[at] != prints[length] {
            length = lengths[length - 1];
        }
        if prints[at] == prints[length] {
            length += 1;
        }
        lengths[at] = length;
    }
    lengths
}

/// What tells a message from others.
fn print(message: &Message) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(message.text());
    hasher.finish()
}
