//! One HTTP exchange as the hosts see it: the same shape as `wit/http.wit`, in Rust.

use std::borrow::Cow;

/// Fields about one connection (RFC 9110, 7.6.1, and earlier forms of it), in lower case. They are not passed on, and guests do not set them.
pub const CONNECTION_FIELDS: [&str; 7] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// How the client reached the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Plain text.
    Http,
    /// TLS up to the gateway.
    Https,
}

/// Whether [`Request::path`] is what the client sent, byte for byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathFidelity {
    /// Exactly as the client sent it, apart from [`Context::base_path`].
    Encoded,
    /// The gateway decoded it, wholly or in part, and the host encoded it again: `%2F` and `/` in the original cannot be distinguished.
    DecodedByGateway,
}

/// Who the caller is, as an authorizer in front of the host established it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The authorizer's stable name for the caller, if it gave one.
    pub subject: Option<String>,
    /// Everything the authorizer said: the text of one JSON object.
    pub claims: String,
}

/// What is known about an exchange besides the message itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The gateway's id of the request; unique, 1 to 256 bytes of visible ASCII.
    pub request_id: String,
    /// Milliseconds since the Unix epoch at which the host received the request.
    pub received_at_ms: u64,
    /// How the client reached the gateway.
    pub scheme: Scheme,
    /// Host and optional port that the client asked for; empty if the event has none.
    pub authority: String,
    /// The client's IP address as the gateway saw it.
    pub client_address: Option<String>,
    /// What precedes the path in the URL that the client used. Percent-encoded; empty, or begins with one `/` and does not end with `/`.
    pub base_path: String,
    /// Whether the path is as the client sent it.
    pub path_fidelity: PathFidelity,
    /// Absent if no authorizer identified the caller.
    pub identity: Option<Identity>,
}

/// A request as the guest gets it. `wit/http.wit` specifies each field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// An HTTP token, as sent.
    pub method: String,
    /// Percent-encoded, starting with `/`, without query and without [`Context::base_path`].
    pub path: String,
    /// Percent-encoded, without `?`; empty if there was none.
    pub query: String,
    /// Header fields in order.
    pub headers: FieldLines,
    /// Decoded body bytes.
    pub body: Vec<u8>,
    /// Everything else that is known.
    pub context: Context,
}

/// Header fields as one text of `name: value\n` lines, which is how they cross the WIT interface: one allocation in the guest
/// instead of two for each field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldLines(String);

/// A header field that HTTP does not allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// The name is not a token (RFC 9110, 5.6.2).
    #[error("header name `{0}` is not a valid HTTP token")]
    Name(String),
    /// The value of the named field has a line break, a NUL or another control character (RFC 9110, 5.5).
    #[error("value of header `{0}` has a control character")]
    Value(String),
}

impl FieldLines {
    /// No fields, with room for `bytes` of lines.
    pub fn with_capacity(bytes: usize) -> Self {
        Self(String::with_capacity(bytes))
    }

    /// Appends a field; converts the name to lower case and trims blanks around the value.
    pub fn push(&mut self, name: &str, value: &str) -> Result<(), FieldError> {
        if !is_token(name) {
            return Err(FieldError::Name(name.to_owned()));
        }
        let value = without_blanks(value);
        if !is_field_value(value) {
            return Err(FieldError::Value(name.to_ascii_lowercase()));
        }
        let start = self.0.len();
        self.0.push_str(name);
        self.0[start..].make_ascii_lowercase();
        self.0.push_str(": ");
        self.0.push_str(value);
        self.0.push('\n');
        Ok(())
    }

    /// All fields as (lower-case name, value), in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.lines_of_fields()
    }

    /// The first value under a lower-case name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values(name).next()
    }

    /// All values under a lower-case name.
    pub fn values(&self, name: &str) -> impl DoubleEndedIterator<Item = &str> {
        self.0
            .split_terminator('\n')
            .filter_map(move |line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// The lines as they cross the WIT interface.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The lines as they cross the WIT interface.
    pub fn into_string(self) -> String {
        self.0
    }
}

trait LinesOfFields {
    fn lines_of_fields(&self) -> impl Iterator<Item = (&str, &str)>;
}

impl LinesOfFields for str {
    fn lines_of_fields(&self) -> impl Iterator<Item = (&str, &str)> {
        // Lines are added only by `push`, so every line has its separator.
        self.split_terminator('\n')
            .filter_map(|line| line.split_once(": "))
    }
}

/// A response as the guest returned it, not yet checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// 200 to 599 once checked.
    pub status: u16,
    /// Fields in order; repeated names allowed.
    pub headers: Vec<(String, String)>,
    /// Body bytes, not encoded.
    pub body: Vec<u8>,
}

/// Whether a response with this status may have content (RFC 9110, 15.3.5, 15.3.6, 15.4.5).
pub fn has_content(status: u16) -> bool {
    !matches!(status, 204 | 205 | 304)
}

/// Whether `text` is a token (RFC 9110, 5.6.2), the syntax of methods and field names.
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| IS_TOKEN[usize::from(byte)])
}

/// For each byte, whether a token may contain it. A table, because every header name of every request is checked.
const IS_TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric();
        byte += 1;
    }
    let others = b"!#$%&'*+-.^_`|~";
    let mut index = 0;
    while index < others.len() {
        table[others[index] as usize] = true;
        index += 1;
    }
    table
};

/// Whether `text` is valid as a field value: no control characters except the tab (RFC 9110, 5.5). Text beyond ASCII is valid, as the
/// obsolete form that servers must still accept.
pub fn is_field_value(text: &str) -> bool {
    // Checks all bytes without an early exit, sixteen at a time, because nearly every value is valid.
    let is_control = |byte: u8| (byte < 0x20 && byte != b'\t') | (byte == 0x7f);
    let any_control = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(false, |found, byte| found | is_control(*byte))
    };
    let bytes = text.as_bytes();
    match bytes.last_chunk::<16>() {
        // The last chunk overlaps with the previous one.
        Some(last) => {
            let (chunks, _) = bytes.as_chunks::<16>();
            !chunks
                .iter()
                .fold(any_control(last), |found, chunk| found | any_control(chunk))
        }
        None => !any_control(bytes),
    }
}

/// The text of a field value as received. HTTP does not define bytes beyond ASCII (RFC 9110, 5.5): valid UTF-8 is read as such, anything
/// else as ISO 8859-1, each byte as the character with the same number, so that no information is lost. Control characters are not checked.
pub fn field_value(bytes: &[u8]) -> Cow<'_, str> {
    match str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().copied().map(char::from).collect()),
    }
}

/// `value` without surrounding blanks (RFC 9110, 5.5).
pub fn without_blanks(value: &str) -> &str {
    let is_blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    // A fast check, because few values have surrounding blanks.
    if is_blank(value.as_bytes().first()) || is_blank(value.as_bytes().last()) {
        value.trim_matches([' ', '\t'])
    } else {
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_order_and_repetition_and_lose_case() {
        let mut fields = FieldLines::default();
        fields.push("X-One", " a: b ").unwrap();
        fields.push("x-one", "").unwrap();
        assert_eq!(fields.as_str(), "x-one: a: b\nx-one: \n");
        assert_eq!(
            fields.iter().collect::<Vec<_>>(),
            [("x-one", "a: b"), ("x-one", "")]
        );
        assert_eq!(fields.get("x-one"), Some("a: b"));
        assert_eq!(fields.values("x-one").next_back(), Some(""));
        assert_eq!(fields.get("x"), None);
        assert_eq!(fields.get("a"), None);
    }

    #[test]
    fn a_control_character_is_found_wherever_it_stands() {
        for length in 0..40 {
            assert!(is_field_value(&"\t".repeat(length)));
            for place in 0..length {
                for control in ["\0", "\u{8}", "\n", "\u{1f}", "\u{7f}"] {
                    let mut value = "é".repeat(place);
                    value.push_str(control);
                    value.push_str(&"~".repeat(length - place - 1));
                    assert!(!is_field_value(&value), "{value:?}");
                }
            }
        }
    }

    #[test]
    fn bytes_beyond_ascii_are_utf8_or_else_latin_1() {
        assert_eq!(field_value(b"plain"), "plain");
        assert_eq!(field_value("café".as_bytes()), "café");
        assert_eq!(field_value(b"caf\xe9"), "café");
        assert_eq!(field_value(b"\xc3\xa9\xff"), "Ã©ÿ");
        for byte in 0x80..=0xff_u8 {
            let text = field_value(&[byte]).into_owned();
            assert!(is_field_value(&text));
            assert_eq!(
                text.chars().map(u32::from).collect::<Vec<_>>(),
                [u32::from(byte)]
            );
        }
    }

    #[test]
    fn blanks_are_taken_off_both_ends() {
        for (value, expected) in [
            ("", ""),
            (" ", ""),
            ("a b", "a b"),
            ("\ta", "a"),
            ("a \t", "a"),
        ] {
            assert_eq!(without_blanks(value), expected);
        }
    }

    #[test]
    fn a_line_break_cannot_add_a_field() {
        let mut fields = FieldLines::default();
        assert_eq!(
            fields.push("a", "b\nc: d"),
            Err(FieldError::Value("a".into()))
        );
        assert_eq!(
            fields.push("a\nb", "c"),
            Err(FieldError::Name("a\nb".into()))
        );
        assert_eq!(fields.as_str(), "");
    }
}
