//! Reading partitions in order.

use super::client::{Client, World, in_range, key, query_options};
use crate::{Direction, QueryOptions, SortRange};
use contract::limits::{ITEM_BYTES_MAX, PAGE_BYTES_MAX};

/// In byte order, which differs from UTF-16 order (surrogates sort below U+E000) and from any collation.
const ORDERED: [&str; 16] = [
    "\0",
    "\u{1}",
    "!",
    "A",
    "B",
    "a",
    "a\0",
    "a!",
    "aa",
    "b",
    "\u{7f}",
    "\u{80}",
    "é",
    "\u{d7ff}",
    "\u{ffff}",
    "\u{10000}",
];

async fn filled(world: &World) -> Client {
    let client = world.client();
    for position in 0..ORDERED.len() {
        client
            .put(&key("p", ORDERED[position * 5 % ORDERED.len()]), "{}")
            .await;
    }
    client.put(&key("p", "\u{10ffff}"), "{}").await;
    client.put(&key("p", "\u{10ffff}\u{10ffff}x"), "{}").await;
    client
}

fn all() -> Vec<&'static str> {
    ORDERED
        .into_iter()
        .chain(["\u{10ffff}", "\u{10ffff}\u{10ffff}x"])
        .collect()
}

pub(super) async fn sort_keys_are_ordered_by_bytes(world: World) {
    let client = filled(&world).await;
    let mut expected = all();
    assert_eq!(client.sorts("p", &query_options()).await, expected);
    expected.reverse();
    let descending = QueryOptions {
        direction: Direction::Descending,
        ..query_options()
    };
    assert_eq!(client.sorts("p", &descending).await, expected);
}

fn covers(range: &SortRange, sort: &str) -> bool {
    match range {
        SortRange::All => true,
        SortRange::Prefix(prefix) => sort.starts_with(prefix.as_str()),
        SortRange::Between(lower, upper) => *lower.as_str() <= *sort && *sort <= *upper.as_str(),
        SortRange::AtLeast(lower) => *lower.as_str() <= *sort,
        SortRange::AtMost(upper) => *sort <= *upper.as_str(),
    }
}

async fn assert_range(client: &Client, range: SortRange) {
    let mut expected: Vec<&str> = all()
        .into_iter()
        .filter(|sort| covers(&range, sort))
        .collect();
    for limit in [1000, 1] {
        let ascending = QueryOptions {
            limit,
            ..in_range(range.clone())
        };
        assert_eq!(client.sorts("p", &ascending).await, expected, "{range:?}");
    }
    expected.reverse();
    for limit in [1000, 1] {
        let descending = QueryOptions {
            limit,
            direction: Direction::Descending,
            ..in_range(range.clone())
        };
        assert_eq!(
            client.sorts("p", &descending).await,
            expected,
            "{range:?} descending"
        );
    }
}

pub(super) async fn ranges_cover_what_they_say(world: World) {
    let client = filled(&world).await;
    assert_range(&client, SortRange::All).await;
    for bound in [
        "\0",
        "A",
        "a",
        "a\u{1}",
        "c",
        "\u{d7ff}",
        "\u{fffe}",
        "\u{10000}",
        "\u{10ffff}",
        "\u{10ffff}\u{10ffff}y",
    ] {
        assert_range(&client, SortRange::AtLeast(bound.to_owned())).await;
        assert_range(&client, SortRange::AtMost(bound.to_owned())).await;
    }
    for (lower, upper) in [
        ("a", "a"),
        ("a", "b"),
        ("B", "a!"),
        ("ab", "ab"),
        ("\0", "\u{10ffff}"),
        ("é", "\u{ffff}"),
    ] {
        assert_range(
            &client,
            SortRange::Between(lower.to_owned(), upper.to_owned()),
        )
        .await;
    }
}

pub(super) async fn prefixes_end_where_the_next_text_starts(world: World) {
    let client = filled(&world).await;
    for prefix in [
        "a",
        "aa",
        "x",
        "\0",
        "\u{7f}",
        "\u{d7ff}",
        "\u{ffff}",
        "\u{10ffff}",
        "\u{10ffff}\u{10ffff}",
    ] {
        assert_range(&client, SortRange::Prefix(prefix.to_owned())).await;
    }
}

pub(super) async fn partitions_do_not_mix(world: World) {
    let client = world.client();
    for partition in ["p", "p2", "p\0", "q", "o"] {
        client.put(&key(partition, partition), "{}").await;
    }
    assert_eq!(client.sorts("p", &query_options()).await, ["p"]);
    assert_eq!(client.sorts("p\0", &query_options()).await, ["p\0"]);
    assert!(client.sorts("none", &query_options()).await.is_empty());
}

pub(super) async fn the_limit_bounds_a_page(world: World) {
    let client = filled(&world).await;
    let page = client
        .try_query(
            "p",
            &QueryOptions {
                limit: 3,
                ..query_options()
            },
        )
        .await
        .unwrap();
    assert!(page.entries.len() <= 3);
    assert!(page.cursor.is_some());
    for limit in [1, 2, 5, 17, 18, 19] {
        assert_eq!(
            client
                .sorts(
                    "p",
                    &QueryOptions {
                        limit,
                        ..query_options()
                    }
                )
                .await,
            all()
        );
    }
}

pub(super) async fn a_page_ends_before_it_gets_too_large(world: World) {
    let client = world.client();
    let text = format!(r#"{{"fill":"{}"}}"#, "x".repeat(ITEM_BYTES_MAX / 2));
    let expected: Vec<String> = (0..8).map(|number| format!("s{number}")).collect();
    for sort in &expected {
        client.put(&key("p", sort), &text).await;
    }
    let page = client.try_query("p", &query_options()).await.unwrap();
    let bytes: usize = page
        .entries
        .iter()
        .map(|entry| entry.item.document.bytes())
        .sum();
    assert!(bytes <= PAGE_BYTES_MAX, "{bytes}");
    assert!(page.cursor.is_some());
    assert_eq!(client.sorts("p", &query_options()).await, expected);
}
