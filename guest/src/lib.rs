//! The reference guest: an items REST API behind the interface `tenon:handler`.
//!
//! [`handle`] is the whole API as a function of a request and a host; `openapi.json` is its contract. `router` passes a request to one file
//! of `items`, which uses the HTTP rules in `negotiation`, `conditional`, `pagination`, `idempotency` and `merge_patch`, reads `content`
//! with `json`, validates it with `item`, and calls the store through [`ports`] with the keys of `layout`. Every error is a `problem`. The
//! component adds `glue`, the only file that knows the generated bindings, and `allocator`.
#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

pub mod headers;
pub mod http;
pub mod ports;

mod conditional;
mod content;
mod cors;
mod decimal;
mod idempotency;
mod identifier;
mod item;
mod items;
mod json;
mod layout;
mod merge_patch;
mod negotiation;
mod pagination;
mod percent;
mod problem;
mod router;
mod storage_problem;
mod time;

#[cfg(target_arch = "wasm32")]
mod allocator;
#[cfg(target_arch = "wasm32")]
mod glue;

use http::{Request, Response};
use ports::Host;
use problem::Problem;
use router::Route;

/// The contract, without blanks.
const OPENAPI: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));

/// Answers one request.
pub fn handle(request: &Request, host: &dyn Host) -> Response {
    let answer = Route::find(&request.path).and_then(|route| dispatch(request, host, &route));
    let mut response = answer.unwrap_or_else(|problem| problem.into_response(&request.request_id));
    if request.is_head() {
        response.body.clear();
    }
    cors::finish(response)
}

fn dispatch(request: &Request, host: &dyn Host, route: &Route) -> Result<Response, Problem> {
    match (route, request.method.as_str()) {
        (Route::Items, "GET" | "HEAD") => items::list(request, host),
        (Route::Items, "POST") => items::create(request, host),
        (Route::Item(id), "GET" | "HEAD") => items::read(request, host, id),
        (Route::Item(id), "PUT") => items::replace(request, host, id),
        (Route::Item(id), "PATCH") => items::update(request, host, id),
        (Route::Item(id), "DELETE") => items::remove(request, host, id),
        (Route::Health, "GET" | "HEAD") => document(request, r#"{"status":"ok"}"#),
        (Route::OpenApi, "GET" | "HEAD") => document(request, OPENAPI),
        (_, "OPTIONS") => Ok(cors::options(request, route)),
        (_, method) => {
            let detail = alloc::format!("this resource does not know `{method}`");
            Err(Problem::new(405, "method-not-allowed", detail).with("allow", route.allow()))
        }
    }
}

/// A document that is embedded in the program.
fn document(request: &Request, json: &str) -> Result<Response, Problem> {
    negotiation::check_accept(request)?;
    Ok(Response::json(200, json))
}
