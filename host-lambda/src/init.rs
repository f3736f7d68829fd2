//! Everything between the configuration and the first invocation.

use crate::{
    arrival::now_ms,
    channel::{self, Premises},
    config::Config,
    output::Output,
    store::Store,
};
use anyhow::{Context, bail};
use host_core::{
    engine::{Engine, EngineOptions, Guest, LoadError},
    release::Follower,
    runtime::{LogLevel, Runtime, RuntimeOptions},
    service::Service,
    storage::{DynamoDbStorage, StorageError},
};
use lambda_runtime_api_client::{Client, body::Body, build_request};
use serde_json::json;
use std::{
    env, fs, io,
    path::{Path, PathBuf},
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::timeout;

/// Where a layer's files are.
const LAYER_FOLDER: &str = "/opt";
/// The guest's file where no other is named. Without a compiler only an image will do.
const GUEST_FILES: &[&str] = if cfg!(feature = "compiler") {
    &["guest.cwasm", "guest.wasm"]
} else {
    &["guest.cwasm"]
};
/// Largest file that is taken for a guest: a function has no more room (AWS: Lambda quotas).
const GUEST_BYTES_MAX: u64 = 250 << 20;
/// Instances that the engine's pool holds, however many invocations come at a time: each reserves 4 GiB of addresses.
const INSTANCES_MAX: u32 = 64;
/// Time to read the cursor key. Lambda gives ten seconds to all of init; a store that is down must not use them up.
const STORE_DURATION_MAX: Duration = Duration::from_secs(4);
/// How long nothing else is done than connecting to the store. A nearby one has answered by then, another one at least been asked.
const STORE_HEAD_START: Duration = Duration::from_millis(1);
/// Time to tell Lambda of a failure.
const REPORT_DURATION_MAX: Duration = Duration::from_secs(1);

/// One thread where one request runs at a time, as on a classic function; else as many as there are processors.
pub fn tokio_runtime(concurrency: u32) -> anyhow::Result<tokio::runtime::Runtime> {
    let mut builder = if concurrency > 1 {
        tokio::runtime::Builder::new_multi_thread()
    } else {
        tokio::runtime::Builder::new_current_thread()
    };
    builder
        .enable_all()
        .build()
        .context("failed to start the asynchronous runtime")
}

/// What answers invocations.
pub struct Ready {
    pub engine: Engine,
    pub service: Service,
    /// Changes the service's guests, where a channel is followed.
    pub follower: Option<Follower>,
}

/// Makes the guests ready and opens the store, side by side. A store that cannot be reached now is tried again by the requests; one that
/// is configured wrongly will not get better.
pub async fn start(config: &Config, output: &Output) -> anyhow::Result<Ready> {
    let started = Instant::now();
    let backend = Arc::new(DynamoDbStorage::new(&config.table));
    let store = Arc::new(Store::new(backend.clone(), config.namespace.clone()));
    let deadline = started + STORE_DURATION_MAX;
    // The store first, until its request is under way: loading holds this thread, for a millisecond, while the answer is on its way. Were
    // guests loaded any earlier, the request would wait for them. Another thread would take longer.
    let mut opening = pin!(store.open(deadline));
    let early = timeout(STORE_HEAD_START, &mut opening).await;
    let opened = async {
        match early {
            Ok(opened) => opened,
            Err(_) => opening.await,
        }
    };
    let (opened, ready) = tokio::join!(opened, guests(config, backend, store.clone()));
    let Ready {
        engine,
        service,
        follower,
    } = ready?;
    if let Err(error) = opened {
        if error.error == StorageError::Misconfigured {
            let region = &config.table.region;
            return Err(error)
                .with_context(|| format!("`TENON_TABLE` cannot be used in region `{region}`"));
        }
        let members = [("error", json!(error.to_string()))];
        output.note(LogLevel::Warn, "the store cannot be reached yet", &members);
    }
    if let Some(follower) = &follower {
        channel::report(follower, output, now_ms());
    }
    let guest = service.guest().map(|guest| json!(guest.to_string()));
    let generation = follower.as_ref().and_then(Follower::generation);
    let members: Vec<_> = [
        guest.map(|guest| ("guest", guest)),
        generation.map(|generation| ("generation", json!(generation))),
        Some(("initMs", json!(started.elapsed().as_millis() as u64))),
    ]
    .into_iter()
    .flatten()
    .collect();
    output.note(LogLevel::Info, "ready", &members);
    let service = match &config.base_path {
        Some(base_path) => service.with_base_path(base_path),
        None => service,
    };
    Ok(Ready {
        engine,
        service,
        follower,
    })
}

/// The one guest that is named or bundled, or those of the channel.
async fn guests(
    config: &Config,
    backend: Arc<DynamoDbStorage>,
    store: Arc<Store>,
) -> anyhow::Result<Ready> {
    let (engine, loaded) = load(config)?;
    let options = runtime_options(config);
    if let Some(channel) = &config.channel {
        let premises = Premises {
            engine: engine.clone(),
            backend,
            namespace: config.namespace.clone(),
            options,
            bundled: loaded.map(|(_, guest)| guest),
        };
        let follower = channel::follow(channel, &config.table, premises).await?;
        return Ok(Ready {
            engine,
            service: Service::routed(Arc::new(follower.clone())),
            follower: Some(follower),
        });
    }
    // Where it is not optional, it is there.
    let (path, guest) = loaded.context("there is no guest")?;
    let runtime = Runtime::new(&engine, &guest, options).map_err(|error| unfit(&path, &error))?;
    Ok(Ready {
        engine,
        service: Service::new(runtime, store),
        follower: None,
    })
}

fn runtime_options(config: &Config) -> RuntimeOptions {
    RuntimeOptions {
        limits: config.limits,
        environment: config.guest_environment.clone(),
        log_level: config.log_level,
    }
}

/// The engine, and the guest beside or in it. One that is only there in case the channel cannot be reached may be missing, but not unfit.
fn load(config: &Config) -> anyhow::Result<(Engine, Option<(PathBuf, Guest)>)> {
    let instances_max = config.concurrency.min(INSTANCES_MAX);
    let engine = Engine::new(&EngineOptions {
        instances_max,
        lanes: match instances_max {
            1 => 1,
            _ => std::thread::available_parallelism().map_or(1, |count| count.get() as u32),
        },
        spares: true,
    })?;
    let named = config.guest.as_deref();
    let found = find_guest(named)?;
    let Some((path, length)) = found else {
        if config.channel.is_some() {
            return Ok((engine, None));
        }
        bail!(no_guest());
    };
    let shown = path.display();
    if length > GUEST_BYTES_MAX {
        bail!("guest `{shown}` has {length} bytes, {GUEST_BYTES_MAX} are allowed");
    }
    match engine.load_file(&path) {
        Ok(guest) => Ok((engine, Some((path, guest)))),
        Err(LoadError::Unreadable(error)) => Err(unreadable(named, &path, error)),
        Err(error) => Err(unfit(&path, &error)),
    }
}

fn unfit(path: &Path, error: &LoadError) -> anyhow::Error {
    let shown = path.display();
    anyhow::anyhow!("guest `{shown}`: {error}; {}", error.hint())
}

fn unreadable(named: Option<&Path>, path: &Path, error: io::Error) -> anyhow::Error {
    let shown = path.display();
    anyhow::Error::from(error).context(match named {
        Some(_) => format!("failed to read the guest that `TENON_GUEST` names, `{shown}`"),
        None => format!("failed to read guest `{shown}`"),
    })
}

/// The named file, or the first of the usual ones that is there, and its length.
fn find_guest(named: Option<&Path>) -> anyhow::Result<Option<(PathBuf, u64)>> {
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
        "there is no guest: tried {}; add it as a layer, or name it in `TENON_GUEST`",
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

/// Tells Lambda why init failed, so that the reason stands in the function's own errors. Best effort: the reason is logged already.
pub fn report_failure(runtime_api: Option<&str>, reason: &str) {
    let Some(endpoint) = runtime_api.and_then(|address| format!("http://{address}").parse().ok())
    else {
        return;
    };
    let body = json!({"errorType": "Tenon.InitError", "errorMessage": reason, "stackTrace": []});
    let request = build_request()
        .method("POST")
        .uri("/2018-06-01/runtime/init/error")
        .header("lambda-runtime-function-error-type", "Tenon.InitError")
        .body(Body::from(body.to_string()));
    if let (Ok(request), Ok(runtime)) = (request, tokio_runtime(1)) {
        runtime.block_on(async {
            if let Ok(client) = Client::builder().with_endpoint(endpoint).build() {
                let _ = timeout(REPORT_DURATION_MAX, client.call(request)).await;
            }
        });
    }
}
