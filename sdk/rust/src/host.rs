//! The host of a request: the imports of a component, or the store in memory of a native test. Both have the same methods, whose types mirror
//! `wit/storage.wit` and `wit/log.wit`.
//!
//! No trait: a component imports what it calls, and a table of functions would call everything.

#[cfg(not(target_arch = "wasm32"))]
mod native;
#[cfg(target_arch = "wasm32")]
pub mod wasm;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use native::Host;
#[cfg(target_arch = "wasm32")]
pub(crate) use wasm::Host;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use native::TestHost;

use crate::store::{Direction, Precondition, SortRange};
use alloc::{string::String, vec::Vec};

/// The key of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawKey {
    pub(crate) partition: String,
    pub(crate) sort: String,
}

/// What is stored under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawItem {
    pub(crate) document: String,
    pub(crate) revision: String,
    pub(crate) index: Option<RawKey>,
    pub(crate) expires_at: Option<u64>,
}

/// A document to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawPut {
    pub(crate) key: RawKey,
    pub(crate) document: String,
    pub(crate) precondition: Precondition,
    pub(crate) index: Option<RawKey>,
    pub(crate) expires_at: Option<u64>,
}

/// The part of a partition that a query returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawQuery {
    pub(crate) range: SortRange,
    pub(crate) direction: Direction,
    pub(crate) limit: u32,
    pub(crate) cursor: Option<String>,
}

/// One page of a query's result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawPage {
    pub(crate) entries: Vec<(RawKey, RawItem)>,
    pub(crate) cursor: Option<String>,
}

/// One operation of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RawOperation {
    Put(RawPut),
    Delete(RawKey, Precondition),
    Check(RawKey, Precondition),
}

/// A write whose precondition did not hold: the existing item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawLost(pub(crate) Option<RawItem>);

/// A transaction of which one precondition did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawLostTransaction {
    pub(crate) position: u32,
    pub(crate) found: Option<RawItem>,
}

/// The outcome of a put: the new revision.
pub(crate) type RawPutOutcome = Result<String, RawLost>;
/// The outcome of a delete.
pub(crate) type RawDeleteOutcome = Result<(), RawLost>;
/// The outcome of a transaction: the new revision of each put.
pub(crate) type RawTransactOutcome = Result<Vec<Option<String>>, RawLostTransaction>;
