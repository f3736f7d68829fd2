//! Takes a guest that keeps failing out of service for a while, by the decision of this process alone.

use service::Outcomes;
use std::sync::atomic::{AtomicU64, Ordering};

/// How long it is out of service before it is tried again.
const REST_MS: u64 = 60_000;

/// The state of one guest that has a fallback.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    /// When it was taken out of service, in milliseconds since the Unix epoch; 0 if it is in service.
    rests_since_ms: AtomicU64,
}

/// The breaker's decision for one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Use the guest.
    Serves,
    /// Use the fallback; this request is the first one to do so.
    Trips,
    /// Use the fallback.
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
        // Clear the outcomes first, so that nobody who sees the guest in service again sees the old failures.
        outcomes.clear();
        self.replace(since_ms, 0);
        Verdict::Serves
    }

    /// Of many concurrent requests, one tries the guest.
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
