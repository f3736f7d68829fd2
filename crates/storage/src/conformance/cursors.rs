//! Continuing where a page ended, and nowhere else.

use super::client::{Client, World, assert_invalid, in_range, key, query_options};
use crate::{Direction, QueryOptions, SortRange};

async fn filled(world: &World) -> Client {
    let client = world.client();
    for number in 0..10 {
        let sort = format!("s{number}");
        client.put_indexed(&key("p", &sort), key("p", &sort)).await;
        client.put(&key("q", &sort), "{}").await;
    }
    client
        .expect_index(
            "p",
            &in_range(SortRange::AtLeast("s9".to_owned())),
            &[("p", "s9")],
        )
        .await;
    client
}

fn limited(range: SortRange, direction: Direction) -> QueryOptions {
    QueryOptions {
        range,
        direction,
        limit: 3,
        cursor: None,
    }
}

async fn first_cursor(client: &Client, options: &QueryOptions) -> String {
    client
        .try_query("p", options)
        .await
        .unwrap()
        .cursor
        .unwrap()
}

pub(super) async fn following_cursors_gives_everything_once(world: World) {
    let client = filled(&world).await;
    let mut expected: Vec<String> = (0..10).map(|number| format!("s{number}")).collect();
    let ascending = limited(SortRange::Prefix("s".to_owned()), Direction::Ascending);
    assert_eq!(client.sorts("p", &ascending).await, expected);
    expected.reverse();
    let descending = limited(SortRange::Prefix("s".to_owned()), Direction::Descending);
    assert_eq!(client.sorts("p", &descending).await, expected);
}

pub(super) async fn a_cursor_goes_on_after_changes(world: World) {
    let client = filled(&world).await;
    let mut options = limited(SortRange::All, Direction::Ascending);
    let page = client.try_query("p", &options).await.unwrap();
    let last = page.entries.last().unwrap().key.clone();
    options.cursor = page.cursor;
    client.delete(&last).await;
    client.put(&key("p", "s00"), "{}").await;
    client.put(&key("p", "s90"), "{}").await;
    let rest: Vec<String> = (page.entries.len()..10)
        .map(|number| format!("s{number}"))
        .chain(["s90".to_owned()])
        .collect();
    assert_eq!(client.sorts("p", &options).await, rest);
    // A smaller or larger limit is not another query.
    options.limit = 1;
    assert_eq!(client.sorts("p", &options).await, rest);
}

pub(super) async fn cursors_are_bound_to_their_query(world: World) {
    let client = filled(&world).await;
    let between = |lower: &str, upper: &str| SortRange::Between(lower.to_owned(), upper.to_owned());
    let asked = limited(between("s0", "s9"), Direction::Ascending);
    let cursor = Some(first_cursor(&client, &asked).await);
    let others = [
        SortRange::All,
        SortRange::Prefix("s".to_owned()),
        SortRange::Prefix("s0".to_owned()),
        SortRange::AtLeast("s0".to_owned()),
        SortRange::AtMost("s9".to_owned()),
        between("s0", "s8"),
        between("s1", "s9"),
    ];
    for range in others {
        let options = QueryOptions {
            cursor: cursor.clone(),
            ..limited(range, Direction::Ascending)
        };
        assert_invalid(client.try_query("p", &options).await, "cursor");
    }
    let options = QueryOptions {
        cursor: cursor.clone(),
        ..asked.clone()
    };
    assert_invalid(client.try_query("q", &options).await, "cursor");
    assert_invalid(client.try_query_index("p", &options).await, "cursor");
    let descending = QueryOptions {
        direction: Direction::Descending,
        ..options.clone()
    };
    assert_invalid(client.try_query("p", &descending).await, "cursor");
    let from_index = client.try_query_index("p", &asked).await.unwrap().cursor;
    assert_invalid(
        client
            .try_query(
                "p",
                &QueryOptions {
                    cursor: from_index,
                    ..asked
                },
            )
            .await,
        "cursor",
    );
    assert!(client.try_query("p", &options).await.is_ok());
    // Ranges of the same text are different ranges.
    let prefix = limited(SortRange::Prefix("s".to_owned()), Direction::Ascending);
    let cursor = Some(first_cursor(&client, &prefix).await);
    let at_least = limited(SortRange::AtLeast("s".to_owned()), Direction::Ascending);
    assert_invalid(
        client
            .try_query("p", &QueryOptions { cursor, ..at_least })
            .await,
        "cursor",
    );
}

pub(super) async fn forged_cursors_are_invalid(world: World) {
    let client = filled(&world).await;
    let options = limited(SortRange::All, Direction::Ascending);
    let cursor = first_cursor(&client, &options).await;
    let mut forgeries: Vec<String> = ["", "x", "!", "s5", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]
        .iter()
        .map(|text| (*text).to_owned())
        .collect();
    forgeries.extend((1..cursor.len()).map(|length| cursor[..length].to_owned()));
    forgeries.push(format!("{cursor}A"));
    forgeries.push(format!("{cursor}="));
    for position in 0..cursor.len() {
        let mut bytes = cursor.clone().into_bytes();
        bytes[position] = if bytes[position] == b'A' { b'B' } else { b'A' };
        forgeries.push(String::from_utf8(bytes).unwrap());
    }
    for forgery in forgeries {
        let options = QueryOptions {
            cursor: Some(forgery.clone()),
            ..query_options()
        };
        assert_invalid(client.try_query("p", &options).await, "cursor");
        assert_invalid(client.try_query_index("p", &options).await, "cursor");
    }
}
