//! Indented JSON within a bound: blanks make it up to a hundred times as long as what it was read from.

use std::fmt::{self, Display, Write};

/// The beginning of a text.
pub struct Pretty {
    /// Whole lines, each with its end.
    pub text: String,
    /// How many bytes follow.
    pub more: usize,
}

impl Pretty {
    /// Formats a value; keeps at most `bytes_max` bytes.
    pub fn of(value: &impl Display, bytes_max: usize) -> Self {
        let mut bounded = Bounded {
            kept: Self {
                text: String::new(),
                more: 0,
            },
            bytes_max,
        };
        // Nothing that is written to fails.
        let _ = writeln!(bounded, "{value:#}");
        let Self { mut text, mut more } = bounded.kept;
        if more > 0 {
            let whole = text.rfind('\n').map_or(0, |end| end + 1);
            more += text.len() - whole;
            text.truncate(whole);
        }
        Self { text, more }
    }
}

struct Bounded {
    kept: Pretty,
    bytes_max: usize,
}

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let Pretty { text: kept, more } = &mut self.kept;
        if *more > 0 || kept.len() + text.len() > self.bytes_max {
            *more += text.len();
        } else {
            kept.push_str(text);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn whole_lines_are_kept_and_the_rest_is_counted() {
        let value = json!([1, 22, "333"]);
        let all = "[\n  1,\n  22,\n  \"333\"\n]\n";
        for (bytes_max, kept) in [
            (100, all),
            (all.len(), all),
            (all.len() - 1, "[\n  1,\n  22,\n  \"333\"\n"),
            (12, "[\n  1,\n"),
            (1, ""),
        ] {
            let Pretty { text, more } = Pretty::of(&value, bytes_max);
            assert_eq!(text, kept, "{bytes_max}");
            assert_eq!(text.len() + more, all.len(), "{bytes_max}");
        }
    }
}
