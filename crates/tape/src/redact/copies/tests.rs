use super::*;
use std::time::{Duration, Instant};

fn copies(values: &[&str]) -> Copies {
    let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
    Copies::of(&values).unwrap()
}

#[test]
fn overlapping_copies_go_as_one_and_nothing_of_them_is_left() {
    let copies = copies(&["abcdefgh", "efghijkl", "xx-abcdefghijkl-yy", "12345678"]);
    for (text, expected) in [
        ("1 abcdefgh 2", Some("1 REDACTED 2")),
        ("abcdefghijkl.", Some("REDACTED.")),
        ("xx-abcdefghijkl-yy", Some("REDACTED")),
        ("xx-abcdefghijkl-y", Some("xx-REDACTED-y")),
        ("ABCDefgh", Some("REDACTED")),
        ("12345678 and 12345678", Some("REDACTED and REDACTED")),
        ("abcdefg", None),
        ("", None),
    ] {
        assert_eq!(copies.replaced(text).as_deref(), expected, "{text}");
    }
}

#[test]
fn a_copy_is_known_in_any_spelling() {
    let copies = copies(&["s\u{e4}-cret/\"&\n\u{1f600}x"]);
    for spelt in [
        r#"s\u00e4-cret\/\"&\n\ud83d\uDE00x"#,
        r#"\u0073\u00E4\u002dcret/\"\u0026\u000a\ud83d\ude00\u0078"#,
        "s%C3%a4-cret%2F%22%26%0A%f0%9f%98%80x",
        "s&#228;-cret/&quot;&amp;&#xA;&#128512;x",
    ] {
        let text = format!("<{spelt}>");
        assert_eq!(
            copies.replaced(&text).as_deref(),
            Some("<REDACTED>"),
            "{spelt}"
        );
    }
    for spelt in [
        r#"s\\u00e4-cret\\/\\\"&\\n\\ud83d\\uDE00x"#,
        "s%25C3%25a4-cret%2F%22%26%0A%f0%9f%98%80x",
        r#"s%C3%A4-cret/\"&amp;\n\ud83d\ude00x"#,
    ] {
        let text = format!("<{spelt}>");
        assert_eq!(
            copies.replaced(&text).as_deref(),
            Some("REDACTED"),
            "{spelt}"
        );
    }
    assert_eq!(copies.replaced(r"s\u00e4 %zz \ &#zz; \u12"), None);
}

/// Hundreds of nested values at every position of a text: one pass, without a list of matches.
#[test]
fn overlapping_values_take_time_and_memory_in_proportion_to_the_text() {
    let values: Vec<String> = (8..358).map(|length| "a".repeat(length)).collect();
    let copies = Copies::of(&values).unwrap();
    let begun = Instant::now();
    for (part, expected) in [("a", REPLACEMENT.len()), ("aaaaaaaa-", 9 << 18)] {
        let text = part.repeat((9 << 18) / part.len());
        let mut replacer = Replacer::new(&text, copies.pattern_bytes_max);
        let (mut state, mut pending_max) = (copies.start, 0);
        for (at, byte) in text.bytes().enumerate() {
            state = copies.automaton.next_state(Anchored::No, state, byte);
            if let Some(length) = copies.match_bytes(state) {
                replacer.add(at + 1 - length..at + 1);
                pending_max = pending_max.max(replacer.pending.len());
            }
        }
        assert!(pending_max <= copies.pattern_bytes_max, "{pending_max}");
        let replaced = replacer.finish().unwrap();
        assert_eq!(replaced.len(), expected);
        assert_eq!(copies.replaced(&text), Some(replaced));
    }
    assert!(
        begun.elapsed() < Duration::from_secs(30),
        "{:?}",
        begun.elapsed()
    );
}
