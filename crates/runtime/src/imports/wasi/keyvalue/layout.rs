//! Where the keys of a bucket are in the store.

use ::storage::{Key, StorageError};
use contract::{digest::Digest, limits::KEYVALUE_KEY_BYTES_MAX};
use std::sync::Arc;

/// Partitions of a bucket, one for each first digit of a key's hash. Changing their number, or the hash, would lose what is stored.
pub(super) const SHARDS: u8 = 16;

/// Hexadecimal digits of the hash before a key.
const HASH_DIGITS: usize = 16;

/// Bits of a hash below those that name its shard.
const BITS_BELOW_SHARD: u32 = 60;

/// The name of the bucket that every component has; the first draft's hosts know it by the empty name, those of the second by this one.
const DEFAULT: &str = "default";

/// An open bucket.
#[derive(Clone)]
pub(super) struct Bucket(Arc<str>);

impl Bucket {
    /// The bucket with this identifier, if there is one. Buckets of other names would be known here.
    pub(super) fn of(identifier: &str) -> Option<Self> {
        matches!(identifier, "" | DEFAULT).then(|| Self(DEFAULT.into()))
    }

    /// The partition with this number.
    pub(super) fn partition(&self, shard: u8) -> String {
        format!("wasi:keyvalue/{}/{shard:x}", self.0)
    }

    /// Where a key is. Any key of at most [`KEYVALUE_KEY_BYTES_MAX`] bytes, including the empty one, has a place of its own.
    pub(super) fn place(&self, key: &str) -> Result<Key, StorageError> {
        if key.len() > KEYVALUE_KEY_BYTES_MAX {
            let length = key.len();
            return Err(StorageError::Invalid(format!(
                "the key has {length} bytes, at most {KEYVALUE_KEY_BYTES_MAX} are allowed"
            )));
        }
        let digest = Digest::of(key.as_bytes()).to_string();
        let hash = &digest[..HASH_DIGITS];
        Ok(Key {
            partition: format!("wasi:keyvalue/{}/{}", self.0, &hash[..1]),
            sort: format!("{hash}{key}"),
        })
    }
}

/// The hash and the key in a sort key; `None` if `place` has not made it.
pub(super) fn key_of(sort: &str) -> Option<(u64, &str)> {
    let (hash, key) = sort.split_at_checked(HASH_DIGITS)?;
    let is_hash = hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    let hash = is_hash.then(|| u64::from_str_radix(hash, 16).ok())??;
    Some((hash, key))
}

/// The first hash of a shard.
pub(super) fn first_of_shard(shard: u8) -> u64 {
    u64::from(shard) << BITS_BELOW_SHARD
}

/// The shard of a hash.
pub(super) fn shard_of(hash: u64) -> u8 {
    (hash >> BITS_BELOW_SHARD) as u8
}

/// The lowest sort key that a hash can have.
pub(super) fn lowest_sort(hash: u64) -> String {
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_a_place_of_its_own_from_which_it_can_be_read() {
        let bucket = Bucket::of("").unwrap();
        let longest = "k".repeat(KEYVALUE_KEY_BYTES_MAX);
        let mut places = Vec::new();
        for key in ["", "a", "A", "0123456789abcdef", "\0", "zażółć/ ", &longest] {
            let place = bucket.place(key).unwrap();
            let (hash, read) = key_of(&place.sort).unwrap();
            assert_eq!(read, key);
            assert_eq!(place.partition, bucket.partition(shard_of(hash)));
            assert!(place.sort >= lowest_sort(hash) && place.sort.len() <= 1024);
            places.push(place);
        }
        let count = places.len();
        places.sort();
        places.dedup();
        assert_eq!(places.len(), count);
        assert!(bucket.place(&(longest + "k")).is_err());
    }

    /// What is stored must be found by later releases.
    #[test]
    fn places_do_not_change() {
        let place = Bucket::of("default").unwrap().place("user:1").unwrap();
        assert_eq!(place.partition, "wasi:keyvalue/default/a");
        assert_eq!(place.sort, "abc3a47b8ad18b85user:1");
    }

    #[test]
    fn keys_are_spread_over_all_partitions() {
        let bucket = Bucket::of("default").unwrap();
        let mut counts = [0; SHARDS as usize];
        for number in 0..16_000 {
            let place = bucket.place(&format!("user:{number}")).unwrap();
            counts[shard_of(key_of(&place.sort).unwrap().0) as usize] += 1;
        }
        assert!(
            counts.iter().all(|count| (800..1200).contains(count)),
            "{counts:?}"
        );
    }

    #[test]
    fn other_names_are_no_buckets() {
        for name in ["Default", "default ", "other", "/", "default/0"] {
            assert!(Bucket::of(name).is_none(), "{name}");
        }
    }

    #[test]
    fn other_sort_keys_are_no_keys() {
        for sort in [
            "",
            "0123456789abcde",
            "+123456789abcdefx",
            "0123456789abcdżx",
        ] {
            assert_eq!(key_of(sort), None, "{sort}");
        }
    }
}
