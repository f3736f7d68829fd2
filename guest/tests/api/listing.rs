//! GET on the list.

use crate::client::{Client, Response, assert_problem, json};

fn client_with_items() -> Client {
    let client = Client::new();
    for (id, category) in [
        ("a", "x"),
        ("b", "y z"),
        ("c", "x"),
        ("d", "x"),
        ("e", "y z"),
    ] {
        client.put(id, &format!(r#"{{"name":"{id}","category":"{category}"}}"#));
    }
    client.calls();
    client
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

fn walk(client: &Client, target: &str) -> Vec<String> {
    let mut pages = Vec::new();
    let mut target = Some(target.to_owned());
    while let Some(here) = target {
        let response = client.get(&here);
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
    let client = client_with_items();
    assert_eq!(walk(&client, "/items"), ["abcde"]);
    assert_eq!(walk(&client, "/items?limit=2"), ["ab", "cd", "e"]);
    assert_eq!(
        walk(&client, "/items?limit=2&order=desc"),
        ["ed", "cb", "a"]
    );
    assert_eq!(walk(&Client::new(), "/items"), [""]);
}

#[test]
fn a_category_is_read_through_the_index() {
    let client = client_with_items();
    assert_eq!(walk(&client, "/items?category=x&limit=2"), ["ac", "d"]);
    assert_eq!(
        walk(&client, "/items?limit=1&category=y+z&order=desc"),
        ["e", "b"]
    );
    assert_eq!(walk(&client, "/items?category=none"), [""]);
    assert!(client.calls().iter().all(|call| *call == "query-index"));
}

#[test]
fn an_item_leaves_the_index_with_its_category() {
    let client = client_with_items();
    client.put("a", r#"{"name":"a"}"#);
    assert_eq!(walk(&client, "/items?category=x"), ["cd"]);
}

#[test]
fn certain_items_come_in_the_order_asked() {
    let client = client_with_items();
    assert_eq!(ids(&client.get("/items?ids=d,none,a")), "da");
    assert_eq!(client.calls(), ["get-many"]);
}

#[test]
fn idempotency_records_are_not_items() {
    let client = Client::new();
    let headers = [
        ("content-type", "application/json"),
        ("idempotency-key", "k"),
    ];
    client.send("POST", "/items", &headers, r#"{"name":"A"}"#);
    assert_eq!(
        json(&client.get("/items"))["items"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
}

#[test]
fn a_query_that_is_not_understood_is_refused() {
    let client = client_with_items();
    for query in [
        "limit=0",
        "limit=101",
        "colour=red",
        "order=up",
        "category=",
        "ids=a&limit=1",
        "limit=%",
    ] {
        assert_problem(
            &client.get(&format!("/items?{query}")),
            400,
            "invalid-query",
        );
    }
    assert_eq!(client.calls(), [""; 0]);
    assert_problem(&client.get("/items?cursor=forged"), 400, "invalid-cursor");
}
