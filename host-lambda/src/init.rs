//! Everything between the configuration and the first invocation.

use crate::{
    channel::{self, ChannelContext},
    config::Config,
    guest::{Bundled, Loaded, Loading, runtime_options},
    invocation::now_ms,
    output::Output,
    secrets,
};
use ::secrets::ProvideSecrets;
use anyhow::Context;
use aws_requests::AwsSigner;
use contract::log::LogLevel;
use lambda_runtime_api_client::{Client, body::Body, build_request};
use outgoing::{GrantServices, Services};
use rollout::Follower;
use runtime::engine::Engine;
use serde_json::json;
use service::{Deployment, Service};
use std::{
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};
use storage::StorageError;
use storage_dynamodb::{DynamoDbStorage, LazyTenant};
use tokio::time::timeout;

/// Time limit for reading the cursor key. Lambda allows ten seconds for all of init; a store that is down must not use them up.
const STORE_DURATION_MAX: Duration = Duration::from_secs(4);
/// How long init only connects to the store, before it does anything else. A nearby store has answered by then; for a distant one, the
/// request has at least been sent.
const STORE_HEAD_START: Duration = Duration::from_millis(1);
/// Time limit for reporting a failure to Lambda.
const REPORT_DURATION_MAX: Duration = Duration::from_secs(1);

/// One thread for one concurrent request, as in a classic function; otherwise one per processor.
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

/// Everything that answers invocations.
pub struct Ready {
    pub engine: Engine,
    pub service: Service,
    /// The follower of the channel, if there is one.
    pub follower: Option<Follower>,
}

/// Loads the guests and opens the store in parallel. If the store cannot be reached, requests try again; a wrong configuration is an error,
/// because waiting does not help.
pub async fn start(
    config: &Config,
    loading: Loading,
    output: &Arc<Output>,
) -> anyhow::Result<Ready> {
    let started = Instant::now();
    let backend = Arc::new(DynamoDbStorage::new(&config.table));
    let store = Arc::new(LazyTenant::new(backend.clone(), config.namespace.clone()));
    let deadline = started + STORE_DURATION_MAX;
    let mut opening = pin!(async {
        match config.has_table() {
            true => store.open(deadline).await.map(|_| ()),
            false => Ok(()),
        }
    });
    // The store first, until its request is sent; the guest is loaded while the response is on its way. Loading earlier would delay the
    // request.
    let early = match loading.holds_this_thread() {
        true => timeout(STORE_HEAD_START, &mut opening).await.ok(),
        false => None,
    };
    let opened = async {
        match early {
            Some(opened) => opened,
            None => opening.await,
        }
    };
    let secrets = secrets::provider(config, output.clone());
    let guests = guests(config, loading, backend, store.clone(), secrets);
    let (opened, ready) = tokio::join!(opened, guests);
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
    loading: Loading,
    backend: Arc<DynamoDbStorage>,
    store: Arc<LazyTenant>,
    secrets: Arc<dyn ProvideSecrets>,
) -> anyhow::Result<Ready> {
    let Loaded { engine, bundled } = loading.finish().await?;
    // Nothing is opened before a guest sends its first request.
    let signer = AwsSigner::new(config.table.credentials.clone()).without(config.own_services());
    let services = Services::new(Some(Arc::new(signer)));
    let bundled = match bundled {
        Bundled::Answers(runtime) => {
            let client = services.granted(&config.grants);
            let access = secrets.provide(&config.secrets, client);
            let deployment = Deployment::new(runtime, store)
                .with_outgoing(access.outgoing)
                .with_secrets(access.secrets);
            return Ok(Ready {
                engine,
                service: Service::of(deployment),
                follower: None,
            });
        }
        Bundled::Waits(bundled) => bundled,
    };
    let context = ChannelContext {
        engine: engine.clone(),
        backend,
        namespace: config.namespace.clone(),
        services,
        secrets,
        options: runtime_options(config),
        bundled,
    };
    // Without this, the wait would end at once.
    let channel = config.channel.as_ref().context("there is no channel")?;
    let follower = channel::follow(channel, &config.table, context).await?;
    Ok(Ready {
        engine,
        service: Service::routed(Arc::new(follower.clone())),
        follower: Some(follower),
    })
}

/// Tells Lambda why init failed, so that the function's errors contain the reason. Best effort: the reason is already logged.
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
