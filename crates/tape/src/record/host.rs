//! What a line says of the host that wrote it.

use contract::{digest::Digest, limits::Limits, log::LogLevel};
use json::{Object, write_array, write_number, write_string};
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
    pub(super) fn write(&self, out: &mut Vec<u8>, is_encrypted: bool) {
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
            // Short secrets can be guessed from a digest, so only lines for the holder of a key contain it.
            if is_encrypted {
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

fn limits(out: &mut Vec<u8>, limits: &Limits) {
    let default = Limits::default();
    let Limits {
        request_body_bytes_max,
        request_target_bytes_max,
        request_headers_bytes_max,
        guest_memory_bytes_max,
        host_calls_max,
        storage_calls_max,
        request_duration_max,
    } = *limits;
    let mut object = Object::begin(out);
    let milliseconds = |duration: std::time::Duration| duration.as_millis() as usize;
    for (name, value, usual) in [
        (
            "request_body_bytes_max",
            request_body_bytes_max,
            default.request_body_bytes_max,
        ),
        (
            "request_target_bytes_max",
            request_target_bytes_max,
            default.request_target_bytes_max,
        ),
        (
            "request_headers_bytes_max",
            request_headers_bytes_max,
            default.request_headers_bytes_max,
        ),
        (
            "guest_memory_bytes_max",
            guest_memory_bytes_max,
            default.guest_memory_bytes_max,
        ),
        (
            "host_calls_max",
            host_calls_max as usize,
            default.host_calls_max as usize,
        ),
        (
            "storage_calls_max",
            storage_calls_max as usize,
            default.storage_calls_max as usize,
        ),
        (
            "request_duration_ms_max",
            milliseconds(request_duration_max),
            milliseconds(default.request_duration_max),
        ),
    ] {
        if value != usual {
            write_number(object.name(name), value as u64);
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
