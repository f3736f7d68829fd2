//! `serve`: serves the guest over HTTP.

use crate::{
    args::{self, FollowOptions, LogFormat, ServeArgs},
    executor,
    exit::{CommandError, Outcome},
    guest::{self, GuestSource, environment},
    output,
    release::{channels, keys, stores::StoresSpec},
    seed,
    serve::{
        access::AccessLog,
        authority::{self, Allowed},
        background::{self, GuestFile},
        clients::Clients,
        examples::{self, Example},
        exchange::Exchanger,
        lines::Format,
        listener, server,
        tape::TapeFile,
        workers::Workers,
    },
    signals::Signals,
    store::{StoreSpec, Whole},
    time,
};
use ::tape::{RecordOptions, Redaction};
use contract::text::printable_lines;
use gateway::Origin;
use release::{ChannelName, PublicKeys};
use rollout::{Follower, Following, HostContext, NamespaceStores};
use runtime::{Environment, Runtime, RuntimeOptions};
use service::{Router, Service};
use std::{
    io,
    net::{SocketAddr, ToSocketAddrs},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// Concurrent requests per thread: while one waits for the store, another runs.
const INSTANCES_PER_WORKER: usize = 8;

/// The address to listen on, and everything that answers requests.
pub struct Configuration {
    listen: Vec<SocketAddr>,
    allowed: Allowed,
    log_format: Format,
    store: StoreSpec,
    guest: GuestSource,
    environment: Environment,
    follow: Option<Follow>,
    origin: Origin,
    is_quiet: bool,
    record: Option<(PathBuf, RecordOptions)>,
}

/// The channel to follow.
struct Follow {
    channel: ChannelName,
    keys: PublicKeys,
    stores: StoresSpec,
    interval: Duration,
    generation_min: u64,
}

/// Checks the arguments; nothing is opened yet.
pub fn resolve(arguments: &ServeArgs) -> Result<Configuration, CommandError> {
    let not_an_address = |text: &str| {
        CommandError::usage(format_args!("`{text}` is not an address to listen on"))
            .hint("write an address and a port: `--listen 127.0.0.1:3000`")
    };
    let listen: Vec<SocketAddr> = arguments
        .listen
        .to_socket_addrs()
        .map_err(|_| not_an_address(&arguments.listen))?
        .collect();
    if listen.is_empty() {
        return Err(not_an_address(&arguments.listen));
    }
    Ok(Configuration {
        listen,
        allowed: resolve_allowed(arguments)?,
        log_format: match arguments.log_format {
            LogFormat::Text => Format::Text,
            LogFormat::Json => Format::Json,
        },
        store: StoreSpec::resolve(&arguments.store)?,
        guest: GuestSource::resolve(arguments.guest.guest.as_deref()),
        environment: environment::of_guest(&arguments.guest.environment)?,
        follow: resolve_follow(&arguments.follow)?,
        origin: Origin::new(arguments.event_kind.0),
        is_quiet: arguments.quiet,
        record: match &arguments.record.record {
            Some(path) => Some((path.clone(), record_options(&arguments.record)?)),
            None => None,
        },
    })
}

fn resolve_allowed(arguments: &ServeArgs) -> Result<Allowed, CommandError> {
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

fn resolve_follow(options: &FollowOptions) -> Result<Option<Follow>, CommandError> {
    // clap requires both options or neither.
    let (Some(channel), Some(artifacts)) = (&options.channel, &options.artifacts) else {
        return Ok(None);
    };
    Ok(Some(Follow {
        channel: channels::name(channel)?,
        keys: keys::public(&options.public_key)?,
        stores: StoresSpec::new(artifacts, options.table.as_deref(), &options.aws)?,
        interval: Duration::from_millis(options.channel_interval_ms),
        generation_min: options.generation_min,
    }))
}

/// Serves until SIGINT or SIGTERM.
pub fn run(configuration: Configuration) -> Result<Outcome, CommandError> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let instances_max = workers * INSTANCES_PER_WORKER;
    let runtime = executor::workers(1)?; // to accept connections, and to follow a channel
    let guest_file = match &configuration.guest {
        GuestSource::File(path) if configuration.follow.is_none() => Some(GuestFile::new(path)),
        GuestSource::File(_) | GuestSource::Embedded => None,
    };
    let (service, guest) = match &configuration.follow {
        None => {
            let environment = configuration.environment.clone();
            let guest = configuration.guest.link(instances_max, environment)?;
            let store = runtime.block_on(configuration.store.open())?;
            (Service::new(guest.clone(), store), Guest::One(guest))
        }
        Some(follow) => {
            let follower = runtime.block_on(start(&configuration, follow, instances_max))?;
            let service = Service::routed(Arc::new(follower.clone()));
            (service, Guest::OfChannel(follower))
        }
    };
    let examples = runtime.block_on(guest.examples());
    let limits = service.limits();
    let exchanger = Exchanger {
        service,
        follower: guest.follower(),
        origin: configuration.origin,
        limits,
        allowed: configuration.allowed.clone(),
        clients: Arc::new(Clients::default()),
        log: AccessLog::new(io::stderr()).map_err(|error| {
            CommandError::environment(format_args!("failed to start a thread: {error}"))
        })?,
        format: configuration.log_format,
        is_quiet: configuration.is_quiet,
        tape: configuration
            .record
            .as_ref()
            .map(|(path, options)| TapeFile::open(path, options.clone()))
            .transpose()?,
    };
    let workers = Workers::start(workers).map_err(|error| {
        CommandError::environment(format_args!("failed to start threads: {error}"))
    })?;
    let exchanger = Arc::new(exchanger);
    let interval = configuration.follow.as_ref().map(|follow| follow.interval);
    let background = runtime.spawn(background::run(
        Arc::clone(&exchanger),
        interval,
        guest_file,
    ));
    let served = runtime.block_on(serve(
        &configuration,
        workers,
        Arc::clone(&exchanger),
        &examples,
    ));
    background.abort();
    // Release what it holds before the process ends, whatever the result is.
    let _ = runtime.block_on(background);
    background::report_closed(&exchanger);
    served?;
    if !configuration.is_quiet {
        report_stopped(&configuration, &exchanger);
    }
    Ok(Outcome::Same)
}

/// Writes the last line of output, after the lines of the last requests.
fn report_stopped(configuration: &Configuration, exchanger: &Exchanger) {
    let tape = configuration.record.as_ref();
    let text = farewell(
        exchanger.clients.requests(),
        tape.map(|(path, _)| path.as_path()),
        configuration.log_format,
    );
    exchanger
        .log
        .add(|out| out.extend_from_slice(text.as_bytes()));
}

/// The guest, its store and the follower of the channel.
enum Guest {
    One(Runtime),
    OfChannel(Follower),
}

impl Guest {
    async fn examples(&self) -> Vec<Example> {
        let now_ms = time::now_ms();
        match self {
            Self::One(guest) => examples::of(|_| Some(guest.clone()), now_ms).await,
            Self::OfChannel(follower) => {
                let choose = |request: &_| Some(follower.choose(request)?.runtime().clone());
                examples::of(choose, now_ms).await
            }
        }
    }

    fn follower(self) -> Option<Follower> {
        match self {
            Self::One(_) => None,
            Self::OfChannel(follower) => Some(follower),
        }
    }
}

/// Reads the channel for the first time.
async fn start(
    configuration: &Configuration,
    follow: &Follow,
    instances_max: usize,
) -> Result<Follower, CommandError> {
    let engine = guest::engine(instances_max)?;
    let (_, bundled) = configuration.guest.load(&engine)?;
    let stores = follow.stores.open().await?;
    let Whole {
        storage,
        cursor_key,
        namespace,
    } = configuration.store.open_whole().await?;
    let following = Following {
        channel: follow.channel.clone(),
        keys: follow.keys.clone(),
        channels: stores.channels,
        artifacts: stores.artifacts,
        interval: follow.interval,
        generation_min: follow.generation_min,
        host: HostContext {
            engine,
            stores: NamespaceStores::of(storage, cursor_key),
            namespace,
            options: RuntimeOptions {
                environment: configuration.environment.clone(),
                ..RuntimeOptions::default()
            },
        },
        bundled: Some(bundled),
        seed: seed::unpredictable()?,
    };
    let follower = Follower::start(following, time::now_ms())
        .await
        .map_err(CommandError::environment)?;
    for report in follower.take_reports() {
        output::remark(&format!("channel {}: {report}\n", follow.channel));
    }
    if follower.generation().is_none() {
        output::remark(&format!(
            "warning: {} serves until the stores of channel `{}` can be reached\n",
            match &configuration.guest {
                GuestSource::Embedded => "the embedded guest".to_owned(),
                GuestSource::File(path) => format!("guest `{}`", path.display()),
            },
            follow.channel
        ));
    }
    Ok(follower)
}

async fn serve(
    configuration: &Configuration,
    workers: Workers,
    exchanger: Arc<Exchanger>,
    examples: &[Example],
) -> Result<(), CommandError> {
    let listener = listener::bind(&configuration.listen)?;
    let address = listener
        .local_addr()
        .map_err(|error| listener::cannot_listen(&configuration.listen, &error))?;
    let mut once = Signals::new()?;
    let mut twice = Signals::new()?;
    let generation = exchanger.follower.as_ref().and_then(Follower::generation);
    output::text(&greeting(address, configuration, generation, examples))?;
    if let Some(warning) = listener::warning(address.ip()) {
        output::remark(&warning);
    }
    let impatience = async {
        twice.next().await;
        twice.next().await;
    };
    tokio::select! {
        cut = server::serve(listener, workers, exchanger, async { once.next().await; }) => {
            if cut > 0 {
                output::remark(&format!("{cut} connections were closed: their requests took too long\n"));
            }
        }
        // A second signal means that the user does not want to wait.
        () = impatience => output::remark("stopped without waiting for requests in flight\n"),
    }
    Ok(())
}

/// The last line of output.
fn farewell(requests: u64, tape: Option<&Path>, format: Format) -> String {
    let tape = tape.map(|path| path.display().to_string());
    if matches!(format, Format::Json) {
        let line = serde_json::json!({
            "time": time::rfc3339(time::now_ms()),
            "message": "stopped",
            "requests": requests,
            "tape": tape,
        });
        return printable_lines(&format!("{line}\n")).into_owned();
    }
    let plural = if requests == 1 { "" } else { "s" };
    let tape = tape.map_or_else(String::new, |tape| format!("; tape: {tape}"));
    printable_lines(&format!(
        "stopped: {requests} request{plural} served{tape}\n"
    ))
    .into_owned()
}

/// The first lines of output, for the person who started the server.
fn greeting(
    address: SocketAddr,
    configuration: &Configuration,
    generation: Option<u64>,
    examples: &[Example],
) -> String {
    let (store, base) = (&configuration.store, format!("http://{address}"));
    let recording = configuration
        .record
        .as_ref()
        .map_or(String::new(), |(path, _)| {
            format!("recording to: {}\n", path.display())
        });
    let own = configuration.guest.describe();
    let guest = match (&configuration.follow, generation) {
        (Some(follow), Some(generation)) => {
            format!(
                "generation {generation} of channel `{}`\nfallback while no generation can be read: {own}",
                follow.channel
            )
        }
        (Some(follow), None) => format!("{own}; until channel `{}` can be read", follow.channel),
        (None, _) => own,
    };
    let mut text = format!("listening on {base}\nstore: {store}\n{recording}guest: {guest}\n");
    if !examples.is_empty() {
        text.push_str("try:\n");
    }
    for example in examples {
        text.push_str(&format!("  {}\n", example.command(&base)));
    }
    text
}
