//! Limits that users meet, each named, with its unit. A limit that follows from an external rule names the rule.

use std::time::Duration;

/// What one request may use. The defaults are suitable for Lambda behind API Gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest decoded request body; larger ones are answered with 413.
    pub request_body_bytes_max: usize,
    /// Largest request target (path and query); longer ones are answered with 414.
    pub request_target_bytes_max: usize,
    /// Largest sum of header names and values; larger ones are answered with 431.
    pub request_headers_bytes_max: usize,
    /// Linear memory of one instance; further allocations fail, and the guest usually traps.
    pub guest_memory_bytes_max: usize,
    /// Calls from the guest to the host (storage, log, random, clock) in one request; the next one traps.
    pub host_calls_max: u32,
    /// Storage calls in one request; the next one traps.
    pub storage_calls_max: u32,
    /// Time for one request if the invocation has no deadline.
    pub request_duration_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_body_bytes_max: LAMBDA_PAYLOAD_BYTES_MAX,
            request_target_bytes_max: 16 * KIB,
            request_headers_bytes_max: 32 * KIB,
            guest_memory_bytes_max: 128 * MIB,
            host_calls_max: 100_000,
            storage_calls_max: 1_000,
            request_duration_max: Duration::from_secs(28),
        }
    }
}

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

/// A body or document that a tape contains as a value; for a longer one it has length and digest.
pub const TAPE_TEXT_BYTES_MAX: usize = 256 * KIB;
/// Bytes of storage calls on the tape of one request; further calls are only counted.
pub const TAPE_CALLS_BYTES_MAX: usize = 6 * MIB;
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
