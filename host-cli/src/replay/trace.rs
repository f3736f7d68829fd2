//! `--trace`: what happened in a recorded request, step by step.

use crate::time;
use contract::{count::counted, text::Printable};
use serde_json::{Value, value::RawValue};
use std::fmt::{self, Write};
use tape::{CallRecord, Exchange, LogLine, OutgoingRecord, SecretCallRecord};

/// Characters of a value that are printed.
const VALUE_CHARACTERS_MAX: usize = 2_000;

/// Preferred width of a line: longer JSON continues in the next line after a comma.
const COLUMNS: usize = 80;
/// Indentation of continuation lines, which is larger than that of any step.
const CONTINUATION: &str = "               ";

/// The steps of a request, each with the milliseconds at which it began. A step cannot control a terminal or look like another one.
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
    lines.value("  event    ", event, "");
    let logs = exchange.log_lines();
    let mut logs = logs.iter().peekable();
    let mut outgoing = exchange.outgoing.iter().peekable();
    let mut secrets = exchange.secrets.iter().peekable();
    for (number, call) in exchange.calls.iter().enumerate() {
        while let Some(line) = logs.next_if(|line| line.after as usize <= number) {
            lines.log(line);
        }
        while let Some(sent) = outgoing.next_if(|sent| sent.after as usize <= number) {
            lines.outgoing(sent);
        }
        while let Some(call) = secrets.next_if(|call| call.after as usize <= number) {
            lines.secret(call);
        }
        lines.call(call);
    }
    if exchange.calls_omitted > 0 {
        lines.add(format_args!(
            "           and {}",
            counted(exchange.calls_omitted, "more call", "more calls")
        ));
    }
    outgoing.for_each(|sent| lines.outgoing(sent));
    if exchange.outgoing_omitted > 0 {
        lines.add(format_args!(
            "           and {}",
            counted(
                exchange.outgoing_omitted,
                "more outgoing request",
                "more outgoing requests"
            )
        ));
    }
    secrets.for_each(|call| lines.secret(call));
    if exchange.secrets_omitted > 0 {
        lines.add(format_args!(
            "           and {}",
            counted(
                exchange.secrets_omitted,
                "more call about secrets",
                "more calls about secrets"
            )
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
            lines.value(&format!("  {total:>7.2}  response "), response.get(), "");
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
        // Writing to memory cannot fail.
        let _ = writeln!(self.0, "{}", Printable(line));
    }

    /// A step with JSON, on as many lines as necessary.
    fn value(&mut self, step: &str, json: &str, end: &str) {
        let text = format!("{step}{}{end}", short(json));
        let mut lines = vec![String::new()];
        for piece in pieces(&text) {
            let columns = |line: &str| line.chars().count() + piece.trim_end().chars().count();
            match lines.last_mut() {
                Some(line) if line.is_empty() || columns(line) <= COLUMNS => line.push_str(piece),
                _ => lines.push(format!("{CONTINUATION}{piece}")),
            }
        }
        for line in lines {
            self.add(format_args!("{line}"));
        }
    }

    fn call(&mut self, call: &CallRecord<'_>) {
        let arguments = call.arguments.get();
        self.effect(
            call.call.as_str(),
            call.at_us,
            arguments,
            call.result,
            call.us,
        );
    }

    fn outgoing(&mut self, sent: &OutgoingRecord<'_>) {
        self.effect("send", sent.at_us, sent.request.get(), sent.result, sent.us);
    }

    fn secret(&mut self, call: &SecretCallRecord<'_>) {
        let request = call.request.get();
        self.effect("secret", call.at_us, request, call.result, call.us);
    }

    /// What the guest asked for, and what it got.
    fn effect(
        &mut self,
        name: &str,
        at_us: u64,
        arguments: &str,
        result: Option<&RawValue>,
        us: u64,
    ) {
        let milliseconds = at_us as f64 / 1000.0;
        self.value(&format!("  {milliseconds:>7.2}  {name} "), arguments, "");
        match result {
            Some(result) => {
                let took = us as f64 / 1000.0;
                let took = format!(" ({took:.2} ms)");
                self.value(&format!("  {:>7}  -> ", ""), result.get(), &took);
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

/// JSON in pieces that end after a comma between two elements or members.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let (mut is_string, mut is_escaped) = (false, false);
    text.split_inclusive(move |character| {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_string => is_escaped = true,
            '"' => is_string = !is_string,
            ',' if !is_string => return true,
            _ => {}
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_json_goes_on_in_the_next_line_behind_a_comma() {
        let mut lines = Lines::default();
        lines.value("  event    ", r#"{"a":1}"#, "");
        assert_eq!(lines.0, "  event    {\"a\":1}\n");
        let members: Vec<String> = (0..20)
            .map(|number| format!(r#""a,\"{number}":{{"b":[{number},{number}]}}"#))
            .collect();
        let json = format!("{{{}}}", members.join(","));
        let mut lines = Lines::default();
        lines.value("  event    ", &json, " (1 ms)");
        let shown: Vec<&str> = lines.0.lines().collect();
        assert!(shown.len() > 3, "{shown:?}");
        for (number, line) in shown.iter().enumerate() {
            assert!(line.chars().count() <= COLUMNS, "{line}");
            assert_eq!(line.starts_with(CONTINUATION), number > 0, "{line}");
        }
        let joined: String = shown.iter().map(|line| line.trim_start()).collect();
        assert_eq!(joined, format!("event    {json} (1 ms)"));
        // A text is not split, however long it is.
        let long = format!("[\"{}\"]", "x, ".repeat(60));
        let mut lines = Lines::default();
        lines.value("  event    ", &long, "");
        assert_eq!(lines.0.lines().count(), 1);
    }
}
