//! Cursors: sealed positions. A guest cannot read or create one, or use one for another query than the one that returned it.
//!
//! A position says where an item is in the store, including its namespace. It is encrypted with a synthetic nonce, as in AES-SIV (RFC 5297)
//! with other primitives: an HMAC over the query and the position authenticates both, and the encryption key is derived from it. So the
//! same position of the same query has the same cursor, on every host with the key and in every replay, and nothing is random.

use super::{Direction, QueryOptions, SortRange, StorageError};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};
use sha2::Sha256;
use std::fmt;

/// Bytes of the authentication tag at the beginning of a cursor: 128 bits cannot be guessed over a network.
const TAG_BYTES: usize = 16;

/// 32 secret bytes that seal cursors. Hosts that share a store share the key, so that a cursor is valid on all of them.
#[derive(Clone, PartialEq, Eq)]
pub struct CursorKey([u8; 32]);

impl CursorKey {
    /// A key from bytes, which should come from the operating system's generator unless cursors must be reproducible.
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
    /// The partition, including its namespace.
    pub(super) partition: &'a str,
    pub(super) options: &'a QueryOptions,
}

impl Binding<'_> {
    /// The cursor for a backend's position.
    pub(super) fn seal(&self, key: &CursorKey, position: &str) -> Result<String, StorageError> {
        let mac = self.mac(key, position.as_bytes())?.finalize().into_bytes();
        let mut bytes = mac[..TAG_BYTES].to_vec();
        bytes.extend_from_slice(position.as_bytes());
        let (tag, position) = bytes.split_at_mut(TAG_BYTES);
        encrypt(key, tag, position)?;
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The backend's position of a cursor.
    pub(super) fn open(&self, key: &CursorKey, cursor: &str) -> Result<String, StorageError> {
        let invalid =
            || StorageError::Invalid("the cursor does not belong to this query".to_owned());
        let mut bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| invalid())?;
        let (tag, position) = bytes.split_at_mut_checked(TAG_BYTES).ok_or_else(invalid)?;
        encrypt(key, tag, position)?;
        self.mac(key, position)?
            .verify_truncated_left(tag)
            .map_err(|_| invalid())?;
        String::from_utf8(position.to_vec()).map_err(|_| invalid())
    }

    /// Each part is preceded by its length, so that different queries never give the same bytes.
    fn mac(&self, key: &CursorKey, position: &[u8]) -> Result<Hmac<Sha256>, StorageError> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key.0).map_err(|_| StorageError::Internal)?;
        let mut part = |bytes: &[u8]| {
            mac.update(&(bytes.len() as u64).to_be_bytes());
            mac.update(bytes);
        };
        part(b"tenon cursor 2");
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

/// Encrypts or decrypts in place, with a different key for each tag.
fn encrypt(key: &CursorKey, tag: &[u8], position: &mut [u8]) -> Result<(), StorageError> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key.0).map_err(|_| StorageError::Internal)?;
    // Inputs of the other use never begin like this: they begin with a length of eight bytes.
    mac.update(b"tenon cursor encryption");
    mac.update(tag);
    let mut keystream = vec![0; position.len()];
    ChaCha20Rng::from_seed(mac.finalize().into_bytes().into()).fill_bytes(&mut keystream);
    for (byte, mask) in position.iter_mut().zip(keystream) {
        *byte ^= mask;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARTITION: &str = "namespace#category/secret";

    fn options() -> QueryOptions {
        QueryOptions {
            range: SortRange::All,
            direction: Direction::Ascending,
            limit: 1,
            cursor: None,
        }
    }

    #[test]
    fn nothing_of_a_position_can_be_read() {
        let options = options();
        let binding = Binding {
            function: "query-index",
            partition: PARTITION,
            options: &options,
        };
        let position = "5:14:itemsnamespace#items0123456789";
        for key in [[0; 32], [7; 32]].map(CursorKey::new) {
            let cursor = binding.seal(&key, position).unwrap();
            let bytes = URL_SAFE_NO_PAD.decode(&cursor).unwrap();
            for part in position.as_bytes().windows(4) {
                assert!(!bytes.windows(4).any(|found| found == part), "{cursor}");
            }
            assert_eq!(binding.open(&key, &cursor).as_deref(), Ok(position));
            assert_eq!(
                binding.seal(&key, position),
                Ok(cursor),
                "the same at every replay"
            );
        }
    }

    #[test]
    fn equal_starts_of_positions_do_not_show() {
        let options = options();
        let binding = Binding {
            function: "query",
            partition: PARTITION,
            options: &options,
        };
        let key = CursorKey::new([7; 32]);
        let cursors = ["0123456789abcdef0", "0123456789abcdef1"]
            .map(|position| URL_SAFE_NO_PAD.decode(binding.seal(&key, position).unwrap()));
        let [one, other] = cursors.map(Result::unwrap);
        let equal = one.iter().zip(&other).filter(|(one, other)| one == other);
        assert!(equal.count() < 4);
    }

    #[test]
    fn a_cursor_of_another_key_or_with_a_changed_byte_is_refused() {
        let options = options();
        let binding = Binding {
            function: "query",
            partition: PARTITION,
            options: &options,
        };
        let key = CursorKey::new([7; 32]);
        let cursor = binding.seal(&key, "s1").unwrap();
        assert!(binding.open(&CursorKey::new([8; 32]), &cursor).is_err());
        let bytes = URL_SAFE_NO_PAD.decode(&cursor).unwrap();
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            let changed = URL_SAFE_NO_PAD.encode(changed);
            assert!(binding.open(&key, &changed).is_err(), "byte {index}");
        }
        assert!(binding.open(&key, "").is_err());
    }
}
