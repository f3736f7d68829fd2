//! DynamoDB throttles, fails, is slow or unreachable, denies access, or loses responses: the guest gets the documented error, nothing is
//! written twice, and the next call works.

use super::{
    engine::{Engine, options_at, start},
    script::{Act, Script, error, throttling},
    *,
};
use contract::outcome::StorageReport;
use serde_json::json;
use std::time::Duration;
use storage::{Operation, StorageExt as _, TransactOutcome};

/// A store behind a scripted server, with its own table.
struct Stage {
    engine: Engine,
    store: DynamoDbStorage,
    script: Script,
}

impl Stage {
    async fn new() -> Self {
        let engine = Engine::embedded().await;
        let script = Script::before(engine.options().endpoint.as_ref().unwrap()).await;
        let options = DynamoDbOptions {
            endpoint: Some(script.address.clone()),
            ..engine.options().clone()
        };
        let store = DynamoDbStorage::new(&options);
        // Finish everything that takes time only once before a test measures time.
        let at = key("p", "s");
        store
            .get(&call(0), &at, Consistency::Eventual)
            .await
            .unwrap();
        script.take_seen();
        Self {
            store,
            engine,
            script,
        }
    }

    async fn put(
        &self,
        call: &Call,
        precondition: Precondition,
    ) -> Result<PutOutcome, StorageError> {
        let document = doc(r#"{"v":1}"#);
        self.store
            .put(call, &key("p", "s"), &document, &only_if(precondition))
            .await
    }

    async fn get(&self, call: &Call) -> Result<Option<Item>, StorageError> {
        self.store
            .get(call, &key("p", "s"), Consistency::Strong)
            .await
    }

    async fn transact(
        &self,
        call: &Call,
        token: Option<&str>,
    ) -> Result<TransactOutcome, StorageError> {
        self.store.transact(call, &[operation()], token).await
    }

    /// The stored data, read without the script.
    async fn stored(&self) -> Option<Item> {
        let read = self
            .engine
            .store()
            .get(&call(99), &key("p", "s"), Consistency::Strong)
            .await;
        read.unwrap()
    }

    /// After a fault, the same store writes and reads.
    async fn assert_works(&self) {
        self.script.always(None);
        self.script.take_seen();
        let call = call(77);
        let written = self.put(&call, Precondition::None).await.unwrap();
        let read = self.get(&call).await.unwrap().unwrap();
        assert_eq!(written, PutOutcome::Done(read.revision));
        self.script.take_seen();
        self.engine
            .store()
            .delete(&call, &key("p", "s"), &Precondition::None)
            .await
            .unwrap();
    }
}

fn operation() -> Operation {
    Operation::Put {
        key: key("p", "s"),
        document: doc(r#"{"v":1}"#),
        options: only_if(Precondition::None),
    }
}

fn soon() -> Call {
    call_until(1, Instant::now() + Duration::from_millis(700))
}

fn report(call: Call) -> StorageReport {
    call.into_report()
}

const THROTTLED: StorageError = StorageError::Throttled {
    retry_after_ms: None,
};

fn cancelled(reasons: &[&str]) -> Act {
    let reasons: Vec<_> = reasons
        .iter()
        .map(|code| json!({"Code": code, "Message": "scripted"}))
        .collect();
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled",
        "CancellationReasons": reasons,
    });
    Act::Answer(400, body.to_string())
}

#[tokio::test]
async fn throttling_that_ends_is_only_reported() {
    let stage = Stage::new().await;
    for code in [
        "ThrottlingException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
    ] {
        let act = || error(400, code, "slow down");
        stage.script.play([act(), act()]);
        let call = call(1);
        let outcome = stage.put(&call, Precondition::None).await;
        assert!(matches!(outcome, Ok(PutOutcome::Done(_))), "{outcome:?}");
        assert_eq!(stage.script.take_operations(), ["PutItem"; 3]);
        let report = report(call);
        assert_eq!((report.throttles, report.retries), (2, 2));
        assert_eq!(report.faults, Vec::<String>::new());
        assert!(report.capacity_units > 0.0);
    }
    stage.assert_works().await;
}

#[tokio::test]
async fn throttling_for_ever_is_told_apart_and_nothing_is_written() {
    let stage = Stage::new().await;
    stage.script.always(Some(throttling()));
    let call = call(1);
    assert_eq!(stage.put(&call, Precondition::None).await, Err(THROTTLED));
    let retry = stage.script.take_seen().len() as u32;
    let report = report(call);
    assert!(retry > 2);
    assert_eq!((report.throttles, report.retries), (retry, retry - 1));
    assert!(report.faults[0].starts_with("PutItem: ThrottlingException: Throughput"));
    assert_eq!(stage.get(&super::call(2)).await, Err(THROTTLED));
    assert_eq!(stage.transact(&super::call(2), None).await, Err(THROTTLED));
    stage.script.always(Some(cancelled(&["ThrottlingError"])));
    assert_eq!(stage.transact(&super::call(2), None).await, Err(THROTTLED));
    assert_eq!(stage.stored().await, None);
    stage.assert_works().await;
}

#[tokio::test]
async fn attempts_are_bounded_where_the_request_has_no_deadline() {
    let stage = Stage::new().await;
    stage.script.always(Some(throttling()));
    assert_eq!(stage.get(&call(1)).await, Err(THROTTLED));
    assert_eq!(stage.script.take_seen().len(), 8);
}

#[tokio::test]
async fn attempts_end_before_the_deadline() {
    let stage = Stage::new().await;
    stage.script.always(Some(throttling()));
    let deadline = Instant::now() + Duration::from_millis(250);
    let refused = stage.get(&call_until(1, deadline)).await.unwrap_err();
    // On a very slow machine, the last attempt may have no response.
    assert!(refused == THROTTLED || refused == StorageError::Unavailable);
    assert!(stage.script.take_seen().len() < 8);
}

#[tokio::test]
async fn after_an_internal_error_only_what_cannot_happen_twice_is_repeated() {
    let stage = Stage::new().await;
    let failure = || error(500, "InternalServerError", "failed");
    stage.script.play([failure()]);
    assert_eq!(stage.get(&call(1)).await, Ok(None));
    stage.script.play([failure()]);
    let outcome = stage.put(&call(1), Precondition::Absent).await;
    assert!(matches!(outcome, Ok(PutOutcome::Done(_))), "{outcome:?}");
    stage.script.take_seen();
    for precondition in [Precondition::None, Precondition::Present] {
        stage.script.play([failure()]);
        let outcome = stage.put(&call(2), precondition.clone()).await;
        assert_eq!(outcome, Err(StorageError::OutcomeUnknown));
        stage.script.play([failure()]);
        let outcome = stage
            .store
            .delete(&call(2), &key("p", "s"), &precondition)
            .await;
        assert_eq!(outcome, Err(StorageError::OutcomeUnknown));
        assert_eq!(stage.script.take_operations(), ["PutItem", "DeleteItem"]);
    }
    stage.script.always(Some(failure()));
    assert_eq!(stage.get(&call(1)).await, Err(StorageError::Unavailable));
    for outcome in [
        stage.put(&call(1), Precondition::Absent).await.map(|_| ()),
        stage.transact(&call(1), None).await.map(|_| ()),
    ] {
        assert_eq!(outcome, Err(StorageError::OutcomeUnknown));
    }
    stage.assert_works().await;
}

#[tokio::test]
async fn a_store_that_nobody_serves_is_unavailable_and_nothing_was_sent() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let store = DynamoDbStorage::new(&options_at(&address));
    let call = call(1);
    let put = store
        .put(
            &call,
            &key("p", "s"),
            &doc("{}"),
            &only_if(Precondition::None),
        )
        .await;
    let report = report(call);
    assert_eq!(put, Err(StorageError::Unavailable), "{report:?}");
    assert!(report.retries > 1);
    assert!(report.faults[0].contains("refused"), "{report:?}");
    let transacted = store.transact(&super::call(2), &[operation()], None).await;
    assert_eq!(transacted, Err(StorageError::Unavailable));
    let error = store
        .cursor_key(Some(Instant::now() + Duration::from_secs(5)))
        .await
        .unwrap_err();
    assert_eq!(error.error, StorageError::Unavailable);
    assert!(error.to_string().contains("refused"), "{error}");
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_recognises_itself() {
    let stage = Stage::new().await;
    for act in [Act::PassAndCut, Act::PassAndCutShort] {
        stage.script.play([act]);
        let call = call(1);
        let outcome = stage.put(&call, Precondition::Absent).await.unwrap();
        let first = stage.stored().await.unwrap();
        assert_eq!(outcome, PutOutcome::Done(first.revision.clone()));
        assert_eq!(stage.script.take_operations(), ["PutItem"; 2]);
        stage.script.play([Act::PassAndCut]);
        let outcome = stage
            .put(&call, Precondition::Revision(first.revision))
            .await;
        let second = stage.stored().await.unwrap();
        assert_eq!(outcome, Ok(PutOutcome::Done(second.revision)));
        stage.script.take_seen();
        stage.assert_works().await;
    }
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_not_repeated_where_it_could_happen_twice() {
    let stage = Stage::new().await;
    for act in [Act::PassAndCut, Act::Cut, Act::PassAndCutShort] {
        stage.script.play([act]);
        let outcome = stage.put(&call(1), Precondition::None).await;
        assert_eq!(outcome, Err(StorageError::OutcomeUnknown));
        assert_eq!(stage.script.take_operations(), ["PutItem"]);
    }
    assert!(stage.stored().await.is_some());
    stage.script.play([Act::PassAndCut]);
    let outcome = stage
        .store
        .delete(&call(1), &key("p", "s"), &Precondition::None)
        .await;
    assert_eq!(outcome, Err(StorageError::OutcomeUnknown));
    assert_eq!(stage.stored().await, None);
    stage.assert_works().await;
}

#[tokio::test]
async fn a_connection_that_ended_between_requests_is_replaced_unnoticed() {
    let stage = Stage::new().await;
    for number in 0..3 {
        stage.script.play([Act::PassAndClose]);
        stage.get(&call(number)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        let call = call(10 + number);
        let outcome = stage.put(&call, Precondition::None).await;
        assert!(matches!(outcome, Ok(PutOutcome::Done(_))), "{outcome:?}");
        assert_eq!(report(call).retries, 0);
    }
    stage.assert_works().await;
}

#[tokio::test]
async fn a_repeated_write_that_finds_another_state_does_not_claim_to_have_lost() {
    let stage = Stage::new().await;
    stage.put(&call(5), Precondition::None).await.unwrap();
    let revision = stage.stored().await.unwrap().revision;
    // The delete happens, its response is lost, and the retry finds nothing to delete.
    stage.script.play([Act::Pass, Act::PassAndCut]);
    stage.get(&call(6)).await.unwrap();
    let outcome = stage
        .store
        .delete(&call(1), &key("p", "s"), &Precondition::Revision(revision))
        .await;
    assert_eq!(outcome, Err(StorageError::OutcomeUnknown));
    // The put is refused and the response is lost: it is unknown whose item exists now.
    stage.put(&call(7), Precondition::None).await.unwrap();
    stage.script.play([Act::PassAndCut]);
    let outcome = stage.put(&call(8), Precondition::Absent).await;
    assert_eq!(outcome, Err(StorageError::OutcomeUnknown));
    stage.assert_works().await;
}

#[tokio::test]
async fn an_answer_past_the_deadline_leaves_the_outcome_unknown_in_time() {
    let stage = Stage::new().await;
    let late = Act::PassLate(Duration::from_secs(20));
    for precondition in [Precondition::None, Precondition::Absent] {
        stage.script.play([late.clone()]);
        let started = Instant::now();
        let outcome = stage.put(&soon(), precondition).await;
        assert_eq!(outcome, Err(StorageError::OutcomeUnknown));
        assert!(started.elapsed() < Duration::from_secs(3));
        stage.script.take_seen();
    }
    stage.script.play([late.clone()]);
    assert_eq!(stage.get(&soon()).await, Err(StorageError::Unavailable));
    stage.script.play([late]);
    let outcome = stage.transact(&soon(), None).await;
    assert_eq!(outcome, Err(StorageError::OutcomeUnknown));
    let over = call_until(1, Instant::now());
    stage.script.take_seen();
    assert_eq!(
        stage.put(&over, Precondition::None).await,
        Err(StorageError::Unavailable)
    );
    assert!(stage.script.take_seen().is_empty());
    stage.assert_works().await;
}

#[tokio::test]
async fn a_host_that_may_not_or_a_table_that_is_not_there_is_a_matter_for_the_operator() {
    let stage = Stage::new().await;
    let secret = "arn:aws:dynamodb:eu-central-1:123456789012:table/orders";
    for code in [
        "ExpiredTokenException",
        "UnrecognizedClientException",
        "AccessDeniedException",
        "ResourceNotFoundException",
    ] {
        stage.script.play([error(400, code, secret)]);
        let call = call(1);
        let refused = stage.put(&call, Precondition::None).await.unwrap_err();
        assert_eq!(refused, StorageError::Misconfigured);
        assert!(!refused.to_string().contains("arn"));
        assert_eq!(report(call).faults, [format!("PutItem: {code}: {secret}")]);
        assert_eq!(stage.script.take_operations(), ["PutItem"]);
        stage
            .script
            .play([error(400, code, secret), error(400, code, secret)]);
        let call = super::call(2);
        assert_eq!(stage.get(&call).await, Err(StorageError::Misconfigured));
        let transacted = stage.transact(&call, None).await;
        assert_eq!(transacted, Err(StorageError::Misconfigured));
        stage.script.take_seen();
    }
    assert_eq!(stage.stored().await, None);
    stage.assert_works().await;
}

#[tokio::test]
async fn a_missing_table_is_told_at_start() {
    let store = DynamoDbStorage::new(&options_at(&start().await));
    let error = store.cursor_key(None).await.unwrap_err();
    assert_eq!(error.error, StorageError::Misconfigured);
    assert!(
        error.to_string().contains("ResourceNotFoundException"),
        "{error}"
    );
}

#[tokio::test]
async fn keys_that_a_batch_left_over_are_asked_for_again() {
    let stage = Stage::new().await;
    let keys: Vec<Key> = (0..10)
        .map(|number| key("p", &format!("s{number}")))
        .collect();
    for (number, key) in keys.iter().enumerate() {
        let document = doc(&format!(r#"{{"n":{number}}}"#));
        stage
            .store
            .put(
                &call(number as u64),
                key,
                &document,
                &only_if(Precondition::None),
            )
            .await
            .unwrap();
    }
    stage.script.take_seen();
    let table = &stage.engine.options().table;
    let left = |from: usize| {
        let keys: Vec<_> = keys[from..]
            .iter()
            .map(|key| json!({"pk": {"S": key.partition}, "sk": {"S": key.sort}}))
            .collect();
        json!({"Responses": {}, "UnprocessedKeys": {table: {"Keys": keys, "ConsistentRead": true}}})
    };
    let nothing_done = || Act::Answer(200, left(0).to_string());
    // According to the first response, half of them do not exist; the rest comes from the engine.
    stage
        .script
        .play([nothing_done(), Act::Answer(200, left(5).to_string())]);
    let call = call(50);
    let found = stage
        .store
        .get_many(&call, &keys, Consistency::Strong)
        .await
        .unwrap();
    let is_found: Vec<bool> = found.iter().map(Option::is_some).collect();
    assert_eq!(is_found, [vec![false; 5], vec![true; 5]].concat());
    let seen = stage.script.take_seen();
    assert_eq!(seen.len(), 3);
    let asked = |number: usize| {
        seen[number].body["RequestItems"][table]["Keys"]
            .as_array()
            .map(Vec::len)
    };
    assert_eq!(
        [asked(0), asked(1), asked(2)],
        [Some(10), Some(10), Some(5)]
    );
    assert_eq!(seen[2].body["RequestItems"][table]["ConsistentRead"], true);
    let report = report(call);
    assert_eq!((report.throttles, report.retries), (1, 2));
    stage.script.always(Some(nothing_done()));
    let starved = stage
        .store
        .get_many(&super::call(51), &keys, Consistency::Strong)
        .await;
    assert_eq!(starved, Err(THROTTLED));
    assert_eq!(stage.script.take_seen().len(), 8);
    stage.assert_works().await;
}

#[tokio::test]
async fn a_conflict_of_transactions_is_tried_again_and_then_told() {
    let stage = Stage::new().await;
    let conflicts = [
        cancelled(&["TransactionConflict"]),
        cancelled(&["None", "TransactionConflict"]),
        // A failure beside a conflict may not be the first one.
        cancelled(&["TransactionConflict", "ConditionalCheckFailed"]),
    ];
    stage.script.play(conflicts.clone());
    let call = call(1);
    let outcome = stage.transact(&call, None).await;
    assert!(
        matches!(outcome, Ok(TransactOutcome::Done(_))),
        "{outcome:?}"
    );
    let seen = stage.script.take_seen();
    assert_eq!(seen.len(), 4);
    let token = &seen[0].body["ClientRequestToken"];
    assert!(token.as_str().is_some_and(|token| token.len() == 32));
    assert!(
        seen.iter()
            .all(|seen| &seen.body["ClientRequestToken"] == token)
    );
    let report = report(call);
    assert_eq!((report.throttles, report.retries), (0, 3));
    let [conflict, ..] = conflicts;
    stage.script.always(Some(conflict));
    assert_eq!(
        stage.transact(&super::call(2), None).await,
        Err(StorageError::Conflict)
    );
    let single = error(400, "TransactionConflictException", "ongoing");
    stage.script.always(Some(single));
    assert_eq!(
        stage.put(&super::call(2), Precondition::None).await,
        Err(StorageError::Conflict)
    );
    stage.assert_works().await;
}

#[tokio::test]
async fn a_transaction_whose_answer_is_lost_is_done_once() {
    let stage = Stage::new().await;
    for token in [None, Some("t")] {
        stage.script.play([Act::PassAndCut]);
        let call = call(if token.is_some() { 1 } else { 2 });
        let outcome = stage.transact(&call, token).await.unwrap();
        let revision = stage.stored().await.unwrap().revision;
        assert_eq!(outcome, TransactOutcome::Done(vec![Some(revision)]));
        assert_eq!(stage.script.take_operations(), ["TransactWriteItems"; 2]);
    }
    // The guest repeats the transaction in another request: the token recognises it.
    let first = stage.stored().await.unwrap();
    let again = stage.transact(&call(3), Some("t")).await.unwrap();
    assert_eq!(
        again,
        TransactOutcome::Done(vec![Some(first.revision.clone())])
    );
    assert_eq!(stage.stored().await, Some(first));
    stage.assert_works().await;
}

#[tokio::test]
async fn an_answer_that_is_no_answer_is_uncertain() {
    let stage = Stage::new().await;
    for act in [
        Act::PassAndAnswer(200, "{".to_owned()),
        Act::PassAndAnswer(502, "<html>".to_owned()),
        Act::PassAndAnswer(503, String::new()),
    ] {
        stage.script.play([act.clone()]);
        assert_eq!(stage.get(&call(1)).await, Ok(None), "{act:?}");
        stage.script.play([act.clone()]);
        let call = call(1);
        let outcome = stage.put(&call, Precondition::None).await;
        assert_eq!(outcome, Err(StorageError::OutcomeUnknown), "{act:?}");
        let faults = report(call).faults;
        assert!(!faults[0].contains("html"), "{faults:?}");
        stage.assert_works().await;
    }
}

#[tokio::test]
async fn host_without_credentials_says_so() {
    let mut options = options_at(&start().await);
    options.credentials = SharedCredentialsProvider::new(NoCredentials);
    let error = DynamoDbStorage::new(&options)
        .cursor_key(None)
        .await
        .unwrap_err();
    assert_eq!(error.error, StorageError::Misconfigured);
    assert!(error.to_string().contains("credential"), "{error}");
}

#[derive(Debug)]
struct NoCredentials;

impl aws_sdk_dynamodb::config::ProvideCredentials for NoCredentials {
    fn provide_credentials<'a>(
        &'a self,
    ) -> aws_credential_types::provider::future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let error = aws_credential_types::provider::error::CredentialsError::not_loaded(
            "no credentials here",
        );
        aws_credential_types::provider::future::ProvideCredentials::ready(Err(error))
    }
}
