//! The only reader of foreign JSON into trees or spans.
//!
//! serde_json's own `Value` is unsuitable for foreign bytes: with the features that this workspace uses, an object whose first member has one of
//! serde_json's private names is read as a number or as JSON inside a string, and each such string starts with a new recursion limit. Here
//! no name has a special meaning, a text has at most [`JSON_DEPTH_MAX`] levels and [`JSON_NODES_MAX`] values, and time is linear in its length.
//!
//! Decisions on what the grammar (RFC 8259) leaves open:
//!
//! - members that repeat: in a [`Value`] the last one counts; [`members`] gives all of them in their order;
//! - numbers keep their digits, and [`super::same`] compares them by value;
//! - an escape of half a surrogate pair has no meaning in Unicode: [`value`] refuses it; [`lenient_value`], [`members`] and [`string`] read
//!   U+FFFD instead.

mod text;

#[cfg(test)]
mod tests;

use super::error::{JsonError, JsonProblem};
use contract::limits::{JSON_DEPTH_MAX, JSON_NODES_MAX};
use serde_json::{Map, Number, Value};
use std::borrow::Cow;

/// Reads one JSON value.
pub fn value(json: &[u8]) -> Result<Value, JsonError> {
    match lenient_value(json)? {
        (value, None) => Ok(value),
        (_, Some(error)) => Err(error),
    }
}

/// Reads one JSON value with U+FFFD instead of halves of surrogate pairs, and returns the position of the first of them.
pub fn lenient_value(json: &[u8]) -> Result<(Value, Option<JsonError>), JsonError> {
    let mut reader = Reader::new(utf8(json)?);
    let value = reader.whole(Reader::tree)?;
    let lone = reader.lone_surrogate;
    Ok((
        value,
        lone.map(|at| reader.error_at(JsonProblem::LoneSurrogate, at)),
    ))
}

/// The members of an object in order, including repeated ones, each with the text of its value.
pub fn members(json: &str) -> Result<Vec<(Cow<'_, str>, &str)>, JsonError> {
    Reader::new(json).whole(|reader| {
        let mut members = Vec::new();
        reader.object(|reader, name| {
            members.push((name, reader.span()?));
            Ok(())
        })?;
        Ok(members)
    })
}

/// The elements of an array, each as its text.
pub fn elements(json: &str) -> Result<Vec<&str>, JsonError> {
    Reader::new(json).whole(|reader| {
        let mut elements = Vec::new();
        reader.array(|reader| {
            elements.push(reader.span()?);
            Ok(())
        })?;
        Ok(elements)
    })
}

/// The text that a JSON string represents.
pub fn string(json: &str) -> Result<Cow<'_, str>, JsonError> {
    Reader::new(json).whole(Reader::string)
}

/// Whether a text is one JSON value, without building anything. Escapes of halves of surrogate pairs are accepted.
pub fn check(json: &[u8]) -> Result<(), JsonError> {
    Reader::new(utf8(json)?).whole(Reader::skip)
}

fn utf8(json: &[u8]) -> Result<&str, JsonError> {
    str::from_utf8(json).map_err(|error| {
        let (valid, _) = json.split_at(error.valid_up_to());
        let reader = Reader::new(str::from_utf8(valid).unwrap_or_default());
        reader.error_at(JsonProblem::Utf8, valid.len())
    })
}

pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    depth: usize,
    nodes: usize,
    /// The position of the first half of a surrogate pair.
    lone_surrogate: Option<usize>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
            nodes: 0,
            lone_surrogate: None,
        }
    }

    /// Reads one value that must be the whole text.
    pub(super) fn whole<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, JsonError>,
    ) -> Result<T, JsonError> {
        if self.text.starts_with('\u{feff}') {
            return Err(self.error(JsonProblem::ByteOrderMark));
        }
        self.skip_blanks();
        let value = read(self)?;
        self.skip_blanks();
        match self.peek() {
            None => Ok(value),
            Some(_) => Err(self.expected("the end of the text")),
        }
    }

    fn tree(&mut self) -> Result<Value, JsonError> {
        self.nodes += 1;
        if self.nodes > JSON_NODES_MAX {
            return Err(self.error(JsonProblem::Nodes));
        }
        Ok(match self.peek() {
            Some(b'{') => {
                let mut members = Map::new();
                self.object(|reader, name| {
                    members.insert(name.into_owned(), reader.tree()?);
                    Ok(())
                })?;
                Value::Object(members)
            }
            Some(b'[') => {
                let mut elements = Vec::new();
                self.array(|reader| {
                    elements.push(reader.tree()?);
                    Ok(())
                })?;
                Value::Array(elements)
            }
            Some(b'"') => Value::String(self.string()?.into_owned()),
            Some(b'-' | b'0'..=b'9') => Value::Number(self.number()?),
            Some(b't') => self.literal("true", Value::Bool(true))?,
            Some(b'f') => self.literal("false", Value::Bool(false))?,
            Some(b'n') => self.literal("null", Value::Null)?,
            _ => return Err(self.expected("a JSON value")),
        })
    }

    /// Skips one value, and checks that it is valid.
    pub(super) fn skip(&mut self) -> Result<(), JsonError> {
        match self.peek() {
            Some(b'{') => self.object(|reader, _| reader.skip()),
            Some(b'[') => self.array(Self::skip),
            Some(b'"') => self.string().map(drop),
            Some(b'-' | b'0'..=b'9') => self.digits_of_number().map(drop),
            Some(b't') => self.literal("true", ()),
            Some(b'f') => self.literal("false", ()),
            Some(b'n') => self.literal("null", ()),
            _ => Err(self.expected("a JSON value")),
        }
    }

    /// The text of the next value.
    fn span(&mut self) -> Result<&'a str, JsonError> {
        self.nodes += 1;
        if self.nodes > JSON_NODES_MAX {
            return Err(self.error(JsonProblem::Nodes));
        }
        let start = self.at;
        self.skip()?;
        Ok(&self.text[start..self.at])
    }

    /// Reads an object; `member` reads the value of each member.
    pub(super) fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, Cow<'a, str>) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        self.open(b'{', "an object")?;
        if !self.take(b'}') {
            loop {
                if self.peek() != Some(b'"') {
                    return Err(self.expected("a member's name"));
                }
                let name = self.string()?;
                self.skip_blanks();
                self.require(b':', "`:`")?;
                self.skip_blanks();
                member(self, name)?;
                self.skip_blanks();
                if self.take(b'}') {
                    break;
                }
                self.require(b',', "`,` or `}`")?;
                self.skip_blanks();
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// Reads an array; `element` reads each element.
    pub(super) fn array(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        self.open(b'[', "an array")?;
        if !self.take(b']') {
            loop {
                element(self)?;
                self.skip_blanks();
                if self.take(b']') {
                    break;
                }
                self.require(b',', "`,` or `]`")?;
                self.skip_blanks();
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn open(&mut self, bracket: u8, what: &'static str) -> Result<(), JsonError> {
        if self.peek() == Some(bracket) && self.depth == JSON_DEPTH_MAX {
            return Err(self.error(JsonProblem::Depth));
        }
        self.require(bracket, what)?;
        self.depth += 1;
        self.skip_blanks();
        Ok(())
    }

    fn literal<T>(&mut self, literal: &'static str, value: T) -> Result<T, JsonError> {
        let rest = &self.text.as_bytes()[self.at..];
        let equal = rest.iter().zip(literal.as_bytes());
        self.at += equal.take_while(|(one, other)| one == other).count();
        if rest.starts_with(literal.as_bytes()) {
            Ok(value)
        } else {
            Err(self.expected("a JSON value"))
        }
    }

    fn number(&mut self) -> Result<Number, JsonError> {
        let start = self.at;
        let digits = self.digits_of_number()?;
        // Cannot fail, because the text satisfies the grammar.
        digits
            .parse()
            .map_err(|_| self.error_at(JsonProblem::Expected("a number"), start))
    }

    fn digits_of_number(&mut self) -> Result<&'a str, JsonError> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        } else if matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.expected("a number without leading zeros"));
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _sign = self.take(b'-') || self.take(b'+');
            self.digits()?;
        }
        Ok(&self.text[start..self.at])
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start {
            return Err(self.expected("a digit"));
        }
        Ok(())
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn require(&mut self, byte: u8, what: &'static str) -> Result<(), JsonError> {
        if self.take(byte) {
            Ok(())
        } else {
            Err(self.expected(what))
        }
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// The error for something unexpected here, or for the end of the text.
    fn expected(&self, what: &'static str) -> JsonError {
        self.error(match self.peek() {
            Some(_) => JsonProblem::Expected(what),
            None => JsonProblem::Cut,
        })
    }

    fn error(&self, problem: JsonProblem) -> JsonError {
        self.error_at(problem, self.at)
    }

    pub(super) fn error_at(&self, problem: JsonProblem, at: usize) -> JsonError {
        let before = &self.text.as_bytes()[..at];
        let line_start = before.iter().rposition(|byte| *byte == b'\n');
        JsonError {
            problem,
            line: 1 + before.iter().filter(|byte| **byte == b'\n').count(),
            column: at - line_start.map_or(0, |at| at + 1) + 1,
        }
    }
}
