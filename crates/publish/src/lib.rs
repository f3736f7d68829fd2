//! Publishes a guest: checks it as a host would, compiles it for every CPU, signs a manifest and uploads everything. Publishing again changes
//! nothing.
//!
//! ```no_run
//! use release::{FolderArtifacts, SecretKey};
//! use runtime::engine::{Engine, EngineOptions};
//! use std::path::Path;
//!
//! # async fn example(key: SecretKey) -> Result<(), Box<dyn std::error::Error>> {
//! let engine = Engine::new(&EngineOptions::default())?;
//! let component = std::fs::read("guest.wasm")?;
//! let store = FolderArtifacts::new(Path::new("artifacts"));
//! let published = publish::publish(&engine, &component, &store, &key).await?;
//! println!("published {}", published.digest);
//! # Ok(())
//! # }
//! ```
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "tests read what they or the hosts wrote"
    )
)]
#![warn(missing_docs)]

use contract::{compatibility::Target, digest::Digest, limits::COMPONENT_BYTES_MAX};
use release::{
    ArtifactName, ArtifactStore, Manifest, ManifestError, PublicKeys, Purpose, Put, SecretKey,
    SignatureError, StoreError,
};
use runtime::{
    Runtime, RuntimeOptions,
    engine::{self, Engine, LoadError},
};

/// The CPUs that every guest is compiled for.
const TARGETS: [Target; 2] = [Target::X86_64, Target::Aarch64];

/// What was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// SHA-256 of the component, which identifies it from now on.
    pub digest: Digest,
    /// Each artifact with the result of its upload, in order.
    pub artifacts: Vec<(ArtifactName, Put)>,
}

/// Why a guest was not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// It is an image, which cannot be compiled for another CPU or checked.
    #[error("a guest is published as a component, not as an image")]
    Image,
    /// Hosts would not accept it.
    #[error("the component has {0} bytes, {COMPONENT_BYTES_MAX} are allowed")]
    TooLarge(usize),
    /// No host could run it.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A manifest exists that no trusted key signed.
    #[error("a manifest of this component already exists, and it {0}")]
    Manifest(ManifestError),
    /// Another key signed the existing manifest. Hosts that trust only that key would refuse a manifest signed by this key.
    #[error(
        "the manifest of this component is signed by another key, `{0}`, and hosts may depend on it"
    )]
    OtherKey(String),
    /// The manifest cannot be encoded.
    #[error("failed to write the manifest: {0}")]
    Document(#[from] serde_json::Error),
    /// The store reported an error.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Publishes `component`. The manifest is uploaded last, so an interrupted publication is invisible, and the next attempt completes it.
/// Images that an existing manifest describes are not replaced, because a host may be fetching them.
pub async fn publish(
    engine: &Engine,
    component: &[u8],
    store: &dyn ArtifactStore,
    key: &SecretKey,
) -> Result<Published, PublishError> {
    publish_replacing(engine, component, store, key, &PublicKeys::of(key)).await
}

/// The same, if any of `keys` may have signed the existing manifest and thereby the digests of its images; from now on `key` signs it. For
/// key rotation: hosts must trust both keys before.
pub async fn publish_replacing(
    engine: &Engine,
    component: &[u8],
    store: &dyn ArtifactStore,
    key: &SecretKey,
    keys: &PublicKeys,
) -> Result<Published, PublishError> {
    let imports = check(engine, component)?;
    let digest = Digest::of(component);
    let mut artifacts = Vec::new();
    let (mut manifest, is_signed) = match open(store, key, keys, digest).await? {
        Some(opened) => opened,
        None => (Manifest::new(component, imports), false),
    };
    let name = ArtifactName::Component(digest);
    artifacts.push((name, put_component(store, name, component).await?));
    let mut changed = !is_signed;
    for target in TARGETS {
        let name = ArtifactName::Image(digest, target);
        let mut put = Put::Unchanged;
        if !holds_image(store, &manifest, target, name).await? {
            let image = engine::compile(component, target)?;
            manifest.add_image(target, &image);
            store.put(name, &image).await?;
            (put, changed) = (Put::Written, true);
        }
        artifacts.push((name, put));
    }
    let name = ArtifactName::Manifest(digest);
    let mut put = Put::Unchanged;
    if changed {
        let text = key.sign(Purpose::Manifest, &manifest)?;
        store.put(name, text.as_bytes()).await?;
        put = Put::Written;
    }
    artifacts.push((name, put));
    Ok(Published { digest, artifacts })
}

/// The component's imports, if a host of this release can run it.
fn check(engine: &Engine, component: &[u8]) -> Result<Vec<String>, PublishError> {
    if component.len() > COMPONENT_BYTES_MAX {
        return Err(PublishError::TooLarge(component.len()));
    }
    let candidate = match engine.read_component(component) {
        Err(LoadError::NativeCode) => return Err(PublishError::Image),
        candidate => candidate?,
    };
    let imports = candidate.inspection().imports.iter();
    let imports = imports.map(|import| import.name.clone()).collect();
    // Grants belong to where it will run.
    let options = RuntimeOptions::without_check_of_grants();
    Runtime::new(engine, &candidate.accept()?, options)?;
    Ok(imports)
}

/// The existing manifest, and whether `key` itself signed it.
async fn open(
    store: &dyn ArtifactStore,
    key: &SecretKey,
    keys: &PublicKeys,
    digest: Digest,
) -> Result<Option<(Manifest, bool)>, PublishError> {
    let text = match store.get(ArtifactName::Manifest(digest)).await {
        Ok(text) => text,
        Err(StoreError::Missing(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let text = String::from_utf8_lossy(&text);
    // Signing again vouches for what the previous manifest says, so only one that a trusted key signed is reused.
    match Manifest::open(&text, keys, digest) {
        Ok(manifest) => {
            let own = PublicKeys::of(key).verify(Purpose::Manifest, &text);
            Ok(Some((manifest, own.is_ok())))
        }
        Err(ManifestError::Signature(SignatureError::UnknownKey(other))) => {
            Err(PublishError::OtherKey(other))
        }
        // No trusted key signed it: write a new one.
        Err(ManifestError::Signature(SignatureError::Unsigned(_) | SignatureError::Wrong)) => {
            Ok(None)
        }
        Err(error) => Err(PublishError::Manifest(error)),
    }
}

/// Whether the image that the manifest describes exists and is undamaged.
async fn holds_image(
    store: &dyn ArtifactStore,
    manifest: &Manifest,
    target: Target,
    name: ArtifactName,
) -> Result<bool, PublishError> {
    let Ok(record) = manifest.image(target) else {
        return Ok(false);
    };
    match store.get(name).await {
        Ok(image) => Ok(Digest::of(&image) == record.digest),
        Err(StoreError::Missing(_) | StoreError::TooLarge { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

async fn put_component(
    store: &dyn ArtifactStore,
    name: ArtifactName,
    component: &[u8],
) -> Result<Put, PublishError> {
    match store.get(name).await {
        Ok(bytes) if bytes == component => Ok(Put::Unchanged),
        // Names are derived from content, so only a damaged store can have something else here: write it again.
        Ok(_) | Err(StoreError::Missing(_)) => {
            store.put(name, component).await?;
            Ok(Put::Written)
        }
        Err(error) => Err(error.into()),
    }
}
