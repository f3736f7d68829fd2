//! What is written reads back as it was, and is written the same again.

use super::{
    Arguments, Function,
    read::{OperationArguments, PutArguments, ResultRecord},
    write::{Answered, Asked, Documents, write_result},
};
use crate::storage::{
    Consistency, DeleteOutcome, Direction, Document, Entry, Item, Key, Operation, Page,
    Precondition, PutOptions, PutOutcome, QueryOptions, Revision, SortRange, StorageError,
    TransactOutcome,
};
use serde_json::value::RawValue;

/// Documents as they are.
struct Plain;

impl Documents for Plain {
    fn write(&mut self, out: &mut Vec<u8>, document: &Document) {
        out.extend_from_slice(document.as_str().as_bytes());
    }
}

fn key(sort: &str) -> Key {
    Key {
        partition: "p \"ü\n".to_owned(),
        sort: sort.to_owned(),
    }
}

fn document() -> Document {
    Document::parse(r#"{"n":1.000000000000000000000000000000000001,"t":"\"\u0001"}"#).unwrap()
}

fn item() -> Item {
    Item {
        document: document(),
        revision: Revision::from("r1".to_owned()),
        index: Some(key("i")),
        expires_at: Some(u64::MAX),
    }
}

fn options() -> PutOptions {
    PutOptions {
        precondition: Precondition::Revision(Revision::from("r0".to_owned())),
        index: Some(key("i")),
        expires_at: Some(7),
    }
}

fn read(asked: &Asked<'_>) -> Arguments {
    let mut out = Vec::new();
    asked.write(&mut out, &mut Plain);
    let raw = RawValue::from_string(String::from_utf8(out).unwrap()).unwrap();
    Arguments::read(asked.function(), &raw).unwrap()
}

#[test]
fn the_arguments_of_every_function_read_back() {
    let (at, document, options) = (key("s"), document(), options());
    assert_eq!(
        read(&Asked::Get(&at, Consistency::Strong)),
        Arguments::Get {
            key: at.clone(),
            consistency: Consistency::Strong
        }
    );
    let keys = [key("a"), key("b")];
    assert_eq!(
        read(&Asked::GetMany(&keys, Consistency::Eventual)),
        Arguments::GetMany {
            keys: keys.to_vec(),
            consistency: Consistency::Eventual
        }
    );
    let put = PutArguments {
        key: at.clone(),
        document: Some(document.clone()),
        options: options.clone(),
    };
    assert_eq!(
        read(&Asked::Put(&at, &document, &options)),
        Arguments::Put(put.clone())
    );
    for precondition in [
        Precondition::None,
        Precondition::Absent,
        Precondition::Present,
    ] {
        let deleted = read(&Asked::Delete(&at, &precondition));
        assert_eq!(
            deleted,
            Arguments::Delete {
                key: at.clone(),
                precondition
            }
        );
    }
    let operations = [
        Operation::Put {
            key: at.clone(),
            document: document.clone(),
            options: options.clone(),
        },
        Operation::Delete {
            key: key("b"),
            precondition: Precondition::Present,
        },
        Operation::Check {
            key: key("c"),
            precondition: Precondition::Absent,
        },
    ];
    assert_eq!(
        read(&Asked::Transact(&operations, Some("t"))),
        Arguments::Transact {
            operations: vec![
                OperationArguments::Put(put),
                OperationArguments::Delete {
                    key: key("b"),
                    precondition: Precondition::Present
                },
                OperationArguments::Check {
                    key: key("c"),
                    precondition: Precondition::Absent
                },
            ],
            token: Some("t".to_owned()),
        }
    );
}

#[test]
fn every_range_of_a_query_reads_back() {
    let text = || "x".to_owned();
    for range in [
        SortRange::All,
        SortRange::Prefix(text()),
        SortRange::AtLeast(text()),
        SortRange::AtMost(text()),
        SortRange::Between(text(), "y".to_owned()),
    ] {
        for (direction, cursor) in [
            (Direction::Ascending, None),
            (Direction::Descending, Some(text())),
        ] {
            let options = QueryOptions {
                range: range.clone(),
                direction,
                limit: 3,
                cursor,
            };
            let partition = text();
            assert_eq!(
                read(&Asked::Query("x", Consistency::Strong, &options)),
                Arguments::Query {
                    partition: partition.clone(),
                    consistency: Consistency::Strong,
                    options: options.clone(),
                }
            );
            assert_eq!(
                read(&Asked::QueryIndex("x", &options)),
                Arguments::QueryIndex { partition, options }
            );
        }
    }
}

fn written(result: Result<Answered<'_>, &StorageError>) -> String {
    let mut out = Vec::new();
    write_result(&mut out, result, &mut Plain);
    String::from_utf8(out).unwrap()
}

macro_rules! assert_reads_back {
    ($function:ident, $answered:expr, $value:expr) => {{
        let value = $value;
        let text = written(Ok($answered(&value)));
        let record: ResultRecord<'_> = serde_json::from_str(&text).unwrap();
        assert_eq!(record.$function().unwrap().unwrap(), value, "{text}");
    }};
}

#[test]
fn every_outcome_reads_back() {
    assert_reads_back!(get, Answered::Get, None);
    assert_reads_back!(get, Answered::Get, Some(item()));
    let many = vec![None, Some(item())];
    let text = written(Ok(Answered::GetMany(&many)));
    let record: ResultRecord<'_> = serde_json::from_str(&text).unwrap();
    assert_eq!(record.get_many().unwrap().unwrap(), many);
    assert_reads_back!(
        put,
        Answered::Put,
        PutOutcome::Done(Revision::from("r".to_owned()))
    );
    assert_reads_back!(put, Answered::Put, PutOutcome::PreconditionFailed(None));
    assert_reads_back!(
        put,
        Answered::Put,
        PutOutcome::PreconditionFailed(Some(item()))
    );
    assert_reads_back!(delete, Answered::Delete, DeleteOutcome::Done);
    assert_reads_back!(
        delete,
        Answered::Delete,
        DeleteOutcome::PreconditionFailed(Some(item()))
    );
    let entry = Entry {
        key: key("s"),
        item: item(),
    };
    assert_reads_back!(
        page,
        Answered::Page,
        Page {
            entries: vec![entry],
            cursor: Some("c".to_owned())
        }
    );
    assert_reads_back!(
        page,
        Answered::Page,
        Page {
            entries: vec![],
            cursor: None
        }
    );
    let done = vec![Some(Revision::from("r".to_owned())), None];
    assert_reads_back!(transact, Answered::Transact, TransactOutcome::Done(done));
    assert_reads_back!(
        transact,
        Answered::Transact,
        TransactOutcome::PreconditionFailed {
            position: 2,
            item: Some(item())
        }
    );
}

#[test]
fn every_error_reads_back() {
    for error in [
        StorageError::Invalid("a".to_owned()),
        StorageError::TooLarge("b".to_owned()),
        StorageError::Throttled {
            retry_after_ms: None,
        },
        StorageError::Throttled {
            retry_after_ms: Some(3),
        },
        StorageError::Unavailable,
        StorageError::Conflict,
        StorageError::OutcomeUnknown,
        StorageError::Misconfigured,
        StorageError::Internal,
    ] {
        let text = written(Err(&error));
        let record: ResultRecord<'_> = serde_json::from_str(&text).unwrap();
        assert_eq!(record.get().unwrap().unwrap_err(), error, "{text}");
    }
}

#[test]
fn results_of_another_shape_are_errors() {
    for text in [
        r#"{}"#,
        r#"{"ok":5}"#,
        r#"{"ok":{"revision":"r"}}"#,
        r#"{"error":"tired"}"#,
        r#"{"ok":[]}"#,
    ] {
        let record: ResultRecord<'_> = serde_json::from_str(text).unwrap();
        assert!(record.get().is_err(), "{text}");
    }
    let raw = RawValue::from_string("{}".to_owned()).unwrap();
    assert!(Arguments::read(Function::Query, &raw).is_err());
}
