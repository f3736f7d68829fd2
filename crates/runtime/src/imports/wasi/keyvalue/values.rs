//! Values as documents: bytes are text where they can be, so that a store and a tape can be read.

use ::storage::{Document, Item, StorageError};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use contract::limits::ITEM_BYTES_MAX;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A document's only member.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Value<'v> {
    /// Bytes that are UTF-8.
    Text(Cow<'v, str>),
    /// Any others.
    Base64(Cow<'v, str>),
}

/// The document for these bytes.
pub(super) fn document(bytes: &[u8]) -> Result<Document, StorageError> {
    if bytes.len() > ITEM_BYTES_MAX {
        let length = bytes.len();
        return Err(StorageError::TooLarge(format!(
            "the value has {length} bytes, at most {ITEM_BYTES_MAX} are allowed with its key"
        )));
    }
    let value = match std::str::from_utf8(bytes) {
        Ok(text) => Value::Text(text.into()),
        Err(_) => Value::Base64(STANDARD.encode(bytes).into()),
    };
    let text = serde_json::to_string(&value).map_err(|_| StorageError::Internal)?;
    Document::parse(&text)
}

/// The bytes of an item.
#[expect(
    clippy::disallowed_methods,
    reason = "the document was checked, and it is read into a type of named members"
)]
pub(super) fn bytes(item: &Item) -> Result<Vec<u8>, StorageError> {
    let foreign =
        || StorageError::Invalid("what is stored under the key is no value of a bucket".to_owned());
    match serde_json::from_str(item.document.as_str()).map_err(|_| foreign())? {
        Value::Text(text) => Ok(text.into_owned().into_bytes()),
        Value::Base64(text) => STANDARD.decode(&*text).map_err(|_| foreign()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::storage::Revision;

    fn item(document: Document) -> Item {
        Item {
            document,
            revision: Revision::from("r".to_owned()),
            index: None,
            expires_at: None,
        }
    }

    #[test]
    fn bytes_come_back_as_they_were() {
        let all: Vec<u8> = (0..=255).collect();
        for (value, stored) in [
            (&b""[..], r#"{"text":""}"#),
            (b"a\"\\\0\x7f", r#"{"text":"a\"\\\u0000"#),
            ("zażółć \u{1f600}".as_bytes(), r#"{"text":"zażółć"#),
            (&[0, 159, 146, 150, 255], r#"{"base64":"AJ+Slv8="}"#),
            (&all, r#"{"base64":"#),
        ] {
            let document = document(value).unwrap();
            assert!(document.as_str().starts_with(stored), "{document:?}");
            assert_eq!(bytes(&item(document)).unwrap(), value);
        }
    }

    #[test]
    fn other_documents_are_no_values() {
        for text in [
            "{}",
            r#"{"text":1}"#,
            r#"{"base64":"?"}"#,
            r#"{"other":"x"}"#,
            r#"{"base64":"AA==","text":"x"}"#,
        ] {
            let item = item(Document::parse(text).unwrap());
            assert!(bytes(&item).is_err(), "{text}");
        }
    }

    #[test]
    fn a_value_that_cannot_be_stored_is_refused_before_it_is_copied() {
        let error = document(&vec![1; ITEM_BYTES_MAX + 1]).unwrap_err();
        assert!(matches!(error, StorageError::TooLarge(_)), "{error}");
    }
}
