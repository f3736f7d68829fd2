//! Which licences dependencies may have, and which of them may be there twice.

use crate::run::Cargo;
use anyhow::bail;
use std::collections::{BTreeMap, BTreeSet};

/// Licences that ask no more than attribution of who ships a binary.
const LICENCES: [&str; 12] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Crates that the host contains in more than one version, with the reason why that cannot be helped.
const DUPLICATES: [(&str, &str); 8] = [
    ("base64", "ours is at 0.22, `hyper-util` at 0.23"),
    ("block-buffer", "of `sha2`"),
    ("cpufeatures", "of `sha2`"),
    ("crypto-common", "of `sha2`"),
    ("digest", "of `sha2`"),
    ("getrandom", "`ring` 0.17 uses 0.2"),
    (
        "hashbrown",
        "cranelift 0.135 uses 0.17, and through `gimli` 0.16",
    ),
    (
        "sha2",
        "cranelift 0.135 is at 0.10; ours is what `hmac` 0.13 fits",
    ),
];

/// What a lean host must not contain: a package, features of it, and the beginnings of crates' names that they must not bring.
const LEAN: [(&str, &str, &[&str]); 5] = [
    (
        "host-core",
        "",
        &["aws-", "cranelift-codegen", "hyper", "redb", "wasmtime"],
    ),
    (
        "host-core",
        "runtime",
        &["aws-", "cranelift-codegen", "hyper", "redb"],
    ),
    (
        "host-core",
        "release",
        &["aws-", "cranelift-codegen", "hyper", "redb"],
    ),
    // The SDK with one HTTP client and one TLS stack.
    (
        "host-core",
        "dynamodb",
        &[
            "aws-lc",
            "aws-sdk-sso",
            "aws-sdk-sts",
            "cranelift-codegen",
            "h2 v0.3",
            "hyper v0",
            "native-tls",
            "redb",
            "rustls v0.21",
            "wasmtime",
        ],
    ),
    // The same with a runtime, no compiler, and nothing that a person's profile needs.
    (
        "host-lambda",
        "",
        &[
            "aws-config",
            "aws-lc",
            "aws-sdk-sso",
            "aws-sdk-sts",
            "clap",
            "cranelift-codegen",
            "h2 v0.3",
            "hyper v0",
            "native-tls",
            "openssl v",
            "redb",
            "rustls v0.21",
            "tracing-subscriber",
        ],
    ),
];

/// Fails on a licence or a duplicate that is not listed here, on a listed duplicate that is gone, and on what would be built twice.
pub fn check() -> anyhow::Result<()> {
    let mut complaints = Vec::new();
    let shipped = tree(&[
        "--edges",
        "normal,build",
        "--target",
        "all",
        "--format",
        "{p}\t{l}",
    ])?;
    for line in &shipped {
        let (package, licence) = line.split_once('\t').unwrap_or((line, ""));
        if !is_allowed(licence) {
            complaints.push(format!(
                "`{package}` has the licence `{licence}`, which `LICENCES` does not list"
            ));
        }
    }
    let linked = tree(&["--edges", "normal,no-proc-macro", "--format", "{p}"])?;
    let duplicates = duplicates(&linked);
    for name in &duplicates {
        if !DUPLICATES.iter().any(|(listed, _)| listed == name) {
            complaints.push(format!(
                "`{name}` is there in several versions: `cargo tree --duplicates` says through whom"
            ));
        }
    }
    for (name, _) in DUPLICATES {
        if !duplicates.contains(name) {
            complaints.push(format!(
                "`DUPLICATES` lists `{name}`, which is there once only"
            ));
        }
    }
    for (package, features, unwanted) in LEAN {
        complaints.extend(unwanted_crates(package, features, unwanted)?);
    }
    complaints.extend(built_twice()?);
    if !complaints.is_empty() {
        bail!("{}", complaints.join("\n"));
    }
    Ok(())
}

/// Complaints about what a package links with these features, though it must not.
fn unwanted_crates(
    package: &str,
    features: &str,
    unwanted: &[&str],
) -> anyhow::Result<Vec<String>> {
    let lines = Cargo::new("tree")
        .args(["--package", package, "--features", features])
        .args(["--edges", "normal,no-proc-macro", "--locked"])
        .args(["--prefix", "none", "--format", "{p}"])
        .output()?;
    let found = lines
        .lines()
        .filter(|line| unwanted.iter().any(|name| line.starts_with(name)));
    Ok(found
        .map(|line| format!("{package} with features `{features}` contains `{line}`"))
        .collect())
}

/// Complaints about packages that have other features for tests than for programs: they, and all that is above them, would be built
/// twice.
fn built_twice() -> anyhow::Result<Vec<String>> {
    let packages = |edges| -> anyhow::Result<BTreeSet<String>> {
        let lines = Cargo::new("tree")
            .args(["--workspace", "--locked", "--edges", edges])
            .args(["--prefix", "none", "--no-dedupe", "--format", "{p} {f}"])
            .output()?;
        Ok(lines.lines().map(str::to_owned).collect())
    };
    let for_tests = packages("normal,build,dev")?;
    Ok(packages("normal,build")?
        .difference(&for_tests)
        .map(|package| {
            format!("tests build `{package}` with other features: tests/Cargo.toml says why they must not")
        })
        .collect())
}

/// One line for each package that the hosts depend on, the guest's included that one of them embeds.
fn tree(arguments: &[&str]) -> anyhow::Result<BTreeSet<String>> {
    let lines = Cargo::new("tree")
        .args([
            "--package",
            "host-cli",
            "--package",
            "host-lambda",
            "--package",
            "guest",
            "--locked",
            "--prefix",
            "none",
            "--no-dedupe",
        ])
        .args(arguments)
        .output()?;
    Ok(lines
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(str::to_owned)
        .collect())
}

/// Names that stand in lines `name version ...` with several versions.
fn duplicates(packages: &BTreeSet<String>) -> BTreeSet<&str> {
    let mut versions = BTreeMap::new();
    let mut duplicates = BTreeSet::new();
    for (name, rest) in packages.iter().filter_map(|line| line.split_once(' ')) {
        let version = rest.split(' ').next().unwrap_or(rest);
        if *versions.entry(name).or_insert(version) != version {
            duplicates.insert(name);
        }
    }
    duplicates
}

/// Whether an SPDX expression can be met with listed licences only. `/` is an old spelling of `OR`.
fn is_allowed(expression: &str) -> bool {
    let mut rest = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    rest = rest.replace(" WITH ", "\u{1}");
    let tokens: Vec<_> = rest.split_whitespace().collect();
    let mut position = 0;
    any(&tokens, &mut position) && position == tokens.len()
}

fn any(tokens: &[&str], position: &mut usize) -> bool {
    let mut allowed = all(tokens, position);
    while tokens.get(*position) == Some(&"OR") {
        *position += 1;
        allowed |= all(tokens, position);
    }
    allowed
}

fn all(tokens: &[&str], position: &mut usize) -> bool {
    let mut allowed = one(tokens, position);
    while tokens.get(*position) == Some(&"AND") {
        *position += 1;
        allowed &= one(tokens, position);
    }
    allowed
}

fn one(tokens: &[&str], position: &mut usize) -> bool {
    let Some(token) = tokens.get(*position) else {
        return false;
    };
    *position += 1;
    if *token == "(" {
        let allowed = any(tokens, position);
        let closed = tokens.get(*position) == Some(&")");
        *position += 1;
        return allowed && closed;
    }
    LICENCES.contains(&token.replace('\u{1}', " WITH ").as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duplicate_has_several_versions() {
        let lines = [
            "a v1.0.0",
            "a v1.0.0 (proc-macro)",
            "b v1.0.0",
            "b v2.0.0",
            "c v1.0.0 (/path)",
        ];
        assert_eq!(duplicates(&lines.map(str::to_owned).into()), ["b"].into());
    }

    #[test]
    fn an_expression_needs_one_way_to_be_met() {
        for allowed in [
            "MIT",
            "MIT OR GPL-3.0",
            "Unlicense/MIT",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception",
            "GPL-2.0 OR (MIT AND (BSD-3-Clause OR LGPL-2.1))",
        ] {
            assert!(is_allowed(allowed), "{allowed}");
        }
        for refused in [
            "",
            "GPL-3.0",
            "MIT AND GPL-3.0",
            "(MIT",
            "MIT)",
            "MIT Apache-2.0",
            "GPL-2.0 WITH LLVM-exception",
        ] {
            assert!(!is_allowed(refused), "{refused}");
        }
    }
}
