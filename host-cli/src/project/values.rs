//! The values of `tenon.toml`, checked where they are read, so that an error has the position of the value.

use crate::store::StoreSpec;
use contract::{
    limits::{LIMITS, PartialLimits},
    log::LogLevel,
};
use gateway::EventKind;
use outgoing::Grants;
use secrets::SecretDeclarations;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, MapAccess, Visitor},
};
use std::{collections::BTreeMap, fmt, path::PathBuf};

/// A path relative to the folder of the file.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String")]
pub struct ProjectPath(pub PathBuf);

impl TryFrom<String> for ProjectPath {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        if text.trim().is_empty() {
            return Err("the path is empty");
        }
        if text.contains('\0') {
            return Err("a path contains no NUL character");
        }
        Ok(Self(PathBuf::from(text)))
    }
}

/// A command without a shell: the program and its arguments.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct BuildCommand {
    /// As written.
    pub text: String,
    /// The program.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
}

impl TryFrom<String> for BuildCommand {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let mut words = shlex::split(&text)
            .ok_or("the command has a quote without its end")?
            .into_iter();
        let program = words
            .next()
            .filter(|program| !program.is_empty())
            .ok_or("the command is empty")?;
        Ok(Self {
            text,
            program,
            arguments: words.collect(),
        })
    }
}

/// A store, as `--store` names it.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct StoreName(pub StoreSpec);

impl TryFrom<String> for StoreName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        StoreSpec::resolve(&text)
            .map(Self)
            .map_err(|error| error.message().to_owned())
    }
}

/// A kind of event, as `--event-kind` names it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct EventName(pub EventKind);

impl TryFrom<String> for EventName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
            .map(Self)
            .map_err(|error: gateway::EventKindError| error.to_string())
    }
}

/// A level of log lines, as `--log-level` names it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(transparent)]
pub struct LevelName(pub LogLevel);

/// What the guest may call.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct OutgoingGrants(pub Grants);

/// The guest's secrets.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct DeclaredSecrets(pub SecretDeclarations);

/// Environment variables.
#[derive(Clone, Debug, Default)]
pub struct Variables(pub BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Variables {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;

        impl<'de> Visitor<'de> for Names {
            type Value = Variables;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a table of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Variables, A::Error> {
                let mut variables = BTreeMap::new();
                while let Some(VariableName(name)) = map.next_key()? {
                    variables.insert(name, map.next_value()?);
                }
                Ok(Variables(variables))
            }
        }

        deserializer.deserialize_map(Names)
    }
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct VariableName(String);

impl TryFrom<String> for VariableName {
    type Error = NameError;

    fn try_from(name: String) -> Result<Self, NameError> {
        check_name(&name).map(|()| Self(name))
    }
}

/// Why a name cannot be that of an environment variable.
#[derive(Debug, thiserror::Error)]
#[error("the name of a variable is not empty and has neither `=` nor NUL")]
pub struct NameError;

/// Checks the name of an environment variable by the rule that Lambda hosts have.
pub fn check_name(name: &str) -> Result<(), NameError> {
    match name.is_empty() || name.contains(['=', '\0']) {
        true => Err(NameError),
        false => Ok(()),
    }
}

/// Limits of one request, by the names that channel documents have for them.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProjectLimits(pub PartialLimits);

impl<'de> Deserialize<'de> for ProjectLimits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = ProjectLimits;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a table of limits")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ProjectLimits, A::Error> {
                let mut limits = PartialLimits::default();
                while let Some(name) = map.next_key::<String>()? {
                    let limit = LIMITS
                        .iter()
                        .find(|limit| limit.name == name)
                        .ok_or_else(|| Error::custom(format_args!("unknown limit `{name}`")))?;
                    let number = map.next_value_seed(Within(limit.allowed.clone()))?;
                    (limit.set_part)(&mut limits, number);
                }
                Ok(ProjectLimits(limits))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// A number within a range.
struct Within(std::ops::RangeInclusive<u64>);

impl<'de> DeserializeSeed<'de> for Within {
    type Value = u64;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u64, D::Error> {
        let WholeNumber(number) = WholeNumber::deserialize(deserializer)?;
        let Self(allowed) = self;
        u64::try_from(number)
            .ok()
            .filter(|number| allowed.contains(number))
            .ok_or_else(|| {
                let (first, last) = allowed.into_inner();
                Error::custom(format_args!("{number} is not within {first} to {last}"))
            })
    }
}

struct WholeNumber(i64);

impl<'de> Deserialize<'de> for WholeNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;

        impl Visitor<'_> for Number {
            type Value = WholeNumber;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a whole number")
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<WholeNumber, E> {
                Ok(WholeNumber(number))
            }
        }

        deserializer.deserialize_i64(Number)
    }
}
