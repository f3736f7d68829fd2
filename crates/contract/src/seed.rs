//! The seed of one request. Everything random in the request is derived from it, so that a replay repeats it.

use crate::hexadecimal;
use rand_chacha::{
    ChaCha12Rng,
    rand_core::{Rng, SeedableRng},
};
use std::{fmt, str::FromStr};

/// 32 secret bytes, different for each request. Anyone who knows a seed knows what the guest drew from `wasi:random`.
#[derive(Clone, PartialEq, Eq)]
pub struct Seed([u8; 32]);

/// Independent streams of one seed, so that drawing random numbers does not change the revisions of a guest's writes.
#[derive(Clone, Copy)]
enum Stream {
    Guest = 0,
    Revisions = 1,
    RequestId = 2,
    Backoffs = 3,
}

impl Seed {
    /// A seed from bytes, which should come from the operating system's generator unless a run must be reproducible.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for a tape.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The generator behind `wasi:random`.
    pub fn guest_random(&self) -> ChaCha12Rng {
        self.stream(Stream::Guest)
    }

    /// The generator behind storage revisions.
    pub fn revisions(&self) -> ChaCha12Rng {
        self.stream(Stream::Revisions)
    }

    /// The generator of the delays before retries of storage calls.
    pub fn backoffs(&self) -> ChaCha12Rng {
        self.stream(Stream::Backoffs)
    }

    /// A request id for an event that has none: 32 hexadecimal digits.
    pub fn request_id(&self) -> String {
        let mut random = self.stream(Stream::RequestId);
        // Drawn before anything is written, because drawing in the same loop would take four times as long.
        let halves = [random.next_u64(), random.next_u64()];
        let mut id = String::with_capacity(32);
        for half in halves {
            hexadecimal::push(&mut id, half.to_be_bytes());
        }
        id
    }

    fn stream(&self, stream: Stream) -> ChaCha12Rng {
        let mut random = ChaCha12Rng::from_seed(self.0);
        random.set_stream(stream as u64);
        random
    }
}

/// Never shows the bytes: seeds are secret.
impl fmt::Debug for Seed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Seed(..)")
    }
}

/// Text that is not a seed.
#[derive(Debug, thiserror::Error)]
#[error("a seed is 64 hexadecimal digits")]
pub struct SeedError;

/// Reads 64 hexadecimal digits.
impl FromStr for Seed {
    type Err = SeedError;

    fn from_str(text: &str) -> Result<Self, SeedError> {
        hexadecimal::read(text).map(Self).ok_or(SeedError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_reproducible_and_differ() {
        let seed = Seed::new([7; 32]);
        assert_eq!(
            seed.guest_random().next_u64(),
            seed.guest_random().next_u64()
        );
        assert_ne!(seed.guest_random().next_u64(), seed.revisions().next_u64());
        assert_eq!(seed.request_id().len(), 32);
    }

    #[test]
    fn a_seed_reads_from_hexadecimal_only() {
        let text = "0f".repeat(32);
        assert_eq!(text.parse::<Seed>().unwrap().as_bytes(), &[15; 32]);
        assert!("0f".parse::<Seed>().is_err());
        assert!("é".repeat(32).parse::<Seed>().is_err());
    }
}
