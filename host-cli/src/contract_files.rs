//! The contract, `wit/`, as this program provides it.

/// Its files, by name.
pub const FILES: [(&str, &str); 5] = [
    ("http.wit", include_str!("../../wit/http.wit")),
    ("log.wit", include_str!("../../wit/log.wit")),
    ("outgoing.wit", include_str!("../../wit/outgoing.wit")),
    ("secrets.wit", include_str!("../../wit/secrets.wit")),
    ("storage.wit", include_str!("../../wit/storage.wit")),
];

/// Its package in WIT.
pub const PACKAGE: &str = "tenon:handler";

/// Its version, which each file states.
pub fn version() -> &'static str {
    let (_, text) = FILES[0];
    let line = text.lines().find_map(|line| line.strip_prefix("package "));
    line.and_then(|line| line.trim_end_matches(';').split_once('@'))
        .map_or("unknown", |(_, version)| version)
}

/// The version that an interface's name ends with, if it is one of the contract: `tenon:handler/http@0.1.0`.
pub fn version_of(interface: &str) -> Option<&str> {
    let rest = interface.strip_prefix(PACKAGE)?.strip_prefix('/')?;
    rest.split_once('@').map(|(_, version)| version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeSet, fs};

    #[test]
    fn every_file_is_there_and_states_the_version() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../wit");
        let there: BTreeSet<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let embedded: BTreeSet<String> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(there, embedded);
        let package = format!("package {PACKAGE}@{};\n", version());
        for (name, text) in FILES {
            assert!(text.contains(&package), "{name}");
        }
        assert_eq!(version_of("tenon:handler/log@0.1.0"), Some("0.1.0"));
        assert_eq!(version_of("wasi:io/poll@0.2.0"), None);
    }
}
