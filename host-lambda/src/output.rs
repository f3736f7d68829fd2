//! Stdout, from which Lambda takes log lines.

use crate::{
    config::{Config, Variables},
    invocation::now_ms,
};
use contract::{limits::LOG_EVENT_BYTES_MAX, log::LogLevel};
use serde_json::{Value, json};
use std::{
    io::{self, Write},
    panic,
    sync::Arc,
};
use tape::split;
use telemetry::{Ids, Report, Telemetry};

/// Writes lines. Each write reaches the pipe before it returns: nothing remains to be flushed when the process is frozen or ended.
pub struct Output(Telemetry);

impl Output {
    /// As configured.
    pub fn new(config: &Config) -> Self {
        Self(Telemetry {
            level: config.log_level,
            metrics_namespace: config.metrics_namespace.clone(),
            function: config.function.clone(),
        })
    }

    /// For messages before the configuration is known to be valid.
    pub fn of(variables: &Variables) -> Self {
        Self(Telemetry {
            level: LogLevel::Info,
            metrics_namespace: String::new(),
            function: variables
                .get("AWS_LAMBDA_FUNCTION_NAME")
                .unwrap_or_default()
                .to_owned(),
        })
    }

    /// One line about the host itself.
    pub fn note(&self, level: LogLevel, message: &str, members: &[(&str, Value)]) {
        self.note_about(&Ids::default(), level, message, members);
    }

    /// One line about an event that did not become a request.
    pub fn note_about(
        &self,
        ids: &Ids<'_>,
        level: LogLevel,
        message: &str,
        members: &[(&str, Value)],
    ) {
        write(&self.0.note(now_ms(), level, message, ids, members));
    }

    /// The lines of one request.
    pub fn request(&self, report: &Report<'_>) {
        write(&self.0.request(report));
    }
}

impl Output {
    /// A line of tape, split if it is longer than CloudWatch accepts.
    pub fn tape(&self, line: Vec<u8>) {
        for mut part in split(line, LOG_EVENT_BYTES_MAX) {
            part.push(b'\n');
            write(&part);
        }
    }
}

/// If stdout is closed, there is nowhere to report the error.
fn write(lines: &[u8]) {
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(lines).and_then(|()| stdout.flush());
}

/// Logs panics. A formatted message may quote a request, so only the location is logged.
pub fn write_panics(output: Arc<Output>) {
    panic::set_hook(Box::new(move |info| {
        let mut members = Vec::with_capacity(2);
        if let Some(place) = info.location() {
            members.push(("place", json!(place.to_string())));
        }
        if let Some(text) = info.payload().downcast_ref::<&'static str>() {
            members.push(("error", json!(text)));
        }
        output.note(LogLevel::Error, "the host panicked", &members);
    }));
}
