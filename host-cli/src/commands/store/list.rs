//! `store list`: the partitions, with the number of their items.

use super::unexpected;
use crate::{
    args::store::StoreFormat,
    exit::{CommandError, Outcome},
    output,
    store::{
        protocol::{KeyText, NAMESPACES_MAX, Request, Response},
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
    let others = match counts.is_empty() {
        true => Others::find(store).await?,
        false => Others::None,
    };
    match format {
        StoreFormat::Text => output::text(&text(&counts, &others))?,
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
    if let Some(hint) = others.hint() {
        output::remark(&hint);
    }
    Ok(Outcome::Same)
}

/// What an empty namespace is not all of.
enum Others {
    /// No other namespace has entries.
    None,
    /// These have.
    Named(Vec<String>),
    /// They could only be found by reading the whole store.
    Unknown,
}

impl Others {
    async fn find(store: &Reached) -> Result<Self, CommandError> {
        match store.ask(Request::Namespaces).await? {
            Response::Namespaces(None) => Ok(Self::Unknown),
            Response::Namespaces(Some(names)) if names.is_empty() => Ok(Self::None),
            Response::Namespaces(Some(names)) => Ok(Self::Named(names)),
            other => Err(unexpected(other)),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Named(names) => {
                let first = names.first()?;
                let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                let more = match names.len() == NAMESPACES_MAX {
                    true => ", and perhaps more",
                    false => "",
                };
                let (namespaces, them) = match names.len() {
                    1 => ("namespace", "them"),
                    _ => ("namespaces", "those of the first"),
                };
                let quoted = quoted.join(", ");
                Some(format!(
                    "  hint: there are entries in {namespaces} {quoted}{more}: add `--namespace {first}` to see {them}\n"
                ))
            }
            Self::Unknown => Some(
                "  hint: other namespaces may have entries: add `--namespace NAME` to see those of one\n"
                    .to_owned(),
            ),
        }
    }
}

fn text(counts: &BTreeMap<String, u64>, others: &Others) -> String {
    if counts.is_empty() {
        return match others {
            Others::None => "the store is empty\n".to_owned(),
            Others::Named(_) | Others::Unknown => "the namespace is empty\n".to_owned(),
        };
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
        insta::assert_snapshot!(text(&counts, &Others::None), @r"
          items  partition
        1234567  by\nname
             12  items
        ");
        let none = Others::None;
        assert_eq!(text(&BTreeMap::new(), &none), "the store is empty\n");
        assert_eq!(none.hint(), None);
    }

    #[test]
    fn an_empty_namespace_is_no_empty_store() {
        let named = |names: &[&str]| {
            let names = names.iter().map(ToString::to_string).collect();
            Others::Named(names)
        };
        let others = named(&["pay"]);
        assert_eq!(text(&BTreeMap::new(), &others), "the namespace is empty\n");
        let hints =
            [others, named(&["pay", "shop"]), Others::Unknown].map(|others| others.hint().unwrap());
        insta::assert_snapshot!(hints.concat(), @r"
          hint: there are entries in namespace `pay`: add `--namespace pay` to see them
          hint: there are entries in namespaces `pay`, `shop`: add `--namespace pay` to see those of the first
          hint: other namespaces may have entries: add `--namespace NAME` to see those of one
        ");
    }
}
