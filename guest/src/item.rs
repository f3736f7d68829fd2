//! Items: their members, rules and documents.
//!
//! The stored document is the representation that clients get, so that a read copies text without parsing it.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt::Display;
use tenon::{
    Context, FromRequest, Json, Problem, Text, Violation,
    json::{Decimal, Document, Object, Value, push_string},
};

const NAME_CHARACTERS_MAX: usize = 200;
const DESCRIPTION_CHARACTERS_MAX: usize = 2_000;
const CATEGORY_CHARACTERS_MAX: usize = 50;
const TAG_CHARACTERS_MAX: usize = 50;
const TAGS_MAX: usize = 20;
/// A price is 0, or has its first digit between these powers of ten.
const PRICE_EXPONENTS: core::ops::RangeInclusive<i64> = -6..=14;
/// Capacity for most documents, so that writing one rarely reallocates.
const DOCUMENT_BYTES_USUAL: usize = 512;
/// Largest number of reported problems; further ones would show the client nothing new.
const VIOLATIONS_MAX: usize = 50;

/// The members that the service sets.
const READ_ONLY: [&str; 3] = ["id", "created_at", "updated_at"];

/// What a client says about an item, validated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft(Object);

/// An item with the members that the service sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// `[A-Za-z0-9_-]{1,64}`
    pub id: String,
    /// When it was created, in RFC 3339.
    pub created_at: String,
    /// When it was last written, in RFC 3339.
    pub updated_at: String,
    /// The other members.
    pub draft: Draft,
}

impl Draft {
    /// Checks content against every rule and reports all violations.
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

    /// The members, to be changed and validated again.
    pub fn into_content(self) -> Value {
        Value::Object(self.0)
    }

    /// The category, if it has one.
    pub fn category(&self) -> Option<&str> {
        self.0.get("category").and_then(Value::as_str)
    }
}

/// A complete item, as POST and PUT send it.
impl FromRequest for Draft {
    fn from_request(context: &Context) -> Result<Self, Problem> {
        let Json(content) = Json::from_request(context)?;
        Self::check(content).map_err(Problem::invalid_content)
    }
}

impl Item {
    /// The document, which is also the representation: in the store's canonical form, so that an entity tag identifies exactly these bytes.
    pub fn to_document(&self) -> Document {
        let mut own = [
            ("created_at", &self.created_at),
            ("id", &self.id),
            ("updated_at", &self.updated_at),
        ]
        .into_iter()
        .peekable();
        let mut document = String::with_capacity(DOCUMENT_BYTES_USUAL);
        document.push('{');
        for (name, value) in &self.draft.0 {
            while let Some((own_name, text)) = own.next_if(|(own, _)| *own < name.as_str()) {
                push_member(&mut document, own_name, text);
            }
            if document.len() > 1 {
                document.push(',');
            }
            push_string(&mut document, name);
            document.push(':');
            value.write(&mut document);
        }
        for (own_name, text) in own {
            push_member(&mut document, own_name, text);
        }
        document.push('}');
        Document::new(document)
    }

    /// Reads a stored document. Its rules are not checked again, because they may have been different when it was written.
    pub fn from_document(document: Document) -> Result<Self, &'static str> {
        const UNREADABLE: &str = "the document is not an item's";
        let Ok(Value::Object(mut members)) = Value::parse(document.as_str().as_bytes()) else {
            return Err(UNREADABLE);
        };
        let mut take = |name: &str| match members.remove(name) {
            Some(Value::String(text)) => Ok(text),
            Some(_) | None => Err(UNREADABLE),
        };
        Ok(Self {
            id: take("id")?,
            created_at: take("created_at")?,
            updated_at: take("updated_at")?,
            draft: Draft(members),
        })
    }
}

/// Appends a member of an object, with a comma before it unless it is the first.
pub fn push_member(out: &mut String, name: &str, text: &str) {
    if !out.ends_with('{') {
        out.push(',');
    }
    push_string(out, name);
    out.push(':');
    push_string(out, text);
}

/// Checks that a client may set these members, whatever their values.
pub fn check_names(members: &Object) -> Vec<Violation> {
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
        "attributes" if !matches!(value, Value::Object(_)) => {
            violations.push(violation("/attributes", "must be an object"))
        }
        _ => {} // arbitrary, or refused by name
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
    let tags = match value {
        Value::Array(tags) if tags.len() <= TAGS_MAX => tags,
        _ => {
            let rule = format!("must be a list of at most {TAGS_MAX} strings");
            violations.push(violation("/tags", rule));
            return;
        }
    };
    for (position, tag) in tags.iter().enumerate() {
        check_text(
            format_args!("/tags/{position}"), // most names are valid and need no copy
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
        Value::Number(digits) => Decimal::of(digits),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    };
    decimal.is_some_and(|price| {
        price.is_zero() || (!price.is_negative && PRICE_EXPONENTS.contains(&price.exponent))
    })
}

fn violation(pointer: impl Into<String>, detail: impl Into<Text>) -> Violation {
    Violation::new(pointer, detail)
}

/// JSON pointer to a member of the document (RFC 6901, 3).
fn pointer(member: &str) -> String {
    format!("/{}", member.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(text: &str) -> Value {
        Value::parse(text.as_bytes()).unwrap()
    }

    fn pointers(content: serde_json::Value) -> Vec<String> {
        let violations = Draft::check(read(&content.to_string()))
            .err()
            .unwrap_or_default();
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
        let members: serde_json::Map<_, _> = (0..1000)
            .map(|n| (n.to_string(), serde_json::Value::Null))
            .collect();
        assert_eq!(pointers(members.into()).len(), VIOLATIONS_MAX);
    }

    #[test]
    fn a_document_reads_back_with_all_digits() {
        for text in [
            r#"{"attributes":{"pi":3.1415926535897932384626433832795028841},"created_at":"c","id":"i","name":"n","updated_at":"u"}"#,
            r#"{"category":"x","created_at":"c","description":"","id":"i","name":"n","price":1.5,"tags":[],"updated_at":"u"}"#,
            r#"{"created_at":"c","id":"i","updated_at":"u"}"#,
            r#"{"created_at":"c","id":"i","updated_at":"u","zone":{}}"#,
        ] {
            let item = Item::from_document(Document::new(text)).unwrap();
            assert_eq!(item.to_document().as_str(), text);
        }
        assert!(Item::from_document(Document::new("{}")).is_err());
    }
}
