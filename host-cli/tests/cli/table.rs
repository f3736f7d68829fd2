//! Tables: created, checked and served from; messages about unusable ones.

use crate::program::{Folder, Server, cli, image};
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    thread,
};

/// Starts an engine that ends with the process, and returns its address.
pub fn engine() -> String {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            sender.send(listener.local_addr().unwrap()).unwrap();
            let database = dynoxide::Database::memory().unwrap();
            dynoxide::server::serve_on(listener, database).await;
        });
    });
    format!("http://{}", receiver.recv().unwrap())
}

/// An address where no server listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

fn event(method: &str, path: &str, more: &[&str]) -> String {
    let mut arguments = vec!["event", "http", method, path];
    arguments.extend_from_slice(more);
    cli(&arguments).expect_code(0).stdout
}

#[test]
fn a_table_is_made_once_and_checked() {
    let table = format!("items@{}", engine());
    cli(&["table", "check", &table])
        .expect_failure(3, "table `items` does not exist")
        .expect_hint();
    let made = cli(&["table", "create", &table]).expect_code(0);
    assert_eq!(made.stdout, format!("created table `{table}`\n"));
    let again = cli(&["table", "create", &table]).expect_code(0);
    assert_eq!(
        again.stdout,
        format!("table `{table}` exists and is valid\n")
    );
    let checked = cli(&["table", "check", &table]).expect_code(0);
    assert_eq!(checked.stdout, format!("table `{table}` is valid\n"));
}

/// Calls an operation of the engine itself, and returns the content of its response.
pub fn call(engine: &str, operation: &str, content: &str) -> String {
    let authorization = "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=x";
    let request = format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx-amz-target: DynamoDB_20120810.{operation}\r\n\
         content-type: application/x-amz-json-1.0\r\nx-amz-date: 20260101T000000Z\r\n\
         authorization: {authorization}\r\ncontent-length: {}\r\n\r\n{content}",
        content.len()
    );
    let mut stream = TcpStream::connect(engine.trim_start_matches("http://")).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

/// Creates a table with a key and nothing else, as another tool would.
fn make_other_table(engine: &str) {
    call(
        engine,
        "CreateTable",
        r#"{
            "TableName": "other", "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "N"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]
        }"#,
    );
}

#[test]
fn a_table_of_another_layout_is_described_and_left_alone() {
    let engine = engine();
    make_other_table(&engine);
    let table = format!("other@{engine}");
    let expected = "  the key is `id` (HASH, N), but must be `pk` (HASH, S), `sk` (RANGE, S)\n  \
        index `index` is missing, but must be `ipk` (HASH, S), `isk` (RANGE, S)\n  \
        expiry (TTL) is off, but must be on attribute `expires_at`\n";
    for _ in 0..2 {
        let checked = cli(&["table", "check", &table]).expect_code(1);
        assert_eq!(
            checked.stdout,
            format!("table `{table}` differs from what the store needs:\n{expected}")
        );
        cli(&["table", "create", &table])
            .expect_failure(
                3,
                "table `other` differs from what the store needs: the key is",
            )
            .expect_hint();
    }
}

#[test]
fn a_table_serves_invocations_replays_and_clients() {
    let engine = engine();
    cli(&["table", "create", &format!("items@{engine}")]).expect_code(0);
    let store = format!("dynamodb:items@{engine}");
    let folder = Folder::new();
    let more = [
        "-H",
        "content-type: application/json",
        "--body",
        r#"{"name":"lamp"}"#,
    ];
    let create = folder.write("create.json", event("POST", "/items", &more));
    let list = folder.write("list.json", event("GET", "/items", &[]));
    let invoke = |path: &str| cli(&["invoke", path, "--store", &store, "--guest", image()]);
    let created = invoke(&create).expect_code(0);
    assert!(
        created.stdout.contains(r#""statusCode":201"#),
        "{created:?}"
    );
    assert!(invoke(&list).expect_code(0).stdout.contains("lamp"));
    cli(&[
        "replay",
        &create,
        &list,
        "--store",
        &store,
        "--guest",
        image(),
    ])
    .expect_code(0);

    let server = Server::start(&["--store", &store]);
    let shown = format!("store: DynamoDB table items@{engine}, namespace local");
    assert!(server.greeting.contains(&shown), "{:?}", server.greeting);
    let answer = server.talk("GET /items HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(answer.matches("lamp").count(), 2, "{answer}");

    // Another namespace of the table is another store.
    let other = format!("dynamodb:items#shop@{engine}");
    let listed = cli(&["invoke", &list, "--store", &other, "--guest", image()]).expect_code(0);
    assert!(!listed.stdout.contains("lamp"), "{listed:?}");
}

#[test]
fn a_table_that_cannot_be_used_is_told_before_anything_runs() {
    let folder = Folder::new();
    let list = folder.write("list.json", event("GET", "/items", &[]));
    let invoke = |store: &str| cli(&["invoke", &list, "--store", store, "--guest", image()]);
    invoke(&format!("dynamodb:items@{}", engine()))
        .expect_failure(
            3,
            "failed to use table `items`: the host is not configured for its store",
        )
        .expect_hint();
    invoke(&format!("dynamodb:items@{}", nobody()))
        .expect_failure(3, "the store is unavailable")
        .expect_hint();
    invoke("dynamodb:items")
        .expect_failure(3, "no region is configured for table `items`")
        .expect_hint();
    for store in ["dynamodb:", "dynamodb:a b", "dynamodb:items@127.0.0.1:8000"] {
        invoke(store).expect_code(2).expect_hint();
    }
    cli(&["table", "create", &format!("items@{}", nobody())])
        .expect_failure(3, "failed to look at table `items`");
    let nobody = nobody();
    for command in ["check", "create"] {
        let run = cli(&["table", command, &format!("items@{nobody}")])
            .expect_failure(3, &format!("failed to look at table `items` at {nobody}: "))
            .expect_hint();
        let hint =
            format!("hint: start the server at {nobody}, or name another one after the table");
        assert!(run.stderr.contains(&hint), "{run:#?}");
    }
}

#[test]
fn cases_do_not_run_on_a_table() {
    let folder = Folder::new();
    folder.write("case/event.json", event("GET", "/items", &[]));
    let case = folder.path("case");
    cli(&[
        "replay",
        &case,
        "--guest",
        "embedded",
        "--store",
        "dynamodb:items@http://127.0.0.1:1",
    ])
    .expect_failure(2, "each case needs its own store")
    .expect_hint();
}
