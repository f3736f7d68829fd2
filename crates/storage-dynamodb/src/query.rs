//! Queries: joins DynamoDB's pages into ours.
//!
//! DynamoDB may end a page anywhere, even before the first item; ours end where [`PageBuilder`] says, as on every backend. To know whether
//! there are more items, one more than requested is read.

use super::{
    ApiOperation, DynamoDbStorage, charge,
    error_class::judge,
    layout::{self, Attributes, INDEX, text},
    retry::{Answer, Effect, Retry, traced},
    unexpected, unreadable,
};
use aws_sdk_dynamodb::{
    operation::query::{QueryOutput, builders::QueryFluentBuilder},
    types::ReturnConsumedCapacity,
};
use contract::limits::SORT_BYTES_MAX;
use storage::{
    Call, Consistency, Direction, Entry, Key, Page, QueryOptions, SortRange, StorageError,
    page::{Order, PageBuilder, after_prefix, read_position},
};

/// The condition on the key, its values, and where to start.
struct Search<'a> {
    index: Option<&'static str>,
    condition: String,
    values: Attributes,
    start: Option<Attributes>,
    consistency: Consistency,
    options: &'a QueryOptions,
}

/// The sort keys that a request covers.
enum Bounds {
    Prefix(String),
    /// Inclusive; covers at least what was requested.
    Range(Option<String>, Option<String>),
    Nothing,
}

impl DynamoDbStorage {
    pub(super) async fn query_partition(
        &self,
        call: &Call,
        partition: &str,
        consistency: Consistency,
        options: &QueryOptions,
    ) -> Result<Page, StorageError> {
        let bounds = match options.range.clone() {
            SortRange::All => Bounds::Range(None, None),
            SortRange::Prefix(prefix) => Bounds::Prefix(prefix),
            SortRange::Between(lower, upper) => Bounds::Range(Some(lower), Some(upper)),
            SortRange::AtLeast(lower) => Bounds::Range(Some(lower), None),
            SortRange::AtMost(upper) => Bounds::Range(None, Some(upper)),
        };
        let start = options.cursor.as_ref().map(|sort| {
            layout::key_attributes(&Key {
                partition: partition.to_owned(),
                sort: sort.clone(),
            })
        });
        let page = PageBuilder::new(call, Order::Primary, options.limit);
        let names = (layout::PARTITION, layout::SORT);
        match conditions(names, partition, bounds) {
            None => Ok(page.finish()),
            Some((condition, values)) => {
                let search = Search {
                    index: None,
                    condition,
                    values,
                    start,
                    consistency,
                    options,
                };
                self.search(call, search, page, |_| true).await
            }
        }
    }

    pub(super) async fn query_secondary(
        &self,
        call: &Call,
        partition: &str,
        options: &QueryOptions,
    ) -> Result<Page, StorageError> {
        let start = options
            .cursor
            .as_deref()
            .map(|position| {
                let (secondary, primary, sort) =
                    read_position(position).ok_or(StorageError::Internal)?;
                let key = |partition: &str, sort: &str| Key {
                    partition: partition.to_owned(),
                    sort: sort.to_owned(),
                };
                Ok(layout::index_key_attributes(
                    &key(primary, sort),
                    &key(partition, secondary),
                ))
            })
            .transpose()?;
        let page = PageBuilder::new(call, Order::Secondary, options.limit);
        let names = (layout::INDEX_PARTITION, layout::INDEX_SORT);
        match conditions(names, partition, index_bounds(&options.range)) {
            None => Ok(page.finish()),
            Some((condition, values)) => {
                let search = Search {
                    index: Some(INDEX),
                    condition,
                    values,
                    start,
                    consistency: Consistency::Eventual,
                    options,
                };
                let is_covered = |entry: &Entry| match &entry.item.index {
                    Some(index) => options.range.covers(&index.sort),
                    None => false,
                };
                self.search(call, search, page, is_covered).await
            }
        }
    }

    async fn search(
        &self,
        call: &Call,
        mut search: Search<'_>,
        mut page: PageBuilder<'_>,
        is_covered: impl Fn(&Entry) -> bool + Send,
    ) -> Result<Page, StorageError> {
        let mut retry = Retry::new(call, ApiOperation::Query, Effect::Read);
        let mut wanted_max = usize::MAX;
        loop {
            let wanted = page.wanted().min(wanted_max);
            let send = || traced(call, self.request(&search, wanted).customize()).send();
            let output: QueryOutput = match retry.run(judge, send).await? {
                Answer::Done(output) => output,
                Answer::TooLarge if wanted > 1 => {
                    wanted_max = wanted.div_ceil(4);
                    retry.advance();
                    continue;
                }
                Answer::TooLarge => return Err(retry.give_up_on_answer()),
                Answer::Refused(error) => return Err(unexpected(&retry, &error)),
            };
            charge(call, output.consumed_capacity);
            for attributes in output.items.into_iter().flatten() {
                let entry =
                    layout::entry(attributes).map_err(|error| unreadable(&retry, &error))?;
                if is_covered(&entry) && page.offer(entry).is_break() {
                    return Ok(page.finish());
                }
            }
            // Some servers return a key without attributes for the last page.
            match output.last_evaluated_key.filter(|last| !last.is_empty()) {
                Some(last) => {
                    retry.advance();
                    search.start = Some(last);
                }
                None => return Ok(page.finish()),
            }
        }
    }

    fn request(&self, search: &Search<'_>, wanted: usize) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .set_index_name(search.index.map(str::to_owned))
            .key_condition_expression(&search.condition)
            .set_expression_attribute_values(Some(search.values.clone()))
            .set_exclusive_start_key(search.start.clone())
            .scan_index_forward(search.options.direction == Direction::Ascending)
            .consistent_read(search.consistency == Consistency::Strong)
            .limit(i32::try_from(wanted).unwrap_or(i32::MAX))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
    }
}

/// The key condition with its values; `None` if nothing can match.
fn conditions(
    (partition_name, sort_name): (&str, &str),
    partition: &str,
    bounds: Bounds,
) -> Option<(String, Attributes)> {
    let mut values = Attributes::from([(":partition".to_owned(), text(partition))]);
    let mut value = |name: &str, bound: String| values.insert(name.to_owned(), text(bound));
    let on_sort = match bounds {
        Bounds::Nothing => return None,
        Bounds::Prefix(prefix) => {
            value(":prefix", prefix);
            format!(" AND begins_with({sort_name}, :prefix)")
        }
        Bounds::Range(None, None) => String::new(),
        Bounds::Range(Some(lower), None) => {
            value(":lower", lower);
            format!(" AND {sort_name} >= :lower")
        }
        Bounds::Range(None, Some(upper)) => {
            value(":upper", upper);
            format!(" AND {sort_name} <= :upper")
        }
        Bounds::Range(Some(lower), Some(upper)) => {
            value(":lower", lower);
            value(":upper", upper);
            format!(" AND {sort_name} BETWEEN :lower AND :upper")
        }
    };
    Some((format!("{partition_name} = :partition{on_sort}"), values))
}

/// Bounds of combined sort keys. DynamoDB accepts none that is longer than a sort key: a longer one is cut so that it covers more, and the
/// surplus is filtered out later.
fn index_bounds(range: &SortRange) -> Bounds {
    let lower = |secondary: &str| Some(cut(&layout::index_lower(secondary)).to_owned());
    let upper = |secondary: &str| {
        let bound = layout::index_upper(secondary);
        match cut(&bound) {
            whole if whole.len() == bound.len() => Some(bound),
            start => after_prefix(start),
        }
    };
    match range {
        SortRange::All => Bounds::Range(None, None),
        SortRange::Prefix(prefix) => {
            let prefix = layout::index_lower(prefix);
            if prefix.len() > SORT_BYTES_MAX {
                Bounds::Nothing
            } else {
                Bounds::Prefix(prefix)
            }
        }
        SortRange::Between(first, last) => Bounds::Range(lower(first), upper(last)),
        SortRange::AtLeast(first) => Bounds::Range(lower(first), None),
        SortRange::AtMost(last) => Bounds::Range(None, upper(last)),
    }
}

/// The longest prefix of the text that is certainly a possible sort key, even with its last character replaced by the next one.
fn cut(text: &str) -> &str {
    if text.len() <= SORT_BYTES_MAX {
        text
    } else {
        &text[..text.floor_char_boundary(SORT_BYTES_MAX - 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn covers(bounds: &Bounds, combined: &str) -> bool {
        match bounds {
            Bounds::Nothing => false,
            Bounds::Prefix(prefix) => combined.starts_with(prefix),
            Bounds::Range(lower, upper) => {
                lower.as_deref().is_none_or(|lower| lower <= combined)
                    && upper.as_deref().is_none_or(|upper| combined <= upper)
            }
        }
    }

    /// Texts whose encodings are about as long as the longest sort key.
    fn long() -> impl Strategy<Value = String> {
        let unit = prop::sample::select(vec!["a", "\0", "\u{10ffff}", "é"]);
        (unit, 200..1024usize, "[a\0\u{10ffff}]{0,2}").prop_map(|(unit, bytes, end)| {
            unit.repeat(bytes.saturating_sub(end.len()) / unit.len()) + &end
        })
    }

    proptest! {
        #[test]
        fn cut_bounds_are_possible_sort_keys_and_cover_all_that_is_asked_for(
            one in long(), other in long(), stored in long(),
        ) {
            let (first, last) = if one <= other { (one, other) } else { (other, one) };
            let combined = layout::index_lower(&stored) + "\0\0p\0\0s";
            for range in [
                SortRange::Prefix(first.clone()),
                SortRange::AtLeast(first.clone()),
                SortRange::AtMost(first.clone()),
                SortRange::Between(first.clone(), last.clone()),
            ] {
                let bounds = index_bounds(&range);
                if combined.len() <= SORT_BYTES_MAX && range.covers(&stored) {
                    prop_assert!(covers(&bounds, &combined), "{:?}", range);
                }
                if let Bounds::Range(lower, upper) = &bounds {
                    for bound in lower.iter().chain(upper) {
                        prop_assert!(bound.len() <= SORT_BYTES_MAX);
                    }
                }
            }
        }
    }
}
