//! When an event arrived, its seed, and how long it may take.

use contract::seed::Seed;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The time and the seed of a request.
#[derive(Debug)]
pub struct TimeAndSeed {
    /// Milliseconds since the Unix epoch at which the event was received.
    pub received_at_ms: u64,
    /// Source of everything random in the request.
    pub seed: Seed,
}

/// The source of times and seeds. Injected, so that tests can repeat them.
pub trait TimeAndSeedSource: Send + Sync + 'static {
    /// Time and seed of the request that `event` is.
    fn of(&self, event: &[u8]) -> Result<TimeAndSeed, RandomnessError>;
}

/// The system's clock and random numbers.
#[derive(Clone, Copy, Debug)]
pub struct SystemSource;

/// The operating system has no random numbers.
#[derive(Debug)]
pub struct RandomnessError;

impl TimeAndSeedSource for SystemSource {
    fn of(&self, _: &[u8]) -> Result<TimeAndSeed, RandomnessError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|_| RandomnessError)?;
        Ok(TimeAndSeed {
            received_at_ms: now_ms(),
            seed: Seed::new(bytes),
        })
    }
}

/// Milliseconds since the Unix epoch.
pub fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        })
}

/// The longest timeout of a Lambda function (AWS: Lambda quotas).
const INVOCATION_DURATION_MAX: Duration = Duration::from_secs(900);

/// Reserved at the end of an invocation for sending the response.
const ANSWER_DURATION: Duration = Duration::from_millis(100);

/// When the response must be ready: before the invocation ends, and within `duration_max`. Emulators send end times in the past or far in
/// the future; then only `duration_max` applies.
pub fn deadline(
    invocation_ends_ms: u64,
    now_ms: u64,
    now: Instant,
    duration_max: Duration,
) -> Instant {
    let left = Duration::from_millis(invocation_ends_ms.saturating_sub(now_ms));
    if left.is_zero() || left > INVOCATION_DURATION_MAX {
        return now + duration_max;
    }
    // Of a short time, only a part is reserved.
    let kept = ANSWER_DURATION.min(left / 4);
    now + (left - kept).min(duration_max)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: u64 = 1_700_000_000_000;

    fn budget(left_ms: i64) -> Duration {
        let now = Instant::now();
        let ends = NOW_MS.checked_add_signed(left_ms).unwrap();
        deadline(ends, NOW_MS, now, Duration::from_secs(28)) - now
    }

    #[test]
    fn a_request_ends_before_its_invocation_does() {
        assert_eq!(budget(3_000), Duration::from_millis(2_900));
        assert_eq!(budget(100), Duration::from_millis(75));
        assert_eq!(budget(1), Duration::from_micros(750));
    }

    #[test]
    fn a_request_ends_before_the_gateway_gives_up() {
        assert_eq!(budget(60_000), Duration::from_secs(28));
    }

    #[test]
    fn an_absurd_end_is_ignored() {
        assert_eq!(budget(0), Duration::from_secs(28));
        assert_eq!(budget(-5), Duration::from_secs(28));
        assert_eq!(budget(900_001), Duration::from_secs(28));
        let now = Instant::now();
        let emulator = deadline(600_000, NOW_MS, now, Duration::from_secs(28));
        assert_eq!(emulator - now, Duration::from_secs(28));
    }
}
