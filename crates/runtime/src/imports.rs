//! The imports of guests, one module for each WIT interface: count the call, convert its arguments, call the port, convert the result. No
//! logic.
//!
//! `wasi` has what a standard library needs to start, and `wasi:http`; `storage`, `outgoing`, `secrets` and `log` are this project's own
//! interfaces. All of them use one [`RequestState`], which lives as long as its request.

pub(crate) mod bindings;
mod log;
mod meter;
mod outgoing;
mod resources;
mod secrets;
mod storage;
mod wasi;

pub(crate) use meter::Meter;

use crate::{
    options::{Run, RuntimeOptions},
    world::{TRACK, WASI_TRACK, World, interface_on_track},
};
use ::outgoing::{NoOutgoing, OutgoingHttp};
use ::secrets::{GuestSecrets, NoSecrets};
use ::storage::{Call, MemoryStorage, Storage};
use bindings::tenon::handler;
use contract::{
    log::{LogLevel, LogRecord},
    outcome::{StorageReport, Usage},
    seed::Seed,
};
use std::{
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};
use wasmtime::component::{Component, HasSelf, Linker};

/// The interface for requests to other services.
const OUTGOING: &str = "tenon:handler/outgoing";

/// The interface for uses of secrets.
const SECRETS: &str = "tenon:handler/secrets";

/// The interface for stored documents.
const STORAGE: &str = "tenon:handler/storage";

/// The same of `wasi:http` as [`OUTGOING`].
const OUTGOING_OF_WASI: &str = "wasi:http/outgoing-handler";

/// Our own interfaces that this host provides.
const INTERFACES: [&str; 5] = [
    "tenon:handler/http",
    "tenon:handler/log",
    OUTGOING,
    SECRETS,
    STORAGE,
];

/// Whether this host provides an import, named `package/interface@version`, to guests of a world. A later version of the same track imports
/// the same functions, or is refused when it is linked.
pub(crate) fn is_granted(world: World, import: &str) -> bool {
    if wasi::config::INTERFACES.contains(&import) {
        return true;
    }
    let is_http = world == World::WasiHttp;
    let is_exact =
        wasi::keyvalue::INTERFACES.contains(&import) || import == wasi::config::VARIABLES;
    if is_http && is_exact {
        return true;
    }
    match interface_on_track(import, WASI_TRACK) {
        Some(interface) => {
            wasi::INTERFACES.contains(&interface)
                || is_http && wasi::http::INTERFACES.contains(&interface)
                || is_http && wasi::sealed::is_sealed(interface)
        }
        None => interface_on_track(import, TRACK).is_some_and(|name| INTERFACES.contains(&name)),
    }
}

/// Whether an import is the interface for requests to other services, which a guest gets only with grants. That of `wasi:http` is none: its
/// components often import it without using it, and their requests are denied one by one.
pub fn is_outgoing(import: &str) -> bool {
    interface_on_track(import, TRACK) == Some(OUTGOING)
}

/// Whether an import is an interface for stored documents or values.
pub fn is_storage(import: &str) -> bool {
    interface_on_track(import, TRACK) == Some(STORAGE)
        || wasi::keyvalue::INTERFACES.contains(&import)
}

/// Whether an import is the interface of `wasi:http` for requests to other services, which many components import without using it.
pub fn is_outgoing_of_wasi(import: &str) -> bool {
    interface_on_track(import, WASI_TRACK) == Some(OUTGOING_OF_WASI)
}

/// Whether an import is the interface for uses of secrets, which only a guest with secrets gets.
pub fn is_secrets(import: &str) -> bool {
    interface_on_track(import, TRACK) == Some(SECRETS)
}

/// Defines the imports that this component needs. Of WASI's hundred functions, a guest built for this world needs one, and defining all of
/// them would take a tenth of a start.
pub(crate) fn linker(
    engine: &wasmtime::Engine,
    component: &Component,
    world: World,
) -> wasmtime::Result<Linker<RequestState>> {
    let mut linker = Linker::new(engine);
    handler::storage::add_to_linker::<_, HasSelf<RequestState>>(&mut linker, |context| context)?;
    handler::log::add_to_linker::<_, HasSelf<RequestState>>(&mut linker, |context| context)?;
    handler::outgoing::add_to_linker::<_, HasSelf<RequestState>>(&mut linker, |context| context)?;
    handler::secrets::add_to_linker::<_, HasSelf<RequestState>>(&mut linker, |context| context)?;
    let component_type = component.component_type();
    let names: Vec<&str> = component_type
        .imports(engine)
        .map(|(name, _)| name)
        .collect();
    let interfaces: Vec<&str> = names
        .iter()
        .filter_map(|name| name.split('@').next())
        .collect();
    wasi::add_to_linker(&mut linker, |interface| interfaces.contains(&interface))?;
    wasi::config::add_to_linker(&mut linker, |name| names.contains(&name))?;
    if world == World::WasiHttp {
        wasi::http::add_to_linker(&mut linker, |interface| interfaces.contains(&interface))?;
        wasi::keyvalue::add_to_linker(&mut linker, engine, component)?;
        if names.contains(&wasi::config::VARIABLES) {
            wasi::config::add_variables_to_linker(&mut linker)?;
        }
        if interfaces.iter().any(|name| wasi::sealed::is_sealed(name)) {
            wasi::sealed::add_to_linker(&mut linker, engine, component)?;
        }
    }
    Ok(linker)
}

/// The state of one request that its imports use.
pub(crate) struct RequestState {
    storage: Arc<dyn Storage>,
    call: Call,
    outgoing: Arc<dyn OutgoingHttp>,
    secrets: Arc<dyn GuestSecrets>,
    deadline: Instant,
    wasi: wasi::Wasi,
    logs: log::Logs,
    pub(crate) meter: Meter,
}

/// The store of an instance without a request, which makes no calls.
static NO_STORAGE: LazyLock<Arc<dyn Storage>> = LazyLock::new(|| Arc::new(MemoryStorage::new()));

/// The same for requests to other services.
static NO_OUTGOING: LazyLock<Arc<dyn OutgoingHttp>> = LazyLock::new(|| Arc::new(NoOutgoing));

/// The same for uses of secrets.
static NO_SECRETS: LazyLock<Arc<dyn GuestSecrets>> = LazyLock::new(|| Arc::new(NoSecrets));

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
            outgoing: run.outgoing,
            secrets: run.secrets,
            deadline: run.deadline,
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
            outgoing: NO_OUTGOING.clone(),
            secrets: NO_SECRETS.clone(),
            deadline: Instant::now(),
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
        let is_granted = |import| is_granted(World::Handler, import);
        assert!(is_granted("wasi:io/streams@0.2.0"));
        assert!(is_granted("wasi:io/streams@0.2.12"));
        assert!(!is_granted("wasi:io/streams@0.2.0-rc.1"));
        assert!(!is_granted("wasi:io/streams@0.20.0"));
        assert!(!is_granted("wasi:io/streams@0.3.0"));
        assert!(is_granted("tenon:handler/log@0.1.7"));
        assert!(!is_granted("tenon:handler/log@0.2.0"));
        assert!(!is_granted("wasi:sockets/tcp@0.2.0"));
        assert!(!is_granted("wasi:filesystem/types@0.2.0"));
        assert!(!is_granted("wasi:http/types@0.2.0"));
        assert!(!is_granted("anything"));
    }

    #[test]
    #[cfg(feature = "compiler")]
    fn a_component_of_wasi_http_may_be_linked_with_files_and_sockets() {
        let is_granted = |import| is_granted(World::WasiHttp, import);
        assert!(is_granted("wasi:http/types@0.2.4"));
        assert!(is_granted("wasi:http/outgoing-handler@0.2.12"));
        assert!(is_granted("wasi:sockets/tcp@0.2.0"));
        assert!(is_granted("wasi:filesystem/preopens@0.2.10"));
        assert!(is_granted("tenon:handler/storage@0.1.0"));
        assert!(!is_granted("wasi:http/types@0.3.0"));
        assert!(!is_granted("wasi:sockets/types@0.3.0"));
        assert!(!is_granted("wasi:http/client@0.2.0"));
    }

    #[test]
    fn prereleases_are_granted_exactly() {
        for (import, granted) in [
            ("wasi:config/store@0.2.0-rc.1", true),
            ("wasi:config/store@0.2.0-draft-2024-09-27", true),
            ("wasi:config/store@0.2.0-rc.2", false),
            ("wasi:config/store@0.2.0", false),
            ("wasi:keyvalue/store@0.2.0-draft", true),
            ("wasi:keyvalue/batch@0.2.0-draft2", true),
            ("wasi:keyvalue/batch@0.2.0-draft3", false),
            ("wasi:keyvalue/store@0.2.0", false),
            ("wasi:keyvalue/watcher@0.2.0-draft2", false),
            ("fermyon:spin/key-value@2.0.0", true),
            ("fermyon:spin/key-value@2.0.1", false),
            ("fermyon:spin/variables@2.0.0", true),
            ("fermyon:spin/sqlite@2.0.0", false),
        ] {
            assert_eq!(is_granted(World::WasiHttp, import), granted, "{import}");
        }
    }
}
