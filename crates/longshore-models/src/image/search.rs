//! Finding images in a registry.

use crate::decode::Decode;

/// Tells of one repository that a search found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[non_exhaustive]
pub struct ImageSearchItem {
    /// Name, as a pull takes it.
    pub name: String,
    /// What it is, in the words of its owner.
    pub description: String,
    /// How many people have given it a star.
    pub star_count: u64,
    /// Whether it is one of the curated images of Docker Hub.
    pub is_official: bool,
    /// Whether Docker Hub built it by itself; since API 1.44 always `false`.
    pub is_automated: bool,
}
