//! The log lines of one request, bounded.

use contract::{
    limits::{
        LOG_ATTRIBUTE_KEY_BYTES_MAX, LOG_ATTRIBUTES_MAX, LOG_BYTES_MAX, LOG_LINE_BYTES_MAX,
        LOG_LINES_MAX,
    },
    log::{LogLevel, LogRecord},
};

/// Collects lines within the limits: whatever a guest passes, the host keeps at most [`LOG_BYTES_MAX`] bytes of it.
pub(in crate::imports) struct Logs {
    level: LogLevel,
    records: Vec<LogRecord>,
    bytes_left: usize,
    dropped: u32,
}

impl Logs {
    pub(in crate::imports) fn new(level: LogLevel) -> Self {
        Self {
            level,
            records: Vec::new(),
            bytes_left: LOG_BYTES_MAX,
            dropped: 0,
        }
    }

    /// Keeps a line if there is room. The texts may have more capacity than length, so only copies of the kept part remain.
    pub(in crate::imports) fn write(
        &mut self,
        storage_calls: u32,
        level: LogLevel,
        message: String,
        attributes: impl IntoIterator<Item = (String, String)>,
    ) {
        if level < self.level {
            return;
        }
        // After a dropped line all later ones are dropped as well, so that the kept lines have no gaps.
        if self.dropped > 0 || self.records.len() >= LOG_LINES_MAX as usize {
            self.dropped = self.dropped.saturating_add(1);
            return;
        }
        let record = record(storage_calls, level, message, attributes);
        match self.bytes_left.checked_sub(bytes_in_memory(&record)) {
            Some(bytes_left) => {
                self.bytes_left = bytes_left;
                self.records.push(record);
            }
            None => self.dropped = 1,
        }
    }

    pub(in crate::imports) fn finish(mut self, storage_calls: u32) -> Vec<LogRecord> {
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

/// The memory of a line in the host.
fn bytes_in_memory(record: &LogRecord) -> usize {
    let attributes = record.attributes.iter();
    attributes.fold(
        size_of::<LogRecord>() + record.message.len(),
        |bytes, (key, value)| bytes + size_of::<(String, String)>() + key.len() + value.len(),
    )
}

/// A line cut to its limits.
fn record(
    storage_calls: u32,
    level: LogLevel,
    message: String,
    attributes: impl IntoIterator<Item = (String, String)>,
) -> LogRecord {
    let (mut message, mut is_cut) = cut(message, LOG_LINE_BYTES_MAX);
    let mut room = LOG_LINE_BYTES_MAX - message.len();
    let mut kept = Vec::new();
    for (key, value) in attributes {
        // Measured before it is parsed: a long value is not parsed at all.
        if kept.len() == LOG_ATTRIBUTES_MAX || value.len() > room {
            is_cut = true;
            break;
        }
        let (key, _) = cut(key, LOG_ATTRIBUTE_KEY_BYTES_MAX);
        let value = json(value);
        let Some(rest) = room.checked_sub(key.len() + value.len()) else {
            is_cut = true;
            break;
        };
        room = rest;
        kept.retain(|(earlier, _): &(String, String)| *earlier != key);
        kept.push((key, value));
    }
    kept.shrink_to_fit();
    if is_cut {
        message.reserve_exact(CUT.len());
        message.push_str(CUT);
    }
    LogRecord {
        level,
        message,
        attributes: kept,
        storage_calls,
    }
}

/// Marks a line of which something was left out.
const CUT: &str = " [cut]";

/// Keeps JSON unchanged, and makes a JSON string of any other text.
#[expect(
    clippy::disallowed_methods,
    reason = "`IgnoredAny` makes nothing of the text and does not recurse"
)]
fn json(mut value: String) -> String {
    match serde_json::from_str::<serde::de::IgnoredAny>(&value) {
        Ok(_) => {
            value.shrink_to_fit();
            value
        }
        Err(_) => {
            let mut text = serde_json::Value::String(value).to_string();
            text.shrink_to_fit();
            text
        }
    }
}

/// Cuts at a character boundary, and returns whether anything was cut. The rest has no more capacity than it needs.
fn cut(mut text: String, bytes_max: usize) -> (String, bool) {
    if text.len() > bytes_max {
        // A copy, because truncating would keep the memory of the whole text.
        (text[..text.floor_char_boundary(bytes_max)].to_owned(), true)
    } else {
        text.shrink_to_fit();
        (text, false)
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

    /// Bytes allocated for the lines, including unused capacity.
    fn held(records: &[LogRecord]) -> usize {
        let attribute = |(key, value): &(String, String)| key.capacity() + value.capacity();
        records
            .iter()
            .map(|record| {
                record.message.capacity()
                    + record.attributes.capacity() * size_of::<(String, String)>()
                    + record.attributes.iter().map(attribute).sum::<usize>()
                    + size_of::<LogRecord>()
            })
            .sum()
    }

    #[test]
    fn a_long_text_is_not_held_on_to() {
        let mut logs = Logs::new(LogLevel::Debug);
        let long = || "x".repeat(1 << 20);
        logs.write(0, LogLevel::Info, long(), []);
        logs.write(0, LogLevel::Info, String::new(), [(long(), "1".into())]);
        logs.write(0, LogLevel::Info, String::new(), [("a".into(), long())]);
        let mut roomy = String::with_capacity(1 << 20);
        roomy.push('1');
        logs.write(0, LogLevel::Info, roomy.clone(), [("a".into(), roomy)]);
        let records = logs.finish(0);
        assert_eq!(records.len(), 4);
        assert!(
            held(&records) < 2 * LOG_LINE_BYTES_MAX,
            "{}",
            held(&records)
        );
    }

    #[test]
    fn all_lines_of_a_request_share_one_budget() {
        for (attributes, bytes) in [(0, 16_000), (LOG_ATTRIBUTES_MAX, 100), (1_000, 1)] {
            let mut logs = Logs::new(LogLevel::Debug);
            for _ in 0..LOG_LINES_MAX {
                let attribute = |number: usize| (number.to_string(), "1".repeat(bytes));
                let message = "m".repeat(bytes);
                logs.write(0, LogLevel::Info, message, (0..attributes).map(attribute));
            }
            let records = logs.finish(0);
            assert!(held(&records) <= LOG_BYTES_MAX + 1024, "{}", held(&records));
            let (last, kept) = records.split_last().unwrap();
            let dropped = LOG_LINES_MAX as usize - kept.len();
            assert!(dropped > 0);
            assert_eq!(last.message, format!("{dropped} more log lines dropped"));
        }
    }

    #[test]
    fn of_attributes_with_one_key_the_last_is_kept() {
        let mut logs = Logs::new(LogLevel::Debug);
        let attributes = [("a", "1"), ("b", "2"), ("a", "3")];
        let attributes = attributes.map(|(key, value)| (key.to_owned(), value.to_owned()));
        logs.write(0, LogLevel::Info, String::new(), attributes);
        let kept = &logs.finish(0)[0].attributes;
        assert_eq!(kept, &[("b".into(), "2".into()), ("a".into(), "3".into())]);
    }

    #[test]
    fn attributes_beyond_the_bound_are_cut() {
        let mut logs = Logs::new(LogLevel::Debug);
        let attributes = (0..=LOG_ATTRIBUTES_MAX).map(|number| (number.to_string(), "1".into()));
        logs.write(0, LogLevel::Info, "many".into(), attributes);
        let records = logs.finish(0);
        assert_eq!(records[0].attributes.len(), LOG_ATTRIBUTES_MAX);
        assert_eq!(records[0].message, "many [cut]");
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
