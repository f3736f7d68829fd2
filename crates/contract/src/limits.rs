//! Limits that users meet, each named, with its unit. A limit that follows from an external rule names the rule.
//!
//! A limit of one request is a field of [`Limits`], which is one entry of a table. The environment variables of hosts, the flags of `host-cli promote`,
//! the members of channel documents and those of tapes follow from the table through [`LIMITS`] and [`PartialLimits`].

mod value;

pub use value::LimitValue;

use serde::{Deserialize, Deserializer, Serialize};
use std::{ops::RangeInclusive, time::Duration};

/// Who may set a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetBy {
    /// Only the host's own code.
    Host,
    /// The operator of a host, by an environment variable.
    Operator,
    /// A route of a channel, which can only lower it.
    Route,
    /// The operator, and a route.
    OperatorAndRoute,
}

/// A field of [`Limits`].
#[derive(Debug)]
pub struct Limit {
    /// As in channel documents and on tapes, with the unit last: `request_duration_ms_max`.
    pub name: &'static str,
    /// What is limited, and what happens beyond the limit.
    pub documentation: &'static str,
    /// The values that may be set, in the unit of the name, as all numbers here.
    pub allowed: RangeInclusive<u64>,
    /// Who may set it.
    pub set_by: SetBy,
    /// Reads the field.
    pub get: fn(&Limits) -> u64,
    /// Sets the field; a number that its type cannot hold becomes the largest one that it can.
    pub set: fn(&mut Limits, u64),
    /// The same for a part of the limits.
    pub set_part: fn(&mut PartialLimits, u64),
}

impl Limit {
    /// The environment variable of hosts, if there is one: `TENON_REQUEST_DURATION_MS_MAX`.
    pub fn variable(&self) -> Option<String> {
        matches!(self.set_by, SetBy::Operator | SetBy::OperatorAndRoute)
            .then(|| format!("TENON_{}", self.name.to_ascii_uppercase()))
    }

    /// The flag that sets it, for a route or for a host that this machine runs: `request-duration-ms-max`.
    pub fn flag(&self) -> String {
        self.name.replace('_', "-")
    }

    /// The value if nobody sets another one.
    pub fn default(&self) -> u64 {
        (self.get)(&Limits::default())
    }

    /// Whether a route may lower it.
    pub fn is_of_routes(&self) -> bool {
        matches!(self.set_by, SetBy::Route | SetBy::OperatorAndRoute)
    }
}

/// Defines [`Limits`], [`PartialLimits`] and [`LIMITS`] from one table. An entry is `FIELD as NAME_IN_DOCUMENTS: TYPE = DEFAULT, ALLOWED, SET_BY`.
macro_rules! limits {
    ($($(#[doc = $documentation:literal])+ $field:ident as $name:ident: $type:ty = $default:expr, $allowed:expr, $set_by:expr;)+) => {
        /// What one request may use. The defaults are suitable for Lambda behind API Gateway.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct Limits {
            $($(#[doc = $documentation])+ pub $field: $type,)+
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        impl Limits {
            /// The higher of two limits, for each of them.
            #[must_use]
            pub fn wider(&self, other: &Self) -> Self {
                Self { $($field: self.$field.max(other.$field),)+ }
            }
        }

        /// Some of the limits, with the names and units of documents.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub struct PartialLimits {
            $(
                $(#[doc = $documentation])+
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $name: Option<<$type as LimitValue>::Number>,
            )+
        }

        impl PartialLimits {
            /// These limits, and those of `base` for the others.
            pub fn over(&self, base: &Limits) -> Limits {
                Limits { $($field: self.$name.map_or(base.$field, LimitValue::from_number),)+ }
            }

            /// The lower of these limits and the host's.
            pub fn within(&self, host: &Limits) -> Limits {
                let limits = self.over(host);
                Limits { $($field: limits.$field.min(host.$field),)+ }
            }

            /// These limits, and those of `others` that are not set here.
            #[must_use]
            pub fn or(&self, others: &Self) -> Self {
                Self { $($name: self.$name.or(others.$name),)+ }
            }

            /// The names of the limits that are set.
            pub fn names(&self) -> impl Iterator<Item = &'static str> {
                [$(self.$name.map(|_| stringify!($name)),)+].into_iter().flatten()
            }

            /// Reads limits and refuses members that are none.
            pub fn deserialize_strictly<'de, D: Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Self, D::Error> {
                #[derive(Deserialize)]
                #[serde(deny_unknown_fields, remote = "PartialLimits")]
                struct Strict {
                    $(#[serde(default)] $name: Option<<$type as LimitValue>::Number>,)+
                }
                Strict::deserialize(deserializer)
            }

            /// Whether no limit is set.
            pub fn is_none(&self) -> bool {
                *self == Self::default()
            }
        }

        /// Every field of [`Limits`], in the order in which documents have them.
        pub static LIMITS: &[Limit] = &[$(
            Limit {
                name: stringify!($name),
                documentation: concat!($($documentation),+),
                allowed: $allowed,
                set_by: $set_by,
                get: |limits| limits.$field.to_u64(),
                set: |limits, number| limits.$field = LimitValue::from_u64(number),
                set_part: |limits, number| {
                    limits.$name = Some(<<$type as LimitValue>::Number as LimitValue>::from_u64(number));
                },
            },
        )+];
    };
}

limits! {
    /// Largest decoded request body; larger ones are answered with 413.
    request_body_bytes_max as request_body_bytes_max: usize
        = LAMBDA_PAYLOAD_BYTES_MAX, 1..=LAMBDA_PAYLOAD_BYTES_MAX as u64, SetBy::OperatorAndRoute;
    /// Largest request target (path and query); longer ones are answered with 414.
    request_target_bytes_max as request_target_bytes_max: usize
        = 16 * KIB, 1..=LAMBDA_PAYLOAD_BYTES_MAX as u64, SetBy::Host;
    /// Largest sum of header names and values; larger ones are answered with 431.
    request_headers_bytes_max as request_headers_bytes_max: usize
        = 32 * KIB, 1..=LAMBDA_PAYLOAD_BYTES_MAX as u64, SetBy::Host;
    /// Largest response body, not encoded; larger ones are replaced by 500. The gateway may accept less.
    response_body_bytes_max as response_body_bytes_max: usize
        = LAMBDA_PAYLOAD_BYTES_MAX, 1..=LAMBDA_PAYLOAD_BYTES_MAX as u64, SetBy::Operator;
    /// Linear memory of one instance; further allocations fail, and the guest usually traps.
    guest_memory_bytes_max as guest_memory_bytes_max: usize
        = 128 * MIB, GUEST_MEMORY_BYTES_MIN..=GUEST_MEMORY_BYTES_CEILING as u64, SetBy::OperatorAndRoute;
    /// Calls from the guest to the host (storage, other services, log, random, clock and all other imports) in one request; the next one traps.
    host_calls_max as host_calls_max: u32
        = 100_000, 1..=u32::MAX as u64, SetBy::Host;
    /// Storage calls in one request; the next one traps.
    storage_calls_max as storage_calls_max: u32
        = 1_000, 1..=u32::MAX as u64, SetBy::Route;
    /// Requests to other services in one request; the next one traps.
    outgoing_calls_max as outgoing_calls_max: u32
        = 50, 1..=10_000, SetBy::Route;
    /// Time for one request if the invocation has no deadline.
    request_duration_max as request_duration_ms_max: Duration
        = Duration::from_secs(28), 1..=INVOCATION_MS_MAX, SetBy::OperatorAndRoute;
}

/// A guest with less memory cannot start.
const GUEST_MEMORY_BYTES_MIN: u64 = 64 * KIB as u64;
/// The longest timeout of a Lambda function (AWS: Lambda quotas).
const INVOCATION_MS_MAX: u64 = 900_000;

/// Bytes of a kibibyte.
pub const KIB: usize = 1024;
/// Bytes of a mebibyte.
pub const MIB: usize = 1024 * KIB;

/// Lambda's synchronous payload, for requests and responses (AWS: Lambda quotas).
pub const LAMBDA_PAYLOAD_BYTES_MAX: usize = 6 * MIB;
/// The same behind a load balancer (AWS: Lambda functions as targets).
pub const ALB_PAYLOAD_BYTES_MAX: usize = MIB;

/// An item with its keys and all attributes (AWS: DynamoDB quotas).
pub const ITEM_BYTES_MAX: usize = 400 * KIB;
/// A partition key, namespace included (AWS: DynamoDB quotas).
pub const PARTITION_BYTES_MAX: usize = 2048;
/// A sort key (AWS: DynamoDB quotas).
pub const SORT_BYTES_MAX: usize = 1024;
/// Characters in the namespace of a guest: `[a-z0-9-]`.
pub const NAMESPACE_BYTES_MAX: usize = 64;
/// Levels of a document: it is the first itself, and the contents of an object or array are one level further down (AWS: DynamoDB quotas).
pub const DOCUMENT_DEPTH_MAX: usize = 32;
/// Values in one document: the document, each object and array in it, each string, number, `true`, `false` and `null`. The in-memory form
/// needs about a hundred bytes for each, so a document of zeros would need sixty times its size.
pub const DOCUMENT_VALUES_MAX: usize = 50_000;
/// A document's canonical text. Escapes and numbers in plain digits make it longer than its counted size.
pub const DOCUMENT_TEXT_BYTES_MAX: usize = 2 * ITEM_BYTES_MAX;
/// Significant digits of a number (AWS: DynamoDB data types).
pub const NUMBER_DIGITS_MAX: usize = 38;
/// Keys in one `get-many`.
pub const GET_MANY_KEYS_MAX: usize = 100;
/// Text of all documents that one `get-many` returns.
pub const GET_MANY_TEXT_BYTES_MAX: usize = 8 * MIB;
/// Entries in one page.
pub const PAGE_ENTRIES_MAX: u32 = 1_000;
/// Bytes of items that one page contains before it ends with a cursor (AWS: Query reads 1 MB per request).
pub const PAGE_BYTES_MAX: usize = MIB;
/// Operations in one transaction (AWS: DynamoDB quotas).
pub const TRANSACTION_OPERATIONS_MAX: usize = 100;
/// Sum of the item sizes in one transaction (AWS: DynamoDB quotas).
pub const TRANSACTION_BYTES_MAX: usize = 4 * MIB;
/// Values in all documents of one transaction, counted as [`DOCUMENT_VALUES_MAX`] counts them.
pub const TRANSACTION_VALUES_MAX: usize = 2 * DOCUMENT_VALUES_MAX;
/// One response of a remote store: several items are requested in smaller parts if their response is larger. A single item is smaller:
/// [`ITEM_BYTES_MAX`] of control characters, six bytes each, and the names of its types.
pub const STORE_RESPONSE_BYTES_MAX: usize = 4 * MIB;
/// Values in such a response, a map counted twice: those of one document, and the attributes of a thousand items.
pub const STORE_RESPONSE_VALUES_MAX: usize = 2 * DOCUMENT_VALUES_MAX + 10_000;
/// An idempotency token of a transaction (AWS: ClientRequestToken).
pub const TOKEN_BYTES_MAX: usize = 36;
/// How long a transaction's token is remembered (AWS: ClientRequestToken).
pub const TOKEN_DURATION: Duration = Duration::from_secs(600);

/// One log line of a guest, attributes included; longer ones are cut.
pub const LOG_LINE_BYTES_MAX: usize = 16 * KIB;
/// Log lines of a guest in one request; further ones are counted, but not kept.
pub const LOG_LINES_MAX: u32 = 1_000;
/// Memory for the log lines of one request; further lines are counted, but not kept.
pub const LOG_BYTES_MAX: usize = MIB;
/// Attributes of one log line; further ones are cut.
pub const LOG_ATTRIBUTES_MAX: usize = 64;
/// Key of one attribute of a log line.
pub const LOG_ATTRIBUTE_KEY_BYTES_MAX: usize = 128;

/// A body or document that a tape contains as a value; for a longer one it has length and digest. More than a store keeps of
/// one item (400 KB), also in base64.
pub const TAPE_TEXT_BYTES_MAX: usize = MIB;
/// Bytes of storage calls on the tape of one request; further calls are only counted.
pub const TAPE_CALLS_BYTES_MAX: usize = 6 * MIB;
/// Bytes of exchanges with other services on the tape of one request; further exchanges are only counted.
pub const TAPE_OUTGOING_BYTES_MAX: usize = 6 * MIB;
/// Bytes of calls about secrets on the tape of one request; further calls are only counted.
pub const TAPE_SECRETS_BYTES_MAX: usize = MIB;
/// One line of a tape, for readers.
pub const TAPE_LINE_BYTES_MAX: usize = 16 * MIB;
/// One line of a tape, for writers, before encryption: an encrypted line is a third longer and must still be readable.
pub const TAPE_LINE_WRITTEN_BYTES_MAX: usize = TAPE_LINE_BYTES_MAX / 4 * 3 - 4 * KIB;
/// Elements of one list in a line of a tape: of calls, of redacted or omitted places, of the items of a call.
pub const TAPE_LIST_ELEMENTS_MAX: usize = 100_000;
/// Bytes of tape lines that a replay processes concurrently. A replay needs up to eight times as much memory for a line.
pub const TAPE_BYTES_IN_FLIGHT_MAX: usize = TAPE_LINE_BYTES_MAX;
/// Time for one replayed request, whatever its tape says, because a replay does not wait for a store.
pub const REPLAY_DURATION_MAX: Duration = Duration::from_secs(30);
/// One log event, including the 26 bytes that the service adds (AWS: CloudWatch Logs quotas).
pub const LOG_EVENT_BYTES_MAX: usize = 256 * KIB;
/// Bytes of parts that a reader keeps while other parts of their lines are missing.
pub const TAPE_PARTS_BYTES_MAX: usize = 2 * TAPE_LINE_BYTES_MAX;

/// An event in a file. Twice what Lambda accepts, so that a slightly larger event is refused by the rules of its gateway.
pub const EVENT_BYTES_MAX: usize = 12 * MIB;
/// A file of a case other than its event: the response, or stored entries, including blanks.
pub const CASE_FILE_BYTES_MAX: usize = 16 * MIB;
/// Bytes of case files that a replay processes concurrently; a larger case runs alone. A JSON tree may need 35 times as much memory; all
/// files of a case together have at most [`JSON_NODES_MAX`] values.
pub const CASE_BYTES_IN_FLIGHT_MAX: usize = 4 * MIB;

/// Levels of objects and arrays in foreign JSON. Documents have fewer; a claim or a log attribute may have more.
pub const JSON_DEPTH_MAX: usize = 128;
/// Values in one foreign JSON text that is read into a tree, which takes 70 bytes for each, and about 200 for a member of an object. A
/// document has at most 50,000.
pub const JSON_NODES_MAX: usize = 250_000;

/// Largest linear memory that the engine's pool supports; [`Limits::guest_memory_bytes_max`] is at most this.
pub const GUEST_MEMORY_BYTES_CEILING: usize = 512 * MIB;
/// A guest's call stack.
pub const GUEST_STACK_BYTES: usize = 512 * KIB;
/// Elements of a guest's function tables.
pub const GUEST_TABLE_ELEMENTS_MAX: usize = 20_000;
/// Data that one call from the guest, or its response, may pass to the host. Three times the largest transaction, because a document's text
/// may be longer than what is stored; the host briefly holds it twice.
pub const HOST_CALL_BYTES_MAX: usize = 12 * MIB;
/// Output that a guest may write in one call; `check-write` returns it.
pub const OUTPUT_BYTES_MAX: usize = 64 * KIB;
/// Random bytes that one call may request; the interface lets a host limit this.
pub const RANDOM_BYTES_MAX: usize = 64 * KIB;
/// Resources (streams, pollables) that one guest may hold at a time, and that one `poll` may list.
pub const RESOURCES_MAX: usize = 4_096;
/// A key of `wasi:keyvalue`: a sort key without the hash before it.
pub const KEYVALUE_KEY_BYTES_MAX: usize = SORT_BYTES_MAX - 16;
/// Values that the `cas` handles of one guest may keep together.
pub const KEYVALUE_CAS_BYTES_MAX: usize = 8 * MIB;
/// Keys in one call of `batch` of `wasi:keyvalue`.
pub const KEYVALUE_BATCH_KEYS_MAX: usize = 10_000;
/// The keys that `get-keys` of Spin's interface returns together.
pub const KEYVALUE_KEYS_BYTES_MAX: usize = 4 * MIB;
/// How often `increment` of `wasi:keyvalue` writes while other writers keep changing the value.
pub const KEYVALUE_INCREMENT_TRIES_MAX: u32 = 100;
/// Header fields, paths and other text of HTTP messages that one guest may make the host keep, 64 bytes counted for each field: a component
/// of `wasi:http` makes its messages in the host's memory.
pub const HTTP_TEXT_BYTES_MAX: usize = 4 * MIB;
/// The body of an outgoing request.
pub const OUTGOING_REQUEST_BODY_BYTES_MAX: usize = 6 * MIB;
/// The body of a response to an outgoing request; a longer one is an error for the guest.
pub const OUTGOING_RESPONSE_BODY_BYTES_MAX: usize = 6 * MIB;
/// Bytes of the bodies of all outgoing requests and their responses that one request may make the host keep.
pub const OUTGOING_BYTES_MAX: usize = 32 * MIB;
/// Outgoing requests of one request that are sent at the same time; fewer if their responses might exceed [`OUTGOING_BYTES_MAX`].
pub const OUTGOING_CALLS_TOGETHER_MAX: usize = 8;
/// URL of an outgoing request.
pub const OUTGOING_URL_BYTES_MAX: usize = 16 * KIB;
/// Sum of the names and values of the headers of one outgoing request or response, and 32 bytes for each.
pub const OUTGOING_HEADERS_BYTES_MAX: usize = 64 * KIB;
/// Header fields of one outgoing request or response.
pub const OUTGOING_HEADERS_MAX: usize = 128;
/// Time for connecting to another service: its name, TCP and TLS together.
pub const OUTGOING_CONNECT_DURATION_MAX: Duration = Duration::from_secs(5);
/// Time for an outgoing request that names no other, up to the end of its response.
pub const OUTGOING_DURATION_DEFAULT: Duration = Duration::from_secs(10);
/// Connections that a host keeps open to one service for later requests.
pub const OUTGOING_IDLE_CONNECTIONS_MAX: usize = 8;
/// Connections that a host keeps open to all other services together.
pub const OUTGOING_IDLE_CONNECTIONS_OF_ALL_MAX: usize = 64;
/// How long such a connection is kept: less than most servers and load balancers keep theirs.
pub const OUTGOING_IDLE_DURATION_MAX: Duration = Duration::from_secs(20);
/// Grants of one guest.
pub const OUTGOING_GRANTS_MAX: usize = 32;

/// Secrets of one guest.
pub const SECRETS_MAX: usize = 32;
/// A secret's name: `[a-z0-9-]`.
pub const SECRET_NAME_BYTES_MAX: usize = 64;
/// A secret's value, which is not empty (AWS: Secrets Manager quotas).
pub const SECRET_VALUE_BYTES_MAX: usize = 64 * KIB;
/// Origins for which one secret is filled into requests.
pub const SECRET_ORIGINS_MAX: usize = 8;
/// Shortest value that is filled into requests. A shorter one cannot be told from other text where a response repeats it.
pub const SECRET_FILLED_BYTES_MIN: usize = 8;
/// Longest value that is filled into requests.
pub const SECRET_FILLED_BYTES_MAX: usize = 16 * KIB;
/// Placeholders of secrets in one outgoing request.
pub const SECRET_PLACEHOLDERS_MAX: usize = 32;
/// Calls of `tenon:handler/secrets` in one request; the next one traps.
pub const SECRET_CALLS_MAX: u32 = 100;
/// Bytes of the messages that all these calls of one request sign or verify; beyond that, the call traps.
pub const SECRET_MESSAGES_BYTES_MAX: usize = 8 * MIB;
/// How long a secret's value is used before its source is read again, if nobody sets another time.
pub const SECRET_TIME_TO_LIVE: Duration = Duration::from_secs(300);
/// How long a value is used while its source cannot be read.
pub const SECRET_AGE_MAX: Duration = Duration::from_secs(3600);

/// Frames of a backtrace that are logged when a guest traps.
pub const BACKTRACE_FRAMES_MAX: usize = 20;
/// A function's name in a backtrace; longer ones are cut.
pub const BACKTRACE_NAME_BYTES_MAX: usize = 256;

/// A component that is published. Interpreters with their language's library have about ten megabytes.
pub const COMPONENT_BYTES_MAX: usize = 64 * MIB;
/// An image that is published; it is several times as large as its component.
pub const IMAGE_BYTES_MAX: usize = 256 * MIB;
/// A signed manifest.
pub const MANIFEST_BYTES_MAX: usize = 64 * KIB;
/// The signed record of one generation of a channel.
pub const GENERATION_BYTES_MAX: usize = 4 * KIB;
/// A channel's signed document (AWS: an item has 400 KB).
pub const CHANNEL_BYTES_MAX: usize = 64 * KIB;
/// A channel's name.
pub const CHANNEL_NAME_BYTES_MAX: usize = 64;
/// A channel's newest generation. The limit ensures that somebody with a stolen key cannot use up all numbers.
pub const CHANNEL_GENERATION_MAX: u64 = 1_000_000_000_000;
/// Routes of a channel.
pub const CHANNEL_ROUTES_MAX: usize = 16;
/// Guests that share one route.
pub const ROUTE_GUESTS_MAX: usize = 4;
/// Variables that a route adds to its guests' environment.
pub const ENVIRONMENT_VARIABLES_MAX: usize = 64;
/// Guests that stay loaded although no route names them any more, so that going back to them needs no fetch.
pub const GUESTS_READY_MAX: usize = 3;

#[cfg(test)]
mod tests;
