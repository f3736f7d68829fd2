use super::{super::same, *};
use contract::limits::{JSON_DEPTH_MAX, JSON_NODES_MAX};
use proptest::prelude::*;

fn read(text: &str) -> Result<Value, JsonError> {
    value(text.as_bytes())
}

fn problem(text: &str) -> JsonProblem {
    read(text).unwrap_err().problem
}

#[test]
fn private_names_of_serde_json_are_names_like_others() {
    for text in [
        r#"{"$serde_json::private::Number":"5"}"#,
        r#"{"$serde_json::private::RawValue":"[1]"}"#,
        r#"[{"$serde_json::private::RawValue":"{"}]"#,
    ] {
        assert_eq!(read(text).unwrap().to_string(), text);
        assert_eq!(members(text).is_ok(), text.starts_with('{'));
    }
    let number = read(r#"{"$serde_json::private::Number":"5"}"#).unwrap();
    assert!(!same(&number, &read("5").unwrap()));
}

#[test]
fn texts_that_serde_json_would_read_with_a_new_limit_at_each_level_stay_flat() {
    let mut text = "1".to_owned();
    for _ in 0..14 {
        text = serde_json::json!({ "$serde_json::private::RawValue": text }).to_string();
    }
    let Value::Object(object) = read(&text).unwrap() else {
        panic!("an object is expected");
    };
    assert!(object.values().all(Value::is_string));
}

#[test]
fn depth_and_count_are_bounded() {
    let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    assert!(read(&nested(JSON_DEPTH_MAX)).is_ok());
    assert_eq!(problem(&nested(JSON_DEPTH_MAX + 1)), JsonProblem::Depth);
    let objects = r#"{"a":"#.repeat(1_000_000);
    assert_eq!(problem(&objects), JsonProblem::Depth);
    assert_eq!(
        check(objects.as_bytes()).unwrap_err().problem,
        JsonProblem::Depth
    );
    assert_eq!(
        elements(&nested(JSON_DEPTH_MAX + 1)).unwrap_err().problem,
        JsonProblem::Depth
    );
    let list = |length: usize| format!("[0{}]", ",0".repeat(length - 1));
    assert!(read(&list(JSON_NODES_MAX - 1)).is_ok());
    assert_eq!(problem(&list(JSON_NODES_MAX)), JsonProblem::Nodes);
    assert_eq!(
        elements(&list(JSON_NODES_MAX + 1)).unwrap_err().problem,
        JsonProblem::Nodes
    );
}

#[test]
fn halves_of_surrogate_pairs_are_refused_or_replaced() {
    for (text, replaced) in [
        (r#""a\ud800""#, "a\u{fffd}"),
        (r#""\udc00b""#, "\u{fffd}b"),
        (r#""\ud800\ud83e\udd80""#, "\u{fffd}🦀"),
        (r#""\ud800\u0041""#, "\u{fffd}A"),
        (r#""\ud800\n""#, "\u{fffd}\n"),
    ] {
        assert_eq!(problem(text), JsonProblem::LoneSurrogate, "{text}");
        let (value, error) = lenient_value(text.as_bytes()).unwrap();
        assert_eq!(value, replaced);
        assert_eq!(error.unwrap().problem, JsonProblem::LoneSurrogate);
        assert_eq!(string(text).unwrap(), replaced);
    }
    let error = read("{\n \"a\": \"x\\ud800\"}").unwrap_err();
    assert_eq!((error.line, error.column), (2, 9));
    assert_eq!(
        members(r#"{"\ud800":1}"#).unwrap(),
        [("\u{fffd}".into(), "1")]
    );
    assert!(lenient_value(br#""\ud83e\udd80""#).unwrap().1.is_none());
}

#[test]
fn errors_say_what_and_where() {
    for (text, message) in [
        ("", "unexpected end of the text at line 1 column 1"),
        (
            "{\"a\":\n  tru}",
            "expected a JSON value at line 2 column 6",
        ),
        ("tru", "unexpected end of the text at line 1 column 4"),
        ("[1,]", "expected a JSON value at line 1 column 4"),
        ("[1 2]", "expected `,` or `]` at line 1 column 4"),
        ("{\"a\" 1}", "expected `:` at line 1 column 6"),
        ("{a:1}", "expected a member's name at line 1 column 2"),
        ("{} x", "expected the end of the text at line 1 column 4"),
        (
            "01",
            "expected a number without leading zeros at line 1 column 2",
        ),
        ("1.", "unexpected end of the text at line 1 column 3"),
        ("-x", "expected a digit at line 1 column 2"),
        (
            "\"\n\"",
            "expected an escape for a control character at line 1 column 2",
        ),
        (r#""\x""#, "expected an escape at line 1 column 3"),
        (
            r#""\u12g4""#,
            "expected four hexadecimal digits at line 1 column 6",
        ),
        (
            "\u{feff}{}",
            "a byte order mark (EF BB BF), which JSON does not allow at line 1 column 1",
        ),
    ] {
        assert_eq!(read(text).unwrap_err().to_string(), message, "{text}");
    }
    let error = value(b"{\"a\":\n\"\xff\"}").unwrap_err();
    assert_eq!(error.to_string(), "invalid UTF-8 at line 2 column 2");
}

#[test]
fn members_and_elements_keep_their_spelling() {
    let text = r#" {"a" : 1.50 , "b\n":[ {} , "x"], "a":null} "#;
    assert_eq!(
        members(text).unwrap(),
        [
            ("a".into(), "1.50"),
            ("b\n".into(), r#"[ {} , "x"]"#),
            ("a".into(), "null"),
        ]
    );
    assert_eq!(elements(r#"[ {} , "x"]"#).unwrap(), ["{}", r#""x""#]);
    assert!(members("[1]").is_err() && elements("{}").is_err() && string("1").is_err());
    assert_eq!(read(text).unwrap()["a"], Value::Null, "the last one counts");
}

#[test]
fn numbers_are_compared_by_value() {
    let equal = |one: &str, other: &str| same(&read(one).unwrap(), &read(other).unwrap());
    for (one, other) in [
        ("1", "1.0"),
        ("1e2", "100"),
        ("-0", "0.00"),
        ("0.05", "5E-2"),
        ("[{\"a\":1}]", "[{\"a\":1.0}]"),
        ("0e99999999999999999999", "0"),
        ("1e99999999999999999999", "1e99999999999999999999"),
    ] {
        assert!(equal(one, other), "{one} {other}");
    }
    for (one, other) in [
        ("1", "-1"),
        ("1", "10"),
        ("1e99999999999999999999", "1e99999999999999999998"),
        (
            "12345678901234567890123456789012345678",
            "12345678901234567890123456789012345679",
        ),
        ("1", "\"1\""),
        ("{\"a\":1}", "{\"b\":1}"),
        ("[1]", "[1,1]"),
    ] {
        assert!(!equal(one, other), "{one} {other}");
    }
}

/// Texts that are valid or almost valid JSON.
fn texts() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        4 => "[\\[\\]{}:,]",
        2 => "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,3})?([eE][-+]?[0-9]{1,3})?",
        2 => Just("\"a\":".to_owned()),
        1 => "\"[a-c\\\\nu0\"]{0,6}\"",
        1 => "true|false|null|tru|\\\\ud83e\\\\udd80| |\n",
    ];
    proptest::collection::vec(token, 0..12).prop_map(|tokens| tokens.concat())
}

/// Values whose member names may be anything except serde_json's private ones.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter_map("JSON has no NaN", |number| {
            number.is_finite().then(|| Value::from(number))
        }),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            proptest::collection::btree_map(any::<String>(), inner, 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_json_and_what_it_means_is_as_serde_json_has_it(text in texts()) {
        match serde_json::from_str::<Value>(&text) {
            Ok(expected) => prop_assert_eq!(read(&text).unwrap(), expected),
            Err(error) => {
                let own = read(&text).unwrap_err();
                if own.problem == JsonProblem::Cut {
                    prop_assert!(error.is_eof(), "{}", text);
                }
            }
        }
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
        prop_assert_eq!(check(text.as_bytes()).is_ok(), is_json);
    }

    #[test]
    fn values_come_back(value in values()) {
        let text = serde_json::to_string_pretty(&value)?;
        prop_assert_eq!(read(&text).unwrap(), value.clone());
        prop_assert!(same(&read(&text).unwrap(), &value));
    }

    #[test]
    fn any_bytes_give_a_value_or_an_error(bytes: Vec<u8>) {
        let _ = (value(&bytes), lenient_value(&bytes), check(&bytes));
    }
}
