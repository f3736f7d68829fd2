//! Conditional writes, and the result of a failed one.

use super::client::{World, key};
use crate::{DeleteOutcome, Precondition, PutOutcome, Revision};

fn unknown() -> Precondition {
    Precondition::Revision(Revision::from("no-such-revision".to_owned()))
}

pub(super) async fn puts_follow_their_precondition(world: World) {
    let client = world.client();
    let key = key("p", "s");
    for failing in [Precondition::Present, unknown()] {
        assert_eq!(
            client.put_if(&key, "{}", failing).await,
            PutOutcome::PreconditionFailed(None)
        );
    }
    let PutOutcome::Done(first) = client
        .put_if(&key, r#"{"v":1}"#, Precondition::Absent)
        .await
    else {
        panic!("absent did not hold")
    };
    let current = client.get(&key).await;
    assert_eq!(current.as_ref().unwrap().revision, first);
    for failing in [Precondition::Absent, unknown()] {
        assert_eq!(
            client.put_if(&key, "{}", failing).await,
            PutOutcome::PreconditionFailed(current.clone())
        );
    }
    let PutOutcome::Done(second) = client
        .put_if(&key, r#"{"v":2}"#, Precondition::Revision(first.clone()))
        .await
    else {
        panic!("the revision did not hold")
    };
    let current = client.get(&key).await;
    let stale = client
        .put_if(&key, "{}", Precondition::Revision(first))
        .await;
    assert_eq!(stale, PutOutcome::PreconditionFailed(current));
    assert!(
        matches!(client.put_if(&key, r#"{"v":3}"#, Precondition::Present).await, PutOutcome::Done(third) if third != second)
    );
    assert_eq!(client.text(&key).await.unwrap(), r#"{"v":3}"#);
}

pub(super) async fn deletes_follow_their_precondition(world: World) {
    let client = world.client();
    let key = key("p", "s");
    for failing in [Precondition::Present, unknown()] {
        assert_eq!(
            client.try_delete(&key, failing).await,
            Ok(DeleteOutcome::PreconditionFailed(None))
        );
    }
    let revision = client.put(&key, r#"{"v":1}"#).await;
    let current = client.get(&key).await;
    for failing in [Precondition::Absent, unknown()] {
        assert_eq!(
            client.try_delete(&key, failing).await,
            Ok(DeleteOutcome::PreconditionFailed(current.clone()))
        );
    }
    assert_eq!(
        client
            .try_delete(&key, Precondition::Revision(revision))
            .await,
        Ok(DeleteOutcome::Done)
    );
    assert_eq!(client.get(&key).await, None);
    client.put(&key, "{}").await;
    assert_eq!(
        client.try_delete(&key, Precondition::Present).await,
        Ok(DeleteOutcome::Done)
    );
    assert_eq!(client.get(&key).await, None);
}

pub(super) async fn a_failed_write_changes_nothing(world: World) {
    let client = world.client();
    let key = key("p", "s");
    client.put(&key, r#"{"v":1}"#).await;
    let before = client.get(&key).await;
    client
        .put_if(&key, r#"{"v":2}"#, Precondition::Absent)
        .await;
    client.try_delete(&key, unknown()).await.unwrap();
    assert_eq!(client.get(&key).await, before);
}
