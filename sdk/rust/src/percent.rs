//! Percent-encoding (RFC 3986, 2.1) of path segments and query parameters.

use alloc::{borrow::Cow, string::String, vec::Vec};

/// Decodes once. `None` if a `%` is not followed by two hexadecimal digits, or the result is not UTF-8.
pub fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.bytes().any(|byte| byte == b'%') {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => hex_value(rest.next()?)? << 4 | hex_value(rest.next()?)?,
            other => other,
        });
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

/// The same for a query parameter, where `+` stands for a space, as in HTML forms and most client libraries.
pub fn decode_parameter(text: &str) -> Option<Cow<'_, str>> {
    if !text.bytes().any(|byte| byte == b'+') {
        return decode(text);
    }
    let spaced = text.replace('+', " ");
    decode(&spaced).map(|decoded| Cow::Owned(decoded.into_owned()))
}

/// Appends `text` with everything encoded except unreserved characters (RFC 3986, 2.3).
pub fn encode_into(target: &mut String, text: &str) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if text.bytes().all(is_unreserved) {
        target.push_str(text); // as most texts are
        return;
    }
    for byte in text.bytes() {
        if is_unreserved(byte) {
            target.push(char::from(byte));
        } else {
            target.push('%');
            target.push(char::from(DIGITS[usize::from(byte >> 4)]));
            target.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}

fn hex_value(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_happens_once() {
        assert_eq!(decode("a%2520b").as_deref(), Some("a%20b"));
        assert_eq!(decode("%C3%a9+").as_deref(), Some("é+"));
    }

    #[test]
    fn what_is_not_percent_encoded_utf8_is_refused() {
        for text in ["%", "%4", "%4g", "%+1", "%ff", "a%C3"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }

    #[test]
    fn plus_is_a_space_in_parameters_only() {
        assert_eq!(decode_parameter("a+b%2B").as_deref(), Some("a b+"));
        assert_eq!(decode_parameter("+%zz"), None);
    }

    #[test]
    fn encoding_reverses_decoding() {
        let text = "a-._~ /?&=+%é\u{1f600}";
        let mut encoded = String::new();
        encode_into(&mut encoded, text);
        assert_eq!(encoded, "a-._~%20%2F%3F%26%3D%2B%25%C3%A9%F0%9F%98%80");
        assert_eq!(decode(&encoded).as_deref(), Some(text));
    }
}
