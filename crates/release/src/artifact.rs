//! The location of an artifact: a name derived from its content, which no document can choose.

use contract::{
    compatibility::Target,
    digest::Digest,
    limits::{COMPONENT_BYTES_MAX, GENERATION_BYTES_MAX, IMAGE_BYTES_MAX, MANIFEST_BYTES_MAX},
};
use std::fmt;

/// The name of an artifact, relative to the prefix of its store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArtifactName {
    /// `components/DIGEST.wasm`: the component.
    Component(Digest),
    /// `images/DIGEST/TARGET-COMPATIBILITY.cwasm`: the component's image for one CPU and one configuration of the engine.
    Image(Digest, Target),
    /// `manifests/DIGEST.json`: the signed description of a component and its images.
    Manifest(Digest),
    /// `generations/DIGEST/NUMBER.json`: the signed record that this generation of a channel exists; the digest is that of the channel's
    /// name.
    Generation(Digest, u64),
}

impl ArtifactName {
    /// Largest artifact of this kind that is read or written.
    pub fn bytes_max(self) -> usize {
        match self {
            Self::Component(_) => COMPONENT_BYTES_MAX,
            Self::Image(..) => IMAGE_BYTES_MAX,
            Self::Manifest(_) => MANIFEST_BYTES_MAX,
            Self::Generation(..) => GENERATION_BYTES_MAX,
        }
    }
}

/// The path below the prefix; consists of digits, letters, `-`, `/` and `.` only.
impl fmt::Display for ArtifactName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Component(digest) => write!(formatter, "components/{digest}.wasm"),
            Self::Image(digest, target) => write!(
                formatter,
                "images/{digest}/{}-{}.cwasm",
                target.name(),
                target.compatibility()
            ),
            Self::Manifest(digest) => write!(formatter, "manifests/{digest}.json"),
            Self::Generation(channel, number) => {
                write!(formatter, "generations/{channel}/{number}.json")
            }
        }
    }
}
