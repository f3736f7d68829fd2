//! Expected against actual, as JSON.

use super::{AFTER_FILE, IgnoreRule, RESPONSE_FILE};
use json::{self, Value};
use place::Place;
use std::fmt;

mod place;

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
    /// Where, as a JSON pointer (RFC 6901) in the spelling that [`IgnoreRule`] takes; empty for the whole document.
    pub pointer: String,
    /// What is expected there; `None`: nothing.
    pub expected: Option<Value>,
    /// What is there; `None`: nothing.
    pub actual: Option<Value>,
}

/// Differences that are kept; further ones are counted. Whoever made two documents differ chooses how often.
pub const DIFFERENCES_MAX: usize = 1000;
/// What their places may take together; the first one is kept however long it is. Names may be long and lie in each other, so that a place
/// may be nearly as long as the document.
const POINTERS_BYTES_MAX: usize = 4 << 20;

/// The first places at which two documents differ.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DifferenceList {
    /// In the order of the document's members, at most [`DIFFERENCES_MAX`]; fewer where their places are long.
    pub first: Vec<Difference>,
    /// How many there are beyond these.
    pub more: usize,
}

impl DifferenceList {
    /// One line for each, and one that counts the rest.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        let more = (self.more > 0).then(|| format!("and {} more differences", self.more));
        self.first.iter().map(Difference::to_string).chain(more)
    }
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

    /// [`Self::between`] two documents that nobody else needs.
    pub fn of(file: &'static str, expected: Option<Value>, actual: Value) -> Option<Self> {
        (expected.as_ref() != Some(&actual)).then_some(Self {
            file,
            expected,
            actual,
        })
    }

    /// The smallest places that differ, in the order of the document's members.
    pub fn differences(&self) -> DifferenceList {
        self.differences_where(|_| true)
    }

    /// Those of them whose places count.
    pub fn differences_where(&self, counts: impl Fn(&str) -> bool) -> DifferenceList {
        self.differences_below("", counts)
    }

    /// The same of a document that is a part of another one, at the place `base`.
    pub fn differences_below(&self, base: &str, counts: impl Fn(&str) -> bool) -> DifferenceList {
        let mut list = DifferenceList::default();
        let mut bytes = 0;
        let mut found = |pointer: &str, expected: Option<&Value>, actual: Option<&Value>| {
            if !counts(pointer) {
                return;
            }
            bytes += pointer.len();
            let has_room = list.first.is_empty() || bytes <= POINTERS_BYTES_MAX;
            if list.more > 0 || list.first.len() == DIFFERENCES_MAX || !has_room {
                list.more += 1;
                return;
            }
            list.first.push(Difference {
                pointer: pointer.to_owned(),
                expected: expected.cloned(),
                actual: actual.cloned(),
            });
        };
        visit(
            &mut Place::new(base, self.file),
            self.expected.as_ref(),
            Some(&self.actual),
            &mut found,
        );
        list
    }

    /// The mismatch without differences that do not count: what was expected stands in their places. `None` where no other is left.
    pub fn without(mut self, ignore: &[IgnoreRule]) -> Option<Self> {
        self.without_where(|place| ignore.iter().any(|rule| rule.covers(place)))
            .then_some(self)
    }

    /// Makes the places what was expected that do not count. Whether a difference is left.
    pub fn without_where(&mut self, is_ignored: impl Fn(&str) -> bool) -> bool {
        let mut place = Place::new("", self.file);
        match &self.expected {
            Some(expected) => conform(&mut place, expected, &mut self.actual, &is_ignored),
            None => !is_ignored(place.pointer()),
        }
    }
}

/// The name of what two guests answered, as a Lambda response.
pub const ANSWER: &str = "answer";
/// The name of what two guests left in their stores.
pub const STORE: &str = "store";

/// Makes the places of `actual` what is expected that are ignored. Whether a difference is left.
fn conform(
    place: &mut Place,
    expected: &Value,
    actual: &mut Value,
    is_ignored: &dyn Fn(&str) -> bool,
) -> bool {
    if expected == actual {
        return false;
    }
    let mut is_left = false;
    match (expected, &mut *actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            actual.retain(|name, _| {
                if expected.contains_key(name) {
                    return true;
                }
                let is_kept = place.in_member(name, |place| !is_ignored(place.pointer()));
                is_left |= is_kept;
                is_kept
            });
            for (name, expected) in expected {
                place.in_member(name, |place| match actual.get_mut(name) {
                    Some(actual) => is_left |= conform(place, expected, actual, is_ignored),
                    None if is_ignored(place.pointer()) => {
                        actual.insert(name.clone(), expected.clone());
                    }
                    None => is_left = true,
                });
            }
        }
        (Value::Array(expected), Value::Array(actual)) if expected.len() == actual.len() => {
            for (position, (expected, actual)) in expected.iter().zip(actual).enumerate() {
                is_left |= place.in_element(position, |place| {
                    conform(place, expected, actual, is_ignored)
                });
            }
        }
        _ if is_ignored(place.pointer()) => *actual = expected.clone(),
        _ => is_left = true,
    }
    is_left
}

/// Takes a place, what is expected there, and what is there.
type Found<'f> = dyn FnMut(&str, Option<&Value>, Option<&Value>) + 'f;

/// Calls `found` with the smallest places that differ, and what is on both sides.
fn visit(
    place: &mut Place,
    expected: Option<&Value>,
    actual: Option<&Value>,
    found: &mut Found<'_>,
) {
    match (expected, actual) {
        (Some(expected), Some(actual)) if expected == actual => {}
        (Some(Value::Object(expected)), Some(Value::Object(actual))) => {
            for (name, value) in expected {
                place.in_member(name, |place| {
                    visit(place, Some(value), actual.get(name), found);
                });
            }
            for (name, value) in actual {
                if !expected.contains_key(name) {
                    place.in_member(name, |place| visit(place, None, Some(value), found));
                }
            }
        }
        // Elements of lists of different lengths cannot be told to belong together.
        (Some(Value::Array(expected)), Some(Value::Array(actual)))
            if expected.len() == actual.len() =>
        {
            for (position, (expected, actual)) in expected.iter().zip(actual).enumerate() {
                place.in_element(position, |place| {
                    visit(place, Some(expected), Some(actual), found);
                });
            }
        }
        (expected, actual) => found(place.pointer(), expected, actual),
    }
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
            .lines()
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
                "/status: expected 200, got 201",
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
    fn places_have_one_spelling_whatever_the_gateway() {
        let spelled = |expected: Value, actual: Value| -> Vec<String> {
            Mismatch::between(RESPONSE_FILE, Some(&expected), &actual)
                .unwrap()
                .differences()
                .first
                .into_iter()
                .map(|difference| difference.pointer)
                .collect()
        };
        let rest = |status: u16, etag: &str| json!({"statusCode": status, "multiValueHeaders": {"ETag": [etag]}});
        assert_eq!(
            spelled(rest(200, "a"), rest(201, "b")),
            ["/headers/etag/0", "/status"]
        );
        let http = |cookie: &str| json!({"headers": {"ETag": cookie}, "cookies": [cookie]});
        assert_eq!(
            spelled(http("a"), http("b")),
            ["/headers/set-cookie/0", "/headers/etag"]
        );
        let stored = |revision: &str| json!([{"revision": revision}]);
        let mismatch = Mismatch::between(AFTER_FILE, Some(&stored("1")), &stored("2")).unwrap();
        assert_eq!(
            mismatch.differences().first[0].pointer,
            "/stored/0/revision"
        );
    }

    #[test]
    fn what_is_ignored_is_as_expected_and_the_rest_stays() {
        let rules = |texts: &[&str]| -> Vec<IgnoreRule> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        let expected = json!({"statusCode": 200, "headers": {"Date": "x", "etag": "1"}, "body": {"at": 1, "a": [1, 2]}});
        let actual = json!({"statusCode": 201, "headers": {"date": "y", "etag": "2"}, "body": {"at": 2, "a": [1, 3], "new": 1}});
        let mismatch = || Mismatch::between(RESPONSE_FILE, Some(&expected), &actual).unwrap();
        let all = [
            "/status",
            "header:date",
            "/headers/etag",
            "/body/at",
            "/body/a/*",
            "/body/new",
        ];
        assert_eq!(mismatch().without(&rules(&all)), None);
        let left = mismatch().without(&rules(&all[1..])).unwrap();
        assert_eq!(left.differences().first.len(), 1);
        assert_eq!(left.differences().first[0].pointer, "/status");
        assert_eq!(left.actual["body"], expected["body"]);
        assert!(mismatch().without(&[]) == Some(mismatch()));
    }

    /// Two documents of hundreds of thousands of differences below a long name: what is kept of them is bounded, and the rest is counted.
    #[test]
    fn many_differences_are_counted_and_take_no_memory() {
        const COUNT: usize = 200_000;
        let begun = std::time::Instant::now();
        let name = "n".repeat(1000);
        let document = |value: usize| json!({"body": {&*name: vec![value; COUNT]}});
        let (expected, actual) = (document(1), document(2));
        let mismatch = || Mismatch::between(RESPONSE_FILE, Some(&expected), &actual).unwrap();
        let list = mismatch().differences();
        assert_eq!((list.first.len(), list.more), (1000, COUNT - 1000));
        let last = list.lines().last().unwrap();
        assert_eq!(last, "and 199000 more differences");
        let rule = |text: String| -> Vec<IgnoreRule> { vec![text.parse().unwrap()] };
        assert_eq!(mismatch().without(&rule(format!("/body/{name}/*"))), None);
        // What does not count is not kept in the place of what does.
        let at = format!("/body/{name}/{}", COUNT - 1);
        let list = mismatch().differences_where(|place| place == at);
        assert_eq!((list.first.len(), list.more), (1, 0));
        assert!(begun.elapsed() < std::time::Duration::from_secs(60));
    }

    /// A place that is as long as its document, and many differences at the end of it: neither time nor memory is their product.
    #[test]
    fn many_differences_in_deep_and_long_names_take_no_memory() {
        const COUNT: usize = 100_000;
        const DEEP: usize = 100;
        let begun = std::time::Instant::now();
        let name = "n".repeat(10_000);
        let document = |value: usize| {
            let list = json!(vec![value; COUNT]);
            json!({"body": (0..DEEP).fold(list, |inner, _| json!({&*name: inner}))})
        };
        let (expected, actual) = (document(1), document(2));
        for (file, start) in [(RESPONSE_FILE, "/body/n"), (AFTER_FILE, "/stored/body/n")] {
            let mismatch = Mismatch::between(file, Some(&expected), &actual).unwrap();
            let list = mismatch.differences();
            let bytes: usize = list.first.iter().map(|kept| kept.pointer.len()).sum();
            assert!(bytes <= POINTERS_BYTES_MAX, "{bytes}");
            assert_eq!((list.first.len(), list.more), (4, COUNT - 4));
            assert!(list.first[3].pointer.starts_with(start));
            assert!(list.first[3].pointer.ends_with("n/3"));
            let rest = |_: &str| false;
            assert!(mismatch.clone().without_where(rest));
            let all = |place: &str| place.len() > DEEP * name.len();
            assert!(!mismatch.clone().without_where(all));
        }
        assert!(begun.elapsed() < std::time::Duration::from_secs(30));
        // One that alone is beyond the bound is told nevertheless.
        let long = "n".repeat(POINTERS_BYTES_MAX + 1);
        let document = |value: usize| json!({&*long: [value, value]});
        let list = Mismatch::between("writes", Some(&document(1)), &document(2))
            .unwrap()
            .differences();
        assert_eq!((list.first.len(), list.more), (1, 1));
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
