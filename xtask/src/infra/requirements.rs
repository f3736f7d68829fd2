//! What the code needs from the stack: what the host reports about itself, and the routes of the guest.

use crate::{
    run::{Cargo, root},
    setup,
};
use anyhow::Context;
use serde_json::Value;
use std::{collections::BTreeSet, fs};

/// The guest's routes.
const DESCRIPTION: &str = "guest/src/openapi.json";
/// Methods that a path of an OpenAPI document may have.
const METHODS: [&str; 8] = [
    "delete", "get", "head", "options", "patch", "post", "put", "trace",
];

/// What the template must allow, set or show.
#[derive(Clone, Debug)]
pub struct Requirements {
    /// As printed by `host-lambda/examples/requirements.rs`.
    host: Value,
    /// `METHOD /path` for each route of the guest, including `OPTIONS` of each path.
    pub routes: BTreeSet<String>,
}

impl Requirements {
    /// Builds the host, and asks it for its requirements.
    pub fn of_code() -> anyhow::Result<Self> {
        setup::target()?;
        let text = Cargo::new("run")
            .args(["--quiet", "--release", "--locked"])
            .args(["--example", "requirements"])
            .output()?;
        Ok(Self {
            host: serde_json::from_str(&text).context("example `requirements` prints no JSON")?,
            routes: routes()?,
        })
    }

    /// What a host would print, without routes.
    #[cfg(test)]
    pub fn new(host: Value) -> Self {
        Self {
            host,
            routes: BTreeSet::new(),
        }
    }

    /// A text, by the JSON pointer to it.
    pub fn text(&self, pointer: &str) -> anyhow::Result<&str> {
        let text = self.host.pointer(pointer).and_then(Value::as_str);
        text.with_context(|| format!("example `requirements` prints no text `{pointer}`"))
    }

    /// A list of texts, by the JSON pointer to it.
    pub fn texts(&self, pointer: &str) -> anyhow::Result<BTreeSet<String>> {
        let list = self.host.pointer(pointer).and_then(Value::as_array);
        let list =
            list.with_context(|| format!("example `requirements` prints no list `{pointer}`"))?;
        let texts = list.iter().map(|text| text.as_str().map(str::to_owned));
        texts
            .collect::<Option<_>>()
            .with_context(|| format!("`{pointer}` holds what is no text"))
    }
}

fn routes() -> anyhow::Result<BTreeSet<String>> {
    let text = fs::read_to_string(root().join(DESCRIPTION))
        .with_context(|| format!("failed to read `{DESCRIPTION}`"))?;
    let document: Value = serde_json::from_str(&text)?;
    let mut routes = described(&document["paths"]);
    let options: Vec<_> = routes
        .iter()
        .filter_map(|route| Some(format!("OPTIONS {}", route.split_once(' ')?.1)))
        .collect();
    routes.extend(options);
    Ok(routes)
}

/// `METHOD /path` for each operation of an OpenAPI document's paths.
pub fn described(paths: &Value) -> BTreeSet<String> {
    let mut routes = BTreeSet::new();
    for (path, item) in super::template::members(paths) {
        for (method, _) in super::template::members(item) {
            if METHODS.contains(&method.as_str()) {
                routes.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    routes
}
