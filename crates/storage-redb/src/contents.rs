//! The contents of the file in parts, each from one snapshot.

use super::{
    RedbStorage, failure, live,
    tables::{self, ITEMS},
    writer,
};
use std::ops::Bound::{Excluded, Included, Unbounded};
use storage::{
    Call, Contents, Entry, Namespace, Part, PartBuilder, Position, StorageError, page::entry,
};

#[async_trait::async_trait]
impl Contents for RedbStorage {
    async fn stored_part(
        &self,
        call: &Call,
        prefix: &str,
        after: Option<&Position>,
    ) -> Result<Part, StorageError> {
        let begin = match after {
            Some(Position(key)) => Excluded((key.partition.as_str(), key.sort.as_str())),
            None => Included((prefix, "")),
        };
        let mut part = PartBuilder::default();
        self.read(|snapshot| {
            let items = snapshot.open_table(ITEMS)?;
            for row in items.range::<(&str, &str)>((begin, Unbounded))? {
                let (key, item) = row?;
                let (partition, sort) = key.value();
                if !partition.starts_with(prefix) {
                    break;
                }
                let item = live(Some(tables::item(item.value())), call.now_ms);
                if let Some(item) = item
                    && part.add(entry(partition, sort, item)).is_break()
                {
                    break;
                }
            }
            Ok(())
        })?;
        Ok(part.finish())
    }

    async fn namespaces(
        &self,
        call: &Call,
        namespaces_max: usize,
    ) -> Result<Option<Vec<Namespace>>, StorageError> {
        let mut found: Vec<Namespace> = Vec::new();
        self.read(|snapshot| {
            let items = snapshot.open_table(ITEMS)?;
            let mut begin = String::new();
            while found.len() < namespaces_max {
                let mut namespace = None;
                for row in items.range((begin.as_str(), "")..)? {
                    let (key, item) = row?;
                    if live(Some(tables::item(item.value())), call.now_ms).is_some() {
                        namespace = Namespace::of_partition(key.value().0);
                    }
                    if namespace.is_some() {
                        break;
                    }
                }
                let Some(namespace) = namespace else { break };
                // The other entries of this one are not read.
                begin = namespace.end_of_partitions();
                found.push(namespace);
            }
            Ok(())
        })?;
        Ok(Some(found))
    }

    async fn store_entries(&self, _call: &Call, entries: Vec<Entry>) -> Result<(), StorageError> {
        writer::load(&self.database, entries).map_err(failure)
    }
}
