//! Live: a recorded event has run on a store as it is now; compared is the answer.

use super::{
    comparison::{Comparison, Note, Verdict, redacted_places},
    observe::{of_answer, recorded_response},
    view::View,
};
use contract::outcome::Answer;
use gateway::Rejection;
use observation::{IgnoreRule, Ignored, Observation, compare};
use tape::Exchange;

/// Compares status, headers and body with the recorded ones. What was called, written and logged follows from the store, and is not
/// compared.
pub fn compare_live(
    exchange: &Exchange<'_>,
    answer: &Result<Answer, Rejection>,
    ignore: &[IgnoreRule],
) -> Comparison {
    let Some(recorded) = recorded_response(exchange) else {
        return Comparison::unplayable("the answer is not on the tape");
    };
    let fault = exchange.fault.as_ref();
    let expected = Observation {
        response: Some(recorded),
        fault: fault.map(|fault| fault.detail.clone().into_owned()),
        ..Observation::default()
    };
    let actual = of_answer(answer, &View::of(exchange));
    let differences = compare(&expected, &actual, &Ignored::by(ignore));
    let status = actual.status();
    if differences.is_empty() {
        return Comparison {
            status,
            ..Comparison::new(Verdict::Same)
        };
    }
    let mut notes: Vec<Note> = differences.notes().into_iter().map(Note).collect();
    if exchange.is_redacted() {
        let places = redacted_places(exchange);
        notes.push(Note(format!(
            "this may follow from the redaction of {places}"
        )));
    }
    Comparison {
        status,
        notes,
        differing: differences.parts,
        ..Comparison::new(Verdict::Differs)
    }
}
