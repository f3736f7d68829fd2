//! `serve`: the guest over HTTP.

use crate::{
    args::{self, FollowOptions, ServeArgs},
    commands::event,
    exit::{Failure, Outcome},
    guest::{self, GuestSource},
    output,
    release::{channels, keys, stores::StoresSpec},
    runtime, seed,
    serve::{access::AccessLog, exchange::Exchanger, server, tape::TapeFile, workers::Workers},
    store::{StoreSpec, Whole},
    time,
};
use host_core::{
    gateway::Origin,
    release::{ChannelName, Follower, Following, House, PublicKeys, Views},
    runtime::RuntimeOptions,
    service::Service,
    tape::{RecordOptions, Redaction},
};
use std::{
    io,
    net::{SocketAddr, ToSocketAddrs},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
};

/// Requests that run guests at a time, for each thread: while one waits for the store, another runs.
const INSTANCES_PER_WORKER: usize = 8;

/// Where to listen, and what answers.
pub struct Configuration {
    listen: Vec<SocketAddr>,
    store: StoreSpec,
    guest: GuestSource,
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
}

/// Checks the arguments; nothing is opened yet.
pub fn resolve(arguments: &ServeArgs) -> Result<Configuration, Failure> {
    let not_an_address = |text: &str| {
        Failure::usage(format_args!("`{text}` is not an address to listen on"))
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
        store: StoreSpec::resolve(&arguments.store)?,
        guest: GuestSource::resolve(arguments.guest.guest.as_deref()),
        follow: resolve_follow(&arguments.follow)?,
        origin: Origin::new(event::kind(arguments.event_kind)),
        is_quiet: arguments.quiet,
        record: match &arguments.record.record {
            Some(path) => Some((path.clone(), record_options(&arguments.record)?)),
            None => None,
        },
    })
}

fn record_options(arguments: &args::RecordOptions) -> Result<RecordOptions, Failure> {
    let policy = arguments.record_policy.parse().map_err(Failure::usage)?;
    let recipient = arguments
        .record_recipient
        .as_deref()
        .map(|recipient| {
            recipient.parse().map_err(|error| {
                Failure::usage(format_args!("`--record-recipient {recipient}`: {error}"))
            })
        })
        .transpose()?;
    // What only its owner reads need not lose anything.
    let redaction = if arguments.no_redaction || recipient.is_some() {
        Redaction::nothing()
    } else {
        Redaction::credentials()
            .with_headers(arguments.redact_header.iter().map(String::as_str))
            .with_query(arguments.redact_query.iter().map(String::as_str))
            .with_fields(arguments.redact_field.iter().map(String::as_str))
            .map_err(Failure::usage)?
    };
    Ok(RecordOptions {
        redaction,
        withhold_seed: arguments.withhold_seed,
        recipient,
        ..RecordOptions::new(policy)
    })
}

fn resolve_follow(options: &FollowOptions) -> Result<Option<Follow>, Failure> {
    // The grammar asks for both or neither.
    let (Some(channel), Some(artifacts)) = (&options.channel, &options.artifacts) else {
        return Ok(None);
    };
    Ok(Some(Follow {
        channel: channels::name(channel)?,
        keys: keys::public(&options.public_key)?,
        stores: StoresSpec::new(artifacts, options.table.as_deref(), &options.aws)?,
        interval: Duration::from_millis(options.channel_interval_ms),
    }))
}

/// Serves until SIGINT or SIGTERM.
pub fn run(configuration: Configuration) -> Result<Outcome, Failure> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let instances_max = workers * INSTANCES_PER_WORKER;
    let runtime = runtime::workers(1)?; // to accept connections, and to follow a channel at first
    let (service, follower) = match &configuration.follow {
        None => {
            let guest = configuration.guest.link(instances_max)?;
            let store = runtime.block_on(configuration.store.open())?;
            (Service::new(guest, store), None)
        }
        Some(follow) => {
            let follower = runtime.block_on(start(&configuration, follow, instances_max))?;
            (Service::routed(Arc::new(follower.clone())), Some(follower))
        }
    };
    let limits = service.limits();
    let exchanger = Exchanger {
        service,
        follower,
        origin: configuration.origin,
        limits,
        log: AccessLog::new(io::stderr()).map_err(|error| {
            Failure::environment(format_args!("failed to start a thread: {error}"))
        })?,
        is_quiet: configuration.is_quiet,
        tape: configuration
            .record
            .as_ref()
            .map(|(path, options)| TapeFile::open(path, options.clone()))
            .transpose()?,
    };
    let workers = Workers::start(workers)
        .map_err(|error| Failure::environment(format_args!("failed to start threads: {error}")))?;
    runtime.block_on(serve(&configuration, workers, exchanger))?;
    Ok(Outcome::Same)
}

/// Takes the first look at the channel.
async fn start(
    configuration: &Configuration,
    follow: &Follow,
    instances_max: usize,
) -> Result<Follower, Failure> {
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
        house: House {
            engine,
            views: Views::of(storage, cursor_key),
            namespace,
            options: RuntimeOptions::default(),
        },
        bundled: Some(bundled),
        seed: seed::unpredictable()?,
    };
    let follower = Follower::start(following, time::now_ms())
        .await
        .map_err(Failure::environment)?;
    for report in follower.take_reports() {
        output::remark(&format!("channel {}: {report}\n", follow.channel));
    }
    Ok(follower)
}

async fn serve(
    configuration: &Configuration,
    workers: Workers,
    exchanger: Exchanger,
) -> Result<(), Failure> {
    let listener = bind(&configuration.listen).await?;
    let address = listener
        .local_addr()
        .map_err(|error| cannot_listen(&configuration.listen, &error))?;
    let mut once = Signals::new()?;
    let mut twice = Signals::new()?;
    output::result(greeting(address, configuration).as_bytes())?;
    let impatience = async {
        twice.next().await;
        twice.next().await;
    };
    tokio::select! {
        cut = server::serve(listener, workers, Arc::new(exchanger), once.next()) => {
            if cut > 0 {
                output::remark(&format!("{cut} connections were cut: their requests took too long\n"));
            }
        }
        // Whoever asks again does not want to wait.
        () = impatience => output::remark("stopped without waiting for requests in flight\n"),
    }
    Ok(())
}

async fn bind(addresses: &[SocketAddr]) -> Result<TcpListener, Failure> {
    TcpListener::bind(addresses)
        .await
        .map_err(|error| cannot_listen(addresses, &error))
}

fn cannot_listen(addresses: &[SocketAddr], error: &io::Error) -> Failure {
    let address = addresses
        .first()
        .map(ToString::to_string)
        .unwrap_or_default();
    match error.kind() {
        io::ErrorKind::AddrInUse => Failure::environment(format_args!(
            "address `{address}` is in use by another program"
        ))
        .hint("end that program, or take a free port with `--listen 127.0.0.1:0`"),
        io::ErrorKind::PermissionDenied => {
            Failure::environment(format_args!("not allowed to listen on `{address}`"))
                .hint("take a port above 1023")
        }
        io::ErrorKind::AddrNotAvailable => Failure::environment(format_args!(
            "address `{address}` is not one of this machine's"
        ))
        .hint("listen on `127.0.0.1`, or on `0.0.0.0` for all of the machine's addresses"),
        _ => Failure::environment(format_args!("failed to listen on `{address}`: {error}")),
    }
}

/// The first lines, for a person who has just started this.
fn greeting(address: SocketAddr, configuration: &Configuration) -> String {
    let (store, base) = (&configuration.store, format!("http://{address}"));
    let commands = match configuration.guest {
        GuestSource::Embedded => format!(
            "  curl -i {base}/items\n  \
             curl -i {base}/items -H 'content-type: application/json' -d '{{\"name\":\"lamp\"}}'\n  \
             curl -i {base}/items/ID\n"
        ),
        GuestSource::File(_) => format!(
            "  curl -i {base}/\n  curl -i -X OPTIONS {base}/\n  curl -i {base}/ -H 'content-type: application/json' -d '{{}}'\n"
        ),
    };
    let recording = configuration
        .record
        .as_ref()
        .map_or(String::new(), |(path, _)| {
            format!("recording to: {}\n", path.display())
        });
    format!("listening on {base}\nstore: {store}\n{recording}try:\n{commands}")
}

/// SIGINT and SIGTERM.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> Result<Self, Failure> {
        let listen = |kind| {
            signal(kind).map_err(|error| {
                Failure::environment(format_args!("failed to listen for signals: {error}"))
            })
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
