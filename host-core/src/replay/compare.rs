//! Expected against actual, as JSON.

use crate::json::{self, Value};
use std::fmt;

/// A document of a case that did not come out as expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Mismatch {
    /// The file that holds the expectation, inside the case's folder.
    pub file: &'static str,
    /// What the file says; `None`: there is no such file.
    pub expected: Option<Value>,
    /// What came out.
    pub actual: Value,
}

/// One place at which two documents differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Where, as a JSON pointer (RFC 6901); empty for the whole document.
    pub pointer: String,
    /// What is expected there; `None`: nothing.
    pub expected: Option<Value>,
    /// What is there; `None`: nothing.
    pub actual: Option<Value>,
}

impl Mismatch {
    /// The mismatch between two documents, if there is one.
    pub fn between(file: &'static str, expected: Option<&Value>, actual: &Value) -> Option<Self> {
        (expected != Some(actual)).then(|| Self {
            file,
            expected: expected.cloned(),
            actual: actual.clone(),
        })
    }

    /// The smallest places that differ, in the order of their pointers.
    pub fn differences(&self) -> Vec<Difference> {
        let mut differences = Vec::new();
        collect(
            &mut differences,
            String::new(),
            self.expected.as_ref(),
            Some(&self.actual),
        );
        differences
    }
}

fn collect(
    differences: &mut Vec<Difference>,
    pointer: String,
    expected: Option<&Value>,
    actual: Option<&Value>,
) {
    match (expected, actual) {
        (Some(expected), Some(actual)) if expected == actual => {}
        (Some(Value::Object(expected)), Some(Value::Object(actual))) => {
            for (name, value) in expected {
                collect(
                    differences,
                    below(&pointer, name),
                    Some(value),
                    actual.get(name),
                );
            }
            for (name, value) in actual
                .iter()
                .filter(|(name, _)| !expected.contains_key(*name))
            {
                collect(differences, below(&pointer, name), None, Some(value));
            }
        }
        // Elements of lists of different lengths cannot be told to belong together.
        (Some(Value::Array(expected)), Some(Value::Array(actual)))
            if expected.len() == actual.len() =>
        {
            for (index, (expected, actual)) in expected.iter().zip(actual).enumerate() {
                let pointer = below(&pointer, &index.to_string());
                collect(differences, pointer, Some(expected), Some(actual));
            }
        }
        (expected, actual) => differences.push(Difference {
            pointer,
            expected: expected.cloned(),
            actual: actual.cloned(),
        }),
    }
}

fn below(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// One line: the pointer, what is expected, what is there.
impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() {
            "/"
        } else {
            &self.pointer
        };
        match (&self.expected, &self.actual) {
            (Some(expected), Some(actual)) => {
                write!(formatter, "{place}: expected {expected}, got {actual}")
            }
            (Some(expected), None) => {
                write!(formatter, "{place}: expected {expected}, got nothing")
            }
            (None, Some(actual)) => write!(formatter, "{place}: expected nothing, got {actual}"),
            (None, None) => write!(formatter, "{place}"),
        }
    }
}

/// A Lambda response as cases hold it: a `body` that is the text of a JSON object or array becomes that value, so that it can be
/// read and is compared by meaning. Applied to what is expected and to what came out, it is the same for both spellings.
pub fn readable_response(mut response: Value) -> Value {
    if let Some(body) = response.get_mut("body")
        && let Some(text) = body.as_str()
        && let Ok(value @ (Value::Object(_) | Value::Array(_))) = json::value(text.as_bytes())
    {
        *body = value;
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn lines(expected: Value, actual: Value) -> Vec<String> {
        Mismatch::between("response.json", Some(&expected), &actual)
            .map(|mismatch| mismatch.differences())
            .unwrap_or_default()
            .iter()
            .map(Difference::to_string)
            .collect()
    }

    #[test]
    fn only_what_differs_is_named() {
        let expected = json!({"statusCode": 200, "headers": {"a/b": "1", "etag": "x"}, "body": {"tags": [1, 2]}});
        let actual = json!({"statusCode": 201, "headers": {"a/b": "2", "vary": "y"}, "body": {"tags": [1, 3]}});
        assert_eq!(
            lines(expected, actual),
            [
                "/body/tags/1: expected 2, got 3",
                r#"/headers/a~1b: expected "1", got "2""#,
                r#"/headers/etag: expected "x", got nothing"#,
                r#"/headers/vary: expected nothing, got "y""#,
                "/statusCode: expected 200, got 201",
            ]
        );
    }

    #[test]
    fn equal_documents_do_not_mismatch_in_any_order_of_members() {
        let left = serde_json::from_str(r#"{"a":1,"b":[]}"#).unwrap();
        let right = serde_json::from_str(r#"{"b":[],"a":1}"#).unwrap();
        assert_eq!(lines(left, right), [""; 0]);
    }

    #[test]
    fn lists_of_other_length_differ_as_a_whole() {
        assert_eq!(
            lines(json!([1]), json!([1, 2])),
            ["/: expected [1], got [1,2]"]
        );
    }

    #[test]
    fn a_missing_expectation_is_a_mismatch() {
        assert!(Mismatch::between("after.json", None, &json!([])).is_some());
    }

    #[test]
    fn json_bodies_become_readable_and_others_stay() {
        let response = |body: &str| readable_response(json!({"statusCode": 200, "body": body}));
        assert_eq!(response(r#"{"a": 1}"#)["body"], json!({"a": 1}));
        assert_eq!(response("5")["body"], "5");
        assert_eq!(response("hello")["body"], "hello");
        let readable = response(r#"[{"a":1}]"#);
        assert_eq!(readable_response(readable.clone()), readable);
    }
}
