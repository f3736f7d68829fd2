use super::*;
use std::time::{Duration, Instant};

const REPLACEMENT: &str = "REDACTED";

fn copies(values: &[&str]) -> Copies {
    let patterns: Vec<_> = values
        .iter()
        .map(|value| Pattern::whole(value.as_bytes(), 0))
        .collect();
    Copies::of(&patterns, vec![REPLACEMENT.into()], false).unwrap()
}

fn cut(text: &[u8], beginning_bytes: usize) -> Pattern<'_> {
    let (beginning, rest) = text.split_at(beginning_bytes);
    Pattern {
        beginning,
        rest,
        shares: [false; 2],
        replacement: 0,
    }
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
        assert_eq!(copies.replaced_text(text).as_deref(), expected, "{text}");
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
            copies.replaced_text(&text).as_deref(),
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
            copies.replaced_text(&text).as_deref(),
            Some("REDACTED"),
            "{spelt}"
        );
    }
    assert_eq!(copies.replaced_text(r"s\u00e4 %zz \ &#zz; \u12"), None);
}

/// Hundreds of nested values at every position of a text: one pass, without a list of matches.
#[test]
fn overlapping_values_take_time_and_memory_in_proportion_to_the_text() {
    let values: Vec<String> = (8..358).map(|length| "a".repeat(length)).collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    let copies = copies(&values);
    let begun = Instant::now();
    for (part, expected) in [("a", REPLACEMENT.len()), ("aaaaaaaa-", 9 << 18)] {
        let text = part.repeat((9 << 18) / part.len());
        let bytes_max = copies.beginning_bytes_max;
        let mut replacer = Replacer::new(text.as_bytes(), bytes_max, usize::MAX);
        let (mut state, mut pending_max) = (copies.start, 0);
        for (at, byte) in text.bytes().enumerate() {
            state = copies.automaton.next_state(Anchored::No, state, byte);
            if let Some((_, length)) = copies.ending_at(state) {
                let with = REPLACEMENT.as_bytes();
                replacer.add(at + 1 - length..at + 1, with).unwrap();
                pending_max = pending_max.max(replacer.pending());
            }
        }
        assert!(pending_max <= bytes_max, "{pending_max}");
        let replaced = String::from_utf8(replacer.finish().unwrap().unwrap()).unwrap();
        assert_eq!(replaced.len(), expected);
        assert_eq!(copies.replaced_text(&text), Some(replaced));
    }
    assert!(
        begun.elapsed() < Duration::from_secs(30),
        "{:?}",
        begun.elapsed()
    );
}

/// Nobody may learn how far a guess is right.
#[test]
fn what_is_replaced_does_not_depend_on_how_far_a_copy_matches() {
    let value = "0123456789abcdefghijklmnopqrstuvwxyz";
    let pattern = cut(value.as_bytes(), 10);
    let copies = Copies::of(&[pattern], vec!["-".into()], false).unwrap();
    let replaced = |text: &str| copies.replaced_text(text).unwrap();
    for right in 10..=value.len() {
        let guess = value[..right].to_owned() + &"?".repeat(value.len() - right);
        assert_eq!(replaced(&format!("<{guess}>")), "<->", "{right}");
    }
    assert_eq!(replaced("0123456789abc"), "-", "to the end of the text");
    let twice = format!("{value}{value}.");
    assert_eq!(replaced(&twice), "--.");
    assert_eq!(copies.replaced_text(&value[..9]), None);
    let escaped = "0123456789%61%62cdefghijklmnopqrstuvwxyz%21";
    assert_eq!(replaced(escaped), "-%21");
    // Its beginning is found by the first pass, for another escape than the rest has.
    let tail: String = value[12..]
        .bytes()
        .map(|byte| format!("%{byte:02X}"))
        .collect();
    let escaped = format!("https:\\/\\/0123456789ab{tail}.");
    assert_eq!(replaced(&escaped), "https:\\/\\/-.");
}

/// The characters beside base64 of a value have bits of it, however they are written.
#[test]
fn what_shares_bits_with_a_copy_goes_with_it() {
    let pattern = Pattern {
        shares: [true; 2],
        ..Pattern::whole(b"c2VjcmV0LXZhbHVl", 0)
    };
    let copies = Copies::of(&[pattern], vec!["-".into()], true).unwrap();
    for (text, expected) in [
        ("<ac2VjcmV0LXZhbHVlb>", "<->"),
        (r"<a\/c2VjcmV0LXZhbHVl\/b>", "<a-b>"),
        ("<a%2Fc2VjcmV0LXZhbHVl%2Bb>", "<a-b>"),
        ("<a&#x2F;c2VjcmV0LXZhbHVl&#43;b>", "<a-b>"),
        ("<ab\nc2VjcmV0LXZhbHVl\ncd>", "<a-d>"),
        ("<\"c2VjcmV0LXZhbHVl\">", "<\"-\">"),
    ] {
        let replaced = copies.replaced_text(text);
        assert_eq!(replaced.as_deref(), Some(expected), "{text}");
    }
    assert!(copies.are_in(b"c2Vjcm\nV0LXZhbHVl"));
}

/// Copies may have other line breaks than the value, and other indents.
#[test]
fn line_breaks_and_indents_of_a_rest_do_not_count() {
    let value = "0123456789\nabc\n  def\r\n\tghi\n\njklmno\n";
    let copies = Copies::of(&[cut(value.as_bytes(), 10)], vec!["-".into()], true).unwrap();
    for spelt in [
        value,
        r"0123456789\nabc\n  def\r\n\tghi\n\njklmno\n",
        r"0123456789\u000aabc\u000A\u0020\u0020def\r\n\u0009ghi\n\njklmno\n",
        "0123456789%0Aabc%0A%20%20def%0D%0A%09ghi%0A%0Ajklmno%0A",
        "0123456789&#10;abc&#xa; &#32;def&#13;&#10;&#9;ghi&#10;&#10;jklmno",
    ] {
        // What does not count at the end of the value may stay.
        let replaced = copies.replaced_text(&format!("<{spelt}\",1>"));
        let replaced = replaced.unwrap();
        let after = replaced
            .strip_prefix("<-")
            .and_then(|rest| rest.strip_suffix("\",1>"));
        let after = after.unwrap_or_else(|| panic!("{spelt}: {replaced}"));
        assert!(
            ["", "\n", r"\n", "%0A"].contains(&after),
            "{spelt}: {replaced}"
        );
    }
}

#[test]
fn of_values_that_begin_alike_as_much_is_replaced_as_the_longest_has() {
    let (short, long) = (b"0123456789ab", b"0123456789abcdefgh");
    let patterns = [cut(short, 10), cut(long, 10)];
    let copies = Copies::of(&patterns, vec!["-".into()], false).unwrap();
    let replaced = copies.replaced_text("0123456789abcdefghij");
    assert_eq!(replaced.as_deref(), Some("-ij"));
}

#[test]
fn base64_is_found_across_the_ends_of_lines() {
    let text = "c2VjcmV0LXZhbHVl";
    let spanning = |spans_lines| {
        let patterns = [Pattern::whole(text.as_bytes(), 0)];
        Copies::of(&patterns, vec!["-".into()], spans_lines).unwrap()
    };
    for broken in [
        "c2Vjcm\nV0LXZ\nhbHVl",
        "c2Vjcm\r\n  V0LXZ\r\n\thbHVl",
        r"c2Vjcm\nV0LXZ\r\nhbHVl",
        "c2Vjcm%0AV0LXZ%0d%0ahbHVl",
    ] {
        let text = format!("<{broken}>");
        let replaced = spanning(true).replaced_text(&text);
        assert_eq!(replaced.as_deref(), Some("<->"), "{broken}");
        assert_eq!(spanning(false).replaced_text(&text), None, "{broken}");
    }
}

#[test]
fn a_result_that_would_be_too_long_is_not_made() {
    let patterns = [Pattern::whole(b"12345678", 0)];
    let copies = Copies::of(&patterns, vec![vec![b'x'; 100]], false).unwrap();
    let text = "12345678".repeat(1000);
    assert_eq!(copies.replaced(text.as_bytes(), 99_999), Err(TooLong));
    let replaced = copies.replaced(text.as_bytes(), 100_000);
    assert_eq!(replaced.unwrap().unwrap().len(), 100_000);
    let doubly = copies.replaced(b"1234567%2538", 99);
    assert_eq!(doubly, Err(TooLong));
}
