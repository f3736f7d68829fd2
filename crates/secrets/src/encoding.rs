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

/// As HTML forms are encoded (WHATWG URL, `application/x-www-form-urlencoded`).
pub(crate) fn form(bytes: &[u8], out: &mut Vec<u8>) {
    for &byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => out.push(byte),
            b' ' => out.push(b'+'),
            _ => push_percent(byte, out),
        }
    }
}

/// As JavaScript's `encodeURI` leaves what separates parts of a URL.
pub(crate) fn lenient_percent(bytes: &[u8], out: &mut Vec<u8>) {
    for &byte in bytes {
        match byte {
            b'%' | b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' => {
                push_percent(byte, out)
            }
            b'!'..=b'~' => out.push(byte),
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

/// Escapes that some writers of JSON add.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MoreEscapes {
    /// `\/`, as PHP writes it.
    pub(crate) slash: bool,
    /// What is written by its number, `\u003c`, although it needs no escape: `<>&` by Go, more by .NET.
    pub(crate) characters: &'static str,
    /// Everything but ASCII, as Python writes it.
    pub(crate) beyond_ascii: bool,
}

/// Within a JSON string, with these escapes.
pub(crate) fn json_with(text: &str, more: MoreEscapes, out: &mut Vec<u8>) {
    for character in text.chars() {
        let is_escaped =
            more.characters.contains(character) || (more.beyond_ascii && !character.is_ascii());
        if is_escaped {
            for unit in character.encode_utf16(&mut [0; 2]) {
                push_unicode(*unit, out);
            }
        } else if character == '/' && more.slash {
            out.extend(br"\/");
        } else {
            json(character.encode_utf8(&mut [0; 4]), out);
        }
    }
}

fn push_unicode(unit: u16, out: &mut Vec<u8>) {
    let [high, low] = unit.to_be_bytes();
    out.extend(br"\u");
    out.extend([digit(high >> 4), digit(high), digit(low >> 4), digit(low)]);
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
        assert_eq!(
            encoded(|out| form(bytes, out)),
            "aZ0-._%7E*%2F%3F%23%26%3D%25%2B+%FF%0A"
        );
        assert_eq!(
            encoded(|out| lenient_percent(bytes, out)),
            "aZ0-._~*/?#&=%25+%20%FF%0A"
        );
        let text = "a\"\\/<'&>\n\u{1}é😀";
        assert_eq!(encoded(|out| json(text, out)), r#"a\"\\/<'&>\n\u0001é😀"#);
        let more = MoreEscapes {
            slash: true,
            characters: "<>&'",
            beyond_ascii: true,
        };
        assert_eq!(
            encoded(|out| json_with(text, more, out)),
            r#"a\"\\\/\u003C\u0027\u0026\u003E\n\u0001\u00E9\uD83D\uDE00"#
        );
        assert_eq!(
            encoded(|out| xml("a\"<'&>é", out)),
            "a&quot;&lt;&#39;&amp;&gt;é"
        );
        assert!(is_xml("a\té\r\n") && !is_xml("a\u{1}") && !is_xml("\u{ffff}"));
    }
}
