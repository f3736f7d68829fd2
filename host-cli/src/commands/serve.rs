//! `serve`: serves the guest over HTTP.

mod configuration;
mod greeting;
mod project_line;

pub use configuration::{Configuration, ServerConfiguration, resolve};
pub use greeting::examples_to_try;

use self::{
    configuration::Follow,
    greeting::{farewell, greeting},
};
use crate::{
    executor,
    exit::{CommandError, Outcome},
    guest::{self, GuestSource},
    output,
    release::start::not_started,
    seed,
    serve::{
        access::AccessLog,
        background::{self, GuestFile},
        clients::Clients,
        examples::{self, Example},
        exchange::Exchanger,
        lines::Format,
        listener,
        remark::remark,
        server,
        tape::TapeFile,
        workers::Workers,
    },
    signals::Signals,
    store::{Whole, fresh::FreshStore, protocol::View, socket::StoreSocket},
    time,
};
use contract::count::counted;
use rollout::{Follower, Following, HostContext, NamespaceStores};
use runtime::Runtime;
use service::{Router, Service};
use std::{io, sync::Arc};
use tokio::net::TcpListener;

/// Concurrent requests per thread: while one waits for the store, another runs.
const INSTANCES_PER_WORKER: usize = 8;

/// Serves until SIGINT or SIGTERM.
pub fn run(configuration: Configuration) -> Result<Outcome, CommandError> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let instances_max = workers * INSTANCES_PER_WORKER;
    let runtime = executor::workers(1)?; // to accept connections, and to follow a channel
    let server = &configuration.server;
    // Whatever may fail comes before the store is changed.
    let listener = runtime.block_on(async { listener::bind(&server.listen) })?;
    let callers = runtime.block_on(server.callers.open(server.origin.kind))?;
    let tape = open_tape(&configuration)?;
    let Opened {
        service,
        guest,
        guest_file,
        store,
    } = runtime.block_on(open(&configuration, instances_max))?;
    let examples = runtime.block_on(guest.examples());
    let exchanger = Arc::new(Exchanger {
        service,
        follower: guest.follower(),
        origin: server.origin,
        callers,
        allowed: server.allowed.clone(),
        clients: Arc::new(Clients::default()),
        log: AccessLog::new(io::stderr()).map_err(|error| no_thread(&error))?,
        format: server.log_format,
        is_quiet: configuration.is_quiet,
        tape,
        session: None,
        turns: None,
    });
    let workers = Workers::start(workers).map_err(|error| no_thread(&error))?;
    let socket = runtime.block_on(store.offer(server))?;
    let interval = configuration.follow.as_ref().map(|follow| follow.interval);
    let background = runtime.spawn(background::run(
        Arc::clone(&exchanger),
        interval,
        guest_file,
    ));
    let served = runtime.block_on(serve(
        &configuration,
        listener,
        workers,
        Arc::clone(&exchanger),
        &examples,
    ));
    drop(socket);
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

fn open_tape(configuration: &Configuration) -> Result<Option<TapeFile>, CommandError> {
    let Some((path, options)) = &configuration.record else {
        return Ok(None);
    };
    TapeFile::open(path, options.clone(), configuration.server.log_format).map(Some)
}

fn no_thread(error: &io::Error) -> CommandError {
    CommandError::environment(format_args!("failed to start a thread: {error}"))
}

/// A guest on its store.
struct Opened {
    service: Service,
    guest: Guest,
    guest_file: Option<GuestFile>,
    store: OpenedStore,
}

/// Loads the guest and opens the store.
async fn open(configuration: &Configuration, instances_max: usize) -> Result<Opened, CommandError> {
    match (&configuration.follow, &configuration.guest) {
        (Some(follow), _) => {
            let (whole, store) = open_store(&configuration.server).await?;
            let follower = start(configuration, follow, whole, instances_max).await?;
            Ok(Opened {
                service: Service::routed(Arc::new(follower.clone())),
                guest: Guest::OfChannel(follower),
                guest_file: None,
                store,
            })
        }
        (None, Some(hosted)) => {
            let guest_file = hosted.source.path().map(GuestFile::new);
            let guest = hosted.link(instances_max)?;
            let (whole, store) = open_store(&configuration.server).await?;
            Ok(Opened {
                service: Service::of(hosted.deployment(
                    guest.clone(),
                    whole.into_view(),
                    warns(configuration.server.log_format),
                )),
                guest: Guest::One(guest),
                guest_file,
                store,
            })
        }
        (None, None) => Err(CommandError::usage("there is no guest to serve")),
    }
}

/// The store of a server that has not begun to serve.
pub struct OpenedStore {
    people: View,
    /// Takes the place of the store that is there.
    fresh: Option<FreshStore>,
}

/// Opens the store, empty if that was asked for. A store that is there is not changed yet.
pub async fn open_store(
    configuration: &ServerConfiguration,
) -> Result<(Whole, OpenedStore), CommandError> {
    let (whole, fresh) = configuration.start.open(&configuration.store).await?;
    let people = whole.view_for_people();
    Ok((whole, OpenedStore { people, fresh }))
}

impl OpenedStore {
    /// Stores the seed, and answers `host-cli store` from now on. A server that cannot do the latter still serves. To be called when nothing else
    /// can keep the server from starting.
    pub async fn offer(
        self,
        configuration: &ServerConfiguration,
    ) -> Result<Option<StoreSocket>, CommandError> {
        let seeded = configuration.start.fill(&self.people).await?;
        if let Some(fresh) = self.fresh {
            fresh.take_place()?;
        }
        if let Some(seeded) = seeded {
            remark(configuration.log_format, "info", &seeded);
        }
        let Some(path) = configuration.socket.clone() else {
            return Ok(None);
        };
        match StoreSocket::listen(&configuration.store, path, self.people) {
            Ok(socket) => Ok(Some(socket)),
            Err(error) => {
                let text = format!("warning: `host-cli store` does not reach this server: {error}");
                remark(configuration.log_format, "warn", &text);
                Ok(None)
            }
        }
    }
}

/// Writes the last line of output, after the lines of the last requests.
fn report_stopped(configuration: &Configuration, exchanger: &Exchanger) {
    let tape = configuration.record.as_ref();
    let text = farewell(
        exchanger.clients.requests(),
        tape.map(|(path, _)| path.as_path()),
        configuration.server.log_format,
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
    whole: Whole,
    instances_max: usize,
) -> Result<Follower, CommandError> {
    let engine = guest::engine(instances_max)?;
    let bundled = match &configuration.guest {
        Some(guest) => Some(guest.source.load(&engine)?.1),
        None => None,
    };
    let stores = follow.stores.open().await?;
    let Whole {
        storage,
        cursor_key,
        namespace,
    } = whole;
    let following = Following {
        channel: follow.channel.clone(),
        keys: follow.keys.clone(),
        channels: stores.channels.clone(),
        artifacts: stores.artifacts.clone(),
        interval: follow.interval,
        generation_min: follow.generation_min,
        host: HostContext {
            engine,
            stores: NamespaceStores::of(storage, cursor_key),
            namespace,
            services: guest::services(),
            secrets: guest::secrets(warns(configuration.server.log_format)),
            options: configuration.options.clone(),
        },
        bundled,
        seed: seed::unpredictable()?,
    };
    let follower = match Follower::start(following, time::now_ms()).await {
        Ok(follower) => follower,
        Err(error) => return Err(not_started(error, &stores).await),
    };
    let format = configuration.server.log_format;
    for report in follower.take_reports() {
        let text = format!("channel {}: {report}", follow.channel);
        remark(format, "info", &text);
    }
    if let (None, Some(guest)) = (follower.generation(), &configuration.guest) {
        let text = format!(
            "warning: {} serves until the stores of channel `{}` can be reached",
            match &guest.source {
                GuestSource::Embedded => "the embedded guest".to_owned(),
                GuestSource::File(path) | GuestSource::Found(path) => {
                    format!("guest `{}`", path.display())
                }
            },
            follow.channel
        );
        remark(format, "warn", &text);
    }
    Ok(follower)
}

/// Writes warnings as the log is written.
pub fn warns(format: Format) -> impl Fn(&str) + Send + Sync + 'static {
    move |text| remark(format, "warn", text)
}

async fn serve(
    configuration: &Configuration,
    listener: TcpListener,
    workers: Workers,
    exchanger: Arc<Exchanger>,
    examples: &[Example],
) -> Result<(), CommandError> {
    let address = listener
        .local_addr()
        .map_err(|error| listener::cannot_listen(&configuration.server.listen, &error))?;
    let mut once = Signals::new()?;
    let mut twice = Signals::new()?;
    let generation = exchanger.follower.as_ref().and_then(Follower::generation);
    output::text(&greeting(address, configuration, generation, examples))?;
    let of_guest = configuration
        .guest
        .iter()
        .flat_map(|guest| guest.warnings());
    for warning in configuration
        .server
        .warnings(address.ip())
        .into_iter()
        .chain(of_guest)
    {
        remark(configuration.server.log_format, "warn", &warning);
    }
    let stop = async {
        once.next().await;
    };
    // A second signal means that the user does not want to wait.
    let impatience = async {
        twice.next().await;
        twice.next().await;
    };
    until(listener, workers, exchanger, stop, impatience).await;
    Ok(())
}

/// Serves until `stop` completes, and then until requests in flight are answered, or until `impatience` completes.
pub async fn until(
    listener: TcpListener,
    workers: Workers,
    exchanger: Arc<Exchanger>,
    stop: impl Future<Output = ()>,
    impatience: impl Future<Output = ()>,
) {
    let format = exchanger.format;
    tokio::select! {
        cut = server::serve(listener, workers, exchanger, stop) => {
            if cut > 0 {
                let text = format!(
                    "{} closed: their requests took too long",
                    counted(cut, "connection was", "connections were")
                );
                remark(format, "warn", &text);
            }
        }
        () = impatience => remark(format, "warn", "stopped without waiting for requests in flight"),
    }
}
