//! What is written reads back unchanged, and is written the same again.

use super::{
    RecordedArguments, StorageFunction, read::ResultRecord, read_arguments, write::Documents,
    write_arguments, write_result,
};
use serde_json::value::RawValue;
use storage::{
    Consistency, DeleteOutcome, Direction, Document, Entry, Item, Key, Operation, Page,
    Precondition, PutOptions, PutOutcome, QueryOptions, Revision, SortRange, StorageError,
    StorageRequest, StorageResponse, TransactOutcome,
};

/// Documents unchanged.
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

fn read(request: &StorageRequest) -> RecordedArguments {
    let mut out = Vec::new();
    write_arguments(&mut out, request, &mut Plain);
    let raw = RawValue::from_string(String::from_utf8(out).unwrap()).unwrap();
    read_arguments(request.function(), &raw).unwrap()
}

#[test]
fn the_arguments_of_every_function_read_back() {
    let get = StorageRequest::Get {
        key: key("s"),
        consistency: Consistency::Strong,
    };
    assert_eq!(
        read(&get),
        StorageRequest::Get {
            key: key("s"),
            consistency: Consistency::Strong
        }
    );
    let get_many = StorageRequest::GetMany {
        keys: vec![key("a"), key("b")],
        consistency: Consistency::Eventual,
    };
    assert_eq!(
        read(&get_many),
        StorageRequest::GetMany {
            keys: vec![key("a"), key("b")],
            consistency: Consistency::Eventual
        }
    );
    let put = StorageRequest::Put {
        key: key("s"),
        document: document(),
        options: options(),
    };
    assert_eq!(
        read(&put),
        StorageRequest::Put {
            key: key("s"),
            document: Some(document()),
            options: options(),
        }
    );
    for precondition in [
        Precondition::None,
        Precondition::Absent,
        Precondition::Present,
    ] {
        let delete = StorageRequest::Delete {
            key: key("s"),
            precondition: precondition.clone(),
        };
        assert_eq!(
            read(&delete),
            StorageRequest::Delete {
                key: key("s"),
                precondition
            }
        );
    }
    assert_eq!(
        read(&transact(document())),
        transact(Some(document())),
        "a document is known as a whole"
    );
}

fn transact<D>(document: D) -> StorageRequest<D> {
    StorageRequest::Transact {
        operations: vec![
            Operation::Put {
                key: key("s"),
                document,
                options: options(),
            },
            Operation::Delete {
                key: key("b"),
                precondition: Precondition::Present,
            },
            Operation::Check {
                key: key("c"),
                precondition: Precondition::Absent,
            },
        ],
        token: Some("t".to_owned()),
    }
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
            let query = StorageRequest::Query {
                partition: partition.clone(),
                consistency: Consistency::Strong,
                options: options.clone(),
            };
            assert_eq!(
                read(&query),
                StorageRequest::Query {
                    partition: partition.clone(),
                    consistency: Consistency::Strong,
                    options: options.clone(),
                }
            );
            let query_index = StorageRequest::QueryIndex {
                partition: partition.clone(),
                options: options.clone(),
            };
            assert_eq!(
                read(&query_index),
                StorageRequest::QueryIndex { partition, options }
            );
        }
    }
}

fn written(result: Result<&StorageResponse, &StorageError>) -> String {
    let mut out = Vec::new();
    write_result(&mut out, result, &mut Plain);
    String::from_utf8(out).unwrap()
}

#[test]
fn every_outcome_reads_back() {
    use StorageFunction as F;
    use StorageResponse as R;
    let revision = || Revision::from("r".to_owned());
    let entry = Entry {
        key: key("s"),
        item: item(),
    };
    let page = Page {
        entries: vec![entry],
        cursor: Some("c".to_owned()),
    };
    let empty = Page {
        entries: vec![],
        cursor: None,
    };
    let refused = TransactOutcome::PreconditionFailed {
        position: 2,
        item: Some(item()),
    };
    for (function, response) in [
        (F::Get, R::Get(None)),
        (F::Get, R::Get(Some(item()))),
        (F::GetMany, R::GetMany(vec![None, Some(item())])),
        (F::Put, R::Put(PutOutcome::Done(revision()))),
        (F::Put, R::Put(PutOutcome::PreconditionFailed(None))),
        (F::Put, R::Put(PutOutcome::PreconditionFailed(Some(item())))),
        (F::Delete, R::Delete(DeleteOutcome::Done)),
        (
            F::Delete,
            R::Delete(DeleteOutcome::PreconditionFailed(Some(item()))),
        ),
        (F::Query, R::Query(page.clone())),
        (F::QueryIndex, R::QueryIndex(page)),
        (F::Query, R::Query(empty)),
        (
            F::Transact,
            R::Transact(TransactOutcome::Done(vec![Some(revision()), None])),
        ),
        (F::Transact, R::Transact(refused)),
    ] {
        let text = written(Ok(&response));
        let record: ResultRecord<'_> = serde_json::from_str(&text).unwrap();
        assert_eq!(record.read(function).unwrap().unwrap(), response, "{text}");
    }
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
        assert_eq!(
            record.read(StorageFunction::Get).unwrap().unwrap_err(),
            error,
            "{text}"
        );
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
        assert!(record.read(StorageFunction::Get).is_err(), "{text}");
    }
    let raw = RawValue::from_string("{}".to_owned()).unwrap();
    assert!(read_arguments(StorageFunction::Query, &raw).is_err());
}
