//! Documents in canonical text: one text per value, so that equality, size and limits are the same on every backend.
//!
//! The reader is our own, because serde_json with arbitrary precision passes numbers to its visitor as maps with a private member name,
//! which a hostile document can contain. Tests compare the two.

mod escape;

use self::escape::write_string;
use super::{Document, StorageError, number::Number};
use contract::limits::{
    DOCUMENT_DEPTH_MAX, DOCUMENT_TEXT_BYTES_MAX, DOCUMENT_VALUES_MAX, ITEM_BYTES_MAX,
};
use std::{borrow::Cow, ops::Range, str::FromStr};

/// Size of a list or map, and of each of its elements (AWS: DynamoDB item sizes and formats).
const CONTAINER_BYTES: usize = 3;
const ELEMENT_BYTES: usize = 1;
/// Length of a member name, which becomes an attribute name: 1 byte to 64 KB (AWS: DynamoDB naming rules).
const NAME_BYTES_MAX: usize = 65_535;
/// Longer text is refused unread. Canonical form removes escapes, blanks and zeros, but shrinks a text by more than this factor only if it
/// was made for that purpose.
const TEXT_BYTES_MAX: usize = 16 * ITEM_BYTES_MAX;

impl Document {
    /// Reads a JSON object and brings it into canonical text.
    ///
    /// Refused as [`StorageError::Invalid`], because DynamoDB cannot store it: anything but one object; a member name that is repeated,
    /// empty or longer than 64 KB; more than [`DOCUMENT_DEPTH_MAX`] levels; a number of more than 38 significant digits or of a magnitude
    /// outside 1e-130 to below 1e126; a string escape of half a surrogate pair.
    ///
    /// Refused as [`StorageError::TooLarge`], as soon as it is known: a text that is more than sixteen times as long as an item may be;
    /// more than [`DOCUMENT_VALUES_MAX`] values; canonical text of more than [`DOCUMENT_TEXT_BYTES_MAX`] bytes. No more than these bounds
    /// is kept of a text that is refused.
    ///
    /// Levels count as DynamoDB counts them: the document is the first, the contents of an object or array are one further down, and an
    /// object or array uses the level below it even if it is empty.
    ///
    /// Canonical text has members in the byte order of their names, no blanks, only the escapes that JSON requires, and numbers in plain
    /// digits if their first significant digit is at 1e-7 to 1e37, otherwise like `1.5e-9`.
    pub fn parse(text: &str) -> Result<Self, StorageError> {
        if text.len() > TEXT_BYTES_MAX {
            let length = text.len();
            return Err(StorageError::TooLarge(format!(
                "the document's text has {length} bytes, at most {TEXT_BYTES_MAX} are read"
            )));
        }
        let mut reader = Reader {
            text,
            at: 0,
            out: String::with_capacity(text.len().min(DOCUMENT_TEXT_BYTES_MAX)),
            values: 0,
        };
        reader.skip_blanks();
        if reader.peek() != Some(b'{') {
            return Err(reader.expected("a JSON object"));
        }
        let bytes = reader.value(1)?;
        reader.skip_blanks();
        if reader.at < text.len() {
            return Err(reader.expected("the end of the document"));
        }
        Ok(Self {
            text: reader.out.into(),
            bytes,
        })
    }

    /// The number of values in the document, including itself.
    pub(super) fn values(&self) -> usize {
        let mut count = 1;
        let mut is_in_string = false;
        let mut bytes = self.text.bytes().peekable();
        while let Some(byte) = bytes.next() {
            match byte {
                b'"' => is_in_string = !is_in_string,
                b'\\' if is_in_string => {
                    bytes.next();
                }
                b',' if !is_in_string => count += 1,
                b'{' | b'[' if !is_in_string => {
                    // The first value in it; each further one follows a comma.
                    count += usize::from(!matches!(bytes.peek(), Some(b'}' | b']')));
                }
                _ => {}
            }
        }
        count
    }

    /// Takes canonical text back from the store, without parsing it again.
    pub fn from_canonical(text: &str, bytes: usize) -> Self {
        Self {
            text: text.into(),
            bytes,
        }
    }
}

impl FromStr for Document {
    type Err = StorageError;

    fn from_str(text: &str) -> Result<Self, StorageError> {
        Self::parse(text)
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    out: String,
    /// Number of values that have begun.
    values: usize,
}

/// A member as written to the output: its name and the position of `"name":value,`.
struct Member<'a> {
    name: Cow<'a, str>,
    written: Range<usize>,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn expected(&self, what: &str) -> StorageError {
        StorageError::Invalid(format!(
            "the document is not valid: expected {what} at byte {}",
            self.at
        ))
    }

    /// Copies one value in canonical form and returns its size.
    fn value(&mut self, level: usize) -> Result<usize, StorageError> {
        self.values += 1;
        if self.values > DOCUMENT_VALUES_MAX {
            return Err(StorageError::TooLarge(format!(
                "the document has more than {DOCUMENT_VALUES_MAX} values"
            )));
        }
        let bytes = self.any_value(level)?;
        if self.out.len() > DOCUMENT_TEXT_BYTES_MAX {
            return Err(StorageError::TooLarge(format!(
                "the document's canonical text has more than {DOCUMENT_TEXT_BYTES_MAX} bytes"
            )));
        }
        Ok(bytes)
    }

    fn any_value(&mut self, level: usize) -> Result<usize, StorageError> {
        match self.peek() {
            Some(b'{') => self.object(level),
            Some(b'[') => self.array(level),
            Some(b'"') => {
                let string = self.string()?;
                if string.len() > ITEM_BYTES_MAX {
                    let length = string.len();
                    return Err(StorageError::TooLarge(format!(
                        "the document has a string of {length} bytes, at most {ITEM_BYTES_MAX} are allowed in the whole item"
                    )));
                }
                write_string(&mut self.out, &string);
                Ok(string.len())
            }
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal("true"),
            Some(b'f') => self.literal("false"),
            Some(b'n') => self.literal("null"),
            Some(_) | None => Err(self.expected("a JSON value")),
        }
    }

    fn literal(&mut self, literal: &str) -> Result<usize, StorageError> {
        if !self.text[self.at..].starts_with(literal) {
            return Err(self.expected("a JSON value"));
        }
        self.at += literal.len();
        self.out.push_str(literal);
        Ok(1)
    }

    /// Skips the opening bracket.
    fn open(&mut self, level: usize) -> Result<(), StorageError> {
        if level >= DOCUMENT_DEPTH_MAX {
            return Err(StorageError::Invalid(format!(
                "the document has more than {DOCUMENT_DEPTH_MAX} levels, at byte {}",
                self.at
            )));
        }
        self.at += 1;
        self.skip_blanks();
        Ok(())
    }

    fn array(&mut self, level: usize) -> Result<usize, StorageError> {
        self.open(level)?;
        self.out.push('[');
        let mut bytes = CONTAINER_BYTES;
        if !self.take(b']') {
            loop {
                bytes += ELEMENT_BYTES + self.value(level + 1)?;
                self.skip_blanks();
                if self.take(b']') {
                    break;
                }
                if !self.take(b',') {
                    return Err(self.expected("`,` or `]`"));
                }
                self.out.push(',');
                self.skip_blanks();
            }
        }
        self.out.push(']');
        Ok(bytes)
    }

    fn object(&mut self, level: usize) -> Result<usize, StorageError> {
        self.open(level)?;
        self.out.push('{');
        let mut bytes = CONTAINER_BYTES;
        if self.take(b'}') {
            self.out.push('}');
            return Ok(bytes);
        }
        let start = self.out.len();
        let mut members: Vec<Member<'a>> = Vec::new();
        let mut in_order = true;
        loop {
            let from = self.out.len();
            let name = self.member_name()?;
            bytes += ELEMENT_BYTES + name.len() + self.value(level + 1)?;
            self.out.push(',');
            in_order &= members.last().is_none_or(|previous| previous.name < name);
            members.push(Member {
                name,
                written: from..self.out.len(),
            });
            self.skip_blanks();
            if self.take(b'}') {
                break;
            }
            if !self.take(b',') {
                return Err(self.expected("`,` or `}`"));
            }
            self.skip_blanks();
        }
        if !in_order {
            self.reorder(start, members)?;
        }
        self.out.pop(); // the comma after the last member
        self.out.push('}');
        Ok(bytes)
    }

    /// Copies a member's name and colon; the value follows.
    fn member_name(&mut self) -> Result<Cow<'a, str>, StorageError> {
        if self.peek() != Some(b'"') {
            return Err(self.expected("a member name"));
        }
        let at = self.at;
        let name = self.string()?;
        if name.is_empty() || name.len() > NAME_BYTES_MAX {
            let length = name.len();
            return Err(StorageError::Invalid(format!(
                "the document has a member name of {length} bytes, 1 to {NAME_BYTES_MAX} are allowed, at byte {at}"
            )));
        }
        self.skip_blanks();
        if !self.take(b':') {
            return Err(self.expected("`:`"));
        }
        self.skip_blanks();
        write_string(&mut self.out, &name);
        self.out.push(':');
        Ok(name)
    }

    /// Sorts the members written from `start` on by their names.
    fn reorder(&mut self, start: usize, mut members: Vec<Member<'a>>) -> Result<(), StorageError> {
        members.sort_by(|one, other| one.name.cmp(&other.name));
        if let Some(pair) = members.windows(2).find(|pair| pair[0].name == pair[1].name) {
            let name: String = pair[0].name.chars().take(64).collect();
            return Err(StorageError::Invalid(format!(
                "the document repeats the member `{name}` in one object"
            )));
        }
        let ordered: String = members
            .iter()
            .map(|member| &self.out[member.written.clone()])
            .collect();
        self.out.truncate(start);
        self.out.push_str(&ordered);
        Ok(())
    }

    /// Reads a string; borrowed if it contains nothing that canonical text escapes.
    fn string(&mut self) -> Result<Cow<'a, str>, StorageError> {
        self.at += 1;
        let start = self.at;
        let mut decoded = String::new();
        let mut copied = start;
        loop {
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
                    self.at += 1;
                    decoded.push(self.escape()?);
                    copied = self.at;
                }
                Some(0..0x20) | None => return Err(self.expected("the end of a string")),
                Some(_) => self.at += 1,
            }
        }
    }

    /// Reads what follows a backslash.
    fn escape(&mut self) -> Result<char, StorageError> {
        let escaped = self.peek();
        self.at += 1;
        Ok(match escaped {
            Some(plain @ (b'"' | b'\\' | b'/')) => char::from(plain),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let first = self.code_unit()?;
                let second =
                    if (0xd800..0xdc00).contains(&first) && self.take(b'\\') && self.take(b'u') {
                        Some(self.code_unit()?)
                    } else {
                        None
                    };
                let mut decoded = char::decode_utf16([first].into_iter().chain(second));
                match (decoded.next(), decoded.next()) {
                    (Some(Ok(character)), None) => character,
                    _ => return Err(self.expected("a whole surrogate pair")),
                }
            }
            Some(_) | None => {
                self.at -= 1;
                return Err(self.expected("a string escape"));
            }
        })
    }

    fn code_unit(&mut self) -> Result<u16, StorageError> {
        let digits = self
            .text
            .as_bytes()
            .get(self.at..self.at + 4)
            .unwrap_or_default();
        if digits.len() != 4 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(self.expected("four hexadecimal digits"));
        }
        let unit = u16::from_str_radix(&self.text[self.at..self.at + 4], 16);
        self.at += 4;
        unit.map_err(|_| self.expected("four hexadecimal digits"))
    }

    fn digits(&mut self) -> Result<&'a str, StorageError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start {
            Err(self.expected("a digit"))
        } else {
            Ok(&self.text[start..self.at])
        }
    }

    fn number(&mut self) -> Result<usize, StorageError> {
        let start = self.at;
        let negative = self.take(b'-');
        let integer = self.digits()?;
        if integer.len() > 1 && integer.starts_with('0') {
            self.at = start;
            return Err(self.expected("a number without leading zeros"));
        }
        let fraction = if self.take(b'.') { self.digits()? } else { "" };
        let exponent = if self.take(b'e') || self.take(b'E') {
            let exponent_start = self.at;
            let _sign = self.take(b'-') || self.take(b'+');
            self.digits()?;
            &self.text[exponent_start..self.at]
        } else {
            ""
        };
        let text = &self.text[start..self.at];
        Number {
            text,
            negative,
            integer,
            fraction,
            exponent,
        }
        .write_canonical(&mut self.out)
    }
}

#[cfg(test)]
mod tests;
