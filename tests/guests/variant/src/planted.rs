//! One change in what the guest answers, writes, calls or costs: `VARIANT` selects it; without it there is none.

use crate::{
    App, Request, Response,
    component::bindings::{
        tenon::handler::storage::{
            self, Consistency, Error, Item, Key, Precondition, PutOptions, PutOutcome,
        },
        wasi::cli::environment::get_environment,
    },
    host::Host,
    log::Level,
};
use alloc::{
    borrow::ToOwned,
    string::{String, ToString},
};
use core::{cell::RefCell, hint::black_box};

/// The change, and what was read first. A component has one thread and answers one request.
struct Plan {
    variant: RefCell<String>,
    read: RefCell<Option<Key>>,
}

// SAFETY: a component of this world has one thread.
#[allow(unsafe_code)]
unsafe impl Sync for Plan {}

static PLAN: Plan = Plan {
    variant: RefCell::new(String::new()),
    read: RefCell::new(None),
};

pub fn answer(app: &App, request: Request, host: &Host) -> Response {
    let environment = get_environment().into_iter();
    let mut variants = environment.filter(|(name, _)| name == "VARIANT");
    let variant = variants.next().map_or(String::new(), |(_, value)| value);
    PLAN.variant.replace(variant.clone());
    match variant.as_str() {
        "reads-a-then-b" => touch(&["a", "b"]),
        "reads-b-then-a" => touch(&["b", "a"]),
        "more-work" => spin(),
        _ => {}
    }
    let (is_put, request_id) = (request.method == "PUT", request.request_id.clone());
    let mut response = app.answer(request, host);
    match variant.as_str() {
        "wrong-status" if response.status == 200 => response.status = 203,
        "dropped-field" => drop_field(&mut response),
        "changed-header" => {
            let mut headers = response.headers.iter_mut();
            if let Some((_, value)) = headers.find(|(name, _)| name == "etag") {
                *value = "\"planted\"".into();
            }
        }
        "extra-write" if is_put => {
            let key = Key {
                partition: "audit".to_owned(),
                sort: request_id,
            };
            let options = PutOptions {
                precondition: Precondition::None,
                index: None,
                expires_at: None,
            };
            let _ = storage::put(&key, "{\"planted\":true}", &options);
        }
        "extra-read" => {
            if let Some(key) = PLAN.read.take() {
                let _ = storage::get(&key, Consistency::Strong);
            }
        }
        "extra-log" => host.log(Level::Warn, "planted", &[]),
        _ => {}
    }
    response
}

/// As the guest reads, which is remembered.
pub fn get(key: &Key, consistency: Consistency) -> Result<Option<Item>, Error> {
    PLAN.read.borrow_mut().get_or_insert_with(|| key.clone());
    storage::get(key, consistency)
}

/// As the guest writes, with the change.
pub fn put(key: &Key, document: &str, options: &PutOptions) -> Result<PutOutcome, Error> {
    let mut options = options.clone();
    let mut document = document.to_owned();
    match PLAN.variant.borrow().as_str() {
        "missing-write" => return Ok(PutOutcome::Done("planted".to_owned())),
        "lost-precondition" => options.precondition = Precondition::None,
        "other-document" => {
            document = document.replacen("\"name\":\"", "\"name\":\"planted ", 1);
        }
        _ => {}
    }
    storage::put(key, &document, &options)
}

/// Drops the member `name` of a JSON object.
#[expect(clippy::disallowed_methods, reason = "an answer of this guest")]
fn drop_field(response: &mut Response) {
    if let Ok(serde_json::Value::Object(mut members)) = serde_json::from_slice(&response.body) {
        members.remove("name");
        response.body = serde_json::Value::Object(members).to_string().into_bytes();
    }
}

/// Costs about ten times as much as a small request.
fn spin() {
    let mut number = 1_u64;
    for step in 0..400_000_u64 {
        number = black_box(
            number
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(step),
        );
    }
    black_box(number);
}

fn touch(ids: &[&str]) {
    for id in ids {
        let key = Key {
            partition: "touched".to_owned(),
            sort: (*id).to_owned(),
        };
        let _ = storage::get(&key, Consistency::Strong);
    }
}
