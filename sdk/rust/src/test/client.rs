//! The client of an application, and its requests.

use super::{TestResponse, store::TestStore};
use crate::{
    App, Caller, Request, Store,
    contract::LogLine,
    host::{Host, Services, Values, never_wait},
    outgoing,
    store::StorageError,
};
use alloc::{borrow::ToOwned, boxed::Box, format, rc::Rc, string::String, sync::Arc, vec::Vec};
use contract::seed::Seed;
use core::cell::{Cell, RefCell};
use serde::Serialize;
use storage::Call;

/// 2026-01-01T00:00:00Z
const NOW_MS: u64 = 1_767_225_600_000;

/// Calls an application natively; made by [`App::test`]. Its store and its log outlive requests; its clock stands still until the test moves
/// it. Two clients that are used in the same way get the same responses.
pub struct TestClient {
    app: App,
    store: Arc<TestStore>,
    log: Rc<RefCell<Vec<LogLine>>>,
    services: RefCell<Option<Services>>,
    secrets: RefCell<Values>,
    now_ms: Cell<u64>,
    seed: Cell<[u8; 32]>,
    requests: Cell<u64>,
}

/// A request that is not sent yet; made by [`TestClient`].
#[must_use = "a request is sent by `send`"]
pub struct TestRequest<'a> {
    client: &'a TestClient,
    request: Request,
    fields: String,
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
            store: Arc::new(TestStore::new()),
            log: Rc::default(),
            services: RefCell::default(),
            secrets: RefCell::default(),
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
        self.store.fail(error);
    }

    /// Answers requests to other services from now on; until then they are not granted. A request that no host sends, such as one with a header
    /// that belongs to the connection, is refused before. See [`mod@crate::outgoing`].
    pub fn answer_outgoing(
        &self,
        answer: impl Fn(&outgoing::Request) -> Result<outgoing::Response, outgoing::Error> + 'static,
    ) {
        *self.services.borrow_mut() = Some(Rc::new(answer));
    }

    /// Gives the application a secret, for every use. See [`mod@crate::secrets`]. Requests to other services keep their placeholders, as they do on tapes.
    pub fn set_secret(&self, name: &str, value: &[u8]) {
        let mut secrets = self.secrets.borrow_mut();
        Rc::make_mut(&mut *secrets).insert(name.to_owned(), value.to_vec());
    }

    /// Lets another request write the item just before each of the next `writes` that have a condition on it, if there is one.
    ///
    /// ```
    /// use serde::{Deserialize, Serialize};
    /// use tenon::{App, Conditions, Problem, Store, store::{Item, Partition}};
    ///
    /// #[derive(Serialize, Deserialize)]
    /// struct Room {
    ///     beds: u32,
    /// }
    ///
    /// const ROOMS: Partition<Room> = Partition::new("rooms");
    ///
    /// fn add_bed(store: Store, conditions: Conditions) -> Result<Item<Room>, Problem> {
    ///     store.update(&ROOMS.key("a"), &conditions, |room| Ok(Room { beds: room.beds + 1 }))
    /// }
    ///
    /// let client = App::new().post("/beds", add_bed).test();
    /// client.store().put(&ROOMS.key("a"), Room { beds: 2 }).send().unwrap();
    /// client.take_storage_calls();
    /// client.lose_races(2);
    /// assert_eq!(client.post("/beds").send().text(), r#"{"beds":3}"#);
    /// assert_eq!(client.take_storage_calls(), ["get", "put", "put", "put"]);
    /// ```
    pub fn lose_races(&self, writes: u32) {
        self.store.lose_races(writes);
    }

    /// The names of the storage calls since the last time that the test asked, its own included.
    pub fn take_storage_calls(&self) -> Vec<&'static str> {
        self.store.take_calls()
    }

    /// All lines that were logged.
    pub fn log_lines(&self) -> Vec<LogLine> {
        self.log.borrow().clone()
    }

    fn send(&self, mut request: Request) -> TestResponse {
        let seed = self.next_seed();
        request.request_id = seed.request_id();
        request.received_at_ms = self.now_ms.get();
        let response = self.app.answer(request, &self.host(&seed));
        TestResponse::checked(response)
    }

    fn host(&self, seed: &Seed) -> Host {
        let log = Rc::clone(&self.log);
        let host = Host::new(
            Arc::<TestStore>::clone(&self.store),
            Rc::new(Call::new(self.now_ms.get(), seed, None)),
            seed,
            Box::new(never_wait),
            Rc::new(move |line| log.borrow_mut().push(line)),
        )
        .with_secrets(Rc::clone(&self.secrets.borrow()));
        match &*self.services.borrow() {
            Some(services) => host.with_services(Rc::clone(services)),
            None => host,
        }
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

impl<'a> TestRequest<'a> {
    fn new(client: &'a TestClient, method: &str, target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            is_https: true,
            authority: "api.example".to_owned(),
            client_address: Some("192.0.2.1".to_owned()),
            ..Request::default()
        };
        Self {
            client,
            request,
            fields: String::new(),
        }
    }

    /// With a header field.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let line = format!("{}: {value}\n", name.to_ascii_lowercase());
        self.fields.push_str(&line);
        self
    }

    /// With JSON content.
    ///
    /// # Panics
    ///
    /// If the value cannot be written as JSON.
    pub fn json(self, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(json) => self.content("application/json", json),
            Err(error) => panic!("the content is not JSON: {error}"),
        }
    }

    /// With content whose media type nothing says.
    pub fn body(mut self, content: impl Into<Vec<u8>>) -> Self {
        self.request.body = content.into();
        self
    }

    /// With content of a media type.
    pub fn content(self, content_type: &str, content: impl Into<Vec<u8>>) -> Self {
        self.body(content).header("content-type", content_type)
    }

    /// From a caller whom an authorizer named, with its claims as an object.
    ///
    /// # Panics
    ///
    /// If the claims cannot be written as JSON.
    pub fn caller(mut self, subject: &str, claims: &impl Serialize) -> Self {
        match serde_json::to_string(claims) {
            Ok(claims) => {
                self.request.caller = Some(Caller {
                    subject: Some(subject.to_owned()),
                    claims,
                });
                self
            }
            Err(error) => panic!("the claims are not JSON: {error}"),
        }
    }

    /// Behind a gateway's stage or base path, such as `/live`.
    pub fn base_path(mut self, base_path: &str) -> Self {
        self.request.base_path = base_path.to_owned();
        self
    }

    /// From a client with this IP address.
    pub fn client_address(mut self, address: &str) -> Self {
        self.request.client_address = Some(address.to_owned());
        self
    }

    /// The application's response.
    pub fn send(mut self) -> TestResponse {
        self.request.headers = self.fields.into();
        self.client.send(self.request)
    }
}
