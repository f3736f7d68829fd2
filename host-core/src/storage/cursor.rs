//! Cursors: signed positions. A guest cannot make one, nor use one for another query than it was given for.

use super::{Direction, QueryOptions, SortRange, StorageError};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;

/// Bytes of the signature that a cursor carries: 128 bits cannot be guessed over a network.
const SIGNATURE_BYTES: usize = 16;

/// 32 secret bytes that sign cursors. Hosts that share a store share the key, so that a cursor works on all of them.
#[derive(Clone, PartialEq, Eq)]
pub struct CursorKey([u8; 32]);

impl CursorKey {
    /// A key from bytes, which should come from the operating system's generator unless cursors are to be reproduced.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

/// Never shows the bytes: the key is secret.
impl fmt::Debug for CursorKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CursorKey(..)")
    }
}

/// What a cursor is bound to.
#[derive(Clone, Copy)]
pub(super) struct Binding<'a> {
    /// `query` or `query-index`.
    pub(super) function: &'static str,
    /// The partition with its namespace.
    pub(super) partition: &'a str,
    pub(super) options: &'a QueryOptions,
}

impl Binding<'_> {
    /// The cursor for a backend's position.
    pub(super) fn sign(&self, key: &CursorKey, position: &str) -> Result<String, StorageError> {
        let signature = self.mac(key, position.as_bytes())?.finalize().into_bytes();
        let mut bytes = signature[..SIGNATURE_BYTES].to_vec();
        bytes.extend_from_slice(position.as_bytes());
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The backend's position of a cursor.
    pub(super) fn verify(&self, key: &CursorKey, cursor: &str) -> Result<String, StorageError> {
        let invalid =
            || StorageError::Invalid("the cursor does not belong to this query".to_owned());
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| invalid())?;
        let (signature, position) = bytes
            .split_at_checked(SIGNATURE_BYTES)
            .ok_or_else(invalid)?;
        self.mac(key, position)?
            .verify_truncated_left(signature)
            .map_err(|_| invalid())?;
        String::from_utf8(position.to_vec()).map_err(|_| invalid())
    }

    /// Each part goes in with its length before it, so that no two queries give the same bytes.
    fn mac(&self, key: &CursorKey, position: &[u8]) -> Result<Hmac<Sha256>, StorageError> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key.0).map_err(|_| StorageError::Internal)?;
        let mut part = |bytes: &[u8]| {
            mac.update(&(bytes.len() as u64).to_be_bytes());
            mac.update(bytes);
        };
        part(b"tenon cursor 1");
        part(self.function.as_bytes());
        part(self.partition.as_bytes());
        part(match self.options.direction {
            Direction::Ascending => b"ascending",
            Direction::Descending => b"descending",
        });
        let (name, lower, upper) = match &self.options.range {
            SortRange::All => ("all", "", ""),
            SortRange::Prefix(prefix) => ("prefix", prefix.as_str(), ""),
            SortRange::Between(lower, upper) => ("between", lower.as_str(), upper.as_str()),
            SortRange::AtLeast(lower) => ("at-least", lower.as_str(), ""),
            SortRange::AtMost(upper) => ("at-most", "", upper.as_str()),
        };
        part(name.as_bytes());
        part(lower.as_bytes());
        part(upper.as_bytes());
        part(position);
        Ok(mac)
    }
}
