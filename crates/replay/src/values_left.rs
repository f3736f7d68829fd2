//! Bounds the JSON values of one request: the author of a tape chooses how many texts it has, and a tree takes far more memory than its text.

use contract::limits::JSON_NODES_MAX;
use json::Value;

/// How many values may still become trees. What does not fit is compared as text.
#[derive(Debug)]
pub(super) struct ValuesLeft(usize);

impl Default for ValuesLeft {
    fn default() -> Self {
        Self(JSON_NODES_MAX)
    }
}

impl ValuesLeft {
    /// Reads a text; `None` if it is not JSON, or has more values than are left.
    pub(super) fn read(&mut self, text: &str) -> Option<Value> {
        let value = json::value(text.as_bytes()).ok()?;
        self.0 = self.0.checked_sub(json::count(&value))?;
        Some(value)
    }

    /// The same for a text that is JSON: as a string if it has too many values.
    pub(super) fn read_or_text(&mut self, text: &str) -> Value {
        self.read(text)
            .unwrap_or_else(|| Value::String(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_share_one_bound() {
        let list = |values: usize| format!("[{}1]", "1,".repeat(values - 2));
        let mut left = ValuesLeft::default();
        assert!(left.read(&list(JSON_NODES_MAX - 3)).is_some());
        assert_eq!(left.read("[1,1,1]"), None);
        assert_eq!(left.read_or_text("[1,1,1]"), json!("[1,1,1]"));
        assert_eq!(left.read_or_text("[1,1]"), json!([1, 1]));
        assert_eq!(left.read("1"), None);
        assert_eq!(ValuesLeft::default().read("{"), None);
    }
}
