//! The signed document that says that a generation of a channel exists.

use super::{
    channel::ChannelName,
    signature::{PublicKeys, Purpose, SecretKey},
};
use serde::{Deserialize, Serialize};

/// The version of this document.
const FORMAT: u32 = 1;

/// What is signed.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenerationRecord {
    format: u32,
    channel: ChannelName,
    generation: u64,
}

impl GenerationRecord {
    /// Of this generation of a channel.
    pub fn new(channel: ChannelName, generation: u64) -> Self {
        Self {
            format: FORMAT,
            channel,
            generation,
        }
    }

    /// The record in a signed document, once its signature was found good. `None`: whatever it is, it is no record that a trusted key signed.
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
