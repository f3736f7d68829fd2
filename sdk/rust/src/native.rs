//! Running an API in a native program on a store of its own: for a comparison with the component. Tests have [`App::test`].

use crate::{
    App, Request, Response,
    contract::LogLine,
    host::{Host, Wait, never_wait},
};
use alloc::{boxed::Box, rc::Rc, sync::Arc};
use contract::seed::Seed;
use storage::{Call, Storage};

/// What a host gives to one request.
pub struct NativeHost {
    /// The store, as a guest sees it.
    pub storage: Arc<dyn Storage>,
    /// The time of the request, and what the store reports about it.
    pub call: Rc<Call>,
    /// What randomness follows from.
    pub seed: Seed,
    /// Runs a future of the store to its end, because handlers are synchronous.
    pub wait: Wait,
    /// Takes the lines of the log.
    pub log: Rc<dyn Fn(LogLine)>,
}

impl NativeHost {
    /// For a store that responds at once, and a log that nobody reads.
    pub fn in_memory(storage: Arc<dyn Storage>, now_ms: u64, seed: Seed) -> Self {
        Self {
            storage,
            call: Rc::new(Call::new(now_ms, &seed, None)),
            seed,
            wait: Box::new(never_wait),
            log: Rc::new(|_| {}),
        }
    }
}

impl App {
    /// Answers a request natively.
    pub fn answer_natively(&self, request: Request, host: NativeHost) -> Response {
        let NativeHost {
            storage,
            call,
            seed,
            wait,
            log,
        } = host;
        self.answer(request, &Host::new(storage, call, &seed, wait, log))
    }
}
