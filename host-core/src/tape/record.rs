//! Records: a view of the store that notes every call, and the line that is made of a request afterwards.

pub(super) mod calls;
mod line;

pub use calls::RecordingStorage;
pub(super) use line::write_logs;
pub use line::{RecordedHost, RecordedRequest, environment_digest};

use super::{TapePolicy, redact::Redaction};
use crate::{
    answer::Answer, digest::Digest, gateway::Rejection, limits::TAPE_TEXT_BYTES_MAX,
    storage::Storage,
};
#[cfg(feature = "runtime")]
use crate::{
    runtime::RuntimeOptions,
    service::{Arrival, Deployment, Service},
    tape::policy::is_failure,
};
use std::sync::Arc;

/// What is recorded, and what of it is written.
#[derive(Clone, Debug)]
pub struct RecordOptions {
    /// Which requests.
    pub policy: TapePolicy,
    /// What is replaced before it is written.
    pub redaction: Redaction,
    /// Leaves the seed out: for guests that make secrets of randomness, on tapes that are not encrypted. Such a request cannot be
    /// replayed strictly.
    pub withhold_seed: bool,
    /// A longer body or document is written as its length and digest.
    pub text_bytes_max: usize,
    /// Whom lines are encrypted to.
    #[cfg(feature = "tape-encryption")]
    pub recipient: Option<super::Recipient>,
}

impl RecordOptions {
    /// As is usual for a policy: credentials are redacted.
    pub fn new(policy: TapePolicy) -> Self {
        Self {
            policy,
            redaction: Redaction::credentials(),
            withhold_seed: false,
            text_bytes_max: TAPE_TEXT_BYTES_MAX,
            #[cfg(feature = "tape-encryption")]
            recipient: None,
        }
    }

    /// Whether only the holder of a key reads the lines.
    fn is_encrypted(&self) -> bool {
        #[cfg(feature = "tape-encryption")]
        return self.recipient.is_some();
        #[cfg(not(feature = "tape-encryption"))]
        false
    }
}

/// Passes events to a service and makes tape of some. One for each host; shared by all requests.
#[derive(Clone, Debug)]
pub struct Recorder {
    options: Arc<RecordOptions>,
}

impl Recorder {
    /// A recorder.
    pub fn new(options: RecordOptions) -> Self {
        Self {
            options: Arc::new(options),
        }
    }

    /// A view of a store that notes a request's calls, for [`Recorder::line`].
    pub fn view(&self, storage: Arc<dyn Storage>) -> RecordingStorage {
        RecordingStorage::new(storage, self.options.clone())
    }

    /// The line of a request, without a line break at its end, whatever the policy says. `calls` is what the guest asked, where one was.
    ///
    /// `None`: the event was no HTTP request, or there were no random bytes to encrypt the line with.
    pub fn line(
        &self,
        host: &RecordedHost<'_>,
        request: &RecordedRequest<'_>,
        calls: Option<&RecordingStorage>,
        answer: &Result<Answer, Rejection>,
    ) -> Option<Vec<u8>> {
        let noted = calls.map(RecordingStorage::take).unwrap_or_default();
        let line = line::write(&self.options, host, request, noted, answer);
        #[cfg(feature = "tape-encryption")]
        let line = line
            .zip(answer.as_ref().ok())
            .and_then(|(line, answer)| self.encrypted(line, request, answer));
        line
    }

    /// [`Service::invoke`]; beside it the line of tape for this request, without a line break at its end, where one is wanted.
    ///
    /// An event that is no HTTP request leaves no line: nobody answers it, and what other services send may hold anything.
    #[cfg(feature = "runtime")]
    pub async fn invoke(
        &self,
        service: &Service,
        event: &[u8],
        arrival: Arrival,
    ) -> (Result<Answer, Rejection>, Option<Vec<u8>>) {
        let policy = self.options.policy;
        let is_sampled = policy.samples(&arrival.seed);
        if !is_sampled && !policy.wants_failures() {
            return (service.invoke(event, arrival).await, None);
        }
        let request = RecordedRequest {
            event,
            received_at_ms: arrival.received_at_ms,
            seed: arrival.seed.clone(),
        };
        let mut asked = None;
        let view = |deployment: &Deployment| -> Arc<dyn Storage> {
            let storage = Arc::new(self.view(deployment.storage().clone()));
            asked = Some((deployment.runtime().options().clone(), storage.clone()));
            storage
        };
        let answer = service.invoke_with(event, arrival, view).await;
        if !is_sampled && !is_failure(&answer) {
            return (answer, None);
        }
        // Who refused a request without asking a guest had no options but bounds.
        let (options, storage) = match asked {
            Some((options, storage)) => (options, Some(storage)),
            None => {
                let limits = service.limits();
                let options = RuntimeOptions {
                    limits,
                    ..RuntimeOptions::default()
                };
                (options, None)
            }
        };
        let host = RecordedHost {
            base_path: service.base_path(),
            limits: options.limits,
            log_level: options.log_level,
            environment: &options.environment,
        };
        let line = self.line(&host, &request, storage.as_deref(), &answer);
        (answer, line)
    }
}

#[cfg(feature = "tape-encryption")]
impl Recorder {
    /// The line for its recipient. Without random bytes there is none: it never leaves as it is.
    fn encrypted(
        &self,
        line: Vec<u8>,
        request: &RecordedRequest<'_>,
        answer: &Answer,
    ) -> Option<Vec<u8>> {
        let Some(recipient) = &self.options.recipient else {
            return Some(line);
        };
        let id = &answer.summary.request_id;
        super::encrypt::encrypt_line(&line, id, request.received_at_ms, recipient).ok()
    }
}

/// A text that the tape holds only the length and digest of.
struct Omitted {
    /// Where in the line.
    at: String,
    bytes: usize,
    sha256: Digest,
}

impl Omitted {
    fn of(at: &str, text: &[u8]) -> Self {
        Self {
            at: at.to_owned(),
            bytes: text.len(),
            sha256: Digest::of(text),
        }
    }

    fn new(at: String, text: &str) -> Self {
        Self {
            at,
            bytes: text.len(),
            sha256: Digest::of(text.as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests;
