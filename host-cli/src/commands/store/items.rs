//! `store get`, `put`, `delete` and `query`.

use super::unexpected;
use crate::{
    args::store::StoreFormat,
    exit::{CommandError, Outcome},
    output,
    store::{
        protocol::{Condition, KeyText, Query, Request, Response},
        remote::Reached,
    },
    time,
};
use contract::limits::PAGE_ENTRIES_MAX;
use serde_json::{Value, json};
use storage::Entry;

/// Width of a line for people.
const LINE_COLUMNS: usize = 80;
/// Columns of a document that is shown even if its sort key is long.
const DOCUMENT_COLUMNS_MIN: usize = 20;

/// Prints an item.
pub async fn get(
    store: &Reached,
    key: KeyText,
    format: StoreFormat,
) -> Result<Outcome, CommandError> {
    let missing = no_item(&key);
    match store.ask(Request::Get { key }).await? {
        Response::Entry(Some(entry)) => {
            print(&entry, format)?;
            Ok(Outcome::Same)
        }
        Response::Entry(None) => Err(missing),
        other => Err(unexpected(other)),
    }
}

/// Writes an item and prints its revision.
pub async fn put(
    store: &Reached,
    entry: Entry,
    condition: Condition,
    format: StoreFormat,
) -> Result<Outcome, CommandError> {
    match store.ask(Request::Put { entry, condition }).await? {
        Response::Written { revision } => {
            match format {
                StoreFormat::Text => output::text(&format!("stored as revision {revision}\n"))?,
                StoreFormat::Json => {
                    output::text(&format!("{:#}\n", json!({"revision": revision})))?
                }
            }
            Ok(Outcome::Same)
        }
        Response::Conflict(found) => Err(conflict(found.as_ref())),
        other => Err(unexpected(other)),
    }
}

/// Removes an item.
pub async fn delete(
    store: &Reached,
    key: KeyText,
    condition: Condition,
    format: StoreFormat,
) -> Result<Outcome, CommandError> {
    let missing = no_item(&key);
    match store.ask(Request::Delete { key, condition }).await? {
        Response::Deleted => {
            match format {
                StoreFormat::Text => output::text("removed\n")?,
                StoreFormat::Json => output::text(&format!("{:#}\n", json!({"removed": true})))?,
            }
            Ok(Outcome::Same)
        }
        Response::Conflict(None) => Err(missing),
        Response::Conflict(found) => Err(conflict(found.as_ref())),
        other => Err(unexpected(other)),
    }
}

/// Prints the items of a partition, page by page.
pub async fn query(
    store: &Reached,
    query: Query,
    format: StoreFormat,
) -> Result<Outcome, CommandError> {
    let mut left = query.limit;
    let mut cursor = None;
    let mut count = 0;
    let mut list = String::new();
    loop {
        let page = Query {
            limit: left.min(PAGE_ENTRIES_MAX),
            cursor: cursor.take(),
            ..query.clone()
        };
        let (entries, next) = match store.ask(Request::Query(page)).await? {
            Response::Page { entries, cursor } => (entries, cursor),
            other => return Err(unexpected(other)),
        };
        left = left.saturating_sub(u32::try_from(entries.len()).unwrap_or(u32::MAX));
        for entry in &entries {
            match format {
                StoreFormat::Text => output::text(&line(entry, query.is_index))?,
                StoreFormat::Json => {
                    let separator = if count == 0 { "[" } else { "," };
                    list.push_str(&format!("{separator}\n{}", value(entry)?));
                    output::result(list.as_bytes())?;
                    list.clear();
                }
            }
            count += 1;
        }
        match next {
            Some(next) if left > 0 => cursor = Some(next),
            next => {
                finish(count, next.is_some(), format)?;
                return Ok(Outcome::Same);
            }
        }
    }
}

fn finish(count: usize, has_more: bool, format: StoreFormat) -> Result<(), CommandError> {
    match format {
        StoreFormat::Json if count == 0 => output::text("[]\n")?,
        StoreFormat::Json => output::text("\n]\n")?,
        StoreFormat::Text => {}
    }
    if count == 0 {
        output::remark("no items\n");
    }
    if has_more {
        output::remark("there are more: `--limit N` shows up to N\n");
    }
    Ok(())
}

/// An item for people: its sort key, of an index the secondary one and the primary key, and the beginning of its document.
fn line(entry: &Entry, is_index: bool) -> String {
    let key = match &entry.item.index {
        Some(index) if is_index => format!(
            "{} -> {} {}",
            index.sort.escape_debug(),
            entry.key.partition.escape_debug(),
            entry.key.sort.escape_debug()
        ),
        Some(_) | None => entry.key.sort.escape_debug().to_string(),
    };
    let room = LINE_COLUMNS
        .saturating_sub(key.chars().count() + 2)
        .max(DOCUMENT_COLUMNS_MIN);
    let document = entry.item.document.as_str();
    let shown = match document.char_indices().nth(room) {
        None => document.to_owned(),
        Some(_) => {
            let cut: String = document.chars().take(room.saturating_sub(3)).collect();
            format!("{cut}...")
        }
    };
    format!("{key}  {shown}\n")
}

fn print(entry: &Entry, format: StoreFormat) -> Result<(), CommandError> {
    match format {
        StoreFormat::Json => output::text(&format!("{}\n", value(entry)?)),
        StoreFormat::Text => {
            let document = entry.item.document.to_value().map_err(unreadable)?;
            output::text(&format!("{document:#}\n"))?;
            let mut more = format!("revision: {}\n", entry.item.revision);
            if let Some(index) = &entry.item.index {
                more.push_str(&format!(
                    "index: {} {}\n",
                    index.partition.escape_debug(),
                    index.sort.escape_debug()
                ));
            }
            if let Some(seconds) = entry.item.expires_at {
                let at = time::rfc3339(seconds.saturating_mul(1000));
                more.push_str(&format!("expires: {at}\n"));
            }
            output::remark(&more);
            Ok(())
        }
    }
}

fn value(entry: &Entry) -> Result<String, CommandError> {
    let value: Value = entry.to_value().map_err(unreadable)?;
    Ok(format!("{value:#}"))
}

fn unreadable(error: json::JsonError) -> CommandError {
    CommandError::environment(format_args!("a stored document cannot be shown: {error}"))
}

fn no_item(key: &KeyText) -> CommandError {
    CommandError::refused(format_args!(
        "there is no item `{}` in partition `{}`",
        key.sort, key.partition
    ))
    .hint(
        "`host-cli store list` shows the partitions, `host-cli store query PARTITION` their items",
    )
}

fn conflict(found: Option<&Entry>) -> CommandError {
    match found {
        None => CommandError::refused("nothing was written: there is no such item"),
        Some(entry) => CommandError::refused(format_args!(
            "nothing was written: the item has revision {}",
            entry.item.revision
        ))
        .hint("`host-cli store get` shows it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use storage::{Document, Item, Key, Revision};

    #[test]
    fn a_line_has_at_most_80_columns_unless_its_key_is_long() {
        let entry = |sort: &str| Entry {
            key: Key {
                partition: "items".to_owned(),
                sort: sort.to_owned(),
            },
            item: Item {
                document: Document::parse(&format!(r#"{{"a":"{}"}}"#, "x".repeat(200))).unwrap(),
                revision: Revision::from("r".to_owned()),
                index: Some(Key {
                    partition: "by-name".to_owned(),
                    sort: "lamp".to_owned(),
                }),
                expires_at: None,
            },
        };
        let short = line(&entry("a\nb"), false);
        assert!(
            short.starts_with("a\\nb  {\"a\":\"xxx") && short.ends_with("...\n"),
            "{short}"
        );
        assert_eq!(short.trim_end().chars().count(), LINE_COLUMNS);
        assert!(line(&entry("s"), true).starts_with("lamp -> items s  {"));
        assert!(line(&entry(&"k".repeat(100)), false).len() > 120);
    }
}
