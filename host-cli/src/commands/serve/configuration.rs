//! What `serve` is told: its options, and what the project's file says instead of them.

use super::project_line::project_line;
use crate::{
    args::{self, FollowOptions, LogFormat, ServeArgs, server::ServerOptions},
    exit::CommandError,
    guest::{self, GuestSource, HostedGuest},
    identity::{self, CallerSpec},
    project::{self, Project, ServeSection, event_kind},
    release::{channels, keys, stores::StoresSpec},
    serve::{
        authority::{self, Allowed},
        lines::Format,
        listener,
    },
    store::{STATE_FOLDER, StoreSpec, seeding::Start, socket},
};
use gateway::Origin;
use release::{ChannelName, PublicKeys};
use runtime::RuntimeOptions;
use std::{
    net::{IpAddr, SocketAddr, ToSocketAddrs},
    path::{Path, PathBuf},
    time::Duration,
};
use tape::{RecordOptions, Redaction};

/// Where `serve` listens if nothing else is named.
const LISTEN_DEFAULT: &str = "127.0.0.1:3000";

/// What any server listens on and emulates.
#[derive(Clone)]
pub struct ServerConfiguration {
    pub listen: Vec<SocketAddr>,
    pub allowed: Allowed,
    pub log_format: Format,
    pub store: StoreSpec,
    /// What it holds at the start.
    pub start: Start,
    /// Where `host-cli store` reaches it.
    pub socket: Option<PathBuf>,
    pub origin: Origin,
    pub callers: CallerSpec,
}

/// The address to listen on, and everything that answers requests.
pub struct Configuration {
    pub(super) server: ServerConfiguration,
    /// Serves alone, or while no guest of the channel can; a server that follows a channel needs none.
    pub(super) guest: Option<HostedGuest>,
    /// What every guest gets.
    pub(super) options: RuntimeOptions,
    pub(super) follow: Option<Follow>,
    pub(super) is_quiet: bool,
    pub(super) record: Option<(PathBuf, RecordOptions)>,
    /// The project's file, and what comes from it.
    pub(super) project: Option<String>,
}

/// The channel to follow.
pub(super) struct Follow {
    pub(super) channel: ChannelName,
    pub(super) keys: PublicKeys,
    pub(super) stores: StoresSpec,
    pub(super) interval: Duration,
    pub(super) generation_min: u64,
}

impl ServerConfiguration {
    /// Checks the options. What they do not name comes from the project.
    pub fn resolve(
        options: &ServerOptions,
        project: Option<&Project>,
    ) -> Result<Self, CommandError> {
        let serve = project.map(|project| &project.file.serve);
        let store = project::store(options.store.as_deref(), project)?;
        let kind = event_kind(options.event_kind.map(|kind| kind.0), project);
        let state = project.map(|project| project.path(STATE_FOLDER));
        Ok(Self {
            listen: resolve_listen(options, serve)?,
            allowed: resolve_allowed(options)?,
            log_format: match options.log_format {
                LogFormat::Text => Format::Text,
                LogFormat::Json => Format::Json,
            },
            start: Start::resolve(options.start.fresh, options.start.seed.as_deref(), &store)?,
            socket: socket::path_of(&store, state.as_deref()),
            store,
            origin: Origin::new(kind),
            callers: identity::resolve(&options.identity, kind)?,
        })
    }

    /// What the person who starts the server should know, each in one line.
    pub fn warnings(&self, address: IpAddr) -> Vec<String> {
        let identity = self.callers.warning().map(str::to_owned);
        [listener::warning(address), identity]
            .into_iter()
            .flatten()
            .collect()
    }
}

/// Checks the arguments; nothing is opened yet. What they do not name comes from the project.
pub fn resolve(
    arguments: &ServeArgs,
    project: Option<&Project>,
) -> Result<Configuration, CommandError> {
    let follow = resolve_follow(&arguments.follow, project)?;
    let server = ServerConfiguration::resolve(&arguments.server, project)?;
    let guest = resolve_guest(arguments, project, follow.is_some())?;
    // Files of the environment may be pipes, so they are read once.
    let options = match &guest {
        Some(guest) => guest.options(),
        None => guest::runtime_options(&arguments.guest, project)?,
    };
    Ok(Configuration {
        server,
        project: project.map(|project| project_line(project, arguments, &options.environment)),
        guest,
        options,
        follow,
        is_quiet: arguments.quiet,
        record: match &arguments.record.record {
            Some(path) => Some((path.clone(), record_options(&arguments.record)?)),
            None => None,
        },
    })
}

/// The guest of the options or of the project. A server that follows a channel does without one that nobody named or built.
fn resolve_guest(
    arguments: &ServeArgs,
    project: Option<&Project>,
    follows: bool,
) -> Result<Option<HostedGuest>, CommandError> {
    if follows && arguments.guest.guest.is_none() {
        let source = project.and_then(GuestSource::of_project);
        let source = source.filter(|source| source.path().is_none_or(Path::exists));
        return source
            .map(|source| HostedGuest::with_source(source, &arguments.guest, project))
            .transpose();
    }
    HostedGuest::resolve(&arguments.guest, project).map(Some)
}

fn resolve_listen(
    arguments: &ServerOptions,
    serve: Option<&ServeSection>,
) -> Result<Vec<SocketAddr>, CommandError> {
    let of_project = serve.and_then(|serve| serve.listen.as_deref());
    let named = arguments.listen.as_deref().or(of_project);
    let named = named.unwrap_or(LISTEN_DEFAULT);
    let addresses: Vec<SocketAddr> = named
        .to_socket_addrs()
        .map(Iterator::collect)
        .unwrap_or_default();
    if addresses.is_empty() {
        return Err(
            CommandError::usage(format_args!("`{named}` is not an address to listen on"))
                .hint("write an address and a port: `--listen 127.0.0.1:3000`"),
        );
    }
    Ok(addresses)
}

fn resolve_allowed(arguments: &ServerOptions) -> Result<Allowed, CommandError> {
    let is_host = |host: &str| !host.is_empty() && authority::is_valid(host);
    for host in &arguments.allow_host {
        if !is_host(host) || host.contains(':') {
            return Err(CommandError::usage(format_args!(
                "`--allow-host {host}` is not a host name"
            ))
            .hint("write only the name: `--allow-host api.test`"));
        }
    }
    for origin in &arguments.allow_origin {
        let rest = origin
            .strip_prefix("http://")
            .or_else(|| origin.strip_prefix("https://"));
        if !rest.is_some_and(is_host) && origin != "null" {
            return Err(CommandError::usage(format_args!(
                "`--allow-origin {origin}` is not an origin"
            ))
            .hint(
                "write it as browsers do, without a path: `--allow-origin http://localhost:5173`",
            ));
        }
    }
    Ok(Allowed {
        hosts: arguments.allow_host.clone(),
        origins: arguments.allow_origin.clone(),
    })
}

fn record_options(arguments: &args::RecordOptions) -> Result<RecordOptions, CommandError> {
    let policy = arguments
        .record_policy
        .parse()
        .map_err(CommandError::usage)?;
    let recipient = arguments
        .record_recipient
        .as_deref()
        .map(|recipient| {
            recipient.parse().map_err(|error| {
                CommandError::usage(format_args!("`--record-recipient {recipient}`: {error}"))
            })
        })
        .transpose()?;
    // A tape without redaction is readable by its owner only.
    let redaction = if arguments.no_redaction || recipient.is_some() {
        Redaction::nothing()
    } else {
        Redaction::credentials()
            .with_headers(arguments.redact_header.iter().map(String::as_str))
            .with_query(arguments.redact_query.iter().map(String::as_str))
            .with_fields(arguments.redact_field.iter().map(String::as_str))
            .map_err(CommandError::usage)?
    };
    Ok(RecordOptions {
        redaction,
        withhold_seed: arguments.withhold_seed,
        recipient,
        ..RecordOptions::new(policy)
    })
}

fn resolve_follow(
    options: &FollowOptions,
    project: Option<&Project>,
) -> Result<Option<Follow>, CommandError> {
    let Some(channel) = &options.channel else {
        return Ok(None);
    };
    let (artifacts, table) = (options.artifacts.as_deref(), options.table.as_deref());
    Ok(Some(Follow {
        channel: channels::name(channel)?,
        keys: keys::trusted(&options.public_key, project)?,
        stores: StoresSpec::new(artifacts, table, &options.aws, project)?,
        interval: Duration::from_millis(options.channel_interval_ms),
        generation_min: options.generation_min,
    }))
}
