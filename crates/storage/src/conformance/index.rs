//! The secondary key. The index may lag, so the cases wait for it.

use super::client::{World, in_range, key, put_options, query_options};
use crate::{Direction, Precondition, PutOptions, QueryOptions, SortRange};

pub(super) async fn an_index_orders_by_secondary_then_primary_key(world: World) {
    let client = world.client();
    let items = [
        ("b", "1", "m"),
        ("a", "2", "m"),
        ("a", "10", "m"),
        ("a\0", "1", "m"),
        ("é", "1", "m"),
        ("z", "1", "l"),
        ("z", "2", "m\0"),
        ("z", "3", "n"),
        ("z", "4", "\u{10000}"),
        ("z", "5", "\u{ffff}"),
    ];
    for (partition, sort, secondary) in items {
        client
            .put_indexed(&key(partition, sort), key("i", secondary))
            .await;
    }
    client.put_indexed(&key("other", "1"), key("j", "m")).await;
    client.put(&key("i", "m"), "{}").await;
    let mut expected = vec![
        ("z", "1"),
        ("a", "10"),
        ("a", "2"),
        ("a\0", "1"),
        ("b", "1"),
        ("é", "1"),
        ("z", "2"),
        ("z", "3"),
        ("z", "5"),
        ("z", "4"),
    ];
    client.expect_index("i", &query_options(), &expected).await;
    expected.reverse();
    let descending = QueryOptions {
        direction: Direction::Descending,
        ..query_options()
    };
    client.expect_index("i", &descending, &expected).await;
    let entries = client.query_index("i", &query_options()).await;
    assert_eq!(entries[0].item.index, Some(key("i", "l")));
}

pub(super) async fn an_index_follows_changes(world: World) {
    let client = world.client();
    let item = key("p", "s");
    client.put_indexed(&item, key("i", "1")).await;
    client
        .expect_index("i", &query_options(), &[("p", "s")])
        .await;
    client.put_indexed(&item, key("j", "1")).await;
    client
        .expect_index("j", &query_options(), &[("p", "s")])
        .await;
    client.expect_index("i", &query_options(), &[]).await;
    client.put(&item, "{}").await;
    client.expect_index("j", &query_options(), &[]).await;
    client.put_indexed(&item, key("i", "2")).await;
    client
        .expect_index("i", &query_options(), &[("p", "s")])
        .await;
    let lost = PutOptions {
        precondition: Precondition::Absent,
        index: Some(key("k", "1")),
        expires_at: None,
    };
    client
        .try_put(&item, &super::client::doc("{}"), &lost)
        .await
        .unwrap();
    client.expect_index("k", &query_options(), &[]).await;
    client.delete(&item).await;
    client.expect_index("i", &query_options(), &[]).await;
}

pub(super) async fn index_ranges_cover_what_they_say(world: World) {
    let client = world.client();
    for (sort, secondary) in [
        ("1", "a"),
        ("2", "ab"),
        ("3", "ab"),
        ("4", "ab\0"),
        ("5", "b"),
    ] {
        client
            .put_indexed(&key("p", sort), key("i", secondary))
            .await;
    }
    let between = |lower: &str, upper: &str| SortRange::Between(lower.to_owned(), upper.to_owned());
    let cases: [(SortRange, &[(&str, &str)]); 7] = [
        (
            SortRange::All,
            &[("p", "1"), ("p", "2"), ("p", "3"), ("p", "4"), ("p", "5")],
        ),
        (
            SortRange::Prefix("ab".to_owned()),
            &[("p", "2"), ("p", "3"), ("p", "4")],
        ),
        (between("ab", "ab"), &[("p", "2"), ("p", "3")]),
        (between("a", "ab"), &[("p", "1"), ("p", "2"), ("p", "3")]),
        (
            SortRange::AtLeast("ab".to_owned()),
            &[("p", "2"), ("p", "3"), ("p", "4"), ("p", "5")],
        ),
        (
            SortRange::AtMost("ab".to_owned()),
            &[("p", "1"), ("p", "2"), ("p", "3")],
        ),
        (SortRange::AtLeast("c".to_owned()), &[]),
    ];
    for (range, expected) in cases {
        client
            .expect_index("i", &in_range(range.clone()), expected)
            .await;
        let mut reversed = expected.to_vec();
        reversed.reverse();
        let descending = QueryOptions {
            direction: Direction::Descending,
            ..in_range(range)
        };
        client.expect_index("i", &descending, &reversed).await;
    }
}

pub(super) async fn index_cursors_give_everything_once(world: World) {
    let client = world.client();
    let options = PutOptions {
        index: Some(key("i", "same")),
        ..put_options()
    };
    let keys: Vec<(String, String)> = (0..12)
        .map(|number| (format!("p{}", number / 4), format!("s{}", number % 4)))
        .collect();
    for (partition, sort) in &keys {
        client.put_with(&key(partition, sort), "{}", &options).await;
    }
    let mut expected: Vec<(&str, &str)> = keys
        .iter()
        .map(|(partition, sort)| (partition.as_str(), sort.as_str()))
        .collect();
    for limit in [1, 5, 12] {
        client
            .expect_index(
                "i",
                &QueryOptions {
                    limit,
                    ..query_options()
                },
                &expected,
            )
            .await;
    }
    expected.reverse();
    for limit in [1, 5, 12] {
        let descending = QueryOptions {
            limit,
            direction: Direction::Descending,
            ..query_options()
        };
        client.expect_index("i", &descending, &expected).await;
    }
}
