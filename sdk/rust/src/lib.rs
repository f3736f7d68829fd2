//! Write a REST API as a component for Tenon: plain functions from requests to responses, which a host runs, records and replays.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use tenon::{App, Context, Created, IntoResponse, Json, Page, Pagination, Path, Problem, Store};
//! use tenon::store::{Item, Partition};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Note {
//!     text: String,
//! }
//!
//! const NOTES: Partition<Note> = Partition::new("notes");
//!
//! fn app() -> App {
//!     App::new()
//!         .get("/notes", list)
//!         .post("/notes", create)
//!         .get("/notes/{id}", read)
//! }
//!
//! tenon::main!(app);
//!
//! fn create(context: Context, Json(note): Json<Note>) -> Result<impl IntoResponse, Problem> {
//!     let id = context.uuid();
//!     let note = context.store().put(&NOTES.key(&id), note).if_absent().send()?;
//!     Ok(Created::at(["notes", &id], note))
//! }
//!
//! fn read(Path(id): Path<String>, store: Store) -> Result<Option<Item<Note>>, Problem> {
//!     Ok(store.get(&NOTES.key(id))?)
//! }
//!
//! fn list(page: Pagination, store: Store) -> Result<Page<Note>, Problem> {
//!     Ok(store.query(&NOTES).paged(&page).page()?.values())
//! }
//!
//! // Tests call the same functions natively, with the rules of the hosts and a store in memory.
//! let client = app().test();
//! let created = client.post("/notes").json(&Note { text: "milk".into() }).send();
//! assert_eq!(created.status(), 201);
//! let note = client.get(created.header("location").unwrap()).send();
//! assert_eq!(note.text(), r#"{"text":"milk"}"#);
//! assert!(note.header("etag").is_some());
//! assert_eq!(client.delete("/notes").send().header("allow"), Some("GET, HEAD, POST, OPTIONS"));
//! ```
//!
//! | to | use |
//! |---|---|
//! | read a request | [`Path`], [`Query`], [`Json`], [`Headers`], [`Identity`], [`Bytes`], or all of it: [`Context`] |
//! | answer | [`Json`], [`Created`], [`NoContent`], a text, `(status, T)`, `Option`, `Result`, [`Response`]: see [`IntoResponse`] |
//! | say what is wrong | [`Problem`]; all rules that content breaks: [`Rules`] |
//! | store documents | [`Store`], [`store`] |
//! | let clients cache, and not overwrite each other's changes | [`store::Item`] as a response, [`Conditions`] |
//! | list | [`Pagination`], [`Page`] |
//! | change a part | [`MergePatch`], [`Store::update`] |
//! | let clients repeat requests | [`IdempotencyKey`] |
//! | let pages of other origins call | [`Cors`] |
//! | pass on JSON as it is, or read what no type describes | [`mod@json`] |
//! | call other services | [`Outgoing`], [`mod@outgoing`] |
//! | use secrets | [`Secrets`], [`secrets::placeholder`] |
//! | log | [`Log`] |
//! | know the time, or draw random numbers | [`Now`], [`Random`], [`Context::uuid`] |
//! | test | [`App::test`], [`mod@test`] |
//!
//! In `Cargo.toml` a component is a `cdylib`. `cargo build --release --target wasm32-wasip2` builds it, and `host-cli serve --guest` or
//! `host-cli dev` serve it. It imports only what it calls, and nothing that it keeps in memory outlives a request.
//!
//! A response follows from the request, its time, its seed, the store, and what other services answer. Whatever else a program may read, the hosts seal: `SystemTime` is
//! the request's time, `Instant` moves only when it is read, and `HashMap`'s order follows from the seed.
//!
//! Without the default feature `std` the crate is `no_std`. With the feature `arena` instead, a component that is itself `no_std` gets an
//! allocator that never frees, which suits an instance that answers one request, and a panic handler that writes to the log: it is smaller, takes
//! fewer instructions, and imports nothing of WASI. With neither, it brings both itself.
#![no_std]
#![warn(missing_docs)]
#![cfg_attr(
    test,
    allow(clippy::disallowed_methods, reason = "tests read what they wrote")
)]

extern crate alloc;
#[cfg(any(feature = "std", not(target_arch = "wasm32")))]
extern crate std;

/// The code in the guide and in the README, compiled and run as tests. In the README, code of a program of which the rest is not shown is marked with
/// `ignore`.
#[cfg(doctest)]
mod guide {
    #[doc = include_str!("../../../README.md")]
    struct Readme;
    #[doc = include_str!("../../../docs/guide/modelling.md")]
    struct Modelling;
    #[doc = include_str!("../../../docs/guide/services.md")]
    struct Services;
    #[doc = include_str!("../../../docs/guide/testing.md")]
    struct Testing;
}

pub mod idempotency;
pub mod json;
pub mod log;
#[cfg(not(target_arch = "wasm32"))]
pub mod native;
pub mod outgoing;
pub mod secrets;
pub mod store;
#[cfg(not(target_arch = "wasm32"))]
pub mod test;

#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod component;

mod app;
#[cfg(all(target_arch = "wasm32", feature = "arena", not(feature = "std")))]
mod arena;
mod clock;
mod conditional;
mod content;
mod context;
mod contract;
mod cors;
mod extract;
mod headers;
mod host;
mod identity;
mod merge_patch;
mod negotiation;
mod pagination;
mod parameters;
mod path;
mod percent;
mod problem;
mod query;
mod query_string;
mod random;
mod request;
mod respond;
mod response;
mod route;
mod rules;
mod typed;

pub use app::App;
pub use clock::Now;
pub use conditional::Conditions;
pub use content::{Bytes, Json};
pub use context::Context;
pub use cors::Cors;
pub use extract::{FromRequest, FromRequestOptional, Handler};
pub use headers::Headers;
pub use idempotency::IdempotencyKey;
pub use identity::{Identity, IgnoredClaims};
pub use log::Log;
pub use merge_patch::MergePatch;
pub use outgoing::Outgoing;
pub use pagination::{Page, Pagination};
pub use path::Path;
pub use problem::{Problem, Violation};
pub use query::Query;
pub use random::Random;
pub use request::{Caller, Request};
pub use respond::{Created, IntoResponse, NoContent, WithHeader};
pub use response::{Response, Text};
pub use rules::Rules;
pub use secrets::Secrets;
pub use store::Store;
pub use typed::CONTENT_BYTES_MAX;

/// Makes a component of a function that returns an [`App`]. It is called for each request.
///
/// On targets other than WebAssembly it only checks the function's type.
#[macro_export]
macro_rules! main {
    ($app:path) => {
        #[cfg(not(target_arch = "wasm32"))]
        const _: fn() -> $crate::App = $app;

        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code)]
        const _: () = {
            struct Component;

            impl $crate::component::bindings::exports::tenon::handler::handler::Guest for Component {
                fn handle(
                    request: $crate::component::bindings::exports::tenon::handler::handler::Request,
                ) -> $crate::component::bindings::exports::tenon::handler::handler::Response {
                    $crate::component::handle($app, request)
                }
            }

            $crate::component::bindings::export_component!(
                Component with_types_in $crate::component::bindings
            );
        };
    };
}
