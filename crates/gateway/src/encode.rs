//! Percent-encoding of paths and queries.

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use std::borrow::Cow;

/// Characters that a client cannot send in a path: a request target ends at a blank, and its path at `?` or `#`. Every other visible
/// character is kept as sent, even if RFC 3986 requires encoding it. `%` begins what is already encoded.
const PATH: &AsciiSet = &CONTROLS.add(b' ').add(b'#').add(b'?');

/// For a decoded path: characters that a path cannot contain (RFC 3986, 3.3), and `%`, which here is a literal character.
const DECODED_PATH: &AsciiSet = &PATH
    .add(b'"')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Characters that a client cannot send in a query.
const QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'#');

/// Everything but the unreserved characters (RFC 3986, 2.3), which gives one spelling for each text.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Encodes a path that is already encoded: only characters that a client cannot send are changed.
pub fn encoded_path(path: &str) -> Cow<'_, str> {
    utf8_percent_encode(path, PATH).into()
}

/// Encodes a path that may be encoded only in part: a `%` without two hexadecimal digits is a literal character.
pub fn half_decoded_path(path: &str) -> Cow<'_, str> {
    let mut parts = path.split('%');
    let begins_code = |part: &str| {
        let digits = part.as_bytes().first_chunk::<2>();
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if parts.clone().skip(1).all(begins_code) {
        return encoded_path(path);
    }
    let mut encoded = String::with_capacity(path.len() + 16);
    encoded.extend(utf8_percent_encode(parts.next().unwrap_or_default(), PATH));
    for part in parts {
        encoded.push_str(if begins_code(part) { "%" } else { "%25" });
        encoded.extend(utf8_percent_encode(part, PATH));
    }
    Cow::Owned(encoded)
}

/// Encodes a path that a gateway decoded.
pub fn decoded_path(path: &str) -> Cow<'_, str> {
    utf8_percent_encode(path, DECODED_PATH).into()
}

/// Encodes a query, or a part of one, that is already encoded.
pub fn encoded_query(query: &str) -> Cow<'_, str> {
    utf8_percent_encode(query, QUERY).into()
}

/// Encodes a name or a value that a gateway decoded.
pub fn query_component(text: &str) -> Cow<'_, str> {
    utf8_percent_encode(text, COMPONENT).into()
}

/// `path` without a leading `prefix` that ends at the end of a segment; `None` if it does not begin so. `prefix` begins with `/`.
pub fn without_prefix<'p>(path: &'p str, prefix: &str) -> Option<&'p str> {
    match path.strip_prefix(prefix)? {
        "" => Some("/"),
        rest => rest.starts_with('/').then_some(rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_not_encoded_again() {
        assert_eq!(encoded_path("/a%2Fb/c d/é?#"), "/a%2Fb/c%20d/%C3%A9%3F%23");
        assert_eq!(
            encoded_query("a=%20&b=[1]&c=é d"),
            "a=%20&b=[1]&c=%C3%A9%20d"
        );
    }

    #[test]
    fn what_a_client_can_send_stays_as_it_is() {
        let visible: String = ('!'..='~').filter(|sign| !"?#".contains(*sign)).collect();
        assert_eq!(encoded_path(&visible), visible);
        assert_eq!(encoded_query(&visible), visible);
    }

    #[test]
    fn what_was_decoded_is_encoded_in_one_way() {
        assert_eq!(decoded_path("/100%/a+b@c"), "/100%25/a+b@c");
        assert_eq!(decoded_path("/[a]|{b}^"), "/%5Ba%5D%7C%7Bb%7D%5E");
        assert_eq!(query_component("a+b c&d=é~"), "a%2Bb%20c%26d%3D%C3%A9~");
    }

    #[test]
    fn a_percent_sign_that_begins_nothing_is_itself() {
        assert_eq!(half_decoded_path("/100%"), "/100%25");
        assert_eq!(
            half_decoded_path("/100%/é%20%zz%4"),
            "/100%25/%C3%A9%20%25zz%254"
        );
        assert_eq!(half_decoded_path("/a%2Fb%25"), "/a%2Fb%25");
        assert_eq!(half_decoded_path("/a b"), "/a%20b");
    }

    #[test]
    fn a_prefix_ends_at_a_segment() {
        assert_eq!(without_prefix("/prod/items", "/prod"), Some("/items"));
        assert_eq!(without_prefix("/prod", "/prod"), Some("/"));
        assert_eq!(without_prefix("/production", "/prod"), None);
        assert_eq!(without_prefix("/items", "/prod"), None);
    }
}
