//! Makes the host hold as much memory as possible, through every import and in the response. The path selects the method, the query the
//! size of one call: bytes, or elements of a list. Each method repeats its call until the host has received more than a hundred megabytes
//! in total, or stops the guest.

use crate::{
    exports::tenon::handler::handler::Response,
    tenon::handler::{
        http::Field,
        log::{self, Attribute, Level},
        storage::{
            self, Consistency, Direction, Key, KeyedPrecondition, Operation, Precondition,
            PutOperation, PutOptions, QueryOptions, SortRange, TransactOutcome,
        },
    },
    text,
    wasi::{
        cli::{environment, stderr, stdout},
        clocks::{monotonic_clock, wall_clock},
        io::{poll, streams::OutputStream},
        random::{insecure, random},
    },
};

/// Total number of bytes of one method, if its calls are large.
const TOTAL_BYTES: usize = 160 << 20;
/// Largest number of calls of one method.
const CALLS_MAX: usize = 1_100;

/// All methods; a test uses each of them.
pub fn answer(way: &str, size: usize) -> Option<Response> {
    let calls = (TOTAL_BYTES / size.max(1)).clamp(1, CALLS_MAX);
    match way {
        "log-message" => log_message(&"m".repeat(size), calls),
        "log-control-characters" => log_message(&"\u{1}".repeat(size), calls),
        "log-key" => log_attributes(&attributes(1, &"k".repeat(size), "1"), calls),
        "log-value" => log_attributes(&attributes(1, "k", &"v".repeat(size)), calls),
        "log-json" => log_attributes(&attributes(1, "k", &list("0", size)), calls),
        "log-attributes" => {
            log_attributes(&attributes(size, "k", "1"), calls.min(1_000_000 / size))
        }
        "stdout" => output(&stdout::get_stdout(), &vec![b'x'; size], calls),
        "stdout-lines" => output(&stdout::get_stdout(), &vec![b'\n'; size], calls),
        "stderr" => output(&stderr::get_stderr(), &vec![b'x'; size], calls),
        "stderr-no-text" => output(&stderr::get_stderr(), &vec![0xff; size], calls),
        "zeroes" => zeroes(size as u64, calls),
        "random" => random_bytes(size as u64, calls),
        "insecure-random" => insecure_bytes(size as u64, calls),
        "poll" => poll_list(size),
        "resources" => resources(size),
        "environment" => environment_of(calls),
        "clocks" => clocks(calls),
        "get-key" => get_key(size, calls),
        "get-many-keys" => get_many(size, 1, calls),
        "get-many-control-characters" => get_many_control_characters(size, calls),
        "get-many-documents" => return received(get_many_documents(&of_text(size), 100)),
        "get-many-lists" => return received(get_many_documents(&of_lists(size), 12)),
        "get-many-objects" => return received(get_many_documents(&of_objects(size), 12)),
        "put-text" => put(&of_text(size), calls),
        "put-escapes" => put(&of_escapes(size), calls),
        "put-numbers" => put(&of_numbers(size), calls),
        "put-lists" => put(&of_lists(size), calls),
        "put-objects" => put(&of_objects(size), calls),
        "put-members" => put(&format!("{{{}0}}", r#""a":0,"#.repeat(size / 6)), calls),
        "put-blanks" => put(&format!("{{{}}}", " ".repeat(size)), calls),
        "put-revision" => put_revision(size, calls),
        "delete-revision" => delete_revision(size, calls),
        "query-cursor" => query(size, true, calls),
        "query-prefix" => query(size, false, calls),
        "query-index" => query_index(size, calls),
        "query-documents" => return received(query_documents(&of_numbers(size))),
        "query-lists" => return received(query_documents(&of_lists(size))),
        "query-objects" => return received(query_documents(&of_objects(size))),
        "transact-text" => transact_puts(&of_text(size)),
        "transact-escapes" => transact_puts(&of_escapes(size)),
        "transact-numbers" => transact_puts(&of_numbers(size)),
        "transact-lists" => transact_puts(&of_lists(size)),
        "transact-objects" => transact_puts(&of_objects(size)),
        "transact-refused" => return received(transact_refused(&of_lists(size))),
        "transact-operations" => transact_operations(size, calls),
        "transact-token" => transact_token(size, calls),
        "response-body" => return Some(response(Vec::new(), vec![b'x'; size])),
        "response-control-characters" => return Some(response(Vec::new(), vec![1; size])),
        "response-bytes" => return Some(response(Vec::new(), vec![0xff; size])),
        "response-value" => return Some(response(fields(1, &"v".repeat(size)), Vec::new())),
        "response-fields" => return Some(response(fields(size, "v"), Vec::new())),
        _ => return None,
    }
    Some(text("greedy"))
}

/// Says how many bytes of documents the guest received, so that a test notices reads that failed.
fn received(bytes: usize) -> Option<Response> {
    Some(text(&bytes.to_string()))
}

fn of_text(bytes: usize) -> String {
    format!(r#"{{"t":"{}"}}"#, "t".repeat(bytes))
}

fn of_escapes(bytes: usize) -> String {
    format!(r#"{{"t":"{}"}}"#, r"\u0001".repeat(bytes / 6))
}

fn of_numbers(bytes: usize) -> String {
    format!(r#"{{"l":{}}}"#, list("0", bytes))
}

/// Nested lists, each of which takes memory for several values.
fn of_lists(bytes: usize) -> String {
    let chain = ["[".repeat(28), "]".repeat(28)].concat();
    format!(r#"{{"l":{}}}"#, list(&chain, bytes))
}

/// Nested objects, each of which takes memory for several members.
fn of_objects(bytes: usize) -> String {
    let chain = [r#"{"a":"#.repeat(28).as_str(), "0", &"}".repeat(28)].concat();
    format!(r#"{{"l":{}}}"#, list(&chain, bytes))
}

/// `[0,0,...]` with this many bytes.
fn list(element: &str, bytes: usize) -> String {
    format!(
        "[{}{element}]",
        format!("{element},").repeat(bytes / (element.len() + 1))
    )
}

fn log_message(message: &str, calls: usize) {
    for _ in 0..calls {
        log::write(Level::Error, message, &[]);
    }
}

fn attributes(count: usize, key: &str, value: &str) -> Vec<Attribute> {
    let attribute = |number: usize| Attribute {
        key: if count == 1 {
            key.to_owned()
        } else {
            format!("{key}{number}")
        },
        value: value.to_owned(),
    };
    (0..count).map(attribute).collect()
}

fn log_attributes(attributes: &[Attribute], calls: usize) {
    for _ in 0..calls {
        log::write(Level::Error, "", attributes);
    }
}

fn output(stream: &OutputStream, bytes: &[u8], calls: usize) {
    for _ in 0..calls {
        let _ = stream.write(bytes);
    }
}

fn zeroes(length: u64, calls: usize) {
    let stream = stdout::get_stdout();
    for _ in 0..calls {
        let _ = stream.write_zeroes(length);
    }
}

fn random_bytes(length: u64, calls: usize) {
    for _ in 0..calls {
        drop(random::get_random_bytes(length));
    }
}

fn insecure_bytes(length: u64, calls: usize) {
    for _ in 0..calls {
        drop(insecure::get_insecure_random_bytes(length));
    }
}

/// The same pollable, this many times in one list.
fn poll_list(length: usize) {
    let pollable = monotonic_clock::subscribe_duration(1);
    drop(poll::poll(&vec![&pollable; length]));
}

/// This many pollables and streams at the same time.
fn resources(count: usize) {
    let pollables: Vec<_> = (0..count).map(monotonic_clock_instant).collect();
    let streams: Vec<_> = (0..count).map(|_| stdout::get_stdout()).collect();
    drop((pollables, streams));
}

fn monotonic_clock_instant(number: usize) -> poll::Pollable {
    monotonic_clock::subscribe_instant(number as u64)
}

fn environment_of(calls: usize) {
    for _ in 0..calls {
        drop(environment::get_environment());
        drop(environment::get_arguments());
    }
}

fn clocks(calls: usize) {
    for _ in 0..calls {
        monotonic_clock::now();
        wall_clock::now();
    }
}

fn key(partition: &str, sort: &str) -> Key {
    Key {
        partition: partition.to_owned(),
        sort: sort.to_owned(),
    }
}

fn get_key(bytes: usize, calls: usize) {
    let key = key(&"\u{1}".repeat(bytes), "s");
    for _ in 0..calls.min(12) {
        let _ = storage::get(&key, Consistency::Strong);
    }
}

fn get_many(count: usize, bytes: usize, calls: usize) {
    let keys = vec![key(&"p".repeat(bytes), "s"); count];
    for _ in 0..calls.min(12) {
        let _ = storage::get_many(&keys, Consistency::Eventual);
    }
}

/// Valid keys that are six times as long in JSON.
fn get_many_control_characters(bytes: usize, calls: usize) {
    let partition = "\u{1}".repeat(bytes.min(1_900));
    let keys: Vec<_> = (0..100)
        .map(|number| key(&partition, &format!("{number}{}", "\u{1}".repeat(1_000))))
        .collect();
    for _ in 0..calls.min(12) {
        let _ = storage::get_many(&keys, Consistency::Eventual);
    }
}

const PUT: PutOptions = PutOptions {
    precondition: Precondition::None,
    index: None,
    expires_at: None,
};

/// This many documents in one read, again and again.
fn get_many_documents(document: &str, count: usize) -> usize {
    let keys: Vec<_> = (0..count)
        .map(|number| key("greed", &number.to_string()))
        .collect();
    for key in &keys {
        let _ = storage::put(key, document, &PUT);
    }
    let mut bytes = 0;
    for _ in 0..3 {
        let found = storage::get_many(&keys, Consistency::Strong).unwrap_or_default();
        let items = found.iter().flatten();
        bytes += items.map(|item| item.document.len()).sum::<usize>();
    }
    bytes
}

fn put(document: &str, calls: usize) {
    for number in 0..calls.min(3) {
        let _ = storage::put(&key("greed", &number.to_string()), document, &PUT);
    }
}

fn put_revision(bytes: usize, calls: usize) {
    let options = PutOptions {
        precondition: Precondition::Revision("r".repeat(bytes)),
        index: Some(key("i", "s")),
        expires_at: Some(u64::MAX),
    };
    for _ in 0..calls.min(12) {
        let _ = storage::put(&key("greed", "s"), "{}", &options);
    }
}

fn delete_revision(bytes: usize, calls: usize) {
    let precondition = Precondition::Revision("\u{1}".repeat(bytes));
    for _ in 0..calls.min(12) {
        let _ = storage::delete(&key("greed", "s"), &precondition);
    }
}

fn query_options(bytes: usize, has_cursor: bool) -> QueryOptions {
    let long = "\u{1}".repeat(bytes);
    QueryOptions {
        range: match has_cursor {
            true => SortRange::All,
            false => SortRange::Prefix(long.clone()),
        },
        direction: Direction::Ascending,
        limit: 1_000,
        cursor: has_cursor.then_some(long),
    }
}

fn query(bytes: usize, has_cursor: bool, calls: usize) {
    let options = query_options(bytes, has_cursor);
    for _ in 0..calls.min(12) {
        let _ = storage::query("greed", Consistency::Strong, &options);
    }
}

fn query_index(bytes: usize, calls: usize) {
    let partition = "\u{1}".repeat(bytes);
    for _ in 0..calls.min(12) {
        let _ = storage::query_index(&partition, &query_options(1, false));
    }
}

/// Pages over twelve documents.
fn query_documents(document: &str) -> usize {
    for number in 0..12 {
        let _ = storage::put(&key("pages", &number.to_string()), document, &PUT);
    }
    let mut options = QueryOptions {
        range: SortRange::All,
        ..query_options(0, true)
    };
    options.cursor = None;
    let mut bytes = 0;
    for _ in 0..30 {
        let Ok(page) = storage::query("pages", Consistency::Strong, &options) else {
            break;
        };
        let documents = page.entries.iter().map(|entry| &entry.item.document);
        bytes += documents.map(String::len).sum::<usize>();
        options.cursor = page.cursor;
        if options.cursor.is_none() {
            break;
        }
    }
    bytes
}

fn transact_puts(document: &str) {
    transact(document, &PUT);
}

/// A transaction of a hundred puts, twice. Returns the bytes of the documents that prevented it.
fn transact(document: &str, options: &PutOptions) -> usize {
    let operations: Vec<_> = (0..100)
        .map(|number| {
            Operation::Put(PutOperation {
                key: key("greed", &number.to_string()),
                document: document.to_owned(),
                options: options.clone(),
            })
        })
        .collect();
    let mut bytes = 0;
    for _ in 0..2 {
        if let Ok(TransactOutcome::PreconditionFailed(failed)) =
            storage::transact(&operations, None)
        {
            bytes += failed.item.map_or(0, |item| item.document.len());
        }
    }
    bytes
}

/// A transaction that fails because of twelve existing documents.
fn transact_refused(document: &str) -> usize {
    for number in 0..12 {
        let _ = storage::put(&key("greed", &number.to_string()), document, &PUT);
    }
    let options = PutOptions {
        precondition: Precondition::Absent,
        ..PUT
    };
    transact("{}", &options)
}

/// More operations than are allowed.
fn transact_operations(count: usize, calls: usize) {
    let operation = Operation::Check(KeyedPrecondition {
        key: key("\u{1}", "\u{1}"),
        precondition: Precondition::Present,
    });
    let operations = vec![operation; count];
    for _ in 0..calls.min(2) {
        let _ = storage::transact(&operations, None);
    }
}

fn transact_token(bytes: usize, calls: usize) {
    let token = "\u{1}".repeat(bytes);
    let operations = [Operation::Delete(KeyedPrecondition {
        key: key("greed", "s"),
        precondition: Precondition::None,
    })];
    for _ in 0..calls.min(12) {
        let _ = storage::transact(&operations, Some(&token));
    }
}

fn fields(count: usize, value: &str) -> Vec<Field> {
    let field = |number: usize| Field {
        name: format!("x{number}"),
        value: value.to_owned(),
    };
    (0..count).map(field).collect()
}

fn response(headers: Vec<Field>, body: Vec<u8>) -> Response {
    Response {
        status: 200,
        headers,
        body,
    }
}
