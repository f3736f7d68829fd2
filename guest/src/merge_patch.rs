//! JSON Merge Patch (RFC 7396).

use crate::json::{Object, Value};

/// Applies `patch` to `target`: `null` removes, objects merge, anything else replaces. The patch is consumed, because a copy would double
/// the memory for a large one.
pub fn apply(target: &mut Value, patch: Value) {
    match (target, patch) {
        (Value::Object(members), Value::Object(changes)) => merge(members, changes),
        (target, mut patch) => {
            remove_nulls(&mut patch);
            *target = patch;
        }
    }
}

fn merge(members: &mut Object, changes: Object) {
    for (name, change) in changes {
        match change {
            Value::Null => {
                members.remove(&name);
            }
            change => apply(members.entry(name).or_insert(Value::Null), change),
        }
    }
}

/// The result of merging an object into nothing.
fn remove_nulls(patch: &mut Value) {
    if let Value::Object(members) = patch {
        members.retain(|_, change| *change != Value::Null);
        members.values_mut().for_each(remove_nulls);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_rfc_7396_appendix_a() {
        for (target, patch, result) in [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"a":null}"#, "{}"),
            (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
            (
                r#"{"a":{"b":"c"}}"#,
                r#"{"a":{"b":"d","c":null}}"#,
                r#"{"a":{"b":"d"}}"#,
            ),
            (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (r#"["a","b"]"#, r#"["c","d"]"#, r#"["c","d"]"#),
            (r#"{"a":"b"}"#, r#"["c"]"#, r#"["c"]"#),
            (r#"{"a":"foo"}"#, "null", "null"),
            (r#"{"a":"foo"}"#, r#""bar""#, r#""bar""#),
            (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"a":1,"e":null}"#),
            ("[1,2]", r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
            ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
        ] {
            let read = |text: &str| crate::json::parse(text.as_bytes()).unwrap().value;
            let mut value = read(target);
            apply(&mut value, read(patch));
            assert_eq!(value, read(result), "{target} {patch}");
        }
    }
}
