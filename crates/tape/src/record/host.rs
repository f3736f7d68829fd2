//! What a line says of the host that wrote it.

use contract::{
    digest::Digest,
    limits::{LIMITS, Limits},
    log::LogLevel,
};
use json::{Object, write_array, write_string};
use std::collections::{BTreeMap, BTreeSet};

/// What else reaches the guest.
#[derive(Clone, Debug)]
pub struct RecordedHost<'a> {
    /// What is removed from every path.
    pub base_path: Option<&'a str>,
    /// Bounds of one request.
    pub limits: Limits,
    /// Less severe log lines are dropped.
    pub log_level: LogLevel,
    /// The guest's environment variables; only their names are written.
    pub environment: &'a [(String, String)],
}

impl RecordedHost<'_> {
    /// Writes the values that are not the default.
    pub(super) fn write(&self, out: &mut Vec<u8>, is_private: bool) {
        let mut host = Object::begin(out);
        host.string("version", env!("CARGO_PKG_VERSION"));
        if let Some(base_path) = self.base_path {
            host.string("base_path", base_path);
        }
        if self.log_level != LogLevel::Info {
            host.string("log_level", self.log_level.as_str());
        }
        if !self.environment.is_empty() {
            let names: BTreeSet<&str> = self
                .environment
                .iter()
                .map(|(name, _)| name.as_str())
                .collect();
            write_array(host.name("environment_names"), names, write_string);
            // Short secrets can be guessed from a digest, so only lines that nobody else can read contain it.
            if is_private {
                let digest = environment_digest(self.environment);
                host.string("environment", &digest.to_string());
            }
        }
        if self.limits != Limits::default() {
            limits(host.name("limits"), &self.limits);
        }
        host.end();
    }
}

/// The limits that are not the default ones.
fn limits(out: &mut Vec<u8>, limits: &Limits) {
    let mut object = Object::begin(out);
    for limit in LIMITS {
        let value = (limit.get)(limits);
        if value != limit.default() {
            object.number(limit.name, value);
        }
    }
    object.end();
}

/// SHA-256 of a guest's environment as a JSON object sorted by name.
pub fn environment_digest(environment: &[(String, String)]) -> Digest {
    let sorted: BTreeMap<&str, &str> = environment
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    Digest::of(serde_json::json!(sorted).to_string().as_bytes())
}
