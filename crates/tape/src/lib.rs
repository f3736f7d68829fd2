//! Tapes: what crossed the interface of a guest, one request a line, so that it can be run again exactly. `docs/tape.md` describes every field.
//!
//! [`Recorder`] writes a line of everything that a request's outcome follows from: event, time, seed, the answers of the store. A
//! tape holds what the *guest* saw: the recorder stands before [`Tenant`](storage::Tenant), so that a tape names neither
//! tables nor namespaces and replays on any store.
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "tests read what they or the hosts wrote"
    )
)]
#![warn(missing_docs)]

pub mod call;
mod cloudwatch;
mod encrypt;
mod exchange;
mod fault;
mod find;
mod policy;
mod read;
mod record;
pub mod redact;
pub mod splices;
mod split;

pub use call::{RecordedArguments, StorageFunction, read_arguments};
pub use cloudwatch::{MessagesError, read_messages};
pub use encrypt::{DecryptError, Identity, InvalidKey, Recipient, decrypt_line};
pub use exchange::{
    CallRecord, Exchange, ExchangeError, HostFacts, LimitsRecord, LogLine, Omission,
    RedactedRecord, ResultRecord, UsageRecord, VERSION, id_of, is_tape,
};
pub use fault::FaultRecord;
pub use find::TapeFinder;
pub use policy::{InvalidPolicy, TapePolicy, is_failure};
pub use read::{Line, ReadError, TapeReader};
pub use record::{
    RecordOptions, RecordedHost, RecordedRequest, Recorder, RecordingStorage, environment_digest,
    write_logs,
};
pub use redact::places::Pointer;
pub use redact::{InvalidPointer, Redaction};
pub use split::{JoinError, Joiner, MissingParts, split};
