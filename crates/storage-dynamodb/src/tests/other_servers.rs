//! Servers that implement DynamoDB's protocol incompletely.

use super::{
    engine::Engine,
    script::{Act, Script, error},
    *,
};
use serde_json::json;
use storage::{
    Direction, Operation, QueryOptions, Revision, SortRange, StorageExt as _, TransactOutcome,
};

struct Scene {
    _engine: Engine,
    store: DynamoDbStorage,
    script: Script,
}

/// A table behind a scripted server, with one item.
async fn scene() -> (Scene, Item) {
    let engine = Engine::embedded().await;
    let script = Script::before(engine.options().endpoint.as_ref().unwrap()).await;
    let options = DynamoDbOptions {
        endpoint: Some(script.address.clone()),
        ..engine.options().clone()
    };
    let store = DynamoDbStorage::new(&options);
    let put = only_if(Precondition::None);
    store
        .put(&call(1), &key("p", "s"), &doc(r#"{"a":1}"#), &put)
        .await
        .unwrap();
    let stored = store
        .get(&call(1), &key("p", "s"), Consistency::Strong)
        .await
        .unwrap()
        .unwrap();
    script.take_seen();
    let scene = Scene {
        _engine: engine,
        store,
        script,
    };
    (scene, stored)
}

fn lost() -> Act {
    error(
        400,
        "ConditionalCheckFailedException",
        "The conditional request failed",
    )
}

fn other_revision() -> Precondition {
    Precondition::Revision(Revision::from("other".to_owned()))
}

#[tokio::test]
async fn a_refusal_without_the_item_is_followed_by_a_read() {
    let (scene, stored) = scene().await;
    let at = key("p", "s");
    for precondition in [Precondition::Absent, other_revision()] {
        scene.script.play([lost()]);
        let put = only_if(precondition.clone());
        let outcome = scene.store.put(&call(2), &at, &doc("{}"), &put).await;
        let found = PutOutcome::PreconditionFailed(Some(stored.clone()));
        assert_eq!(outcome, Ok(found));
        assert_eq!(scene.script.take_operations(), ["PutItem", "GetItem"]);
    }
    scene.script.play([lost()]);
    let outcome = scene.store.delete(&call(3), &at, &other_revision()).await;
    let found = DeleteOutcome::PreconditionFailed(Some(stored));
    assert_eq!(outcome, Ok(found));
    let absent = key("p", "absent");
    let outcome = scene
        .store
        .delete(&call(4), &absent, &Precondition::Present)
        .await;
    assert_eq!(outcome, Ok(DeleteOutcome::PreconditionFailed(None)));
}

#[tokio::test]
async fn a_cancellation_without_the_item_is_followed_by_a_read() {
    let (scene, stored) = scene().await;
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled",
        "CancellationReasons": [{"Code": "None"}, {"Code": "ConditionalCheckFailed"}],
    });
    scene.script.play([Act::Answer(400, body.to_string())]);
    let check = |sort: &str| Operation::Check {
        key: key("p", sort),
        precondition: Precondition::Absent,
    };
    let outcome = scene
        .store
        .transact(&call(2), &[check("absent"), check("s")], None)
        .await;
    let failed = TransactOutcome::PreconditionFailed {
        position: 1,
        item: Some(stored),
    };
    assert_eq!(outcome, Ok(failed));
    let operations = scene.script.take_operations();
    assert_eq!(operations, ["TransactWriteItems", "GetItem"]);
}

#[tokio::test]
async fn a_token_that_a_cancellation_does_not_show_is_read() {
    let (scene, _) = scene().await;
    let put = || Operation::Put {
        key: key("p", "t"),
        document: doc("{}"),
        options: only_if(Precondition::Absent),
    };
    let first = scene
        .store
        .transact(&call(2), &[put()], Some("token"))
        .await;
    scene.script.take_seen();
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled",
        "CancellationReasons": [{"Code": "ConditionalCheckFailed"}, {"Code": "ConditionalCheckFailed"}],
    });
    scene.script.play([Act::Answer(400, body.to_string())]);
    let again = scene
        .store
        .transact(&call(3), &[put()], Some("token"))
        .await;
    assert!(matches!(first, Ok(TransactOutcome::Done(_))), "{first:?}");
    assert_eq!(again, first);
}

#[tokio::test]
async fn a_last_key_without_attributes_is_the_last_page() {
    let (scene, _) = scene().await;
    let page = json!({"Items": [], "Count": 0, "ScannedCount": 0, "LastEvaluatedKey": {}});
    scene.script.play([Act::Answer(200, page.to_string())]);
    let options = QueryOptions {
        range: SortRange::All,
        direction: Direction::Ascending,
        limit: 10,
        cursor: None,
    };
    let found = scene
        .store
        .query(&call(2), "p", Consistency::Strong, &options)
        .await
        .unwrap();
    assert_eq!((found.entries.len(), found.cursor), (0, None));
    assert_eq!(scene.script.take_operations(), ["Query"]);
}

/// A guest cannot sleep, so the host waits before it repeats a write whose precondition named a state that another request had replaced.
#[tokio::test]
async fn a_write_that_lost_a_race_waits_before_the_next_try() {
    let (scene, _) = scene().await;
    let (at, call) = (key("p", "s"), call(2));
    let put = only_if(other_revision());
    let mut durations = Vec::new();
    for _ in 0..5 {
        let start = Instant::now();
        let outcome = scene.store.put(&call, &at, &doc("{}"), &put).await;
        assert!(matches!(
            outcome,
            Ok(PutOutcome::PreconditionFailed(Some(_)))
        ));
        durations.push(start.elapsed());
    }
    assert_eq!(call.lost_races(), 5);
    for (duration, least_ms) in durations.iter().zip([0, 12, 25, 50, 50]) {
        assert!(duration.as_millis() >= least_ms, "{durations:?}");
    }
    // A creation that finds an item has not lost a race: it did not name a state.
    let created = self::call(3);
    let put = only_if(Precondition::Absent);
    let outcome = scene.store.put(&created, &at, &doc("{}"), &put).await;
    assert!(matches!(outcome, Ok(PutOutcome::PreconditionFailed(_))));
    assert_eq!(created.lost_races(), 0);
}
