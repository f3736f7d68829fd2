//! The environment of the inner cargo: removes what must not reach a guest's build.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Variables of cargo that configure the sources of crates and the progress display. All others configure or describe the outer build.
const KEPT: [&str; 8] = [
    "CARGO_HOME",
    "CARGO_HTTP_",
    "CARGO_MAKEFLAGS", // the job slots of the outer build, so that both builds together do not exceed it
    "CARGO_NET_",
    "CARGO_REGISTRIES_",
    "CARGO_REGISTRY_",
    "CARGO_TERM_",
    "CARGO_UNSTABLE_",
];

/// Removes the outer build's flags, wrappers, profile settings and package description.
pub fn scrub(command: &mut Command) {
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(is_of_outer_build) {
            command.env_remove(name);
        }
    }
}

fn is_of_outer_build(name: &str) -> bool {
    let of_cargo = name.starts_with("CARGO_") && !KEPT.iter().any(|kept| name.starts_with(kept));
    // `RUSTC` and everything that begins with it: the compiler, clippy as its wrapper, sccache.
    of_cargo
        || name.starts_with("RUSTC")
        || name.starts_with("RUSTDOC")
        || name.starts_with("CLIPPY_")
        || [
            "RUSTFLAGS",
            "OUT_DIR",
            "TARGET",
            "HOST",
            "PROFILE",
            "OPT_LEVEL",
            "DEBUG",
        ]
        .contains(&name)
}

/// Compiler flags that keep this machine's folders out of the component, where panic messages would contain them. Setting any flags also
/// overrides those of a user's cargo configuration.
pub fn remap_flags(workspace: &Path) -> Vec<String> {
    let mut prefixes = Vec::new();
    if let Some(cargo_home) = cargo_home() {
        prefixes.push((cargo_home.clone(), "/cargo"));
        // There is one folder for each registry, named after its host. It exists, because this crate's own dependency came from there.
        let registries = fs::read_dir(cargo_home.join("registry/src"))
            .into_iter()
            .flatten()
            .flatten();
        let mut registries: Vec<_> = registries.map(|entry| entry.path()).collect();
        registries.sort();
        prefixes.extend(
            registries
                .into_iter()
                .map(|registry| (registry, "/registry")),
        );
    }
    if let Some(rustup_home) = env::var_os("RUSTUP_HOME")
        .map(PathBuf::from)
        .or_else(|| in_home(".rustup"))
    {
        prefixes.push((rustup_home, "/rustup"));
    }
    prefixes.push((workspace.to_owned(), "/tenon"));
    // The last matching prefix applies.
    prefixes
        .iter()
        .map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()))
        .collect()
}

fn cargo_home() -> Option<PathBuf> {
    env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| in_home(".cargo"))
}

fn in_home(name: &str) -> Option<PathBuf> {
    env::home_dir().map(|home| home.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outer_build_stays_outside() {
        for name in [
            "RUSTFLAGS",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_BUILD_RUSTFLAGS",
            "CARGO_BUILD_TARGET",
            "CARGO_PROFILE_GUEST_DEBUG",
            "CARGO_TARGET_DIR",
            "CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS",
            "CARGO_PKG_NAME",
            "RUSTC",
            "RUSTC_WRAPPER",
            "RUSTC_WORKSPACE_WRAPPER",
            "CLIPPY_ARGS",
        ] {
            assert!(is_of_outer_build(name), "{name}");
        }
        for name in [
            "PATH",
            "HOME",
            "CARGO",
            "CARGO_HOME",
            "CARGO_NET_OFFLINE",
            "CARGO_MAKEFLAGS",
            "RUSTUP_TOOLCHAIN",
        ] {
            assert!(!is_of_outer_build(name), "{name}");
        }
    }

    #[test]
    fn the_workspace_is_remapped_last() {
        let flags = remap_flags(Path::new("/somewhere/tenon"));
        assert_eq!(
            flags.last().unwrap(),
            "--remap-path-prefix=/somewhere/tenon=/tenon"
        );
    }
}
