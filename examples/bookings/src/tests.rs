//! The API as its clients see it.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tenon::test::{TestClient, TestResponse};

/// 2026-05-01T00:00:00Z
const NOW_MS: u64 = 1_777_593_600_000;

fn client() -> TestClient {
    let client = crate::app().test();
    client.set_time(NOW_MS);
    client
}

fn draft(room: &str, day: &str) -> Value {
    json!({"room": room, "day": day})
}

fn book(client: &TestClient, caller: &str, room: &str, day: &str) -> TestResponse {
    let request = client.post("/bookings").caller(caller, &json!({}));
    request.json(&draft(room, day)).send()
}

fn location(response: &TestResponse) -> String {
    response.header("location").unwrap().to_owned()
}

#[test]
fn a_room_is_booked_once_a_day() {
    let client = client();
    assert_eq!(book(&client, "ada", "7", "2026-05-02").status(), 201);
    assert_eq!(book(&client, "bob", "7", "2026-05-02").status(), 409);
    assert_eq!(book(&client, "bob", "7", "2026-05-03").status(), 201);
    assert_eq!(book(&client, "bob", "8", "2026-05-02").status(), 201);
    let days = client
        .get("/rooms/7/days?from=2026-05-01&to=2026-05-31")
        .send();
    assert_eq!(
        days.value(),
        json!({"booked": ["2026-05-02", "2026-05-03"]})
    );
}

#[test]
fn nobody_books_without_a_name() {
    let refused = client()
        .post("/bookings")
        .json(&draft("7", "2026-05-02"))
        .send();
    assert_eq!(refused.status(), 401);
}

#[test]
fn broken_rules_are_named_by_their_place() {
    let client = client();
    let refused = book(&client, "ada", "", "2026-04-30");
    assert_eq!(refused.status(), 422);
    let errors = &refused.value()["errors"];
    assert_eq!(errors[0]["pointer"], "/room");
    assert_eq!(errors[1]["pointer"], "/day");
    assert_eq!(book(&client, "ada", "7", "2026-02-30").status(), 422);
}

#[test]
fn a_caller_sees_their_own_bookings_page_by_page() {
    let client = client();
    for day in ["2026-05-04", "2026-05-02", "2026-05-03"] {
        book(&client, "ada", "7", day);
    }
    let bobs = location(&book(&client, "bob", "8", "2026-05-02"));
    let list = |target: &str| client.get(target).caller("ada", &json!({})).send().value();
    let first = list("/bookings?limit=2");
    assert_eq!(first["items"][0]["day"], "2026-05-02");
    assert_eq!(first["items"][1]["day"], "2026-05-03");
    let second = list(&format!(
        "/bookings?limit=2&cursor={}",
        first["next"].as_str().unwrap()
    ));
    assert_eq!(second["items"].as_array().unwrap().len(), 1);
    assert_eq!(second["items"][0]["day"], "2026-05-04");
    assert_eq!(
        client.get(&bobs).caller("ada", &json!({})).send().status(),
        404
    );
}

#[test]
fn a_change_needs_the_state_that_it_is_made_from_and_moves_the_day() {
    let client = client();
    let booked = book(&client, "ada", "7", "2026-05-02");
    let (place, tag) = (location(&booked), booked.header("etag").unwrap().to_owned());
    let change = |tag: Option<&str>, day: &str| {
        let mut request = client.put(&place).caller("ada", &json!({}));
        if let Some(tag) = tag {
            request = request.header("if-match", tag);
        }
        request.json(&draft("7", day)).send()
    };
    assert_eq!(change(None, "2026-05-05").status(), 428);
    let moved = change(Some(&tag), "2026-05-05");
    assert_eq!(moved.status(), 200);
    assert_eq!(change(Some(&tag), "2026-05-06").status(), 412);
    assert_eq!(book(&client, "bob", "7", "2026-05-02").status(), 201);
    // Bob has it now.
    assert_eq!(change(moved.header("etag"), "2026-05-02").status(), 409);
    assert_eq!(change(moved.header("etag"), "2026-05-05").status(), 200);
}

#[test]
fn a_cancelled_day_can_be_booked_again() {
    let client = client();
    let place = location(&book(&client, "ada", "7", "2026-05-02"));
    let cancel = |caller| {
        client
            .delete(&place)
            .caller(caller, &json!({}))
            .send()
            .status()
    };
    assert_eq!(cancel("bob"), 404);
    assert_eq!(cancel("ada"), 204);
    assert_eq!(cancel("ada"), 404);
    assert_eq!(book(&client, "bob", "7", "2026-05-02").status(), 201);
}

/// Another request changes the booking between the reading and the writing of this one.
#[test]
fn a_cancellation_that_loses_a_race_says_whether_the_condition_of_the_client_failed() {
    let client = client();
    let booked = book(&client, "ada", "7", "2026-05-02");
    let cancel = |tag: Option<&str>| {
        let mut request = client.delete(&location(&booked)).caller("ada", &json!({}));
        if let Some(tag) = tag {
            request = request.header("if-match", tag);
        }
        request.send().status()
    };
    client.lose_races(1);
    assert_eq!(cancel(booked.header("etag")), 412);
    client.lose_races(1);
    assert_eq!(cancel(Some("*")), 409);
    client.lose_races(1);
    assert_eq!(cancel(None), 409);
    assert_eq!(cancel(None), 204);
}

#[test]
fn a_repeated_request_books_once() {
    let client = client();
    let send = || {
        let request = client.post("/bookings").caller("ada", &json!({}));
        let request = request.header("idempotency-key", "\"k1\"");
        request.json(&draft("7", "2026-05-02")).send()
    };
    let (first, second) = (send(), send());
    assert_eq!((first.status(), second.status()), (201, 201));
    assert_eq!(location(&first), location(&second));
}

fn signed(key: &str, seconds: u64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(format!("{seconds}.{body}").as_bytes());
    let code = mac.finalize().into_bytes();
    let code: String = code.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds},v1={code}")
}

#[test]
fn a_payment_is_taken_once_if_it_is_signed_and_new() {
    let client = client();
    let booked = book(&client, "ada", "7", "2026-05-02");
    let id = booked.value()["id"].as_str().unwrap().to_owned();
    let body = json!({"id": "evt_1", "booking": id}).to_string();
    let (key, now) = ("for development only", NOW_MS / 1000);
    client.set_secret("payment-key", key.as_bytes());
    let send = |signature: &str| {
        let request = client
            .post("/webhooks/payments")
            .header("payment-signature", signature);
        request
            .content("application/json", body.clone())
            .send()
            .status()
    };
    assert_eq!(send("t=1,v1=00"), 401);
    assert_eq!(send("v1"), 401);
    assert_eq!(send(&signed("another key", now, &body)), 401);
    assert_eq!(send(&signed(key, now - 301, &body)), 401);
    assert_eq!(send(&signed(key, now, "{}")), 401);
    let is_paid = || {
        let read = client
            .get(&location(&booked))
            .caller("ada", &json!({}))
            .send();
        (
            read.value()["is_paid"] == true,
            read.header("etag").unwrap().to_owned(),
        )
    };
    assert!(!is_paid().0);
    assert_eq!(send(&signed(key, now - 299, &body)), 204);
    let paid = is_paid();
    assert!(paid.0);
    assert_eq!(send(&signed(key, now, &body)), 204);
    assert_eq!(is_paid(), paid);
}
