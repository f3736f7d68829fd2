//! The cost of following a channel: preparing a guest, and a request on a host that follows, between two reads.

use crate::{
    report::{self, Samples},
    workload,
};
use anyhow::{Context, ensure};
use contract::digest::Digest;
use outgoing::{Grants, NoOutgoing};
use publish::publish;
use release::{
    ChannelName, ChannelStore, FolderArtifacts, FolderChannels, Promotion, PublicKeys, RouteLimits,
    SecretKey, Signing, promote,
};
use rollout::{Follower, Following, HostContext, NamespaceStores};
use runtime::{
    Runtime, RuntimeOptions,
    engine::{Engine, EngineOptions},
};
use secrets::NoSecrets;
use service::Service;
use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use storage::{CursorKey, MemoryStorage, Namespace};

/// Consecutive requests of one subject.
const BATCH: u64 = 200;
const ROUNDS: u64 = 200;
/// How often a guest is prepared.
const PREPARATIONS: usize = 30;

pub fn run() -> anyhow::Result<()> {
    let folder = std::env::temp_dir().join(format!("tenon-bench-release-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let measured = workload::block_on(measure(&folder));
    fs::remove_dir_all(&folder)?;
    measured
}

async fn measure(folder: &Path) -> anyhow::Result<()> {
    let engine = Engine::new(&EngineOptions::default())?;
    let guest = fs::read(concat!(env!("OUT_DIR"), "/guest.wasm"))?;
    let key = SecretKey::new(&[1; 32]);
    release(folder, &engine, &guest, &key).await?;
    let mut durations = Vec::with_capacity(PREPARATIONS);
    let mut follower = follow(folder, &engine, &key).await?;
    for _ in 0..PREPARATIONS {
        let started = Instant::now();
        follower = follow(folder, &engine, &key).await?;
        durations.push(started.elapsed());
    }
    report::heading("a release: from a channel in a folder to a guest that can serve");
    let durations = Samples::new(durations);
    report::row(
        "read, verify, load, link",
        &[
            ("median us", format!("{:.0}", durations.median_us())),
            ("slowest us", format!("{:.0}", durations.quantile_us(1.0))),
        ],
    );
    let runtime = Runtime::new(&engine, &engine.load(&guest)?, RuntimeOptions::default())?;
    let fixed = Service::new(runtime, workload::storage()?);
    let following = Service::routed(Arc::new(follower));
    requests([&fixed, &following]).await
}

/// Alternates batches of both services, from event to answer.
async fn requests(services: [&Service; 2]) -> anyhow::Result<()> {
    let put = workload::event("PUT", workload::ITEM_PATH, workload::ITEM);
    let get = workload::event("GET", workload::ITEM_PATH, "");
    for service in services {
        service.invoke(&put, workload::invocation(u64::MAX)).await?;
    }
    let mut samples = [Vec::new(), Vec::new()];
    for number in 0..BATCH * ROUNDS {
        let subject = usize::from(!(number / BATCH).is_multiple_of(2));
        let started = Instant::now();
        let answer = services[subject]
            .invoke(&get, workload::invocation(number))
            .await?;
        samples[subject].push(started.elapsed());
        ensure!(answer.summary.status == 200, "the item is not there");
    }
    let [fixed, following] = samples.map(Samples::new);
    report::heading("in process, from event to answer: following a channel against not");
    report::row(
        "GET /items/{id}",
        &[
            ("fixed us", format!("{:.2}", fixed.median_us())),
            ("following us", format!("{:.2}", following.median_us())),
            (
                "ratio",
                format!("{:.3}", following.median_us() / fixed.median_us()),
            ),
        ],
    );
    Ok(())
}

async fn release(
    folder: &Path,
    engine: &Engine,
    guest: &[u8],
    key: &SecretKey,
) -> anyhow::Result<()> {
    publish(engine, guest, &FolderArtifacts::new(folder), key).await?;
    flip(folder, key, &[promotion(Digest::of(guest), "/")]).await
}

/// The channel that is followed.
pub fn channel() -> anyhow::Result<ChannelName> {
    Ok("items".parse()?)
}

/// A promotion to 100 % of a route.
pub fn promotion(digest: Digest, path: &str) -> Promotion {
    Promotion {
        digest,
        percent: 100,
        path: path.to_owned(),
        namespace: None,
        environment: BTreeMap::new(),
        outgoing: Grants::default(),
        replaces_outgoing: false,
        limits: RouteLimits::default(),
        select_header: None,
        is_minimum: false,
    }
}

/// Writes the channel's first generation, with a route for each promotion.
pub async fn flip(folder: &Path, key: &SecretKey, promotions: &[Promotion]) -> anyhow::Result<()> {
    let signing = Signing {
        by: "a benchmark".to_owned(),
        now_ms: workload::RECEIVED_AT_MS,
        valid_for: Duration::from_secs(86_400),
        newest_generation: 0,
    };
    let mut next = None;
    for promotion in promotions {
        next = Some(promote(&channel()?, next.as_ref(), promotion, &signing)?);
    }
    let next = next.context("a channel needs a route")?;
    FolderChannels::new(folder)
        .flip(&channel()?, 0, next.generation, &next.sign(key)?)
        .await?;
    Ok(())
}

/// A host's part that follows the channel, ready to serve.
pub async fn follow(folder: &Path, engine: &Engine, key: &SecretKey) -> anyhow::Result<Follower> {
    let following = Following {
        channel: channel()?,
        keys: PublicKeys::of(key),
        channels: Arc::new(FolderChannels::new(folder)),
        artifacts: Arc::new(FolderArtifacts::new(folder)),
        interval: Duration::from_secs(15),
        generation_min: 0,
        host: HostContext {
            engine: engine.clone(),
            stores: NamespaceStores::of(Arc::new(MemoryStorage::new()), CursorKey::new([0; 32])),
            namespace: Namespace::local(),
            services: Arc::new(NoOutgoing),
            secrets: Arc::new(NoSecrets),
            options: RuntimeOptions::default(),
        },
        bundled: None,
        seed: workload::seed(0),
    };
    Ok(Follower::start(following, workload::RECEIVED_AT_MS).await?)
}
