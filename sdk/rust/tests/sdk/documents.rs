//! Reading and writing documents, with conditions, in pages and in transactions.

use serde::{Deserialize, Serialize};
use serde_json::json;
use tenon::{
    App, Conditions, Json, NoContent, Page, Pagination, Path, Problem, Store,
    store::{
        Consistency, Item, Key, Operation, Partition, Replaced, SortRange, StorageError,
        TransactionError, Write, WriteError,
    },
    test::TestClient,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Room {
    beds: u32,
}

const ROOMS: Partition<Room> = Partition::new("rooms");
const BY_BEDS: Partition<Room> = Partition::new("rooms by beds");

fn app() -> App {
    App::new()
        .get("/rooms", list)
        .get("/rooms/{id}", read)
        .put("/rooms/{id}", replace)
        .delete("/rooms/{id}", remove)
        .post("/rooms/{id}/beds", add_bed)
}

fn list(store: Store, page: Pagination) -> Result<Page<Room>, Problem> {
    Ok(store.query(&ROOMS).eventual().paged(&page).page()?.values())
}

fn read(Path(id): Path<String>, store: Store) -> Result<Option<Item<Room>>, Problem> {
    Ok(store.get(&ROOMS.key(id))?)
}

fn replace(
    Path(id): Path<String>,
    conditions: Conditions,
    Json(room): Json<Room>,
    store: Store,
) -> Result<Replaced<Room>, Problem> {
    store.replace(&ROOMS.key(id), &conditions, |_| Ok(room.clone()))
}

fn remove(
    Path(id): Path<String>,
    conditions: Conditions,
    store: Store,
) -> Result<NoContent, Problem> {
    store.delete(&ROOMS.key(id)).when(&conditions).send()?;
    Ok(NoContent)
}

fn add_bed(
    Path(id): Path<String>,
    conditions: Conditions,
    store: Store,
) -> Result<Item<Room>, Problem> {
    store.update(&ROOMS.key(id), &conditions, |room| {
        Ok(Room {
            beds: room.beds + 1,
        })
    })
}

fn put(client: &TestClient, id: &str, beds: u32) -> Item<Room> {
    client
        .store()
        .put(&ROOMS.key(id), Room { beds })
        .send()
        .unwrap()
}

#[test]
fn a_put_creates_and_then_replaces() {
    let client = app().test();
    let send = |beds: u32| {
        client
            .put("/rooms/a")
            .base_path("/live")
            .json(&json!({"beds": beds}))
            .send()
    };
    let created = send(1);
    assert_eq!(created.status(), 201);
    assert_eq!(created.header("location"), Some("/live/rooms/a"));
    let replaced = send(2);
    assert_eq!(replaced.status(), 200);
    assert_eq!(replaced.header("location"), None);
    assert_eq!(replaced.header("content-location"), Some("/live/rooms/a"));
    assert_eq!(
        client.get("/rooms/a").send().header("etag"),
        replaced.header("etag")
    );
}

#[test]
fn conditions_of_a_client_hold_or_nothing_is_written() {
    let client = app().test();
    let tag = format!("\"{}\"", put(&client, "a", 1).revision);
    let lists = format!("\"x\", {tag}");
    for (method, path, name, value, status) in [
        ("GET", "/rooms/a", "if-none-match", tag.as_str(), 304),
        ("GET", "/rooms/a", "if-match", "\"x\"", 412),
        ("GET", "/rooms/a", "if-match", "x", 400),
        ("POST", "/rooms/a/beds", "if-match", "\"x\"", 412),
        ("POST", "/rooms/a/beds", "if-none-match", "*", 412),
        ("POST", "/rooms/b/beds", "if-match", "*", 404),
        ("DELETE", "/rooms/a", "if-match", "\"x\"", 412),
        ("DELETE", "/rooms/b", "if-match", "*", 404),
        ("DELETE", "/rooms/b", "accept", "*/*", 404),
        ("DELETE", "/rooms/a", "if-match", &lists, 204),
        ("DELETE", "/rooms/a", "if-match", &lists, 404),
    ] {
        let response = client.request(method, path).header(name, value).send();
        assert_eq!(response.status(), status, "{method} {path} {name}: {value}");
    }
    let replace = |name: &str, value: &str| {
        let request = client.put("/rooms/c").header(name, value);
        request.json(&json!({"beds": 1})).send().status()
    };
    assert_eq!(replace("if-match", "*"), 412);
    assert_eq!(replace("if-none-match", "*"), 201);
    assert_eq!(replace("if-none-match", "*"), 412);
}

#[test]
fn pages_follow_each_other_to_the_last() {
    let client = app().test();
    for id in ["a", "b", "c"] {
        put(&client, id, 1);
    }
    let first = client.get("/rooms?limit=2&order=desc").send();
    let link = first.header("link").unwrap();
    let next = link.strip_prefix('<').unwrap().split_once('>').unwrap().0;
    let last = client.get(next).send();
    assert_eq!(last.value()["items"].as_array().unwrap().len(), 1);
    assert_eq!(last.header("link"), None);
    for query in [
        "limit=0",
        "limit=101",
        "limit=+5",
        "order=up",
        "cursor=",
        "limit=1&limit=1",
        "cursor=forged",
        "limit=%ff",
    ] {
        assert_eq!(
            client.get(&format!("/rooms?{query}")).send().status(),
            400,
            "{query}"
        );
    }
}

#[test]
fn a_query_reads_page_after_page_within_its_range() {
    let client = app().test();
    for id in ["a1", "a2", "a3", "b1"] {
        put(&client, id, 1);
    }
    let store = client.store();
    let sorts = |query: tenon::store::Query<'_, Room>| -> Vec<String> {
        query
            .into_iter()
            .map(|entry| entry.unwrap().key.sort().to_owned())
            .collect()
    };
    assert_eq!(
        sorts(store.query(&ROOMS).limit(1)),
        ["a1", "a2", "a3", "b1"]
    );
    assert_eq!(
        sorts(store.query(&ROOMS).prefix("a").descending().limit(2)),
        ["a3", "a2", "a1"]
    );
    assert_eq!(
        sorts(store.query(&ROOMS).between("a2", "b1")),
        ["a2", "a3", "b1"]
    );
}

#[test]
fn a_secondary_key_and_an_expiry_stay_until_they_are_replaced() {
    let client = app().test();
    let store = client.store();
    let key: Key<Room> = ROOMS.key("a");
    let expires_at = 1_767_225_600 + 10;
    let write = Write::new(Room { beds: 2 })
        .index(BY_BEDS.key("2"))
        .expires_at(expires_at);
    store.put(&key, write).send().unwrap();
    let none = Conditions::default();
    let updated = store
        .update(&key, &none, |room| {
            Ok(Room {
                beds: room.beds + 1,
            })
        })
        .unwrap();
    assert_eq!(updated.expires_at, Some(expires_at));
    assert_eq!(updated.index(), Some(("rooms by beds", "2")));
    let moved = store
        .update(&key, &none, |room| {
            Ok(Write::new(room).index(BY_BEDS.key("3")))
        })
        .unwrap();
    assert_eq!(moved.index(), Some(("rooms by beds", "3")));
    assert_eq!(store.query_index(&BY_BEDS).page().unwrap().items.len(), 1);
    client.advance(10_000);
    assert_eq!(client.store().get(&key).unwrap(), None);
}

#[test]
fn items_are_read_together_in_the_order_of_their_keys() {
    let client = app().test();
    put(&client, "a", 1);
    put(&client, "b", 2);
    let keys = [ROOMS.key("b"), ROOMS.key("z"), ROOMS.key("a")];
    let found = client.store().get_many(&keys, Consistency::Strong).unwrap();
    let beds: Vec<_> = found
        .into_iter()
        .map(|item| item.map(|item| item.value.beds))
        .collect();
    assert_eq!(beds, [Some(2), None, Some(1)]);
}

#[test]
fn a_transaction_happens_as_a_whole_or_says_which_operation_lost() {
    let client = app().test();
    let first = put(&client, "a", 1);
    let store = client.store();
    let (a, b) = (ROOMS.key("a"), ROOMS.key("b"));
    let lost = store
        .transaction()
        .with(Operation::put(&b, Room { beds: 9 }).if_absent())
        .with(Operation::delete(&a).if_revision("other"))
        .send()
        .unwrap_err();
    let TransactionError::Lost(lost) = lost else {
        panic!("{lost}");
    };
    assert_eq!(lost.position, 1);
    assert_eq!(
        lost.item::<Room>().unwrap().unwrap().value,
        Room { beds: 1 }
    );
    assert_eq!(store.get(&b).unwrap(), None);

    let revisions = store
        .transaction()
        .with(Operation::check(&a).if_revision(&first.revision))
        .with(Operation::put(&b, Room { beds: 9 }).if_absent())
        .send()
        .unwrap();
    assert_eq!(revisions[0], None);
    assert_eq!(revisions[1], Some(store.get(&b).unwrap().unwrap().revision));
}

#[test]
fn a_write_that_lost_has_what_is_there() {
    let client = app().test();
    put(&client, "a", 1);
    let store = client.store();
    let key = ROOMS.key("a");
    let Err(WriteError::Lost(found)) = store.put(&key, Room { beds: 2 }).if_absent().send() else {
        panic!("something is there");
    };
    assert_eq!(found.item().unwrap().unwrap().value, Room { beds: 1 });
}

#[test]
fn a_list_has_the_order_of_the_client_or_else_its_own() {
    fn newest(store: Store, page: Pagination) -> Result<Page<Room>, Problem> {
        Ok(store
            .query(&ROOMS)
            .descending()
            .paged(&page)
            .page()?
            .values())
    }
    let client = App::new().get("/", newest).test();
    for (name, beds) in [("a", 1), ("b", 2)] {
        let put = client.store().put(&ROOMS.key(name), Room { beds }).send();
        put.unwrap();
    }
    for (target, beds) in [
        ("/", [2, 1]),
        ("/?order=asc", [1, 2]),
        ("/?order=desc", [2, 1]),
    ] {
        let list = client.get(target).send().value();
        assert_eq!(
            list["items"],
            json!([{"beds": beds[0]}, {"beds": beds[1]}]),
            "{target}"
        );
    }
}

/// Bounds come from clients, as parts of keys do.
#[test]
fn a_range_without_keys_finds_nothing_with_and_without_a_cursor() {
    let client = app().test();
    for id in ["a", "b", "c"] {
        put(&client, id, 1);
    }
    let store = client.store();
    let between = |first: &str, last: &str| SortRange::Between(first.into(), last.into());
    let long = "a".repeat(1025);
    for (range, count) in [
        (SortRange::Prefix(String::new()), 3),
        (SortRange::Prefix(long.clone()), 0),
        (SortRange::AtLeast(String::new()), 3),
        (SortRange::AtMost(String::new()), 0),
        (between("b", "a"), 0),
        (between("b", &long), 0),
        (between("", "b"), 2),
        (between("a", ""), 0),
        (between("", ""), 0),
    ] {
        let query = || store.query(&ROOMS).range(range.clone()).limit(1);
        assert_eq!(query().into_iter().count(), count, "{range:?}");
        assert!(query().into_iter().all(|entry| entry.is_ok()), "{range:?}");
        let forged = query().after("forged".to_owned()).page();
        match count {
            0 => assert!(forged.unwrap().items.is_empty(), "{range:?}"),
            _ => assert_eq!(
                forged.unwrap_err(),
                StorageError::InvalidCursor,
                "{range:?}"
            ),
        }
    }
}

#[test]
fn what_is_wrong_in_a_query_is_named_with_and_without_a_cursor() {
    let client = app().test();
    let store = client.store();
    let long = "a".repeat(1025);
    for range in [
        SortRange::AtLeast(long.clone()),
        SortRange::AtMost(long.clone()),
        SortRange::Between(long.clone(), "b".into()),
        SortRange::Between("A".into(), long),
    ] {
        for cursor in [None, Some("c".to_owned())] {
            let query = store.query(&ROOMS).range(range.clone()).after(cursor);
            let problem = Problem::from(query.page().unwrap_err());
            assert_eq!((problem.status(), problem.code()), (400, "invalid-key"));
        }
    }
    for cursor in [None, Some("c".to_owned())] {
        let query = store.query(&ROOMS).limit(1001).after(cursor);
        assert!(matches!(query.page(), Err(StorageError::Invalid(_))));
    }
}
