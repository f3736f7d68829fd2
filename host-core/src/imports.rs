//! What guests import from `wit/`, one file per interface: check, call the port, convert the answer. No logic.

mod log;
mod storage;

use crate::{bindings::tenon::handler, runtime::State, wasi};
use wasmtime::component::{HasSelf, Linker};

/// Everything this host grants, linked once per engine.
pub(crate) fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    handler::storage::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    handler::log::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    wasi::add_to_linker(&mut linker)?;
    Ok(linker)
}
