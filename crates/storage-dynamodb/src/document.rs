//! Converts documents to DynamoDB's native maps and back. Numbers are passed as digits, never through floating point.

use super::malformed_item::MalformedItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::HashMap;
use storage::Document;

/// The document as a map.
pub(super) fn to_map(document: &Document) -> Result<AttributeValue, MalformedItemError> {
    let mut reader = Reader {
        text: document.as_str(),
        at: 0,
    };
    reader
        .value()
        .ok_or_else(|| MalformedItemError("the document's text is not canonical".to_owned()))
}

/// The document in a map. Values that JSON does not have are refused: binary values, and sets.
pub(super) fn from_map(
    map: &HashMap<String, AttributeValue>,
) -> Result<Document, MalformedItemError> {
    let mut text = String::new();
    write_map(&mut text, map)?;
    // `Document` is the only rule for documents: it orders members, spells numbers and counts sizes.
    Document::parse(&text)
        .map_err(|error| MalformedItemError(format!("`doc` is no document: {error}")))
}

/// Reads canonical text. serde_json cannot be used, because with all their digits it passes numbers as maps with a private member name,
/// which a document may contain.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self) -> Option<AttributeValue> {
        match self.peek()? {
            b'{' => self.map(),
            b'[' => self.list(),
            b'"' => self.string().map(AttributeValue::S),
            _ => self.scalar(),
        }
    }

    fn map(&mut self) -> Option<AttributeValue> {
        let mut map = HashMap::new();
        self.at += 1;
        if !self.take(b'}') {
            loop {
                let name = self.string()?;
                self.take(b':').then_some(())?;
                map.insert(name, self.value()?);
                if self.take(b'}') {
                    break;
                }
                self.take(b',').then_some(())?;
            }
        }
        Some(AttributeValue::M(map))
    }

    fn list(&mut self) -> Option<AttributeValue> {
        let mut list = Vec::new();
        self.at += 1;
        if !self.take(b']') {
            loop {
                list.push(self.value()?);
                if self.take(b']') {
                    break;
                }
                self.take(b',').then_some(())?;
            }
        }
        Some(AttributeValue::L(list))
    }

    #[expect(clippy::disallowed_methods, reason = "read into a string")]
    fn string(&mut self) -> Option<String> {
        let start = self.at;
        self.take(b'"').then_some(())?;
        let mut has_escapes = false;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => {
                    has_escapes = true;
                    self.at += 2;
                }
                _ => self.at += 1,
            }
        }
        self.at += 1;
        let quoted = self.text.get(start..self.at)?;
        if has_escapes {
            serde_json::from_str(quoted).ok()
        } else {
            Some(quoted[1..quoted.len() - 1].to_owned())
        }
    }

    fn scalar(&mut self) -> Option<AttributeValue> {
        let rest = &self.text[self.at..];
        let length = rest.find([',', ']', '}']).unwrap_or(rest.len());
        let scalar = &rest[..length];
        self.at += length;
        Some(match scalar {
            "" => return None,
            "null" => AttributeValue::Null(true),
            "true" => AttributeValue::Bool(true),
            "false" => AttributeValue::Bool(false),
            digits => AttributeValue::N(digits.to_owned()),
        })
    }
}

fn write_map(
    out: &mut String,
    map: &HashMap<String, AttributeValue>,
) -> Result<(), MalformedItemError> {
    out.push('{');
    for (position, (name, value)) in map.iter().enumerate() {
        if position > 0 {
            out.push(',');
        }
        write_string(out, name)?;
        out.push(':');
        write_value(out, value)?;
    }
    out.push('}');
    Ok(())
}

fn write_value(out: &mut String, value: &AttributeValue) -> Result<(), MalformedItemError> {
    match value {
        AttributeValue::M(map) => write_map(out, map)?,
        AttributeValue::L(list) => {
            out.push('[');
            for (position, value) in list.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                write_value(out, value)?;
            }
            out.push(']');
        }
        AttributeValue::S(text) => write_string(out, text)?,
        AttributeValue::N(digits) => out.push_str(digits),
        AttributeValue::Bool(true) => out.push_str("true"),
        AttributeValue::Bool(false) => out.push_str("false"),
        AttributeValue::Null(_) => out.push_str("null"),
        AttributeValue::B(_)
        | AttributeValue::Bs(_)
        | AttributeValue::Ns(_)
        | AttributeValue::Ss(_) => {
            return Err(MalformedItemError(
                "`doc` holds a binary value or a set, which JSON does not have".to_owned(),
            ));
        }
        // The enum is non-exhaustive.
        _ => {
            return Err(MalformedItemError(
                "`doc` holds a value of unknown type".to_owned(),
            ));
        }
    }
    Ok(())
}

fn write_string(out: &mut String, text: &str) -> Result<(), MalformedItemError> {
    let quoted = serde_json::to_string(text).map_err(|error| {
        MalformedItemError(format!("`doc` holds a string that is none: {error}"))
    })?;
    out.push_str(&quoted);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::primitives::Blob;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn back(text: &str) -> Document {
        let document = Document::parse(text).unwrap();
        match to_map(&document).unwrap() {
            AttributeValue::M(map) => from_map(&map).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn documents_come_back_as_they_were() {
        for text in [
            "{}",
            r#"{"a":{},"b":[],"c":""}"#,
            r#"{"a":[1,-0.5,1e-130,9.9999999999999999999999999999999999999e125,true,false,null,"]},"]}"#,
            r#"{"\"\\\n\u0000é😀":"\"\\\n\u0000é😀/"}"#,
            r#"{"$serde_json::private::Number":"1","$serde_json::private::RawValue":"[1]"}"#,
            r#"{"n":{"$serde_json::private::Number":"no number"}}"#,
        ] {
            assert_eq!(back(text), Document::parse(text).unwrap(), "{text}");
        }
    }

    #[test]
    fn a_document_becomes_a_native_map() {
        let document = Document::parse(r#"{"n":1.50,"l":["x",null],"b":true}"#).unwrap();
        let expected = HashMap::from([
            ("n".to_owned(), AttributeValue::N("1.5".to_owned())),
            (
                "l".to_owned(),
                AttributeValue::L(vec![
                    AttributeValue::S("x".to_owned()),
                    AttributeValue::Null(true),
                ]),
            ),
            ("b".to_owned(), AttributeValue::Bool(true)),
        ]);
        assert_eq!(to_map(&document).unwrap(), AttributeValue::M(expected));
    }

    #[test]
    fn what_is_no_json_is_refused_and_numbers_of_other_tools_are_spelled_anew() {
        let map = |value| HashMap::from([("v".to_owned(), value)]);
        for value in [
            AttributeValue::B(Blob::new("x")),
            AttributeValue::Ss(vec!["x".to_owned()]),
            AttributeValue::L(vec![AttributeValue::Ns(vec!["1".to_owned()])]),
        ] {
            assert!(from_map(&map(value)).is_err());
        }
        let spelled = from_map(&map(AttributeValue::N("1E+2".to_owned()))).unwrap();
        assert_eq!(spelled.as_str(), r#"{"v":100}"#);
    }

    fn json_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC*".prop_map(Value::from),
            "[\\x00-\\x7f]*".prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::btree_map("[\\x00-\\x7f]{1,8}", inner, 0..8)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_document_comes_back_as_it_was(value in json_value()) {
            let text = json!({"v": value}).to_string();
            prop_assert_eq!(back(&text), Document::parse(&text).unwrap());
        }
    }
}
