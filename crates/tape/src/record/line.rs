//! The line of one request.

use super::{
    Omitted, RecordOptions,
    calls::Noted,
    exchanges::NotedExchanges,
    host::RecordedHost,
    secret_calls::NotedSecretCalls,
    summary::{write_logs, write_outcome},
};
use crate::{
    FaultRecord, VERSION,
    exchange::{FIRST_MEMBER, seal},
    redact::{Marks, Part, Secrets, Sweep, body_place, without_copies},
    splices::{Splices, one_line, span},
};
use contract::{
    digest::Digest,
    hexadecimal::Hexadecimal,
    limits::{TAPE_LINE_WRITTEN_BYTES_MAX, TAPE_LIST_ELEMENTS_MAX},
    outcome::Summary,
    seed::Seed,
};
use gateway::message::Message;
use json::{Object, write_array};
use std::{borrow::Cow, cell::OnceCell};

/// The inputs of a request.
#[derive(Clone, Debug)]
pub struct RecordedRequest<'a> {
    /// The raw event.
    pub event: &'a [u8],
    /// Milliseconds since the Unix epoch.
    pub received_at_ms: u64,
    /// Source of everything random.
    pub seed: Seed,
}

/// How a request ended.
#[derive(Clone, Copy, Debug)]
pub struct RecordedAnswer<'a> {
    /// The JSON for the gateway.
    pub payload: &'a [u8],
    /// The host's summary of it.
    pub summary: &'a Summary,
}

const EMPTY_LIST: &str = "[]";

/// Capacity for a usual line besides event, calls and response.
const LINE_BYTES: usize = 1024;

/// Which parts of a request a line contains.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kept {
    /// Without the event; calls are counted, and log lines are represented by their digest.
    Answer,
    /// Calls are counted, and log lines are represented by their digest.
    EventAndAnswer,
    Everything,
}

/// A line that every reader accepts: if the whole request is too large for one, calls and log lines are left out, then the event. `None` if
/// the rest is too large as well.
pub(super) fn write(
    options: &RecordOptions,
    host: &RecordedHost<'_>,
    request: &RecordedRequest<'_>,
    noted: Noted,
    answer: &RecordedAnswer<'_>,
) -> Option<Vec<u8>> {
    let calls_count = noted.count.saturating_add(noted.omitted_count);
    let exchanges_count = noted.outgoing.count() + noted.outgoing.omitted_count;
    let secret_calls_count = noted.secret_calls.count() + noted.secret_calls.omitted_count;
    let is_readable = |line: &Written| {
        line.text.len() <= TAPE_LINE_WRITTEN_BYTES_MAX
            && line.list_elements_max <= TAPE_LIST_ELEMENTS_MAX
    };
    let secrets = noted.secrets.clone();
    let source = Source {
        options,
        host,
        request,
        answer,
        sweep: OnceCell::new(),
    };
    let line = source.written(noted, Kept::Everything);
    if is_readable(&line) {
        return Some(line.text);
    }
    [Kept::EventAndAnswer, Kept::Answer]
        .into_iter()
        .map(|kept| {
            let noted = Noted {
                omitted_count: calls_count,
                secrets: secrets.clone(),
                outgoing: NotedExchanges::omitted(exchanges_count),
                secret_calls: NotedSecretCalls::omitted(secret_calls_count),
                ..Noted::default()
            };
            source.written(noted, kept)
        })
        .find(is_readable)
        .map(|line| line.text)
}

/// A line, and the length of its longest list of places.
struct Written {
    text: Vec<u8>,
    list_elements_max: usize,
}

/// The input of a line, except the calls.
struct Source<'a> {
    options: &'a RecordOptions,
    host: &'a RecordedHost<'a>,
    request: &'a RecordedRequest<'a>,
    answer: &'a RecordedAnswer<'a>,
    /// Redaction is the same if less is kept.
    sweep: OnceCell<Option<Sweep>>,
}

impl Source<'_> {
    fn written(&self, noted: Noted, kept: Kept) -> Written {
        let Self {
            options,
            host,
            request,
            answer,
            ..
        } = self;
        let summary = answer.summary;
        let texts = Texts::new(self, noted, kept);
        let mut out = Vec::with_capacity(
            LINE_BYTES
                + texts.event.len()
                + texts.calls.len()
                + texts.outgoing.len()
                + texts.secrets.len()
                + texts.response.len(),
        );
        let mut line = Object::begin(&mut out);
        line.number(FIRST_MEMBER, u64::from(VERSION));
        line.string("id", &summary.request_id);
        line.number("received_at_ms", request.received_at_ms);
        match summary.guest {
            Some(guest) => line.string("guest", &guest.to_string()),
            None => line.raw("guest", b"null"),
        }
        match options.withhold_seed {
            true => line.raw("seed", b"null"),
            false => line.string("seed", &Hexadecimal(request.seed.as_bytes()).to_string()),
        }
        host.write(line.name("host"), options.is_private());
        line.raw("event", &one_line(texts.event.as_bytes()));
        line.raw("calls", texts.calls.as_bytes());
        if texts.calls_omitted > 0 {
            line.number("calls_omitted", u64::from(texts.calls_omitted));
        }
        if texts.outgoing.len() > EMPTY_LIST.len() {
            line.raw("outgoing", texts.outgoing.as_bytes());
        }
        if texts.outgoing_omitted > 0 {
            line.number("outgoing_omitted", u64::from(texts.outgoing_omitted));
        }
        if texts.secrets.len() > EMPTY_LIST.len() {
            line.raw("secrets", texts.secrets.as_bytes());
        }
        if texts.secrets_omitted > 0 {
            line.number("secrets_omitted", u64::from(texts.secrets_omitted));
        }
        if let Some(logs) = &texts.logs {
            line.raw("logs", logs.as_bytes());
        }
        line.raw("response", &one_line(texts.response.as_bytes()));
        write_outcome(&mut line, summary, texts.fault_detail.as_deref());
        // Lists of redacted places have their own limit.
        let list_elements_max = texts.omitted.len();
        texts.finish(&mut line);
        let digest = Digest::of(&out);
        out.extend_from_slice(&seal(digest));
        Written {
            text: out,
            list_elements_max,
        }
    }

    /// The event: redacted, and without a body that is too long.
    fn event_text(
        &self,
        marks: &mut Marks,
        secrets: &mut Secrets,
        omitted: &mut Vec<Omitted>,
    ) -> String {
        let (event, redaction) = (self.request.event, &self.options.redaction);
        // UTF-8 must be checked, because a parser does not check strings that it skips.
        let Ok(text) = str::from_utf8(event) else {
            match redaction.is_nothing() {
                true => omitted.push(Omitted::of("/event", event)),
                false => marks.left_out("/event"),
            }
            return "null".to_owned();
        };
        let Some(text) = redaction.event(text, marks, secrets) else {
            marks.left_out("/event");
            return "null".to_owned();
        };
        let bytes_max = self.options.text_bytes_max;
        without_body(&text, bytes_max, Message::Event, omitted).into_owned()
    }
}

/// Numbers of what is on the line.
struct Counts {
    calls: u32,
    exchanges: u32,
    secret_calls: u32,
}

/// The foreign texts of a line: redacted, and within the limits.
struct Texts {
    event: String,
    /// A JSON array.
    calls: String,
    calls_omitted: u32,
    /// A JSON array.
    outgoing: String,
    outgoing_omitted: u32,
    /// A JSON array.
    secrets: String,
    secrets_omitted: u32,
    /// A JSON array, if there are any.
    logs: Option<String>,
    response: String,
    /// Replaces the fault's own description.
    fault_detail: Option<String>,
    marks: Marks,
    omitted: Vec<Omitted>,
}

impl Texts {
    fn new(source: &Source<'_>, noted: Noted, kept: Kept) -> Self {
        let options = source.options;
        let RecordedAnswer { payload, summary } = *source.answer;
        let (redaction, bytes_max) = (&options.redaction, options.text_bytes_max);
        let (mut marks, mut omitted) = (noted.marks, noted.omitted);
        let mut secrets = noted.secrets;
        let event_text = source.event_text(&mut marks, &mut secrets, &mut omitted);
        let event = match kept {
            Kept::Everything | Kept::EventAndAnswer => event_text,
            Kept::Answer => {
                omitted.push(Omitted::new("/event".to_owned(), &event_text));
                "null".to_owned()
            }
        };
        let calls = list(noted.text);
        let outgoing = list(noted.outgoing.text());
        let logs = (!summary.logs.is_empty()).then(|| {
            let mut logs = Vec::new();
            write_logs(
                &mut logs,
                &summary.logs,
                redaction,
                &mut marks,
                &mut secrets,
            );
            logs
        });
        let logs = match (kept, logs) {
            (Kept::Everything, logs) => logs.map(text),
            (Kept::EventAndAnswer | Kept::Answer, logs) => {
                omitted.extend(logs.map(|logs| Omitted::of("/logs", &logs)));
                None
            }
        };
        // The response of a service is JSON.
        let payload = str::from_utf8(payload).unwrap_or("null");
        let response = redaction.response(payload, &mut marks, &mut secrets);
        let response =
            without_body(&response, bytes_max, Message::Response, &mut omitted).into_owned();
        let secret_calls = list(noted.secret_calls.text(&mut marks, &secrets));
        let mut texts = Self {
            event,
            calls: text(calls),
            calls_omitted: noted.omitted_count,
            outgoing: text(outgoing),
            outgoing_omitted: noted.outgoing.omitted_count,
            secrets: text(secret_calls),
            secrets_omitted: noted.secret_calls.omitted_count,
            logs,
            response,
            fault_detail: None,
            marks,
            omitted,
        };
        if !redaction.is_nothing() || secrets.has_revealed() {
            let sweep = source.sweep.get_or_init(|| secrets.sweep());
            let counts = Counts {
                calls: noted.count,
                exchanges: noted.outgoing.count(),
                secret_calls: noted.secret_calls.count(),
            };
            texts.remove_copies(sweep.as_ref(), summary, &counts);
        }
        texts
    }

    /// Removes copies of what was redacted elsewhere. If that is not possible, everything that may contain a copy is removed.
    fn remove_copies(&mut self, sweep: Option<&Sweep>, summary: &Summary, counts: &Counts) {
        if sweep.is_some_and(|sweep| self.sweep(sweep, summary).is_some()) {
            return;
        }
        self.event = "null".to_owned();
        self.calls = EMPTY_LIST.to_owned();
        self.calls_omitted = self.calls_omitted.saturating_add(counts.calls);
        self.outgoing = EMPTY_LIST.to_owned();
        self.outgoing_omitted = self.outgoing_omitted.saturating_add(counts.exchanges);
        self.secrets = EMPTY_LIST.to_owned();
        self.secrets_omitted = self.secrets_omitted.saturating_add(counts.secret_calls);
        self.logs = None;
        self.response = "null".to_owned();
        self.fault_detail = Some(String::new());
        self.marks.forget();
        for place in [
            "/event",
            "/calls",
            "/outgoing",
            "/secrets",
            "/logs",
            "/response",
        ] {
            self.marks.left_out(place);
        }
    }

    fn sweep(&mut self, sweep: &Sweep, summary: &Summary) -> Option<()> {
        let marks = &mut self.marks;
        self.event = without_copies(&self.event, sweep, Message::Event, marks)?.into_owned();
        let calls = sweep.json(&self.calls, Part::Calls, "/calls", marks).ok()?;
        self.calls = calls.into_owned();
        let outgoing = sweep.json(&self.outgoing, Part::Outgoing, "/outgoing", marks);
        self.outgoing = outgoing.ok()?.into_owned();
        let secrets = sweep.json(&self.secrets, Part::Secrets, "/secrets", marks);
        self.secrets = secrets.ok()?.into_owned();
        if let Some(logs) = &self.logs {
            let logs = sweep.json(logs, Part::Logs, "/logs", marks).ok()?;
            self.logs = Some(logs.into_owned());
        }
        let response = without_copies(&self.response, sweep, Message::Response, marks)?;
        self.response = response.into_owned();
        let detail = summary.fault.as_ref().map(FaultRecord::of);
        self.fault_detail = detail.and_then(|fault| sweep.text(&fault.detail));
        self.marks.remove_copies(sweep);
        Some(())
    }

    fn finish(self, line: &mut Object<'_>) {
        if !self.marks.is_empty() {
            self.marks.write(line.name("redacted"));
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

/// The array of these elements.
fn list(mut elements: Vec<u8>) -> Vec<u8> {
    elements.insert(0, b'[');
    elements.push(b']');
    elements
}

/// Our own JSON is text.
fn text(json: Vec<u8>) -> String {
    String::from_utf8(json).unwrap_or_else(|_| "null".to_owned())
}

/// The event or response with `null` instead of a body that is too long.
fn without_body<'a>(
    json: &'a str,
    bytes_max: usize,
    message: Message,
    omitted: &mut Vec<Omitted>,
) -> Cow<'a, str> {
    if json.len() <= bytes_max {
        return Cow::Borrowed(json);
    }
    let Ok(members) = message.members(json) else {
        return Cow::Borrowed(json); // too long, but without a body: `write` keeps less
    };
    let mut splices = Splices::default();
    for body in members.bodies().filter(|body| body.len() > bytes_max) {
        splices.replace(span(json, body), "null");
        omitted.push(Omitted::new(body_place(message), body));
    }
    splices.apply(json)
}
