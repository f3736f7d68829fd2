//! What scripts read of `host-cli`: exit codes, and members of its JSON. Members may be added, none goes or becomes something else.

use super::kept::{self, Project};
use serde_json::Value;

/// Commands with the JSON that the first version printed.
const PRINTED: [(&str, &[&str]); 7] = [
    ("channel-show", &["channel", "show"]),
    ("inspect", &["inspect", "--format", "json"]),
    ("published", &["published", "--format", "json"]),
    ("releases", &["releases", "--format", "json"]),
    (
        "replay",
        &["replay", "tapes/first.tape", "--format", "json"],
    ),
    ("store-list", &["store", "list", "--format", "json"]),
    ("store-query", &["store", "query", "p", "--format", "json"]),
];

#[test]
fn every_member_of_the_json_is_still_there() {
    let project = Project::new();
    for (name, command) in PRINTED {
        let now = project.json(command);
        let then = kept::json(&format!("output/{name}.json"));
        covers(&then, &now, name);
    }
}

/// Each member of `then` is in `now`, with a value of the same type.
fn covers(then: &Value, now: &Value, place: &str) {
    match (then, now) {
        (Value::Object(then), Value::Object(now)) => {
            for (name, value) in then {
                let place = format!("{place}/{name}");
                let found = now.get(name).unwrap_or_else(|| panic!("`{place}` is gone"));
                covers(value, found, &place);
            }
        }
        (Value::Array(then), Value::Array(now)) => {
            assert_eq!(then.len(), now.len(), "`{place}` has the same input");
            for (number, (then, now)) in then.iter().zip(now).enumerate() {
                covers(then, now, &format!("{place}/{number}"));
            }
        }
        // It may have a value now.
        (Value::Null, _) => {}
        (Value::Bool(_), Value::Bool(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::String(_), Value::String(_)) => {}
        _ => panic!("`{place}` was {then} and is {now}"),
    }
}

#[test]
fn exit_codes_mean_what_they_meant() {
    let project = Project::new();
    let code = |arguments: &[&str]| project.run(arguments).status.code();
    assert_eq!(code(&["replay", "tapes/first.tape"]), Some(0));
    assert_eq!(code(&["store", "get", "p", "none"]), Some(1));
    project.write("cases/stored/response.json", r#"{"statusCode": 500}"#);
    assert_eq!(code(&["replay", "cases"]), Some(1));
    assert_eq!(code(&["replay", "--no-such-option"]), Some(2));
    assert_eq!(code(&["replay", "none.tape"]), Some(3));
    assert_eq!(
        code(&["store", "list", "--store", "redb:first.wasm"]),
        Some(3)
    );
}
