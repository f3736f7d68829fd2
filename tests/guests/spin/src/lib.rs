//! A component of `wasi:http` with what Spin's components import: its own interfaces, and a `batch` of `wasi:keyvalue` whose `get-many` has
//! another type than the proposal's under the same version.

wit_bindgen::generate!({
    inline: "
        package test:spin;
        world spin {
            import wasi:keyvalue/store@0.2.0-draft2;
            import wasi:keyvalue/batch@0.2.0-draft2;
            import fermyon:spin/key-value@2.0.0;
            import fermyon:spin/variables@2.0.0;
            export wasi:http/incoming-handler@0.2.6;
        }
        package wasi:keyvalue@0.2.0-draft2 {
            interface store {
                variant error { no-such-store, access-denied, other(string) }
                resource bucket;
                open: func(identifier: string) -> result<bucket, error>;
            }
            interface batch {
                use store.{bucket, error};
                get-many: func(bucket: borrow<bucket>, keys: list<string>)
                    -> result<list<tuple<string, option<list<u8>>>>, error>;
            }
        }
        package fermyon:spin@2.0.0 {
            interface key-value {
                variant error { store-table-full, no-such-store, access-denied, other(string) }
                resource store {
                    open: static func(label: string) -> result<store, error>;
                    get: func(key: string) -> result<option<list<u8>>, error>;
                    set: func(key: string, value: list<u8>) -> result<_, error>;
                    delete: func(key: string) -> result<_, error>;
                    exists: func(key: string) -> result<bool, error>;
                    get-keys: func() -> result<list<string>, error>;
                }
            }
            interface variables {
                variant error { invalid-name(string), undefined(string), provider(string), other(string) }
                get: func(name: string) -> result<string, error>;
            }
        }
    ",
    path: [
        "../../../crates/runtime/wit/deps/wasi-io.wit",
        "../../../crates/runtime/wit/deps/wasi-clocks.wit",
        "../../../crates/runtime/wit/deps/wasi-http.wit",
    ],
    world: "test:spin/spin",
    generate_all,
});

use exports::wasi::http::incoming_handler::Guest;
use fermyon::spin::{
    key_value::{Error, Store},
    variables,
};
use wasi::{
    http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam},
    keyvalue::{batch, store},
};

struct Spin;

impl Guest for Spin {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let target = request.path_with_query().unwrap_or_default();
        let text = match target.as_str() {
            "/keys" => keys().unwrap(),
            "/full" => full(),
            _ => format!(
                "{:?} {:?}",
                variables::get("greeting"),
                variables::get("absent")
            ),
        };
        let response = OutgoingResponse::new(Fields::new());
        let body = response.body().unwrap();
        ResponseOutparam::set(out, Ok(response));
        let stream = body.write().unwrap();
        stream.blocking_write_and_flush(text.as_bytes()).unwrap();
        drop(stream);
        OutgoingBody::finish(body, None).unwrap();
    }
}

fn keys() -> Result<String, Error> {
    assert!(matches!(Store::open("other"), Err(Error::NoSuchStore)));
    let store = Store::open("default")?;
    for key in ["a", "b", "c"] {
        store.set(key, key.to_uppercase().as_bytes())?;
    }
    store.delete("b")?;
    let mut keys = store.get_keys()?;
    keys.sort();
    let there = (store.exists("a")?, store.exists("b")?);
    let bucket = store::open("default").unwrap();
    let names = ["b", "a", "a"].map(str::to_owned);
    let found = batch::get_many(&bucket, &names).unwrap();
    Ok(format!(
        "{keys:?} {there:?} {:?} {found:?}",
        store.get("c")?
    ))
}

/// Opens stores until no more can be opened.
fn full() -> String {
    let mut stores = Vec::new();
    loop {
        match Store::open("default") {
            Ok(store) => stores.push(store),
            Err(error) => return format!("{} {error:?}", stores.len() > 1000),
        }
    }
}

export!(Spin);
