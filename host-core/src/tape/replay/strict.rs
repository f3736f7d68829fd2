//! Strict: the store's answers come from the tape, and everything has to be as it was, to the byte.

use super::{
    Comparison, Replayer, Verdict,
    compare::{Note, redacted_places},
    outcome::{View, log_text, readable},
};
use crate::{
    digest::Digest,
    gateway::Rejection,
    replay::Mismatch,
    service::{Answer, Arrival, Fault},
    storage::{
        Call, Consistency, DeleteOutcome, Document, Item, Key, Operation, Page, Precondition,
        PutOptions, PutOutcome, QueryOptions, Revision, Storage, StorageError, TransactOutcome,
    },
    tape::{
        Exchange, FaultRecord, Function,
        call::{
            read::{ResultError, ResultRecord},
            write::{Asked, Documents},
        },
        json::{one_line, span},
        record::write_logs,
        redact::{Marks, Redaction},
    },
};
use serde_json::Value;
use std::{
    future::{Future, pending, poll_fn},
    ops::Range,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::Instant,
};
use tokio::sync::Notify;

/// Replays a request that nothing stands in the way of.
pub(super) async fn replay(
    replayer: &Replayer,
    line: &Arc<[u8]>,
    exchange: &Exchange<'_>,
) -> Comparison {
    let Some(seed) = exchange.seed.clone() else {
        return Comparison::unplayable(
            "the seed was withheld: replay it with `--mode state`, strictly it cannot be",
        );
    };
    if let Err(reason) = replayer.guest.has_environment_of(exchange) {
        return Comparison::unplayable(reason);
    }
    // Checked to be there.
    let event = exchange.event.map_or("", |event| event.get());
    let storage = Arc::new(StrictStorage::new(line, exchange));
    let service = replayer.guest.service(&exchange.host);
    let deadline = Instant::now() + service.limits().request_duration_max;
    let arrival = Arrival {
        received_at_ms: exchange.received_at_ms,
        seed,
        deadline,
        trace_header: None,
    };
    let run = service.invoke_with(event.as_bytes(), arrival, |_| storage.clone());
    let answer = if exchange.fault.as_ref().is_some_and(FaultRecord::is_timing) {
        unless(run, storage.ended.notified()).await
    } else {
        Some(run.await)
    };
    let findings = findings(&storage, exchange, answer.as_ref());
    match findings {
        Findings::None => Comparison::same(),
        Findings::Unplayable(reason) => Comparison::unplayable(reason),
        Findings::Different(notes, mismatches) => {
            blame(exchange, replayer.is_recorded(exchange), notes, mismatches)
        }
    }
}

/// The output of `run`; `None` if `end` comes first.
async fn unless<T>(run: impl Future<Output = T>, end: impl Future<Output = ()>) -> Option<T> {
    let (mut run, mut end) = (pin!(run), pin!(end));
    poll_fn(|context| match run.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => end.as_mut().poll(context).map(|()| None),
    })
    .await
}

enum Findings {
    None,
    Unplayable(String),
    Different(Vec<Note>, Vec<Mismatch>),
}

fn findings(
    storage: &StrictStorage,
    exchange: &Exchange<'_>,
    answer: Option<&Result<Answer, Rejection>>,
) -> Findings {
    let mut state = storage.lock();
    if let Some(reason) = state.unplayable.take() {
        return Findings::Unplayable(reason);
    }
    if let Some((note, mismatch)) = state.divergence.take() {
        return Findings::Different(vec![note.into()], mismatch.into_iter().collect());
    }
    let (made, recorded) = (state.next, storage.calls.len());
    drop(state);
    let Some(answer) = answer else {
        return Findings::None; // up to the call during which time ran out, all was the same
    };
    if made < recorded {
        let note = format!(
            "call {}: the tape has `{}`, the guest made no further call",
            made + 1,
            storage.recorded_call(made)
        );
        return Findings::Different(vec![note.into()], response_mismatch(exchange, answer));
    }
    if let Some(fault) = &exchange.fault
        && fault.is_timing()
        && !has_fault(answer, &fault.kind)
    {
        return Findings::Unplayable(
            "time ran out when it was recorded; in the replay, the guest answered".to_owned(),
        );
    }
    let mut notes = Vec::new();
    let mut mismatches = Vec::new();
    if let Some(note) = answer_note(exchange, answer) {
        notes.push(note.into());
        mismatches = response_mismatch(exchange, answer);
    }
    if let Some(mismatch) = logs_mismatch(exchange, answer) {
        notes.push("the log lines differ".to_owned().into());
        mismatches.push(mismatch);
    }
    if notes.is_empty() {
        Findings::None
    } else {
        Findings::Different(notes, mismatches)
    }
}

/// Who is to blame: with the recorded guest and everything else given, what was redacted.
fn blame(
    exchange: &Exchange<'_>,
    is_recorded: bool,
    mut notes: Vec<Note>,
    mismatches: Vec<Mismatch>,
) -> Comparison {
    let mut verdict = Verdict::Differs;
    if exchange.is_redacted() {
        let places = redacted_places(exchange);
        if is_recorded {
            verdict = Verdict::Redacted;
            notes.push(format!("this follows from the redaction of {places}").into());
        } else {
            notes.push(format!("this may follow from the redaction of {places}").into());
        }
    }
    Comparison {
        verdict,
        notes,
        mismatches,
        sides: None,
    }
}

fn has_fault(answer: &Result<Answer, Rejection>, kind: &str) -> bool {
    let fault = answer
        .as_ref()
        .ok()
        .and_then(|answer| answer.summary.fault.as_ref());
    fault.is_some_and(|fault| FaultRecord::of(fault).kind == kind)
}

/// What is wrong with the answer, in a sentence.
fn answer_note(exchange: &Exchange<'_>, answer: &Result<Answer, Rejection>) -> Option<String> {
    match (answer, exchange.response) {
        (Ok(answer), Some(recorded)) => {
            let fault = answer.summary.fault.as_ref();
            let recorded_kind = exchange.fault.as_ref().map(|fault| &*fault.kind);
            let kind = fault.map(FaultRecord::of).map(|fault| fault.kind);
            if kind.as_deref() != recorded_kind {
                return Some(format!(
                    "recorded: {}; now: {}",
                    exchange
                        .fault
                        .as_ref()
                        .map_or("the guest answered", |fault| &fault.detail),
                    fault.map_or_else(|| "the guest answered".to_owned(), Fault::to_string),
                ));
            }
            if is_recorded_response(&answer.payload, recorded.get(), exchange) {
                return None;
            }
            let same_value = readable(recorded.get())
                == readable(str::from_utf8(&answer.payload).unwrap_or_default());
            Some(if same_value {
                "the answer means the same, but its bytes differ".to_owned()
            } else {
                "the answer differs".to_owned()
            })
        }
        (Err(rejection), None) => {
            let now = rejection.to_string();
            let recorded = exchange.rejection.as_deref().unwrap_or_default();
            (now != recorded)
                .then(|| format!("the event was rejected as `{recorded}`, now as `{now}`"))
        }
        (Ok(answer), None) => Some(format!(
            "the event was rejected; now it is answered with {}",
            answer.summary.status
        )),
        (Err(rejection), Some(_)) => Some(format!("the event is rejected: {rejection}")),
    }
}

fn is_recorded_response(payload: &[u8], recorded: &str, exchange: &Exchange<'_>) -> bool {
    if payload == recorded.as_bytes() {
        return true;
    }
    let Ok(payload) = str::from_utf8(payload) else {
        return false;
    };
    let shown = View::of(exchange).response(payload).into_owned();
    &*one_line(shown.as_bytes()) == recorded.as_bytes()
}

fn response_mismatch(exchange: &Exchange<'_>, answer: &Result<Answer, Rejection>) -> Vec<Mismatch> {
    let Ok(answer) = answer else {
        return Vec::new();
    };
    let expected = exchange.response.map(|response| readable(response.get()));
    let actual = readable(str::from_utf8(&answer.payload).unwrap_or_default());
    Mismatch::between("response", expected.as_ref(), &actual)
        .into_iter()
        .collect()
}

fn logs_mismatch(exchange: &Exchange<'_>, answer: &Result<Answer, Rejection>) -> Option<Mismatch> {
    let logs = answer
        .as_ref()
        .map_or(&[][..], |answer| &answer.summary.logs);
    if logs.is_empty() && exchange.logs.is_none() {
        return None;
    }
    let recorded = exchange.logs.map_or("[]", |logs| logs.get());
    let rules = exchange
        .redacted
        .as_ref()
        .map_or_else(Redaction::nothing, |redacted| redacted.rules());
    let mut text = Vec::new();
    write_logs(&mut text, logs, &rules, &mut Marks::default());
    if text == recorded.as_bytes() {
        return None;
    }
    let texts = |json: &str| -> Value {
        let lines: Vec<Value> = serde_json::from_str(json).unwrap_or_default();
        lines
            .iter()
            .map(|line| {
                let member = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
                let attributes = line["attributes"].to_string();
                log_text(
                    &member("level"),
                    &member("message"),
                    [("attributes", attributes.as_str())],
                )
            })
            .collect()
    };
    let expected = texts(recorded);
    Mismatch::between(
        "logs",
        Some(&expected),
        &texts(&String::from_utf8_lossy(&text)),
    )
}

/// A call on the tape, as places in the line.
struct Recorded {
    function: Function,
    arguments: Range<usize>,
    result: Option<Range<usize>>,
}

/// Answers from the tape.
struct StrictStorage {
    line: Arc<[u8]>,
    calls: Vec<Recorded>,
    /// Applied to documents before they are compared.
    redaction: Option<Redaction>,
    /// Documents that the tape holds only the digest of: call, position among the documents of its arguments, digest.
    omitted: Vec<(String, Digest)>,
    state: Mutex<State>,
    /// The guest waits for an answer that it never got.
    ended: Notify,
}

struct State {
    next: usize,
    buffer: Vec<u8>,
    /// Revisions follow from the seed as long as it is known how many were drawn.
    revisions_known: bool,
    divergence: Option<(String, Option<Mismatch>)>,
    unplayable: Option<String>,
}

/// Only where the tape's own text is read: what is not there was not asked for.
const NOWHERE: Range<usize> = 0..0;

impl StrictStorage {
    fn new(line: &Arc<[u8]>, exchange: &Exchange<'_>) -> Self {
        // The exchange was read from the line, so that it is text.
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
            redaction: exchange.redacted.as_ref().map(|redacted| redacted.rules()),
            omitted,
            state: Mutex::new(State {
                next: 0,
                buffer: Vec::new(),
                revisions_known: true,
                divergence: None,
                unplayable: None,
            }),
            ended: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn text(&self, place: &Range<usize>) -> &str {
        self.line
            .get(place.clone())
            .and_then(|text| str::from_utf8(text).ok())
            .unwrap_or_default()
    }

    fn recorded_call(&self, position: usize) -> String {
        self.calls.get(position).map_or_else(String::new, |call| {
            format!("{} {}", call.function, self.text(&call.arguments))
        })
    }

    /// Compares a call with the next one on the tape; its number from 0 if they are the same.
    fn check(&self, asked: &Asked<'_>) -> Result<usize, StorageError> {
        let mut state = self.lock();
        if state.divergence.is_some() || state.unplayable.is_some() {
            return Err(StorageError::Internal); // what comes after a difference says nothing
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
        asked.write(&mut buffer, &mut documents);
        let recorded = self.calls.get(position);
        let is_same = recorded.is_some_and(|recorded| {
            let arguments = self.text(&recorded.arguments);
            recorded.function == asked.function()
                && (arguments.as_bytes() == buffer || is_same_value(arguments, &buffer))
        });
        if is_same {
            state.buffer = buffer;
            return Ok(position);
        }
        state.divergence = Some(divergence(
            position,
            recorded.map(|recorded| (recorded.function, self.text(&recorded.arguments))),
            asked.function(),
            &String::from_utf8_lossy(&buffer),
        ));
        Err(StorageError::Internal)
    }

    /// The recorded answer to a call.
    async fn answer<T>(
        &self,
        asked: Asked<'_>,
        read: impl FnOnce(&ResultRecord<'_>) -> Result<Result<T, StorageError>, ResultError> + Send,
    ) -> Result<T, StorageError> {
        let position = self.check(&asked)?;
        let recorded = self
            .calls
            .get(position)
            .and_then(|call| call.result.as_ref());
        let Some(result) = recorded else {
            self.ended.notify_one();
            return pending().await;
        };
        let outcome = serde_json::from_str(self.text(result))
            .map_err(ResultError::from)
            .and_then(|record| read(&record));
        match outcome {
            Ok(outcome) => {
                if outcome.is_err() && asked.function().writes() {
                    // Refused before the store was asked, or after: nobody can tell.
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
                "call {number}: the tape has the revision `{made}`, from its seed follows `{next}`"
            );
            state.divergence = Some((note, None));
        }
    }
}

/// The same JSON in another spelling, as tools that rewrite tapes leave it.
fn is_same_value(recorded: &str, actual: &[u8]) -> bool {
    let value = |text: &[u8]| serde_json::from_slice::<Value>(text).ok();
    value(recorded.as_bytes()).is_some_and(|recorded| value(actual) == Some(recorded))
}

fn divergence(
    position: usize,
    recorded: Option<(Function, &str)>,
    function: Function,
    arguments: &str,
) -> (String, Option<Mismatch>) {
    let number = position + 1;
    let value = |json: &str| serde_json::from_str::<Value>(json).unwrap_or_default();
    match recorded {
        None => (
            format!(
                "call {number}: the guest asked for `{function} {arguments}`, the tape has {position} calls"
            ),
            None,
        ),
        Some((same, recorded)) if same == function => {
            let mismatch = Mismatch::between("call", Some(&value(recorded)), &value(arguments));
            let places: Vec<String> = mismatch
                .iter()
                .flat_map(Mismatch::differences)
                .map(|difference| difference.to_string())
                .collect();
            let what = places.join("; ");
            (
                format!("call {number}, `{function}`: other arguments: {what}"),
                mismatch,
            )
        }
        Some((other, recorded)) => (
            format!(
                "call {number}: the tape has `{other} {recorded}`, the guest asked for `{function} {arguments}`"
            ),
            None,
        ),
    }
}

/// Documents as the recorder would have written them.
struct Compared<'a> {
    storage: &'a StrictStorage,
    call: usize,
    position: u32,
}

impl Documents for Compared<'_> {
    fn write(&mut self, out: &mut Vec<u8>, document: &Document) {
        let text = document.as_str();
        let storage = self.storage;
        if !storage.omitted.is_empty() {
            let at = format!("/calls/{}/arguments/documents/{}", self.call, self.position);
            let digest = storage
                .omitted
                .iter()
                .find(|(place, _)| *place == at)
                .map(|(_, digest)| digest);
            if digest == Some(&Digest::of(text.as_bytes())) {
                out.extend_from_slice(b"null");
                self.position += 1;
                return;
            }
        }
        match &storage.redaction {
            Some(redaction) => {
                let redacted = redaction.document(text, "", &mut Marks::default());
                out.extend_from_slice(redacted.as_bytes());
            }
            None => out.extend_from_slice(text.as_bytes()),
        }
        self.position += 1;
    }
}

#[async_trait::async_trait]
impl Storage for StrictStorage {
    async fn get(
        &self,
        _: &Call,
        key: &Key,
        consistency: Consistency,
    ) -> Result<Option<Item>, StorageError> {
        self.answer(Asked::Get(key, consistency), |record| record.get())
            .await
    }

    async fn get_many(
        &self,
        _: &Call,
        keys: &[Key],
        consistency: Consistency,
    ) -> Result<Vec<Option<Item>>, StorageError> {
        self.answer(Asked::GetMany(keys, consistency), |record| {
            record.get_many()
        })
        .await
    }

    async fn put(
        &self,
        call: &Call,
        key: &Key,
        document: &Document,
        options: &PutOptions,
    ) -> Result<PutOutcome, StorageError> {
        let asked = Asked::Put(key, document, options);
        let outcome = self.answer(asked, |record| record.put()).await?;
        match &outcome {
            PutOutcome::Done(revision) => self.check_revision(Some(revision), call),
            PutOutcome::PreconditionFailed(_) => self.check_revision(None, call),
        }
        Ok(outcome)
    }

    async fn delete(
        &self,
        _: &Call,
        key: &Key,
        precondition: &Precondition,
    ) -> Result<DeleteOutcome, StorageError> {
        self.answer(Asked::Delete(key, precondition), |record| record.delete())
            .await
    }

    async fn query(
        &self,
        _: &Call,
        partition: &str,
        consistency: Consistency,
        options: &QueryOptions,
    ) -> Result<Page, StorageError> {
        let asked = Asked::Query(partition, consistency, options);
        self.answer(asked, |record| record.page()).await
    }

    async fn query_index(
        &self,
        _: &Call,
        partition: &str,
        options: &QueryOptions,
    ) -> Result<Page, StorageError> {
        let asked = Asked::QueryIndex(partition, options);
        self.answer(asked, |record| record.page()).await
    }

    async fn transact(
        &self,
        call: &Call,
        operations: &[Operation],
        token: Option<&str>,
    ) -> Result<TransactOutcome, StorageError> {
        let asked = Asked::Transact(operations, token);
        let outcome = self.answer(asked, |record| record.transact()).await?;
        let none = Vec::new();
        let revisions = match &outcome {
            // Under a token, the answer may be that of an earlier request.
            TransactOutcome::Done(revisions) if token.is_none() => revisions,
            TransactOutcome::Done(_) | TransactOutcome::PreconditionFailed { .. } => &none,
        };
        for (position, operation) in operations.iter().enumerate() {
            if matches!(operation, Operation::Put { .. }) {
                let made = revisions.get(position).and_then(Option::as_ref);
                self.check_revision(made, call);
            }
        }
        Ok(outcome)
    }
}
