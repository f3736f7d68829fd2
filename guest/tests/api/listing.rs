//! GET on the list.

use crate::host::{FakeHost, assert_problem, json};
use guest::http::Response;

fn host_with_items() -> FakeHost {
    let host = FakeHost::new();
    for (id, category) in [
        ("a", "x"),
        ("b", "y z"),
        ("c", "x"),
        ("d", "x"),
        ("e", "y z"),
    ] {
        host.put(id, &format!(r#"{{"name":"{id}","category":"{category}"}}"#));
    }
    host.calls.take();
    host
}

fn ids(response: &Response) -> String {
    let list = json(response);
    let items = list["items"].as_array().expect("a list of items");
    items
        .iter()
        .filter_map(|item| item["id"].as_str())
        .collect()
}

/// The target of the `Link` to the next page.
fn next(response: &Response) -> Option<String> {
    let link = response.header("link")?;
    Some(
        link.strip_prefix('<')?
            .strip_suffix(">; rel=\"next\"")?
            .to_owned(),
    )
}

fn walk(host: &FakeHost, target: &str) -> Vec<String> {
    let mut pages = Vec::new();
    let mut target = Some(target.to_owned());
    while let Some(here) = target {
        let response = host.get(&here);
        assert_eq!(response.status, 200, "{here}");
        assert_eq!(
            json(&response)["next"].is_string(),
            next(&response).is_some()
        );
        pages.push(ids(&response));
        target = next(&response);
    }
    pages
}

#[test]
fn links_lead_through_all_items_in_order() {
    let host = host_with_items();
    assert_eq!(walk(&host, "/items"), ["abcde"]);
    assert_eq!(walk(&host, "/items?limit=2"), ["ab", "cd", "e"]);
    assert_eq!(walk(&host, "/items?limit=2&order=desc"), ["ed", "cb", "a"]);
    assert_eq!(walk(&FakeHost::new(), "/items"), [""]);
}

#[test]
fn a_category_is_read_through_the_index() {
    let host = host_with_items();
    assert_eq!(walk(&host, "/items?category=x&limit=2"), ["ac", "d"]);
    assert_eq!(
        walk(&host, "/items?limit=1&category=y+z&order=desc"),
        ["e", "b"]
    );
    assert_eq!(walk(&host, "/items?category=none"), [""]);
    assert!(host.calls.take().iter().all(|call| *call == "query-index"));
}

#[test]
fn an_item_leaves_the_index_with_its_category() {
    let host = host_with_items();
    host.put("a", r#"{"name":"a"}"#);
    assert_eq!(walk(&host, "/items?category=x"), ["cd"]);
}

#[test]
fn certain_items_come_in_the_order_asked() {
    let host = host_with_items();
    assert_eq!(ids(&host.get("/items?ids=d,none,a")), "da");
    assert_eq!(host.calls.take(), ["get-many"]);
}

#[test]
fn idempotency_records_are_not_items() {
    let host = FakeHost::new();
    let headers = [
        ("content-type", "application/json"),
        ("idempotency-key", "k"),
    ];
    host.send("POST", "/items", &headers, r#"{"name":"A"}"#);
    assert_eq!(
        json(&host.get("/items"))["items"].as_array().map(Vec::len),
        Some(1)
    );
}

#[test]
fn a_query_that_is_not_understood_is_refused() {
    let host = host_with_items();
    for query in [
        "limit=0",
        "limit=101",
        "colour=red",
        "order=up",
        "category=",
        "ids=a&limit=1",
        "limit=%",
    ] {
        assert_problem(&host.get(&format!("/items?{query}")), 400, "invalid-query");
    }
    assert_eq!(host.calls.take(), [""; 0]);
    assert_problem(&host.get("/items?cursor=forged"), 400, "invalid-cursor");
}
