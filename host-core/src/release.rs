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

//!
//! Documents can be read without a runtime (`release-documents`); whoever follows them has one (`release`).

mod artifact;
mod channel;
mod manifest;
mod record;
mod signature;

#[cfg(feature = "release")]
mod artifact_store;
#[cfg(feature = "release")]
mod breaker;
#[cfg(feature = "release")]
mod change;
#[cfg(feature = "release")]
mod channel_store;
#[cfg(feature = "release")]
mod fleet;
#[cfg(feature = "release")]
mod folder;
#[cfg(feature = "release")]
mod follow;
#[cfg(feature = "release")]
mod generation;
#[cfg(feature = "release")]
mod prepare;
#[cfg(all(feature = "release", feature = "compiler"))]
mod publish;
#[cfg(feature = "release")]
mod report;
#[cfg(feature = "release")]
mod sticky;

pub use self::{
    artifact::ArtifactName,
    channel::{Channel, ChannelError, ChannelName, InvalidChannelName, Route, RouteLimits, Share},
    manifest::{ImageRecord, Manifest, ManifestError},
    record::GenerationRecord,
    signature::{InvalidKey, KeyId, PublicKey, PublicKeys, Purpose, SecretKey, SignatureError},
};
#[cfg(feature = "release")]
pub use self::{
    artifact_store::{ArtifactStore, FolderArtifacts, Put},
    change::{ChangeError, Promotion, Signing, promote, rollback, rollback_to, rolled_back_in},
    channel_store::{ChannelStore, FlipError, FolderChannels},
    folder::StoreError,
    follow::{Follower, Following, NoGuest},
    generation::{
        InvalidRecord, NewestRecord, RecordError, RecordState, newest_record, record_generation,
        record_state,
    },
    prepare::{HostContext, PrepareError, Views},
    report::{ChannelReport, FollowError, Look},
};
#[cfg(feature = "s3")]
pub use artifact_store::{InvalidLocation, S3Artifacts, S3Location, S3Request};
#[cfg(all(feature = "release", feature = "dynamodb"))]
pub use channel_store::TableChannels;
#[cfg(all(feature = "release", feature = "compiler"))]
pub use publish::{PublishError, Published, publish, publish_replacing};
