//! Extracts log lines from CloudWatch's JSON: `aws logs filter-log-events` and `get-log-events` (`{"events": [{"message"}]}`), results of
//! Logs Insights (`{"results": [[{"field": "@message", "value"}]]}`), and exports of its console (`[{"@message"}]`). Several documents may
//! follow each other. Reads as a stream: a document may be larger than memory, but a single event may not.
//!
//! Only brackets and strings are used to find where an event ends, so that an unreadable one does not prevent later ones from being read.

use contract::limits::TAPE_LINE_BYTES_MAX;
use json::{self, JsonError};
use std::io::{self, BufRead};

/// Twice a line, because its text inside a JSON string is longer.
const EVENT_BYTES_MAX: usize = 2 * TAPE_LINE_BYTES_MAX;
/// Longest name of a member.
const NAME_BYTES_MAX: usize = 1 << 10;

/// Why the rest of a text cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum MessagesError {
    /// The input failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The text ends within a document.
    #[error("it ends within a value")]
    Cut,
    /// Something unexpected was found.
    #[error("expected {expected} at byte {at}")]
    Unexpected {
        /// What was expected.
        expected: &'static str,
        /// Counted from 1.
        at: u64,
    },
    /// Over the limit.
    #[error("the log event at byte {at} is longer than {EVENT_BYTES_MAX} bytes")]
    TooLong {
        /// Counted from 1.
        at: u64,
    },
}

/// Calls `each` with every message, in order, or with the reason why an event has none; its result says whether to continue.
pub fn read_messages(
    input: impl BufRead,
    each: &mut dyn FnMut(Result<Vec<u8>, JsonError>) -> bool,
) -> Result<(), MessagesError> {
    let mut documents = Documents {
        input,
        at: 1,
        each,
        stopped: false,
    };
    while !documents.stopped && documents.skip_blanks()?.is_some() {
        documents.document()?;
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum What {
    /// An object that contains a message.
    Event,
    /// A list of fields, one of which may be a message.
    Row,
}

struct Documents<'a, R> {
    input: R,
    /// Position of the next byte, counted from 1.
    at: u64,
    each: &'a mut dyn FnMut(Result<Vec<u8>, JsonError>) -> bool,
    /// The caller wants no more messages.
    stopped: bool,
}

impl<R: BufRead> Documents<'_, R> {
    fn document(&mut self) -> Result<(), MessagesError> {
        match self.skip_blanks()? {
            Some(b'[') => self.list(What::Event),
            Some(b'{') => self.object(),
            _ => Err(self.unexpected("log events, or the result of a log query")),
        }
    }

    fn object(&mut self) -> Result<(), MessagesError> {
        self.consume(1);
        if self.take(b'}')? {
            return Ok(());
        }
        loop {
            if self.skip_blanks()? != Some(b'"') {
                return Err(self.unexpected("a member's name"));
            }
            let mut name = Vec::new();
            self.value(Some(&mut name), NAME_BYTES_MAX)?;
            self.require(b':', "`:`")?;
            let first = self.skip_blanks()?;
            match (name.as_slice(), first) {
                (b"\"events\"", Some(b'[')) => self.list(What::Event)?,
                (b"\"results\"", Some(b'[')) => self.list(What::Row)?,
                (b"\"events\"" | b"\"results\"", _) => return Err(self.unexpected("a list")),
                _ => self.value(None, 0)?,
            }
            if self.stopped || self.take(b'}')? {
                return Ok(());
            }
            self.require(b',', "`,` or `}`")?;
        }
    }

    fn list(&mut self, what: What) -> Result<(), MessagesError> {
        self.consume(1);
        if self.take(b']')? {
            return Ok(());
        }
        let mut element = Vec::new();
        loop {
            self.skip_blanks()?;
            element.clear();
            self.value(Some(&mut element), EVENT_BYTES_MAX)?;
            self.element(what, &element);
            if self.stopped || self.take(b']')? {
                return Ok(());
            }
            self.require(b',', "`,` or `]`")?;
        }
    }

    /// Passes on the messages of an element of a list.
    fn element(&mut self, what: What, element: &[u8]) {
        let messages = match what {
            What::Event => messages_of_event(element),
            What::Row => messages_of_row(element),
        };
        match messages {
            Ok(messages) => {
                let mut messages = messages.into_iter();
                self.stopped = !messages.all(|message| (self.each)(Ok(message)));
            }
            Err(error) => self.stopped = !(self.each)(Err(error)),
        }
    }

    /// Skips a value, and keeps its text if requested.
    fn value(
        &mut self,
        mut text: Option<&mut Vec<u8>>,
        bytes_max: usize,
    ) -> Result<(), MessagesError> {
        let start = self.at;
        let mut scan = ValueScan::default();
        loop {
            let bytes = fill(&mut self.input)?;
            if bytes.is_empty() {
                return Err(MessagesError::Cut);
            }
            let (taken, is_end) = scan.take(bytes);
            if let Some(text) = &mut text {
                if text.len() + taken > bytes_max {
                    return Err(MessagesError::TooLong { at: start });
                }
                text.extend_from_slice(&bytes[..taken]);
            }
            self.consume(taken);
            if is_end {
                break;
            }
        }
        if self.at == start {
            return Err(self.unexpected("a value"));
        }
        Ok(())
    }

    /// The next byte after blanks; `None` at the end.
    fn skip_blanks(&mut self) -> Result<Option<u8>, MessagesError> {
        loop {
            let bytes = fill(&mut self.input)?;
            let rest = bytes.trim_ascii_start();
            let (blanks, first) = (bytes.len() - rest.len(), rest.first().copied());
            let is_end = bytes.is_empty();
            self.consume(blanks);
            if is_end || first.is_some() {
                return Ok(first);
            }
        }
    }

    fn take(&mut self, wanted: u8) -> Result<bool, MessagesError> {
        let is_there = self.skip_blanks()? == Some(wanted);
        self.consume(usize::from(is_there));
        Ok(is_there)
    }

    fn require(&mut self, wanted: u8, what: &'static str) -> Result<(), MessagesError> {
        match self.skip_blanks()? {
            Some(byte) if byte == wanted => {
                self.consume(1);
                Ok(())
            }
            Some(_) => Err(self.unexpected(what)),
            None => Err(MessagesError::Cut),
        }
    }

    fn consume(&mut self, bytes: usize) {
        self.input.consume(bytes);
        self.at += bytes as u64;
    }

    fn unexpected(&self, expected: &'static str) -> MessagesError {
        MessagesError::Unexpected {
            expected,
            at: self.at,
        }
    }
}

fn fill(input: &mut impl BufRead) -> io::Result<&[u8]> {
    // Asked twice, because the borrow checker rejects returning a borrow from the loop.
    while let Err(error) = input.fill_buf() {
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    input.fill_buf()
}

/// Finds the end of a value by its brackets and strings.
#[derive(Default)]
struct ValueScan {
    depth: usize,
    is_in_string: bool,
    is_escaped: bool,
    is_scalar: bool,
}

impl ValueScan {
    /// How many of the bytes belong to the value, and whether it ends with them.
    fn take(&mut self, bytes: &[u8]) -> (usize, bool) {
        for (at, byte) in bytes.iter().enumerate() {
            if self.is_in_string {
                match (self.is_escaped, byte) {
                    (true, _) => self.is_escaped = false,
                    (false, b'\\') => self.is_escaped = true,
                    (false, b'"') => {
                        self.is_in_string = false;
                        if self.depth == 0 {
                            return (at + 1, true);
                        }
                    }
                    (false, _) => {}
                }
                continue;
            }
            let is_separator =
                matches!(byte, b',' | b':' | b']' | b'}') || byte.is_ascii_whitespace();
            match byte {
                _ if self.is_scalar && is_separator => return (at, true),
                _ if self.is_scalar => {}
                b'"' => self.is_in_string = true,
                b'{' | b'[' => self.depth += 1,
                _ if self.depth == 0 && is_separator => return (at, true),
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return (at + 1, true);
                    }
                }
                _ if self.depth == 0 => self.is_scalar = true,
                _ => {}
            }
        }
        (bytes.len(), false)
    }
}

fn text(json: &[u8]) -> Result<&str, JsonError> {
    str::from_utf8(json).or_else(|_| json::check(json).map(|()| ""))
}

fn messages_of_event(json: &[u8]) -> Result<Vec<Vec<u8>>, JsonError> {
    let members = json::members(text(json)?)?;
    let messages = members
        .into_iter()
        .filter(|(name, _)| matches!(&**name, "message" | "@message"));
    Ok(messages.filter_map(|(_, value)| message(value)).collect())
}

fn messages_of_row(json: &[u8]) -> Result<Vec<Vec<u8>>, JsonError> {
    let mut messages = Vec::new();
    for field in json::elements(text(json)?)? {
        let mut is_message = false;
        for (name, value) in json::members(field)? {
            match &*name {
                "field" => is_message = json::string(value).is_ok_and(|name| name == "@message"),
                "value" if is_message => messages.extend(message(value)),
                _ => {}
            }
        }
    }
    Ok(messages)
}

/// A message as text, or as the object into which a console converted it.
fn message(json: &str) -> Option<Vec<u8>> {
    let text = json::string(json).unwrap_or(json.into());
    let trimmed = text.as_bytes().trim_ascii();
    (!trimmed.is_empty()).then(|| trimmed.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    /// The messages; for events without one, the reasons.
    fn read(text: &str) -> Result<Vec<String>, MessagesError> {
        let mut messages = Vec::new();
        // Whatever the size of the input's buffers.
        read_messages(
            io::BufReader::with_capacity(3, text.as_bytes()),
            &mut |message| {
                messages.push(match message {
                    Ok(message) => String::from_utf8(message).unwrap(),
                    Err(error) => format!("({})", error.problem),
                });
                true
            },
        )?;
        Ok(messages)
    }

    #[test]
    fn every_shape_gives_its_messages() {
        let events = r#"{"events":[{"timestamp":1,"message":"{\"a\":1}\n","x":{"y":[]}},{"message":"two"}],"searchedLogStreams":[]}"#;
        assert_eq!(read(events).unwrap(), ["{\"a\":1}", "two"]);
        let results = r#"{"status":"Complete","results":[[{"field":"@timestamp","value":"x"},{"field":"@message","value":"one"}],[{"field":"@message","value":"two"}]]}"#;
        assert_eq!(read(results).unwrap(), ["one", "two"]);
        let console =
            r#" [ {"@timestamp":"x","@message":{"tenon_tape":1}} , {"@message":"two"} ] "#;
        assert_eq!(read(console).unwrap(), [r#"{"tenon_tape":1}"#, "two"]);
        assert_eq!(read(&format!("{events}\n{results}")).unwrap().len(), 4);
        assert_eq!(read("").unwrap(), [""; 0]);
        assert_eq!(read(r#"{"nextToken":null,"events":[]}"#).unwrap(), [""; 0]);
    }

    #[test]
    fn an_event_that_cannot_be_read_does_not_hold_up_the_others() {
        let no_object = "(expected an object)";
        for (event, expected) in [
            ("null", vec![no_object]),
            ("-5.5e3", vec![no_object]),
            ("[[],{}]", vec![no_object]),
            (r#""]}""#, vec![no_object]),
            (
                "{\"message\":\"a\u{1}\\\"]\"}",
                vec!["(expected an escape for a control character)"],
            ),
            (r#"{"x\ud800":1,"message":"b"}"#, vec!["b"]),
            (r#"{"message":"\ud800"}"#, vec!["\u{fffd}"]),
            (r#"{"message":5,}"#, vec!["(expected a member's name)"]),
            ("{}", vec![]),
        ] {
            let expected: Vec<&str> = [vec!["one"], expected, vec!["two"]].concat();
            let events = format!(r#"[{{"message":"one"}},{event},{{"message":"two"}}]"#);
            assert_eq!(read(&events).unwrap(), expected, "{event}");
            let events = format!(r#"{{"events": {events} }}"#);
            assert_eq!(read(&events).unwrap(), expected, "{event}");
        }
        let row = |value: &str| format!(r#"[{{"field":"@message","value":{value}}}]"#);
        let (one, two) = (row("\"one\""), row("\"two\""));
        let results = format!("{{\"results\":[{one},null,{},{two}]}}", row("\"\t\""));
        let expected = [
            "one",
            "(expected an array)",
            "(expected an escape for a control character)",
            "two",
        ];
        assert_eq!(read(&results).unwrap(), expected);
    }

    #[test]
    fn what_is_damaged_is_an_error_and_bounded() {
        for text in [
            "{\"events\":[{\"message\":\"a\"",
            "5",
            "{\"events\":{}}",
            "[{\"message\":\"a\"} nope]",
            "[,]",
            "[}",
            "{\"events\"",
            "nope",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        let endless = io::BufReader::new(b"[{\"message\":\"".chain(io::repeat(b'x')));
        let error = read_messages(endless, &mut |_| true).unwrap_err();
        assert!(error.to_string().contains("longer than"), "{error}");
    }

    #[test]
    fn who_wants_no_more_gets_no_more() {
        let mut count = 0;
        read_messages(
            br#"[{"message":"a"},{"message":"b"},5]"#.as_slice(),
            &mut |_| {
                count += 1;
                count < 2
            },
        )
        .unwrap();
        assert_eq!(count, 2);
    }
}
