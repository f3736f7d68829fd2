//! Every bound, named, with its unit. Where a bound comes from somebody else's rules, the rule stands beside it.

use std::time::Duration;

/// What one request may use. The defaults fit a Lambda behind API Gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest decoded request body; more is answered with 413.
    pub request_body_bytes_max: usize,
    /// Largest request target (path and query); more is answered with 414.
    pub request_target_bytes_max: usize,
    /// Largest sum of header names and values; more is answered with 431.
    pub request_headers_bytes_max: usize,
    /// Linear memory of one instance; a guest that asks for more is refused it, and usually traps.
    pub guest_memory_bytes_max: usize,
    /// Calls from the guest to the host (storage, log, random, clock) in one request; the next one traps.
    pub host_calls_max: u32,
    /// Storage calls in one request; the next one traps.
    pub storage_calls_max: u32,
    /// Time for one request where the invocation brings no deadline.
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

/// Lambda's synchronous payload, request and response (AWS: Lambda quotas).
pub const LAMBDA_PAYLOAD_BYTES_MAX: usize = 6 * MIB;
/// The same behind a load balancer (AWS: Lambda functions as targets).
pub const ALB_PAYLOAD_BYTES_MAX: usize = MIB;

/// An item with its keys and all attributes (AWS: DynamoDB quotas).
pub const ITEM_BYTES_MAX: usize = 400 * KIB;
/// A partition key, namespace included (AWS: DynamoDB quotas).
pub const PARTITION_BYTES_MAX: usize = 2048;
/// A sort key (AWS: DynamoDB quotas).
pub const SORT_BYTES_MAX: usize = 1024;
/// Namespace of a guest: `[a-z0-9-]`.
pub const NAMESPACE_BYTES_MAX: usize = 64;
/// Levels of a document: it is the first itself, what an object or array holds is one further down (AWS: DynamoDB quotas).
pub const DOCUMENT_DEPTH_MAX: usize = 32;
/// Values in one document: the document, each object and array in it, each string, number, `true`, `false` and `null`. What is made of
/// a document takes some hundred bytes for each, so that a document of zeros would take sixty times its size.
pub const DOCUMENT_VALUES_MAX: usize = 50_000;
/// A document's canonical text. Escapes and digits in plain spelling make it longer than what counts of it.
pub const DOCUMENT_TEXT_BYTES_MAX: usize = 2 * ITEM_BYTES_MAX;
/// Significant digits of a number (AWS: DynamoDB data types).
pub const NUMBER_DIGITS_MAX: usize = 38;
/// Keys in one `get-many`.
pub const GET_MANY_KEYS_MAX: usize = 100;
/// Text of all documents that one `get-many` answers with.
pub const GET_MANY_TEXT_BYTES_MAX: usize = 8 * MIB;
/// Entries in one page.
pub const PAGE_ENTRIES_MAX: u32 = 1_000;
/// Bytes of items that one page collects before it ends with a cursor (AWS: Query reads 1 MB a request).
pub const PAGE_BYTES_MAX: usize = MIB;
/// Operations in one transaction (AWS: DynamoDB quotas).
pub const TRANSACTION_OPERATIONS_MAX: usize = 100;
/// Sum of the item sizes in one transaction (AWS: DynamoDB quotas).
pub const TRANSACTION_BYTES_MAX: usize = 4 * MIB;
/// Values in all documents of one transaction, counted as [`DOCUMENT_VALUES_MAX`] counts them.
pub const TRANSACTION_VALUES_MAX: usize = 2 * DOCUMENT_VALUES_MAX;
/// One answer of a store across the network: several items are asked for in smaller parts where theirs is longer. A single item has less:
/// [`ITEM_BYTES_MAX`] of control characters, six bytes each, and the names of its types.
pub const STORE_RESPONSE_BYTES_MAX: usize = 4 * MIB;
/// Values in such an answer, a map counted twice: those of one document, and the attributes of a thousand items.
pub const STORE_RESPONSE_VALUES_MAX: usize = 2 * DOCUMENT_VALUES_MAX + 10_000;
/// An idempotency token of a transaction (AWS: ClientRequestToken).
pub const TOKEN_BYTES_MAX: usize = 36;
/// How long a transaction's token is remembered (AWS: ClientRequestToken).
pub const TOKEN_DURATION: Duration = Duration::from_secs(600);

/// One guest log line, attributes included; longer ones are cut.
pub const LOG_LINE_BYTES_MAX: usize = 16 * KIB;
/// Guest log lines in one request; further ones are counted, not kept.
pub const LOG_LINES_MAX: u32 = 1_000;
/// Memory that the log lines of one request take in the host; lines beyond it are counted, not kept.
pub const LOG_BYTES_MAX: usize = MIB;
/// Attributes of one log line; further ones are cut.
pub const LOG_ATTRIBUTES_MAX: usize = 64;
/// Key of one attribute of a log line.
pub const LOG_ATTRIBUTE_KEY_BYTES_MAX: usize = 128;

/// A body or document that a tape holds by value; of a longer one it holds length and digest.
pub const TAPE_TEXT_BYTES_MAX: usize = 256 * KIB;
/// Storage calls that the tape of one request holds, in bytes; further ones are counted.
pub const TAPE_CALLS_BYTES_MAX: usize = 6 * MIB;
/// One line of a tape, for who reads it.
pub const TAPE_LINE_BYTES_MAX: usize = 16 * MIB;
/// One line of a tape, for who writes it, before it is encrypted: encrypted, it is a third longer, and has to be readable then, too.
pub const TAPE_LINE_WRITTEN_BYTES_MAX: usize = TAPE_LINE_BYTES_MAX / 4 * 3 - 4 * KIB;
/// Elements of one list in a line of a tape: of the calls, of what was redacted or omitted, of the items of a call.
pub const TAPE_LIST_ELEMENTS_MAX: usize = 100_000;
/// Lines of tapes that a replay works on at a time, in bytes. A replay takes up to eight times as much memory for a line.
pub const TAPE_BYTES_IN_FLIGHT_MAX: usize = TAPE_LINE_BYTES_MAX;
/// Time for one replayed request, whatever its tape says: nothing waits for a store.
pub const REPLAY_DURATION_MAX: Duration = Duration::from_secs(30);
/// One log event, the 26 bytes that the service adds for itself included (AWS: CloudWatch Logs quotas).
pub const LOG_EVENT_BYTES_MAX: usize = 256 * KIB;
/// Parts of lines that a reader holds while others of the same lines are missing.
pub const TAPE_PARTS_BYTES_MAX: usize = 2 * TAPE_LINE_BYTES_MAX;

/// An event in a file. Twice what Lambda passes on, so that one slightly too large is refused by the rules of its gateway.
pub const EVENT_BYTES_MAX: usize = 12 * MIB;
/// A file of a case beside its event: the response, or what is stored, with blanks.
pub const CASE_FILE_BYTES_MAX: usize = 16 * MIB;
/// Files of cases that a replay works on at a time, in bytes; a case that has more runs alone. A tree of JSON may take 35 times as much, and has
/// at most [`JSON_NODES_MAX`] values in all files of a case.
pub const CASE_BYTES_IN_FLIGHT_MAX: usize = 4 * MIB;

/// Levels of objects and arrays in JSON that comes from outside. A document has fewer; a claim or a log attribute may have more.
pub const JSON_DEPTH_MAX: usize = 128;
/// Values in one text of JSON from outside that is read into a tree, which takes 70 bytes for each, and some 200 for a member of an object.
/// A document has at most 50,000.
pub const JSON_NODES_MAX: usize = 250_000;

/// Largest linear memory that the engine's pool can hold; [`Limits::guest_memory_bytes_max`] is at most this.
pub const GUEST_MEMORY_BYTES_CEILING: usize = 512 * MIB;
/// A guest's call stack.
pub const GUEST_STACK_BYTES: usize = 512 * KIB;
/// Elements of a guest's function tables.
pub const GUEST_TABLE_ELEMENTS_MAX: usize = 20_000;
/// Data that one call from the guest, or its response, may carry into the host. Three times the largest transaction, because a
/// document's text may be longer than what is stored; the host holds it twice for a moment.
pub const HOST_CALL_BYTES_MAX: usize = 12 * MIB;
/// Output that a guest may write in one call; what `check-write` permits.
pub const OUTPUT_BYTES_MAX: usize = 64 * KIB;
/// Random bytes that one call draws; the interface lets a host bound this.
pub const RANDOM_BYTES_MAX: usize = 64 * KIB;
/// Resources (streams, things to wait for) that one guest may hold at a time, and that one `poll` may name.
pub const RESOURCES_MAX: usize = 4_096;
/// Frames of a backtrace that reach the log when a guest traps.
pub const BACKTRACE_FRAMES_MAX: usize = 20;
/// A function's name in a backtrace; longer ones are cut.
pub const BACKTRACE_NAME_BYTES_MAX: usize = 256;

/// A component that is published. Interpreters with their language's library have some ten megabytes.
pub const COMPONENT_BYTES_MAX: usize = 64 * MIB;
/// An image that is published; several times its component.
pub const IMAGE_BYTES_MAX: usize = 256 * MIB;
/// A signed manifest.
pub const MANIFEST_BYTES_MAX: usize = 64 * KIB;
/// The signed record of one generation of a channel.
pub const GENERATION_BYTES_MAX: usize = 4 * KIB;
/// A channel's signed document (AWS: an item has 400 KB).
pub const CHANNEL_BYTES_MAX: usize = 64 * KIB;
/// A channel's name.
pub const CHANNEL_NAME_BYTES_MAX: usize = 64;
/// A channel's newest generation: whoever signs one with a stolen key cannot leave no number above it.
pub const CHANNEL_GENERATION_MAX: u64 = 1_000_000_000_000;
/// Routes of a channel.
pub const CHANNEL_ROUTES_MAX: usize = 16;
/// Guests that share one route.
pub const ROUTE_GUESTS_MAX: usize = 4;
/// Variables that a route adds to its guests' environment.
pub const ENVIRONMENT_VARIABLES_MAX: usize = 64;
/// Guests that stay loaded although no route names them any more, so that going back to them takes no fetch.
pub const GUESTS_READY_MAX: usize = 3;
