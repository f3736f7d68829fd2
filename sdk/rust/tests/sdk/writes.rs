//! Writes among other writers, writes that are repeated, and documents that are passed on as text.

use serde::{Deserialize, Serialize};
use serde_json::json;
use tenon::{
    App, Conditions, Created, IdempotencyKey, IntoResponse, Json, MergePatch, NoContent, Page,
    Pagination, Path, Problem, Store,
    idempotency::Once,
    json::{Document, Value},
    store::{Item, Operation, Partition, Replaced},
    test::TestClient,
};

const ROOMS: Partition<Document> = Partition::new("rooms");

fn app() -> App {
    App::new()
        .get("/rooms", list)
        .get("/rooms/{id}", read)
        .put("/rooms/{id}", replace)
        .patch("/rooms/{id}", update)
        .delete("/rooms/{id}", remove)
        .json_only()
}

fn list(page: Pagination, store: Store) -> Result<impl IntoResponse, Problem> {
    let rooms: Page<Document> = store.query(&ROOMS).paged(&page).page()?.values();
    Ok(rooms.with_header("cache-control", "public, max-age=60"))
}

fn read(Path(id): Path<String>, store: Store) -> Result<Option<Item<Document>>, Problem> {
    Ok(store.get(&ROOMS.key(id))?)
}

fn replace(
    Path(id): Path<String>,
    conditions: Conditions,
    Json(room): Json<Document>,
    store: Store,
) -> Result<Replaced<Document>, Problem> {
    store.replace(&ROOMS.key(id), &conditions, |_| Ok(room.clone()))
}

fn update(
    Path(id): Path<String>,
    patch: MergePatch,
    store: Store,
) -> Result<Replaced<Document>, Problem> {
    store.modify(&ROOMS.key(id), |found: Option<Item<Document>>| {
        let found = found.ok_or_else(|| Problem::not_found("there is no such room"))?;
        patch.apply(&found.value)
    })
}

fn remove(
    Path(id): Path<String>,
    conditions: Conditions,
    store: Store,
) -> Result<NoContent, Problem> {
    store.delete(&ROOMS.key(id)).when(&conditions).send()?;
    Ok(NoContent)
}

/// With one room.
fn client() -> TestClient {
    let client = app().test();
    let room = Document::new(r#"{"beds":2,"price":1.50}"#);
    let store = client.store();
    store.put(&ROOMS.key("a"), room).send().unwrap();
    client.take_storage_calls();
    client
}

#[test]
fn a_document_keeps_its_text_from_content_to_response() {
    let client = client();
    let number = "12345678901234567890.123456789";
    let content = format!(r#"{{ "z": {number}, "a": 1e2 }}"#);
    let put = client.put("/rooms/b").content("application/json", content);
    let put = put.send();
    assert_eq!(put.status(), 201);
    let text = format!(r#"{{"a":100,"z":{number}}}"#);
    assert_eq!(put.text(), text);
    let read = client.get("/rooms/b").send();
    assert_eq!(
        (read.text(), read.header("etag")),
        (text, put.header("etag"))
    );
    let list = client.get("/rooms?limit=1").send();
    let next = list.value()["next"].clone();
    assert_eq!(
        list.text(),
        format!(r#"{{"items":[{{"beds":2,"price":1.5}}],"next":{next}}}"#)
    );
    assert!(list.header("link").unwrap().ends_with("; rel=\"next\""));
}

#[test]
fn a_rule_for_caches_replaces_the_responders_own_but_not_that_of_a_problem() {
    let client = client();
    let rules = |target| {
        let response = client.get(target).send();
        let headers = response
            .headers()
            .filter(|(name, _)| *name == "cache-control");
        headers.map(|(_, rule)| rule.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(rules("/rooms"), ["public, max-age=60"]);
    assert_eq!(rules("/rooms?limit=x"), ["no-store"]);
    assert_eq!(rules("/rooms/a"), ["private, no-cache"]);
}

#[test]
fn content_without_a_type_has_its_bounds_and_places() {
    let client = client();
    let put = |content: String| {
        client
            .put("/rooms/b")
            .content("application/json", content)
            .send()
    };
    let problem = put("{\"a\":}".to_owned());
    assert_eq!(
        problem.value()["detail"],
        "the content is not JSON: expected a value at byte 5"
    );
    assert_eq!(put("[".repeat(100_000)).status(), 422);
    assert_eq!(put(format!("[{}0]", "0,".repeat(300_000))).status(), 413);
}

#[test]
fn the_last_replacement_wins_however_many_others_write() {
    let client = client();
    client.lose_races(1_000_000);
    let put = |condition: Option<&str>| {
        let mut request = client.put("/rooms/a").json(&json!({"beds": 3}));
        if let Some(tags) = condition {
            request = request.header("if-match", tags);
        }
        request.send().status()
    };
    assert_eq!(put(None), 200);
    assert_eq!(client.take_storage_calls(), ["put", "put", "put"]);
    assert_eq!(put(Some("*")), 200);
    assert_eq!(put(Some("\"x\", \"y\"")), 412);
}

#[test]
fn a_change_is_made_on_the_latest_state_or_not_at_all() {
    let client = client();
    client.lose_races(50);
    let patch = || {
        let patch = json!({"price": null});
        let request = client.patch("/rooms/a");
        request
            .content("application/merge-patch+json", patch.to_string())
            .send()
    };
    assert_eq!(patch().text(), r#"{"beds":2}"#);
    assert_eq!(client.take_storage_calls().len(), 1 + 51);
    client.lose_races(1_000_000);
    assert_eq!(patch().status(), 409);
    assert_eq!(client.take_storage_calls().len(), 1 + 100);
}

#[test]
fn nothing_is_removed_where_nothing_is() {
    let client = client();
    let remove = |id: &str, name: &str, tags: &str| {
        let request = client.delete(&format!("/rooms/{id}")).header(name, tags);
        request.header("accept", "text/html").send().status()
    };
    for (name, tags) in [
        ("if-none-match", "*"),
        ("if-none-match", "\"x\""),
        ("if-match", "*"),
    ] {
        assert_eq!(remove("none", name, tags), 404, "{name}: {tags}");
    }
    assert_eq!(remove("a", "if-none-match", "*"), 412);
    assert_eq!(remove("a", "if-none-match", "\"x\""), 204);
}

/// A test panics if a field that there can be one of is there twice.
#[test]
fn what_a_replacement_created_can_have_another_place() {
    let create = |store: Store| -> Result<_, Problem> {
        let none = Conditions::default();
        let replaced = store.replace(&ROOMS.key("b"), &none, |_| Ok(Document::new("{}")))?;
        Ok(Created::at(["rooms", "b"], replaced))
    };
    let client = App::new().post("/rooms", create).test();
    for _ in 0..2 {
        let created = client.post("/rooms").send();
        assert_eq!(created.status(), 201);
        assert_eq!(created.header("location"), Some("/rooms/b"));
        assert_eq!(created.header("content-location"), Some("/rooms/b"));
    }
}

#[test]
fn options_names_the_type_of_a_patch() {
    let client = client();
    let options = client.request("OPTIONS", "/rooms/a").send();
    assert_eq!(
        options.header("accept-patch"),
        Some("application/merge-patch+json")
    );
    assert_eq!(
        client
            .request("OPTIONS", "/rooms")
            .send()
            .header("accept-patch"),
        None
    );
}

#[test]
fn a_read_with_a_condition_that_is_none_gives_no_entity_tag() {
    let refused = client().get("/rooms/a").header("if-match", "x").send();
    assert_eq!(refused.status(), 400);
    assert_eq!(refused.header("etag"), None);
    assert_eq!(refused.header("cache-control"), Some("no-store"));
}

#[derive(Serialize, Deserialize)]
struct Receipt {
    number: u32,
}

/// A record of each kind of receipt: an object, nothing in it, and a text.
#[test]
fn a_record_is_the_receipt_with_a_fingerprint() {
    // The SHA-256 of method, path and query, each after its length, and the content.
    const OBJECT: &str = "b3a99a32613fab4e0cc08b9aa5f01c065614f2e3caacb524d2d9ee7fb1cbde62";
    const TEXT: &str = "5e31f53e5aa8551e5953f85212a5a43898f55fa536bf9b615977ce6d3a746e5d";
    const EMPTY: &str = "bac77dc86721b0ce3e686fdf95c42648008a73d166d3d4170fce86a9f32ecb4e";
    fn once<R>(key: &IdempotencyKey, store: &Store, receipt: &R) -> Result<String, Problem>
    where
        R: tenon::json::ToJson + tenon::json::FromJson,
    {
        let room = Operation::put(&ROOMS.key("once"), Document::new("{}")).if_absent();
        Ok(
            match store
                .transaction()
                .with(room)
                .send_once(Some(key), receipt)?
            {
                Once::First(_) => "first".to_owned(),
                Once::Repeated(receipt) => receipt.to_json().map_err(Problem::internal)?,
            },
        )
    }
    let client = App::new()
        .post("/object", |key: IdempotencyKey, store: Store| {
            once(&key, &store, &Receipt { number: 7 })
        })
        .post("/text", |key: IdempotencyKey, store: Store| {
            once(&key, &store, &"a \"b\"".to_owned())
        })
        .post("/empty", |key: IdempotencyKey, store: Store| {
            once(&key, &store, &Value::Object(Default::default()))
        });
    let client = client.test();
    let post = |path| {
        client
            .post(path)
            .header("idempotency-key", path)
            .body("{}")
            .send()
            .text()
    };
    for (path, partition, record, repeated) in [
        (
            "/object",
            "idempotency/470da9c98bbee214dbe6a0b5bfdf1aca3456d2056be7eb6bd515c2d81cfacc82",
            format!(r#"{{"fingerprint":"{OBJECT}","number":7}}"#),
            r#"{"number":7}"#.to_owned(),
        ),
        (
            "/text",
            "idempotency/7fc623abf64b7a7c7ce4a82ac0761d153a38f104ccbe6fc01416c976e6b5e46d",
            format!(r#"{{"fingerprint":"{TEXT}","receipt":"a \"b\""}}"#),
            r#""a \"b\"""#.to_owned(),
        ),
        (
            "/empty",
            "idempotency/24ac855e9a2af873af9a0a44efe406640a86e705133ac590a3efd1e472bedab3",
            format!(r#"{{"fingerprint":"{EMPTY}"}}"#),
            "{}".to_owned(),
        ),
    ] {
        client.store().delete(&ROOMS.key("once")).send().unwrap();
        assert_eq!(post(path), "first");
        assert_eq!(post(path), repeated, "{path}");
        let key = Partition::<Document>::new(partition).key("-");
        assert_eq!(
            client.store().get(&key).unwrap().unwrap().value.as_str(),
            record
        );
    }
}

/// A measurement that a type of serde holds and JSON may not.
#[derive(Serialize, Deserialize, Debug)]
struct Measurement {
    note: Option<String>,
    value: f64,
}

const MEASUREMENTS: Partition<Measurement> = Partition::new("measurements");

#[test]
fn a_number_that_json_cannot_hold_is_not_stored_as_something_else() {
    let client = App::new().test();
    let put = |note: Option<&str>, value| {
        let note = note.map(str::to_owned);
        let measurement = Measurement { note, value };
        client
            .store()
            .put(&MEASUREMENTS.key("a"), measurement)
            .send()
    };
    for value in [f64::NAN, f64::INFINITY] {
        let error = put(None, value).unwrap_err().to_string();
        assert!(error.contains("JSON has no number for"), "{error}");
    }
    put(None, 1.5).unwrap();
    put(Some("null"), 1.5).unwrap();
}
