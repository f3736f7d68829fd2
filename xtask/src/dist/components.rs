//! What is in the program: every crate with version, licence and the digest of its source (CycloneDX 1.6), and the texts of their licences.

use super::{Artifact, LICENCE, VERSION};
use crate::{
    package::{
        Arch,
        build::{Libc, Platform},
    },
    run::{Cargo, root},
};
use anyhow::{Context, ensure};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

/// Name and version.
type Crate = (String, String);

/// The texts that a copy of the program has to come with.
pub struct Licences {
    /// Of this project.
    pub own: String,
    /// Of the crates in the program.
    pub third_parties: String,
}

impl Licences {
    pub const OWN: &str = "LICENSE";
    pub const THIRD_PARTIES: &str = "THIRD-PARTY-LICENSES.txt";

    /// Names and texts.
    pub fn files(&self) -> [(&'static str, &str); 2] {
        [
            (Self::OWN, &self.own),
            (Self::THIRD_PARTIES, &self.third_parties),
        ]
    }
}

/// The bill of materials of `host-cli` and what it carries.
pub fn bill_of_materials() -> anyhow::Result<Artifact> {
    let checksums = checksums(&fs::read_to_string(root().join("Cargo.lock"))?);
    let components: Vec<Value> = all_crates()?
        .into_iter()
        .filter(|((name, _), _)| name != "host-cli")
        .map(|(id, licence)| component(&id, &licence, checksums.get(&id)))
        .collect();
    let bill = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {
            "type": "application",
            "name": "host-cli",
            "version": VERSION,
            "licenses": [{"expression": LICENCE}],
        }},
        "components": components,
    });
    Ok(Artifact {
        name: format!("host-cli-{VERSION}.cdx.json"),
        bytes: format!("{bill:#}\n").into_bytes(),
    })
}

/// The texts of all licences, from the sources of the crates.
pub fn licences() -> anyhow::Result<Licences> {
    let folders = folders()?;
    let mut crates_of_texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for ((name, version), licence) in all_crates()? {
        let Some(folder) = folders.get(&(name.clone(), version.clone())) else {
            continue; // of this workspace
        };
        let title = format!("{name} {version} ({licence})");
        let texts = texts(folder)?;
        if texts.is_empty() {
            let text = "(The crate contains no text of its licence.)\n".to_owned();
            crates_of_texts.entry(text).or_default().push(title.clone());
        }
        for text in texts {
            crates_of_texts.entry(text).or_default().push(title.clone());
        }
    }
    let mut third_parties =
        String::from("Crates in host-cli, and the licences that they come with.\n");
    for (text, crates) in crates_of_texts {
        let line = "=".repeat(80);
        write!(
            third_parties,
            "\n{line}\n{}\n{line}\n\n{text}",
            crates.join("\n")
        )?;
    }
    Ok(Licences {
        own: fs::read_to_string(root().join(Licences::OWN))?,
        third_parties,
    })
}

/// The texts of licences in the source of a crate.
fn texts(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<anyhow::Result<_>>()?;
    paths.retain(|path| path.is_file() && path.file_name().is_some_and(is_licence));
    paths.sort();
    let texts = paths.iter().map(|path| {
        let bytes = fs::read(path)?;
        Ok(format!("{}\n", String::from_utf8_lossy(&bytes).trim_end()))
    });
    texts.collect()
}

fn is_licence(name: &std::ffi::OsStr) -> bool {
    let name = name.to_string_lossy().to_uppercase();
    [
        "LICENSE",
        "LICENCE",
        "COPYING",
        "COPYRIGHT",
        "NOTICE",
        "UNLICENSE",
    ]
    .iter()
    .any(|start| name.starts_with(start))
}

/// Where the sources of crates from the registry are.
fn folders() -> anyhow::Result<BTreeMap<Crate, PathBuf>> {
    let metadata = Cargo::new("metadata")
        .args(["--locked", "--format-version", "1"])
        .output()?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let packages = metadata["packages"].as_array();
    let packages = packages.context("`cargo metadata` lists no packages")?;
    let folder = |package: &Value| {
        package["source"].as_str()?;
        let text = |member: &str| package[member].as_str().map(str::to_owned);
        let manifest = PathBuf::from(text("manifest_path")?);
        Some((
            (text("name")?, text("version")?),
            manifest.parent()?.to_owned(),
        ))
    };
    Ok(packages.iter().filter_map(folder).collect())
}

/// Every crate in the program, in the Lambda hosts and in the reference guest that it carries, with its licence.
fn all_crates() -> anyhow::Result<BTreeMap<Crate, String>> {
    let mut all = BTreeMap::new();
    for arch in Arch::ALL {
        let program = Platform {
            arch,
            libc: Libc::Static,
        };
        let host = Platform::lambda(arch);
        for (package, triple) in [
            ("host-cli", program.triple()),
            ("host-lambda", host.triple()),
            ("guest", guest_builder::TARGET),
        ] {
            all.append(&mut crates(&tree(package, triple)?)?);
        }
    }
    Ok(all)
}

fn tree(package: &str, triple: &str) -> anyhow::Result<String> {
    Cargo::new("tree")
        .args(["--locked", "--package", package, "--edges", "normal"])
        .args(["--target", triple])
        .args(["--prefix", "none", "--format", "{p}|{l}"])
        .output()
}

/// The crates in the lines of `cargo tree`, `NAME vVERSION (...)|LICENCE`, with their licences.
fn crates(tree: &str) -> anyhow::Result<BTreeMap<Crate, String>> {
    let mut crates = BTreeMap::new();
    for line in tree.lines().filter(|line| !line.is_empty()) {
        let (package, licence) = line.split_once('|').context("a crate without a licence")?;
        let mut words = package.split(' ');
        let (name, version) = (words.next(), words.next());
        let version = version.and_then(|version| version.strip_prefix('v'));
        let (Some(name), Some(version)) = (name, version) else {
            anyhow::bail!("`cargo tree` printed `{line}`");
        };
        // A crate that was printed before ends with `(*)`.
        let licence = licence.trim_end_matches(" (*)").to_owned();
        ensure!(!licence.is_empty(), "crate `{name}` has no licence");
        crates.insert((name.to_owned(), version.to_owned()), licence);
    }
    Ok(crates)
}

/// The digests in the lock file: those of crates from the registry.
fn checksums(lock: &str) -> BTreeMap<Crate, String> {
    let packages = lock.split("[[package]]").skip(1);
    let member = |package: &str, name: &str| {
        let line = package.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.strip_prefix(" = \"")?.strip_suffix('"')?.to_owned())
    };
    packages
        .filter_map(|package| {
            let identity = (member(package, "name")?, member(package, "version")?);
            Some((identity, member(package, "checksum")?))
        })
        .collect()
}

fn component((name, version): &Crate, licence: &str, checksum: Option<&String>) -> Value {
    let mut component = json!({
        "type": "library",
        "name": name,
        "version": version,
        // Older crates write `/` for `OR`.
        "licenses": [{"expression": licence.replace('/', " OR ").replace("  ", " ")}],
    });
    if let (Some(checksum), Some(members)) = (checksum, component.as_object_mut()) {
        members.insert(
            "purl".to_owned(),
            format!("pkg:cargo/{name}@{version}").into(),
        );
        let hash = json!([{"alg": "SHA-256", "content": checksum}]);
        members.insert("hashes".to_owned(), hash);
    }
    component
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_are_read_once_with_their_digests() {
        let tree = "a v1.2.3 (/folder/a)|Apache-2.0\nb v0.1.0|MIT/Apache-2.0\n\nb v0.1.0|MIT/Apache-2.0 (*)\n";
        let crates = crates(tree).unwrap();
        assert_eq!(crates.len(), 2);
        let lock =
            "version = 4\n[[package]]\nname = \"b\"\nversion = \"0.1.0\"\nchecksum = \"ab\"\n";
        let checksums = checksums(lock);
        let b = ("b".to_owned(), "0.1.0".to_owned());
        let component = component(&b, &crates[&b], checksums.get(&b));
        assert_eq!(component["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert_eq!(component["purl"], "pkg:cargo/b@0.1.0");
        assert_eq!(component["hashes"][0]["content"], "ab");
        assert!(super::crates("c v1.0.0|").is_err());
    }

    #[test]
    fn licences_are_told_by_their_names() {
        for (name, expected) in [
            ("LICENSE-MIT", true),
            ("license.md", true),
            ("NOTICE", true),
            ("README.md", false),
            ("lib.rs", false),
        ] {
            assert_eq!(is_licence(name.as_ref()), expected, "{name}");
        }
    }
}
