//! The signed document that proves that a generation of a channel exists.

use super::{
    channel::ChannelName,
    signature::{PublicKeys, Purpose, SecretKey},
};
use serde::{Deserialize, Serialize};

/// The version of this document.
const FORMAT: u32 = 1;

/// The signed payload.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenerationRecord {
    format: u32,
    channel: ChannelName,
    generation: u64,
}

impl GenerationRecord {
    /// The record of this generation of a channel.
    pub fn new(channel: ChannelName, generation: u64) -> Self {
        Self {
            format: FORMAT,
            channel,
            generation,
        }
    }

    /// The record in a signed document, after its signature was verified. `None` if the document is not a record signed by a trusted key.
    #[expect(
        clippy::disallowed_methods,
        reason = "read into a type of named members that holds no `Value`; its signature is verified"
    )]
    pub fn open(bytes: &[u8], keys: &PublicKeys) -> Option<Self> {
        let text = str::from_utf8(bytes).ok()?;
        let payload = keys.verify(Purpose::Generation, text).ok()?;
        serde_json::from_str(payload).ok()
    }

    /// The signed document.
    pub fn sign(&self, key: &SecretKey) -> serde_json::Result<String> {
        key.sign(Purpose::Generation, self)
    }
}
