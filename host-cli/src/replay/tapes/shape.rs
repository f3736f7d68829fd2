//! Recognises the kind of a file by the structure of its beginning: an export of log events is one JSON document with the members of an
//! export, followed by nothing else. Names and marks that merely occur in a text, for example in a guest's log, do not count.

use tape::is_tape;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Lines, some of which are tape.
    Lines,
    /// JSON documents with log events.
    Documents,
    /// An unknown kind.
    Unknown,
}

/// Members of exports that may precede their list.
const EXPORT_MEMBERS: [&[u8]; 9] = [
    b"nextForwardToken",
    b"nextBackwardToken",
    b"nextToken",
    b"searchedLogStreams",
    b"statistics",
    b"status",
    b"encryptionKey",
    b"queryLanguage",
    b"queryId",
];

/// The kind of a file that begins with `head`.
pub fn shape(head: &[u8]) -> Shape {
    let mark: &[u8] = b"{\"tenon_tape";
    let has_mark = head.windows(mark.len()).any(|window| window == mark);
    let mut rest = head.trim_ascii_start();
    if !is_tape(rest) && is_export(rest) {
        let mut are_exports = true;
        // A complete document is followed by another one, or these are log lines, of which the first looks like an export.
        while are_exports {
            match value_end(rest) {
                End::At(end) => rest = rest[end..].trim_ascii_start(),
                End::Beyond => break,
                // In an export the marks of tapes are escaped.
                End::Malformed => {
                    are_exports = !has_mark;
                    break;
                }
            }
            if rest.is_empty() {
                break;
            }
            are_exports = is_export(rest);
        }
        if are_exports {
            return Shape::Documents;
        }
    }
    if has_mark {
        Shape::Lines
    } else {
        Shape::Unknown
    }
}

/// Whether a text begins with an export: an object with a list `events` or `results`, or a list of objects with a message.
fn is_export(text: &[u8]) -> bool {
    let is_list = text.starts_with(b"[");
    let mut rest = if is_list {
        text[1..].trim_ascii_start()
    } else {
        text
    };
    let Some(mut members) = rest.strip_prefix(b"{") else {
        return false;
    };
    loop {
        members = members.trim_ascii_start();
        let Some((name, value)) = member(members) else {
            return false;
        };
        match name {
            b"message" | b"@message" if is_list => return true,
            b"events" if !is_list => return begins(value, b"{]"),
            b"results" if !is_list => return begins(value, b"[]"),
            _ if is_list || EXPORT_MEMBERS.contains(&name) => {}
            _ => return false,
        }
        let End::At(end) = value_end(value) else {
            return false;
        };
        rest = value[end..].trim_ascii_start();
        let Some(more) = rest.strip_prefix(b",") else {
            return false;
        };
        members = more;
    }
}

/// Whether a text is a list whose first element begins with one of these bytes.
fn begins(text: &[u8], first: &[u8]) -> bool {
    text.strip_prefix(b"[")
        .and_then(|elements| elements.trim_ascii_start().first())
        .is_some_and(|byte| first.contains(byte))
}

/// The name of the member at the beginning of a text, without its quotes, and the text from its value on.
fn member(text: &[u8]) -> Option<(&[u8], &[u8])> {
    if !text.starts_with(b"\"") {
        return None;
    }
    let End::At(end) = value_end(text) else {
        return None;
    };
    let value = text[end..].trim_ascii_start().strip_prefix(b":")?;
    Some((&text[1..end - 1], value.trim_ascii_start()))
}

/// The end of a JSON value.
enum End {
    At(usize),
    /// The text ends before.
    Beyond,
    /// It is not a JSON value.
    Malformed,
}

/// The end of the JSON value at the beginning of a text, found by brackets and strings; a string contains no line breaks.
fn value_end(text: &[u8]) -> End {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => match string_end(&text[at..]) {
                End::At(end) => at += end,
                other => return other,
            },
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            b'}' | b']' if depth > 0 => {
                depth -= 1;
                at += 1;
            }
            b',' | b':' if depth > 0 => at += 1,
            b'}' | b']' | b',' | b':' => return End::Malformed,
            byte if byte.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            _ => {
                let is_end = |byte: &u8| byte.is_ascii_whitespace() || b",:[]{}\"".contains(byte);
                match text[at..].iter().position(is_end) {
                    Some(end) => at += end,
                    None => return End::Beyond,
                }
            }
        }
        if depth == 0 {
            return End::At(at);
        }
    }
    End::Beyond
}

fn string_end(text: &[u8]) -> End {
    let mut at = 1;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return End::At(at + 1),
            b'\\' => at += 2,
            b'\n' => return End::Malformed,
            _ => at += 1,
        }
    }
    End::Beyond
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_what_it_begins_with() {
        let tape = r#"{"tenon_tape":1,"id":"a"}"#;
        let events = r#"{"events":[{"timestamp":1,"message":"{\"tenon_tape\":1}"}]}"#;
        for (text, expected) in [
            (tape.to_owned(), Shape::Lines),
            (format!("START\n2026-01-01T00:00:00Z {tape}"), Shape::Lines),
            (events.to_owned(), Shape::Documents),
            (format!(" {events}\r\n"), Shape::Documents),
            (format!("{events}\n{events}\n"), Shape::Documents),
            (
                r#"{"results":[[{"field":"@message","value":"{\"tenon_tape\":1}"}]]}"#.to_owned(),
                Shape::Documents,
            ),
            (
                r#"{"status": "Complete", "statistics": {"x": [1]}, "results": [ ] }"#.to_owned(),
                Shape::Documents,
            ),
            (
                format!(r#"{{"events":[{{"message":"{}"#, "x".repeat(100)),
                Shape::Documents,
            ),
            (
                r#"[{"@message":{"tenon_tape":1}}]"#.to_owned(),
                Shape::Documents,
            ),
            (
                r#"[ {"@timestamp":"x","level":[],"@message":{"tenon_tape":1}}]"#.to_owned(),
                Shape::Documents,
            ),
            (
                r#"{"version":"2.0","routeKey":"$default"}"#.to_owned(),
                Shape::Unknown,
            ),
            (r#"{"status":"ok"}"#.to_owned(), Shape::Unknown),
            ("[".to_owned(), Shape::Unknown),
            (String::new(), Shape::Unknown),
        ] {
            assert_eq!(shape(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn lines_before_a_tape_do_not_make_it_an_export() {
        for first in [
            r#"{"x":"@message"}"#,
            r#"{"level":"INFO","events":[],"message":"m","timestamp":1}"#,
            r#"{"timestamp":1,"message":"m","events":["message"]}"#,
            r#"{"events":[{"timestamp":1,"message":"m"}]}"#,
            r#"{"results":[[{"field":"@message","value":"m"}]]}"#,
            r#"[{"@message":"m","@timestamp":1}]"#,
            r#"{"events":[{"timestamp":1,"message":"cut"#,
            r#"{"status":"done","message":"m"}"#,
            "[INFO] @message",
        ] {
            let log = format!("{first}\n{{\"tenon_tape\":1}}\n");
            assert_eq!(shape(log.as_bytes()), Shape::Lines, "{first}");
        }
    }
}
