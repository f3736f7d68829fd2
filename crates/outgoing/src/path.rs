//! Paths of URLs, compared as servers could understand them.

use std::borrow::Cow;

/// How often a path is decoded in search of segments like `..`: servers behind proxies decode twice, sometimes more.
const DECODINGS_MAX: usize = 4;
/// What paths may contain beside letters, digits and `%` (RFC 3986, 3.3), and what programs send nevertheless (`[]|`).
const CHARACTERS: &[u8] = b"/-._~!$&'()*+,;=:@[]|";

/// Whether a path lies under a prefix: equal to it, or continued after a `/`. Segments are compared decoded.
pub(crate) fn is_under(path: &str, prefix: &str) -> bool {
    let mut found = segments(path);
    segments(prefix).all(|expected| found.next() == Some(expected))
}

/// The segments of a path, decoded. What precedes the first `/` is one, too.
pub(crate) fn segments(path: &str) -> impl Iterator<Item = Cow<'_, [u8]>> {
    path.split('/').map(decoded)
}

/// What in a path could lead to another place than it seems to: `.` or `..` as a segment, in whatever form, with whatever a server could take
/// for the end of a segment.
pub(crate) fn has_dot_segment(path: &str) -> bool {
    let mut path = Cow::Borrowed(path.as_bytes());
    for _ in 0..DECODINGS_MAX {
        let mut segments = path.split(|byte| matches!(byte, b'/' | b'\\'));
        if segments.any(is_dot_segment) {
            return true;
        }
        match decode(&path) {
            Some(decoded) => path = Cow::Owned(decoded),
            None => return false,
        }
    }
    // Still encoded: nobody writes this without an intention.
    true
}

/// Some servers cut parameters off (`..;a`), some end a segment at a control character, and those that decode first at a query or a fragment.
/// Old ones read overlong UTF-8, others normalise characters that look like dots.
fn is_dot_segment(segment: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(segment) else {
        return true; // nobody writes this without an intention
    };
    let ends = |character: char| {
        matches!(character, ';' | '?' | '#' | '&')
            || character.is_control()
            || character.is_whitespace()
    };
    let name =
        text.trim_matches(|character: char| character.is_control() || character.is_whitespace());
    let name = name.split(ends).next().unwrap_or_default();
    let dots = name.chars().map(|character| match character {
        '.' | '\u{ff0e}' | '\u{2024}' => 1,
        '\u{2025}' => 2,
        _ => 3,
    });
    matches!(dots.sum::<usize>(), 1 | 2)
}

fn decoded(segment: &str) -> Cow<'_, [u8]> {
    match decode(segment.as_bytes()) {
        Some(decoded) => Cow::Owned(decoded),
        None => Cow::Borrowed(segment.as_bytes()),
    }
}

/// Percent-decoded once; nothing if nothing is encoded. A `%` without two digits stays.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        match (first, octet(after)) {
            (b'%', Some(octet)) => {
                out.push(octet);
                rest = &after[2..];
            }
            _ => {
                out.push(first);
                rest = after;
            }
        }
    }
    (out.len() < text.len()).then_some(out)
}

/// The byte that two hexadecimal digits at the beginning stand for.
fn octet(text: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*text.get(at)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

/// Whether a request can have this path: everything else has to be encoded, and each `%` begins an encoded byte.
pub(crate) fn is_valid(path: &str) -> bool {
    has_only(path, CHARACTERS) && is_encoded(path)
}

/// Whether a text has only letters, digits, `%` and these characters.
pub(crate) fn has_only(text: &str, characters: &[u8]) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'%' || characters.contains(&byte))
}

/// Whether each `%` begins an encoded byte.
fn is_encoded(text: &str) -> bool {
    let mut parts = text.as_bytes().split(|&byte| byte == b'%');
    parts.next();
    parts.all(|after| octet(after).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_match_whole_segments() {
        for (path, prefix, expected) in [
            ("/v1", "/v1", true),
            ("/v1/", "/v1", true),
            ("/v1/items", "/v1", true),
            ("/%761/items", "/v1", true),
            ("/v1/items", "/v1/items", true),
            ("/caf%c3%a9/x", "/caf%C3%A9", true),
            ("/v10", "/v1", false),
            ("/v1;x/items", "/v1", false),
            ("/V1", "/v1", false),
            ("/", "/v1", false),
            ("//v1", "/v1", false),
            ("/x/v1", "/v1", false),
            ("/v1%2Fitems", "/v1/items", false),
            ("/v1%2Fitems", "/v1", false),
        ] {
            assert_eq!(is_under(path, prefix), expected, "{path} {prefix}");
        }
    }

    #[test]
    fn dot_segments_are_found_in_every_form() {
        for path in [
            "/v1/../admin",
            "/v1/..",
            "/v1/./x",
            "/.",
            "/v1/%2e%2e/admin",
            "/v1/%2E./admin",
            "/v1/.%2e",
            "/v1/..%2fadmin",
            "/v1/..%2Fadmin",
            "/v1/a%2f..%2f..%2fadmin",
            "/v1/..\\admin",
            "/v1\\..\\admin",
            "/v1/..%5cadmin",
            "/v1/%252e%252e/admin",
            "/v1/..%252fadmin",
            "/v1/%25252e%25252e/admin",
            "/v1/%2525252525252e/admin",
            "/v1/..;/admin",
            "/v1/..;a=b/admin",
            "/v1/..%3b/admin",
            "/v1/..%00/admin",
            "/v1/..%20/admin",
            "/v1/%09../admin",
        ] {
            assert!(has_dot_segment(path), "{path}");
        }
        for path in [
            "/",
            "/v1/...",
            "/v1/.well-known",
            "/v1/a..b",
            "/v1/a%2Fb",
            "/v1/group%2Fproject",
            "/v1/100%25",
            "/v1/%25252f",
            "/v1//x",
            "/v1/a;b=..",
        ] {
            assert!(!has_dot_segment(path), "{path}");
        }
    }

    #[test]
    fn encoding_is_whole_or_not_there() {
        assert!(is_encoded("/a%2Fb%00"));
        assert!(is_encoded("/"));
        assert!(!is_encoded("/%"));
        assert!(!is_encoded("/%2"));
        assert!(!is_encoded("/%zz"));
        assert!(!is_encoded("/%2%46"));
    }
}
