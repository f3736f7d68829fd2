//! `wasi:config/store`, under the names that the proposal has had, and `fermyon:spin/variables`: the operator's environment variables.

use crate::imports::{RequestState, bindings::proxy::wasi::config::store::Error};
use wasmtime::{
    StoreContextMut,
    component::{ComponentType, Linker, Lower},
};

/// The versions of the interface, all of which have the same functions. Prereleases are different packages, whose names match exactly only.
pub(in crate::imports) const INTERFACES: [&str; 2] = [
    "wasi:config/store@0.2.0-draft-2024-09-27",
    "wasi:config/store@0.2.0-rc.1",
];

/// The same for components that were made with Spin's own interface.
pub(in crate::imports) const VARIABLES: &str = "fermyon:spin/variables@2.0.0";

/// `variables.error`. Only one of them happens here.
#[derive(ComponentType, Lower)]
#[component(variant)]
#[allow(dead_code, reason = "a type of the interface has all of its cases")]
enum VariableError {
    #[component(name = "invalid-name")]
    InvalidName(String),
    #[component(name = "undefined")]
    Undefined(String),
    #[component(name = "provider")]
    Provider(String),
    #[component(name = "other")]
    Other(String),
}

/// Defines Spin's interface.
pub(in crate::imports) fn add_variables_to_linker(
    linker: &mut Linker<RequestState>,
) -> wasmtime::Result<()> {
    let mut interface = linker.instance(VARIABLES)?;
    interface.func_wrap("get", |mut store, (name,): (String,)| {
        let found = store.data_mut().config(&name)?;
        Ok((found.ok_or(VariableError::Undefined(name)),))
    })
}

/// Defines those versions that a component `asks` for.
pub(in crate::imports) fn add_to_linker(
    linker: &mut Linker<RequestState>,
    asks: impl Fn(&str) -> bool,
) -> wasmtime::Result<()> {
    for name in INTERFACES.into_iter().filter(|name| asks(name)) {
        let mut interface = linker.instance(name)?;
        interface.func_wrap("get", |mut store, (name,): (String,)| {
            let found = store.data_mut().config(&name)?;
            Ok((Ok::<_, Error>(found),))
        })?;
        interface.func_wrap(
            "get-all",
            |mut store: StoreContextMut<'_, RequestState>, (): ()| {
                let context = store.data_mut();
                context.meter.count_host_call()?;
                Ok((Ok::<_, Error>(context.wasi.environment.to_vec()),))
            },
        )?;
    }
    Ok(())
}

impl RequestState {
    fn config(&mut self, name: &str) -> wasmtime::Result<Option<String>> {
        self.meter.count_host_call()?;
        let mut values = self.wasi.environment.iter();
        let found = values.find(|(found, _)| found == name);
        Ok(found.map(|(_, value)| value.clone()))
    }
}
