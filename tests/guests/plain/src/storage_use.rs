//! Every function of `wit/storage.wit`, with the documented outcomes.

use crate::{
    report::Report,
    tenon::handler::storage::{
        self, Consistency, DeleteOutcome, Direction, Error, Item, Key, KeyedPrecondition,
        Operation, Page, Precondition, PutOperation, PutOptions, PutOutcome, QueryOptions,
        SortRange, TransactOutcome,
    },
};

/// Leaves partition `p` with the items `a`, `c` and `d`, all in the secondary partition `i`.
pub fn every_function(report: &mut Report) {
    put(report);
    get(report);
    get_many(report);
    query(report);
    query_index(report);
    delete(report);
    transact(report);
}

fn put(report: &mut Report) {
    let mut put = |sort: &str, document: &str, precondition| {
        let outcome = storage::put(&key(sort), document, &options(sort, precondition));
        report.add("storage.put", shown(outcome, show_put));
    };
    put("a", r#"{"n":1}"#, Precondition::Absent);
    put("a", r#"{"n":2}"#, Precondition::Absent);
    put("a", r#"{"n":3}"#, Precondition::Present);
    put("a", r#"{"n":4}"#, Precondition::Revision("stale".into()));
    put("b", r#"{"n":1.0}"#, Precondition::None);
    put("c", r#"{"n":5}"#, Precondition::None);
    put("", "{}", Precondition::None);
    put("x", "[]", Precondition::None);
    put(
        "x",
        &format!(r#"{{"text":"{}"}}"#, "x".repeat(500_000)),
        Precondition::None,
    );
}

fn get(report: &mut Report) {
    for (sort, consistency) in [
        ("a", Consistency::Strong),
        ("a", Consistency::Eventual),
        ("z", Consistency::Strong),
    ] {
        report.add(
            "storage.get",
            shown(storage::get(&key(sort), consistency), show_item),
        );
    }
}

fn get_many(report: &mut Report) {
    let mut get_many = |sorts: &[&str]| {
        let keys: Vec<_> = sorts.iter().map(|sort| key(sort)).collect();
        let items = storage::get_many(&keys, Consistency::Strong);
        let show = |items: Vec<Option<Item>>| {
            items
                .into_iter()
                .map(show_item)
                .collect::<Vec<_>>()
                .join(", ")
        };
        report.add("storage.get-many", shown(items, show));
    };
    get_many(&["c", "z", "a"]);
    get_many(&["a", "a"]);
    get_many(&[]);
}

fn query(report: &mut Report) {
    let mut query = |range, direction, limit, cursor| {
        let page = storage::query(
            "p",
            Consistency::Strong,
            &query_options(range, direction, limit, cursor),
        );
        let cursor = page.as_ref().ok().and_then(|page| page.cursor.clone());
        report.add("storage.query", shown(page, show_page));
        cursor
    };
    let cursor = query(SortRange::All, Direction::Ascending, 2, None);
    query(SortRange::All, Direction::Ascending, 2, cursor.clone());
    query(SortRange::All, Direction::Descending, 2, cursor);
    query(
        SortRange::All,
        Direction::Ascending,
        2,
        Some("forged".into()),
    );
    query(SortRange::Prefix("b".into()), Direction::Ascending, 9, None);
    query(
        SortRange::Between(("a".into(), "b".into())),
        Direction::Descending,
        9,
        None,
    );
    query(
        SortRange::AtLeast("b".into()),
        Direction::Ascending,
        9,
        None,
    );
    query(SortRange::AtMost("b".into()), Direction::Ascending, 9, None);
    query(
        SortRange::Between(("b".into(), "a".into())),
        Direction::Ascending,
        9,
        None,
    );
    query(SortRange::All, Direction::Ascending, 0, None);
}

fn query_index(report: &mut Report) {
    let mut query = |partition: &str, range, direction| {
        let page = storage::query_index(partition, &query_options(range, direction, 9, None));
        report.add("storage.query-index", shown(page, show_page));
    };
    query("i", SortRange::All, Direction::Descending);
    query("i", SortRange::AtLeast("b".into()), Direction::Ascending);
    query("other", SortRange::All, Direction::Ascending);
}

fn delete(report: &mut Report) {
    let mut delete = |sort: &str, precondition: Precondition| {
        let outcome = storage::delete(&key(sort), &precondition);
        report.add("storage.delete", shown(outcome, show_delete));
    };
    delete("b", Precondition::Revision("stale".into()));
    delete("b", Precondition::Present);
    delete("b", Precondition::Present);
    delete("b", Precondition::None);
}

fn transact(report: &mut Report) {
    let mut transact = |operations: &[Operation], token: Option<&str>| {
        let outcome = storage::transact(operations, token);
        report.add("storage.transact", shown(outcome, show_transact));
    };
    let write = [
        put_operation("d", r#"{"n":6}"#, Precondition::Absent),
        Operation::Check(KeyedPrecondition {
            key: key("a"),
            precondition: Precondition::Present,
        }),
        Operation::Delete(KeyedPrecondition {
            key: key("b"),
            precondition: Precondition::None,
        }),
    ];
    transact(&write, Some("once"));
    transact(&write, Some("once"));
    transact(&write, None);
    let other = [put_operation("d", r#"{"n":7}"#, Precondition::None)];
    transact(&other, Some("once"));
    transact(
        &[
            other[0].clone(),
            put_operation("a", "{}", Precondition::Absent),
        ],
        None,
    );
    transact(&[other[0].clone(), other[0].clone()], None);
    transact(&[], None);
    transact(
        &[Operation::Check(KeyedPrecondition {
            key: key("a"),
            precondition: Precondition::None,
        })],
        None,
    );
    report.add(
        "storage.transact",
        shown(storage::get(&key("d"), Consistency::Strong), show_item),
    );
}

fn key(sort: &str) -> Key {
    Key {
        partition: "p".into(),
        sort: sort.into(),
    }
}

/// Each item has its own sort key in the secondary partition `i`.
fn options(sort: &str, precondition: Precondition) -> PutOptions {
    let index = Key {
        partition: "i".into(),
        sort: if sort.is_empty() { "none" } else { sort }.into(),
    };
    PutOptions {
        precondition,
        index: Some(index),
        expires_at: None,
    }
}

fn put_operation(sort: &str, document: &str, precondition: Precondition) -> Operation {
    Operation::Put(PutOperation {
        key: key(sort),
        document: document.into(),
        options: options(sort, precondition),
    })
}

fn query_options(
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

/// Errors by name, because their texts may change.
fn shown<Outcome>(result: Result<Outcome, Error>, show: impl FnOnce(Outcome) -> String) -> String {
    match result {
        Ok(outcome) => show(outcome),
        Err(Error::Invalid(_)) => "invalid".into(),
        Err(Error::TooLarge(_)) => "too-large".into(),
        Err(other) => format!("{other:?}"),
    }
}

fn show_item(item: Option<Item>) -> String {
    item.map_or_else(|| "none".into(), |item| item.document)
}

fn show_put(outcome: PutOutcome) -> String {
    match outcome {
        PutOutcome::Done(_) => "done".into(),
        PutOutcome::PreconditionFailed(item) => {
            format!("precondition failed on {}", show_item(item))
        }
    }
}

fn show_delete(outcome: DeleteOutcome) -> String {
    match outcome {
        DeleteOutcome::Done => "done".into(),
        DeleteOutcome::PreconditionFailed(item) => {
            format!("precondition failed on {}", show_item(item))
        }
    }
}

fn show_page(page: Page) -> String {
    let sorts: Vec<_> = page
        .entries
        .iter()
        .map(|entry| entry.key.sort.as_str())
        .collect();
    format!(
        "{}{}",
        sorts.join(" "),
        if page.cursor.is_some() {
            " and more"
        } else {
            ""
        }
    )
}

fn show_transact(outcome: TransactOutcome) -> String {
    match outcome {
        TransactOutcome::Done(revisions) => {
            let puts: Vec<_> = revisions
                .iter()
                .map(|revision| if revision.is_some() { "put" } else { "-" })
                .collect();
            format!("done: {}", puts.join(" "))
        }
        TransactOutcome::PreconditionFailed(failed) => {
            format!(
                "precondition {} failed on {}",
                failed.position,
                show_item(failed.item)
            )
        }
    }
}
