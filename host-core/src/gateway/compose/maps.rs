//! Repeated names and values, as the JSON maps in which gateways send them.

use percent_encoding::percent_decode_str;
use serde::{Serialize, Serializer};
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

/// A map from each name to its last value.
pub struct Last<'f>(pub &'f Fields<'f>, pub Names);

/// A map from each name to the list of its values.
pub struct All<'f>(pub &'f Fields<'f>, pub Names);

/// A map from each name to its values joined by commas, without spaces.
pub struct Joined<'f> {
    pub fields: &'f Fields<'f>,
    pub names: Names,
    /// What becomes of `cookie` fields, which commas would spoil: joined as RFC 6265 says, or left out.
    pub keeps_cookies: bool,
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

impl Serialize for Last<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entries = self.1.groups(self.0);
        serializer.collect_map(
            entries.filter_map(|(name, group)| group.last().map(|(_, value)| (name, value))),
        )
    }
}

impl Serialize for All<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(
            self.1
                .groups(self.0)
                .map(|(name, group)| (name, Values(group))),
        )
    }
}

/// Serialises as a list of texts.
struct Values<'f>(Group<'f, 'f>);

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|(_, value)| value))
    }
}

impl Serialize for Joined<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.names.groups(self.fields).filter_map(|(name, group)| {
            let is_cookie = name.eq_ignore_ascii_case("cookie");
            let separator = if is_cookie { "; " } else { "," };
            let value = match group {
                [(_, value)] => Cow::Borrowed(&**value),
                _ => Cow::Owned(
                    group
                        .iter()
                        .map(|(_, value)| &**value)
                        .collect::<Vec<_>>()
                        .join(separator),
                ),
            };
            (self.keeps_cookies || !is_cookie).then_some((name, value))
        }))
    }
}
