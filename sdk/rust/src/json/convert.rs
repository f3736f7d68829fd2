//! What content and documents can be.

use super::{Value, finite};
use crate::{Problem, typed};
use alloc::string::{String, ToString};
use serde::{Serialize, de::DeserializeOwned};

/// What JSON can be read as: every type that serde reads, [`Value`] and [`Document`](super::Document).
pub trait FromJson: Sized {
    /// Reads content that a client sent: 400 for what is not JSON, 413 for what is too much, and 422 for what does not fit.
    fn from_content(content: &[u8]) -> Result<Self, Problem>;

    /// Reads what is stored; the error is for the operator.
    fn from_document(text: String) -> Result<Self, String>;
}

/// What can be written as JSON: every type that serde writes, [`Value`] and [`Document`](super::Document).
pub trait ToJson {
    /// The text; the error is for the operator.
    fn to_json(&self) -> Result<String, String>;

    /// The text of what is not needed any longer.
    fn into_json(self) -> Result<String, String>
    where
        Self: Sized,
    {
        self.to_json()
    }
}

impl<T: DeserializeOwned> FromJson for T {
    fn from_content(content: &[u8]) -> Result<Self, Problem> {
        typed::read_content(content)
    }

    fn from_document(text: String) -> Result<Self, String> {
        typed::read(text.as_bytes()).map_err(|error| error.to_string())
    }
}

impl FromJson for Value {
    fn from_content(content: &[u8]) -> Result<Self, Problem> {
        Self::of_content(content)
    }

    fn from_document(text: String) -> Result<Self, String> {
        Self::parse(text.as_bytes()).map_err(|error| error.to_string())
    }
}

impl<T: Serialize + ?Sized> ToJson for T {
    fn to_json(&self) -> Result<String, String> {
        let text = serde_json::to_string(self).map_err(|error| error.to_string())?;
        // What JSON cannot hold was written as `null`.
        if text.contains("null") {
            finite::check(self)?;
        }
        Ok(text)
    }
}

impl ToJson for Value {
    fn to_json(&self) -> Result<String, String> {
        let mut text = String::new();
        self.write(&mut text);
        Ok(text)
    }
}
