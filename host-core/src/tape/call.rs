//! One storage call on a tape: the function's name, its arguments and its result, as JSON. What [`write`] writes, [`read`] reads.

mod documents;
pub(super) mod read;
pub(super) mod write;

pub use read::Arguments;

use serde::Deserialize;
use std::fmt;

/// The functions of `tenon:handler/storage`, under their names there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)] // `wit/storage.wit` says what each does
pub enum Function {
    Get,
    GetMany,
    Put,
    Delete,
    Query,
    QueryIndex,
    Transact,
}

impl Function {
    /// The name in the WIT.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::GetMany => "get-many",
            Self::Put => "put",
            Self::Delete => "delete",
            Self::Query => "query",
            Self::QueryIndex => "query-index",
            Self::Transact => "transact",
        }
    }

    /// Whether it may change what is stored.
    pub fn writes(self) -> bool {
        match self {
            Self::Put | Self::Delete | Self::Transact => true,
            Self::Get | Self::GetMany | Self::Query | Self::QueryIndex => false,
        }
    }
}

impl fmt::Display for Function {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;
