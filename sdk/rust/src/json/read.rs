//! The reader: one pass, with bounds on depth and number of values.

use super::{JsonError, LEVELS_MAX, Object, VALUES_MAX, Value, decimal, plain_bytes};
use alloc::{borrow::Cow, string::String, vec::Vec};

/// Reads a text that holds one value.
pub(super) fn parse(text: &[u8]) -> Result<Value, JsonError> {
    let text = core::str::from_utf8(text).map_err(|error| JsonError::Syntax {
        expected: "UTF-8",
        at: error.valid_up_to(),
    })?;
    let mut reader = Reader {
        text,
        at: 0,
        values: 0,
    };
    reader.skip_blanks();
    let value = reader.value(0)?;
    reader.skip_blanks();
    if reader.at < text.len() {
        return Err(reader.expected("the end of the text"));
    }
    Ok(value)
}

/// Reads one string member of an object without building the others; for a text that the store keeps.
pub(super) fn string_member(object: &str, name: &str) -> Option<String> {
    let mut reader = Reader {
        text: object,
        at: 0,
        values: 0,
    };
    if !reader.take(b'{') {
        return None;
    }
    loop {
        let found = reader.string().ok()?;
        if !reader.take(b':') {
            return None;
        }
        if found == name {
            return (reader.peek() == Some(b'"'))
                .then(|| reader.string().ok().map(Cow::into_owned))?;
        }
        reader.pass_over()?;
        if !reader.take(b',') {
            return None;
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    values: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\t' | b'\r')) {
            self.at += 1;
        }
    }

    fn expected(&self, expected: &'static str) -> JsonError {
        JsonError::Syntax {
            expected,
            at: self.at,
        }
    }

    fn value(&mut self, level: usize) -> Result<Value, JsonError> {
        self.values += 1;
        if self.values > VALUES_MAX {
            return Err(JsonError::TooManyValues);
        }
        match self.peek() {
            Some(b'"') => Ok(Value::String(self.string()?.into_owned())),
            Some(b'{') => self.object(level + 1),
            Some(b'[') => self.array(level + 1),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal("true", Value::Bool(true)),
            Some(b'f') => self.literal("false", Value::Bool(false)),
            Some(b'n') => self.literal("null", Value::Null),
            Some(_) | None => Err(self.expected("a value")),
        }
    }

    fn literal(&mut self, literal: &'static str, value: Value) -> Result<Value, JsonError> {
        if !self.text.as_bytes()[self.at..].starts_with(literal.as_bytes()) {
            return Err(self.expected("a value"));
        }
        self.at += literal.len();
        Ok(value)
    }

    fn open(&mut self, level: usize) -> Result<(), JsonError> {
        if level > LEVELS_MAX {
            return Err(JsonError::TooDeep);
        }
        self.at += 1;
        self.skip_blanks();
        Ok(())
    }

    fn array(&mut self, level: usize) -> Result<Value, JsonError> {
        self.open(level)?;
        let mut elements = Vec::new();
        if self.take(b']') {
            return Ok(Value::Array(elements));
        }
        loop {
            elements.push(self.value(level)?);
            self.skip_blanks();
            if self.take(b']') {
                return Ok(Value::Array(elements));
            }
            if !self.take(b',') {
                return Err(self.expected("`,` or `]`"));
            }
            self.skip_blanks();
        }
    }

    fn object(&mut self, level: usize) -> Result<Value, JsonError> {
        self.open(level)?;
        let mut members = Object::new();
        if self.take(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.expected("a member name"));
            }
            let name = self.string()?.into_owned();
            self.skip_blanks();
            if !self.take(b':') {
                return Err(self.expected("`:`"));
            }
            self.skip_blanks();
            let value = self.value(level)?;
            members.insert(name, value);
            self.skip_blanks();
            if self.take(b'}') {
                return Ok(Value::Object(members));
            }
            if !self.take(b',') {
                return Err(self.expected("`,` or `}`"));
            }
            self.skip_blanks();
        }
    }

    /// Reads a string from its opening quote on; borrowed if it has no escapes.
    fn string(&mut self) -> Result<Cow<'a, str>, JsonError> {
        self.at += 1;
        let mut copied = self.at;
        let mut decoded = String::new();
        loop {
            self.at += plain_bytes(&self.text.as_bytes()[self.at..]);
            match self.peek() {
                Some(b'"') => {
                    let rest = &self.text[copied..self.at];
                    self.at += 1;
                    if decoded.is_empty() {
                        return Ok(Cow::Borrowed(rest));
                    }
                    decoded.push_str(rest);
                    return Ok(Cow::Owned(decoded));
                }
                Some(b'\\') => {
                    decoded.push_str(&self.text[copied..self.at]);
                    self.at += 1;
                    decoded.push(self.escape()?);
                    copied = self.at;
                }
                Some(_) | None => return Err(self.expected("the end of a string")),
            }
        }
    }

    /// Reads what follows a backslash.
    fn escape(&mut self) -> Result<char, JsonError> {
        let character = match self.peek() {
            Some(plain @ (b'"' | b'\\' | b'/')) => char::from(plain),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode_escape();
            }
            Some(_) | None => return Err(self.expected("a string escape")),
        };
        self.at += 1;
        Ok(character)
    }

    fn unicode_escape(&mut self) -> Result<char, JsonError> {
        let first = self.code_unit()?;
        let code = match first {
            0xd800..=0xdbff if self.take(b'\\') && self.take(b'u') => match self.code_unit()? {
                second @ 0xdc00..=0xdfff => 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00),
                _ => first,
            },
            _ => first,
        };
        char::from_u32(code).ok_or_else(|| self.expected("a whole surrogate pair"))
    }

    fn code_unit(&mut self) -> Result<u32, JsonError> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            unit = unit << 4 | digit.ok_or_else(|| self.expected("four hexadecimal digits"))?;
            self.at += 1;
        }
        Ok(unit)
    }

    fn number(&mut self) -> Result<Value, JsonError> {
        let start = self.at;
        self.take(b'-');
        let integer = self.at;
        self.digits()?;
        if self.at > integer + 1 && self.text.as_bytes()[integer] == b'0' {
            self.at = integer + 1;
            return Err(self.expected("a number without leading zeros"));
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _sign = self.take(b'-') || self.take(b'+');
            self.digits()?;
        }
        Ok(Value::Number(decimal::canonical(
            &self.text[start..self.at],
        )))
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

    /// Skips a value of a text that is known to be JSON without blanks.
    fn pass_over(&mut self) -> Option<()> {
        let mut open = 0usize;
        loop {
            match self.peek()? {
                b'"' => {
                    self.string().ok()?;
                }
                b'{' | b'[' => {
                    open += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    open = open.checked_sub(1)?;
                    self.at += 1;
                }
                _ => self.at += 1,
            }
            if open == 0 && matches!(self.peek()?, b',' | b'}') {
                return Some(());
            }
        }
    }
}
