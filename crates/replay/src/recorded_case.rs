//! A recorded exchange as a case.
//!
//! What the recording shows of the store becomes `before.json`. Then the recorded calls run on a store with these entries, at the recorded time
//! and with the recorded seed: if each gets the recorded result, the guest that was recorded answers the case as it answered the request,
//! and what is stored afterwards is `after.json`. If not, there is no case, because its expectation would be wrong.

use super::{
    comparison::{Note, redacted_places, shown_places},
    local_view, obstacle,
    recorded_state::{Known, RecordedState},
    replay_cursor_key,
};
use contract::seed::Seed;
use gateway::{
    message::Message,
    normal::{readable_response, status_of},
};
use json::Value;
use observation::{Case, CaseInputs};
use serde_json::json;
use std::{path::Path, sync::Arc};
use storage::{
    Call, Document, Entry, Item, Key, MemoryStorage, Namespace, Revision, Snapshot, Storage,
    StorageError, StorageRequest, StorageResponse,
};
use tape::{
    CallRecord, Exchange, FaultRecord, Redaction, read_arguments,
    redact::{Marks, Secrets, place_of},
};

/// The document and the revision of an item that existed and whose content the recording does not show.
const UNKNOWN_DOCUMENT: &str = "{}";
const UNKNOWN_REVISION: &str = "unknown";

/// Where the entries of a case are, in what is said about it.
const BEFORE_PLACE: &str = "/before";
const AFTER_PLACE: &str = "/after";
/// What redaction means for a case.
const DEPENDS: &str = "if the guest depends on them, the case does not come out as recorded: write other values into its files";

/// Why an exchange does not become a case.
#[derive(Debug, thiserror::Error)]
pub enum RecordedCaseError {
    /// The recording lacks what any replay needs.
    #[error("{0}")]
    Unplayable(String),
    /// The outcome followed from the clock or from other requests.
    #[error("the request failed with `{0}`, which a case does not repeat")]
    Timing(String),
    /// Ids and revisions cannot be repeated.
    #[error(
        "the seed is not in the recording, so the guest would make other ids and revisions than the recorded ones"
    )]
    NoSeed,
    /// The paths that the guest saw had a part removed.
    #[error("the host removed `{0}` from the path, which cases do not do")]
    BasePath(String),
    /// Cases have no other services.
    #[error("cases do not answer requests to other services; the guest sent {0}")]
    Outgoing(usize),
    /// Cases have no secrets.
    #[error("cases do not answer calls about secrets; the guest made {0}")]
    Secrets(usize),
    /// Something that the case would have to contain is missing.
    #[error("`{0}` is not in the recording: it was too long, or could not be redacted")]
    Omitted(String),
    /// There is no response.
    #[error("the response is not in the recording")]
    NoResponse,
    /// A storage call cannot be repeated on what the recording shows of the store.
    #[error("storage call {number}, `{function}`, {reason}")]
    Call {
        /// Counted from 1.
        number: usize,
        /// The function.
        function: &'static str,
        /// Why.
        reason: String,
    },
    /// The calls cannot be read, or a memory store refuses the entries.
    #[error("the recording cannot be used: {0}")]
    Recording(String),
}

/// The exchange as a case for this folder, which is not written, and what a person should know about it. A recording that is not redacted, such as
/// one in memory, is redacted now by these rules, if any are given: a case is a file that is passed on.
pub async fn case_of(
    exchange: &Exchange<'_>,
    folder: &Path,
    redaction: Option<&Redaction>,
) -> Result<(Case, Vec<Note>), RecordedCaseError> {
    let seed = check(exchange)?;
    let state = RecordedState::of(exchange)
        .map_err(|error| RecordedCaseError::Recording(error.to_string()))?;
    let (before, mut notes) = entries_before(&state);
    let after = entries_after(exchange, &seed, before.clone()).await?;
    notes.extend(redaction_note(exchange));
    // Checked: the event is there.
    let texts = Texts {
        event: exchange
            .event
            .map_or("null", |event| event.get())
            .to_owned(),
        response: exchange.response.map(|response| response.get().to_owned()),
        before,
        after,
    };
    let texts = match redaction.filter(|_| !exchange.is_redacted()) {
        Some(redaction) => {
            let secrets = secrets_besides(exchange, redaction);
            texts.redacted(redaction, secrets, &mut notes)?
        }
        None => texts,
    };
    let response = match (&texts.response, &exchange.rejection) {
        (Some(response), _) => readable_response(
            json::value(response.as_bytes()).map_err(|_| RecordedCaseError::NoResponse)?,
        ),
        (None, Some(rejection)) => json!({"refusal": rejection}),
        (None, None) => return Err(RecordedCaseError::NoResponse),
    };
    if status_of(&response).is_none() && exchange.rejection.is_none() {
        return Err(RecordedCaseError::NoResponse);
    }
    let case = Case {
        folder: folder.to_owned(),
        event: texts.event.into_bytes(),
        before: to_value(&texts.before),
        response: Some(response),
        after: Some(to_value(&texts.after)),
        inputs: CaseInputs {
            received_at_ms: Some(exchange.received_at_ms),
            seed: Some(seed),
        },
    };
    Ok((case, notes))
}

/// What a case shows of a request.
struct Texts {
    event: String,
    response: Option<String>,
    before: Vec<Entry>,
    after: Vec<Entry>,
}

impl Texts {
    /// The same as the line of a redacted tape would have it: without values whose names are those of credentials, and without copies of them.
    fn redacted(
        self,
        redaction: &Redaction,
        mut secrets: Secrets,
        notes: &mut Vec<Note>,
    ) -> Result<Self, RecordedCaseError> {
        let mut marks = Marks::default();
        let event = redaction.event(&self.event, &mut marks, &mut secrets);
        let event = event.ok_or_else(|| omitted(place_of(Message::Event)))?;
        let response = self
            .response
            .as_deref()
            .map(|response| redaction.response(response, &mut marks, &mut secrets));
        let mut documents = |entries: Vec<Entry>, base: &str| {
            let redact = |(number, mut entry): (usize, Entry)| {
                let at = format!("{base}/{number}/document");
                let text = entry.item.document.as_str();
                let text = redaction.document(text, &at, &mut marks, Some(&mut secrets));
                entry.item.document = Document::parse(&text).map_err(|_| omitted(&at))?;
                Ok(entry)
            };
            let redacted = entries.into_iter().enumerate().map(redact);
            redacted.collect::<Result<Vec<Entry>, RecordedCaseError>>()
        };
        let before = documents(self.before, BEFORE_PLACE)?;
        let after = documents(self.after, AFTER_PLACE)?;
        if let Some(place) = marks.left_out_places().first() {
            return Err(omitted(place));
        }
        let mut message = |text: &str, message| {
            let swept = secrets.removed_from_message(text, message, &mut marks);
            swept.ok_or_else(|| omitted(place_of(message)))
        };
        let event = message(&event, Message::Event)?;
        let response = response.map(|response| message(&response, Message::Response));
        let mut entries = |entries: &[Entry], base| {
            let json = to_value(entries).to_string();
            let swept = secrets.removed_from_entries(&json, base, &mut marks);
            read_entries(&swept.ok_or_else(|| omitted(base))?).ok_or_else(|| omitted(base))
        };
        let (before, after) = (
            entries(&before, BEFORE_PLACE)?,
            entries(&after, AFTER_PLACE)?,
        );
        notes.extend(newly_redacted_note(&marks));
        Ok(Self {
            event,
            response: response.transpose()?,
            before,
            after,
        })
    }
}

/// The credentials in what a case does not have: in log lines, and in documents of calls that neither were there before nor are afterwards.
/// Copies of them may stand in what it has.
fn secrets_besides(exchange: &Exchange<'_>, redaction: &Redaction) -> Secrets {
    // The places are not in the case.
    let (mut marks, mut secrets) = (Marks::default(), Secrets::default());
    for line in exchange.log_lines() {
        redaction.log_message(&line.message, "", &mut marks, &mut secrets);
        let attributes = line.attributes.map(|attributes| attributes.get());
        for (name, value) in attributes
            .and_then(|text| json::members(text).ok())
            .unwrap_or_default()
        {
            redaction.attribute(&name, value, "", &mut marks, &mut secrets);
        }
    }
    for call in &exchange.calls {
        let mut document = |document: &Document| {
            redaction.document(document.as_str(), "", &mut marks, Some(&mut secrets));
        };
        // What cannot be read makes no case.
        if let Ok(arguments) = read_arguments(call.call, call.arguments) {
            arguments.documents(&mut |found| found.iter().for_each(&mut document));
        }
        if let Ok(Some(result)) = call.result()
            && let Ok(Ok(response)) = result.read(call.call)
        {
            response.documents(&mut document);
        }
    }
    secrets
}

#[expect(
    clippy::disallowed_methods,
    reason = "entries are a typed struct, and were written by this module"
)]
fn read_entries(json: &str) -> Option<Vec<Entry>> {
    serde_json::from_str(json).ok()
}

fn omitted(place: &str) -> RecordedCaseError {
    RecordedCaseError::Omitted(place.to_owned())
}

/// What has to be there whatever the request did; returns the seed.
fn check(exchange: &Exchange<'_>) -> Result<Seed, RecordedCaseError> {
    if let Some(reason) = obstacle(exchange) {
        return Err(RecordedCaseError::Unplayable(reason));
    }
    if let Some(fault) = exchange.fault.as_ref().filter(|fault| fault.is_timing()) {
        return Err(RecordedCaseError::Timing(kind(fault)));
    }
    if let Some(base_path) = &exchange.host.base_path {
        return Err(RecordedCaseError::BasePath(base_path.to_string()));
    }
    if !exchange.outgoing.is_empty() {
        return Err(RecordedCaseError::Outgoing(exchange.outgoing.len()));
    }
    if !exchange.secrets.is_empty() {
        return Err(RecordedCaseError::Secrets(exchange.secrets.len()));
    }
    let omitted = exchange.omitted.iter().map(|omission| &*omission.at);
    let redacted = exchange.redacted.iter();
    let left_out = redacted.flat_map(|redacted| redacted.left_out.iter().map(|place| &**place));
    // Log lines are not part of a case.
    let needed = [
        place_of(Message::Event),
        place_of(Message::Response),
        "/calls",
    ];
    let is_needed = |place: &&str| needed.iter().any(|needed| place.starts_with(needed));
    if let Some(place) = omitted.chain(left_out).find(is_needed) {
        return Err(RecordedCaseError::Omitted(place.to_owned()));
    }
    exchange.seed.clone().ok_or(RecordedCaseError::NoSeed)
}

fn kind(fault: &FaultRecord<'_>) -> String {
    fault.kind.to_string()
}

/// What was stored before the request, as far as it saw it.
fn entries_before(state: &RecordedState) -> (Vec<Entry>, Vec<Note>) {
    let mut notes = Vec::new();
    let mut entries = Vec::new();
    for (key, known) in &state.items {
        let item = match known {
            Known::Absent => continue,
            Known::Present(item) => item.clone(),
            Known::Exists(revision) => {
                let Key { partition, sort } = key;
                notes.push(Note::from(format!(
                    "item `{partition}` / `{sort}` existed with a content that the request did not read: `before.json` has an empty document for it"
                )));
                match unknown_item(revision.clone()) {
                    Some(item) => item,
                    None => continue,
                }
            }
        };
        entries.push(Entry {
            key: key.clone(),
            item,
        });
    }
    (entries, notes)
}

fn unknown_item(revision: Option<Revision>) -> Option<Item> {
    Some(Item {
        document: Document::parse(UNKNOWN_DOCUMENT).ok()?,
        revision: revision.unwrap_or_else(|| Revision::from(UNKNOWN_REVISION.to_owned())),
        index: None,
        expires_at: None,
    })
}

/// Repeats the recorded calls on a store with these entries, and reads it.
async fn entries_after(
    exchange: &Exchange<'_>,
    seed: &Seed,
    before: Vec<Entry>,
) -> Result<Vec<Entry>, RecordedCaseError> {
    let unusable = |error: StorageError| RecordedCaseError::Recording(error.to_string());
    let (store, namespace) = (Arc::new(MemoryStorage::new()), Namespace::local());
    store.load_namespace(&namespace, before).map_err(unusable)?;
    let storage = local_view(store.clone(), replay_cursor_key());
    let context = Call::new(exchange.received_at_ms, seed, None);
    for (number, call) in (1..).zip(&exchange.calls) {
        let repeated = repeat(&*storage, &context, call).await;
        repeated.map_err(|reason| RecordedCaseError::Call {
            number,
            function: call.call.as_str(),
            reason,
        })?;
    }
    let entries = store.namespace_entries(&namespace, exchange.received_at_ms);
    entries.map_err(unusable)
}

/// Repeats a call; the reason if it does not get its recorded result.
async fn repeat(
    storage: &dyn Storage,
    context: &Call,
    recorded: &CallRecord<'_>,
) -> Result<(), String> {
    let unreadable = |error: &dyn std::fmt::Display| format!("cannot be read: {error}");
    let arguments =
        read_arguments(recorded.call, recorded.arguments).map_err(|error| unreadable(&error))?;
    let result = recorded.result().map_err(|error| unreadable(&error))?;
    let Some(result) = result else {
        return Err("has no result in the recording: the request ended before it".to_owned());
    };
    let expected = result
        .read(recorded.call)
        .map_err(|error| unreadable(&error))?;
    let request = arguments
        .transpose()
        .ok_or("wrote a document that is not in the recording, because it was too long")?;
    let continues_page = has_cursor(&request);
    let actual = storage.perform(context, request).await;
    if actual == expected {
        return Ok(());
    }
    Err(reason_of(&expected, continues_page).to_owned())
}

/// Why a call gets another result.
fn reason_of(
    expected: &Result<StorageResponse, StorageError>,
    continues_page: bool,
) -> &'static str {
    match expected {
        _ if continues_page => {
            "continues a page that an earlier request began, with a cursor that only the recorded store knows"
        }
        Ok(StorageResponse::Query(page) | StorageResponse::QueryIndex(page))
            if page.cursor.is_some() =>
        {
            "read a page with more entries behind it, which the recording does not contain"
        }
        Err(StorageError::Invalid(_) | StorageError::TooLarge(_)) | Ok(_) => {
            "gets another result on what the recording shows of the store"
        }
        Err(_) => "failed because of the store, which a case does not repeat",
    }
}

fn has_cursor(request: &StorageRequest) -> bool {
    match request.subject() {
        storage::Subject::Part { cursor, .. } => cursor.is_some(),
        storage::Subject::Items(_) => false,
    }
}

fn redaction_note(exchange: &Exchange<'_>) -> Option<Note> {
    exchange.is_redacted().then(|| {
        Note::from(format!(
            "redacted: {}; {DEPENDS}",
            redacted_places(exchange)
        ))
    })
}

/// What was redacted for the case, with names as they are, because the developer sent them.
fn newly_redacted_note(marks: &Marks) -> Option<Note> {
    (!marks.is_empty()).then(|| {
        Note::from(format!(
            "redacted: {}; {DEPENDS}",
            shown_places(marks.places())
        ))
    })
}

fn to_value(entries: &[Entry]) -> Value {
    // Entries consist of strings, numbers and documents that were JSON before.
    serde_json::to_value(entries).unwrap_or_default()
}

#[cfg(test)]
mod tests;
