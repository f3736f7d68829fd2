//! The signed description of a published guest: the component, its images, and their requirements.

use super::{
    format::check_format,
    signature::{PublicKeys, Purpose, SignatureError},
};
use contract::{
    compatibility::{HANDLER, Target, WASMTIME},
    digest::Digest,
};
use serde::{Deserialize, Serialize};

/// The version of this document.
const FORMAT: u32 = 1;

/// Describes a component and its images.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    format: u32,
    /// SHA-256 of the component.
    pub component: Digest,
    /// Its size.
    pub component_bytes: u64,
    /// The export that hosts call, with its version.
    pub world: String,
    /// What the component imports.
    pub imports: Vec<String>,
    /// One for each CPU, wasmtime release and configuration that it was compiled for.
    pub images: Vec<ImageRecord>,
}

/// A compiled image. Its location is derived from the component, the target and the compatibility: a manifest cannot point elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageRecord {
    /// The CPU, as `host-cli compile --target` names it.
    pub target: String,
    /// The wasmtime release.
    pub wasmtime: String,
    /// Digest of the engine's configuration, see [`Target::compatibility`].
    pub compatibility: String,
    /// SHA-256 of the image.
    pub digest: Digest,
    /// Its size.
    pub bytes: u64,
}

/// Why a manifest cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// No trusted key signed it.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// It is signed, but has an unknown format: a later release made it.
    #[error("cannot be read: {0}")]
    Payload(String),
    /// It describes another component than the requested one.
    #[error("describes component {0}")]
    OtherComponent(Digest),
    /// It is for another interface.
    #[error("is for world `{0}`, this host serves `{HANDLER}`")]
    World(String),
    /// It has no image for this host.
    #[error("has no image for {target} with wasmtime {WASMTIME} and configuration {compatibility}; it has {found}", target = .target.name(), compatibility = .target.compatibility())]
    NoImage {
        /// What this host needs.
        target: Target,
        /// What is available.
        found: String,
    },
}

impl Manifest {
    /// Describes a component that has no images yet.
    pub fn new(component: &[u8], imports: Vec<String>) -> Self {
        Self {
            format: FORMAT,
            component: Digest::of(component),
            component_bytes: component.len() as u64,
            world: HANDLER.to_owned(),
            imports,
            images: Vec::new(),
        }
    }

    /// The manifest of `component` in a signed document, after its signature was verified.
    #[expect(
        clippy::disallowed_methods,
        reason = "read into a type of named members that holds no `Value`; its signature is verified"
    )]
    pub fn open(text: &str, keys: &PublicKeys, component: Digest) -> Result<Self, ManifestError> {
        let payload = keys.verify(Purpose::Manifest, text)?;
        check_format(payload, FORMAT).map_err(ManifestError::Payload)?;
        let manifest: Self = serde_json::from_str(payload)
            .map_err(|error| ManifestError::Payload(error.to_string()))?;
        if manifest.component != component {
            return Err(ManifestError::OtherComponent(manifest.component));
        }
        Ok(manifest)
    }

    /// The image for hosts of this release on `target`.
    pub fn image(&self, target: Target) -> Result<&ImageRecord, ManifestError> {
        if self.world != HANDLER {
            return Err(ManifestError::World(self.world.clone()));
        }
        self.images
            .iter()
            .find(|image| image.is_for(target))
            .ok_or_else(|| ManifestError::NoImage {
                target,
                found: self.found(),
            })
    }

    /// Adds an image. One for the same target and configuration is replaced; those for other releases stay.
    pub fn add_image(&mut self, target: Target, image: &[u8]) {
        self.images.retain(|image| !image.is_for(target));
        self.images.push(ImageRecord {
            target: target.name().to_owned(),
            wasmtime: WASMTIME.to_owned(),
            compatibility: target.compatibility().to_owned(),
            digest: Digest::of(image),
            bytes: image.len() as u64,
        });
    }

    fn found(&self) -> String {
        let images: Vec<String> = self
            .images
            .iter()
            .map(|image| {
                format!(
                    "{} {} {}",
                    image.target, image.wasmtime, image.compatibility
                )
            })
            .collect();
        if images.is_empty() {
            "none".to_owned()
        } else {
            images.join(", ")
        }
    }
}

impl ImageRecord {
    fn is_for(&self, target: Target) -> bool {
        self.target == target.name()
            && self.wasmtime == WASMTIME
            && self.compatibility == target.compatibility()
    }
}
