//! `--trace`: what happened in a recorded request, step by step.

use crate::time;
use contract::text::Printable;
use serde_json::Value;
use std::fmt::{self, Write};
use tape::{CallRecord, Exchange, LogLine};

/// Characters of a value that are shown.
const VALUE_CHARACTERS_MAX: usize = 2_000;

/// The course of a request, a line for each step with the milliseconds at which it began. No step can act on a terminal or look like
/// another one.
pub fn trace(exchange: &Exchange<'_>) -> String {
    let mut lines = Lines::default();
    let guest = exchange
        .guest
        .map_or("none".to_owned(), |guest| guest.to_string());
    let at = time::rfc3339_ms(exchange.received_at_ms);
    lines.add(format_args!("  received {at}, guest {guest}"));
    if let Some(redacted) = exchange
        .redacted
        .as_ref()
        .filter(|_| exchange.is_redacted())
    {
        let places: Vec<&str> = redacted
            .left_out
            .iter()
            .chain(&redacted.at)
            .map(|place| &**place)
            .collect();
        lines.add(format_args!("  redacted {}", places.join(", ")));
    }
    let event = exchange.event.map_or("null", |event| event.get());
    lines.add(format_args!("  event    {}", short(event)));
    let logs = exchange.log_lines();
    let mut logs = logs.iter().peekable();
    for (number, call) in exchange.calls.iter().enumerate() {
        while let Some(line) = logs.next_if(|line| line.after as usize <= number) {
            lines.log(line);
        }
        lines.call(call);
    }
    if exchange.calls_omitted > 0 {
        lines.add(format_args!(
            "           and {} more calls",
            exchange.calls_omitted
        ));
    }
    logs.for_each(|line| lines.log(line));
    let total = exchange.usage.total_us as f64 / 1000.0;
    if let Some(fault) = &exchange.fault {
        lines.add(format_args!(
            "  {total:>7.2}  {}: {}",
            fault.kind, fault.detail
        ));
    }
    match (exchange.response, &exchange.rejection) {
        (Some(response), _) => {
            let response = short(response.get());
            lines.add(format_args!("  {total:>7.2}  response {response}"));
        }
        (None, Some(rejection)) => {
            lines.add(format_args!("  {total:>7.2}  rejected: {rejection}"));
        }
        (None, None) => {}
    }
    lines.0
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    fn add(&mut self, line: fmt::Arguments<'_>) {
        // Writing to memory does not fail.
        let _ = writeln!(self.0, "{}", Printable(line));
    }

    fn call(&mut self, call: &CallRecord<'_>) {
        let milliseconds = call.at_us as f64 / 1000.0;
        let arguments = short(call.arguments.get());
        self.add(format_args!(
            "  {milliseconds:>7.2}  {} {arguments}",
            call.call
        ));
        match call.result {
            Some(result) => {
                let took = call.us as f64 / 1000.0;
                let result = short(result.get());
                self.add(format_args!("  {:>7}  -> {result} ({took:.2} ms)", ""));
            }
            None => self.add(format_args!("           -> no answer: the request ended")),
        }
    }

    fn log(&mut self, line: &LogLine<'_>) {
        let attributes = line.attributes.map_or("", |attributes| attributes.get());
        let message = Value::from(&*line.message);
        self.add(format_args!(
            "           log {} {message} {attributes}",
            line.level
        ));
    }
}

fn short(json: &str) -> String {
    match json.char_indices().nth(VALUE_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}... ({} bytes)", &json[..end], json.len()),
        None => json.to_owned(),
    }
}
