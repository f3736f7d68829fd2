//! Traverses JSON and removes what rules name.

use super::{
    REPLACEMENT, Redaction, json_string,
    marks::{Marks, PLACE_BYTES_MAX, Place},
    names, replacement,
    text::{self, Kind},
    values::Secrets,
};
use gateway::message::{MemberKind, describes_caller};
use json::{Pointer, Rewriter, Step, string};
use std::{borrow::Cow, collections::BTreeMap};

/// Records what was redacted, under the name of the rule.
type Mark = fn(&mut Marks, &str, Option<Place<'_>>);

/// The origin of the names in a JSON text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    /// Names of a member of an event or response.
    Member(MemberKind),
    /// Names chosen by guests and clients.
    Json,
}

/// One pass over a JSON text.
pub(super) struct Walk<'a> {
    pub(super) rules: &'a Redaction,
    pub(super) section: Section,
    /// The place of the text in the line.
    pub(super) base: &'a str,
    /// The member of an event, or the attribute, that contains the text.
    pub(super) parent: Option<&'a str>,
    pub(super) marks: &'a mut Marks,
    /// Where hidden values are collected.
    pub(super) secrets: Option<&'a mut Secrets>,
    /// Replacement names of members.
    pub(super) renamed: Renamed,
}

/// How often each replacement name was used, by depth: repeated names in an object are read as one member, or as none. Objects at the same
/// depth share their numbers, so that their positions need not be stored.
#[derive(Default)]
pub(super) struct Renamed(Vec<BTreeMap<String, usize>>);

impl Renamed {
    /// `name`, with a number from its second use on.
    pub(super) fn unique(&mut self, place: &[Step<'_>], name: String) -> String {
        self.0.resize_with(place.len() + 1, BTreeMap::default);
        let Some(counts) = self.0.last_mut() else {
            return name; // there is one for each depth
        };
        let count = counts.entry(name.clone()).or_default();
        *count += 1;
        match count {
            1 => name,
            count => format!("{name}-{count}"),
        }
    }
}

/// Why a value is hidden.
enum Rule<'a> {
    Header(Cow<'a, str>),
    Parameter(Cow<'a, str>),
    Name(Cow<'a, str>),
    Field(&'a Pointer),
}

impl Walk<'_> {
    fn rule<'p>(&'p self, place: &'p [Step<'_>]) -> Option<Rule<'p>> {
        let rules = self.rules;
        match self.section {
            Section::Member(MemberKind::Headers) => {
                let name = place.first()?.name()?;
                rules.hides_header(name).then(|| Rule::Header(name.into()))
            }
            Section::Member(MemberKind::Header(name)) => {
                rules.hides_header(name).then(|| Rule::Header(name.into()))
            }
            Section::Member(MemberKind::QueryParameters) => {
                let name = names::decoded(place.first()?.name()?);
                let is_hidden = rules.hides_parameter(&name);
                is_hidden.then_some(Rule::Parameter(name))
            }
            Section::Member(MemberKind::Query) => None,
            Section::Member(
                kind @ (MemberKind::Context | MemberKind::Body | MemberKind::Other),
            ) => {
                let own = place.last().map_or(self.parent, Step::name)?;
                let is_hidden =
                    rules.hides_member(own) || rules.headers.contains(&names::normalised(own));
                let is_harmless = kind == MemberKind::Context && describes_caller(place);
                (is_hidden && !is_harmless).then(|| Rule::Name(own.into()))
            }
            Section::Json => {
                let field = rules
                    .fields
                    .iter()
                    .find(|pointer| pointer.names(self.parent, place));
                if let Some(field) = field {
                    return Some(Rule::Field(field));
                }
                let own = place.last()?.name()?;
                rules.hides_member(own).then(|| Rule::Name(own.into()))
            }
        }
    }

    /// A text without the values of names in it; `None` if it contains none.
    pub(super) fn text(&mut self, text: &str, kind: Kind, place: &[Step<'_>]) -> Option<String> {
        let found = text::find(text, kind, self.rules);
        if found.is_empty() {
            return None;
        }
        let place = self.without_pairs(place);
        let mut stays = false;
        for found in &found {
            // What is within another value stays with it.
            stays = match found.is_within_another() {
                true => stays,
                false => found.stays(text),
            };
            let at = Place::below(self.base, place);
            let at = (!stays).then_some(at);
            match (found.is_parameter, at) {
                (_, Some(at)) if found.name.is_empty() => self.marks.at(at),
                (true, at) => self.marks.query(&found.name, at),
                (false, at) => self.marks.name(&found.name, at),
            }
            if let Some(secrets) = self.secrets.as_deref_mut() {
                secrets.add(&found.value);
            }
        }
        match text::replaced(text, &found) {
            Cow::Owned(replaced) => Some(replaced),
            Cow::Borrowed(_) => None,
        }
    }
}

impl Rewriter for Walk<'_> {
    fn takes_whole(&mut self, place: &[Step<'_>]) -> bool {
        let lists_values = match self.section {
            Section::Member(MemberKind::Headers) | Section::Member(MemberKind::QueryParameters) => {
                place.len() < 2
            }
            Section::Member(MemberKind::Header(_)) => place.is_empty(),
            Section::Member(
                MemberKind::Query | MemberKind::Context | MemberKind::Body | MemberKind::Other,
            )
            | Section::Json => false,
        };
        !lists_values && self.rule(place).is_some()
    }

    fn replace(&mut self, place: &[Step<'_>], json: &str) -> Option<String> {
        if json == "null" {
            return None;
        }
        if let Some(rule) = self.rule(place) {
            let replacement = replacement(json);
            // What stays is no place, but its rule is known to replays, which may have a credential there.
            let at = Place::below(self.base, self.without_pairs(place));
            let at = replacement.is_some().then_some(at);
            // The rule's borrow ends here.
            let mark: (Mark, String) = match rule {
                Rule::Header(name) => (Marks::header, name.into_owned()),
                Rule::Parameter(name) => (Marks::query, self.without_pair(name)),
                Rule::Name(name) => (Marks::name, self.without_pair(name)),
                Rule::Field(field) => {
                    let field = field.clone();
                    self.marks.field(&field, at);
                    self.note(json);
                    return replacement;
                }
            };
            mark.0(self.marks, &mark.1, at);
            self.note(json);
            return replacement;
        }
        let text = string(json).ok()?;
        let is_document = self.is_document(&text) && self.rules.may_be_named_in(&text);
        if is_document || self.is_named_in_escapes(&text) {
            let at = self.without_pairs(place);
            self.marks.at(Place::below(self.base, at));
            if let Some(secrets) = self.secrets.as_deref_mut() {
                self.rules.harvest(&text, secrets);
            }
            return Some(json_string(REPLACEMENT));
        }
        let kind = match self.section {
            Section::Member(MemberKind::Query) => Kind::Query,
            Section::Json => Kind::Prose,
            Section::Member(
                MemberKind::Headers
                | MemberKind::Header(_)
                | MemberKind::QueryParameters
                | MemberKind::Context
                | MemberKind::Body
                | MemberKind::Other,
            ) => Kind::Address,
        };
        self.text(&text, kind, place)
            .map(|redacted| json_string(&redacted))
    }

    /// A pair may be encoded so that it is a name without a value: `?token%3Ds3cret`.
    fn rename(&mut self, place: &[Step<'_>], name: &str) -> Option<String> {
        self.pairs_in(name)?;
        let redacted = self.text(name, self.kind_of_names(), place)?;
        Some(self.renamed.unique(place, redacted))
    }
}

impl Walk<'_> {
    fn kind_of_names(&self) -> Kind {
        match self.section {
            Section::Member(MemberKind::QueryParameters) => Kind::Query,
            Section::Member(
                MemberKind::Headers
                | MemberKind::Header(_)
                | MemberKind::Query
                | MemberKind::Context
                | MemberKind::Body
                | MemberKind::Other,
            )
            | Section::Json => Kind::Address,
        }
    }

    /// The first name of a pair within a member's name.
    fn pairs_in(&self, name: &str) -> Option<String> {
        if !name.contains(['=', '%', ':']) {
            return None; // nearly all
        }
        let found = text::find(name, self.kind_of_names(), self.rules);
        found.into_iter().next().map(|found| found.name)
    }

    /// The name that a rule matched, without a value that it contains.
    fn without_pair(&self, name: Cow<'_, str>) -> String {
        self.pairs_in(&name).unwrap_or_else(|| name.into_owned())
    }

    /// The path of a value, up to where a name contains a value.
    fn without_pairs<'p, 's>(&self, place: &'p [Step<'s>]) -> &'p [Step<'s>] {
        // Longer places are only counted.
        let names = place.iter().filter_map(Step::name).map(str::len);
        if !self.marks.takes_places() || names.sum::<usize>() > PLACE_BYTES_MAX {
            return place;
        }
        let has_pair = |step: &Step<'_>| {
            step.name()
                .is_some_and(|name| self.pairs_in(name).is_some())
        };
        let end = place.iter().position(has_pair).unwrap_or(place.len());
        &place[..end]
    }
}

impl Walk<'_> {
    /// Whether a text has a format of its own, in which values cannot be found by the position of their names: it is redacted as a whole if
    /// it may name a credential.
    fn is_document(&self, text: &str) -> bool {
        match self.section {
            Section::Member(MemberKind::Query) => false,
            // `name: value` and `name=value` are found in these.
            Section::Json => text.contains("</"),
            Section::Member(
                MemberKind::Headers
                | MemberKind::Header(_)
                | MemberKind::QueryParameters
                | MemberKind::Context
                | MemberKind::Body
                | MemberKind::Other,
            ) => text.contains(['{', '\n']) || text.contains("</"),
        }
    }

    /// Whether decoding escapes reveals more names, as in JSON inside JSON.
    fn is_named_in_escapes(&self, text: &str) -> bool {
        if self.section != Section::Json || !text.contains("\\u") {
            return false;
        }
        let count = |text: &str| text::find(text, Kind::Prose, self.rules).len();
        count(&copies::without_backslashes(text)) > count(text)
    }

    fn note(&mut self, json: &str) {
        if let Some(secrets) = self.secrets.as_deref_mut() {
            secrets.add_json(json);
        }
    }
}
