//! Growing stores: reading an item and a page of twenty, compared with a store with a hundred items, through a guest's view of the store.

use crate::{
    lambda::engine,
    report::{self, Samples},
    turns::in_turns,
    workload,
};
use anyhow::{Context, ensure};
use std::{
    env, fs,
    ops::Range,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use storage::{
    Call, Consistency, Direction, Document, Key, MemoryStorage, Operation, Precondition,
    PutOptions, QueryOptions, SortRange, Storage, StorageExt as _, TransactOutcome,
};
use storage_dynamodb::DynamoDbStorage;
use storage_redb::RedbStorage;
use tokio::task::JoinSet;

const SMALL: u64 = 100;
const SIZES: [u64; 5] = [SMALL, 1_000, 10_000, 100_000, 1_000_000];
/// Sizes to which a DynamoDB-compatible engine can be filled in a quarter of a minute.
const SIZES_OF_DYNAMODB: [u64; 4] = [SMALL, 1_000, 10_000, 100_000];
/// Items in one write, and the number of such writes that share a disk synchronisation.
const TRANSACTION_ITEMS: usize = 100;
const TRANSACTIONS: usize = 64;
/// Entries of a page.
const PAGE: u32 = 20;
/// Consecutive reads of one kind.
const BATCH: u64 = 50;
const ROUNDS: u64 = 40;
/// The same for reads that take a hundred times as long.
const ROUNDS_OF_DYNAMODB: u64 = 6;

/// A store with [`SMALL`] items, and one that grows.
type Pair = [Arc<dyn Storage>; 2];

pub fn run() -> anyhow::Result<()> {
    report::heading(
        "stores that grow: an item and a page of twenty, us, and the ratio to 100 items",
    );
    let memory = || workload::view(Arc::new(MemoryStorage::new()));
    measure("memory", &[memory()?, memory()?], &SIZES, ROUNDS)?;
    let folder = env::temp_dir().join(format!("tenon-bench-tables-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let measured = files(&folder);
    fs::remove_dir_all(&folder)?;
    measured?;
    let engine = engine::Engine::start()?;
    let table = |name| -> anyhow::Result<_> {
        let options = engine.create_table(name)?;
        workload::view(Arc::new(DynamoDbStorage::new(&options)))
    };
    measure(
        "DynamoDB",
        &[table("small")?, table("grown")?],
        &SIZES_OF_DYNAMODB,
        ROUNDS_OF_DYNAMODB,
    )
}

fn files(folder: &Path) -> anyhow::Result<()> {
    let file = |name| -> anyhow::Result<_> {
        workload::view(Arc::new(RedbStorage::open(folder.join(name))?))
    };
    measure("redb", &[file("small")?, file("grown")?], &SIZES, ROUNDS)
}

fn measure(label: &str, stores: &Pair, sizes: &[u64], rounds: u64) -> anyhow::Result<()> {
    let [small, grown] = stores;
    workload::block_on(async {
        load(small, 0..SMALL).await?;
        let mut loaded = 0;
        for size in sizes {
            let started = Instant::now();
            load(grown, loaded..*size).await?;
            let load = started.elapsed();
            let further = size - loaded;
            loaded = *size;
            let [of_small, of_grown, pages_of_small, pages_of_grown] =
                in_turns(rounds, BATCH, async |subject, number| match subject {
                    0 => get(small, SMALL, number).await,
                    1 => get(grown, *size, number).await,
                    2 => query(small, SMALL, number).await,
                    _ => query(grown, *size, number).await,
                })
                .await?;
            let load_us = load.as_secs_f64() * 1e6 / further as f64;
            report::row(
                &format!("{label}, {size} items"),
                &[
                    ("get", format!("{:.2}", of_grown.median_us())),
                    ("ratio", ratio(&of_grown, &of_small)),
                    ("query", format!("{:.2}", pages_of_grown.median_us())),
                    ("query ratio", ratio(&pages_of_grown, &pages_of_small)),
                    ("load us an item", format!("{load_us:.1}")),
                ],
            );
        }
        Ok(())
    })
}

fn ratio(samples: &Samples, to: &Samples) -> String {
    format!("{:.2}", samples.median_us() / to.median_us())
}

/// Adds the items with these numbers.
async fn load(store: &Arc<dyn Storage>, numbers: Range<u64>) -> anyhow::Result<()> {
    let mut writes = JoinSet::new();
    for start in numbers.clone().step_by(TRANSACTION_ITEMS) {
        if writes.len() == TRANSACTIONS {
            while let Some(written) = writes.join_next().await {
                written??;
            }
        }
        let end = numbers.end.min(start + TRANSACTION_ITEMS as u64);
        writes.spawn(write(store.clone(), start..end));
    }
    while let Some(written) = writes.join_next().await {
        written??;
    }
    Ok(())
}

async fn write(store: Arc<dyn Storage>, numbers: Range<u64>) -> anyhow::Result<()> {
    let operations = numbers.clone().map(|number| {
        Ok(Operation::Put {
            key: key(number),
            document: document(number)?,
            options: PutOptions {
                precondition: Precondition::None,
                // As the reference guest does for the list of a category.
                index: Some(Key {
                    partition: "category/furniture".to_owned(),
                    sort: key(number).sort,
                }),
                expires_at: None,
            },
        })
    });
    let operations = operations.collect::<anyhow::Result<Vec<_>>>()?;
    let call = call(numbers.start);
    let outcome = store.transact(&call, &operations, None).await?;
    ensure!(
        matches!(outcome, TransactOutcome::Done(_)),
        "items were not written"
    );
    Ok(())
}

async fn get(store: &Arc<dyn Storage>, size: u64, number: u64) -> anyhow::Result<Duration> {
    let wanted = scattered(number, size);
    let (call, key) = (call(number), key(wanted));
    let started = Instant::now();
    let item = store.get(&call, &key, Consistency::Strong).await?;
    let elapsed = started.elapsed();
    let item = item.context("an item is not there")?;
    ensure!(item.document == document(wanted)?, "another item came");
    Ok(elapsed)
}

async fn query(store: &Arc<dyn Storage>, size: u64, number: u64) -> anyhow::Result<Duration> {
    let first = scattered(number, size - u64::from(PAGE));
    let Key { partition, sort } = key(first);
    let call = call(number);
    let options = QueryOptions {
        range: SortRange::AtLeast(sort),
        direction: Direction::Ascending,
        limit: PAGE,
        cursor: None,
    };
    let started = Instant::now();
    let page = store
        .query(&call, &partition, Consistency::Strong, &options)
        .await?;
    let elapsed = started.elapsed();
    let keys = page.entries.into_iter().map(|entry| entry.key);
    ensure!(
        keys.eq((first..first + u64::from(PAGE)).map(key)),
        "another page came"
    );
    Ok(elapsed)
}

fn call(number: u64) -> Call {
    Call::new(workload::RECEIVED_AT_MS, &workload::seed(number), None)
}

/// All items in one partition, as the reference guest has them.
fn key(number: u64) -> Key {
    Key {
        partition: "items".to_owned(),
        sort: format!("{number:010}"),
    }
}

fn document(number: u64) -> anyhow::Result<Document> {
    let text = workload::ITEM.replacen("solid", &format!("solid {number}"), 1);
    Ok(Document::parse(&text)?)
}

/// A number below `size`, far from the one before it.
fn scattered(number: u64, size: u64) -> u64 {
    (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) % size
}
