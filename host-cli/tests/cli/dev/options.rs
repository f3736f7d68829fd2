//! Options that `dev` shares with `serve`: who calls, what is stored at the start, the store at hand, the guest's environment.

use super::{
    changed_guest, in_folder,
    running::{Dev, project},
};
use crate::{
    identity::{key_set, token},
    program::Folder,
};
use serde_json::Value;
use std::fs;

/// The reference guest in a folder whose path is short enough for sockets.
fn copied() -> Folder {
    let folder = Folder::short();
    project(&folder, "cp source.wasm guest.wasm");
    folder
}

#[test]
fn each_request_has_the_caller_of_the_claims() {
    let folder = copied();
    let mut dev = Dev::start(&folder, &["--claims", r#"{"sub":"ann"}"#]);
    assert!(dev.get("/items").starts_with("HTTP/1.1 200 "));
    dev.wait_for("    1 GET /items 200 ");
    // What the guest saw is what a case of it shows.
    dev.type_line("t 1 list");
    dev.wait_for("runs it");
    let event: Value = serde_json::from_slice(&folder.read("cases/list/event.json")).unwrap();
    let claims = &event["requestContext"]["authorizer"]["claims"];
    assert_eq!(claims["sub"], "ann");
    assert_eq!(dev.quit().0, 0);
}

#[test]
fn a_changed_environment_is_named_as_a_cause() {
    let folder = copied();
    let file = String::from_utf8(folder.read("tenon.toml")).unwrap();
    let with = |value: &str| format!("{file}\n[environment]\nGREETING = \"{value}\"\n");
    folder.write("tenon.toml", with("hello"));
    let mut dev = Dev::start(&folder, &[]);
    dev.get("/items");
    folder.write("source.wasm", changed_guest());
    dev.wait_for("compared in");
    dev.type_line("d 1");
    let shown = dev.wait_for("+++ response");
    assert!(
        !shown.contains("environment") && !shown.contains("on the tape"),
        "{shown}"
    );
    folder.write("tenon.toml", with("good day"));
    dev.wait_for("compared in");
    dev.type_line("d 1");
    let shown = dev.wait_for("+++ response");
    let cause = "the guest had other environment variables when it was recorded: `GREETING`";
    assert!(shown.contains(cause), "{shown}");
    assert_eq!(dev.quit().0, 0);
}

#[test]
fn a_changed_file_of_the_environment_counts_from_the_next_build_that_is_asked_for() {
    let folder = copied();
    folder.write("local.env", "GREETING=hello\n");
    let mut dev = Dev::start(&folder, &["--env-file", "local.env"]);
    dev.wait_for("serves, built in");
    dev.type_line("r");
    dev.wait_for("is unchanged");
    folder.write("local.env", "GREETING=good day\n");
    dev.type_line("r");
    let shown = dev.wait_for(", built in");
    assert!(shown.contains("serves, built in"), "{shown}");
    fs::remove_file(folder.path("local.env")).unwrap();
    dev.type_line("r");
    dev.wait_for("local.env");
    dev.wait_for("goes on serving");
    assert_eq!(dev.quit().0, 0);
}

#[test]
fn the_line_of_a_request_has_its_query_without_secrets() {
    let folder = copied();
    let mut dev = Dev::start(&folder, &[]);
    dev.get("/items?limit=2&api_key=hunter2hunter2");
    dev.wait_for("    1 GET /items?limit=2&api_key=REDACTED ");
    assert_eq!(dev.quit().0, 0);
}

#[test]
fn an_expired_token_is_answered_with_401_and_dev_goes_on() {
    let folder = copied();
    folder.write("keys.json", key_set());
    let mut dev = Dev::start(&folder, &["--jwt", "--jwks", "keys.json"]);
    let ask = |dev: &Dev, token: &str| {
        dev.get_with("/items", &format!("authorization: Bearer {token}\r\n"))
    };
    assert!(ask(&dev, &token("RS256")).starts_with("HTTP/1.1 200 "));
    let expired = ask(&dev, &token("expired"));
    assert!(expired.starts_with("HTTP/1.1 401 "), "{expired}");
    assert!(
        expired.ends_with(r#"{"message":"The incoming token has expired"}"#),
        "{expired}"
    );
    let lines = dev.wait_for("message=\"not authorized: the token has expired\"");
    assert!(lines.contains("    - GET /items 401 "), "{lines}");
    assert!(dev.get("/items").starts_with("HTTP/1.1 401 "));
    assert!(ask(&dev, &token("ES256")).starts_with("HTTP/1.1 200 "));
    // Only what reached the guest has a number.
    dev.wait_for("    2 GET /items 200 ");
    let (code, rest) = dev.quit();
    assert_eq!(code, 0, "{rest}");
}

#[test]
fn tokens_that_nobody_verifies_are_warned_of() {
    let folder = copied();
    let mut dev = Dev::start(&folder, &["--jwt"]);
    dev.wait_for("warning: tokens are not verified");
    let bearer = format!("authorization: Bearer {}\r\n", token("none"));
    assert!(dev.get_with("/items", &bearer).starts_with("HTTP/1.1 200 "));
    assert_eq!(dev.quit().0, 0);
}

#[test]
fn the_store_is_seeded_at_hand_and_emptied() {
    let folder = copied();
    let file = String::from_utf8(folder.read("tenon.toml")).unwrap();
    folder.write("tenon.toml", file.replace("memory", "redb:store.redb"));
    let seed = r#"[{"partition":"p","sort":"s","document":{"n":1},"revision":"1"}]"#;
    folder.write("seed.json", seed);
    let store = |arguments: &[&str]| in_folder(&folder, &[&["store"], arguments].concat());
    let mut dev = Dev::start(&folder, &["--seed", "seed.json"]);
    dev.wait_for("seed: 1 entry of seed.json stored");
    let found = store(&["get", "p", "s"]).expect_code(0).stdout;
    assert_eq!(serde_json::from_str::<Value>(&found).unwrap()["n"], 1);
    store(&["put", "p", "t", "{}"]).expect_code(0);
    assert_eq!(dev.quit().0, 0);
    let dev = Dev::start(&folder, &[]);
    assert_eq!(store(&["list"]).stdout, "items  partition\n    2  p\n");
    assert_eq!(dev.quit().0, 0);
    let dev = Dev::start(&folder, &["--fresh"]);
    assert_eq!(store(&["list"]).stdout, "the store is empty\n");
    assert_eq!(dev.quit().0, 0);
}

#[test]
fn a_store_in_memory_is_at_hand_too() {
    let folder = copied();
    let dev = Dev::start(&folder, &[]);
    assert!(dev.post("{\"name\":\"lamp\"}").starts_with("HTTP/1.1 201 "));
    let listed = in_folder(&folder, &["store", "list"]).expect_code(0).stdout;
    assert!(listed.contains("1  items"), "{listed}");
    assert_eq!(dev.quit().0, 0);
    in_folder(&folder, &["store", "list"])
        .expect_failure(3, "no server with a store in memory answers at")
        .expect_hint();
}
