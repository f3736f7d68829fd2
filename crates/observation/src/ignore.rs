//! Ignored differences, by rule or as noise: one syntax for tapes, cases, live replays and gates.

use gateway::normal::{RARE_MEMBERS, normal_name};
use json::{Pointer, PointerError};
use std::{collections::BTreeSet, str::FromStr};

/// Everything that a comparison ignores.
#[derive(Clone, Debug, Default)]
pub struct Ignored<'a> {
    rules: &'a [IgnoreRule],
    pub(super) noise: Noise,
}

/// What differs between two runs of one guest, and so always differs.
#[derive(Clone, Debug, Default)]
pub struct Noise {
    /// JSON pointers.
    pub(super) places: BTreeSet<String>,
    /// Partitions with random keys.
    pub(super) random_partitions: BTreeSet<String>,
}

impl<'a> Ignored<'a> {
    /// Differences that rules cover.
    pub fn by(rules: &'a [IgnoreRule]) -> Self {
        Self {
            rules,
            noise: Noise::default(),
        }
    }

    /// Differences that rules or noise cover.
    pub fn with_noise(self, noise: Noise) -> Self {
        Self { noise, ..self }
    }

    /// Whether a difference at a place is ignored: rules and noise cover a place and everything below it.
    pub fn covers(&self, pointer: &str) -> bool {
        self.noise.covers(pointer) || self.rules.iter().any(|rule| rule.covers(pointer))
    }
}

impl Noise {
    fn covers(&self, pointer: &str) -> bool {
        self.places.iter().any(|noise| {
            let below = pointer.strip_prefix(noise.as_str());
            below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

/// A rule: `header:NAME`, or a JSON pointer into the compared observation, in which `*` stands for every element or member.
///
/// Places are `/status`, `/headers/NAME`, `/body/...`, `/writes/N/...` (what a request of a tape wrote), `/stored/N/...` (what a case or a
/// gate finds in the store afterwards) and `/outgoing/N/...` (what the guest sent to other services). Names of headers are
/// case-insensitive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnoreRule {
    pointer: Pointer,
    /// `*` stands for expected items only: what a guest writes besides is ignored where somebody says so.
    is_of_expected_items: bool,
}

/// Text that is not a rule, or a rule that no difference can match.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a rule: {reason}")]
pub struct IgnoreRuleError {
    text: String,
    reason: String,
}

impl IgnoreRuleError {
    /// The syntax of rules.
    pub fn hint(&self) -> &'static str {
        "rules are `header:NAME`, `/status`, `/headers/NAME`, `/body/...`, `/writes/N/...`, `/stored/N/...` and `/outgoing/N/...`; `*` stands for any element or member"
    }
}

/// The top-level members of an observation. The first five are the usual ones; the others are rare, and have no members of their own.
const MEMBERS: [&str; 9] = [
    "status",
    "headers",
    "body",
    "writes",
    "stored",
    "outgoing",
    "rejection",
    RARE_MEMBERS[0],
    RARE_MEMBERS[1],
];
/// Members of a write (see `docs/tape.md`).
const OF_A_WRITE: [&str; 6] = [
    "key",
    "put",
    "deleted",
    "checked",
    "preconditions",
    "together_with",
];
/// Members of a put.
const OF_A_PUT: [&str; 3] = ["document", "index", "expires_at"];
/// Members of a stored entry.
const OF_AN_ENTRY: [&str; 6] = [
    "partition",
    "sort",
    "document",
    "revision",
    "index",
    "expires_at",
];

/// Members of a request to another service (see `docs/tape.md`).
const OF_A_REQUEST: [&str; 6] = [
    "method",
    "url",
    "headers",
    "body",
    "body_base64",
    "timeout_ms",
];

impl FromStr for IgnoreRule {
    type Err = IgnoreRuleError;

    fn from_str(text: &str) -> Result<Self, IgnoreRuleError> {
        let invalid = |reason: String| IgnoreRuleError {
            text: text.to_owned(),
            reason,
        };
        let spelled = match text.strip_prefix("header:") {
            Some(name) => format!("/headers/{}", name.trim()),
            None => text.to_owned(),
        };
        let _: Pointer = spelled.parse().map_err(|_: PointerError| {
            invalid("write `header:NAME` or a JSON pointer like `/body/updated_at`".to_owned())
        })?;
        let parts: Vec<&str> = spelled.split('/').skip(1).collect();
        can_match(&parts).map_err(invalid)?;
        let is_of_expected_items = matches!(parts.as_slice(), [_, "*", ..]);
        let spelled = match parts.as_slice() {
            ["headers", ..] => spelled.to_ascii_lowercase(),
            _ => spelled,
        };
        let pointer = spelled
            .parse()
            .map_err(|error: PointerError| invalid(error.to_string()))?;
        Ok(Self {
            pointer,
            is_of_expected_items,
        })
    }
}

impl IgnoreRule {
    /// Whether the rule covers a place.
    pub fn covers(&self, pointer: &str) -> bool {
        let is_unexpected = ["/writes/-", "/stored/-"]
            .iter()
            .any(|item| pointer.starts_with(item));
        !(is_unexpected && self.is_of_expected_items) && self.pointer.covers(pointer)
    }
}

/// Why no observation can have a place with these parts, if so.
fn can_match(parts: &[&str]) -> Result<(), String> {
    match parts {
        ["headers"] | ["headers", _] | ["body", ..] | ["*", ..] => match parts {
            ["headers", name] if !is_header_name(name) => {
                Err(format!("`{name}` cannot be the name of a header"))
            }
            _ => Ok(()),
        },
        ["headers", name, position] => {
            can_match(&["headers", name])?;
            element(position, "a value of a header")
        }
        ["writes"] | ["stored"] => Ok(()),
        ["writes", number, rest @ ..] => {
            element(number, "a write")?;
            match rest {
                [] => Ok(()),
                [member, rest @ ..] => {
                    if OF_A_PUT.contains(member) {
                        return Err(format!("did you mean `/writes/{number}/put/{member}`?"));
                    }
                    one_of(&format!("/writes/{number}"), member, &OF_A_WRITE)?;
                    match (*member, rest) {
                        ("put", [what, ..]) => {
                            one_of(&format!("/writes/{number}/put"), what, &OF_A_PUT)
                        }
                        _ => Ok(()),
                    }
                }
            }
        }
        ["stored", number, rest @ ..] => {
            element(number, "an entry of the store")?;
            match rest.first() {
                Some(member) => one_of(&format!("/stored/{number}"), member, &OF_AN_ENTRY),
                None => Ok(()),
            }
        }
        ["outgoing", number, rest @ ..] => {
            element(number, "a request to another service")?;
            match rest.first() {
                Some(member) => one_of(&format!("/outgoing/{number}"), member, &OF_A_REQUEST),
                None => Ok(()),
            }
        }
        [member, rest @ ..] => {
            one_of("", member, &MEMBERS)?;
            match rest {
                [] => Ok(()),
                _ => Err(format!("`/{member}` has no members")),
            }
        }
        [] => Ok(()),
    }
}

fn element(part: &str, what: &str) -> Result<(), String> {
    // `-` is the position after the last element (RFC 6901): an unexpected item.
    if matches!(part, "*" | "-")
        || (!part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return Ok(());
    }
    Err(format!(
        "{what} is named by its number or by `*`, not `{part}`"
    ))
}

fn one_of(place: &str, member: &str, known: &[&str]) -> Result<(), String> {
    if member == "*" || known.contains(&member) {
        return Ok(());
    }
    let renamed = normal_name(member).filter(|_| place.is_empty());
    let nearest = match (renamed, member) {
        (Some(name), _) => name,
        (None, "header") if place.is_empty() => "headers",
        (None, "after" | "store") if place.is_empty() => "stored",
        (None, _) => known
            .iter()
            .min_by_key(|name| distance(member, name))
            .copied()
            .unwrap_or_default(),
    };
    Err(format!(
        "no compared place is called `{place}/{member}`, did you mean `{place}/{nearest}`?"
    ))
}

/// RFC 9110, 5.1; `*` for all.
fn is_header_name(name: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_token)
}

/// The number of letters to change, insert or remove to turn one name into the other (Levenshtein distance).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (number, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = number + 1;
        for (position, theirs) in other.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *theirs);
            diagonal = row[position + 1];
            row[position + 1] = changed.min(diagonal + 1).min(row[position] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_names_a_header_or_a_place() {
        let covers = |rule: &str, place: &str| rule.parse::<IgnoreRule>().unwrap().covers(place);
        for rule in ["header:Date", "/headers/Date", "/headers/date"] {
            assert!(covers(rule, "/headers/date") && covers(rule, "/headers/date/0"));
            assert!(!covers(rule, "/headers/dates"));
        }
        assert!(covers(
            "/writes/*/put/document/updated_at",
            "/writes/3/put/document/updated_at"
        ));
        assert!(covers("/stored/0/revision", "/stored/0/revision"));
        assert!(covers("/status", "/status") && covers("/*", "/status"));
        assert!(covers("/headers", "/headers/etag") && covers("/body", "/body"));
        assert!(covers("/writes/-", "/writes/-") && !covers("/writes/-", "/writes/0"));
        assert!(covers("/writes/*", "/writes/3") && covers("/writes", "/writes/-"));
        for rule in ["/writes/*", "/*/*", "/writes/*/put"] {
            assert!(!covers(rule, "/writes/-"), "{rule}");
        }
        assert!(!covers("/stored/*", "/stored/-/document"));
    }

    #[test]
    fn a_rule_that_can_match_nothing_is_refused_with_the_nearest_that_can() {
        for (rule, words) in [
            ("date", "write `header:NAME`"),
            ("/statusCode", "did you mean `/status`?"),
            ("/statuss", "did you mean `/status`?"),
            ("/multiValueHeaders/etag", "did you mean `/headers`?"),
            ("/bdoy/at", "did you mean `/body`?"),
            ("/Body/at", "did you mean `/body`?"),
            ("/write/0", "did you mean `/writes`?"),
            ("/after/0", "did you mean `/stored`?"),
            ("/status/0", "`/status` has no members"),
            ("/writes/x", "by its number or by `*`"),
            (
                "/writes/0/document/at",
                "did you mean `/writes/0/put/document`?",
            ),
            (
                "/writes/*/put/documnt",
                "did you mean `/writes/*/put/document`?",
            ),
            ("/stored/0/dokument", "did you mean `/stored/0/document`?"),
            ("header:", "cannot be the name of a header"),
            ("/headers/a b", "cannot be the name of a header"),
        ] {
            let error = rule.parse::<IgnoreRule>().unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
