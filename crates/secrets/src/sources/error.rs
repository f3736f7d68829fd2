//! Why a secret could not be read.

use crate::{source::Source, value::SecretValueError};
use contract::text::printable;
use std::fmt;

/// Characters of what a service says about an error.
const DETAIL_CHARACTERS_MAX: usize = 600;

/// Why a secret could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchErrorClass {
    /// There is none at its source.
    Missing,
    /// The host may not read it.
    Denied,
    /// The service asks for fewer requests.
    Throttled,
    /// The service, or the file system, did not answer.
    Unreachable,
    /// What is there is no value: empty, too long, or of another form than declared.
    Unusable,
    /// This host cannot read such sources.
    Unsupported,
}

impl FetchErrorClass {
    /// For guests and log lines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "not found at its source",
            Self::Denied => "access denied",
            Self::Throttled => "its source is throttled",
            Self::Unreachable => "its source is unreachable",
            Self::Unusable => "its value is unusable",
            Self::Unsupported => "this host cannot read its source",
        }
    }
}

impl FetchErrorClass {
    /// Whether it stays so until somebody changes the declaration, the source or a permission.
    pub(crate) fn lasts(self) -> bool {
        match self {
            Self::Missing | Self::Denied | Self::Unusable | Self::Unsupported => true,
            Self::Throttled | Self::Unreachable => false,
        }
    }
}

impl fmt::Display for FetchErrorClass {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A secret could not be read. The detail is for operators: it may name files, roles and accounts, but contains no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{class}: {detail}")]
pub struct FetchError {
    /// What a guest may know.
    pub class: FetchErrorClass,
    /// What happened, where, and what to do.
    pub detail: String,
}

impl FetchError {
    /// Cuts a long detail, and replaces control characters in it, because it may be of a service's making.
    pub fn new(class: FetchErrorClass, detail: impl AsRef<str>) -> Self {
        let detail = printable(detail.as_ref());
        Self {
            class,
            detail: detail.chars().take(DETAIL_CHARACTERS_MAX).collect(),
        }
    }

    /// The same with the source before the detail. What is at no source may be the secret itself, written where its source belongs: it is not
    /// repeated.
    pub(crate) fn about(self, source: &Source) -> Self {
        if self.class == FetchErrorClass::Missing
            && let Some(words) = missing(source)
        {
            return Self::new(self.class, words);
        }
        Self::new(self.class, format!("`{source}`: {}", self.detail))
    }
}

/// What is not on this machine.
fn missing(source: &Source) -> Option<&'static str> {
    match source {
        Source::Environment(_) => Some("the variable that its `from` names is not set"),
        Source::File(_) => Some("the file that its `from` names does not exist"),
        Source::Parameter(_) | Source::SecretsManager { .. } => None,
    }
}

impl From<SecretValueError> for FetchError {
    fn from(error: SecretValueError) -> Self {
        Self::new(FetchErrorClass::Unusable, error.to_string())
    }
}
