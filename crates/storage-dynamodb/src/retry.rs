//! Retries with jittered backoff, within the deadline of the guest's request, and never such that a write could happen twice.

use super::{
    ApiOperation,
    error_class::{self, ErrorClass, Judged, Verdict},
    response::ResponseTooLargeError,
};
use aws_sdk_dynamodb::{
    client::customize::CustomizableOperation,
    error::{ProvideErrorMetadata, SdkError},
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use contract::deadline::end_of_calls;
use std::{error::Error, time::Duration};
use storage::{Call, Precondition, StorageError};
use tokio::time::{Instant, sleep, timeout_at};

/// Largest number of times that one request is sent. With the delays between them this takes two to three seconds.
const ATTEMPTS_MAX: u32 = 8;
/// Time limit for one attempt: DynamoDB responds within milliseconds, so a new attempt is better than a longer wait.
pub(super) const ATTEMPT_DURATION_MAX: Duration = Duration::from_secs(5);
/// Time for one call of a guest whose request has no deadline.
const CALL_DURATION_MAX: Duration = Duration::from_secs(15);
/// Delay before the first retry, half of it random; doubled for each further one.
const BACKOFF_MIN: Duration = Duration::from_millis(25);
/// Longest delay.
const BACKOFF_MAX: Duration = Duration::from_secs(1);
/// Longest delay before a guest retries a write that lost a race. Another request succeeded, so the store is not overloaded.
const RACE_BACKOFF_MAX: Duration = Duration::from_millis(100);
/// The header that continues a trace (AWS: X-Ray tracing header).
const TRACE_HEADER: &str = "x-amzn-trace-id";

/// What a second attempt could do if the outcome of the first one is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// It changes nothing.
    Read,
    /// A second attempt fails, or changes nothing, if the first one happened.
    WriteOnce,
    /// A second attempt could undo what others wrote after the first one.
    Write,
}

impl Effect {
    /// A revision never recurs. After a put of an absent item the item exists, and its revision distinguishes it from another request's.
    /// Deleting an absent item changes nothing.
    pub(super) fn of_write(precondition: &Precondition) -> Self {
        match precondition {
            Precondition::Absent | Precondition::Revision(_) => Self::WriteOnce,
            Precondition::None | Precondition::Present => Self::Write,
        }
    }
}

/// How a request ended that DynamoDB executed.
pub(super) enum Answer<O, E> {
    Done(O),
    /// An error that is an outcome.
    Refused(E),
    /// It was carried out, but the response is larger than allowed.
    TooLarge,
}

/// The attempts of one call.
pub(super) struct Retry<'a> {
    call: &'a Call,
    operation: ApiOperation,
    effect: Effect,
    until: Instant,
    /// Failures since the call last made progress.
    failed: u32,
    /// Whether a failed attempt may have taken effect.
    pub(super) is_uncertain: bool,
}

impl<'a> Retry<'a> {
    pub(super) fn new(call: &'a Call, operation: ApiOperation, effect: Effect) -> Self {
        let now = Instant::now();
        let until = call.deadline.map_or(now + CALL_DURATION_MAX, |deadline| {
            Instant::from_std(end_of_calls(now.into_std(), deadline))
        });
        Self {
            call,
            operation,
            effect,
            until,
            failed: 0,
            is_uncertain: false,
        }
    }

    /// Waits if the guest repeats a write that lost a race: it cannot sleep by itself, and otherwise all losers would retry at the same
    /// time.
    pub(super) async fn wait_for_others(&self, precondition: &Precondition) {
        let lost = self.call.lost_races();
        if lost == 0 || !matches!(precondition, Precondition::Revision(_)) {
            return;
        }
        let resume = Instant::now() + backoff(self.call, lost).min(RACE_BACKOFF_MAX);
        if resume < self.until {
            sleep(resume - Instant::now()).await;
        }
    }

    /// The request that the attempts are made for.
    pub(super) fn call(&self) -> &'a Call {
        self.call
    }

    /// Sends the request until there is a response. `send` builds it anew each time.
    pub(super) async fn run<O, E, F>(
        &mut self,
        judge: impl Fn(&E, u16) -> Verdict,
        send: impl Fn() -> F,
    ) -> Result<Answer<O, E>, StorageError>
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        F: Future<Output = Result<O, SdkError<E, HttpResponse>>>,
    {
        if Instant::now() >= self.until {
            return Err(self.give_up(ErrorClass::Unreachable, "no time left for a request"));
        }
        loop {
            let until = self.until.min(Instant::now() + ATTEMPT_DURATION_MAX);
            let (class, words) = match timeout_at(until, send()).await {
                Ok(Ok(output)) => return Ok(Answer::Done(output)),
                Ok(Err(error)) => match error_class::of_error(error, &judge) {
                    Judged::Answer(refusal) => return Ok(Answer::Refused(refusal)),
                    Judged::TooLarge => return Ok(Answer::TooLarge),
                    Judged::Failed(class, words) => (class, words),
                },
                Err(_) => (ErrorClass::Uncertain, "no answer in time".to_owned()),
            };
            self.wait(class, &words).await?;
        }
    }

    /// Records progress of a call that needs several requests: the next ones have the full number of attempts again.
    pub(super) fn advance(&mut self) {
        self.failed = 0;
    }

    /// Waits before a retry, or gives up.
    pub(super) async fn wait(
        &mut self,
        class: ErrorClass,
        words: &str,
    ) -> Result<(), StorageError> {
        if class == ErrorClass::Throttled {
            self.call.report(|report| report.throttles += 1);
        }
        self.is_uncertain |= class == ErrorClass::Uncertain;
        let can_repeat = match class {
            ErrorClass::Throttled | ErrorClass::Conflict | ErrorClass::Unreachable => true,
            ErrorClass::Uncertain => self.effect != Effect::Write,
            ErrorClass::Misconfigured | ErrorClass::Defect => false,
        };
        self.failed += 1;
        let resume = Instant::now() + backoff(self.call, self.failed);
        if !can_repeat || self.failed >= ATTEMPTS_MAX || resume >= self.until {
            return Err(self.give_up(class, words));
        }
        sleep(resume - Instant::now()).await;
        self.call.report(|report| report.retries += 1);
        Ok(())
    }

    /// The error for a response that is larger than a single item could make it.
    pub(super) fn give_up_on_answer(&self) -> StorageError {
        self.give_up(ErrorClass::Defect, &ResponseTooLargeError.to_string())
    }

    /// The error for the guest; the details go to the operator.
    pub(super) fn give_up(&self, class: ErrorClass, words: &str) -> StorageError {
        self.fault(words);
        if self.is_uncertain && self.effect != Effect::Read {
            return StorageError::OutcomeUnknown;
        }
        match class {
            ErrorClass::Throttled => StorageError::Throttled {
                retry_after_ms: None,
            },
            ErrorClass::Conflict => StorageError::Conflict,
            ErrorClass::Unreachable | ErrorClass::Uncertain => StorageError::Unavailable,
            ErrorClass::Misconfigured => StorageError::Misconfigured,
            ErrorClass::Defect => StorageError::Internal,
        }
    }

    /// Records for the operator why there is no outcome.
    pub(super) fn fault(&self, words: &str) {
        let operation = self.operation.name();
        self.call
            .report(|report| report.add_fault(format!("{operation}: {words}")));
    }
}

/// Half of the delay is random, so that requests that failed together do not retry together. It is drawn from the request's seed in a
/// separate stream, so that the number of failures does not change what the guest sees.
fn backoff(call: &Call, failed: u32) -> Duration {
    let delay = BACKOFF_MIN
        .saturating_mul(1 << (failed - 1).min(16))
        .min(BACKOFF_MAX);
    let chance = call.next_backoff();
    delay / 2 + (delay / 2).mul_f64(f64::from(chance) / f64::from(u32::MAX))
}

/// The request as part of the trace that the call belongs to.
pub(super) fn traced<T, E, B>(
    call: &Call,
    request: CustomizableOperation<T, E, B>,
) -> CustomizableOperation<T, E, B> {
    let Some(trace_header) = call.trace_header.clone() else {
        return request;
    };
    request.mutate_request(move |request| {
        // A trace that is not a valid header is not sent.
        let _ = request
            .headers_mut()
            .try_insert(TRACE_HEADER, trace_header.clone());
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::seed::Seed;

    #[test]
    fn delays_grow_to_a_bound_and_differ_by_seed() {
        let call = |seed| Call::new(0, &Seed::new([seed; 32]), None);
        let (one, same, other) = (call(1), call(1), call(2));
        for failed in 1..40 {
            let delay = backoff(&one, failed);
            assert_eq!(delay, backoff(&same, failed));
            assert_ne!(delay, backoff(&other, failed));
            assert!(
                (BACKOFF_MIN / 2..=BACKOFF_MAX).contains(&delay),
                "{delay:?}"
            );
        }
        let delays: std::collections::HashSet<_> = (0..20).map(|_| backoff(&one, 6)).collect();
        assert!(delays.len() > 10);
    }
}
