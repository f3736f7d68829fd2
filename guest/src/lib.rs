//! The reference guest: an items REST API on the SDK.
//!
//! [`app`] is the whole API; `openapi.json` is its contract. Each operation is one file of `items`. `item` says what an item is, `identifier` what
//! its id may be, and `layout` where everything is stored. All else is the SDK's.
#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

mod identifier;
mod item;
mod items;
mod layout;

use tenon::{App, Cors, json::Document};

/// The contract, without blanks.
const OPENAPI: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));

/// The API. Everything has one representation, JSON.
pub fn app() -> App {
    App::new()
        .get("/items", items::list)
        .post("/items", items::create)
        .get("/items/{id}", items::read)
        .put("/items/{id}", items::replace)
        .patch("/items/{id}", items::update)
        .delete("/items/{id}", items::remove)
        .get("/health", || Document::new(r#"{"status":"ok"}"#))
        .get("/openapi.json", || Document::new(OPENAPI))
        .json_only()
        .cors(Cors::any_origin())
}

tenon::main!(app);
