//! Lines about requests: `name=value` fields for people, or one JSON object per line for programs, with the same names.

use super::function_name::demangled;
use crate::time;
use contract::{
    digest::Digest,
    outcome::{Fault, Summary, Usage},
    text::{Printable, printable},
};
use rollout::ChannelReport;
use std::{fmt, io::Write, time::Duration};

/// Digits of a guest's digest that are shown: enough to distinguish guests.
pub const DIGEST_DIGITS: usize = 12;

/// Format of the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `name=value`, separated by blanks.
    Text,
    /// One JSON object.
    Json,
}

/// The access line, which every request has.
pub struct Access<'a> {
    /// When its head had arrived, in milliseconds since the Unix epoch.
    pub time_ms: u64,
    pub method: &'a str,
    /// Percent-encoded, without the query, which may contain secrets.
    pub path: &'a str,
    /// The query, for lines that only the developer reads.
    pub query: Option<&'a str>,
    pub status: u16,
    /// Bytes of the response's body.
    pub bytes: usize,
    /// From the arrival of the head until the response is passed on.
    pub duration: Duration,
    /// The component that was called, if one was.
    pub guest: Option<Digest>,
    /// What the request used.
    pub usage: Option<&'a Usage>,
    pub request_id: &'a str,
    /// The number of the request in a session of local development.
    pub exchange: Option<u64>,
}

/// Whether there is more to report than the access line does.
pub fn has_remarks(summary: &Summary) -> bool {
    summary.fault.is_some() || !summary.logs.is_empty()
}

/// Appends the guest's log lines as text, and why the host answered instead of the guest.
pub fn write_remarks(lines: &mut Vec<u8>, summary: &Summary) {
    Format::Text.remarks(lines, None, summary);
}

/// Appends the guest's log lines as text below the line of their request, and why the host answered instead of the guest.
pub fn write_log(lines: &mut Vec<u8>, indentation: &str, summary: &Summary) {
    for record in &summary.logs {
        lines.extend_from_slice(indentation.as_bytes());
        let mut line = Line::begin(lines, Format::Text);
        line.token("level", record.level);
        line.text("message", &record.message);
        line.attributes(&record.attributes);
        line.end();
    }
    if let Some(fault) = &summary.fault {
        lines.extend_from_slice(indentation.as_bytes());
        let mut line = Line::begin(lines, Format::Text);
        line.token("level", "error");
        line.cause(fault, &summary.backtrace);
        line.end();
    }
}

impl Format {
    /// Appends the access line.
    pub fn access(self, lines: &mut Vec<u8>, access: &Access<'_>) {
        let mut line = Line::begin(lines, self);
        line.token("time", time::rfc3339_ms(access.time_ms));
        line.token("method", access.method);
        line.token("path", access.path);
        line.number("status", access.status);
        line.number("bytes", access.bytes);
        line.number("duration_ms", Milliseconds(access.duration));
        if let Some(guest) = access.guest {
            let mut digest = guest.to_string();
            digest.truncate(DIGEST_DIGITS);
            line.token("guest", digest);
        }
        if let Some(usage) = access.usage {
            line.number("storage_ms", Milliseconds(usage.storage_duration));
            line.number("storage_calls", usage.storage_calls);
            if usage.outgoing_calls > 0 {
                line.number("outgoing_ms", Milliseconds(usage.outgoing_duration));
                line.number("outgoing_calls", usage.outgoing_calls);
            }
        }
        line.token("request_id", access.request_id);
        if let Some(exchange) = access.exchange {
            line.number("exchange", exchange);
        }
        line.end();
    }

    /// Appends the guest's log lines, and why the host answered instead of the guest.
    pub fn remarks(self, lines: &mut Vec<u8>, time_ms: Option<u64>, summary: &Summary) {
        for record in &summary.logs {
            let mut line = Line::begin(lines, self);
            line.time(time_ms);
            line.token("level", record.level);
            line.token("request_id", &summary.request_id);
            line.text("message", &record.message);
            line.attributes(&record.attributes);
            line.end();
        }
        if let Some(fault) = &summary.fault {
            let mut line = Line::begin(lines, self);
            line.time(time_ms);
            line.token("level", "error");
            line.token("request_id", &summary.request_id);
            line.cause(fault, &summary.backtrace);
            line.end();
        }
    }

    /// Appends a line about a fault of a request.
    pub fn fault(self, lines: &mut Vec<u8>, time_ms: Option<u64>, request_id: &str, fault: &str) {
        let mut line = Line::begin(lines, self);
        line.time(time_ms);
        line.token("level", "error");
        line.token("request_id", request_id);
        line.text("message", fault);
        line.end();
    }

    /// Appends a line about the channel.
    pub fn report(self, lines: &mut Vec<u8>, report: &ChannelReport) {
        let mut line = Line::begin(lines, self);
        line.time(Some(report.at_ms));
        line.token("level", if report.is_failure() { "error" } else { "info" });
        line.text("message", &format!("channel: {report}"));
        if let Some(generation) = report.serves.generation() {
            line.number("generation", generation);
        }
        line.number("duration_ms", report.duration.as_millis());
        line.end();
    }

    /// Appends a warning about the server itself.
    pub fn warning(self, lines: &mut Vec<u8>, message: &str) {
        self.note(lines, "warn", message);
    }

    /// Appends a line about the server itself.
    pub fn note(self, lines: &mut Vec<u8>, level: &str, message: &str) {
        let mut line = Line::begin(lines, self);
        line.time(Some(time::now_ms()));
        line.token("level", level);
        line.text("message", message);
        line.end();
    }
}

/// One line that is being written. Text from a client or a guest cannot end it or control a terminal.
struct Line<'a> {
    out: &'a mut Vec<u8>,
    format: Format,
    has_fields: bool,
}

// Writing to memory cannot fail.
impl<'a> Line<'a> {
    fn begin(out: &'a mut Vec<u8>, format: Format) -> Self {
        if format == Format::Json {
            out.push(b'{');
        }
        Self {
            out,
            format,
            has_fields: false,
        }
    }

    fn name(&mut self, name: &str) {
        let is_first = !std::mem::replace(&mut self.has_fields, true);
        let _ = match (self.format, is_first) {
            (Format::Text, true) => write!(self.out, "{name}="),
            (Format::Text, false) => write!(self.out, " {name}="),
            (Format::Json, true) => write!(self.out, "\"{name}\":"),
            (Format::Json, false) => write!(self.out, ",\"{name}\":"),
        };
    }

    fn time(&mut self, time_ms: Option<u64>) {
        if let Some(time_ms) = time_ms {
            self.token("time", time::rfc3339_ms(time_ms));
        }
    }

    /// A text without blanks, which is quoted in JSON only.
    fn token(&mut self, name: &str, value: impl fmt::Display) {
        match self.format {
            Format::Text => {
                self.name(name);
                let _ = write!(self.out, "{}", Printable(value));
            }
            Format::Json => self.text(name, &value.to_string()),
        }
    }

    fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        let _ = write!(self.out, "{}", Quoted(value));
    }

    fn number(&mut self, name: &str, value: impl fmt::Display) {
        self.name(name);
        let _ = write!(self.out, "{value}");
    }

    /// A guest's attributes, each the text of a JSON value: separate fields in text, members of one object in JSON.
    fn attributes(&mut self, attributes: &[(String, String)]) {
        match self.format {
            Format::Text => {
                for (key, value) in attributes {
                    let _ = write!(self.out, " {}={}", Key(key), OneLine(value));
                }
            }
            Format::Json if attributes.is_empty() => {}
            Format::Json => {
                self.name("attributes");
                let mut before = '{';
                for (key, value) in attributes {
                    let _ = write!(self.out, "{before}{}:{}", Quoted(key), OneLine(value));
                    before = ',';
                }
                self.out.push(b'}');
            }
        }
    }

    /// Why the host answered instead of the guest, and where the guest was.
    fn cause(&mut self, fault: &Fault, backtrace: &[String]) {
        self.token("fault", fault.kind());
        self.text("message", &fault.to_string());
        if !backtrace.is_empty() {
            let names: Vec<String> = backtrace.iter().map(|name| demangled(name)).collect();
            self.text("backtrace", &names.join(" <- "));
        }
    }

    fn end(self) {
        self.out.extend_from_slice(match self.format {
            Format::Text => b"\n",
            Format::Json => b"}\n",
        });
    }
}

/// A number with three decimal places.
pub struct Milliseconds(pub Duration);

impl fmt::Display for Milliseconds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let microseconds = self.0.as_micros();
        write!(
            formatter,
            "{}.{:03}",
            microseconds / 1000,
            microseconds % 1000
        )
    }
}

/// Text as a JSON string: quotes and control characters cannot break the line.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        Printable(serde_json::Value::from(self.0)).fmt(formatter)
    }
}

/// The text of a JSON value on one line. Line breaks can occur only between its tokens.
struct OneLine<'a>(&'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, line) in self.0.split(['\n', '\r', '\t']).enumerate() {
            if index > 0 {
                formatter.write_str(" ")?;
            }
            formatter.write_str(&printable(line))?;
        }
        Ok(())
    }
}

/// A key chosen by a guest; characters that would break the line are replaced.
struct Key<'a>(&'a str);

impl fmt::Display for Key<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = |character: char| {
            contract::text::is_printable(character) && !" =\"".contains(character)
        };
        self.0
            .chars()
            .map(|character| if is_plain(character) { character } else { '_' })
            .try_for_each(|character| fmt::Write::write_char(formatter, character))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::{
        log::{LogLevel, LogRecord},
        outcome::{Failure, StorageReport},
    };

    fn usage() -> Usage {
        Usage {
            storage_duration: Duration::from_micros(120),
            storage_calls: 2,
            ..Usage::default()
        }
    }

    fn access<'a>(path: &'a str, usage: &'a Usage) -> Access<'a> {
        Access {
            time_ms: 1_767_225_600_007,
            method: "GET",
            path,
            query: None,
            status: 200,
            bytes: 31,
            duration: Duration::from_micros(12_034),
            guest: Some(Digest::of(b"guest")),
            usage: Some(usage),
            request_id: "r1",
            exchange: None,
        }
    }

    fn summary(attribute: (&str, &str)) -> Summary {
        let record = LogRecord {
            level: LogLevel::Warn,
            message: "two\nlines \u{9b}31m".to_owned(),
            attributes: vec![(attribute.0.to_owned(), attribute.1.to_owned())],
            storage_calls: 0,
        };
        Summary {
            request_id: "r1".to_owned(),
            method: "GET".to_owned(),
            path: "/".to_owned(),
            route: "/".to_owned(),
            status: 200,
            fault: Some(Fault::Guest(Failure::Trap("unreachable".to_owned()))),
            guest: None,
            logs: vec![record],
            backtrace: vec!["guest\u{9b}::handle".to_owned(), "function 7".to_owned()],
            usage: Usage::default(),
            storage: StorageReport::default(),
        }
    }

    fn written(format: Format) -> String {
        let mut lines = Vec::new();
        let usage = usage();
        format.access(&mut lines, &access("/items/a%20b", &usage));
        let refused = Access {
            guest: None,
            usage: None,
            status: 403,
            ..access("/\u{9b}\u{202e}", &usage)
        };
        format.access(&mut lines, &refused);
        let summary = summary(("a key", "[1,\n\"\u{202e}\"]"));
        assert!(has_remarks(&summary));
        format.remarks(&mut lines, Some(1_767_225_600_007), &summary);
        format.fault(&mut lines, None, "r1", "it said \"no\"");
        String::from_utf8(lines).unwrap()
    }

    #[test]
    fn every_line_is_one_line_of_fields() {
        insta::assert_snapshot!(written(Format::Text), @r#"
        time=2026-01-01T00:00:00.007Z method=GET path=/items/a%20b status=200 bytes=31 duration_ms=12.034 guest=84983c60f7da storage_ms=0.120 storage_calls=2 request_id=r1
        time=2026-01-01T00:00:00.007Z method=GET path=/\u009b\u202e status=403 bytes=31 duration_ms=12.034 request_id=r1
        time=2026-01-01T00:00:00.007Z level=warn request_id=r1 message="two\nlines \u009b31m" a_key=[1, "\u202e"]
        time=2026-01-01T00:00:00.007Z level=error request_id=r1 fault=trap message="the guest trapped: unreachable" backtrace="guest\u009b::handle <- function 7"
        level=error request_id=r1 message="it said \"no\""
        "#);
    }

    #[test]
    fn as_json_every_line_is_one_object_with_the_same_names() {
        let lines = written(Format::Json);
        for line in lines.lines() {
            let object = json::value(line.as_bytes()).unwrap();
            assert!(object.is_object(), "{line}");
        }
        insta::assert_snapshot!(lines, @r#"
        {"time":"2026-01-01T00:00:00.007Z","method":"GET","path":"/items/a%20b","status":200,"bytes":31,"duration_ms":12.034,"guest":"84983c60f7da","storage_ms":0.120,"storage_calls":2,"request_id":"r1"}
        {"time":"2026-01-01T00:00:00.007Z","method":"GET","path":"/\u009b\u202e","status":403,"bytes":31,"duration_ms":12.034,"request_id":"r1"}
        {"time":"2026-01-01T00:00:00.007Z","level":"warn","request_id":"r1","message":"two\nlines \u009b31m","attributes":{"a key":[1, "\u202e"]}}
        {"time":"2026-01-01T00:00:00.007Z","level":"error","request_id":"r1","fault":"trap","message":"the guest trapped: unreachable","backtrace":"guest\u009b::handle <- function 7"}
        {"level":"error","request_id":"r1","message":"it said \"no\""}
        "#);
    }

    #[test]
    fn nothing_foreign_acts_on_a_terminal() {
        for format in [Format::Text, Format::Json] {
            let lines = written(format);
            assert!(
                lines
                    .lines()
                    .all(|line| line.chars().all(contract::text::is_printable)),
                "{lines:?}"
            );
        }
    }
}
