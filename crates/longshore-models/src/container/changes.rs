//! What changed in a container's filesystem since it was created.

use std::fmt;

use crate::decode::{self, Decode, Place};

/// Tells of one file or folder that changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct FilesystemChange {
    /// Absolute path in the container.
    pub path: String,
    /// What happened to it.
    pub kind: ChangeKind,
}

/// Says what happened to a file or folder; a number on the wire, a letter for people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ChangeKind {
    /// It has other content or attributes, or a folder has other entries: 0, `C`.
    #[default]
    Modified,
    /// It is new: 1, `A`.
    Added,
    /// It is gone: 2, `D`.
    Deleted,
    /// A number this version does not know, `?`.
    Other(i64),
}

impl From<i64> for ChangeKind {
    fn from(number: i64) -> Self {
        match number {
            0 => Self::Modified,
            1 => Self::Added,
            2 => Self::Deleted,
            _ => Self::Other(number),
        }
    }
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.pad(match self {
            Self::Modified => "C",
            Self::Added => "A",
            Self::Deleted => "D",
            Self::Other(_) => "?",
        })
    }
}

impl Decode for ChangeKind {
    fn place(&mut self) -> Place<'_> {
        Place::through::<i64, _>(self)
    }
}

decode::deserialize!(ChangeKind);
