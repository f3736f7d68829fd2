//! One change in what the guest answers, writes, calls or costs: `VARIANT` selects it; without it there is none.

use crate::{
    glue::bindings::wasi::cli::environment::get_environment,
    http::{Request, Response},
    ports::{
        Consistency, DeleteOutcome, Host, Key, Level, Page, PageRequest, Precondition, Put,
        PutOutcome, StorageError, Stored, TransactOutcome,
    },
};
use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::{cell::RefCell, hint::black_box};

pub fn handle(request: &Request, host: &dyn Host) -> Response {
    let variant = get_environment()
        .into_iter()
        .find(|(name, _)| name == "VARIANT")
        .map_or(String::new(), |(_, value)| value);
    let varied = Varied {
        host,
        variant: &variant,
        read: RefCell::new(None),
    };
    match variant.as_str() {
        "reads-a-then-b" => varied.touch(&["a", "b"]),
        "reads-b-then-a" => varied.touch(&["b", "a"]),
        "more-work" => spin(),
        _ => {}
    }
    let mut response = crate::unchanged(request, &varied);
    match variant.as_str() {
        "wrong-status" if response.status == 200 => response.status = 203,
        "dropped-field" => drop_field(&mut response),
        "changed-header" => {
            if let Some((_, value)) = response
                .headers
                .iter_mut()
                .find(|(name, _)| *name == "etag")
            {
                *value = "\"planted\"".into();
            }
        }
        "extra-write" if request.method == "PUT" => {
            let _ = host.put(&Put {
                key: Key {
                    partition: "audit".into(),
                    sort: request.request_id.clone(),
                },
                document: "{\"planted\":true}".to_string(),
                precondition: Precondition::None,
                index: None,
                expires_at: None,
            });
        }
        "extra-read" => {
            let read = varied.read.borrow_mut().take();
            if let Some(key) = read {
                let _ = host.get(&key, Consistency::Strong);
            }
        }
        "extra-log" => host.log(Level::Warn, "planted", &[]),
        _ => {}
    }
    response
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

/// The host with changed writes.
struct Varied<'a> {
    host: &'a dyn Host,
    variant: &'a str,
    /// What was read first.
    read: RefCell<Option<Key>>,
}

impl Varied<'_> {
    fn touch(&self, ids: &[&str]) {
        for id in ids {
            let key = Key {
                partition: "touched".into(),
                sort: (*id).into(),
            };
            let _ = self.host.get(&key, Consistency::Strong);
        }
    }
}

impl Host for Varied<'_> {
    fn get(&self, key: &Key, consistency: Consistency) -> Result<Option<Stored>, StorageError> {
        self.read.borrow_mut().get_or_insert_with(|| key.clone());
        self.host.get(key, consistency)
    }

    fn get_many(
        &self,
        keys: &[Key],
        consistency: Consistency,
    ) -> Result<Vec<Option<Stored>>, StorageError> {
        self.host.get_many(keys, consistency)
    }

    fn put(&self, put: &Put) -> Result<PutOutcome, StorageError> {
        let mut put = put.clone();
        match self.variant {
            "missing-write" => return Ok(PutOutcome::Done("planted".into())),
            "lost-precondition" => put.precondition = Precondition::None,
            "other-document" => {
                put.document = put
                    .document
                    .replacen("\"name\":\"", "\"name\":\"planted ", 1)
            }
            _ => {}
        }
        self.host.put(&put)
    }

    fn delete(
        &self,
        key: &Key,
        precondition: &Precondition,
    ) -> Result<DeleteOutcome, StorageError> {
        self.host.delete(key, precondition)
    }

    fn query(
        &self,
        partition: &str,
        consistency: Consistency,
        page: &PageRequest,
    ) -> Result<Page, StorageError> {
        self.host.query(partition, consistency, page)
    }

    fn query_index(&self, partition: &str, page: &PageRequest) -> Result<Page, StorageError> {
        self.host.query_index(partition, page)
    }

    fn transact(&self, puts: &[Put]) -> Result<TransactOutcome, StorageError> {
        self.host.transact(puts)
    }

    fn random_u64(&self) -> u64 {
        self.host.random_u64()
    }

    fn log(&self, level: Level, message: &str, attributes: &[(&str, &str)]) {
        self.host.log(level, message, attributes);
    }
}
