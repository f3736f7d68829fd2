//! Log lines out of what CloudWatch gives as JSON: `aws logs filter-log-events` and `get-log-events` (`{"events": [{"message"}]}`), results
//! of Logs Insights (`{"results": [[{"field": "@message", "value"}]]}`), and what its console exports (`[{"@message"}]`). Documents may
//! follow each other. Read as they come: a document may be larger than memory, one message may not.

use crate::limits::TAPE_LINE_BYTES_MAX;
use serde::{
    Deserializer,
    de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{
    cell::Cell,
    fmt,
    io::{self, BufRead, Read},
};

/// Calls `each` with every message, in order; it says whether to go on.
#[expect(
    clippy::disallowed_methods,
    reason = "the visitor reads one message at a time, of bounded length, and recurses no deeper than an export's documents"
)]
pub fn read_messages(
    input: impl BufRead,
    each: &mut dyn FnMut(Vec<u8>) -> bool,
) -> Result<(), serde_json::Error> {
    let budget = Cell::new(0);
    let mut input = io::BufReader::new(Bounded {
        input,
        used: &budget,
    });
    let mut messages = Messages {
        each,
        budget: &budget,
        stopped: false,
    };
    loop {
        budget.set(0);
        let is_end = loop {
            let buffer = input.fill_buf().map_err(serde_json::Error::io)?;
            let blanks = buffer.len() - buffer.trim_ascii_start().len();
            let (is_empty, is_blank) = (buffer.is_empty(), blanks == buffer.len());
            input.consume(blanks);
            if is_empty || !is_blank {
                break is_empty;
            }
        };
        if is_end || messages.stopped {
            return Ok(());
        }
        let mut deserializer = serde_json::Deserializer::from_reader(&mut input);
        let document = Part {
            messages: &mut messages,
            what: What::Document,
        };
        match document.deserialize(&mut deserializer) {
            Err(_) if messages.stopped => return Ok(()),
            other => other?,
        }
    }
}

/// Fails when one message takes too much.
struct Bounded<'a, R> {
    input: R,
    used: &'a Cell<usize>,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        let used = self.used.get() + read;
        self.used.set(used);
        // Twice: the text of a line inside of a JSON string is longer than the line.
        if used > 2 * TAPE_LINE_BYTES_MAX {
            return Err(io::Error::other(format!(
                "a message is longer than {} bytes",
                2 * TAPE_LINE_BYTES_MAX
            )));
        }
        Ok(read)
    }
}

struct Messages<'a> {
    each: &'a mut dyn FnMut(Vec<u8>) -> bool,
    budget: &'a Cell<usize>,
    /// Nobody wants more.
    stopped: bool,
}

impl Messages<'_> {
    /// A message as text, or as the object that a console made of it.
    #[expect(clippy::disallowed_methods, reason = "read into a string")]
    fn message<E: serde::de::Error>(&mut self, message: &RawValue) -> Result<(), E> {
        self.budget.set(0);
        let json = message.get();
        let bytes = match serde_json::from_str::<String>(json) {
            Ok(text) => text.into_bytes(),
            Err(_) => json.as_bytes().to_vec(),
        };
        let trimmed = bytes.trim_ascii();
        if !trimmed.is_empty() && !(self.each)(trimmed.to_vec()) {
            self.stopped = true;
            return Err(E::custom("nobody wants more"));
        }
        Ok(())
    }
}

/// What of a document is read next.
struct Part<'a, 'm> {
    messages: &'a mut Messages<'m>,
    what: What,
}

#[derive(Clone, Copy)]
enum What {
    Document,
    /// A list of objects that have a message each.
    Events,
    Event,
    /// A list of lists of fields.
    Rows,
    Row,
    Field,
}

impl<'de> DeserializeSeed<'de> for Part<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.what {
            What::Document => deserializer.deserialize_any(self),
            What::Events | What::Rows | What::Row => deserializer.deserialize_seq(self),
            What::Event | What::Field => deserializer.deserialize_map(self),
        }
    }
}

impl<'de> Visitor<'de> for Part<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("log events, or the result of a log query")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        let messages = self.messages;
        let mut is_message = false;
        while let Some(name) = map.next_key::<String>()? {
            match (self.what, name.as_str()) {
                (What::Document, "events") => map.next_value_seed(Part {
                    messages,
                    what: What::Events,
                })?,
                (What::Document, "results") => map.next_value_seed(Part {
                    messages,
                    what: What::Rows,
                })?,
                (What::Event, "message" | "@message") => {
                    let message: Box<RawValue> = map.next_value()?;
                    messages.message(&message)?;
                }
                (What::Field, "field") => is_message = map.next_value::<String>()? == "@message",
                (What::Field, "value") if is_message => {
                    let message: Box<RawValue> = map.next_value()?;
                    messages.message(&message)?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<(), S::Error> {
        let what = match self.what {
            What::Document | What::Events => What::Event,
            What::Rows => What::Row,
            What::Row => What::Field,
            What::Event | What::Field => return Err(S::Error::custom("unexpected list")),
        };
        let messages = self.messages;
        while seq.next_element_seed(Part { messages, what })?.is_some() {
            messages.budget.set(0);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<String>, serde_json::Error> {
        let mut messages = Vec::new();
        read_messages(text.as_bytes(), &mut |message| {
            messages.push(String::from_utf8(message).unwrap());
            true
        })?;
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
    }

    #[test]
    fn what_is_damaged_is_an_error_and_bounded() {
        for text in [
            "{\"events\":[{\"message\":\"a\"",
            "5",
            "{\"events\":{}}",
            "[[]]",
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
