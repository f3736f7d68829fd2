//! The reference guest on real stores: many writers of one item, content of every size, and one representation for each entity tag.

use crate::support::{
    guests::REFERENCE,
    in_process::{memory_service, runtime, send, service},
    table::Table,
};
use contract::{limits::Limits, seed::Seed};
use serde_json::Value;
use service::Service;
use std::{env, fs, process, sync::Arc};
use storage::Storage;
use storage_redb::RedbStorage;

const JSON: (&str, &str) = ("content-type", "application/json");
const PATCH: (&str, &str) = ("content-type", "application/merge-patch+json");
const WRITERS: u8 = 50;

fn reference(store: Arc<dyn Storage>) -> Arc<Service> {
    Arc::new(service(&runtime(REFERENCE, Limits::default()), store))
}

fn seed(number: u8) -> Seed {
    Seed::new([number; 32])
}

fn status(response: &Value) -> u64 {
    response["statusCode"].as_u64().unwrap()
}

/// Sends the same kind of request from all writers at once, and checks that each is answered with 200.
async fn write_at_once(
    service: &Arc<Service>,
    method: &'static str,
    headers: (&'static str, &'static str),
) {
    let mut writers = Vec::new();
    for number in 1..=WRITERS {
        let service = service.clone();
        writers.push(tokio::spawn(async move {
            let body = match method {
                "PUT" => format!(r#"{{"name":"writer {number}"}}"#),
                _ => format!(r#"{{"attributes":{{"w{number}":{number}}}}}"#),
            };
            send(
                &service,
                (method, "/items/a"),
                &[headers],
                body.as_bytes(),
                seed(number),
            )
            .await
        }));
    }
    for writer in writers {
        let response = writer.await.unwrap();
        assert_eq!(status(&response), 200, "{method}: {response}");
    }
}

/// Without `If-Match` the last write wins: nobody is told of the others. No patch is lost.
async fn check_many_writers(store: Arc<dyn Storage>) {
    let service = reference(store);
    let body = br#"{"name":"A"}"#;
    let created = send(&service, ("PUT", "/items/a"), &[JSON], body, seed(0)).await;
    assert_eq!(status(&created), 201, "{created}");
    write_at_once(&service, "PUT", JSON).await;
    write_at_once(&service, "PATCH", PATCH).await;
    let item = send(&service, ("GET", "/items/a"), &[], b"", seed(200)).await;
    let item: Value = serde_json::from_str(item["body"].as_str().unwrap()).unwrap();
    let attributes = item["attributes"].as_object().unwrap();
    assert_eq!(attributes.len(), usize::from(WRITERS), "{item}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_writers_of_one_item_all_come_through_in_redb() {
    let folder = env::temp_dir().join(format!("tenon-writers-{}", process::id()));
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("items.redb");
    check_many_writers(Arc::new(RedbStorage::open(&file).unwrap())).await;
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn fifty_writers_of_one_item_all_come_through_in_dynamodb() {
    let table = Table::start();
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .unwrap()
        .block_on(check_many_writers(Arc::new(table.storage())));
}

/// Each spelling of numbers, blanks, escapes and member order that the store normalises.
#[tokio::test]
async fn what_a_write_answers_is_what_a_read_answers() {
    let service = memory_service(&runtime(REFERENCE, Limits::default()));
    let numbers = "1.0,1.50,100,1E+2,-0,-0.0,0.000,0e9,-0e99999999999,1e-7,0.00000001,-1.50e-9,1e37,1e38,12e37,9.99e125,1e-130,\
                   12345678901234567890123456789012345678,1.2345678901234567890123456789012345678,0.1e-6,123.4560e-2";
    let create = format!(
        r#" {{"price": 1.0, "name":"\u00e9\/\u007f\ud83d\ude00\u0001", "attributes":{{"z":[{numbers}],"a":{{"$serde_json::private::Number":"5"}}}}}}"#
    );
    let patch = r#"{"price":2.50e1,"attributes":{"y":1.0}}"#;
    let writes = [
        ("POST", "/items", JSON, create.as_str()),
        ("PUT", "/items/a", JSON, &create),
        ("PUT", "/items/a", JSON, &create),
        ("PATCH", "/items/a", PATCH, patch),
    ];
    for (number, (method, target, content_type, body)) in (1..).zip(writes) {
        let headers = [content_type, ("idempotency-key", "k")];
        let written = send(
            &service,
            (method, target),
            &headers,
            body.as_bytes(),
            seed(number),
        )
        .await;
        assert!((200..=201).contains(&status(&written)), "{written}");
        let location = written["headers"]["content-location"].as_str().unwrap();
        let read = send(&service, ("GET", location), &[], b"", seed(100)).await;
        assert_eq!(written["body"], read["body"], "{method}");
        assert_eq!(
            written["headers"]["etag"], read["headers"]["etag"],
            "{method}"
        );
        if method == "POST" {
            let again = send(
                &service,
                (method, target),
                &headers,
                body.as_bytes(),
                seed(50),
            )
            .await;
            assert_eq!(again["headers"]["idempotency-replayed"], "true");
            assert_eq!(
                (&again["body"], &again["headers"]["etag"]),
                (&read["body"], &read["headers"]["etag"])
            );
        }
    }
}

fn item_of_quotes(count: usize) -> String {
    format!(
        r#"{{"name":"A","attributes":{{"a":"{}"}}}}"#,
        r#"\""#.repeat(count)
    )
}

/// The largest item has text of 800 KB: a copy of it in a record would not fit the store.
#[tokio::test]
async fn an_idempotency_key_does_not_lower_the_size_of_items() {
    let runtime = runtime(REFERENCE, Limits::default());
    let create = async |key: Option<&str>, count: usize| {
        let service = memory_service(&runtime);
        let mut headers = vec![JSON];
        headers.extend(key.map(|key| ("idempotency-key", key)));
        let body = item_of_quotes(count);
        status(
            &send(
                &service,
                ("POST", "/items"),
                &headers,
                body.as_bytes(),
                seed(9),
            )
            .await,
        )
    };
    // Of 409,600 bytes, a quote takes one, and two in the text.
    let (mut fits, mut too_many) = (400_000, 409_600);
    while too_many - fits > 1 {
        let count = usize::midpoint(fits, too_many);
        match create(None, count).await {
            201 => fits = count,
            413 => too_many = count,
            other => panic!("{other}"),
        }
    }
    assert!(too_many < 409_600, "{fits}");
    assert_eq!(create(Some("fits"), fits).await, 201);
    assert_eq!(create(Some("too-many"), too_many).await, 413);
}

/// JSON that takes as much memory as possible for its length.
fn content_of(bytes: usize) -> Vec<(&'static str, String)> {
    let filled = |unit: &str| unit.repeat(bytes / unit.len());
    let list = |unit: &str| format!(r#"{{"name":"A","attributes":{{"a":[{}0]}}}}"#, filled(unit));
    let chain = format!("{}0{},", r#"{"":"#.repeat(28), "}".repeat(28));
    let members = (0..bytes / 12)
        .map(|number| format!(r#""{number:07}":0,"#))
        .collect::<String>();
    vec![
        ("numbers", list("0,")),
        ("nulls", list("null,")),
        ("lists", list("[0],")),
        ("objects", list(r#"{"":0},"#)),
        ("chains of objects", list(&chain)),
        (
            "deep lists",
            list(&format!("{}0{},", "[".repeat(28), "]".repeat(28))),
        ),
        ("short strings", list(r#""","#)),
        (
            "long numbers",
            list("12345678901234567890.1234567890123456780e10,"),
        ),
        (
            "members",
            format!(r#"{{"name":"A","attributes":{{{members}"a":0}}}}"#),
        ),
        ("unknown members", format!(r#"{{{members}"name":"A"}}"#)),
        (
            "a long string",
            format!(r#"{{"name":"A","attributes":{{"a":"{}"}}}}"#, filled("x")),
        ),
        (
            "escapes",
            format!(
                r#"{{"name":"A","attributes":{{"a":"{}"}}}}"#,
                filled(r"\u0001")
            ),
        ),
        ("blanks", format!(r#"{{"name":"A"{}}}"#, filled(" "))),
        ("too deep", filled("[")),
        ("no JSON", filled("x")),
    ]
}

/// Whatever a client sends, the guest responds: it refuses content that would exceed its memory before it runs out.
#[tokio::test]
async fn no_content_exhausts_the_memory_of_the_guest() {
    let service = memory_service(&runtime(REFERENCE, Limits::default()));
    let created = send(
        &service,
        ("PUT", "/items/a"),
        &[JSON],
        br#"{"name":"A","attributes":{}}"#,
        seed(1),
    )
    .await;
    assert_eq!(status(&created), 201);
    for bytes in [2_400_000, 4_100_000] {
        for (name, content) in content_of(bytes) {
            for (method, target, content_type) in [
                ("POST", "/items", JSON),
                ("PUT", "/items/b", JSON),
                ("PATCH", "/items/a", PATCH),
                ("POST", "/items", ("content-type", "text/plain")),
            ] {
                let headers = [content_type, ("idempotency-key", "k")];
                let response = send(
                    &service,
                    (method, target),
                    &headers,
                    content.as_bytes(),
                    seed(2),
                )
                .await;
                let found = status(&response);
                let what = format!(
                    "{method} {name} of {} bytes: {response:.300}",
                    content.len()
                );
                if content_type.1 == "text/plain" {
                    assert_eq!(found, 415, "{what}");
                } else if content.len() > 6 * 409_600 {
                    assert_eq!(found, 413, "{what}");
                } else {
                    assert!(found < 500, "{what}");
                }
                if found >= 400 {
                    assert_eq!(
                        response["headers"]["content-type"], "application/problem+json",
                        "{what}"
                    );
                    assert!(
                        response["body"]
                            .as_str()
                            .unwrap()
                            .contains(r#""request_id""#),
                        "{what}"
                    );
                }
            }
        }
    }
}

/// The largest item there can be, changed by the largest patch that is read.
#[tokio::test]
async fn the_largest_patch_of_the_largest_item_fits_the_memory_of_the_guest() {
    let service = memory_service(&runtime(REFERENCE, Limits::default()));
    let chain = |open: &str, leaf: &str| format!("{}{leaf}{}", open.repeat(28), "}".repeat(28));
    for stored in [
        item_of_quotes(400_000),
        format!(
            r#"{{"name":"A","attributes":{{"a":[{}0]}}}}"#,
            "null,".repeat(49_900)
        ),
        format!(
            r#"{{"name":"A","attributes":{{"a":[{}0]}}}}"#,
            format!("{},", chain(r#"{"a":"#, "0")).repeat(1_700)
        ),
    ] {
        let created = send(
            &service,
            ("PUT", "/items/a"),
            &[JSON],
            stored.as_bytes(),
            seed(1),
        )
        .await;
        assert!((200..=201).contains(&status(&created)), "{created:.300}");
        for patch in [
            format!(
                r#"{{"attributes":{{"b":{{{}"x":null}}}}}}"#,
                (0..6_900)
                    .map(|number| format!(r#""{number}":{},"#, chain(r#"{"a":"#, "null")))
                    .collect::<String>()
            ),
            format!(r#"{{"attributes":{{"a":[{}0]}}}}"#, "0,".repeat(200_000)),
            r#"{"name":"B"}"#.to_owned(),
        ] {
            let response = send(
                &service,
                ("PATCH", "/items/a"),
                &[PATCH],
                patch.as_bytes(),
                seed(2),
            )
            .await;
            assert!(status(&response) < 500, "{response:.300}");
        }
    }
}
