//! What becomes of a handler's result.

use serde::{Serialize, Serializer, ser::Error as _};
use serde_json::json;
use tenon::{App, Created, IntoResponse, Json, Page, Problem, Response};

/// What cannot be written as JSON.
struct Unwritable;

impl Serialize for Unwritable {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("no"))
    }
}

/// The status of the response that a handler's result becomes, which has no reference to anything if it is an error.
fn status_of<R: IntoResponse + 'static>(answer: fn() -> R) -> u16 {
    let response = App::new().post("/", answer).test().post("/").send();
    if response.status() >= 400 {
        for name in ["location", "content-location", "link", "etag"] {
            assert_eq!(response.header(name), None, "{name}");
        }
        assert_eq!(
            response.header("content-type"),
            Some("application/problem+json")
        );
        assert_eq!(response.value()["status"], response.status());
    }
    response.status()
}

fn forbidden<T>() -> Result<T, Problem> {
    Err(Problem::forbidden("no"))
}

#[test]
fn an_error_keeps_its_status_whatever_is_around_it() {
    assert_eq!(status_of(|| (201, None::<String>)), 404);
    assert_eq!(status_of(|| (202, forbidden::<()>())), 403);
    assert_eq!(status_of(|| (201, Json(Unwritable))), 500);
    assert_eq!(status_of(|| (202, (201, None::<String>))), 404);
    assert_eq!(status_of(|| Created::at(["a"], None::<String>)), 404);
    assert_eq!(status_of(|| Created::at(["a"], forbidden::<String>())), 403);
    assert_eq!(status_of(|| Created::at(["a"], Json(Unwritable))), 500);
    let page = || Page {
        items: vec![Unwritable],
        cursor: Some("c".into()),
    };
    assert_eq!(status_of(page), 500);
}

#[test]
fn a_success_has_the_status_that_the_handler_names() {
    assert_eq!(status_of(|| (202, "later")), 202);
    assert_eq!(status_of(|| (303, ())), 303);
    assert_eq!(status_of(|| Created::at(["a"], Json(json!({})))), 201);
    assert_eq!(status_of(|| Some(Created::at(["a"], ()))), 201);
}

/// The values of a field of the response that a handler's result becomes.
fn values_of<R: IntoResponse + 'static>(answer: fn() -> R, name: &str) -> Vec<String> {
    let response = App::new().get("/", answer).test().get("/").send();
    let values = response.headers().filter(|(other, _)| *other == name);
    values.map(|(_, value)| value.to_owned()).collect()
}

#[test]
fn a_header_replaces_one_of_its_name_unless_it_is_appended() {
    let html = || "<b>".with_header("Content-Type", "text/html");
    assert_eq!(values_of(html, "Content-Type"), ["text/html"]);
    let twice = || "a".with_header("x-a", "1").with_header("x-a", "2");
    assert_eq!(values_of(twice, "x-a"), ["2"]);
    let cookies = || {
        "a".append_header("set-cookie", "a=1")
            .append_header("set-cookie", "b=2")
    };
    assert_eq!(values_of(cookies, "set-cookie"), ["a=1", "b=2"]);
    let response =
        || Response::new(200, "text/plain", "a").with_header("content-type", "text/html");
    assert_eq!(values_of(response, "content-type"), ["text/html"]);
    let problem = || Problem::conflict("no").with_header("cache-control", "max-age=1");
    assert_eq!(values_of(problem, "cache-control"), ["max-age=1"]);
}

#[test]
fn a_header_of_an_answer_is_not_one_of_the_problem_in_its_place() {
    let page = || forbidden::<&str>().with_header("content-type", "text/html");
    assert_eq!(
        values_of(page, "content-type"),
        ["application/problem+json"]
    );
    let logo = || None::<&str>.with_header("cache-control", "max-age=60");
    assert_eq!(values_of(logo, "cache-control"), ["no-store"]);
}

#[test]
#[should_panic(expected = "`location` 2 times")]
fn a_field_that_there_can_be_one_of_fails_the_test_if_there_are_two() {
    let _ = status_of(|| Created::at(["a"], ()).append_header("location", "/b"));
}

#[test]
fn a_401_says_how_to_authenticate() {
    let bearer = || Err::<(), _>(Problem::unauthorized("who?"));
    assert_eq!(values_of(bearer, "www-authenticate"), ["Bearer"]);
    assert_eq!(values_of(|| (401, "who?"), "www-authenticate"), ["Bearer"]);
    let basic = || Problem::unauthorized("who?").with_header("WWW-Authenticate", "Basic");
    assert_eq!(values_of(basic, "www-authenticate"), [] as [&str; 0]);
    assert_eq!(values_of(basic, "WWW-Authenticate"), ["Basic"]);
}

#[test]
fn a_link_to_the_next_page_has_one_cursor_however_the_query_spells_its_name() {
    let page = || Page {
        items: vec!["a"],
        cursor: Some("next".into()),
    };
    let client = App::new().get("/", page).test();
    for query in [
        "cursor=c&limit=1",
        "%63ursor=c&limit=1",
        "limit=1&%43ursor=c",
    ] {
        let response = client.get(&format!("/?{query}")).send();
        let link = response.header("link").unwrap();
        let kept = if query.contains("%43") {
            "limit=1&%43ursor=c"
        } else {
            "limit=1"
        };
        assert_eq!(link, format!("</?{kept}&cursor=next>; rel=\"next\""));
    }
    let client = App::new().get("/{name}", page).test();
    let response = client.get("/a>b").send();
    let link = response.header("link").unwrap();
    assert_eq!(link, "</a%3Eb?cursor=next>; rel=\"next\"");
}
