//! Lists of keys: whole, without doubles, in pages that go on in later requests, and within the bucket whatever a cursor says.

use super::{check, keyvalue, run};
use crate::support::{
    guests::KEYVALUE,
    in_process::{self, NOW_MS, runtime},
};
use contract::{limits::Limits, seed::Seed};
use service::Service;
use std::sync::Arc;
use storage::{
    Call, Consistency, Direction, MemoryStorage, QueryOptions, SortRange, StorageExt as _,
};

/// The keys of a page, and its cursor.
async fn page(service: &Service, seed: u8, draft: &str, cursor: &str) -> (Vec<String>, String) {
    let operation = format!("page {draft} {cursor}");
    let line = run(service, seed, operation.trim_end()).await;
    let (cursor, keys) = line[0]
        .split_once('\t')
        .unwrap_or_else(|| panic!("{line:?}"));
    let keys = keys.split(',').filter(|key| !key.is_empty());
    (keys.map(str::to_owned).collect(), cursor.to_owned())
}

/// Pages of several requests, each of which gets only a cursor; their number, and all keys.
async fn pages(service: &Service, draft: &str) -> (usize, Vec<String>) {
    let (mut all, mut count, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let (keys, next) = page(service, 7, draft, &cursor).await;
        all.extend(keys);
        count += 1;
        cursor = next;
        if cursor.is_empty() {
            all.sort();
            return (count, all);
        }
    }
}

fn keys(count: usize) -> Vec<String> {
    let mut keys: Vec<_> = (0..count).map(|number| format!("key-{number}")).collect();
    keys.sort();
    keys
}

#[tokio::test]
async fn pages_together_have_every_key_once() {
    let service = keyvalue();
    run(&service, 1, "fill 1 2500 5").await;
    for draft in ["1", "2"] {
        let (count, all) = pages(&service, draft).await;
        assert!(count >= 3 && all == keys(2500), "{count} {}", all.len());
        let all = run(&service, 2, &format!("all {draft}")).await.concat();
        assert_eq!(all, format!("{count} pages: {}", keys(2500).join(",")));
    }
}

/// A page of the port has 1 MB, which is two of these, so that a list needs more queries than one page of it may have.
#[tokio::test]
async fn large_values_make_short_pages() {
    let service = keyvalue();
    for number in 0..4 {
        let operations = (0..20).map(|key| format!("set-length 1 {number}/{key} 400000\n"));
        run(&service, number, &operations.collect::<String>()).await;
    }
    for draft in ["1", "2"] {
        let (count, mut all) = pages(&service, draft).await;
        let length = all.len();
        all.dedup();
        assert!(
            count > 1 && length == 80 && all.len() == 80,
            "{count} {length}"
        );
    }
}

#[tokio::test]
async fn keys_are_spread_over_sixteen_partitions() {
    let store = Arc::new(MemoryStorage::new());
    let service = in_process::service(&runtime(KEYVALUE, Limits::default()), store.clone());
    run(&service, 1, "fill 2 1000 1").await;
    let call = Call::new(NOW_MS, &Seed::new([1; 32]), None);
    let mut total = 0;
    for shard in 0..16 {
        let options = QueryOptions {
            range: SortRange::All,
            direction: Direction::Ascending,
            limit: 1000,
            cursor: None,
        };
        let partition = format!("local#wasi:keyvalue/default/{shard:x}");
        let page = store.query(&call, &partition, Consistency::Strong, &options);
        let count = page.await.unwrap().entries.len();
        assert!((30..100).contains(&count), "{shard}: {count}");
        total += count;
    }
    assert_eq!(total, 1000);
}

/// A component may return a cursor to its client, who may change it.
#[tokio::test]
async fn no_cursor_leads_out_of_the_bucket() {
    let service = keyvalue();
    run(&service, 1, "fill 1 1900 5").await;
    let all = keys(1900);
    for cursor in [
        0,
        1,
        1 << 59,
        (1 << 60) - 1,
        1 << 60,
        u64::MAX >> 1,
        u64::MAX,
    ] {
        let (keys, _) = page(&service, 2, "1", &cursor.to_string()).await;
        assert!(keys.iter().all(|key| all.contains(key)), "{cursor}");
    }
    let (_, real) = page(&service, 3, "2", "").await;
    assert!(real.len() > 1, "{real}");
    let other = u8::from_str_radix(&real[..1], 16).unwrap() ^ 1;
    let changed = format!("{other:x}{}", &real[1..]);
    for (cursor, error) in [
        ("x", "the cursor is not one of this bucket"),
        ("ż", "the cursor is not one of this bucket"),
        ("0x", "the cursor does not belong to this query"),
        (
            "fAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "the cursor does not belong to this query",
        ),
        (&changed, "the cursor does not belong to this query"),
        (
            &real[..real.len() - 1],
            "the cursor does not belong to this query",
        ),
    ] {
        let script = format!("page 2 {cursor} -> error: {error}");
        check(&service, 4, "2", &script).await;
    }
}

#[tokio::test]
async fn an_empty_bucket_has_no_keys() {
    let service = keyvalue();
    for draft in ["1", "2"] {
        check(&service, 1, draft, "all N -> 1 pages: ").await;
    }
}
