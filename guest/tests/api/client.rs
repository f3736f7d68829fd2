//! A client of the API, with the store in memory and the rules of the hosts.

use serde_json::Value;
use tenon::{
    json::Document,
    store::{Key, Partition, StorageError},
    test::TestClient,
};

/// 2026-01-02T03:04:05.678Z
pub const NOW_MS: u64 = 1_767_323_045_678;
/// The record of the idempotency key `k` of a caller without a name, whose partition has the SHA-256 of `-|k`.
const RECORD_OF_K: Partition<Document> =
    Partition::new("idempotency/45fe9ee121b43207b07d9f78967a8419dc3b7b44681009a6e1899e50b79c1a20");

pub struct Client {
    inner: TestClient,
    /// The base path that the gateway is said to have removed.
    pub base_path: &'static str,
}

pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl Client {
    pub fn new() -> Self {
        let inner = guest::app().test();
        inner.set_time(NOW_MS);
        Self {
            inner,
            base_path: "",
        }
    }

    pub fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response {
        self.send_as(None, method, target, headers, body)
    }

    pub fn send_as(
        &self,
        subject: Option<&str>,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response {
        let request = self.inner.request(method, target).base_path(self.base_path);
        let mut request = request.body(body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if let Some(subject) = subject {
            request = request.caller(subject, &serde_json::json!({}));
        }
        let response = request.send();
        Response {
            status: response.status(),
            headers: response
                .headers()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            body: response.body().to_vec(),
        }
    }

    pub fn get(&self, target: &str) -> Response {
        self.send("GET", target, &[], "")
    }

    pub fn put(&self, id: &str, body: &str) -> Response {
        self.send(
            "PUT",
            &format!("/items/{id}"),
            &[("content-type", "application/json")],
            body,
        )
    }

    pub fn set_time(&self, ms: u64) {
        self.inner.set_time(ms);
    }

    /// Lets the next storage call fail.
    pub fn fail_storage(&self, error: StorageError) {
        self.inner.fail_storage(error);
    }

    /// Lets so many of the next conditional writes lose against another request.
    pub fn lose_races(&self, writes: u32) {
        self.inner.lose_races(writes);
    }

    /// The storage calls since the last time.
    pub fn calls(&self) -> Vec<&'static str> {
        self.inner.take_storage_calls()
    }

    pub fn log(&self) -> Vec<String> {
        let lines = self.inner.log_lines();
        lines.iter().map(|line| format!("{line:?}")).collect()
    }

    /// Stores an item that no client could create.
    pub fn store_item(&self, id: &str, document: &'static str) {
        self.write(&Partition::named("items").key(id), document);
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        let store = self.inner.store();
        let items = store.query(&Partition::<Document>::new("items"));
        items.page().expect("a page").items.len()
    }

    /// What the store has for the idempotency key `k`, as text.
    pub fn record_of_k(&self) -> Option<Document> {
        let key = RECORD_OF_K.key("-");
        let record = self.inner.store().get(&key).expect("a read");
        record.map(|record| record.value)
    }

    pub fn store_record_of_k(&self, document: &'static str) {
        self.write(&RECORD_OF_K.key("-"), document);
    }

    fn write(&self, key: &Key<Document>, document: &'static str) {
        let store = self.inner.store();
        store
            .put(key, Document::new(document))
            .send()
            .expect("a write");
    }
}

/// The content as JSON.
pub fn json(response: &Response) -> Value {
    serde_json::from_slice(&response.body).expect("the content is JSON")
}

/// Checks that the response is exactly this problem.
#[track_caller]
pub fn assert_problem(response: &Response, status: u16, code: &str) -> Value {
    let problem = json(response);
    assert_eq!(
        (response.status, problem["code"].as_str()),
        (status, Some(code)),
        "{problem}"
    );
    assert_eq!(
        response.header("content-type"),
        Some("application/problem+json")
    );
    assert_eq!(problem["status"], status);
    assert_eq!(problem["type"], "about:blank");
    assert_eq!(problem["request_id"].as_str().map(str::len), Some(32));
    assert_eq!(response.header("cache-control"), Some("no-store"));
    problem
}
