//! The store of a strict replay: compares each call with the tape's and returns the tape's result.

use crate::view::shown;
use contract::{count::counted, digest::Digest};
use observation::{DifferenceList, DifferingPart, Ignored, Part};
use std::{
    fmt,
    future::pending,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use storage::{Call, Document, Revision, Storage, StorageError, StorageRequest, StorageResponse};
use tape::{
    Exchange, FaultRecord, StorageFunction,
    call::{
        read::{ResultError, ResultRecord},
        write::Documents,
        write_arguments,
    },
    redact::{Redaction, Secrets},
    splices::span,
};
use tokio::sync::Notify;

/// A call on the tape, as ranges of the line.
pub(super) struct Recorded {
    function: StorageFunction,
    arguments: Range<usize>,
    result: Option<Range<usize>>,
}

/// Answers from the tape.
pub(super) struct StrictStorage {
    line: Arc<[u8]>,
    pub(super) calls: Vec<Recorded>,
    /// Applied to documents before they are compared.
    pub(super) redaction: Redaction,
    /// Documents that the tape holds only the digest of: call, position among the documents of its arguments, digest.
    omitted: Vec<(String, Digest)>,
    state: Mutex<State>,
    /// What was redacted in the guest's requests to other services and calls about secrets.
    secrets: Mutex<Secrets>,
    /// The recorded request ran out of time, so that its last call may have no result.
    pub(super) ends_in_time: bool,
    /// The guest waits for a result that it never got.
    pub(super) ended: Notify,
}

pub(super) struct State {
    pub(super) next: usize,
    buffer: Vec<u8>,
    /// Revisions follow from the seed as long as the number of draws is known.
    revisions_known: bool,
    /// The first call that is not the recorded one.
    pub(super) divergence: Option<Divergence>,
    pub(super) unplayable: Option<String>,
}

/// Used only when the tape's own text is read: what is not there was not requested.
const NOWHERE: Range<usize> = 0..0;

impl StrictStorage {
    pub(super) fn new(line: &Arc<[u8]>, exchange: &Exchange<'_>) -> Self {
        // The exchange was read from the line, so the line is text.
        let whole = str::from_utf8(line).unwrap_or_default();
        let within = |text: &str| {
            let place = span(whole, text);
            if place.end <= whole.len() {
                place
            } else {
                NOWHERE
            }
        };
        let calls = exchange
            .calls
            .iter()
            .map(|call| Recorded {
                function: call.call,
                arguments: within(call.arguments.get()),
                result: call.result.map(|result| within(result.get())),
            })
            .collect();
        let omitted = exchange
            .omitted
            .iter()
            .map(|omission| (omission.at.clone().into_owned(), omission.sha256))
            .collect();
        Self {
            line: line.clone(),
            calls,
            redaction: exchange.redaction(),
            omitted,
            ends_in_time: exchange.fault.as_ref().is_some_and(FaultRecord::is_timing),
            state: Mutex::new(State {
                next: 0,
                buffer: Vec::new(),
                revisions_known: true,
                divergence: None,
                unplayable: None,
            }),
            secrets: Mutex::default(),
            ended: Notify::new(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn secrets(&self) -> MutexGuard<'_, Secrets> {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Number of calls so far.
    pub(super) fn made(&self) -> usize {
        self.lock().next
    }

    /// Whether the replay has diverged or cannot go on.
    pub(super) fn is_over(&self) -> bool {
        let state = self.lock();
        state.divergence.is_some() || state.unplayable.is_some()
    }

    /// Notes the first difference.
    pub(super) fn diverge(&self, divergence: Divergence) {
        self.lock().divergence.get_or_insert(divergence);
    }

    /// Notes that the tape lacks something.
    pub(super) fn cannot_be_played(&self, reason: String) {
        self.lock().unplayable.get_or_insert(reason);
    }

    /// Whether the guest has made as many storage calls as before the recorded call of another kind. In messages it is `what`, and was
    /// `made`.
    pub(super) fn check_after(
        &self,
        what: &str,
        made: &str,
        after: usize,
    ) -> Result<(), Divergence> {
        let now = self.made();
        if after == now {
            return Ok(());
        }
        Err(Divergence::said(format!(
            "{what}: it was {made} after {}, now after {now}",
            counted(after, "storage call", "storage calls")
        )))
    }

    /// The recorded result of such a call; `None` if there is none to give, and the replay is over.
    pub(super) async fn give<T, E: fmt::Display>(
        &self,
        what: &str,
        result: Option<Result<T, E>>,
    ) -> Option<T> {
        let reason = match result {
            Some(Ok(result)) => return Some(result),
            Some(Err(error)) => format!("{what}: {error}"),
            None if self.ends_in_time => {
                self.ended.notify_one();
                pending().await
            }
            None => format!("{what} has no result, although the request did not run out of time"),
        };
        self.cannot_be_played(reason);
        None
    }

    /// The digest of what the tape has no more of, at this place.
    pub(super) fn omitted_at(&self, at: &str) -> Option<Digest> {
        let mut found = self.omitted.iter().filter(|(place, _)| *place == at);
        found.next().map(|(_, digest)| *digest)
    }

    fn text(&self, place: &Range<usize>) -> &str {
        self.line
            .get(place.clone())
            .and_then(|text| str::from_utf8(text).ok())
            .unwrap_or_default()
    }

    pub(super) fn recorded_call(&self, position: usize) -> String {
        self.calls.get(position).map_or_else(String::new, |call| {
            format!("{} {}", call.function, self.text(&call.arguments))
        })
    }

    /// Compares a call with the next one on the tape; returns its number from 0 if they are the same.
    fn check(&self, request: &StorageRequest) -> Result<usize, StorageError> {
        let mut state = self.lock();
        if state.divergence.is_some() || state.unplayable.is_some() {
            return Err(StorageError::Internal); // what follows a difference has no meaning
        }
        let position = state.next;
        state.next += 1;
        let mut buffer = std::mem::take(&mut state.buffer);
        buffer.clear();
        let mut documents = Compared {
            storage: self,
            call: position,
            position: 0,
        };
        write_arguments(&mut buffer, request, &mut documents);
        let recorded = self.calls.get(position);
        let is_same = recorded.is_some_and(|recorded| {
            let arguments = self.text(&recorded.arguments);
            recorded.function == request.function()
                && (arguments.as_bytes() == buffer || is_same_value(arguments, &buffer))
        });
        if is_same {
            state.buffer = buffer;
            return Ok(position);
        }
        state.divergence = Some(Divergence::of(
            position,
            recorded.map(|recorded| (recorded.function, self.text(&recorded.arguments))),
            request.function(),
            &String::from_utf8_lossy(&buffer),
        ));
        Err(StorageError::Internal)
    }

    /// The recorded result of a call.
    #[expect(
        clippy::disallowed_methods,
        reason = "read into a type of named members that holds no `Value`"
    )]
    async fn answer(&self, request: &StorageRequest) -> Result<StorageResponse, StorageError> {
        let position = self.check(request)?;
        let recorded = self
            .calls
            .get(position)
            .and_then(|call| call.result.as_ref());
        let Some(result) = recorded else {
            if self.ends_in_time {
                self.ended.notify_one();
                return pending().await;
            }
            let number = position + 1;
            self.lock().unplayable = Some(format!(
                "call {number} has no result, although the request did not run out of time"
            ));
            return Err(StorageError::Internal);
        };
        let outcome = serde_json::from_str::<ResultRecord<'_>>(self.text(result))
            .map_err(ResultError::from)
            .and_then(|record| record.read(request.function()));
        match outcome {
            Ok(outcome) => {
                if outcome.is_err() && request.function().writes() {
                    // It is unknown whether it was refused before or after the store was called.
                    self.lock().revisions_known = false;
                }
                outcome
            }
            Err(error) => {
                let number = position + 1;
                self.lock().unplayable = Some(format!("call {number}: {error}"));
                Err(StorageError::Internal)
            }
        }
    }

    /// Whether a revision is the one that follows from the seed.
    fn check_revision(&self, made: Option<&Revision>, call: &Call) {
        let next = call.next_revision();
        let mut state = self.lock();
        let Some(made) = made.filter(|_| state.revisions_known) else {
            return;
        };
        if *made != next && state.divergence.is_none() {
            let number = state.next;
            let note = format!(
                "call {number}: the tape has the revision `{made}`, but its seed gives `{next}`"
            );
            state.divergence = Some(Divergence::said(note));
        }
    }
}

/// Whether it is the same JSON in another spelling, left by tools that rewrite tapes.
pub(super) fn is_same_value(recorded: &str, actual: &[u8]) -> bool {
    let recorded = json::value(recorded.as_bytes());
    matches!((recorded, json::value(actual)), (Ok(recorded), Ok(actual)) if json::same(&recorded, &actual))
}

/// A call that is not the recorded one.
pub(super) struct Divergence {
    pub(super) note: String,
    /// Its arguments, if the function is the recorded one.
    pub(super) arguments: Option<DifferingPart>,
}

impl Divergence {
    pub(super) fn said(note: String) -> Self {
        Self {
            note,
            arguments: None,
        }
    }

    /// Other arguments than the recorded ones, which `what` names.
    pub(super) fn of_arguments(what: &str, recorded: &str, arguments: &str) -> Self {
        let value = |text: &str| json::value(text.as_bytes()).unwrap_or_default();
        let (expected, actual) = (value(recorded), value(arguments));
        let differing = DifferingPart::of(Part::Call, expected, actual, &Ignored::default());
        let list = differing.as_ref().map(DifferingPart::differences);
        let places: Vec<String> = list.iter().flat_map(DifferenceList::lines).collect();
        let places = places.join("; ");
        Self {
            note: format!("{what}: other arguments: {places}"),
            arguments: differing,
        }
    }

    fn of(
        position: usize,
        recorded: Option<(StorageFunction, &str)>,
        function: StorageFunction,
        arguments: &str,
    ) -> Self {
        let number = position + 1;
        match recorded {
            None => Self::said(format!(
                "call {number}: the guest called `{function} {arguments}`, the tape has {}",
                counted(position, "call", "calls")
            )),
            Some((same, recorded)) if same == function => {
                let what = format!("call {number}, `{function}`");
                Self::of_arguments(&what, recorded, arguments)
            }
            Some((other, recorded)) => Self::said(format!(
                "call {number}: the tape has `{other} {recorded}`, the guest called `{function} {arguments}`"
            )),
        }
    }
}

/// Documents as the recorder would have written them.
struct Compared<'a> {
    storage: &'a StrictStorage,
    call: usize,
    position: u32,
}

impl Compared<'_> {
    /// The digest of the document here, if the tape has no more of it.
    fn omitted(&self) -> Option<Digest> {
        if self.storage.omitted.is_empty() {
            return None;
        }
        let at = format!("/calls/{}/arguments/documents/{}", self.call, self.position);
        self.storage.omitted_at(&at)
    }
}

impl Documents for Compared<'_> {
    fn write(&mut self, out: &mut Vec<u8>, document: &Document) {
        let is_omitted = |text: &str| {
            self.omitted()
                .is_some_and(|digest| digest == Digest::of(text.as_bytes()))
        };
        let written = shown(&self.storage.redaction, document, is_omitted);
        out.extend_from_slice(written.as_bytes());
        self.position += 1;
    }
}

#[async_trait::async_trait]
impl Storage for StrictStorage {
    async fn perform(
        &self,
        call: &Call,
        request: StorageRequest,
    ) -> Result<StorageResponse, StorageError> {
        let response = self.answer(&request).await?;
        for made in request.revisions(&response) {
            self.check_revision(made, call);
        }
        Ok(response)
    }
}
