//! Items that expire, at the request's time.

use super::client::{NOW_SECONDS, World, doc, key, put_options, query_options};
use crate::{
    DeleteOutcome, Operation, Precondition, PutOptions, PutOutcome, QueryOptions, TransactOutcome,
};

pub(super) async fn an_expired_item_is_as_if_deleted(world: World) {
    let client = world.client();
    let item = key("p", "s");
    client.put_expiring(&item, "{}", NOW_SECONDS + 10).await;
    assert_eq!(
        client.get(&item).await.unwrap().expires_at,
        Some(NOW_SECONDS + 10)
    );
    assert!(client.after_seconds(9).get(&item).await.is_some());
    for later in [10, 11, 1_000_000] {
        let client = client.after_seconds(later);
        assert_eq!(client.get(&item).await, None);
        assert_eq!(
            client.get_many(std::slice::from_ref(&item)).await,
            Ok(vec![None])
        );
    }
    client.put_expiring(&key("p", "past"), "{}", 0).await;
    assert_eq!(client.get(&key("p", "past")).await, None);
    client
        .put_expiring(&key("p", "never"), "{}", u64::MAX)
        .await;
    assert_eq!(
        client.get(&key("p", "never")).await.unwrap().expires_at,
        Some(u64::MAX)
    );
}

pub(super) async fn expired_items_do_not_show_in_queries(world: World) {
    let client = world.client();
    for number in 0..10 {
        let expires_at = (number % 2 == 0).then_some(NOW_SECONDS + 10);
        let options = PutOptions {
            index: Some(key("i", "same")),
            expires_at,
            ..put_options()
        };
        client
            .put_with(&key("p", &format!("s{number}")), "{}", &options)
            .await;
    }
    assert_eq!(client.query("p", &query_options()).await.len(), 10);
    let client = client.after_seconds(10);
    for limit in [1, 3, 5, 1000] {
        let options = QueryOptions {
            limit,
            ..query_options()
        };
        assert_eq!(
            client.sorts("p", &options).await,
            ["s1", "s3", "s5", "s7", "s9"]
        );
        let expected = [
            ("p", "s1"),
            ("p", "s3"),
            ("p", "s5"),
            ("p", "s7"),
            ("p", "s9"),
        ];
        client.expect_index("i", &options, &expected).await;
    }
}

pub(super) async fn expiry_is_replaced_by_a_put(world: World) {
    let client = world.client();
    let item = key("p", "s");
    client.put_expiring(&item, "{}", NOW_SECONDS + 10).await;
    client.put(&item, "{}").await;
    assert!(client.after_seconds(20).get(&item).await.is_some());
    client.put_expiring(&item, "{}", NOW_SECONDS + 30).await;
    assert!(client.after_seconds(20).get(&item).await.is_some());
    assert_eq!(client.after_seconds(30).get(&item).await, None);
}

pub(super) async fn preconditions_see_no_expired_item(world: World) {
    let client = world.client();
    let item = key("p", "s");
    client
        .put_expiring(&item, r#"{"old":true}"#, NOW_SECONDS + 10)
        .await;
    let revision = client.get(&item).await.unwrap().revision;
    let client = client.after_seconds(10);
    for failing in [Precondition::Present, Precondition::Revision(revision)] {
        assert_eq!(
            client.put_if(&item, "{}", failing.clone()).await,
            PutOutcome::PreconditionFailed(None)
        );
        assert_eq!(
            client.try_delete(&item, failing.clone()).await,
            Ok(DeleteOutcome::PreconditionFailed(None))
        );
        let check = Operation::Check {
            key: item.clone(),
            precondition: failing,
        };
        let outcome = client.transact(&[check], None).await;
        assert_eq!(
            outcome,
            TransactOutcome::PreconditionFailed {
                position: 0,
                item: None
            }
        );
    }
    let check = Operation::Check {
        key: item.clone(),
        precondition: Precondition::Absent,
    };
    assert_eq!(
        client.transact(&[check], None).await,
        TransactOutcome::Done(vec![None])
    );
    assert_eq!(
        client.try_delete(&item, Precondition::Absent).await,
        Ok(DeleteOutcome::Done)
    );
    assert!(matches!(
        client
            .put_if(&item, r#"{"new":true}"#, Precondition::Absent)
            .await,
        PutOutcome::Done(_)
    ));
    assert_eq!(client.text(&item).await.unwrap(), r#"{"new":true}"#);
}

pub(super) async fn expired_items_in_the_way_do_not_end_a_query(world: World) {
    let client = world.client();
    let document = doc(&format!(r#"{{"fill":"{}"}}"#, "x".repeat(300_000)));
    let options = PutOptions {
        expires_at: Some(NOW_SECONDS + 1),
        ..put_options()
    };
    for number in 0..8 {
        client
            .try_put(&key("p", &format!("a{number}")), &document, &options)
            .await
            .unwrap();
    }
    client.put(&key("p", "b"), "{}").await;
    assert_eq!(
        client.after_seconds(1).sorts("p", &query_options()).await,
        ["b"]
    );
}
