//! `store list`: the partitions, with the number of their items.

use super::unexpected;
use crate::{
    args::store::StoreFormat,
    exit::{CommandError, Outcome},
    output,
    store::{
        protocol::{KeyText, Request, Response},
        remote::Reached,
    },
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use storage::Entry;

/// Partitions that are counted. More are not a list that a person reads.
const PARTITIONS_MAX: usize = 100_000;

/// Prints each partition.
pub async fn list(store: &Reached, format: StoreFormat) -> Result<Outcome, CommandError> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut is_cut = false;
    let mut parts = Parts::default();
    while let Some(entries) = parts.next(store).await? {
        for entry in entries {
            let partition = entry.key.partition;
            if let Some(count) = counts.get_mut(&partition) {
                *count += 1;
            } else if counts.len() < PARTITIONS_MAX {
                counts.insert(partition, 1);
            } else {
                is_cut = true;
            }
        }
    }
    match format {
        StoreFormat::Text => output::text(&text(&counts))?,
        StoreFormat::Json => {
            let list = counts
                .iter()
                .map(|(partition, items)| json!({"partition": partition, "items": items}));
            output::text(&format!("{:#}\n", Value::Array(list.collect())))?;
        }
    }
    if is_cut {
        output::remark(&format!(
            "only {PARTITIONS_MAX} partitions are listed; `host-cli store export` reads all\n"
        ));
    }
    Ok(Outcome::Same)
}

fn text(counts: &BTreeMap<String, u64>) -> String {
    if counts.is_empty() {
        return "the store is empty\n".to_owned();
    }
    let largest = counts.values().max().copied().unwrap_or_default();
    let width = largest.to_string().len().max("items".len());
    let mut text = format!("{:>width$}  partition\n", "items");
    for (partition, count) in counts {
        text.push_str(&format!("{count:>width$}  {}\n", partition.escape_debug()));
    }
    text
}

/// All entries of a store, part by part.
#[derive(Default)]
pub struct Parts {
    after: Option<KeyText>,
    is_over: bool,
}

impl Parts {
    /// The next entries; `None` after the last ones.
    pub async fn next(&mut self, store: &Reached) -> Result<Option<Vec<Entry>>, CommandError> {
        if self.is_over {
            return Ok(None);
        }
        let after = self.after.take();
        match store.ask(Request::Part { after }).await? {
            Response::Part { entries, next } => {
                self.is_over = next.is_none();
                self.after = next;
                Ok(Some(entries))
            }
            other => Err(unexpected(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_listed_below_each_other() {
        let counts = [("items".to_owned(), 12), ("by\nname".to_owned(), 1_234_567)].into();
        insta::assert_snapshot!(text(&counts), @r"
          items  partition
        1234567  by\nname
             12  items
        ");
        assert_eq!(text(&BTreeMap::new()), "the store is empty\n");
    }
}
