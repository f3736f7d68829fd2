//! The rules of the gate.

use super::{super::Note, *};
use serde_json::{Value, json};

fn response(response: Value) -> Observation {
    Observation {
        response: Some(response),
        ..Observation::default()
    }
}

#[test]
fn a_replay_passes_where_its_effect_is_the_same() {
    for (verdict, passes) in [
        (Verdict::Same, true),
        (Verdict::EqualInEffect, true),
        (Verdict::Differs, false),
        (Verdict::Redacted, false),
        (Verdict::Unplayable, false),
    ] {
        let comparison = Comparison {
            notes: vec![Note::from("why".to_owned())],
            ..Comparison::new(verdict)
        };
        let expected = match passes {
            true => GateResult::Same,
            false => GateResult::unusable("why"),
        };
        assert_eq!(GateResult::of_comparison(comparison), expected);
    }
}

#[test]
fn an_event_has_to_be_answered_as_by_the_present_guest() {
    let rule = ["/body".parse().unwrap()];
    let judged = |expected: &Value, actual: &Value| {
        let expected = response(expected.clone());
        GateResult::of_event(
            Some(&expected),
            &response(actual.clone()),
            &Ignored::by(&rule),
        )
    };
    let ok = json!({"status": 200, "body": "a"});
    assert_eq!(
        judged(&ok, &json!({"status": 200, "body": "b"})),
        GateResult::Same
    );
    assert_eq!(
        judged(&ok, &json!({"status": 201, "body": "b"})),
        GateResult::unusable("/status: expected 200, got 201")
    );
    // Answers of the two guests that are equal.
    let failed = json!({"status": 500});
    assert_eq!(judged(&failed, &failed), GateResult::Same);
    let rejected = json!({"rejection": "an SQS event is not an HTTP request"});
    let GateResult::Differs(lines) = judged(&rejected, &rejected) else {
        panic!("what no guest sees proves nothing");
    };
    assert!(lines[0].starts_with("no guest was called"), "{lines:?}");
}

#[test]
fn what_the_host_answers_says_nothing_about_the_guests() {
    let refused = Observation {
        fault: Some("request refused: the body is too long".to_owned()),
        ..response(json!({"status": 413}))
    };
    let answered = response(json!({"status": 413}));
    for (expected, actual, result) in [
        (Some(&refused), &refused, GateResult::OfHost),
        (None, &refused, GateResult::OfHost),
        (Some(&answered), &refused, GateResult::Same),
        (Some(&refused), &answered, GateResult::Same),
        (None, &answered, GateResult::Same),
    ] {
        let judged = GateResult::of_event(expected, actual, &Ignored::default());
        assert_eq!(judged, result);
    }
    for (verdict, is_of_host, result) in [
        (Verdict::Same, true, GateResult::OfHost),
        (Verdict::EqualInEffect, true, GateResult::OfHost),
        (Verdict::Same, false, GateResult::Same),
        (Verdict::Differs, true, GateResult::Differs(Vec::new())),
    ] {
        let comparison = Comparison {
            is_of_host,
            ..Comparison::new(verdict)
        };
        assert_eq!(GateResult::of_comparison(comparison), result);
    }
}

#[test]
fn without_a_present_guest_an_event_must_not_fail() {
    let judged = |actual: Value| GateResult::of_event(None, &response(actual), &Ignored::default());
    assert_eq!(judged(json!({"status": 404})), GateResult::Same);
    for failing in [json!({"status": 500}), json!({}), json!({"rejection": "x"})] {
        assert!(matches!(judged(failing), GateResult::Differs(_)));
    }
}

#[test]
fn a_gate_that_compared_nothing_lets_nothing_through() {
    let mut counts = GateCounts::default();
    assert_eq!(counts.decision(), GateDecision::NothingCompared);
    counts.add(&GateResult::Cut);
    counts.add(&GateResult::OfHost);
    assert_eq!(counts.decision(), GateDecision::NothingCompared);
    counts.add(&GateResult::Same);
    assert_eq!(counts.decision(), GateDecision::Pass);
    counts.add(&GateResult::unusable("x"));
    counts.add(&GateResult::Same);
    assert_eq!(counts.decision(), GateDecision::Differs);
    assert_eq!((counts.compared, counts.differing), (3, 1));
    assert_eq!((counts.cut, counts.of_host), (1, 1));
}
