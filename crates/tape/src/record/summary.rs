//! What a line has of a request's summary: log lines, status, fault and usage.

use crate::{
    FaultRecord,
    redact::{Marks, Redaction, Secrets},
    splices::one_line,
};
use contract::{log::LogRecord, outcome::Summary};
use json::{Object, join, write_array};
use std::io::Write as _;

/// Writes the array of log lines.
pub fn write_logs(
    out: &mut Vec<u8>,
    logs: &[LogRecord],
    redaction: &Redaction,
    marks: &mut Marks,
    secrets: &mut Secrets,
) {
    write_array(out, logs.iter().enumerate(), |out, (number, record)| {
        let mut line = Object::begin(out);
        line.string("level", record.level.as_str());
        let at = format!("/logs/{number}/message");
        let message = redaction.log_message(&record.message, &at, marks, secrets);
        line.string("message", &message);
        if !record.attributes.is_empty() {
            let mut attributes = Object::begin(line.name("attributes"));
            for (key, value) in &record.attributes {
                let at = join(&format!("/logs/{number}/attributes"), key);
                let value = redaction.attribute(key, value, &at, marks, secrets);
                let value = one_line(value.as_bytes());
                attributes.key(key).extend_from_slice(&value);
            }
            attributes.end();
        }
        line.number("after", u64::from(record.storage_calls));
        line.end();
    });
}

/// Status, fault and usage.
pub(super) fn write_outcome(line: &mut Object<'_>, summary: &Summary, fault_detail: Option<&str>) {
    line.number("status", u64::from(summary.status));
    if let Some(fault) = &summary.fault {
        let record = FaultRecord::of(fault);
        let mut object = Object::begin(line.name("fault"));
        object.string("kind", &record.kind);
        object.string("detail", fault_detail.unwrap_or(&record.detail));
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
    if usage.outgoing_calls > 0 {
        object.number("outgoing_us", usage.outgoing_duration.as_micros() as u64);
        object.number("outgoing_calls", u64::from(usage.outgoing_calls));
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
