//! What is noted of calls about secrets.

use crate::{
    redact::{Marks, Place, Secrets},
    secret_calls::{NotedResult, shown_tag, write_end},
};

/// Recorded calls of a request.
#[derive(Default)]
pub(super) struct NotedSecretCalls {
    pub(super) calls: Vec<NotedSecretCall>,
    pub(super) bytes: usize,
    /// Number of calls after the limit was reached, which are not in `calls`.
    pub(super) omitted_count: u32,
}

/// A call. Whether its tags are redacted is not known before everything else is.
pub(super) struct NotedSecretCall {
    /// Its members up to the end of the request, without it.
    pub(super) text: Vec<u8>,
    pub(super) tag: Option<Vec<u8>>,
    pub(super) result: Option<(NotedResult, u64)>,
}

impl NotedSecretCalls {
    /// So many calls, none of which is recorded.
    pub(super) fn omitted(count: u32) -> Self {
        Self {
            omitted_count: count,
            ..Self::default()
        }
    }

    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.calls.len()).unwrap_or(u32::MAX)
    }

    /// The elements of the array of calls. A tag is redacted if `secrets` has a text that encodes it.
    pub(super) fn text(&self, marks: &mut Marks, secrets: &Secrets) -> Vec<u8> {
        let mut text = Vec::with_capacity(self.bytes);
        for (position, call) in self.calls.iter().enumerate() {
            if position > 0 {
                text.push(b',');
            }
            text.extend_from_slice(&call.text);
            let at = format!("/secrets/{position}");
            let tag = call.tag.as_ref().map(|tag| {
                let is_redacted = secrets.encode(tag);
                if is_redacted {
                    marks.at(Place::of(&format!("{at}/request/tag")));
                }
                shown_tag(tag, is_redacted)
            });
            write_end(&mut text, tag);
            if let Some((result, us)) = &call.result {
                let is_redacted = matches!(result, NotedResult::Tag(tag) if secrets.encode(tag));
                if is_redacted {
                    marks.at(Place::of(&format!("{at}/result/ok/tag")));
                }
                if matches!(result, NotedResult::Revealed) {
                    marks.at(Place::of(&format!("{at}/result/ok/value")));
                }
                text.extend_from_slice(b",\"result\":");
                result.write(&mut text, is_redacted);
                text.extend_from_slice(b",\"us\":");
                json::write_number(&mut text, *us);
            }
            text.push(b'}');
        }
        text
    }
}
