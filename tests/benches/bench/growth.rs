//! Many guests on one host: the time of requests to each in turn, and the memory that each adds to the host. First on a host that routes
//! freely, then by the routes of a channel, which has at most `CHANNEL_ROUTES_MAX`.

mod guests;
mod routes;

use crate::{
    report::{self, Samples},
    turns::in_turns,
    workload,
};
use guests::Guests;
use runtime::{
    Runtime, RuntimeOptions,
    engine::{Engine, EngineOptions},
};
use std::{fs, time::Instant};

const COUNTS: [u32; 4] = [1, 10, 100, 1_000];
/// Consecutive requests of one subject.
const BATCH: u64 = 100;
const ROUNDS: u64 = 30;

pub fn run() -> anyhow::Result<()> {
    let guests = Guests::compile()?;
    workload::block_on(async {
        known(&guests).await?;
        routes::run(&guests).await
    })
}

/// Compares guests linked on one engine with an engine that has one guest.
async fn known(guests: &Guests) -> anyhow::Result<()> {
    let storage = workload::seeded()?;
    let get = workload::request("GET", workload::ITEM_PATH, "")?;
    let options = EngineOptions::default();
    let engine = Engine::new(&options)?;
    let link = |engine: &Engine, image: &[u8]| -> anyhow::Result<Runtime> {
        let guest = engine.load_image(image)?;
        Ok(Runtime::new(engine, &guest, RuntimeOptions::default())?)
    };
    let alone = link(&Engine::new(&options)?, &guests.image(0))?;
    let mut known = Vec::new();
    report::heading(&format!(
        "guests known to one host, {} instances at a time: GET, memory store, us",
        options.instances_max
    ));
    for count in COUNTS {
        let (resident, descriptors) = (resident_kib()?, open_files()?);
        let mut linked = Vec::new();
        let first = known.len();
        for number in first as u32..count {
            let image = guests.image(number);
            let started = Instant::now();
            known.push(link(&engine, &image)?);
            linked.push(started.elapsed());
        }
        // A guest's initial memory is created at its first request.
        for (runtime, number) in known.iter().zip(0..) {
            workload::timed(runtime, &get, &storage, number).await?;
        }
        let further = (known.len() - first) as f64;
        let grown_kib = resident_kib()?.saturating_sub(resident) as f64;
        let opened = open_files()?.saturating_sub(descriptors) as f64;
        let [of_alone, of_one, of_each] =
            in_turns(ROUNDS, BATCH, async |subject, number| match subject {
                0 => workload::timed(&alone, &get, &storage, number).await,
                1 => workload::timed(&known[0], &get, &storage, number).await,
                _ => {
                    let runtime = &known[number as usize % known.len()];
                    workload::timed(runtime, &get, &storage, number).await
                }
            })
            .await?;
        report::row(
            &format!("guests: {count}"),
            &[
                ("one of them", format!("{:.2}", of_one.median_us())),
                ("ratio", ratio(&of_one, &of_alone)),
                ("each in turn", format!("{:.2}", of_each.median_us())),
                ("ratio in turn", ratio(&of_each, &of_alone)),
                (
                    "load and link",
                    format!("{:.0}", Samples::new(linked).median_us()),
                ),
                ("kB each", format!("{:.0}", grown_kib * 1.024 / further)),
                ("open files each", format!("{:.1}", opened / further)),
            ],
        );
    }
    Ok(())
}

fn ratio(samples: &Samples, to: &Samples) -> String {
    format!("{:.2}", samples.median_us() / to.median_us())
}

/// This process's resident memory.
fn resident_kib() -> anyhow::Result<u64> {
    report::memory_kib("self", "VmRSS")
}

fn open_files() -> anyhow::Result<usize> {
    Ok(fs::read_dir("/proc/self/fd")?.count())
}
