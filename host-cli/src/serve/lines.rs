//! Lines about requests, as `name=value` fields.

use host_core::{release::ChannelReport, service::Summary};
use std::{fmt, io::Write, time::Duration};

/// The line that every request has.
pub struct Access<'a> {
    pub method: &'a str,
    /// Percent-encoded, without the query, which may hold secrets.
    pub path: &'a str,
    pub status: u16,
    /// From the head's arrival to the answer's departure.
    pub duration: Duration,
    pub request_id: &'a str,
}

impl Access<'_> {
    /// Appends the line.
    pub fn write(&self, lines: &mut Vec<u8>) {
        let Self {
            method,
            path,
            status,
            duration,
            request_id,
        } = self;
        let microseconds = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let (milliseconds, rest) = (microseconds / 1000, microseconds % 1000);
        // Writing to memory does not fail.
        let _ = writeln!(
            lines,
            "method={method} path={path} status={status} duration_ms={milliseconds}.{rest:03} request_id={request_id}"
        );
    }
}

/// Whether there is more to say than the access line does.
pub fn has_remarks(summary: &Summary) -> bool {
    summary.fault.is_some() || !summary.logs.is_empty()
}

/// Appends the guest's log lines, and why the host answered in its place.
pub fn write_remarks(lines: &mut Vec<u8>, summary: &Summary) {
    for record in &summary.logs {
        let _ = write!(
            lines,
            "level={} request_id={} message={}",
            record.level,
            summary.request_id,
            Quoted(&record.message)
        );
        for (key, value) in &record.attributes {
            let _ = write!(lines, " {}={value}", Key(key));
        }
        lines.push(b'\n');
    }
    if let Some(fault) = &summary.fault {
        write_fault(lines, &summary.request_id, fault);
    }
}

/// Appends a line about what went wrong.
pub fn write_fault(lines: &mut Vec<u8>, request_id: &str, fault: &dyn fmt::Display) {
    let fault = fault.to_string();
    let _ = writeln!(
        lines,
        "level=error request_id={request_id} message={}",
        Quoted(&fault)
    );
}

/// Appends a line about the channel.
pub fn write_report(lines: &mut Vec<u8>, report: &ChannelReport) {
    let level = if report.is_failure() { "error" } else { "info" };
    let milliseconds = report.duration.as_millis();
    let _ = writeln!(
        lines,
        "level={level} message={} duration_ms={milliseconds}",
        Quoted(&format!("channel: {report}"))
    );
}

/// Text as a JSON string: quotes and control characters cannot break the line.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        serde_json::Value::from(self.0).fmt(formatter)
    }
}

/// A guest's key, with what would break the line replaced.
struct Key<'a>(&'a str);

impl fmt::Display for Key<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = |character: char| !character.is_control() && !" =\"".contains(character);
        self.0
            .chars()
            .map(|character| if is_plain(character) { character } else { '_' })
            .try_for_each(|character| fmt::Write::write_char(formatter, character))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use host_core::{
        gateway::EventKind,
        runtime::{LogLevel, LogRecord, Usage},
        storage::StorageReport,
    };

    #[test]
    fn every_line_is_one_line_of_fields() {
        let mut lines = Vec::new();
        let access = Access {
            method: "GET",
            path: "/items/a%20b",
            status: 200,
            duration: Duration::from_micros(12_034),
            request_id: "r1",
        };
        access.write(&mut lines);
        let record = LogRecord {
            level: LogLevel::Warn,
            message: "two\nlines".to_owned(),
            attributes: vec![("a key".to_owned(), "[1]".to_owned())],
            storage_calls: 0,
        };
        let summary = Summary {
            kind: EventKind::HttpApi,
            request_id: "r1".to_owned(),
            method: "GET".to_owned(),
            path: "/".to_owned(),
            route: "/".to_owned(),
            status: 200,
            fault: None,
            guest: None,
            logs: vec![record],
            usage: Usage::default(),
            storage: StorageReport::default(),
        };
        assert!(has_remarks(&summary));
        write_remarks(&mut lines, &summary);
        write_fault(&mut lines, "r1", &"it said \"no\"");
        insta::assert_snapshot!(String::from_utf8(lines).unwrap(), @r#"
        method=GET path=/items/a%20b status=200 duration_ms=12.034 request_id=r1
        level=warn request_id=r1 message="two\nlines" a_key=[1]
        level=error request_id=r1 message="it said \"no\""
        "#);
    }
}
