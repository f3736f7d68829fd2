//! `replay`: cases and events, blessed, compared and reported.

use crate::program::{Folder, Run, cli, image};
use serde_json::{Value, json};

fn event(method: &str, path: &str, body: &str) -> String {
    let mut arguments = vec![
        "event",
        "http",
        method,
        path,
        "--at",
        "2026-02-03T04:05:06Z",
    ];
    if !body.is_empty() {
        arguments.extend(["-H", "content-type: application/json", "--body", body]);
    }
    cli(&arguments).expect_code(0).stdout
}

fn replay(paths: &[&str], options: &[&str]) -> Run {
    cli(&[&["replay", "--guest", image()], paths, options].concat())
}

/// A case that creates an item, blessed.
fn create_case(folder: &Folder) -> String {
    let event = event("POST", "/items", r#"{"name":"lamp"}"#);
    folder.write("cases/create/event.json", event);
    let case = folder.path("cases/create");
    let run = replay(&[&case], &["--bless"]).expect_code(0);
    assert!(run.stdout.contains("1 blessed"), "{run:#?}");
    case
}

#[test]
fn a_blessed_case_comes_out_the_same_everywhere() {
    let folder = Folder::new();
    let case = create_case(&folder);
    let response: Value =
        serde_json::from_slice(&folder.read("cases/create/response.json")).unwrap();
    assert_eq!(response["statusCode"], 201);
    assert_eq!(response["body"]["name"], "lamp");
    let after: Value = serde_json::from_slice(&folder.read("cases/create/after.json")).unwrap();
    assert_eq!(after[0]["document"]["name"], "lamp");

    for options in [
        &[][..],
        &["--jobs", "3"],
        &["--store", &format!("redb:{}", folder.path("x.redb"))],
    ] {
        let run = replay(&[&case], options).expect_code(0);
        assert_eq!(run.stdout, "1 case: 1 as expected\n");
    }
    assert!(!std::path::Path::new(&folder.path("x.redb")).exists());
    // Blessing again changes nothing.
    let run = replay(&[&folder.path("")], &["--bless"]).expect_code(0);
    assert_eq!(run.stdout, "1 case: 1 as expected\n");
}

#[test]
fn state_before_is_what_the_guest_finds() {
    let folder = Folder::new();
    create_case(&folder);
    let after: Value = serde_json::from_slice(&folder.read("cases/create/after.json")).unwrap();
    let response: Value =
        serde_json::from_slice(&folder.read("cases/create/response.json")).unwrap();
    let path = response["headers"]["location"].as_str().unwrap();
    folder.write("get/before.json", after.to_string());
    folder.write("get/event.json", event("GET", path, ""));
    folder.write("get/response.json", "{}");
    let run = replay(&[&folder.path("get")], &[]).expect_code(1);
    assert!(run.stdout.contains("+  \"status\": 200"), "{run:#?}");
    folder.write("get/before.json", r#"[{"partition":"p"}]"#);
    let run = replay(&[&folder.path("get")], &[]);
    run.expect_code(3);
}

#[test]
fn a_difference_is_shown_and_counted_in_every_format() {
    let folder = Folder::new();
    let case = create_case(&folder);
    let response = String::from_utf8(folder.read("cases/create/response.json")).unwrap();
    folder.write(
        "cases/create/response.json",
        response.replace("lamp", "desk"),
    );

    let run = replay(&[&case], &[]).expect_code(1);
    assert!(run.stdout.contains("-    \"name\": \"desk\""), "{run:#?}");
    assert!(run.stdout.contains("+    \"name\": \"lamp\""), "{run:#?}");
    assert!(
        run.stdout.ends_with("1 case: 0 as expected, 1 differing\n"),
        "{run:#?}"
    );

    let run = replay(&[&case], &["--format", "json"]).expect_code(1);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["differing"], 1);
    assert_eq!(
        report["differences"][0]["mismatches"],
        json!([{"file": "response.json", "differences": [
            {"pointer": "/body/name", "expected": "desk", "actual": "lamp"},
        ]}])
    );

    let run = replay(&[&case], &["--format", "junit"]).expect_code(1);
    assert!(run.stdout.contains("failures=\"1\""), "{run:#?}");
    assert!(run.stdout.contains("/body/name"), "{run:#?}");
}

#[test]
fn cases_and_events_are_run_on_no_guest_that_was_not_named() {
    let folder = Folder::new();
    let case = create_case(&folder);
    let response = folder.read("cases/create/response.json");
    let event = folder.write("event.json", event("GET", "/items", ""));
    for arguments in [
        &["replay", case.as_str()][..],
        &["replay", &case, "--bless"],
        &["replay", &event],
    ] {
        cli(arguments)
            .expect_failure(2, "cannot tell which guest")
            .expect_hint();
    }
    assert_eq!(folder.read("cases/create/response.json"), response);
    cli(&["replay", &case, "--guest", "embedded"]).expect_code(0);
    for arguments in [&["invoke", event.as_str()][..], &["serve"], &["inspect"]] {
        cli(arguments)
            .expect_failure(2, "no guest is named")
            .expect_hint();
    }
}

#[test]
fn what_is_ignored_in_a_case_is_spelled_as_for_a_tape() {
    let folder = Folder::new();
    let case = create_case(&folder);
    let change = |name: &str, from: &str, to: &str| {
        let file = format!("cases/create/{name}");
        let text = String::from_utf8(folder.read(&file)).unwrap();
        assert!(text.contains(from), "{text}");
        folder.write(&file, text.replace(from, to));
    };
    change(
        "response.json",
        "\"statusCode\": 201",
        "\"statusCode\": 200",
    );
    change("response.json", "lamp", "desk");
    change("after.json", "lamp", "desk");
    let all = [
        "--ignore",
        "/status",
        "--ignore",
        "/body/name",
        "--ignore",
        "/stored/*/document/name",
    ];
    let run = replay(&[&case], &all).expect_code(0);
    assert_eq!(run.stdout, "1 case: 1 as expected\n");
    let run = replay(&[&case], &all[2..]).expect_code(1);
    assert!(
        run.stdout.starts_with("differs POST /items 200 -> 201 ("),
        "{run:#?}"
    );
    assert!(!run.stdout.contains("desk"), "{run:#?}");
    assert!(
        run.stderr.contains("next: add `--bless` to accept"),
        "{run:#?}"
    );
    let report = replay(&[&case], &[&all[2..], &["--format", "json"]].concat());
    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    assert_eq!(
        report["differences"][0]["mismatches"][0]["differences"],
        json!([{"pointer": "/status", "expected": 200, "actual": 201}])
    );
    for (rule, words) in [
        ("/statusCode", "did you mean `/status`?"),
        ("/after/0/document/name", "did you mean `/stored`?"),
        ("name", "write `header:NAME`"),
    ] {
        replay(&[&case], &["--ignore", rule])
            .expect_failure(2, words)
            .expect_hint();
    }
}

#[test]
fn events_share_a_store_and_their_outcome_does_not_depend_on_jobs() {
    let folder = Folder::new();
    let mut lines = String::new();
    for number in 0..200 {
        lines.push_str(&match number % 5 {
            0 => event("PUT", &format!("/items/i{number}"), r#"{"name":"lamp"}"#),
            _ => event("GET", "/items?limit=3", ""),
        });
    }
    lines.push_str("\n{\"Records\":[{\"eventSource\":\"aws:sqs\"}]}\n");
    let path = folder.write("day.jsonl", lines);
    let report = |jobs: &str| {
        let run = replay(&[&path], &["--format", "json", "--jobs", jobs]).expect_code(1);
        serde_json::from_str::<Value>(&run.stdout).unwrap()
    };
    let alone = report("1");
    assert_eq!(alone["same"], 200);
    assert_eq!(alone["refused"], 1);
    assert_eq!(alone["differences"][0]["line"], 202);
    assert_eq!(alone, report("8"));
}

#[test]
fn a_store_of_its_own_keeps_what_was_replayed() {
    let folder = Folder::new();
    let store = format!("redb:{}", folder.path("kept.redb"));
    let put = folder.write(
        "put.json",
        event("PUT", "/items/kept", r#"{"name":"lamp"}"#),
    );
    replay(&[&put], &["--store", &store]).expect_code(0);
    let get = folder.write("get.json", event("GET", "/items/kept", ""));
    let run = cli(&["invoke", &get, "--store", &store, "--guest", image()]).expect_code(0);
    assert_eq!(
        serde_json::from_str::<Value>(&run.stdout).unwrap()["statusCode"],
        200
    );
}

/// A report says what it does not cover.
#[test]
fn reports_name_inputs_that_could_not_be_read() {
    let folder = Folder::new();
    let case = create_case(&folder);
    let broken = folder.write("broken/event.json", "{}");
    folder.write("broken/before.json", "[");
    let paths = [case.as_str(), &folder.path("broken")];
    let run = replay(&paths, &["--format", "json"]).expect_code(3);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["same"], 1);
    let failed = report["failed_inputs"].as_array().unwrap();
    assert_eq!(failed.len(), 1, "{broken}: {run:#?}");
    assert!(failed[0].as_str().unwrap().contains("before.json"));
    let run = replay(&paths, &["--format", "junit"]).expect_code(3);
    assert!(run.stdout.contains("errors=\"1\""), "{run:#?}");
    assert!(run.stdout.contains("classname=\"input\""), "{run:#?}");
}
