//! The line of one request.

use super::{Noted, Omitted, RecordOptions};
use crate::{
    digest::Digest,
    gateway::Rejection,
    hexadecimal::Hexadecimal,
    json::{Object, write_array, write_number, write_string},
    limits::{Limits, TAPE_LINE_WRITTEN_BYTES_MAX, TAPE_LIST_ELEMENTS_MAX},
    runtime::{LogLevel, LogRecord, RuntimeOptions},
    seed::Seed,
    service::{Answer, Summary},
    tape::{
        FaultRecord, VERSION,
        exchange::{FIRST_MEMBER, seal},
        json::{Splices, members, one_line, span},
        redact::{Marks, REPLACEMENT, Redaction},
    },
};
use std::{borrow::Cow, collections::BTreeMap, io::Write as _};

/// What a request began with.
pub(super) struct Request<'a> {
    pub(super) event: &'a [u8],
    pub(super) received_at_ms: u64,
    pub(super) seed: Seed,
}

/// What beside the event reaches the guest.
pub(super) struct Host<'a> {
    pub(super) base_path: Option<&'a str>,
    pub(super) options: &'a RuntimeOptions,
}

/// Room for a usual line beside event, calls and answer.
const LINE_BYTES: usize = 1024;

/// What of a request a line holds by value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kept {
    /// Without the event; calls are counted, and of log lines there is the digest.
    Answer,
    /// Calls are counted, and of log lines there is the digest.
    EventAndAnswer,
    Everything,
}

/// A line that every reader takes: where all of the request is too much for one, calls and log lines are left out, then the event.
///
/// `None`: the event is not JSON.
pub(super) fn write(
    options: &RecordOptions,
    host: &Host<'_>,
    request: &Request<'_>,
    noted: Noted,
    answer: &Result<Answer, Rejection>,
) -> Option<Vec<u8>> {
    let calls_count = noted.count.saturating_add(noted.omitted_count);
    let is_readable = |line: &Written| {
        line.text.len() <= TAPE_LINE_WRITTEN_BYTES_MAX
            && line.list_elements_max <= TAPE_LIST_ELEMENTS_MAX
    };
    let line = attempt(options, host, request, noted, answer, Kept::Everything)?;
    if is_readable(&line) {
        return Some(line.text);
    }
    [Kept::EventAndAnswer, Kept::Answer]
        .into_iter()
        .filter_map(|kept| {
            let noted = Noted {
                omitted_count: calls_count,
                ..Noted::default()
            };
            attempt(options, host, request, noted, answer, kept)
        })
        .find(is_readable)
        .map(|line| line.text)
}

/// A line, and the length of its longest list of places.
struct Written {
    text: Vec<u8>,
    list_elements_max: usize,
}

fn attempt(
    options: &RecordOptions,
    host: &Host<'_>,
    request: &Request<'_>,
    noted: Noted,
    answer: &Result<Answer, Rejection>,
    kept: Kept,
) -> Option<Written> {
    let (summary, payload, rejection) = match answer {
        Ok(answer) => (Some(&answer.summary), Some(&answer.payload), None),
        Err(rejection @ Rejection::NotHttp(_)) => (None, None, Some(rejection)),
        // An answer is made of those.
        Err(Rejection::NotJson { .. } | Rejection::Http(_)) => return None,
    };
    let mut texts = Texts {
        options,
        marks: noted.marks,
        omitted: noted.omitted,
    };
    let payload_bytes = payload.map_or(0, Vec::len);
    let mut out =
        Vec::with_capacity(LINE_BYTES + request.event.len() + noted.text.len() + payload_bytes);
    let mut line = Object::begin(&mut out);
    line.number(FIRST_MEMBER, u64::from(VERSION));
    match summary {
        Some(summary) => line.string("id", &summary.request_id),
        None => line.string("id", &request.seed.request_id()),
    }
    line.number("received_at_ms", request.received_at_ms);
    match summary.and_then(|summary| summary.guest) {
        Some(guest) => line.string("guest", &guest.to_string()),
        None => line.raw("guest", b"null"),
    }
    match options.withhold_seed {
        true => line.raw("seed", b"null"),
        false => line.string("seed", &Hexadecimal(request.seed.as_bytes()).to_string()),
    }
    host.write(line.name("host"));
    match kept {
        Kept::Everything | Kept::EventAndAnswer => {
            texts.event(line.name("event"), request.event);
        }
        Kept::Answer => {
            texts.omit("/event", request.event);
            line.raw("event", b"null");
        }
    }
    let calls = line.name("calls");
    calls.push(b'[');
    calls.extend_from_slice(&noted.text);
    calls.push(b']');
    if noted.omitted_count > 0 {
        line.number("calls_omitted", u64::from(noted.omitted_count));
    }
    if let Some(summary) = summary {
        if !summary.logs.is_empty() {
            let redaction = &options.redaction;
            if kept == Kept::Everything {
                let marks = &mut texts.marks;
                write_logs(line.name("logs"), &summary.logs, redaction, marks);
            } else {
                let mut logs = Vec::new();
                write_logs(&mut logs, &summary.logs, redaction, &mut Marks::default());
                texts.omit("/logs", &logs);
            }
        }
        texts.response(line.name("response"), payload.map_or(b"", Vec::as_slice));
        outcome(&mut line, summary);
    }
    if let Some(rejection) = rejection {
        line.raw("response", b"null");
        line.string("rejection", &rejection.to_string());
    }
    let list_elements_max = texts.marks.at.len().max(texts.omitted.len());
    texts.finish(&mut line);
    let digest = Digest::of(&out);
    out.extend_from_slice(&seal(digest));
    Some(Written {
        text: out,
        list_elements_max,
    })
}

/// Event, logs and answer, redacted and within the bounds.
struct Texts<'a> {
    options: &'a RecordOptions,
    marks: Marks,
    omitted: Vec<Omitted>,
}

impl Texts<'_> {
    /// Notes what is not in the line.
    fn omit(&mut self, at: &str, text: &[u8]) {
        self.omitted.push(Omitted {
            at: at.to_owned(),
            bytes: text.len(),
            sha256: Digest::of(text),
        });
    }

    fn event(&mut self, out: &mut Vec<u8>, event: &[u8]) {
        // A parser that skips a string does not look whether it is text.
        let Ok(event) = str::from_utf8(event) else {
            self.omit("/event", event);
            out.extend_from_slice(b"null");
            return;
        };
        let bytes_max = self.options.text_bytes_max;
        let redacted = self.options.redaction.event(event, &mut self.marks);
        let bounded = without_body(&redacted, bytes_max, "/event", &mut self.omitted);
        out.extend_from_slice(&one_line(bounded.as_bytes()));
    }

    fn response(&mut self, out: &mut Vec<u8>, payload: &[u8]) {
        // What a service answers is JSON.
        let payload = str::from_utf8(payload).unwrap_or("null");
        let bytes_max = self.options.text_bytes_max;
        let redacted = self.options.redaction.response(payload, &mut self.marks);
        let bounded = without_body(&redacted, bytes_max, "/response", &mut self.omitted);
        out.extend_from_slice(&one_line(bounded.as_bytes()));
    }

    fn finish(self, line: &mut Object<'_>) {
        let Marks {
            headers,
            query,
            fields,
            at,
        } = self.marks;
        if !at.is_empty() {
            let mut redacted = Object::begin(line.name("redacted"));
            let text = |out: &mut Vec<u8>, text: &String| write_string(out, text);
            for (name, rules) in [
                ("headers", &headers),
                ("query", &query),
                ("fields", &fields),
            ] {
                if !rules.is_empty() {
                    write_array(redacted.name(name), rules, text);
                }
            }
            write_array(redacted.name("at"), &at, text);
            redacted.end();
        }
        if !self.omitted.is_empty() {
            write_array(line.name("omitted"), self.omitted, |out, omitted| {
                let mut object = Object::begin(out);
                object.string("at", &omitted.at);
                object.number("bytes", omitted.bytes as u64);
                object.string("sha256", &omitted.sha256.to_string());
                object.end();
            });
        }
    }
}

/// The JSON object with `null` in the place of a body that is too long.
fn without_body<'a>(
    json: &'a str,
    bytes_max: usize,
    at: &str,
    omitted: &mut Vec<Omitted>,
) -> Cow<'a, str> {
    if json.len() <= bytes_max {
        return Cow::Borrowed(json);
    }
    let mut splices = Splices::default();
    for (name, value) in members(json) {
        if name == "body" && value.len() > bytes_max {
            splices.replace(span(json, value), "null");
            omitted.push(Omitted::new(format!("{at}/body"), value));
        }
    }
    splices.apply(json)
}

/// Writes the array of log lines.
pub(crate) fn write_logs(
    out: &mut Vec<u8>,
    logs: &[LogRecord],
    redaction: &Redaction,
    marks: &mut Marks,
) {
    write_array(out, logs.iter().enumerate(), |out, (number, record)| {
        let mut line = Object::begin(out);
        line.string("level", record.level.as_str());
        line.string("message", &record.message);
        if !record.attributes.is_empty() {
            let mut attributes = Object::begin(line.name("attributes"));
            for (key, value) in &record.attributes {
                let at = || format!("/logs/{number}/attributes/{key}");
                if redaction.attribute(key, at, marks) {
                    attributes.entry(key, REPLACEMENT);
                } else {
                    let value = one_line(value.as_bytes());
                    attributes.key(key).extend_from_slice(&value);
                }
            }
            attributes.end();
        }
        line.number("after", u64::from(record.storage_calls));
        line.end();
    });
}

/// Status, fault and usage.
fn outcome(line: &mut Object<'_>, summary: &Summary) {
    line.number("status", u64::from(summary.status));
    if let Some(fault) = &summary.fault {
        let record = FaultRecord::of(fault);
        let mut object = Object::begin(line.name("fault"));
        object.string("kind", &record.kind);
        object.string("detail", &record.detail);
        object.end();
    }
    let (usage, storage) = (&summary.usage, &summary.storage);
    let mut object = Object::begin(line.name("usage"));
    for (name, value) in [
        ("total_us", usage.total_duration.as_micros() as u64),
        ("storage_us", usage.storage_duration.as_micros() as u64),
        ("storage_calls", u64::from(usage.storage_calls)),
        ("host_calls", u64::from(usage.host_calls)),
        ("memory_bytes_peak", usage.memory_bytes_peak as u64),
    ] {
        object.number(name, value);
    }
    if storage.capacity_units > 0.0 && storage.capacity_units.is_finite() {
        let _ = write!(object.name("capacity_units"), "{}", storage.capacity_units);
    }
    for (name, count) in [
        ("throttles", storage.throttles),
        ("retries", storage.retries),
    ] {
        if count > 0 {
            object.number(name, u64::from(count));
        }
    }
    object.end();
}

impl Host<'_> {
    /// Writes what is not the default.
    fn write(&self, out: &mut Vec<u8>) {
        let options = self.options;
        let mut host = Object::begin(out);
        host.string("version", env!("CARGO_PKG_VERSION"));
        if let Some(base_path) = self.base_path {
            host.string("base_path", base_path);
        }
        if options.log_level != LogLevel::Info {
            host.string("log_level", options.log_level.as_str());
        }
        if !options.environment.is_empty() {
            let digest = environment_digest(&options.environment);
            host.string("environment", &digest.to_string());
        }
        if options.limits != Limits::default() {
            limits(host.name("limits"), &options.limits);
        }
        host.end();
    }
}

fn limits(out: &mut Vec<u8>, limits: &Limits) {
    let default = Limits::default();
    let Limits {
        request_body_bytes_max,
        request_target_bytes_max,
        request_headers_bytes_max,
        guest_memory_bytes_max,
        host_calls_max,
        storage_calls_max,
        request_duration_max,
    } = *limits;
    let mut object = Object::begin(out);
    let milliseconds = |duration: std::time::Duration| duration.as_millis() as usize;
    for (name, value, usual) in [
        (
            "request_body_bytes_max",
            request_body_bytes_max,
            default.request_body_bytes_max,
        ),
        (
            "request_target_bytes_max",
            request_target_bytes_max,
            default.request_target_bytes_max,
        ),
        (
            "request_headers_bytes_max",
            request_headers_bytes_max,
            default.request_headers_bytes_max,
        ),
        (
            "guest_memory_bytes_max",
            guest_memory_bytes_max,
            default.guest_memory_bytes_max,
        ),
        (
            "host_calls_max",
            host_calls_max as usize,
            default.host_calls_max as usize,
        ),
        (
            "storage_calls_max",
            storage_calls_max as usize,
            default.storage_calls_max as usize,
        ),
        (
            "request_duration_ms_max",
            milliseconds(request_duration_max),
            milliseconds(default.request_duration_max),
        ),
    ] {
        if value != usual {
            write_number(object.name(name), value as u64);
        }
    }
    object.end();
}

/// SHA-256 of a guest's environment as a JSON object in the order of names.
pub fn environment_digest(environment: &[(String, String)]) -> Digest {
    let sorted: BTreeMap<&str, &str> = environment
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    Digest::of(serde_json::json!(sorted).to_string().as_bytes())
}
