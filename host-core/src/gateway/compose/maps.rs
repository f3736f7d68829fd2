//! Repeated names and values, as the JSON maps in which gateways send them.

use crate::json::{Object, write_array, write_string};
use percent_encoding::percent_decode_str;
use std::{borrow::Cow, cmp::Ordering};

/// Names and values, sorted by name; repeated names in their order.
pub struct Fields<'a> {
    names: Names,
    fields: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// Which names are the same.
#[derive(Clone, Copy)]
pub enum Names {
    /// Equal ones.
    Exact,
    /// Those that differ by case, too: they are written as the first of them was sent.
    AnyCase,
}

type Group<'f, 'a> = &'f [(Cow<'a, str>, Cow<'a, str>)];

impl<'a> Fields<'a> {
    /// Fields whose names `names` tells apart.
    pub fn new(names: Names, mut fields: Vec<(Cow<'a, str>, Cow<'a, str>)>) -> Self {
        // Stable, so that repeated fields keep their order.
        match names {
            Names::Exact => fields.sort_by(|(left, _), (right, _)| left.cmp(right)),
            Names::AnyCase => {
                fields.sort_by(|(left, _), (right, _)| compare_without_case(left, right));
            }
        }
        Self { names, fields }
    }

    /// Parameters of a query, decoded as forms are: `+` is a space.
    pub fn decoded(query: &'a str) -> Self {
        let fields = pairs(query).map(|(name, value)| (form_decoded(name), form_decoded(value)));
        Self::new(Names::Exact, fields.collect())
    }

    /// Parameters of a query as they stand there.
    pub fn encoded(query: &'a str) -> Self {
        let fields = pairs(query).map(|(name, value)| (Cow::Borrowed(name), Cow::Borrowed(value)));
        Self::new(Names::Exact, fields.collect())
    }

    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    pub fn last(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .rev()
            .find(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| &**value)
    }

    /// All values of a name, in order.
    pub fn all(&self, name: &'static str) -> impl Iterator<Item = &str> {
        self.fields
            .iter()
            .filter(move |(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| &**value)
    }

    /// As a map from each name to its last value.
    pub fn write_last(&self, mut map: Object<'_>) {
        for (name, group) in self.groups() {
            if let Some((_, value)) = group.last() {
                map.entry(name, value);
            }
        }
        map.end();
    }

    /// As a map from each name to the list of its values.
    pub fn write_all(&self, mut map: Object<'_>) {
        for (name, group) in self.groups() {
            let values = group.iter().map(|(_, value)| &**value);
            write_array(map.key(name), values, write_string);
        }
        map.end();
    }

    /// As a map from each name to its values joined by commas, without spaces. Commas would spoil `cookie` fields: they are joined as
    /// RFC 6265 says, or left out.
    pub fn write_joined(&self, keeps_cookies: bool, mut map: Object<'_>) {
        for (name, group) in self.groups() {
            let is_cookie = name.eq_ignore_ascii_case("cookie");
            match group {
                _ if is_cookie && !keeps_cookies => {}
                [(_, value)] => map.entry(name, value),
                group => {
                    let values: Vec<&str> = group.iter().map(|(_, value)| &**value).collect();
                    map.entry(name, &values.join(if is_cookie { "; " } else { "," }));
                }
            }
        }
        map.end();
    }

    /// Names with all their fields.
    fn groups(&self) -> impl Iterator<Item = (&str, Group<'_, 'a>)> {
        self.fields
            .chunk_by(|(left, _), (right, _)| match self.names {
                Names::Exact => left == right,
                Names::AnyCase => left.eq_ignore_ascii_case(right),
            })
            .filter_map(|group| Some((&*group.first()?.0, group)))
    }
}

fn compare_without_case(left: &str, right: &str) -> Ordering {
    left.bytes()
        .map(|byte| byte.to_ascii_lowercase())
        .cmp(right.bytes().map(|byte| byte.to_ascii_lowercase()))
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
