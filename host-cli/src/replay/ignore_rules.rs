//! `--ignore` of `replay` and of `promote --gate`.

use crate::exit::Failure;
use observation::{IgnoreRule, IgnoreRuleError};

/// Checks the rules of `--ignore`.
pub fn parse(rules: &[String]) -> Result<Vec<IgnoreRule>, Failure> {
    rules
        .iter()
        .map(|rule| {
            rule.parse().map_err(|error: IgnoreRuleError| {
                let hint = error.hint();
                Failure::usage(error).hint(hint)
            })
        })
        .collect()
}
