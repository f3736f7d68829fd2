use super::*;
use crate::{IgnoreRule, normal_response};
use serde_json::json;

fn part(part: Part, expected: &Value, actual: &Value, rules: &[&str]) -> Option<DifferingPart> {
    let rules: Vec<IgnoreRule> = rules.iter().map(|rule| rule.parse().unwrap()).collect();
    let (expected, actual) = (Cow::Borrowed(expected), Cow::Borrowed(actual));
    differing_part(part, expected, actual, &Ignored::by(&rules))
}

fn responses(expected: Value, actual: Value) -> Vec<String> {
    let (expected, actual) = (normal_response(expected), normal_response(actual));
    part(Part::Response, &expected, &actual, &[])
        .map(|part| part.differences())
        .unwrap_or_default()
        .lines()
        .collect()
}

#[test]
fn only_what_differs_is_named() {
    let expected =
        json!({"statusCode": 200, "headers": {"a/b": "1", "etag": "x"}, "body": {"tags": [1, 2]}});
    let actual =
        json!({"statusCode": 201, "headers": {"a/b": "2", "vary": "y"}, "body": {"tags": [1, 3]}});
    assert_eq!(
        responses(expected, actual),
        [
            "/body/tags/1: expected 2, got 3",
            r#"/headers/a~1b/0: expected "1", got "2""#,
            r#"/headers/etag: expected ["x"], got nothing"#,
            r#"/headers/vary: expected nothing, got ["y"]"#,
            "/status: expected 200, got 201",
        ]
    );
}

#[test]
fn equal_documents_do_not_differ_in_any_order_of_members() {
    let left = serde_json::from_str(r#"{"a":1,"b":[]}"#).unwrap();
    let right = serde_json::from_str(r#"{"b":[],"a":1}"#).unwrap();
    assert_eq!(responses(left, right), [""; 0]);
}

#[test]
fn lists_of_other_length_differ_as_a_whole() {
    assert_eq!(
        responses(json!([1]), json!([1, 2])),
        ["/: expected [1], got [1,2]"]
    );
}

#[test]
fn places_have_one_spelling_whatever_the_gateway() {
    let rest = |status: u16, etag: &str| json!({"statusCode": status, "multiValueHeaders": {"ETag": [etag]}});
    assert_eq!(
        responses(rest(200, "a"), rest(201, "b")),
        [
            r#"/headers/etag/0: expected "a", got "b""#,
            "/status: expected 200, got 201"
        ]
    );
    let http = |value: &str| json!({"headers": {"ETag": value}, "cookies": [value]});
    assert_eq!(
        responses(http("a"), http("b")),
        [
            r#"/headers/etag/0: expected "a", got "b""#,
            r#"/headers/set-cookie/0: expected "a", got "b""#
        ]
    );
    // What a client cannot tell apart does not differ.
    assert_eq!(
        responses(
            json!({"multiValueHeaders": {"ETag": ["a"]}}),
            json!({"headers": {"etag": "a"}})
        ),
        [""; 0]
    );
}

fn stored(sort: &str, revision: &str) -> Value {
    json!({"partition": "items", "sort": sort, "revision": revision})
}

fn put(sort: &str, document: Value, precondition: &str) -> Value {
    json!({"key": {"partition": "items", "sort": sort}, "put": {"document": document}, "preconditions": [precondition]})
}

#[test]
fn items_are_compared_by_their_keys() {
    let lines = |which, expected: &Value, actual: &Value, rules: &[&str]| -> Vec<String> {
        let part = part(which, expected, actual, rules);
        part.map(|part| part.differences().lines().collect())
            .unwrap_or_default()
    };
    let expected = json!([stored("a", "1"), stored("b", "1")]);
    let actual = json!([stored("new", "9"), stored("b", "2")]);
    let all = [
        r#"/stored/0 (item `items` / `a`): expected {"partition":"items","revision":"1","sort":"a"}, got nothing"#,
        r#"/stored/1/revision (item `items` / `b`): expected "1", got "2""#,
        r#"/stored/- (item `items` / `new`): expected nothing, got {"partition":"items","revision":"9","sort":"new"}"#,
    ];
    assert_eq!(lines(Part::Stored, &expected, &actual, &[]), all);
    let rules = ["/stored/*/revision", "/stored/-"];
    assert_eq!(lines(Part::Stored, &expected, &actual, &rules), all[..1]);
    assert_eq!(
        lines(
            Part::Stored,
            &expected,
            &actual,
            &["/stored/0", "/stored/-"]
        ),
        all[1..2]
    );
    assert_eq!(
        lines(Part::Stored, &expected, &actual, &["/stored/*"]),
        all[2..]
    );
    for rules in [&["/stored/*", "/stored/-"][..], &["/stored"], &["/*"]] {
        assert_eq!(lines(Part::Stored, &expected, &actual, rules), [""; 0]);
    }

    let expected = json!([
        put("a", json!({"n": 1}), "absent"),
        put("b", json!({}), "none")
    ]);
    let actual = json!([
        put("a", json!({"n": 2}), "none"),
        put("c", json!({}), "none")
    ]);
    let rules = ["/writes/1", "/writes/-"];
    assert_eq!(
        lines(Part::Writes, &expected, &actual, &rules),
        [
            r#"/writes/0/preconditions/0 (item `items` / `a`): expected "absent", got "none""#,
            "/writes/0/put/document/n (item `items` / `a`): expected 1, got 2",
        ]
    );
    assert_eq!(lines(Part::Writes, &expected, &actual, &[]).len(), 4);
}

fn observation(response: Value, writes: Value) -> Observation {
    Observation {
        response: Some(response),
        writes: Some(writes),
        ..Observation::default()
    }
}

#[test]
fn what_changed_is_said_part_by_part_in_the_order_of_the_members() {
    let expected = observation(
        json!({"status": 200, "headers": {"etag": ["a"]}, "body": {"name": "lamp", "size": 1}}),
        json!([
            put("a", json!({"n": 1}), "absent"),
            put("b", json!({}), "none")
        ]),
    );
    let actual = observation(
        json!({"status": 201, "headers": {"etag": ["b"]}, "body": {"name": "lamp"}}),
        json!([
            put("a", json!({"n": 2}), "none"),
            put("c", json!({}), "none")
        ]),
    );
    assert_eq!(
        compare(&expected, &actual, &Ignored::default()).notes(),
        [
            "/body/size: expected 1, got nothing",
            r#"/headers/etag/0: expected "a", got "b""#,
            "/status: expected 200, got 201",
            r#"/writes/0/preconditions/0 (item `items` / `a`): expected "absent", got "none""#,
            "/writes/0/put/document/n (item `items` / `a`): expected 1, got 2",
            r#"/writes/1 (item `items` / `b`): expected {"key":{"partition":"items","sort":"b"},"preconditions":["none"],"put":{"document":{}}}, got nothing"#,
            r#"/writes/- (item `items` / `c`): expected nothing, got {"key":{"partition":"items","sort":"c"},"preconditions":["none"],"put":{"document":{}}}"#,
        ]
    );
}

#[test]
fn what_a_rule_covers_does_not_count() {
    let expected = observation(
        json!({"status": 200, "headers": {"date": ["a"]}, "body": {"at": 1}}),
        json!([put("a", json!({"at": 1}), "none")]),
    );
    let actual = observation(
        json!({"status": 200, "headers": {"date": ["b"]}, "body": {"at": 2}}),
        json!([put("a", json!({"at": 2}), "none")]),
    );
    let compared = |rules: &[&str]| {
        let rules: Vec<IgnoreRule> = rules.iter().map(|rule| rule.parse().unwrap()).collect();
        compare(&expected, &actual, &Ignored::by(&rules))
    };
    let rules = ["header:date", "/body/at", "/writes/*/put/document/at"];
    assert!(compared(&rules).is_empty());
    assert_eq!(compared(&rules[1..]).notes().len(), 1);
    // The diff shows only what is not ignored.
    let differences = compared(&["/body/at"]);
    assert_eq!(differences.parts[0].actual["body"]["at"], 1);
    assert_eq!(differences.parts[0].actual["headers"]["date"][0], "b");
}

#[test]
fn what_is_ignored_is_as_expected_and_the_rest_stays() {
    let expected = normal_response(
        json!({"statusCode": 200, "headers": {"Date": "x", "etag": "1"}, "body": {"at": 1, "a": [1, 2]}}),
    );
    let actual = normal_response(
        json!({"statusCode": 201, "headers": {"date": "y", "etag": "2"}, "body": {"at": 2, "a": [1, 3], "new": 1}}),
    );
    let all = [
        "/status",
        "header:date",
        "/headers/etag",
        "/body/at",
        "/body/a/*",
        "/body/new",
    ];
    let part = |rules: &[&str]| part(Part::Response, &expected, &actual, rules);
    assert_eq!(part(&all), None);
    let left = part(&all[1..]).unwrap();
    assert_eq!(left.differences().first.len(), 1);
    assert_eq!(left.differences().first[0].pointer, "/status");
    assert_eq!(left.actual["body"], expected["body"]);
    assert_eq!(part(&[]).unwrap().actual, actual);
}

#[test]
fn what_is_not_known_of_both_runs_is_not_compared() {
    let response = Observation {
        response: Some(json!({"status": 200})),
        ..Observation::default()
    };
    let all = observation(json!({"status": 200}), json!([put("a", json!({}), "none")]));
    assert!(compare(&response, &all, &Ignored::default()).is_empty());
    assert!(compare(&all, &response, &Ignored::default()).is_empty());
}

#[test]
fn a_fault_is_told_where_the_response_differs() {
    let answered = observation(json!({"status": 200}), json!([]));
    let failed = Observation {
        fault: Some("the guest trapped".to_owned()),
        ..observation(json!({"status": 502}), json!([]))
    };
    assert_eq!(
        compare(&answered, &failed, &Ignored::default()).notes(),
        ["the guest trapped", "/status: expected 200, got 502"]
    );
}

#[test]
fn noise_of_one_guest_does_not_count_for_another() {
    let run = |id: &str, name: &str| {
        observation(
            json!({"status": 201, "headers": {"location": [id]}, "body": {"id": id, "name": name}}),
            json!([put(id, json!({"id": id, "name": name}), "absent")]),
        )
    };
    let noise = compare(&run("1", "x"), &run("2", "x"), &Ignored::default());
    let ignored = Ignored::default().with_noise(noise.noise());
    let notes = |actual: &Observation| compare(&run("1", "x"), actual, &ignored).notes();
    // A random key is noise; values that depend on it are noise only if they were seen to differ.
    assert_eq!(notes(&run("1", "x")), [""; 0]);
    let noted = notes(&run("3", "y"));
    assert!(noted.contains(&r#"/body/name: expected "x", got "y""#.to_owned()));
    assert!(
        !noted.iter().any(|note| note.contains("nothing")),
        "{noted:?}"
    );
}

/// Two documents with hundreds of thousands of differences below a long name: the kept differences are bounded, and the rest is counted.
#[test]
fn many_differences_are_counted_and_take_no_memory() {
    const COUNT: usize = 200_000;
    let begun = std::time::Instant::now();
    let name = "n".repeat(1000);
    let document = |value: usize| json!({"body": {&*name: vec![value; COUNT]}});
    let (expected, actual) = (document(1), document(2));
    let compared = |rules: &[&str]| part(Part::Response, &expected, &actual, rules);
    let list = compared(&[]).unwrap().differences();
    assert_eq!((list.first.len(), list.more), (1000, COUNT - 1000));
    let last = list.lines().last().unwrap();
    assert_eq!(last, "and 199000 more differences");
    assert_eq!(compared(&[&format!("/body/{name}/*")]), None);
    assert!(begun.elapsed() < std::time::Duration::from_secs(60));
}

/// A path as long as its document, with many differences at its end: neither time nor memory is the product of both.
#[test]
fn many_differences_in_deep_and_long_names_take_no_memory() {
    const COUNT: usize = 100_000;
    const DEEP: usize = 100;
    let begun = std::time::Instant::now();
    let name = "n".repeat(10_000);
    let document = |value: usize| {
        let list = json!(vec![value; COUNT]);
        let mut body = (0..DEEP).fold(list, |inner, _| json!({&*name: inner}));
        body["revision"] = json!(value);
        json!({"body": body})
    };
    let (expected, actual) = (document(1), document(2));
    for (which, start, rule) in [
        (Part::Response, "/body/n", "/body/revision"),
        (Part::Stored, "/stored/body/n", "/stored/*/revision"),
    ] {
        // A rule that covers one of the places is asked about each of them.
        for (rules, more) in [(&[][..], COUNT - 3), (&[rule], COUNT - 4)] {
            let compared = part(which, &expected, &actual, rules).unwrap();
            let revision = &compared.actual["body"]["revision"];
            assert_eq!(*revision == 1, !rules.is_empty());
            let list = compared.differences();
            let bytes: usize = list.first.iter().map(|kept| kept.pointer.len()).sum();
            assert!(bytes <= POINTERS_BYTES_MAX, "{bytes}");
            assert_eq!((list.first.len(), list.more), (4, more));
            assert!(list.first[3].pointer.starts_with(start));
            assert!(list.first[3].pointer.ends_with("n/3"));
        }
        assert_eq!(part(which, &expected, &actual, &["/*"]), None);
    }
    assert!(begun.elapsed() < std::time::Duration::from_secs(30));
    // A single difference beyond the bound is reported nevertheless.
    let long = "n".repeat(POINTERS_BYTES_MAX + 1);
    let document = |value: usize| json!({&*long: [value, value]});
    let list = part(Part::Writes, &document(1), &document(2), &[])
        .unwrap()
        .differences();
    assert_eq!((list.first.len(), list.more), (1, 1));
}

/// Many new items: matching them does not take quadratic time.
#[test]
fn many_items_are_paired_in_short_time() {
    const COUNT: usize = 100_000;
    let begun = std::time::Instant::now();
    let list = |name: &str| -> Value {
        (0..COUNT)
            .map(|number| stored(&format!("{name}{number}"), "1"))
            .collect()
    };
    let compared = part(Part::Stored, &list("a"), &list("b"), &[]).unwrap();
    let list = compared.differences();
    assert_eq!(
        (list.first.len(), list.more),
        (DIFFERENCES_MAX, 2 * COUNT - DIFFERENCES_MAX)
    );
    assert!(begun.elapsed() < std::time::Duration::from_secs(30));
}

#[test]
fn a_missing_expectation_is_a_difference() {
    let part = DifferingPart::unexpected(Part::Stored, json!([]), &Ignored::default()).unwrap();
    let lines: Vec<String> = part.differences().lines().collect();
    assert_eq!(lines, ["/stored: expected nothing, got []"]);
}
