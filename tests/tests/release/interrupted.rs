//! Promoting in a table takes three requests: one that reads, one that keeps the previous document, one that changes the channel. A
//! publisher that is killed at any of them leaves one generation or the other, complete.

use super::site::{CHANNEL, key, promotion, signing};
use crate::support::{
    proxy::{Mode, Proxy},
    table::Table,
};
use release::{Channel, ChannelStore, PublicKeys, promote};
use release_aws::TableChannels;
use std::time::Duration;
use storage_dynamodb::DynamoDbOptions;

/// Number of requests of one change.
const REQUESTS: usize = 3;
/// When a publisher that waits for a stalled request is killed.
const KILLED_AFTER: Duration = Duration::from_millis(200);

struct Channels(TableChannels);

impl Channels {
    fn of(table: &Table, endpoint: String) -> Self {
        Self(TableChannels::new(&DynamoDbOptions {
            endpoint: Some(endpoint),
            ..table.options().clone()
        }))
    }

    async fn current(&self) -> Option<Channel> {
        let text = self.0.read(&CHANNEL.parse().unwrap()).await.unwrap()?;
        Some(open(&text))
    }

    /// Generations, newest first, each with a valid signature.
    async fn history(&self) -> Vec<u64> {
        let name = CHANNEL.parse().unwrap();
        let texts = self.0.history(&name, 9).await.unwrap();
        texts.iter().map(|text| open(text).generation).collect()
    }

    /// Whether it reported success.
    async fn flip(&self, current: Option<&Channel>, version: u8) -> bool {
        let name = CHANNEL.parse().unwrap();
        let next = promote(&name, current, &promotion(version, 100), &signing()).unwrap();
        let (generation, document) = (next.generation, next.sign(&key()).unwrap());
        let flip = self.0.flip(&name, generation - 1, generation, &document);
        let done = tokio::time::timeout(KILLED_AFTER, flip).await;
        matches!(done, Ok(Ok(())))
    }
}

fn open(text: &str) -> Channel {
    let name = CHANNEL.parse().unwrap();
    Channel::open(text, &PublicKeys::of(&key()), &name).unwrap()
}

async fn interrupt(passes: usize, mode: Mode) {
    let table = tokio::task::spawn_blocking(Table::start).await.unwrap();
    let proxy = Proxy::start(table.address(), Mode::Pass);
    let whole = Channels::of(&table, table.endpoint());
    let broken = Channels::of(&table, proxy.endpoint());
    assert!(broken.flip(None, 1).await);
    let first = whole.current().await.unwrap();

    proxy.set_after(passes, mode);
    assert!(!broken.flip(Some(&first), 2).await, "{passes} {mode:?}");
    let is_done = passes == REQUESTS - 1 && mode == Mode::LoseAnswer;
    let current = whole.current().await.unwrap();
    let expected = if is_done { vec![2, 1] } else { vec![1] };
    assert_eq!(current.generation, expected[0], "{passes} {mode:?}");
    assert_eq!(whole.history().await, expected, "{passes} {mode:?}");

    assert!(whole.flip(Some(&current), 3).await, "{passes} {mode:?}");
    let mut expected = expected;
    expected.insert(0, current.generation + 1);
    assert_eq!(whole.history().await, expected, "{passes} {mode:?}");
    tokio::task::spawn_blocking(move || drop(table))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promotion_that_breaks_off_anywhere_leaves_one_generation_whole() {
    for passes in 0..REQUESTS {
        for mode in [Mode::Refuse, Mode::Stall, Mode::LoseAnswer] {
            interrupt(passes, mode).await;
        }
    }
}
