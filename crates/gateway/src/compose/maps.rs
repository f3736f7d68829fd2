//! Repeated names and values, in the maps in which gateways send them.

use crate::envelope::{Fields, Text};
use json::{Object, write_array, write_string};
use percent_encoding::percent_decode_str;
use std::{borrow::Cow, cmp::Ordering};

/// A name and a value, in the order of arrival.
pub type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// Which names count as the same.
#[derive(Clone, Copy)]
pub enum Names {
    /// Equal ones.
    Exact,
    /// Names that differ only by case; they are written as the first of them was sent.
    AnyCase,
}

impl Names {
    fn compare(self, left: &str, right: &str) -> Ordering {
        match self {
            Self::Exact => left.cmp(right),
            Self::AnyCase => lower(left).cmp(lower(right)),
        }
    }

    fn are_same(self, left: &str, right: &str) -> bool {
        match self {
            Self::Exact => left == right,
            Self::AnyCase => left.eq_ignore_ascii_case(right),
        }
    }
}

/// A map from each name to all of its values, in their order.
pub fn all(names: Names, pairs: Vec<Pair<'_>>) -> Fields<'_> {
    gathered(names, pairs, |fields, value| fields.push(Text(value)))
}

/// A map from each name to its last value.
pub fn last(pairs: Vec<Pair<'_>>) -> Fields<'_> {
    gathered(Names::Exact, pairs, |fields, value| {
        if let Some((_, last)) = fields.last_field() {
            *last = value;
        }
    })
}

/// A map from each name to its values, joined with the separator that `separator` returns for the name.
pub fn joined<'a>(pairs: Vec<Pair<'a>>, separator: impl Fn(&str) -> &'static str) -> Fields<'a> {
    gathered(Names::Exact, pairs, |fields, value| {
        if let Some((name, values)) = fields.last_field() {
            let separator = separator(name);
            let values = values.to_mut();
            values.push_str(separator);
            values.push_str(&value);
        }
    })
}

/// A map sorted by name; `repeat` handles each value of the last name except its first.
fn gathered<'a>(
    names: Names,
    mut pairs: Vec<Pair<'a>>,
    repeat: impl Fn(&mut Fields<'a>, Cow<'a, str>),
) -> Fields<'a> {
    // Stable, so that repeated fields keep their order.
    pairs.sort_by(|(left, _), (right, _)| names.compare(left, right));
    let mut fields = Fields::with_room(pairs.len());
    for (name, value) in pairs {
        let is_repeated = fields
            .last_field()
            .is_some_and(|(last, _)| names.are_same(last, &name));
        if is_repeated {
            repeat(&mut fields, value);
        } else {
            fields.push_name(Text(name));
            fields.push(Text(value));
        }
    }
    fields
}

/// Parameters of a query, decoded as in forms: `+` is a space.
pub fn decoded(query: &str) -> Vec<Pair<'_>> {
    pairs(query)
        .map(|(name, value)| (form_decoded(name), form_decoded(value)))
        .collect()
}

/// Parameters of a query, not decoded.
pub fn encoded(query: &str) -> Vec<Pair<'_>> {
    pairs(query)
        .map(|(name, value)| (Cow::Borrowed(name), Cow::Borrowed(value)))
        .collect()
}

/// Writes a map from each name to its last value.
pub fn write_last(fields: &Fields<'_>, mut map: Object<'_>) {
    for (name, values) in fields.groups() {
        if let Some(value) = values.last() {
            map.entry(name, value);
        }
    }
    map.end();
}

/// Writes a map from each name to the list of its values.
pub fn write_all(fields: &Fields<'_>, mut map: Object<'_>) {
    for (name, values) in fields.groups() {
        write_array(map.key(name), values, write_string);
    }
    map.end();
}

fn lower(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().map(|byte| byte.to_ascii_lowercase())
}

fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

fn form_decoded(text: &str) -> Cow<'_, str> {
    if text.contains('+') {
        Cow::Owned(
            percent_decode_str(&text.replace('+', " "))
                .decode_utf8_lossy()
                .into_owned(),
        )
    } else {
        percent_decode_str(text).decode_utf8_lossy()
    }
}
