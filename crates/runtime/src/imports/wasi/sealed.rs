//! `wasi:filesystem` and `wasi:sockets` for components that are linked with them: there is no folder to open, and no socket can be made.
//!
//! Without a handle from one of the few functions that make one, none of the others can be called. So they are not written out: a
//! component's own type says which functions it asks for, and what they return decides the answer.

use crate::imports::RequestState;
use wasmtime::{
    StoreContextMut,
    component::{
        Component, Linker, LinkerInstance, Resource, ResourceAny, ResourceType, Val,
        types::{ComponentItem, Type},
    },
};

/// The packages, up to the name of the interface.
const PACKAGES: [&str; 2] = ["wasi:filesystem/", "wasi:sockets/"];

/// A handle for nothing. Only `instance-network` makes one.
struct Sealed;

/// Whether an interface, by name, is one of these.
pub(in crate::imports) fn is_sealed(interface: &str) -> bool {
    PACKAGES
        .iter()
        .any(|package| interface.starts_with(package))
}

/// Defines those interfaces that a component asks for.
pub(in crate::imports) fn add_to_linker(
    linker: &mut Linker<RequestState>,
    engine: &wasmtime::Engine,
    component: &Component,
) -> wasmtime::Result<()> {
    let mut known = Vec::new();
    for (name, item) in component.component_type().imports(engine) {
        let ComponentItem::ComponentInstance(interface) = item.ty else {
            continue;
        };
        let mut sealed = is_sealed(name).then(|| linker.instance(name)).transpose()?;
        for (name, item) in interface.exports(engine) {
            match (item.ty, &mut sealed) {
                // An interface that uses another one's resource exports it again, under a type that is known by then.
                (ComponentItem::Resource(resource), _) if known.contains(&resource) => {}
                (ComponentItem::Resource(resource), sealed) => {
                    known.push(resource);
                    if let Some(interface) = sealed {
                        interface.resource(name, ResourceType::host::<Sealed>(), |_, _| Ok(()))?;
                    }
                }
                (ComponentItem::ComponentFunc(_), Some(interface)) => define(interface, name)?,
                _ => {}
            }
        }
    }
    Ok(())
}

fn define(interface: &mut LinkerInstance<'_, RequestState>, name: &str) -> wasmtime::Result<()> {
    interface.func_new_async(name, |mut store, function, arguments, results| {
        Box::new(async move {
            store.data_mut().meter.count_host_call()?;
            for argument in arguments {
                // Without types, what a call lends or gives is to be returned by hand.
                if let Val::Resource(resource) = argument {
                    resource.resource_drop_async(&mut store).await?;
                }
            }
            for (result, ty) in results.iter_mut().zip(function.results()) {
                *result = answer(&mut store, &ty)?;
            }
            Ok(())
        })
    })
}

/// What a function with this result returns.
fn answer(store: &mut StoreContextMut<'_, RequestState>, ty: &Type) -> wasmtime::Result<Val> {
    Ok(match ty {
        // `get-directories`
        Type::List(_) => Val::List(Vec::new()),
        // `filesystem-error-code`, `network-error-code`
        Type::Option(_) => Val::Option(None),
        // `instance-network`
        Type::Own(_) => {
            let network = Resource::<Sealed>::new_own(0);
            Val::Resource(ResourceAny::try_from_resource(network, store)?)
        }
        // Those that make a socket or resolve a name.
        Type::Result(result) => {
            let Some(Type::Enum(codes)) = result.err() else {
                return Err(unreachable());
            };
            let code = codes.names().find(|code| DENIED.contains(code));
            let code = code.ok_or_else(unreachable)?;
            Val::Result(Err(Some(Box::new(Val::Enum(code.to_owned())))))
        }
        _ => return Err(unreachable()),
    })
}

/// What the interfaces call an operation that is not allowed.
const DENIED: [&str; 2] = ["access", "access-denied"];

/// The function of a handle that does not exist.
fn unreachable() -> wasmtime::Error {
    wasmtime::Error::msg("this host has no files and no sockets")
}
