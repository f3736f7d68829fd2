//! Randomness of a request, which follows from its seed.

use crate::host::Host;
use alloc::{format, string::String};
use core::fmt;

/// Unpredictable numbers. They follow from the request's seed, so that a replay draws the same.
#[derive(Clone)]
pub struct Random {
    host: Host,
}

impl Random {
    pub(crate) fn new(host: Host) -> Self {
        Self { host }
    }

    /// 64 random bits.
    pub fn next_u64(&self) -> u64 {
        self.host.random_u64()
    }

    /// A number from 0 to `bound - 1`, each as likely as the others; 0 if `bound` is 0.
    pub fn below(&self, bound: u64) -> u64 {
        // Numbers above the last whole multiple of `bound` would make the first ones more likely.
        let limit = u64::MAX - u64::MAX % bound.max(1);
        loop {
            let number = self.next_u64();
            if number < limit {
                return number % bound.max(1);
            }
        }
    }

    /// Fills `bytes`.
    pub fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let random = self.next_u64().to_le_bytes();
            let length = chunk.len();
            chunk.copy_from_slice(&random[..length]);
        }
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Random(..)")
    }
}

/// A UUID of version 7 (RFC 9562, 5.7), so that the order of ids is the order of creation.
pub(crate) fn uuid_v7(ms_since_epoch: u64, random: &Random) -> String {
    format_uuid(ms_since_epoch, [random.next_u64(), random.next_u64()])
}

fn format_uuid(ms_since_epoch: u64, random: [u64; 2]) -> String {
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
        let id = format_uuid(0x017f_22e2_79b0, [0xcc3, 0x18c4_dc0c_0c07_398f << 2]);
        assert_eq!(id, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    }
}
