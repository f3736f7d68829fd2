//! Repeated names and values, as the JSON maps in which gateways send them.

use crate::json::{Object, write_array, write_string};
use percent_encoding::percent_decode_str;
use std::{borrow::Cow, cmp::Ordering};

/// Names and values, sorted by name; repeated names in their order.
pub struct Fields<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

type Group<'f, 'a> = &'f [(Cow<'a, str>, Cow<'a, str>)];

impl<'a> Fields<'a> {
    /// Header fields, whose names are the same whatever their case.
    pub fn headers(mut fields: Vec<(Cow<'a, str>, Cow<'a, str>)>) -> Self {
        // Stable, so that repeated fields keep their order.
        fields.sort_by(|(left, _), (right, _)| compare_without_case(left, right));
        Self(fields)
    }

    fn parameters(mut fields: Vec<(Cow<'a, str>, Cow<'a, str>)>) -> Self {
        fields.sort_by(|(left, _), (right, _)| left.cmp(right));
        Self(fields)
    }

    /// Parameters of a query, decoded as forms are: `+` is a space.
    pub fn decoded(query: &'a str) -> Self {
        Self::parameters(
            pairs(query)
                .map(|(name, value)| (form_decoded(name), form_decoded(value)))
                .collect(),
        )
    }

    /// Parameters of a query as they stand there.
    pub fn encoded(query: &'a str) -> Self {
        Self::parameters(
            pairs(query)
                .map(|(name, value)| (Cow::Borrowed(name), Cow::Borrowed(value)))
                .collect(),
        )
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn last(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .rev()
            .find(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| &**value)
    }

    /// All values of a name, in order.
    pub fn all(&self, name: &'static str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| &**value)
    }

    /// As a map from each name to its last value.
    pub fn write_last(&self, names: Names, mut map: Object<'_>) {
        for (name, group) in names.groups(self) {
            if let Some((_, value)) = group.last() {
                map.entry(&name, value);
            }
        }
        map.end();
    }

    /// As a map from each name to the list of its values.
    pub fn write_all(&self, names: Names, mut map: Object<'_>) {
        for (name, group) in names.groups(self) {
            let values = group.iter().map(|(_, value)| &**value);
            write_array(map.key(&name), values, write_string);
        }
        map.end();
    }

    /// As a map from each name to its values joined by commas, without spaces. Commas would spoil `cookie` fields: they are joined as
    /// RFC 6265 says, or left out.
    pub fn write_joined(&self, names: Names, keeps_cookies: bool, mut map: Object<'_>) {
        for (name, group) in names.groups(self) {
            let is_cookie = name.eq_ignore_ascii_case("cookie");
            match group {
                _ if is_cookie && !keeps_cookies => {}
                [(_, value)] => map.entry(&name, value),
                group => {
                    let values: Vec<&str> = group.iter().map(|(_, value)| &**value).collect();
                    map.entry(&name, &values.join(if is_cookie { "; " } else { "," }));
                }
            }
        }
        map.end();
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

/// How names are written.
#[derive(Clone, Copy)]
pub enum Names {
    /// And told apart by case.
    Exact,
    /// In the case in which they came first.
    AsSent,
    LowerCase,
}

impl Names {
    fn same(self, left: &str, right: &str) -> bool {
        match self {
            Self::Exact => left == right,
            Self::AsSent | Self::LowerCase => left.eq_ignore_ascii_case(right),
        }
    }

    fn write(self, name: &str) -> Cow<'_, str> {
        match self {
            Self::LowerCase if name.bytes().any(|byte| byte.is_ascii_uppercase()) => {
                Cow::Owned(name.to_ascii_lowercase())
            }
            Self::Exact | Self::AsSent | Self::LowerCase => Cow::Borrowed(name),
        }
    }

    fn groups<'f>(
        self,
        fields: &'f Fields<'f>,
    ) -> impl Iterator<Item = (Cow<'f, str>, Group<'f, 'f>)> {
        fields
            .0
            .chunk_by(move |(left, _), (right, _)| self.same(left, right))
            .filter_map(move |group| Some((self.write(&group.first()?.0), group)))
    }
}
