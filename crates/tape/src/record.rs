//! Recording: a view of the store that notes every call, and the line that is written for a request afterwards.

pub(super) mod calls;
mod exchanges;
mod host;
mod line;
mod outgoing;
mod secret_calls;
mod secrets;
mod summary;

pub use calls::RecordingStorage;
pub use host::{RecordedHost, environment_digest};
pub use line::{RecordedAnswer, RecordedRequest};
pub use outgoing::RecordingOutgoing;
pub use secrets::RecordingSecrets;
pub use summary::write_logs;

use super::{TapePolicy, redact::Redaction};
use ::outgoing::OutgoingHttp;
use ::secrets::GuestSecrets;
use contract::{digest::Digest, limits::TAPE_TEXT_BYTES_MAX};
use std::sync::Arc;
use storage::Storage;

/// What is recorded, and how.
#[derive(Clone, Debug)]
pub struct RecordOptions {
    /// Which requests.
    pub policy: TapePolicy,
    /// What is redacted before it is written.
    pub redaction: Redaction,
    /// Omits the seed: for guests that derive secrets from random numbers, on tapes that are not encrypted. Such a request cannot be
    /// replayed strictly.
    pub withhold_seed: bool,
    /// A longer body or document is written as its length and digest.
    pub text_bytes_max: usize,
    /// The recipient that lines are encrypted to.
    pub recipient: Option<super::Recipient>,
    /// The lines never leave the process, so they may have what nobody else should have.
    pub stays_in_process: bool,
}

impl RecordOptions {
    /// The default for a policy: credentials are redacted.
    pub fn new(policy: TapePolicy) -> Self {
        Self {
            policy,
            redaction: Redaction::credentials(),
            withhold_seed: false,
            text_bytes_max: TAPE_TEXT_BYTES_MAX,
            recipient: None,
            stays_in_process: false,
        }
    }

    /// Whether only the holder of a key, or this process, can read the lines.
    fn is_private(&self) -> bool {
        self.recipient.is_some() || self.stays_in_process
    }
}

/// Writes lines of tape. One for each host; shared by all requests.
#[derive(Clone, Debug)]
pub struct TapeWriter {
    options: Arc<RecordOptions>,
}

impl TapeWriter {
    /// A writer. The caller applies the policy.
    pub fn new(options: RecordOptions) -> Self {
        Self {
            options: Arc::new(options),
        }
    }

    /// A view of a store that notes a request's calls, for [`TapeWriter::line`].
    pub fn storage(&self, storage: Arc<dyn Storage>) -> RecordingStorage {
        RecordingStorage::new(storage, self.options.clone())
    }

    /// A view of other services that notes a request's exchanges beside its calls.
    pub fn outgoing(
        &self,
        outgoing: Arc<dyn OutgoingHttp>,
        calls: &RecordingStorage,
    ) -> RecordingOutgoing {
        RecordingOutgoing::new(outgoing, calls)
    }

    /// A view of a guest's secrets that notes a request's calls about them beside its storage calls.
    pub fn secrets(
        &self,
        secrets: Arc<dyn GuestSecrets>,
        calls: &RecordingStorage,
    ) -> RecordingSecrets {
        RecordingSecrets::new(secrets, calls)
    }

    /// The line of a request, without a line break at its end. `calls` are the guest's calls, if a guest ran.
    ///
    /// `None` if the line cannot be made short enough, or there were no random bytes to encrypt it with.
    pub fn line(
        &self,
        host: &RecordedHost<'_>,
        request: &RecordedRequest<'_>,
        calls: Option<&RecordingStorage>,
        answer: &RecordedAnswer<'_>,
    ) -> Option<Vec<u8>> {
        let noted = calls.map(RecordingStorage::take).unwrap_or_default();
        let line = line::write(&self.options, host, request, noted, answer)?;
        self.encrypted(line, request, answer)
    }
}

impl TapeWriter {
    /// The line, encrypted if there is a recipient. Without random bytes there is no line: it is never written unencrypted.
    fn encrypted(
        &self,
        line: Vec<u8>,
        request: &RecordedRequest<'_>,
        answer: &RecordedAnswer<'_>,
    ) -> Option<Vec<u8>> {
        let Some(recipient) = &self.options.recipient else {
            return Some(line);
        };
        let id = &answer.summary.request_id;
        super::encrypt::encrypt_line(&line, id, request.received_at_ms, recipient).ok()
    }
}

/// A text of which the tape contains only length and digest.
struct Omitted {
    /// Its place in the line.
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
