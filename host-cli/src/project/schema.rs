//! The JSON Schema of `tenon.toml`, which editors use: made from the structs that read the file.

use super::{
    deploy::{DomainSetting, OpenRoute, ParameterValue, StackSources},
    sections::ProjectFile,
    values::{
        BuildCommand, DeclaredSecrets, EventName, LevelName, OutgoingGrants, ProjectLimits,
        StoreName, Variables,
    },
};
use crate::store::STORE_PATTERN;
use contract::limits::{LIMITS, OUTGOING_GRANTS_MAX, SECRET_ORIGINS_MAX, SECRETS_MAX};
use gateway::EventKind;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// Types that are read from text, and what their schema says beyond that.
macro_rules! schemas {
    ($($type:ty => $schema:expr;)+) => {
        $(impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        })+
    };
}

schemas! {
    BuildCommand => json_schema!({"type": "string", "minLength": 1});
    StoreName => json_schema!({"type": "string", "pattern": STORE_PATTERN});
    EventName => json_schema!({"type": "string", "enum": EventKind::ALL.map(EventKind::as_str)});
    LevelName => json_schema!({"type": "string", "enum": ["debug", "info", "warn", "error"]});
    Variables => json_schema!({
        "type": "object",
        "propertyNames": {"pattern": "^[^=\\u0000]+$"},
        "additionalProperties": {"type": "string"},
    });
    OpenRoute => json_schema!({"type": "string", "pattern": "^[A-Z]+ /"});
    DomainSetting => json_schema!({"type": "string", "pattern": "^[a-z0-9.-]+(/[A-Za-z0-9._~-]+)*$"});
    StackSources => json_schema!({
        "type": "object",
        "propertyNames": {"pattern": "^[a-z0-9-]{1,64}$"},
        "additionalProperties": {"type": "string", "pattern": "^(ssm|secretsmanager):.+$"},
    });
    ParameterValue => json_schema!({"type": ["string", "integer", "boolean"]});
    ProjectLimits => limits();
    OutgoingGrants => grants();
    DeclaredSecrets => secrets();
}

fn limits() -> Schema {
    let members: Map<String, Value> = LIMITS
        .iter()
        .map(|limit| {
            let member = json!({
                "description": limit.documentation.trim(),
                "type": "integer",
                "minimum": limit.allowed.start(),
                "maximum": limit.allowed.end(),
            });
            (limit.name.to_owned(), member)
        })
        .collect();
    json_schema!({"type": "object", "properties": members, "additionalProperties": false})
}

fn grants() -> Schema {
    let name = json!({"type": "string", "minLength": 1});
    json_schema!({
        "type": "array",
        "maxItems": OUTGOING_GRANTS_MAX,
        "items": {"anyOf": [
            {"type": "string", "pattern": "^https?://", "description": "An origin, such as `https://api.example.com`, with an optional path."},
            {
                "type": "object",
                "required": ["origin"],
                "additionalProperties": false,
                "properties": {
                    "origin": {
                        "type": "string",
                        "pattern": "^https?://",
                        "description": "Scheme, host and port, and optionally the path below which all requests lie.",
                    },
                    "private_addresses": {
                        "type": "boolean",
                        "description": "Whether its name may lead to an address of a private network or of this machine.",
                    },
                    "sign": {
                        "description": "The host signs requests with its own credentials for AWS.",
                        "anyOf": [
                            {"const": "aws"},
                            {
                                "type": "object",
                                "required": ["aws"],
                                "additionalProperties": false,
                                "properties": {"aws": {
                                    "type": "object",
                                    "required": ["service", "region"],
                                    "additionalProperties": false,
                                    "properties": {"service": name, "region": name},
                                }},
                            },
                        ],
                    },
                },
            },
        ]},
    })
}

fn secrets() -> Schema {
    let source = json!({
        "type": "string",
        "pattern": "^(env|file|ssm|secretsmanager):.+$",
        "description": "Where the host finds it: `env:NAME`, `file:PATH`, `ssm:/PATH` or `secretsmanager:NAME`; the last may end with `#MEMBER`.",
    });
    json_schema!({
        "type": "object",
        "maxProperties": SECRETS_MAX,
        "propertyNames": {"pattern": "^[a-z0-9-]{1,64}$"},
        "additionalProperties": {
            "type": "object",
            "required": ["from"],
            "additionalProperties": false,
            "properties": {
                "from": source,
                "encoding": {
                    "enum": ["plain", "base64"],
                    "description": "How the value is written there; `plain` by default.",
                },
                "for": {
                    "type": "array",
                    "maxItems": SECRET_ORIGINS_MAX,
                    "items": {"type": "string", "pattern": "^https?://"},
                    "description": "The origins for which it is filled into requests, in place of `__secret.NAME__`.",
                },
                "in": {
                    "type": "array",
                    "items": {"enum": ["headers", "url", "body"]},
                    "description": "The parts of requests in which it is filled in; `[\"headers\"]` by default.",
                },
                "hmac": {
                    "type": "boolean",
                    "description": "Whether the guest may sign and verify with it.",
                },
                "reveal": {
                    "type": "boolean",
                    "description": "Whether the guest may read it.",
                },
            },
        },
    })
}

/// The text of the file in `docs/`.
pub fn text() -> String {
    let mut schema = schemars::schema_for!(ProjectFile);
    schema.insert("title".to_owned(), "tenon.toml".into());
    format!("{:#}\n", schema.to_value())
}
