//! A guest with everything that its host gives it, from the command line and from `tenon.toml`.

use super::{GuestSource, engine, environment, secrets};
use crate::{
    args::guest::GuestOptions, aws::OwnSigner, deployed, exit::CommandError, project::Project,
};
use ::secrets::{GuestAccess, SecretDeclarations};
use contract::{limits::Limits, log::LogLevel};
use outgoing::{Grant, GrantServices, Grants, Services};
use runtime::{Environment, OutgoingAccess, Runtime, RuntimeOptions, SecretAccess, engine::Engine};
use service::Deployment;
use std::sync::Arc;
use storage::Storage;

/// The guest of a command, with its options.
#[derive(Clone, Debug)]
pub struct HostedGuest {
    /// Where it comes from.
    pub source: GuestSource,
    /// Its environment.
    pub environment: Environment,
    /// The limits of one request.
    pub limits: Limits,
    /// Less severe log lines are dropped.
    pub log_level: LogLevel,
    /// The other services that it may call.
    pub grants: Arc<Grants>,
    /// Its secrets.
    pub secrets: Arc<SecretDeclarations>,
    /// The command that builds it, if the project says so and the guest is the project's.
    build: Option<String>,
}

impl HostedGuest {
    /// The guest that the options name, otherwise that of the project.
    pub fn resolve(
        options: &GuestOptions,
        project: Option<&Project>,
    ) -> Result<Self, CommandError> {
        let source = GuestSource::resolve(options.guest.as_deref(), project)?;
        Self::with_source(source, options, project)
    }

    /// A guest that was chosen by other rules, with these options.
    pub fn with_source(
        source: GuestSource,
        options: &GuestOptions,
        project: Option<&Project>,
    ) -> Result<Self, CommandError> {
        let RuntimeOptions {
            limits,
            environment,
            log_level,
            outgoing,
            secrets,
        } = runtime_options(options, project)?;
        let build = project.and_then(|project| project.build(options.guest.as_deref()));
        Ok(Self {
            source,
            environment,
            limits,
            log_level,
            grants: outgoing.grants(),
            secrets: secrets.declarations(),
            build: build.map(|build| build.text.clone()),
        })
    }

    /// The options of its runtime.
    pub fn options(&self) -> RuntimeOptions {
        RuntimeOptions {
            limits: self.limits,
            environment: self.environment.clone(),
            log_level: self.log_level,
            outgoing: OutgoingAccess::Granted(self.grants.clone()),
            secrets: SecretAccess::Declared(self.secrets.clone()),
        }
    }

    /// The same for replays, in which a recording takes the place of other services and of secrets.
    pub fn options_for_replays(&self) -> RuntimeOptions {
        RuntimeOptions {
            outgoing: OutgoingAccess::NotChecked,
            secrets: SecretAccess::NotChecked,
            ..self.options()
        }
    }

    /// Loads and links it, for up to `instances_max` concurrent requests.
    pub fn link(&self, instances_max: usize) -> Result<Runtime, CommandError> {
        self.link_on(&engine(instances_max)?)
    }

    /// Loads and links it on the given engine.
    pub fn link_on(&self, engine: &Engine) -> Result<Runtime, CommandError> {
        self.check_is_built()?;
        self.source.link_on(engine, self.options())
    }

    /// [`link`](Self::link) for replays.
    pub fn link_for_replays(&self, instances_max: usize) -> Result<Runtime, CommandError> {
        self.check_is_built()?;
        let options = self.options_for_replays();
        self.source.link_on(&engine(instances_max)?, options)
    }

    /// How it uses its secrets, alone and in requests to the services that it may call. `say` tells which cannot be read.
    pub fn access(&self, say: impl Fn(&str) + Send + Sync + 'static) -> GuestAccess {
        secrets::provider(say).provide(&self.secrets, services().granted(&self.grants))
    }

    /// The guest, linked, on a store, with the services that it may call and its secrets.
    pub fn deployment(
        &self,
        runtime: Runtime,
        storage: Arc<dyn Storage>,
        say: impl Fn(&str) + Send + Sync + 'static,
    ) -> Deployment {
        let GuestAccess { secrets, outgoing } = self.access(say);
        let deployment = Deployment::new(runtime, storage);
        deployment.with_outgoing(outgoing).with_secrets(secrets)
    }

    /// Says how to build the guest of a project that was not built yet.
    pub fn check_is_built(&self) -> Result<(), CommandError> {
        match (&self.source, &self.build) {
            (GuestSource::File(path) | GuestSource::Found(path), Some(build)) if !path.exists() => {
                Err(CommandError::environment(format_args!(
                    "guest `{}` does not exist: the project was not built yet",
                    path.display()
                ))
                .hint(format_args!("build it with `{build}`")))
            }
            (GuestSource::File(_) | GuestSource::Found(_) | GuestSource::Embedded, _) => Ok(()),
        }
    }
}

/// What a host gives a guest, whichever it is.
pub fn runtime_options(
    options: &GuestOptions,
    project: Option<&Project>,
) -> Result<RuntimeOptions, CommandError> {
    let serve = project.map(|project| &project.file.serve);
    let limits = serve.map(|serve| serve.limits.0).unwrap_or_default();
    let level = serve.and_then(|serve| serve.log_level);
    let environment = environment::resolve(&options.environment, project)?;
    let environment = environment.into_iter().collect();
    let declarations = secrets::resolve(options, project)?;
    secrets::check_environment(&declarations, &environment)?;
    Ok(RuntimeOptions {
        limits: options.limits.0.or(&limits).over(&deployed::limits()),
        environment,
        log_level: match (options.log_level, level) {
            (Some(name), _) => name.into(),
            (None, Some(level)) => level.0,
            (None, None) => LogLevel::Info,
        },
        outgoing: OutgoingAccess::Granted(Arc::new(grants(options, project)?)),
        secrets: SecretAccess::Declared(Arc::new(declarations)),
    })
}

/// Other services, as a guest on this machine calls them.
pub fn services() -> Arc<dyn GrantServices> {
    Arc::new(Services::new(Some(Arc::new(OwnSigner::default()))))
}

/// What the project and the command line grant.
fn grants(options: &GuestOptions, project: Option<&Project>) -> Result<Grants, CommandError> {
    let typed = options.allow_outgoing.iter().cloned();
    let typed = typed.map(Grant::with_private_addresses).collect();
    with_those_of_project(typed, project)
}

/// What the project grants, and what was typed, which wins.
pub fn with_those_of_project(
    typed: Vec<Grant>,
    project: Option<&Project>,
) -> Result<Grants, CommandError> {
    let typed = Grants::new(typed).map_err(CommandError::usage)?;
    let of_project = project.map(|project| &project.file.outgoing.0);
    let all = of_project.map_or(typed.clone(), |own| own.with(&typed));
    Grants::try_from(Vec::from(all)).map_err(CommandError::usage)
}
