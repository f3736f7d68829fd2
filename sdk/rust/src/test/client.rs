//! The client of an application.

use super::{TestRequest, TestResponse};
use crate::{
    App, Request, Store,
    contract::LogLine,
    host::{Host, TestHost},
    store::StorageError,
};
use alloc::{rc::Rc, vec::Vec};
use contract::seed::Seed;
use core::cell::Cell;

/// 2026-01-01T00:00:00Z
const NOW_MS: u64 = 1_767_225_600_000;

/// Calls an application natively; made by [`App::test`]. Its store and its log outlive requests; its clock stands still until the test moves
/// it. Two clients that are used in the same way get the same responses.
pub struct TestClient {
    app: App,
    host: Rc<TestHost>,
    now_ms: Cell<u64>,
    seed: Cell<[u8; 32]>,
    requests: Cell<u64>,
}

impl App {
    /// A client that calls this application natively, with a store in memory; see [`test`](crate::test).
    pub fn test(self) -> TestClient {
        TestClient::new(self)
    }
}

impl TestClient {
    fn new(app: App) -> Self {
        Self {
            app,
            host: Rc::new(TestHost::new()),
            now_ms: Cell::new(NOW_MS),
            seed: Cell::new([0; 32]),
            requests: Cell::new(0),
        }
    }

    /// A GET request for a path with its query.
    pub fn get(&self, target: &str) -> TestRequest<'_> {
        self.request("GET", target)
    }

    /// A POST request.
    pub fn post(&self, target: &str) -> TestRequest<'_> {
        self.request("POST", target)
    }

    /// A PUT request.
    pub fn put(&self, target: &str) -> TestRequest<'_> {
        self.request("PUT", target)
    }

    /// A PATCH request.
    pub fn patch(&self, target: &str) -> TestRequest<'_> {
        self.request("PATCH", target)
    }

    /// A DELETE request.
    pub fn delete(&self, target: &str) -> TestRequest<'_> {
        self.request("DELETE", target)
    }

    /// A request with any method.
    pub fn request(&self, method: &str, target: &str) -> TestRequest<'_> {
        TestRequest::new(self, method, target)
    }

    /// The time of the requests from now on, in milliseconds since the Unix epoch; at first 2026-01-01T00:00:00Z.
    pub fn set_time(&self, ms: u64) {
        self.now_ms.set(ms);
    }

    /// Moves the time forward.
    pub fn advance(&self, ms: u64) {
        self.now_ms.set(self.now_ms.get().saturating_add(ms));
    }

    /// The seed from which the random numbers and revisions of the requests from now on follow; each request has its own.
    pub fn set_seed(&self, seed: [u8; 32]) {
        self.seed.set(seed);
        self.requests.set(0);
    }

    /// The application's store, to prepare it or to look into it.
    pub fn store(&self) -> Store {
        let seed = self.next_seed();
        Store::new(self.host(&seed))
    }

    /// Lets the next storage call fail; called again, the one after it.
    pub fn fail_storage(&self, error: StorageError) {
        self.host.fail(error);
    }

    /// All lines that were logged.
    pub fn log_lines(&self) -> Vec<LogLine> {
        self.host.log_lines()
    }

    pub(super) fn send(&self, mut request: Request) -> TestResponse {
        let seed = self.next_seed();
        request.request_id = seed.request_id();
        request.received_at_ms = self.now_ms.get();
        let response = self.app.answer(request, &self.host(&seed));
        TestResponse::checked(response)
    }

    fn host(&self, seed: &Seed) -> Host {
        Host::new(Rc::clone(&self.host), self.now_ms.get(), seed)
    }

    fn next_seed(&self) -> Seed {
        let mut bytes = self.seed.get();
        for (byte, number) in bytes.iter_mut().zip(self.requests.get().to_le_bytes()) {
            *byte ^= number;
        }
        self.requests.set(self.requests.get() + 1);
        Seed::new(bytes)
    }
}
