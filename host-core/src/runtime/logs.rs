//! The log lines of one request, bounded.

use crate::{
    limits::{LOG_ATTRIBUTE_KEY_BYTES_MAX, LOG_LINE_BYTES_MAX, LOG_LINES_MAX},
    log::LogLevel,
};

/// One line of a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRecord {
    /// How severe.
    pub level: LogLevel,
    /// What happened.
    pub message: String,
    /// Named values, each the text of a JSON value.
    pub attributes: Vec<(String, String)>,
    /// Storage calls made before it: where it stands in the course of the request.
    pub storage_calls: u32,
}

pub(crate) struct Logs {
    level: LogLevel,
    records: Vec<LogRecord>,
    dropped: u32,
}

impl Logs {
    pub(super) fn new(level: LogLevel) -> Self {
        Self {
            level,
            records: Vec::new(),
            dropped: 0,
        }
    }

    pub(crate) fn write(
        &mut self,
        storage_calls: u32,
        level: LogLevel,
        mut message: String,
        attributes: impl IntoIterator<Item = (String, String)>,
    ) {
        if level < self.level {
            return;
        }
        if self.records.len() >= LOG_LINES_MAX as usize {
            self.dropped = self.dropped.saturating_add(1);
            return;
        }
        let mut room = LOG_LINE_BYTES_MAX;
        let mut cut = cut(&mut message, room);
        room -= message.len();
        let mut kept = Vec::new();
        for (mut key, value) in attributes {
            let value = json(value);
            truncate(&mut key, LOG_ATTRIBUTE_KEY_BYTES_MAX);
            if key.len() + value.len() > room {
                cut = true;
                break;
            }
            room -= key.len() + value.len();
            kept.push((key, value));
        }
        if cut {
            message.push_str(" [cut]");
        }
        self.records.push(LogRecord {
            level,
            message,
            attributes: kept,
            storage_calls,
        });
    }

    pub(super) fn finish(mut self, storage_calls: u32) -> Vec<LogRecord> {
        if self.dropped > 0 {
            self.records.push(LogRecord {
                level: LogLevel::Warn,
                message: format!("{} more log lines dropped", self.dropped),
                attributes: Vec::new(),
                storage_calls,
            });
        }
        self.records
    }
}

/// Keeps JSON as it is and makes a JSON string of anything else.
fn json(value: String) -> String {
    match serde_json::from_str::<serde::de::IgnoredAny>(&value) {
        Ok(_) => value,
        Err(_) => serde_json::Value::String(value).to_string(),
    }
}

fn cut(text: &mut String, bytes_max: usize) -> bool {
    let long = text.len() > bytes_max;
    truncate(text, bytes_max);
    long
}

/// Cuts at a character boundary.
fn truncate(text: &mut String, bytes_max: usize) {
    if text.len() > bytes_max {
        text.truncate(text.floor_char_boundary(bytes_max));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut_and_says_so() {
        let mut logs = Logs::new(LogLevel::Debug);
        logs.write(0, LogLevel::Info, "é".repeat(LOG_LINE_BYTES_MAX), []);
        let records = logs.finish(0);
        assert!(records[0].message.ends_with("é [cut]"));
        assert!(records[0].message.len() <= LOG_LINE_BYTES_MAX + 6);
    }

    #[test]
    fn a_flood_is_counted() {
        let mut logs = Logs::new(LogLevel::Debug);
        for _ in 0..LOG_LINES_MAX + 7 {
            logs.write(0, LogLevel::Info, String::new(), []);
        }
        let records = logs.finish(0);
        assert_eq!(records.len(), LOG_LINES_MAX as usize + 1);
        assert_eq!(records.last().unwrap().message, "7 more log lines dropped");
    }

    #[test]
    fn less_severe_lines_are_dropped_and_text_becomes_json() {
        let mut logs = Logs::new(LogLevel::Warn);
        logs.write(0, LogLevel::Info, "quiet".into(), []);
        logs.write(
            0,
            LogLevel::Warn,
            "loud".into(),
            [("a".into(), "1".into()), ("b".into(), "x\"".into())],
        );
        let records = logs.finish(0);
        assert_eq!(records.len(), 1);
        assert_eq!(
            records[0].attributes,
            [("a".into(), "1".into()), ("b".into(), r#""x\"""#.into())]
        );
    }
}
