//! What one run gave, in the form in which runs are compared.

use super::effect::{Effects, written};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use contract::{
    digest::Digest,
    outcome::{Answer, Summary},
};
use gateway::Rejection;
use json::{self, Value, members};
use serde_json::{Map, json};
use std::borrow::Cow;
use storage::Document;
use tape::{
    Exchange, FaultRecord,
    call::write::Documents,
    redact::{Marks, Redaction, Secrets},
    splices::{Splices, span},
};

/// How a tape shows texts: without what was redacted, `null` for what was too long.
#[derive(Clone, Debug)]
pub(super) struct View {
    redaction: Redaction,
    /// Of documents and bodies that were too long.
    omitted: Vec<Digest>,
}

impl View {
    /// The view of a request's tape.
    pub(super) fn of(exchange: &Exchange<'_>) -> Self {
        let redacted = exchange.redacted.as_ref();
        Self {
            redaction: redacted.map_or_else(Redaction::nothing, |redacted| redacted.rules()),
            omitted: exchange
                .omitted
                .iter()
                .map(|omission| omission.sha256)
                .collect(),
        }
    }

    fn is_omitted(&self, text: &str) -> bool {
        !self.omitted.is_empty() && self.omitted.contains(&Digest::of(text.as_bytes()))
    }

    /// A document's JSON.
    pub(super) fn document<'a>(&self, document: &'a Document) -> Cow<'a, str> {
        let redacted = self
            .redaction
            .document(document.as_str(), "", &mut Marks::default(), None);
        match self.is_omitted(&redacted) {
            true => Cow::Borrowed("null"),
            false => redacted,
        }
    }

    /// What goes back to the gateway.
    pub(super) fn response<'a>(&self, payload: &'a str) -> Cow<'a, str> {
        let redacted =
            self.redaction
                .response(payload, &mut Marks::default(), &mut Secrets::default());
        if self.omitted.is_empty() {
            return redacted;
        }
        let Ok(members) = members(&redacted) else {
            return redacted; // no object, so that it has no body
        };
        let mut splices = Splices::default();
        for (name, value) in members {
            if name == "body" && self.is_omitted(value) {
                splices.replace(span(&redacted, value), "null");
            }
        }
        Cow::Owned(splices.apply(&redacted).into_owned())
    }

    /// What replaces the attributes of log lines.
    pub(super) fn redaction(&self) -> &Redaction {
        &self.redaction
    }
}

/// Documents of calls.
impl Documents for &View {
    fn write(&mut self, out: &mut Vec<u8>, document: &Document) {
        out.extend_from_slice(self.document(document).as_bytes());
    }
}

/// A run of a guest, recorded or replayed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Playback {
    /// `{status, headers, body}`, or `{rejection}`. Headers are lists by lower-case name; a JSON body is the value itself.
    pub response: Value,
    /// What it wrote, in the order of keys.
    pub writes: Value,
    /// The calls it made: one text each.
    pub calls: Vec<String>,
    /// Its log lines: one text each.
    pub logs: Vec<String>,
    /// Why the host answered in its place.
    pub fault: Option<String>,
    /// Units of work, where they were counted.
    pub work: Option<u64>,
    /// Largest size of its memory in bytes.
    pub memory_bytes_peak: usize,
}

impl Playback {
    /// What a replay gave.
    pub(super) fn of_run(
        answer: &Result<Answer, Rejection>,
        effects: &Effects,
        calls: Vec<String>,
        view: &View,
    ) -> Self {
        match answer {
            Ok(Answer { payload, summary }) => {
                let payload = str::from_utf8(payload).unwrap_or("null");
                Self {
                    response: readable(&view.response(payload)),
                    writes: effects.to_value(view),
                    calls,
                    logs: log_texts(summary, view.redaction()),
                    fault: summary
                        .fault
                        .as_ref()
                        .map(|fault| FaultRecord::of(fault).detail.into_owned()),
                    work: summary.usage.fuel,
                    memory_bytes_peak: summary.usage.memory_bytes_peak,
                }
            }
            Err(rejection) => Self {
                response: json!({"rejection": rejection.to_string()}),
                writes: Value::Array(Vec::new()),
                ..Self::default()
            },
        }
    }

    /// The status of the answer, if there is one.
    pub(super) fn status(&self) -> Option<u16> {
        self.response["status"]
            .as_u64()
            .and_then(|status| u16::try_from(status).ok())
    }

    /// What a tape holds; the reason where it cannot be read.
    pub(super) fn recorded(exchange: &Exchange<'_>) -> Result<Self, String> {
        let calls = exchange
            .calls
            .iter()
            .map(|call| format!("{} {}", call.call, call.arguments.get()))
            .collect();
        let logs = exchange.log_lines();
        Ok(Self {
            response: match (exchange.response, &exchange.rejection) {
                (Some(response), _) => readable(response.get()),
                (None, rejection) => json!({"rejection": rejection}),
            },
            writes: written(exchange)?.to_value(&View {
                redaction: Redaction::nothing(),
                omitted: Vec::new(),
            }),
            calls,
            logs: logs
                .iter()
                .map(|line| {
                    let attributes = line.attributes.map_or("{}", |attributes| attributes.get());
                    let attributes = members(attributes)
                        .map_err(|error| format!("attributes of a log line: {error}"))?;
                    let attributes = attributes.iter().map(|(key, value)| (&**key, *value));
                    Ok(log_text(line.level.as_str(), &line.message, attributes))
                })
                .collect::<Result<_, String>>()?,
            fault: exchange
                .fault
                .as_ref()
                .map(|fault| fault.detail.clone().into_owned()),
            work: None,
            memory_bytes_peak: exchange.usage.memory_bytes_peak,
        })
    }
}

fn log_texts(summary: &Summary, redaction: &Redaction) -> Vec<String> {
    let (mut marks, mut secrets) = (Marks::default(), Secrets::default());
    summary
        .logs
        .iter()
        .map(|record| {
            let attributes: Vec<(&str, Cow<'_, str>)> = record
                .attributes
                .iter()
                .map(|(key, value)| {
                    let value = redaction.attribute(key, value, "", &mut marks, &mut secrets);
                    (key.as_str(), value)
                })
                .collect();
            let attributes = attributes.iter().map(|(key, value)| (*key, &**value));
            let message = redaction.log_message(&record.message, "", &mut marks, &mut secrets);
            log_text(record.level.as_str(), &message, attributes)
        })
        .collect()
}

/// A log line as one text.
pub(super) fn log_text<'a>(
    level: &str,
    message: &str,
    attributes: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let mut text = format!("{level} {message}");
    for (key, value) in attributes {
        text.push_str(&format!(" {key}={value}"));
    }
    text
}

/// A Lambda response in one form for all gateways.
pub(super) fn readable(payload: &str) -> Value {
    let Ok(Value::Object(mut payload)) = json::value(payload.as_bytes()) else {
        return Value::Null;
    };
    let mut headers = Map::new();
    let mut add = |name: &str, value: Value| {
        if let Value::Array(values) = headers
            .entry(name.to_ascii_lowercase())
            .or_insert_with(|| Value::Array(Vec::new()))
        {
            values.push(value);
        }
    };
    for member in ["headers", "multiValueHeaders"] {
        let Some(Value::Object(fields)) = payload.remove(member) else {
            continue;
        };
        for (name, value) in fields {
            match value {
                Value::Array(values) => values.into_iter().for_each(|value| add(&name, value)),
                value => add(&name, value),
            }
        }
    }
    if let Some(Value::Array(cookies)) = payload.remove("cookies") {
        cookies
            .into_iter()
            .for_each(|cookie| add("set-cookie", cookie));
    }
    let status = payload.remove("statusCode").unwrap_or_default();
    let is_base64 = payload.get("isBase64Encoded") == Some(&Value::Bool(true));
    let body = match payload.remove("body") {
        Some(Value::String(text)) => readable_body(text, is_base64),
        other => other.unwrap_or_default(),
    };
    json!({"status": status, "headers": headers, "body": body})
}

fn readable_body(text: String, is_base64: bool) -> Value {
    let decoded = is_base64
        .then(|| STANDARD.decode(&text).ok())
        .flatten()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let body = decoded.as_deref().unwrap_or(&text);
    match json::value(body.as_bytes()) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => value,
        Ok(_) | Err(_) => Value::String(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_all_gateways_have_one_form() {
        let single = r#"{"statusCode":200,"headers":{"ETag":"x"},"cookies":["a=1"],"body":"{\"n\":1}","isBase64Encoded":false}"#;
        let multi = r#"{"statusCode":200,"multiValueHeaders":{"etag":["x"],"set-cookie":["a=1"]},"body":"eyJuIjoxfQ==","isBase64Encoded":true}"#;
        assert_eq!(readable(single), readable(multi));
        assert_eq!(
            readable(single),
            json!({"status": 200, "headers": {"etag": ["x"], "set-cookie": ["a=1"]}, "body": {"n": 1}})
        );
        assert_eq!(readable(r#"{"statusCode":204,"body":"5"}"#)["body"], "5");
    }
}
