//! Ids of items.

use alloc::{format, string::String};

const CHARACTERS_MAX: usize = 64;

/// Whether this is a valid id of an item: 1 to 64 characters of `[A-Za-z0-9_-]`, which need no encoding in a path.
pub fn is_valid(id: &str) -> bool {
    (1..=CHARACTERS_MAX).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// A UUID of version 7 (RFC 9562, 5.7), so that the order of ids, and of lists, is the order of creation.
pub fn uuid_v7(ms_since_epoch: u64, random: [u64; 2]) -> String {
    let high = ms_since_epoch << 16 | 0x7000 | random[0] & 0x0fff;
    let low = 1 << 63 | random[1] >> 2;
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuid_has_time_version_and_variant_in_their_places() {
        // The example of RFC 9562, A.6.
        let id = uuid_v7(0x017f_22e2_79b0, [0xcc3, 0x18c4_dc0c_0c07_398f << 2]);
        assert_eq!(id, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
        assert!(is_valid(&id));
    }

    #[test]
    fn ids_are_plain_characters() {
        assert!(is_valid("a"));
        assert!(is_valid(&"-".repeat(64)));
        for id in ["", "a b", "a/b", "é", ".", &"a".repeat(65)] {
            assert!(!is_valid(id), "{id}");
        }
    }
}
