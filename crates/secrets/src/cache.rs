//! Values of a guest's secrets, kept for a time and read anew by one fetch at a time.
//!
//! A value's age decides what a use of it does:
//!
//! - younger than its time to live: it is used;
//! - up to twice that: it is used, and a fetch starts that nobody waits for;
//! - older, or never read: the use waits for a fetch;
//! - if that fails: the value is used up to an age of [`SECRET_AGE_MAX`], whatever the failure was, and the host is told. So a source that cannot
//!   be reached, or a permission that was taken away by mistake, does not stop a service at once.
//!
//! A fetch reads all secrets of its kind of source that are due, because a service may take several at once. There is one fetch for each kind at
//! a time, however many uses wait for it, and none for five seconds after one that failed. It runs in a task of its own: a request that
//! stops waiting does not end it. Hosts whose processes stand still between requests need nothing else, since only uses start fetches.

mod state;

use crate::{
    declaration::{SecretDeclaration, SecretDeclarations},
    name::SecretName,
    port::SecretError,
    source::{Source, SourceKind},
    sources::{FetchError, FetchErrorClass, SecretSources},
    value::{SecretValue, ValueEncoding},
};
use contract::limits::{SECRET_AGE_MAX, SECRET_TIME_TO_LIVE};
pub(crate) use state::Held;
use state::{Ages, Found, State};
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};
use tokio::{
    sync::watch,
    time::{timeout, timeout_at},
};

/// Time for one fetch.
const FETCH_DURATION_MAX: Duration = Duration::from_secs(10);
/// Looks at the state: the first may find a fetch that does not include the secret, the second starts one that does.
const LOOKS_MAX: u32 = 3;

type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;
type OnFailure = Arc<dyn Fn(&RefreshFailure) + Send + Sync>;

/// How values are kept.
#[derive(Clone)]
pub struct SecretOptions {
    /// The age from which a value is read anew, at most [`SECRET_AGE_MAX`].
    pub time_to_live: Duration,
    /// The wall clock: that of a process that stands still between requests goes on.
    pub clock: Clock,
    /// Is told of each secret that could not be read; for a log line.
    pub on_failure: OnFailure,
}

/// A secret could not be read.
#[derive(Clone, Debug)]
pub struct RefreshFailure {
    /// Its name.
    pub name: SecretName,
    /// Its source.
    pub source: Source,
    /// Why.
    pub error: FetchError,
    /// How old the value is that is used meanwhile; absent if there is none, so that uses fail.
    pub age: Option<Duration>,
}

/// The secrets of one guest. Clones share the values.
#[derive(Clone)]
pub struct Secrets(Arc<Shared>);

/// Why there is no value.
#[derive(Debug)]
pub(crate) struct ValueError {
    pub(crate) error: SecretError,
    /// Whether it stays so until somebody changes the declaration, the source or a permission.
    pub(crate) lasts: bool,
}

struct Shared {
    declarations: SecretDeclarations,
    sources: Arc<dyn SecretSources>,
    options: SecretOptions,
    state: Mutex<State>,
}

impl Default for SecretOptions {
    fn default() -> Self {
        Self {
            time_to_live: SECRET_TIME_TO_LIVE,
            clock: Arc::new(SystemTime::now),
            on_failure: Arc::new(|_| {}),
        }
    }
}

impl Secrets {
    /// Reads nothing yet.
    pub fn new(
        declarations: SecretDeclarations,
        sources: Arc<dyn SecretSources>,
        options: SecretOptions,
    ) -> Self {
        Self(Arc::new(Shared {
            declarations,
            sources,
            options,
            state: Mutex::default(),
        }))
    }

    /// What is declared.
    pub fn declarations(&self) -> &SecretDeclarations {
        &self.0.declarations
    }

    /// Reads all secrets that are due, and returns once all fetches have ended, or at `deadline`.
    #[cfg(test)]
    pub(crate) async fn prefetch(&self, deadline: Instant) {
        let declared = self.0.declarations.iter();
        let fetches: Vec<_> = declared
            .map(|(_, secret)| self.fetch(secret.from.kind()))
            .collect();
        for mut fetch in fetches {
            wait(&mut fetch, deadline).await;
        }
    }

    /// The declaration of a secret by the name that a guest wrote.
    pub(crate) fn declared(&self, name: &str) -> Result<&SecretDeclaration, SecretError> {
        let declared = self.0.declarations.get(name);
        declared.ok_or_else(|| SecretError::unknown(name))
    }

    /// The value of a secret, waiting for a fetch until `deadline` if that is necessary.
    pub(crate) async fn value(&self, name: &str, deadline: Instant) -> Result<Held, ValueError> {
        let declared = self.declared(name);
        let declared = declared.map_err(|error| ValueError { error, lasts: true })?;
        let kind = declared.from.kind();
        for _ in 0..LOOKS_MAX {
            let found = self.with_state(|state| state.look(name, &self.ages()));
            match found {
                Found::Fresh(held) => return Ok(held),
                Found::Stale(held) => {
                    self.fetch(kind);
                    return Ok(held);
                }
                Found::Failed(class) => {
                    return Err(unavailable(name, class.as_str(), class.lasts()));
                }
                Found::Due => {
                    let mut fetch = self.fetch(kind);
                    if !wait(&mut fetch, deadline).await {
                        break;
                    }
                }
            }
        }
        let last = self.with_state(|state| state.usable(name, &self.ages()));
        last.ok_or_else(|| unavailable(name, "its source did not answer in time", false))
    }

    /// What a response may repeat of a secret: its value and the one before it. Nothing if it has none that this host could ever read; an error if its
    /// source does not answer, because what could not be recognised must not reach a guest.
    pub(crate) async fn repeatable(
        &self,
        name: &str,
        deadline: Instant,
    ) -> Result<Vec<Held>, SecretError> {
        let value = self.value(name, deadline).await;
        let known = self.with_state(|state| state.known(name));
        match value {
            Err(error) if known.is_empty() && !error.lasts => Err(error.into()),
            Ok(_) | Err(_) => Ok(known),
        }
    }

    fn ages(&self) -> Ages {
        Ages {
            now: (self.0.options.clock)(),
            time_to_live: self.0.options.time_to_live.min(SECRET_AGE_MAX),
        }
    }

    fn with_state<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        // Nothing that changes the state can panic halfway.
        act(&mut self.0.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Starts a fetch of all that is due, or joins the one that runs. What is returned closes when it has ended.
    fn fetch(&self, kind: SourceKind) -> watch::Receiver<()> {
        let ages = self.ages();
        self.with_state(|state| {
            if let Some(running) = state.running(kind) {
                return running;
            }
            let declared = self.0.declarations.iter();
            let due: Vec<_> = declared
                .filter(|(name, secret)| secret.from.kind() == kind && state.is_due(name, &ages))
                .map(|(name, secret)| Wanted {
                    name: name.clone(),
                    source: secret.from.clone(),
                    encoding: secret.encoding,
                })
                .collect();
            let (ended, running) = watch::channel(());
            if !due.is_empty() {
                state.run(kind, running.clone());
                let secrets = self.clone();
                tokio::spawn(async move {
                    secrets.fetch_now(due, ages.now).await;
                    drop(ended);
                });
            }
            running
        })
    }

    async fn fetch_now(&self, due: Vec<Wanted>, started: SystemTime) {
        let sources: Vec<_> = due.iter().map(|wanted| wanted.source.clone()).collect();
        let fetched = timeout(FETCH_DURATION_MAX, self.0.sources.fetch(&sources)).await;
        let mut results = fetched.unwrap_or_default().into_iter();
        let ages = self.ages();
        let failures: Vec<_> = self.with_state(|state| {
            let mut keep = |wanted: Wanted| match wanted.value(results.next()) {
                Ok(value) => {
                    state.succeeded(wanted.name, value, started);
                    None
                }
                Err(error) => Some(RefreshFailure {
                    age: state.failed(&wanted.name, error.class, &ages),
                    name: wanted.name,
                    source: wanted.source,
                    error,
                }),
            };
            due.into_iter().filter_map(&mut keep).collect()
        });
        for failure in &failures {
            (self.0.options.on_failure)(failure);
        }
    }
}

/// A secret that a fetch reads.
struct Wanted {
    name: SecretName,
    source: Source,
    encoding: ValueEncoding,
}

impl Wanted {
    /// The value of what its source gave; it gave nothing if time ran out.
    fn value(
        &self,
        fetched: Option<Result<SecretValue, FetchError>>,
    ) -> Result<SecretValue, FetchError> {
        let source = &self.source;
        let fetched = fetched.unwrap_or_else(|| {
            let words = format!(
                "`{source}`: no answer in {} s",
                FETCH_DURATION_MAX.as_secs()
            );
            Err(FetchError::new(FetchErrorClass::Unreachable, words))
        });
        fetched?
            .decoded(self.encoding)
            .map_err(|error| FetchError::from(error).about(source))
    }
}

/// Whether a fetch ended before the deadline.
async fn wait(fetch: &mut watch::Receiver<()>, deadline: Instant) -> bool {
    // Nothing is ever sent: the channel closes.
    timeout_at(deadline.into(), fetch.changed()).await.is_ok()
}

fn unavailable(name: &str, words: &str, lasts: bool) -> ValueError {
    let words = format!("the host cannot read secret `{name}`; {words}");
    ValueError {
        error: SecretError::Unavailable(words),
        lasts,
    }
}

impl From<ValueError> for SecretError {
    fn from(error: ValueError) -> Self {
        error.error
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Secrets")
            .field("declarations", &self.0.declarations)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
