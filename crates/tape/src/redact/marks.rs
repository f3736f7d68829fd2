//! Which rules matched, and where: the record of redaction in a line.

use json::{Object, Pointer, Step, pointer, write_array, write_string};
use std::collections::BTreeSet;

/// Largest number of places in a line, and of names of each kind; further places are counted.
const PLACES_MAX: usize = 200;
/// Longest name that is written; a client may have chosen it.
const NAME_BYTES_MAX: usize = 256;

/// Longest names in a place. A longer place is only counted, because clients choose names, and each value below one would repeat it.
pub const PLACE_BYTES_MAX: usize = 4096;

/// A place. It is converted to text only when it is written.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    base: &'a str,
    steps: &'a [Step<'a>],
}

impl<'a> Place<'a> {
    /// The place that `steps` lead to below `base`.
    pub fn below(base: &'a str, steps: &'a [Step<'a>]) -> Self {
        Self { base, steps }
    }

    /// The place that a pointer names.
    pub fn of(base: &'a str) -> Self {
        Self { base, steps: &[] }
    }

    fn text(self) -> Option<String> {
        let names = self.steps.iter().filter_map(Step::name).map(str::len);
        (self.base.len() + names.sum::<usize>() <= PLACE_BYTES_MAX)
            .then(|| pointer(self.base, self.steps))
    }
}

fn insert(names: &mut BTreeSet<String>, name: &str) {
    if names.len() < PLACES_MAX && name.len() <= NAME_BYTES_MAX {
        names.insert(name.to_lowercase());
    }
}

/// The rules that matched, and the places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    headers: BTreeSet<String>,
    query: BTreeSet<String>,
    names: BTreeSet<String>,
    fields: BTreeSet<String>,
    at: Vec<String>,
    more: u64,
    left_out: Vec<String>,
}

impl Marks {
    /// Records that a header of this name was redacted at a place, or not, because it has only placeholders of secrets.
    pub fn header(&mut self, name: &str, place: Option<Place<'_>>) {
        insert(&mut self.headers, name);
        place.into_iter().for_each(|place| self.at(place));
    }

    /// The same for a query parameter.
    pub fn query(&mut self, name: &str, place: Option<Place<'_>>) {
        insert(&mut self.query, name);
        place.into_iter().for_each(|place| self.at(place));
    }

    /// The same for a member.
    pub fn name(&mut self, name: &str, place: Option<Place<'_>>) {
        insert(&mut self.names, name);
        place.into_iter().for_each(|place| self.at(place));
    }

    /// The same for the target of a pointer.
    pub fn field(&mut self, pointer: &Pointer, place: Option<Place<'_>>) {
        self.fields.insert(pointer.to_string());
        place.into_iter().for_each(|place| self.at(place));
    }

    /// Records the place of a copy.
    pub fn at(&mut self, place: Place<'_>) {
        let text = self.takes_places().then(|| place.text()).flatten();
        match text {
            Some(text) if self.at.last() == Some(&text) => {}
            Some(text) => self.at.push(text),
            None => self.more += 1,
        }
    }

    /// Whether places are still listed, not only counted.
    pub fn takes_places(&self) -> bool {
        self.at.len() < PLACES_MAX
    }

    /// Records that `null` was written, because the content could not be parsed.
    pub fn left_out(&mut self, place: impl Into<String>) {
        self.left_out.push(place.into());
    }

    /// Replaces names and places for which `replacement` gives another text.
    pub(super) fn replace_texts(&mut self, replacement: impl Fn(&str) -> Option<String>) {
        for names in [&mut self.headers, &mut self.query, &mut self.names] {
            *names = std::mem::take(names)
                .into_iter()
                .map(|name| replacement(&name).unwrap_or(name))
                .collect();
        }
        for place in &mut self.at {
            if let Some(replaced) = replacement(place) {
                *place = replaced;
            }
        }
    }

    /// Keeps only places that clients did not choose: those that were left out.
    pub fn forget(&mut self) {
        *self = Self {
            left_out: std::mem::take(&mut self.left_out),
            fields: std::mem::take(&mut self.fields),
            ..Self::default()
        };
    }

    /// The places of what was left out.
    pub fn left_out_places(&self) -> &[String] {
        &self.left_out
    }

    /// Whether no rule matched.
    pub fn is_empty(&self) -> bool {
        let names = [&self.headers, &self.query, &self.names, &self.fields];
        names.iter().all(|names| names.is_empty()) && self.at.is_empty() && self.left_out.is_empty()
    }

    /// The names of headers, parameters and members that were redacted.
    pub fn rules(&self) -> Vec<&str> {
        let names = [&self.headers, &self.query, &self.names];
        names.into_iter().flatten().map(String::as_str).collect()
    }

    /// The places; only the first are listed.
    pub fn places(&self) -> &[String] {
        &self.at
    }

    /// The names of rules that hit, for tests.
    #[cfg(test)]
    pub fn headers(&self) -> Vec<&str> {
        self.headers.iter().map(String::as_str).collect()
    }

    /// Writes the member `redacted` of a line.
    pub fn write(&self, out: &mut Vec<u8>) {
        let Self {
            headers,
            query,
            names,
            fields,
            at,
            more,
            left_out,
        } = self;
        let text = |out: &mut Vec<u8>, text: &String| write_string(out, text);
        let mut object = Object::begin(out);
        for (name, rules) in [
            ("headers", headers),
            ("query", query),
            ("names", names),
            ("fields", fields),
        ] {
            if !rules.is_empty() {
                write_array(object.name(name), rules, text);
            }
        }
        write_array(object.name("at"), at, text);
        if *more > 0 {
            object.number("more", *more);
        }
        if !left_out.is_empty() {
            write_array(object.name("left_out"), left_out, text);
        }
        object.end();
    }
}
