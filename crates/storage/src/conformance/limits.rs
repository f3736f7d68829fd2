//! Each limit reached exactly, and exceeded by one.

use super::client::{
    Client, World, assert_invalid, assert_too_large, doc, in_range, key, only_if, put_operation,
    put_options, query_options,
};
use crate::{
    Document, Key, Operation, Precondition, PutOptions, QueryOptions, Revision, SortRange,
    item_bytes,
};
use contract::limits::{
    DOCUMENT_TEXT_BYTES_MAX, DOCUMENT_VALUES_MAX, GET_MANY_TEXT_BYTES_MAX, ITEM_BYTES_MAX,
    TRANSACTION_BYTES_MAX, TRANSACTION_VALUES_MAX,
};

/// Length of `guest#`.
const NAMESPACE_BYTES: usize = 6;

async fn put_key(client: &Client, key: &Key) -> Result<(), crate::StorageError> {
    client
        .try_put(key, &doc("{}"), &put_options())
        .await
        .map(|_| ())
}

pub(super) async fn keys_up_to_their_limit(world: World) {
    let client = world.client();
    let longest = key(&"p".repeat(2048 - NAMESPACE_BYTES), &"é".repeat(512));
    put_key(&client, &longest).await.unwrap();
    assert!(client.get(&longest).await.is_some());
    assert_eq!(
        client.sorts(&longest.partition, &query_options()).await,
        [longest.sort.as_str()]
    );
    let cases = [
        (key(&"p".repeat(2049 - NAMESPACE_BYTES), "s"), "2049 bytes"),
        (key("p", &"s".repeat(1025)), "1025 bytes"),
        (key("p", &format!("{}s", "é".repeat(512))), "1025 bytes"),
        (key("", "s"), "partition is empty"),
        (key("p", ""), "sort key is empty"),
    ];
    for (key, part) in cases {
        assert_invalid(put_key(&client, &key).await, part);
        assert_invalid(client.try_delete(&key, Precondition::None).await, part);
        assert_invalid(client.get_many(std::slice::from_ref(&key)).await, part);
        assert_invalid(
            client
                .try_transact(&[put_operation(&key, "{}", Precondition::None)], None)
                .await,
            part,
        );
    }
}

pub(super) async fn secondary_keys_up_to_their_limit(world: World) {
    let client = world.client();
    let indexed = |index: Key| PutOptions {
        index: Some(index),
        ..put_options()
    };
    let item = key("p", "s");
    // `guest#p` and `s` take 8 of 1,020 bytes.
    let longest = key(&"i".repeat(2048 - NAMESPACE_BYTES), &"é".repeat(506));
    client
        .put_with(&item, "{}", &indexed(longest.clone()))
        .await;
    client
        .expect_index(&longest.partition, &query_options(), &[("p", "s")])
        .await;
    let cases = [
        (key("i", &format!("{}x", "é".repeat(506))), "1025 bytes"),
        (key("i", &format!("{}\0", "x".repeat(1011))), "1025 bytes"),
        (key(&"i".repeat(2049 - NAMESPACE_BYTES), "1"), "2049 bytes"),
        (key("", "1"), "empty"),
        (key("i", ""), "empty"),
    ];
    for (index, part) in cases {
        assert_invalid(
            client.try_put(&item, &doc("{}"), &indexed(index)).await,
            part,
        );
    }
}

/// A document that makes an item at `key` exactly this large.
fn document_for(key: &Key, options: &PutOptions, bytes: usize) -> Document {
    let enclosed = |key: &Key| Key {
        partition: format!("guest#{}", key.partition),
        sort: key.sort.clone(),
    };
    let options = PutOptions {
        index: options.index.as_ref().map(enclosed),
        ..options.clone()
    };
    let filled = |length: usize| doc(&format!(r#"{{"f":"{}"}}"#, "x".repeat(length)));
    let empty = item_bytes(&enclosed(key), &filled(0), &options);
    filled(bytes - empty)
}

pub(super) async fn items_up_to_their_limit(world: World) {
    let client = world.client();
    let plain = put_options();
    let full = PutOptions {
        index: Some(key("i", "1")),
        expires_at: Some(9_999_999_999),
        ..put_options()
    };
    for options in [plain, full] {
        let item = key("p", "s");
        let fits = document_for(&item, &options, ITEM_BYTES_MAX);
        client.try_put(&item, &fits, &options).await.unwrap();
        assert_eq!(client.get(&item).await.unwrap().document, fits);
        let over = document_for(&item, &options, ITEM_BYTES_MAX + 1);
        assert_too_large(
            client.try_put(&item, &over, &options).await,
            "409601 bytes, at most 409600",
        );
        let operation = Operation::Put {
            key: item,
            document: over,
            options,
        };
        assert_too_large(
            client.try_transact(&[operation], None).await,
            "409601 bytes, at most 409600",
        );
    }
    // pk + "guest#p", sk + "s", doc + {"f":"..."}, rev + 24: 2 + 7 + 2 + 1 + 3 + (3 + 1 + 1 + length) + 3 + 24.
    let counted = doc(&format!(r#"{{"f":"{}"}}"#, "x".repeat(ITEM_BYTES_MAX - 47)));
    client
        .try_put(&key("p", "s"), &counted, &put_options())
        .await
        .unwrap();
}

pub(super) async fn revisions_up_to_their_limit(world: World) {
    let client = world.client();
    let item = key("p", "s");
    for (length, valid) in [(0, false), (1, true), (64, true), (65, false)] {
        let precondition = Precondition::Revision(Revision::from("r".repeat(length)));
        let put = client
            .try_put(&item, &doc("{}"), &only_if(precondition.clone()))
            .await;
        let delete = client.try_delete(&item, precondition).await;
        if valid {
            put.unwrap();
            delete.unwrap();
        } else {
            assert_invalid(put, "revision");
            assert_invalid(delete, "revision");
        }
    }
}

pub(super) async fn query_arguments_are_checked(world: World) {
    let client = world.client();
    let long = "s".repeat(1025);
    let between = |lower: &str, upper: &str| SortRange::Between(lower.to_owned(), upper.to_owned());
    let cases = [
        (
            QueryOptions {
                limit: 0,
                ..query_options()
            },
            "limit",
        ),
        (
            QueryOptions {
                limit: 1001,
                ..query_options()
            },
            "limit",
        ),
        (
            in_range(SortRange::Prefix(String::new())),
            "prefix is empty",
        ),
        (in_range(SortRange::Prefix(long.clone())), "prefix"),
        (
            in_range(SortRange::AtLeast(String::new())),
            "lower bound is empty",
        ),
        (in_range(SortRange::AtLeast(long.clone())), "lower bound"),
        (
            in_range(SortRange::AtMost(String::new())),
            "upper bound is empty",
        ),
        (in_range(SortRange::AtMost(long.clone())), "upper bound"),
        (in_range(between("b", "a")), "above"),
        (in_range(between("\u{10000}", "\u{ffff}")), "above"),
        (in_range(between("a", &long)), "upper bound"),
    ];
    for (options, part) in cases {
        assert_invalid(client.try_query("p", &options).await, part);
        assert_invalid(client.try_query_index("p", &options).await, part);
    }
    for (partition, part) in [
        (String::new(), "empty"),
        ("p".repeat(2049 - NAMESPACE_BYTES), "2049 bytes"),
    ] {
        assert_invalid(client.try_query(&partition, &query_options()).await, part);
        assert_invalid(
            client.try_query_index(&partition, &query_options()).await,
            part,
        );
    }
    client
        .try_query("p", &in_range(SortRange::Prefix("s".repeat(1024))))
        .await
        .unwrap();
}

pub(super) async fn get_many_arguments_are_checked(world: World) {
    let client = world.client();
    let keys: Vec<Key> = (0..101)
        .map(|number| key("p", &number.to_string()))
        .collect();
    assert_eq!(client.get_many(&keys[..100]).await, Ok(vec![None; 100]));
    assert_invalid(client.get_many(&keys).await, "1 to 100, not 101");
    assert_invalid(client.get_many(&[]).await, "1 to 100, not 0");
    assert_invalid(
        client
            .get_many(&[key("p", "a"), key("q", "a"), key("p", "a")])
            .await,
        "position 2 repeats",
    );
}

pub(super) async fn transaction_arguments_are_checked(world: World) {
    let client = world.client();
    let puts: Vec<Operation> = (0..101)
        .map(|number| put_operation(&key("p", &number.to_string()), "{}", Precondition::None))
        .collect();
    assert_invalid(client.try_transact(&puts, None).await, "1 to 100, not 101");
    assert_invalid(client.try_transact(&[], None).await, "1 to 100, not 0");
    assert_invalid(
        client.try_transact(&puts[..100], Some("t")).await,
        "1 to 99, not 100",
    );
    client.try_transact(&puts[..99], Some("t")).await.unwrap();
    let delete = Operation::Delete {
        key: key("p", "0"),
        precondition: Precondition::None,
    };
    assert_invalid(
        client.try_transact(&[puts[0].clone(), delete], None).await,
        "position 1 repeats",
    );
    let check = Operation::Check {
        key: key("p", "0"),
        precondition: Precondition::None,
    };
    assert_invalid(
        client.try_transact(&[puts[1].clone(), check], None).await,
        "operation 1: a check needs",
    );
    for token in ["x", &"x".repeat(36), &"é".repeat(18)] {
        client.try_transact(&puts[..1], Some(token)).await.unwrap();
    }
    for token in ["", &"x".repeat(37), &format!("{}x", "é".repeat(18))] {
        assert_invalid(
            client.try_transact(&puts[..1], Some(token)).await,
            "the token",
        );
    }
}

pub(super) async fn transactions_up_to_their_size(world: World) {
    let client = world.client();
    let full = |number: usize| {
        let key = key("p", &format!("s{number}"));
        let document = document_for(&key, &put_options(), ITEM_BYTES_MAX);
        Operation::Put {
            key,
            document,
            options: put_options(),
        }
    };
    let rest = |bytes: usize| {
        let key = key("p", "rest");
        let document = document_for(&key, &put_options(), bytes);
        Operation::Put {
            key,
            document,
            options: put_options(),
        }
    };
    let mut operations: Vec<Operation> = (0..10).map(full).collect();
    let left = TRANSACTION_BYTES_MAX - 10 * ITEM_BYTES_MAX;
    operations.push(rest(left + 1));
    assert_too_large(
        client.try_transact(&operations, None).await,
        "4194305 bytes, at most 4194304",
    );
    assert!(client.sorts("p", &query_options()).await.is_empty());
    operations[10] = rest(left);
    client.try_transact(&operations, None).await.unwrap();
    assert_too_large(
        client.try_transact(&operations, Some("t")).await,
        "4198400 bytes, at most 4194304",
    );
    operations[10] = rest(left - 4096);
    client.try_transact(&operations, Some("t")).await.unwrap();
}

/// A document with this many values: itself, an array, and its elements.
fn document_of_values(count: usize) -> String {
    format!(r#"{{"a,[":[{}0]}}"#, "0,".repeat(count - 3))
}

pub(super) async fn values_up_to_their_number(world: World) {
    let client = world.client();
    let item = key("p", "s");
    let largest = document_of_values(DOCUMENT_VALUES_MAX);
    client.put(&item, &largest).await;
    assert_eq!(client.get(&item).await.unwrap().document, doc(&largest));
    assert_too_large(
        Document::parse(&document_of_values(DOCUMENT_VALUES_MAX + 1)),
        "more than 50000 values",
    );
    // Nested arrays use the most memory for their size.
    let deep = format!("{}{},", "[".repeat(29), "]".repeat(29)).repeat(1_700);
    let deep = format!(r#"{{"a":[{deep}[]]}}"#);
    client.put(&item, &deep).await;
    assert_eq!(client.get(&item).await.unwrap().document, doc(&deep));
    // A number of three bytes whose text has 38.
    let digits = |count: usize| format!(r#"{{"a":[{}0]}}"#, "1e37,".repeat(count));
    let fits = (DOCUMENT_TEXT_BYTES_MAX - 10) / 39;
    client.put(&item, &digits(fits)).await;
    assert_too_large(
        Document::parse(&digits(fits + 1)),
        "canonical text has more than 819200 bytes",
    );

    let put = |sort: &str, values: usize| {
        put_operation(
            &key("p", sort),
            &document_of_values(values),
            Precondition::None,
        )
    };
    let mut operations = vec![
        put("1", DOCUMENT_VALUES_MAX),
        put("2", DOCUMENT_VALUES_MAX - 4),
        put("3", 4),
    ];
    client.try_transact(&operations, None).await.unwrap();
    operations[2] = put("3", 5);
    let over = TRANSACTION_VALUES_MAX + 1;
    assert_too_large(
        client.try_transact(&operations, None).await,
        &format!("{over} values, at most 100000"),
    );
}

pub(super) async fn found_documents_up_to_their_size(world: World) {
    let client = world.client();
    let text = |bytes: usize| format!(r#"{{"f":"{}"}}"#, "x".repeat(bytes - r#"{"f":""}"#.len()));
    let keys: Vec<Key> = (0..22)
        .map(|number| key("p", &format!("s{number:02}")))
        .collect();
    let count = GET_MANY_TEXT_BYTES_MAX / 400_000;
    let last = GET_MANY_TEXT_BYTES_MAX - count * 400_000;
    for key in &keys[..count] {
        client.put(key, &text(400_000)).await;
    }
    client.put(&keys[count], &text(last)).await;
    let found = client.get_many(&keys).await.unwrap();
    assert_eq!(found.len(), keys.len());
    assert_eq!(found[count].as_ref().unwrap().document, doc(&text(last)));
    client.put(&keys[count], &text(last + 1)).await;
    assert_too_large(
        client.get_many(&keys).await,
        "more than 8388608 bytes of text together",
    );
    client.get_many(&keys[..count]).await.unwrap();
}

pub(super) async fn numbers_keep_38_digits(world: World) {
    let client = world.client();
    let cases = [
        "99999999999999999999999999999999999999",
        "-0.00012345678901234567890123456789012345678",
        "9.9999999999999999999999999999999999999e125",
        "-1e-130",
        "18446744073709551616",
        "0.1",
    ];
    for number in cases {
        let text = format!(r#"{{"n":{number}}}"#);
        client.put(&key("p", "s"), &text).await;
        assert_eq!(
            client.get(&key("p", "s")).await.unwrap().document,
            doc(&text),
            "{number}"
        );
    }
}
