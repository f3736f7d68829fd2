//! Stores of the first version are read and written, and cursors that clients were given then lead on.

use super::kept::{self, Project, ask};
use crate::table::{call, engine};
use serde_json::json;

#[test]
fn the_redb_file_is_read_and_written() {
    is_read_and_written("redb", &[]);
}

#[test]
fn the_items_of_the_table_are_read_and_written() {
    let engine = engine();
    let table = format!("items@{engine}");
    Project::new().printed(&["table", "create", &table]);
    for item in kept::json("table.json").as_array().unwrap() {
        let put = json!({"TableName": "items", "Item": item});
        call(&engine, "PutItem", &put.to_string());
    }
    is_read_and_written("dynamodb", &["--store", &format!("dynamodb:{table}")]);
}

fn is_read_and_written(kind: &str, store: &[&str]) {
    let project = Project::new();
    let exported = project.json(&[&["store", "export", "-"], store].concat());
    assert_eq!(exported, kept::json("entries.json"));

    let cursors = kept::json("cursors.json")[kind].clone();
    let server = project.serve(store);
    assert_eq!(ask(&server, "GET", "/page", ""), cursors["first"]);
    let cursor = cursors["first"]["cursor"].as_str().unwrap();
    let second = ask(&server, "GET", &format!("/page?{cursor}"), "");
    assert_eq!(second, cursors["second"], "a position keeps its cursor");
    let other = ask(&server, "GET", &format!("/page?_{}", &cursor[1..]), "");
    assert_eq!(other, json!({"error": "invalid"}));
    let written = ask(&server, "GET", "/stored", "");
    let got = written["get"].as_str().unwrap();
    assert!(got.starts_with(r#"{"n":3}; none; {"#), "{got}");
}

#[test]
fn the_entries_are_imported_and_a_member_that_is_not_known_is_refused() {
    let project = Project::new();
    let entries = kept::path("entries.json");
    let entries = entries.to_str().unwrap();
    let store = ["--store", "redb:other.redb"];
    project.printed(&[&["store", "import", entries], &store[..]].concat());
    let mut later = project.json(&[&["store", "export", "-"], &store[..]].concat());
    assert_eq!(later, kept::json("entries.json"));

    later[0]["owner"] = json!("ann");
    project.write("later.json", later.to_string());
    let import = [&["store", "import", "later.json"], &store[..]].concat();
    project.refused(&import, 3, &["unknown field `owner`"]);
}
