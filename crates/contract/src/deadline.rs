//! When calls of a guest end, so that it can still respond.

use std::time::{Duration, Instant};

/// The part of a request's time that is reserved for the guest to respond to an error: an eighth within these bounds, because a busy machine
/// is slow.
const ANSWER_DURATION_MIN: Duration = Duration::from_millis(50);
const ANSWER_DURATION_MAX: Duration = Duration::from_millis(500);

/// When a call to the store or to another service ends if its request has time until `deadline`.
pub fn end_of_calls(now: Instant, deadline: Instant) -> Instant {
    let left = deadline.saturating_duration_since(now);
    let for_answer = (left / 8).clamp(ANSWER_DURATION_MIN, ANSWER_DURATION_MAX);
    deadline.checked_sub(for_answer).unwrap_or(deadline)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guest_keeps_time_to_answer() {
        let now = Instant::now();
        for (left_ms, kept_ms) in [(20, 50), (100, 50), (1_500, 187), (29_000, 500)] {
            let deadline = now + Duration::from_millis(left_ms);
            let kept = deadline - end_of_calls(now, deadline);
            assert_eq!(kept.as_millis(), kept_ms, "of {left_ms} ms");
        }
    }
}
