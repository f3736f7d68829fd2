//! `--ignore` of `replay` and of `promote --gate`.

use crate::exit::CommandError;
use observation::{IgnoreRule, IgnoreRuleError};

/// Checks the rules of `--ignore`.
pub fn parse(rules: &[String]) -> Result<Vec<IgnoreRule>, CommandError> {
    rules
        .iter()
        .map(|rule| {
            rule.parse().map_err(|error: IgnoreRuleError| {
                let hint = error.hint();
                CommandError::usage(error).hint(hint)
            })
        })
        .collect()
}
