//! A guest that calls the host in its start function, before any request: a prewarmed instance would find another clock and other random
//! numbers there.

wit_bindgen::generate!({ path: "../../../wit", world: "service" });

use exports::tenon::handler::handler::{Guest, Request, Response};
use std::{
    hash::{BuildHasher, RandomState},
    sync::OnceLock,
    time::{SystemTime, UNIX_EPOCH},
};

struct Eager;

/// What the host returned at the start.
static SEEN: OnceLock<String> = OnceLock::new();

/// Runs when an instance of the component is created.
#[unsafe(no_mangle)]
extern "C" fn _initialize() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let chance = RandomState::new().hash_one("a");
    let _ = SEEN.set(format!("{} {chance}", now.as_millis()));
}

impl Guest for Eager {
    fn handle(_request: Request) -> Response {
        let seen = SEEN.get().cloned();
        Response {
            status: if seen.is_some() { 200 } else { 500 },
            headers: Vec::new(),
            body: seen.unwrap_or_default().into_bytes(),
        }
    }
}

export!(Eager);
