//! Releases: guests that change while the host stays.
//!
//! A guest is published once, as an immutable set of artifacts named by content ([`ArtifactName`]): the component, one image for each
//! CPU, and a signed [`Manifest`] that holds their digests. A [`Channel`] is one small signed document that says which published
//! guests answer which requests; flipping it is a conditional write of the next generation. A [`Follower`] looks at the channel while
//! requests go on, prepares what it names completely, and only then puts it in the place of what served before.
//!
//! Nothing is believed because of where it lies. A document counts when one of the host's public keys signed it, for its purpose; an
//! image is loaded when a signed manifest holds its digest. Whoever can write to the store of the channel can keep hosts from seeing new
//! releases, and can keep new hosts from starting. What an old signed document that is put back can do is in docs/operations.md.
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
mod generation;
mod manifest;
mod record;
mod signature;

pub use self::{
    artifact::ArtifactName,
    artifact_store::{ArtifactStore, FolderArtifacts, MANIFESTS, Put, digest_of_manifest},
    change::{ChangeError, Promotion, Signing, promote, rollback, rollback_to, rolled_back_in},
    channel::{Channel, ChannelError, ChannelName, InvalidChannelName, Route, RouteLimits, Share},
    channel_store::{ChannelStore, FlipError, FolderChannels},
    folder::StoreError,
    generation::{
        InvalidRecord, NewestRecord, RecordError, RecordState, Successor, newest_record,
        record_generation, record_state, successor,
    },
    manifest::{ImageRecord, Manifest, ManifestError},
    record::GenerationRecord,
    signature::{InvalidKey, KeyId, PublicKey, PublicKeys, Purpose, SecretKey, SignatureError},
};
