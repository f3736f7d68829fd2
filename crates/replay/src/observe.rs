//! Observations of runs: of the recording, and of a replay.

use super::{
    recording_error::RecordingError,
    services::recorded_requests,
    view::View,
    writes::{Writes, recorded_writes},
};
use contract::outcome::{Answer, Summary};
use gateway::EventError;
use json::{Value, members};
use observation::{Cost, Observation, ObservedCall, normal_payload, normal_rejection};
use std::borrow::Cow;
use tape::{
    Exchange, FaultRecord,
    redact::{Marks, Redaction, Secrets},
};

/// The observation of a replay.
pub(super) fn of_run(
    answer: &Result<Answer, EventError>,
    writes: &Writes,
    calls: Vec<ObservedCall>,
    view: &View,
) -> Observation {
    let Ok(Answer { summary, .. }) = answer else {
        return Observation {
            writes: Some(Value::Array(Vec::new())),
            calls: Some(Vec::new()),
            logs: Some(Vec::new()),
            ..of_answer(answer, view)
        };
    };
    Observation {
        writes: Some(writes.to_value(view)),
        cost: Cost {
            work: summary.usage.fuel,
            memory_bytes_peak: Some(summary.usage.memory_bytes_peak),
            calls: Some(calls.len()),
        },
        calls: Some(calls),
        logs: Some(log_texts(summary, view.redaction())),
        ..of_answer(answer, view)
    }
}

/// The response of a replay, and why the host sent it instead of the guest, if it did; nothing else.
pub(super) fn of_answer(answer: &Result<Answer, EventError>, view: &View) -> Observation {
    let (response, fault) = match answer {
        Ok(Answer { payload, summary }) => {
            let payload = str::from_utf8(payload).unwrap_or("null");
            let response = normal_payload(view.response(payload).as_bytes());
            (response, summary.fault.as_ref().map(FaultRecord::of))
        }
        Err(rejection) => (normal_rejection(&rejection.to_string()), None),
    };
    Observation {
        response: Some(response),
        fault: fault.map(|fault| fault.detail.into_owned()),
        ..Observation::default()
    }
}

/// The recorded response; `None` if the tape has none.
pub(super) fn recorded_response(exchange: &Exchange<'_>) -> Option<Value> {
    match (exchange.response, &exchange.rejection) {
        (Some(response), _) => Some(normal_payload(response.get().as_bytes())),
        (None, Some(rejection)) => Some(normal_rejection(rejection)),
        (None, None) => None,
    }
}

/// The observation of the recording; the reason if it cannot be read.
pub(super) fn recorded(exchange: &Exchange<'_>) -> Result<Observation, RecordingError> {
    let call = |call: &tape::CallRecord<'_>| ObservedCall {
        function: call.call,
        arguments: call.arguments.get().to_owned(),
    };
    Ok(Observation {
        response: recorded_response(exchange).or_else(|| Some(normal_rejection(""))),
        writes: Some(recorded_writes(exchange)?.to_value(&View::unredacted())),
        stored: None,
        outgoing: Some(recorded_requests(exchange).into()),
        calls: Some(exchange.calls.iter().map(call).collect()),
        logs: Some(recorded_logs(exchange)?),
        fault: exchange
            .fault
            .as_ref()
            .map(|fault| fault.detail.clone().into_owned()),
        cost: Cost {
            work: None,
            memory_bytes_peak: Some(exchange.usage.memory_bytes_peak),
            calls: Some(exchange.calls.len()),
        },
    })
}

/// The recorded log lines, one text each; the reason if they cannot be read.
pub(super) fn recorded_logs(exchange: &Exchange<'_>) -> Result<Vec<String>, RecordingError> {
    let text = |line: &tape::LogLine<'_>| {
        let attributes = line.attributes.map_or("{}", |attributes| attributes.get());
        let attributes = members(attributes).map_err(RecordingError::Attributes)?;
        let attributes = attributes
            .into_iter()
            .map(|(key, value)| (key, Cow::Borrowed(value)));
        Ok(log_text(
            line.level.as_str(),
            &line.message,
            attributes.collect(),
        ))
    };
    exchange.log_lines().iter().map(text).collect()
}

/// The log lines of a replay, one text each, as the tape shows them.
pub(super) fn log_texts(summary: &Summary, redaction: &Redaction) -> Vec<String> {
    let (mut marks, mut secrets) = (Marks::default(), Secrets::default());
    let text = |record: &contract::log::LogRecord| {
        let attributes = record.attributes.iter().map(|(key, value)| {
            let value = redaction.attribute(key, value, "", &mut marks, &mut secrets);
            (Cow::Borrowed(key.as_str()), value)
        });
        let attributes = attributes.collect();
        let message = redaction.log_message(&record.message, "", &mut marks, &mut secrets);
        log_text(record.level.as_str(), &message, attributes)
    };
    summary.logs.iter().map(text).collect()
}

/// A log line as one text; the order of its attributes has no meaning.
fn log_text(
    level: &str,
    message: &str,
    mut attributes: Vec<(Cow<'_, str>, Cow<'_, str>)>,
) -> String {
    attributes.sort();
    let mut text = format!("{level} {message}");
    for (key, value) in attributes {
        text.push_str(&format!(" {key}={value}"));
    }
    text
}
