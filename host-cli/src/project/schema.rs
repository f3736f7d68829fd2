//! The JSON Schema of `tenon.toml`, which editors use: made from the structs that read the file.

use super::{
    sections::ProjectFile,
    values::{BuildCommand, EventName, LevelName, ProjectLimits, StoreName, Variables},
};
use crate::store::STORE_PATTERN;
use contract::limits::LIMITS;
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
    ProjectLimits => limits();
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

/// The text of the file in `docs/`.
pub fn text() -> String {
    let mut schema = schemars::schema_for!(ProjectFile);
    schema.insert("title".to_owned(), "tenon.toml".into());
    format!("{:#}\n", schema.to_value())
}
