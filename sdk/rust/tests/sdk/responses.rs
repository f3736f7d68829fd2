//! What becomes of a handler's result.

use serde::{Serialize, Serializer, ser::Error as _};
use serde_json::json;
use tenon::{App, Created, IntoResponse, Json, Page, Problem};

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
