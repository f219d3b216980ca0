//! One line of the image list.

use crate::decode::Decode;
use crate::open_enum::words;
use crate::{Descriptor, Identity, Platform, SortedMap, Timestamp};

/// Tells of one image in the list.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ImageSummary {
    /// Id, such as `sha256:…`.
    pub id: String,
    /// Id of the image it was built upon here; empty if it was pulled.
    pub parent_id: String,
    /// References; until API 1.42 `<none>:<none>` for an image without.
    pub repo_tags: Vec<String>,
    /// References by digest; until API 1.42 `<none>@<none>` for an image without.
    pub repo_digests: Vec<String>,
    /// When it was created, to the second.
    pub created: Timestamp,
    /// Bytes of all its layers.
    pub size: i64,
    /// Bytes of the layers it shares with other images; -1 unless asked for.
    pub shared_size: i64,
    /// The same as `size`, until API 1.43.
    pub virtual_size: i64,
    /// Labels.
    pub labels: SortedMap<String, String>,
    /// Number of containers that use it; -1 if not counted.
    pub containers: i64,
    /// What it consists of, API 1.47+; empty unless asked for.
    pub manifests: Vec<ImageManifestSummary>,
    /// What its reference points to, API 1.48+; `None` if the image store has no such thing.
    pub descriptor: Option<Descriptor>,
}

/// Tells of one part of an image for several platforms.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ImageManifestSummary {
    /// Digest of the manifest.
    #[serde(rename = "ID")]
    pub id: String,
    /// What the manifest is.
    pub descriptor: Descriptor,
    /// Whether all of it is here.
    pub available: bool,
    /// How much of it is here.
    pub size: ManifestSize,
    /// What it is for.
    pub kind: ManifestKind,
    /// The image; `None` for other kinds.
    pub image_data: Option<ManifestImage>,
    /// What is attested; `None` for other kinds.
    pub attestation_data: Option<ManifestAttestation>,
}

/// How much of a manifest's content is here, in bytes.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ManifestSize {
    /// All of it, unpacked layers included.
    pub total: i64,
    /// What can be pushed: configuration and packed layers.
    pub content: i64,
}

/// Tells of a manifest that is an image.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ManifestImage {
    /// What it runs on.
    pub platform: Platform,
    /// Ids of containers that use it.
    pub containers: Vec<String>,
    /// How much of it is unpacked.
    pub size: UnpackedSize,
    /// Where it comes from, as far as the engine has verified it, API 1.54+; `None` unless asked for.
    pub identity: Option<Identity>,
}

/// How much of an image is unpacked.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct UnpackedSize {
    /// Bytes of the unpacked layers.
    pub unpacked: i64,
}

/// Tells of a manifest that attests something about an image.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ManifestAttestation {
    /// Digest of the image's manifest.
    #[serde(rename = "For")]
    pub subject: String,
}

/// Says what a manifest is for.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ManifestKind {
    /// Running containers.
    Image,
    /// Attesting something about an image.
    Attestation,
    /// The engine does not know either.
    #[default]
    Unknown,
    /// A word this version does not know.
    Other(String),
}

words!(ManifestKind { Image = "image", Attestation = "attestation", Unknown = "unknown" });
