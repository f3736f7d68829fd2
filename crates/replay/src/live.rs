//! Live: a recorded event has run on a store as it is now; compared is the answer.

use super::{
    Comparison, Playback, Verdict,
    compare::{Note, redacted_places},
    difference::{Differences, Rules},
    effect::Effects,
    outcome::{View, readable},
};
use contract::outcome::Answer;
use gateway::Rejection;
use observation::IgnoreRule;
use serde_json::{Value, json};
use tape::Exchange;

/// Compares status, headers and body with the recorded ones. What was called, written and logged follows from the store, and is not
/// compared.
pub fn compare_live(
    exchange: &Exchange<'_>,
    answer: &Result<Answer, Rejection>,
    ignore: &[IgnoreRule],
) -> Comparison {
    let recorded = match (exchange.response, &exchange.rejection) {
        (Some(response), _) => readable(response.get()),
        (None, Some(rejection)) => json!({"rejection": rejection}),
        (None, None) => return Comparison::unplayable("the answer is not on the tape"),
    };
    let expected = Playback {
        response: recorded,
        writes: Value::Array(Vec::new()),
        ..Playback::default()
    };
    let actual = Playback::of_run(answer, &Effects::default(), Vec::new(), &View::of(exchange));
    let differences = Differences::between(&expected, &actual, &Rules::new(ignore));
    if differences.is_empty() {
        return Comparison {
            status: actual.status(),
            ..Comparison::same()
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
        verdict: Verdict::Differs,
        status: actual.status(),
        notes,
        mismatches: differences.mismatches(&expected, &actual),
        sides: None,
    }
}
