//! Runs a guest: one fresh instance per request, within bounds.

mod failure;
mod logs;
mod meter;

pub use crate::log::LogLevel;
pub use failure::Failure;
pub(crate) use failure::Stop;
pub use logs::LogRecord;
pub use meter::Usage;

use crate::{
    bindings::{
        PlatformPre, exports::tenon::handler::handler as wit, tenon::handler::http as wit_http,
    },
    digest::Digest,
    engine::{Engine, Guest, LoadError, Place},
    http::{Identity, PathFidelity, Request, Response, Scheme},
    imports,
    limits::{HOST_CALL_BYTES_MAX, Limits},
    seed::Seed,
    storage::{Call, Storage, StorageReport},
    wasi::{Environment, Wasi},
};
use logs::Logs;
use meter::Meter;
use std::{sync::Arc, time::Instant};
use tokio::time::timeout_at;
use wasmtime::{Store, UpdateDeadline};

/// A guest that is linked and ready to be instantiated. Cheap to clone; shared by all requests.
#[derive(Clone)]
pub struct Runtime {
    engine: Engine,
    /// One for each lane of the engine.
    guests: Arc<[PlatformPre<State>]>,
    digest: Digest,
    options: Arc<RuntimeOptions>,
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
    /// What it used.
    pub usage: Usage,
    /// What the store did for it.
    pub storage: StorageReport,
}

/// Everything that the imports of one request work on.
pub(crate) struct State {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) call: Call,
    pub(crate) wasi: Wasi,
    pub(crate) logs: Logs,
    pub(crate) meter: Meter,
}

impl State {
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
        let lanes = engine.lanes().iter().zip(guest.components.iter());
        let guests = lanes.map(|(lane, component)| {
            let linker = imports::linker(&lane.wasmtime, component)?;
            PlatformPre::new(linker.instantiate_pre(component)?)
        });
        Ok(Self {
            engine: engine.clone(),
            guests: guests.collect::<wasmtime::Result<_>>().map_err(mismatch)?,
            digest: guest.digest(),
            options: Arc::new(options),
        })
    }

    /// SHA-256 of the component.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Bounds of one request.
    pub fn limits(&self) -> &Limits {
        &self.options.limits
    }

    /// What the guest gets beside its requests.
    pub fn options(&self) -> &RuntimeOptions {
        &self.options
    }

    /// The same guest, linked once, under other options.
    #[must_use]
    pub fn with_options(&self, options: RuntimeOptions) -> Self {
        Self {
            options: Arc::new(options),
            ..self.clone()
        }
    }

    /// Lets the guest answer one request. Whatever the guest does, this returns by the deadline, give or take one tick of the epoch.
    pub async fn handle(&self, request: Request, run: Run) -> Outcome {
        let started = Instant::now();
        let deadline = run.deadline;
        // Before the store, so that it is dropped after it, also when this future is dropped half-way.
        let place = timeout_at(deadline.into(), self.engine.place()).await;
        let lane = place.as_ref().map_or(0, |place| place.lane);
        let mut store = self.store(lane, &request, run);
        let result = match &place {
            Ok(place) => {
                let call = self.call(place, &mut store, request, deadline);
                let answer = timeout_at(deadline.into(), call).await;
                answer.unwrap_or(Err(Failure::Deadline))
            }
            Err(_) => Err(Failure::Busy),
        };
        let fuel = self
            .engine
            .is_metered()
            .then(|| FUEL_MAX - store.get_fuel().unwrap_or(FUEL_MAX));
        let mut state = store.into_data();
        // The store held the instance. Any earlier, the next request would find the pool full.
        drop(place);
        state.flush_output();
        Outcome {
            result,
            logs: state.logs.finish(state.meter.storage_calls()),
            usage: Usage {
                fuel,
                ..state.meter.usage(started.elapsed())
            },
            storage: state.call.into_report(),
        }
    }

    fn store(&self, lane: usize, request: &Request, run: Run) -> Store<State> {
        let options = &self.options;
        let received_at_ms = request.context.received_at_ms;
        let mut store = Store::new(
            &self.engine.lanes()[lane].wasmtime,
            State {
                storage: run.storage,
                call: Call::new(received_at_ms, &run.seed, Some(run.deadline))
                    .with_trace_header(run.trace_header),
                wasi: Wasi::new(options.environment.clone(), received_at_ms, run.seed),
                logs: Logs::new(options.log_level),
                meter: Meter::new(&options.limits),
            },
        );
        store.limiter(|state| &mut state.meter);
        store.set_hostcall_fuel(HOST_CALL_BYTES_MAX);
        if self.engine.is_metered() {
            // Only to be counted: time is what bounds a request. An engine that counts takes it.
            let _ = store.set_fuel(FUEL_MAX);
        }
        store
    }

    async fn call(
        &self,
        place: &Place<'_>,
        store: &mut Store<State>,
        request: Request,
        deadline: Instant,
    ) -> Result<Response, Failure> {
        let _ticking = self.engine.lanes()[place.lane].ticker.start();
        store.epoch_deadline_callback(move |_| {
            // Yielding lets other requests of this thread on, and the timeout around this one.
            Ok(if Instant::now() >= deadline {
                UpdateDeadline::Interrupt
            } else {
                UpdateDeadline::Yield(1)
            })
        });
        store.set_epoch_deadline(1);
        let instance = match self.guests[place.lane].instantiate_async(&mut *store).await {
            Ok(instance) => instance,
            Err(error) => return Err(Failure::from_error(&error, &store.data().meter)),
        };
        match instance
            .tenon_handler_handler()
            .call_handle(&mut *store, &convert_request(request))
            .await
        {
            Ok(response) => Ok(convert_response(response)),
            Err(error) => Err(Failure::from_error(&error, &store.data().meter)),
        }
    }
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
