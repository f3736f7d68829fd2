//! Header fields of a request, parsed once: a route reads several, and most of a typical request is headers.

use alloc::{borrow::Cow, string::String, vec::Vec};

/// The headers that a browser sends through a gateway.
const FIELDS_USUAL: usize = 24;

/// The header fields of a request, looked up by name. As an argument of a handler it is a copy of the request's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    lines: String,
    fields: Vec<Field>,
}

/// The position of a field in the lines: `name: value` from `start` to `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Field {
    start: usize,
    name_bytes: usize,
    end: usize,
}

impl Headers {
    /// All values of a header, whose name is given in any case, joined as RFC 9110, 5.3 allows; `None` if there is no such field.
    pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut values = self.fields.iter().filter_map(|field| {
            // This rules out most fields without reading the lines.
            if field.name_bytes != name.len() {
                return None;
            }
            let line = &self.lines[field.start..field.end];
            let (field_name, value) = line.split_at(field.name_bytes);
            if field_name != name && !field_name.eq_ignore_ascii_case(name) {
                return None;
            }
            value.strip_prefix(": ")
        });
        let mut joined = Cow::Borrowed(values.next()?);
        for value in values {
            let joined = joined.to_mut();
            joined.push_str(", ");
            joined.push_str(value);
        }
        Some(joined)
    }
}

/// Lines of `name: value\n`, names in lower case.
impl From<String> for Headers {
    fn from(lines: String) -> Self {
        let bytes = lines.as_bytes();
        let mut fields = Vec::with_capacity(FIELDS_USUAL);
        let mut start = 0;
        while let Some(length) = find(b'\n', &bytes[start..]) {
            let end = start + length;
            if let Some(name_bytes) = find(b':', &bytes[start..end]) {
                fields.push(Field {
                    start,
                    name_bytes,
                    end,
                });
            }
            start = end + 1;
        }
        Self { lines, fields }
    }
}

/// The first position of `byte`. Examines eight bytes at a time: all headers of a request are searched, and the standard library's search
/// takes ten instructions per byte in a component.
fn find(byte: u8, bytes: &[u8]) -> Option<usize> {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        // Zero where the byte occurs. The subtraction borrows upwards from the lowest zero, so the lowest high bit is correct.
        let differs = u64::from_le_bytes(*word) ^ (LOW * u64::from(byte));
        let found = differs.wrapping_sub(LOW) & !differs & HIGH;
        if found != 0 {
            return Some(index * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let index = rest.iter().position(|other| *other == byte)?;
    Some(words.len() * 8 + index)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &str) -> Headers {
        Headers::from(String::from(lines))
    }

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let headers = headers("accept: */*\naccept-language: de\nx-empty: \n");
        assert_eq!(headers.get("accept").as_deref(), Some("*/*"));
        assert_eq!(headers.get("accept-language").as_deref(), Some("de"));
        assert_eq!(headers.get("x-empty").as_deref(), Some(""));
        assert_eq!(headers.get("Accept-LANGUAGE").as_deref(), Some("de"));
        assert_eq!(headers.get("acc"), None);
        assert_eq!(headers.get("accept: */*"), None);
        assert_eq!(headers.get(""), None);
    }

    #[test]
    fn values_keep_their_colons_and_blanks() {
        let headers = headers("referer: https://a.example/: b\ndate: 10: 20\n");
        assert_eq!(
            headers.get("referer").as_deref(),
            Some("https://a.example/: b")
        );
        assert_eq!(headers.get("date").as_deref(), Some("10: 20"));
    }

    #[test]
    fn repeated_fields_are_joined_in_order() {
        let headers = headers("a: 1\nb: x\na: 2\na: 3\n");
        assert_eq!(headers.get("a").as_deref(), Some("1, 2, 3"));
    }

    #[test]
    fn the_first_of_a_byte_is_found_wherever_it_stands() {
        for other in [0, 9, 11, 0x8a, 0xff] {
            for length in 0..40 {
                let mut bytes = alloc::vec![other; length];
                assert_eq!(find(b'\n', &bytes), None);
                for index in (0..length).rev() {
                    bytes[index] = b'\n';
                    assert_eq!(find(b'\n', &bytes), Some(index));
                }
            }
        }
    }

    #[test]
    fn what_is_no_line_of_a_field_is_none() {
        for lines in ["", "\n", "a", "a\n", "a:\n", "a:b\n", "a: b"] {
            assert_eq!(headers(lines).get("a"), None, "{lines:?}");
        }
    }
}
