//! Releases of guests: signed documents, the stores that hold them, and how a channel changes.
//!
//! A guest is published once, as an immutable set of artifacts that are named by content ([`ArtifactName`]): the component, one image for each
//! CPU, and a signed [`Manifest`] with their digests. A [`Channel`] is one small signed document that says which published guests answer which
//! requests; [`promote`] and [`rollback`] make its next generation, and a [`ChannelStore`] replaces it under a condition. The crate `rollout`
//! follows channels.
//!
//! No store is trusted. A document is accepted if one of the host's public keys signed it for its purpose; an image is loaded
//! if a signed manifest contains its digest. Somebody who can write to a channel's store can prevent hosts from seeing new releases and new
//! hosts from starting. `docs/operations.md` says what an old signed document that is put back can do.
//!
//! ```
//! use release::{PublicKeys, Purpose, SecretKey};
//!
//! // Any document: signed for one purpose, and invalid for any other.
//! let key = SecretKey::new(&[7; 32]);
//! let text = key.sign(Purpose::Manifest, &"a payload")?;
//! let keys = PublicKeys::of(&key);
//! assert_eq!(keys.verify(Purpose::Manifest, &text), Ok(r#""a payload""#));
//! assert!(keys.verify(Purpose::Channel, &text).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "tests read what they or the hosts wrote"
    )
)]
#![warn(missing_docs)]

mod artifact;
mod artifact_store;
mod change;
mod channel;
mod channel_store;
mod folder;
mod format;
mod generation;
mod manifest;
mod record;
mod signature;

pub use self::{
    artifact::ArtifactName,
    artifact_store::{ArtifactStore, FolderArtifacts, MANIFESTS, Put, digest_of_manifest},
    change::{ChangeError, Promotion, Signing, promote, rollback, rollback_to, rolled_back_in},
    channel::{Channel, ChannelError, ChannelName, ChannelNameError, Route, RouteLimits, Share},
    channel_store::{ChannelStore, FlipError, FolderChannels},
    folder::StoreError,
    generation::{
        InvalidRecord, NewestRecord, RecordError, RecordState, Successor, newest_record,
        record_generation, record_state, successor,
    },
    manifest::{ImageRecord, Manifest, ManifestError},
    record::GenerationRecord,
    signature::{KeyError, KeyId, PublicKey, PublicKeys, Purpose, SecretKey, SignatureError},
};
