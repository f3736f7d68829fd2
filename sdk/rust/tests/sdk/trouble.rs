//! What clients and operators read when the store fails, or has something else than expected.

use serde::{Deserialize, Serialize};
use serde_json::json;
use tenon::{
    App, Conditions, Context, Identity, Json, MergePatch, NoContent, Path, Problem, Store,
    log::Level,
    store::{Item, Partition, StorageError},
};

#[derive(Serialize, Deserialize)]
struct Room {
    beds: u32,
}

#[derive(Serialize, Deserialize)]
struct Other {
    name: String,
}

const ROOMS: Partition<Room> = Partition::new("rooms");
const OTHERS: Partition<Other> = Partition::new("rooms");

fn app() -> App {
    App::new()
        .get(
            "/rooms/{id}",
            |Path(id): Path<String>, store: Store| -> Result<_, Problem> {
                Ok(store.get(&ROOMS.key(id))?)
            },
        )
        .put("/rooms/{id}", write)
        .patch("/rooms/{id}", update)
        .delete(
            "/rooms/{id}",
            |Path(id): Path<String>, store: Store| -> Result<_, Problem> {
                store.delete(&ROOMS.key(id)).if_present().send()?;
                Ok(NoContent)
            },
        )
}

fn write(
    Path(id): Path<String>,
    Json(document): Json<serde_json::Value>,
    store: Store,
) -> Result<NoContent, Problem> {
    store.put(&Partition::new("any").key(id), document).send()?;
    Ok(NoContent)
}

fn update(Path(id): Path<String>, patch: MergePatch, store: Store) -> Result<Item<Room>, Problem> {
    store.update(&ROOMS.key(id), &Conditions::default(), |room| {
        patch.apply(&room)
    })
}

#[test]
fn each_error_of_the_store_has_its_response_and_its_line() {
    for (error, status, code, retry_after, level) in [
        (
            StorageError::Throttled(Some(2500)),
            503,
            "throttled",
            Some("3"),
            Some(Level::Warn),
        ),
        (
            StorageError::Throttled(None),
            503,
            "throttled",
            Some("1"),
            Some(Level::Warn),
        ),
        (
            StorageError::Unavailable,
            503,
            "unavailable",
            Some("1"),
            Some(Level::Error),
        ),
        (
            StorageError::OutcomeUnknown,
            503,
            "outcome-unknown",
            Some("1"),
            Some(Level::Error),
        ),
        (
            StorageError::Conflict,
            409,
            "conflict",
            Some("1"),
            Some(Level::Warn),
        ),
        (
            StorageError::Misconfigured,
            500,
            "internal",
            None,
            Some(Level::Error),
        ),
        (
            StorageError::Internal,
            500,
            "internal",
            None,
            Some(Level::Error),
        ),
        (
            StorageError::Invalid("a rule".into()),
            500,
            "internal",
            None,
            Some(Level::Error),
        ),
        (
            StorageError::TooLarge("by 1".into()),
            413,
            "content-too-large",
            None,
            None,
        ),
    ] {
        let client = app().test();
        client.fail_storage(error.clone());
        let response = client.get("/rooms/a").send();
        assert_eq!(response.status(), status, "{error}");
        assert_eq!(response.value()["code"], code, "{error}");
        assert_eq!(response.header("retry-after"), retry_after, "{error}");
        let lines = client.log_lines();
        assert_eq!(lines.first().map(|line| line.level), level, "{error}");
        if let Some(line) = lines.first() {
            assert_eq!(line.message, "storage call failed");
            assert_eq!(line.attribute("path"), Some("\"/rooms/a\""));
        }
    }
}

#[test]
fn a_document_that_the_store_does_not_take_is_the_clients_mistake() {
    let client = app().test();
    let deep = format!("{}1{}", "{\"n\":".repeat(40), "}".repeat(40));
    let response = client
        .put("/rooms/a")
        .content("application/json", deep)
        .send();
    assert_eq!(response.status(), 422);
    assert!(
        response.value()["errors"][0]["detail"]
            .as_str()
            .unwrap()
            .contains("levels"),
        "{}",
        response.text()
    );
    let large = json!({"text": "x".repeat(410_000)});
    assert_eq!(client.put("/rooms/a").json(&large).send().status(), 413);
}

/// One call reads several items, of which each fits.
#[test]
fn a_read_of_too_much_is_not_called_an_item() {
    let client = app().test();
    client.fail_storage(StorageError::TooLarge("ask for fewer keys".into()));
    assert_eq!(
        client.get("/rooms/a").send().value()["detail"],
        "a limit of the store is exceeded: ask for fewer keys"
    );
}

#[test]
fn keys_that_no_item_can_have_are_not_found() {
    let client = app().test();
    let path = format!("/rooms/{}", "x".repeat(1025));
    assert_eq!(client.get(&path).send().status(), 404);
    assert_eq!(client.delete(&path).send().status(), 404);
    assert_eq!(
        client
            .patch(&path)
            .content("application/merge-patch+json", "{}")
            .send()
            .status(),
        404
    );
}

#[test]
fn a_stored_document_of_another_type_is_an_error_of_the_service() {
    let client = app().test();
    client
        .store()
        .put(&OTHERS.key("a"), Other { name: "a".into() })
        .send()
        .unwrap();
    assert_eq!(client.get("/rooms/a").send().status(), 500);
    let line = &client.log_lines()[0];
    assert!(
        line.attribute("error")
            .unwrap()
            .contains("missing field `beds`"),
        "{line:?}"
    );
}

#[test]
fn content_of_another_type_is_refused_with_a_hint() {
    let client = app().test();
    let put = client.put("/rooms/a").content("text/plain", "{}").send();
    assert_eq!(
        (put.status(), put.header("accept")),
        (415, Some("application/json"))
    );
    let patch = client.patch("/rooms/a").json(&json!({})).send();
    assert_eq!(
        (patch.status(), patch.header("accept-patch")),
        (415, Some("application/merge-patch+json"))
    );
    let coded = client
        .put("/rooms/a")
        .header("content-encoding", "gzip")
        .json(&json!({}))
        .send();
    assert_eq!(
        (coded.status(), coded.header("accept-encoding")),
        (415, Some("identity"))
    );
}

#[test]
fn claims_that_do_not_fit_are_refused_and_logged() {
    #[derive(Deserialize)]
    struct Claims {
        group: String,
    }
    let app = App::new()
        .get("/group", |caller: Identity<Claims>| caller.claims.group)
        .get("/name", |caller: Option<Identity>| {
            caller
                .and_then(|caller| caller.subject)
                .unwrap_or_else(|| "nobody".into())
        });
    let client = app.test();
    assert_eq!(
        client
            .get("/group")
            .caller("ada", &json!({"group": 7}))
            .send()
            .status(),
        403
    );
    assert!(
        client.log_lines()[0]
            .attribute("error")
            .unwrap()
            .contains("the claims do not fit")
    );
    assert_eq!(
        client
            .get("/name")
            .caller("ada", &json!({"group": 7}))
            .send()
            .text(),
        "ada"
    );
    assert_eq!(client.get("/name").send().text(), "nobody");
}

#[test]
fn time_and_randomness_follow_from_the_test() {
    let app = || {
        App::new().get("/", |context: Context| {
            format!(
                "{} {} {}",
                context.now(),
                context.uuid(),
                context.random().below(6)
            )
        })
    };
    let (one, other) = (app().test(), app().test());
    let first = one.get("/").send().text();
    assert_eq!(first, other.get("/").send().text());
    assert_ne!(first, one.get("/").send().text());
    other.set_seed([7; 32]);
    other.set_time(0);
    assert!(
        other
            .get("/")
            .send()
            .text()
            .starts_with("1970-01-01T00:00:00.000Z 00000000-0000-7")
    );
}

#[test]
fn a_request_that_no_host_sends_is_refused_in_tests_too() {
    let send = |url: &'static str, field: [&'static str; 2], body: usize| {
        let handler = move |context: Context| -> Result<String, Problem> {
            let [name, value] = field;
            context
                .outgoing()
                .post(url)
                .header(name, value)
                .content("text/plain", "x".repeat(body))
                .send()?;
            Ok("sent".to_owned())
        };
        let client = App::new().get("/", handler).test();
        client.answer_outgoing(|_| Ok(tenon::outgoing::Response::new(200)));
        client.get("/").send().status()
    };
    let accept = ["accept", "text/plain"];
    assert_eq!(send("https://a.example/v1?x", accept, 1), 200);
    assert_eq!(send("https://a.example", ["content-length", "1"], 1), 200);
    for (url, field, body) in [
        ("a.example", accept, 1),
        ("ftp://a.example", accept, 1),
        ("https://user:password@a.example", accept, 1),
        ("https://a.example/a b", accept, 1),
        ("https://a.example#x", accept, 1),
        ("https://a.example", ["host", "b.example"], 1),
        ("https://a.example", ["connection", "close"], 1),
        ("https://a.example", ["content-length", "2"], 1),
        ("https://a.example", ["x y", "z"], 1),
        ("https://a.example", ["x", "a\r\nb: c"], 1),
        ("https://a.example", accept, (6 << 20) + 1),
    ] {
        assert_eq!(send(url, field, body), 500, "{url} {field:?}");
    }
}
