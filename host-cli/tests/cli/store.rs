//! `store`: every command on a file, through a running server, on a store in memory and on a table; and what cannot be done.

use crate::{
    program::{Folder, Run, Server, cli, cli_in_with_input, cli_with_input, image, outside},
    table::engine,
};
use serde_json::{Value, json};
use std::fs;

/// Two entries, as `before.json` has them.
fn entries() -> Value {
    json!([
        {"partition": "items", "sort": "a", "document": {"name": "lamp", "price": 12.5}, "revision": "r1",
         "index": {"partition": "by-name", "sort": "lamp"}},
        {"partition": "items", "sort": "b", "document": {"name": "chair"}, "revision": "r2", "expires_at": 4_102_444_800_u64},
        {"partition": "other", "sort": "c", "document": {}, "revision": "r3"},
    ])
}

fn json_of(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:#?}"))
}

/// Runs every command on an empty store that `run` reaches.
fn every_command_works(run: &dyn Fn(&[&str], &[u8]) -> Run) {
    let file = entries().to_string();
    let imported = run(&["store", "import", "-"], file.as_bytes()).expect_code(0);
    assert_eq!(imported.stdout, "3 entries stored\n");

    let listed = run(&["store", "list"], b"").expect_code(0);
    assert_eq!(
        listed.stdout,
        "items  partition\n    2  items\n    1  other\n"
    );
    let listed = run(&["store", "list", "--format", "json"], b"").expect_code(0);
    let expected = json!([{"partition": "items", "items": 2}, {"partition": "other", "items": 1}]);
    assert_eq!(json_of(&listed), expected);

    let got = run(&["store", "get", "items", "a"], b"").expect_code(0);
    assert_eq!(json_of(&got), json!({"name": "lamp", "price": 12.5}));
    assert_eq!(got.stderr, "revision: r1\nindex: by-name lamp\n");
    let got = run(&["store", "get", "items", "b", "--format", "json"], b"").expect_code(0);
    assert_eq!(json_of(&got), entries()[1]);

    let queried = run(&["store", "query", "items"], b"").expect_code(0);
    assert_eq!(
        queried.stdout,
        "a  {\"name\":\"lamp\",\"price\":12.5}\nb  {\"name\":\"chair\"}\n"
    );
    let options = [
        "store",
        "query",
        "items",
        "--descending",
        "--limit",
        "1",
        "--format",
        "json",
    ];
    let queried = run(&options, b"").expect_code(0);
    assert_eq!(json_of(&queried), json!([entries()[1]]));
    assert!(queried.stderr.contains("there are more"), "{queried:#?}");
    for (range, sorts) in [
        (&["--prefix", "a"][..], &["a"][..]),
        (&["--from", "b"], &["b"]),
        (&["--to", "a"], &["a"]),
        (&["--from", "a", "--to", "b"], &["a", "b"]),
        (&["--prefix", "x"], &[]),
    ] {
        let options = [&["store", "query", "items", "--format", "json"], range].concat();
        let found = json_of(&run(&options, b"").expect_code(0));
        let found: Vec<_> = found
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["sort"].clone())
            .collect();
        assert_eq!(found, sorts, "{range:?}");
    }
    let queried = run(&["store", "query", "by-name", "--index"], b"").expect_code(0);
    assert!(
        queried.stdout.starts_with("lamp -> items a  {"),
        "{queried:#?}"
    );

    let put = [
        "store",
        "put",
        "items",
        "d",
        "-",
        "--index",
        "by-name",
        "bed",
        "--if-absent",
    ];
    let stored = run(&put, br#"{"name":"bed"}"#).expect_code(0);
    let revision = stored
        .stdout
        .strip_prefix("stored as revision ")
        .unwrap()
        .trim();
    run(&put, b"{}")
        .expect_failure(1, &format!("the item has revision {revision}"))
        .expect_hint();
    let other = ["store", "put", "items", "d", "{}", "--if-revision", "r9"];
    run(&other, b"").expect_failure(1, "nothing was written");
    let replaced = [
        "store",
        "put",
        "items",
        "d",
        r#"{"name":"sofa"}"#,
        "--if-revision",
        revision,
    ];
    run(&replaced, b"").expect_code(0);
    let got = run(&["store", "get", "items", "d"], b"").expect_code(0);
    assert_eq!(json_of(&got), json!({"name": "sofa"}));

    run(
        &["store", "delete", "items", "d", "--if-revision", revision],
        b"",
    )
    .expect_code(1);
    assert_eq!(
        run(&["store", "delete", "items", "d"], b"")
            .expect_code(0)
            .stdout,
        "removed\n"
    );
    run(&["store", "delete", "items", "d"], b"")
        .expect_failure(1, "there is no item `d` in partition `items`")
        .expect_hint();
    run(&["store", "get", "items", "d"], b"").expect_code(1);

    let exported = run(&["store", "export"], b"").expect_code(0);
    let mut exported = json_of(&exported);
    // A table has an order of its own.
    exported
        .as_array_mut()
        .unwrap()
        .sort_by_key(|entry| entry["sort"].to_string());
    assert_eq!(exported, entries());
}

/// Runs a command on a store.
fn on<'a>(store: &'a str) -> impl Fn(&[&str], &[u8]) -> Run + 'a {
    move |arguments, input| cli_with_input(&[arguments, &["--store", store]].concat(), input)
}

#[test]
fn every_command_works_on_a_file() {
    let folder = Folder::short();
    every_command_works(&on(&format!("redb:{}", folder.path("store.redb"))));
}

#[test]
fn every_command_works_on_the_file_of_a_running_server() {
    let folder = Folder::short();
    let store = format!("redb:{}", folder.path("store.redb"));
    let server = Server::start(&["--store", &store]);
    every_command_works(&on(&store));
    // The guest and the commands see the same store.
    let answer = server.talk(
        "POST /items HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 15\r\n\r\n{\"name\":\"vase\"}",
    );
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let exported = on(&store)(&["store", "export"], b"").expect_code(0);
    assert!(exported.stdout.contains("vase"), "{exported:#?}");
    assert_eq!(server.stop().0, 0);
    let exported = on(&store)(&["store", "export"], b"").expect_code(0);
    assert!(exported.stdout.contains("vase"), "{exported:#?}");
}

#[test]
fn every_command_works_on_a_store_in_memory() {
    let project = Folder::short();
    project.write(
        "tenon.toml",
        "name = \"items\"\n[serve]\nstore = \"memory\"\n",
    );
    let run =
        |arguments: &[&str], input: &[u8]| cli_in_with_input(project.folder(), arguments, input);
    run(&["store", "list"], b"")
        .expect_failure(3, "no server with a store in memory answers")
        .expect_hint();
    let server = Server::start_in(project.folder(), image(), &[]);
    every_command_works(&run);
    drop(server);
    cli(&["store", "list", "--store", "memory"])
        .expect_failure(3, "this folder has no tenon.toml")
        .expect_hint();
}

#[test]
fn every_command_works_on_a_table_and_sees_its_namespace_only() {
    let engine = engine();
    cli(&["table", "create", &format!("items@{engine}")]).expect_code(0);
    let other = format!("dynamodb:items#other@{engine}");
    let foreign = json!([{"partition": "items", "sort": "x", "document": {}, "revision": "r"}]);
    on(&other)(&["store", "import", "-"], foreign.to_string().as_bytes()).expect_code(0);
    every_command_works(&on(&format!("dynamodb:items@{engine}")));
    let exported = on(&other)(&["store", "export"], b"").expect_code(0);
    assert_eq!(json_of(&exported), foreign);
}

#[test]
fn a_large_store_is_exported_and_imported_as_it_is() {
    let folder = Folder::short();
    let store = |name: &str| format!("redb:{}", folder.path(name));
    let many: Vec<Value> = (0..2500)
        .map(|number| {
            let sort = format!("{number:05}");
            json!({"partition": "p", "sort": sort, "document": {"text": "x".repeat(2000)}, "revision": "r"})
        })
        .collect();
    let before = folder.write("before.json", json!(many).to_string());
    let imported = on(&store("one.redb"))(&["store", "import", &before], b"").expect_code(0);
    assert_eq!(imported.stdout, "2500 entries stored\n");
    let after = folder.path("after.json");
    let exported = on(&store("one.redb"))(&["store", "export", &after], b"").expect_code(0);
    assert!(
        exported.stderr.ends_with("after.json: 2500 entries\n"),
        "{exported:#?}"
    );
    // As for `import`, `-` is no file.
    let exported = on(&store("one.redb"))(&["store", "export", "-"], b"").expect_code(0);
    assert!(exported.stdout.as_bytes() == folder.read("after.json"));
    assert!(!outside().join("-").exists());
    let written: Value = serde_json::from_slice(&folder.read("after.json")).unwrap();
    assert_eq!(written, json!(many));
    // The file of one is the input of the other; the same import again changes nothing.
    for _ in 0..2 {
        on(&store("two.redb"))(&["store", "import", &after], b"").expect_code(0);
    }
    let again = on(&store("two.redb"))(&["store", "export"], b"").expect_code(0);
    assert_eq!(again.stdout.as_bytes(), folder.read("after.json"));
}

#[test]
fn an_empty_store_is_an_empty_list() {
    let folder = Folder::short();
    let store = format!("redb:{}", folder.path("store.redb"));
    on(&store)(&["store", "import", "-"], b"[]").expect_code(0);
    assert_eq!(
        on(&store)(&["store", "list"], b"").expect_code(0).stdout,
        "the store is empty\n"
    );
    assert_eq!(
        on(&store)(&["store", "export"], b"").expect_code(0).stdout,
        "[]\n"
    );
    let queried = on(&store)(&["store", "query", "p", "--format", "json"], b"").expect_code(0);
    assert_eq!((&*queried.stdout, &*queried.stderr), ("[]\n", "no items\n"));
}

#[test]
fn a_namespace_is_reached_by_its_name() {
    let folder = Folder::short();
    let store = format!("redb:{}", folder.path("store.redb"));
    let lists_one = || {
        let on = on(&store);
        let listed = on(&["store", "list", "--namespace", "pay"], b"").expect_code(0);
        assert_eq!(listed.stdout, "items  partition\n    1  p\n");
        let listed = on(&["store", "list"], b"").expect_code(0);
        assert_eq!(listed.stdout, "the namespace is empty\n");
        assert_eq!(
            listed.stderr,
            "  hint: there are entries in namespace `pay`: add `--namespace pay` to see them\n"
        );
    };
    let put = ["store", "put", "p", "s", "{}", "--namespace", "pay"];
    on(&store)(&put, b"").expect_code(0);
    lists_one();
    let server = Server::start(&["--store", &store]);
    lists_one();
    assert_eq!(server.stop().0, 0);
    on(&store)(&["store", "list", "--namespace", "Pay"], b"")
        .expect_failure(2, "`--namespace`: a namespace is 1 to 64 characters");
}

#[test]
fn a_file_with_a_mistake_is_refused_before_anything_is_stored() {
    let folder = Folder::short();
    let store = format!("redb:{}", folder.path("store.redb"));
    let good = r#"{"partition":"p","sort":"s","document":{},"revision":"r"}"#;
    let large = format!(
        r#"{{"partition":"p","sort":"s","document":{{"a":"{}"}},"revision":"r"}}"#,
        "x".repeat(500_000)
    );
    for (second, message) in [
        (r#"{"partition":"p"}"#, "entry 2: missing field `sort`"),
        (
            r#"{"partition":"p","sort":"s","document":[],"revision":"r"}"#,
            "entry 2: ",
        ),
        (
            r#"{"partition":"","sort":"s","document":{},"revision":"r"}"#,
            "entry 2: the partition is empty",
        ),
        (
            r#"{"partition":"p","sort":"s","document":{},"revision":"r","color":1}"#,
            "entry 2: unknown field `color`",
        ),
        (&large, "entry 2: the document has a string of"),
        ("", "entries `"),
    ] {
        let file = folder.write("broken.json", format!("[{good},{second}]"));
        on(&store)(&["store", "import", &file], b"")
            .expect_failure(3, message)
            .expect_hint();
        let left = on(&store)(&["store", "list"], b"").expect_code(0);
        assert_eq!(left.stdout, "the store is empty\n", "{second}");
    }
    for text in ["", "{}", "[", "[] []", "null"] {
        let file = folder.write("broken.json", text);
        on(&store)(&["store", "import", &file], b"").expect_failure(3, "entries `");
    }
    on(&store)(&["store", "import", &folder.path("missing.json")], b"")
        .expect_failure(3, "does not exist")
        .expect_hint();
    // From stdin, what precedes the mistake may be stored already; the message says how much.
    let many = format!("[{},{{}}]", vec![good; 150].join(","));
    let failed = on(&store)(&["store", "import", "-"], many.as_bytes()).expect_code(3);
    assert!(
        failed
            .stderr
            .starts_with("100 entries were stored before the failure"),
        "{failed:#?}"
    );
}

#[test]
fn arguments_that_break_rules_are_refused() {
    let folder = Folder::short();
    let store = format!("redb:{}", folder.path("store.redb"));
    on(&store)(&["store", "put", "p", "s", "{}"], b"").expect_code(0);
    for document in ["", "[]", "lamp", "{", "{\"a\":1e999}"] {
        on(&store)(&["store", "put", "p", "s", document], b"")
            .expect_failure(2, "the document cannot be stored")
            .expect_hint();
    }
    for arguments in [
        &["put", "", "s", "{}"][..],
        &["put", "p", "", "{}"],
        &["get", "", "s"],
        &["delete", "p", ""],
        &["query", ""],
        &["query", "p", "--from", "b", "--to", "a"],
        &["query", "p", "--limit", "0"],
        &["query", "p", "--prefix", "a", "--from", "b"],
        &["put", "p", "s", "{}", "--if-absent", "--if-revision", "r"],
        &["forget"],
    ] {
        on(&store)(&[&["store"], arguments].concat(), b"").expect_code(2);
    }
    on(&store)(
        &[
            "store",
            "put",
            "p",
            "s",
            &format!("@{}", folder.path("none")),
        ],
        b"",
    )
    .expect_failure(3, "does not exist");
}

#[test]
fn stores_that_cannot_be_used_are_named() {
    let folder = Folder::short();
    let missing = format!("redb:{}", folder.path("missing.redb"));
    for arguments in [
        &["list"][..],
        &["get", "p", "s"],
        &["delete", "p", "s"],
        &["query", "p"],
        &["export"],
    ] {
        on(&missing)(&[&["store"], arguments].concat(), b"")
            .expect_failure(3, "does not exist")
            .expect_hint();
    }
    assert!(!fs::exists(folder.path("missing.redb")).unwrap());
    let foreign = folder.write("foreign.redb", "not a store");
    on(&format!("redb:{foreign}"))(&["store", "list"], b"")
        .expect_failure(3, "is not a store of this host");
    on("mongodb:x")(&["store", "list"], b"").expect_failure(2, "unknown store `mongodb:x`");
    // Without a project and without `--store`, it is the store of `serve`.
    cli_in_with_input(folder.folder(), &["store", "list"], b"")
        .expect_failure(3, "the store `tenon.redb` does not exist");
    assert!(!outside().join("tenon.redb").exists());
}
