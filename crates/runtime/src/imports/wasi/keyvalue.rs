//! `wasi:keyvalue`, for components of `wasi:http`: buckets of bytes on the storage port, so that calls are recorded, replayed and bounded as
//! every other storage call.
//!
//! - A bucket is [`SHARDS`](layout::SHARDS) partitions, `wasi:keyvalue/BUCKET/0` to `wasi:keyvalue/BUCKET/f`, because one partition of DynamoDB takes 1,000
//!   writes a second. Which one a key is in follows from its SHA-256, whose first 16 hexadecimal digits also stand before the key in the sort
//!   key: so keys are listed in the order of numbers of 64 bits, and one such number, the only cursor that the first draft has, says where a
//!   list goes on, in this request or in a later one (`listing.rs`).
//! - A value is a document with one member: `text` if the bytes are UTF-8, otherwise `base64`.
//! - Reads are strongly consistent. `increment` and `swap` write with the revision that they read as precondition. `get-many`, `set-many` and
//!   `delete-many` are as few calls as the port allows.
//!
//! Both drafts have one implementation; their types differ in cursors and numbers. Spin's components import a `batch` of the second draft whose
//! `get-many` has another result, so a component's own type decides which one it gets. Spin's own interface works on the same buckets.

mod atomics;
mod batch;
mod layout;
mod listing;
mod spin;
mod store;
mod values;

use crate::imports::RequestState;
use ::storage::StorageError;
use wasmtime::component::{Component, ComponentType, Linker, Lower, types::ComponentItem};

/// The version of the first draft: cursors are numbers, there is no `cas`.
const DRAFT: &str = "0.2.0-draft";

/// The provided interfaces. Prereleases are different packages, whose names match exactly only.
pub(in crate::imports) const INTERFACES: [&str; 7] = [
    "fermyon:spin/key-value@2.0.0",
    "wasi:keyvalue/atomics@0.2.0-draft",
    "wasi:keyvalue/atomics@0.2.0-draft2",
    "wasi:keyvalue/batch@0.2.0-draft",
    "wasi:keyvalue/batch@0.2.0-draft2",
    "wasi:keyvalue/store@0.2.0-draft",
    "wasi:keyvalue/store@0.2.0-draft2",
];

/// The result for the guest. The outer error stops the guest, the inner one is returned to it.
type Answer<T> = wasmtime::Result<Result<T, Error>>;

/// `store.error`.
#[derive(ComponentType, Lower)]
#[component(variant)]
enum Error {
    #[component(name = "no-such-store")]
    NoSuchStore,
    #[component(name = "access-denied")]
    AccessDenied,
    #[component(name = "other")]
    Other(String),
}

impl From<StorageError> for Error {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Misconfigured => Self::AccessDenied,
            StorageError::Invalid(_)
            | StorageError::TooLarge(_)
            | StorageError::Throttled { .. }
            | StorageError::Unavailable
            | StorageError::Conflict
            | StorageError::OutcomeUnknown
            | StorageError::Internal => Self::Other(error.to_string()),
        }
    }
}

/// Defines those interfaces that a component imports.
pub(in crate::imports) fn add_to_linker(
    linker: &mut Linker<RequestState>,
    engine: &wasmtime::Engine,
    component: &Component,
) -> wasmtime::Result<()> {
    for (name, item) in component.component_type().imports(engine) {
        let ComponentItem::ComponentInstance(imported) = item.ty else {
            continue;
        };
        if !INTERFACES.contains(&name) {
            continue;
        }
        let Some((interface, version)) = name.split_once('@') else {
            continue;
        };
        let is_first = version == DRAFT;
        let mut defined = linker.instance(name)?;
        match interface {
            "wasi:keyvalue/store" => store::define(&mut defined, is_first)?,
            "fermyon:spin/key-value" => spin::define(&mut defined)?,
            "wasi:keyvalue/atomics" => atomics::define(&mut defined, is_first)?,
            _ => {
                let get_many = imported.get_export(engine, "get-many");
                batch::define(&mut defined, get_many.map(|item| item.ty))?;
            }
        }
    }
    Ok(())
}
