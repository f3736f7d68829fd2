//! Who is at fault when a rule of the store is broken: the client for documents and keys, the program for everything else.

use serde::{Deserialize, Serialize};
use serde_json::json;
use tenon::{
    App, Conditions, Problem,
    store::{Consistency, Key, Operation, Partition, Write},
};

#[derive(Debug, Serialize, Deserialize)]
struct Room {
    beds: u32,
}

const ROOMS: Partition<Room> = Partition::new("rooms");

#[test]
fn rules_that_the_program_breaks_are_its_own_mistake() {
    let (key, other) = (ROOMS.key("a"), ROOMS.key("b"));
    let put = |key: &Key<Room>| Operation::put(key, Room { beds: 1 });
    let many = |count: usize| (0..count).map(move |n| put(&ROOMS.key(n.to_string())));
    let none = ROOMS.key("");
    let client = App::new().test();
    let store = client.store();
    let sent: [(&str, Problem); 6] = [
        (
            "the same key twice",
            store
                .transaction()
                .with(put(&key))
                .with(put(&key))
                .send()
                .unwrap_err()
                .into(),
        ),
        (
            "no operation",
            store.transaction().send().unwrap_err().into(),
        ),
        (
            "101 operations",
            store
                .transaction()
                .with_all(many(101))
                .send()
                .unwrap_err()
                .into(),
        ),
        (
            "a token of 50 bytes",
            store
                .transaction()
                .with(put(&key))
                .token("t".repeat(50))
                .send()
                .unwrap_err()
                .into(),
        ),
        (
            "an empty index key",
            store
                .put(&key, Room { beds: 1 })
                .index(none.clone())
                .send()
                .unwrap_err()
                .into(),
        ),
        (
            "an empty index key in a transaction",
            store
                .transaction()
                .with(put(&other))
                .with(Operation::put(
                    &key,
                    Write::new(Room { beds: 1 }).index(none),
                ))
                .send()
                .unwrap_err()
                .into(),
        ),
    ];
    for (mistake, problem) in sent {
        assert_eq!(problem.status(), 500, "{mistake}: {problem}");
        let answer = App::new().get("/", move || -> Result<(), Problem> { Err(problem.clone()) });
        let client = answer.test();
        assert_eq!(client.get("/").send().status(), 500, "{mistake}");
        assert_eq!(
            client.log_lines()[0].message,
            "storage call failed",
            "{mistake}"
        );
    }
}

#[test]
fn a_document_that_breaks_a_rule_is_the_clients_in_every_write() {
    let deep = format!("{}1{}", "{\"n\":".repeat(40), "}".repeat(40));
    for (json, rule) in [
        (deep.as_str(), "levels"),
        ("[1]", "a JSON object"),
        (r#"{"":1}"#, "member name"),
        (r#"{"n":1e200}"#, "number"),
    ] {
        #[expect(clippy::disallowed_methods, reason = "a text of this test")]
        let document: serde_json::Value = serde_json::from_str(json).unwrap();
        let any = Partition::<serde_json::Value>::new("any");
        let client = App::new().test();
        let store = client.store();
        let put = store
            .put(&any.key("a"), document.clone())
            .send()
            .unwrap_err();
        let transaction = store
            .transaction()
            .with(Operation::put(&any.key("b"), json!({})))
            .with(Operation::put(&any.key("a"), document));
        let transaction = transaction.send().unwrap_err();
        for problem in [Problem::from(put), Problem::from(transaction)] {
            assert_eq!(problem.status(), 422, "{json}: {problem}");
            let answer =
                App::new().get("/", move || -> Result<(), Problem> { Err(problem.clone()) });
            let client = answer.test();
            let response = client.get("/").send();
            assert!(response.text().contains(rule), "{}", response.text());
            assert!(client.log_lines().is_empty());
        }
    }
}

/// Parts of keys come from clients, who may write anything.
#[test]
fn a_key_that_no_item_can_have_is_the_same_for_every_call() {
    let room = || Room { beds: 1 };
    for key in [
        ROOMS.key(""),
        ROOMS.key("x".repeat(1025)),
        Partition::named("").key("a"),
        Partition::named("x".repeat(1984)).key("a"),
    ] {
        let client = App::new().test();
        let store = client.store();
        let (known, none) = (ROOMS.key("a"), Conditions::default());
        store.put(&known, room()).send().unwrap();
        // Nothing is there.
        assert!(store.get(&key).unwrap().is_none());
        let keys = [key.clone(), known.clone(), key.clone()];
        let found = store.get_many(&keys, Consistency::Strong).unwrap();
        let found: Vec<_> = found.iter().map(Option::is_some).collect();
        assert_eq!(found, [false, true, false]);
        let found = store
            .get_many(std::slice::from_ref(&key), Consistency::Strong)
            .unwrap();
        assert!(found[0].is_none());
        assert!(store.delete(&key).send().is_ok());
        let partition = Partition::<Room>::named(key.partition());
        if partition.name() != "rooms" {
            assert!(store.query(&partition).page().unwrap().items.is_empty());
            assert!(
                store
                    .query_index(&partition)
                    .page()
                    .unwrap()
                    .items
                    .is_empty()
            );
        }
        let status = |problem: Problem| problem.status();
        assert_eq!(
            status(store.delete(&key).if_present().send().unwrap_err().into()),
            404
        );
        assert_eq!(
            status(
                store
                    .put(&key, room())
                    .if_present()
                    .send()
                    .unwrap_err()
                    .into()
            ),
            404
        );
        assert_eq!(
            status(store.update(&key, &none, Ok::<_, Problem>).unwrap_err()),
            404
        );
        // Nothing can be there.
        let refused: [Problem; 5] = [
            store.put(&key, room()).send().unwrap_err().into(),
            store
                .put(&key, room())
                .if_absent()
                .send()
                .unwrap_err()
                .into(),
            store
                .put(&key, room())
                .when(&none)
                .send()
                .unwrap_err()
                .into(),
            store.replace(&key, &none, |_| Ok(room())).unwrap_err(),
            store
                .transaction()
                .with(Operation::put(&key, room()))
                .send()
                .unwrap_err()
                .into(),
        ];
        for problem in refused {
            assert_eq!(
                (problem.status(), problem.code()),
                (400, "invalid-key"),
                "{key:?}"
            );
        }
    }
}
