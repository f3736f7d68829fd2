//! Packages for npm: one that users name, and one with the program for each CPU, of which npm installs the one that fits.

use super::{Artifact, LICENCE, SUMMARY, VERSION, archive, components::Licences, program::Program};
use crate::package::Arch;
use serde_json::{Value, json};

/// The package that users name.
pub const NAME: &str = "@tenon/cli";

/// Starts the program of the package for this CPU.
const LAUNCHER: &str = include_str!("npm/host-cli.js");

/// Node's name for the CPU.
fn cpu(arch: Arch) -> &'static str {
    match arch {
        Arch::X86_64 => "x64",
        Arch::Arm64 => "arm64",
    }
}

fn platform_name(arch: Arch) -> String {
    format!("{NAME}-linux-{}", cpu(arch))
}

/// The package that users name: a launcher.
pub fn main(licences: &Licences) -> anyhow::Result<Artifact> {
    let programs: serde_json::Map<String, Value> = Arch::ALL
        .into_iter()
        .map(|arch| (platform_name(arch), VERSION.into()))
        .collect();
    pack(
        NAME,
        &json!({
            "bin": {"host-cli": "host-cli.js"},
            "engines": {"node": ">=18"},
            "optionalDependencies": programs,
        }),
        ("host-cli.js", LAUNCHER.as_bytes()),
        licences,
    )
}

/// The package with a program.
pub fn platform(program: &Program, licences: &Licences) -> anyhow::Result<Artifact> {
    pack(
        &platform_name(program.arch),
        &json!({"os": ["linux"], "cpu": [cpu(program.arch)]}),
        ("host-cli", &program.bytes),
        licences,
    )
}

/// A package with one executable file, as `npm pack` makes them.
fn pack(
    name: &str,
    members: &Value,
    (file, bytes): (&str, &[u8]),
    licences: &Licences,
) -> anyhow::Result<Artifact> {
    let mut manifest = json!({
        "name": name,
        "version": VERSION,
        "description": SUMMARY,
        "license": LICENCE,
        "files": [file, Licences::OWN, Licences::THIRD_PARTIES],
    });
    let all = manifest.as_object_mut().into_iter();
    for (manifest, members) in all.zip(members.as_object()) {
        manifest.extend(members.clone());
    }
    let manifest = format!("{manifest:#}\n");
    let path = |file: &str| format!("package/{file}");
    let mut files = vec![
        (path("package.json"), manifest.as_bytes(), false),
        (path(file), bytes, true),
    ];
    for (name, text) in licences.files() {
        files.push((path(name), text.as_bytes(), false));
    }
    let files: Vec<archive::File<'_>> = files
        .iter()
        .map(|(path, bytes, is_program)| (path.as_str(), *bytes, *is_program))
        .collect();
    Ok(Artifact {
        name: format!("{}-{VERSION}.tgz", name.replace('@', "").replace('/', "-")),
        bytes: archive::pack(&files)?,
    })
}
