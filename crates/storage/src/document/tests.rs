//! Canonical text, refusals and sizes.

use super::*;
use contract::limits::NUMBER_DIGITS_MAX;
use proptest::prelude::*;
use serde_json::Value;

fn canonical(text: &str) -> String {
    Document::parse(text).unwrap().as_str().to_owned()
}

fn refusal(text: &str) -> String {
    match Document::parse(text) {
        Err(StorageError::Invalid(text)) => text,
        other => panic!("{text} gave {other:?}"),
    }
}

fn number(text: &str) -> String {
    let whole = canonical(&format!("{{\"n\":{text}}}"));
    whole["{\"n\":".len()..whole.len() - 1].to_owned()
}

#[test]
fn members_come_in_byte_order_without_blanks() {
    assert_eq!(
        canonical(" { \"b\" : [ 1 , true ] ,\n\"a\":{\"z\":null,\"y\":\"\"}} "),
        r#"{"a":{"y":"","z":null},"b":[1,true]}"#
    );
    // U+FF5E is above U+10000 in UTF-16, below it in UTF-8.
    assert_eq!(
        canonical("{\"\u{10000}\":1,\"\u{ff5e}\":2,\"é\":3,\"z\":4}"),
        "{\"z\":4,\"é\":3,\"\u{ff5e}\":2,\"\u{10000}\":1}"
    );
}

#[test]
fn strings_keep_only_the_escapes_that_json_requires() {
    let text = r#"{"\u0061":"\u00e9\/\ud83d\ude00\n\u0001\u007f\"\\"}"#;
    assert_eq!(canonical(text), "{\"a\":\"é/😀\\n\\u0001\u{7f}\\\"\\\\\"}");
}

#[test]
fn equal_numbers_have_one_spelling() {
    let cases = [
        ("0", "0"),
        ("-0", "0"),
        ("-0.00e7", "0"),
        ("0e999999999999999999999", "0"),
        ("1.0", "1"),
        ("10e-1", "1"),
        ("0.1e1", "1"),
        ("-12.50", "-12.5"),
        ("1E2", "100"),
        ("0.0000001", "0.0000001"),
        ("0.00000001", "1e-8"),
        ("123e-10", "1.23e-8"),
        ("1e37", "10000000000000000000000000000000000000"),
        ("1e38", "1e38"),
        (
            "12345678901234567890123456789012345678",
            "12345678901234567890123456789012345678",
        ),
        (
            "0.12345678901234567890123456789012345678",
            "0.12345678901234567890123456789012345678",
        ),
        (
            "9.9999999999999999999999999999999999999e125",
            "9.9999999999999999999999999999999999999e125",
        ),
        ("1e-130", "1e-130"),
    ];
    for (text, expected) in cases {
        assert_eq!(number(text), expected, "{text}");
    }
}

#[test]
fn values_are_counted_alike_while_reading_and_afterwards() {
    for (text, values) in [
        ("{}", 1),
        (r#"{"a":[]}"#, 2),
        (r#"{"a":[{}],"b":{"c":null}}"#, 5),
        (r#"{"[,":"{\",[","\\":[1,"]"]}"#, 5),
    ] {
        assert_eq!(Document::parse(text).unwrap().values(), values, "{text}");
    }
}

#[test]
fn no_more_is_held_of_a_text_than_a_document_may_have() {
    let too_large = |text: &str| match Document::parse(text) {
        Err(StorageError::TooLarge(words)) => words,
        other => panic!("{other:?}"),
    };
    let escapes = format!(r#"{{"a":"{}"}}"#, r"\u0001".repeat(ITEM_BYTES_MAX + 1));
    assert!(too_large(&escapes).contains("a string of 409601 bytes"));
    // The rest is not read, so it need not be valid.
    let members = format!("{{{}", r#""a":0,"#.repeat(DOCUMENT_VALUES_MAX));
    assert!(too_large(&members).contains("50000 values"));
    let texts = format!(
        r#"{{"a":[{}"#,
        format!(r#""{}","#, "x".repeat(1_000)).repeat(900)
    );
    assert!(too_large(&texts).contains("819200 bytes"));
}

#[test]
fn numbers_that_dynamodb_cannot_hold_are_refused() {
    assert!(
        refusal(&format!("{{\"n\":{}1}}", "1".repeat(NUMBER_DIGITS_MAX)))
            .contains("39 significant digits")
    );
    for text in [
        "1e126",
        "-1e126",
        "9.9e-131",
        "1e99999999999999999999",
        "1e-99999999999999999999",
    ] {
        assert!(
            refusal(&format!("{{\"n\":{text}}}")).contains("magnitude"),
            "{text}"
        );
    }
    assert_eq!(
        number(&format!("{}00", "1".repeat(NUMBER_DIGITS_MAX))),
        format!("{}e39", "1.".to_owned() + &"1".repeat(37))
    );
}

#[test]
fn what_is_not_one_object_is_refused() {
    let cases = [
        "",
        " ",
        "[]",
        "1",
        "\"a\"",
        "null",
        "{",
        "}",
        "{}x",
        "{},",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{\"a\":01}",
        "{\"a\":1.}",
        "{\"a\":.5}",
        "{\"a\":+1}",
        "{\"a\":1e}",
        "{\"a\":-}",
        "{\"a\":NaN}",
        "{\"a\":[1,]}",
        "{\"a\":[1 2]}",
        "{\"a\":tru}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12\"}",
        "{\"a\":\"\\u12g4\"}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\udc00\"}",
        "{\"a\":\"\\ud800\\u0041\"}",
        "{\"a\":\"\n\"}",
        "{\"a\":\"",
        "{\"a\":\"\\",
        "{\"a\" 1}",
        "{\"\":1}",
        "\u{feff}{}",
    ];
    for text in cases {
        refusal(text);
    }
}

#[test]
fn repeated_members_are_refused_however_they_are_spelled() {
    assert!(refusal(r#"{"a":1,"a":1}"#).contains("repeats the member `a`"));
    assert!(refusal(r#"{"x":{"b":1,"a":2,"\u0062":3}}"#).contains("repeats the member `b`"));
}

#[test]
fn depth_counts_as_dynamodb_counts_it() {
    // The document is level 1, so 30 lists put their content on level 32.
    let nested = |lists: usize, leaf: &str| {
        format!("{{\"a\":{}{leaf}{}}}", "[".repeat(lists), "]".repeat(lists))
    };
    canonical(&nested(30, "1"));
    canonical(&nested(30, ""));
    for text in [nested(31, "1"), nested(31, ""), nested(100_000, "")] {
        assert!(refusal(&text).contains("32 levels"));
    }
}

#[test]
fn sizes_are_dynamodbs() {
    let cases = [
        ("{}", 3),
        (r#"{"a":null}"#, 3 + 1 + 1 + 1),
        (r#"{"é":"né"}"#, 3 + 1 + 2 + 3),
        (r#"{"l":["xy",true]}"#, 3 + 1 + 1 + (3 + 1 + 2 + 1 + 1)),
        (r#"{"n":12345}"#, 3 + 1 + 1 + 4),
        (r#"{"n":-1200}"#, 3 + 1 + 1 + 3),
        (r#"{"n":0.0}"#, 3 + 1 + 1 + 1),
        (r#"{"s":"\u0041\n"}"#, 3 + 1 + 1 + 2),
    ];
    for (text, bytes) in cases {
        assert_eq!(Document::parse(text).unwrap().bytes(), bytes, "{text}");
    }
}

#[test]
fn the_private_member_of_serde_json_is_a_member_like_others() {
    let text = r#"{"$serde_json::private::Number":"1"}"#;
    assert_eq!(canonical(text), text);
}

#[test]
fn an_endless_text_is_too_large() {
    let text = format!("{{{}}}", " ".repeat(TEXT_BYTES_MAX));
    assert!(matches!(
        Document::parse(&text),
        Err(StorageError::TooLarge(_))
    ));
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e30..1e30).prop_map(|float: f64| Value::from(float)),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::btree_map(
                any::<String>().prop_filter("not empty", |name| !name.is_empty()),
                inner,
                0..8
            )
            .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Numbers as canonical text, so that values compare by value.
fn normalized(value: &Value) -> Value {
    match value {
        Value::Number(text) => serde_json::from_str(&number(&text.to_string())).unwrap(),
        Value::Array(elements) => elements.iter().map(normalized).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), normalized(value)))
            .collect(),
        Value::Null | Value::Bool(_) | Value::String(_) => value.clone(),
    }
}

proptest! {
    #[test]
    fn any_object_reads_as_serde_json_reads_it(value in json()) {
        let value = serde_json::json!({ "value": value });
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let document = Document::parse(&text).unwrap();
            prop_assert_eq!(document.to_value().unwrap(), normalized(&value));
            prop_assert_eq!(&Document::parse(document.as_str()).unwrap(), &document);
        }
    }

    #[test]
    fn damaged_text_is_accepted_only_where_serde_json_accepts_it(value in json(), at in any::<prop::sample::Index>(), byte in any::<char>()) {
        let mut text: Vec<char> = serde_json::json!({ "value": value }).to_string().chars().collect();
        let at = at.index(text.len());
        text[at] = byte;
        let text: String = text.into_iter().collect();
        if let Ok(document) = Document::parse(&text) {
            let read = serde_json::from_str::<Value>(&text);
            prop_assert!(read.is_ok(), "{} read as {}", text, document.as_str());
            prop_assert_eq!(document.to_value().unwrap(), normalized(&read.unwrap()));
        }
    }

    #[test]
    fn a_number_written_with_a_moved_point_stays_the_same(digits in 1u64.., zeros in 0usize..20, negative: bool) {
        let sign = if negative { "-" } else { "" };
        let plain = number(&format!("{sign}{digits}"));
        prop_assert_eq!(&number(&format!("{sign}0.{}{digits}e{}", "0".repeat(zeros), zeros + digits.to_string().len())), &plain);
        prop_assert_eq!(&number(&format!("{sign}{digits}{}E-{zeros}", "0".repeat(zeros))), &plain);
    }
}
