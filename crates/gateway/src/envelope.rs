//! The members of an event that are read, for all kinds in one type. Reading borrows from the JSON where possible and skips other members;
//! `compose` builds them without JSON.

use super::time::Epoch;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt};

/// Text that borrows from the event unless it has escapes. (serde borrows a bare `Cow`, but not one inside an `Option`.)
#[derive(Clone, Debug)]
pub struct Text<'a>(pub Cow<'a, str>);

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

/// A map from names to one text or a list of texts, in the event's order. A name is stored once however many values it has, because a
/// hostile event could otherwise cause quadratic growth.
#[derive(Debug, Default)]
pub struct Fields<'a> {
    names: Vec<Text<'a>>,
    values: Vec<(usize, Text<'a>)>,
}

impl<'a> Fields<'a> {
    /// (name, value), once for each value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        // `push` creates the indices, so the name always exists.
        self.values
            .iter()
            .filter_map(|(index, value)| Some((&*self.names.get(*index)?.0, &*value.0)))
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The first value of a name, ignoring case.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.named(name).next()
    }

    /// The last value of a name, ignoring case, because gateways append their own values.
    pub fn last(&self, name: &str) -> Option<&str> {
        self.named(name).last()
    }

    fn named(&self, name: &str) -> impl Iterator<Item = &str> {
        self.iter()
            .filter(move |(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// An empty map with capacity for this many values.
    pub fn with_room(count: usize) -> Self {
        Self {
            names: Vec::with_capacity(count),
            values: Vec::with_capacity(count),
        }
    }

    /// Begins a name, whose values follow.
    pub fn push_name(&mut self, name: Text<'a>) {
        self.names.push(name);
    }

    /// Appends a value to those of the last name.
    pub fn push(&mut self, value: Text<'a>) {
        self.values
            .push((self.names.len().saturating_sub(1), value));
    }

    /// The last name with its last value.
    pub fn last_field(&mut self) -> Option<(&str, &mut Cow<'a, str>)> {
        let (_, value) = self.values.last_mut()?;
        Some((&*self.names.last()?.0, &mut value.0))
    }

    /// Names, each with all of its values.
    pub fn groups(&self) -> impl Iterator<Item = (&str, impl Iterator<Item = &str>)> {
        self.values
            .chunk_by(|(left, _), (right, _)| left == right)
            .filter_map(|group| {
                let name = &*self.names.get(group.first()?.0)?.0;
                Some((name, group.iter().map(|(_, value)| &*value.0)))
            })
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
pub struct Envelope<'a> {
    #[serde(borrow)]
    pub version: Option<Text<'a>>,
    #[serde(borrow)]
    pub r#type: Option<Text<'a>>,
    pub method_arn: Option<IgnoredAny>,
    pub route_arn: Option<IgnoredAny>,
    #[serde(borrow)]
    pub http_method: Option<Text<'a>>,
    /// Raw, because an unreadable route is no reason to refuse a request.
    #[serde(borrow)]
    pub resource: Option<&'a RawValue>,
    #[serde(borrow)]
    pub route_key: Option<&'a RawValue>,
    #[serde(borrow)]
    pub path: Option<Text<'a>>,
    #[serde(borrow)]
    pub raw_path: Option<Text<'a>>,
    #[serde(borrow)]
    pub raw_query_string: Option<Text<'a>>,
    #[serde(borrow)]
    pub headers: Option<Fields<'a>>,
    #[serde(borrow)]
    pub multi_value_headers: Option<Fields<'a>>,
    #[serde(borrow)]
    pub query_string_parameters: Option<Fields<'a>>,
    #[serde(borrow)]
    pub multi_value_query_string_parameters: Option<Fields<'a>>,
    #[serde(borrow)]
    pub cookies: Option<Vec<Text<'a>>>,
    #[serde(borrow)]
    pub body: Option<Text<'a>>,
    pub is_base64_encoded: Option<bool>,
    #[serde(borrow)]
    pub request_context: Option<RequestContext<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
pub struct RequestContext<'a> {
    pub elb: Option<IgnoredAny>,
    pub connection_id: Option<IgnoredAny>,
    #[serde(borrow)]
    pub http: Option<HttpContext<'a>>,
    #[serde(borrow)]
    pub stage: Option<Text<'a>>,
    #[serde(borrow)]
    pub path: Option<Text<'a>>,
    #[serde(borrow)]
    pub domain_name: Option<Text<'a>>,
    #[serde(borrow)]
    pub request_id: Option<Text<'a>>,
    pub time_epoch: Option<Epoch>,
    pub request_time_epoch: Option<Epoch>,
    /// Raw, because a guest gets it as text.
    #[serde(borrow)]
    pub authorizer: Option<&'a RawValue>,
    /// Boxed, because few events have it and it would otherwise be moved with all of them.
    #[serde(borrow)]
    pub identity: Option<Box<CallerIdentity<'a>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
pub struct HttpContext<'a> {
    #[serde(borrow)]
    pub method: Option<Text<'a>>,
    #[serde(borrow)]
    pub source_ip: Option<Text<'a>>,
}

/// `requestContext.identity` of a REST event: the address always, the rest if IAM authenticated the caller.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
pub struct CallerIdentity<'a> {
    #[serde(borrow)]
    pub source_ip: Option<Text<'a>>,
    #[serde(borrow)]
    pub access_key: Option<Text<'a>>,
    #[serde(borrow)]
    pub account_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub caller: Option<Text<'a>>,
    #[serde(borrow)]
    pub cognito_authentication_provider: Option<Text<'a>>,
    #[serde(borrow)]
    pub cognito_authentication_type: Option<Text<'a>>,
    #[serde(borrow)]
    pub cognito_identity_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub cognito_identity_pool_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub principal_org_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub user: Option<Text<'a>>,
    #[serde(borrow)]
    pub user_arn: Option<Text<'a>>,
}

impl CallerIdentity<'_> {
    /// The members that say who the caller is, in the order of events.
    pub fn members(&self) -> [(&'static str, &Option<Text<'_>>); 10] {
        [
            ("accessKey", &self.access_key),
            ("accountId", &self.account_id),
            ("caller", &self.caller),
            (
                "cognitoAuthenticationProvider",
                &self.cognito_authentication_provider,
            ),
            (
                "cognitoAuthenticationType",
                &self.cognito_authentication_type,
            ),
            ("cognitoIdentityId", &self.cognito_identity_id),
            ("cognitoIdentityPoolId", &self.cognito_identity_pool_id),
            ("principalOrgId", &self.principal_org_id),
            ("user", &self.user),
            ("userArn", &self.user_arn),
        ]
    }
}

/// The text of an optional member; empty counts as absent.
pub fn text<'t>(member: &'t Option<Text<'_>>) -> Option<&'t str> {
    member
        .as_ref()
        .map(|text| &*text.0)
        .filter(|text| !text.is_empty())
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor).map(Text)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of strings or lists of strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Fields::with_room(16);
        while let Some(name) = map.next_key::<Text<'de>>()? {
            fields.push_name(name);
            map.next_value_seed(ValuesSeed(&mut fields))?;
        }
        Ok(fields)
    }
}

/// Reads the value or values of the name pushed last.
struct ValuesSeed<'f, 'de>(&'f mut Fields<'de>);

impl<'de> DeserializeSeed<'de> for ValuesSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValuesSeed<'_, 'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string or a list of strings")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<(), E> {
        self.0.push(Text(Cow::Borrowed(text)));
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.0.push(Text(Cow::Owned(text.to_owned())));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(value) = list.next_element::<Text<'de>>()? {
            self.0.push(value);
        }
        Ok(())
    }
}
