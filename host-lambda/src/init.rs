//! Everything between the configuration and the first invocation.

use crate::{config::Config, output::Output, store::Store};
use anyhow::{Context, bail};
use host_core::{
    engine::{Engine, EngineOptions},
    runtime::{LogLevel, Runtime, RuntimeOptions},
    service::Service,
    storage::StorageError,
};
use lambda_runtime_api_client::{Client, body::Body, build_request};
use serde_json::json;
use std::{
    env, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

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

/// Loads the guest and opens the store, side by side. A store that cannot be reached now is tried again by the requests; one that is
/// configured wrongly will not get better.
pub async fn service(config: &Config, output: &Output) -> anyhow::Result<Service> {
    let started = Instant::now();
    let store = Arc::new(Store::new(config));
    let (named, options) = (config.guest.clone(), runtime_options(config));
    let instances_max = config.concurrency.min(INSTANCES_MAX);
    let guest = tokio::task::spawn_blocking(move || load(named.as_deref(), instances_max, options));
    let (runtime, opened) = tokio::join!(guest, store.open(started + STORE_DURATION_MAX));
    let runtime = runtime.context("failed to load the guest")??;
    if let Err(error) = opened {
        if error.error == StorageError::Misconfigured {
            let region = &config.table.region;
            return Err(error)
                .with_context(|| format!("`TENON_TABLE` cannot be used in region `{region}`"));
        }
        let members = [("error", json!(error.to_string()))];
        output.note(LogLevel::Warn, "the store cannot be reached yet", &members);
    }
    let members = [
        ("guest", json!(runtime.digest().to_string())),
        ("initMs", json!(started.elapsed().as_millis() as u64)),
    ];
    output.note(LogLevel::Info, "ready", &members);
    let service = Service::new(runtime, store);
    Ok(match &config.base_path {
        Some(base_path) => service.with_base_path(base_path),
        None => service,
    })
}

fn runtime_options(config: &Config) -> RuntimeOptions {
    RuntimeOptions {
        limits: config.limits,
        environment: config.guest_environment.clone(),
        log_level: config.log_level,
    }
}

fn load(
    named: Option<&Path>,
    instances_max: u32,
    options: RuntimeOptions,
) -> anyhow::Result<Runtime> {
    let (path, bytes) = read_guest(named)?;
    let shown = path.display();
    let engine = Engine::new(&EngineOptions { instances_max })?;
    let link = || {
        let guest = engine.load(&bytes)?;
        Runtime::new(&engine, &guest, options)
    };
    link().map_err(|error| anyhow::anyhow!("guest `{shown}`: {error}; {}", error.hint()))
}

/// The named file, or the first of the usual ones that is there.
fn read_guest(named: Option<&Path>) -> anyhow::Result<(PathBuf, Vec<u8>)> {
    let candidates = match named {
        Some(path) => vec![path.to_owned()],
        None => usual_places(),
    };
    for path in &candidates {
        let bytes = match fs::metadata(path) {
            Ok(metadata) if metadata.len() > GUEST_BYTES_MAX => bail!(
                "guest `{}` has {} bytes, {GUEST_BYTES_MAX} are allowed",
                path.display(),
                metadata.len()
            ),
            Ok(_) => fs::read(path),
            Err(error) => Err(error),
        };
        match bytes {
            Ok(bytes) => return Ok((path.clone(), bytes)),
            Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                let shown = path.display();
                return Err(error).with_context(|| match named {
                    Some(_) => {
                        format!("failed to read the guest that `TENON_GUEST` names, `{shown}`")
                    }
                    None => format!("failed to read guest `{shown}`"),
                });
            }
        }
    }
    let tried: Vec<_> = candidates
        .iter()
        .map(|path| format!("`{}`", path.display()))
        .collect();
    bail!(
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
                let _ = tokio::time::timeout(REPORT_DURATION_MAX, client.call(request)).await;
            }
        });
    }
}
