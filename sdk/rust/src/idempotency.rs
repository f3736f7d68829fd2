//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07): a request that is sent again has no further effect.

use crate::{
    Context, FromRequest, Problem,
    contract::RawKey,
    extract::FromRequestOptional,
    json::{Document, FromJson, ToJson, Value},
    store::{Key, Operation, StorageError, Transaction, TransactionError, Write},
};
use alloc::{
    borrow::ToOwned,
    format,
    rc::Rc,
    string::{String, ToString},
    vec::Vec,
};
use core::cell::Cell;
use sha2::{Digest, Sha256};

const CHARACTERS_MAX: usize = 255;
const RECORD_SECONDS: u64 = 24 * 3600;
/// The members of a record.
const FINGERPRINT: &str = "fingerprint";
const RECEIPT: &str = "receipt";

/// A client's name for one logical request. `Option<IdempotencyKey>` takes requests without one, which are otherwise answered with 400.
///
/// [`Transaction::send_once`] writes a record in the same transaction, so that neither exists without the other. The record belongs to a
/// caller (by its subject, otherwise by its claims) and a key, expires after a day, and holds what the response needs and the repeated request does not bring:
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use tenon::{Context, Created, IdempotencyKey, IntoResponse, Json, Problem};
/// use tenon::store::{Operation, Partition};
///
/// #[derive(Clone, Serialize, Deserialize)]
/// struct Order {
///     total: u32,
/// }
///
/// const ORDERS: Partition<Order> = Partition::new("orders");
///
/// fn order(
///     context: Context,
///     key: Option<IdempotencyKey>,
///     Json(order): Json<Order>,
/// ) -> Result<impl IntoResponse, Problem> {
///     let id = context.uuid();
///     let store = context.store();
///     let create = Operation::put(&ORDERS.key(&id), order.clone()).if_absent();
///     let id = store.transaction().with(create).send_once(key.as_ref(), &id)?.receipt_or(id);
///     Ok(Created::at(["orders", &id], Json(order)))
/// }
///
/// let client = tenon::App::new().post("/orders", order).test();
/// let send = |total| {
///     let order = serde_json::json!({"total": total});
///     client.post("/orders").header("idempotency-key", "8e03978e").json(&order).send()
/// };
/// let first = send(7);
/// assert_eq!(first.status(), 201);
/// assert_eq!(send(7).header("location"), first.header("location"));
/// assert_eq!(send(8).status(), 422);
/// assert_eq!(client.store().query(&ORDERS).page().unwrap().items.len(), 1);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    record: RawKey,
    fingerprint: Fingerprint,
    expires_at: u64,
    is_replayed: Rc<Cell<bool>>,
}

/// What a repeated request has in common with the first one, as a hash in hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Fingerprint {
    Request(String),
    Content(String),
}

/// The outcome of a transaction that happens once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Once<R> {
    /// It happened now: the new revision of each put.
    First(Vec<Option<String>>),
    /// It happened in an earlier request: what that one recorded.
    Repeated(R),
}

/// Why a transaction did not happen once. As a [`Problem`] each is answered as it should be by default.
#[derive(Debug)]
pub enum OnceError {
    /// The key was used for another request: 422.
    KeyReused(Problem),
    /// The transaction did not happen; positions of operations are as they were added.
    Transaction(TransactionError),
}

impl From<TransactionError> for OnceError {
    fn from(error: TransactionError) -> Self {
        Self::Transaction(error)
    }
}

impl From<OnceError> for Problem {
    fn from(error: OnceError) -> Self {
        match error {
            OnceError::KeyReused(problem) => problem,
            OnceError::Transaction(error) => error.into(),
        }
    }
}

impl<R> Once<R> {
    /// What the first request recorded: an earlier one's receipt, or else this one's.
    pub fn receipt_or(self, receipt: R) -> R {
        match self {
            Self::First(_) => receipt,
            Self::Repeated(first) => first,
        }
    }
}

impl Transaction<'_> {
    /// Applies the operations, unless a request with the same key did so within a day: then the result is its `receipt`.
    ///
    /// The response to a repeated request gets `Idempotency-Replayed: true`, unless it is an error.
    ///
    /// 422 if that request had another method, path, query or content. Without a key it is the same as [`send`](Self::send), except that there
    /// may be no operations. With and without one there are at most 99, or 98 with a [`token`](Self::token): the record is an operation, too.
    ///
    /// The record is the receipt with the member `fingerprint`, a hash of the request, which a receipt must not have itself. A receipt that is no
    /// object, or one whose first member is `receipt`, is the record's member `receipt`.
    pub fn send_once<R: ToJson + FromJson>(
        self,
        key: Option<&IdempotencyKey>,
        receipt: &R,
    ) -> Result<Once<R>, OnceError> {
        // Also without a key, so that the first test shows it.
        self.check_place_for_record()
            .map_err(TransactionError::from)?;
        let Some(key) = key else {
            let is_empty = self.is_empty();
            let revisions = if is_empty { Vec::new() } else { self.send()? };
            return Ok(Once::First(revisions));
        };
        let receipt = receipt
            .to_json()
            .map_err(|error| TransactionError::from(StorageError::Document(error)))?;
        let record_key = Key::<Document>::of(key.record.clone());
        let record = Write::new(key.record_of(&receipt)).expires_at(key.expires_at);
        match self
            .after(Operation::put(&record_key, record).if_absent())
            .send()
        {
            Ok(mut revisions) => {
                revisions.remove(0);
                Ok(Once::First(revisions))
            }
            Err(TransactionError::Lost(lost)) if lost.position == 0 => {
                let found = lost.item::<Document>().map_err(TransactionError::from)?;
                let Some(record) = found else {
                    return Err(TransactionError::from(StorageError::Conflict).into());
                };
                key.check(&record.value).map_err(OnceError::KeyReused)?;
                let receipt = recorded(record.value)
                    .map_err(|error| TransactionError::from(StorageError::Document(error)))?;
                key.is_replayed.set(true);
                Ok(Once::Repeated(receipt))
            }
            // Without the record, which the caller does not know of.
            Err(TransactionError::Lost(mut lost)) => {
                lost.position -= 1;
                Err(TransactionError::Lost(lost).into())
            }
            Err(error @ TransactionError::Storage(_)) => Err(error.into()),
        }
    }
}

/// The receipt in a record, as the first request gave it: that of this one may be of another form, such as `None`.
fn recorded<R: FromJson>(record: Document) -> Result<R, String> {
    let Value::Object(mut members) = Value::from_document(record.into_json()?)? else {
        return Err("a record is no object".to_owned());
    };
    members.remove(FINGERPRINT);
    let receipt = match members.remove(RECEIPT) {
        Some(receipt) if members.is_empty() => receipt,
        Some(member) => {
            members.insert(RECEIPT.to_owned(), member);
            Value::Object(members)
        }
        None => Value::Object(members),
    };
    R::from_document(receipt.to_json()?)
}

impl IdempotencyKey {
    /// The key of a request, if it has one, for an API in which one route takes keys: a repeated request is known by its content alone, and its
    /// fingerprint is the SHA-256 of the content.
    ///
    /// Extracted from a request, a key stands for method, path and query, too. Records of one kind do not count for the other.
    ///
    /// ```
    /// # use tenon::{App, Context, IdempotencyKey, NoContent, Problem};
    /// fn start(context: Context) -> Result<NoContent, Problem> {
    ///     let key = IdempotencyKey::of_content(&context)?;
    ///     context.store().transaction().send_once(key.as_ref(), &())?;
    ///     Ok(NoContent)
    /// }
    /// # let client = App::new().post("/a", start).test();
    /// # let send = |target, text| client.post(target).header("idempotency-key", "k").content("text/plain", text).send();
    /// # assert_eq!(send("/a", "1").header("idempotency-replayed"), None);
    /// # assert_eq!(send("/a?query", "1").header("idempotency-replayed"), Some("true"));
    /// # assert_eq!(send("/a", "2").status(), 422);
    /// ```
    pub fn of_content(context: &Context) -> Result<Option<Self>, Problem> {
        Self::of(context, |context| {
            Fingerprint::Content(hexadecimal(&Sha256::digest(&context.body)))
        })
    }

    fn of(
        context: &Context,
        fingerprint: impl FnOnce(&Context) -> Fingerprint,
    ) -> Result<Option<Self>, Problem> {
        let Some(field) = context.headers.get("idempotency-key") else {
            return Ok(None);
        };
        let Some(name) = parse(&field) else {
            let detail = format!(
                "`Idempotency-Key` is a string of 1 to {CHARACTERS_MAX} characters, such as `\"8e03978e\"`"
            );
            return Err(Problem::new(400, "invalid-header", detail));
        };
        let caller = context.caller.as_ref();
        let owner = caller.map(|caller| match caller.subject.as_deref() {
            Some(subject) => Owner::Subject(subject),
            None => Owner::Claims(&caller.claims),
        });
        Ok(Some(Self {
            record: record_key(owner, &name),
            fingerprint: fingerprint(context),
            expires_at: context.now().seconds() + RECORD_SECONDS,
            is_replayed: Rc::clone(context.is_replayed()),
        }))
    }

    /// The record with a receipt.
    fn record_of(&self, receipt: &str) -> Document {
        // Hexadecimal digits, which need no escapes.
        let start = ["{\"", FINGERPRINT, "\":\"", self.fingerprint.as_str(), "\""].concat();
        let members = receipt.strip_prefix('{').map(str::trim_start);
        Document::new(match members {
            Some("}") => start + "}",
            // An object with this member alone would be read as the member.
            Some(members) if !members.starts_with("\"receipt\"") => [&start, ",", members].concat(),
            Some(_) | None => [&start, ",\"", RECEIPT, "\":", receipt, "}"].concat(),
        })
    }

    /// Refuses a key that was used for another request.
    fn check(&self, record: &Document) -> Result<(), Problem> {
        if record.string_member(FINGERPRINT).as_deref() == Some(self.fingerprint.as_str()) {
            return Ok(());
        }
        let detail = match self.fingerprint {
            Fingerprint::Request(_) => {
                "this `Idempotency-Key` was used for another request; a new one needs a new key"
            }
            Fingerprint::Content(_) => {
                "this `Idempotency-Key` was used with other content; a new request needs a new key"
            }
        };
        Err(Problem::new(422, "idempotency-key-reused", detail))
    }
}

impl Fingerprint {
    /// Of method, path, query and content. Otherwise a key that a client uses for two resources would leave the second one as it is.
    fn of_request(context: &Context) -> Self {
        let mut digest = Sha256::new();
        for part in [&context.method, &context.path, &context.query] {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        digest.update(&context.body);
        Self::Request(hexadecimal(&digest.finalize()))
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Request(hash) | Self::Content(hash) => hash,
        }
    }
}

/// Where the record of a caller's key is. Each part is preceded by its length: otherwise two callers could share a record by moving text from
/// one part to the other. A missing caller is distinct from one with an empty name.
/// Who a record belongs to, if an authorizer identified the caller.
#[derive(Clone, Copy)]
enum Owner<'a> {
    Subject(&'a str),
    /// All that the authorizer said, if it gave no subject: two callers must not share a record. If it says something else about the same
    /// caller the next time, the repeated request is a new one.
    Claims(&'a str),
}

fn record_key(owner: Option<Owner<'_>>, name: &str) -> RawKey {
    let length;
    let parts = match owner {
        None => ["-", "", "", "|", name],
        Some(Owner::Subject(subject)) => {
            length = subject.len().to_string();
            [&length, ":", subject, "|", name]
        }
        Some(Owner::Claims(claims)) => {
            length = claims.len().to_string();
            ["-", &length, claims, "|", name]
        }
    };
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part);
    }
    RawKey {
        partition: ["idempotency/", &hexadecimal(&digest.finalize())].concat(),
        sort: "-".to_owned(),
    }
}

impl FromRequestOptional for IdempotencyKey {
    fn from_request_optional(context: &Context) -> Result<Option<Self>, Problem> {
        Self::of(context, Fingerprint::of_request)
    }
}

impl FromRequest for IdempotencyKey {
    fn from_request(context: &Context) -> Result<Self, Problem> {
        let detail = "send an `Idempotency-Key`, so that the request can be repeated safely";
        Self::of(context, Fingerprint::of_request)?
            .ok_or_else(|| Problem::new(400, "idempotency-key-required", detail))
    }
}

/// A structured-field string (RFC 9651, 3.3.3), or, as many clients send it, the same without quotes.
fn parse(field: &str) -> Option<String> {
    let field = field.trim_matches([' ', '\t']);
    let mut name = String::new();
    if let Some(quoted) = field.strip_prefix('"') {
        let mut characters = quoted.chars();
        loop {
            match characters.next()? {
                '"' => break,
                '\\' => name.push(
                    characters
                        .next()
                        .filter(|escaped| matches!(escaped, '"' | '\\'))?,
                ),
                plain @ ' '..='~' => name.push(plain),
                _ => return None,
            }
        }
        if characters.next().is_some() {
            return None;
        }
    } else if field
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !b"\"\\,;".contains(&byte))
    {
        name.push_str(field);
    }
    (1..=CHARACTERS_MAX).contains(&name.len()).then_some(name)
}

/// Without the standard library's formatting, which costs as much as the hash of a short content.
fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value & 15)]);
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(*byte));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_structured_string_or_bare() {
        for (field, name) in [
            ("\"a b\"", Some("a b")),
            (r#""a\"b\\c""#, Some(r#"a"b\c"#)),
            ("8e03978e-40d5", Some("8e03978e-40d5")),
            ("", None),
            ("\"\"", None),
            ("\"a", None),
            ("\"a\"b", None),
            (r#""a\b""#, None),
            ("\"é\"", None),
            ("a b", None),
            ("\"a\", \"b\"", None),
        ] {
            assert_eq!(parse(field).as_deref(), name, "{field}");
        }
        assert!(parse(&"a".repeat(255)).is_some());
        assert!(parse(&"a".repeat(256)).is_none());
    }

    #[test]
    fn callers_share_no_record() {
        let owners = [
            None,
            Some(Owner::Subject("")),
            Some(Owner::Subject("ann")),
            Some(Owner::Subject(r#"{"org":"a"}"#)),
            Some(Owner::Claims(r#"{"org":"a"}"#)),
            Some(Owner::Claims(r#"{"org":"b"}"#)),
            Some(Owner::Claims("{}")),
        ];
        let keys = owners.map(|owner| record_key(owner, "k").partition);
        for (index, key) in keys.iter().enumerate() {
            assert!(!keys[..index].contains(key), "{index}");
        }
    }
}
