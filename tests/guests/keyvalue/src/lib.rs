//! A component of `wasi:http` whose requests are lines of words, separated by tabs: an operation of `wasi:keyvalue`, the number of the draft,
//! and its arguments. The response has a line for each.

wit_bindgen::generate!({
    inline: "
        package test:keyvalue;
        world keyvalue {
            import wasi:keyvalue/store@0.2.0-draft;
            import wasi:keyvalue/atomics@0.2.0-draft;
            import wasi:keyvalue/batch@0.2.0-draft;
            import wasi:keyvalue/store@0.2.0-draft2;
            import wasi:keyvalue/atomics@0.2.0-draft2;
            import wasi:keyvalue/batch@0.2.0-draft2;
            export wasi:http/incoming-handler@0.2.6;
        }
    ",
    path: ["../../../wit", "../../../crates/runtime/wit"],
    world: "test:keyvalue/keyvalue",
    generate_all,
});

mod cas;

use exports::wasi::http::incoming_handler::Guest;
use wasi::http::types::{
    Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam,
};

struct Keyvalue;

impl Guest for Keyvalue {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let mut handles = cas::Handles::default();
        let mut text = String::new();
        for line in read(&request).lines() {
            let words: Vec<&str> = line.split('\t').collect();
            text += &match words.as_slice() {
                [operation, "1", arguments @ ..] => first::run(operation, arguments),
                ["cas", "2", arguments @ ..] => handles.run(arguments),
                [operation, "2", arguments @ ..] => second::run(operation, arguments),
                _ => "no operation".to_owned(),
            };
            text.push('\n');
        }
        respond(out, text.as_bytes());
    }
}

/// What both drafts have, with the cursors and numbers of one of them.
macro_rules! draft {
    ($name:ident, $package:ident, $cursor:ty, $number:ty, |$held:ident| $borrowed:expr) => {
        mod $name {
            use crate::{
                Page, bytes, shown,
                wasi::$package::{atomics, batch, store},
            };

            pub fn run(operation: &str, arguments: &[&str]) -> String {
                let done = match operation {
                    "open" => store::open(arguments[0]).map(|_| "a bucket".to_owned()),
                    "forget" => {
                        for _ in 0..arguments[0].parse().unwrap() {
                            std::mem::forget(store::open("default").unwrap());
                        }
                        Ok("forgotten".to_owned())
                    }
                    _ => with(&store::open("default").unwrap(), operation, arguments),
                };
                match done {
                    Ok(text) => text,
                    Err(store::Error::Other(text)) => format!("error: {text}"),
                    Err(error) => format!("{error:?}"),
                }
            }

            fn with(
                bucket: &store::Bucket,
                operation: &str,
                arguments: &[&str],
            ) -> Result<String, store::Error> {
                Ok(match (operation, arguments) {
                    ("get", [key]) => shown(bucket.get(key)?),
                    ("set", [key, value]) => format!("{:?}", bucket.set(key, &bytes(value))?),
                    ("set-length", [key, length]) => {
                        let value = vec![b'v'; length.parse().unwrap()];
                        format!("{:?}", bucket.set(key, &value)?)
                    }
                    ("set-long-key", [length]) => {
                        let key = "k".repeat(length.parse().unwrap());
                        format!("{:?}", bucket.set(&key, b"")?)
                    }
                    ("delete", [key]) => format!("{:?}", bucket.delete(key)?),
                    ("exists", [key]) => format!("{:?}", bucket.exists(key)?),
                    ("add", [key, delta]) => {
                        let delta: $number = delta.parse().unwrap();
                        format!("{:?}", atomics::increment(bucket, key, delta)?)
                    }
                    ("page", cursor) => {
                        let cursor: Option<$cursor> =
                            cursor.first().map(|cursor| cursor.parse().unwrap());
                        page(bucket, cursor)?.shown()
                    }
                    ("all", []) => all(bucket)?,
                    ("get-many", keys) => {
                        let keys: Vec<String> = keys.iter().map(|key| key.to_string()).collect();
                        let found = batch::get_many(bucket, &keys)?;
                        let found = found.into_iter().map(|pair| match pair {
                            Some((key, value)) => format!("{key}={}", shown(Some(value))),
                            None => "none".to_owned(),
                        });
                        found.collect::<Vec<_>>().join(" ")
                    }
                    ("set-many", pairs) => {
                        let pairs = pairs.iter().map(|pair| pair.split_once('=').unwrap());
                        let pairs: Vec<_> = pairs
                            .map(|(key, value)| (key.to_owned(), bytes(value)))
                            .collect();
                        format!("{:?}", batch::set_many(bucket, &pairs)?)
                    }
                    ("fill", [count, length]) => {
                        let (count, length): (u32, usize) =
                            (count.parse().unwrap(), length.parse().unwrap());
                        let pairs: Vec<_> = (0..count)
                            .map(|number| (format!("key-{number}"), vec![b'v'; length]))
                            .collect();
                        format!("{:?}", batch::set_many(bucket, &pairs)?)
                    }
                    ("delete-many", keys) => {
                        let keys: Vec<String> = keys.iter().map(|key| key.to_string()).collect();
                        format!("{:?}", batch::delete_many(bucket, &keys)?)
                    }
                    _ => "no operation".to_owned(),
                })
            }

            fn page(bucket: &store::Bucket, cursor: Option<$cursor>) -> Result<Page, store::Error> {
                let $held = cursor;
                let page = bucket.list_keys($borrowed)?;
                Ok(Page {
                    keys: page.keys,
                    cursor: page.cursor.map(|cursor| cursor.to_string()),
                })
            }

            /// All keys, and on how many pages they were.
            fn all(bucket: &store::Bucket) -> Result<String, store::Error> {
                let (mut keys, mut pages, mut cursor) = (Vec::new(), 0, None);
                loop {
                    let page = page(bucket, cursor)?;
                    pages += 1;
                    keys.extend(page.keys);
                    match page.cursor {
                        Some(next) => cursor = Some(next.parse().unwrap()),
                        None => break,
                    }
                }
                keys.sort();
                Ok(format!("{pages} pages: {}", keys.join(",")))
            }
        }
    };
}

draft!(first, keyvalue0_2_0_draft, u64, u64, |cursor| cursor);
draft!(second, keyvalue0_2_0_draft2, String, i64, |cursor| cursor
    .as_deref());

/// A page of a list.
pub struct Page {
    keys: Vec<String>,
    cursor: Option<String>,
}

impl Page {
    fn shown(mut self) -> String {
        self.keys.sort();
        let cursor = self.cursor.unwrap_or_default();
        format!("{cursor}\t{}", self.keys.join(","))
    }
}

/// A value: text, or bytes in hexadecimal digits after `0x`.
pub fn bytes(text: &str) -> Vec<u8> {
    match text.strip_prefix("0x") {
        Some(digits) => (0..digits.len() / 2)
            .map(|at| u8::from_str_radix(&digits[2 * at..][..2], 16).unwrap())
            .collect(),
        None => text.as_bytes().to_vec(),
    }
}

/// The same of a value, or the length of one that is long.
pub fn shown(value: Option<Vec<u8>>) -> String {
    match value {
        None => "none".to_owned(),
        Some(value) if value.len() > 1000 => format!("{} bytes", value.len()),
        Some(value) => String::from_utf8(value).unwrap_or_else(|error| {
            let digits = error.as_bytes().iter();
            digits.fold("0x".to_owned(), |text, byte| format!("{text}{byte:02x}"))
        }),
    }
}

fn read(request: &IncomingRequest) -> String {
    let body = request.consume().unwrap();
    let stream = body.stream().unwrap();
    let mut bytes = Vec::new();
    while let Ok(piece) = stream.blocking_read(u64::MAX) {
        bytes.extend(piece);
    }
    String::from_utf8(bytes).unwrap()
}

fn respond(out: ResponseOutparam, bytes: &[u8]) {
    let headers = [("content-type".to_owned(), b"text/plain".to_vec())];
    let response = OutgoingResponse::new(Fields::from_list(&headers).unwrap());
    let body = response.body().unwrap();
    ResponseOutparam::set(out, Ok(response));
    let stream = body.write().unwrap();
    for piece in bytes.chunks(4096) {
        stream.blocking_write_and_flush(piece).unwrap();
    }
    drop(stream);
    OutgoingBody::finish(body, None).unwrap();
}

export!(Keyvalue);
