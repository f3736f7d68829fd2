//! `manifest.json`: what was packaged, so that a deployment can be traced back to it.

use contract::digest::Digest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The description of a package, or, without a guest, of a host that packages can be made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Release of the host.
    pub version: String,
    /// By Lambda's name: `x86_64` or `arm64`.
    pub architecture: String,
    /// The host's target triple.
    pub target: String,
    /// Which images the host loads: [`contract::compatibility::Target::compatibility`].
    pub compatibility: String,
    /// The cargo profile that the host was built with.
    pub profile: String,
    /// What the compiler of the host says about itself.
    pub rustc: String,
    /// The oldest release of glibc that the host runs with; absent if it needs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub glibc_min: Option<String>,
    /// Absent if there is only a host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest: Option<GuestDescription>,
    /// The archives by their names.
    pub files: BTreeMap<String, ArchiveDescription>,
}

/// The guest in a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuestDescription {
    /// SHA-256 of the component that was compiled.
    pub component: Digest,
}

/// One archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveDescription {
    /// Size of the archive.
    pub bytes: usize,
    /// What it unpacks to.
    pub contains: BTreeMap<String, EntryDescription>,
    /// SHA-256 of the archive.
    pub sha256: Digest,
}

/// One file in an archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryDescription {
    /// Its size.
    pub bytes: usize,
    /// Its SHA-256.
    pub sha256: Digest,
}

impl Manifest {
    /// The text of the file.
    pub fn to_json(&self) -> String {
        format!("{:#}\n", serde_json::json!(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "read into a type of named members that holds no `Value`"
    )]
    fn a_manifest_is_read_as_it_was_written() {
        let entry = EntryDescription {
            bytes: 3,
            sha256: Digest::of(b"abc"),
        };
        let archive = ArchiveDescription {
            bytes: 9,
            contains: [("bootstrap".to_owned(), entry)].into(),
            sha256: Digest::of(b"archive"),
        };
        let mut manifest = Manifest {
            version: "0.1.0".to_owned(),
            architecture: "arm64".to_owned(),
            target: "aarch64-unknown-linux-gnu".to_owned(),
            compatibility: "0123456789abcdef".to_owned(),
            profile: "lambda".to_owned(),
            rustc: "rustc 1.95.0".to_owned(),
            glibc_min: Some("2.34".to_owned()),
            guest: None,
            files: [("host-lambda.zip".to_owned(), archive)].into(),
        };
        let read = |text: &str| serde_json::from_str::<Manifest>(text).unwrap();
        let text = manifest.to_json();
        assert!(text.contains("\"glibcMin\": \"2.34\"") && !text.contains("guest"));
        assert_eq!(read(&text), manifest);
        manifest.guest = Some(GuestDescription {
            component: Digest::of(b"component"),
        });
        assert_eq!(read(&manifest.to_json()), manifest);
    }
}
