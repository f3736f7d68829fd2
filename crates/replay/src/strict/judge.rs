//! The verdict of a strict replay.

use super::storage::StrictStorage;
use crate::{
    comparison::Note,
    observe::{log_texts, recorded_logs},
    view::View,
};
use contract::outcome::{Answer, Fault};
use gateway::EventError;
use observation::{DifferingPart, Ignored, Part, normal_payload};
use tape::{
    Exchange, FaultRecord,
    redact::{Marks, Secrets},
    splices::one_line,
    write_logs,
};

/// Whether the guest did what the tape says.
pub(super) enum Judgement {
    Same,
    Unplayable(String),
    Differs {
        notes: Vec<Note>,
        differing: Vec<DifferingPart>,
    },
}

impl Judgement {
    fn differs(note: impl Into<String>, differing: Vec<DifferingPart>) -> Self {
        Self::Differs {
            notes: vec![Note::from(note.into())],
            differing,
        }
    }
}

/// `missing` names the first recorded request to another service, or call about a secret, that the guest did not make.
pub(super) fn judge(
    storage: &StrictStorage,
    missing: Option<String>,
    exchange: &Exchange<'_>,
    answer: Option<&Result<Answer, EventError>>,
) -> Judgement {
    let mut state = storage.lock();
    if let Some(reason) = state.unplayable.take() {
        return Judgement::Unplayable(reason);
    }
    if let Some(divergence) = state.divergence.take() {
        return Judgement::differs(divergence.note, divergence.arguments.into_iter().collect());
    }
    let (made, recorded) = (state.next, storage.calls.len());
    drop(state);
    // Requests that are sent at the same time are all there when the first of them has no result.
    if let Some(note) = missing {
        let differing = answer.map_or_else(Vec::new, |answer| differing_response(exchange, answer));
        return Judgement::differs(note, differing);
    }
    let Some(answer) = answer else {
        return Judgement::Same; // everything was the same up to the call during which time ran out
    };
    if made < recorded {
        let note = format!(
            "call {}: the tape has `{}`, the guest made no further call",
            made + 1,
            storage.recorded_call(made)
        );
        return Judgement::differs(note, differing_response(exchange, answer));
    }
    if let Some(fault) = &exchange.fault
        && fault.is_timing()
        && !has_fault(answer, &fault.kind)
    {
        return Judgement::Unplayable(
            "time ran out when it was recorded; in the replay, the guest responded".to_owned(),
        );
    }
    let mut notes = Vec::new();
    let mut differing = Vec::new();
    if let Some(note) = answer_note(exchange, answer) {
        notes.push(Note::from(note));
        differing = differing_response(exchange, answer);
    }
    if let Some(logs) = differing_logs(exchange, answer) {
        notes.push(Note::from("the log lines differ".to_owned()));
        differing.push(logs);
    }
    if notes.is_empty() {
        Judgement::Same
    } else {
        Judgement::Differs { notes, differing }
    }
}

fn has_fault(answer: &Result<Answer, EventError>, kind: &str) -> bool {
    let fault = answer
        .as_ref()
        .ok()
        .and_then(|answer| answer.summary.fault.as_ref());
    fault.is_some_and(|fault| FaultRecord::of(fault).kind == kind)
}

/// What is wrong with the response, in a sentence.
fn answer_note(exchange: &Exchange<'_>, answer: &Result<Answer, EventError>) -> Option<String> {
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
                        .map_or("the guest responded", |fault| &fault.detail),
                    fault.map_or_else(|| "the guest responded".to_owned(), Fault::to_string),
                ));
            }
            if is_recorded_response(&answer.payload, recorded.get(), exchange) {
                return None;
            }
            let same_value =
                normal_payload(recorded.get().as_bytes()) == normal_payload(&answer.payload);
            Some(if same_value {
                "the response is equivalent, but its bytes differ".to_owned()
            } else {
                "the response differs".to_owned()
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

fn differing_response(
    exchange: &Exchange<'_>,
    answer: &Result<Answer, EventError>,
) -> Vec<DifferingPart> {
    let Ok(answer) = answer else {
        return Vec::new();
    };
    let (part, ignored) = (Part::Response, Ignored::default());
    let actual = normal_payload(&answer.payload);
    let differing = match exchange.response {
        Some(recorded) => {
            let expected = normal_payload(recorded.get().as_bytes());
            DifferingPart::of(part, expected, actual, &ignored)
        }
        None => DifferingPart::unexpected(part, actual, &ignored),
    };
    differing.into_iter().collect()
}

fn differing_logs(
    exchange: &Exchange<'_>,
    answer: &Result<Answer, EventError>,
) -> Option<DifferingPart> {
    let is_omitted = exchange
        .omitted
        .iter()
        .any(|omission| omission.at == "/logs");
    let summary = answer.as_ref().ok().map(|answer| &answer.summary);
    let logs = summary.map_or(&[][..], |summary| &summary.logs);
    if is_omitted || (logs.is_empty() && exchange.logs.is_none()) {
        return None;
    }
    let rules = exchange.redaction();
    let mut text = Vec::new();
    let (mut marks, mut secrets) = (Marks::default(), Secrets::default());
    write_logs(&mut text, logs, &rules, &mut marks, &mut secrets);
    let recorded = exchange.logs.map_or("[]", |logs| logs.get());
    if text == recorded.as_bytes() {
        return None;
    }
    let actual = summary.map_or_else(Vec::new, |summary| log_texts(summary, &rules));
    let as_texts = recorded_logs(exchange).ok().and_then(|expected| {
        let ignored = Ignored::default();
        DifferingPart::of(Part::Logs, expected.into(), actual.into(), &ignored)
    });
    // Two lines may look the same as text, and the recorded ones may be unreadable: they differ all the same.
    as_texts.or_else(|| {
        Some(DifferingPart {
            part: Part::Logs,
            expected: Some(recorded.into()),
            actual: String::from_utf8_lossy(&text).into(),
        })
    })
}
