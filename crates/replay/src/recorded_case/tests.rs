//! A case made of a recording has what the request saw before and what it left behind, and where that cannot be known there is none.

use super::*;
use storage::{
    Consistency, CursorKey, Direction, Precondition, PutOptions, QueryOptions, SortRange,
    StorageExt as _,
};
use tape::{RecordOptions, RecordingStorage, TapePolicy};

const NOW_MS: u64 = 1_700_000_000_000;

/// A store with two items, whose calls are recorded.
struct Recorded {
    store: Arc<MemoryStorage>,
    recording: RecordingStorage,
    call: Call,
}

impl Recorded {
    async fn new() -> Self {
        let store = Arc::new(MemoryStorage::new());
        let whole: Arc<dyn Storage> = store.clone();
        // Not the key of replays: cursors of a real store are not valid for a case.
        let view = local_view(whole, CursorKey::new([9; 32]));
        let earlier = Call::new(NOW_MS - 1, &Seed::new([3; 32]), None);
        for sort in ["1", "2"] {
            let document = format!(r#"{{"n":{sort}}}"#).parse().unwrap();
            let (key, options) = (key(sort), options(Precondition::None));
            let put = view.put(&earlier, &key, &document, &options);
            put.await.unwrap();
        }
        Self {
            store,
            recording: RecordingStorage::new(view, Arc::new(RecordOptions::new(TapePolicy::ALL))),
            call: Call::new(NOW_MS, &Seed::new([7; 32]), None),
        }
    }

    fn line(&self, seed: &str) -> String {
        let calls = String::from_utf8(self.recording.written()).unwrap();
        format!(
            r#"{{"tenon_tape":1,"id":"x","received_at_ms":{NOW_MS},"guest":"{}","seed":{seed},"event":{{"httpMethod":"GET"}},"calls":[{calls}],"response":{{"statusCode":200,"body":"{{}}"}}}}"#,
            "0".repeat(64)
        )
    }

    /// The case, or why there is none.
    async fn case(&self) -> Result<(Case, Vec<Note>), String> {
        let line = self.line(&format!("\"{}\"", "07".repeat(32)));
        case_of_line(&line).await
    }

    async fn query(&self, limit: u32, cursor: Option<String>) -> Option<String> {
        let options = QueryOptions {
            range: SortRange::All,
            direction: Direction::Ascending,
            limit,
            cursor,
        };
        let page = self
            .recording
            .query(&self.call, "p", Consistency::Strong, &options);
        page.await.unwrap().cursor
    }
}

async fn case_of_line(line: &str) -> Result<(Case, Vec<Note>), String> {
    let exchange = Exchange::read(line.as_bytes()).unwrap();
    let case = case_of(&exchange, Path::new("cases/x"), None).await;
    case.map_err(|error| error.to_string())
}

fn key(sort: &str) -> Key {
    Key {
        partition: "p".to_owned(),
        sort: sort.to_owned(),
    }
}

fn options(precondition: Precondition) -> PutOptions {
    PutOptions {
        precondition,
        index: None,
        expires_at: None,
    }
}

#[tokio::test]
async fn it_has_what_the_request_saw_and_what_it_left_behind() {
    let recorded = Recorded::new().await;
    let (storage, call) = (&recorded.recording, &recorded.call);
    let found = storage.get(call, &key("1"), Consistency::Strong).await;
    let found = found.unwrap().unwrap();
    let missing = storage.get(call, &key("3"), Consistency::Strong).await;
    assert_eq!(missing, Ok(None));
    let document = r#"{"n":10}"#.parse().unwrap();
    let replaced = options(Precondition::Revision(found.revision.clone()));
    storage
        .put(call, &key("1"), &document, &replaced)
        .await
        .unwrap();
    let created = options(Precondition::Absent);
    storage
        .put(call, &key("3"), &document, &created)
        .await
        .unwrap();
    let (case, notes) = recorded.case().await.unwrap();
    assert_eq!(notes, []);
    let revision = found.revision.as_str();
    assert_eq!(
        case.before,
        json!([{"partition": "p", "sort": "1", "document": {"n": 1}, "revision": revision}])
    );
    // The other item was never read, so it is in neither.
    let namespace = Namespace::local();
    let stored = recorded.store.namespace_entries(&namespace, NOW_MS);
    let mut stored = stored.unwrap();
    stored.retain(|entry| entry.key.sort != "2");
    assert_eq!(case.after, Some(to_value(&stored)));
    assert_eq!(stored.len(), 2);
    assert_eq!(case.response, Some(json!({"statusCode": 200, "body": {}})));
    assert_eq!(case.inputs.seed, Some(Seed::new([7; 32])));
    assert_eq!(case.inputs.received_at_ms, Some(NOW_MS));
}

#[tokio::test]
async fn a_whole_list_is_enough_and_a_page_of_it_is_not() {
    let recorded = Recorded::new().await;
    assert_eq!(recorded.query(10, None).await, None);
    let (case, _) = recorded.case().await.unwrap();
    assert_eq!(case.before.as_array().map(Vec::len), Some(2));
    assert_eq!(case.after, Some(case.before));

    let recorded = Recorded::new().await;
    let cursor = recorded.query(1, None).await;
    assert!(cursor.is_some());
    let error = recorded.case().await.unwrap_err();
    assert_eq!(
        error,
        "storage call 1, `query`, read a page with more entries behind it, which the recording does not contain"
    );

    let further = Recorded::new().await;
    further.query(1, cursor).await;
    let error = further.case().await.unwrap_err();
    assert!(error.contains("continues a page"), "{error}");
}

#[tokio::test]
async fn an_item_that_was_only_required_to_exist_has_no_content() {
    let recorded = Recorded::new().await;
    let (storage, call) = (&recorded.recording, &recorded.call);
    storage
        .delete(call, &key("2"), &Precondition::Present)
        .await
        .unwrap();
    let (case, notes) = recorded.case().await.unwrap();
    assert_eq!(
        case.before,
        json!([{"partition": "p", "sort": "2", "document": {}, "revision": "unknown"}])
    );
    assert_eq!(case.after, Some(json!([])));
    assert!(notes[0].text.contains("`p` / `2` existed"), "{notes:?}");
}

#[tokio::test]
async fn what_would_come_out_differently_is_refused() {
    let recorded = Recorded::new().await;
    let (storage, call) = (&recorded.recording, &recorded.call);
    let document = r#"{"n":10}"#.parse().unwrap();
    let none = options(Precondition::None);
    storage
        .put(call, &key("4"), &document, &none)
        .await
        .unwrap();
    let error = case_of_line(&recorded.line("null")).await.unwrap_err();
    assert!(error.contains("seed is not in the recording"), "{error}");
    // Another seed makes other revisions.
    let other = format!("\"{}\"", "08".repeat(32));
    let error = case_of_line(&recorded.line(&other)).await.unwrap_err();
    assert!(
        error.contains("call 1, `put`, gets another result"),
        "{error}"
    );
    let seed = format!("\"{}\"", "07".repeat(32));
    let line = recorded.line(&seed);
    for (from, to, reason) in [
        (
            r#","response":{"#,
            r#","omitted":[{"at":"/response/body","bytes":9,"sha256":"SHA"}],"response":{"#,
            "`/response/body` is not in the recording",
        ),
        (
            r#","response":{"#,
            r#","fault":{"kind":"deadline","detail":"x"},"response":{"#,
            "failed with `deadline`",
        ),
        (
            r#","event":{"#,
            r#","host":{"base_path":"/shop"},"event":{"#,
            "removed `/shop` from the path",
        ),
        (r#"{"done""#, r#"{"gone""#, "call 1: unknown variant `gone`"),
    ] {
        let changed = line.replace(from, &to.replace("SHA", &"0".repeat(64)));
        assert_ne!(changed, line, "{reason}");
        let error = case_of_line(&changed).await.unwrap_err();
        assert!(error.contains(reason), "{error}");
    }
}

/// A redacted case has no copy of a credential whose name is only in what the case leaves out.
#[tokio::test]
async fn credentials_of_log_lines_and_of_documents_in_between_are_removed() {
    let recorded = Recorded::new().await;
    let (storage, call) = (&recorded.recording, &recorded.call);
    let document = r#"{"n":"from-a-document"}"#.parse().unwrap();
    let (key, none) = (key("3"), Precondition::None);
    let options = options(none.clone());
    let put = storage.put(call, &key, &document, &options).await;
    put.unwrap();
    storage.delete(call, &key, &none).await.unwrap();
    let line = recorded.line(&format!("\"{}\"", "07".repeat(32)));
    let logs = r#""logs":[{"level":"info","message":"made","attributes":{"api_key":"from-a-line"},"after":2}]"#;
    let response = r#""response":{"statusCode":200,"body":"from-a-line and from-a-document"}"#;
    let answered = r#""response":{"statusCode":200,"body":"{}"}"#;
    assert!(line.contains(answered));
    let line = line.replace(answered, &format!("{logs},{response}"));
    // The test's recording is redacted: the name of a credential is given afterwards.
    let line = line.replace(r#""n":"from"#, r#""secret":"from"#);
    let exchange = Exchange::read(line.as_bytes()).unwrap();
    let redaction = Redaction::credentials();
    let (case, _) = case_of(&exchange, Path::new("cases/x"), Some(&redaction))
        .await
        .unwrap();
    let response = case.response.unwrap().to_string();
    assert!(response.contains(" and "), "{response}");
    assert!(!response.contains("from-a-"), "{response}");
}
