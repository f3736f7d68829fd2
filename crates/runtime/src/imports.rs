//! The imports of guests, one module for each WIT interface: count the call, convert its arguments, call the port, convert the result. No
//! logic.
//!
//! `wasi` has what a standard library needs to start; `storage` and `log` are this project's own interfaces. All of them use one
//! [`RequestState`], which lives as long as its request.

pub(crate) mod bindings;
mod log;
mod meter;
mod resources;
mod storage;
mod wasi;

pub(crate) use meter::Meter;

use crate::options::{Run, RuntimeOptions};
use ::storage::{Call, MemoryStorage, Storage};
use bindings::tenon::handler;
use contract::{
    log::{LogLevel, LogRecord},
    outcome::{StorageReport, Usage},
    seed::Seed,
};
use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};
use wasmtime::component::{Component, HasSelf, Linker};

/// Our own interfaces that this host provides.
const INTERFACES: [&str; 3] = [
    "tenon:handler/http",
    "tenon:handler/log",
    "tenon:handler/storage",
];
/// The highest version. A later patch version of the same track imports the same functions, or is refused when it is linked.
const TRACK: &str = "0.1.";
/// The same for WASI.
const WASI_TRACK: &str = "0.2.";

/// Whether this host provides an import, named `package/interface@version`.
pub(crate) fn is_granted(import: &str) -> bool {
    let Some((interface, version)) = import.split_once('@') else {
        return false;
    };
    INTERFACES.contains(&interface) && version.starts_with(TRACK)
        || wasi::INTERFACES.contains(&interface) && version.starts_with(WASI_TRACK)
}

/// Defines the imports that this component needs. Of WASI's hundred functions, a guest built for this world needs one, and defining all of
/// them would take a tenth of a start.
pub(crate) fn linker(
    engine: &wasmtime::Engine,
    component: &Component,
) -> wasmtime::Result<Linker<RequestState>> {
    let mut linker = Linker::new(engine);
    handler::storage::add_to_linker::<_, HasSelf<RequestState>>(&mut linker, |context| context)?;
    handler::log::add_to_linker::<_, HasSelf<RequestState>>(&mut linker, |context| context)?;
    let component_type = component.component_type();
    let imports: Vec<&str> = component_type
        .imports(engine)
        .filter_map(|(name, _)| name.split('@').next())
        .collect();
    wasi::add_to_linker(&mut linker, |interface| imports.contains(&interface))?;
    Ok(linker)
}

/// The state of one request that its imports use.
pub(crate) struct RequestState {
    storage: Arc<dyn Storage>,
    call: Call,
    wasi: wasi::Wasi,
    logs: log::Logs,
    pub(crate) meter: Meter,
}

/// The store of an instance without a request, which makes no calls.
static NO_STORAGE: LazyLock<Arc<dyn Storage>> = LazyLock::new(|| Arc::new(MemoryStorage::new()));

/// What remains of a request's context afterwards.
pub(crate) struct Finished {
    pub(crate) logs: Vec<LogRecord>,
    pub(crate) usage: Usage,
    pub(crate) storage: StorageReport,
}

impl RequestState {
    /// The context of one request.
    pub(crate) fn new(options: &RuntimeOptions, received_at_ms: u64, run: Run) -> Self {
        Self {
            call: Call::new(received_at_ms, &run.seed, Some(run.deadline))
                .with_trace_header(run.trace_header),
            storage: run.storage,
            wasi: wasi::Wasi::new(options.environment.clone(), received_at_ms, run.seed),
            logs: log::Logs::new(options.log_level),
            meter: Meter::new(&options.limits),
        }
    }

    /// A context without a request: every call of the guest traps.
    pub(crate) fn idle(options: &RuntimeOptions) -> Self {
        let seed = Seed::new([0; 32]);
        Self {
            call: Call::new(0, &seed, None),
            storage: NO_STORAGE.clone(),
            wasi: wasi::Wasi::new(options.environment.clone(), 0, seed),
            logs: log::Logs::new(options.log_level),
            meter: Meter::idle(&options.limits),
        }
    }

    /// Ends the request, whose duration is given.
    pub(crate) fn finish(mut self, total_duration: Duration) -> Finished {
        self.flush_output();
        Finished {
            logs: self.logs.finish(self.meter.storage_calls()),
            usage: self.meter.usage(total_duration),
            storage: self.call.into_report(),
        }
    }

    /// Adds a log line of the guest.
    fn log(
        &mut self,
        level: LogLevel,
        message: String,
        attributes: impl IntoIterator<Item = (String, String)>,
    ) {
        let storage_calls = self.meter.storage_calls();
        self.logs.write(storage_calls, level, message, attributes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_are_by_interface_and_version_track() {
        assert!(is_granted("wasi:io/streams@0.2.0"));
        assert!(is_granted("wasi:io/streams@0.2.12"));
        assert!(!is_granted("wasi:io/streams@0.20.0"));
        assert!(!is_granted("wasi:io/streams@0.3.0"));
        assert!(!is_granted("wasi:sockets/tcp@0.2.0"));
        assert!(!is_granted("wasi:filesystem/types@0.2.0"));
        assert!(!is_granted("anything"));
    }
}
