//! Differences that do not count, by rule.

use crate::tape::redact::places::{InvalidPointer, Pointer};
use std::str::FromStr;

/// A rule: `header:NAME`, or a JSON pointer into what is compared (`/status`, `/headers/NAME`, `/body/...`, `/writes/N/...`), in which
/// `*` stands for every element or member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnoreRule(Pointer);

/// Text that is not a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a rule: write `header:NAME`, or a JSON pointer as the report names it, like `/body/updated_at`"
)]
pub struct InvalidRule {
    text: String,
    source: InvalidPointer,
}

impl FromStr for IgnoreRule {
    type Err = InvalidRule;

    fn from_str(text: &str) -> Result<Self, InvalidRule> {
        let pointer = match text.strip_prefix("header:") {
            Some(name) => format!("/headers/{}", name.trim().to_ascii_lowercase()),
            None => text.to_owned(),
        };
        pointer.parse().map(Self).map_err(|source| InvalidRule {
            text: text.to_owned(),
            source,
        })
    }
}

impl IgnoreRule {
    /// Whether the rule covers a place in what is compared.
    pub fn covers(&self, place: &str) -> bool {
        self.0.covers(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_names_a_header_or_a_place() {
        let rule: IgnoreRule = "header:Date".parse().unwrap();
        assert!(rule.covers("/headers/date") && rule.covers("/headers/date/0"));
        assert!(!rule.covers("/headers/dates"));
        let rule: IgnoreRule = "/writes/*/put/document/updated_at".parse().unwrap();
        assert!(rule.covers("/writes/3/put/document/updated_at"));
        assert!("date".parse::<IgnoreRule>().is_err());
    }
}
