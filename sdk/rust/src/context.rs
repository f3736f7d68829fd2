//! One exchange, as extractors and responders see it.

use crate::{
    Request,
    clock::Now,
    host::Host,
    log::Log,
    outgoing::Outgoing,
    percent,
    random::{self, Random},
    secrets::Secrets,
    store::Store,
};
use alloc::{rc::Rc, string::String, vec::Vec};
use core::{cell::Cell, fmt, ops::Deref};

/// The request with everything that an answer may follow from: path parameters, store, other services, secrets, log, clock and
/// randomness.
///
/// It dereferences to the [`Request`]. As an argument of a handler it gives access to all of them at once; a copy is cheap.
///
/// ```
/// use tenon::{App, Context};
///
/// fn about(context: Context) -> String {
///     format!("{} {} at {}", context.method, context.path, context.now())
/// }
///
/// let client = App::new().get("/about", about).test();
/// assert_eq!(client.get("/about").send().text(), "GET /about at 2026-01-01T00:00:00.000Z");
/// ```
#[derive(Clone)]
pub struct Context {
    inner: Rc<Inner>,
}

struct Inner {
    request: Request,
    parameters: Vec<(&'static str, String)>,
    host: Host,
    is_replayed: Rc<Cell<bool>>,
}

impl Context {
    pub(crate) fn new(
        request: Request,
        parameters: Vec<(&'static str, String)>,
        host: Host,
    ) -> Self {
        let inner = Inner {
            request,
            parameters,
            host,
            is_replayed: Rc::default(),
        };
        Self {
            inner: Rc::new(inner),
        }
    }

    /// Whether the response is that of an earlier request; set by a transaction that finds its record.
    pub(crate) fn is_replayed(&self) -> &Rc<Cell<bool>> {
        &self.inner.is_replayed
    }

    /// Decoded path parameters by name, in the order of the path.
    pub fn parameters(&self) -> &[(&'static str, String)] {
        &self.inner.parameters
    }

    /// The store.
    pub fn store(&self) -> Store {
        Store::new(self.inner.host.clone())
    }

    /// Other services.
    pub fn outgoing(&self) -> Outgoing {
        Outgoing::new(self.inner.host.clone())
    }

    /// The API's secrets.
    pub fn secrets(&self) -> Secrets {
        Secrets::new(self.inner.host.clone())
    }

    /// The log.
    pub fn log(&self) -> Log {
        Log::new(self.inner.host.clone())
    }

    /// When the host received the request; the only time that a request has.
    pub fn now(&self) -> Now {
        Now::from_ms(self.inner.request.received_at_ms)
    }

    /// Random numbers.
    pub fn random(&self) -> Random {
        Random::new(self.inner.host.clone())
    }

    /// A new UUID of version 7: in the order of creation.
    pub fn uuid(&self) -> String {
        random::uuid_v7(self.inner.request.received_at_ms, &self.random())
    }

    /// The path of a resource of this API in the client's URL: the base path and the percent-encoded segments.
    ///
    /// A reference without the base path would lead out of the API behind a stage or a custom domain.
    pub fn reference<S: AsRef<str>>(&self, segments: impl IntoIterator<Item = S>) -> String {
        let mut reference = self.inner.request.base_path.clone();
        for segment in segments {
            reference.push('/');
            percent::encode_into(&mut reference, segment.as_ref());
        }
        reference
    }
}

impl Deref for Context {
    type Target = Request;

    fn deref(&self) -> &Request {
        &self.inner.request
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Context")
            .field("request", &self.inner.request)
            .field("parameters", &self.inner.parameters)
            .finish_non_exhaustive()
    }
}
