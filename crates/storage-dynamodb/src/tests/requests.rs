//! The requests that are sent: which, how many, and their contents.

use super::{
    engine::Engine,
    script::{Act, Script},
    *,
};
use contract::limits::{STORE_RESPONSE_BYTES_MAX, STORE_RESPONSE_VALUES_MAX};
use serde_json::json;
use std::collections::BTreeSet;
use storage::{
    Direction, Operation, QueryOptions, SortRange, StorageExt as _, Tenant, TransactOutcome,
};

async fn scripted() -> (Engine, DynamoDbStorage, Script) {
    let engine = Engine::embedded().await;
    let script = Script::before(engine.options().endpoint.as_ref().unwrap()).await;
    let options = DynamoDbOptions {
        endpoint: Some(script.address.clone()),
        ..engine.options().clone()
    };
    (engine, DynamoDbStorage::new(&options), script)
}

fn query_options(limit: u32) -> QueryOptions {
    QueryOptions {
        range: SortRange::All,
        direction: Direction::Ascending,
        limit,
        cursor: None,
    }
}

#[tokio::test]
async fn each_operation_is_one_request_and_no_write_reads_first() {
    let (_engine, store, script) = scripted().await;
    let (call, at, document) = (call(1), key("p", "s"), doc("{}"));
    let indexed = PutOptions {
        index: Some(key("i", "1")),
        ..only_if(Precondition::Absent)
    };
    store.put(&call, &at, &document, &indexed).await.unwrap();
    store.put(&call, &at, &document, &indexed).await.unwrap();
    store.get(&call, &at, Consistency::Strong).await.unwrap();
    let keys: Vec<Key> = (0..100)
        .map(|number| key("p", &number.to_string()))
        .collect();
    store
        .get_many(&call, &keys, Consistency::Eventual)
        .await
        .unwrap();
    store
        .query(&call, "p", Consistency::Strong, &query_options(10))
        .await
        .unwrap();
    store
        .query_index(&call, "i", &query_options(10))
        .await
        .unwrap();
    store
        .transact(
            &call,
            &[Operation::Check {
                key: at.clone(),
                precondition: Precondition::Present,
            }],
            Some("t"),
        )
        .await
        .unwrap();
    store
        .delete(&call, &at, &Precondition::Present)
        .await
        .unwrap();
    let expected = [
        "PutItem",
        "PutItem",
        "GetItem",
        "BatchGetItem",
        "Query",
        "Query",
        "TransactWriteItems",
        "DeleteItem",
    ];
    assert_eq!(script.take_operations(), expected);
    let called: BTreeSet<&str> = expected.into();
    let listed = ApiOperation::ALL.map(ApiOperation::name);
    assert_eq!(called, listed.into(), "roles are compared with this list");
    assert!(call.into_report().capacity_units >= 8.0);
}

#[tokio::test]
async fn requests_carry_the_trace_on() {
    let (_engine, store, script) = scripted().await;
    let trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    let traced = call(1).with_trace_header(Some(trace.to_owned()));
    let at = key("p", "s");
    store.get(&traced, &at, Consistency::Strong).await.unwrap();
    let head = &script.take_seen()[0].head;
    let expected = format!("x-amzn-trace-id: {}\r\n", trace.to_lowercase());
    assert!(head.contains(&expected), "{head}");
    for call in [
        call(1),
        call(1).with_trace_header(Some("bro\nken".to_owned())),
    ] {
        store.get(&call, &at, Consistency::Strong).await.unwrap();
        let head = &script.take_seen()[0].head;
        assert!(!head.contains("x-amzn-trace-id"), "{head}");
    }
}

#[tokio::test]
async fn empty_pages_do_not_end_a_query() {
    let (engine, store, script) = scripted().await;
    let at = key("p", "s2");
    let put = only_if(Precondition::None);
    store.put(&call(1), &at, &doc("{}"), &put).await.unwrap();
    script.take_seen();
    let page = json!({
        "Items": [], "Count": 0, "ScannedCount": 0,
        "LastEvaluatedKey": {"pk": {"S": "p"}, "sk": {"S": "s1"}},
    });
    script.play([
        Act::Answer(200, page.to_string()),
        Act::Answer(200, page.to_string()),
    ]);
    let found = store
        .query(&call(1), "p", Consistency::Strong, &query_options(10))
        .await
        .unwrap();
    assert_eq!(found.entries.len(), 1);
    assert_eq!(found.cursor, None);
    let seen = script.take_seen();
    assert_eq!(seen.len(), 3);
    assert_eq!(seen[0].body["ExclusiveStartKey"], json!(null));
    assert_eq!(seen[2].body["ExclusiveStartKey"]["sk"]["S"], "s1");
    drop(engine);
}

#[tokio::test]
async fn a_page_that_is_full_reads_hardly_more_to_know_whether_there_is_more() {
    let (_engine, store, script) = scripted().await;
    let document = doc(&format!(r#"{{"f":"{}"}}"#, "x".repeat(100_000)));
    for number in 0..15 {
        let at = key("p", &format!("s{number:02}"));
        let put = only_if(Precondition::None);
        store
            .put(&call(number), &at, &document, &put)
            .await
            .unwrap();
    }
    script.take_seen();
    let page = store
        .query(&call(1), "p", Consistency::Strong, &query_options(100))
        .await
        .unwrap();
    assert_eq!(page.entries.len(), 10);
    assert_eq!(page.cursor.as_deref(), Some("s09"));
    let limits: Vec<_> = script
        .take_seen()
        .into_iter()
        .map(|seen| seen.body["Limit"].as_u64().unwrap())
        .collect();
    assert_eq!(limits[0], 101);
    assert!(limits[1..].iter().all(|limit| *limit <= 2), "{limits:?}");
}

async fn put_ten(store: &DynamoDbStorage) -> Vec<Key> {
    let keys: Vec<Key> = (0..10)
        .map(|number| key("p", &number.to_string()))
        .collect();
    for (at, number) in keys.iter().zip(0..) {
        let put = only_if(Precondition::None);
        let document = doc("{}");
        store.put(&call(number), at, &document, &put).await.unwrap();
    }
    keys
}

/// Responses with more values, or more bytes, than allowed.
fn too_large(status: u16) -> [Act; 2] {
    let values = [
        r#"{"L":[]},"#.repeat(STORE_RESPONSE_VALUES_MAX + 1),
        "0".into(),
    ]
    .concat();
    let bytes = "0".repeat(STORE_RESPONSE_BYTES_MAX);
    [format!("[{values}]"), format!("[{bytes}]")].map(|body| Act::Answer(status, body))
}

#[tokio::test]
async fn several_items_whose_answer_is_too_large_are_asked_for_in_parts() {
    let (_engine, store, script) = scripted().await;
    let keys = put_ten(&store).await;
    script.take_seen();
    script.play(too_large(200));
    let found = store.get_many(&call(20), &keys, Consistency::Strong).await;
    assert!(found.unwrap().iter().all(Option::is_some));
    let asked: Vec<usize> = script
        .take_seen()
        .iter()
        .map(|seen| {
            let keys = &seen.body["RequestItems"][&store.table]["Keys"];
            keys.as_array().unwrap().len()
        })
        .collect();
    assert_eq!(asked, [10, 5, 2, 2, 2, 2, 2]);

    script.play(too_large(200));
    let page = store
        .query(&call(21), "p", Consistency::Strong, &query_options(99))
        .await
        .unwrap();
    assert_eq!(page.entries.len(), 10);
    let limits: Vec<_> = script
        .take_seen()
        .into_iter()
        .map(|seen| seen.body["Limit"].as_u64().unwrap())
        .collect();
    assert_eq!(limits, [100, 25, 7, 7]);
}

#[tokio::test]
async fn a_transaction_whose_refusal_is_too_large_asks_for_one_without_items() {
    let (_engine, store, script) = scripted().await;
    let keys = put_ten(&store).await;
    let operations: Vec<Operation> = keys
        .iter()
        .map(|at| Operation::Check {
            key: at.clone(),
            precondition: Precondition::Absent,
        })
        .collect();
    for act in too_large(400) {
        script.take_operations();
        script.play([act]);
        match store.transact(&call(20), &operations, None).await.unwrap() {
            TransactOutcome::PreconditionFailed { position: 0, item } => assert!(item.is_some()),
            other => panic!("{other:?}"),
        }
        let operations = script.take_operations();
        assert_eq!(
            operations,
            ["TransactWriteItems", "TransactWriteItems", "GetItem"]
        );
    }
}

#[tokio::test]
async fn items_stand_in_the_table_as_documented() {
    let engine = Engine::embedded().await;
    let store = Arc::new(engine.store());
    let tenant = Tenant::new(
        store,
        "shop".parse().unwrap(),
        storage::CursorKey::new([1; 32]),
    );
    let options = PutOptions {
        index: Some(key("i", "a\0b")),
        expires_at: Some(9_999_999_999),
        ..only_if(Precondition::None)
    };
    let call = call(1);
    let outcome = tenant
        .put(&call, &key("p", "s"), &doc(r#"{"n":1.50}"#), &options)
        .await
        .unwrap();
    let PutOutcome::Done(revision) = outcome else {
        panic!("{outcome:?}")
    };
    let item = engine
        .client()
        .get_item()
        .table_name(&engine.options().table)
        .set_key(Some(layout::key_attributes(&key("shop#p", "s"))))
        .send()
        .await
        .unwrap()
        .item
        .unwrap();
    use aws_sdk_dynamodb::types::AttributeValue::{M, N, S};
    let number = N("1.5".to_owned());
    let expected = HashMap::from([
        ("pk".to_owned(), S("shop#p".to_owned())),
        ("sk".to_owned(), S("s".to_owned())),
        ("doc".to_owned(), M([("n".to_owned(), number)].into())),
        ("rev".to_owned(), S(revision.to_string())),
        ("expires_at".to_owned(), N("9999999999".to_owned())),
        ("ipk".to_owned(), S("shop#i".to_owned())),
        ("isk".to_owned(), S("a\0\u{1}b\0\0shop#p\0\0s".to_owned())),
    ]);
    assert_eq!(item, expected);
}

#[tokio::test]
async fn what_other_tools_wrote_is_an_error_with_words_for_the_operator() {
    let engine = Engine::embedded().await;
    let mut foreign = layout::key_attributes(&key("p", "s"));
    foreign.insert("doc".to_owned(), layout::text("text"));
    foreign.insert("rev".to_owned(), layout::text("r"));
    engine
        .client()
        .put_item()
        .table_name(&engine.options().table)
        .set_item(Some(foreign))
        .send()
        .await
        .unwrap();
    let (store, call, at) = (engine.store(), call(1), key("p", "s"));
    let internal = Err(StorageError::Internal);
    let strong = Consistency::Strong;
    assert_eq!(store.get(&call, &at, strong).await.map(|_| ()), internal);
    let many = store.get_many(&call, std::slice::from_ref(&at), strong);
    assert_eq!(many.await.map(|_| ()), internal);
    let all = query_options(1);
    let query = store.query(&call, "p", strong, &all);
    assert_eq!(query.await.map(|_| ()), internal);
    let (document, absent) = (doc("{}"), only_if(Precondition::Absent));
    let lost = store.put(&call, &at, &document, &absent);
    assert_eq!(lost.await.map(|_| ()), internal);
    let faults = call.into_report().faults;
    assert_eq!(
        faults[0],
        "GetItem: the stored data cannot be read as an item: `doc` is not a map"
    );
    // It can be written over, and removed.
    let put = store
        .put(
            &super::call(2),
            &at,
            &doc("{}"),
            &only_if(Precondition::None),
        )
        .await;
    assert!(matches!(put, Ok(PutOutcome::Done(_))));
}

#[tokio::test]
async fn the_first_of_several_hosts_makes_the_cursor_key() {
    let engine = Engine::embedded().await;
    let stores: Vec<_> = (0..4).map(|_| engine.store()).collect();
    let racing = stores.iter().map(|store| store.cursor_key(None));
    let keys = futures(racing).await;
    for key in &keys {
        assert_eq!(key.as_ref().unwrap(), keys[0].as_ref().unwrap());
    }
    let later = engine.store().cursor_key(None).await.unwrap();
    assert_eq!(&later, keys[0].as_ref().unwrap());
    let other = Engine::embedded().await.store().cursor_key(None).await;
    assert_ne!(other.unwrap(), later);
}

/// Runs all concurrently.
async fn futures<F: Future>(all: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = all.map(|one| (Box::pin(one), None)).collect();
    std::future::poll_fn(|context| {
        let mut is_pending = false;
        for (future, output) in &mut waiting {
            if output.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(value) => *output = Some(value),
                    std::task::Poll::Pending => is_pending = true,
                }
            }
        }
        if is_pending {
            std::task::Poll::Pending
        } else {
            std::task::Poll::Ready(())
        }
    })
    .await;
    waiting
        .into_iter()
        .filter_map(|(_, output)| output)
        .collect()
}

#[tokio::test]
async fn a_cursor_key_that_is_none_is_told() {
    let engine = Engine::embedded().await;
    let mut broken = layout::key_attributes(&key("#tenon", "cursor-key"));
    broken.insert("key".to_owned(), layout::text("short"));
    engine
        .client()
        .put_item()
        .table_name(&engine.options().table)
        .set_item(Some(broken))
        .send()
        .await
        .unwrap();
    let error = engine.store().cursor_key(None).await.unwrap_err();
    assert_eq!(error.error, StorageError::Misconfigured);
    assert!(error.to_string().contains("32 bytes"), "{error}");
}
