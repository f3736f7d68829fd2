//! The engine and the guest: where it is found, and when it is loaded.

use crate::config::Config;
use anyhow::{Context, bail};
use runtime::{
    OutgoingAccess, Runtime, RuntimeOptions, SecretAccess,
    engine::{Engine, EngineOptions, Guest, LoadError},
};
use std::{
    env, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};
use tokio::sync::oneshot;

/// The folder of a layer's files.
const LAYER_FOLDER: &str = "/opt";
/// The default name of the guest's file. Without a compiler only an image can be loaded.
const GUEST_FILES: &[&str] = if cfg!(feature = "compiler") {
    &["guest.cwasm", "guest.wasm"]
} else {
    &["guest.cwasm"]
};
/// Largest file of a guest: a function cannot have more (AWS: Lambda quotas).
const GUEST_BYTES_MAX: u64 = 250 << 20;
/// Largest number of instances in the engine's pool, however many concurrent invocations there are: each reserves 4 GiB of address space.
const INSTANCES_MAX: u32 = 64;

/// What is loaded.
pub struct Loaded {
    pub engine: Engine,
    pub bundled: Bundled,
}

/// The guest that is named, or the one beside the program.
pub enum Bundled {
    /// The only guest, linked.
    Answers(Runtime),
    /// With a channel: the fallback, if there is one.
    Waits(Option<Guest>),
}

/// Loading the guest, which takes a millisecond of CPU time.
pub enum Loading {
    /// On another processor, while this one opens the store.
    Beside(oneshot::Receiver<anyhow::Result<Loaded>>),
    /// On the only processor, when the result is needed: another thread would make it slower.
    Later(Arc<Config>),
}

impl Loading {
    /// Starts loading, if there is a second processor.
    pub fn begin(config: Arc<Config>) -> Self {
        if processors() == 1 {
            return Self::Later(config);
        }
        let (sender, receiver) = oneshot::channel();
        let theirs = Arc::clone(&config);
        // If init has failed meanwhile, nobody receives the result.
        let load = move || drop(sender.send(load(&theirs)));
        match thread::Builder::new().spawn(load) {
            Ok(_) => Self::Beside(receiver),
            Err(_) => Self::Later(config),
        }
    }

    /// Whether this thread itself loads, and can do nothing else meanwhile.
    pub fn holds_this_thread(&self) -> bool {
        matches!(self, Self::Later(_))
    }

    /// Waits until it is loaded.
    pub async fn finish(self) -> anyhow::Result<Loaded> {
        match self {
            Self::Beside(loaded) => loaded.await.context("loading the guest panicked")?,
            Self::Later(config) => load(&config),
        }
    }
}

fn processors() -> u32 {
    thread::available_parallelism().map_or(1, |count| count.get() as u32)
}

/// Options of the guest's runtime.
pub fn runtime_options(config: &Config) -> RuntimeOptions {
    RuntimeOptions {
        limits: config.limits,
        environment: config.guest_environment.clone(),
        log_level: config.log_level,
        outgoing: OutgoingAccess::Granted(config.grants.clone()),
        secrets: SecretAccess::Declared(config.secrets.clone()),
    }
}

fn load(config: &Config) -> anyhow::Result<Loaded> {
    let instances_max = config.concurrency.min(INSTANCES_MAX);
    let engine = Engine::new(&EngineOptions {
        instances_max,
        pools: match instances_max {
            1 => 1,
            _ => processors(),
        },
        prewarmed: true,
    })?;
    let bundled = bundled(config, &engine)?;
    Ok(Loaded { engine, bundled })
}

/// A guest that is only the fallback of a channel may be missing, but not invalid.
fn bundled(config: &Config, engine: &Engine) -> anyhow::Result<Bundled> {
    let named = config.guest.as_deref();
    let Some((path, length)) = find(named)? else {
        if config.channel.is_some() {
            return Ok(Bundled::Waits(None));
        }
        bail!(no_guest());
    };
    if length > GUEST_BYTES_MAX {
        let shown = path.display();
        bail!("guest `{shown}` has {length} bytes, {GUEST_BYTES_MAX} are allowed");
    }
    let guest = match engine.load_file(&path) {
        Ok(guest) => guest,
        Err(LoadError::Unreadable(error)) => return Err(unreadable(named, &path, error)),
        Err(error) => return Err(unfit(&path, &error)),
    };
    if config.channel.is_some() {
        return Ok(Bundled::Waits(Some(guest)));
    }
    let runtime = Runtime::new(engine, &guest, runtime_options(config));
    Ok(Bundled::Answers(
        runtime.map_err(|error| unfit(&path, &error))?,
    ))
}

fn unfit(path: &Path, error: &LoadError) -> anyhow::Error {
    let shown = path.display();
    anyhow::anyhow!("guest `{shown}`: {error}; {}", error.hint())
}

fn unreadable(named: Option<&Path>, path: &Path, error: impl Into<anyhow::Error>) -> anyhow::Error {
    let shown = path.display();
    error.into().context(match named {
        Some(_) => format!("failed to read the guest that `TENON_GUEST` names, `{shown}`"),
        None => format!("failed to read guest `{shown}`"),
    })
}

/// The named file, or the first existing one of the default files, and its length.
fn find(named: Option<&Path>) -> anyhow::Result<Option<(PathBuf, u64)>> {
    let candidates = match named {
        Some(path) => vec![path.to_owned()],
        None => usual_places(),
    };
    for path in candidates {
        match fs::metadata(&path) {
            Ok(metadata) => return Ok(Some((path, metadata.len()))),
            Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(unreadable(named, &path, error)),
        }
    }
    Ok(None)
}

fn no_guest() -> String {
    let tried: Vec<_> = usual_places()
        .iter()
        .map(|path| format!("`{}`", path.display()))
        .collect();
    format!(
        "no guest found: tried {}; add it as a layer, or name it in `TENON_GUEST`",
        tried.join(", ")
    )
}

fn usual_places() -> Vec<PathBuf> {
    let beside = env::current_exe()
        .ok()
        .and_then(|program| program.parent().map(Path::to_owned));
    beside
        .into_iter()
        .chain([PathBuf::from(LAYER_FOLDER)])
        .flat_map(|folder| GUEST_FILES.iter().map(move |file| folder.join(file)))
        .collect()
}
