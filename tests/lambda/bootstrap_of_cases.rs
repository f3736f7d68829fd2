//! The Lambda host with the inputs of a case: an event's own time, and the first seed of a replay. Everything else is the host as it ships,
//! so that its response to a case can be compared byte for byte.

use contract::seed::Seed;
use host_lambda::{RandomnessError, TimeAndSeed, TimeAndSeedSource};
use observation::{EVENT_TIME_DEFAULT_MS, head};
use replay::exchange_seed;
use std::process::ExitCode;

/// An event that contains this makes the host panic.
const PANIC: &[u8] = b"panic-in-the-host";

struct SourceOfCases;

impl TimeAndSeedSource for SourceOfCases {
    fn of(&self, event: &[u8]) -> Result<TimeAndSeed, RandomnessError> {
        // For the test that a bug in the host affects only its own request.
        assert!(
            !event.windows(PANIC.len()).any(|part| part == PANIC),
            "secret of the request: {}",
            event.len()
        );
        let received_at_ms = head(event).map_or(EVENT_TIME_DEFAULT_MS, |head| head.received_at_ms);
        Ok(TimeAndSeed {
            received_at_ms,
            seed: exchange_seed(&Seed::new([0; 32]), 0),
        })
    }
}

fn main() -> ExitCode {
    host_lambda::run(SourceOfCases)
}
