//! How a response's status, headers and body are read: in one pass where they are what nearly all functions write, else as whatever
//! JSON they are.

use crate::gateway::envelope::Text;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// What values are read as.
pub trait Reading<'a> {
    type Status: Deserialize<'a>;
    type Value: Deserialize<'a>;
    /// What it refuses is read again by another.
    const IS_FIRST: bool;

    /// 200 to 599.
    fn status(code: Self::Status) -> Result<u16, String>;

    /// A string, a number or a boolean as text; `None` for `null`, which counts as absent.
    fn text(value: Self::Value) -> Result<Option<Cow<'a, str>>, Nested>;
}

/// An object or a list, where a text has to be.
pub struct Nested;

/// The status is a number, all else are strings. Refuses everything else.
pub struct Plain;

/// Any value, raw until it is known what to make of it.
pub struct Lenient;

impl<'a> Reading<'a> for Plain {
    type Status = u16;
    type Value = Text<'a>;
    const IS_FIRST: bool = true;

    fn status(code: u16) -> Result<u16, String> {
        checked(Some(code), || code.to_string())
    }

    fn text(value: Text<'a>) -> Result<Option<Cow<'a, str>>, Nested> {
        Ok(Some(value.0))
    }
}

impl<'a> Reading<'a> for Lenient {
    type Status = &'a RawValue;
    type Value = &'a RawValue;
    const IS_FIRST: bool = false;

    /// A number, or a number as a string.
    fn status(code: &RawValue) -> Result<u16, String> {
        let text = scalar(code);
        checked(text.parse().ok(), || text.into_owned())
    }

    fn text(value: &'a RawValue) -> Result<Option<Cow<'a, str>>, Nested> {
        match value.get() {
            "null" => Ok(None),
            json if json.starts_with(['{', '[']) => Err(Nested),
            _ => Ok(Some(scalar(value))),
        }
    }
}

fn checked(status: Option<u16>, text: impl FnOnce() -> String) -> Result<u16, String> {
    status
        .filter(|status| (200..=599).contains(status))
        .ok_or_else(|| format!("response member `statusCode` is not a status: {}", text()))
}

/// The text of a string; the JSON of anything else.
pub fn scalar(value: &RawValue) -> Cow<'_, str> {
    let json = value.get();
    match json
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    {
        // Asked beforehand, because most headers need nothing else, and a status least of all: serde_json's errors take long to make.
        None => Cow::Borrowed(json),
        Some(text) if !text.contains('\\') => Cow::Borrowed(text),
        Some(_) => match serde_json::from_str::<Text<'_>>(json) {
            Ok(Text(text)) => text,
            Err(_) => Cow::Borrowed(json),
        },
    }
}
