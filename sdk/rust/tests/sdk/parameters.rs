//! Values of paths and queries, and the types that read them.

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, Unexpected},
};
use std::collections::BTreeMap;
use tenon::{App, Pagination, Path, Query};

/// A text of three letters.
struct Code(String);

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.len() {
            3 => Ok(Self(text)),
            0 => Err(D::Error::invalid_value(Unexpected::Str(""), &"3 letters")),
            bytes => Err(D::Error::invalid_length(bytes, &"3 letters")),
        }
    }
}

#[test]
fn a_path_value_of_a_length_that_its_type_refuses_names_nothing() {
    let app = App::new()
        .get("/one/{code}", |Path(code): Path<Code>| code.0)
        .get("/two/{code}/{day}", |Path((code, _)): Path<(Code, u8)>| {
            code.0
        });
    let client = app.test();
    for (target, status) in [
        ("/one/abc", 200),
        ("/one/abcd", 404),
        ("/two/abc/7", 200),
        ("/two/abcd/7", 404),
    ] {
        assert_eq!(client.get(target).send().status(), status, "{target}");
    }
    assert!(client.log_lines().is_empty());
}

#[test]
#[should_panic(expected = "does not fit the route")]
fn a_tuple_of_another_length_than_the_pattern_fails_the_test() {
    let two = |Path((first, _)): Path<(String, String)>| first;
    let _ = App::new().get("/{id}", two).test().get("/a").send();
}

#[derive(Deserialize)]
struct Sorted {
    order: String,
    #[serde(flatten)]
    rest: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    room: Option<String>,
}

#[test]
fn a_query_of_any_names_has_those_of_pages_too() {
    let any = |Query(all): Query<BTreeMap<String, String>>| format!("{all:?}");
    let sorted = |Query(sorted): Query<Sorted>| format!("{} {:?}", sorted.order, sorted.rest);
    let filter = |Query(filter): Query<Filter>, page: Pagination| {
        format!("{:?} {}", filter.room, page.limit)
    };
    let client = App::new()
        .get("/any", any)
        .get("/sorted", sorted)
        .get("/filter", filter)
        .test();
    for (target, text) in [
        ("/any?limit=5&a=1", r#"{"a": "1", "limit": "5"}"#),
        ("/sorted?order=name&cursor=c", r#"name {"cursor": "c"}"#),
        ("/filter?room=7&limit=5", r#"Some("7") 5"#),
    ] {
        assert_eq!(client.get(target).send().text(), text, "{target}");
    }
    assert_eq!(client.get("/filter?rooms=7").send().status(), 400);
}

#[test]
fn a_number_is_finite() {
    let client = App::new()
        .get("/query", |Query(place): Query<Place>| format!("{place:?}"))
        .get("/path/{latitude}", |Path(latitude): Path<f64>| {
            format!("{latitude}")
        })
        .test();
    for bad in ["NaN", "inf", "-infinity", "1e999"] {
        let refused = client.get(&format!("/query?latitude={bad}")).send();
        assert_eq!(refused.status(), 400, "{bad}");
        let detail =
            format!("the query does not fit: parameter `latitude`: `{bad}` is not a number");
        assert_eq!(refused.value()["detail"], detail);
        assert_eq!(
            client.get(&format!("/path/{bad}")).send().status(),
            404,
            "{bad}"
        );
    }
    assert_eq!(
        client.get("/query?latitude=1&height=1e39").send().status(),
        400
    );
    assert_eq!(client.get("/query?latitude=-1.5e3").send().status(), 200);
}

#[test]
fn a_parameter_that_is_missing_or_unknown_is_named() {
    let client = App::new()
        .get("/", |Query(place): Query<Place>| format!("{place:?}"))
        .test();
    let detail = |target| client.get(target).send().value()["detail"].clone();
    assert_eq!(
        detail("/"),
        "the query does not fit: parameter `latitude` is missing"
    );
    assert_eq!(
        detail("/?latitude=1&longitud=2"),
        "the query does not fit: there is no parameter `longitud`; there are `latitude`, `height`"
    );
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "only read")]
struct Place {
    latitude: f64,
    height: Option<f32>,
}
