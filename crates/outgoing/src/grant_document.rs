//! Grants as documents have them: `tenon.toml`, the environment variable of a function, and the routes of channels.

use crate::{grant::Grant, signing::AwsScope};
use contract::address::Addresses;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, MapAccess, Visitor, value::MapAccessDeserializer},
};
use std::fmt;

/// A grant with options.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    origin: String,
    #[serde(default, skip_serializing_if = "is_false")]
    private_addresses: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sign: Option<Sign>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_false(value: &bool) -> bool {
    !value
}

/// Who signs: `"aws"`, or `{ "aws": { ... } }`.
enum Sign {
    /// What the host's name says.
    AwsOfHost,
    Aws(AwsScope),
}

/// The second form of [`Sign`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignTable {
    aws: AwsScope,
}

impl Table {
    fn grant<E: Error>(self) -> Result<Grant, E> {
        let grant: Grant = self.origin.parse().map_err(E::custom)?;
        let grant = match self.private_addresses {
            true => grant.with_private_addresses(),
            false => grant,
        };
        match self.sign {
            None => Ok(grant),
            Some(Sign::AwsOfHost) => grant.signed().map_err(E::custom),
            Some(Sign::Aws(scope)) => grant.signed_for(scope).map_err(E::custom),
        }
    }
}

impl<'de> Deserialize<'de> for Grant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct GrantVisitor;
        impl<'de> Visitor<'de> for GrantVisitor {
            type Value = Grant;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(
                    "an origin, such as `https://api.example.com`, or a table with `origin`",
                )
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Grant, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Grant, A::Error> {
                Table::deserialize(MapAccessDeserializer::new(map))?.grant()
            }
        }
        deserializer.deserialize_any(GrantVisitor)
    }
}

/// The origin alone if nothing else is to be said.
impl Serialize for Grant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let private_addresses = self.addresses() == Addresses::Any;
        if !private_addresses && self.signing().is_none() {
            return serializer.collect_str(self);
        }
        let of_host = self.scope_of_host();
        let sign = self.signing().map(|scope| match &of_host {
            Some(of_host) if of_host == scope => Sign::AwsOfHost,
            Some(_) | None => Sign::Aws(scope.clone()),
        });
        let table = Table {
            origin: self.to_string(),
            private_addresses,
            sign,
        };
        table.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Sign {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SignVisitor;
        impl<'de> Visitor<'de> for SignVisitor {
            type Value = Sign;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("`\"aws\"`, or a table `aws` with `service` and `region`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Sign, E> {
                match text {
                    "aws" => Ok(Sign::AwsOfHost),
                    _ => Err(E::unknown_variant(text, &["aws"])),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Sign, A::Error> {
                let table = SignTable::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Sign::Aws(table.aws))
            }
        }
        deserializer.deserialize_any(SignVisitor)
    }
}

impl Serialize for Sign {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::AwsOfHost => serializer.serialize_str("aws"),
            Self::Aws(scope) => SignTable { aws: scope.clone() }.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Grant, Grants};

    #[test]
    fn documents_lead_back_to_themselves() {
        for document in [
            r#""https://api.example.com/v1""#,
            r#"{"origin":"http://127.0.0.1:9000","private_addresses":true}"#,
            r#"{"origin":"https://sqs.eu-central-1.amazonaws.com","sign":"aws"}"#,
            r#"{"origin":"http://127.0.0.1:4566","private_addresses":true,"sign":{"aws":{"service":"sqs","region":"eu-central-1"}}}"#,
        ] {
            let grant: Grant = serde_json::from_str(document).unwrap();
            assert_eq!(serde_json::to_string(&grant).unwrap(), document);
        }
        let same: Grant = serde_json::from_str(
            r#"{"origin":"https://sqs.eu-central-1.amazonaws.com/","sign":{"aws":{"service":"sqs","region":"eu-central-1"}}}"#,
        )
        .unwrap();
        let document = r#"{"origin":"https://sqs.eu-central-1.amazonaws.com","sign":"aws"}"#;
        assert_eq!(serde_json::to_string(&same).unwrap(), document);
    }

    #[test]
    fn unknown_members_and_forms_are_errors() {
        for document in [
            "1",
            "null",
            "[]",
            "{}",
            r#"{"origin":1}"#,
            r#"{"origin":"https://a.example","private-addresses":true}"#,
            r#"{"origin":"https://a.example","origin":"https://b.example"}"#,
            r#"{"origin":"https://a.example","private_addresses":"yes"}"#,
            r#"{"origin":"https://a.example","sign":"aws"}"#,
            r#"{"origin":"https://a.example","sign":true}"#,
            r#"{"origin":"https://a.example","sign":"gcp"}"#,
            r#"{"origin":"https://a.example","sign":{}}"#,
            r#"{"origin":"https://a.example","sign":{"aws":{"service":"sqs"}}}"#,
            r#"{"origin":"https://a.example","sign":{"aws":{"service":"sqs","region":"eu-central-1","key":"x"}}}"#,
            r#"{"origin":"https://a.example","sign":{"aws":{"service":"s q s","region":"eu-central-1"}}}"#,
            r#"{"origin":"https://a.example","headers":{}}"#,
        ] {
            assert!(
                serde_json::from_str::<Grant>(document).is_err(),
                "{document}"
            );
        }
    }

    #[test]
    fn a_list_has_a_bound_and_nothing_twice() {
        let list = |texts: &[String]| {
            let list = serde_json::to_string(texts).unwrap();
            serde_json::from_str::<Grants>(&list)
        };
        let many: Vec<String> = (0..33).map(|n| format!("https://a{n}.example")).collect();
        assert!(list(&many[..32]).is_ok());
        assert!(list(&many).is_err());
        let twice = ["https://a.example", "https://A.example:443/"].map(str::to_owned);
        let error = list(&twice).unwrap_err().to_string();
        assert!(
            error.contains("`https://a.example` is granted twice"),
            "{error}"
        );
    }
}
