//! Testing an API natively: the rules and the store in memory of the hosts, with the test's time and seed, and no WebAssembly.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use tenon::{App, Context, Created, IntoResponse, Json, Path, Problem, Store};
//! use tenon::store::{Item, Partition, StorageError};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Note {
//!     text: String,
//! }
//!
//! const NOTES: Partition<Note> = Partition::new("notes");
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
//! let client = App::new().post("/notes", create).get("/notes/{id}", read).test();
//! let created = client.post("/notes").json(&Note { text: "milk".into() }).send();
//! assert_eq!(created.status(), 201);
//! let location = created.header("location").unwrap();
//! assert_eq!(client.get(location).send().json::<Note>().text, "milk");
//!
//! // What a store in trouble leads to.
//! client.fail_storage(StorageError::Unavailable);
//! assert_eq!(client.get(location).send().status(), 503);
//! ```

mod client;
mod response;
mod store;

pub use client::{TestClient, TestRequest};
pub use response::TestResponse;

pub use crate::contract::LogLine;
