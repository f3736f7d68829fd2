//! The forms that a value takes in parts of messages.

/// Hexadecimal digits as URLs have them.
const DIGITS: &[u8; 16] = b"0123456789ABCDEF";

/// Percent-encodes everything that is not unreserved (RFC 3986, 2.3), so that no byte of it has a meaning for the URL or form around it.
pub(crate) fn percent(bytes: &[u8], out: &mut Vec<u8>) {
    for &byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte),
            _ => push_percent(byte, out),
        }
    }
}

fn push_percent(byte: u8, out: &mut Vec<u8>) {
    out.extend([b'%', digit(byte >> 4), digit(byte)]);
}

fn digit(nibble: u8) -> u8 {
    DIGITS[usize::from(nibble & 15)]
}

/// Within a JSON string, with no more escapes than necessary.
pub(crate) fn json(text: &str, out: &mut Vec<u8>) {
    let mut quoted = zeroize::Zeroizing::new(Vec::with_capacity(text.len() + 2));
    json::write_string(&mut quoted, text);
    out.extend_from_slice(&quoted[1..quoted.len() - 1]);
}

/// As text or an attribute's value of XML and HTML.
pub(crate) fn xml(text: &str, out: &mut Vec<u8>) {
    for byte in text.bytes() {
        match byte {
            b'&' => out.extend(b"&amp;"),
            b'<' => out.extend(b"&lt;"),
            b'>' => out.extend(b"&gt;"),
            b'"' => out.extend(b"&quot;"),
            b'\'' => out.extend(b"&#39;"),
            byte => out.push(byte),
        }
    }
}

/// Whether XML may contain a text at all (XML 1.0, 2.2): most control characters have no form there.
pub(crate) fn is_xml(text: &str) -> bool {
    text.chars().all(|character| {
        matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(encode: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        encode(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn nothing_of_a_value_has_a_meaning_where_it_is_put() {
        let bytes = b"aZ0-._~*/?#&=%+ \xff\n";
        assert_eq!(
            encoded(|out| percent(bytes, out)),
            "aZ0-._~%2A%2F%3F%23%26%3D%25%2B%20%FF%0A"
        );
        let text = "a\"\\/<'&>\n\u{1}é😀";
        assert_eq!(encoded(|out| json(text, out)), r#"a\"\\/<'&>\n\u0001é😀"#);
        assert_eq!(
            encoded(|out| xml("a\"<'&>é", out)),
            "a&quot;&lt;&#39;&amp;&gt;é"
        );
        assert!(is_xml("a\té\r\n") && !is_xml("a\u{1}") && !is_xml("\u{ffff}"));
    }
}
