//! Live: a recorded event has run on a current store; the response is compared.

use super::{
    comparison::{Comparison, Note, Verdict, redacted_places},
    observe::{of_answer, recorded_response},
    view::View,
};
use contract::outcome::Answer;
use gateway::EventError;
use observation::{IgnoreRule, Ignored, Observation, compare};
use tape::Exchange;

/// Compares status, headers and body with the recording. Calls, writes and log lines depend on the store, and are not compared.
pub fn compare_live(
    exchange: &Exchange<'_>,
    answer: &Result<Answer, EventError>,
    ignore: &[IgnoreRule],
) -> Comparison {
    let Some(recorded) = recorded_response(exchange) else {
        return Comparison::unplayable("the response is not on the tape");
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
    let mut notes: Vec<Note> = differences.notes().into_iter().map(Note::from).collect();
    if exchange.is_redacted() {
        let places = redacted_places(exchange);
        notes.push(Note::from(format!(
            "this may be caused by the redaction of {places}"
        )));
    }
    Comparison {
        status,
        notes,
        differing: differences.parts,
        ..Comparison::new(Verdict::Differs)
    }
}
