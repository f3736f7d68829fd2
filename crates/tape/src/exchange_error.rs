//! Why a line cannot be read as an exchange.

use super::VERSION;
use contract::limits::TAPE_LINE_BYTES_MAX;
use json::JsonProblem;
use serde::Deserialize;

/// Why a line cannot be read as an exchange.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    /// Over the limit.
    #[error("line has {0} bytes, at most {TAPE_LINE_BYTES_MAX} are allowed")]
    TooLong(usize),
    /// Not UTF-8.
    #[error("line is not UTF-8 from byte {0} on")]
    NotUtf8(usize),
    /// Not JSON, or JSON that exceeds the bounds of this program.
    #[error("line {}: {problem} at byte {column}", problem.verdict())]
    NotJson {
        /// What is wrong.
        problem: JsonProblem,
        /// Counted from 1.
        column: usize,
    },
    /// JSON without the members of an exchange.
    #[error("line is not an exchange: {reason} at byte {column}")]
    Malformed {
        /// Which member is missing or has another type.
        reason: String,
        /// Counted from 1.
        column: usize,
    },
    /// Written by a later version of this program.
    #[error("line has version {0}, this program reads up to {VERSION}")]
    Version(u32),
    /// Encrypted, and no key was given.
    #[error("line is encrypted: `--identity FILE` names the key that reads it")]
    Encrypted,
}

impl ExchangeError {
    /// Whether the line is merely incomplete, because its writer was stopped or is still writing.
    pub fn is_cut(&self) -> bool {
        match self {
            Self::NotJson { problem, .. } => *problem == JsonProblem::Cut,
            Self::TooLong(_)
            | Self::NotUtf8(_)
            | Self::Malformed { .. }
            | Self::Version(_)
            | Self::Encrypted => false,
        }
    }

    /// What is wrong with a text that could not be read. A line of another version, or an encrypted one, lacks members, but another error is
    /// reported for it.
    #[expect(
        clippy::disallowed_methods,
        reason = "read into a type of named members that holds no `Value`"
    )]
    pub(super) fn of(text: &str, error: &serde_json::Error) -> Self {
        #[derive(Deserialize)]
        struct Head {
            #[serde(rename = "tenon_tape")]
            version: u32,
            #[serde(default)]
            encrypted: Option<serde::de::IgnoredAny>,
        }
        match serde_json::from_str::<Head>(text) {
            Ok(head) if head.version == 0 || head.version > VERSION => Self::Version(head.version),
            Ok(head) if head.encrypted.is_some() => Self::Encrypted,
            Ok(_) | Err(_) => Self::malformed(text, error),
        }
    }

    /// Syntax is described as everywhere in this program, by the reader that bounds JSON from outside.
    fn malformed(text: &str, error: &serde_json::Error) -> Self {
        let column = error.column();
        if error.is_eof() {
            return Self::NotJson {
                problem: JsonProblem::Cut,
                column,
            };
        }
        match json::check(text.as_bytes()) {
            Err(found) if error.is_syntax() && found.problem != JsonProblem::Cut => Self::NotJson {
                problem: found.problem,
                column: found.column,
            },
            Ok(()) | Err(_) => {
                let reason = error.to_string();
                let position = format!(" at line {} column {column}", error.line());
                Self::Malformed {
                    reason: reason.trim_end_matches(&position).to_owned(),
                    column,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Exchange;

    #[test]
    fn a_damaged_line_is_described_without_the_position_of_a_file() {
        let message = |line: &str| Exchange::read(line.as_bytes()).unwrap_err().to_string();
        assert_eq!(
            message(r#"{"tenon_tape":1,"id":x}"#),
            "line is not JSON: expected a JSON value at byte 22"
        );
        assert_eq!(
            message(r#"{"tenon_tape":1,"id":5}"#),
            "line is not an exchange: invalid type: integer `5`, expected a string at byte 22"
        );
        let missing = message(r#"{"tenon_tape":1,"id":"a"}"#);
        assert!(
            missing.starts_with("line is not an exchange: missing field `")
                && !missing.contains("line 1"),
            "{missing}"
        );
        let levels = "[".repeat(200) + &"]".repeat(200);
        let deep = message(&format!(r#"{{"tenon_tape":1,"event":{levels}}}"#));
        assert!(!deep.contains("recursion"), "{deep}");
    }

    #[test]
    fn a_line_that_ends_too_early_is_cut_and_a_damaged_one_is_not() {
        let is_cut = |line: &str| Exchange::read(line.as_bytes()).unwrap_err().is_cut();
        assert!(is_cut(r#"{"tenon_tape":1,"id":"a"#) && is_cut("{") && is_cut(""));
        assert!(!is_cut(r#"{"tenon_tape":1,"id":5,"at"#));
        assert!(!is_cut(r#"{"tenon_tape":1,"id":x"#) && !is_cut("{}"));
    }
}
