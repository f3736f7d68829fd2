//! Percent-encoding of paths and queries.

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use std::borrow::Cow;

/// What cannot stand in a path as it is (RFC 3986, 3.3). `%` can: it begins what is already encoded.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The same for a path that was decoded: here `%` is itself.
const DECODED_PATH: &AsciiSet = &PATH.add(b'%');

/// What cannot stand in a request target's query. Brackets and the like, which clients do send, are left to the guest.
const QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>');

/// Everything but the unreserved characters (RFC 3986, 2.3): one spelling for each text.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A path that is encoded already; only what no client can send is put right.
pub fn encoded_path(path: &str) -> Cow<'_, str> {
    utf8_percent_encode(path, PATH).into()
}

/// A path that a gateway decoded.
pub fn decoded_path(path: &str) -> Cow<'_, str> {
    utf8_percent_encode(path, DECODED_PATH).into()
}

/// A query, or a part of one, that is encoded already.
pub fn encoded_query(query: &str) -> Cow<'_, str> {
    utf8_percent_encode(query, QUERY).into()
}

/// A name or a value that a gateway decoded.
pub fn query_component(text: &str) -> Cow<'_, str> {
    utf8_percent_encode(text, COMPONENT).into()
}

/// `path` without a leading `prefix` that ends at a segment's end. `prefix` begins with `/`.
pub fn without_prefix<'p>(path: &'p str, prefix: &str) -> &'p str {
    match path.strip_prefix(prefix) {
        Some("") => "/",
        Some(rest) if rest.starts_with('/') => rest,
        Some(_) | None => path,
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
    fn what_was_decoded_is_encoded_in_one_way() {
        assert_eq!(decoded_path("/100%/a+b@c"), "/100%25/a+b@c");
        assert_eq!(query_component("a+b c&d=é~"), "a%2Bb%20c%26d%3D%C3%A9~");
    }

    #[test]
    fn a_prefix_ends_at_a_segment() {
        assert_eq!(without_prefix("/prod/items", "/prod"), "/items");
        assert_eq!(without_prefix("/prod", "/prod"), "/");
        assert_eq!(without_prefix("/production", "/prod"), "/production");
        assert_eq!(without_prefix("/items", "/prod"), "/items");
    }
}
