//! `--trace`: what happened in a recorded request, step by step.

use crate::time;
use host_core::tape::Exchange;
use serde_json::Value;
use std::fmt::Write;

/// Characters of a value that are shown.
const VALUE_CHARACTERS_MAX: usize = 2_000;

/// The course of a request, a line for each step with the milliseconds at which it began.
pub fn trace(exchange: &Exchange<'_>) -> String {
    let mut text = String::new();
    let guest = exchange
        .guest
        .map_or("none".to_owned(), |guest| guest.to_string());
    let at = time::rfc3339_ms(exchange.received_at_ms);
    let _ = writeln!(text, "  received {at}, guest {guest}");
    if let Some(redacted) = exchange
        .redacted
        .as_ref()
        .filter(|_| exchange.is_redacted())
    {
        let _ = writeln!(text, "  redacted {}", redacted.at.join(", "));
    }
    let event = exchange.event.map_or("null", |event| event.get());
    let _ = writeln!(text, "  event    {}", short(event));
    let logs = exchange.log_lines();
    let mut logs = logs.iter().peekable();
    for (number, call) in exchange.calls.iter().enumerate() {
        while let Some(line) = logs.next_if(|line| line.after as usize <= number) {
            write_log(&mut text, line);
        }
        let milliseconds = call.at_us as f64 / 1000.0;
        let _ = writeln!(
            text,
            "  {milliseconds:>7.2}  {} {}",
            call.call,
            short(call.arguments.get())
        );
        match call.result {
            Some(result) => {
                let took = call.us as f64 / 1000.0;
                let _ = writeln!(
                    text,
                    "  {:>7}  -> {} ({took:.2} ms)",
                    "",
                    short(result.get())
                );
            }
            None => text.push_str("           -> no answer: the request ended\n"),
        }
    }
    if exchange.calls_omitted > 0 {
        let _ = writeln!(text, "           and {} more calls", exchange.calls_omitted);
    }
    logs.for_each(|line| write_log(&mut text, line));
    let total = exchange.usage.total_us as f64 / 1000.0;
    if let Some(fault) = &exchange.fault {
        let _ = writeln!(text, "  {total:>7.2}  {}: {}", fault.kind, fault.detail);
    }
    match (exchange.response, &exchange.rejection) {
        (Some(response), _) => {
            let _ = writeln!(text, "  {total:>7.2}  response {}", short(response.get()));
        }
        (None, Some(rejection)) => {
            let _ = writeln!(text, "  {total:>7.2}  rejected: {rejection}");
        }
        (None, None) => {}
    }
    text
}

fn write_log(text: &mut String, line: &host_core::tape::LogLine<'_>) {
    let attributes = line.attributes.map_or("", |attributes| attributes.get());
    let message = Value::from(&*line.message);
    let _ = writeln!(text, "           log {} {message} {attributes}", line.level);
}

fn short(json: &str) -> String {
    match json.char_indices().nth(VALUE_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}... ({} bytes)", &json[..end], json.len()),
        None => json.to_owned(),
    }
}
