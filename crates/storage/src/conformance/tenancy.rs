//! Several guests in one store.

use super::client::{World, assert_invalid, key, put_operation, put_options, query_options};
use crate::{Precondition, PutOptions, QueryOptions, TransactOutcome};

pub(super) async fn guests_do_not_see_each_other(world: World) {
    let (one, other) = (world.client_of("a"), world.client_of("a-b"));
    let options = PutOptions {
        index: Some(key("i", "1")),
        ..put_options()
    };
    one.put_with(&key("p", "s"), r#"{"of":"one"}"#, &options)
        .await;
    other
        .put_with(&key("p", "s"), r#"{"of":"other"}"#, &options)
        .await;
    other.put_with(&key("p", "t"), "{}", &options).await;
    assert_eq!(one.text(&key("p", "s")).await.unwrap(), r#"{"of":"one"}"#);
    assert_eq!(one.sorts("p", &query_options()).await, ["s"]);
    one.expect_index("i", &query_options(), &[("p", "s")]).await;
    other
        .expect_index("i", &query_options(), &[("p", "s"), ("p", "t")])
        .await;
    for partition in ["a-b#p", "#a-b#p", "-b#p", "../a-b#p", "a#p", "a-b"] {
        assert_eq!(one.get(&key(partition, "s")).await, None, "{partition}");
        assert!(
            one.sorts(partition, &query_options()).await.is_empty(),
            "{partition}"
        );
    }
    one.delete(&key("p", "s")).await;
    assert!(other.get(&key("p", "s")).await.is_some());
}

pub(super) async fn tokens_and_cursors_do_not_cross(world: World) {
    let (one, other) = (world.client_of("a"), world.client_of("b"));
    let operations = [put_operation(&key("p", "s"), "{}", Precondition::Absent)];
    for client in [&one, &other] {
        assert!(matches!(
            client.transact(&operations, Some("t")).await,
            TransactOutcome::Done(_)
        ));
        assert!(client.get(&key("p", "s")).await.is_some());
        client.put(&key("p", "t"), "{}").await;
    }
    let options = QueryOptions {
        limit: 1,
        ..query_options()
    };
    let cursor = one.try_query("p", &options).await.unwrap().cursor;
    assert!(cursor.is_some());
    assert_invalid(
        other
            .try_query("p", &QueryOptions { cursor, ..options })
            .await,
        "cursor",
    );
}
