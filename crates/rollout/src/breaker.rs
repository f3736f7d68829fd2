//! Takes a guest that keeps failing out of service here, for a while, without asking anybody.

use service::Outcomes;
use std::sync::atomic::{AtomicU64, Ordering};

/// How long it rests before it is tried again.
const REST_MS: u64 = 60_000;

/// Whether a guest rests. One for each guest that has another to fall back to.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    /// When it began to rest, in milliseconds since the Unix epoch; 0 where it does not.
    rests_since_ms: AtomicU64,
}

/// What a breaker says to one more request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Go on.
    Serves,
    /// Fall back; this request is the first one to.
    Trips,
    /// Fall back.
    Rests,
}

impl Breaker {
    pub(super) fn ask(&self, outcomes: &Outcomes, now_ms: u64) -> Verdict {
        let since_ms = self.rests_since_ms.load(Ordering::Relaxed);
        if since_ms == 0 {
            if !outcomes.are_failing() {
                return Verdict::Serves;
            }
            return if self.replace(0, now_ms.max(1)) {
                Verdict::Trips
            } else {
                Verdict::Rests
            };
        }
        if now_ms < since_ms.saturating_add(REST_MS) {
            return Verdict::Rests;
        }
        // Forgotten first: whoever sees it in service again must not see the old failures.
        outcomes.clear();
        self.replace(since_ms, 0);
        Verdict::Serves
    }

    /// Of many requests at once, one gets through.
    fn replace(&self, old: u64, new: u64) -> bool {
        self.rests_since_ms
            .compare_exchange(old, new, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_that_keeps_failing_rests_and_is_tried_again() {
        let (breaker, outcomes) = (Breaker::default(), Outcomes::default());
        for client in 1..=5 {
            assert_eq!(breaker.ask(&outcomes, 1), Verdict::Serves);
            outcomes.note(client, true);
        }
        assert_eq!(breaker.ask(&outcomes, 10), Verdict::Trips);
        assert_eq!(breaker.ask(&outcomes, 10 + REST_MS - 1), Verdict::Rests);
        assert_eq!(breaker.ask(&outcomes, 10 + REST_MS), Verdict::Serves);
        assert_eq!(breaker.ask(&outcomes, 10 + REST_MS), Verdict::Serves);
    }

    #[test]
    fn one_client_never_takes_a_guest_out() {
        let (breaker, outcomes) = (Breaker::default(), Outcomes::default());
        for _ in 0..1000 {
            outcomes.note(1, true);
            assert_eq!(breaker.ask(&outcomes, 1), Verdict::Serves);
        }
    }
}
