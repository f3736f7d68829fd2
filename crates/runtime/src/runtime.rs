//! Runs a guest: one new instance per request, within limits.

mod convert;
mod failure;

pub use crate::options::{Environment, OutgoingAccess, Run, RuntimeOptions, SecretAccess};

use crate::{
    engine::{Engine, Guest, LoadError},
    imports::{Finished, RequestState},
    pool::{FUEL_MAX, Instance, InstancePool, InstanceSource, bound},
};
use contract::{
    digest::Digest,
    http::{Request, Response},
    limits::Limits,
    log::LogRecord,
    outcome::{Failure, StorageReport, Usage},
};
use failure::GuestError;
use std::{
    mem,
    pin::pin,
    time::{Duration, Instant},
};
use tokio::time::timeout_at;
use wasmtime::Store;

/// A linked guest, ready to be instantiated. Cheap to clone; shared by all requests.
#[derive(Clone)]
pub struct Runtime {
    engine: Engine,
    source: InstanceSource,
}

/// The result of one request.
#[derive(Debug)]
pub struct Outcome {
    /// The guest's response, not yet checked, or why there is none.
    pub result: Result<Response, Failure>,
    /// The guest's log lines, including its output.
    pub logs: Vec<LogRecord>,
    /// Functions of the guest that were active when it failed, the innermost first.
    pub backtrace: Vec<String>,
    /// What the request used.
    pub usage: Usage,
    /// What the store did for it.
    pub storage: StorageReport,
}

impl Outcome {
    /// The result for a request that never got an instance.
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

impl Runtime {
    /// Links a guest.
    pub fn new(engine: &Engine, guest: &Guest, options: RuntimeOptions) -> Result<Self, LoadError> {
        if options.outgoing.is_none()
            && let Some(import) = guest.outgoing.as_deref()
        {
            return Err(LoadError::NoOutgoing(import.to_owned()));
        }
        if options.secrets.is_none()
            && let Some(import) = guest.secrets.as_deref()
        {
            return Err(LoadError::NoSecrets(import.to_owned()));
        }
        let pools = engine.pools().all();
        let source = InstanceSource::link(
            pools,
            &guest.components,
            guest.digest(),
            guest.world,
            options,
        );
        Ok(Self {
            engine: engine.clone(),
            source: source.map_err(|error| LoadError::TypeMismatch(format!("{error:#}")))?,
        })
    }

    /// SHA-256 of the component.
    pub fn digest(&self) -> Digest {
        self.source.digest()
    }

    /// Limits of one request.
    pub fn limits(&self) -> &Limits {
        &self.options().limits
    }

    /// The options of the guest.
    pub fn options(&self) -> &RuntimeOptions {
        self.source.options()
    }

    /// The same guest, without linking it again, with other options.
    #[must_use]
    pub fn with_options(&self, options: RuntimeOptions) -> Self {
        Self {
            engine: self.engine.clone(),
            source: self.source.with_options(options),
        }
    }

    /// Lets the guest answer one request. Whatever the guest does, this returns at the deadline at the latest, plus or minus one tick of
    /// the epoch.
    pub async fn handle(&self, request: Request, run: Run) -> Outcome {
        let started = Instant::now();
        let deadline = run.deadline;
        // Declared before the store, so that it is dropped after it, also if this future is dropped early.
        let Ok(permit) = timeout_at(deadline.into(), self.engine.pools().acquire()).await else {
            return Outcome::busy(started.elapsed());
        };
        let pool = &self.engine.pools().all()[permit.pool];
        let (mut store, instance) = self.prepare(pool, &request, run);
        let answer = {
            // Pinned in place, because it is too large to be moved for every request.
            let call = pin!(self.call(permit.pool, &mut store, instance, request, deadline));
            let answer = timeout_at(deadline.into(), call).await;
            answer.unwrap_or_else(|_| Err(GuestError::deadline()))
        };
        let fuel = pool
            .is_metered()
            .then(|| FUEL_MAX - store.get_fuel().unwrap_or(FUEL_MAX));
        let context = pool.release(store, permit, &self.source);
        let Finished {
            logs,
            usage,
            storage,
        } = context.finish(started.elapsed());
        let (result, backtrace) = match answer {
            Ok(response) => (Ok(response), Vec::new()),
            Err(GuestError { failure, backtrace }) => (Err(failure), backtrace),
        };
        Outcome {
            result,
            logs,
            backtrace,
            usage: Usage { fuel, ..usage },
            storage,
        }
    }

    /// A wasmtime store for one request, with an instance if one is ready.
    fn prepare(
        &self,
        pool: &InstancePool,
        request: &Request,
        run: Run,
    ) -> (Store<RequestState>, Option<Instance>) {
        let context = RequestState::new(self.options(), request.context.received_at_ms, run);
        match pool.take_prewarmed(&self.source) {
            Some((mut store, instance)) => {
                let idle = mem::replace(store.data_mut(), context);
                store.data_mut().meter.go_on_from(&idle.meter);
                (store, Some(instance))
            }
            None => (self.source.store(pool, context), None),
        }
    }

    async fn call(
        &self,
        pool: usize,
        store: &mut Store<RequestState>,
        instance: Option<Instance>,
        request: Request,
        deadline: Instant,
    ) -> Result<Response, GuestError> {
        let _ticking = self.engine.pools().all()[pool].start_ticking();
        bound(store, deadline);
        let answer = async {
            let instance = match instance {
                Some(instance) => instance,
                None => self.source.instance(pool, &mut *store).await?,
            };
            match instance {
                Instance::Handler(instance) => {
                    let handler = instance.tenon_handler_handler();
                    let request = convert::request(request);
                    let answer = handler.call_handle(&mut *store, &request);
                    answer.await.map(convert::response)
                }
                Instance::WasiHttp(instance) => {
                    let (request, response) = store.data_mut().begin_exchange(request)?;
                    let handler = instance.wasi_http_incoming_handler();
                    handler.call_handle(&mut *store, request, response).await?;
                    Ok(store.data_mut().end_exchange()?)
                }
            }
        };
        let answer: wasmtime::Result<Response> = answer.await;
        answer.map_err(|error| GuestError::of(&error, &store.data().meter))
    }
}
