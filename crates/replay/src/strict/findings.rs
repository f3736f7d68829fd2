//! What a strict replay finds.

use super::storage::StrictStorage;
use crate::{
    compare::Note,
    outcome::{View, log_text, readable},
};
use contract::outcome::{Answer, Fault};
use gateway::Rejection;
use json::{self, Value};
use observation::Mismatch;
use tape::{
    Exchange, FaultRecord,
    redact::{Marks, Redaction, Secrets},
    splices::one_line,
    write_logs,
};

pub(super) enum Findings {
    None,
    Unplayable(String),
    Different(Vec<Note>, Vec<Mismatch>),
}

pub(super) fn findings(
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
    let is_omitted = exchange
        .omitted
        .iter()
        .any(|omission| omission.at == "/logs");
    if is_omitted || (logs.is_empty() && exchange.logs.is_none()) {
        return None;
    }
    let recorded = exchange.logs.map_or("[]", |logs| logs.get());
    let rules = exchange
        .redacted
        .as_ref()
        .map_or_else(Redaction::nothing, |redacted| redacted.rules());
    let mut text = Vec::new();
    write_logs(
        &mut text,
        logs,
        &rules,
        &mut Marks::default(),
        &mut Secrets::default(),
    );
    if text == recorded.as_bytes() {
        return None;
    }
    let texts = |text: &str| -> Value {
        let lines = json::value(text.as_bytes()).unwrap_or_default();
        lines
            .as_array()
            .into_iter()
            .flatten()
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
