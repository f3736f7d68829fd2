//! What an item is: its members, their rules, and its document.
//!
//! The stored document is the representation that clients get, so that a read copies text and parses nothing.

use crate::{decimal::Decimal, http::Text, problem::Violation};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt::Display;
use serde_json::{Map, Value};

const NAME_CHARACTERS_MAX: usize = 200;
const DESCRIPTION_CHARACTERS_MAX: usize = 2_000;
const CATEGORY_CHARACTERS_MAX: usize = 50;
const TAG_CHARACTERS_MAX: usize = 50;
const TAGS_MAX: usize = 20;
/// Prices are 0, or have their first digit between these powers of ten.
const PRICE_EXPONENTS: core::ops::RangeInclusive<i64> = -6..=14;
/// More are not told: who sent them can see the pattern.
const VIOLATIONS_MAX: usize = 50;

/// The members that the service sets.
const READ_ONLY: [&str; 3] = ["id", "created_at", "updated_at"];

/// What a client says about an item, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft(Map<String, Value>);

/// An item with what the service says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// `[A-Za-z0-9_-]{1,64}`
    pub id: String,
    /// When it was created, in RFC 3339.
    pub created_at: String,
    /// When it was last written, in RFC 3339.
    pub updated_at: String,
    /// The rest.
    pub draft: Draft,
}

impl Draft {
    /// Checks content against every rule and tells all that is wrong with it.
    pub fn check(content: Value) -> Result<Self, Vec<Violation>> {
        let Value::Object(members) = content else {
            return Err(Vec::from([violation("", "must be an object")]));
        };
        let mut violations = check_names(&members);
        if !members.contains_key("name") {
            violations.push(violation("/name", "is required"));
        }
        for (name, value) in &members {
            check_member(name, value, &mut violations);
        }
        violations.truncate(VIOLATIONS_MAX);
        if violations.is_empty() {
            Ok(Self(members))
        } else {
            Err(violations)
        }
    }

    /// The members, to be changed and checked again.
    pub fn into_content(self) -> Value {
        Value::Object(self.0)
    }

    /// The category, if there is one.
    pub fn category(&self) -> Option<&str> {
        self.0.get("category").and_then(Value::as_str)
    }
}

impl Item {
    /// The document, which is also the representation.
    pub fn to_document(&self) -> String {
        let mut members = self.draft.0.clone();
        for (name, value) in [
            ("id", &self.id),
            ("created_at", &self.created_at),
            ("updated_at", &self.updated_at),
        ] {
            members.insert(name.into(), Value::String(value.clone()));
        }
        let document = Value::Object(members);
        // Formatting it takes nearly twice as long.
        serde_json::to_string(&document).unwrap_or_else(|_| document.to_string())
    }

    /// Reads a stored document; `None` if it is not an item's. Its rules are not checked again: they may have been others when it was
    /// written.
    pub fn from_document(document: &str) -> Option<Self> {
        let Ok(Value::Object(mut members)) = serde_json::from_slice(document.as_bytes()) else {
            return None;
        };
        let mut take = |name: &str| match members.remove(name) {
            Some(Value::String(text)) => Some(text),
            Some(_) | None => None,
        };
        let (id, created_at, updated_at) = (take("id")?, take("created_at")?, take("updated_at")?);
        Some(Self {
            id,
            created_at,
            updated_at,
            draft: Draft(members),
        })
    }
}

/// Whether two documents say the same: a store may spell numbers in its own way.
pub fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            match (Decimal::of(one), Decimal::of(other)) {
                (Some(one), Some(other)) => one.is_same(&other),
                (_, None) | (None, _) => one == other,
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(name, value)| other.get(name).is_some_and(|other| is_same(value, other)))
        }
        (one, other) => one == other,
    }
}

/// Checks that a client may name these members, whatever it says about them.
pub fn check_names(members: &Map<String, Value>) -> Vec<Violation> {
    let known = [
        "name",
        "description",
        "price",
        "tags",
        "category",
        "attributes",
    ];
    members
        .keys()
        .filter(|name| !known.contains(&name.as_str()))
        .take(VIOLATIONS_MAX)
        .map(|name| {
            let is_read_only = READ_ONLY.contains(&name.as_str());
            violation(
                pointer(name),
                if is_read_only {
                    "is set by the service"
                } else {
                    "is not a member of an item"
                },
            )
        })
        .collect()
}

fn check_member(name: &str, value: &Value, violations: &mut Vec<Violation>) {
    match name {
        "name" => check_text("/name", value, NAME_CHARACTERS_MAX, violations),
        "description" => match value.as_str() {
            Some(text) if text.chars().count() <= DESCRIPTION_CHARACTERS_MAX => {}
            Some(_) | None => {
                let rule =
                    format!("must be a string of at most {DESCRIPTION_CHARACTERS_MAX} characters");
                violations.push(violation("/description", rule));
            }
        },
        "price" if !is_price(value) => {
            violations.push(violation(
                "/price",
                "must be 0, or a number from 0.000001 to below 1000000000000000",
            ));
        }
        "tags" => check_tags(value, violations),
        "category" => check_text("/category", value, CATEGORY_CHARACTERS_MAX, violations),
        "attributes" if !value.is_object() => {
            violations.push(violation("/attributes", "must be an object"))
        }
        _ => {} // free, or refused by name
    }
}

fn check_text(
    pointer: impl Display,
    value: &Value,
    characters_max: usize,
    violations: &mut Vec<Violation>,
) {
    let is_valid = value
        .as_str()
        .is_some_and(|text| !text.is_empty() && text.chars().count() <= characters_max);
    if !is_valid {
        violations.push(violation(
            pointer.to_string(),
            format!("must be a string of 1 to {characters_max} characters"),
        ));
    }
}

fn check_tags(value: &Value, violations: &mut Vec<Violation>) {
    let Some(tags) = value.as_array().filter(|tags| tags.len() <= TAGS_MAX) else {
        violations.push(violation(
            "/tags",
            format!("must be a list of at most {TAGS_MAX} strings"),
        ));
        return;
    };
    for (position, tag) in tags.iter().enumerate() {
        check_text(
            format_args!("/tags/{position}"), // most are fine, and need none
            tag,
            TAG_CHARACTERS_MAX,
            violations,
        );
        if tags.iter().take(position).any(|earlier| earlier == tag) {
            violations.push(violation(
                format!("/tags/{position}"),
                "must not repeat an earlier tag",
            ));
        }
    }
}

fn is_price(value: &Value) -> bool {
    let decimal = match value {
        Value::Number(number) => Decimal::of(number),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    };
    decimal.is_some_and(|price| {
        price.is_zero() || (!price.is_negative && PRICE_EXPONENTS.contains(&price.exponent))
    })
}

fn violation(pointer: impl Into<String>, detail: impl Into<Text>) -> Violation {
    Violation {
        pointer: pointer.into(),
        detail: detail.into(),
    }
}

/// JSON pointer to a member of the document (RFC 6901, 3).
fn pointer(member: &str) -> String {
    format!("/{}", member.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pointers(content: Value) -> Vec<String> {
        let violations = Draft::check(content).err().unwrap_or_default();
        violations
            .into_iter()
            .map(|violation| violation.pointer)
            .collect()
    }

    #[test]
    fn every_member_has_its_rule() {
        for (member, valid, invalid) in [
            ("name", json!("a"), json!("")),
            ("name", json!("é".repeat(200)), json!("é".repeat(201))),
            ("name", json!("null"), json!(null)),
            ("description", json!(""), json!("a".repeat(2001))),
            ("description", json!("a".repeat(2000)), json!(1)),
            ("price", json!(0), json!(-1)),
            ("price", json!(999_999_999_999_999u64), json!(1e15)),
            ("price", json!(0.000_001), json!(1e-7)),
            ("price", json!(-0.0), json!("1")),
            ("tags", json!([]), json!({})),
            (
                "tags",
                json!((0..20).map(|n| n.to_string()).collect::<Vec<_>>()),
                json!((0..21).map(|n| n.to_string()).collect::<Vec<_>>()),
            ),
            ("category", json!("c".repeat(50)), json!("c".repeat(51))),
            ("category", json!("c"), json!("")),
            ("attributes", json!({"a": [null, {"b": 1}]}), json!([])),
        ] {
            let mut content = json!({ "name": "n" });
            content[member] = valid;
            assert_eq!(pointers(content.clone()), [""; 0], "{content}");
            content[member] = invalid;
            assert_eq!(
                pointers(content.clone()),
                [format!("/{member}")],
                "{content}"
            );
        }
    }

    #[test]
    fn every_violation_is_told_with_a_pointer() {
        let content = json!({ "price": "x", "tags": ["a", "", "a", 1], "a/b~c": 1, "id": "x" });
        assert_eq!(
            pointers(content),
            [
                "/a~1b~0c", "/id", "/name", "/price", "/tags/1", "/tags/2", "/tags/3"
            ]
        );
        assert_eq!(pointers(json!([])), [""]);
    }

    #[test]
    fn the_number_of_violations_is_bounded() {
        let members: Map<String, Value> = (0..1000).map(|n| (n.to_string(), Value::Null)).collect();
        assert_eq!(pointers(Value::Object(members)).len(), VIOLATIONS_MAX);
    }

    #[test]
    fn documents_are_compared_by_value() {
        let parse = |text: &str| -> Value { serde_json::from_str(text).unwrap() };
        let one = parse(r#"{"a":[1.50,{"b":null}],"c":1e2}"#);
        assert!(is_same(&one, &parse(r#"{"c":100,"a":[1.5,{"b":null}]}"#)));
        for other in [
            r#"{"a":[1.5,{"b":null}],"c":101}"#,
            r#"{"a":[1.5],"c":100}"#,
            r#"{"a":[1.5,{"b":null}],"d":100}"#,
        ] {
            assert!(!is_same(&one, &parse(other)), "{other}");
        }
    }

    #[test]
    fn a_document_reads_back_with_all_digits() {
        let text = r#"{"attributes":{"pi":3.14159265358979323846264338327950288},"created_at":"c","id":"i","name":"n","updated_at":"u"}"#;
        assert_eq!(Item::from_document(text).unwrap().to_document(), text);
        assert_eq!(Item::from_document("{}"), None);
    }
}
