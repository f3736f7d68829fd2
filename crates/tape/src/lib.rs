//! The format of tapes: recorded requests with everything that their guest saw, one request a line. `docs/tape.md` describes every field.
//!
//! A line contains what a request's outcome follows from: event, time, seed and the results of its storage calls. A tape shows what the *guest* saw:
//! [`RecordingStorage`] wraps the store above [`Tenant`](storage::Tenant), so that a tape names neither tables nor namespaces and replays on any
//! store. [`Redaction`] replaces credentials before a line is written, [`Recipient`] encrypts lines, and [`split`] and [`TapeFinder`] carry lines
//! through log systems with short records. Nothing here needs a runtime.
//!
//! ```no_run
//! use std::{fs::File, io::BufReader};
//! use tape::{Exchange, TapeReader};
//!
//! let mut reader = TapeReader::new(BufReader::new(File::open("today.tape")?));
//! while let Some(line) = reader.next_tape()? {
//!     let exchange = Exchange::read(&line.bytes)?;
//!     println!("{} made {} storage calls", exchange.id, exchange.calls.len());
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
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
mod exchange_error;
mod fault;
mod find;
mod lines;
pub mod outgoing;
mod policy;
mod read;
mod record;
pub mod redact;
pub mod secret_calls;
pub mod splices;
mod split;
#[cfg(test)]
mod test_line;

pub use call::{RecordedArguments, StorageFunction, read_arguments};
pub use cloudwatch::{MessagesError, read_messages};
pub use encrypt::{DecryptError, Identity, KeyError, Recipient, decrypt_line};
pub use exchange::{
    CallRecord, Exchange, HostFacts, LogLine, Omission, RedactedRecord, ResultRecord, UsageRecord,
    id_of, is_tape,
};
pub use exchange_error::ExchangeError;
pub use fault::FaultRecord;
pub use find::TapeFinder;
pub use json::PointerError;
pub use lines::{Line, ReadError};
pub use outgoing::{OutgoingRecord, OutgoingResultError};
pub use policy::{TapePolicy, TapePolicyError};
pub use read::TapeReader;
pub use record::{
    RecordOptions, RecordedAnswer, RecordedHost, RecordedRequest, RecordingOutgoing,
    RecordingSecrets, RecordingStorage, TapeWriter, environment_digest, write_logs,
};
pub use redact::Redaction;
pub use secret_calls::{SecretCallRecord, SecretResultError};
pub use split::{JoinError, Joiner, MissingParts, split};

/// The version that this program writes. It reads this one and all earlier ones.
pub const VERSION: u32 = 1;
