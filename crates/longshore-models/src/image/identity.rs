//! Where an image comes from, as far as the engine has verified it.

use crate::Timestamp;
use crate::decode::Decode;
use crate::open_enum::words;

/// Tells where an image comes from. Giving the image another name does not change it.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Identity {
    /// Signatures that were verified, or could not be.
    pub signature: Vec<SignatureIdentity>,
    /// Repositories it was pulled from or pushed to.
    pub pull: Vec<PullIdentity>,
    /// Builds on this engine that made it.
    pub build: Vec<BuildIdentity>,
}

/// Names a build that made an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct BuildIdentity {
    /// Id of the build in BuildKit's history.
    #[serde(rename = "Ref")]
    pub reference: String,
    /// When it ran.
    pub created_at: Timestamp,
}

/// Names a repository that an image was pulled from or pushed to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct PullIdentity {
    /// Name of the repository; of the original one, if a mirror gave it.
    pub repository: String,
}

/// Tells of a signature of an image.
#[derive(Debug, Clone, Default, PartialEq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct SignatureIdentity {
    /// What kind of signature it is, for people.
    pub name: String,
    /// Proofs of when it was made.
    pub timestamps: Vec<SignatureTimestamp>,
    /// Who signed, if the engine knows them by name.
    pub known_signer: Option<KnownSigner>,
    /// Reference that was signed; only older signatures have it.
    pub docker_reference: String,
    /// Certificate of who signed.
    pub signer: Option<SignerIdentity>,
    /// Format of the signature; `None` if it could not be verified.
    pub signature_type: Option<SignatureType>,
    /// Why it could not be verified; all else is empty then.
    pub error: String,
    /// What was odd about verifying it.
    pub warnings: Vec<String>,
}

/// Proves when a signature was made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct SignatureTimestamp {
    /// Who vouches for it.
    #[serde(rename = "Type")]
    pub kind: SignatureTimestampType,
    /// Where they can be asked.
    #[serde(rename = "URI")]
    pub uri: String,
    /// When it was made.
    pub timestamp: Timestamp,
}

/// Names the certificate of who signed an image. What a field says comes from the certificate's extensions of Fulcio.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct SignerIdentity {
    /// Who issued the certificate.
    pub certificate_issuer: String,
    /// Whom it was issued to: an address or a workflow.
    pub subject_alternative_name: String,
    /// Who checked their identity (OIDC issuer).
    pub issuer: String,
    /// Instructions of the build that signed.
    #[serde(rename = "BuildSignerURI")]
    pub build_signer_uri: String,
    /// Version of these instructions.
    pub build_signer_digest: String,
    /// Whether the build ran on its platform's machines or on others.
    pub runner_environment: String,
    /// Repository of the source.
    #[serde(rename = "SourceRepositoryURI")]
    pub source_repository_uri: String,
    /// Version of the source.
    pub source_repository_digest: String,
    /// Branch or tag of the source.
    pub source_repository_ref: String,
    /// Id of the repository that never changes.
    pub source_repository_identifier: String,
    /// Owner of the repository.
    #[serde(rename = "SourceRepositoryOwnerURI")]
    pub source_repository_owner_uri: String,
    /// Id of the owner that never changes.
    pub source_repository_owner_identifier: String,
    /// Instructions that the build began with.
    #[serde(rename = "BuildConfigURI")]
    pub build_config_uri: String,
    /// Version of these instructions.
    pub build_config_digest: String,
    /// What began the build.
    pub build_trigger: String,
    /// This one run of the build.
    #[serde(rename = "RunInvocationURI")]
    pub run_invocation_uri: String,
    /// Who could see the repository when it was signed.
    pub source_repository_visibility_at_signing: String,
}

/// Says who vouches for when a signature was made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SignatureTimestampType {
    /// A transparency log.
    TransparencyLog,
    /// An authority that signs times.
    TimestampAuthority,
    /// A word this version does not know; empty if the engine told none.
    Other(String),
}

words!(SignatureTimestampType { TransparencyLog = "Tlog", TimestampAuthority = "TimestampAuthority" });

impl Default for SignatureTimestampType {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

/// Says in which format an image was signed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SignatureType {
    /// A bundle of Sigstore.
    BundleV03,
    /// A simple signing payload beside the image.
    SimpleSigningV1,
    /// A word this version does not know; empty if the engine told none.
    Other(String),
}

words!(SignatureType { BundleV03 = "bundle-v0.3", SimpleSigningV1 = "simplesigning-v1" });

impl Default for SignatureType {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

/// Names a signer that engines know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KnownSigner {
    /// Docker's hardened images.
    DockerHardenedImages,
    /// A word this version does not know; empty if the engine told none.
    Other(String),
}

words!(KnownSigner { DockerHardenedImages = "DHI" });

impl Default for KnownSigner {
    fn default() -> Self {
        Self::Other(String::new())
    }
}
