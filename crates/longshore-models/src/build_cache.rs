//! What builds keep for the next ones.

use crate::Timestamp;
use crate::decode::Decode;
use crate::open_enum::words;

/// Tells of one part of the cache of builds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct BuildCache {
    /// Id.
    #[serde(rename = "ID")]
    pub id: String,
    /// Ids of the parts that it was made from.
    // Engines since API 1.42 write a space before the name.
    #[serde(alias = " Parents")]
    pub parents: Vec<String>,
    /// Id of the part that it was made from, until API 1.41.
    pub parent: String,
    /// What it is for.
    #[serde(rename = "Type")]
    pub kind: BuildCacheKind,
    /// The step that made it, for people.
    pub description: String,
    /// Whether a build works with it now.
    pub in_use: bool,
    /// Whether something else on the engine has the same content, so that removing it frees nothing.
    pub shared: bool,
    /// Its size in bytes.
    pub size: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used; [zero](Timestamp::is_zero) if never.
    pub last_used_at: Timestamp,
    /// How often it was used.
    pub usage_count: u64,
}

/// Says what a part of the cache of builds is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum BuildCacheKind {
    /// The builder's own work.
    Internal,
    /// A program that reads Dockerfiles or other descriptions of builds.
    Frontend,
    /// Files that a client sent.
    LocalSource,
    /// Files of a Git repository.
    GitCheckout,
    /// A folder that steps keep for themselves.
    CacheMount,
    /// The result of a step.
    Regular,
    /// A word this version does not know; empty if the engine told none.
    Other(String),
}

words!(BuildCacheKind {
    Internal = "internal",
    Frontend = "frontend",
    LocalSource = "source.local",
    GitCheckout = "source.git.checkout",
    CacheMount = "exec.cachemount",
    Regular = "regular",
});

impl Default for BuildCacheKind {
    fn default() -> Self {
        Self::Other(String::new())
    }
}
