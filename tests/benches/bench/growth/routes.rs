//! Guests on the routes of a channel, as many as a channel can have, each on its own path.

use super::{guests::Guests, ratio, resident_kib};
use crate::{release, report, turns::in_turns, workload};
use ::release::{
    ArtifactName, ArtifactStore, FolderArtifacts, Manifest, Promotion, Purpose, SecretKey,
};
use anyhow::ensure;
use contract::limits::CHANNEL_ROUTES_MAX;
use runtime::engine::{Engine, EngineOptions};
use service::Service;
use std::{
    env, fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

const COUNTS: [u32; 3] = [1, 10, CHANNEL_ROUTES_MAX as u32];
/// Consecutive requests of one subject.
const BATCH: u64 = 100;
const ROUNDS: u64 = 50;

pub async fn run(guests: &Guests) -> anyhow::Result<()> {
    let folder = env::temp_dir().join(format!("tenon-bench-growth-{}", std::process::id()));
    let measured = measure(guests, &folder).await;
    fs::remove_dir_all(&folder)?;
    measured
}

async fn measure(guests: &Guests, folder: &Path) -> anyhow::Result<()> {
    let key = SecretKey::new(&[1; 32]);
    let first = guests.digest(0);
    let (alone, ..) = following(guests, &folder.join("alone"), 1, &key).await?;
    report::heading("guests on routes of one channel, from event to answer of one of them, us");
    for count in COUNTS {
        let folder = folder.join(count.to_string());
        let (service, ready, grown_kib) = following(guests, &folder, count, &key).await?;
        let get = workload::event("GET", workload::ITEM_PATH, "");
        let services = [&alone, &service];
        let [of_alone, of_one] = in_turns(ROUNDS, BATCH, async |subject, number| {
            let started = Instant::now();
            let answer = services[subject]
                .invoke(&get, workload::invocation(number))
                .await?;
            let elapsed = started.elapsed();
            ensure!(answer.summary.status == 200, "the item is not there");
            ensure!(
                answer.summary.guest == Some(first),
                "another guest answered"
            );
            Ok(elapsed)
        })
        .await?;
        report::row(
            &format!("routes: {count}"),
            &[
                ("one of them", format!("{:.2}", of_one.median_us())),
                ("ratio to one route", ratio(&of_one, &of_alone)),
                ("ready ms", format!("{:.1}", ready.as_secs_f64() * 1e3)),
                (
                    "kB each",
                    format!("{:.0}", grown_kib as f64 * 1.024 / f64::from(count)),
                ),
            ],
        );
    }
    Ok(())
}

/// A service that follows a channel with this many routes, the time to prepare it, and the growth of the process. The first guest has the
/// route of the requests.
async fn following(
    guests: &Guests,
    folder: &Path,
    count: u32,
    key: &SecretKey,
) -> anyhow::Result<(Service, Duration, u64)> {
    fs::create_dir_all(folder)?;
    let artifacts = FolderArtifacts::new(folder);
    let mut promotions: Vec<Promotion> = Vec::new();
    for number in 0..count {
        publish(guests, number, &artifacts, key).await?;
        let path = match number {
            0 => "/items".to_owned(),
            number => format!("/others/{number}"),
        };
        promotions.push(release::promotion(guests.digest(number), &path));
    }
    release::flip(folder, key, &promotions).await?;
    let engine = Engine::new(&EngineOptions::default())?;
    let resident = resident_kib()?;
    let started = Instant::now();
    let follower = release::follow(folder, &engine, key).await?;
    let ready = started.elapsed();
    let grown_kib = resident_kib()?.saturating_sub(resident);
    let service = Service::routed(Arc::new(follower));
    let put = workload::event("PUT", workload::ITEM_PATH, workload::ITEM);
    let stored = service.invoke(&put, workload::invocation(u64::MAX)).await?;
    ensure!(stored.summary.status == 201, "the item was not stored");
    Ok((service, ready, grown_kib))
}

/// What hosts fetch of a guest, for this machine's CPU.
async fn publish(
    guests: &Guests,
    number: u32,
    artifacts: &FolderArtifacts,
    key: &SecretKey,
) -> anyhow::Result<()> {
    let (digest, image) = (guests.digest(number), guests.image(number));
    let mut manifest = Manifest::new(&guests.component(number), Vec::new());
    manifest.add_image(guests.target, &image);
    let manifest = key.sign(Purpose::Manifest, &manifest)?;
    let image_name = ArtifactName::Image(digest, guests.target);
    artifacts.put(image_name, &image).await?;
    let manifest_name = ArtifactName::Manifest(digest);
    artifacts.put(manifest_name, manifest.as_bytes()).await?;
    Ok(())
}
