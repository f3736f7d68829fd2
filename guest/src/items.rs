//! The operations on items, one file each, and their common functions.

mod create;
mod list;
mod read;
mod remove;
mod replace;
mod update;

pub use create::create;
pub use list::list;
pub use read::read;
pub use remove::remove;
pub use replace::replace;
pub use update::update;

use crate::{item::Item, layout};
use tenon::{json::Document, store::Write};

/// Only the client may cache responses, and must revalidate them before each use, which is the purpose of entity tags.
const CACHE_CONTROL: &str = "private, no-cache";

/// What is stored of an item: its document with the secondary key.
fn write(item: &Item) -> Write<Document> {
    Write::new(item.to_document()).index(layout::item_index(&item.id, &item.draft))
}
