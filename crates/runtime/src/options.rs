//! The options of a guest, and the inputs of a run besides its request.

use contract::{limits::Limits, log::LogLevel, seed::Seed};
use outgoing::{Grants, OutgoingHttp};
use secrets::{GuestSecrets, SecretDeclarations};
use std::{sync::Arc, time::Instant};
use storage::Storage;

/// Environment variables that the operator gives to a guest.
pub type Environment = Arc<[(String, String)]>;

/// The options of a guest, which are the same for all its requests.
#[derive(Clone, Debug)]
pub struct RuntimeOptions {
    /// Limits of one request.
    pub limits: Limits,
    /// What `wasi:cli/environment` returns.
    pub environment: Environment,
    /// Less severe guest log lines are dropped.
    pub log_level: LogLevel,
    /// What it may call besides its host.
    pub outgoing: OutgoingAccess,
    /// Its secrets.
    pub secrets: SecretAccess,
}

/// Which other services a guest may call. A guest that may call none is not loaded if it imports `tenon:handler/outgoing`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutgoingAccess {
    /// These.
    Granted(Arc<Grants>),
    /// Whoever runs the guest decides, or nobody runs it: a recording answers, or the guest is only linked.
    NotChecked,
}

impl OutgoingAccess {
    /// What is granted.
    pub fn grants(&self) -> Arc<Grants> {
        match self {
            Self::Granted(grants) => grants.clone(),
            Self::NotChecked => Arc::default(),
        }
    }

    /// With further grants. Of two for the same origin and path, the one that is there already counts.
    #[must_use]
    pub fn with(&self, grants: &Grants) -> Self {
        match self {
            Self::Granted(own) => Self::Granted(Arc::new(grants.with(own))),
            Self::NotChecked => Self::NotChecked,
        }
    }

    pub(crate) fn is_none(&self) -> bool {
        matches!(self, Self::Granted(grants) if grants.is_empty())
    }
}

impl Default for OutgoingAccess {
    fn default() -> Self {
        Self::Granted(Arc::default())
    }
}

/// Which secrets a guest has. A guest that has none is not loaded if it imports `tenon:handler/secrets`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretAccess {
    /// These.
    Declared(Arc<SecretDeclarations>),
    /// As [`OutgoingAccess::NotChecked`].
    NotChecked,
}

impl SecretAccess {
    /// What is declared.
    pub fn declarations(&self) -> Arc<SecretDeclarations> {
        match self {
            Self::Declared(declarations) => declarations.clone(),
            Self::NotChecked => Arc::default(),
        }
    }

    pub(crate) fn is_none(&self) -> bool {
        matches!(self, Self::Declared(declarations) if declarations.is_empty())
    }
}

impl Default for SecretAccess {
    fn default() -> Self {
        Self::Declared(Arc::default())
    }
}

impl RuntimeOptions {
    /// For a guest that is only linked, or that a recording answers: what it may call and which secrets it has is decided elsewhere.
    pub fn without_check_of_grants() -> Self {
        Self {
            outgoing: OutgoingAccess::NotChecked,
            secrets: SecretAccess::NotChecked,
            ..Self::default()
        }
    }
}

impl Default for RuntimeOptions {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            environment: Environment::from([]),
            log_level: LogLevel::Info,
            outgoing: OutgoingAccess::default(),
            secrets: SecretAccess::default(),
        }
    }
}

/// The inputs of a request's run, besides the request itself.
pub struct Run {
    /// The guest's view of the store.
    pub storage: Arc<dyn Storage>,
    /// What sends its requests to other services.
    pub outgoing: Arc<dyn OutgoingHttp>,
    /// What it may ask about its secrets.
    pub secrets: Arc<dyn GuestSecrets>,
    /// Source of everything random.
    pub seed: Seed,
    /// When the response must be ready.
    pub deadline: Instant,
    /// A trace header for calls to the store, see [`Call::trace_header`](storage::Call::trace_header).
    pub trace_header: Option<String>,
}
