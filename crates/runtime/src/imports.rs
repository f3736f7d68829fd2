//! What guests import from `wit/`, one file per interface: check, call the port, convert the answer. No logic.

mod log;
mod storage;

use crate::{bindings::tenon::handler, runtime::State, wasi};
use wasmtime::component::{Component, HasSelf, Linker};

/// What this host grants a component. Of WASI's hundred functions those that it asks for: a guest made for this world needs one, and
/// defining all of them is a tenth of a start.
pub(crate) fn linker(
    engine: &wasmtime::Engine,
    component: &Component,
) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    handler::storage::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    handler::log::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    let component_type = component.component_type();
    let imports: Vec<&str> = component_type
        .imports(engine)
        .filter_map(|(name, _)| name.split('@').next())
        .collect();
    wasi::add_to_linker(&mut linker, |interface| imports.contains(&interface))?;
    Ok(linker)
}
