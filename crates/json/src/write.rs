//! Writes JSON member by member, for what every request writes: without a type for each shape and without examining each byte for escapes.

use std::{io::Write as _, mem};

/// Writes a JSON object member by member.
pub struct Object<'a> {
    out: &'a mut Vec<u8>,
    is_first: bool,
}

impl<'a> Object<'a> {
    /// Begins an object at the end of `out`.
    pub fn begin(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self {
            out,
            is_first: true,
        }
    }

    /// Starts a member whose name needs no escapes; its value must follow.
    #[inline] // most names are constants, so the compiler knows their length
    pub fn name(&mut self, name: &str) -> &mut Vec<u8> {
        let before: &[u8] = if mem::take(&mut self.is_first) {
            b"\""
        } else {
            b",\""
        };
        self.out.extend_from_slice(before);
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    /// Starts a member with any name; its value must follow.
    pub fn key(&mut self, name: &str) -> &mut Vec<u8> {
        if !mem::take(&mut self.is_first) {
            self.out.push(b',');
        }
        write_string(self.out, name);
        self.out.push(b':');
        self.out
    }

    /// A text under any name.
    pub fn entry(&mut self, name: &str, text: &str) {
        write_string(self.key(name), text);
    }

    /// A member that is a text.
    pub fn string(&mut self, name: &str, text: &str) {
        write_string(self.name(name), text);
    }

    /// A text that needs no escapes.
    #[inline] // as for names
    pub fn plain(&mut self, name: &str, text: &str) {
        let out = self.name(name);
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    }

    /// A member that is `true` or `false`.
    pub fn boolean(&mut self, name: &str, value: bool) {
        let value: &[u8] = if value { b"true" } else { b"false" };
        self.raw(name, value);
    }

    /// Text, or `null` for `None`.
    pub fn optional_string(&mut self, name: &str, text: Option<&str>) {
        match text {
            Some(text) => self.string(name, text),
            None => self.null(name),
        }
    }

    /// A member that is `null`.
    pub fn null(&mut self, name: &str) {
        self.raw(name, b"null");
    }

    /// Starts a member that is an object.
    pub fn object(&mut self, name: &str) -> Object<'_> {
        Object::begin(self.name(name))
    }

    /// A member that is a whole number.
    pub fn number(&mut self, name: &str, number: u64) {
        write_number(self.name(name), number);
    }

    /// A value that already is JSON.
    pub fn raw(&mut self, name: &str, json: &[u8]) {
        self.name(name).extend_from_slice(json);
    }

    /// Ends the object.
    pub fn end(self) {
        self.out.push(b'}');
    }
}

/// Writes an array, each element by `write`.
pub fn write_array<T>(
    out: &mut Vec<u8>,
    elements: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut Vec<u8>, T),
) {
    out.push(b'[');
    for (position, element) in elements.into_iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        write(out, element);
    }
    out.push(b']');
}

/// Writes text as a JSON string, with serde_json's spelling. Bytes between escapes are copied together.
pub fn write_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    loop {
        let (plain, after) = rest.split_at(bytes_before_escape(rest));
        out.extend_from_slice(plain);
        let [escaped, after @ ..] = after else {
            break;
        };
        write_escape(out, *escaped);
        rest = after;
    }
    out.push(b'"');
}

/// The number of bytes before the first quote, backslash or control character. Examines eight bytes at a time.
fn bytes_before_escape(text: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH_BITS: u64 = ONES << 7;
    // Sets the high bit of the first byte below `bound`, and of no byte before it; later bytes do not matter.
    let below = |bytes: u64, bound: u64| bytes.wrapping_sub(ONES * bound) & !bytes & HIGH_BITS;
    let (chunks, tail) = text.as_chunks::<8>();
    for (position, chunk) in chunks.iter().enumerate() {
        let bytes = u64::from_le_bytes(*chunk);
        let is = |byte: u8| below(bytes ^ (ONES * u64::from(byte)), 1);
        let found = below(bytes, 0x20) | is(b'"') | is(b'\\');
        if found != 0 {
            return 8 * position + found.trailing_zeros() as usize / 8;
        }
    }
    let is_plain = |byte: &u8| !matches!(byte, b'"' | b'\\' | 0..0x20);
    text.len() - tail.len() + tail.iter().take_while(|byte| is_plain(byte)).count()
}

fn write_escape(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0c => b'f',
        b'\r' => b'r',
        _ => {
            // Writing to memory cannot fail.
            let _ = write!(out, "\\u{byte:04x}");
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// Writes a whole number.
pub fn write_number(out: &mut Vec<u8>, number: u64) {
    // The largest number has this many digits.
    let mut digits = [0; 20];
    let (mut rest, mut start) = (number, digits.len());
    loop {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        write_string(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_byte_of_ascii_is_spelt_as_serde_json_does_wherever_it_stands() {
        for byte in 0..0x80_u8 {
            for before in 0..9 {
                let text = "-".repeat(before) + &char::from(byte).to_string() + "\u{1f}\"--------";
                assert_eq!(written(&text), serde_json::to_string(&text).unwrap());
            }
        }
    }

    proptest! {
        #[test]
        fn text_is_spelt_as_serde_json_does(text: String, further in "[\"\\\\\u{0}-\u{1f}\u{7f}-\u{a0}🦀a]*") {
            let text = text + &further;
            prop_assert_eq!(written(&text), serde_json::to_string(&text)?);
        }
    }

    #[test]
    fn numbers_are_written_in_full() {
        for number in [0, 9, 10, 1_767_225_600_000, u64::MAX] {
            let mut out = Vec::new();
            write_number(&mut out, number);
            assert_eq!(String::from_utf8(out).unwrap(), number.to_string());
        }
    }

    #[test]
    fn members_are_written_in_order() {
        let mut out = Vec::new();
        let mut object = Object::begin(&mut out);
        object.entry("a\"", "b");
        object.number("n", 7);
        object.boolean("t", true);
        let mut inner = object.object("o");
        inner.raw("r", b"null");
        inner.end();
        write_array(object.name("l"), [1, 2], write_number);
        object.end();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"a\"":"b","n":7,"t":true,"o":{"r":null},"l":[1,2]}"#
        );
    }
}
