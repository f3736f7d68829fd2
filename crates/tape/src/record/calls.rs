//! The guest's view of the store, with every call noted.

use super::{Omitted, RecordOptions, exchanges::NotedExchanges, secret_calls::NotedSecretCalls};
use crate::{
    call::{write::Documents, write_arguments, write_result, written_bytes_max},
    redact::{Marks, Redaction, Secrets},
};
use contract::limits::{TAPE_CALLS_BYTES_MAX, TAPE_LIST_ELEMENTS_MAX};
use json::{Object, write_number};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};
use storage::{Call, Document, Storage, StorageError, StorageRequest, StorageResponse};

/// Passes calls on, and notes them with their results.
pub struct RecordingStorage {
    inner: Arc<dyn Storage>,
    pub(super) notes: Notes,
}

/// Where the views of one request note what the guest asks of its host, and how. Clones share what is noted.
#[derive(Clone)]
pub(super) struct Notes {
    pub(super) options: Arc<RecordOptions>,
    pub(super) started: Instant,
    noted: Arc<Mutex<Noted>>,
}

impl Notes {
    pub(super) fn lock(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The recorded calls of a request.
#[derive(Default)]
pub(crate) struct Noted {
    /// The elements of the array of calls.
    pub(crate) text: Vec<u8>,
    pub(super) count: u32,
    /// Number of calls after the limit was reached, which are not in `text`.
    pub(super) omitted_count: u32,
    /// Whether the last call has no result yet. Guests make one call at a time.
    pub(super) is_open: bool,
    pub(super) marks: Marks,
    /// What was redacted in the results for the guest, and in its writes.
    pub(super) secrets: Secrets,
    pub(super) omitted: Vec<Omitted>,
    /// What it exchanged with other services.
    pub(super) outgoing: NotedExchanges,
    /// What it asked about its secrets.
    pub(super) secret_calls: NotedSecretCalls,
}

impl RecordingStorage {
    /// A view of `inner` that records according to `options`.
    pub fn new(inner: Arc<dyn Storage>, options: Arc<RecordOptions>) -> Self {
        Self {
            inner,
            notes: Notes {
                options,
                started: Instant::now(),
                noted: Arc::default(),
            },
        }
    }

    /// The calls so far, as the elements of a JSON array.
    pub fn written(&self) -> Vec<u8> {
        self.notes.lock().text.clone()
    }

    /// The recorded calls. A call that had no result when the request ended is recorded without one.
    pub(crate) fn take(&self) -> Noted {
        let mut noted = std::mem::take(&mut *self.notes.lock());
        if noted.is_open {
            noted.text.push(b'}');
        }
        noted
    }

    fn ask(&self, request: &StorageRequest) -> Instant {
        let started = Instant::now();
        let mut noted = self.notes.lock();
        // After the first call that is not recorded, no further ones are, because a replay would take the next one for it.
        if noted.omitted_count > 0
            || noted.text.len() + written_bytes_max(request) >= TAPE_CALLS_BYTES_MAX
            || noted.count as usize >= TAPE_LIST_ELEMENTS_MAX
        {
            noted.omitted_count += 1;
            request.documents(&mut |document| noted.learn(&self.notes.options.redaction, document));
            return started;
        }
        let Noted {
            text,
            count,
            marks,
            secrets,
            omitted,
            is_open,
            ..
        } = &mut *noted;
        if *count > 0 {
            text.push(b',');
        }
        let mut documents = Noting {
            options: &self.notes.options,
            place: Place::Arguments(*count),
            position: 0,
            marks,
            secrets,
            omitted,
        };
        *count += 1;
        *is_open = true;
        let mut object = Object::begin(text);
        object.string("call", request.function().as_str());
        object.number("at_us", microseconds(self.notes.started, started));
        write_arguments(object.name("arguments"), request, &mut documents);
        // The result completes the object.
        started
    }

    fn answer(&self, started: Instant, result: Result<&StorageResponse, &StorageError>) {
        let mut noted = self.notes.lock();
        if !std::mem::take(&mut noted.is_open) {
            if let Ok(response) = result {
                response.documents(&mut |document| {
                    noted.learn(&self.notes.options.redaction, document)
                });
            }
            return;
        }
        let Noted {
            text,
            count,
            marks,
            secrets,
            omitted,
            ..
        } = &mut *noted;
        let mut documents = Noting {
            options: &self.notes.options,
            place: Place::Result(*count - 1),
            position: 0,
            marks,
            secrets,
            omitted,
        };
        text.extend_from_slice(b",\"result\":");
        write_result(text, result, &mut documents);
        text.extend_from_slice(b",\"us\":");
        write_number(text, microseconds(started, Instant::now()));
        text.push(b'}');
    }
}

impl Noted {
    /// Collects what would be redacted in a document that is not recorded, because the guest may copy it elsewhere.
    fn learn(&mut self, redaction: &Redaction, document: &Document) {
        let places = &mut Marks::default();
        redaction.document(document.as_str(), "", places, Some(&mut self.secrets));
    }
}

pub(super) fn microseconds(from: Instant, to: Instant) -> u64 {
    u64::try_from(to.saturating_duration_since(from).as_micros()).unwrap_or(u64::MAX)
}

/// Writes documents to a tape.
struct Noting<'a> {
    options: &'a RecordOptions,
    place: Place,
    /// Number of preceding documents in the same arguments or result.
    position: u32,
    marks: &'a mut Marks,
    secrets: &'a mut Secrets,
    omitted: &'a mut Vec<Omitted>,
}

/// The call that the documents belong to, by its number.
#[derive(Clone, Copy)]
enum Place {
    Arguments(u32),
    Result(u32),
}

impl Noting<'_> {
    fn at(&self) -> String {
        let position = self.position;
        match self.place {
            Place::Arguments(call) => format!("/calls/{call}/arguments/documents/{position}"),
            Place::Result(call) => format!("/calls/{call}/result/documents/{position}"),
        }
    }
}

impl Documents for Noting<'_> {
    fn write(&mut self, out: &mut Vec<u8>, document: &Document) {
        let (text, at) = (document.as_str(), self.at());
        let redaction = &self.options.redaction;
        let redacted = redaction.document(text, &at, self.marks, Some(self.secrets));
        if text.len() > self.options.text_bytes_max || out.len() + text.len() > TAPE_CALLS_BYTES_MAX
        {
            out.extend_from_slice(b"null");
            // A digest of the unredacted document would allow guesses at the redacted part to be tested.
            self.omitted.push(Omitted::new(at, &redacted));
        } else {
            out.extend_from_slice(redacted.as_bytes());
        }
        self.position += 1;
    }
}

#[async_trait::async_trait]
impl Storage for RecordingStorage {
    async fn perform(
        &self,
        call: &Call,
        request: StorageRequest,
    ) -> Result<StorageResponse, StorageError> {
        let started = self.ask(&request);
        let result = self.inner.perform(call, request).await;
        self.answer(started, result.as_ref());
        result
    }
}
