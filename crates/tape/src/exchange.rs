//! One line of a tape, read without parsing what a replay only passes on. `docs/tape.md` specifies each field.

use super::{
    ExchangeError, FaultRecord, OutgoingRecord, SecretCallRecord, StorageFunction, VERSION,
    redact::{Redaction, body_place},
    splices::{Name, list},
};
use contract::{
    digest::Digest,
    limits::{Limits, PartialLimits, REPLAY_DURATION_MAX, TAPE_LINE_BYTES_MAX},
    log::LogLevel,
    seed::Seed,
};
use gateway::message::Message;
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::value::RawValue;
use std::borrow::Cow;

pub use super::call::read::ResultRecord;

/// How a line begins: the version is the first member, so that a tape is recognised by its first bytes.
pub(super) const FIRST_MEMBER: &str = "tenon_tape";

/// A line, borrowed from its text.
#[derive(Clone, Debug, Deserialize)]
pub struct Exchange<'a> {
    /// Schema version.
    #[serde(rename = "tenon_tape")]
    pub version: u32,
    /// The request's id.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    /// Milliseconds since the Unix epoch: the guest's clock.
    pub received_at_ms: u64,
    /// SHA-256 of the component that was called; `None` if the host refused the request before.
    pub guest: Option<Digest>,
    /// Source of everything random; `None` if it was withheld.
    #[serde(deserialize_with = "seed")]
    pub seed: Option<Seed>,
    /// What else of the host reached the guest.
    #[serde(borrow, default)]
    pub host: HostFacts<'a>,
    /// The gateway event; `None` if it was not text.
    #[serde(borrow)]
    pub event: Option<&'a RawValue>,
    /// Storage calls in their order.
    #[serde(borrow, deserialize_with = "list")]
    pub calls: Vec<CallRecord<'a>>,
    /// Number of further calls, which the tape does not contain.
    #[serde(default)]
    pub calls_omitted: u32,
    /// Exchanges with other services, in the order of their requests.
    #[serde(borrow, default, deserialize_with = "list")]
    pub outgoing: Vec<OutgoingRecord<'a>>,
    /// Number of further exchanges, which the tape does not contain.
    #[serde(default)]
    pub outgoing_omitted: u32,
    /// Calls about secrets in their order.
    #[serde(borrow, default, deserialize_with = "list")]
    pub secrets: Vec<SecretCallRecord<'a>>,
    /// Number of further ones, which the tape does not contain.
    #[serde(default)]
    pub secrets_omitted: u32,
    /// The guest's log lines: an array of `{level, message, attributes?, after}`.
    #[serde(borrow, default)]
    pub logs: Option<&'a RawValue>,
    /// The response to the gateway; `None` if the event was rejected.
    #[serde(borrow)]
    pub response: Option<&'a RawValue>,
    /// Why the event was rejected: it was not an HTTP request.
    #[serde(borrow, default)]
    pub rejection: Option<Cow<'a, str>>,
    /// The status that the client got.
    #[serde(default)]
    pub status: Option<u16>,
    /// Why the host answered instead of the guest.
    #[serde(borrow, default)]
    pub fault: Option<FaultRecord<'a>>,
    /// What the request used.
    #[serde(default)]
    pub usage: UsageRecord,
    /// What was redacted.
    #[serde(borrow, default)]
    pub redacted: Option<RedactedRecord<'a>>,
    /// What was too long to be included.
    #[serde(borrow, default, deserialize_with = "list")]
    pub omitted: Vec<Omission<'a>>,
    /// The last member: the digest of the line before it. Lines of early releases have none.
    #[serde(default)]
    pub sha256: Option<Digest>,
}

/// What the host passed to the guest besides the event. Absent members have their defaults.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct HostFacts<'a> {
    /// The release of the host.
    #[serde(borrow, default)]
    pub version: Cow<'a, str>,
    /// What was removed from the path.
    #[serde(borrow, default)]
    pub base_path: Option<Cow<'a, str>>,
    /// Less severe log lines are not on the tape; `info` if absent.
    #[serde(default)]
    pub log_level: Option<LogLevel>,
    /// Names of the variables in the guest's environment. The values may be secret.
    #[serde(borrow, default, deserialize_with = "texts")]
    pub environment_names: Vec<Cow<'a, str>>,
    /// SHA-256 of the guest's environment as a JSON object: in lines that were encrypted, because short values can be guessed from it, and
    /// in those of early releases.
    #[serde(default)]
    pub environment: Option<Digest>,
    /// Limits that are not the default ones.
    #[serde(default)]
    pub limits: PartialLimits,
}

impl HostFacts<'_> {
    /// The limits of the request, except its time: a replay waits for nothing, and the author of the line may have set any time.
    pub fn limits(&self) -> Limits {
        let limits = self.limits.over(&Limits::default());
        Limits {
            request_duration_max: limits.request_duration_max.min(REPLAY_DURATION_MAX),
            ..limits
        }
    }

    /// Whether the guest had an environment.
    pub fn has_environment(&self) -> bool {
        !self.environment_names.is_empty() || self.environment.is_some()
    }
}

/// A storage call.
#[derive(Clone, Debug, Deserialize)]
pub struct CallRecord<'a> {
    /// The function.
    pub call: StorageFunction,
    /// Its arguments, see [`read_arguments`](super::read_arguments).
    #[serde(borrow)]
    pub arguments: &'a RawValue,
    /// The store's result; `None` if the request ended before it.
    #[serde(borrow, default)]
    pub result: Option<&'a RawValue>,
    /// Microseconds from the start of the request to that of the call.
    #[serde(default)]
    pub at_us: u64,
    /// Microseconds that the call took.
    #[serde(default)]
    pub us: u64,
}

impl<'a> CallRecord<'a> {
    /// The parsed result; `None` if the request ended before there was one.
    #[expect(
        clippy::disallowed_methods,
        reason = "read into a type of named members that holds no `Value`"
    )]
    pub fn result(&self) -> Result<Option<ResultRecord<'a>>, serde_json::Error> {
        self.result
            .map(|result| serde_json::from_str(result.get()))
            .transpose()
    }
}

/// What a request used.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct UsageRecord {
    /// From the call to the response.
    pub total_us: u64,
    /// The part of it spent waiting for the store.
    pub storage_us: u64,
    /// Number of calls to storage functions.
    pub storage_calls: u32,
    /// The part of it spent waiting for other services.
    pub outgoing_us: u64,
    /// Number of requests to other services.
    pub outgoing_calls: u32,
    /// Number of calls to all host functions.
    pub host_calls: u32,
    /// Largest size of the guest's memory.
    pub memory_bytes_peak: usize,
    /// Capacity that the store charged.
    pub capacity_units: f64,
    /// Responses of the store that asked to slow down.
    pub throttles: u32,
    /// Requests to the store that repeated an earlier one.
    pub retries: u32,
}

/// Which rules of redaction matched, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct RedactedRecord<'a> {
    /// Names of headers.
    #[serde(borrow, deserialize_with = "texts")]
    pub headers: Vec<Cow<'a, str>>,
    /// Names of query parameters.
    #[serde(borrow, deserialize_with = "texts")]
    pub query: Vec<Cow<'a, str>>,
    /// Names of members of JSON, of attributes, and in texts.
    #[serde(borrow, deserialize_with = "texts")]
    pub names: Vec<Cow<'a, str>>,
    /// JSON pointers into bodies and documents.
    #[serde(borrow, deserialize_with = "texts")]
    pub fields: Vec<Cow<'a, str>>,
    /// Places in the line, as JSON pointers; `#` leads into the JSON text of a body.
    #[serde(borrow, deserialize_with = "texts")]
    pub at: Vec<Cow<'a, str>>,
    /// Number of further places.
    pub more: u64,
    /// Places where `null` was written because the content could not be parsed.
    #[serde(borrow, deserialize_with = "texts")]
    pub left_out: Vec<Cow<'a, str>>,
}

impl RedactedRecord<'_> {
    /// The rules, which are applied to the results of a replay before they are compared.
    pub fn rules(&self) -> Redaction {
        let leaves_out = self.is_left_out(&body_place(Message::Response));
        let names = [&*self.headers, &*self.query, &*self.names];
        Redaction::of_rules(names, &self.fields, leaves_out)
    }

    /// Whether the content of this place could not be parsed.
    pub fn is_left_out(&self, place: &str) -> bool {
        self.left_out.iter().any(|left_out| left_out == place)
    }
}

/// A text that the tape does not contain: `null` was written instead.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Omission<'a> {
    /// The place, as a JSON pointer into the line.
    #[serde(borrow)]
    pub at: Cow<'a, str>,
    /// Length of its JSON text.
    pub bytes: u64,
    /// SHA-256 of its JSON text.
    pub sha256: Digest,
}

impl<'a> Exchange<'a> {
    /// Reads a line.
    #[expect(
        clippy::disallowed_methods,
        reason = "read into a type of named members that holds no `Value`; its lists are bounded"
    )]
    pub fn read(line: &'a [u8]) -> Result<Self, ExchangeError> {
        if line.len() > TAPE_LINE_BYTES_MAX {
            return Err(ExchangeError::TooLong(line.len()));
        }
        let text =
            str::from_utf8(line).map_err(|error| ExchangeError::NotUtf8(error.valid_up_to()))?;
        match serde_json::from_str::<Self>(text) {
            Ok(exchange) if exchange.version == 0 || exchange.version > VERSION => {
                Err(ExchangeError::Version(exchange.version))
            }
            Ok(exchange) => Ok(exchange),
            Err(error) => Err(ExchangeError::of(text, &error)),
        }
    }

    /// Whether the line is byte for byte the recorded one; `true` if it has no digest.
    pub fn is_as_recorded(&self, line: &[u8]) -> bool {
        self.sha256.is_none_or(|digest| {
            line.strip_suffix(seal(digest).as_slice())
                .is_some_and(|sealed| Digest::of(sealed) == digest)
        })
    }

    /// The rules by which it was redacted.
    pub fn redaction(&self) -> Redaction {
        let redacted = self.redacted.as_ref();
        redacted.map_or_else(Redaction::nothing, RedactedRecord::rules)
    }

    /// Whether something in the line was replaced or left out.
    pub fn is_redacted(&self) -> bool {
        self.redacted
            .as_ref()
            .is_some_and(|redacted| !redacted.at.is_empty() || !redacted.left_out.is_empty())
    }
}

/// The end of a line.
pub(super) fn seal(digest: Digest) -> Vec<u8> {
    format!(",\"sha256\":\"{digest}\"}}").into_bytes()
}

/// Whether a line is a line of tape, recognised by its first member.
pub fn is_tape(line: &[u8]) -> bool {
    first_member_is(line, FIRST_MEMBER)
}

/// Whether a JSON object begins with a member of this name. We write it without blanks before it; other programs may have added some.
pub(super) fn first_member_is(line: &[u8], name: &str) -> bool {
    let quoted = line
        .trim_ascii_start()
        .strip_prefix(b"{")
        .map(<[u8]>::trim_ascii_start);
    quoted
        .and_then(|rest| rest.strip_prefix(b"\""))
        .and_then(|rest| rest.strip_prefix(name.as_bytes()))
        .is_some_and(|rest| rest.starts_with(b"\""))
}

/// The id of a line's request, also of an encrypted line.
#[expect(
    clippy::disallowed_methods,
    reason = "read into a type of named members that holds no `Value`"
)]
pub fn id_of(line: &[u8]) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Head<'a> {
        #[serde(borrow)]
        id: Cow<'a, str>,
    }
    serde_json::from_slice::<Head<'_>>(line)
        .ok()
        .map(|head| head.id)
}

/// A list of texts, each borrowed if it has no escapes.
fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Cow<'de, str>>, D::Error> {
    let texts: Vec<Name<'de>> = list(deserializer)?;
    Ok(texts.into_iter().map(|Name(text)| text).collect())
}

fn seed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Seed>, D::Error> {
    Option::<Cow<'de, str>>::deserialize(deserializer)?
        .map(|text| text.parse().map_err(D::Error::custom))
        .transpose()
}

/// The members of an array of log lines, for display.
#[derive(Clone, Debug, Deserialize)]
pub struct LogLine<'a> {
    /// Its severity.
    pub level: LogLevel,
    /// The message.
    #[serde(borrow)]
    pub message: Cow<'a, str>,
    /// A JSON object.
    #[serde(borrow, default)]
    pub attributes: Option<&'a RawValue>,
    /// Number of storage calls made before.
    #[serde(default)]
    pub after: u32,
}

impl Exchange<'_> {
    /// The guest's log lines.
    #[expect(
        clippy::disallowed_methods,
        reason = "read into a type of named members that holds no `Value`"
    )]
    pub fn log_lines(&self) -> Vec<LogLine<'_>> {
        self.logs
            .and_then(|logs| json::elements(logs.get()).ok())
            .unwrap_or_default()
            .into_iter()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }
}
