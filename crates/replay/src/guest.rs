//! Guests that replay, each with the options with which a request was recorded.

use contract::{digest::Digest, log::LogLevel};
use outgoing::OutgoingHttp;
use runtime::{Runtime, RuntimeOptions};
use secrets::GuestSecrets;
use service::{Deployment, Service};
use std::{collections::BTreeSet, sync::Arc};
use storage::Storage;
use tape::{Exchange, HostFacts, environment_digest};

/// A guest with its options. Requests that were recorded with other options get their own view of it.
#[derive(Clone)]
pub struct ReplayGuest {
    runtime: Runtime,
}

impl ReplayGuest {
    /// For a guest; the environment in its options must be the recorded one.
    pub fn new(runtime: Runtime) -> Self {
        Self { runtime }
    }

    /// SHA-256 of the component.
    pub fn digest(&self) -> Digest {
        self.runtime.digest()
    }

    /// Whether its environment has this digest.
    pub(super) fn has_environment(&self, digest: Digest) -> bool {
        digest == environment_digest(&self.runtime.options().environment)
    }

    /// Whether it has environment variables.
    pub(super) fn has_variables(&self) -> bool {
        !self.runtime.options().environment.is_empty()
    }

    /// The guest as the host of a request ran it, on what a tape knows of the store, of other services and of secrets.
    pub(super) fn service(
        &self,
        host: &HostFacts<'_>,
        storage: Arc<dyn Storage>,
        outgoing: Arc<dyn OutgoingHttp>,
        secrets: Arc<dyn GuestSecrets>,
    ) -> Service {
        let service = |runtime| {
            let deployment = Deployment::new(runtime, storage).with_outgoing(outgoing);
            Service::of(deployment.with_secrets(secrets))
        };
        let limits = host.limits();
        let log_level = host.log_level.unwrap_or(LogLevel::Info);
        let options = self.runtime.options();
        if host.base_path.is_none() && options.limits == limits && options.log_level == log_level {
            return service(self.runtime.clone());
        }
        let options = RuntimeOptions {
            limits,
            log_level,
            environment: options.environment.clone(),
            outgoing: options.outgoing.clone(),
            secrets: options.secrets.clone(),
        };
        let service = service(self.runtime.with_options(options));
        match &host.base_path {
            Some(base_path) => service.with_base_path(base_path),
            None => service,
        }
    }

    /// The same guest as recorded: without an environment if it had none.
    pub(super) fn as_recorded(&self, exchange: &Exchange<'_>) -> Self {
        let options = self.runtime.options();
        if exchange.host.has_environment() || options.environment.is_empty() {
            return self.clone();
        }
        Self::new(self.runtime.with_options(RuntimeOptions {
            environment: Arc::from([]),
            ..options.clone()
        }))
    }

    /// Why its environment is not the recorded guest's, as far as the tape shows. Another guest may need another one.
    pub(super) fn environment_mismatch(&self, exchange: &Exchange<'_>) -> Option<String> {
        let (host, environment) = (&exchange.host, &self.runtime.options().environment);
        exchange.guest?;
        if !host.has_environment() {
            return (!environment.is_empty())
                .then(|| "the guest had no environment when it was recorded".to_owned());
        }
        let (recorded, given) = self.variables(exchange);
        let has_names = host.environment_names.is_empty() || recorded == given;
        let has_values = host
            .environment
            .is_none_or(|digest| digest == environment_digest(environment));
        if has_names && has_values {
            return None;
        }
        let missing = shown_names(&recorded, &given).map(|names| format!(", with {names}"));
        // Early releases wrote a digest only.
        let has_known_names = !host.environment_names.is_empty();
        let other = shown_names(&given, &recorded).filter(|_| has_known_names);
        let other = other.map(|names| format!(", without {names}"));
        Some(format!(
            "the guest had another environment when it was recorded{}{}: supply it with `--env` or `--env-file`",
            missing.unwrap_or_default(),
            other.unwrap_or_default()
        ))
    }

    /// The variables that the recorded guest had, and this one has not.
    pub(super) fn missing_variables(&self, exchange: &Exchange<'_>) -> Option<String> {
        let (recorded, given) = self.variables(exchange);
        shown_names(&recorded, &given)
    }

    /// The names of the recorded guest's variables, and of its own.
    fn variables<'a>(
        &'a self,
        exchange: &'a Exchange<'_>,
    ) -> (BTreeSet<&'a str>, BTreeSet<&'a str>) {
        let recorded = exchange.host.environment_names.iter();
        let given = self.runtime.options().environment.iter();
        (
            recorded.map(|name| &**name).collect(),
            given.map(|(name, _)| name.as_str()).collect(),
        )
    }
}

/// The names that the other set does not have.
fn shown_names(names: &BTreeSet<&str>, other: &BTreeSet<&str>) -> Option<String> {
    let names: Vec<&str> = names.difference(other).copied().collect();
    (!names.is_empty()).then(|| format!("`{}`", names.join("`, `")))
}
