#![expect(
    clippy::disallowed_methods,
    reason = "what this module writes and reads is compared with serde_json"
)]

use super::{read::string_member, *};

fn read(text: &str) -> Result<Value, JsonError> {
    Value::parse(text.as_bytes())
}

fn written(text: &str) -> String {
    let mut out = String::new();
    read(text).unwrap().write(&mut out);
    out
}

#[test]
fn what_is_written_is_canonical() {
    for (text, canonical) in [
        (
            " { \"b\" : [ 1 , true ] ,\n\"a\":{\"z\":null,\"y\":\"\"}} ",
            r#"{"a":{"y":"","z":null},"b":[1,true]}"#,
        ),
        (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
        (
            r#""\u00e9\/\ud83d\ude00\n\u0001\u007f\"\\""#,
            "\"é/😀\\n\\u0001\u{7f}\\\"\\\\\"",
        ),
        ("[]", "[]"),
        ("{}", "{}"),
        ("[1.0,1e2,-0,0.10]", "[1,100,0,0.1]"),
        ("\"\"", "\"\""),
        ("false", "false"),
    ] {
        assert_eq!(written(text), canonical, "{text}");
        assert_eq!(written(canonical), canonical);
    }
}

#[test]
fn strings_of_every_length_keep_what_stands_in_them() {
    for special in ["\"", "\\", "\n", "\u{1f}", "é", "\u{10ffff}"] {
        for before in 0..20 {
            for after in 0..20 {
                let text = ["a".repeat(before), special.into(), "b".repeat(after)].concat();
                let mut out = String::new();
                push_string(&mut out, &text);
                assert_eq!(read(&out), Ok(Value::String(text.clone())));
                assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
            }
        }
    }
}

#[test]
fn what_is_not_json_is_refused_where_it_ends() {
    for (text, expected, at) in [
        ("", "a value", 0),
        ("{", "a member name", 1),
        ("{\"a\"", "`:`", 4),
        ("{\"a\":1", "`,` or `}`", 6),
        ("[1", "`,` or `]`", 2),
        ("[1,]", "a value", 3),
        ("{\"a\":1,}", "a member name", 7),
        ("1 2", "the end of the text", 2),
        ("01", "a number without leading zeros", 1),
        ("1.", "a digit", 2),
        ("-", "a digit", 1),
        ("1e+", "a digit", 3),
        ("nul", "a value", 0),
        ("\"a", "the end of a string", 2),
        ("\"\u{1}\"", "the end of a string", 1),
        (r#""\x""#, "a string escape", 2),
        (r#""\u12g4""#, "four hexadecimal digits", 5),
        (r#""\ud800""#, "a whole surrogate pair", 7),
        (r#""\ud800\ud800""#, "a whole surrogate pair", 13),
        (r#""\udc00""#, "a whole surrogate pair", 7),
        ("\u{feff}1", "a value", 0),
    ] {
        assert_eq!(
            read(text),
            Err(JsonError::Syntax { expected, at }),
            "{text}"
        );
        assert!(
            serde_json::from_str::<serde_json::Value>(text).is_err(),
            "{text}"
        );
    }
    let utf8 = JsonError::Syntax {
        expected: "UTF-8",
        at: 1,
    };
    assert_eq!(Value::parse(b"\"\xff\""), Err(utf8));
}

#[test]
fn no_name_has_a_meaning_of_its_own() {
    let text = r#"{"$serde_json::private::Number":"5"}"#;
    assert_eq!(written(text), text);
    let text = r#"{"$serde_json::private::RawValue":"[1]"}"#;
    assert_eq!(written(text), text);
}

#[test]
fn levels_and_values_are_bounded() {
    let nested = |levels: usize| ["[".repeat(levels), "]".repeat(levels)].concat();
    assert!(read(&nested(LEVELS_MAX)).is_ok());
    assert_eq!(read(&nested(LEVELS_MAX + 1)), Err(JsonError::TooDeep));
    assert_eq!(read(&nested(1_000_000)), Err(JsonError::TooDeep));
    let list = |values: usize| format!("[{}0]", "0,".repeat(values - 2));
    assert!(read(&list(VALUES_MAX)).is_ok());
    assert_eq!(read(&list(VALUES_MAX + 1)), Err(JsonError::TooManyValues));
}

#[test]
fn a_member_is_found_behind_others() {
    let object =
        r#"{"a":{"created_at":"x","b":["}",{}]},"b":"\"","c":[],"created_at":"c\n","d":1}"#;
    assert_eq!(string_member(object, "created_at").as_deref(), Some("c\n"));
    assert_eq!(string_member(object, "b").as_deref(), Some("\""));
    for missing in ["a", "c", "d", "e"] {
        assert_eq!(string_member(object, missing), None, "{missing}");
    }
    for other in ["{}", "[]", "", "1"] {
        assert_eq!(string_member(other, "a"), None, "{other}");
    }
}

#[test]
fn content_is_refused_before_it_takes_too_much() {
    let status = |body: String| {
        Value::of_content(body.as_bytes()).map_or_else(|problem| problem.status(), |_| 200)
    };
    let nested = |levels: usize| ["[".repeat(levels), "]".repeat(levels)].concat();
    assert_eq!(status(nested(LEVELS_MAX)), 200);
    assert_eq!(status(nested(LEVELS_MAX + 1)), 422);
    let blanks = |bytes: usize| format!("1{}", " ".repeat(bytes - 1));
    assert_eq!(status(blanks(CONTENT_BYTES_MAX)), 200);
    assert_eq!(status(blanks(CONTENT_BYTES_MAX + 1)), 413);
    assert_eq!(status(format!("[{}0]", "0,".repeat(VALUES_MAX))), 413);
}
