//! All or nothing, and exactly once.

use super::client::{Client, World, assert_invalid, key, put_operation, query_options};
use crate::{Operation, Precondition, PutOptions, Revision, TransactOutcome};

fn delete(sort: &str, precondition: Precondition) -> Operation {
    Operation::Delete {
        key: key("p", sort),
        precondition,
    }
}

fn check(sort: &str, precondition: Precondition) -> Operation {
    Operation::Check {
        key: key("p", sort),
        precondition,
    }
}

fn put(sort: &str, text: &str) -> Operation {
    put_operation(&key("p", sort), text, Precondition::None)
}

fn done(outcome: TransactOutcome) -> Vec<Option<Revision>> {
    match outcome {
        TransactOutcome::Done(revisions) => revisions,
        TransactOutcome::PreconditionFailed { position, item } => {
            panic!("operation {position} lost to {item:?}")
        }
    }
}

pub(super) async fn a_transaction_does_everything(world: World) {
    let client = world.client();
    let revision = client.put(&key("p", "checked"), "{}").await;
    client.put(&key("p", "deleted"), "{}").await;
    let mut indexed = put("indexed", r#"{"v":2}"#);
    if let Operation::Put { options, .. } = &mut indexed {
        *options = PutOptions {
            index: Some(key("i", "1")),
            expires_at: Some(u64::MAX),
            ..options.clone()
        };
    }
    let operations = [
        put("put", r#"{"v":1}"#),
        check("checked", Precondition::Revision(revision.clone())),
        delete("deleted", Precondition::Present),
        delete("absent", Precondition::None),
        check("absent2", Precondition::Absent),
        indexed,
    ];
    let revisions = done(client.transact(&operations, None).await);
    assert_eq!(
        revisions.iter().map(Option::is_some).collect::<Vec<_>>(),
        [true, false, false, false, false, true]
    );
    assert_eq!(
        client.get(&key("p", "put")).await.map(|item| item.revision),
        revisions[0]
    );
    let item = client.get(&key("p", "indexed")).await.unwrap();
    assert_eq!(
        (item.index, item.expires_at),
        (Some(key("i", "1")), Some(u64::MAX))
    );
    assert_eq!(Some(item.revision), revisions[5]);
    assert_ne!(revisions[0], revisions[5]);
    assert_eq!(
        client.get(&key("p", "checked")).await.unwrap().revision,
        revision
    );
    assert_eq!(client.get(&key("p", "deleted")).await, None);
    client
        .expect_index("i", &query_options(), &[("p", "indexed")])
        .await;
    let hundred: Vec<Operation> = (0..100)
        .map(|number| put(&format!("h{number}"), "{}"))
        .collect();
    assert_eq!(done(client.transact(&hundred, None).await).len(), 100);
}

async fn contents(client: &Client) -> Vec<crate::Entry> {
    client.query("p", &query_options()).await
}

pub(super) async fn a_transaction_does_nothing_if_one_precondition_fails(world: World) {
    let client = world.client();
    client.put(&key("p", "a"), r#"{"v":1}"#).await;
    client.put(&key("p", "b"), r#"{"v":1}"#).await;
    let before = contents(&client).await;
    let operations = [
        put("a", "{}"),
        delete("b", Precondition::None),
        put("c", "{}"),
        check("d", Precondition::Present),
    ];
    let outcome = client.transact(&operations, Some("token")).await;
    assert_eq!(
        outcome,
        TransactOutcome::PreconditionFailed {
            position: 3,
            item: None
        }
    );
    assert_eq!(contents(&client).await, before);
}

pub(super) async fn the_first_failing_position_is_reported(world: World) {
    let client = world.client();
    client.put(&key("p", "there"), r#"{"v":1}"#).await;
    let there = client.get(&key("p", "there")).await;
    let operations = [
        put("new", "{}"),
        delete("there", Precondition::Absent),
        check("missing", Precondition::Present),
    ];
    let outcome = client.transact(&operations, None).await;
    assert_eq!(
        outcome,
        TransactOutcome::PreconditionFailed {
            position: 1,
            item: there
        }
    );
    let put_absent = put_operation(&key("p", "gone"), "{}", Precondition::Present);
    let outcome = client.transact(&[put_absent], None).await;
    assert_eq!(
        outcome,
        TransactOutcome::PreconditionFailed {
            position: 0,
            item: None
        }
    );
}

pub(super) async fn a_repeated_token_answers_as_the_first_time(world: World) {
    let client = world.client();
    let operations = [
        put_operation(&key("p", "a"), r#"{"v":1}"#, Precondition::Absent),
        check("b", Precondition::Absent),
        put("c", r#"{"v":1}"#),
    ];
    let first = client.transact(&operations, Some("t")).await;
    done(first.clone());
    client.put(&key("p", "c"), r#"{"v":2}"#).await;
    client.delete(&key("p", "a")).await;
    client.put(&key("p", "b"), "{}").await;
    let before = contents(&client).await;
    for later in [0, 1, 599] {
        assert_eq!(
            client
                .after_seconds(later)
                .transact(&operations, Some("t"))
                .await,
            first
        );
    }
    assert_eq!(contents(&client).await, before);
    // Without a token, or with another one, it is a separate transaction.
    assert!(matches!(
        client.transact(&operations, None).await,
        TransactOutcome::PreconditionFailed {
            position: 1,
            item: Some(_)
        }
    ));
    assert!(matches!(
        client.transact(&operations, Some("u")).await,
        TransactOutcome::PreconditionFailed {
            position: 1,
            item: Some(_)
        }
    ));
}

pub(super) async fn a_token_is_for_one_transaction(world: World) {
    let client = world.client();
    done(
        client
            .transact(&[put("a", r#"{"v":1}"#), put("b", "{}")], Some("t"))
            .await,
    );
    let before = contents(&client).await;
    let mut with_index = put("a", r#"{"v":1}"#);
    if let Operation::Put { options, .. } = &mut with_index {
        options.index = Some(key("i", "1"));
    }
    let mut expiring = put("a", r#"{"v":1}"#);
    if let Operation::Put { options, .. } = &mut expiring {
        options.expires_at = Some(u64::MAX);
    }
    let others: [&[Operation]; 7] = [
        &[put("a", r#"{"v":2}"#), put("b", "{}")],
        &[put("b", "{}"), put("a", r#"{"v":1}"#)],
        &[put("a", r#"{"v":1}"#)],
        &[put("a", r#"{"v":1}"#), put("b", "{}"), put("c", "{}")],
        &[
            put("a", r#"{"v":1}"#),
            put_operation(&key("p", "b"), "{}", Precondition::Present),
        ],
        &[with_index, put("b", "{}")],
        &[expiring, put("b", "{}")],
    ];
    for operations in others {
        assert_invalid(client.try_transact(operations, Some("t")).await, "token");
    }
    let expiring_at = |seconds| {
        let mut operation = put("e", "{}");
        if let Operation::Put { options, .. } = &mut operation {
            options.expires_at = Some(seconds);
        }
        [operation]
    };
    done(client.transact(&expiring_at(u64::MAX), Some("u")).await);
    let later = client
        .try_transact(&expiring_at(u64::MAX - 1), Some("u"))
        .await;
    assert_invalid(later, "token");
    client.delete(&key("p", "e")).await;
    assert_eq!(contents(&client).await, before);
    // The same value in another spelling is the same transaction.
    let outcome = client
        .transact(&[put("a", r#"{ "v": 1.0 }"#), put("b", "{}")], Some("t"))
        .await;
    done(outcome);
    assert_eq!(contents(&client).await, before);
}

pub(super) async fn a_token_is_forgotten_after_ten_minutes(world: World) {
    let client = world.client();
    let operations = [put("a", r#"{"v":1}"#)];
    let first = client.transact(&operations, Some("t")).await;
    let client = client.after_seconds(600);
    let second = client.transact(&operations, Some("t")).await;
    assert_ne!(done(first), done(second.clone()));
    assert_eq!(client.transact(&operations, Some("t")).await, second);
    let client = client.after_seconds(600);
    done(client.transact(&[put("b", "{}")], Some("t")).await);
    assert_invalid(client.try_transact(&operations, Some("t")).await, "token");
}

pub(super) async fn a_failed_transaction_does_not_use_up_its_token(world: World) {
    let client = world.client();
    let operations = [put_operation(
        &key("p", "a"),
        r#"{"v":1}"#,
        Precondition::Present,
    )];
    let outcome = client.transact(&operations, Some("t")).await;
    assert_eq!(
        outcome,
        TransactOutcome::PreconditionFailed {
            position: 0,
            item: None
        }
    );
    client.put(&key("p", "a"), "{}").await;
    done(client.transact(&operations, Some("t")).await);
    assert_eq!(client.text(&key("p", "a")).await.unwrap(), r#"{"v":1}"#);
}
