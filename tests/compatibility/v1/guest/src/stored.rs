//! The functions of `storage`.

use crate::{
    object,
    tenon::handler::storage::{
        self, Consistency, DeleteOutcome, Direction, Error, FailedOperation, Item, Key,
        KeyedPrecondition, Operation, Page, Precondition, PutOperation, PutOptions, PutOutcome,
        QueryOptions, SortRange, TransactOutcome,
    },
};

/// Leaves partition `p` with the items `a`, `c`, `d` and `e`, of which the first three are in the secondary partition `i`.
pub fn every_function() -> String {
    let revision = match put("a", r#"{"n":1}"#, Precondition::None) {
        Ok(PutOutcome::Done(revision)) => revision,
        _ => "none".to_owned(),
    };
    object(&[
        ("put", &puts(revision)),
        ("get", &gets()),
        ("query", &queries()),
        ("query-index", &index_queries()),
        ("delete", &deletes()),
        ("transact", &transactions()),
    ])
}

/// One item of partition `p`, after a cursor if there is one, and the cursor of the next page.
pub fn page(cursor: &str) -> String {
    let cursor = (!cursor.is_empty()).then(|| cursor.to_owned());
    let page = storage::query(
        "p",
        Consistency::Strong,
        &options(SortRange::All, Direction::Ascending, 1, cursor),
    );
    match page {
        Ok(page) => {
            let next = page.cursor.clone().unwrap_or_default();
            object(&[("sorts", &sorts(&page)), ("cursor", &next)])
        }
        Err(error) => object(&[("error", name(&error))]),
    }
}

fn puts(revision: String) -> String {
    let mut texts = Vec::new();
    for (sort, document, precondition) in [
        ("a", r#"{"n":2}"#, Precondition::Absent),
        ("a", r#"{"n":3}"#, Precondition::Revision(revision)),
        ("b", r#"{"n":1.50}"#, Precondition::None),
        (
            "c",
            r#"{"text":"ä","list":[1,null,true],"n":-12345678901234567890.5}"#,
            Precondition::Absent,
        ),
        ("z", "{}", Precondition::Present),
        ("z", "[]", Precondition::None),
    ] {
        texts.push(match put(sort, document, precondition) {
            Ok(PutOutcome::Done(_)) => "done".to_owned(),
            Ok(PutOutcome::PreconditionFailed(item)) => format!("failed on {}", shown(item)),
            Err(error) => name(&error).to_owned(),
        });
    }
    texts.join("; ")
}

fn put(sort: &str, document: &str, precondition: Precondition) -> Result<PutOutcome, Error> {
    storage::put(&key(sort), document, &put_options(sort, precondition))
}

fn gets() -> String {
    let get = |sort, consistency| storage::get(&key(sort), consistency).map(shown);
    let many = storage::get_many(&[key("c"), key("z"), key("b")], Consistency::Strong);
    let many = many.map(|items| items.into_iter().map(shown).collect::<Vec<_>>().join(", "));
    let none = storage::get_many(&[], Consistency::Eventual).map(|_| String::new());
    joined([
        get("a", Consistency::Strong),
        get("z", Consistency::Eventual),
        many,
        none,
    ])
}

fn queries() -> String {
    let query = |range, direction, cursor| {
        storage::query(
            "p",
            Consistency::Strong,
            &options(range, direction, 2, cursor),
        )
    };
    let first = query(SortRange::All, Direction::Ascending, None);
    let cursor = first.as_ref().ok().and_then(|page| page.cursor.clone());
    joined(
        [
            first,
            query(SortRange::All, Direction::Ascending, cursor.clone()),
            query(SortRange::All, Direction::Descending, cursor),
            query(
                SortRange::Prefix("b".to_owned()),
                Direction::Ascending,
                None,
            ),
            query(
                SortRange::Between(("a".to_owned(), "b".to_owned())),
                Direction::Descending,
                None,
            ),
            query(
                SortRange::AtLeast("b".to_owned()),
                Direction::Ascending,
                None,
            ),
            query(
                SortRange::AtMost("b".to_owned()),
                Direction::Ascending,
                None,
            ),
        ]
        .map(|page| page.map(|page| sorts(&page))),
    )
}

fn index_queries() -> String {
    let query = |partition, range, direction| {
        let page = storage::query_index(partition, &options(range, direction, 2, None));
        page.map(|page| sorts(&page))
    };
    joined([
        query("i", SortRange::All, Direction::Descending),
        query(
            "i",
            SortRange::AtLeast("b".to_owned()),
            Direction::Ascending,
        ),
        query("other", SortRange::All, Direction::Ascending),
    ])
}

fn deletes() -> String {
    let delete = |sort, precondition| {
        storage::delete(&key(sort), &precondition).map(|outcome| match outcome {
            DeleteOutcome::Done => "done".to_owned(),
            DeleteOutcome::PreconditionFailed(item) => format!("failed on {}", shown(item)),
        })
    };
    joined([
        delete("b", Precondition::Revision("stale".to_owned())),
        delete("b", Precondition::Present),
        delete("b", Precondition::Present),
    ])
}

fn transactions() -> String {
    let of = |sort: &str, precondition| KeyedPrecondition {
        key: key(sort),
        precondition,
    };
    let put = |sort: &str, precondition| {
        Operation::Put(PutOperation {
            key: key(sort),
            document: r#"{"n":6}"#.to_owned(),
            options: put_options(sort, precondition),
        })
    };
    let transact = |operations: &[Operation], token: Option<&str>| {
        storage::transact(operations, token).map(|outcome| match outcome {
            TransactOutcome::Done(revisions) => {
                format!("done, {} puts", revisions.iter().flatten().count())
            }
            TransactOutcome::PreconditionFailed(FailedOperation { position, item }) => {
                format!(
                    "{} failed on {}",
                    if position == 0 { "first" } else { "second" },
                    shown(item)
                )
            }
        })
    };
    let write = [
        put("d", Precondition::Absent),
        put("e", Precondition::None),
        Operation::Check(of("a", Precondition::Present)),
        Operation::Delete(of("b", Precondition::None)),
    ];
    joined([
        transact(&write, Some("once")),
        transact(
            &[put("f", Precondition::None), put("a", Precondition::Absent)],
            None,
        ),
        transact(&[], None),
    ])
}

fn key(sort: &str) -> Key {
    Key {
        partition: "p".to_owned(),
        sort: sort.to_owned(),
    }
}

/// `e` expires, far from now; all others are in the secondary partition.
fn put_options(sort: &str, precondition: Precondition) -> PutOptions {
    let is_last = sort == "e";
    let index = Key {
        partition: "i".to_owned(),
        sort: sort.to_owned(),
    };
    PutOptions {
        precondition,
        index: (!is_last).then_some(index),
        expires_at: is_last.then_some(4_000_000_000),
    }
}

fn options(
    range: SortRange,
    direction: Direction,
    limit: u32,
    cursor: Option<String>,
) -> QueryOptions {
    QueryOptions {
        range,
        direction,
        limit,
        cursor,
    }
}

fn joined<const N: usize>(results: [Result<String, Error>; N]) -> String {
    results
        .map(|result| result.unwrap_or_else(|error| name(&error).to_owned()))
        .join("; ")
}

fn shown(item: Option<Item>) -> String {
    item.map_or_else(|| "none".to_owned(), |item| item.document)
}

fn sorts(page: &Page) -> String {
    let sorts: Vec<_> = page
        .entries
        .iter()
        .map(|entry| entry.key.sort.as_str())
        .collect();
    let more = if page.cursor.is_some() {
        " and more"
    } else {
        ""
    };
    sorts.join(" ") + more
}

/// Errors by name, because their texts may change.
fn name(error: &Error) -> &'static str {
    match error {
        Error::Invalid(_) => "invalid",
        Error::TooLarge(_) => "too-large",
        Error::Throttled(_) => "throttled",
        Error::Unavailable => "unavailable",
        Error::Conflict => "conflict",
        Error::OutcomeUnknown => "outcome-unknown",
        Error::Misconfigured => "misconfigured",
        Error::Internal => "internal",
    }
}
