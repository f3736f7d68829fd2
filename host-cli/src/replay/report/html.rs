//! The report as an HTML page: one self-contained file, for the person who decides whether a difference is intended.
//!
//! The page contains its data as JSON; its script creates elements from them and never interprets text as markup. Requests are written as
//! they arrive; the page begins with a list and shows one request at a time.

use super::{EntryVerdict, LeftOut, Report, ReportEntry, Totals, json::name};
use crate::{
    exit::CommandError,
    replacement::{self, OutputError, Readers, Replacement},
    replay::input::Place,
};
use observation::{RequestLine, request_line};
use replay::ComparedCosts;
use serde_json::{Map, Value, json};
use std::{io::Write, path::Path};
use tape::Exchange;

const STYLE: &str = include_str!("html/report.css");
const SCRIPT: &str = include_str!("html/report.js");

/// Name of the output in messages.
pub const WHAT: &str = "report";

/// Number of requests with all details; further ones have only a line in the list.
const DETAILED_MAX: u32 = 2_000;
/// Number of lines in the list; further requests without differences are only counted.
const LISTED_MAX: u32 = 20_000;
/// Number of lines in the list for all requests; further ones are only counted.
const LISTED_DIFFERING_MAX: u32 = 5 * LISTED_MAX;
/// Characters of a text in the page; longer ones are cut.
const TEXT_CHARACTERS_MAX: usize = 20_000;

/// What the page shows about a request.
pub struct Detail {
    verdict: replay::Verdict,
    /// For the list.
    head: Map<String, Value>,
    /// For its detail view.
    body: Map<String, Value>,
}

impl Detail {
    /// Collects it.
    pub fn new(place: &Place, exchange: &Exchange<'_>, comparison: &replay::Comparison) -> Self {
        let event = exchange.event.map_or("null", |event| event.get());
        let RequestLine { method, path } = request_line(event.as_bytes()).unwrap_or_default();
        let mut head = Map::new();
        head.insert("id".to_owned(), exchange.id.clone().into());
        head.insert("verdict".to_owned(), name(comparison.verdict).into());
        head.insert("method".to_owned(), method.into());
        head.insert("path".to_owned(), path.into());
        head.insert("place".to_owned(), place.to_string().into());
        head.insert("status".to_owned(), exchange.status.into());
        if let Some(now) = comparison.status {
            head.insert("now".to_owned(), now.into());
        }
        let notes: Vec<&str> = comparison
            .notes
            .iter()
            .map(|note| note.text.as_str())
            .collect();
        head.insert(
            "note".to_owned(),
            notes.first().copied().unwrap_or_default().into(),
        );
        let mut body = Map::new();
        body.insert("notes".to_owned(), json!(notes));
        let differing: Vec<Value> = comparison
            .differing
            .iter()
            .map(|part| {
                json!({
                    "what": part.part.name(),
                    "expected": part.expected.as_ref().map(pretty),
                    "actual": pretty(&part.actual),
                })
            })
            .collect();
        body.insert("differing".to_owned(), differing.into());
        body.insert("timeline".to_owned(), timeline(exchange));
        body.insert(
            "received".to_owned(),
            crate::time::rfc3339_ms(exchange.received_at_ms).into(),
        );
        body.insert("guest".to_owned(), json!(exchange.guest));
        body.insert("usage".to_owned(), usage(exchange, comparison));
        if let Some(redacted) = exchange
            .redacted
            .as_ref()
            .filter(|_| exchange.is_redacted())
        {
            body.insert("redacted".to_owned(), json!(redacted.at));
        }
        Self {
            verdict: comparison.verdict,
            head,
            body,
        }
    }
}

/// Event, calls with their results, log lines and response, in order.
fn timeline(exchange: &Exchange<'_>) -> Value {
    let mut steps = Vec::new();
    let event = exchange.event.map_or("null", |event| event.get());
    steps.push(json!({"at": 0, "kind": "event", "text": spread(event)}));
    let logs = exchange.log_lines();
    let mut logs = logs.iter().peekable();
    let mut outgoing = exchange.outgoing.iter().peekable();
    let mut secrets = exchange.secrets.iter().peekable();
    let send = |sent: &tape::OutgoingRecord<'_>| {
        json!({
            "at": sent.at_us,
            "took": sent.us,
            "kind": "send",
            "text": spread(sent.request.get()),
            "result": sent.result.map(|result| spread(result.get())),
        })
    };
    let secret = |call: &tape::SecretCallRecord<'_>| {
        json!({
            "at": call.at_us,
            "took": call.us,
            "kind": "secret",
            "text": spread(call.request.get()),
            "result": call.result.map(|result| spread(result.get())),
        })
    };
    let log = |line: &tape::LogLine<'_>| {
        let attributes = line.attributes.map_or("", |attributes| attributes.get());
        let text = format!("{} {} {attributes}", line.level, line.message);
        json!({"kind": "log", "text": cut(text.trim_end())})
    };
    for (number, call) in exchange.calls.iter().enumerate() {
        while let Some(line) = logs.next_if(|line| line.after as usize <= number) {
            steps.push(log(line));
        }
        while let Some(sent) = outgoing.next_if(|sent| sent.after as usize <= number) {
            steps.push(send(sent));
        }
        while let Some(call) = secrets.next_if(|call| call.after as usize <= number) {
            steps.push(secret(call));
        }
        steps.push(json!({
            "at": call.at_us,
            "took": call.us,
            "kind": call.call.as_str(),
            "text": spread(call.arguments.get()),
            "result": call.result.map(|result| spread(result.get())),
        }));
    }
    steps.extend(outgoing.map(send));
    steps.extend(secrets.map(secret));
    steps.extend(logs.map(log));
    let end = exchange.usage.total_us;
    if let Some(fault) = &exchange.fault {
        steps.push(json!({"at": end, "kind": "fault", "text": format!("{}: {}", fault.kind, fault.detail)}));
    }
    let answer = match (exchange.response, &exchange.rejection) {
        (Some(response), _) => spread(response.get()),
        (None, rejection) => rejection.clone().unwrap_or_default().into_owned(),
    };
    steps.push(json!({"at": end, "kind": "response", "text": answer}));
    steps.into()
}

/// Its cost, in the recording and now.
fn usage(exchange: &Exchange<'_>, comparison: &replay::Comparison) -> Value {
    let mut rows = vec![
        json!([
            "total",
            format!("{:.2} ms", exchange.usage.total_us as f64 / 1000.0),
            null
        ]),
        json!([
            "of this, storage",
            format!("{:.2} ms", exchange.usage.storage_us as f64 / 1000.0),
            null
        ]),
    ];
    if exchange.usage.outgoing_calls > 0 {
        rows.push(json!([
            "of this, other services",
            format!("{:.2} ms", exchange.usage.outgoing_us as f64 / 1000.0),
            null
        ]));
        let sent = exchange.usage.outgoing_calls;
        rows.push(json!(["outgoing requests", sent, null]));
    }
    let (mut calls_now, mut memory_now) = (Value::Null, Value::Null);
    if let Some(ComparedCosts { expected, actual }) = &comparison.costs {
        calls_now = actual.calls.into();
        memory_now = actual.memory_bytes_peak.map_or(Value::Null, kibibytes);
        if let (Some(expected), Some(actual)) = (expected.work, actual.work) {
            rows.push(json!(["work", expected, actual]));
        }
    }
    rows.push(json!([
        "storage calls",
        exchange.usage.storage_calls,
        calls_now
    ]));
    rows.push(json!([
        "memory",
        kibibytes(exchange.usage.memory_bytes_peak),
        memory_now
    ]));
    rows.into()
}

fn kibibytes(bytes: usize) -> Value {
    format!("{} KiB", bytes / 1024).into()
}

/// Indented JSON.
fn spread(json: &str) -> String {
    tree(json).map_or_else(|| cut(json), |value| pretty(&value))
}

/// For display: half of a surrogate pair becomes U+FFFD.
fn tree(json: &str) -> Option<Value> {
    let (value, _lone_surrogate) = json::lenient_value(json.as_bytes()).ok()?;
    Some(value)
}

fn pretty(value: &Value) -> String {
    cut(&format!("{value:#}"))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(TEXT_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}\n... cut: {} bytes in all", &text[..end], text.len()),
        None => text.to_owned(),
    }
}

/// Writes the page to a temporary file that only its owner can read, because it may contain secrets, and renames it at the end.
pub struct Html {
    out: Replacement,
    listed: u32,
    detailed: u32,
    left_out: LeftOut,
}

impl Html {
    /// Begins the page.
    pub fn create(path: &Path) -> Result<Self, CommandError> {
        let out = Replacement::create(path, Readers::Owner)
            .map_err(|error| cannot_write(path, &error))?;
        let mut html = Self {
            out,
            listed: 0,
            detailed: 0,
            left_out: LeftOut::default(),
        };
        html.write(&format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n\
             <title>Replay</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<div id=\"page\">\n\
             <noscript>This report needs JavaScript to be shown. Its data stand in the page as JSON.</noscript>\n</div>\n\
             <script id=\"data\" type=\"application/json\">{{\"requests\":["
        ))?;
        Ok(html)
    }

    fn write(&mut self, text: &str) -> Result<(), CommandError> {
        self.out
            .write_all(text.as_bytes())
            .map_err(|error| cannot_write(self.out.path(), &error.into()))
    }

    /// An entry for everything that was left out since the last file.
    fn list_left_out(&mut self, path: Option<&Path>) -> Result<(), CommandError> {
        let left_out = std::mem::take(&mut self.left_out);
        let Some(words) = left_out.words(path) else {
            return Ok(());
        };
        let (what, place) = match path {
            Some(path) => ("line", path.display().to_string()),
            None => ("case", String::new()),
        };
        let entry = json!({
            "id": what, "verdict": "unplayable", "method": "", "path": words, "place": place,
            "note": "too many to list",
        });
        match entry {
            Value::Object(entry) => self.list(entry),
            _ => Ok(()),
        }
    }

    fn list(&mut self, entry: Map<String, Value>) -> Result<(), CommandError> {
        let separator = if self.listed == 0 { "\n" } else { ",\n" };
        self.listed += 1;
        self.write(separator)?;
        self.write(&embedded(&Value::Object(entry)))
    }
}

/// JSON that cannot end the element that contains it.
fn embedded(value: &Value) -> String {
    value.to_string().replace('<', "\\u003c")
}

fn cannot_write(path: &Path, error: &OutputError) -> CommandError {
    replacement::cannot_write(path, WHAT, error)
}

impl Report for Html {
    /// Requests arrive through [`Self::detail`]; of the rest, only what is not as expected is listed.
    fn entry(&mut self, reported: &ReportEntry) -> Result<(), CommandError> {
        if !self.left_out.tells(reported) {
            return Ok(());
        }
        let (word, note) = match &reported.verdict {
            EntryVerdict::Same | EntryVerdict::Blessed | EntryVerdict::Tape { .. } => return Ok(()),
            EntryVerdict::Differs(_) => ("differs", String::new()),
            EntryVerdict::ServerError { status, .. } => {
                ("differs", format!("answered with {status}"))
            }
            EntryVerdict::Refused(reason) => ("differs", format!("refused: {reason}")),
            EntryVerdict::Unreadable(reason) => ("unplayable", format!("not a request: {reason}")),
            EntryVerdict::Encrypted(reason) => ("unplayable", format!("encrypted: {reason}")),
            EntryVerdict::Cut => ("unplayable", "the line is incomplete".to_owned()),
        };
        if self.listed >= LISTED_DIFFERING_MAX {
            self.left_out.count(&reported.verdict);
            return Ok(());
        }
        let what = if reported.is_case { "case" } else { "line" };
        let place = reported.place.to_string();
        let (method, path) = match &reported.request {
            Some(request) => (request.method.as_str(), request.path.as_str()),
            None => ("", place.as_str()),
        };
        let entry = json!({
            "id": what, "verdict": word, "method": method, "path": path, "place": place, "note": note,
            "status": reported.status_expected, "now": reported.status_actual,
        });
        match entry {
            Value::Object(entry) => self.list(entry),
            _ => Ok(()),
        }
    }

    fn detail(&mut self, detail: &Detail) -> Result<(), CommandError> {
        let is_same = detail.verdict == replay::Verdict::Same;
        if self.listed >= LISTED_MAX && is_same {
            return Ok(());
        }
        if self.listed >= LISTED_DIFFERING_MAX {
            self.left_out.failed += 1;
            return Ok(());
        }
        let mut entry = detail.head.clone();
        if self.detailed < DETAILED_MAX {
            self.detailed += 1;
            entry.extend(detail.body.clone());
        }
        self.list(entry)
    }

    fn failed(&mut self, reason: &str) -> Result<(), CommandError> {
        if self.listed >= LISTED_DIFFERING_MAX {
            return Ok(());
        }
        let entry = json!({
            "id": "input", "verdict": "unplayable", "method": "", "path": "", "place": "", "note": cut(reason),
        });
        match entry {
            Value::Object(entry) => self.list(entry),
            _ => Ok(()),
        }
    }

    fn file(&mut self, path: &Path, _totals: &Totals) -> Result<(), CommandError> {
        self.list_left_out(Some(path))
    }

    fn finish(&mut self, totals: &Totals) -> Result<(), CommandError> {
        self.list_left_out(None)?;
        let totals = json!({
            "requests": totals.requests,
            "cases": totals.cases,
            "events": totals.events,
            "same": totals.same,
            "equal-in-effect": totals.equal_in_effect,
            "differs": totals.differing + totals.server_errors + totals.refused,
            "redacted": totals.redacted,
            "unplayable": totals.unplayable + totals.unreadable + totals.encrypted,
        });
        let now = crate::time::rfc3339_ms(crate::time::now_ms());
        self.write(&format!(
            "\n],\"totals\":{},\"made\":\"{now}\"}}</script>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n",
            embedded(&totals)
        ))?;
        self.out
            .finish()
            .map_err(|error| cannot_write(self.out.path(), &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_cannot_end_the_element_they_stand_in() {
        let text = embedded(&json!({"a": "</script><script>alert(1)</script><!--"}));
        assert!(!text.contains('<'), "{text}");
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["a"], "</script><script>alert(1)</script><!--");
    }

    #[test]
    fn lines_that_are_no_request_are_counted_behind_the_first_thousand() {
        let name = format!("tenon-report-{}.html", std::process::id());
        let path = std::env::temp_dir().join(name);
        let mut report = Html::create(&path).unwrap();
        for number in 1..=3_000 {
            let place = Place {
                path: Path::new("day.tape").into(),
                line: Some(number),
            };
            report
                .entry(&ReportEntry::unread(place, EntryVerdict::Cut))
                .unwrap();
        }
        report
            .file(Path::new("day.tape"), &Totals::default())
            .unwrap();
        report.finish(&Totals::default()).unwrap();
        let page = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(page.matches("the line is incomplete").count(), 1_000);
        assert!(page.contains("day.tape: and 2000 more lines"));
    }
}
