//! The one reader of JSON that comes from outside, where it is made into a tree or taken apart into spans.
//!
//! serde_json's own `Value` is not fit for foreign bytes: with the features that this workspace uses, an object whose first member has one of
//! serde_json's private names is read as a number or as JSON inside of a string, and each such string starts with a new recursion limit. Here
//! no name means anything, a text has at most [`JSON_DEPTH_MAX`] levels and [`JSON_NODES_MAX`] values, and time is linear in its length.
//!
//! What the grammar (RFC 8259) leaves open is decided here:
//!
//! - members that repeat: in a [`Value`] the last one counts; [`members`] gives all of them in their order;
//! - numbers keep their digits, and [`same`] compares them by value;
//! - an escape of half a surrogate pair has no meaning in Unicode: [`value`] refuses it; [`lenient_value`], [`members`] and [`string`] read
//!   U+FFFD in its place.

use contract::limits::{JSON_DEPTH_MAX, JSON_NODES_MAX};
use serde_json::{Map, Number, Value};
use std::borrow::Cow;

/// Text that is not JSON, or beyond the bounds of this reader. The message holds nothing of the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at line {line} column {column}")]
pub struct JsonError {
    /// What is wrong.
    pub problem: JsonProblem,
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in bytes.
    pub column: usize,
}

/// What is wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonProblem {
    /// The text ends within a value.
    #[error("unexpected end of the text")]
    Cut,
    /// Not UTF-8.
    #[error("invalid UTF-8")]
    Utf8,
    /// UTF-8 with a mark that JSON does not allow.
    #[error("a byte order mark (EF BB BF), which JSON does not allow")]
    ByteOrderMark,
    /// Something else stands where this is expected.
    #[error("expected {0}")]
    Expected(&'static str),
    /// `\u` with half of a surrogate pair.
    #[error("an escape of half a surrogate pair")]
    LoneSurrogate,
    /// Too many levels.
    #[error("more than {JSON_DEPTH_MAX} levels")]
    Depth,
    /// Too many values.
    #[error("more than {JSON_NODES_MAX} values")]
    Nodes,
}

impl JsonProblem {
    /// What that makes of the text: no JSON, or JSON beyond the bounds of this reader.
    pub fn verdict(self) -> &'static str {
        match self {
            Self::Depth | Self::Nodes => "is more JSON than is read",
            Self::Cut
            | Self::Utf8
            | Self::ByteOrderMark
            | Self::Expected(_)
            | Self::LoneSurrogate => "is not JSON",
        }
    }
}

/// Reads one JSON value.
pub fn value(json: &[u8]) -> Result<Value, JsonError> {
    match lenient_value(json)? {
        (value, None) => Ok(value),
        (_, Some(error)) => Err(error),
    }
}

/// Reads one JSON value with U+FFFD in the place of halves of surrogate pairs, and says where the first of them stands.
pub fn lenient_value(json: &[u8]) -> Result<(Value, Option<JsonError>), JsonError> {
    let mut reader = Reader::new(utf8(json)?);
    let value = reader.whole(Reader::tree)?;
    let lone = reader.lone_surrogate;
    Ok((
        value,
        lone.map(|at| reader.error_at(JsonProblem::LoneSurrogate, at)),
    ))
}

/// The members of an object in their order, repeated ones included, each with the text of its value.
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

/// The text that a JSON string means.
pub fn string(json: &str) -> Result<Cow<'_, str>, JsonError> {
    Reader::new(json).whole(Reader::string)
}

/// Whether a text is one JSON value, without making anything of it. Escapes of halves of surrogate pairs are let pass.
pub fn check(json: &[u8]) -> Result<(), JsonError> {
    Reader::new(utf8(json)?).whole(Reader::skip)
}

/// Whether two values mean the same: numbers are compared by value, objects in any order of their members.
pub fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one == other || Decimal::of(one.as_str()) == Decimal::of(other.as_str())
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(name, one)| other.get(name).is_some_and(|other| same(one, other)))
        }
        _ => one == other,
    }
}

/// The values in a tree, itself included.
pub fn count(value: &Value) -> usize {
    match value {
        Value::Array(elements) => 1 + elements.iter().map(count).sum::<usize>(),
        Value::Object(members) => 1 + members.values().map(count).sum::<usize>(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 1,
    }
}

/// A number's value: significant digits without zeros around them, and the power of ten of the first of them.
#[derive(PartialEq, Eq)]
struct Decimal {
    is_negative: bool,
    digits: String,
    exponent: i128,
    /// An exponent that no integer type holds, as it is spelt: such numbers are the same where they are spelt the same.
    spelt: Option<String>,
}

impl Decimal {
    /// `text` keeps to JSON's grammar.
    fn of(text: &str) -> Self {
        let (is_negative, text) = match text.strip_prefix('-') {
            Some(text) => (true, text),
            None => (false, text),
        };
        let (mantissa, exponent_text) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = [integer, fraction].concat();
        let digits = all.trim_start_matches('0');
        let leading_zeros = all.len() - digits.len();
        let digits = digits.trim_end_matches('0');
        if digits.is_empty() {
            return Self {
                is_negative: false,
                digits: String::new(),
                exponent: 0,
                spelt: None,
            };
        }
        let exponent = exponent_text.parse::<i64>().ok();
        Self {
            is_negative,
            digits: digits.to_owned(),
            exponent: exponent.map_or(0, |exponent| {
                i128::from(exponent) + integer.len() as i128 - leading_zeros as i128
            }),
            spelt: exponent.is_none().then(|| text.to_owned()),
        }
    }
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
    /// Where the first half of a surrogate pair stood.
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

    /// Reads one value that is all of the text.
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

    /// Steps over one value, and makes sure that it is one.
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

    fn string(&mut self) -> Result<Cow<'a, str>, JsonError> {
        self.require(b'"', "a string")?;
        let start = self.at;
        let mut decoded = String::new();
        let mut copied = start;
        loop {
            self.at += bytes_before_special(&self.text.as_bytes()[self.at..]);
            match self.peek() {
                Some(b'"') => {
                    let rest = &self.text[copied..self.at];
                    self.at += 1;
                    if copied == start {
                        return Ok(Cow::Borrowed(rest));
                    }
                    decoded.push_str(rest);
                    return Ok(Cow::Owned(decoded));
                }
                Some(b'\\') => {
                    decoded.push_str(&self.text[copied..self.at]);
                    decoded.push(self.escape()?);
                    copied = self.at;
                }
                _ => return Err(self.expected("an escape for a control character")),
            }
        }
    }

    /// Reads a backslash and what follows it.
    fn escape(&mut self) -> Result<char, JsonError> {
        let start = self.at;
        self.at += 1;
        let escaped = self.peek();
        let character = match escaped {
            Some(plain @ (b'"' | b'\\' | b'/')) => char::from(plain),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode_escape(start);
            }
            _ => return Err(self.expected("an escape")),
        };
        self.at += 1;
        Ok(character)
    }

    /// Reads what follows the `\u` that stands at `start`. Half of a pair is U+FFFD, and what comes after it is read for itself.
    fn unicode_escape(&mut self, start: usize) -> Result<char, JsonError> {
        let first = self.code_unit()?;
        if let Some(character) = char::from_u32(first) {
            return Ok(character);
        }
        let after_first = self.at;
        if first < 0xdc00 && self.text[self.at..].starts_with("\\u") {
            self.at += 2;
            let second = self.code_unit()?;
            if (0xdc00..0xe000).contains(&second) {
                let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = after_first;
        }
        self.lone_surrogate.get_or_insert(start);
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn code_unit(&mut self) -> Result<u32, JsonError> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self
                .peek()
                .and_then(|digit| char::from(digit).to_digit(16))
                .ok_or_else(|| self.expected("four hexadecimal digits"))?;
            unit = unit * 16 + digit;
            self.at += 1;
        }
        Ok(unit)
    }

    fn number(&mut self) -> Result<Number, JsonError> {
        let start = self.at;
        let digits = self.digits_of_number()?;
        // The text keeps to the grammar, so that this takes every one.
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

    /// Something else stands here, or nothing.
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

/// How many bytes come before the next quote, backslash or control character, or the end.
fn bytes_before_special(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))
        .unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests;
