//! One JSON object per line, written member by member.

use super::{GUEST_DIGITS, Ids};
use contract::{calendar::rfc3339_ms, log::LogLevel};
use serde::Serialize;
use std::collections::HashMap;

/// A line that is being written; [`Line::end`] completes it.
pub struct Line<'a>(&'a mut Vec<u8>);

impl<'a> Line<'a> {
    /// Begins a line with the members of all lines.
    pub fn begin(
        lines: &'a mut Vec<u8>,
        at_ms: u64,
        level: LogLevel,
        message: &str,
        ids: &Ids<'_>,
    ) -> Self {
        lines.extend_from_slice(br#"{"timestamp":"#);
        let mut line = Self(lines);
        line.value(&rfc3339_ms(at_ms));
        line.member("level", level_name(level));
        line.member("message", message);
        line.optional("requestId", ids.request_id);
        line.optional("gatewayRequestId", ids.gateway_request_id);
        line.optional("traceId", ids.trace_id);
        if let Some(guest) = ids.guest {
            let mut digits = guest.to_string();
            digits.truncate(GUEST_DIGITS);
            line.member("guest", &digits);
        }
        line
    }

    /// Adds a member. The caller ensures that names differ.
    pub fn member<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) {
        self.0.push(b',');
        self.value(name);
        self.0.push(b':');
        self.value(value);
    }

    /// Adds a member if it is known.
    pub fn optional(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.member(name, value);
        }
    }

    /// Adds an object whose members are already JSON. If a name repeats, the last member is kept.
    pub fn raw_members(&mut self, name: &str, members: &[(String, String)]) {
        self.0.push(b',');
        self.value(name);
        self.0.extend_from_slice(b":{");
        let last_positions: HashMap<&str, usize> = members
            .iter()
            .enumerate()
            .map(|(position, (name, _))| (name.as_str(), position))
            .collect();
        let mut is_first = true;
        for (position, (name, json)) in members.iter().enumerate() {
            if last_positions.get(name.as_str()) != Some(&position) {
                continue;
            }
            if !is_first {
                self.0.push(b',');
            }
            is_first = false;
            self.value(name);
            self.0.push(b':');
            // JSON may have line breaks between tokens, but not inside strings.
            self.0.extend(json.bytes().map(|byte| match byte {
                b'\n' | b'\r' => b' ',
                other => other,
            }));
        }
        self.0.push(b'}');
    }

    /// Completes the line.
    pub fn end(self) {
        self.0.extend_from_slice(b"}\n");
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) {
        let start = self.0.len();
        // Writing to memory cannot fail, and none of our values has a map with keys that are not text.
        if serde_json::to_writer(&mut *self.0, value).is_err() {
            self.0.truncate(start);
            self.0.extend_from_slice(b"null");
        }
    }
}

/// A level as Lambda's filter spells it.
fn level_name(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Debug => "DEBUG",
        LogLevel::Info => "INFO",
        LogLevel::Warn => "WARN",
        LogLevel::Error => "ERROR",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::digest::Digest;
    use serde_json::{Value, json};

    fn written(write: impl FnOnce(&mut Line<'_>)) -> String {
        let mut lines = Vec::new();
        let ids = Ids {
            request_id: Some("r"),
            gateway_request_id: Some("g\n"),
            trace_id: None,
            guest: Some(Digest::of(b"")),
        };
        let mut line = Line::begin(&mut lines, 1, LogLevel::Warn, "a\n\"b\"", &ids);
        write(&mut line);
        line.end();
        String::from_utf8(lines).unwrap()
    }

    #[test]
    fn a_line_begins_with_what_lambda_reads_and_ids_that_are_known() {
        let line = written(|line| line.member("status", &200));
        assert_eq!(
            serde_json::from_str::<Value>(&line).unwrap(),
            json!({
                "timestamp": "1970-01-01T00:00:00.001Z", "level": "WARN", "message": "a\n\"b\"",
                "requestId": "r", "gatewayRequestId": "g\n", "guest": "e3b0c44298fc", "status": 200,
            })
        );
    }

    /// Comparing each member with all others would take twenty billion comparisons.
    #[test]
    fn the_time_for_members_grows_with_their_number() {
        let members: Vec<_> = (0..200_000)
            .map(|number| (format!("{number:06}"), "1".to_owned()))
            .collect();
        let start = std::time::Instant::now();
        let line = written(|line| line.raw_members("attributes", &members));
        assert!(line.len() > members.len() * "\"000000\":1".len());
        assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
    }

    /// What a guest logs must not become a line of its own, which could be mistaken for the host's.
    #[test]
    fn whatever_a_guest_logs_is_one_line() {
        let member = |name: &str, json: &str| (name.to_owned(), json.to_owned());
        let members = [
            member("a", "1"),
            member("\n{\"_aws\":1}\n", "[1,\r\n\"\\n\"]"),
            member("a", "\n{\"_aws\":{}}\n"),
        ];
        let line = written(|line| line.raw_members("attributes", &members));
        assert_eq!(line.lines().count(), 1);
        assert!(line.ends_with('\n'));
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            value["attributes"],
            json!({"\n{\"_aws\":1}\n": [1, "\n"], "a": {"_aws": {}}})
        );
        assert_eq!(line.matches("\"a\":").count(), 1, "{line}");
    }
}
