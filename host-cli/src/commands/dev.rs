//! `dev`: builds and serves a project, and shows on each save what it changes.

use super::serve::{self, OpenedStore, ServerConfiguration};
use crate::{
    args::{dev::DevArgs, guest::GuestOptions},
    dev::{
        changes::REPLAYS_PER_CORE,
        keys::{self, Key},
        rebuild::Rebuilder,
        requests::Requests,
        screen::Screen,
        watch::{Inbox, Watch},
    },
    executor,
    exit::{CommandError, Outcome},
    guest::{self, HostedGuest},
    identity::Callers,
    output,
    project::{CASES_FOLDER, Project},
    serve::{
        access::AccessLog, background, clients::Clients, examples, exchange::Exchanger, listener,
        session::Session, turns::Turns, workers::Workers,
    },
    signals::Signals,
    store::{STATE_FOLDER, StoreSpec, Whole},
    time,
};
use rollout::{HostContext, NamespaceStores, ReplaceableGuest};
use service::Service;
use std::{
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};
use tokio::{
    net::TcpListener,
    runtime::Runtime,
    sync::{Notify, mpsc as async_mpsc, oneshot},
    task::{JoinHandle as JoinTask, JoinSet},
};

/// Concurrent requests for each thread.
const REQUESTS_PER_THREAD: usize = 12;
/// The same with replayed ones: those of a comparison, and those of a page.
const INSTANCES_PER_THREAD: usize = REQUESTS_PER_THREAD + 2 * REPLAYS_PER_CORE;
/// Commands that may wait.
const KEYS_MAX: usize = 16;
/// The page of the session, in the project's folder for local state.
const PAGE_FILE: &str = "session.html";

/// What is served, and how its guest is made.
pub struct Configuration {
    server: ServerConfiguration,
    options: GuestOptions,
    hosted: HostedGuest,
    project: Option<Project>,
}

/// Checks the arguments; nothing is built or opened yet.
pub fn resolve(
    arguments: DevArgs,
    project: Option<Project>,
) -> Result<Configuration, CommandError> {
    Ok(Configuration {
        server: ServerConfiguration::resolve(&arguments.server, project.as_ref())?,
        hosted: HostedGuest::resolve(&arguments.guest, project.as_ref())?,
        options: arguments.guest,
        project,
    })
}

/// Serves until SIGINT, SIGTERM or `q`.
pub fn run(configuration: Configuration) -> Result<Outcome, CommandError> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let runtime = executor::workers(threads)?;
    // Bound before anything is opened or built.
    let listener = runtime.block_on(async { listener::bind(&configuration.server.listen) })?;
    let address = listener
        .local_addr()
        .map_err(|error| listener::cannot_listen(&configuration.server.listen, &error))?;
    let callers = &configuration.server.callers;
    let callers = runtime.block_on(callers.open(configuration.server.origin.kind))?;
    let (guests, store) = runtime.block_on(guests(&configuration, threads))?;
    let session = Arc::new(Session::new());
    let turns = Arc::new(Turns::new(threads * REQUESTS_PER_THREAD));
    let exchanger = exchanger(&configuration, &guests, &session, &turns, callers)?;
    let exchanger = Arc::new(exchanger);
    let screen = Screen::new(Arc::clone(&exchanger));
    let (cases, page) = match &configuration.project {
        Some(project) => (project.cases(), project.path(STATE_FOLDER).join(PAGE_FILE)),
        None => (PathBuf::from(CASES_FOLDER), PathBuf::from(PAGE_FILE)),
    };
    let cases = Arc::new(Mutex::new(cases));
    let serving = Arc::new(Serving {
        address,
        greeting: greeting(address, &configuration),
        warnings: [
            configuration.server.warnings(address.ip()),
            configuration.hosted.warnings(),
        ]
        .concat(),
        exchanger,
        session,
        guests,
        screen,
        turns,
        cases,
        page,
    });
    let server = configuration.server.clone();
    let prepared = Prepared::new(configuration, &serving, &runtime)?;
    let socket = runtime.block_on(store.offer(&server))?;
    let served = runtime.block_on(serving.run(listener, threads, prepared));
    drop(socket);
    background::report_closed(&serving.exchanger);
    served?;
    let requests = serving.exchanger.clients.requests();
    let plural = if requests == 1 { "" } else { "s" };
    serving
        .screen
        .say(&format!("stopped: {requests} request{plural} served"));
    Ok(Outcome::Same)
}

/// The engine and the store, with no guest yet.
async fn guests(
    configuration: &Configuration,
    threads: usize,
) -> Result<(ReplaceableGuest, OpenedStore), CommandError> {
    let (whole, store) = serve::open_store(&configuration.server).await?;
    let Whole {
        storage,
        cursor_key,
        namespace,
    } = whole;
    let guests = ReplaceableGuest::new(HostContext {
        engine: guest::engine(threads * INSTANCES_PER_THREAD)?,
        stores: NamespaceStores::of(storage, cursor_key),
        namespace,
        services: guest::services(),
        secrets: guest::secrets(serve::warns(configuration.server.log_format)),
        options: configuration.hosted.options(),
    });
    Ok((guests, store))
}

fn exchanger(
    configuration: &Configuration,
    guests: &ReplaceableGuest,
    session: &Arc<Session>,
    turns: &Arc<Turns>,
    callers: Callers,
) -> Result<Exchanger, CommandError> {
    let server = &configuration.server;
    Ok(Exchanger {
        service: Service::routed(Arc::new(guests.clone())),
        follower: None,
        origin: server.origin,
        callers,
        allowed: server.allowed.clone(),
        clients: Arc::new(Clients::default()),
        log: AccessLog::new(io::stderr()).map_err(no_thread)?,
        format: server.log_format,
        is_quiet: false,
        tape: None,
        session: Some(Arc::clone(session)),
        turns: Some(Arc::clone(turns)),
    })
}

fn no_thread(error: io::Error) -> CommandError {
    CommandError::environment(format_args!("failed to start a thread: {error}"))
}

/// The first lines of output.
fn greeting(address: SocketAddr, configuration: &Configuration) -> String {
    let project = configuration
        .project
        .as_ref()
        .map_or(String::new(), |project| {
            let file = project.path_of_file();
            let file = std::path::absolute(&file).unwrap_or(file);
            format!("project: {}\n", file.display())
        });
    let guest = configuration.hosted.source.describe();
    let (store, callers) = (
        &configuration.server.store,
        configuration.server.callers.describe(),
    );
    format!("listening on http://{address}\n{project}store: {store}\nguest: {guest}\n{callers}")
}

/// What requests change in the folder of the project, if the store is there.
fn store_files(server: &ServerConfiguration) -> Vec<PathBuf> {
    let file = match &server.store {
        StoreSpec::Redb(path) => Some(path.clone()),
        StoreSpec::Memory | StoreSpec::DynamoDb(..) => None,
    };
    file.into_iter().chain(server.socket.clone()).collect()
}

/// What builds, before it begins.
struct Prepared {
    rebuilder: Rebuilder,
    watch: Watch,
}

impl Prepared {
    /// Begins to watch.
    fn new(
        configuration: Configuration,
        serving: &Serving,
        runtime: &Runtime,
    ) -> Result<Self, CommandError> {
        let inbox = Inbox::default();
        let rebuilder = Rebuilder {
            inbox: inbox.clone(),
            store_files: store_files(&configuration.server),
            project: configuration.project,
            options: configuration.options,
            hosted: configuration.hosted,
            guests: serving.guests.clone(),
            session: Arc::clone(&serving.session),
            screen: serving.screen.clone(),
            cases: Arc::clone(&serving.cases),
            runtime: runtime.handle().clone(),
            stop: Arc::default(),
            comparison: JoinSet::new(),
        };
        let watch = Watch::new(&rebuilder.watched(), inbox)?;
        Ok(Self { rebuilder, watch })
    }
}

/// The thread that builds. Dropping it ends a build that runs, and the thread.
struct Rebuilding {
    inbox: Inbox,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Rebuilding {
    /// Builds for the first time, which the receiver is told of, then after each change.
    fn start(prepared: Prepared) -> Result<(Self, oneshot::Receiver<()>), CommandError> {
        let Prepared {
            mut rebuilder,
            watch,
        } = prepared;
        let (inbox, stop) = (rebuilder.inbox.clone(), Arc::clone(&rebuilder.stop));
        let (built, first) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("rebuild".to_owned())
            .spawn(move || {
                rebuilder.say_what_is_not_watched(&watch);
                rebuilder.rebuild();
                // Nobody waits for it if the program ends meanwhile.
                let _ = built.send(());
                rebuilder.run(watch);
            })
            .map_err(no_thread)?;
        let rebuilding = Self {
            inbox,
            stop,
            thread: Some(thread),
        };
        Ok((rebuilding, first))
    }
}

impl Drop for Rebuilding {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.inbox.end();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What answers requests and commands.
struct Serving {
    address: SocketAddr,
    greeting: String,
    warnings: Vec<String>,
    exchanger: Arc<Exchanger>,
    session: Arc<Session>,
    guests: ReplaceableGuest,
    screen: Screen,
    turns: Arc<Turns>,
    /// The folder of the project's cases, as its file was read last.
    cases: Arc<Mutex<PathBuf>>,
    page: PathBuf,
}

impl Serving {
    /// Builds and serves until a signal or `q`. Requests wait for the end of the first build.
    async fn run(
        self: &Arc<Self>,
        listener: TcpListener,
        threads: usize,
        prepared: Prepared,
    ) -> Result<(), CommandError> {
        let mut signals = Signals::new()?;
        let mut later_signals = Signals::new()?;
        let workers = Workers::start(threads).map_err(no_thread)?;
        self.greet()?;
        let quit = Arc::new(Notify::new());
        let keys = self.read_keys(&quit, prepared.rebuilder.inbox.clone())?;
        let (rebuilding, first) = Rebuilding::start(prepared)?;
        let begin = tokio::spawn(Arc::clone(self).begin(first));
        let background = tokio::spawn(background::run(Arc::clone(&self.exchanger), None, None));
        let has_quit = Notify::new();
        let stop = async {
            tokio::select! {
                _ = signals.next() => {}
                () = quit.notified() => has_quit.notify_one(),
            }
            // Requests that wait for the first guest would wait for a build that nobody needs any more.
            rebuilding.stop.store(true, Ordering::Relaxed);
        };
        // The first signal or `q` stops the server, and a signal after it means that the developer does not want to wait.
        let impatience = async {
            tokio::select! {
                biased;
                () = has_quit.notified() => {}
                _ = later_signals.next() => {}
            }
            later_signals.next().await;
        };
        serve::until(
            listener,
            workers,
            Arc::clone(&self.exchanger),
            stop,
            impatience,
        )
        .await;
        for task in [keys, Some(begin), Some(background)].into_iter().flatten() {
            task.abort();
            // Release what it holds before the process ends, whatever the result is.
            let _ = task.await;
        }
        Ok(())
    }

    /// Writes the first lines.
    fn greet(&self) -> Result<(), CommandError> {
        output::text(&self.greeting)?;
        for warning in &self.warnings {
            self.screen.say(warning);
        }
        Ok(())
    }

    /// Lets requests begin when the first build has ended, and writes commands to try if the guest has a description of its API.
    async fn begin(self: Arc<Self>, first: oneshot::Receiver<()>) {
        // A thread that ended early builds nothing any more.
        let _ = first.await;
        self.turns.begin();
        if let Some(deployment) = self.guests.serving() {
            let guest = deployment.runtime().clone();
            let examples = examples::of(|_| Some(guest), time::now_ms()).await;
            let text = serve::examples_to_try(self.address, &examples);
            self.screen.flush();
            // Whoever closed stdout does not want to read them.
            let _ = output::text(&text);
        }
    }

    /// Runs what the developer types, if there is somebody who types. The thread that reads holds nothing of the server, because it may wait for
    /// ever.
    fn read_keys(
        self: &Arc<Self>,
        quit: &Arc<Notify>,
        rebuild: Inbox,
    ) -> Result<Option<JoinTask<()>>, CommandError> {
        let stdin = io::stdin();
        if !keys::are_typed(&stdin) {
            return Ok(None);
        }
        let (sender, mut typed) = async_mpsc::channel(KEYS_MAX);
        thread::Builder::new()
            .name("keys".to_owned())
            .spawn(move || {
                let each = |key: Key| {
                    let is_last = key == Key::Quit;
                    sender.blocking_send(key).is_ok() && !is_last
                };
                // What cannot be read is the end of the input.
                let _ = keys::read(stdin.lock(), each);
            })
            .map_err(no_thread)?;
        self.screen.say("keys: type `h` and Enter to see them");
        let (serving, quit) = (Arc::clone(self), Arc::clone(quit));
        Ok(Some(tokio::spawn(async move {
            while let Some(key) = typed.recv().await {
                serving.press(key, &quit, &rebuild).await;
            }
        })))
    }

    async fn press(&self, key: Key, quit: &Notify, rebuild: &Inbox) {
        let cases = {
            let cases = self.cases.lock();
            cases.unwrap_or_else(PoisonError::into_inner).clone()
        };
        let requests = Requests {
            session: &self.session,
            guests: &self.guests,
            screen: &self.screen,
            cases: &cases,
            page: &self.page,
        };
        let done = match key {
            Key::Difference(number) => requests.show(number).await,
            Key::Case(wanted) => requests.make_case(&wanted).await,
            Key::Page => requests.write_page().await,
            Key::Rebuild => {
                rebuild.build();
                Ok(())
            }
            Key::Help => {
                self.screen.say(keys::HELP.trim_end());
                Ok(())
            }
            Key::Quit => {
                quit.notify_one();
                Ok(())
            }
            Key::Unknown(text) => {
                self.screen.say(&text);
                Ok(())
            }
            Key::Nothing => Ok(()),
        };
        if let Err(failure) = done {
            self.screen.fail(&failure);
        }
    }
}
