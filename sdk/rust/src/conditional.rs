//! Conditional requests (RFC 9110, 13). An item's entity tag is its revision in quotes, a strong tag.

use crate::{Problem, Request, contract::Precondition};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

/// The conditions that the client sent, `If-Match` and `If-None-Match`; none if it sent none.
///
/// Writes of the [`Store`](crate::Store) take them, and an [`Item`](crate::store::Item) as a response answers 304 to a client that has it
/// already.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use tenon::{App, Conditions, Json, Path, Problem, Store, store::{Item, Partition}};
///
/// #[derive(Serialize, Deserialize)]
/// struct Room {
///     beds: u8,
/// }
///
/// const ROOMS: Partition<Room> = Partition::new("rooms");
///
/// fn read(Path(id): Path<String>, store: Store) -> Result<Option<Item<Room>>, Problem> {
///     Ok(store.get(&ROOMS.key(id))?)
/// }
///
/// fn replace(
///     Path(id): Path<String>,
///     conditions: Conditions,
///     Json(room): Json<Room>,
///     store: Store,
/// ) -> Result<Item<Room>, Problem> {
///     Ok(store.put(&ROOMS.key(id), room).when(&conditions.required()?).send()?)
/// }
///
/// let client = App::new().get("/rooms/{id}", read).put("/rooms/{id}", replace).test();
/// let room = serde_json::json!({"beds": 2});
/// assert_eq!(client.put("/rooms/a").json(&room).send().status(), 428);
/// let created = client.put("/rooms/a").header("if-none-match", "*").json(&room).send();
/// let tag = created.header("etag").unwrap();
/// assert_eq!(client.get("/rooms/a").header("if-none-match", tag).send().status(), 304);
/// assert_eq!(client.put("/rooms/a").header("if-match", tag).json(&room).send().status(), 200);
/// assert_eq!(client.put("/rooms/a").header("if-match", tag).json(&room).send().status(), 412);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    if_match: Option<Tags>,
    if_none_match: Option<Tags>,
}

/// The result of evaluating the conditions against the current item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// All conditions hold.
    Holds,
    /// `If-Match` does not hold.
    NoMatch,
    /// `If-None-Match` does not hold: 304 for a method that reads, 412 for one that writes.
    Match,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Tags {
    Any,
    List(Vec<Tag>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Tag {
    is_weak: bool,
    opaque: String,
}

/// The entity tag of a revision.
pub(crate) fn entity_tag(revision: &str) -> String {
    ["\"", revision, "\""].concat() // a tenth of the instructions of formatting
}

impl Conditions {
    /// Reads the fields. An invalid one is refused, because ignoring it could overwrite somebody's change.
    pub(crate) fn of(request: &Request) -> Result<Self, Problem> {
        let tags = |name: &'static str| match request.headers.get(name) {
            None => Ok(None),
            Some(value) => Tags::parse(&value).map(Some).ok_or_else(|| {
                let detail =
                    format!("`{name}` is neither `*` nor a list of entity tags such as `\"a1\"`");
                Problem::new(400, "invalid-header", detail)
            }),
        };
        Ok(Self {
            if_match: tags("if-match")?,
            if_none_match: tags("if-none-match")?,
        })
    }

    /// The conditions, or 428 unless they are the entity tags in `If-Match` or `If-None-Match: *`: for a resource that must not be written by who
    /// has not read it. `If-Match: *`, and other tags in `If-None-Match`, hold for states that the client does not know.
    pub fn required(self) -> Result<Self, Problem> {
        let names_state = matches!(self.if_match, Some(Tags::List(_)));
        let only_creates = matches!(self.if_none_match, Some(Tags::Any));
        if names_state || only_creates {
            return Ok(self);
        }
        let detail = "send `If-Match` with the entity tag that you have read, or `If-None-Match: *` to create";
        Err(Problem::new(428, "precondition-required", detail))
    }

    /// Whether the item must exist for the conditions to hold.
    pub fn need_presence(&self) -> bool {
        self.if_match.is_some()
    }

    /// The precondition that a store can check by itself; `None` if it takes a look at the item.
    pub(crate) fn precondition(&self) -> Option<Precondition> {
        match (&self.if_match, &self.if_none_match) {
            (None, None) => Some(Precondition::None),
            (Some(Tags::Any), None) => Some(Precondition::Present),
            (None, Some(Tags::Any)) => Some(Precondition::Absent),
            _ => self
                .exact_revision()
                .map(|revision| Precondition::Revision(revision.into())),
        }
    }

    /// The revision that the item must have, if that is exactly the condition: a store can check it by itself.
    fn exact_revision(&self) -> Option<&str> {
        match (&self.if_match, &self.if_none_match) {
            (Some(Tags::List(tags)), None) => match tags.as_slice() {
                [tag] if !tag.is_weak && is_revision(&tag.opaque) => Some(&tag.opaque),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether the conditions hold for any existing item: there are none, or `If-Match: *`.
    pub(crate) fn hold_for_any_item(&self) -> bool {
        matches!(self.if_match, None | Some(Tags::Any)) && self.if_none_match.is_none()
    }

    /// Evaluates the conditions in the order of RFC 9110, 13.2.2, against the current revision.
    pub(crate) fn verdict(&self, revision: Option<&str>) -> Verdict {
        if self
            .if_match
            .as_ref()
            .is_some_and(|tags| !tags.contain(revision, Comparison::Strong))
        {
            return Verdict::NoMatch;
        }
        if self
            .if_none_match
            .as_ref()
            .is_some_and(|tags| tags.contain(revision, Comparison::Weak))
        {
            return Verdict::Match;
        }
        Verdict::Holds
    }

    /// 412 unless the conditions hold for an item with this revision, or for none.
    pub fn check(&self, revision: Option<&str>) -> Result<(), Problem> {
        let detail = match (self.verdict(revision), revision) {
            (Verdict::Holds, _) => return Ok(()),
            (Verdict::NoMatch, None) => "`If-Match` does not hold: there is no item".into(),
            (Verdict::NoMatch, Some(revision)) => {
                format!("`If-Match` does not hold: the item's entity tag is `\"{revision}\"`")
            }
            (Verdict::Match, _) => "`If-None-Match` does not hold: the item is there".to_string(),
        };
        let problem = Problem::new(412, "precondition-failed", detail);
        Err(match revision {
            Some(revision) => problem.with_header("etag", entity_tag(revision)),
            None => problem,
        })
    }
}

/// RFC 9110, 8.8.3.2.
#[derive(Clone, Copy)]
enum Comparison {
    /// Strong comparison: weak tags equal nothing.
    Strong,
    /// Weak comparison: weakness does not matter.
    Weak,
}

impl Tags {
    /// `*`, or a comma-separated list of entity tags with possibly empty elements (RFC 9110, 5.6.1.2).
    fn parse(field: &str) -> Option<Self> {
        if field.trim() == "*" {
            return Some(Self::Any);
        }
        let mut tags = Vec::new();
        let mut rest = field.trim_start_matches([' ', '\t', ',']);
        while !rest.is_empty() {
            let (is_weak, quoted) = match rest.strip_prefix("W/") {
                Some(quoted) => (true, quoted),
                None => (false, rest),
            };
            let (opaque, after) = quoted.strip_prefix('"')?.split_once('"')?;
            if !opaque.bytes().all(|byte| byte > b' ' && byte != 0x7f) {
                return None;
            }
            tags.push(Tag {
                is_weak,
                opaque: opaque.into(),
            });
            let after = after.trim_start_matches([' ', '\t']);
            if !after.is_empty() && !after.starts_with(',') {
                return None;
            }
            rest = after.trim_start_matches([' ', '\t', ',']);
        }
        (!tags.is_empty()).then_some(Self::List(tags))
    }

    fn contain(&self, revision: Option<&str>, comparison: Comparison) -> bool {
        let Some(revision) = revision else {
            return false; // nothing exists that could match, not even `*`
        };
        match (self, comparison) {
            (Self::Any, _) => true,
            (Self::List(tags), Comparison::Strong) => tags
                .iter()
                .any(|tag| !tag.is_weak && tag.opaque == revision),
            (Self::List(tags), Comparison::Weak) => tags.iter().any(|tag| tag.opaque == revision),
        }
    }
}

/// Whether the store could have made this revision; it refuses others as malformed.
fn is_revision(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conditions(headers: &str) -> Conditions {
        Conditions::of(&Request {
            headers: String::from(headers).into(),
            ..Request::default()
        })
        .unwrap()
    }

    #[test]
    fn if_match_compares_strongly() {
        let conditions = conditions("if-match: \"a\", W/\"b\"\n");
        assert_eq!(conditions.verdict(Some("a")), Verdict::Holds);
        assert_eq!(conditions.verdict(Some("b")), Verdict::NoMatch);
        assert_eq!(conditions.verdict(None), Verdict::NoMatch);
    }

    #[test]
    fn if_none_match_compares_weakly() {
        let conditions = conditions("if-none-match: \"a\", W/\"b\"\n");
        assert_eq!(conditions.verdict(Some("a")), Verdict::Match);
        assert_eq!(conditions.verdict(Some("b")), Verdict::Match);
        assert_eq!(conditions.verdict(Some("c")), Verdict::Holds);
        assert_eq!(conditions.verdict(None), Verdict::Holds);
    }

    #[test]
    fn star_means_that_something_is_there() {
        assert_eq!(conditions("if-match: *\n").verdict(None), Verdict::NoMatch);
        assert_eq!(
            conditions("if-match: *\n").verdict(Some("a")),
            Verdict::Holds
        );
        assert_eq!(
            conditions("if-none-match: *\n").verdict(Some("a")),
            Verdict::Match
        );
    }

    #[test]
    fn if_match_is_evaluated_first() {
        let both = conditions("if-match: \"a\"\nif-none-match: *\n");
        assert_eq!(both.verdict(Some("b")), Verdict::NoMatch);
        assert_eq!(both.verdict(Some("a")), Verdict::Match);
    }

    #[test]
    fn lists_span_fields_and_tags_may_hold_commas() {
        let conditions = conditions("if-match: \"a,b\" , ,\nif-match: \"c\"\n");
        assert_eq!(conditions.verdict(Some("a,b")), Verdict::Holds);
        assert_eq!(conditions.verdict(Some("c")), Verdict::Holds);
        assert_eq!(conditions.verdict(Some("a")), Verdict::NoMatch);
    }

    #[test]
    fn malformed_tags_are_refused() {
        for value in [
            "",
            "a",
            "\"a",
            "\"a\"b",
            "\"a\" \"b\"",
            "w/\"a\"",
            "*, \"a\"",
            "\"a b\"",
            ",",
        ] {
            assert_eq!(Tags::parse(value), None, "{value}");
        }
    }

    #[test]
    fn only_conditions_that_protect_what_the_client_has_not_read_are_enough() {
        for (headers, is_enough) in [
            ("", false),
            ("if-match: *\n", false),
            ("if-none-match: \"zzz\"\n", false),
            ("if-match: *\nif-none-match: \"zzz\"\n", false),
            ("if-match: \"a\"\n", true),
            ("if-match: \"a\", \"b\"\nif-none-match: \"zzz\"\n", true),
            ("if-none-match: *\n", true),
        ] {
            let required = conditions(headers).required();
            assert_eq!(required.is_ok(), is_enough, "{headers}");
            if let Err(problem) = required {
                assert_eq!(problem.status(), 428);
            }
        }
    }

    #[test]
    fn only_one_strong_tag_is_an_exact_revision() {
        assert_eq!(conditions("if-match: \"a\"\n").exact_revision(), Some("a"));
        for headers in [
            "",
            "if-match: *\n",
            "if-match: W/\"a\"\n",
            "if-match: \"a\", \"b\"\n",
            "if-match: \"\"\n",
        ] {
            assert_eq!(conditions(headers).exact_revision(), None, "{headers}");
        }
    }
}
