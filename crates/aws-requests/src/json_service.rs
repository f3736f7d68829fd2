//! Operations of services that speak AWS JSON 1.1.

use crate::service::{AwsRequest, AwsService, SendError};
use serde::Deserialize;
use std::time::Duration;
use tokio::time::sleep;

/// Number of attempts of one call, if the caller sets no other.
const ATTEMPTS_MAX: u32 = 8;
/// Pause before the second attempt; doubled before each further one.
const PAUSE: Duration = Duration::from_millis(100);
/// Time limit for the head of a response, if the caller sets no other. CloudWatch Logs searches for up to ten seconds.
const HEAD_DURATION_MAX: Duration = Duration::from_secs(60);

const MEDIA_TYPE: &str = "application/x-amz-json-1.1";
/// Names of errors that ask for another attempt later, beside status 429 and 5xx (AWS: "Retry behavior").
const THROTTLED: [&str; 4] = [
    "RequestLimitExceeded",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
];

/// A service whose operations are called with a JSON object each, and answer with one.
#[derive(Debug)]
pub struct JsonService {
    service: AwsService,
    prefix: &'static str,
    attempts_max: u32,
    head_duration_max: Duration,
}

/// Why a call had no result.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The service answered with an error; attempts that could help were made.
    #[error("{code}{}", message.as_deref().map(|message| format!(": {message}")).unwrap_or_default())]
    Answered {
        /// The error's name, like `AccessDeniedException`; the status if it has none.
        code: String,
        /// What the service says about it.
        message: Option<String>,
    },
    /// Nothing listens at the address.
    #[error("{0}")]
    Refused(String),
    /// The service could not be reached, or the request could not be made.
    #[error("{0}")]
    Failed(String),
    /// The response has more bytes than allowed.
    #[error("the response has more than {0} bytes")]
    TooLarge(usize),
}

impl CallError {
    /// Whether the service asked for fewer requests, up to the last attempt.
    pub fn is_throttled(&self) -> bool {
        match self {
            Self::Answered { code, .. } => is_throttled(code),
            Self::Refused(_) | Self::Failed(_) | Self::TooLarge(_) => false,
        }
    }
}

/// What one attempt led to.
enum Attempt {
    Done(Vec<u8>),
    /// The next attempt may succeed.
    Transient(CallError),
    Permanent(CallError),
}

/// The error of a response. Services write the second member in either way.
#[derive(Default, Deserialize)]
struct ErrorBody {
    #[serde(rename = "__type")]
    name: Option<String>,
    #[serde(alias = "Message")]
    message: Option<String>,
}

impl JsonService {
    /// `prefix` stands before the names of operations, like `Logs_20140328`.
    pub fn new(service: AwsService, prefix: &'static str) -> Self {
        Self {
            service,
            prefix,
            attempts_max: ATTEMPTS_MAX,
            head_duration_max: HEAD_DURATION_MAX,
        }
    }

    /// The same with other bounds: how often a call is attempted, and how long one attempt waits for the head of its response. For callers
    /// that somebody waits for.
    #[must_use]
    pub fn bounded(self, attempts_max: u32, head_duration_max: Duration) -> Self {
        Self {
            attempts_max,
            head_duration_max,
            ..self
        }
    }

    /// Calls an operation that may be repeated, and returns the JSON of its result, of at most `bytes_max` bytes.
    pub async fn call(
        &self,
        operation: &str,
        body: &[u8],
        bytes_max: usize,
    ) -> Result<Vec<u8>, CallError> {
        let mut pause = PAUSE;
        let mut attempt = 1;
        loop {
            match self.attempt(operation, body, bytes_max).await {
                Attempt::Done(result) => return Ok(result),
                Attempt::Permanent(error) => return Err(error),
                Attempt::Transient(error) if attempt >= self.attempts_max => return Err(error),
                Attempt::Transient(_) => {
                    sleep(pause).await;
                    pause *= 2;
                    attempt += 1;
                }
            }
        }
    }

    async fn attempt(&self, operation: &str, body: &[u8], bytes_max: usize) -> Attempt {
        let request = AwsRequest {
            method: "POST",
            address: &format!("{}/", self.service.address()),
            headers: &[
                ("content-type", MEDIA_TYPE),
                ("x-amz-target", &format!("{}.{operation}", self.prefix)),
            ],
            body,
        };
        let sending = self
            .service
            .send(request, bytes_max, self.head_duration_max);
        let response = match sending.await {
            Ok(response) => response,
            Err(SendError::Transient(words)) => {
                return Attempt::Transient(CallError::Failed(words));
            }
            Err(SendError::Refused(words)) => return Attempt::Permanent(CallError::Refused(words)),
            Err(SendError::Permanent(words)) => {
                return Attempt::Permanent(CallError::Failed(words));
            }
            Err(SendError::TooLarge(bytes_max)) => {
                return Attempt::Permanent(CallError::TooLarge(bytes_max));
            }
        };
        match response.status {
            200 => Attempt::Done(response.body),
            status => answered(status, &response.body),
        }
    }
}

/// The meaning of a response without success.
fn answered(status: u16, body: &[u8]) -> Attempt {
    #[expect(
        clippy::disallowed_methods,
        reason = "a bounded response, into named members"
    )]
    let error: ErrorBody = serde_json::from_slice(body).unwrap_or_default();
    let code = match &error.name {
        // Some services write the shape's namespace before its name.
        Some(name) => name.rsplit('#').next().unwrap_or_default().to_owned(),
        None => format!("status {status}"),
    };
    let is_transient = matches!(status, 429 | 500..) || is_throttled(&code);
    let message = error.message;
    let error = CallError::Answered { code, message };
    if is_transient {
        Attempt::Transient(error)
    } else {
        Attempt::Permanent(error)
    }
}

fn is_throttled(code: &str) -> bool {
    THROTTLED.contains(&code)
}

#[cfg(test)]
mod tests;
