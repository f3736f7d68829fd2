//! A host in memory that can be told to fail and to lose races, and a client for it.

use guest::{
    http::{Request, Response},
    ports::{
        Consistency, DeleteOutcome, Direction, Host, Key, Level, Page, PageRequest, Precondition,
        Put, PutOutcome, StorageError, Stored, TransactOutcome,
    },
};
use serde_json::Value;
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
};

/// 2026-01-02T03:04:05.678Z
pub const NOW_MS: u64 = 1_767_323_045_678;

#[derive(Default)]
pub struct FakeHost {
    items: RefCell<BTreeMap<Key, Stored>>,
    counter: Cell<u64>,
    /// What the next storage call fails with.
    pub failure: RefCell<Option<StorageError>>,
    /// How many of the next conditional writes lose against another request.
    pub races: Cell<u32>,
    pub now_ms: Cell<u64>,
    /// The base path that the gateway is said to have removed.
    pub base_path: &'static str,
    pub calls: RefCell<Vec<&'static str>>,
    pub log: RefCell<Vec<String>>,
}

impl FakeHost {
    pub fn new() -> Self {
        Self {
            now_ms: Cell::new(NOW_MS),
            ..Self::default()
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
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let request = Request {
            method: method.into(),
            path: path.into(),
            query: query.into(),
            headers: headers
                .iter()
                .map(|(name, value)| format!("{name}: {value}\n"))
                .collect::<String>()
                .into(),
            body: body.into(),
            base_path: self.base_path.into(),
            request_id: "request-1".into(),
            received_at_ms: self.now_ms.get(),
            subject: subject.map(Into::into),
        };
        guest::handle(&request, self)
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

    /// Stores an item that no client could create.
    pub fn store(&self, partition: &str, sort: &str, document: &str) {
        let key = Key {
            partition: partition.into(),
            sort: sort.into(),
        };
        let item = Stored {
            document: document.into(),
            revision: self.next("r"),
            index: None,
            expires_at: None,
        };
        self.items.borrow_mut().insert(key, item);
    }

    pub fn len(&self) -> usize {
        self.items.borrow().len()
    }

    pub fn document_sizes(&self) -> Vec<usize> {
        let items = self.items.borrow();
        items.values().map(|item| item.document.len()).collect()
    }

    fn next(&self, prefix: &str) -> String {
        self.counter.set(self.counter.get() + 1);
        format!("{prefix}{}", self.counter.get())
    }

    fn enter(&self, call: &'static str) -> Result<(), StorageError> {
        self.calls.borrow_mut().push(call);
        self.failure.take().map_or(Ok(()), Err)
    }

    fn find(&self, key: &Key) -> Option<Stored> {
        let item = self.items.borrow().get(key).cloned();
        item.filter(|item| {
            item.expires_at
                .is_none_or(|seconds| seconds > self.now_ms.get() / 1000)
        })
    }

    /// The existing item, if the precondition does not hold.
    fn violated(&self, key: &Key, precondition: &Precondition) -> Option<Option<Stored>> {
        if self.races.get() > 0 {
            self.races.set(self.races.get() - 1);
            let revision = self.next("raced");
            if let Some(item) = self.items.borrow_mut().get_mut(key) {
                item.revision = revision;
            }
        }
        let item = self.find(key);
        let holds = match precondition {
            Precondition::None => true,
            Precondition::Absent => item.is_none(),
            Precondition::Present => item.is_some(),
            Precondition::Revision(revision) => {
                item.as_ref().is_some_and(|item| item.revision == *revision)
            }
        };
        (!holds).then_some(item)
    }

    fn write(&self, put: &Put) -> String {
        let document: Value = serde_json::from_str(&put.document).expect("a document is JSON");
        assert!(document.is_object(), "a document is an object");
        let revision = self.next("r");
        let item = Stored {
            document: document.to_string(),
            revision: revision.clone(),
            index: put.index.clone(),
            expires_at: put.expires_at,
        };
        self.items.borrow_mut().insert(put.key.clone(), item);
        revision
    }

    fn page(
        &self,
        mut found: Vec<(String, Stored)>,
        page: &PageRequest,
    ) -> Result<Page, StorageError> {
        if page.direction == Direction::Descending {
            found.reverse();
        }
        let start = match &page.cursor {
            None => 0,
            Some(cursor) => {
                let after = cursor
                    .strip_prefix("after/")
                    .ok_or(StorageError::Invalid("cursor".into()))?;
                found
                    .iter()
                    .position(|(sort, _)| sort == after)
                    .map_or(0, |position| position + 1)
            }
        };
        let rest = &found[start..];
        let taken = &rest[..rest.len().min(page.limit as usize)];
        Ok(Page {
            items: taken.iter().map(|(_, item)| item.clone()).collect(),
            cursor: if taken.len() < rest.len() {
                taken.last().map(|(sort, _)| format!("after/{sort}"))
            } else {
                None
            },
        })
    }
}

impl Host for FakeHost {
    fn get(&self, key: &Key, consistency: Consistency) -> Result<Option<Stored>, StorageError> {
        assert_eq!(
            consistency,
            Consistency::Strong,
            "single items are read strongly"
        );
        self.enter("get")?;
        Ok(self.find(key))
    }

    fn get_many(&self, keys: &[Key], _: Consistency) -> Result<Vec<Option<Stored>>, StorageError> {
        self.enter("get-many")?;
        Ok(keys.iter().map(|key| self.find(key)).collect())
    }

    fn put(&self, put: &Put) -> Result<PutOutcome, StorageError> {
        self.enter("put")?;
        Ok(match self.violated(&put.key, &put.precondition) {
            Some(item) => PutOutcome::PreconditionFailed(item),
            None => PutOutcome::Done(self.write(put)),
        })
    }

    fn delete(
        &self,
        key: &Key,
        precondition: &Precondition,
    ) -> Result<DeleteOutcome, StorageError> {
        self.enter("delete")?;
        Ok(match self.violated(key, precondition) {
            Some(item) => DeleteOutcome::PreconditionFailed(item),
            None => {
                self.items.borrow_mut().remove(key);
                DeleteOutcome::Done
            }
        })
    }

    fn query(
        &self,
        partition: &str,
        _: Consistency,
        page: &PageRequest,
    ) -> Result<Page, StorageError> {
        self.enter("query")?;
        let items = self.items.borrow();
        let found = items.iter().filter(|(key, _)| key.partition == partition);
        self.page(
            found
                .map(|(key, item)| (key.sort.clone(), item.clone()))
                .collect(),
            page,
        )
    }

    fn query_index(&self, partition: &str, page: &PageRequest) -> Result<Page, StorageError> {
        self.enter("query-index")?;
        let items = self.items.borrow();
        let mut found: Vec<_> = items
            .values()
            .filter_map(|item| Some((item.index.as_ref()?, item)))
            .filter(|(index, _)| index.partition == partition)
            .map(|(index, item)| (index.sort.clone(), item.clone()))
            .collect();
        found.sort_by(|one, other| one.0.cmp(&other.0));
        self.page(found, page)
    }

    fn transact(&self, puts: &[Put]) -> Result<TransactOutcome, StorageError> {
        self.enter("transact")?;
        for (position, put) in puts.iter().enumerate() {
            if let Some(item) = self.violated(&put.key, &put.precondition) {
                return Ok(TransactOutcome::PreconditionFailed {
                    position: position as u32,
                    item,
                });
            }
        }
        Ok(TransactOutcome::Done(
            puts.iter().map(|put| Some(self.write(put))).collect(),
        ))
    }

    fn random_u64(&self) -> u64 {
        self.counter.set(self.counter.get() + 1);
        self.counter.get() << 8
    }

    fn log(&self, level: Level, message: &str, attributes: &[(&str, &str)]) {
        self.log
            .borrow_mut()
            .push(format!("{level:?} {message} {attributes:?}"));
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
    assert_eq!(problem["request_id"], "request-1");
    assert_eq!(response.header("cache-control"), Some("no-store"));
    problem
}
