//! HMAC (RFC 2104) for tests, in which a host does it otherwise. Not in constant time.

use crate::contract::secrets::Algorithm;
use alloc::vec::Vec;
use sha2::{Digest as _, Sha256, Sha512};

/// Makes the digest of bytes.
type Hash = fn(&[u8]) -> Vec<u8>;

/// The tag of a message.
pub(crate) fn sign(algorithm: Algorithm, key: &[u8], message: &[u8]) -> Vec<u8> {
    let (hash, block_bytes): (Hash, usize) = match algorithm {
        Algorithm::Sha1 => (sha1, 64),
        Algorithm::Sha256 => (|bytes| Sha256::digest(bytes).to_vec(), 64),
        Algorithm::Sha512 => (|bytes| Sha512::digest(bytes).to_vec(), 128),
    };
    let mut block = match key.len() > block_bytes {
        true => hash(key),
        false => key.to_vec(),
    };
    block.resize(block_bytes, 0);
    let padded = |byte: u8, rest: &[u8]| {
        let pad = block.iter().map(|key| key ^ byte);
        hash(&pad.chain(rest.iter().copied()).collect::<Vec<u8>>())
    };
    padded(0x5c, &padded(0x36, message))
}

/// FIPS 180-4, 6.1.
fn sha1(message: &[u8]) -> Vec<u8> {
    let mut padded = message.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend((message.len() as u64 * 8).to_be_bytes());
    let mut hash = [
        0x6745_2301_u32,
        0xefcd_ab89,
        0x98ba_dcfe,
        0x1032_5476,
        0xc3d2_e1f0,
    ];
    for block in padded.as_chunks::<64>().0 {
        let mut words = [0; 80];
        for (word, bytes) in words.iter_mut().zip(block.as_chunks().0) {
            *word = u32::from_be_bytes(*bytes);
        }
        for at in 16..80 {
            let mixed = words[at - 3] ^ words[at - 8] ^ words[at - 14] ^ words[at - 16];
            words[at] = mixed.rotate_left(1);
        }
        let [mut a, mut b, mut c, mut d, mut e] = hash;
        for (at, word) in words.iter().enumerate() {
            let (mixed, constant) = match at {
                0..20 => (b & c | !b & d, 0x5a82_7999),
                20..40 => (b ^ c ^ d, 0x6ed9_eba1),
                40..60 => (b & c | b & d | c & d, 0x8f1b_bcdc),
                _ => (b ^ c ^ d, 0xca62_c1d6_u32),
            };
            let next = a
                .rotate_left(5)
                .wrapping_add(mixed)
                .wrapping_add(e)
                .wrapping_add(constant)
                .wrapping_add(*word);
            (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
        }
        for (sum, part) in hash.iter_mut().zip([a, b, c, d, e]) {
            *sum = sum.wrapping_add(part);
        }
    }
    hash.iter().flat_map(|word| word.to_be_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{format, string::String};

    /// RFC 2202 and RFC 4231, the second test case of each, and the sixth with a key that is longer than a block.
    #[test]
    fn tags_are_those_of_the_published_vectors() {
        let tag = |algorithm, key: &[u8], message: &[u8]| -> String {
            let tag = sign(algorithm, key, message);
            tag.iter().map(|byte| format!("{byte:02x}")).collect()
        };
        let (key, message) = (&b"Jefe"[..], &b"what do ya want for nothing?"[..]);
        let sha512 = tag(Algorithm::Sha512, key, message);
        assert!(
            sha512.starts_with("164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554")
        );
        for (algorithm, key, message, expected) in [
            (
                Algorithm::Sha1,
                key,
                message,
                "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
            ),
            (
                Algorithm::Sha256,
                key,
                message,
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                Algorithm::Sha1,
                &[0xaa; 80],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "aa4ae5e15272d00e95705637ce8a3b55ed402112",
            ),
        ] {
            assert_eq!(tag(algorithm, key, message), expected, "{algorithm:?}");
        }
    }
}
