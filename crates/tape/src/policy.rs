//! Which requests a host records.

use contract::seed::Seed;
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr};

/// Which requests are recorded: `off`, `failures`, `sample:RATE`, `all`, or `failures,sample:RATE` for both.
///
/// Failures are responses of 500 or above, traps, timeouts, and limits that ended a request (413, 414 and 431 among them). Whether a
/// request is part of the sample follows from its seed, so that a retry and a replay decide alike and the guest notices nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TapePolicy {
    failures: bool,
    /// In units of 2^-64 of all requests.
    sampled: u128,
}

/// Text that is not a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` does not say what to record: write `off`, `failures`, `sample:RATE` with a rate from 0 to 1, `failures,sample:RATE`, or `all`"
)]
pub struct TapePolicyError(String);

/// All requests.
const ALL: u128 = 1 << 64;

impl TapePolicy {
    /// Nothing is recorded.
    pub const OFF: Self = Self {
        failures: false,
        sampled: 0,
    };
    /// Everything is.
    pub const ALL: Self = Self {
        failures: true,
        sampled: ALL,
    };

    /// Whether nothing is ever recorded.
    pub fn is_off(&self) -> bool {
        *self == Self::OFF
    }

    /// Whether the request with this seed is part of the sample.
    pub fn samples(&self, seed: &Seed) -> bool {
        match self.sampled {
            0 => false,
            ALL => true,
            sampled => u128::from(fraction(seed)) < sampled,
        }
    }

    /// Whether requests are recorded depending on how they end, which is known only then.
    pub fn wants_failures(&self) -> bool {
        self.failures
    }
}

/// Evenly distributed over all requests, and reveals nothing about the seed.
fn fraction(seed: &Seed) -> u64 {
    let digest = Sha256::new()
        .chain_update(b"tenon tape sample")
        .chain_update(seed.as_bytes())
        .finalize();
    digest
        .iter()
        .take(8)
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

impl FromStr for TapePolicy {
    type Err = TapePolicyError;

    fn from_str(text: &str) -> Result<Self, TapePolicyError> {
        match text {
            "off" => return Ok(Self::OFF),
            "all" => return Ok(Self::ALL),
            _ => {}
        }
        let mut policy = Self::OFF;
        for part in text.split(',') {
            match part.trim().split_once(':') {
                None if part.trim() == "failures" => policy.failures = true,
                Some(("sample", rate)) => {
                    let rate = rate
                        .parse::<f64>()
                        .ok()
                        .filter(|rate| (0.0..=1.0).contains(rate))
                        .ok_or_else(|| TapePolicyError(text.to_owned()))?;
                    // Exact for 1, and much finer than needed for other rates.
                    policy.sampled = (rate * ALL as f64) as u128;
                }
                None | Some(_) => return Err(TapePolicyError(text.to_owned())),
            }
        }
        Ok(policy)
    }
}

/// The text form that is parsed.
impl fmt::Display for TapePolicy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = self.sampled as f64 / ALL as f64;
        match (self.failures, self.sampled) {
            (false, 0) => formatter.write_str("off"),
            (true, 0) => formatter.write_str("failures"),
            (_, ALL) => formatter.write_str("all"),
            (false, _) => write!(formatter, "sample:{rate}"),
            (true, _) => write!(formatter, "failures,sample:{rate}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed(number: u32) -> Seed {
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        Seed::new(bytes)
    }

    #[test]
    fn a_policy_reads_back_as_it_is_written() {
        for text in [
            "off",
            "failures",
            "sample:0.25",
            "failures,sample:0.5",
            "all",
        ] {
            assert_eq!(text.parse::<TapePolicy>().unwrap().to_string(), text);
        }
        assert_eq!("sample:1".parse::<TapePolicy>().unwrap().to_string(), "all");
        assert!("sample:0".parse::<TapePolicy>().unwrap().is_off());
        for bad in [
            "",
            "on",
            "sample",
            "sample:",
            "sample:2",
            "sample:-1",
            "sample:NaN",
            "failures;all",
            "failures,all",
        ] {
            let error = bad.parse::<TapePolicy>().unwrap_err().to_string();
            assert!(error.contains("sample:RATE"), "{error}");
        }
    }

    #[test]
    fn a_sample_is_as_large_as_its_rate_and_always_the_same() {
        let policy: TapePolicy = "sample:0.1".parse().unwrap();
        let sampled = |policy: &TapePolicy| {
            (0..10_000)
                .filter(|number| policy.samples(&seed(*number)))
                .count()
        };
        let count = sampled(&policy);
        assert!((900..1100).contains(&count), "{count}");
        assert_eq!(count, sampled(&policy));
        assert_eq!(sampled(&TapePolicy::ALL), 10_000);
        assert_eq!(sampled(&"failures".parse().unwrap()), 0);
    }
}
