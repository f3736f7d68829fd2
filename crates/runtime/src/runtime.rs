//! Runs a guest: one fresh instance per request, within bounds.

mod failure;
mod logs;
mod meter;
mod prewarm;

pub use crate::wasi::Environment;
pub(crate) use prewarm::PrewarmedInstances;

use crate::{
    bindings::{
        Platform, PlatformPre, exports::tenon::handler::handler as wit,
        tenon::handler::http as wit_http,
    },
    engine::{Engine, Guest, InstancePool, LoadError},
    imports,
    wasi::Wasi,
};
use contract::{
    digest::Digest,
    http::{Identity, PathFidelity, Request, Response, Scheme},
    limits::{HOST_CALL_BYTES_MAX, Limits},
    log::{LogLevel, LogRecord},
    outcome::{Failure, StorageReport, Usage},
    seed::Seed,
};
use logs::Logs;
use meter::Meter;
use std::{
    mem,
    pin::pin,
    sync::{Arc, LazyLock, atomic::AtomicBool},
    time::{Duration, Instant},
};
use storage::{Call, MemoryStorage, Storage};
use tokio::time::timeout_at;
use wasmtime::{Store, UpdateDeadline};

/// A guest that is linked and ready to be instantiated. Cheap to clone; shared by all requests.
#[derive(Clone)]
pub struct Runtime {
    engine: Engine,
    origin: Origin,
}

/// What instances are made of.
#[derive(Clone)]
struct Origin {
    guest: Arc<Linked>,
    options: Arc<RuntimeOptions>,
}

/// A guest that is linked.
struct Linked {
    digest: Digest,
    /// For each pool of the engine.
    pools: Box<[PlatformPre<State>]>,
    /// Its start needs answers that only a request has.
    calls_at_start: AtomicBool,
}

/// What a guest gets beside its requests.
#[derive(Clone, Debug)]
pub struct RuntimeOptions {
    /// Bounds of one request.
    pub limits: Limits,
    /// What `wasi:cli/environment` returns.
    pub environment: Environment,
    /// Less severe guest log lines are dropped.
    pub log_level: LogLevel,
}

impl Default for RuntimeOptions {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            environment: Environment::from([]),
            log_level: LogLevel::Info,
        }
    }
}

/// What a request's run follows from, beside the request itself.
pub struct Run {
    /// The guest's view of the store.
    pub storage: Arc<dyn Storage>,
    /// Source of everything random.
    pub seed: Seed,
    /// When the answer has to be there.
    pub deadline: Instant,
    /// What calls to the store carry on, see [`Call::trace_header`].
    pub trace_header: Option<String>,
}

/// What came of one request.
#[derive(Debug)]
pub struct Outcome {
    /// The guest's answer, not yet checked, or why there is none.
    pub result: Result<Response, Failure>,
    /// The guest's log lines, output included.
    pub logs: Vec<LogRecord>,
    /// Functions of the guest that were active when it failed, the innermost first.
    pub backtrace: Vec<String>,
    /// What it used.
    pub usage: Usage,
    /// What the store did for it.
    pub storage: StorageReport,
}

impl Outcome {
    /// Of a request that never got an instance.
    fn busy(total_duration: Duration) -> Self {
        Self {
            result: Err(Failure::Busy),
            logs: Vec::new(),
            backtrace: Vec::new(),
            usage: Usage {
                total_duration,
                ..Usage::default()
            },
            storage: StorageReport::default(),
        }
    }
}

/// Everything that the imports of one request work on.
pub(crate) struct State {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) call: Call,
    pub(crate) wasi: Wasi,
    pub(crate) logs: Logs,
    pub(crate) meter: Meter,
    backtrace: Vec<String>,
}

/// The store of whom no request was given: there are no calls to make either.
static NO_STORAGE: LazyLock<Arc<dyn Storage>> = LazyLock::new(|| Arc::new(MemoryStorage::new()));

impl State {
    fn new(options: &RuntimeOptions, received_at_ms: u64, run: Run) -> Self {
        Self {
            call: Call::new(received_at_ms, &run.seed, Some(run.deadline))
                .with_trace_header(run.trace_header),
            storage: run.storage,
            wasi: Wasi::new(options.environment.clone(), received_at_ms, run.seed),
            logs: Logs::new(options.log_level),
            meter: Meter::new(&options.limits),
            backtrace: Vec::new(),
        }
    }

    /// Of no request: a call of the guest traps.
    fn idle(options: &RuntimeOptions) -> Self {
        let seed = Seed::new([0; 32]);
        Self {
            call: Call::new(0, &seed, None),
            storage: NO_STORAGE.clone(),
            wasi: Wasi::new(options.environment.clone(), 0, seed),
            logs: Logs::new(options.log_level),
            meter: Meter::idle(&options.limits),
            backtrace: Vec::new(),
        }
    }

    /// Adds a log line of the guest.
    pub(crate) fn log(
        &mut self,
        level: LogLevel,
        message: String,
        attributes: impl IntoIterator<Item = (String, String)>,
    ) {
        let storage_calls = self.meter.storage_calls();
        self.logs.write(storage_calls, level, message, attributes);
    }
}

impl Runtime {
    /// Links a guest.
    pub fn new(engine: &Engine, guest: &Guest, options: RuntimeOptions) -> Result<Self, LoadError> {
        let mismatch = |error: wasmtime::Error| LoadError::TypeMismatch(format!("{error:#}"));
        let pools = engine.pools().iter().zip(guest.components.iter());
        let pools = pools.map(|(pool, component)| {
            let linker = imports::linker(&pool.wasmtime, component)?;
            PlatformPre::new(linker.instantiate_pre(component)?)
        });
        Ok(Self {
            engine: engine.clone(),
            origin: Origin {
                guest: Arc::new(Linked {
                    digest: guest.digest(),
                    pools: pools.collect::<wasmtime::Result<_>>().map_err(mismatch)?,
                    calls_at_start: AtomicBool::new(false),
                }),
                options: Arc::new(options),
            },
        })
    }

    /// SHA-256 of the component.
    pub fn digest(&self) -> Digest {
        self.origin.guest.digest
    }

    /// Bounds of one request.
    pub fn limits(&self) -> &Limits {
        &self.origin.options.limits
    }

    /// What the guest gets beside its requests.
    pub fn options(&self) -> &RuntimeOptions {
        &self.origin.options
    }

    /// The same guest, linked once, under other options.
    #[must_use]
    pub fn with_options(&self, options: RuntimeOptions) -> Self {
        let guest = self.origin.guest.clone();
        Self {
            engine: self.engine.clone(),
            origin: Origin {
                guest,
                options: Arc::new(options),
            },
        }
    }

    /// Lets the guest answer one request. Whatever the guest does, this returns by the deadline, give or take one tick of the epoch.
    pub async fn handle(&self, request: Request, run: Run) -> Outcome {
        let started = Instant::now();
        let deadline = run.deadline;
        // Before the store, so that it is dropped after it, also when this future is dropped half-way.
        let Ok(permit) = timeout_at(deadline.into(), self.engine.acquire()).await else {
            return Outcome::busy(started.elapsed());
        };
        let pool = &self.engine.pools()[permit.pool];
        let (mut store, instance) = self.prepare(pool, &request, run);
        let result = {
            // Pinned where it is: it is too large to be moved for every request.
            let call = pin!(self.call(permit.pool, &mut store, instance, request, deadline));
            let answer = timeout_at(deadline.into(), call).await;
            answer.unwrap_or(Err(Failure::Deadline))
        };
        let fuel = self
            .engine
            .is_metered()
            .then(|| FUEL_MAX - store.get_fuel().unwrap_or(FUEL_MAX));
        let mut state = match &pool.prewarmed {
            Some(prewarmed) => {
                let state = mem::replace(store.data_mut(), State::idle(&self.origin.options));
                prewarmed.defer_drop(store, permit, self.origin.clone());
                state
            }
            // The store holds the instance. Were its place given up any earlier, the next request would find the pool full.
            None => {
                let state = store.into_data();
                drop(permit);
                state
            }
        };
        state.flush_output();
        Outcome {
            result,
            logs: state.logs.finish(state.meter.storage_calls()),
            backtrace: state.backtrace,
            usage: Usage {
                fuel,
                ..state.meter.usage(started.elapsed())
            },
            storage: state.call.into_report(),
        }
    }

    /// A store for one request, with an instance where one is ready.
    fn prepare(
        &self,
        pool: &InstancePool,
        request: &Request,
        run: Run,
    ) -> (Store<State>, Option<Platform>) {
        let state = State::new(&self.origin.options, request.context.received_at_ms, run);
        let prewarmed = pool.prewarmed.as_ref();
        match prewarmed.and_then(|prewarmed| prewarmed.take(&self.origin)) {
            Some((mut store, instance)) => {
                let idle = mem::replace(store.data_mut(), state);
                store.data_mut().meter.go_on_from(&idle.meter);
                (store, Some(instance))
            }
            None => (self.origin.store(pool, state), None),
        }
    }

    async fn call(
        &self,
        pool: usize,
        store: &mut Store<State>,
        instance: Option<Platform>,
        request: Request,
        deadline: Instant,
    ) -> Result<Response, Failure> {
        let _ticking = self.engine.pools()[pool].ticker.start();
        bound(store, deadline);
        let answer = async {
            let instance = match instance {
                Some(instance) => instance,
                None => self.origin.instance(pool, &mut *store).await?,
            };
            let handler = instance.tenon_handler_handler();
            handler
                .call_handle(&mut *store, &convert_request(request))
                .await
        };
        match answer.await {
            Ok(response) => Ok(convert_response(response)),
            Err(error) => {
                let failure = failure::failure(&error, &store.data().meter);
                store.data_mut().backtrace = failure::backtrace(&failure, &error);
                Err(failure)
            }
        }
    }
}

impl Origin {
    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.guest, &other.guest) && Arc::ptr_eq(&self.options, &other.options)
    }

    fn store(&self, pool: &InstancePool, state: State) -> Store<State> {
        let mut store = Store::new(&pool.wasmtime, state);
        store.limiter(|state| &mut state.meter);
        store.set_hostcall_fuel(HOST_CALL_BYTES_MAX);
        if pool.metered {
            // Only to be counted: time is what bounds a request. An engine that counts takes it.
            let _ = store.set_fuel(FUEL_MAX);
        }
        store
    }

    /// Brings an instance up, on this pool.
    async fn instance(&self, pool: usize, store: &mut Store<State>) -> wasmtime::Result<Platform> {
        self.guest.pools[pool].instantiate_async(store).await
    }
}

/// Lets a guest run until `deadline`.
fn bound(store: &mut Store<State>, deadline: Instant) {
    store.epoch_deadline_callback(move |_| {
        // Yielding lets other requests of this thread on, and the timeout around this one.
        Ok(if Instant::now() >= deadline {
            UpdateDeadline::Interrupt
        } else {
            UpdateDeadline::Yield(1)
        })
    });
    store.set_epoch_deadline(1);
}

/// More than any request can use in its time.
const FUEL_MAX: u64 = u64::MAX / 2;

fn convert_request(request: Request) -> wit::Request {
    let context = request.context;
    wit::Request {
        method: request.method,
        path: request.path,
        query: request.query,
        headers: request.headers.into_string(),
        body: request.body,
        context: wit_http::Context {
            request_id: context.request_id,
            received_at_ms: context.received_at_ms,
            scheme: match context.scheme {
                Scheme::Http => wit_http::Scheme::Http,
                Scheme::Https => wit_http::Scheme::Https,
            },
            authority: context.authority,
            client_address: context.client_address,
            base_path: context.base_path,
            path_fidelity: match context.path_fidelity {
                PathFidelity::Encoded => wit_http::PathFidelity::Encoded,
                PathFidelity::DecodedByGateway => wit_http::PathFidelity::DecodedByGateway,
            },
            identity: context.identity.map(convert_identity),
        },
    }
}

fn convert_identity(identity: Identity) -> wit_http::Identity {
    wit_http::Identity {
        subject: identity.subject,
        claims: identity.claims,
    }
}

fn convert_response(response: wit::Response) -> Response {
    Response {
        status: response.status,
        headers: response
            .headers
            .into_iter()
            .map(|field| (field.name, field.value))
            .collect(),
        body: response.body,
    }
}
